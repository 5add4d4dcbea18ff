"""The account check: cash and holdings as a person reads them off, once, at the digits typed.

Belongs here: the form's content becomes a broker snapshot. A statement file is `statement_import`.
Does not belong here: the comparison with the ledger (`reconciling`).
"""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg

from trading_ops.desk import books_now
from trading_ops.desk.reconciling import session_seen
from trading_ops.domain.broker_snapshot import SnapshotHolding
from trading_ops.domain.calendar import LONDON
from trading_ops.domain.errors import BadInput
from trading_ops.domain.values import UNIT_PLACES, ZERO, half_even, plain
from trading_ops.store import broker, submissions
from trading_ops.store.submissions import Sent

CLOCK_SLACK = dt.timedelta(minutes=5)
LATE = dt.timedelta(days=8)
"""Older than this, a check cannot clear the gate any more; it is kept for its own day."""


@dataclass(frozen=True)
class Expected:
    """A holding that the ledger has, to be filled in: name, units, and how eToro calls it."""

    symbol: str
    name: str
    units: Decimal


def expected_holdings(conn: psycopg.Connection[Any], now: dt.datetime) -> tuple[Expected, ...]:
    """What the ledger holds now, by symbol: the fields of the form."""
    of = books_now.books(conn)
    state = of.at(session_seen(now))
    rows = conn.execute(
        "SELECT DISTINCT ON (internal_symbol) internal_symbol, etoro_search_name, notes FROM ops.config_universe "
        "ORDER BY internal_symbol, version DESC"
    ).fetchall()
    said = {r["internal_symbol"]: r["notes"] or r["etoro_search_name"] for r in rows}
    return tuple(Expected(s, said.get(s, s), p.units) for s, p in sorted(state.positions.items()) if p.units > ZERO)


def odd_against_ledger(held: Expected | None, typed: SnapshotHolding) -> str:
    """What to look at again about a holding, as a sentence; empty when the ledger has the same at those digits."""
    if held is None:
        return "The desk does not know that you hold this. Is it the right name? If eToro shows it, keep it."
    ours = half_even(held.units, min(typed.places, UNIT_PLACES))
    if typed.units == ours:
        return ""
    return (
        f"The desk has {plain(held.units)} units of {held.symbol}. Look at Units in the position once more. "
        "If eToro really shows this, keep it: the difference is looked into."
    )


def record(
    conn: psycopg.Connection[Any],
    submission_id: uuid.UUID,
    *,
    taken_at: dt.datetime,
    cash_gbp: Decimal,
    holdings: Mapping[str, SnapshotHolding],
    username: str,
    now: dt.datetime,
) -> Sent:
    """Store what the account showed, once.

    Args:
        conn: A connection inside a transaction, the person named.
        submission_id: Made by the page before the button was shown.
        taken_at: When it was read off, aware UTC.
        cash_gbp: Available cash in pounds.
        holdings: Units and digits typed, by symbol. A holding typed as 0 is one that is not there.
        username: The person.
        now: The moment, aware UTC.

    Raises:
        BadInput: The time has not come, or more decimals than eToro shows.
        UnknownSymbol: A holding is no name of the desk.
    """
    if taken_at > now + CLOCK_SLACK:
        shown = taken_at.astimezone(LONDON)
        raise BadInput(f"account check: {shown:%d %b %Y %H:%M} has not come yet. Enter when you looked.")
    for symbol, holding in holdings.items():
        if holding.places > UNIT_PLACES:
            raise BadInput(f"account check: {symbol} has {holding.places} decimals; eToro shows at most {UNIT_PLACES}.")

    def work() -> dict[str, object]:
        snapshot_id = broker.add_snapshot(
            conn, taken_at=taken_at, session=session_seen(taken_at), cash_gbp=cash_gbp,
            holdings={symbol: (h.units, h.places) for symbol, h in holdings.items()},
            origin="the page", entered_by=username,
        )  # fmt: skip
        return {"snapshot_id": str(snapshot_id)}

    content: dict[str, object] = {
        "taken_at": taken_at.astimezone(dt.UTC).isoformat(),
        "cash_gbp": plain(cash_gbp),
        "holdings": {symbol: [plain(h.units), h.places] for symbol, h in sorted(holdings.items())},
    }
    return submissions.once(conn, submission_id, "account_check", taken_at.date().isoformat(), content, username, work)
