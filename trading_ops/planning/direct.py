"""Run a plan to its ticket in this process, without Dagster: the same steps, the same storage, the same bytes."""

import datetime as dt
import uuid
from pathlib import Path
from typing import Any

import psycopg

from trading_ops.domain.results import CheckResult
from trading_ops.planning import issue, steps
from trading_ops.planning.steps import PlanRun
from trading_ops.store import plans
from trading_ops.store.tickets import Ticket


def run_plan(conn: psycopg.Connection[Any], root: Path, plan_id: str) -> PlanRun:
    """Evaluate a plan once: every gate that does not stand behind a failed one."""
    row = conn.execute("SELECT count(*) AS runs FROM ops.runs WHERE plan_id = %s", (plan_id,)).fetchone()
    attempt = row["runs"] if row else 0
    run_id = uuid.uuid5(uuid.NAMESPACE_URL, f"run:direct:{plan_id}:{attempt}")
    of = steps.start(conn, root, plan_id, run_id, driver="direct")
    independent = [steps.judge_confirmation(of), steps.judge_desk(of)]
    steps.take_snapshot(of)
    independent.append(steps.judge_reconciliation(of))
    if not (_passed(steps.judge_data(of)) and _passed(steps.rank(of))):
        return of
    steps.size(of)
    if _passed(steps.intend(of)) and all(map(_passed, independent)):
        steps.conclude(of)
    return of


def _passed(results: list[CheckResult] | tuple[CheckResult, ...] | Any) -> bool:
    return all(result.passed for result in results)


def plan_now(
    conn: psycopg.Connection[Any],
    home_tickets: Path,
    root: Path,
    asof: dt.date,
    *,
    at: dt.datetime,
    clock: dt.datetime | None = None,
) -> Ticket:
    """Register, evaluate and decide the plan of a session at once; a plan that has its ticket returns it.

    Raises:
        Refused: The session is not the last of its week.
    """
    from trading_ops.store.configuration import policy_in_force

    with conn.transaction():
        plan = plans.register(conn, asof, policy_in_force(conn).policy)
    if not plans.decided(conn, plan.plan_id):
        run_plan(conn, root, plan.plan_id)
    ticket = issue.decide_plan(conn, home_tickets, root, plan.plan_id, at=at, final=True, clock=clock or plan.decide_by)
    assert isinstance(ticket, Ticket)
    return ticket
