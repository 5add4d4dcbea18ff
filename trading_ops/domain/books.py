"""The three books a home can hold. A home holds one, fixed when it is made."""

from typing import Final, Literal, TypeAlias

Book: TypeAlias = Literal["live", "paper", "sim"]
"""live: real orders by hand; paper: real prices, answered as if, never executed; sim: the simulated market."""

BOOKS: Final[tuple[Book, ...]] = ("live", "paper", "sim")
