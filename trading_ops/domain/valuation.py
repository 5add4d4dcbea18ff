"""What the book was worth: raw closes, each session's own units and the last fixing on or before it.

Then-units at then-prices, never today's adjusted prices: a split leaves equity where it was.
"""

import datetime as dt
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from trading_ops.domain.errors import LedgerError
from trading_ops.domain.ledger_book import Fact, Replay
from trading_ops.domain.ledger_facts import CashMovement, LedgerFacts
from trading_ops.domain.lots import Lot
from trading_ops.domain.prices import MarketView
from trading_ops.domain.values import ZERO, Session, Symbol, exact


@dataclass(frozen=True, slots=True)
class EquityPoint:
    """Equity in pounds at the close of a session.

    Attributes:
        flow_gbp: Deposits and withdrawals (negative) since the previous point's day, this day included.
        complete: False when a held name had no close that session and its last known one stood in.
        opening_gbp: Equity before this point's flow. Only a series' first point carries it: 0 when the book began here,
            the evening before otherwise. Later points open with the equity of the one before.
    """

    session: Session
    cash_gbp: Decimal
    holdings_gbp: Decimal
    equity_gbp: Decimal
    flow_gbp: Decimal
    complete: bool
    opening_gbp: Decimal | None = None


def equity_series(facts: LedgerFacts, market: MarketView, sessions: Sequence[Session]) -> tuple[EquityPoint, ...]:
    """Equity at the close of each session, in one pass over the facts.

    A flow on a day between two sessions counts for the later one. A missing close is stood in for by the last known
    raw close with the ledger's splits since then applied, or, if there never was one, by the newest lot's price.

    Args:
        facts: The ledger's facts.
        market: Raw closes and fixings.
        sessions: Ascending.

    Raises:
        LedgerError: The facts do not fit together, or there is no fixing on or before a session with holdings.
        ValueError: The sessions are not ascending.
    """
    days = tuple(sessions)
    if any(later <= earlier for earlier, later in pairwise(days)):
        raise ValueError("equity_series: sessions must ascend, each once")
    if not days:
        return ()
    with exact():
        valuer = _Valuer(facts, market)
        before = valuer.close_of(days[0] - dt.timedelta(days=1), None)
        first = valuer.close_of(days[0], before.equity_gbp)
        return (first, *(valuer.close_of(day, None) for day in days[1:]))


class _Valuer:
    """Walks the ledger forward and values it day by day; lives inside one `exact()`."""

    def __init__(self, facts: LedgerFacts, market: MarketView) -> None:
        self._replay = Replay(facts)
        self._market = market
        self._fixing_days = [f.day for f in market.fixings]
        self._splits: dict[Symbol, list[tuple[Session, Decimal]]] = {}
        for split in facts.unique_splits():
            self._splits.setdefault(split.symbol, []).append((split.ex_date, split.value))
        self._known: dict[Symbol, list[Session]] = {}
        self._units: dict[Symbol, Decimal] = {}
        self._flow = ZERO

    def close_of(self, day: dt.date, opening_gbp: Decimal | None) -> EquityPoint:
        """Apply the facts through a day and value what is held at its close."""
        self._flow = ZERO
        if self._replay.advance(day, self._note_flow):
            self._units = {symbol: self._replay.book.units(symbol) for symbol in self._replay.book.lots}
        holdings, complete = ZERO, True
        if self._units:
            usd_per_gbp = self._rate(day)
            for symbol, units in self._units.items():
                price, is_todays = self._price(symbol, day)
                holdings += units * price / usd_per_gbp
                complete = complete and is_todays
        cash = self._replay.book.cash_gbp
        return EquityPoint(day, cash, holdings, cash + holdings, self._flow, complete, opening_gbp)

    def _note_flow(self, fact: Fact) -> None:
        if isinstance(fact, CashMovement) and fact.is_flow:
            self._flow += fact.amount_gbp

    def _rate(self, day: dt.date) -> Decimal:
        place = bisect_right(self._fixing_days, day)
        if not place:
            raise LedgerError(f"no GBPUSD fixing on or before {day}, so holdings have no pounds. Load the fixings.")
        return self._market.fixings[place - 1].usd_per_gbp

    def _price(self, symbol: Symbol, day: dt.date) -> tuple[Decimal, bool]:
        close = self._close(symbol, day)
        return (close, True) if close is not None else (self._last_known(symbol, day), False)

    def _close(self, symbol: Symbol, day: dt.date) -> Decimal | None:
        bar = self._market.bar(symbol, day)
        return bar.close if bar is not None and bar.close.is_finite() and bar.close > ZERO else None

    def _last_known(self, symbol: Symbol, day: dt.date) -> Decimal:
        if symbol not in self._known:
            self._known[symbol] = sorted(self._market.bars.get(symbol, ()))
        known = self._known[symbol]
        for place in range(bisect_right(known, day) - 1, -1, -1):
            close = self._close(symbol, known[place])
            if close is not None:
                return self._after_splits(symbol, close, known[place], day)
        newest: Lot = self._replay.book.lots[symbol][-1]
        return newest.price_usd

    def _after_splits(self, symbol: Symbol, price: Decimal, seen_on: Session, day: dt.date) -> Decimal:
        for ex_date, ratio in self._splits.get(symbol, ()):
            if seen_on < ex_date <= day:
                price /= ratio
        return price
