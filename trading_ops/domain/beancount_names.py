"""What beancount allows as names and text: commodities, parts of accounts, quoted words, numbers.

Belongs here: its alphabet. Does not belong here: which entries there are (`beancount_text`).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from trading_ops.domain.values import Symbol, half_even, plain

CASH = "GBP"
KEYWORDS = frozenset({CASH, "NULL", "TRUE", "FALSE"})
"""Capitals that mean something else in the file."""
COST_PLACES = 20
"""Decimals of a cost: sums over all lots stay far below a hundred-thousandth of a penny."""


@dataclass(frozen=True)
class Names:
    """The commodity and the part of an account that stand for each symbol; no two symbols share one."""

    commodities: Mapping[Symbol, str]
    accounts: Mapping[Symbol, str]


def names_of(symbols: Iterable[Symbol]) -> Names:
    """Names for some symbols: `BRK.B` is the commodity `BRK.B` and the account part `BRK-B`."""
    commodities: dict[Symbol, str] = {}
    accounts: dict[Symbol, str] = {}
    for symbol in sorted(set(symbols)):
        capitals = symbol.upper()
        commodity = re.sub(r"[^A-Z0-9'._-]", "-", capitals)
        commodity = commodity if commodity[:1].isalpha() else f"X{commodity}"
        commodity = commodity if commodity[-1].isalnum() and commodity not in KEYWORDS else f"{commodity}.X"
        account = re.sub(r"[^A-Z0-9-]", "-", capitals)
        account = account if account[:1].isalnum() else f"X{account}"
        commodities[symbol] = _unlike(commodity, commodities.values())
        accounts[symbol] = _unlike(account, accounts.values())
    return Names(commodities, accounts)


def _unlike(name: str, taken: Iterable[str]) -> str:
    known = set(taken)
    while name in known:
        name += "X"
    return name


def quoted(words: str) -> str:
    """Any text as one string of the file: on one line, printable, its quotes and backslashes escaped."""
    clean = "".join(c for c in " ".join(words.split()) if c.isprintable())
    escaped = clean.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def pounds(amount: Decimal, places: int = COST_PLACES) -> str:
    """Pounds with two decimals at least and so many at most: `-301.00 GBP`."""
    text = plain(half_even(amount, places))
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals.ljust(2, '0')} {CASH}"
