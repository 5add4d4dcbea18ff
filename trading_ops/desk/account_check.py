"""The account check: cash and holdings as a person reads them off, stored once, at the digits typed.

Belongs here: what the ledger has at that moment, and the form's content becoming a broker snapshot.
Does not belong here: how the typed texts are read (`check_form`), a statement file (`statement_import`), the
comparison that counts (`reconciling`).
"""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg

from trading_ops.desk import books_now, operator_note
from trading_ops.desk.reconciling import session_seen
from trading_ops.domain.broker_snapshot import BrokerSnapshot, SnapshotHolding, compared_session, ledger_as_seen
from trading_ops.domain.drift import compare
from trading_ops.domain.errors import BadInput, Refused
from trading_ops.domain.ticket_words import clock, london_day, long_day
from trading_ops.domain.values import UNIT_PLACES, ZERO, plain
from trading_ops.store import broker, submissions
from trading_ops.store.submissions import Sent

CLOCK_SLACK = dt.timedelta(minutes=5)
ONE_AT_A_TIME = 7301005


@dataclass(frozen=True)
class Expected:
    """A holding that the ledger has: symbol, what people call it, units."""

    symbol: str
    name: str
    units: Decimal


@dataclass(frozen=True)
class Against:
    """What the ledger has at a moment, for the form to ask gently where the account shows something else.

    Attributes:
        holdings: By symbol.
        names: What people call every name that the desk knows, by symbol.
        cash_gbp: Cash in pounds.
        cash_lowest: The least cash that nothing is asked about.
        cash_highest: The most, dividends on their way included.
        max_age_days: A check older than this cannot clear the gate.
        newest: Id of the check that was entered last, empty when there is none.
    """

    holdings: Mapping[str, Expected]
    names: Mapping[str, str]
    cash_gbp: Decimal
    cash_lowest: Decimal
    cash_highest: Decimal
    max_age_days: int
    newest: str


class CheckedMeanwhile(Refused):
    """Another account check was entered since the page was drawn; this one was not stored."""


def known_names(conn: psycopg.Connection[Any]) -> dict[str, str]:
    """What people call every name that any universe had, by symbol."""
    rows = conn.execute(
        "SELECT DISTINCT ON (internal_symbol) internal_symbol, etoro_search_name, notes FROM ops.config_universe "
        "ORDER BY internal_symbol, version DESC"
    ).fetchall()
    return {r["internal_symbol"]: r["notes"] or r["etoro_search_name"] for r in rows}


def against(conn: psycopg.Connection[Any], at: dt.datetime) -> Against:
    """What the ledger has at a moment, aware UTC."""
    of = books_now.books(conn)
    nothing = BrokerSnapshot("", at, session_seen(at), ZERO, {})
    state = ledger_as_seen(nothing, of.facts)
    worth = books_now.values(conn, of, books_now.newest_session(conn, at)).equity_gbp
    through = compared_session(nothing, of.facts)
    cash = compare(nothing, of.facts, worth, of.dividends(through), of.policy.reconciliation).differences[-1]
    names = known_names(conn)
    held = {s: Expected(s, names.get(s, s), p.units) for s, p in sorted(state.positions.items()) if p.units > ZERO}
    return Against(
        held, names, state.cash_gbp, state.cash_gbp + cash.lowest, state.cash_gbp + cash.highest,
        of.policy.reconciliation.snapshot_max_age, newest_check(conn),
    )  # fmt: skip


def newest_check(conn: psycopg.Connection[Any]) -> str:
    """Id of the check that was entered last, whatever its day; empty when there is none."""
    row = conn.execute("SELECT snapshot_id FROM ops.broker_snapshots ORDER BY audit_seq DESC LIMIT 1").fetchone()
    return str(row["snapshot_id"]) if row else ""


def record(
    conn: psycopg.Connection[Any],
    submission_id: uuid.UUID,
    *,
    taken_at: dt.datetime,
    cash_gbp: Decimal,
    holdings: Mapping[str, SnapshotHolding],
    username: str,
    now: dt.datetime,
    unknown: Sequence[tuple[str, str]] = (),
    seen: str | None = None,
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
        unknown: Names the desk does not know, with the units as typed; the operator is told, and nothing waits.
        seen: The newest check that the page knew (`Against.newest`); None where nobody looked.

    Raises:
        BadInput: The time has not come, or more decimals than eToro shows.
        CheckedMeanwhile: Another check was entered since, with other content.
        UnknownSymbol: A holding is no name of the desk.
    """
    if taken_at > now + CLOCK_SLACK:
        when = f"{long_day(london_day(taken_at))}, {clock(taken_at)}"
        raise BadInput(f"account check: {when} has not come yet. Enter when you looked.")
    for symbol, holding in holdings.items():
        if holding.places > UNIT_PLACES:
            raise BadInput(f"account check: {symbol} has {holding.places} decimals; eToro shows at most {UNIT_PLACES}.")

    def work() -> dict[str, object]:
        conn.execute("SELECT pg_advisory_xact_lock(%s)", (ONE_AT_A_TIME,))
        if seen is not None and (same := _entered_since(conn, seen, cash_gbp, holdings)):
            return {"snapshot_id": same}
        snapshot_id = broker.add_snapshot(
            conn, taken_at=taken_at, session=session_seen(taken_at), cash_gbp=cash_gbp,
            holdings={symbol: (h.units, h.places) for symbol, h in holdings.items()},
            origin="the page", entered_by=username,
        )  # fmt: skip
        for name, units in unknown:
            details = {"units_typed": units, "taken_at": taken_at.isoformat(), "entered_by": username}
            operator_note.unknown_name(conn, name, "in the account check", details, key=f"{snapshot_id}:{name}")
        return {"snapshot_id": str(snapshot_id)}

    content: dict[str, object] = {
        "taken_at": taken_at.astimezone(dt.UTC).isoformat(),
        "cash_gbp": plain(cash_gbp),
        "holdings": {symbol: [plain(h.units), h.places] for symbol, h in sorted(holdings.items())},
        "unknown": [list(pair) for pair in unknown],
    }
    return submissions.once(conn, submission_id, "account_check", taken_at.date().isoformat(), content, username, work)


def _entered_since(
    conn: psycopg.Connection[Any], seen: str, cash_gbp: Decimal, holdings: Mapping[str, SnapshotHolding]
) -> str:
    """The check that was entered since with the very same content; empty when none was entered.

    Raises:
        CheckedMeanwhile: One was entered since, with other content.
    """
    newest = newest_check(conn)
    if newest == seen:
        return ""
    row = conn.execute("SELECT * FROM ops.broker_snapshots WHERE snapshot_id = %s", (newest,)).fetchone()
    assert row is not None
    held = conn.execute(
        "SELECT symbol, units, places FROM ops.broker_snapshot_holdings WHERE snapshot_id = %s", (newest,)
    ).fetchall()
    typed = {s: (h.units, h.places) for s, h in holdings.items() if h.units > ZERO}
    if row["cash_gbp"] == cash_gbp and {h["symbol"]: (h["units"], h["places"]) for h in held} == typed:
        return newest
    raise CheckedMeanwhile(
        f"{row['entered_by']} entered an account check at {clock(row['created_at'])}, while this page was open. "
        "Yours was not stored. If yours is the newer look, press Save again."
    )
