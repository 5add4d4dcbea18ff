"""The one sequence of bytes of a value, and its hash.

RFC 8785 canonical JSON over text in NFC. Numbers with decimals are text with a fixed number of places before they come
here: a float has several spellings, and two spellings are two hashes.
Belongs here: bytes and hashes. Does not belong here: what a ticket contains.
"""

import hashlib
import unicodedata
from typing import TypeAlias, Union

import rfc8785

from trading_ops.domain.errors import TradingOpsError

Canonical: TypeAlias = Union[str, int, bool, list["Canonical"], dict[str, "Canonical"], None]  # noqa: UP007
"""What may be hashed."""

_LARGEST = 2**53 - 1


class NotCanonical(TradingOpsError):
    """A value that has no single canonical form; the text names its place and the way out."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"hashed content, {place}: {problem}")


def canonical_bytes(value: object) -> bytes:
    """The RFC 8785 bytes of a value, with all text (keys too) in NFC.

    Args:
        value: Nested `dict` (text keys) and `list` of `str`, `int`, `bool` and `None`.

    Returns:
        UTF-8 JSON without spaces, keys sorted by UTF-16 code units.

    Raises:
        NotCanonical: A float, Decimal, date or other type; an integer beyond 2^53 - 1; text that is no Unicode; two
            keys that are equal in NFC.
    """
    return rfc8785.dumps(_normalised(value, "$"))


def sha256_hex(data: bytes) -> str:
    """SHA-256 of some bytes as 64 lower-case hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def nfc(text: str) -> str:
    """Text in Unicode normal form C: `é` is one character, however it was typed."""
    return unicodedata.normalize("NFC", text)


def _normalised(value: object, place: str) -> Canonical:
    if value is not None and type(value) not in (str, int, bool, list, dict):  # subclasses too: an enum may change
        problem = f"{value!r} is a {type(value).__name__}. Write it as text with a fixed number of places."
        raise NotCanonical(place, problem)
    match value:
        case str():
            return _text(value, place)
        case list():
            return [_normalised(item, f"{place}[{index}]") for index, item in enumerate(value)]
        case dict():
            return _object(value, place)
        case int() if abs(value) > _LARGEST:
            raise NotCanonical(place, f"{value} is larger than a JSON number holds exactly. Write it as text.")
        case int() | None:
            return value
    raise NotCanonical(place, f"{value!r} cannot be hashed.")  # pragma: no cover, for the type checker only


def _text(value: str, place: str) -> str:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise NotCanonical(place, f"{value!r} is no Unicode text. Remove the lone surrogate.") from error
    return nfc(value)


def _object(value: dict[object, object], place: str) -> dict[str, Canonical]:
    normalised: dict[str, Canonical] = {}
    for key, item in value.items():
        if type(key) is not str:
            raise NotCanonical(place, f"key {key!r} is a {type(key).__name__}. Keys are text.")
        name = _text(key, place)
        if name in normalised:
            raise NotCanonical(place, f"key {name!r} occurs twice once its text is normalised.")
        normalised[name] = _normalised(item, f"{place}.{name}")
    return normalised
