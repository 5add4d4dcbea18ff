"""What a person types on a phone becomes a number or a time, or a gentle question. Nothing here raises.

Belongs here: how digits, points, commas and currency signs are read. The door to `typed_clock`, which reads times.
Does not belong here: whether the number fits the ticket's line (`plausibility`), or what is stored (`store.answers`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Literal, TypeAlias

from trading_ops.domain.fill_limits import LARGEST
from trading_ops.domain.typed_clock import LONGEST, TypedTime, tidy, typed_time
from trading_ops.domain.values import PENCE_PLACES, UNIT_PLACES, ZERO, exact, plain

__all__ = ["Kind", "Typed", "TypedTime", "typed_number", "typed_time"]

Kind: TypeAlias = Literal["units", "price", "value", "fee", "cash"]
"""units of a holding; price in USD; value, fee and available cash in pounds."""

LOOK_AT: Mapping[Kind, str] = MappingProxyType(
    {
        "units": 'Look at "Units" in the position\'s details on eToro',
        "price": 'Look at "Open Price" in the position on eToro (after a sale: "Close Price" in the history)',
        "value": "Look at the amount in £ that eToro shows for this trade",
        "fee": "Look at the fees in £ that eToro shows for this trade",
        "cash": 'Look at "Available" at the foot of the eToro portfolio',
    }
)
PLACES: Mapping[Kind, int] = MappingProxyType(
    {"units": UNIT_PLACES, "price": 8, "value": PENCE_PLACES, "fee": PENCE_PLACES, "cash": PENCE_PLACES}
)
_POUNDS = ("value", "fee", "cash")
_MAY_BE_ZERO = ("fee", "cash")
_MINUS = re.compile(r"^[£$]?\s*[-−–—]|[-−–—]$|^\(.*\)$")
_EXPONENT = re.compile(r"^[\d.,]+e[+-]?\d+$", re.IGNORECASE | re.ASCII)
_MARK = re.compile(r"^(£|\$|us\$|gbp|usd)\s*|\s*(£|\$|gbp|usd|units?)$", re.IGNORECASE)
_PENCE = re.compile(r"^([\d.,\s]+?)\s*(p|pence)$", re.IGNORECASE | re.ASCII)
_SPACED = re.compile(r"^\d{1,3}([ '’]\d{3})+([.,]\d+)?$", re.ASCII)
_COMMAS = re.compile(r"^\d{1,3}(,\d{3})+(\.\d*)?$", re.ASCII)
_DOTS = re.compile(r"^\d{1,3}(\.\d{3})+(,\d*)?$", re.ASCII)
_DECIMAL = re.compile(r"^\d+[.,]?\d*$|^[.,]\d+$", re.ASCII)
_EITHER_WAY = re.compile(r"^[1-9]\d{0,2}([.,])\d{3}$", re.ASCII)


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed and what it was read as.

    Attributes:
        value: The number, or None when it cannot be told.
        question: What to ask; empty when nothing is odd. With a value, it asks for a second look only.
        raw: The text exactly as typed.
        note: What it was read as, where it could have been read otherwise; to be shown beside the field.
    """

    value: Decimal | None
    question: str
    raw: str
    note: str = ""


def typed_number(text: str, kind: Kind, near: Decimal | None = None) -> Typed:
    """Read a number as a person types it: `1.5`, `1,5`, `1,234.56`, `1 234.56`, `£1,265.00`, `1.234,56`.

    Args:
        text: As typed, of any length and content.
        kind: What the field is for.
        near: About what is expected, to tell `1,234` (one thousand) from `1,234` (one and a bit); None when unknown.

    Returns:
        The number as typed, never rounded, with a question when it needs a second look; or no number and a question.
    """
    clean = tidy(text)
    unreadable = _unreadable(clean, kind)
    if unreadable:
        return Typed(None, unreadable, text)
    pence = _PENCE.match(clean)
    bare = pence.group(1) if pence else clean
    marks = {next(filter(None, m)).lower() for m in _MARK.findall(bare)}
    number, note = _read(_MARK.sub("", bare).lstrip("+"), kind, near)
    if number is None:
        return Typed(None, note or f"This is not one number. {LOOK_AT[kind]} and type it as 1234.56.", text)
    if pence:
        return _pence(number, kind, text)
    if number >= LARGEST or (number == ZERO and kind not in _MAY_BE_ZERO):
        how = "0" if number == ZERO else "a very large number"
        return Typed(None, f"This is {how}. {LOOK_AT[kind]} and type what it shows.", text)
    return Typed(number, _second_look(number, kind, near, marks, bare), text, note)


def _unreadable(clean: str, kind: Kind) -> str:
    """Why no number can be seen in a text at all; empty when one may be."""
    look = f"{LOOK_AT[kind]} and type it"
    rest = _MARK.sub("", _PENCE.sub(r"\1", clean))
    reasons = (
        (not clean, f"Nothing is typed here yet. {look}, for example 1234.56."),
        (len(clean) > LONGEST, f"This is too long for a number. {look}, the digits only."),
        (
            any(c.isnumeric() and not c.isascii() for c in clean),
            f"These digits come from another keyboard. {look} with the digits 0 to 9.",
        ),
        (
            _MINUS.search(clean) is not None,
            f"There is a minus in it, but this field takes no negative number. {look} without the minus.",
        ),
        (
            _EXPONENT.match(clean) is not None,
            f"The e makes this a very different number. {look} in full, with digits and one point only.",
        ),
        (
            any(c.isalpha() for c in rest),
            f"There is a letter in it, perhaps an O for a 0. {look}, the digits only.",
        ),
        (not any(c.isdigit() for c in rest), f"There is no digit in it. {look}, for example 1234.56."),
    )
    return next((sentence for holds, sentence in reasons if holds), "")


def _read(clean: str, kind: Kind, near: Decimal | None) -> tuple[Decimal | None, str]:
    """The number and what it was read as, or None and a question (empty when it is no number at all)."""
    either = _EITHER_WAY.match(clean)
    if either and (either.group(1) == "," or near is not None):
        return _either_way(clean, kind, near)
    if _DECIMAL.match(clean):
        digits = clean.replace(",", ".")
        return Decimal(digits), f"Read as {digits}." if "," in clean else ""
    if _SPACED.match(clean):
        return Decimal(re.sub("[ '’]", "", clean).replace(",", ".")), ""
    if _COMMAS.match(clean):
        return Decimal(clean.replace(",", "")), ""
    if _DOTS.match(clean):
        digits = clean.replace(".", "").replace(",", ".")
        return Decimal(digits), f"Read as {digits}."
    return None, ""


def _either_way(clean: str, kind: Kind, near: Decimal | None) -> tuple[Decimal | None, str]:
    """`1,234` is 1234 or 1.234: pounds have two decimals, else the expected number decides, else it is asked."""
    large, small = Decimal(re.sub("[.,]", "", clean)), Decimal(clean.replace(",", "."))
    if kind in _POUNDS:
        return large, f"Read as {large}."
    if near is None or near <= ZERO:
        ask = f"{clean} could be {large} or {small}. {LOOK_AT[kind]} and type it with a point, or without the comma."
        return None, ask
    with exact():
        far_from = {number: max(number / near, near / number) for number in (large, small)}
    if "." in clean and far_from[small] <= 10:  # a point is a decimal point unless that is far off
        return small, ""
    chosen = min(far_from, key=lambda number: far_from[number])
    if far_from[chosen] > 10:
        return (small, "") if "." in clean else _either_way(clean, kind, None)
    return chosen, f"Read as {chosen}, since about {plain(near)} is expected."


def _pence(number: Decimal, kind: Kind, text: str) -> Typed:
    if kind not in _POUNDS:
        what = "Units have no pence" if kind == "units" else "The price is in dollars, not in pence"
        return Typed(None, f"{what}. {LOOK_AT[kind]} and type it again.", text)
    with exact():
        pounds = number / 100
    ask = f"Is this {plain(number)} pence, so £{pounds:.2f}? It was read so. {LOOK_AT[kind]} to make sure."
    return Typed(pounds, ask, text)


def _second_look(number: Decimal, kind: Kind, near: Decimal | None, marks: set[str], bare: str) -> str:
    exponent = number.as_tuple().exponent
    places = max(0, -exponent) if isinstance(exponent, int) else 0
    if places > PLACES[kind]:
        return _too_many(kind)
    wrong = marks & ({"£", "gbp"} if kind == "price" else {"$", "us$", "usd"}) if kind != "units" else marks - {
        "unit", "units"
    }  # fmt: skip
    if wrong:
        asked = {"units": "for units, not money", "price": "in dollars"}.get(kind, "in pounds")
        return f"There is a {next(iter(sorted(wrong))).upper()} in it, but this field is {asked}. {LOOK_AT[kind]}."
    if kind in _POUNDS and near is not None and near > ZERO and bare.isdigit():
        with exact():
            if Decimal(95) <= number / near <= Decimal(105):
                return f"Is {plain(number)} in pence? In pounds it would be £{number / 100:.2f}. {LOOK_AT[kind]}."
    return ""


def _too_many(kind: Kind) -> str:
    if kind == "units":
        return f"eToro shows at most 6 decimals. {LOOK_AT[kind]} and compare digit by digit."
    if kind == "price":
        return f"A price has at most {PLACES[kind]} decimals. {LOOK_AT[kind]} and compare digit by digit."
    return f"Pounds have two decimals at most. {LOOK_AT[kind]} and type pounds and pence."
