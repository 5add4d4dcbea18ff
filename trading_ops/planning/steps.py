"""The steps of one run of a plan. Each commits its own evidence; a step that is repeated finds it there.

Every step takes the run's own view of the world from its pinned inputs, so steps may run in other processes, be
retried, or be killed anywhere, and still agree.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from trading_ops.domain.confirmation import check_confirmation_missing
from trading_ops.domain.desk import check_standing
from trading_ops.domain.errors import Refused
from trading_ops.domain.gates import Decision, decide
from trading_ops.domain.judgement import Judgement, evidence_codes, ranker_of
from trading_ops.domain.reasons import RULES
from trading_ops.domain.results import CheckResult, Outcome
from trading_ops.domain.suspects import CROSS_CHECK
from trading_ops.planning import inputs
from trading_ops.planning.inputs import Frame
from trading_ops.store import answers, backups, desk, evidence, plans, provenance, snapshots, tickets
from trading_ops.store.plans import Run
from trading_ops.store.snapshots import Snapshot

ISSUE_CODES = ("RUN_FAILED", "PLAN_MISSED", "TICKET_TOO_LATE")


@dataclass(frozen=True)
class PlanRun:
    """One evaluation of a plan in progress."""

    conn: psycopg.Connection[Any]
    root: Path
    frame: Frame
    run: Run

    @property
    def judgement(self) -> Judgement:
        """The judgement of this run's inputs; worked out once in a process.

        Raises:
            Refused: The run has no data snapshot yet.
        """
        bound = plans.run(self.conn, self.run.run_id)
        return _judgement(self.conn, self.root, self.frame.plan.plan_id, bound.run_id, bound.snapshot_id, self)


_LAST: dict[tuple[Path, uuid.UUID, str], Judgement] = {}


def _judgement(
    conn: psycopg.Connection[Any], root: Path, plan_id: str, run_id: uuid.UUID, snapshot_id: str | None, of: PlanRun
) -> Judgement:
    if snapshot_id is None:
        raise Refused(f"Run {run_id} of plan {plan_id} has no data snapshot yet.")
    key = (root, run_id, snapshot_id)
    if key not in _LAST:
        _LAST.clear()  # one run at a time is in progress; its steps follow each other
        _LAST[key] = Judgement(inputs.load(conn, root, of.frame, plans.run(conn, run_id)))
    return _LAST[key]


def start(
    conn: psycopg.Connection[Any],
    root: Path,
    plan_id: str,
    run_id: uuid.UUID,
    *,
    driver: str,
    dagster_run: str | None = None,
) -> PlanRun:
    """Begin (or rejoin) a run of a plan; the first run of a plan opens it.

    Raises:
        Refused: The plan has its ticket already, or does not exist.
    """
    plan = plans.get(conn, plan_id)
    with conn.transaction():
        plans.begin(conn, plan)
        around = inputs.frame(conn, plan)
        ranker = ranker_of(around.policy.policy)
        run = plans.start_run(
            conn, plan, run_id, code=provenance.code_state(), signal_source=ranker.name,
            model_version=ranker.model_version, driver=driver, dagster_run=dagster_run,
        )  # fmt: skip
    return PlanRun(conn, root, around, run)


def take_snapshot(of: PlanRun) -> Snapshot:
    """Write the data snapshot of the as-of session and bind the run to it; a run that has one keeps it."""
    bound = plans.run(of.conn, of.run.run_id)
    if bound.snapshot_id is not None:
        return snapshots.get(of.conn, bound.snapshot_id)
    times = of.frame.times
    with of.conn.transaction():
        snapshot = snapshots.build(
            of.conn, of.root, asof=times.asof, actions_through=times.window_session, policy=of.frame.policy.policy
        )
        plans.bind_snapshot(of.conn, of.run.run_id, snapshot)
    return snapshot


def judge_data(of: PlanRun) -> Sequence[CheckResult]:
    """The data gate; what froze a name is remembered for the plans to come."""
    quality = of.judgement.data
    with of.conn.transaction():
        for suspect in quality.suspects:
            if suspect.code != CROSS_CHECK:  # that one holds for this plan: the next compares its own sessions
                desk.freeze(of.conn, suspect)
        evidence.save_results(of.conn, of.run.run_id, quality.results)
        evidence.save_quality_report(of.conn, of.run.run_id, of.judgement.quality_report)
    return quality.results


def judge_confirmation(of: PlanRun) -> Sequence[CheckResult]:
    """The confirmation gate; needs no market data."""
    lines = answers.previous_lines(of.conn, of.frame.plan.plan_id, of.run.facts_seq)
    return _save(of, [check_confirmation_missing(lines)])


def judge_desk(of: PlanRun) -> Sequence[CheckResult]:
    """Incidents, account and backups; needs no market data."""
    seq, frame = of.run.facts_seq, of.frame
    incidents, proven_at = desk.open_blocking_incidents(of.conn, seq), backups.holds_until(of.conn, seq)
    return _save(of, check_standing(incidents, proven_at, frame.times, frame.policy.policy, frame.book))


def judge_reconciliation(of: PlanRun) -> Sequence[CheckResult]:
    """The reconciliation gate."""
    return _save(of, of.judgement.reconciliation.results)


def rank(of: PlanRun) -> Sequence[CheckResult]:
    """Rank the names and judge the ranking."""
    judgement = of.judgement
    with of.conn.transaction():
        evidence.save_signals(of.conn, of.run.run_id, judgement.signals.ranked)
        evidence.save_results(of.conn, of.run.run_id, [judgement.signals_result])
    return [judgement.signals_result]


def size(of: PlanRun) -> None:
    """Store the targets in pounds."""
    with of.conn.transaction():
        evidence.save_targets(of.conn, of.run.run_id, of.judgement.sizing.targets)


def intend(of: PlanRun) -> Sequence[CheckResult]:
    """Store the intended trades and what the risk engine says of them."""
    judgement = of.judgement
    with of.conn.transaction():
        evidence.save_sizing(
            of.conn, of.run.run_id, orders=judgement.sizing.orders, deferred=judgement.sizing.deferred,
            equity_gbp=judgement.sizing.equity_gbp, cash_gbp=judgement.ledger.cash_gbp,
            usd_per_gbp=judgement.fixing.usd_per_gbp, fx_day=judgement.fixing.day,
        )  # fmt: skip
        evidence.save_results(of.conn, of.run.run_id, judgement.risk)
    return judgement.risk


def conclude(of: PlanRun) -> Decision:
    """The run's own verdict from its stored evidence; the ticket's clock comes later and may still say no."""
    results = evidence.results(of.conn, of.run.run_id)
    orders = of.judgement.sizing.orders if of.judgement.sized else ()
    missing = [code for code in evidence_codes(results) if code not in results]
    if missing:
        raise Refused(f"Plan {of.frame.plan.plan_id}: there is no evidence of {', '.join(missing)}.")
    decision = decide([*results.values(), *_left_to_issue()], bool(orders), of.frame.book)
    with of.conn.transaction():
        tickets.record_decision(of.conn, of.frame.plan.plan_id, of.run.run_id, decision, orders)
    return decision


def _left_to_issue() -> list[CheckResult]:
    """The rules that only issuing can judge, passed for the run's own verdict."""
    return [
        CheckResult(code, Outcome.PASS, "judged when the ticket is issued", "", RULES[code].sentence)
        for code in ISSUE_CODES
    ]


def _save(of: PlanRun, results: Sequence[CheckResult]) -> Sequence[CheckResult]:
    with of.conn.transaction():
        evidence.save_results(of.conn, of.run.run_id, results)
    return results
