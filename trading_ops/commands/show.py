"""Printing facts: a table for people, JSON for programs, CSV for spreadsheets."""

import csv
import io
import json
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "＝", "＋", "－", "＠")
"""What makes a spreadsheet run a cell; the wide ones do so in some languages."""
_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
_BREAKS = re.compile(r"[\r\n]+")


def as_json(facts: object) -> None:
    """Print facts as JSON; numbers that decide money are text."""
    sys.stdout.write(json.dumps(facts, ensure_ascii=False, indent=2, default=str) + "\n")


def as_table(rows: Sequence[Mapping[str, Any]], empty: str) -> None:
    """Print rows as a table, or a sentence when there are none."""
    if not rows:
        sys.stdout.write(empty + "\n")
        return
    table = Table(box=None, pad_edge=False)
    for name in rows[0]:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row.values()))
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def as_csv(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows as CSV; text that a spreadsheet would run as a formula is neutralised."""
    sink = io.StringIO()
    if rows:
        writer = csv.DictWriter(sink, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({k: _inert(v) for k, v in row.items()} for row in rows)
    sys.stdout.write(sink.getvalue())


def _inert(value: object) -> object:
    """Text that starts as a formula does, behind a quote; a number, negative or not, stays a number.

    Line breaks become spaces: a bare carriage return would start a new row, and with it a new formula.
    """
    if not isinstance(value, str) or _NUMBER.fullmatch(value):
        return value
    text = _BREAKS.sub(" ", value)
    starts = text.startswith(FORMULA_STARTS) or text.lstrip().startswith(FORMULA_STARTS)
    return f"'{text}" if starts else text


def rows(found: Sequence[Mapping[str, Any]], how: str, empty: str) -> None:
    """Print rows as `table`, `csv` or `json`."""
    if how == "json":
        as_json(list(found))
    elif how == "csv":
        as_csv(found)
    else:
        as_table(found, empty)
