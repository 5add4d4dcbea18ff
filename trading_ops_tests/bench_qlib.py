"""Speed of the Qlib export on the real prices, beside Qlib's own way and beside writing the same bytes to disk.

Run alone with `python -m trading_ops_tests.bench_qlib`, or by `make bench`. All limits are upper limits. Imports and
the exchange calendar are loaded before anything is timed; the parts of the snapshots are written before, too. What is
written counts as written when it is on the disk: each side waits for that once. Of several rounds the best counts.
"""

import contextlib
import fcntl
import os
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from trading_ops.domain import calendar
from trading_ops.domain.policy import parse
from trading_ops.domain.universe import parse_universe
from trading_ops.qlib_export import folder as folders
from trading_ops.qlib_export.adjusting import FIELDS
from trading_ops.qlib_export.dataset import Export, export
from trading_ops.settings import shipped
from trading_ops.store.snapshots import Snapshot
from trading_ops_tests.unit.qlib_factory import market_tables, snapshot_of_tables

ROOT = Path(__file__).resolve().parents[1]
MARKET = Path(os.environ.get("TRADING_OPS_SHARED", ROOT.parent / "shared")) / "market"
ROUNDS, ROUNDS_OF_THEIRS = 7, 2
_GET_FLAGS, _SET_FLAGS, _TOP = 0x80086601, 0x40086602, 0x00020000
"""Linux: FS_IOC_GETFLAGS, FS_IOC_SETFLAGS, FS_TOPDIR_FL."""
RAW = ("open", "high", "low", "close", "adj_close", "volume")


class Figure(NamedTuple):
    """One line of the benchmark; `limit` is the largest value that is good enough, or None for what is only told."""

    name: str
    value: float
    limit: float | None
    unit: str


class Market:
    """The real prices as the data snapshots of two sessions that follow each other."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.parts = folder, folder / "snapshots"
        tables = market_tables(MARKET)
        last = max(tables["bars"]["session"].to_pylist())
        self.before, self.newest = (
            snapshot_of_tables(self.parts, day, tables) for day in calendar.window_of_sessions(last, 2)
        )
        self.universe = parse_universe((MARKET / "universe.csv").read_text("utf-8"), "universe.csv")
        self.policy = parse(shipped("config", "policy.yml").read_text("utf-8"), "policy.yml")

    def export(self, snapshot: Snapshot, name: str) -> Export:
        """The product's export, into a folder of datasets of its own."""
        return export(snapshot, self.parts, self.folder / name, self.universe, self.policy)


def timed(work: Callable[[], Any]) -> float:
    """Seconds of some work, begun on a quiet disk."""
    os.sync()
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def to_disk(folder: Path) -> None:
    """Wait until what was written below a folder is on the disk, as the export does."""
    file = os.open(folder, os.O_RDONLY)
    folders._sync_file_system(file)
    os.close(file)


def write_again(files: dict[str, bytes], folder: Path) -> None:
    """The files of a dataset from memory to disk: folders, files, one wait for all of them."""
    for parent in sorted({os.path.dirname(name) for name in files}):
        os.makedirs(folder / parent, exist_ok=True)
    for name, body in files.items():
        with open(f"{folder}/{name}", "wb", buffering=0) as file:
            file.write(body)
    to_disk(folder)


def files_by_symbol(market: Market, folder: Path) -> None:
    """What Qlib's script wants: adjusted bars, one Parquet file a symbol; made of the same parts with pandas."""
    folder.mkdir()
    frames = {
        kind: pd.concat(pd.read_parquet(p.path(market.parts)) for p in market.newest.parts if p.kind == kind)
        for kind in ("bars", "actions")
    }
    splits = frames["actions"][frames["actions"]["kind"] == "split"]
    for symbol, rows in frames["bars"].astype(dict.fromkeys(RAW, float)).groupby("symbol"):
        adjusted_frame(rows, splits[splits["symbol"] == symbol]).to_parquet(folder / f"{symbol}.parquet", index=False)


def dumped(source: Path, folder: Path) -> None:
    """Symbol by symbol with pandas, in the steps of Qlib's script, but in one process without its pool.

    Each file is read for its days, then again for its values; each symbol's frame is put on the calendar, and each
    field is stacked behind its start index and written.
    """
    (folder / "features").mkdir(parents=True)
    days: set[pd.Timestamp] = set()
    spans = []
    for path in sorted(source.glob("*.parquet")):
        dates = pd.to_datetime(pd.read_parquet(path)["date"])
        days |= set(dates)
        spans.append(f"{path.stem}\t{dates.min():%Y-%m-%d}\t{dates.max():%Y-%m-%d}\n")
    sessions = sorted(days)
    for name, lines in (("calendars/day", [f"{day:%Y-%m-%d}\n" for day in sessions]), ("instruments/all", spans)):
        (folder / name).parent.mkdir()
        (folder / f"{name}.txt").write_text("".join(lines))
    for path in sorted(source.glob("*.parquet")):
        frame = pd.read_parquet(path)
        frame["date"] = pd.to_datetime(frame["date"])
        frame = frame.drop_duplicates("date")
        on = pd.DataFrame({"date": sessions})
        on["date"] = on["date"].astype("datetime64[ns]")
        on = on[(on["date"] >= frame["date"].min()) & (on["date"] <= frame["date"].max())]
        frame = frame.set_index("date").reindex(on.set_index("date").index)
        own = folder / "features" / path.stem.lower()
        own.mkdir()
        for field in FIELDS:
            start = sessions.index(frame.index.min())
            np.hstack([start, frame[field]]).astype("<f").tofile(str(own / f"{field}.day.bin"))
    to_disk(folder)


def adjusted_frame(rows: pd.DataFrame, splits: pd.DataFrame) -> pd.DataFrame:
    """One symbol's bars, adjusted as their source says."""
    factor = rows["adj_close"] / rows["close"]
    later = pd.Series(1.0, rows.index)
    for split in splits.itertuples():
        later[rows["session"] < split.ex_date] *= float(split.value)
    prices = {name: rows[name] * factor for name in ("open", "high", "low", "close")}
    dates = pd.to_datetime(rows["session"])
    return pd.DataFrame({"date": dates, **prices, "volume": rows["volume"] * later, "factor": factor})


def spread(folder: Path) -> None:
    """Ask ext4 to put each folder made below this one into a part of the disk of its own.

    Where many files were deleted within the last minutes, it takes ten times as long to create one, and whoever runs
    next would be measured by what ran before.
    """
    file = os.open(folder, os.O_RDONLY)
    try:
        flags = bytearray(8)
        with contextlib.suppress(OSError):
            fcntl.ioctl(file, _GET_FLAGS, flags)
            fcntl.ioctl(file, _SET_FLAGS, (int.from_bytes(flags, sys.byteorder) | _TOP).to_bytes(8, sys.byteorder))
    finally:
        os.close(file)


def figures(folder: Path) -> list[Figure]:
    """Every figure, smaller is better.

    Args:
        folder: An empty folder on the disk that is measured.
    """
    spread(folder)
    run = secrets.token_hex(4)  # where ext4 puts a folder depends on its name
    market = Market(folder)
    warm = market.export(market.before, "warm")
    files = {str(p.relative_to(warm.folder)): p.read_bytes() for p in warm.folder.rglob("*") if p.is_file()}
    seconds: dict[str, list[float]] = {"whole": [], "next": [], "bytes": [], "files": [], "dumped": []}
    done: list[Export] = []
    for count in range(ROUNDS):  # in turns, so that a change of the machine's mood meets all of them
        seconds["whole"].append(timed(lambda name=f"next-{run}-{count}": market.export(market.before, name)))
        seconds["next"].append(
            timed(lambda name=f"next-{run}-{count}": done.append(market.export(market.newest, name)))
        )
        seconds["bytes"].append(timed(lambda to=folder / f"bytes-{run}-{count}": write_again(files, to)))
        if count < ROUNDS_OF_THEIRS:
            source = folder / f"files-{run}-{count}"
            seconds["files"].append(timed(lambda to=source: files_by_symbol(market, to)))
            seconds["dumped"].append(timed(lambda of=source, to=folder / f"dumped-{run}-{count}": dumped(of, to)))
    whole, following, written, prepared, dump = map(min, seconds.values())
    new, size, theirs = done[-1], sum(map(len, files.values())), prepared + dump
    return [
        Figure("Qlib's own way, one process, pandas, from the same parts", theirs, None, "s"),
        Figure("  of that making one Parquet file a symbol", prepared, None, "s"),
        Figure("  of that the steps of its script", dump, None, "s"),
        Figure(f"Writing the same {len(files)} files, {size / 1e6:.1f} MB, from memory", written, None, "s"),
        Figure(f"Export of {new.rows:,} bars with nothing held, from the parts", whole, None, "s"),
        Figure(f"  / Qlib's own way ({theirs / whole:.1f} times faster)", 100 * whole / theirs, 100 / 15, "%"),
        Figure(f"  / the steps of its script alone ({dump / whole:.1f} times faster)", 100 * whole / dump, None, "%"),
        Figure("  / writing the bytes", whole / written, None, "times"),
        Figure(f"Export of the next session, {new.written} of {new.symbols} names written", following, 1, "s"),
        Figure(f"  / Qlib's own way ({theirs / following:.1f} times faster)", 100 * following / theirs, 100 / 15, "%"),
        Figure("  / writing the bytes", following / written, 3, "times"),
    ]


def main() -> int:
    """Print every figure; 1 when one is beyond its limit."""
    if not MARKET.exists():
        print(f"{MARKET} is not there: no benchmark without the real prices.")
        return 1
    folder = Path(tempfile.mkdtemp(prefix="trading-ops-bench-qlib-"))
    try:
        rows = figures(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for name, value, limit, unit in rows:
        limited = "" if limit is None else f"   (limit {limit:.3g} {unit})"
        print(f"{name:<70} {value:8.3f} {unit}{limited}")
    return int(any(limit is not None and value > limit for _, value, limit, _ in rows))


if __name__ == "__main__":
    sys.exit(main())
