"""Where something stands in a statement, and how a refusal says it.

Belongs here: file, sheet, row and column as words. Does not belong here: what a cell may hold (`cells`).
"""

import datetime as dt
from dataclasses import dataclass
from typing import NoReturn

from trading_ops.domain.errors import BadInput

_SHOWN_CELL = 60
_SHOWN_ROW = 300

SWITCH_TO_ENGLISH = (
    "Set the language of the eToro site to English (Settings, Language) and download the statement again as XLSX."
)
DOWNLOAD_AGAIN = "Download the account statement again from the eToro site as XLSX and add that file unchanged."


def shown(value: object) -> str:
    """A cell as one short line of printable text."""
    text = "" if value is None else str(value)
    text = "".join(char if char.isprintable() else "?" for char in text)
    return text if len(text) <= _SHOWN_CELL else text[: _SHOWN_CELL - 3] + "..."


def shown_row(values: tuple[object, ...]) -> str:
    """A row as one line, cells between bars, so that a person finds it in the file."""
    text = " | ".join(shown(value) for value in values).rstrip(" |")
    return text if len(text) <= _SHOWN_ROW else text[: _SHOWN_ROW - 3] + "..."


@dataclass(frozen=True)
class Place:
    """A sheet of a file.

    Attributes:
        file: The file's name as the person gave it.
        sheet: The sheet's name as written in the file.
        epoch: Day 0 of the workbook's date serials.
    """

    file: str
    sheet: str
    epoch: dt.datetime

    def fail(self, row: int, sentence: str, column: str | None = None) -> NoReturn:
        """Refuse the whole file because of this row or cell."""
        where = f"{self.file}, sheet {self.sheet}, row {row}"
        raise BadInput(f"{where}, column {column}: {sentence}" if column else f"{where}: {sentence}")
