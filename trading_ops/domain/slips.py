"""Slips of the fingers: two neighbouring digits swapped, a decimal point in the wrong place.

Belongs here: whether one number is another one mistyped. Does not belong here: what is asked about it (`plausibility`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Literal

from trading_ops.domain.values import ONE, ZERO, exact, plain

POWERS = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class Slip:
    """What probably happened, which number was meant, and the sentence that asks about it."""

    kind: Literal["DIGITS_SWAPPED", "POINT_MOVED"]
    meant: Decimal
    sentence: str


def near(number: Decimal, expected: Decimal, share: Decimal) -> bool:
    """Within a share of what is expected; False when that is not above 0."""
    with exact():
        return expected > ZERO and abs(number / expected - ONE) <= share


def likely_slip(typed: Decimal, expected: Decimal, share: Decimal) -> Slip | None:
    """The slip that turns what was expected into what was typed, or None.

    Args:
        typed: The number as typed, > 0.
        expected: What it should have been, about.
        share: How far from it the number meant may be; 0 for exactly it. Half of it for swapped digits: a number has
            many swaps, and one of them comes near to anything.

    Returns:
        None too when the typed number is what was expected.
    """
    if expected <= ZERO or typed == expected or (share and near(typed, expected, share)):
        return None
    fitting = [meant for meant in neighbours_swapped(typed) if near(meant, expected, share / 2)]
    if fitting:
        meant = min(fitting, key=lambda number: abs(number - expected))
        return Slip("DIGITS_SWAPPED", meant, f"Are two digits swapped in {plain(typed)}?")
    with exact():
        for power in POWERS:
            for meant in (typed.scaleb(-power), typed.scaleb(power)):
                if near(meant, expected, share):
                    times = 10**power
                    how = "too large" if meant < typed else "too small"
                    return Slip("POINT_MOVED", meant, f"{plain(typed)} looks {times} times {how}: is the point right?")
    return None


def neighbours_swapped(number: Decimal) -> Iterator[Decimal]:
    """Every number that two neighbouring digits, swapped back, would give; the point stays where it is."""
    text = format(number, "f")  # as typed: a 0 at the end may be one of the two
    places = [i for i, c in enumerate(text) if c.isdigit()]
    for left, right in pairwise(places):
        leads_with_0 = left == 0 and text[right] == "0" and text[1] != "."
        if text[left] != text[right] and not leads_with_0:
            digits = list(text)
            digits[left], digits[right] = digits[right], digits[left]
            yield Decimal("".join(digits))
