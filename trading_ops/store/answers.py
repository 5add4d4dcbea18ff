"""The executor's answers to ticket lines, and the fills they book.

One answer a line; a mistake is corrected by a new answer that names the old one and voids its fill.
"""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg

from trading_ops.domain.calendar import NEW_YORK
from trading_ops.domain.canonical import canonical_bytes, sha256_hex
from trading_ops.domain.confirmation import LineAnswer
from trading_ops.domain.errors import BadInput, Refused
from trading_ops.domain.ledger import Fill, complete_fill
from trading_ops.domain.values import PENCE_PLACES, ZERO, half_even, plain
from trading_ops.store import audit, desk, ledger

BEGUN = ("DONE", "PARTIAL")
ESTIMATE_SLACK = Decimal("1.05")
"""Pounds worked out from units and a reference rate may differ so much from those that were typed in."""
NAMES_OFF = ("MISSING", "CFD")
"""Reasons of FAILED after which the name is switched off at once."""


@dataclass(frozen=True)
class Answer:
    """What a person says became of one line. `price_usd` in USD, `value_gbp` and `fee_gbp` in pounds, time in UTC."""

    line: int
    status: str
    reason: str = ""
    units: Decimal | None = None
    price_usd: Decimal | None = None
    value_gbp: Decimal | None = None
    fee_gbp: Decimal | None = None
    executed_at: dt.datetime | None = None
    position_id: str | None = None

    def payload(self) -> dict[str, object]:
        """The answer as it is hashed and announced."""
        return {
            "line": self.line,
            "status": self.status,
            "reason": self.reason,
            **{k: _text(getattr(self, k)) for k in ("units", "price_usd", "value_gbp", "fee_gbp")},
            "executed_at": self.executed_at.astimezone(dt.UTC).isoformat() if self.executed_at else None,
            "position_id": self.position_id,
        }


def _text(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def check_answer(answer: Answer, where: str) -> None:
    """An answer is complete for its status.

    Raises:
        BadInput: A field is missing or impossible; the text names it.
    """
    if answer.status not in (*BEGUN, "SKIPPED", "FAILED"):
        raise BadInput(f"{where}: status {answer.status!r} is not one of DONE, PARTIAL, SKIPPED, FAILED.")
    numbers = {k: getattr(answer, k) for k in ("units", "price_usd", "value_gbp")}
    for name, value in numbers.items():
        if value is not None and (not value.is_finite() or value <= ZERO):
            raise BadInput(f"{where}: {name} {value} must be a number above 0.")
    check_places({**numbers, "fee_gbp": answer.fee_gbp}, where)
    if answer.fee_gbp is not None and (not answer.fee_gbp.is_finite() or answer.fee_gbp < ZERO):
        raise BadInput(f"{where}: fee_gbp {answer.fee_gbp} must be 0 or more.")
    if answer.status in BEGUN:
        if answer.price_usd is None or answer.executed_at is None:
            raise BadInput(f"{where}: {answer.status} needs price_usd and executed_at, as the screen shows them.")
        if answer.units is None and answer.value_gbp is None:
            raise BadInput(f"{where}: {answer.status} needs units or value_gbp, as the screen shows them.")
        if answer.executed_at.tzinfo is None:
            raise BadInput(f"{where}: executed_at {answer.executed_at} has no time zone. Write 2018-02-05T14:50+00:00.")
    elif any(v is not None for v in numbers.values()) or answer.executed_at is not None:
        raise BadInput(f"{where}: {answer.status} says nothing was traded, so units, price, value and time stay empty.")


PLACES = {"units": 6, "price_usd": 8, "value_gbp": 2, "fee_gbp": 2}
"""Decimals that are kept: more would be rounded after they were announced."""


def check_places(numbers: Mapping[str, Decimal | None], where: str) -> None:
    """No number has more decimals than are kept.

    Raises:
        BadInput: One has; nothing is rounded silently.
    """
    for name, value in numbers.items():
        exponent = value.as_tuple().exponent if value is not None else 0
        if isinstance(exponent, int) and -exponent > PLACES[name]:
            raise BadInput(
                f"{where}: {name} {value} has more than {PLACES[name]} decimals. Type what the screen shows."
            )


def record_answers(
    conn: psycopg.Connection[Any],
    plan_id: str,
    answers: Sequence[Answer],
    *,
    answered_by: str,
    usd_per_gbp: Decimal,
    where: str,
    correct: bool = False,
) -> tuple[int, int]:
    """Store answers and book their fills, all or none; returns (stored, already there).

    Args:
        conn: A connection inside a transaction.
        plan_id: The ticket's plan.
        answers: At most one a line.
        answered_by: The person.
        usd_per_gbp: Dollars for one pound on the day of the fills, for numbers that are missing.
        where: Names the place in messages, `fills.csv`.
        correct: Replace an answer that is there with other content.

    Raises:
        BadInput: A line does not exist or an answer is incomplete.
        Refused: A line was answered already with other content, or the ticket was withdrawn.
        LedgerError: More would be sold than is held.
    """
    ticket = conn.execute("SELECT ticket_id, verdict FROM ops.tickets WHERE plan_id = %s", (plan_id,)).fetchone()
    if ticket is None:
        raise Refused(f"{where}: plan {plan_id} has no ticket.")
    rows = conn.execute("SELECT * FROM ops.ticket_lines WHERE plan_id = %s", (plan_id,)).fetchall()
    lines = {r["line"]: r for r in rows}
    if not lines:
        raise BadInput(f"{where}: ticket {ticket['ticket_id']} is {ticket['verdict']} and has no lines to confirm.")
    withdrawn = conn.execute("SELECT 1 FROM ops.ticket_withdrawals WHERE plan_id = %s", (plan_id,)).fetchone()
    stored = repeated = 0
    for answer in answers:
        place = f"{where}: line {answer.line} of ticket {ticket['ticket_id']}"
        if answer.line not in lines:
            raise BadInput(f"{place} does not exist; it has lines 1 to {max(lines)}.")
        check_answer(answer, place)
        if withdrawn and answer.status not in BEGUN:
            raise Refused(f"{place}: the ticket was withdrawn; only what was already done can be entered.")
        if _record(conn, plan_id, lines[answer.line], answer, answered_by, usd_per_gbp, place, correct=correct):
            stored += 1
        else:
            repeated += 1
    if stored and (correct or any(lines[answer.line]["side"] == "SELL" for answer in answers)):
        ledger.require_possible(conn)
    return stored, repeated


def _record(
    conn: psycopg.Connection[Any],
    plan_id: str,
    line: dict[str, Any],
    answer: Answer,
    answered_by: str,
    usd_per_gbp: Decimal,
    place: str,
    *,
    correct: bool,
) -> bool:
    digest = sha256_hex(canonical_bytes(answer.payload()))
    old = conn.execute(
        "SELECT * FROM ops.confirmations WHERE plan_id = %s AND line = %s ORDER BY revision DESC LIMIT 1",
        (plan_id, answer.line),
    ).fetchone()
    if old and old["content_sha256"] == digest:
        return False
    if old and not correct:
        raise Refused(
            f"{place} was answered {old['status']} already, with other content. "
            "Correct it with --correct; the old answer stays on record."
        )
    revision = old["revision"] + 1 if old else 1
    confirmation_id = uuid.uuid5(uuid.NAMESPACE_URL, f"confirmation:{plan_id}:{answer.line}:{revision}:{digest}")
    overfilled = _overfilled(line, answer, usd_per_gbp)
    seq = audit.append(
        conn,
        "answers.confirmation",
        f"{plan_id}/{answer.line}/{revision}",
        {**answer.payload(), "answered_by": answered_by, "overfilled": overfilled},
    )
    conn.execute(
        "INSERT INTO ops.confirmations (confirmation_id, plan_id, line, revision, status, reason, units, price_usd, "
        "value_gbp, fee_gbp, executed_at, position_id, overfilled, content_sha256, answered_by, corrects, audit_seq) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            confirmation_id, plan_id, answer.line, revision, answer.status, answer.reason, answer.units,
            answer.price_usd, answer.value_gbp, answer.fee_gbp, answer.executed_at, answer.position_id, overfilled,
            digest, answered_by, old["confirmation_id"] if old else None, seq,
        ),
    )  # fmt: skip
    if old:
        _void_fill(conn, old["confirmation_id"], answered_by)
    if answer.status in BEGUN:
        _book_fill(conn, plan_id, line, answer, confirmation_id, answered_by, usd_per_gbp)
    if overfilled:
        title = f"Line {answer.line} of plan {plan_id}: {line['symbol']} was filled above its size"
        desk.open_incident(conn, "OVERFILLED", title, answer.payload(), blocking=False, key=str(confirmation_id))
    if answer.status == "FAILED" and answer.reason.upper() in NAMES_OFF:
        _switch_off(conn, plan_id, line["symbol"], answer.reason, confirmation_id)
    return True


def _overfilled(line: dict[str, Any], answer: Answer, usd_per_gbp: Decimal) -> bool:
    """A BUY of more pounds, or a SELL of more units, than the line said; what was not typed is worked out."""
    if answer.status not in BEGUN or answer.price_usd is None:
        return False
    units, value, _ = complete_fill(answer.units, answer.value_gbp, answer.price_usd, usd_per_gbp)
    if line["side"] == "SELL":
        return bool(units > line["units"])
    slack = ESTIMATE_SLACK if answer.value_gbp is None else Decimal(1)
    return bool(value > line["amount_gbp"] * slack)


def _book_fill(
    conn: psycopg.Connection[Any],
    plan_id: str,
    line: dict[str, Any],
    answer: Answer,
    confirmation_id: uuid.UUID,
    answered_by: str,
    usd_per_gbp: Decimal,
) -> None:
    assert answer.price_usd is not None
    assert answer.executed_at is not None
    units, value, estimated = complete_fill(answer.units, answer.value_gbp, answer.price_usd, usd_per_gbp)
    fill = Fill(
        fill_id=str(uuid.uuid5(uuid.NAMESPACE_URL, f"fill:{confirmation_id}")),
        symbol=line["symbol"],
        side=line["side"],
        units=units,
        price_usd=answer.price_usd,
        value_gbp=half_even(value, PENCE_PLACES),
        fee_gbp=answer.fee_gbp or ZERO,
        filled_at=answer.executed_at,
        session=answer.executed_at.astimezone(NEW_YORK).date(),
        position_id=answer.position_id,
        lot_ids=tuple(lot["lot_id"] for lot in line["lots"]),
        estimated=estimated,
    )
    ledger.record_fill(
        conn, fill, recorded_by=answered_by, plan_id=plan_id, line=line["line"], confirmation_id=confirmation_id
    )


def _void_fill(conn: psycopg.Connection[Any], confirmation_id: uuid.UUID, recorded_by: str) -> None:
    fill = conn.execute(
        "SELECT f.fill_id FROM ops.ledger_trades_fills f LEFT JOIN ops.ledger_voids v USING (fill_id) "
        "WHERE f.confirmation_id = %s AND v.void_id IS NULL",
        (confirmation_id,),
    ).fetchone()
    if fill:
        ledger.void(conn, fill_id=str(fill["fill_id"]), why="its answer was corrected", recorded_by=recorded_by)


def _switch_off(
    conn: psycopg.Connection[Any], plan_id: str, symbol: str, reason: str, confirmation_id: uuid.UUID
) -> None:
    why = f"line answered FAILED ({reason}) in plan {plan_id}"
    seq = audit.append(conn, "universe.disabled", symbol, {"why": why})
    conn.execute(
        "INSERT INTO ops.universe_disablements (symbol, from_day, why, confirmation_id, audit_seq) "
        "VALUES (%s, %s, %s, %s, %s)",
        (symbol, dt.date.fromisoformat(plan_id), why, confirmation_id, seq),
    )


def answers_of(conn: psycopg.Connection[Any], plan_id: str) -> tuple[LineAnswer, ...]:
    """Every line of a plan's ticket with the answer in force, in line order."""
    rows = conn.execute("SELECT line, symbol, side FROM ops.ticket_lines WHERE plan_id = %s ORDER BY line", (plan_id,))
    answered = _statuses(conn, plan_id, None)
    return tuple(LineAnswer(plan_id, r["line"], r["symbol"], r["side"], answered.get(r["line"])) for r in rows)


def _statuses(conn: psycopg.Connection[Any], plan_id: str, facts_seq: int | None) -> dict[int, str]:
    rows = conn.execute(
        "SELECT DISTINCT ON (line) line, status FROM ops.confirmations "
        "WHERE plan_id = %(plan)s AND (%(seq)s::bigint IS NULL OR audit_seq <= %(seq)s) ORDER BY line, revision DESC",
        {"plan": plan_id, "seq": facts_seq},
    )
    return {r["line"]: r["status"] for r in rows}


def previous_lines(conn: psycopg.Connection[Any], plan_id: str, facts_seq: int) -> tuple[LineAnswer, ...]:
    """The lines of the newest TRADE ticket before a plan with the answers known at a watermark.

    Lines of a withdrawn ticket that were never begun are left out: they need no answer.
    """
    lines = conn.execute("SELECT * FROM ops.lines_before(%s, %s)", (plan_id, facts_seq)).fetchall()
    if not lines:
        return ()
    ticket_plan = lines[0]["plan_id"]
    answered = _statuses(conn, ticket_plan, facts_seq)
    withdrawn = conn.execute(
        "SELECT 1 FROM ops.ticket_withdrawals WHERE plan_id = %s AND audit_seq <= %s", (ticket_plan, facts_seq)
    ).fetchone()
    return tuple(
        LineAnswer(ticket_plan, row["line"], row["symbol"], row["side"], answered.get(row["line"]))
        for row in lines
        if not withdrawn or row["line"] in answered
    )
