"""Sizing, steps 6 to 8: what the turnover cap and the cash leave of the wanted orders, and the lots they close.

This module is the door to sizing: its types are those of `orders`, its first two steps those of `targets`.
Does not belong here: the risk checks, which judge the result with arithmetic of their own (`risk`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from trading_ops.domain.lots import Lot
from trading_ops.domain.orders import (
    DeferCode,
    Deferred,
    Group,
    LotClose,
    Order,
    Side,
    Sizing,
    SizingError,
    SizingInput,
    Target,
    equity,
    pounds,
)
from trading_ops.domain.policy import Policy
from trading_ops.domain.targets import size_targets
from trading_ops.domain.values import UNIT_PLACES, ZERO, Symbol, down, exact, fixed, plain
from trading_ops.domain.wanted import deferral, expected_units, sale_units, smallest_order, wanted_orders

__all__ = [
    "DeferCode",
    "Deferred",
    "Group",
    "Lot",
    "LotClose",
    "Order",
    "Side",
    "Sizing",
    "SizingError",
    "SizingInput",
    "Target",
    "close_lots",
    "equity",
    "size_orders",
    "size_targets",
]


@dataclass
class _Walk:
    """Orders in line order against one sum of pounds: kept, cut or left."""

    kept: list[Order] = field(default_factory=list)
    deferred: list[Deferred] = field(default_factory=list)
    notes: dict[Symbol, str] = field(default_factory=dict)
    full: bool = False
    total_gbp: Decimal = ZERO

    def keep(self, order: Order) -> None:
        with exact():
            self.total_gbp += order.amount_gbp
        self.kept.append(order)

    def keep_cut(self, order: Order, wanted: Order) -> None:
        self.keep(order)
        self.notes[order.symbol] = f"{order.side} cut from {_gbp(wanted.amount_gbp)} to {_gbp(order.amount_gbp)}"

    def defer(self, order: Order, code: DeferCode, sentence: str) -> None:
        self.deferred.append(deferral(order, code, sentence))
        self.notes[order.symbol] = f"{order.side} of {_gbp(order.amount_gbp)} waits: {sentence}"


def size_orders(inp: SizingInput, targets: tuple[Target, ...], policy: Policy) -> Sizing:
    """Turn targets into the plan's orders (RULES, Sizing 3 to 8).

    Args:
        inp: The plan's facts.
        targets: What `size_targets` made of the same facts; their order does not matter.
        policy: The numbers.

    Returns:
        Orders numbered in line order, and everything that was wanted and has to wait, with its reason.

    Raises:
        SizingError: The lots of a name are fewer units than a sale needs, or a price is missing.
    """
    total = equity(inp)
    wanted = wanted_orders(inp, targets, total, policy)
    sells = _walk_sells(inp, wanted.sells, total, policy)
    room = _room_for_buys(inp, total, sells.total_gbp, policy)
    buys = _walk_buys(inp, wanted.buys, {t.symbol: t for t in targets}, room, policy)
    notes = {d.symbol: f"{d.side} waits: {d.sentence}" for d in wanted.deferred} | sells.notes | buys.notes
    return Sizing(
        equity_gbp=total,
        targets=tuple(replace(t, note=f"{t.note}; {notes[t.symbol]}") if t.symbol in notes else t for t in targets),
        orders=tuple(_lines(inp.lots, (*sells.kept, *buys.kept))),
        deferred=(*wanted.deferred, *sells.deferred, *buys.deferred),
    )


def _walk_sells(inp: SizingInput, sells: Iterable[Order], total: Decimal, policy: Policy) -> _Walk:
    """Step 6: group (a) is never cut but counted; the first other sell that does not fit is cut, the rest waits."""
    walk = _Walk()
    with exact():
        cap = policy.sizing.turnover_cap * total
        reason = f"turnover cap of {_percent(policy.sizing.turnover_cap)} reached"
        for order in sells:
            if order.group == "must_sell" or (not walk.full and walk.total_gbp + order.amount_gbp <= cap):
                walk.keep(order)
                continue
            room = cap - walk.total_gbp
            cut = None if walk.full or room < policy.sizing.minimum_order_gbp else _cut_sale(inp, order, room)
            walk.full = True
            if cut is None:
                walk.defer(order, "TURNOVER_CAP", reason)
            else:
                walk.keep_cut(cut, order)
    return walk


def _cut_sale(inp: SizingInput, order: Order, room: Decimal) -> Order | None:
    units = sale_units(inp, order.price_usd, room)
    with exact():
        if pounds(inp, units, order.price_usd) > room:
            # A quotient rounded up in its 50th digit may reach the next unit: the cap wins.
            units -= Decimal(1).scaleb(-UNIT_PLACES)
    if units <= ZERO:
        return None  # a millionth of a unit costs more than the room
    return replace(order, units=units, amount_gbp=pounds(inp, units, order.price_usd), exit=False)


@dataclass(frozen=True, slots=True)
class _Room:
    """Pounds that buys may spend, and which limit it is that binds."""

    gbp: Decimal
    code: DeferCode
    reason: str


def _room_for_buys(inp: SizingInput, total: Decimal, sold_gbp: Decimal, policy: Policy) -> _Room:
    s = policy.sizing
    if inp.reducing:
        return _Room(ZERO, "KILL_SWITCH", "the kill switch is REDUCING: sells only")
    with exact():
        cap = s.turnover_cap * total
        cash = inp.cash_gbp + s.sell_haircut * sold_gbp - s.cash_floor * total
    if cap <= cash:
        return _Room(cap, "TURNOVER_CAP", f"turnover cap of {_percent(s.turnover_cap)} reached")
    return _Room(cash, "CASH", f"not enough certain cash above the floor of {_percent(s.cash_floor)}")


def _walk_buys(
    inp: SizingInput, buys: Iterable[Order], targets: Mapping[Symbol, Target], room: _Room, policy: Policy
) -> _Walk:
    """Step 7: the first buy that does not fit is cut to whole pounds if that is worth an order; the rest waits."""
    walk = _Walk()
    with exact():
        for order in buys:
            if not walk.full and walk.total_gbp + order.amount_gbp <= room.gbp:
                walk.keep(order)
                continue
            left = down(room.gbp - walk.total_gbp, 0)
            worth_it = left >= smallest_order(targets[order.symbol].target_gbp, policy)
            if walk.full or not worth_it:
                # Dropped, says the rule; it is listed all the same, because it was wanted and a person may ask.
                walk.defer(order, room.code, room.reason)
            else:
                units = expected_units(inp, order.price_usd, left)
                walk.keep_cut(replace(order, amount_gbp=left, units=units), order)
            walk.full = True
    return walk


def _lines(lots: Mapping[Symbol, tuple[Lot, ...]], orders: Iterable[Order]) -> Iterable[Order]:
    for number, order in enumerate(orders, start=1):
        closes = close_lots(order.symbol, order.units, lots.get(order.symbol, ())) if order.side == "SELL" else ()
        yield replace(order, line=number, lots=closes)


def close_lots(symbol: Symbol, units: Decimal, lots: tuple[Lot, ...]) -> tuple[LotClose, ...]:
    """Step 8: the lots that a sale closes, oldest first, whole lots before a part of the next.

    Args:
        symbol: The name.
        units: Units to sell.
        lots: Its open lots, oldest first.

    Raises:
        SizingError: The lots together are fewer units.
    """
    closes: list[LotClose] = []
    left = units
    with exact():
        for lot in lots:
            if left <= ZERO:
                break
            part = min(lot.units, left)
            closes.append(LotClose(lot.lot_id, symbol, lot.opened_on, part, lot.position_id, part == lot.units))
            left -= part
    if left > ZERO:
        raise SizingError(
            f"{symbol}: a sale of {plain(units)} units, but its open lots are {plain(left)} units short. "
            "Reconcile the ledger before the next plan."
        )
    return tuple(closes)


def _gbp(amount: Decimal) -> str:
    return f"£{fixed(amount, 2)}"


def _percent(share: Decimal) -> str:
    with exact():
        return f"{plain(share * 100)} %"
