"""Ways to change what a CSV says, cell by cell: Stooq's prices and fixings, the ECB's rates.

Does not belong here: an answer's bytes and line (`damage`), or JSON (`fields`).
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from trading_ops.drill.damage import Change
from trading_ops.drill.server import Reply

Table = list[list[str]]
EVERY = slice(None)


def in_csv(change: Callable[[Table], Any]) -> Change:
    """A CSV, its header first, changed in place."""

    def changed(good: Reply) -> Reply:
        table = [line.split(",") for line in good.body.decode().splitlines()]
        change(table)
        return replace(good, body="".join(f"{','.join(cells)}\r\n" for cells in table).encode())

    return changed


def cell(row: int, column: str, text: str) -> Change:
    """One cell; the first row after the header is 0, the last -1."""
    return in_csv(lambda table: _body(table)[row].__setitem__(table[0].index(column), text))


def column(name: str, change: Callable[[str], str], rows: slice = EVERY) -> Change:
    """Cells of one column."""
    return in_csv(lambda table: _each(table, (name,), change, rows))


def times(factor: str, rows: slice = EVERY, columns: Sequence[str] = ("Open", "High", "Low", "Close")) -> Change:
    """Prices of some rows times a factor."""
    return in_csv(lambda table: _each(table, columns, lambda text: f"{Decimal(text) * Decimal(factor):f}", rows))


def names_swapped(one: str, other: str) -> Change:
    """Two columns bear each other's name."""

    def change(table: Table) -> None:
        a, b = table[0].index(one), table[0].index(other)
        table[0][a], table[0][b] = table[0][b], table[0][a]

    return in_csv(change)


def columns_moved(names: Sequence[str]) -> Change:
    """The same columns, each under its name, in another order; those not named are left out."""

    def change(table: Table) -> None:
        places = [table[0].index(name) for name in names]
        table[:] = [[row[place] for place in places] for row in table]

    return in_csv(change)


def days_moved(days: int, rows: slice = EVERY, name: str = "Date") -> Change:
    """Dates of some rows, so many days later."""
    return column(name, lambda text: str(dt.date.fromisoformat(text) + dt.timedelta(days=days)), rows)


def twice(row: int, **cells: str) -> Change:
    """One row stands there again, with other cells or the same."""

    def change(table: Table) -> None:
        again = list(_body(table)[row])
        for name, text in cells.items():
            again[table[0].index(name)] = text
        table.append(again)

    return in_csv(change)


def only_header(table: Table) -> None:
    """No rows."""
    del table[1:]


def _body(table: Table) -> Table:
    return table[1:]


def _each(table: Table, columns: Sequence[str], change: Callable[[str], str], rows: slice) -> None:
    for row in _body(table)[rows]:
        for name in columns:
            place = table[0].index(name)
            row[place] = change(row[place])
