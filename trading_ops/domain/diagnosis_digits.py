"""How people mistype numbers: two neighbouring digits swapped, the decimal point moved, pence for pounds."""

from collections.abc import Iterator
from decimal import Decimal

from trading_ops.domain.values import ZERO, exact, half_even

SLIPS = (1, 2, 3)
"""Powers of ten by which a decimal point is moved."""


def swapped(value: Decimal, places: int) -> Iterator[Decimal]:
    """Every number that differs from a typed one by one exchange of two neighbouring digits, across the point too.

    Args:
        value: The number, >= 0.
        places: Decimals typed; further ones are rounded away.
    """
    with exact():
        digits = format(half_even(value, places).scaleb(places), "f").partition(".")[0].zfill(places + 1)
    digits = "0" + digits  # a zero in front that was swapped inwards is not seen any more
    found = set()
    for place in range(len(digits) - 1):
        one, other = digits[place], digits[place + 1]
        if one != other:
            found.add(digits[:place] + other + one + digits[place + 2 :])
    with exact():
        numbers = [Decimal(text).scaleb(-places) for text in sorted(found)]
    yield from numbers


def slipped(value: Decimal) -> Iterator[Decimal]:
    """The number with its decimal point moved by one to three places, both ways."""
    with exact():
        numbers = [value.scaleb(way * power) for power in SLIPS for way in (-1, 1)]
    yield from numbers


def slip_of_snapshot(ledger: Decimal, shown: Decimal, places: int) -> Decimal | None:
    """The ledger's number if the shown one is it with the point moved (at least two digits agree), else None."""
    if ledger <= ZERO or shown <= ZERO:
        return None
    with exact():
        for power in (*SLIPS, 4, 5, 6):
            for moved, left in ((shown.scaleb(-power), places + power), (shown.scaleb(power), places - power)):
                rounded = half_even(ledger, max(left, 0))
                if rounded == moved and len(moved.normalize().as_tuple().digits) >= 2:
                    return rounded
    return None


def swap_of_snapshot(ledger: Decimal, shown: Decimal, places: int) -> bool:
    """The shown number is the ledger's with two neighbouring digits swapped, at the decimals typed."""
    right = half_even(ledger, places)
    return right in set(swapped(shown, places)) or shown in set(swapped(right, places))


def decimals(value: Decimal) -> int:
    """Decimals of a number without trailing zeros."""
    exponent = value.normalize().as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0
