"""The executor's answers to ticket lines, and the fills they book.

One answer a line; a mistake is corrected by a new answer that names the old one and voids its fills.
Does not belong here: what an answer must hold (`domain.answer`), a form sent twice (`store.submissions`), reading what
was answered (`store.answers_given`; its names can be had from here too).
"""

import datetime as dt
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import psycopg

from trading_ops.domain.answer import BEGUN, NAMES_OFF, Answer, FillPart, check_answer, is_overfilled
from trading_ops.domain.calendar import NEW_YORK
from trading_ops.domain.canonical import canonical_bytes, sha256_hex
from trading_ops.domain.errors import BadInput, Refused
from trading_ops.domain.fill_limits import whole_fill
from trading_ops.domain.ledger import Fill
from trading_ops.domain.values import ZERO
from trading_ops.store import audit, desk, ledger
from trading_ops.store.answers_given import StoredAnswer, answers_of, every, in_force, previous_lines

__all__ = [
    "AnsweredMeanwhile", "RateOf", "Shown", "StoredAnswer", "TicketChanged", "answers_of", "every", "in_force",
    "previous_lines", "record_answers",
]  # fmt: skip

RateOf = Callable[[dt.date], Decimal]
"""Dollars for one pound on a day."""


class AnsweredMeanwhile(Refused):
    """Somebody, or another window of the same person, answered first."""


class TicketChanged(Refused):
    """The ticket is not the one that was shown, or was withdrawn meanwhile."""


@dataclass(frozen=True)
class Shown:
    """What a person saw when answering: the ticket by its hash, and how often each line had been answered.

    Attributes:
        ticket_sha256: Hash of the content shown.
        revisions: Newest revision by line, 0 or absent for a line without an answer.
    """

    ticket_sha256: str
    revisions: Mapping[int, int]


def record_answers(
    conn: psycopg.Connection[Any],
    plan_id: str,
    answers: Sequence[Answer],
    *,
    answered_by: str,
    rate_of: RateOf,
    where: str,
    correct: bool = False,
    shown: Shown | None = None,
) -> tuple[int, int]:
    """Store answers and book their fills, all or none; returns (stored, already there).

    Args:
        conn: A connection inside a transaction.
        plan_id: The ticket's plan.
        answers: At most one a line.
        answered_by: The person.
        rate_of: Dollars for one pound on a fill's day, for numbers that are missing.
        where: Names the place in messages, `fills.csv`.
        correct: Replace an answer that is there with other content.
        shown: What the person saw. An answer to a line that was answered since is refused; to one whose answer was
            shown it is a correction.

    Raises:
        BadInput: A line does not exist or an answer is incomplete.
        AnsweredMeanwhile: A line was answered already with other content.
        TicketChanged: The ticket was withdrawn, or is not the one shown.
        LedgerError: More would be sold than is held.
    """
    ticket = conn.execute("SELECT * FROM ops.lock_ticket(%s)", (plan_id,)).fetchone()
    if ticket is None:
        raise Refused(f"{where}: plan {plan_id} has no ticket.")
    if shown is not None and shown.ticket_sha256 != ticket["content_sha256"]:
        raise TicketChanged(f"{where}: ticket {ticket['ticket_id']} is not the one that was shown. Open it again.")
    rows = conn.execute("SELECT * FROM ops.ticket_lines WHERE plan_id = %s", (plan_id,)).fetchall()
    lines = {r["line"]: r for r in rows}
    if not lines:
        raise BadInput(f"{where}: ticket {ticket['ticket_id']} is {ticket['verdict']} and has no lines to confirm.")
    stored = repeated = 0
    for answer in answers:
        place = f"{where}: line {answer.line} of ticket {ticket['ticket_id']}"
        if answer.line not in lines:
            raise BadInput(f"{place} does not exist; it has lines 1 to {max(lines)}.")
        check_answer(answer, place)
        entry = _Entry(plan_id, lines[answer.line], answer, answered_by, ticket, place)
        if _record(conn, entry, rate_of, correct=correct, shown=shown):
            stored += 1
        else:
            repeated += 1
    if stored and (correct or shown or any(lines[answer.line]["side"] == "SELL" for answer in answers)):
        ledger.require_possible(conn)
    return stored, repeated


@dataclass(frozen=True)
class _Entry:
    plan_id: str
    line: dict[str, Any]
    answer: Answer
    answered_by: str
    ticket: dict[str, Any]
    place: str


def _record(
    conn: psycopg.Connection[Any], entry: _Entry, rate_of: RateOf, *, correct: bool, shown: Shown | None
) -> bool:
    answer = entry.answer
    digest = sha256_hex(canonical_bytes(answer.payload()))
    old = conn.execute(
        "SELECT * FROM ops.confirmations WHERE plan_id = %s AND line = %s ORDER BY revision DESC LIMIT 1",
        (entry.plan_id, answer.line),
    ).fetchone()
    if old and old["content_sha256"] == digest:
        return False
    if entry.ticket["withdrawn"] and answer.status not in BEGUN and not old:
        raise TicketChanged(f"{entry.place}: the ticket was withdrawn; only what was already done can be entered.")
    if old and shown is not None and shown.revisions.get(answer.line, 0) != old["revision"]:
        raise AnsweredMeanwhile(
            f"{entry.place} was answered {old['status']} meanwhile by {old['answered_by']}. This answer was not used."
        )
    if old and shown is None and not correct:
        raise AnsweredMeanwhile(
            f"{entry.place} was answered {old['status']} already, with other content. "
            "Correct it with --correct; the old answer stays on record."
        )
    revision = old["revision"] + 1 if old else 1
    name = f"confirmation:{entry.plan_id}:{answer.line}:{revision}:{digest}"
    confirmation_id = uuid.uuid5(uuid.NAMESPACE_URL, name)
    rates = [rate_of(_session(part)) for part in answer.pieces]
    line = entry.line
    overfilled = bool(rates) and is_overfilled(answer, line["side"], line["units"], line["amount_gbp"], rates)
    _insert(conn, entry, confirmation_id, revision, digest, old["confirmation_id"] if old else None, overfilled)
    pieces = answer.pieces
    if old:
        pieces = _still_worked_out(conn, old["confirmation_id"], pieces)
        _void_fills(conn, old["confirmation_id"], entry.answered_by)
    for number, (part, rate) in enumerate(zip(pieces, rates, strict=True), start=1):
        _book_fill(conn, entry, confirmation_id, number, part, rate)
    if overfilled:
        title = f"Line {answer.line} of plan {entry.plan_id}: {line['symbol']} was filled above its size"
        desk.open_incident(conn, "OVERFILLED", title, answer.payload(), blocking=False, key=str(confirmation_id))
    if answer.status == "FAILED" and answer.reason.upper() in NAMES_OFF:
        _switch_off(conn, entry.plan_id, line["symbol"], answer.reason, confirmation_id)
    return True


def _insert(
    conn: psycopg.Connection[Any],
    entry: _Entry,
    confirmation_id: uuid.UUID,
    revision: int,
    digest: str,
    corrects: uuid.UUID | None,
    overfilled: bool,
) -> None:
    answer = entry.answer
    announced = {**answer.payload(), "answered_by": entry.answered_by, "overfilled": overfilled}
    if answer.asked:
        announced["asked"] = list(answer.asked)
    seq = audit.append(conn, "answers.confirmation", f"{entry.plan_id}/{answer.line}/{revision}", announced)
    conn.execute(
        "INSERT INTO ops.confirmations (confirmation_id, plan_id, line, revision, status, reason, units, price_usd, "
        "value_gbp, fee_gbp, executed_at, position_id, overfilled, content_sha256, answered_by, corrects, audit_seq, "
        "ticket_sha256, note, typed, questions) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            confirmation_id, entry.plan_id, answer.line, revision, answer.status, answer.reason, answer.units,
            answer.price_usd, answer.value_gbp, answer.fee_gbp, answer.executed_at, answer.position_id, overfilled,
            digest, entry.answered_by, corrects, seq, entry.ticket["content_sha256"], answer.note,
            None if answer.typed is None else json.dumps(dict(answer.typed)), json.dumps(list(answer.asked)),
        ),
    )  # fmt: skip
    for number, part in enumerate(answer.parts, start=1):
        conn.execute(
            "INSERT INTO ops.confirmation_parts (confirmation_id, part, position_id, lot_id, units, price_usd, "
            "value_gbp, executed_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            (
                confirmation_id, number, part.position_id, part.lot_id, part.units, part.price_usd, part.value_gbp,
                part.executed_at,
            ),
        )  # fmt: skip


def _session(part: FillPart) -> dt.date:
    return part.executed_at.astimezone(NEW_YORK).date()


def _book_fill(
    conn: psycopg.Connection[Any],
    entry: _Entry,
    confirmation_id: uuid.UUID,
    number: int,
    part: FillPart,
    usd_per_gbp: Decimal,
) -> None:
    units, value, estimated = whole_fill(part.units, part.value_gbp, part.price_usd, usd_per_gbp, entry.place)
    line, answer = entry.line, entry.answer
    name = f"fill:{confirmation_id}" if number == 1 else f"fill:{confirmation_id}:{number}"
    lots = (part.lot_id,) if part.lot_id else tuple(lot["lot_id"] for lot in line["lots"])
    fill = Fill(
        fill_id=str(uuid.uuid5(uuid.NAMESPACE_URL, name)),
        symbol=line["symbol"],
        side=line["side"],
        units=units,
        price_usd=part.price_usd,
        value_gbp=value,
        fee_gbp=(answer.fee_gbp or ZERO) if number == 1 else ZERO,
        filled_at=part.executed_at,
        session=_session(part),
        position_id=part.position_id,
        lot_ids=lots,
        estimated=estimated or part.estimated,
    )
    ledger.record_fill(
        conn, fill, recorded_by=entry.answered_by, plan_id=entry.plan_id, line=line["line"],
        confirmation_id=confirmation_id, part=number,
    )  # fmt: skip


def _still_worked_out(
    conn: psycopg.Connection[Any], confirmation_id: uuid.UUID, pieces: Sequence[FillPart]
) -> tuple[FillPart, ...]:
    """The pieces of a new answer; one whose numbers are as booked before is worked out if it was, whoever sends it."""
    rows = conn.execute(
        "SELECT f.units, f.value_gbp, f.price_usd, f.estimated FROM ops.ledger_trades_fills f "
        "WHERE f.confirmation_id = %s AND NOT EXISTS "
        "(SELECT 1 FROM ops.ledger_voids v WHERE v.fill_id = f.fill_id) ORDER BY f.part",
        (confirmation_id,),
    ).fetchall()
    kept = []
    for part in pieces:
        numbers = (part.units, part.value_gbp, part.price_usd)
        same = next((row for row in rows if (row["units"], row["value_gbp"], row["price_usd"]) == numbers), None)
        if same is not None:
            rows.remove(same)
        kept.append(replace(part, estimated=True) if same is not None and same["estimated"] else part)
    return tuple(kept)


def _void_fills(conn: psycopg.Connection[Any], confirmation_id: uuid.UUID, recorded_by: str) -> None:
    rows = conn.execute(
        "SELECT f.fill_id FROM ops.ledger_trades_fills f LEFT JOIN ops.ledger_voids v USING (fill_id) "
        "WHERE f.confirmation_id = %s AND v.void_id IS NULL ORDER BY f.part",
        (confirmation_id,),
    ).fetchall()
    for row in rows:
        ledger.void(conn, fill_id=str(row["fill_id"]), why="its answer was corrected", recorded_by=recorded_by)


def _switch_off(
    conn: psycopg.Connection[Any], plan_id: str, symbol: str, reason: str, confirmation_id: uuid.UUID
) -> None:
    why = f"line answered FAILED ({reason}) in plan {plan_id}"
    from_day = dt.date.fromisoformat(plan_id.removeprefix("test-"))
    told = {"why": why, "from_day": from_day.isoformat(), "confirmation_id": str(confirmation_id)}
    seq = audit.append(conn, "universe.disabled", symbol, told)
    conn.execute(
        "INSERT INTO ops.universe_disablements (symbol, from_day, why, confirmation_id, audit_seq) "
        "VALUES (%s, %s, %s, %s, %s)",
        (symbol, from_day, why, confirmation_id, seq),
    )
    desk.untradable(conn, symbol, reason.upper(), why, key=str(confirmation_id))
