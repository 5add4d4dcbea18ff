"""From a data snapshot to its finished Qlib dataset.

Belongs here: what makes two exports the same, and finding one that is there. Does not belong here: making one.
"""

import contextlib
import os
import time
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from trading_ops.domain.canonical import canonical_bytes, sha256_hex
from trading_ops.domain.policy import Policy
from trading_ops.domain.universe import Universe
from trading_ops.domain.values import plain
from trading_ops.qlib_export import manifest
from trading_ops.qlib_export.folder import finished
from trading_ops.qlib_export.making import Made, Order, Previous, make
from trading_ops.store.snapshots import Snapshot


@dataclass(frozen=True)
class Export:
    """A finished dataset.

    Attributes:
        folder: Where it lies: Qlib's `provider_uri`.
        dataset_sha256: Hash of its manifest.
        symbols: Exported names.
        rows: Bars of all of them.
        written: Names whose files were written now.
        linked: Names whose files are those of an earlier dataset.
        seconds: How long it took.
        found: It was there already, and nothing was written.
    """

    folder: Path
    dataset_sha256: str
    symbols: int
    rows: int
    written: int
    linked: int
    seconds: float
    found: bool = False


def export(
    snapshot: Snapshot,
    root_of_parts: Path,
    qlib_root: Path,
    universe: Universe,
    policy: Policy,
    leave_out: Collection[str] = (),
) -> Export:
    """Write the Qlib dataset of a snapshot below `qlib_root`, or find it there.

    It lies in `<snapshot id>`; a second one of the same snapshot with other choices (tradable names, names left out,
    cleaning of ratios) in `<snapshot id>-<hash of the choices>`. The same snapshot and choices give the same bytes,
    whether they were made from nothing or from an earlier export.

    Args:
        snapshot: The snapshot.
        root_of_parts: The snapshots folder.
        qlib_root: The folder of all datasets.
        universe: Its tradable names are the set `stocks`; the set `all` is every exported name.
        policy: Says how split ratios are cleaned.
        leave_out: Names that are not exported, such as frozen ones.

    Raises:
        Refused: The snapshot has no valid bar, or a name cannot be a folder of its own.
        SnapshotDamaged: A part is missing or altered.
        DatasetDamaged: The dataset is there, but its manifest was altered.
    """
    started = time.monotonic()
    head = _head(snapshot, universe, policy, leave_out)
    final = qlib_root / snapshot.snapshot_id
    if final.exists() and not _is_of(final, head):
        other = canonical_bytes([head["format"], head["choices"]])
        final = qlib_root / f"{snapshot.snapshot_id}-{sha256_hex(other)[:12]}"
    if not final.exists():
        order = Order(snapshot, root_of_parts, final, head, policy.data)
        with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
            made = make(order, _newest(qlib_root), pool)
        if made is not None:
            return _export(final, made, started)
    facts, digest = manifest.read(final)
    if not _is_of(final, head):
        raise manifest.DatasetDamaged(final, "its manifest is of another export.")
    found = Export(final, digest, facts["totals"]["symbols"], facts["totals"]["rows"], 0, 0, 0.0, found=True)
    return replace(found, seconds=time.monotonic() - started)


def _export(final: Path, made: Made, started: float) -> Export:
    linked = sum(name.linked for name in made.names)
    rows = sum(name.rows for name in made.names)
    count = len(made.names)
    return Export(final, made.sha256, count, rows, count - linked, linked, time.monotonic() - started)


def _head(snapshot: Snapshot, universe: Universe, policy: Policy, leave_out: Collection[str]) -> dict[str, Any]:
    return {
        "format": manifest.FORMAT,
        "snapshot_id": snapshot.snapshot_id,
        "asof": snapshot.asof.isoformat(),
        "simulated": snapshot.simulated,
        "choices": {
            "stocks": sorted(name.symbol for name in universe.instruments.values() if name.tradable),
            "left_out": sorted(set(leave_out)),
            "split_max_denominator": policy.data.split_max_denominator,
            "split_noise": plain(policy.data.split_noise),
        },
    }


def _is_of(folder: Path, head: Mapping[str, Any]) -> bool:
    facts, _ = manifest.read(folder)
    return all(facts.get(key) == value for key, value in head.items())


def _newest(qlib_root: Path) -> Previous:
    """The dataset that was finished last and still has its manifest: most likely to share files with the next."""
    for folder in finished(qlib_root):
        with contextlib.suppress(manifest.DatasetDamaged):
            facts, _ = manifest.read(folder)
            return Previous(folder, {s: name["files"] for s, name in facts["symbols"].items()})
    return Previous(None, {})
