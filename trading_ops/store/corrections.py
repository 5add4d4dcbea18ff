"""Accepted corrections become ledger entries: reversing entries and new ones, never a change of what is there."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeAlias, assert_never

import psycopg

from trading_ops.domain.answer import FillPart
from trading_ops.domain.answer_pieces import LineSize, Piece, rebuilt
from trading_ops.domain.booked_check import first_difference
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
    apply_proposals,
)
from trading_ops.domain.errors import Refused
from trading_ops.domain.ledger import CashMovement
from trading_ops.domain.values import ZERO, plain
from trading_ops.store import answers, chosen, configuration, ledger, market
from trading_ops.store.answers import Shown, StoredAnswer

OfLine: TypeAlias = CorrectAnswer | WithdrawAnswer


def bookable(proposals: Iterable[Proposal]) -> tuple[Proposal, ...]:
    """The proposals that change the ledger, in the order in which they can be booked: what goes out goes first."""
    turn = {VoidFill: 0, VoidMovement: 0, WithdrawAnswer: 0, VoidSplit: 1, RecordSplit: 1, RecordEvent: 2}
    entries = [p for p in proposals if not isinstance(p, RetakeSnapshot)]
    return tuple(sorted(entries, key=lambda p: (turn.get(type(p), 3), p.proposal_id)))


def book_all(
    conn: psycopg.Connection[Any], entries: Sequence[Proposal], *, username: str, why: str, now: dt.datetime
) -> tuple[str, ...]:
    """Store entries together in the caller's transaction, and look whether the books came out as they promised.

    Entries that answer the same line become one new answer of it.

    Returns:
        What was done, a sentence each.

    Raises:
        Refused: An entry is no longer possible, or the books would come out otherwise. The caller rolls back.
        LedgerError: The facts would not add up.
    """
    promised = apply_proposals(ledger.facts(conn), [_with_lots(conn, entry) for entry in entries])
    said = [_book(conn, together, username, why, now) for together in _together(entries)]
    ledger.require_possible(conn)
    off = first_difference(promised, ledger.facts(conn))
    if off is not None:
        raise Refused(
            f"Nothing was booked: with this the ledger would {off} as was proposed. {_other_way(entries)} "
            "Then look at Reconciliation again."
        )
    return tuple(said)


def _with_lots(conn: psycopg.Connection[Any], entry: Proposal) -> Proposal:
    """A sale of a line that names no lots itself closes those that the line named."""
    if not isinstance(entry, CorrectAnswer) or entry.lot_ids:
        return entry
    row = conn.execute(
        "SELECT lots FROM ops.ticket_lines WHERE plan_id = %s AND line = %s", (entry.plan_id, entry.line)
    ).fetchone()
    return replace(entry, lot_ids=tuple(lot["lot_id"] for lot in row["lots"])) if row else entry


def _together(entries: Sequence[Proposal]) -> Iterator[tuple[Proposal, ...]]:
    """Each entry by itself, but those that answer one line at once, where the first of them stands."""
    lines: dict[tuple[str, int], list[Proposal]] = {}
    for entry in entries:
        if isinstance(entry, OfLine):
            lines.setdefault((entry.plan_id, entry.line), []).append(entry)
    for entry in entries:
        if not isinstance(entry, OfLine):
            yield (entry,)
        elif (entry.plan_id, entry.line) in lines:
            yield tuple(lines.pop((entry.plan_id, entry.line)))


def _other_way(entries: Sequence[Proposal]) -> str:
    lines = sorted({(e.plan_id, e.line) for e in entries if isinstance(e, OfLine)})
    if lines:
        plan_id, line = lines[0]
        return f"Correct line {line} on the page of ticket {plan_id} by hand: each piece as eToro shows it."
    return "Book what eToro shows by hand, as the reconciliation SOP says."


def _book(conn: psycopg.Connection[Any], entries: Sequence[Proposal], username: str, why: str, now: dt.datetime) -> str:
    entry = entries[0]
    match entry:
        case VoidFill():
            ledger.void(conn, fill_id=entry.fill_id, why=why, recorded_by=username)
            said = f"Took fill {entry.fill_id} out of the ledger."
        case VoidMovement():
            ledger.void(conn, movement_id=entry.movement_id, why=why, recorded_by=username)
            said = f"Took cash movement {entry.movement_id} out of the ledger."
        case BookFill():
            ledger.record_fill(conn, entry.fill, recorded_by=username, why=why)
            worked_out = ", worked out" if entry.estimated else ""
            said = (
                f"Booked {entry.side} {plain(entry.units)} {entry.symbol} for {plain(entry.value_gbp)} GBP{worked_out}."
            )
        case CorrectAnswer() | WithdrawAnswer():
            said = _answer_anew(conn, [e for e in entries if isinstance(e, OfLine)], username, why)
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
    return said


def _answer_anew(conn: psycopg.Connection[Any], entries: Sequence[OfLine], username: str, why: str) -> str:
    """One new answer of a line with what the entries change; the pieces that they do not name stay as booked."""
    plan_id, line = entries[0].plan_id, entries[0].line
    row = conn.execute(
        "SELECT t.content_sha256, l.side, l.units, l.amount_gbp FROM ops.tickets t JOIN ops.ticket_lines l "
        "USING (plan_id) WHERE t.plan_id = %s AND l.line = %s",
        (plan_id, line),
    ).fetchone()
    if row is None:
        raise Refused(f"Plan {plan_id} has no ticket any more whose line {line} could be answered.")
    known = answers.in_force(conn, plan_id)
    pieces = _pieces(conn, known[line]) if line in known else {}
    if any(entry.replaces is not None and entry.replaces not in pieces for entry in entries):
        raise Refused(
            f"Nothing was booked: line {line} of plan {plan_id} was answered anew since this was proposed. "
            "Look at Reconciliation again."
        )
    size = LineSize(row["side"], row["units"], row["amount_gbp"])
    answer = rebuilt(line, size, pieces, entries, why[:400])
    policy = configuration.policy_in_force(conn).policy
    answers.record_answers(
        conn, plan_id, [answer], answered_by=username, where="reconciliation",
        shown=Shown(row["content_sha256"], {n: stored.revision for n, stored in known.items()}),
        rate_of=lambda day: chosen.usd_per_gbp(conn, policy.data, day),
    )  # fmt: skip
    return f"Answered line {line} of plan {plan_id} anew: {answer.status}."


def _pieces(conn: psycopg.Connection[Any], stored: StoredAnswer) -> dict[str, Piece]:
    """The pieces of an answer in force as booked: what was worked out is not worked out anew."""
    rows = conn.execute(
        "SELECT f.* FROM ops.ledger_trades_fills f WHERE f.confirmation_id = %s "
        "AND NOT EXISTS (SELECT 1 FROM ops.ledger_voids v WHERE v.fill_id = f.fill_id) ORDER BY f.part",
        (stored.confirmation_id,),
    )
    said = stored.answer.pieces
    return {
        str(r["fill_id"]): Piece(
            FillPart(
                r["price_usd"], r["filled_at"], r["units"], r["value_gbp"], r["position_id"],
                said[r["part"] - 1].lot_id, estimated=r["estimated"],
            ),
            r["fee_gbp"],
        )
        for r in rows
    }  # fmt: skip
