"""What one cell of a statement may hold, read strictly: numbers, times, identifiers.

Belongs here: the English text forms `4,581.91`, `(6.97)`, `-`, `dd/mm/yyyy HH:MM:SS`, and real Excel numbers and dates.
A decimal comma is refused, and so is `1,234`, which two locales read as two numbers: nothing is guessed.
Does not belong here: what a column means (`activity`, `closed`, `dividends`, `holdings`).

The statement does not say in which zone its times are. They are kept as UTC with the text beside them; whoever matches
them with other facts allows MATCH_WITHIN.
"""

import datetime as dt
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn

from openpyxl.utils.datetime import from_excel

from trading_ops.broker.places import SWITCH_TO_ENGLISH, shown, shown_row
from trading_ops.broker.sheets import Layout
from trading_ops.broker.workbook import Sheet
from trading_ops.domain.values import from_float

MATCH_WITHIN = dt.timedelta(hours=1)
"""How far a statement's time may be from the same event's time elsewhere: its zone is not documented."""

_ENGLISH = re.compile(r"(?:\d{1,30}|\d{1,3}(?:,\d{3}){1,9})(?:\.\d{1,30})?", re.ASCII)
_TWO_READINGS = re.compile(r"\d{1,3},\d{3}", re.ASCII)
_DECIMAL_COMMA = re.compile(r"(?:\d+|\d{1,3}(?:[.'’\s]\d{3})+),\d+|\d{1,3}(?:\.\d{3}){2,}", re.ASCII)
_TIME = re.compile(r"(\d{2})/(\d{2})/(\d{4})(?: (\d{2}):(\d{2}):(\d{2}))?", re.ASCII)
_POSITION = re.compile(r"\d{1,20}", re.ASCII)
_YEARS = range(2005, 2101)
_EMPTY = ("", "-")


@dataclass(frozen=True)
class Moment:
    """A time of the statement: read as UTC, since its zone is not documented, and as written.

    Attributes:
        at: The time, aware UTC. A date without a time is its midnight.
        text: As written; a real Excel date is written the statement's way.
        has_time: False when only a date was given.
    """

    at: dt.datetime
    text: str
    has_time: bool


@dataclass(frozen=True)
class Line:
    """One row under its header."""

    layout: Layout
    number: int
    values: tuple[Any, ...]

    def fail(self, sentence: str, column: str | None = None) -> NoReturn:
        """Refuse the file because of this row, or this cell of it."""
        title = self.layout.titles.get(column, column) if column else None
        self.layout.place.fail(self.number, sentence, title)

    def shown(self) -> str:
        """The row as one line."""
        return shown_row(self.values)

    def raw(self, column: str) -> Any:
        """The value as the workbook holds it, None where the version has no such column."""
        index = self.layout.columns.get(column)
        return None if index is None or index >= len(self.values) else self.values[index]

    def text(self, column: str) -> str:
        """The text without spaces around it; an empty cell and `-` are empty. A text that begins with = stays text."""
        value = self.raw(column)
        if isinstance(value, bool | dt.date | dt.time | dt.timedelta):
            self.fail(f"{shown(value)!r} is not text.", column)
        if isinstance(value, int | float):
            return str(int(value)) if float(value).is_integer() else repr(value)
        text = "" if value is None else str(value).strip()
        return "" if text in _EMPTY else text

    def number_in(self, column: str) -> Decimal | None:
        """The exact number, None for an empty cell or `-`."""
        value = self.raw(column)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            self.fail(f"{shown(value)!r} is not a number.", column)
        if isinstance(value, str):
            return self._number_of(value, column)
        if not math.isfinite(value):
            self.fail(f"{shown(value)!r} is not a finite number.", column)
        return Decimal(value) if isinstance(value, int) else _positive_zero(from_float(value))

    def _number_of(self, written: str, column: str) -> Decimal | None:
        text = written.strip()
        if text in _EMPTY:
            return None
        in_brackets = text.startswith("(") and text.endswith(")")
        digits = text[1:-1].strip() if in_brackets else text.removeprefix("-")
        if _TWO_READINGS.fullmatch(digits):
            self.fail(
                f"{shown(written)!r} is {digits.replace(',', '')} with a comma for thousands and "
                f"{digits.replace(',', '.')} with a decimal comma; which one is not guessed. {SWITCH_TO_ENGLISH}",
                column,
            )
        if _DECIMAL_COMMA.fullmatch(digits):
            self.fail(f"{shown(written)!r} has a decimal comma. {SWITCH_TO_ENGLISH}", column)
        if not _ENGLISH.fullmatch(digits):
            self.fail(f"{shown(written)!r} is not a number such as 4,581.91 or (6.97).", column)
        number = Decimal(digits.replace(",", ""))
        return _positive_zero(-number if in_brackets or text.startswith("-") else number)

    def needed_number(self, column: str) -> Decimal:
        """A number that may not be missing."""
        number = self.number_in(column)
        return self.fail(f"is empty. The row reads: {self.shown()}", column) if number is None else number

    def is_empty(self, column: str) -> bool:
        """True for an empty cell and `-`."""
        value = self.raw(column)
        return value is None or str(value).strip() in _EMPTY

    def percent(self, column: str) -> Decimal | None:
        """A rate in percent: `15%` is 15."""
        value = self.raw(column)
        if isinstance(value, str) and value.strip().endswith("%"):
            return self._number_of(value.strip().removesuffix("%"), column)
        return self.number_in(column)

    def moment(self, column: str, *, date_alone: bool = False) -> Moment:
        """A time, read as UTC; a date alone only where the column may hold one."""
        value = self.raw(column)
        when, has_time = self._time_of(value, column, date_alone)
        if not has_time and not date_alone:
            self.fail(f"{shown(value)!r} has no time of day. Expected dd/mm/yyyy HH:MM:SS.", column)
        if when.year not in _YEARS:
            self.fail(f"{shown(value)!r} is not a date between {_YEARS[0]} and {_YEARS[-1]}.", column)
        form = "%d/%m/%Y %H:%M:%S" if has_time else "%d/%m/%Y"
        return Moment(when.replace(tzinfo=dt.UTC), when.strftime(form), has_time)

    def _time_of(self, value: Any, column: str, date_alone: bool) -> tuple[dt.datetime, bool]:
        if isinstance(value, str):
            return self._time_as_written(value, column)
        if isinstance(value, int | float) and not isinstance(value, bool):
            try:
                value = from_excel(value, self.layout.place.epoch)
            except (OverflowError, ValueError):
                self.fail(f"{shown(value)!r} is not a date of Excel.", column)
        if not isinstance(value, dt.datetime):
            self.fail(f"{shown(value)!r} is not a time. Expected dd/mm/yyyy HH:MM:SS.", column)
        when = (value + dt.timedelta(microseconds=500_000)).replace(microsecond=0, tzinfo=None)
        return when, not date_alone or when.time() != dt.time()

    def _time_as_written(self, written: str, column: str) -> tuple[dt.datetime, bool]:
        found = _TIME.fullmatch(written.strip())
        if not found:
            self.fail(f"{shown(written)!r} is not a time. Expected dd/mm/yyyy HH:MM:SS. {SWITCH_TO_ENGLISH}", column)
        day, month, year, hour, minute, second = (int(part) if part else 0 for part in found.groups())
        try:
            return dt.datetime(year, month, day, hour, minute, second), found.group(4) is not None  # noqa: DTZ001
        except ValueError:
            self.fail(f"{shown(written)!r} is no date that exists, as dd/mm/yyyy. {SWITCH_TO_ENGLISH}", column)

    def position_id(self, column: str = "position id") -> str | None:
        """The broker's Position ID, digits; None for an empty cell or `-`."""
        text = self.text(column)
        if text and not _POSITION.fullmatch(text):
            self.fail(f"{shown(text)!r} is not a Position ID, which has digits only.", column)
        return text or None

    def by_currency(self, column: str) -> tuple[tuple[str, Decimal], ...]:
        """The amounts of a column that is there once a currency, in the file's order; empty cells left out."""
        return tuple(
            (currency, amount)
            for currency in self.layout.currencies.get(column, ())
            if (amount := self.number_in(column.replace("¤", currency))) is not None
        )


def _positive_zero(number: Decimal) -> Decimal:
    return number if number else abs(number)


def lines(sheet: Sheet, layout: Layout) -> Iterator[Line]:
    """The rows under the header, in file order; rows without any text are left out."""
    for row in sheet.rows[1:]:
        if any(str(value).strip() for value in row.values if value is not None):
            yield Line(layout, row.number, row.values)
