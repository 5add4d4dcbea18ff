"""Ways to change what JSON says, field by field: rows of Tiingo's list, days and events of Yahoo's chart.

Does not belong here: an answer's bytes and line (`damage`), or a CSV (`cells`).
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from trading_ops.drill.damage import Change
from trading_ops.drill.server import Reply

Rows = list[dict[str, Any]]
Chart = dict[str, Any]
PRICES = ("open", "high", "low", "close")
EVERY = slice(None)


# ---------------------------------------------------------------- Tiingo
def in_rows(change: Callable[[Rows], Any]) -> Change:
    """Tiingo's rows changed in place; what `change` returns replaces them, unless it is None."""

    def changed(good: Reply) -> Reply:
        rows = json.loads(good.body)
        made = change(rows)
        return replace(good, body=json.dumps(rows if made is None else made).encode())

    return changed


def row(place: int, **fields: Any) -> Change:
    """Fields of one row."""
    return in_rows(lambda rows: rows[place].update(fields))


def each_row(change: Callable[[dict[str, Any]], Any], places: slice = EVERY) -> Change:
    """Some rows, one by one."""
    return in_rows(lambda rows: [change(found) for found in rows[places]] and None)


def raised(factor: float) -> Callable[[dict[str, Any]], None]:
    """A row whose prices are so many times as high."""

    def change(found: dict[str, Any]) -> None:
        for name in PRICES:
            for field in (name, f"adj{name.capitalize()}"):
                found[field] = round(found[field] * factor, 6)

    return change


# ---------------------------------------------------------------- Yahoo
def in_chart(change: Callable[[Chart], Any]) -> Change:
    """The one result of Yahoo's chart changed in place."""

    def changed(good: Reply) -> Reply:
        body = json.loads(good.body)
        if body["chart"]["result"]:
            change(body["chart"]["result"][0])
        return replace(good, body=json.dumps(body).encode())

    return changed


def of_meta(**fields: Any) -> Change:
    """Fields of the chart's description of itself."""
    return in_chart(lambda chart: chart["meta"].update(fields))


def quote(name: str, place: int, value: Any) -> Change:
    """One value of one column."""
    return in_chart(lambda chart: columns_of(chart)[name].__setitem__(place, value))


def quotes(change: Callable[[float], Any], places: slice = EVERY, names: Sequence[str] = PRICES) -> Change:
    """Prices of some days."""

    def changed(chart: Chart) -> None:
        for name in names:
            values = columns_of(chart)[name]
            values[places] = [None if value is None else change(value) for value in values[places]]
        chart["indicators"]["adjclose"][0]["adjclose"] = list(columns_of(chart)["close"])

    return in_chart(changed)


def stamps(change: Callable[[int], Any], places: slice = EVERY) -> Change:
    """Times of some days."""

    def changed(chart: Chart) -> None:
        chart["timestamp"][places] = [change(stamp) for stamp in chart["timestamp"][places]]

    return in_chart(changed)


def without_day(place: int) -> Change:
    """The chart without one of its days."""

    def changed(chart: Chart) -> None:
        del chart["timestamp"][place]
        for values in (*columns_of(chart).values(), chart["indicators"]["adjclose"][0]["adjclose"]):
            del values[place]

    return in_chart(changed)


def event(kind: str, place: int, **fields: Any) -> Change:
    """One more event on one of the chart's days."""

    def changed(chart: Chart) -> None:
        stamp = chart["timestamp"][place]
        chart.setdefault("events", {}).setdefault(kind, {})[str(stamp)] = {"date": stamp} | fields

    return in_chart(changed)


def without_events(kind: str) -> Change:
    """No event of a kind."""
    return in_chart(lambda chart: chart.get("events", {}).pop(kind, None))


def columns_of(chart: Chart) -> dict[str, list[Any]]:
    """The table of prices and volumes."""
    found: dict[str, list[Any]] = chart["indicators"]["quote"][0]
    return found
