"""The answers that were given, read: those in force of a ticket, every one ever, and those that a plan waits for.

Does not belong here: storing them (`store.answers`).
"""

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from trading_ops.domain.answer import Answer, FillPart
from trading_ops.domain.confirmation import LineAnswer


@dataclass(frozen=True)
class StoredAnswer:
    """The answer in force of a line, and which revision it is."""

    answer: Answer
    revision: int
    confirmation_id: uuid.UUID
    answered_by: str
    answered_at: dt.datetime
    overfilled: bool


def answers_of(conn: psycopg.Connection[Any], plan_id: str) -> tuple[LineAnswer, ...]:
    """Every line of a plan's ticket with the answer in force, in line order."""
    rows = conn.execute("SELECT line, symbol, side FROM ops.ticket_lines WHERE plan_id = %s ORDER BY line", (plan_id,))
    answered = _statuses(conn, plan_id, None)
    return tuple(LineAnswer(plan_id, r["line"], r["symbol"], r["side"], answered.get(r["line"])) for r in rows)


def in_force(conn: psycopg.Connection[Any], plan_id: str) -> dict[int, StoredAnswer]:
    """The answer in force of each answered line, by line."""
    rows = conn.execute(
        "SELECT DISTINCT ON (line) * FROM ops.confirmations WHERE plan_id = %s ORDER BY line, revision DESC", (plan_id,)
    ).fetchall()
    parts = _parts(conn, plan_id)
    return {r["line"]: _stored(r, parts.get(r["confirmation_id"], ())) for r in rows}


def every(conn: psycopg.Connection[Any]) -> Iterator[tuple[dict[str, Any], StoredAnswer]]:
    """Every answer ever given, with its row, oldest first."""
    parts = _parts(conn, None)
    for row in conn.execute("SELECT * FROM ops.confirmations ORDER BY audit_seq"):
        yield row, _stored(row, parts.get(row["confirmation_id"], ()))


def _parts(conn: psycopg.Connection[Any], plan_id: str | None) -> dict[uuid.UUID, tuple[FillPart, ...]]:
    rows = conn.execute(
        "SELECT p.* FROM ops.confirmation_parts p JOIN ops.confirmations c USING (confirmation_id) "
        "WHERE %(plan)s::text IS NULL OR c.plan_id = %(plan)s ORDER BY p.confirmation_id, p.part",
        {"plan": plan_id},
    )
    parts: dict[uuid.UUID, tuple[FillPart, ...]] = {}
    for p in rows:
        part = FillPart(
            p["price_usd"], p["executed_at"], p["units"], p["value_gbp"], p["position_id"], p["lot_id"]
        )  # fmt: skip
        parts[p["confirmation_id"]] = (*parts.get(p["confirmation_id"], ()), part)
    return parts


def _stored(row: Mapping[str, Any], parts: tuple[FillPart, ...]) -> StoredAnswer:
    answer = Answer(
        row["line"], row["status"], row["reason"], row["units"], row["price_usd"], row["value_gbp"], row["fee_gbp"],
        row["executed_at"], row["position_id"], parts, row["note"], row["typed"], tuple(row["questions"]),
    )  # fmt: skip
    return StoredAnswer(
        answer, row["revision"], row["confirmation_id"], row["answered_by"], row["created_at"], row["overfilled"]
    )


def previous_lines(conn: psycopg.Connection[Any], plan_id: str, facts_seq: int) -> tuple[LineAnswer, ...]:
    """The lines whose answers a plan waits for, with those known at a watermark.

    They are of the newest weekly TRADE ticket before the plan and of the test tickets since. Lines of a withdrawn
    ticket that were never begun are left out: they need no answer.
    """
    lines = conn.execute("SELECT * FROM ops.lines_before(%s, %s)", (plan_id, facts_seq)).fetchall()
    of = sorted({row["plan_id"] for row in lines})
    answered = {plan: _statuses(conn, plan, facts_seq) for plan in of}
    rows = conn.execute(
        "SELECT plan_id FROM ops.ticket_withdrawals WHERE plan_id = ANY(%s) AND audit_seq <= %s", (of, facts_seq)
    )
    withdrawn = {row["plan_id"] for row in rows}
    return tuple(
        LineAnswer(row["plan_id"], row["line"], row["symbol"], row["side"], answered[row["plan_id"]].get(row["line"]))
        for row in lines
        if row["plan_id"] not in withdrawn or row["line"] in answered[row["plan_id"]]
    )


def _statuses(conn: psycopg.Connection[Any], plan_id: str, facts_seq: int | None) -> dict[int, str]:
    rows = conn.execute(
        "SELECT DISTINCT ON (line) line, status FROM ops.confirmations "
        "WHERE plan_id = %(plan)s AND (%(seq)s::bigint IS NULL OR audit_seq <= %(seq)s) ORDER BY line, revision DESC",
        {"plan": plan_id, "seq": facts_seq},
    )
    return {r["line"]: r["status"] for r in rows}
