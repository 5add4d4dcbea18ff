"""Tiingo's JSON: a list of rows with prices as traded, adjusted prices, a dividend and a split factor.

Belongs here: from the body to exact bars and actions, and whether the rows contradict themselves.
Does not belong here: asking, or what a sentence instead of a list means (`tiingo`).
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from trading_ops.domain.values import ONE, ZERO, exact, plain
from trading_ops.providers.columns import Sheet, constant
from trading_ops.providers.formats.parts import make_bars
from trading_ops.providers.protocol import ACTIONS, PRICE, VALUE, Flag, RefusalKind, RefusedData
from trading_ops.providers.web_answer import Answer

_BAR = ("open", "high", "low", "close", "volume")
_FIELDS = ("date", *_BAR, "adjClose", "divCash", "splitFactor")
_MIDNIGHT = "%Y-%m-%dT00:00:00.000Z"
"""A session, written as a moment; another hour or zone is another day's."""
_LONGEST = 60
_WITNESS = Decimal("0.1")
"""Share by which the adjusted closes may move without a split or dividend in the row. Two ways of adjusting for a
dividend, and rounding, are far below it; a forgotten split is far above."""


def open_answer(answer: Answer) -> Sheet:
    """The rows of an answer, as text, nothing judged yet.

    Raises:
        RefusedData: Cut off, no list of rows, an empty list, or a row without one of the fields.
    """
    text = answer.text().strip()
    if not text:
        raise answer.refuse(RefusalKind.EMPTY_FILE, "the answer is empty. Ask again later.")
    try:
        # NaN and Infinity are no JSON, but Python reads them: the column they stand in refuses them by name.
        rows = json.loads(text, parse_float=_Number, parse_int=_Number, parse_constant=_Number, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        if text.startswith("[") and not text.endswith("]"):
            raise answer.refuse(RefusalKind.CUT_OFF, "the list has no end: cut off. Nothing was kept.") from None
        rows = None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        sentence = f'this is no list of prices: "{answer.excerpt()}". Look at the address in a browser.'
        raise answer.refuse(RefusalKind.NOT_MARKET_DATA, sentence)
    if not rows:
        raise answer.refuse(RefusalKind.NO_DATA, "Tiingo has no prices of this name on these days.")
    sheet = Sheet(answer.where, pa.table({"": pa.nulls(len(rows))}), None)
    columns = {field: pa.array([_cell(sheet, i, row, field) for i, row in enumerate(rows)]) for field in _FIELDS}
    return Sheet(answer.where, pa.table({name: column.cast(pa.string()) for name, column in columns.items()}), None)


def read_bars(sheet: Sheet, symbol: str, source: str) -> pa.Table:
    """The rows' prices as traded, as BARS.

    Raises:
        RefusedData: A cell that cannot be kept.
    """
    numbers = {name: sheet.decimals(name, PRICE) for name in _BAR}
    numbers["adj_close"] = numbers["close"]
    symbols = constant(symbol, sheet.table.num_rows)
    return make_bars(symbols, sheet.days("date", _MIDNIGHT), numbers, source, Flag.NOT_ADJUSTED)


def read_actions(sheet: Sheet, symbol: str, source: str) -> pa.Table:
    """The rows' dividends and splits, as ACTIONS; a row's day is the ex-date.

    Raises:
        RefusedData: A cell that cannot be kept.
    """
    days = sheet.days("date", _MIDNIGHT)
    found = []
    for kind, column, none in (("dividend", "divCash", 0), ("split", "splitFactor", 1)):
        values = sheet.decimals(column, VALUE)
        some = pc.not_equal(values, pa.scalar(none, VALUE))
        count = pc.sum(some).as_py() or 0
        columns = [constant(symbol, count), days.filter(some), constant(kind, count), values.filter(some)]
        found.append(pa.table([*columns, constant(source, count)], schema=ACTIONS))
    return pa.concat_tables(found).combine_chunks()


def contradiction(sheet: Sheet) -> RefusedData | None:
    """The first row whose adjusted close tells of a split or dividend that the row itself does not have, or hides one.

    From one session to the next, adjusted close / close changes by split + dividend / close, or, as others adjust, by
    split x previous close / (previous close - dividend).

    Raises:
        RefusedData: An adjusted close that cannot be kept.
    """
    names = ("close", "adjClose", "divCash", "splitFactor")
    columns = [sheet.decimals(name, VALUE if name in names[2:] else PRICE).to_pylist() for name in names]
    days = sheet.days("date", _MIDNIGHT).to_pylist()
    rows = sorted(zip(days, range(len(days)), *columns, strict=True))
    for _, place, _, adjusted, *_ in rows:
        if adjusted <= ZERO:
            sentence = f"{plain(adjusted)} is no adjusted close. Nothing was kept."
            return sheet.refuse(RefusalKind.IMPOSSIBLE_BAR, place, "adjClose", sentence)
    for (_, _, before, adjusted_before, *_), (day, place, close, adjusted, dividend, split) in pairwise(rows):
        with exact():
            moved = adjusted * before / (close * adjusted_before)
            ways = (split + dividend / close, split * before / (before - dividend) if dividend < before else split)
            told = min(ways) * (ONE - _WITNESS) <= moved <= max(ways) * (ONE + _WITNESS)
        if not told:
            sentence = (
                f"on {day} the adjusted closes tell of a factor of {moved:.4f}, the row of split {plain(split)} and "
                f"dividend {plain(dividend)}: one of them is wrong. Nothing was kept; ask for days after it."
            )
            return sheet.refuse(RefusalKind.SPLIT_CONTRADICTION, place, "adjClose", sentence)
    return None


def _cell(sheet: Sheet, row: int, values: Mapping[str, Any], field: str) -> str | None:
    if field not in values:
        sentence = f"the field is missing; expected are {', '.join(_FIELDS)}. Nothing was kept."
        raise sheet.refuse(RefusalKind.MISSING_COLUMN, row, field, sentence)
    value = values[field]
    if value is None:
        return None
    if field == "date":
        if isinstance(value, str):
            return value.replace("T00:00:00+00:00", "T00:00:00.000Z")
        raise sheet.refuse(RefusalKind.BAD_DATE, row, field, "this is not a date. Nothing was kept.")
    if isinstance(value, _Number):
        if len(value.text) > _LONGEST:
            sentence = f"a number of {len(value.text)} characters is no price. Nothing was kept."
            raise sheet.refuse(RefusalKind.OUT_OF_RANGE, row, field, sentence)
        return value.text
    raise sheet.refuse(RefusalKind.NOT_A_NUMBER, row, field, "this is not a number. Nothing was kept.")


class _Number:
    """A number as the body wrote it, so that nothing is lost before it is judged."""

    def __init__(self, text: str) -> None:
        self.text = text


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        raise ValueError("a field is there twice")
    return row
