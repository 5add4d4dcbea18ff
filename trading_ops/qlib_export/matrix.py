"""All bars of a snapshot as one matrix of names and sessions, put together from months that are read or still held.

Belongs here: which month is read again, and where its rows go. Does not belong here: decoding (`months`), adjusting.
"""

import datetime as dt
import itertools
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from trading_ops.domain import calendar
from trading_ops.domain.errors import Refused
from trading_ops.qlib_export.months import NO_ACTIONS, RAW, Floats, Ints, Rows, day_number, read_actions, read_bars
from trading_ops.store.snapshots import Snapshot

_BATCH = 12
"""Parts decoded together: enough for numpy to be quick, few enough to stay in the processor's cache."""

Span = tuple[int, int]


@dataclass(frozen=True)
class Matrix:
    """Bars by name and session, and the corporate actions of the same names.

    Attributes:
        days: Sessions as days since 1970, ascending: from the first month's first through the as-of session.
        symbols: Names, sorted.
        bases: What bars are of, as (source, whether its adjusted close is one).
        values: For each of RAW names x sessions, USD and shares as traded; NaN where there is no valid bar.
        basis: Names x sessions: 0 where there is no bar, else 1 + the bar's place in `bases`.
        months: The span of sessions of each part of bars, by part id.
        actions: Corporate actions as `months.read_actions` gives them.
    """

    days: Ints
    symbols: tuple[str, ...]
    bases: tuple[tuple[str, bool], ...]
    values: Floats
    basis: npt.NDArray[np.uint8]
    months: dict[str, Span]
    actions: pa.Table


def assemble(root: Path, snapshot: Snapshot, held: Matrix | None, pool: Executor) -> tuple[Matrix, int]:
    """The matrix of a snapshot, and how many parts of bars had to be read for it.

    Args:
        root: The snapshots folder.
        snapshot: The snapshot.
        held: The matrix of another snapshot; months with the same part are taken from it.
        pool: Threads to work in.

    Raises:
        Refused: The snapshot has no bar.
        SnapshotDamaged: A part is missing or altered.
    """
    parts = sorted((p for p in snapshot.parts if p.kind == "bars"), key=lambda p: p.month)
    if not parts:
        raise Refused(f"Data snapshot {snapshot.snapshot_id[:12]} has no bars. Load prices first.")
    days = np.array([day_number(day) for day in calendar.sessions(parts[0].month, snapshot.asof)], np.int64)
    months = {part.part_id: _span(days, part.month) for part in parts}
    if held is not None and not np.array_equal(held.days[: days.size], days[: held.days.size]):
        held = None
    known = {} if held is None else held.months
    kept = [span for part_id, span in months.items() if known.get(part_id) == span]
    fresh = [part for part in parts if known.get(part.part_id) != months[part.part_id]]
    reading = [pool.submit(read_bars, root, fresh[i : i + _BATCH]) for i in range(0, len(fresh), _BATCH)]
    actions = _actions(root, snapshot, held, pool)
    rows = [done.result() for done in reading]
    names = {symbol for some in rows for symbol in some.symbols}
    bases = {basis for some in rows for basis in some.bases}
    held = held if kept else None
    if held is not None:
        names.update(held.symbols)
        bases.update(held.bases)
    values = np.empty((len(RAW), len(names), days.size))
    basis = np.zeros((len(names), days.size), np.uint8)
    made = Matrix(days, tuple(sorted(names)), tuple(sorted(bases)), values, basis, months, actions)
    _fill(made, held, _runs(kept), rows, pool)
    return made, len(fresh)


def _span(days: Ints, month: dt.date) -> Span:
    following = (month + dt.timedelta(days=32)).replace(day=1)
    first, end = np.searchsorted(days, [day_number(month), day_number(following)])
    return int(first), int(end)


def _runs(spans: Iterable[Span]) -> list[Span]:
    """Spans that touch made into one."""
    runs: list[Span] = []
    for first, end in sorted(spans):
        if runs and runs[-1][1] == first:
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((first, end))
    return runs


def _actions(root: Path, snapshot: Snapshot, held: Matrix | None, pool: Executor) -> pa.Table:
    parts = sorted((p for p in snapshot.parts if p.kind == "actions"), key=lambda p: p.month)
    tables = []
    if held is not None:
        known = set(held.actions["part"].unique().to_pylist())
        wanted = pa.array([p.part_id for p in parts if p.part_id in known], pa.string())
        tables.append(held.actions.filter(pc.is_in(held.actions["part"], wanted)))
        parts = [p for p in parts if p.part_id not in known]
    batches = (parts[i : i + _BATCH] for i in range(0, len(parts), _BATCH))
    tables += pool.map(read_actions, itertools.repeat(root), batches)
    return pa.concat_tables(tables or [NO_ACTIONS])


def _fill(made: Matrix, held: Matrix | None, runs: list[Span], rows: Sequence[Rows], pool: Executor) -> None:
    """Take what is held, leave the rest empty, and put the rows that were read in their places."""
    symbols = {symbol: place for place, symbol in enumerate(made.symbols)}
    bases = {basis: place + 1 for place, basis in enumerate(made.bases)}
    places = [_placed(made, some, symbols) for some in rows]
    same = held is not None and held.symbols == made.symbols
    where = slice(None) if same or held is None else np.array([symbols[s] for s in held.symbols])
    kept = made.values if held is None else held.values
    gaps = [(a[1], b[0]) for a, b in itertools.pairwise([(0, 0), *runs, (made.days.size, 0)])]

    def fill(field: int) -> None:
        values = made.values[field]
        for first, end in gaps if same else [(0, made.days.size)]:
            values[:, first:end] = np.nan
        for first, end in runs:
            values[where, first:end] = kept[field][:, first:end]
        flat = values.reshape(-1)
        for some, place in zip(rows, places, strict=True):
            flat[place.cells] = some.values[field][place.rows]
            flat[place.twice] = np.nan

    filling = [pool.submit(fill, field) for field in range(len(RAW))]
    if held is not None:
        code = np.array([0, *(bases[basis] for basis in held.bases)], np.uint8)
        for first, end in runs:
            made.basis[where, first:end] = code[held.basis[:, first:end]]
    flat = made.basis.reshape(-1)
    for some, place in zip(rows, places, strict=True):
        flat[place.cells] = np.array([bases[basis] for basis in some.bases], np.uint8)[some.basis[place.rows]]
    for done in filling:
        done.result()


@dataclass(frozen=True)
class _Placed:
    """Which rows go to which cells of the flat matrix, and which cells were told of twice."""

    rows: Ints | slice
    cells: Ints
    twice: Ints


def _placed(made: Matrix, some: Rows, symbols: dict[str, int]) -> _Placed:
    """Bars off the calendar have no place; two of one session cannot both be right, so neither is kept."""
    session = np.searchsorted(made.days, some.days)
    on = made.days[np.minimum(session, made.days.size - 1)] == some.days
    rows: Ints | slice = slice(None) if on.all() else np.flatnonzero(on)
    row_of = np.array([symbols[symbol] for symbol in some.symbols], np.int64)
    cells = (row_of[some.symbol] * made.days.size + session)[rows]
    return _Placed(rows, cells, cells[1:][cells[1:] == cells[:-1]])
