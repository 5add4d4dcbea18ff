"""From stored evidence to the one ticket of a plan: TRADE is proven, everything else is NO-TRADE with its reasons."""

import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from trading_ops.domain import desk as desk_rules
from trading_ops.domain.errors import Refused
from trading_ops.domain.gates import Decision, decide
from trading_ops.domain.judgement import Judgement, evidence_codes
from trading_ops.domain.results import CheckResult, Outcome, Verdict
from trading_ops.domain.ticket import TicketContent, build_content
from trading_ops.planning import inputs
from trading_ops.planning.inputs import Frame
from trading_ops.planning.steps import PlanRun
from trading_ops.store import artifacts, audit, desk, evidence, plans, provenance, tickets
from trading_ops.store.plans import Run
from trading_ops.store.tickets import Ticket

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pending:
    """A plan that stays open: what fails may still be cleared before decide-by."""

    plan_id: str
    decision: Decision
    decide_by: dt.datetime


class EvidenceNotCurrent(Refused):
    """Facts arrived after the plan's newest run; the plan must be run again before it can be decided."""


def compose(
    around: Frame, run: Run | None, judgement: Judgement | None, recorded: Sequence[str], decided_as_of: dt.datetime
) -> tuple[TicketContent, Decision]:
    """The content of a plan's ticket: the same inputs give the same bytes, now and on replay.

    Args:
        around: The plan's frame.
        run: The newest run, or None when there never was one.
        judgement: The judgement of that run's inputs, or None when it was never bound to data.
        recorded: Codes of the rules of which the run left evidence.
        decided_as_of: The clock of the decision.
    """
    if not recorded:
        judgement = None  # nothing was proven, so nothing of it is told: its inputs may not even be readable
    judged = {r.code: r for r in judgement.results()} if judgement else {}
    results = {code: judged[code] for code in recorded if code in judged}
    missing = [code for code in evidence_codes(results) if code not in recorded]
    own = (
        desk_rules.check_run_failed(missing if run is not None else ()),
        desk_rules.check_plan_missed(run is not None),
        desk_rules.check_ticket_too_late(decided_as_of, around.times),
    )
    orders = judgement.sizing.orders if judgement and judgement.sized else ()
    decision = decide([*results.values(), *own], bool(orders), around.book)
    sizing = judgement.sizing if judgement and judgement.sized else None
    content = build_content(
        times=around.times,
        plan_id=around.plan.plan_id,
        book=around.book,
        simulated=judgement.inputs.market.simulated if judgement else around.book == "sim",
        policy=around.policy.policy,
        universe=judgement.inputs.universe if judgement else around.universe.universe,
        decision=decision,
        sizing=sizing,
        inputs=inputs.hashes(around, run, judgement),
        next_plan=around.next_plan,
    )
    return content, decision


def decide_plan(
    conn: psycopg.Connection[Any],
    home_tickets: Path,
    root: Path,
    plan_id: str,
    *,
    at: dt.datetime,
    final: bool,
    clock: dt.datetime | None = None,
) -> Ticket | Pending:
    """Issue the plan's ticket if it can or must be decided; a plan that has one returns it and repairs its files.

    Args:
        conn: A connection of the writer's role.
        home_tickets: Folder of the tickets' files.
        root: The snapshots folder.
        plan_id: The plan.
        at: Now, for the envelope.
        final: Decide now whatever fails; otherwise a failing plan stays open.
        clock: The clock that the desk's rules see; `at` when None.

    Raises:
        EvidenceNotCurrent: Facts arrived since the newest run, and the plan could still trade or is still open.
    """
    found = tickets.find(conn, plan_id)
    if found:
        artifacts.write_ticket(home_tickets, found)
        return found
    plan = plans.get(conn, plan_id)
    with conn.transaction():
        plans.begin(conn, plan)
    around = inputs.frame(conn, plan)
    seen_at = clock or at
    with conn.transaction():
        # The writers' lock comes first: no fact can slip in between the proof and the ticket.
        audit.one_writer(conn)
        decided_meanwhile = tickets.find(conn, plan_id)
        if decided_meanwhile:
            return decided_meanwhile
        run = plans.newest_run(conn, plan_id)
        if run is not None and not plans.is_current(conn, run) and not final:
            raise EvidenceNotCurrent(f"Plan {plan_id}: facts arrived after its newest run; it has to run again.")
        judgement = _judge(conn, root, around, run)
        recorded = _recorded(conn, run, judgement)
        content, decision = compose(around, run, judgement, recorded, seen_at)
        if decision.verdict is Verdict.NO_TRADE and not final:
            return Pending(plan_id, decision, around.plan.decide_by)
        orders = judgement.sizing.orders if judgement and judgement.sized else ()
        decision_id = tickets.record_decision(conn, plan_id, run.run_id if run else None, decision, orders)
        ticket = tickets.issue(
            conn, content, run_id=run.run_id if run else None, decision_id=decision_id,
            code=provenance.code_state(), issued_at=at, decided_as_of=seen_at, evidence=recorded,
        )  # fmt: skip
        _halt_on_drawdown(conn, judgement, decision)
    artifacts.write_ticket(home_tickets, ticket)
    return ticket


def _judge(conn: psycopg.Connection[Any], root: Path, around: Frame, run: Run | None) -> Judgement | None:
    """The judgement of a run's inputs; None when there are none, or when they cannot be judged.

    A damaged data snapshot, or books that do not add up, prove nothing: the run counts as failed, and the plan still
    ends in its one ticket. What was wrong is the run's own error.
    """
    if run is None or run.snapshot_id is None:
        return None
    try:
        judgement = PlanRun(conn, root, around, run).judgement
        judgement.results()
    except psycopg.Error:
        raise  # the database, not the inputs: the ticket could not be stored either
    except Exception as exc:
        _log.error("Plan %s cannot be judged, so nothing of it is proven: %s", around.plan.plan_id, exc)
        return None
    return judgement


def _recorded(conn: psycopg.Connection[Any], run: Run | None, judgement: Judgement | None) -> tuple[str, ...]:
    """Rules of which the run left evidence that is still true of its inputs, and of a TRADE the whole chain."""
    if run is None or judgement is None:
        return ()
    stored = evidence.results(conn, run.run_id)
    judged = {result.code: result for result in judgement.results()}
    recorded = [code for code, result in stored.items() if judged.get(code) == result]
    if judgement.sized and (
        not plans.is_current(conn, run)
        or evidence.intended_differs(conn, run.run_id, judgement.sizing.orders)
        or not _concluded(conn, run, stored)
    ):
        # The chain from targets to decision is broken somewhere: without it the risk engine proved nothing.
        risk = {result.code for result in judgement.risk}
        recorded = [code for code in recorded if code not in risk]
    return tuple(sorted(recorded))


def _concluded(conn: psycopg.Connection[Any], run: Run, stored: dict[str, CheckResult]) -> bool:
    """The run reached its decision, or a failed gate rightly kept it from there."""
    if any(result.outcome is not Outcome.PASS for result in stored.values()):
        return True
    return tickets.has_decision(conn, run.run_id)


def _halt_on_drawdown(conn: psycopg.Connection[Any], judgement: Judgement | None, decision: Decision) -> None:
    """Beyond the largest drawdown an ACTIVE desk halts itself, in the ticket's own transaction."""
    lost = next((r for r in decision.failed if r.code == "DRAWDOWN"), None)
    if lost is None or judgement is None:
        return
    if judgement.switch.state == "ACTIVE":
        desk.set_kill_switch(conn, "HALTED", judgement.asof, lost.sentence, "risk engine")
