"""Run a plan to its ticket in this process, without Dagster: the same steps, the same storage, the same bytes."""

import datetime as dt
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg

from trading_ops.domain import calendar
from trading_ops.domain.errors import Refused
from trading_ops.domain.results import CheckResult
from trading_ops.planning import issue, steps
from trading_ops.planning.steps import PlanRun
from trading_ops.store import configuration, desk, plans
from trading_ops.store.plans import Plan
from trading_ops.store.tickets import Ticket


def run_plan(conn: psycopg.Connection[Any], root: Path, plan_id: str) -> PlanRun:
    """Evaluate a plan once: every gate that does not stand behind a failed one."""
    row = conn.execute("SELECT count(*) AS runs FROM ops.runs WHERE plan_id = %s", (plan_id,)).fetchone()
    attempt = row["runs"] if row else 0
    run_id = uuid.uuid5(uuid.NAMESPACE_URL, f"run:direct:{plan_id}:{attempt}")
    of = steps.start(conn, root, plan_id, run_id, driver="direct")
    with conn.transaction():  # the steps' own transactions become parts of this one: one commit, not ten
        _evaluate(of)
    return of


def register(conn: psycopg.Connection[Any], asof: dt.date, at: dt.datetime) -> Plan:
    """Put the plan of a session into the schedule of record; one that is there stays.

    Raises:
        Refused: The session is not the last of its week, or not over yet.
    """
    with conn.transaction():
        plan = plans.register(conn, asof, configuration.policy_in_force(conn).policy)
        opens = plan.opens_at.astimezone(calendar.LONDON)
        if at < calendar.close_utc(asof):
            raise Refused(f"The session of {asof} is not over yet. Its plan opens {opens:%a %d %b %Y %H:%M} (London).")
    return plan


def clock_of(conn: psycopg.Connection[Any], plan: Plan, at: dt.datetime) -> dt.datetime:
    """The clock a plan is decided on: its own decide-by in a sim book, which lives in history; else now."""
    return plan.decide_by if desk.book(conn) == "sim" else at


def _passed(results: Sequence[CheckResult]) -> bool:
    return all(result.passed for result in results)


def _evaluate(of: PlanRun) -> None:
    independent = [steps.judge_confirmation(of), steps.judge_desk(of)]
    steps.take_snapshot(of)
    independent.append(steps.judge_reconciliation(of))
    if not (_passed(steps.judge_data(of)) and _passed(steps.rank(of))):
        return
    steps.size(of)
    if _passed(steps.intend(of)) and all(map(_passed, independent)):
        steps.conclude(of)


def test_now(
    conn: psycopg.Connection[Any], home_tickets: Path, root: Path, asof: dt.date, *, at: dt.datetime
) -> Ticket:
    """Issue the test ticket of a session at once: one smallest order, judged by every rule.

    Args:
        conn: A connection of the writer's role.
        home_tickets: Folder of the tickets' files.
        root: The snapshots folder.
        asof: A session that is over.
        at: Now.

    Raises:
        CalendarError: The date is no session.
        Refused: The session is not over yet.
    """
    if at < calendar.close_utc(asof):
        raise Refused(f"The session of {asof} is not over yet. Take the last one that is.")
    with conn.transaction():
        plan = plans.register_test(conn, asof, configuration.policy_in_force(conn).policy)
    if not plans.decided(conn, plan.plan_id):
        run_plan(conn, root, plan.plan_id)
    ticket = issue.decide_plan(
        conn, home_tickets, root, plan.plan_id, at=at, final=True, clock=clock_of(conn, plan, at)
    )
    assert isinstance(ticket, Ticket)
    return ticket


def plan_now(
    conn: psycopg.Connection[Any],
    home_tickets: Path,
    root: Path,
    asof: dt.date,
    *,
    at: dt.datetime,
) -> Ticket:
    """Register, evaluate and decide the plan of a session at once; a plan that has its ticket returns it.

    Raises:
        Refused: The session is not the last of its week, or not over yet.
    """
    plan = register(conn, asof, at)
    if not plans.decided(conn, plan.plan_id):
        run_plan(conn, root, plan.plan_id)
    ticket = issue.decide_plan(
        conn, home_tickets, root, plan.plan_id, at=at, final=True, clock=clock_of(conn, plan, at)
    )
    assert isinstance(ticket, Ticket)
    return ticket
