"""The market of a data snapshot, as the rules see it, read from its parts alone."""

import datetime as dt
import functools
import itertools
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from trading_ops.domain.adjustment import adjusted, knows_its_splits
from trading_ops.domain.policy import Policy
from trading_ops.domain.prices import (
    ACTIONS_UNKNOWN,
    NOT_ADJUSTED,
    Bar,
    CorporateAction,
    Fixing,
    MarketView,
    Witness,
    clean_ratio,
    undisputed,
)
from trading_ops.store.snapshot_parts import Part, read_table
from trading_ops.store.snapshots import Snapshot


@functools.lru_cache(maxsize=1024)
def _bars(
    root: Path, part: Part, symbols: frozenset[str]
) -> tuple[dict[str, dict[dt.date, Bar]], tuple[tuple[str, dt.date], ...], frozenset[tuple[str, str, bool]]]:
    """A month's bars by symbol, the pairs that stand more than once, and who gave each symbol's bars, adjusted or not.

    Parts of the first layout have no flags: their bars are adjusted, and their one source told of actions.
    """
    table = read_table(root, part)
    wanted = pc.is_in(table["symbol"], pa.array(sorted(symbols), pa.string()))
    columns = table.filter(wanted).to_pydict()
    bars: dict[str, dict[dt.date, Bar]] = {}
    duplicates, bases = [], set()
    fields = zip(
        columns["symbol"], columns["session"], columns["open"], columns["high"], columns["low"], columns["close"],
        columns["adj_close"], columns["volume"], columns["source"], columns["revision"], strict=True,
    )  # fmt: skip
    flags = columns.get("flags") or itertools.repeat("")
    for field, flag in zip(fields, flags, strict=False):
        bar = Bar(*field, NOT_ADJUSTED not in flag, ACTIONS_UNKNOWN not in flag) if flag else Bar(*field)
        of_symbol = bars.setdefault(bar.symbol, {})
        if bar.session in of_symbol:
            duplicates.append((bar.symbol, bar.session))
        of_symbol[bar.session] = bar
        bases.add((bar.symbol, bar.source, bar.adjusted))
    return bars, tuple(duplicates), frozenset(bases)


_LAST_VIEW: dict[tuple[Path, str, dt.date, frozenset[str], int, Decimal, Decimal], MarketView] = {}


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
    key = (
        root, snapshot.snapshot_id, since.replace(day=1), symbols, data.split_max_denominator, data.split_noise,
        data.fx_cross_tolerance,
    )  # fmt: skip
    if key not in _LAST_VIEW:
        _LAST_VIEW.clear()  # the steps of a plan follow each other; the next plan has another snapshot
        _LAST_VIEW[key] = _view(root, snapshot, policy, key[2], symbols)
    return _LAST_VIEW[key]


def _view(root: Path, snapshot: Snapshot, policy: Policy, since: dt.date, symbols: frozenset[str]) -> MarketView:
    parts = [p for p in sorted(snapshot.parts, key=lambda p: (p.kind, p.month)) if p.month >= since]
    bars: dict[str, dict[dt.date, Bar]] = {}
    duplicates: list[tuple[str, dt.date]] = []
    bases: set[tuple[str, str, bool]] = set()
    for part in parts:
        if part.kind == "bars":
            month, twice, given = _bars(root, part, symbols)
            duplicates += twice
            bases |= given
            for symbol, of_symbol in month.items():
                bars.setdefault(symbol, {}).update(of_symbol)
    actions = _actions(root, parts, "actions", policy)
    fixings, disputed = undisputed(
        _fixings(root, parts, "fixings"), _fixings(root, parts, "witness_fixings"), policy.data.fx_cross_tolerance
    )
    unaware = {s for s, known in actions.items() if s in bars and not knows_its_splits(bars[s], known)}
    for symbol in sorted(_to_adjust(bases) | unaware):
        bars[symbol] = adjusted(bars[symbol], actions.get(symbol, ()), snapshot.asof)
    return MarketView(
        asof=snapshot.asof,
        bars=bars,
        duplicates=tuple(duplicates),
        actions=actions,
        fixings=fixings,
        simulated=snapshot.simulated,
        witnesses=_witnesses(root, parts, symbols),
        witness_actions=_actions(root, parts, "witness_actions", policy),
        disputed=disputed,
    )


def _to_adjust(bases: set[tuple[str, str, bool]]) -> set[str]:
    """Symbols with a bar that is not adjusted, or bars of more than one source."""
    sources: dict[str, set[str]] = {}
    raw = set()
    for symbol, source, is_adjusted in bases:
        sources.setdefault(symbol, set()).add(source)
        if not is_adjusted:
            raw.add(symbol)
    return raw | {symbol for symbol, given in sources.items() if len(given) > 1}


def _actions(root: Path, parts: list[Part], kind: str, policy: Policy) -> dict[str, tuple[CorporateAction, ...]]:
    found: dict[str, list[CorporateAction]] = {}
    for part in parts:
        for row in _rows(root, part) if part.kind == kind else ():
            action = CorporateAction(
                row["symbol"], row["ex_date"], row["kind"], _action_value(row, policy), row["source"]
            )
            found.setdefault(action.symbol, []).append(action)
    return {symbol: tuple(rows) for symbol, rows in found.items()}


def _fixings(root: Path, parts: list[Part], kind: str) -> tuple[Fixing, ...]:
    rows = (row for part in parts if part.kind == kind for row in _rows(root, part))
    return tuple(Fixing(row["day"], row["rate"], row["source"]) for row in rows)


def _witnesses(root: Path, parts: list[Part], symbols: frozenset[str]) -> dict[str, dict[dt.date, tuple[Witness, ...]]]:
    found: dict[str, dict[dt.date, tuple[Witness, ...]]] = {}
    for part in parts:
        for row in _rows(root, part) if part.kind == "witness_bars" else ():
            if row["symbol"] not in symbols:
                continue
            seen = Witness(
                row["symbol"], row["session"], row["close"], row["source"], ACTIONS_UNKNOWN not in row["flags"]
            )
            of_symbol = found.setdefault(seen.symbol, {})
            of_symbol[seen.session] = (*of_symbol.get(seen.session, ()), seen)
    return found


@functools.lru_cache(maxsize=4096)
def _rows(root: Path, part: Part) -> tuple[dict[str, Any], ...]:
    return tuple(read_table(root, part).to_pylist())


def _action_value(row: dict[str, Any], policy: Policy) -> Decimal:
    value: Decimal = row["value"]
    if row["kind"] == "split":
        return clean_ratio(value, policy.data.split_max_denominator, policy.data.split_noise)
    return value
