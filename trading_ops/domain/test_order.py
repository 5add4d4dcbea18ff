"""The one order of a test ticket: the smallest that counts, in the best name that may be bought.

It is real, so every gate and risk rule judges it. Does not belong here: the weekly orders (`sizing`).
"""

from decimal import ROUND_CEILING

from trading_ops.domain.orders import Order, Sizing, SizingInput, equity, price_of
from trading_ops.domain.policy import Policy
from trading_ops.domain.targets import by_rank, may_take_seat
from trading_ops.domain.values import ZERO, exact, half_even


def size_test(inp: SizingInput, policy: Policy) -> Sizing:
    """A BUY of the minimum order, rounded up to whole pounds.

    Args:
        inp: The plan's facts.
        policy: `sizing.minimum_order_gbp` is its size, `sizing.cash_floor` what cash must stay.

    Returns:
        One order in the best-ranked name that may take a seat, is not held and has no split pending; none when there
        is no such name, the desk only sells, or the cash would fall below the floor.
    """
    worth = equity(inp)
    with exact():
        pounds = policy.sizing.minimum_order_gbp.to_integral_value(ROUND_CEILING)
        room = inp.cash_gbp - policy.sizing.cash_floor * worth
        names = [
            s for s in inp.ranks
            if may_take_seat(inp, s) and s not in inp.split_pending and inp.units.get(s, ZERO) == ZERO
        ]  # fmt: skip
        if inp.reducing or room < pounds or not names:
            return Sizing(worth, (), (), ())
        best = min(names, key=lambda s: by_rank(inp, s))
        price = price_of(inp, best)
        units = half_even(pounds * inp.usd_per_gbp / price, 6)
        order = Order(1, best, "BUY", "buy", units, pounds, price, inp.asof, inp.ranks[best], False)
    return Sizing(worth, (), (order,), ())
