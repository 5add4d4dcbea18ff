"""Sizing with a defect, one a rule of the risk engine: what correct sizing can never give it to refuse."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from trading_ops.domain import calendar
from trading_ops.domain.orders import Order, SizingInput, Target, equity, pounds
from trading_ops.domain.policy import Policy
from trading_ops.domain.sizing import Sizing, size_orders, size_targets

WrongSizing = Callable[[SizingInput, tuple[Target, ...], Policy], Sizing]
Rewrite = Callable[[SizingInput, tuple[Order, ...]], list[Order]]


def rewritten(rewrite: Rewrite) -> WrongSizing:
    """Correct sizing, its orders changed afterwards."""

    def size(inp: SizingInput, targets: tuple[Target, ...], policy: Policy) -> Sizing:
        right = size_orders(inp, targets, policy)
        lines = rewrite(inp, right.orders)
        return replace(right, orders=tuple(replace(order, line=n) for n, order in enumerate(lines, start=1)))

    return size


def with_policy(**numbers: Any) -> WrongSizing:
    """Correct sizing by other numbers of the policy's section `sizing`."""

    def size(inp: SizingInput, _: tuple[Target, ...], policy: Policy) -> Sizing:
        other = policy.model_copy(update={"sizing": policy.sizing.model_copy(update=numbers)})
        return size_orders(inp, size_targets(inp, other), other)

    return size


def buy(inp: SizingInput, symbol: str, amount_gbp: int) -> Order:
    """A BUY line that nobody wanted."""
    price, amount = inp.prices_usd[symbol], Decimal(amount_gbp)
    units = round(amount * inp.usd_per_gbp / price, 6)
    return Order(0, symbol, "BUY", "buy", units, amount, price, inp.asof, inp.ranks.get(symbol), exit=False)


def sell(inp: SizingInput, symbol: str, units: Decimal) -> Order:
    """A SELL line that nobody wanted."""
    price = inp.prices_usd[symbol]
    amount = pounds(inp, units, price)
    return Order(0, symbol, "SELL", "trim", units, amount, price, inp.asof, inp.ranks.get(symbol), exit=False)


def not_held(inp: SizingInput) -> list[str]:
    """Expected names with a price that nobody holds."""
    return [
        symbol for symbol in inp.universe.expected(inp.asof) if symbol not in inp.units and symbol in inp.prices_usd
    ]


def too_many_names(inp: SizingInput, _: tuple[Order, ...]) -> list[Order]:
    """21 names in all, each bought one for £100."""
    return [buy(inp, symbol, 100) for symbol in not_held(inp)[: 21 - len(inp.units)]]


def too_much_of_one(inp: SizingInput, _: tuple[Order, ...]) -> list[Order]:
    """A name that has its weight already, again."""
    return [buy(inp, min(inp.units), 1900)]


def more_than_is_held(inp: SizingInput, _: tuple[Order, ...]) -> list[Order]:
    """One unit more than there are."""
    symbol = min(inp.units)
    return [sell(inp, symbol, inp.units[symbol] + 1)]


def with_leverage(_: SizingInput, orders: tuple[Order, ...]) -> list[Order]:
    """The first line at x2."""
    return [replace(orders[0], leverage=2), *orders[1:]]


def an_etf(inp: SizingInput, _: tuple[Order, ...]) -> list[Order]:
    """The benchmark: an ETF that the broker only has as a CFD."""
    return [buy(inp, "SPY", 100)]


def too_small(inp: SizingInput, orders: tuple[Order, ...]) -> list[Order]:
    """A BUY of £10."""
    return [buy(inp, orders[0].symbol, 10)]


def into_the_floor(inp: SizingInput, orders: tuple[Order, ...]) -> list[Order]:
    """A BUY that leaves half of the cash floor."""
    bought = next(order.symbol for order in orders if order.side == "BUY")
    return [buy(inp, bought, int(inp.cash_gbp - equity(inp) / 100))]


def too_large(inp: SizingInput, orders: tuple[Order, ...]) -> list[Order]:
    """A BUY of more than the largest weight, which the tolerance of MAX_WEIGHT lets pass."""
    return [buy(inp, orders[0].symbol, int(equity(inp) * Decimal("0.102")))]


def yesterdays_price(_: SizingInput, orders: tuple[Order, ...]) -> list[Order]:
    """A reference price of the session before."""
    return [replace(orders[0], price_session=calendar.previous_session(orders[0].price_session)), *orders[1:]]


def another_price(_: SizingInput, orders: tuple[Order, ...]) -> list[Order]:
    """A reference price that is not the close."""
    return [replace(orders[0], price_usd=orders[0].price_usd + Decimal("0.01")), *orders[1:]]


def buying(symbol: str) -> Rewrite:
    """£100 of one name."""
    return lambda inp, _: [buy(inp, symbol, 100)]


def blind_to_splits(inp: SizingInput, targets: tuple[Target, ...], policy: Policy) -> Sizing:
    """Lines for names whose split is announced for the window's day."""
    return size_orders(replace(inp, split_pending=frozenset()), targets, policy)


def blind_to_verification(inp: SizingInput, _: tuple[Target, ...], policy: Policy) -> Sizing:
    """Lines for names that nobody looked up on eToro."""
    never = replace(inp, verified_since=dt.date.min, book="sim")
    return size_orders(never, size_targets(never, policy), policy)


def no_orders(_: SizingInput, __: tuple[Order, ...]) -> list[Order]:
    """Nothing at all."""
    return []
