"""What the risk checks read, and their own arithmetic over it.

Every figure is worked out here again from units, prices and pounds, never taken over from sizing:
an error there must not be able to excuse itself here. Only the type of an order is shared.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from trading_ops.domain.books import Book
from trading_ops.domain.errors import TradingOpsError
from trading_ops.domain.orders import Order
from trading_ops.domain.policy import Policy
from trading_ops.domain.universe import Universe
from trading_ops.domain.values import ZERO, Session, Symbol, exact, fixed

KillState: TypeAlias = Literal["ACTIVE", "REDUCING", "HALTED", "PAUSED"]

GRAIN = Decimal("1e-30")
"""Pounds. Sums of 50-digit quotients taken in another order may differ by less; no price is as fine as this."""

PENNY = Decimal("0.01")


class NotDerivable(TradingOpsError):
    """A figure cannot be worked out from the facts; the check that needs it fails."""


@dataclass(frozen=True, slots=True)
class KillSwitch:
    """The desk's state, since when (the running maximum starts there) and the reason a person or rule gave."""

    state: KillState
    since: Session | None
    reason: str


@dataclass(frozen=True)
class RiskInput:
    """Everything that the risk checks judge, at the close of the as-of session D.

    Attributes:
        asof: D.
        orders: The plan's lines.
        units: Ledger units at D, before the lines.
        prices_usd: Raw closes, each of the session that `price_sessions` says.
        price_sessions: The session of each price.
        usd_per_gbp: Dollars for one pound.
        cash_gbp: Ledger cash.
        equity_gbp: E as the plan states it; checked against the one worked out here.
        universe: The names of the plan's universe.
        book: UNVERIFIED_NAME holds for the live book only.
        kill_switch: The desk's state.
        drawdown: Share lost from the running maximum of the TWR index since the last re-arming.
        split_pending: Names with a split ex-date after D up to and including the window's day.
        verified_since: The oldest `verified_on` that still counts.
    """

    asof: Session
    orders: tuple[Order, ...]
    units: Mapping[Symbol, Decimal]
    prices_usd: Mapping[Symbol, Decimal]
    price_sessions: Mapping[Symbol, Session]
    usd_per_gbp: Decimal
    cash_gbp: Decimal
    equity_gbp: Decimal
    universe: Universe
    book: Book
    kill_switch: KillSwitch
    drawdown: Decimal
    split_pending: frozenset[Symbol]
    verified_since: dt.date

    @property
    def buys(self) -> tuple[Order, ...]:
        """The lines that are not plainly a sale; an unknown side is judged as the riskier one."""
        return tuple(o for o in self.orders if o.side != "SELL")

    @property
    def sells(self) -> tuple[Order, ...]:
        """The lines that sell."""
        return tuple(o for o in self.orders if o.side == "SELL")


def worth(inp: RiskInput, symbol: Symbol, units: Decimal) -> Decimal:
    """Units of a name in pounds at its price of D.

    Raises:
        NotDerivable: There is no price, or price or fixing is not above 0.
    """
    price = inp.prices_usd.get(symbol)
    if price is None:
        raise NotDerivable(f"{symbol} has no price of {inp.asof}")
    if not price > ZERO or not inp.usd_per_gbp > ZERO:
        raise NotDerivable(f"the price of {symbol} or the fixing is not above 0")
    with exact():
        return units * price / inp.usd_per_gbp


def values(inp: RiskInput) -> dict[Symbol, Decimal]:
    """What each held name is worth in pounds before the lines, by symbol."""
    return {s: worth(inp, s, inp.units[s]) for s in sorted(inp.units) if inp.units[s] != ZERO}


def equity_gbp(inp: RiskInput) -> Decimal:
    """Cash and values in pounds.

    Raises:
        NotDerivable: The plan states another equity, by a penny or more.
    """
    with exact():
        own = sum(values(inp).values(), inp.cash_gbp)
        if abs(own - inp.equity_gbp) >= PENNY:
            raise NotDerivable(
                f"the plan states equity £{fixed(inp.equity_gbp, 2)}, units and prices make £{fixed(own, 2)}"
            )
    return own


def bought_gbp(inp: RiskInput) -> Decimal:
    """Pounds of all buys."""
    with exact():
        return sum((o.amount_gbp for o in inp.buys), ZERO)


def sold_gbp(inp: RiskInput, without: frozenset[Symbol] = frozenset()) -> Decimal:
    """Pounds of all sales at the prices of D, some names left out."""
    with exact():
        return sum((worth(inp, o.symbol, o.units) for o in inp.sells if o.symbol not in without), ZERO)


def must_sell(inp: RiskInput, policy: Policy) -> frozenset[Symbol]:
    """Held names that are no longer enabled or tradable, or weigh more than the largest weight: group (a)."""
    heaviest = _share(policy.sizing.max_weight, equity_gbp(inp))
    return frozenset(s for s, v in values(inp).items() if v > heaviest or not _tradable(inp, s))


def units_after(inp: RiskInput) -> dict[Symbol, Decimal]:
    """Units of each name after the sales; buys are counted in pounds, not here."""
    after = dict(inp.units)
    with exact():
        for order in inp.sells:
            after[order.symbol] = after.get(order.symbol, ZERO) - order.units
    return after


def names_after(inp: RiskInput) -> frozenset[Symbol]:
    """Names held after all lines."""
    kept = {s for s, u in units_after(inp).items() if u != ZERO}
    return frozenset(kept | {o.symbol for o in inp.buys})


def values_after(inp: RiskInput) -> dict[Symbol, Decimal]:
    """Pounds of each name after all lines: sales at the prices of D, buys at what is typed in."""
    after = {s: worth(inp, s, u) for s, u in units_after(inp).items() if u != ZERO}
    with exact():
        for order in inp.buys:
            after[order.symbol] = after.get(order.symbol, ZERO) + order.amount_gbp
    return after


def certain_cash(inp: RiskInput, policy: Policy) -> Decimal:
    """Cash in pounds with the sales counted at the haircut, before the buys."""
    with exact():
        return inp.cash_gbp + policy.sizing.sell_haircut * sold_gbp(inp)


def at_most(left: Decimal, right: Decimal) -> bool:
    """left <= right, apart from the last digits of 50."""
    with exact():
        return left <= right + GRAIN


def _share(share: Decimal, of: Decimal) -> Decimal:
    with exact():
        return share * of


def _tradable(inp: RiskInput, symbol: Symbol) -> bool:
    row = inp.universe.instruments.get(symbol)
    return row is not None and row.enabled and row.tradable_underlying and row.instrument_type == "stock"
