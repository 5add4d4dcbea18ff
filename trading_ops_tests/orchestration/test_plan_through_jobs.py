"""One plan through Dagster's jobs: the same ticket as without, an honest history, a ticket whatever breaks."""

import datetime as dt
import json
import uuid
from typing import Any

import dagster as dg
import pytest

from trading_ops.defs import in_process
from trading_ops.defs.checks import GATES, answer, check_name
from trading_ops.defs.loop import PLAN_ASSETS
from trading_ops.defs.plan_run import run_id_of
from trading_ops.domain import calendar
from trading_ops.domain.errors import Refused
from trading_ops.domain.reasons import RULES
from trading_ops.planning import direct, issue, steps
from trading_ops.store import broker, desk, evidence, plans
from trading_ops_tests.orchestration.loop_home import ASOF, AT, CASH, PLAN_ID, Loop

OTHER_STEPS = ("judge_data", "judge_reconciliation", "judge_confirmation", "rank", "intend")
STEPS = [
    "take_snapshot", "size", "judge_desk", "conclude",
    *(pytest.param(step, marks=pytest.mark.faults) for step in OTHER_STEPS),
]  # fmt: skip
ALL = {key.to_user_string() for asset in PLAN_ASSETS for key in asset.keys}


def halt(loop: Loop) -> None:
    """The kill switch: a risk rule fails."""
    with loop.conn.transaction():
        desk.set_kill_switch(loop.conn, "HALTED", ASOF, "a test", "a test")


def incident(loop: Loop) -> None:
    """A blocking incident: a rule of the desk fails."""
    with loop.conn.transaction():
        desk.open_incident(loop.conn, "TEST", "something happened", {}, blocking=True, key="1")


def drift(loop: Loop) -> None:
    """Pounds that the broker does not show: reconciliation fails."""
    later = calendar.close_utc(ASOF) + dt.timedelta(hours=1)
    with loop.conn.transaction():
        broker.add_snapshot(
            loop.conn, taken_at=later, session=ASOF, cash_gbp=CASH - 1000, holdings={}, origin="a test",
            entered_by="a test",
        )  # fmt: skip


def reasons(content: str) -> list[str]:
    """Codes of the rules that failed."""
    return list(json.loads(content)["reasons"])


def made(loop: Loop) -> set[str]:
    """Assets that Dagster has of the plan."""
    return {
        name for name in (*ALL, "ticket") if loop.instance.get_materialized_partitions(dg.AssetKey(name)) & {PLAN_ID}
    }


def test_trade_is_the_same_with_and_without_dagster(sim: Loop, other_sim: Loop) -> None:
    through, without = sim.plan(), other_sim.directly()
    assert through.verdict == without.verdict == "TRADE"
    assert through.content == without.content
    assert through.content_sha256 == without.content_sha256
    assert made(sim) == {*ALL, "ticket"}
    assert [run.status for run in sim.runs("plan_job")] == [dg.DagsterRunStatus.SUCCESS]
    assert [run.status for run in sim.runs("ticket_job")] == [dg.DagsterRunStatus.SUCCESS]


@pytest.mark.parametrize(
    ("wrongs", "codes"),
    [
        ((halt,), {"KILL_SWITCH"}),
        ((drift,), {"CASH_DRIFT"}),
        ((incident,), {"INCIDENT_OPEN"}),
        ((halt, drift, incident), {"KILL_SWITCH", "CASH_DRIFT", "INCIDENT_OPEN"}),
    ],
)
def test_failed_gates_make_a_red_run_and_name_every_reason(
    sim: Loop, other_sim: Loop, wrongs: tuple[Any, ...], codes: set[str]
) -> None:
    for wrong in wrongs:
        wrong(sim)
        wrong(other_sim)
    ticket = sim.plan()
    assert ticket.verdict == "NO-TRADE"
    assert set(reasons(ticket.content)) == codes
    assert ticket.content == other_sim.directly().content
    (run,) = sim.runs("plan_job")
    assert run.status is dg.DagsterRunStatus.FAILURE
    assert made(sim) == {*ALL, "ticket"} - {"decision"}
    assert failed_checks(sim) == {code.lower() for code in codes}


def failed_checks(loop: Loop) -> set[str]:
    """Checks that Dagster shows as failed for the plan."""
    wanted = dg.EventRecordsFilter(dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    found = [
        record.event_log_entry.get_dagster_event().asset_check_evaluation_data
        for record in loop.instance.event_log_storage.get_event_records(wanted)
    ]
    assert {evaluation.partition for evaluation in found} == {PLAN_ID}
    return {evaluation.check_name for evaluation in found if not evaluation.passed}


def test_failed_data_stops_signals_and_what_is_behind(sim: Loop, other_sim: Loop) -> None:
    later = ASOF + dt.timedelta(days=7)
    ticket = in_process.plan_through_jobs(sim.conn, sim.home, later, at=AT, instance=sim.instance)
    alone = direct.plan_now(other_sim.conn, other_sim.home.tickets_dir, other_sim.home.snapshots_dir, later, at=AT)
    assert ticket.content == alone.content
    assert ticket.verdict == "NO-TRADE"
    assert {"DATA_COVERAGE", "BENCHMARK_MISSING"} <= set(reasons(ticket.content))
    there = sim.instance.get_materialized_partitions(dg.AssetKey("signals_ranked"))
    assert not there
    assert sim.instance.get_materialized_partitions(dg.AssetKey("desk_standing")) == {later.isoformat()}


def test_a_plan_with_a_ticket_returns_it(sim: Loop) -> None:
    first = sim.plan()
    assert sim.plan() == first
    assert sim.count("tickets") == 1
    assert len(sim.runs("plan_job")) == 1


@pytest.mark.parametrize("step", STEPS)
def test_a_crash_still_gives_the_ticket(sim: Loop, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    def crash(*_: object) -> None:
        raise ZeroDivisionError(f"a test broke {step}")

    monkeypatch.setattr(steps, step, crash)
    ticket = sim.plan()
    assert ticket.verdict == "NO-TRADE"
    assert "RUN_FAILED" in reasons(ticket.content)
    assert sim.runs("plan_job")[0].status is dg.DagsterRunStatus.FAILURE
    assert sim.count("tickets") == 1


def test_the_ticket_does_not_need_dagster(sim: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("Dagster's database is full")

    monkeypatch.setattr(dg.JobDefinition, "execute_in_process", broken)
    ticket = sim.plan()
    assert ticket.verdict == "NO-TRADE"
    assert reasons(ticket.content) == ["PLAN_MISSED"]


def test_a_day_that_ends_no_week_is_refused_and_leaves_nothing(sim: Loop) -> None:
    with pytest.raises(Refused):
        in_process.plan_through_jobs(
            sim.conn, sim.home, ASOF - dt.timedelta(days=1), at=AT, instance=sim.instance
        )  # fmt: skip
    assert not sim.instance.get_dynamic_partitions("plan")


def test_quiet_on_the_terminal(sim: Loop, capfd: pytest.CaptureFixture[str]) -> None:
    incident(sim)
    sim.plan()
    assert capfd.readouterr() == ("", "")


def test_run_remembers_its_dagster_run_and_its_data(sim: Loop) -> None:
    sim.plan()
    (run,) = sim.runs("plan_job")
    stored = plans.run(sim.conn, run_id_of(run))
    assert (stored.driver, stored.dagster_run, stored.plan_id) == ("dagster", run.run_id, PLAN_ID)
    wanted = dg.AssetRecordsFilter(asset_key=dg.AssetKey("data_snapshot"), asset_partitions=[PLAN_ID])
    (record,) = sim.instance.fetch_materializations(wanted, limit=5).records
    materialization = record.asset_materialization
    assert materialization is not None
    assert materialization.tags
    assert materialization.tags["dagster/data_version"] == stored.snapshot_id


def test_a_retry_rejoins_the_run_of_its_group(sim: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    sim.registered()
    whole = steps.size
    monkeypatch.setattr(steps, "size", lambda of: 1 // 0)
    job = in_process.loop_defs().resolve_job_def("plan_job")
    work = {"instance": sim.instance, "partition_key": PLAN_ID, "raise_on_error": False,
            "run_config": in_process._QUIET, "resources": {"desk": sim.desk()}}  # fmt: skip
    first = job.execute_in_process(**work)
    monkeypatch.setattr(steps, "size", whole)
    halt(sim)  # news that the retry must not see: its run was pinned before it
    group = {"root_run_id": first.run_id, "parent_run_id": first.run_id}
    tags = {f"dagster/{name}": value for name, value in group.items()}
    retry = dg.DagsterRun("plan_job", run_id=str(uuid.uuid4()), tags=tags, **group)
    assert run_id_of(retry) == run_id_of(first.dagster_run)
    again = steps.start(sim.conn, sim.home.snapshots_dir, PLAN_ID, run_id_of(retry), driver="dagster")
    steps.size(again)
    assert all(result.passed for result in steps.intend(again))
    assert sim.count("runs") == 1


def test_missing_evidence_fails_a_check() -> None:
    rule = RULES["MAX_WEIGHT"]
    shown = answer(rule, "intended_trades", None)
    assert not shown.passed
    assert shown.severity is dg.AssetCheckSeverity.ERROR
    assert shown.metadata["outcome"].value == "MISSING"
    assert shown.metadata["remedy"].value == RULES["RUN_FAILED"].remedy


def test_unreadable_evidence_fails_every_check_of_the_gate(sim: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(*_: object) -> None:
        raise OSError("disk on fire")

    monkeypatch.setattr(evidence, "results", unreadable)
    monkeypatch.setattr(issue.evidence, "results", lambda *_: {})
    sim.plan()
    blocked = {
        check_name(r) for asset in ("data_quality", "broker_reconciliation", "desk_standing") for r in GATES[asset]
    }
    assert blocked <= failed_checks(sim)
    assert "signals_ranked" not in made(sim)
