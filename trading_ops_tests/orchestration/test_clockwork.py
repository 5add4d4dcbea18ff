"""Plans registered ahead, the morning's valuation, and messages about failed checks."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from trading_ops.build import build_defs
from trading_ops.defs import registration
from trading_ops.defs.alerts import TOLD_BY_INCIDENTS, pass_on
from trading_ops.defs.registration import WEEKS_AHEAD, register_coming
from trading_ops.domain import calendar
from trading_ops.reports.ground import morning_of
from trading_ops.store import desk, plans, reports
from trading_ops_tests.orchestration.loop_home import ASOF, AT, PLAN_ID, Loop

WEDNESDAY = dt.datetime(2025, 2, 5, 23, tzinfo=dt.UTC)


def run(loop: Loop, job: str, now: dt.datetime) -> dg.ExecuteInProcessResult:
    """A job without partitions, at a moment."""
    return build_defs().resolve_job_def(job).execute_in_process(
        instance=loop.instance, resources={"desk": loop.desk(now)}, raise_on_error=False,
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )  # fmt: skip


def test_this_week_and_four_more_are_registered_once(paper: Loop) -> None:
    for _ in range(2):
        assert run(paper, "register_plans_job", WEDNESDAY).success
    known = [plan.asof for plan in plans.without_ticket(paper.conn)]
    assert known == list(calendar.weekly_asofs(ASOF, ASOF + dt.timedelta(weeks=WEEKS_AHEAD)))
    assert len(known) == WEEKS_AHEAD + 1
    assert sorted(paper.instance.get_dynamic_partitions("plan")) == [day.isoformat() for day in known]


def test_a_week_that_is_decided_owes_nothing_to_a_desk_that_comes_later(paper: Loop) -> None:
    sunday_night = dt.datetime(2025, 2, 9, 23, tzinfo=dt.UTC)
    assert next(plan.asof for plan in register_coming(paper.desk(sunday_night))) == dt.date(2025, 2, 14)


def test_a_sim_book_registers_its_own_weeks(sim: Loop) -> None:
    assert register_coming(sim.desk(WEDNESDAY)) == ()
    assert registration.WEEKS_AHEAD == 4
    assert sim.count("plans") == 0


def test_the_morning_values_the_book_at_the_last_loaded_close(sim: Loop) -> None:
    result = run(sim, "daily_job", AT)
    assert result.success
    shown = shown_of(result, "daily_valuation")
    assert shown["session"].value == ASOF.isoformat()
    assert shown["equity"].value == "GBP 20000.00"


def shown_of(result: dg.ExecuteInProcessResult, asset: str) -> Mapping[str, Any]:
    """What an asset of a run shows."""
    (event,) = result.asset_materializations_for_node(asset)
    return event.metadata


def test_the_morning_writes_every_report_that_is_owed_and_catches_up(paper: Loop) -> None:
    window = calendar.next_session(ASOF)
    first = run(paper, "daily_job", morning_of(window))
    assert first.success
    assert shown_of(first, "daily_report")["written"].value == f"daily-{ASOF}, daily-{window}"
    weekly = shown_of(first, "weekly_report")
    assert weekly["written"].value == f"weekly-{ASOF}"
    stored = reports.newest(paper.conn, "weekly", ASOF)
    assert stored is not None
    assert weekly["report"].value == stored.markdown
    assert weekly["sha256 of its page"].value == stored.html_sha256
    assert Path(str(weekly["page"].value)).read_text() == stored.html
    assert weekly["equity against benchmark"].value.startswith(
        "![equity against benchmark and drawdown](data:image/png"
    )
    again = run(paper, "daily_job", morning_of(window))
    assert shown_of(again, "daily_report")["written"].value == "none was owed"
    kinds = [r["kind"] for r in paper.conn.execute("SELECT kind FROM ops.outbox ORDER BY kind")]
    assert kinds == ["report.daily", "report.weekly"]


def halted(loop: Loop) -> None:
    """A plan whose risk gate fails."""
    with loop.conn.transaction():
        desk.set_kill_switch(loop.conn, "HALTED", ASOF, "a test", "a test")
    loop.plan()


def test_a_failed_check_is_one_message_however_often_it_is_seen(paper: Loop) -> None:
    halted(paper)
    place, failed = pass_on(paper.desk(), paper.instance, 0)
    assert failed >= 1
    again, repeated = pass_on(paper.desk(), paper.instance, place)
    assert (again, repeated) == (place, 0)
    pass_on(paper.desk(), paper.instance, 0)  # a cursor that was lost
    rows = paper.conn.execute("SELECT payload FROM ops.outbox WHERE kind = 'check.failed' AND plan_id = %s", (PLAN_ID,))
    said = sorted(row["payload"]["rule"] for row in rows)
    assert said == sorted(set(said))
    assert "TICKET_TOO_LATE" in said
    assert not TOLD_BY_INCIDENTS & set(said), "of these the watch tells"


def test_an_alert_is_no_fact_and_blocks_nothing(paper: Loop) -> None:
    halted(paper)
    before = plans.facts_head(paper.conn)
    pass_on(paper.desk(), paper.instance, 0)
    assert plans.facts_head(paper.conn) == before
    assert paper.count("incidents") == 0


def test_a_simulation_alerts_nobody(sim: Loop) -> None:
    halted(sim)
    _, failed = pass_on(sim.desk(), sim.instance, 0)
    assert failed == 0
    assert sim.conn.execute("SELECT 1 FROM ops.outbox WHERE kind = 'check.failed'").fetchone() is None
