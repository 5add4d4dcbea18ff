"""Accepted corrections become ledger entries: reversing entries and new ones, never a change of what is there."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, assert_never

import psycopg

from trading_ops.domain.answer import Answer
from trading_ops.domain.corrections import (
    BookFill,
    BookMovement,
    CorrectAnswer,
    Proposal,
    RecordEvent,
    RecordSplit,
    RetakeSnapshot,
    VoidFill,
    VoidMovement,
    VoidSplit,
    WithdrawAnswer,
)
from trading_ops.domain.errors import Refused
from trading_ops.domain.ledger import CashMovement
from trading_ops.domain.values import PENCE_PLACES, UNIT_PLACES, ZERO, half_even, plain
from trading_ops.store import answers, chosen, configuration, ledger, market
from trading_ops.store.answers import Shown


def bookable(proposals: Iterable[Proposal]) -> tuple[Proposal, ...]:
    """The proposals that change the ledger, in the order in which they can be booked: what goes out goes first."""
    turn = {VoidFill: 0, VoidMovement: 0, WithdrawAnswer: 0, VoidSplit: 1, RecordSplit: 1, RecordEvent: 2}
    entries = [p for p in proposals if not isinstance(p, RetakeSnapshot)]
    return tuple(sorted(entries, key=lambda p: (turn.get(type(p), 3), p.proposal_id)))


def book(conn: psycopg.Connection[Any], entry: Proposal, *, username: str, why: str, now: dt.datetime) -> str:
    """Store one entry in the caller's transaction; returns what was done, as a sentence.

    Raises:
        Refused: It is no longer possible, or changes nothing in the ledger.
        LedgerError: The facts would not add up.
    """
    match entry:
        case VoidFill():
            ledger.void(conn, fill_id=entry.fill_id, why=why, recorded_by=username)
            said = f"Took fill {entry.fill_id} out of the ledger."
        case VoidMovement():
            ledger.void(conn, movement_id=entry.movement_id, why=why, recorded_by=username)
            said = f"Took cash movement {entry.movement_id} out of the ledger."
        case BookFill():
            ledger.record_fill(conn, entry.fill, recorded_by=username, why=why)
            said = f"Booked {entry.side} {plain(entry.units)} {entry.symbol} for {plain(entry.value_gbp)} GBP."
        case CorrectAnswer() | WithdrawAnswer():
            said = _answer_anew(conn, entry, username, why)
        case BookMovement():
            movement = CashMovement(
                entry.proposal_id, entry.kind, entry.amount_gbp, entry.day, entry.at, entry.symbol, entry.ex_date
            )
            ledger.record_movement(conn, movement, recorded_by=username, why=why)
            said = f"Booked {entry.kind} of {plain(entry.amount_gbp)} GBP."
        case RecordSplit() | VoidSplit():
            ratio = entry.ratio if isinstance(entry, RecordSplit) else ZERO
            market.record_action(
                conn, symbol=entry.symbol, ex_date=entry.ex_date, kind="split", value=ratio,
                origin=f"{username}: {why}"[:400], at=now,
            )  # fmt: skip
            said = f"Recorded the split of {entry.symbol} on {entry.ex_date} as {plain(ratio) if ratio else 'none'}."
        case RecordEvent():
            event = replace(entry.event, event_id=entry.proposal_id)
            ledger.record_event(conn, event, recorded_by=username, why=why)
            said = f"Recorded the {event.kind.replace('_', ' ')} of {event.symbol}."
        case RetakeSnapshot():
            raise Refused("The account has to be read off again; there is nothing to book.")
        case _:
            assert_never(entry)
    ledger.require_possible(conn)
    return said


def _answer_anew(conn: psycopg.Connection[Any], entry: CorrectAnswer | WithdrawAnswer, username: str, why: str) -> str:
    policy = configuration.policy_in_force(conn).policy
    known = answers.in_force(conn, entry.plan_id)
    row = conn.execute("SELECT content_sha256 FROM ops.tickets WHERE plan_id = %s", (entry.plan_id,)).fetchone()
    if row is None:
        raise Refused(f"Plan {entry.plan_id} has no ticket any more to answer.")
    shown = Shown(row["content_sha256"], {line: stored.revision for line, stored in known.items()})
    if isinstance(entry, CorrectAnswer):
        # A number found by moving a digit may carry a zero more than an answer may have decimals.
        units, value = half_even(entry.units, UNIT_PLACES), half_even(entry.value_gbp, PENCE_PLACES)
        answer = Answer(
            entry.line, entry.status, "", units, entry.price_usd, value, entry.fee_gbp or None, entry.filled_at,
            entry.position_id, note=why[:400],
        )  # fmt: skip
    else:
        answer = Answer(entry.line, "SKIPPED", "not filled at the broker", note=why[:400])
    answers.record_answers(
        conn, entry.plan_id, [answer], answered_by=username, where="reconciliation", shown=shown,
        rate_of=lambda day: chosen.usd_per_gbp(conn, policy.data, day),
    )  # fmt: skip
    return f"Answered line {entry.line} of plan {entry.plan_id} anew: {answer.status}."
