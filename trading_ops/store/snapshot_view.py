"""The market of a data snapshot, as the rules see it, read from its parts alone."""

import datetime as dt
import functools
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from trading_ops.domain.policy import Policy
from trading_ops.domain.prices import Bar, CorporateAction, Fixing, MarketView, clean_ratio
from trading_ops.store.snapshot_parts import Part, read_table
from trading_ops.store.snapshots import Snapshot


@functools.lru_cache(maxsize=1024)
def _bars(
    root: Path, part: Part, symbols: frozenset[str]
) -> tuple[dict[str, dict[dt.date, Bar]], tuple[tuple[str, dt.date], ...]]:
    """A month's bars by symbol, and the pairs that stand more than once."""
    table = read_table(root, part)
    wanted = pc.is_in(table["symbol"], pa.array(sorted(symbols), pa.string()))
    columns = table.filter(wanted).to_pydict()
    bars: dict[str, dict[dt.date, Bar]] = {}
    duplicates = []
    fields = zip(
        columns["symbol"], columns["session"], columns["open"], columns["high"], columns["low"], columns["close"],
        columns["adj_close"], columns["volume"], columns["source"], columns["revision"], strict=True,
    )  # fmt: skip
    for field in fields:
        bar = Bar(*field)
        of_symbol = bars.setdefault(bar.symbol, {})
        if bar.session in of_symbol:
            duplicates.append((bar.symbol, bar.session))
        of_symbol[bar.session] = bar
    return bars, tuple(duplicates)


_LAST_VIEW: dict[tuple[Path, str, dt.date, frozenset[str], int, Decimal], MarketView] = {}


def view(root: Path, snapshot: Snapshot, policy: Policy, since: dt.date, symbols: frozenset[str]) -> MarketView:
    """The market of a snapshot, read from its parts alone.

    Args:
        root: The snapshots folder.
        snapshot: The snapshot.
        policy: Says how split ratios are cleaned.
        since: Months before this day's are left out; nobody who asks looks further back.
        symbols: Names whose bars are wanted; corporate actions of all names are part of the view.

    Raises:
        SnapshotDamaged: A part is missing or altered.
    """
    data = policy.data
    key = (root, snapshot.snapshot_id, since.replace(day=1), symbols, data.split_max_denominator, data.split_noise)
    if key not in _LAST_VIEW:
        _LAST_VIEW.clear()  # the steps of a plan follow each other; the next plan has another snapshot
        _LAST_VIEW[key] = _view(root, snapshot, policy, key[2], symbols)
    return _LAST_VIEW[key]


def _view(root: Path, snapshot: Snapshot, policy: Policy, since: dt.date, symbols: frozenset[str]) -> MarketView:
    bars: dict[str, dict[dt.date, Bar]] = {}
    duplicates: list[tuple[str, dt.date]] = []
    actions: dict[str, list[CorporateAction]] = {}
    fixings: list[Fixing] = []
    for part in sorted(snapshot.parts, key=lambda p: (p.kind, p.month)):
        if part.month < since:
            continue
        if part.kind == "bars":
            month, twice = _bars(root, part, symbols)
            duplicates += twice
            for symbol, of_symbol in month.items():
                bars.setdefault(symbol, {}).update(of_symbol)
        elif part.kind == "actions":
            for row in _rows(root, part):
                value = _action_value(row, policy)
                actions.setdefault(row["symbol"], []).append(
                    CorporateAction(row["symbol"], row["ex_date"], row["kind"], value, row["source"])
                )
        else:
            fixings += [Fixing(row["day"], row["rate"], row["source"]) for row in _rows(root, part)]
    return MarketView(
        asof=snapshot.asof,
        bars=bars,
        duplicates=tuple(duplicates),
        actions={symbol: tuple(rows) for symbol, rows in actions.items()},
        fixings=tuple(fixings),
        simulated=snapshot.simulated,
    )


@functools.lru_cache(maxsize=4096)
def _rows(root: Path, part: Part) -> tuple[dict[str, Any], ...]:
    return tuple(read_table(root, part).to_pylist())


def _action_value(row: dict[str, Any], policy: Policy) -> Decimal:
    value: Decimal = row["value"]
    if row["kind"] == "split":
        return clean_ratio(value, policy.data.split_max_denominator, policy.data.split_noise)
    return value
