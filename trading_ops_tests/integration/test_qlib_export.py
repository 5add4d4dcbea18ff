"""Exports that follow each other: increments equal to exports from nothing, shared files, accidents, the command."""

import datetime as dt
import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from trading_ops.domain import calendar
from trading_ops.domain.prices import Bar, CorporateAction
from trading_ops.qlib_export import dataset, held, making, matrix
from trading_ops.qlib_export import folder as folders
from trading_ops.qlib_export.dataset import Export
from trading_ops.qlib_export.manifest import DatasetDamaged, verify
from trading_ops.settings import Settings
from trading_ops.store.snapshots import Snapshot
from trading_ops_tests.integration import home_factory
from trading_ops_tests.integration.command_line import run
from trading_ops_tests.unit.market_factory import committed_policy, dividend, make_universe, shared_market_folder, split
from trading_ops_tests.unit.qlib_factory import make_snapshot, market_tables, snapshot_of_tables, wave

FIRST, LAST = dt.date(2017, 9, 1), dt.date(2018, 2, 2)
DAYS = calendar.sessions(FIRST, LAST)


class Desk:
    """One snapshots folder and any number of folders of datasets."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.parts, self.qlib = folder, folder / "snapshots", folder / "qlib"
        self.others = 0

    def snapshot(self, asof: dt.date, bars: Iterable[Bar], actions: Iterable[CorporateAction] = ()) -> Snapshot:
        return make_snapshot(self.parts, asof, bars, actions)

    def export(self, snapshot: Snapshot, leave_out: Iterable[str] = ()) -> Export:
        return self._export(self.qlib, snapshot, leave_out)

    def from_nothing(self, snapshot: Snapshot) -> Export:
        self.others += 1
        return self._export(self.folder / f"other-{self.others}", snapshot, ())

    def _export(self, qlib: Path, snapshot: Snapshot, leave_out: Iterable[str]) -> Export:
        universe = make_universe("AAA", "BBB", "CCC")
        return dataset.export(snapshot, self.parts, qlib, universe, committed_policy(), tuple(leave_out))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def tree(done: Export) -> dict[str, str]:
    """Every file of a dataset with the hash of its content."""
    files = (path for path in sorted(done.folder.rglob("*")) if path.is_file())
    return {str(p.relative_to(done.folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def inodes(done: Export, symbol: str) -> list[int]:
    return [path.stat().st_ino for path in sorted((done.folder / "features" / symbol.lower()).iterdir())]


def raw(symbol: str, days: Iterable[dt.date]) -> list[Bar]:
    return wave(symbol, days, adjusted=False)


def read_parts(patch: pytest.MonkeyPatch) -> list[str]:
    """Months of bars that are read from now on."""
    seen: list[str] = []
    real = matrix.read_bars

    def noted(root: Path, parts: Iterable[object]) -> object:
        seen.extend(f"{part.month:%Y-%m}" for part in parts)  # type: ignore[attr-defined]
        return real(root, parts)  # type: ignore[arg-type]

    patch.setattr(matrix, "read_bars", noted)
    return seen


def test_day_after_day_an_increment_has_the_bytes_of_an_export_from_nothing(desk: Desk) -> None:
    """Over a turn of the month, with a dividend, a split, a new name and one that ends."""
    bars = [*wave("AAA", DAYS), *raw("BBB", DAYS), *raw("CCC", DAYS[:-6]), *wave("DDD", DAYS[-3:])]
    actions = [dividend("BBB", DAYS[-5], "0.7"), split("BBB", DAYS[-2], "2"), split("AAA", DAYS[-4], "3")]
    for asof in DAYS[-8:]:
        snapshot = desk.snapshot(asof, bars, actions)
        done, anew = desk.export(snapshot), desk.from_nothing(snapshot)
        assert tree(done) == tree(anew)
        assert done.dataset_sha256 == anew.dataset_sha256 == verify(done.folder)


@pytest.mark.parametrize("month", [dt.date(2017, 9, 1), dt.date(2017, 11, 1), dt.date(2018, 1, 1)], ids=str)
def test_a_restated_bar_of_any_month_is_seen(desk: Desk, month: dt.date, monkeypatch: pytest.MonkeyPatch) -> None:
    bars = [*wave("AAA", DAYS), *raw("BBB", DAYS)]
    desk.export(desk.snapshot(LAST, bars))
    place = next(i for i, bar in enumerate(bars) if bar.session >= month)
    bars[place] = replace(bars[place], open=bars[place].close, revision=2)
    seen = read_parts(monkeypatch)
    snapshot = desk.snapshot(LAST, bars)
    done = desk.export(snapshot)
    assert seen == [f"{month:%Y-%m}"]
    assert tree(done) == tree(desk.from_nothing(snapshot))


def test_a_removed_month_a_longer_history_and_other_names_are_seen(desk: Desk) -> None:
    desk.export(desk.snapshot(LAST, [*wave("BBB", DAYS), *wave("CCC", DAYS)]))
    without = [bar for bar in wave("BBB", DAYS) if bar.session.month != 11]
    longer = wave("BBB", calendar.sessions(dt.date(2017, 5, 1), LAST))
    for bars in (without, longer, [*wave("AAA", DAYS), *without], wave("ZZZ", DAYS), without):
        snapshot = desk.snapshot(LAST, bars)
        assert tree(desk.export(snapshot)) == tree(desk.from_nothing(snapshot))


def test_an_earlier_session_is_exported_from_the_same_months(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    bars = raw("AAA", DAYS)
    desk.export(desk.snapshot(LAST, bars))
    seen = read_parts(monkeypatch)
    snapshot = desk.snapshot(dt.date(2017, 12, 8), bars)
    done = desk.export(snapshot)
    assert seen == ["2017-12"]
    assert tree(done) == tree(desk.from_nothing(snapshot))


def test_only_the_months_that_changed_are_read(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = read_parts(monkeypatch)
    bars = raw("AAA", DAYS)
    for asof, months in ((DAYS[-4], ["2017-09", "2017-10", "2017-11", "2017-12", "2018-01"]), (DAYS[-3], ["2018-01"])):
        seen.clear()
        desk.export(desk.snapshot(asof, bars))
        assert seen == months
    seen.clear()
    desk.export(desk.snapshot(LAST, bars))
    assert set(seen) <= {"2018-01", "2018-02"}


def test_unchanged_names_are_the_same_files_and_changed_ones_are_not(desk: Desk) -> None:
    bars = [*raw("AAA", DAYS), *raw("BBB", DAYS[:-3])]
    first = desk.export(desk.snapshot(DAYS[-2], bars))
    second = desk.export(desk.snapshot(LAST, bars))
    assert (second.written, second.linked) == (1, 1)
    assert inodes(first, "BBB") == inodes(second, "BBB")
    assert not set(inodes(first, "AAA")) & set(inodes(second, "AAA"))
    verify(first.folder)
    verify(second.folder)


def test_a_file_system_without_links_gets_files(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", refused)
    bars = raw("AAA", DAYS[:-3])
    first, second = (desk.export(desk.snapshot(asof, bars)) for asof in DAYS[-2:])
    assert (second.written, second.linked) == (1, 0)
    assert not set(inodes(first, "AAA")) & set(inodes(second, "AAA"))
    verify(second.folder)


def test_an_altered_file_is_not_passed_on(desk: Desk) -> None:
    bars = raw("AAA", DAYS[:-3])
    first = desk.export(desk.snapshot(DAYS[-2], bars))
    path = first.folder / "features/aaa/low.day.bin"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-4] + b"\0\0\0\0")
    second = desk.export(desk.snapshot(LAST, bars))
    assert second.written == 1
    verify(second.folder)
    with pytest.raises(DatasetDamaged, match=r"features/aaa/low\.day\.bin was altered"):
        verify(first.folder)


def test_an_earlier_dataset_without_its_manifest_is_passed_over(desk: Desk) -> None:
    bars = raw("AAA", DAYS[:-3])
    first = desk.export(desk.snapshot(DAYS[-2], bars))
    (first.folder / "manifest.sha256").unlink()
    second = desk.export(desk.snapshot(LAST, bars))
    assert (second.written, second.linked) == (1, 0)


def flip(place: int) -> Callable[[Path], object]:
    def damage(path: Path) -> None:
        body = bytearray(path.read_bytes())
        body[place if place >= 0 else len(body) + place] ^= 1
        path.write_bytes(body)

    return damage


def of_another_version(path: Path) -> None:
    _, text, rest = path.read_bytes().split(b"\n", 2)
    text = text.replace(b'{"version": 1', b'{"version": 0')
    path.write_bytes(hashlib.sha256(text).hexdigest().encode() + b"\n" + text + b"\n" + rest)


@pytest.mark.parametrize(
    "damage",
    [
        Path.unlink, flip(0), flip(100), flip(-1), flip(-3000), of_another_version,
        lambda path: path.write_bytes(b""), lambda path: path.write_bytes(path.read_bytes()[:-10]),
        lambda path: path.write_bytes(b"\xff" * 500), lambda path: (path.unlink(), path.mkdir()),
    ],
    ids=["gone", "hash", "header", "last byte", "numbers", "version", "empty", "cut off", "noise", "folder"],
)  # fmt: skip
def test_a_lost_or_damaged_matrix_costs_time_and_nothing_else(
    desk: Desk, damage: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    bars = [*wave("AAA", DAYS), *raw("BBB", DAYS)]
    desk.export(desk.snapshot(DAYS[-2], bars))
    damage(desk.qlib / making.HELD)
    seen = read_parts(monkeypatch)
    snapshot = desk.snapshot(LAST, bars)
    done = desk.export(snapshot)
    assert len(seen) == 6
    monkeypatch.undo()
    assert tree(done) == tree(desk.from_nothing(snapshot))


def test_a_second_export_finds_the_first_and_reads_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = desk.snapshot(LAST, wave("AAA", DAYS))
    first, before = desk.export(snapshot), sorted(desk.qlib.rglob("*"))
    monkeypatch.setattr(dataset, "make", lambda *_: pytest.fail("it was made again"))
    second = desk.export(snapshot)
    assert second == replace(first, written=0, found=True, seconds=second.seconds)
    assert sorted(desk.qlib.rglob("*")) == before


def test_exports_at_the_same_moment_give_one_dataset(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = desk.snapshot(LAST, [*wave("AAA", DAYS), *raw("BBB", DAYS)])
    together = threading.Barrier(3)
    real = folders.put_in_place

    def at_once(folder: Path, final: Path) -> bool:
        together.wait(timeout=60)
        return real(folder, final)

    monkeypatch.setattr(folders, "put_in_place", at_once)
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(desk.export, [snapshot] * 3))
    assert len({(d.folder, d.dataset_sha256, d.symbols, d.rows) for d in done}) == 1
    assert sorted(d.found for d in done) == [False, True, True]
    verify(done[0].folder)
    assert sorted(path.name for path in desk.qlib.iterdir()) == [".held", snapshot.snapshot_id]


def test_an_export_that_fails_leaves_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: object, content: object) -> None:
        raise OSError(28, "No space left on device")

    snapshot = desk.snapshot(LAST, wave("AAA", DAYS))
    monkeypatch.setattr(folders, "write", full)
    with pytest.raises(OSError, match="No space left"):
        desk.export(snapshot)
    assert list(desk.qlib.iterdir()) == []
    monkeypatch.undo()
    assert not desk.export(snapshot).found


def test_what_a_killed_export_left_is_removed_later(desk: Desk) -> None:
    old, young = desk.qlib / ".unfinished-old", desk.qlib / ".unfinished-young"
    for folder in (old, young):
        (folder / "features").mkdir(parents=True)
    os.utime(old, (1_600_000_000, 1_600_000_000))
    desk.export(desk.snapshot(LAST, wave("AAA", DAYS)))
    assert not old.exists()
    assert young.exists()


def test_an_increment_of_the_real_market_has_the_bytes_of_an_export_from_nothing(desk: Desk) -> None:
    tables = market_tables(shared_market_folder())
    bars = tables["bars"]
    tables["bars"] = bars.filter([day >= dt.date(2019, 6, 1) for day in bars["session"].to_pylist()])
    for asof in (dt.date(2020, 8, 28), dt.date(2020, 8, 31)):  # AAPL and TSLA split on the second day
        snapshot = snapshot_of_tables(desk.parts, asof, tables)
        done = desk.export(snapshot)
    assert tree(done) == tree(desk.from_nothing(snapshot))
    assert done.symbols >= 150


def test_the_matrix_is_kept_and_loaded_whole(desk: Desk) -> None:
    snapshot = desk.snapshot(LAST, [*wave("AAA", DAYS), *raw("BBB", DAYS[3:])], [dividend("AAA", DAYS[5], "1")])
    with ThreadPoolExecutor(2) as pool:
        made, _ = matrix.assemble(desk.parts, snapshot, None, pool)
        held.save(desk.folder / "kept", made)
        again = held.load(desk.folder / "kept", pool)
        assert again is not None
        same, read = matrix.assemble(desk.parts, snapshot, again, pool)
    assert read == 0
    for one in (again, same):
        assert (one.symbols, one.bases, one.months) == (made.symbols, made.bases, made.months)
        assert one.values.tobytes() == made.values.tobytes()
        assert one.basis.tobytes() == made.basis.tobytes()
        assert one.actions.to_pylist() == made.actions.to_pylist()


@pytest.fixture
def home(fresh_home: Settings) -> Settings:
    """A sim book with flat bars of January and February 2018."""
    with home_factory.opened(fresh_home) as conn:
        home_factory.set_up(conn)
        days = calendar.sessions(dt.date(2018, 1, 2), LAST)
        rows = [(symbol, str(day), "10.5") for symbol in ("AAA", "BBB", "SPY") for day in days]
        home_factory.load(
            conn,
            bars=home_factory.bars_table(rows),
            actions=home_factory.actions_table([("AAA", "2018-01-16", "split", "2")]),
            fixings=home_factory.fixings_table([("2018-02-02", "1.4")]),
        )
    return fresh_home


def test_the_command_exports_the_newest_session_and_finds_it_again(home: Settings) -> None:
    done = run(home, "qlib", "export", "--json")
    assert done.code == 0, done.err
    facts = json.loads(done.out)
    folder = home.qlib_dir / facts["snapshot_id"]
    assert facts | {"seconds": 0} == {
        "asof": "2018-02-02", "snapshot_id": facts["snapshot_id"], "folder": str(folder),
        "dataset_sha256": verify(folder), "symbols": 3, "rows": 3 * 23, "written": 3, "linked": 0, "found": False,
        "seconds": 0,
    }  # fmt: skip
    assert (folder / "instruments/stocks.txt").read_text().split()[::3] == ["AAA", "BBB"]
    again = run(home, "qlib", "export")
    assert again.out.startswith(f"Qlib dataset of 2018-02-02: {folder} · 3 names (it was there) · 69 bars · sha256 ")
    assert facts["dataset_sha256"] in again.out


def test_the_command_takes_an_earlier_session_and_no_other_day(home: Settings) -> None:
    done = run(home, "qlib", "export", "--asof", "2018-01-31")
    assert (done.code, done.out.split(" · ")[0][:26]) == (0, "Qlib dataset of 2018-01-31")
    refused = run(home, "qlib", "export", "--asof", "2018-02-03")
    assert refused.code == 1
    assert "--asof 2018-02-03 is no session of the New York exchange. Use 2018-02-02." in refused.err


def test_the_command_without_prices_says_so(fresh_home: Settings) -> None:
    with home_factory.opened(fresh_home) as conn:
        home_factory.set_up(conn)
    done = run(fresh_home, "qlib", "export")
    assert (done.code, done.err) == (1, "There are no prices to export. Load some with `trading-ops prices load`.\n")


def test_a_bar_as_the_database_gives_it_is_exported_exactly(home: Settings) -> None:
    import numpy as np

    done = json.loads(run(home, "qlib", "export", "--json").out)
    volume = np.fromfile(f"{done['folder']}/features/aaa/volume.day.bin", "<f4")
    close = np.fromfile(f"{done['folder']}/features/aaa/close.day.bin", "<f4")
    assert volume.tolist() == [0, *[2000] * 9, *[1000] * 14]
    assert close.tolist() == [0, *[float(Decimal("10.5"))] * 23]
