"""Exact numbers: how they are read, rounded and written. No float ever decides money here."""

import datetime as dt
import decimal
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from typing import TypeAlias

Symbol: TypeAlias = str
"""The desk's internal symbol, as in the universe: `BRK.B`."""

Session: TypeAlias = dt.date
"""A date of the New York exchange calendar."""

ZERO = Decimal(0)
ONE = Decimal(1)
UNIT_PLACES = 6
"""Decimals of a unit at the broker (fractional shares)."""
PENCE_PLACES = 2

EXACT = decimal.Context(
    prec=50,
    rounding=ROUND_HALF_EVEN,
    traps=[
        decimal.InvalidOperation,
        decimal.DivisionByZero,
        decimal.Overflow,
        decimal.FloatOperation,
    ],
)
"""50 significant digits; mixing in a float is an error. The context is per thread, so enter it."""


@contextmanager
def exact() -> Iterator[decimal.Context]:
    """Run a calculation in the EXACT context, whatever the thread's own context says."""
    with decimal.localcontext(EXACT) as context:
        yield context


def from_float(value: float) -> Decimal:
    """The decimal that a float's shortest text names: 0.1 is 0.1, not 0.1000000000000000055."""
    return Decimal(repr(float(value)))


def _quantise(value: Decimal, places: int, rounding: str) -> Decimal:
    with exact():
        rounded = value.quantize(Decimal(1).scaleb(-places), rounding=rounding)
    return rounded if rounded else abs(rounded)  # -0 and 0 must be the same bytes


def down(value: Decimal, places: int) -> Decimal:
    """Round towards zero to a number of decimal places."""
    return _quantise(value, places, ROUND_DOWN)


def up(value: Decimal, places: int) -> Decimal:
    """Round towards plus infinity to a number of decimal places."""
    return _quantise(value, places, ROUND_CEILING)


def half_even(value: Decimal, places: int) -> Decimal:
    """Round to the nearest, ties to even, to a number of decimal places."""
    return _quantise(value, places, ROUND_HALF_EVEN)


def plain(value: Decimal) -> str:
    """The one text of a number: no exponent, no trailing zeros, zero is `0`."""
    if not value:
        return "0"
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def fixed(value: Decimal, places: int) -> str:
    """A number with exactly so many decimals (half even), for hashed content: `fixed(D('2'), 2) == '2.00'`."""
    return format(half_even(value, places), "f")


def money(amount: Decimal) -> str:
    """An amount as a screen shows it: two decimals, and more only where there are more."""
    cents = half_even(amount, PENCE_PLACES)
    return fixed(amount, PENCE_PLACES) if cents == amount else plain(amount)
