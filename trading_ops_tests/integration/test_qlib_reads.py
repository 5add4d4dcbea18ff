"""Qlib itself, in its own environment, reads an export and gives back the same adjusted numbers, to the last bit."""

import datetime as dt
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from trading_ops.domain import calendar
from trading_ops.domain.prices import clean_ratio
from trading_ops.domain.universe import Universe, parse_universe
from trading_ops.qlib_export.adjusting import FIELDS
from trading_ops.qlib_export.dataset import export
from trading_ops.store.snapshots import Snapshot
from trading_ops_tests.unit import qlib_factory as factory
from trading_ops_tests.unit.market_factory import ROOT, committed_policy, make_universe, shared_market_folder, split

PYTHON = ROOT / ".venv-research" / "bin" / "python"
ASOF = dt.date(2021, 4, 21)
Read = Mapping[str, np.ndarray]

pytestmark = pytest.mark.skipif(
    not PYTHON.exists(), reason=f"no research environment at {PYTHON.parents[1]}: `make research` makes it"
)


def read_by_qlib(snapshot: Snapshot, folder: Path, universe: Universe) -> Read:
    """Export a snapshot, and what Qlib reads of it."""
    done = export(snapshot, folder / "snapshots", folder / "qlib", universe, committed_policy())
    out = folder / "read.npz"
    ended = subprocess.run(
        [PYTHON, Path(__file__).with_name("qlib_reader.py"), done.folder, out, folder],
        cwd=folder, env={**os.environ, "HOME": str(folder), "PYTHONWARNINGS": "ignore"}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr[-3000:]
    with np.load(out) as read:
        return dict(read)


def of_symbol(read: Read, symbol: str) -> tuple[list[str], dict[str, Any]]:
    """Qlib's sessions and numbers of one name, without sessions that have none."""
    rows = (read["symbol"] == symbol) & ~np.isnan(read["close"])
    return read["day"][rows].tolist(), {field: read[field][rows] for field in FIELDS}


def expected(bars: pa.Table, splits: pa.Table) -> dict[str, Any]:
    """Adjusted numbers of one name's bars, session ascending, from the tables and not from the export."""
    raw = {name: bars[name].cast(pa.float64()).to_numpy() for name in ("open", "high", "low", "close", "volume")}
    adjusted = bars["adj_close"].cast(pa.float64()).to_numpy()
    factor = adjusted / raw["close"]
    later = np.ones(bars.num_rows)
    days = bars["session"].to_numpy()
    data = committed_policy().data
    for ex_date, ratio in zip(splits["ex_date"].to_numpy(), splits["value"].to_pylist(), strict=True):
        later[days < ex_date] *= float(clean_ratio(ratio, data.split_max_denominator, data.split_noise))
    numbers = {name: raw[name] * factor for name in ("open", "high", "low")}
    numbers |= {"close": adjusted, "volume": raw["volume"] * later, "factor": factor}
    return {field: numbers[field].astype(np.float32) for field in FIELDS}


def test_qlib_gives_back_the_real_market(tmp_path: Path) -> None:
    market = shared_market_folder()
    universe = parse_universe((market / "universe.csv").read_text("utf-8"), "universe.csv")
    tables = factory.market_tables(market)
    read = read_by_qlib(factory.snapshot_of_tables(tmp_path / "snapshots", ASOF, tables), tmp_path, universe)
    bars = tables["bars"].sort_by([("symbol", "ascending"), ("session", "ascending")])
    splits = tables["actions"].filter(pc.equal(tables["actions"]["kind"], "split"))
    assert read["calendar"].tolist() == [str(day) for day in calendar.sessions(dt.date(2005, 1, 3), ASOF)]
    assert read["all"].tolist() == sorted(set(bars["symbol"].to_pylist()))
    assert read["stocks"].tolist() == sorted(i.symbol for i in universe.instruments.values() if i.tradable)
    compared = 0
    for symbol in read["all"].tolist():
        own = bars.filter(pc.equal(bars["symbol"], symbol))
        days, numbers = of_symbol(read, symbol)
        assert days == [str(day) for day in own["session"].to_pylist()]
        for field, values in expected(own, splits.filter(pc.equal(splits["symbol"], symbol))).items():
            assert numbers[field].dtype == np.float32
            assert np.array_equal(numbers[field], values), (symbol, field)
        compared += own.num_rows
    assert compared == bars.num_rows == 596_273


def test_qlib_finds_share_classes_gaps_and_words_of_windows(tmp_path: Path) -> None:
    asof = dt.date(2018, 2, 2)
    days = calendar.window_of_sessions(asof, 10)
    symbols = {"BRK.B": days, "BF-B": days[3:], "CON": days[:4] + days[6:], "AAA": days[:7]}
    bars = [bar for symbol, own in symbols.items() for bar in factory.wave(symbol, own, adjusted=False)]
    snapshot = factory.make_snapshot(tmp_path / "snapshots", asof, bars, [split("AAA", days[2], "2")])
    read = read_by_qlib(snapshot, tmp_path, make_universe("AAA", "BRK.B"))
    assert (read["all"].tolist(), read["stocks"].tolist()) == (sorted(symbols), ["AAA", "BRK.B"])
    for symbol, own in symbols.items():
        there, numbers = of_symbol(read, symbol)
        assert there == [str(day) for day in own]
        halved = np.array([2.0 if symbol == "AAA" and day < days[2] else 1.0 for day in own])
        raw = np.array([float(bar.close) for bar in bars if bar.symbol == symbol])
        assert np.array_equal(numbers["close"], (raw / halved).astype(np.float32))
