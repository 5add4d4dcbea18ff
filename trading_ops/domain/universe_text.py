"""The cells of a universe file, each read strictly, with the line and column of what is wrong.

Belongs here: what one cell may hold. What a name means to the desk is in `universe`.
"""

import csv
import datetime as dt
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NoReturn

from trading_ops.domain.errors import ConfigError

_SYMBOL = re.compile(r"[A-Z0-9]{1,10}(\.[A-Z0-9]{1,5})?", re.ASCII)
_PROVIDER_SYMBOL = re.compile(r"[A-Za-z0-9^][A-Za-z0-9.^=_-]{0,19}", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_UNIQUE = ("internal_symbol", "stooq_symbol", "yahoo_symbol", "etoro_search_name")
_FORMULA = ("=", "+", "-", "@")
_MAX_CELL = 200


@dataclass(frozen=True)
class Row:
    """One line of the file: its cells by column and where it stands."""

    where: str
    line: int
    cells: dict[str, str]

    def fail(self, column: str, sentence: str) -> NoReturn:
        """Refuse the file because of this cell."""
        raise ConfigError(f"{self.where}, line {self.line}, column {column}: {sentence}")

    def cell(self, column: str) -> str:
        """The cell as written; control characters, formulas and spaces around it are refused."""
        text = self.cells[column]
        if any(ord(char) < 32 or ord(char) == 127 for char in text):
            self.fail(column, f"{text!r} holds a line break or control character. Remove it.")
        if text != text.strip():
            self.fail(column, f"{text!r} has spaces around it. Remove them.")
        if text.startswith(_FORMULA):
            self.fail(column, f"{text!r} begins with {text[0]!r}, a spreadsheet would run it. Begin with a letter.")
        if len(text) > _MAX_CELL:
            self.fail(column, f"{len(text)} characters are too long. Use {_MAX_CELL} at most.")
        return text

    def needed(self, column: str, why: str) -> str:
        """A cell that may not be empty."""
        return self.cell(column) or self.fail(column, f"is empty. {why}")

    def symbol(self) -> str:
        """The desk's own symbol."""
        text = self.needed("internal_symbol", "Give the name a symbol such as MSFT or BRK.B.")
        if not _SYMBOL.fullmatch(text):
            self.fail("internal_symbol", f"{text!r} is not a symbol. Use capitals and digits, such as MSFT or BRK.B.")
        return text

    def provider_symbol(self, column: str) -> str:
        """A source's symbol; empty when that source does not have the name."""
        text = self.cell(column)
        if text and not _PROVIDER_SYMBOL.fullmatch(text):
            self.fail(column, f"{text!r} is not a symbol of that source. Use its own spelling, or leave it empty.")
        return text

    def one_of(self, column: str, allowed: Sequence[str]) -> str:
        """A cell from a closed list."""
        text = self.cell(column)
        if text not in allowed:
            self.fail(column, f"{text!r} is unknown. Use {' or '.join(allowed)}.")
        return text

    def truth(self, column: str) -> bool:
        """`true` or `false`; capitals are allowed because spreadsheets write TRUE."""
        text = self.cell(column).lower()
        if text not in ("true", "false"):
            self.fail(column, f"{self.cells[column]!r} is neither. Use true or false.")
        return text == "true"

    def day(self, column: str) -> dt.date | None:
        """A date, or None for an empty cell."""
        text = self.cell(column)
        if not text:
            return None
        try:
            if not _DAY.fullmatch(text):
                raise ValueError
            return dt.date.fromisoformat(text)
        except ValueError:
            self.fail(column, f"{text!r} is not a date. Write it as 2026-03-31, or leave it empty.")

    def currency(self) -> str:
        """The currency of the name's prices: USD. Pence are named because they cost people a factor of 100."""
        text = self.cell("currency")
        if text in ("GBp", "GBX", "GBx"):
            self.fail("currency", f"{text!r} is pence. Use GBP and divide the price by 100.")
        if text != "USD" and not (text == "GBP" and not self.truth("enabled")):
            self.fail("currency", f"{text!r}: enabled names are valued in dollars. Use USD, or set enabled to false.")
        return text

    def refuse_tradable_fund(self) -> None:
        """US ETFs are CFD-only for UK accounts, so none may ever be bought."""
        if self.cells["instrument_type"] == "etf" and self.truth("tradable_underlying"):
            self.fail(
                "tradable_underlying",
                f"{self.cells['internal_symbol']!r} is an ETF, which UK accounts only get as a CFD. Use false.",
            )


def read(text: str, where: str, columns: Sequence[str]) -> Iterator[Row]:
    """The rows of a universe file, in its order.

    Raises:
        ConfigError: Bad CSV, an unknown, missing or repeated column, a row of another width, a name twice, no row.
    """
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    header: list[str] | None = None
    seen: dict[tuple[str, str], int] = {}
    line = 1
    try:
        for cells in reader:
            if header is None:
                header = _header(cells, where, columns)
            elif cells:
                row = _row(cells, header, where, line)
                _refuse_repeats(row, seen)
                yield row
            line = reader.line_num + 1
    except csv.Error as error:
        raise ConfigError(f"{where}, line {line}: this is not CSV ({error}). Correct the line.") from error
    if not seen:
        raise ConfigError(f"{where}: there is no name in it. Add a line for each name, and the header above them.")


def _header(cells: list[str], where: str, columns: Sequence[str]) -> list[str]:
    for position, name in enumerate(cells):
        if name not in columns:
            raise ConfigError(f"{where}, line 1, column {name}: the column is unknown. Use {', '.join(columns)}.")
        if name in cells[:position]:
            raise ConfigError(f"{where}, line 1, column {name}: the column is there twice. Remove one.")
    for name in columns:
        if name not in cells:
            raise ConfigError(f"{where}, line 1, column {name}: the column is missing. Use {', '.join(columns)}.")
    return cells


def _row(cells: list[str], header: list[str], where: str, line: int) -> Row:
    if len(cells) != len(header):
        place = header[len(cells)] if len(cells) < len(header) else f"{len(header) + 1}"
        raise ConfigError(
            f"{where}, line {line}, column {place}: the line has {len(cells)} cells, the header {len(header)}. "
            "Add or remove commas; put text with a comma in quotes."
        )
    return Row(where, line, dict(zip(header, cells, strict=True)))


def _refuse_repeats(row: Row, seen: dict[tuple[str, str], int]) -> None:
    """Two rows with one symbol of one source would give both names the same prices, or the same search result."""
    for column in _UNIQUE:
        text = row.cells[column]
        if not text:
            continue
        first = seen.setdefault((column, text.casefold()), row.line)
        if first != row.line:
            row.fail(column, f"{text!r} is already in line {first}. Keep one of them.")
