"""The desk's tables from one of Yahoo's charts: bars and actions as traded, and what is to be said of them.

Belongs here: rows of BARS and ACTIONS, notes. Does not belong here: which splits count (`yahoo_splits`).
"""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import pyarrow as pa

from trading_ops.domain import calendar
from trading_ops.domain.move_words import split_words
from trading_ops.domain.values import exact, half_even
from trading_ops.providers.columns import constant
from trading_ops.providers.formats.parts import make_bars
from trading_ops.providers.protocol import ACTIONS, PRICE, VALUE, Flag
from trading_ops.providers.yahoo_basis import Basis, as_traded
from trading_ops.providers.yahoo_chart import PRICES, Chart, Row

SOURCE = "yahoo"
MENTIONED = 10
"""Sessions without a bar that are named one by one."""


def bars_as_traded(symbol: str, rows: Sequence[Row], basis: Basis) -> pa.Table:
    """BARS of rows that have prices; `adj_close` repeats the close."""
    factors = [basis.factor(row.day) for row in rows]
    numbers = {
        name: pa.array(
            [as_traded(row.prices[name], factor) for row, factor in zip(rows, factors, strict=True) if row.prices],
            PRICE,
        )
        for name in PRICES
    }
    volumes = [_shares(row.volume, factor) for row, factor in zip(rows, factors, strict=True)]
    numbers |= {"adj_close": numbers["close"], "volume": pa.array(volumes, PRICE)}
    sessions = pa.array([row.day for row in rows], pa.date32())
    return make_bars(constant(symbol, len(rows)), sessions, numbers, SOURCE, str(Flag.NOT_ADJUSTED))


def _shares(volume: Decimal | None, factor: Fraction) -> Decimal:
    """Shares as traded; Yahoo rounded them when it multiplied, so they come back to whole ones."""
    return Decimal(round(Fraction(volume or 0) / factor))


def actions_as_traded(symbol: str, chart: Chart, basis: Basis, first: dt.date, last: dt.date) -> pa.Table:
    """ACTIONS with `first <= ex_date <= last`; a dividend in USD per share before the split of its day."""
    told = [(day, "split", _plain(ratio)) for day, ratio in chart.splits if ratio != 1]
    told += [(day, "dividend", as_traded(amount, basis.dividend_factor(day))) for day, amount in chart.dividends]
    rows = sorted(action for action in told if first <= action[0] <= last)
    columns = [
        constant(symbol, len(rows)),
        pa.array([day for day, _, _ in rows], pa.date32()),
        pa.array([kind for _, kind, _ in rows], pa.string()),
        pa.array([value for _, _, value in rows], VALUE),
        constant(SOURCE, len(rows)),
    ]
    return pa.table(columns, schema=ACTIONS)


def _plain(ratio: Fraction) -> Decimal:
    with exact():
        return half_even(Decimal(ratio.numerator) / Decimal(ratio.denominator), VALUE.scale)


def gaps(chart: Chart, rows: Sequence[Row], first: dt.date, last: dt.date) -> list[str]:
    """Sessions without a bar, by name: the exchange calendar says which there were."""
    start = max(first, chart.first_trade or first, calendar.FIRST_DAY)
    priced = {row.day for row in rows if row.prices}
    empty = {row.day for row in rows if not row.prices}
    gone = [day for day in calendar.sessions(start, last) if day not in priced] if start <= last else []
    notes = [
        f"no bar of {day}: Yahoo {'sent none' if day in empty else 'left the session out'}" for day in gone[:MENTIONED]
    ]
    return notes + ([f"no bar of {len(gone) - MENTIONED} more sessions through {gone[-1]}"] if gone[MENTIONED:] else [])


def oddities(rows: Sequence[Row], chart: Chart, basis: Basis) -> list[str]:
    """What was done to numbers that a reader of the stored rows cannot see."""
    put_back = [(day, ratio) for day, ratio in basis.splits if rows and day > rows[0].day]
    unsaid = [row.day for row in rows if row.prices and row.volume is None]
    both = sorted({day for day, _ in chart.dividends} & {day for day, _ in basis.splits})
    return [
        *(f"prices before {day} put back by its split of {split_words(_plain(ratio))}" for day, ratio in put_back),
        *(f"no volume of {day}: kept as 0" for day in unsaid),
        *(f"dividend and split on {day}: taken as per share after the split, kept per share before it" for day in both),
    ]
