"""What a fill's numbers and texts must be to be kept, whether a ticket asked for the fill or nobody did.

Belongs here: how large a number may be, how many decimals are kept, which characters cannot be stored.
Does not belong here: what is odd but may be true (`plausibility`), which fields a form needs (`answer`).
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from trading_ops.domain.errors import BadInput
from trading_ops.domain.ledger import complete_fill
from trading_ops.domain.values import PENCE_PLACES, ZERO, half_even, plain

PLACES = {"units": 6, "price_usd": 8, "value_gbp": 2, "fee_gbp": 2}
"""Decimals that are kept: more would be rounded after they were announced."""
LARGEST = Decimal("1e12")
"""No number of a fill is as large: it could not be stored."""


def is_possible(value: Decimal | None) -> bool:
    """A number above 0 that can be kept."""
    return value is not None and value.is_finite() and ZERO < value < LARGEST


def check_numbers(numbers: Mapping[str, Decimal | None], where: str) -> None:
    """Units, price (USD) and value (pounds) of a fill can be kept; what was not read off is None.

    Args:
        numbers: By field name, see `PLACES`.
        where: Names the place in messages.

    Raises:
        BadInput: One is not above 0, too large, or has more decimals than are kept; nothing is rounded silently.
    """
    for name, value in numbers.items():
        if value is not None and (not value.is_finite() or value <= ZERO):
            raise BadInput(f"{where}: {name} {value} must be a number above 0.")
        if value is not None and value >= LARGEST:
            raise BadInput(f"{where}: {name} {value:f} is too large to be true. Type what the screen shows.")
    _check_places(numbers, where)


def check_fee(fee_gbp: Decimal | None, where: str) -> None:
    """A fee in pounds can be kept; 0 or more.

    Raises:
        BadInput: It cannot.
    """
    _check_places({"fee_gbp": fee_gbp}, where)
    if fee_gbp is not None and not (fee_gbp.is_finite() and ZERO <= fee_gbp < LARGEST):
        raise BadInput(f"{where}: fee_gbp {fee_gbp} must be 0 or more, and below {LARGEST:f}.")


def _check_places(numbers: Mapping[str, Decimal | None], where: str) -> None:
    for name, value in numbers.items():
        exponent = value.as_tuple().exponent if value is not None else 0
        if isinstance(exponent, int) and -exponent > PLACES[name]:
            raise BadInput(
                f"{where}: {name} {value} has more than {PLACES[name]} decimals. Type what the screen shows."
            )


def check_texts(texts: Mapping[str, object], where: str) -> None:
    """No text holds what the database cannot keep: the character 0, or half of a surrogate pair.

    Raises:
        BadInput: One does; the sentence names its field.
    """
    for name, given in texts.items():
        for text in _texts(given):
            if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
                raise BadInput(f"{where}: {name} {text!r} holds a character that cannot be kept. Type it again.")


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(key)
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)


def whole_fill(
    units: Decimal | None, value_gbp: Decimal | None, price_usd: Decimal, usd_per_gbp: Decimal, where: str
) -> tuple[Decimal, Decimal, bool]:
    """A fill with the half that was not read off worked out, possible as a whole.

    Args:
        units: Units, or None.
        value_gbp: Pounds, or None.
        price_usd: Price per unit in USD.
        usd_per_gbp: The day's rate.
        where: Names the place in messages.

    Returns:
        Units, pounds to the penny, and whether one of them was estimated.

    Raises:
        BadInput: A number is impossible by itself, or what follows from it is.
        LedgerError: Units and pounds are both missing.
    """
    check_numbers({"units": units, "price_usd": price_usd, "value_gbp": value_gbp}, where)
    units, value, estimated = complete_fill(units, value_gbp, price_usd, usd_per_gbp)
    value = half_even(value, PENCE_PLACES)
    if not (is_possible(value) and is_possible(units)):
        raise BadInput(
            f"{where}: at {plain(price_usd)} USD this is {plain(units)} units for {plain(value)} GBP, which "
            "cannot be. Type units and value as the screen shows them."
        )
    return units, value, estimated
