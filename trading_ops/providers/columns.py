"""Columns of a file as exact values; the first cell that is not one is refused with its row and column."""

import datetime as dt
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation

import pyarrow as pa
import pyarrow.compute as pc

from trading_ops.providers.protocol import RefusalKind, RefusedData

_NUMBER = r"^-?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,6})?$"
_MISSING = frozenset({"", "nan", "null", "n/a", "na", "none", "-"})
_WIDE = pa.decimal128(38, 18)
_CONTEXT = Context(prec=400, rounding=ROUND_HALF_EVEN)


@dataclass
class Sheet:
    """One file's rows, before they mean anything.

    Attributes:
        name: The file's name, for messages.
        table: Its columns as the file has them: text, or the numbers of a Parquet file.
        line_of_first: 2 for text files, whose header is line 1; None for Parquet, whose rows are counted.
        rounded: How many numbers were rounded so far.
    """

    name: str
    table: pa.Table
    line_of_first: int | None
    rounded: int = field(default=0)

    def place(self, row: int, column: str) -> str:
        """Where a cell stands, for messages; rows are counted from 0 here and from 1 there."""
        label = f"row {row + 1}" if self.line_of_first is None else f"line {row + self.line_of_first}"
        return f"{self.name}, {label}, column {column}"

    def refuse(self, kind: RefusalKind, row: int, column: str, sentence: str) -> RefusedData:
        """The error for one cell."""
        return RefusedData(kind, self.place(row, column), sentence)

    def column(self, name: str) -> pa.Array:
        """One column in one piece."""
        chunks = self.table.column(name)
        whole = chunks.combine_chunks()
        return whole.cast(whole.type.value_type) if pa.types.is_dictionary(whole.type) else whole

    def text(self, name: str) -> pa.Array:
        """A column of text.

        Raises:
            RefusedData: A null or empty cell.
        """
        column = self.column(name)
        texts = column.cast(pa.string())
        self._first(pc.or_kleene(pc.is_null(texts), pc.equal(texts, "")), lambda row: self._missing(row, name))
        return texts

    def days(self, name: str, form: str = "%Y-%m-%d") -> pa.Array:
        """A column of dates.

        Args:
            name: The column.
            form: How text columns write a date: `%Y-%m-%d` or `%Y%m%d`.

        Raises:
            RefusedData: A cell that is no date, or has a time of day.
        """
        column = self.column(name)
        self._first(pc.is_null(column), lambda row: self._missing(row, name))
        if pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
            dates = column.cast(pa.date32(), safe=False)
            self._first(pc.not_equal(dates.cast(column.type), column), lambda row: self._bad_day(row, name, column))
            return dates
        texts = self.text(name).dictionary_encode()
        days = pa.array([_day(text, form) for text in texts.dictionary.to_pylist()], pa.date32()).take(texts.indices)
        self._first(pc.is_null(days), lambda row: self._bad_day(row, name, column))
        return days

    def decimals(self, name: str, kind: pa.Decimal128Type) -> pa.Array:
        """A column of numbers, each exactly the number its shortest text names.

        Numbers with more decimals than `kind` keeps are rounded half even and counted in `rounded`.

        Raises:
            RefusedData: A missing cell, NaN, text that is no number, or a number too large to keep.
        """
        column = self.column(name)
        is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
        texts = column.cast(pa.string())
        # Arrow reads 1e-277 as 0 without a word, so exponents take the slow way; no usual price has one.
        if pc.any(pc.match_substring(texts, "e", ignore_case=True)).as_py():
            return self._one_by_one(name, texts, kind)
        if is_text and not pc.all(pc.match_substring_regex(texts, _NUMBER)).as_py():
            return self._one_by_one(name, texts, kind)
        try:
            numbers = texts.cast(kind)
        except pa.ArrowInvalid:
            numbers = self._rounded(name, texts, kind)
        if numbers.null_count:
            return self._one_by_one(name, texts, kind)
        return numbers

    def _rounded(self, name: str, texts: pa.Array, kind: pa.Decimal128Type) -> pa.Array:
        try:
            wide = texts.cast(_WIDE)
            rounded = pc.round(wide, ndigits=kind.scale, round_mode="half_to_even")
            self.rounded += pc.sum(pc.not_equal(wide, rounded)).as_py() or 0
            return rounded.cast(kind)
        except pa.ArrowInvalid:
            return self._one_by_one(name, texts, kind)

    def _one_by_one(self, name: str, texts: pa.Array, kind: pa.Decimal128Type) -> pa.Array:
        """The slow way, taken when the fast one met something: it names the first bad cell."""
        limit = Decimal(1).scaleb(kind.precision - kind.scale)
        step = Decimal(1).scaleb(-kind.scale)
        numbers: list[Decimal] = []
        for row, text in enumerate(texts.to_pylist()):
            if text is None or text.strip().lower() in _MISSING:
                raise self._missing(row, name)
            try:
                number = Decimal(text) if is_number(text) else _infinite(text)
            except InvalidOperation:
                sentence = f"{text!r} is not a number. Correct it in the source and load again; nothing was kept."
                raise self.refuse(RefusalKind.NOT_A_NUMBER, row, name, sentence) from None
            if not number.is_finite() or abs(number) >= limit:
                sentence = f"{text} is too large to be real. Correct it in the source and load again; nothing was kept."
                raise self.refuse(RefusalKind.OUT_OF_RANGE, row, name, sentence)
            kept = number.quantize(step, context=_CONTEXT) if number.adjusted() >= -60 else Decimal(0)
            self.rounded += kept != number
            numbers.append(kept)
        return pa.array(numbers, kind)

    def _missing(self, row: int, name: str) -> RefusedData:
        sentence = "the value is missing. Complete it in the source and load again; nothing was kept."
        return self.refuse(RefusalKind.MISSING_VALUE, row, name, sentence)

    def _bad_day(self, row: int, name: str, values: pa.Array) -> RefusedData:
        sentence = f"{str(values[row])!r} is not a date. Write it as in the other rows; nothing was kept."
        return self.refuse(RefusalKind.BAD_DATE, row, name, sentence)

    def _first(self, bad: pa.Array, error: Callable[[int], RefusedData]) -> None:
        row = first_true(bad)
        if row is not None:
            raise error(row)


def is_number(text: str) -> bool:
    """True for plain decimal text in ASCII digits, with an exponent or without."""
    return re.fullmatch(_NUMBER, text, re.ASCII) is not None


def _day(text: str, form: str) -> dt.date | None:
    try:
        day = dt.datetime.strptime(text, form).date()  # noqa: DTZ007  a date has no zone
    except ValueError:
        return None
    return day if day.strftime(form) == text else None


def _infinite(text: str) -> Decimal:
    if text.strip().lower().lstrip("+-") in ("inf", "infinity"):
        return Decimal("Infinity")
    raise InvalidOperation


def first_true(mask: pa.Array | pa.ChunkedArray) -> int | None:
    """Index of the first true cell, or None."""
    index = pc.index(mask, True).as_py()
    return None if index < 0 else index


def constant(value: str, length: int) -> pa.Array:
    """A text column with one value."""
    return pa.repeat(pa.scalar(value, pa.string()), length)


def joined(tables: Iterable[pa.Table], schema: pa.Schema) -> pa.Table:
    """Tables of one schema under each other; the schema's empty table when there are none."""
    return pa.concat_tables([schema.empty_table(), *tables]).combine_chunks()
