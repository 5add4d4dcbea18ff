"""The three books a home can hold. A home holds one, fixed when it is made."""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

Book: TypeAlias = Literal["live", "paper", "sim"]
"""live: real orders by hand; paper: real prices, answered as if, never executed; sim: the simulated market."""

BOOKS: Final[tuple[Book, ...]] = ("live", "paper", "sim")

_BANNERS: Final[Mapping[str, str]] = {
    "sim": "SIMULATED - DO NOT EXECUTE · ",
    "paper": "PAPER - DO NOT EXECUTE · ",
}


def banner(book: str) -> str:
    """What everything of a book that is not real says first, with its separator; empty for a real one."""
    return _BANNERS.get(book, "")
