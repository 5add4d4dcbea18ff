"""Sizing, steps 3 to 5: which differences are traded, rounded at once, and in which order.

Does not belong here: what the caps leave of it (`sizing`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from trading_ops.domain.orders import DeferCode, Deferred, Group, Order, SizingInput, Target, pounds
from trading_ops.domain.policy import Policy
from trading_ops.domain.targets import is_tradable
from trading_ops.domain.values import UNIT_PLACES, ZERO, Symbol, down, exact, half_even

GROUPS: tuple[Group, ...] = ("must_sell", "exit", "trim", "buy")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the plan would order without caps, in line order, and what no limit in pounds could give a line."""

    sells: tuple[Order, ...]
    buys: tuple[Order, ...]
    deferred: tuple[Deferred, ...]


def wanted_orders(inp: SizingInput, targets: Iterable[Target], equity_gbp: Decimal, policy: Policy) -> Wanted:
    """Turn differences into rounded orders in line order (RULES, Sizing 3, 4 and 5).

    Args:
        inp: The plan's facts.
        targets: The plan's targets, in any order.
        equity_gbp: E.
        policy: The numbers.

    Returns:
        Orders without line numbers and lots. A name with a pending split has none: it is deferred.
    """
    orders: list[Order] = []
    deferred: list[Deferred] = []
    for target in targets:
        order = _sell(inp, target, equity_gbp, policy) or _buy(inp, target, policy)
        if order is None:
            continue
        code = _blocked(inp, order)
        if code is None:
            orders.append(order)
        else:
            deferred.append(deferral(order, code, _BLOCKED[code]))
    orders.sort(key=line_order)
    deferred.sort(key=lambda d: (d.side == "BUY", d.symbol))
    return Wanted(
        sells=tuple(o for o in orders if o.side == "SELL"),
        buys=tuple(o for o in orders if o.side == "BUY"),
        deferred=tuple(deferred),
    )


def smallest_order(target_gbp: Decimal, policy: Policy) -> Decimal:
    """Pounds below which a name with this target is not traded: max(band x T, minimum order)."""
    with exact():
        return max(policy.sizing.band * target_gbp, policy.sizing.minimum_order_gbp)


def line_order(order: Order) -> tuple[int, int, int, Symbol]:
    """Sort key of the lines: groups a, b, c, then buys. Sells unranked, then worst rank first; buys best first."""
    group = GROUPS.index(order.group)
    if order.side == "BUY":
        return (group, 0 if order.rank is not None else 1, order.rank or 0, order.symbol)
    return (group, 0 if order.rank is None else 1, -(order.rank or 0), order.symbol)


def deferral(order: Order, code: DeferCode, sentence: str) -> Deferred:
    """The order as one that waits, with its full pounds."""
    return Deferred(order.symbol, order.side, order.amount_gbp, code, sentence)


_BLOCKED: dict[DeferCode, str] = {
    "SPLIT_PENDING": "a split comes before or on the day of the window",
    "FROZEN": "its data is suspect, so it is not bought",
    "UNBUYABLE": "it was not traded at the as-of session, so it is not bought",
}


def _blocked(inp: SizingInput, order: Order) -> DeferCode | None:
    if order.symbol in inp.split_pending:
        return "SPLIT_PENDING"
    if order.side == "BUY" and order.symbol in inp.frozen:
        return "FROZEN"
    if order.side == "BUY" and order.symbol in inp.unbuyable:
        return "UNBUYABLE"
    return None


def _sell(inp: SizingInput, target: Target, equity_gbp: Decimal, policy: Policy) -> Order | None:
    if target.units <= ZERO:
        return None
    with exact():
        # v / E > max weight, written so that a book worth nothing needs no division.
        overweight = target.value_gbp > policy.sizing.max_weight * equity_gbp
        too_much = -target.difference_gbp
    if not target.seat:
        must = overweight or not is_tradable(inp, target.symbol)
        return _sale(inp, target, "must_sell" if must else "exit", target.units, leaves=True)
    if too_much <= ZERO or (too_much < smallest_order(target.target_gbp, policy) and not overweight):
        return None
    # A target of nothing sells all: going to pounds and back could leave a millionth of a unit for ever.
    units = sale_units(inp, target.price_usd, too_much) if target.target_gbp else target.units
    if units <= ZERO:
        return None  # less than a millionth of a unit: nothing the broker could sell
    return _sale(inp, target, "must_sell" if overweight else "trim", min(units, target.units), leaves=False)


def sale_units(inp: SizingInput, price_usd: Decimal, amount_gbp: Decimal) -> Decimal:
    """Units worth at most so many pounds, to 6 decimals, rounded down."""
    with exact():
        return down(amount_gbp * inp.usd_per_gbp / price_usd, UNIT_PLACES)


def _sale(inp: SizingInput, target: Target, group: Group, units: Decimal, *, leaves: bool) -> Order:
    return Order(
        line=0,
        symbol=target.symbol,
        side="SELL",
        group=group,
        units=units,
        amount_gbp=pounds(inp, units, target.price_usd),
        price_usd=target.price_usd,
        price_session=inp.asof,
        rank=target.rank,
        exit=leaves,
    )


def _buy(inp: SizingInput, target: Target, policy: Policy) -> Order | None:
    smallest = smallest_order(target.target_gbp, policy)
    if not target.seat or target.difference_gbp < smallest:
        return None
    amount = down(target.difference_gbp, 0)
    if amount < smallest:
        return None  # rounding took it below: dropped, not deferred
    return Order(
        line=0,
        symbol=target.symbol,
        side="BUY",
        group="buy",
        units=expected_units(inp, target.price_usd, amount),
        amount_gbp=amount,
        price_usd=target.price_usd,
        price_session=inp.asof,
        rank=target.rank,
        exit=False,
    )


def expected_units(inp: SizingInput, price_usd: Decimal, amount_gbp: Decimal) -> Decimal:
    """Units that a purchase should bring: pounds x G / P, to 6 decimals, half even."""
    with exact():
        return half_even(amount_gbp * inp.usd_per_gbp / price_usd, UNIT_PLACES)
