"""What the book was worth over time, and its returns, from as few valuations as give the exact figures.

Between two flows the time-weighted return needs the first and the last value only, so it is valued around each flow,
at the as-of session, and at as many sessions between as a chart shows.
Does not belong here: the definitions (`domain.performance`), values at one session (`books_now`).
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg

from trading_ops.desk import books_now
from trading_ops.desk.books_now import Books
from trading_ops.domain import calendar
from trading_ops.domain.ledger import LedgerFacts, equity_series
from trading_ops.domain.ledger_book import Replay
from trading_ops.domain.performance import IndexPoint, annualised, twr_index, xirr
from trading_ops.domain.prices import Bar, MarketView
from trading_ops.domain.valuation import EquityPoint
from trading_ops.domain.values import ONE, ZERO, Session, Symbol, exact


@dataclass(frozen=True)
class Returns:
    """How the book did up to a session.

    Attributes:
        points: Equity at the sessions valued, ascending.
        index: The time-weighted index at the same sessions, from the first money on.
        paid_in_gbp: Deposits less withdrawals.
        twr: Time-weighted return since the first money, a fraction; None without money.
        twr_a_year: The same a year; None below one year.
        mwr: Money-weighted return a year, a fraction; None where no rate exists.
    """

    points: tuple[EquityPoint, ...]
    index: tuple[IndexPoint, ...]
    paid_in_gbp: Decimal
    twr: Decimal | None
    twr_a_year: Decimal | None
    mwr: Decimal | None


def returns(conn: psycopg.Connection[Any], of: Books, asof: dt.date, chart_points: int = 0) -> Returns:
    """The returns from the first fact through the close of a day.

    Args:
        conn: A connection.
        of: The books.
        asof: The day; a day without a session counts as the last session before it, with that day's cash.
        chart_points: About how many further sessions are valued between, evenly spread.

    Raises:
        LedgerError: The facts do not fit together.
    """
    flows = [(m.day, m.amount_gbp) for m in of.facts.movements if m.is_flow and m.day <= asof]
    paid_in = sum((amount for _, amount in flows), ZERO)
    if of.first_day is None or of.first_day > asof:
        return Returns((), (), paid_in, None, None, None)
    points = valued(conn, of, _days(of, flows, asof, chart_points))
    index = twr_index(points)
    if not index:
        return Returns(points, (), paid_in, None, None, None)
    with exact():
        twr = index[-1].index - ONE
    years = annualised(twr, (asof - index[0].session).days)
    return Returns(points, index, paid_in, twr, years, xirr(flows, (asof, points[-1].equity_gbp)))


def valued(conn: psycopg.Connection[Any], of: Books, days: Sequence[dt.date]) -> tuple[EquityPoint, ...]:
    """Equity at the close of each of some days, ascending; the first opens with what came before.

    Raises:
        LedgerError: The facts do not fit together.
    """
    if not days:
        return ()
    splits = tuple(s for s in of.facts.splits if s.ex_date <= days[-1])
    facts = LedgerFacts(of.facts.fills, of.facts.movements, splits, of.facts.events)
    return equity_series(facts, _market(conn, of, facts, days), days)


def _days(of: Books, flows: Sequence[tuple[dt.date, Decimal]], asof: dt.date, between: int) -> tuple[dt.date, ...]:
    """The days to value: each flow's session and the one before it, the first, the last, and some between."""
    assert of.first_day is not None
    sessions = calendar.sessions(of.first_day, asof)
    wanted = {asof, *(sessions[:1])}
    for day, _ in flows:
        counts = day if calendar.is_session(day) else calendar.next_session(day)
        wanted |= {counts, calendar.previous_session(counts)}
    if between and sessions:
        step = max(1, len(sessions) // between)
        wanted |= set(sessions[::-1][::step])
    return tuple(sorted(day for day in wanted if of.first_day <= day <= asof))


def _market(conn: psycopg.Connection[Any], of: Books, facts: LedgerFacts, days: Sequence[dt.date]) -> MarketView:
    """The closes of what was held on each of the days, and the fixings."""
    held: list[tuple[dt.date, Symbol]] = []
    with exact():
        replay = Replay(facts)
        for day in days:
            replay.advance(day)
            held += [(day, symbol) for symbol in sorted(replay.book.lots)]
    bars: dict[Symbol, dict[Session, Bar]] = {}
    for symbol, session, close in _closes(conn, of, held):
        bars.setdefault(symbol, {})[session] = _bar(symbol, session, close)
    lacking: dict[dt.date, list[Symbol]] = {}
    for day, symbol in held:
        if day not in bars.get(symbol, {}):
            lacking.setdefault(day, []).append(symbol)
    for day, symbols in lacking.items():  # no bar on that day: the newest before it
        for symbol, (session, close) in books_now.newest_closes(conn, of.policy, symbols, day).items():
            bars.setdefault(symbol, {})[session] = _bar(symbol, session, close)
    return MarketView(days[-1], bars, (), {}, of.fixings)


def _closes(
    conn: psycopg.Connection[Any], of: Books, held: Sequence[tuple[dt.date, Symbol]]
) -> list[tuple[Symbol, Session, Decimal]]:
    rows = conn.execute(
        "SELECT h.symbol, h.day AS session, b.close "
        "FROM unnest(%(days)s::date[], %(symbols)s::text[]) AS h(day, symbol) "
        "CROSS JOIN LATERAL (SELECT m.close FROM ops.market_prices_eod m WHERE m.session = h.day "
        "AND m.symbol = h.symbol AND m.source = ANY(%(order)s) AND m.close > 0 "
        "ORDER BY array_position(%(order)s::text[], m.source), m.revision DESC LIMIT 1) b",
        {
            "days": [day for day, _ in held], "symbols": [symbol for _, symbol in held],
            "order": list(of.policy.data.source_order),
        },
    )  # fmt: skip
    return [(r["symbol"], r["session"], r["close"]) for r in rows]


def _bar(symbol: Symbol, session: Session, close: Decimal) -> Bar:
    return Bar(symbol, session, close, close, close, close, close, ZERO, "")
