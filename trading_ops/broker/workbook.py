"""The sheets of a statement as rows of raw cell values; a formula or an error in a cell is refused, never evaluated.

Belongs here: openpyxl, and nothing that knows what a column means.
Does not belong here: whether the bytes are a sane workbook (`container`), or header versions (`sheets`).
"""

import datetime as dt
import io
from dataclasses import dataclass
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter

from trading_ops.broker.container import check_container
from trading_ops.broker.places import DOWNLOAD_AGAIN, Place, shown, shown_row
from trading_ops.domain.errors import BadInput

MAX_ROWS = 100_000
MAX_COLUMNS = 60
_DAMAGE = (
    KeyError, IndexError, ValueError, TypeError, AttributeError, AssertionError, OverflowError, SyntaxError, OSError,
    EOFError, RuntimeError, NotImplementedError,
)  # fmt: skip
"""What openpyxl raises on a workbook whose parts do not fit together; XML errors are SyntaxErrors."""


@dataclass(frozen=True)
class SheetRow:
    """A row that is not empty: its number in the sheet and its values, None for an empty cell."""

    number: int
    values: tuple[Any, ...]

    def shown(self) -> str:
        """The row as one line."""
        return shown_row(self.values)


@dataclass(frozen=True)
class Sheet:
    """A sheet with its rows that are not empty, in file order."""

    place: Place
    rows: tuple[SheetRow, ...]


class Workbook:
    """An opened statement file."""

    def __init__(self, data: bytes, name: str) -> None:
        """Open it.

        Args:
            data: The file.
            name: Its name, for refusals.

        Raises:
            BadInput: It is no readable workbook, or has no sheet.
        """
        check_container(data, name)
        self.name = name
        try:
            self._book = load_workbook(io.BytesIO(data), read_only=True, data_only=False, keep_links=False)
            self.titles: tuple[str, ...] = tuple(sheet.title for sheet in self._book.worksheets)
            self.epoch: dt.datetime = self._book.epoch
        except _DAMAGE as fault:
            raise BadInput(f"{name}: the workbook is damaged ({shown(fault)}). {DOWNLOAD_AGAIN}") from fault
        if not self.titles:
            raise BadInput(f"{name}: the workbook has no sheet. {DOWNLOAD_AGAIN}")

    def sheet(self, title: str) -> Sheet:
        """The rows of a sheet.

        Raises:
            BadInput: A formula, an error value, too many rows or columns, or damage.
        """
        place = Place(self.name, title, self.epoch)
        try:
            source = self._book[title]
            source.reset_dimensions()  # the size that the file states may be wrong; our own limits are asked for
            rows = tuple(self._rows(source, place))
        except _DAMAGE as fault:
            raise BadInput(
                f"{self.name}, sheet {title}: the sheet is damaged ({shown(fault)}). {DOWNLOAD_AGAIN}"
            ) from fault
        return Sheet(place, rows)

    def _rows(self, source: Any, place: Place) -> list[SheetRow]:
        found: list[SheetRow] = []
        width = MAX_COLUMNS + 1
        for number, cells in enumerate(source.iter_rows(max_row=MAX_ROWS + 1, max_col=width), start=1):
            if number > MAX_ROWS:
                place.fail(number, f"more than {MAX_ROWS} rows. Download a statement of a shorter period.")
            if all(cell.value is None for cell in cells):
                continue
            if cells[MAX_COLUMNS].value is not None:
                place.fail(number, f"more than {MAX_COLUMNS} columns. {DOWNLOAD_AGAIN}")
            found.append(
                SheetRow(number, tuple(_value(cell, index, number, place) for index, cell in enumerate(cells)))
            )
        return found


def _value(cell: Any, index: int, row: int, place: Place) -> Any:
    if cell.data_type == "f":
        text = getattr(cell.value, "text", cell.value)
        place.fail(
            row,
            f"cell {get_column_letter(index + 1)}{row} holds the formula {shown(text)!r}, a statement has none. "
            f"{DOWNLOAD_AGAIN}",
        )
    if cell.data_type == "e":
        place.fail(
            row, f"cell {get_column_letter(index + 1)}{row} holds the error {shown(cell.value)!r}. {DOWNLOAD_AGAIN}"
        )
    return cell.value
