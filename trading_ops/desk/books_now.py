"""The books as they stand, straight from the database: no data snapshot is built for a page that is only looked at.

Belongs here: the ledger's facts with the splits that count, values at a session, dividends that ought to come.
Does not belong here: what a plan sees (`planning.inputs`), the comparison with the broker (`reconciling`).
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

import psycopg

from trading_ops.domain import calendar
from trading_ops.domain.dividends import ExpectedDividend
from trading_ops.domain.ledger import LedgerFacts, LedgerState, expected_dividends, ledger_at
from trading_ops.domain.policy import Policy
from trading_ops.domain.prices import CorporateAction, Fixing
from trading_ops.domain.values import ZERO, Session, Symbol, exact
from trading_ops.store import audit, chosen, configuration, ledger


@dataclass(frozen=True)
class Books:
    """Every fact in force and the market data that decides what it is worth.

    Attributes:
        facts: Fills, movements, events and the splits of every name ever held.
        actions: Corporate actions of those names, by name.
        fixings: Dollars for one pound, by day, since the first fact.
        policy: The policy in force.
        head: The audit row up to which facts were read.
        key: Equal for equal books: what is worked out of them may be kept by it.
    """

    facts: LedgerFacts
    actions: Mapping[Symbol, tuple[CorporateAction, ...]]
    fixings: tuple[Fixing, ...]
    policy: Policy
    head: int
    key: tuple[object, ...] = ()

    @cached_property
    def first_day(self) -> dt.date | None:
        """The day of the oldest fact, or None in an empty book."""
        days = [m.day for m in self.facts.movements] + [f.session for f in self.facts.fills]
        return min(days, default=None)

    def fixing(self, day: dt.date) -> Fixing | None:
        """The last fixing on or before a day."""
        return next((f for f in reversed(self.fixings) if f.day <= day), None)

    def at(self, asof: dt.date) -> LedgerState:
        """Positions, lots and cash at the close of a day."""
        return ledger_at(_until(self.facts, asof), asof)

    def dividends(self, through: Session) -> tuple[ExpectedDividend, ...]:
        """Dividends earned through a session, booked or not."""
        return expected_dividends(self.facts, self.actions, through, self.policy.ledger.withholding, self.fixing)


@dataclass(frozen=True)
class Values:
    """What is held at a session, in dollars a unit and in pounds.

    Attributes:
        closes: Raw close in USD by held name; the newest on or before the session.
        priced_on: The session of each of those closes.
        values_gbp: Pounds by held name; a name without any bar, or without a fixing, is absent.
        equity_gbp: Cash and values in pounds.
        complete: Every held name has its bar of the session itself, and there is a fixing.
    """

    asof: Session
    ledger: LedgerState
    closes: Mapping[Symbol, Decimal]
    priced_on: Mapping[Symbol, Session]
    usd_per_gbp: Decimal | None
    values_gbp: Mapping[Symbol, Decimal]
    equity_gbp: Decimal
    complete: bool


_LAST: dict[tuple[object, ...], Books] = {}


def books(conn: psycopg.Connection[Any]) -> Books:
    """The books as of now; read again only when a fact, a price or the policy was added since."""
    policy = configuration.policy_in_force(conn)
    where = f"{conn.info.host}:{conn.info.port}/{conn.info.dbname}"
    facts = ("ledger_trades_fills", "ledger_cash_movements", "ledger_events", "ledger_voids", "price_loads")
    # The key before the facts: what comes in between is read now under the old key, and again under its own.
    key = (where, policy.version, audit.newest_of(conn, facts))
    kept = _LAST.get(key)
    if kept is None:  # two people may ask at once: each has its own answer in hand
        kept = _read(conn, policy.policy, audit.head(conn).seq, key)
        _LAST.clear()
        _LAST[key] = kept
    return kept


def _read(conn: psycopg.Connection[Any], policy: Policy, head: int, key: tuple[object, ...]) -> Books:
    fills, movements, events = ledger.fills(conn, head), ledger.movements(conn, head), ledger.events(conn, head)
    names = {f.symbol for f in fills} | {e.new_symbol for e in events if e.new_symbol}
    days = [m.day for m in movements] + [f.session for f in fills]
    first = min(days, default=chosen.LAST_DAY)
    known = chosen.actions(conn, policy.data, first, chosen.LAST_DAY, sorted(names)) if names else ()
    actions: dict[Symbol, list[CorporateAction]] = {}
    for action in known:
        actions.setdefault(action.symbol, []).append(action)
    splits = tuple(a for a in known if a.kind == "split")
    fixings = chosen.fixings(conn, policy.data, first - dt.timedelta(days=21), chosen.LAST_DAY) if days else ()
    by_name = {symbol: tuple(found) for symbol, found in actions.items()}
    return Books(LedgerFacts(fills, movements, splits, events), by_name, fixings, policy, head, key)


def _until(facts: LedgerFacts, day: dt.date) -> LedgerFacts:
    """Splits announced for days to come are not yet facts of a day."""
    return LedgerFacts(facts.fills, facts.movements, tuple(s for s in facts.splits if s.ex_date <= day), facts.events)


def values(conn: psycopg.Connection[Any], of: Books, asof: Session) -> Values:
    """What is held at the close of a session, and what it is worth.

    Raises:
        LedgerError: The facts do not fit together; the text names the one.
    """
    state = of.at(asof)
    bars = newest_closes(conn, of.policy, sorted(state.positions), asof)
    fixing = of.fixing(asof)
    closes = {symbol: close for symbol, (_, close) in bars.items()}
    priced_on = {symbol: session for symbol, (session, _) in bars.items()}
    worth: dict[Symbol, Decimal] = {}
    with exact():
        for symbol, position in state.positions.items():
            if fixing is not None and symbol in closes:
                worth[symbol] = position.units * _after_splits(of, symbol, closes[symbol], priced_on[symbol], asof)
                worth[symbol] /= fixing.usd_per_gbp
        equity = state.cash_gbp + sum(worth.values(), ZERO)
    rate = fixing.usd_per_gbp if fixing else None
    complete = all(priced_on.get(symbol) == asof for symbol in state.positions)
    complete = complete and (rate is not None or not state.positions)
    return Values(asof, state, closes, priced_on, rate, worth, equity, complete)


def _after_splits(of: Books, symbol: Symbol, close: Decimal, since: Session, asof: Session) -> Decimal:
    """A close of an older session in units of this one."""
    for split in of.facts.unique_splits():
        if split.symbol == symbol and since < split.ex_date <= asof:
            close /= split.value
    return close


def newest_closes(
    conn: psycopg.Connection[Any], policy: Policy, symbols: list[Symbol], asof: Session
) -> dict[Symbol, tuple[Session, Decimal]]:
    """The newest raw close in USD on or before a session, with its session, at most a fortnight old, by name."""
    if not symbols:
        return {}
    rows = conn.execute(
        "SELECT DISTINCT ON (symbol) symbol, session, close FROM ops.market_prices_eod "
        "WHERE session BETWEEN %(first)s AND %(asof)s AND symbol = ANY(%(symbols)s) AND source = ANY(%(order)s) "
        "AND close > 0 ORDER BY symbol, session DESC, array_position(%(order)s::text[], source), revision DESC",
        {
            "first": asof - dt.timedelta(days=14), "asof": asof, "symbols": symbols,
            "order": list(policy.data.source_order),
        },
    )  # fmt: skip
    return {r["symbol"]: (r["session"], r["close"]) for r in rows}


def newest_session(conn: psycopg.Connection[Any], now: dt.datetime) -> Session:
    """The newest session that is over and has bars; the last that is over when none has."""
    over = calendar.last_closed(now)
    row = conn.execute("SELECT max(session) AS last FROM ops.market_prices_eod WHERE session <= %s", (over,)).fetchone()
    return row["last"] if row and row["last"] else over
