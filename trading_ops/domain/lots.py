"""Lots: what one purchase left, how splits change it and how sales close it.

Pounds of cost never change by a split; dollars per unit do.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from trading_ops.domain.values import ONE, UNIT_PLACES, ZERO, Session, Symbol, exact, half_even


@dataclass(frozen=True, slots=True)
class Lot:
    """Units that one purchase opened and nothing has closed yet.

    Attributes:
        lot_id: The fill that opened it; lots that a corporate event made carry the event's id behind it.
        opened_on: Session of the purchase.
        units: Open units, > 0, splits applied.
        cost_gbp: Pounds paid for these units, fee included.
        price_usd: Purchase price per unit in USD, splits applied.
        position_id: The broker's Position ID, when known.
    """

    lot_id: str
    symbol: Symbol
    opened_on: Session
    units: Decimal
    cost_gbp: Decimal
    price_usd: Decimal
    position_id: str | None


@dataclass(frozen=True, slots=True)
class Position:
    """All open lots of one name, oldest first. `cost_gbp` is their cost, fees included."""

    symbol: Symbol
    units: Decimal
    lots: tuple[Lot, ...]
    cost_gbp: Decimal


@dataclass(frozen=True, slots=True)
class RealisedLot:
    """A lot, or part of one, that was closed; pounds of the day it was bought and of the day it was sold.

    Attributes:
        closed_by: The fill or corporate event that closed it.
        units: Units closed.
        cost_gbp: Their share of the lot's cost, fee included.
        proceeds_gbp: Their share of what came in, fee taken off.
    """

    lot_id: str
    symbol: Symbol
    opened_on: Session
    closed_on: Session
    closed_by: str
    units: Decimal
    cost_gbp: Decimal
    proceeds_gbp: Decimal

    @property
    def profit_gbp(self) -> Decimal:
        """Realised profit or loss in pounds: proceeds - cost (RULES, Ledger)."""
        with exact():
            return self.proceeds_gbp - self.cost_gbp


@dataclass(frozen=True, slots=True)
class LostFraction:
    """Units that rounding to 6 decimals took from a lot at a split (negative: gave to it)."""

    symbol: Symbol
    ex_date: Session
    lot_id: str
    units: Decimal


@dataclass(frozen=True, slots=True)
class LotPart:
    """Part of a lot, or all of it, on its way out."""

    lot: Lot
    units: Decimal
    cost_gbp: Decimal


def position_of(symbol: Symbol, lots: Sequence[Lot]) -> Position:
    """The position that these lots, oldest first, make up."""
    with exact():
        units = sum((lot.units for lot in lots), ZERO)
        cost = sum((lot.cost_gbp for lot in lots), ZERO)
    return Position(symbol, units, tuple(lots), cost)


def split_lot(lot: Lot, ratio: Decimal) -> tuple[Lot, Decimal]:
    """A lot after a split, and the units lost by rounding.

    Args:
        lot: The lot before the open of the ex-date.
        ratio: New units per old unit.

    Returns:
        The lot with units x ratio (6 decimals, half even) and price / ratio, and exact minus rounded units.
    """
    with exact():
        whole = lot.units * ratio
        units = half_even(whole, UNIT_PLACES)
        return replace(lot, units=units, price_usd=lot.price_usd / ratio), whole - units


def take_from_lots(
    lots: Sequence[Lot], units: Decimal, position_id: str | None, lot_ids: Sequence[str]
) -> tuple[tuple[Lot, ...], tuple[LotPart, ...]]:
    """Close units out of lots: the given position first, then the named lots, then oldest first.

    A sale larger than what it named goes on with the oldest lots: the broker did sell those units.

    Args:
        lots: Open lots, oldest first.
        units: Units to close, at most what the lots hold.
        position_id: The broker's Position ID that was closed, or None.
        lot_ids: Lots that the line named, in its order.

    Returns:
        The lots that stay, oldest first, and the parts that were closed, in the order of closing.

    Raises:
        ValueError: The lots hold fewer units.
    """
    named = {lot_id: place for place, lot_id in enumerate(lot_ids)}

    def turn(lot: Lot) -> tuple[bool, int]:
        is_position = position_id is not None and lot.position_id == position_id
        return not is_position, named.get(lot.lot_id, len(named))

    with exact():
        left = units
        taken: dict[str, Decimal] = {}
        parts: list[LotPart] = []
        for lot in sorted(lots, key=turn):  # stable: equal turns stay oldest first
            if left <= ZERO:
                break
            part = min(lot.units, left)
            left -= part
            cost = lot.cost_gbp if part == lot.units else lot.cost_gbp * part / lot.units
            taken[lot.lot_id] = part
            parts.append(LotPart(lot, part, cost))
        if left > ZERO:
            raise ValueError(f"{left} units more than the lots hold")
        costs = {part.lot.lot_id: part.cost_gbp for part in parts}
        kept = tuple(
            replace(lot, units=lot.units - taken[lot.lot_id], cost_gbp=lot.cost_gbp - costs[lot.lot_id])
            if lot.lot_id in taken
            else lot
            for lot in lots
            if taken.get(lot.lot_id) != lot.units
        )
    return kept, tuple(parts)


def share_out(amount: Decimal, weights: Sequence[Decimal], places: int | None = None) -> tuple[Decimal, ...]:
    """Divide an amount in proportion to weights so that the shares add up to it.

    Args:
        amount: What is divided.
        weights: One weight a share, > 0.
        places: Decimals of each share, or None for 50 digits.

    Returns:
        One share a weight, none negative when the amount is not. The running sum is rounded, so nothing is lost.
    """
    with exact():
        total = sum(weights, ZERO)
        shares: list[Decimal] = []
        passed = given = ZERO
        for weight in weights:
            passed += weight
            upto = amount if passed == total else amount * passed / total
            upto = upto if places is None or passed == total else half_even(upto, places)
            shares.append(upto - given)
            given = upto
    return tuple(shares)


def scaled(lot: Lot, *, lot_id: str, symbol: Symbol, units: Decimal, cost_gbp: Decimal) -> Lot:
    """A lot's share in another name: same day of purchase, price in proportion to the cost that moved."""
    with exact():
        cost_share = cost_gbp / lot.cost_gbp if lot.cost_gbp else ONE
        price = lot.price_usd * cost_share * lot.units / units
    return Lot(lot_id, symbol, lot.opened_on, units, cost_gbp, price, None)
