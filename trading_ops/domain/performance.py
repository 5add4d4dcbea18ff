"""How the book did: TWR index, drawdown, MWR, benchmark, exposure, turnover, slippage (RULES, Performance).

Rates and shares are plain fractions (0.1 is 10 %). Nothing here decides a trade but the drawdown.
"""

import datetime as dt
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from trading_ops.domain.errors import TradingOpsError
from trading_ops.domain.prices import MarketView
from trading_ops.domain.valuation import EquityPoint
from trading_ops.domain.values import ONE, ZERO, Session, Symbol, exact, half_even

DAYS_PER_YEAR = Decimal("365.25")
"""Of `annualised`; XIRR counts actual/365 by its own definition."""
XIRR_DAYS = Decimal(365)
XIRR_PLACES = 10
_XIRR_WIDTH = Decimal("1e-13")
_XIRR_MAX_DOUBLINGS = 400
_FULL_YEAR = 365


@dataclass(frozen=True, slots=True)
class IndexPoint:
    """An index at the close of a session; it started at 1."""

    session: Session
    index: Decimal


def twr_index(points: Sequence[EquityPoint]) -> tuple[IndexPoint, ...]:
    """The time-weighted index, linked daily: r = E_t / (E_t-1 + F_t) - 1, flows at the start of their day.

    Args:
        points: Equity of consecutive sessions, ascending. The first one's `opening_gbp` is what it starts from;
            without it, nothing was there before.

    Returns:
        One point a session from the first money on; the index is 1 before the first of them. On a day with no capital
        at work at its start (base not above 0) the index stays where it is: there is no return to speak of.
    """
    index = ONE
    linked: list[IndexPoint] = []
    with exact():
        previous = points[0].opening_gbp or ZERO if points else ZERO
        for point in points:
            base = previous + point.flow_gbp
            if base > ZERO:
                index *= point.equity_gbp / base
            if base > ZERO or linked:
                linked.append(IndexPoint(point.session, index))
            previous = point.equity_gbp
    return tuple(linked)


def drawdown(index_points: Sequence[IndexPoint], since: dt.date | None) -> Decimal:
    """Share lost from the running maximum: 1 - index / maximum, at the last point.

    Args:
        index_points: From `twr_index`, ascending.
        since: Day of the last re-arming, or None. It starts a new maximum, at the last index on or before that day.

    Returns:
        0 at a maximum, 0.2 when 20 % are lost; 0 without points.
    """
    if not index_points:
        return ZERO
    before = [p.index for p in index_points if since is not None and p.session <= since]
    start = before[-1] if before else ONE
    after = [p.index for p in index_points if since is None or p.session > since]
    with exact():
        return ONE - index_points[-1].index / max((start, *after))


def xirr(flows: Sequence[tuple[dt.date, Decimal]], final: tuple[dt.date, Decimal]) -> Decimal | None:
    """The money-weighted return a year (MWR): the rate at which all flows grow into the final equity, actual/365.

    Found by bisection between total loss and the first doubling that is too much, so it is the same on every machine;
    it solves sum of F_i x (1 + r)^((T - t_i) / 365) = E_T.

    Args:
        flows: (day, pounds): deposits above 0, withdrawals below 0. Those after the final day do not count.
        final: (day, equity in pounds).

    Returns:
        The rate, 10 decimals half even; None when no rate exists (no deposit, no time passed).
    """
    end, equity = final
    by_age: dict[int, Decimal] = {}
    with exact():
        for day, amount in flows:
            if day <= end:
                age = (end - day).days
                by_age[age] = by_age.get(age, ZERO) + amount
        terms = [(Decimal(age) / XIRR_DAYS, amount) for age, amount in sorted(by_age.items()) if age and amount]
        owed = equity - by_age.get(0, ZERO)

        def surplus(growth: Decimal) -> Decimal:
            return sum((amount * growth**years for years, amount in terms), ZERO) - owed

        if not terms or surplus(ZERO) > ZERO:
            return None
        low, high = ZERO, ONE
        for _ in range(_XIRR_MAX_DOUBLINGS):
            if surplus(high) >= ZERO:
                break
            low, high = high, high * 2
        else:
            return None
        while high - low > _XIRR_WIDTH * max(high, ONE):
            middle = (low + high) / 2
            low, high = (low, middle) if surplus(middle) >= ZERO else (middle, high)
        return half_even(high - ONE, XIRR_PLACES)


def annualised(total_return: Decimal, days: int) -> Decimal | None:
    """A return over some days as a rate a year: (1 + r)^(365.25 / days) - 1.

    Args:
        total_return: r, a fraction, not below -1.
        days: Calendar days from first to last.

    Returns:
        The rate (50 digits), or None below one year (365 days): a few good weeks are not a good year.
    """
    if days < _FULL_YEAR:
        return None
    with exact():
        growth = ONE + total_return
        return growth ** (DAYS_PER_YEAR / Decimal(days)) - ONE


def benchmark_index(market: MarketView, symbol: Symbol, sessions: Sequence[Session]) -> tuple[IndexPoint, ...]:
    """The benchmark in pounds on the same days: adjusted close / G, divided by its value at the first session.

    Args:
        market: Bars of the benchmark and fixings.
        symbol: Policy `data.benchmark`.
        sessions: Those of the book's index, ascending.

    Returns:
        One point a session, the first is 1. A session without bar repeats the one before.

    Raises:
        TradingOpsError: The first session has no bar or no fixing.
    """
    points: list[IndexPoint] = []
    first: Decimal | None = None
    index = ONE
    days = [fixing.day for fixing in market.fixings]
    with exact():
        for session in sessions:
            bar, known = market.bar(symbol, session), bisect_right(days, session)
            if bar is not None and known:
                pounds = bar.adj_close / market.fixings[known - 1].usd_per_gbp
                first = first or pounds
                index = pounds / first
            if first is None:
                raise TradingOpsError(f"no {symbol} bar or no GBPUSD fixing on {session}. Load it, or start later.")
            points.append(IndexPoint(session, index))
    return tuple(points)


def exposure(point: EquityPoint) -> Decimal:
    """Share of equity that is invested; 0 without equity."""
    with exact():
        return point.holdings_gbp / point.equity_gbp if point.equity_gbp > ZERO else ZERO


def turnover(buys_gbp: Decimal, sells_gbp: Decimal, equity_gbp: Decimal) -> Decimal:
    """Turnover of a plan: max(buys, sells) / E; 0 without equity."""
    with exact():
        return max(buys_gbp, sells_gbp) / equity_gbp if equity_gbp > ZERO else ZERO


def slippage(price_usd: Decimal, reference_usd: Decimal, side: Literal["BUY", "SELL"]) -> Decimal:
    """Share lost against the reference price: (price / reference - 1) x side, side +1 for BUY and -1 for SELL.

    Above 0 is worse than the reference. The reference price must be above 0.
    """
    with exact():
        return (price_usd / reference_usd - ONE) * (ONE if side == "BUY" else -ONE)
