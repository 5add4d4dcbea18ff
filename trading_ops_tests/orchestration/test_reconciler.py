"""The reconciler: its decision table, and the same decisions from a real instance with fabricated run states."""

import datetime as dt
from typing import Any

import dagster as dg
import pytest
from dagster._core.test_utils import create_run_for_test

from trading_ops.build import build_defs
from trading_ops.defs import reconciler
from trading_ops.defs.reconciler import (
    ENDS,
    FIRST_WAIT,
    LONGEST_WAIT,
    SIM_GRACE,
    TRIES_PER_FACTS,
    JobState,
    Seen,
    next_step,
)
from trading_ops.defs.sensors import ticket_reconciler
from trading_ops.planning import direct
from trading_ops.store import desk, plans, tickets
from trading_ops.store.plans import Plan
from trading_ops_tests.orchestration.loop_home import ASOF, AT, PLAN_ID, Loop

NOW = dt.datetime(2025, 2, 8, 12, tzinfo=dt.UTC)
S = dg.DagsterRunStatus
WORKING = JobState(runs=1, under_way=True)
JUST_ENDED = JobState(runs=1, ended_at=NOW)
LONG_AGO = JobState(runs=1, ended_at=NOW - dt.timedelta(hours=2))
OPEN = {"open": True, "due": False}
DUE = {"open": True, "due": True}
JUDGED = {"evaluated": True, "current": True}


@pytest.mark.parametrize(
    ("seen", "step"),
    [
        (Seen(open=False, due=False), None),
        (Seen(**OPEN), "plan_job"),
        (Seen(**OPEN, plan=WORKING), None),
        (Seen(**OPEN, plan=JUST_ENDED), None),
        (Seen(**OPEN, plan=LONG_AGO), "plan_job"),
        (Seen(**OPEN, **JUDGED, proven=True), "ticket_job"),
        (Seen(**OPEN, **JUDGED, proven=True, ticket=WORKING), None),
        (Seen(**OPEN, **JUDGED, proven=True, ticket=JUST_ENDED), None),
        (Seen(**OPEN, **JUDGED), None),
        (Seen(**OPEN, evaluated=True, current=False, proven=True), "plan_job"),
        (Seen(**OPEN, evaluated=True, current=False), "plan_job"),
        (Seen(**OPEN, **JUDGED, broken_off=True, tries=1), "plan_job"),
        (Seen(**OPEN, **JUDGED, broken_off=True, tries=TRIES_PER_FACTS), None),
        (Seen(**DUE), "ticket_job"),
        (Seen(**DUE, plan=WORKING), "ticket_job"),
        (Seen(**DUE, evaluated=True), "ticket_job"),
        (Seen(**DUE, ticket=WORKING), None),
        (Seen(**DUE, has_ticket=True, in_dagster=True), None),
        (Seen(**DUE, has_ticket=True, in_dagster=False), "ticket_job"),
        (Seen(**DUE, has_ticket=True, in_dagster=False, ticket=WORKING), None),
    ],
)
def test_decision_table(seen: Seen, step: str | None) -> None:
    assert next_step(seen, NOW) == step


def test_waits_double_and_end() -> None:
    assert not JobState(1, ended_at=NOW).rested(NOW + FIRST_WAIT / 2)
    assert JobState(1, ended_at=NOW).rested(NOW + FIRST_WAIT)
    assert not JobState(2, ended_at=NOW).rested(NOW + FIRST_WAIT)
    assert JobState(2, ended_at=NOW).rested(NOW + 2 * FIRST_WAIT)
    assert JobState(10_000, ended_at=NOW).rested(NOW + LONGEST_WAIT)


def test_every_state_that_is_not_an_end_is_waited_for() -> None:
    known = {S.QUEUED, S.NOT_STARTED, S.STARTING, S.STARTED, S.CANCELING, S.MANAGED}
    assert not known & ENDS
    assert set(S) >= known | ENDS


# ---- from records


def fabricate(loop: Loop, job: str, status: dg.DagsterRunStatus, **tags: str) -> None:
    """A run of the plan that Dagster believes to be in a state."""
    all_tags = {"dagster/partition": PLAN_ID, **tags}
    create_run_for_test(loop.instance, job_name=job, status=status, tags=all_tags)


def wanted(loop: Loop, now: dt.datetime) -> list[str | None]:
    """Jobs that the reconciler asks for, by name."""
    asked = list(reconciler.requests(loop.desk(now), loop.instance, now))
    assert {request.partition_key for request in asked} <= {PLAN_ID}
    return [request.job_name for request in asked]


def saturday(plan: Plan) -> dt.datetime:
    """A moment at which the plan is open and not due."""
    return plan.opens_at + dt.timedelta(hours=1)


def test_nothing_before_a_plan_opens(paper: Loop) -> None:
    plan = paper.registered()
    assert wanted(paper, plan.opens_at - dt.timedelta(seconds=1)) == []
    assert wanted(paper, plan.opens_at) == ["plan_job"]


@pytest.mark.parametrize(
    ("status", "tags", "before_due"),
    [
        (S.NOT_STARTED, {}, []),
        (S.STARTING, {}, []),
        (S.STARTED, {}, []),
        (S.CANCELING, {}, []),
        (S.CANCELED, {}, ["plan_job"]),
        (S.FAILURE, {}, ["plan_job"]),
        (S.FAILURE, {"dagster/will_retry": "true"}, []),
        (S.FAILURE, {"dagster/will_retry": "false"}, ["plan_job"]),
        (S.SUCCESS, {}, ["plan_job"]),
    ],
)
def test_a_plan_run_at_work_is_waited_for_until_the_plan_is_due(
    paper: Loop, status: dg.DagsterRunStatus, tags: dict[str, str], before_due: list[str]
) -> None:
    plan = paper.registered()
    fabricate(paper, "plan_job", status, **tags)
    assert wanted(paper, saturday(plan)) == before_due
    assert wanted(paper, plan.decide_by) == ["ticket_job"]


def test_a_proven_plan_gets_its_ticket_at_once(paper: Loop) -> None:
    plan = paper.registered()
    direct.run_plan(paper.conn, paper.home.snapshots_dir, PLAN_ID)
    assert wanted(paper, saturday(plan)) == ["ticket_job"]
    fabricate(paper, "ticket_job", S.STARTED)
    assert wanted(paper, saturday(plan)) == []
    assert wanted(paper, plan.decide_by) == []


@pytest.mark.parametrize(("minutes", "asked"), [(-1, ["ticket_job"]), (1, [])])
def test_a_ticket_that_was_put_off_often_is_decided_at_its_hour(
    paper: Loop, monkeypatch: pytest.MonkeyPatch, minutes: int, asked: list[str]
) -> None:
    """The wait after failures ends when the plan is due; failures from then on are waited for as ever."""
    plan = paper.registered()
    failed_often = JobState(runs=10, ended_at=plan.decide_by + dt.timedelta(minutes=minutes))
    states = {"plan_job": JobState(), "ticket_job": failed_often}
    monkeypatch.setattr(reconciler, "job_state", lambda _instance, job, _plan_id: states[job])
    assert wanted(paper, plan.decide_by + dt.timedelta(minutes=2)) == asked


def test_news_runs_an_open_plan_again(paper: Loop) -> None:
    plan = paper.registered()
    direct.run_plan(paper.conn, paper.home.snapshots_dir, PLAN_ID)
    with paper.conn.transaction():
        desk.set_kill_switch(paper.conn, "HALTED", ASOF, "a test", "a test")
    assert wanted(paper, saturday(plan)) == ["plan_job"]
    direct.run_plan(paper.conn, paper.home.snapshots_dir, PLAN_ID)
    assert wanted(paper, saturday(plan)) == []  # refused: it waits for people until decide-by
    assert wanted(paper, plan.decide_by) == ["ticket_job"]


def test_a_lost_materialization_is_repaired_once(paper: Loop) -> None:
    plan = paper.registered()
    execute(paper, dg.RunRequest(job_name="plan_job", partition_key=PLAN_ID), saturday(plan))
    issue_directly(paper, plan)
    assert wanted(paper, saturday(plan)) == ["ticket_job"]
    execute(paper, dg.RunRequest(job_name="ticket_job", partition_key=PLAN_ID), saturday(plan))
    assert wanted(paper, AT) == []
    assert paper.count("tickets") == 1


def test_tickets_of_the_direct_driver_are_left_alone(sim: Loop) -> None:
    sim.directly()
    assert wanted(sim, AT) == []


def test_a_simulation_is_not_disturbed_until_it_is_surely_dead(sim: Loop) -> None:
    sim.registered()
    now = sim.conn.execute("SELECT now() AS at").fetchone()["at"]  # type: ignore[index]
    assert wanted(sim, now) == []
    assert wanted(sim, now + SIM_GRACE) == ["ticket_job"]


def test_two_looks_ask_for_the_same_run(paper: Loop) -> None:
    plan = paper.registered()
    now = saturday(plan)
    keys = [[r.run_key for r in reconciler.requests(paper.desk(now), paper.instance, now)] for _ in range(2)]
    assert keys[0] == keys[1] == [f"{PLAN_ID}:plan_job:0"]


def test_the_sensor_needs_no_cursor(paper: Loop) -> None:
    plan = direct.register(paper.conn, ASOF, AT)
    for cursor in (None, "nonsense", "999999"):
        context = dg.build_sensor_context(instance=paper.instance, definitions=build_defs(), cursor=cursor)
        result = ticket_reconciler(context, desk=paper.desk(saturday(plan)))
        assert isinstance(result, dg.SensorResult)
        assert [(r.job_name, r.partition_key) for r in result.run_requests or ()] == [("plan_job", PLAN_ID)]
        assert [r.partition_keys for r in result.dynamic_partitions_requests or ()] == [[PLAN_ID]]


def test_a_quiet_look_says_so(paper: Loop) -> None:
    context = dg.build_sensor_context(instance=paper.instance, definitions=build_defs())
    assert isinstance(ticket_reconciler(context, desk=paper.desk()), dg.SkipReason)


# ---- the whole weekend


def execute(loop: Loop, request: dg.RunRequest, now: dt.datetime) -> Any:
    """What the daemon does with a request."""
    job = build_defs(resources={"desk": dg.ResourceDefinition.none_resource()}).resolve_job_def(request.job_name or "")
    return job.execute_in_process(
        instance=loop.instance, partition_key=request.partition_key, raise_on_error=False,
        resources={"desk": loop.desk(now)}, run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )  # fmt: skip


def issue_directly(loop: Loop, plan: Plan) -> None:
    """A ticket that was committed, and a process that died before Dagster knew."""
    from trading_ops.planning import issue

    now = saturday(plan)
    home = loop.home
    issue.decide_plan(loop.conn, home.tickets_dir, home.snapshots_dir, plan.plan_id, at=now, final=False)


def live(loop: Loop, moments: list[dt.datetime]) -> list[str]:
    """Look at each moment and do what is asked; the jobs in order."""
    done = []
    for now in moments:
        for request in list(reconciler.requests(loop.desk(now), loop.instance, now)):
            execute(loop, request, now)
            done.append(str(request.job_name))
    return done


def test_a_good_weekend(paper: Loop) -> None:
    plan = paper.registered()
    hours = [plan.opens_at + dt.timedelta(hours=h) for h in range(4)]
    assert live(paper, hours) == ["plan_job", "ticket_job"]
    assert tickets.get(paper.conn, PLAN_ID).verdict == "TRADE"


def test_a_refused_weekend_ends_in_a_ticket_at_decide_by(paper: Loop) -> None:
    plan = paper.registered()
    with paper.conn.transaction():
        desk.set_kill_switch(paper.conn, "HALTED", ASOF, "a test", "a test")
    hours = [plan.opens_at + dt.timedelta(hours=h) for h in range(3)]
    assert live(paper, hours) == ["plan_job"]
    assert tickets.find(paper.conn, PLAN_ID) is None
    assert live(paper, [plan.decide_by, plan.decide_by + dt.timedelta(hours=1)]) == ["ticket_job"]
    assert tickets.get(paper.conn, PLAN_ID).verdict == "NO-TRADE"


def test_a_ticket_asked_for_too_early_leaves_the_plan_open(paper: Loop) -> None:
    plan = paper.registered()
    now = saturday(plan)
    with paper.conn.transaction():
        desk.set_kill_switch(paper.conn, "HALTED", ASOF, "a test", "a test")
    execute(paper, dg.RunRequest(job_name="plan_job", partition_key=PLAN_ID), now)
    result = execute(paper, dg.RunRequest(job_name="ticket_job", partition_key=PLAN_ID), now)
    assert not result.success
    assert paper.count("tickets") == 0
    assert plans.newest_run(paper.conn, PLAN_ID) is not None


def test_a_weekend_without_power_is_a_missed_plan(paper: Loop) -> None:
    plan = paper.registered()
    assert live(paper, [plan.decide_by + dt.timedelta(days=1)]) == ["ticket_job"]
    ticket = tickets.get(paper.conn, PLAN_ID)
    assert ticket.verdict == "NO-TRADE"
    assert "PLAN_MISSED" in ticket.content
