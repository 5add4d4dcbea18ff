"""Making one dataset: read, adjust, write, seal, put in place.

Belongs here: the order of these steps. Does not belong here: the steps, and whether the dataset is there already.
"""

import contextlib
import itertools
from collections.abc import Collection, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trading_ops.domain.canonical import sha256_hex
from trading_ops.domain.errors import Refused
from trading_ops.domain.policy import Data
from trading_ops.qlib_export import folder as folders
from trading_ops.qlib_export import held, manifest
from trading_ops.qlib_export.adjusting import Adjusted, Adjuster
from trading_ops.qlib_export.manifest import Name
from trading_ops.qlib_export.matrix import Matrix, assemble
from trading_ops.qlib_export.months import CLOSE, dates_of
from trading_ops.qlib_export.names import check_names
from trading_ops.store.snapshots import Snapshot

HELD = ".held/bars.bin"
"""The last matrix, below the folder of the datasets."""
_BATCH = 8
"""Names adjusted together: enough for numpy to be quick, few enough to stay in the processor's cache."""
_KEEP_FROM = 4
"""Parts read from which on the matrix is kept anew: one or two are read again as quickly as they are kept."""


@dataclass(frozen=True)
class Order:
    """What is to be made, where.

    Attributes:
        snapshot: The data snapshot.
        parts: The snapshots folder.
        final: The dataset's folder, which does not exist yet.
        head: What its manifest says of snapshot and choices.
        data: The policy's `data` section.
    """

    snapshot: Snapshot
    parts: Path
    final: Path
    head: Mapping[str, Any]
    data: Data


@dataclass(frozen=True)
class Previous:
    """An earlier dataset to share files with, and the hashes of its names' files; no folder means there is none."""

    folder: Path | None
    files: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Made:
    """What was made: names, and the manifest's hash."""

    names: tuple[Name, ...]
    sha256: str


def make(order: Order, previous: Previous, pool: Executor) -> Made | None:
    """Make a dataset; None when another process had put the same one in place meanwhile.

    Args:
        order: What is to be made.
        previous: An earlier dataset, if there is one.
        pool: Threads to work in; one may still keep the matrix afterwards.

    Raises:
        Refused: No valid bar, or a name that cannot be a folder of its own.
        SnapshotDamaged: A part is missing or altered.
    """
    kept = order.final.parent / HELD
    matrix, read = assemble(order.parts, order.snapshot, held.load(kept, pool), pool)
    valid = ~np.isnan(matrix.values[CLOSE])
    left_out = set(order.head["choices"]["left_out"])
    places = {s: p for p, s in enumerate(matrix.symbols) if s not in left_out and valid[p].any()}
    if not places:
        raise Refused(f"Data snapshot {order.snapshot.snapshot_id[:12]} has no valid bar to export. Load prices first.")
    check_names(places)
    chosen = np.array(list(places.values()))
    start = int(valid[chosen].any(axis=0).argmax())
    not_valid = int(((matrix.basis[chosen] > 0) & ~valid[chosen]).sum())
    days = dates_of(matrix.days[start:])
    adjuster = Adjuster(matrix, valid, order.data)
    with folders.new_folder(order.final.parent) as folder:
        names = _write_names(folder, matrix.symbols, places, adjuster, (start, days), previous, pool)
        texts = _texts(days, names, set(order.head["choices"]["stocks"]))
        folders.write_texts(folder, texts)
        text = manifest.render(order.head, days, texts, names, not_valid)
        digest = sha256_hex(text)
        folders.write(folder / manifest.NAME, text)
        folders.write(folder / manifest.SEAL, manifest.seal_of(digest))
        if read >= _KEEP_FROM:
            pool.submit(_keep, kept, matrix)  # meanwhile; the pool is closed when it is done
        there = folders.put_in_place(folder, order.final)
    return Made(tuple(names.values()), digest) if there else None


def _keep(path: Path, matrix: Matrix) -> None:
    """Keep the matrix if the disk takes it: without it the next export takes longer, and that is all."""
    with contextlib.suppress(OSError):
        held.save(path, matrix)


def _write_names(
    folder: Path,
    symbols: tuple[str, ...],
    wanted: Collection[str],
    adjuster: Adjuster,
    calendar: tuple[int, tuple[str, ...]],
    previous: Previous,
    pool: Executor,
) -> dict[str, Name]:
    """Hash and write every name; the first session of `calendar` is at its place in the matrix."""
    start, days = calendar
    (folder / "features").mkdir()

    def write(symbol: str, series: Adjusted) -> Name:
        first = series.first - start
        series.numbers[:, 0] = first
        known = previous.files.get(symbol, {})
        files, linked = folders.write_name(folder, symbol, series.numbers, previous.folder, known)
        last = first + series.numbers.shape[1] - 2
        size = series.numbers.size * series.numbers.itemsize
        return Name(days[first], days[last], series.rows, size, series.derived, files, linked)

    def some(places: range) -> list[tuple[str, Name]]:
        named = zip(symbols[places.start : places.stop], adjuster.adjusted(places), strict=True)
        return [(symbol, write(symbol, series)) for symbol, series in named if series and symbol in wanted]

    batches = [range(i, min(i + _BATCH, len(symbols))) for i in range(0, len(symbols), _BATCH)]
    return dict(itertools.chain.from_iterable(pool.map(some, batches)))


def _texts(days: tuple[str, ...], names: Mapping[str, Name], stocks: set[str]) -> dict[str, bytes]:
    every = {symbol: f"{symbol}\t{name.first}\t{name.last}" for symbol, name in names.items()}
    return {
        "calendars/day.txt": manifest.lines(days),
        "instruments/all.txt": manifest.lines(every.values()),
        "instruments/stocks.txt": manifest.lines(line for symbol, line in every.items() if symbol in stocks),
    }
