"""What a run may see: every input of a plan, read at the run's watermark."""

import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import psycopg

from trading_ops.domain.books import Book
from trading_ops.domain.calendar import PlanTimes, last_session_of_week, plan_times
from trading_ops.domain.canonical import canonical_bytes, sha256_hex
from trading_ops.domain.errors import Refused
from trading_ops.domain.judgement import Judgement, PlanInputs
from trading_ops.domain.ledger import CashMovement, CorporateEvent, Fill
from trading_ops.domain.risk import KillSwitch
from trading_ops.domain.ticket import TicketInputs
from trading_ops.domain.universe import Universe
from trading_ops.domain.values import plain
from trading_ops.store import (
    answers,
    backups,
    broker,
    configuration,
    desk,
    ledger,
    name_checks,
    plans,
    snapshot_view,
    snapshots,
)
from trading_ops.store.configuration import StoredPolicy, StoredUniverse
from trading_ops.store.plans import Plan, Run


@dataclass(frozen=True)
class Frame:
    """What a plan is judged within, whether or not it ever ran."""

    plan: Plan
    book: Book
    policy: StoredPolicy
    universe: StoredUniverse
    config_hash: str
    times: PlanTimes

    @property
    def next_plan(self) -> dt.date:
        """As-of session of the week after; after a test it may be that of the same week."""
        this_week = last_session_of_week(self.plan.asof)
        if self.plan.is_test and this_week > self.plan.asof:
            return this_week
        return last_session_of_week(self.plan.asof + dt.timedelta(days=7))


def frame(conn: psycopg.Connection[Any], plan: Plan) -> Frame:
    """The frame of a plan that has begun.

    Raises:
        Refused: It has not begun.
    """
    opening = plans.opening(conn, plan.plan_id)
    if opening is None:
        raise Refused(f"Plan {plan.plan_id} has not begun.")
    policy = configuration.policy_version(conn, opening.policy_version)
    universe = configuration.universe_version(conn, opening.universe_version)
    book = cast("Book", desk.book(conn))
    times = replace(plan_times(plan.asof, policy.policy), week=plan.week)
    return Frame(plan, book, policy, universe, opening.config_hash, times)


LOOK_BACK = dt.timedelta(days=400)
"""Calendar days before the oldest thing a plan looks at; holds every window of the rules with room to spare."""


def names_ever_held(fills: tuple[Fill, ...], events: tuple[CorporateEvent, ...]) -> frozenset[str]:
    """Names that were traded, or came by a corporate event."""
    return frozenset(f.symbol for f in fills).union(e.new_symbol for e in events if e.new_symbol)


def names_seen(universe: Universe, fills: tuple[Fill, ...], events: tuple[CorporateEvent, ...] = ()) -> frozenset[str]:
    """Names whose bars a plan may look at: enabled ones, benchmarks, and whatever was ever held."""
    enabled = (i.symbol for i in universe.instruments.values() if i.enabled)
    return names_ever_held(fills, events).union(enabled)


def looked_back(asof: dt.date, fills: tuple[Fill, ...], movements: tuple[CashMovement, ...]) -> dt.date:
    """The first day of the market that a plan needs: the rules' window before D and before the book's first day."""
    return min([asof, *(f.session for f in fills), *(m.day for m in movements)]) - LOOK_BACK


STATED_SINCE = frozenset({"pauses_hash", "lookups_hash", "kill_switch"})
"""Inputs that tickets of before do not state, nor those for which there was nothing to state."""


def load(
    conn: psycopg.Connection[Any], root: Path, around: Frame, run: Run, unstated: frozenset[str] = frozenset()
) -> PlanInputs:
    """Read everything a run may see.

    Args:
        conn: A connection; the replayer's role is enough.
        root: The snapshots folder.
        around: The plan's frame.
        run: The run, bound to its data snapshot.
        unstated: Of `STATED_SINCE`, what the ticket that is replayed does not state.

    Raises:
        Refused: The run has no data snapshot yet.
        SnapshotDamaged: A part of the snapshot is missing or altered.
    """
    if run.snapshot_id is None:
        raise Refused(f"Run {run.run_id} has no data snapshot yet.")
    seq, plan = run.facts_seq, around.plan
    snapshot = snapshots.get(conn, run.snapshot_id)
    fills, movements = ledger.fills(conn, seq), ledger.movements(conn, seq)
    events = ledger.events(conn, seq)
    row = conn.execute("SELECT ops.newest_plan_before(%s, %s) AS asof", (plan.plan_id, seq)).fetchone()
    return PlanInputs(
        plan_id=plan.plan_id,
        book=around.book,
        times=around.times,
        policy=around.policy.policy,
        universe=configuration.as_looked_up(conn, around.universe, plan.asof, seq),
        market=snapshot_view.view(
            root,
            snapshot,
            around.policy.policy,
            looked_back(plan.asof, fills, movements),
            names_seen(around.universe.universe, fills, events),
        ),
        fills=fills,
        movements=movements,
        events=events,
        is_test=plan.is_test,
        previous_asof=row["asof"] if row else None,
        previous_lines=answers.previous_lines(conn, plan.plan_id, seq),
        snapshot=broker.newest(conn, plan.asof, seq),
        lookups=() if "lookups_hash" in unstated else name_checks.found_of_names(conn, seq),
        kill_switch=desk.kill_switch_events(conn, seq),
        pauses_lie_over="pauses_hash" not in unstated,
        switch_stated="kill_switch" not in unstated,
        incidents=desk.open_blocking_incidents(conn, seq),
        backup_proven_at=backups.holds_until(conn, seq),
        accepted=desk.accepted_bars(conn, seq),
        carried=desk.suspects(conn, seq),
        resolved=frozenset(e.symbol for e in events if e.kind != "spin_off" and e.day <= plan.asof),
    )


def hashes(around: Frame, run: Run | None, judgement: Judgement | None) -> TicketInputs:
    """The inputs part of a ticket: what it was computed from, by content."""
    if run is None or judgement is None:
        return TicketInputs(
            config_hash=around.config_hash,
            policy_hash=around.policy.policy_hash,
            universe_hash=around.universe.universe_hash,
        )
    seen = judgement.inputs
    fixing = seen.market.fixing(judgement.asof)
    points = judgement.equity_points
    return TicketInputs(
        snapshot_id=run.snapshot_id,
        config_hash=around.config_hash,
        policy_hash=around.policy.policy_hash,
        universe_hash=around.universe.universe_hash,
        ledger_hash=sha256_hex(canonical_bytes(_ledger_facts(seen.fills, seen.movements, seen.events))),
        evidence_hash=sha256_hex(canonical_bytes(_human_facts(seen))),
        pauses_hash=_hash_of_some(_pauses(seen)),
        lookups_hash=_hash_of_some([list(found) for found in seen.lookups]),
        kill_switch=switch_words(judgement.switch) if seen.switch_stated else None,
        model_version=run.model_version,
        signal_source=run.signal_source,
        usd_per_gbp=fixing.usd_per_gbp if fixing else None,
        fx_day=fixing.day if fixing else None,
        equity_gbp=points[-1].equity_gbp if points else None,
        cash_gbp=judgement.ledger.cash_gbp,
        cross_checked=judgement.cross_checked,
    )


def switch_words(switch: KillSwitch) -> str:
    """The kill switch as a ticket states it: `HALTED since 2008-10-03: why`."""
    since = f" since {switch.since}" if switch.since else ""
    return f"{switch.state}{since}" + (f": {' '.join(switch.reason.split())}" if switch.reason else "")


def _ledger_facts(
    fills: tuple[Fill, ...], movements: tuple[CashMovement, ...], events: tuple[CorporateEvent, ...]
) -> dict[str, object]:
    # Left out when there is none: tickets of before there were events keep their hash.
    happened = {} if not events else {
        "events": [
            [
                e.event_id, e.kind, e.symbol, e.day.isoformat(), e.new_symbol, plain(e.new_units), plain(e.cost_share),
                plain(e.cash_gbp),
            ]
            for e in sorted(events, key=lambda e: e.event_id)
        ]
    }  # fmt: skip
    return happened | {
        "fills": [
            [
                f.fill_id, f.symbol, f.side, plain(f.units), plain(f.price_usd), plain(f.value_gbp), plain(f.fee_gbp),
                f.filled_at.astimezone(dt.UTC).isoformat(), f.session.isoformat(), f.position_id, list(f.lot_ids),
            ]
            for f in sorted(fills, key=lambda f: f.fill_id)
        ],
        "movements": [
            [
                m.movement_id, m.kind, plain(m.amount_gbp), m.day.isoformat(), m.at.astimezone(dt.UTC).isoformat(),
                m.symbol, m.ex_date.isoformat() if m.ex_date else None,
            ]
            for m in sorted(movements, key=lambda m: m.movement_id)
        ],
    }  # fmt: skip


def _hash_of_some(facts: list[list[str]]) -> str | None:
    """None for no facts: a ticket of before anything was hashed here keeps its hash."""
    return sha256_hex(canonical_bytes({"facts": facts})) if facts else None


def _pauses(seen: PlanInputs) -> list[list[str]]:
    if not seen.pauses_lie_over:
        return []
    return [[e.session.isoformat(), e.until.isoformat()] for e in seen.kill_switch if e.until is not None]


def _human_facts(seen: PlanInputs) -> dict[str, object]:
    snapshot = seen.snapshot
    # Left out when there is none: tickets of before there were backups keep their hash.
    backed_up = {"backup": proven.astimezone(dt.UTC).isoformat()} if (proven := seen.backup_proven_at) else {}
    return backed_up | {
        "answers": [[a.plan_id, a.line, a.symbol, a.status] for a in seen.previous_lines],
        "broker_snapshot": None if snapshot is None else [
            snapshot.taken_at.astimezone(dt.UTC).isoformat(), plain(snapshot.cash_gbp),
            [[s, plain(h.units), h.places] for s, h in sorted(snapshot.holdings.items())],
        ],
        "kill_switch": [[e.state, e.session.isoformat(), e.reason] for e in seen.kill_switch],
        "incidents": list(seen.incidents),
        "accepted": sorted([s, d.isoformat()] for s, d in seen.accepted),
        "carried": [[s.symbol, s.session.isoformat(), s.code] for s in seen.carried],
        "previous_asof": seen.previous_asof.isoformat() if seen.previous_asof else None,
    }  # fmt: skip
