"""The Qlib dataset's files: what they hold, byte for byte, and what is refused."""

import datetime as dt
import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trading_ops.domain import calendar
from trading_ops.domain.adjustment import adjusted as exactly_adjusted
from trading_ops.domain.adjustment import knows_its_splits
from trading_ops.domain.canonical import canonical_bytes, sha256_hex
from trading_ops.domain.errors import Refused
from trading_ops.domain.prices import Bar, CorporateAction
from trading_ops.domain.suspects import bar_fault
from trading_ops.domain.universe import Universe
from trading_ops.domain.values import ONE, exact
from trading_ops.qlib_export.adjusting import FIELDS
from trading_ops.qlib_export.dataset import Export, export
from trading_ops.qlib_export.manifest import DatasetDamaged, verify
from trading_ops.qlib_export.names import check_names, folder_name
from trading_ops.store.snapshot_parts import SnapshotDamaged
from trading_ops.store.snapshots import Snapshot
from trading_ops_tests.unit.market_factory import committed_policy, dividend, make_bar, make_universe, split
from trading_ops_tests.unit.qlib_factory import make_snapshot, wave

FIRST, ASOF = dt.date(2018, 1, 24), dt.date(2018, 2, 2)
DAYS = calendar.sessions(FIRST, ASOF)


class Desk:
    """Snapshots and datasets of one test."""

    def __init__(self, folder: Path) -> None:
        self.parts, self.qlib = folder / "snapshots", folder / "qlib"

    def snapshot(self, bars: Iterable[Bar], *actions: CorporateAction, **how: Any) -> Snapshot:
        return make_snapshot(self.parts, how.pop("asof", ASOF), bars, actions, **how)

    def export(self, snapshot: Snapshot, universe: Universe | None = None, leave_out: Sequence[str] = ()) -> Export:
        universe = universe or make_universe("AAA", "BBB")
        return export(snapshot, self.parts, self.qlib, universe, committed_policy(), leave_out)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def numbers(done: Export, symbol: str, field: str) -> np.ndarray:
    return np.fromfile(done.folder / f"features/{symbol.lower()}/{field}.day.bin", "<f4")


def expected(bars: Sequence[Bar], field: str, splits: Sequence[CorporateAction] = ()) -> list[np.float32]:
    """A field worked out bar by bar with decimals: adjusted = as traded x (adjusted close / close)."""
    out = []
    with exact():
        for bar in bars:
            factor, later = bar.adj_close / bar.close, ONE
            for event in splits:
                later *= event.value if bar.session < event.ex_date <= bars[-1].session else ONE
            value = {"volume": bar.volume * later, "factor": factor}.get(field)
            out.append(np.float32(getattr(bar, field) * factor if value is None else value))
    return out


def test_the_files_are_those_that_qlib_reads(desk: Desk) -> None:
    late = DAYS[2:]
    done = desk.export(desk.snapshot([*wave("AAA", DAYS), *wave("BBB", late), *wave("SPY", DAYS)]))
    assert {p.relative_to(done.folder).as_posix() for p in done.folder.rglob("*") if p.is_file()} == {
        "calendars/day.txt", "instruments/all.txt", "instruments/stocks.txt", "manifest.json", "manifest.sha256",
        *(f"features/{name}/{field}.day.bin" for name in ("aaa", "bbb", "spy") for field in FIELDS),
    }  # fmt: skip
    assert (done.folder / "calendars/day.txt").read_text() == "".join(f"{day}\n" for day in DAYS)
    spans = {"AAA": FIRST, "BBB": late[0], "SPY": FIRST}
    lines = {symbol: f"{symbol}\t{first}\t{ASOF}\n" for symbol, first in spans.items()}
    assert (done.folder / "instruments/all.txt").read_text() == "".join(lines.values())
    assert (done.folder / "instruments/stocks.txt").read_text() == lines["AAA"] + lines["BBB"]
    assert (done.symbols, done.rows, done.written, done.linked) == (3, 22, 3, 0)


@pytest.mark.parametrize("field", FIELDS)
def test_a_file_is_the_start_index_and_adjusted_values_as_small_floats(desk: Desk, field: str) -> None:
    bars = [replace(b, adj_close=b.close * Decimal("0.97531")) for b in wave("BBB", DAYS[2:])]
    done = desk.export(desk.snapshot([*wave("AAA", DAYS), *bars]))
    assert numbers(done, "BBB", field).tolist() == [2.0, *expected(bars, field)]


def test_volume_counts_splits_and_no_dividends(desk: Desk) -> None:
    events = [split("AAA", DAYS[3], "4"), dividend("AAA", DAYS[5], "1.5"), split("AAA", DAYS[6], "0.5")]
    bars = [replace(b, adj_close=b.close / (8 if b.session < DAYS[3] else 2)) for b in wave("AAA", DAYS)]
    done = desk.export(desk.snapshot(bars, *events))
    volume = numbers(done, "AAA", "volume")[1:]
    assert volume.tolist() == expected(bars, "volume", [events[0], events[2]])
    assert volume[0] == bars[0].volume * 2
    assert volume[3] == bars[3].volume / 2


def test_float_noise_in_a_ratio_is_cleaned(desk: Desk) -> None:
    bars = wave("AAA", DAYS)
    done = desk.export(desk.snapshot(bars, split("AAA", DAYS[3], "7.000007")))
    assert numbers(done, "AAA", "volume")[1] == np.float32(bars[0].volume * 7)


def test_a_missing_session_is_not_a_number(desk: Desk) -> None:
    bars = wave("AAA", DAYS)
    done = desk.export(desk.snapshot([*bars[:3], *bars[5:]]))
    for field in FIELDS:
        assert np.isnan(numbers(done, "AAA", field)[1:]).nonzero()[0].tolist() == [3, 4]


@pytest.mark.parametrize(
    "fault",
    [
        {"open": Decimal(0)}, {"high": Decimal("99.99999999")}, {"low": Decimal("100.00000001")},
        {"close": Decimal(-1), "low": Decimal(-2)}, {"adj_close": Decimal(0)}, {"volume": Decimal(-1)},
        {"open": Decimal(101)}, {"close": Decimal("99.5"), "low": Decimal("99.6")},
    ],
    ids=str,
)  # fmt: skip
def test_an_invalid_bar_is_left_out(desk: Desk, fault: dict[str, Decimal]) -> None:
    bars = [make_bar("AAA", day) for day in DAYS]
    bars[4] = make_bar("AAA", DAYS[4], **fault)
    assert bar_fault(bars[4])
    done = desk.export(desk.snapshot(bars))
    for field in FIELDS:
        assert np.isnan(numbers(done, "AAA", field)[1:]).nonzero()[0].tolist() == [4]
    assert json.loads((done.folder / "manifest.json").read_text())["totals"]["bars_not_valid"] == 1


def test_a_bar_just_inside_the_rule_stays(desk: Desk) -> None:
    still = make_bar("AAA", DAYS[1], volume=Decimal(0))
    done = desk.export(desk.snapshot([make_bar("AAA", DAYS[0]), still]))
    assert numbers(done, "AAA", "volume").tolist() == [0, 1000, 0]


def test_the_calendar_begins_with_the_first_valid_bar_and_ends_at_the_session(desk: Desk) -> None:
    wrong = make_bar("AAA", DAYS[0], open=Decimal(0))
    done = desk.export(desk.snapshot([wrong, *wave("AAA", DAYS[1:4])]))
    assert (done.folder / "calendars/day.txt").read_text().split() == [str(day) for day in DAYS[1:]]
    assert (done.folder / "instruments/all.txt").read_text() == f"AAA\t{DAYS[1]}\t{DAYS[3]}\n"
    assert numbers(done, "AAA", "close").size == 4


def test_two_bars_of_one_session_are_both_left_out(desk: Desk) -> None:
    bars = wave("AAA", DAYS)
    done = desk.export(desk.snapshot([*bars, replace(bars[3], close=bars[3].close + 1)]))
    assert np.isnan(numbers(done, "AAA", "close")[1:]).nonzero()[0].tolist() == [3]


def test_a_bar_off_the_calendar_has_no_place(desk: Desk) -> None:
    sunday = dt.date(2018, 1, 28)
    done = desk.export(desk.snapshot([*wave("AAA", DAYS), *wave("AAA", [sunday])]))
    assert done.rows == len(DAYS)


def events_of(rng: random.Random, symbol: str, days: Sequence[dt.date]) -> list[CorporateAction]:
    """Splits and dividends on any day, sessions or not, some of them on one day or in one gap."""
    span = (days[-1] - days[0]).days
    found = {}
    for _ in range(30):
        day = days[0] + dt.timedelta(days=rng.randrange(-3, span + 4))
        kind = rng.choice(("split", "dividend"))
        made = split(symbol, day, rng.choice(("2", "3", "0.5", "1.487"))) if kind == "split" else None
        found[day, kind] = made or dividend(symbol, day, f"{rng.randrange(1, 900)}e-2")
    return sorted(found.values(), key=lambda a: (a.ex_date, a.kind))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("why", ["not adjusted", "two sources"])
def test_derived_adjusted_closes_are_the_exact_ones(desk: Desk, seed: int, why: str) -> None:
    rng = random.Random(seed)
    days = calendar.sessions(dt.date(2017, 9, 1), ASOF)
    bars = [bar for bar in wave("AAA", days) if rng.random() > 0.1]
    place = rng.randrange(len(bars))
    strange = {"adjusted": False} if why == "not adjusted" else {"source": "tiingo", "adj_close": Decimal(7)}
    bars[place] = replace(bars[place], **strange)  # type: ignore[arg-type]
    events = [e for e in events_of(rng, "AAA", days) if e.ex_date <= ASOF]
    done = desk.export(desk.snapshot(bars, *events))
    right = list(exactly_adjusted({bar.session: bar for bar in bars}, events, ASOF).values())
    splits = [e for e in events if e.kind == "split"]
    for field in FIELDS:
        got = numbers(done, "AAA", field)[1:]
        assert got[~np.isnan(got)].tolist() == expected(right, field, splits), field
    assert json.loads((done.folder / "manifest.json").read_text())["symbols"]["AAA"]["adjustment"] == "derived"


def halved(bar: Bar) -> Bar:
    """The bar of a day after a split 2:1."""
    return replace(bar, open=bar.open / 2, high=bar.high / 2, low=bar.low / 2, close=bar.close / 2)


def test_a_split_that_the_delivered_adjusted_closes_do_not_know_is_counted(desk: Desk) -> None:
    bars = [halved(b) if b.session >= DAYS[3] else b for b in wave("AAA", DAYS)]
    bars = [replace(b, adj_close=b.close * Decimal("0.9")) for b in bars]
    events = [split("AAA", DAYS[3], "2")]
    done = desk.export(desk.snapshot(bars, *events))
    by_session = {bar.session: bar for bar in bars}
    assert not knows_its_splits(by_session, events)
    right = list(exactly_adjusted(by_session, events, ASOF).values())
    assert numbers(done, "AAA", "close")[1:].tolist() == expected(right, "close", events)


def test_a_split_that_the_delivered_adjusted_closes_know_leaves_them_alone(desk: Desk) -> None:
    bars = [halved(b) if b.session >= DAYS[3] else b for b in wave("AAA", DAYS)]
    bars = [replace(b, adj_close=b.close / (2 if b.session < DAYS[3] else 1)) for b in bars]
    events = [split("AAA", DAYS[3], "2"), dividend("AAA", DAYS[4], "1")]
    done = desk.export(desk.snapshot(bars, *events))
    assert knows_its_splits({bar.session: bar for bar in bars}, events)
    assert numbers(done, "AAA", "factor")[1:].tolist() == [0.5] * 3 + [1.0] * (len(DAYS) - 3)


def test_delivered_adjusted_closes_are_taken_as_they_are(desk: Desk) -> None:
    bars = [replace(b, adj_close=Decimal("12.34")) for b in wave("AAA", DAYS)]
    done = desk.export(desk.snapshot(bars, dividend("AAA", DAYS[3], "5")))
    assert set(numbers(done, "AAA", "close")[1:].tolist()) == {np.float32("12.34")}


def test_parts_of_the_first_layout_are_adjusted(desk: Desk) -> None:
    bars = [replace(b, adj_close=b.close / 2, adjusted=False) for b in wave("AAA", DAYS)]
    done = desk.export(desk.snapshot(bars, layout=1))
    assert set(numbers(done, "AAA", "factor")[1:].tolist()) == {0.5}


def test_layouts_may_be_mixed(desk: Desk) -> None:
    old = desk.snapshot(wave("AAA", DAYS), asof=dt.date(2018, 1, 31), layout=1)
    new = desk.snapshot([replace(b, adjusted=False) for b in wave("AAA", DAYS)])
    parts = (*old.parts, *(part for part in new.parts if part.month == dt.date(2018, 2, 1)))
    assert desk.export(replace(new, parts=parts)).rows == len(DAYS)


def test_names_left_out_are_nowhere(desk: Desk) -> None:
    snapshot = desk.snapshot([*wave("AAA", DAYS[2:]), *wave("BBB", DAYS)])
    done = desk.export(snapshot, leave_out=["BBB"])
    assert not (done.folder / "features/bbb").exists()
    assert (done.folder / "instruments/all.txt").read_text() == (done.folder / "instruments/stocks.txt").read_text()
    assert (done.folder / "calendars/day.txt").read_text().startswith(f"{DAYS[2]}\n")
    with pytest.raises(Refused, match="no valid bar"):
        desk.export(snapshot, leave_out=["AAA", "BBB"])


def test_other_choices_are_a_dataset_beside(desk: Desk) -> None:
    snapshot = desk.snapshot([*wave("AAA", DAYS), *wave("BBB", DAYS)])
    plain = desk.export(snapshot)
    without = desk.export(snapshot, leave_out=["BBB"])
    assert plain.folder == desk.qlib / snapshot.snapshot_id
    assert without.folder.name.startswith(f"{snapshot.snapshot_id}-")
    assert desk.export(snapshot, leave_out=["BBB"]).found
    assert desk.export(snapshot).folder == plain.folder
    fewer = desk.export(snapshot, universe=make_universe("AAA"))
    assert fewer.folder not in (plain.folder, without.folder)
    assert (fewer.folder / "instruments/stocks.txt").read_text() == f"AAA\t{FIRST}\t{ASOF}\n"


def test_the_manifest_is_canonical_and_its_hash_is_the_datasets(desk: Desk) -> None:
    done = desk.export(desk.snapshot([*wave("AAA", DAYS), *wave("BBB", DAYS)]))
    text = (done.folder / "manifest.json").read_bytes()
    facts = json.loads(text)
    assert canonical_bytes(facts) == text
    assert done.dataset_sha256 == sha256_hex(text)
    assert facts["totals"] == {
        "symbols": 2, "rows": 16, "bars_not_valid": 0,
        "bytes": sum(p.stat().st_size for p in done.folder.rglob("*") if p.suffix in (".bin", ".txt")),
    }  # fmt: skip
    assert facts["calendar"] == {"first": str(FIRST), "last": str(ASOF), "sessions": len(DAYS)}
    calendar_text = (done.folder / "calendars/day.txt").read_bytes()
    assert facts["files"]["calendars/day.txt"] == sha256_hex(calendar_text)
    name = facts["symbols"]["AAA"]
    digests = "".join(name["files"][field] for field in FIELDS)
    assert name["sha256"] == sha256_hex(bytes.fromhex(digests))
    assert (name["first"], name["last"], name["rows"]) == (str(FIRST), str(ASOF), 8)


def test_files_are_read_only(desk: Desk) -> None:
    done = desk.export(desk.snapshot(wave("AAA", DAYS)))
    assert {p.stat().st_mode & 0o222 for p in done.folder.rglob("*") if p.is_file()} == {0}


def alter(path: Path) -> None:
    body = bytearray(path.read_bytes())
    body[-1] ^= 1
    path.chmod(0o644)
    path.write_bytes(body)


@pytest.mark.parametrize(
    "path", ["calendars/day.txt", "instruments/stocks.txt", "features/aaa/open.day.bin", "features/bbb/factor.day.bin"]
)
def test_verify_names_the_first_file_that_is_not_as_it_was(desk: Desk, path: str) -> None:
    done = desk.export(desk.snapshot([*wave("AAA", DAYS), *wave("BBB", DAYS)]))
    assert verify(done.folder, done.dataset_sha256) == done.dataset_sha256
    alter(done.folder / path)
    with pytest.raises(DatasetDamaged, match=f"{path} was altered"):
        verify(done.folder)
    (done.folder / path).unlink()
    with pytest.raises(DatasetDamaged, match=f"{path} is missing"):
        verify(done.folder)
    (done.folder / path).symlink_to("/dev/null")
    with pytest.raises(DatasetDamaged, match=f"{path} was altered"):
        verify(done.folder)


def test_verify_knows_foreign_files_and_other_datasets(desk: Desk) -> None:
    done = desk.export(desk.snapshot(wave("AAA", DAYS)))
    with pytest.raises(DatasetDamaged, match="of another dataset"):
        verify(done.folder, "0" * 64)
    (done.folder / "features/aaa/close.day.bak").write_text("x")
    with pytest.raises(DatasetDamaged, match=r"features/aaa/close.day.bak is no part of it"):
        verify(done.folder)


@pytest.mark.parametrize("file", ["manifest.json", "manifest.sha256"])
def test_an_altered_manifest_is_refused_and_not_replaced(desk: Desk, file: str) -> None:
    snapshot = desk.snapshot(wave("AAA", DAYS))
    done = desk.export(snapshot)
    alter(done.folder / file)
    with pytest.raises(DatasetDamaged, match=r"not the one that was sealed.*export the snapshot again"):
        desk.export(snapshot)
    (done.folder / file).unlink()
    with pytest.raises(DatasetDamaged, match=f"{file} is missing"):
        desk.export(snapshot)


@pytest.mark.parametrize("kind", ["bars", "actions"])
def test_a_damaged_part_makes_no_dataset(desk: Desk, kind: str) -> None:
    snapshot = desk.snapshot(wave("AAA", DAYS), dividend("AAA", DAYS[2], "1"))
    part = next(part for part in snapshot.parts if part.kind == kind)
    alter(part.path(desk.parts))
    with pytest.raises(SnapshotDamaged, match="altered"):
        desk.export(snapshot)
    assert not [path for path in desk.qlib.glob("*") if path.name != ".held"]


def test_a_snapshot_without_bars_is_refused(desk: Desk) -> None:
    with pytest.raises(Refused, match="has no bars"):
        desk.export(desk.snapshot([], dividend("AAA", DAYS[0], "1")))


def test_share_classes_keep_their_names(desk: Desk) -> None:
    done = desk.export(desk.snapshot([*wave("BRK.B", DAYS), *wave("BF-B", DAYS), *wave("BRKB", DAYS)]))
    assert sorted(p.name for p in (done.folder / "features").iterdir()) == ["bf-b", "brk.b", "brkb"]
    assert "BRK.B\t" in (done.folder / "instruments/all.txt").read_text()


def test_words_that_windows_keeps_get_the_prefix_that_qlib_looks_for() -> None:
    assert [folder_name(symbol) for symbol in ("CON", "com1", "CONX", "NVDA")] == [
        "_qlib_con", "_qlib_com1", "conx", "nvda",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("symbols", "what"),
    [
        (("AAPL", "aapl"), "'AAPL' and 'aapl' are one folder"), (("../X",), "cannot be the name of a folder"),
        (("A/B",), "cannot be"), ((".A",), "cannot be"), (("A.",), "cannot be"), (("",), "cannot be"),
        (("A B",), "cannot be"), (("A\n",), "cannot be"), (("ÅB",), "cannot be"), (("ı",), "cannot be"),
        (("NA",), "as missing"), (("nan",), "as missing"),
    ],
)  # fmt: skip
def test_names_that_qlib_could_not_read_back_are_refused(symbols: tuple[str, ...], what: str) -> None:
    with pytest.raises(Refused, match=f"Qlib export: .*{what}"):
        check_names(symbols)


def test_a_refused_name_can_be_left_out(desk: Desk) -> None:
    snapshot = desk.snapshot([*wave("AAA", DAYS), *wave("aaa", DAYS)])
    with pytest.raises(Refused, match="one folder to Qlib"):
        desk.export(snapshot)
    assert desk.export(snapshot, leave_out=["aaa"]).symbols == 1
