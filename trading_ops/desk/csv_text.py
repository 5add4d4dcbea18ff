"""Rows as a CSV that a spreadsheet opens without running anything in it.

A cell that a spreadsheet could take for a formula gets an apostrophe before it. Numbers stay numbers, also
negative ones.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)


def safe_cell(text: str) -> str:
    """A cell's text that no spreadsheet runs: `=1+1` becomes `'=1+1`, `-12.50` stays."""
    harmless = _NUMBER.fullmatch(text) or not text.lstrip(" \xa0\ufeff").startswith(_FORMULA)
    return text if harmless else f"'{text}"


def as_csv(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """The rows below their column names, UTF-8 with the mark by which spreadsheets know it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([safe_cell(name) for name in columns])
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")
