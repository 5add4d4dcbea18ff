"""Printing facts: a table for people, JSON for programs, CSV for spreadsheets."""

import csv
import io
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


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
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value


def rows(found: Sequence[Mapping[str, Any]], how: str, empty: str) -> None:
    """Print rows as `table`, `csv` or `json`."""
    if how == "json":
        as_json(list(found))
    elif how == "csv":
        as_csv(found)
    else:
        as_table(found, empty)
