"""The arithmetic from Yahoo's split-adjusted numbers back to those that were traded.

Does not belong here: whether the splits are the right ones (`yahoo_splits`).
"""

import datetime as dt
import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from trading_ops.domain.values import exact, half_even
from trading_ops.providers.protocol import PRICE

_SIX_DECIMALS = Fraction(1, 2_000_000)

Split = tuple[dt.date, Fraction]
"""Ex-date, and new units per old unit."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What an answer's prices were divided by.

    Attributes:
        splits: (ex-date, new units per old unit) by ex-date, none after the day of the answer.
    """

    splits: tuple[Split, ...]

    def factor(self, session: dt.date) -> Fraction:
        """What the prices of a session were divided by: the splits after it."""
        return math.prod((ratio for day, ratio in self.splits if day > session), start=Fraction(1))

    def dividend_factor(self, ex_date: dt.date) -> Fraction:
        """What a dividend was divided by to be per share of the day of the answer.

        The desk counts dividends per share before the split of their own day, so that split belongs to it.
        """
        return math.prod((ratio for day, ratio in self.splits if day >= ex_date), start=Fraction(1))


def as_traded(value: Decimal, factor: Fraction) -> Decimal:
    """The price that was traded, from Yahoo's.

    Yahoo divides, keeps six decimals, and sends the nearest 32-bit float: 19.00 before splits of 15 in all is sent as
    1.2666670083999634, and 129.04 as 129.0399932861328. Multiplying back gives 19.000005 and 129.03999. Every number
    within what those two steps can have moved it is equally possible, and of these the one with the fewest decimals is
    the price: trades are in cents, rarely in hundredths of a cent. Nothing is moved further than Yahoo moved it.

    Args:
        value: As sent, in USD per share of the day of the answer.
        factor: Product of the later splits.
    """
    sent = Fraction(value) * factor
    half_a_step = Fraction(2) ** (math.frexp(value)[1] - 25)
    slack = (half_a_step + _SIX_DECIMALS) * factor
    for places in range(PRICE.scale + 1):
        nearest = round(sent * 10**places)
        if abs(Fraction(nearest, 10**places) - sent) <= slack:
            return Decimal(nearest).scaleb(-places)
    with exact():
        return half_even(Decimal(sent.numerator) / Decimal(sent.denominator), PRICE.scale)
