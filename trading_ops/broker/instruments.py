"""What the statement calls an instrument: `AAPL/USD`, and splits as `XLK/USD 2:1`.

Belongs here: taking those texts apart. Does not belong here: mapping them to the desk's symbols, which the caller does.
Look-alikes stay what they are: `MSFT.RTH`, `MSFT.24-7` and `MSFT.EUR` are never folded into MSFT.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from trading_ops.domain.values import exact

_PAIR = re.compile(r"(\S(?:.*\S)?)/([A-Z]{3})")
_SPLIT = re.compile(r"(\S(?:.*\S)?)/([A-Z]{3}) (\d{1,9}(?:\.\d{1,9})?):(\d{1,9}(?:\.\d{1,9})?)", re.ASCII)


@dataclass(frozen=True)
class Split:
    """A split as the statement reports it. It is reported only: nothing is applied by reading it.

    Attributes:
        symbol: eToro's symbol.
        first: The first number of `2:1`.
        second: The second number, > 0.
    """

    symbol: str
    first: Decimal
    second: Decimal

    @property
    def factor(self) -> Decimal:
        """first / second, by which units multiplied in the one verified case. Confirm it against units before use."""
        with exact():
            return self.first / self.second


def symbol_of(details: str) -> str | None:
    """eToro's symbol in `AAPL/USD` (AAPL); None where the text is no such pair."""
    found = _PAIR.fullmatch(details)
    return found.group(1) if found else None


def split_of(details: str) -> Split | None:
    """The split in `XLK/USD 2:1`; None where the text is none or a number is 0."""
    found = _SPLIT.fullmatch(details)
    if not found:
        return None
    first, second = Decimal(found.group(3)), Decimal(found.group(4))
    return Split(found.group(1), first, second) if first and second else None
