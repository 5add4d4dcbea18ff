"""The ledger's entries as a list for people: newest first, a page at a time, with who, why, and what voided them.

Does not belong here: what the entries add up to (`books_now`), making new ones (`recording`).
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg

PAGE = 50


@dataclass(frozen=True)
class Voided:
    """Who took an entry out of force, when, and why."""

    by: str
    at: dt.datetime
    why: str


@dataclass(frozen=True)
class FillEntry:
    """A fill as stored. Price in USD, value and fee in pounds, time in UTC."""

    fill_id: str
    session: dt.date
    filled_at: dt.datetime
    side: str
    symbol: str
    units: Decimal
    price_usd: Decimal
    value_gbp: Decimal
    fee_gbp: Decimal
    estimated: bool
    position_id: str | None
    ticket_id: str | None
    line: int | None
    recorded_by: str
    why: str
    voided: Voided | None


@dataclass(frozen=True)
class CashEntry:
    """A cash movement or corporate event as stored; pounds are signed as cash moves.

    Attributes:
        table: `movement` or `event`.
        what: The kind.
        detail: What else it says, as words: the new name and its units of an event.
        at: When the broker's cash changed; None for an event.
    """

    table: str
    entry_id: str
    what: str
    day: dt.date
    amount_gbp: Decimal
    symbol: str | None
    ex_date: dt.date | None
    new_symbol: str | None
    new_units: Decimal | None
    cost_share: Decimal | None
    at: dt.datetime | None
    recorded_by: str
    why: str
    stored_at: dt.datetime
    voided: Voided | None


def fills(
    conn: psycopg.Connection[Any], first: dt.date, last: dt.date, page: int, size: int = PAGE
) -> tuple[tuple[FillEntry, ...], int]:
    """Fills of sessions between two days, voided ones included, newest first; with how many there are in all."""
    rows = conn.execute(
        "SELECT f.*, t.ticket_id, v.recorded_by AS void_by, v.created_at AS void_at, v.why AS void_why, "
        "count(*) OVER () AS of_all FROM ops.ledger_trades_fills f "
        "LEFT JOIN ops.tickets t USING (plan_id) LEFT JOIN ops.ledger_voids v ON v.fill_id = f.fill_id "
        "WHERE f.session BETWEEN %s AND %s ORDER BY f.filled_at DESC, f.audit_seq DESC LIMIT %s OFFSET %s",
        (first, last, size, page * size),
    ).fetchall()
    found = tuple(
        FillEntry(
            str(r["fill_id"]), r["session"], r["filled_at"], r["side"], r["symbol"], r["units"], r["price_usd"],
            r["value_gbp"], r["fee_gbp"], r["estimated"], r["position_id"], r["ticket_id"], r["line"],
            r["recorded_by"], r["why"], _voided(r),
        )
        for r in rows
    )  # fmt: skip
    return found, rows[0]["of_all"] if rows else 0


_CASH = """
WITH listed AS (
    SELECT 'movement' AS tab, movement_id::text AS id, kind, day, amount_gbp, symbol, ex_date, NULL::text AS new_symbol,
           NULL::numeric AS new_units, NULL::numeric AS cost_share, at, recorded_by, why, created_at, audit_seq
    FROM ops.ledger_cash_movements
    UNION ALL
    SELECT 'event', event_id::text, kind, day, cash_gbp, symbol, NULL, new_symbol, new_units, cost_share, NULL,
           recorded_by, why, created_at, audit_seq FROM ops.ledger_events)
SELECT l.*, v.recorded_by AS void_by, v.created_at AS void_at, v.why AS void_why, count(*) OVER () AS of_all
FROM listed l LEFT JOIN ops.ledger_voids v ON coalesce(v.movement_id, v.event_id)::text = l.id
"""


def cash(conn: psycopg.Connection[Any], page: int, size: int = PAGE) -> tuple[tuple[CashEntry, ...], int]:
    """Cash movements and corporate events, voided ones included, newest first; with how many there are in all."""
    rows = conn.execute(_CASH + "ORDER BY l.audit_seq DESC LIMIT %s OFFSET %s", (size, page * size)).fetchall()
    return tuple(_cash(r) for r in rows), rows[0]["of_all"] if rows else 0


def one_cash(conn: psycopg.Connection[Any], entry_id: str) -> CashEntry | None:
    """One of them by its id, or None."""
    row = conn.execute(_CASH + "WHERE l.id = %s", (entry_id,)).fetchone()
    return _cash(row) if row else None


def _cash(r: dict[str, Any]) -> CashEntry:
    return CashEntry(
        r["tab"], r["id"], r["kind"], r["day"], r["amount_gbp"], r["symbol"], r["ex_date"], r["new_symbol"],
        r["new_units"], r["cost_share"], r["at"], r["recorded_by"], r["why"], r["created_at"], _voided(r),
    )  # fmt: skip


def _voided(r: dict[str, Any]) -> Voided | None:
    return Voided(r["void_by"], r["void_at"], r["void_why"]) if r["void_by"] else None


def names(conn: psycopg.Connection[Any]) -> dict[str, str]:
    """Every name the desk knows, with what eToro calls it: `NVDA` to `NVDA, NVIDIA`."""
    rows = conn.execute(
        "SELECT i.symbol, (SELECT u.notes FROM ops.config_universe u WHERE u.internal_symbol = i.symbol "
        "ORDER BY u.version DESC LIMIT 1) AS said FROM ops.instruments i ORDER BY i.symbol"
    )
    return {r["symbol"]: f"{r['symbol']}, {r['said']}" if r["said"] else r["symbol"] for r in rows}
