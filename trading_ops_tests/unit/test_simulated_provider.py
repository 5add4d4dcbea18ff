"""The simulated market: the same for ever from one seed, plausible, and quiet enough for the weekly gate."""

import datetime as dt
import hashlib
import itertools
import os
import subprocess
import sys
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from trading_ops.domain import calendar
from trading_ops.domain.universe import Universe, parse_universe
from trading_ops.providers.protocol import ACTIONS, BARS, FIXINGS, Fetched, Refusal, Request
from trading_ops.providers.simulated import EPOCH, SimulatedProvider
from trading_ops.providers.simulated_model import easter

ROOT = Path(__file__).parents[2]
UNIVERSE = parse_universe((ROOT / "config/universe.csv").read_text("utf-8"), "config/universe.csv")
FIRST, LAST = dt.date(2016, 1, 1), dt.date(2018, 12, 31)


def fetched(seed: int = 7, first: dt.date = FIRST, last: dt.date = LAST, universe: Universe = UNIVERSE) -> Fetched:
    outcome = SimulatedProvider(seed).fetch(Request(universe, first, last))
    assert isinstance(outcome, Fetched), str(outcome)
    return outcome


@pytest.fixture(scope="module")
def market() -> Fetched:
    return fetched()


def fingerprint(got: Fetched) -> str:
    digest = hashlib.sha256()
    for table in (got.bars, got.actions, got.fixings):
        for row in table.to_pylist():
            digest.update(repr(row).encode())
    return digest.hexdigest()


def of(table: pa.Table, symbol: str) -> pa.Table:
    return table.filter(pc.equal(table["symbol"], symbol))


def test_it_keeps_the_protocols_schemas_and_order(market: Fetched) -> None:
    assert (market.bars.schema, market.actions.schema, market.fixings.schema) == (BARS, ACTIONS, FIXINGS)
    for table, keys in ((market.bars, ("symbol", "session")), (market.actions, ("symbol", "ex_date", "kind"))):
        rows = [tuple(row.values()) for row in table.select(list(keys)).to_pylist()]
        assert rows == sorted(set(rows))
    days = market.fixings["day"].to_pylist()
    assert days == sorted(set(days))


def test_every_row_says_simulated(market: Fetched) -> None:
    for table in (market.bars, market.actions, market.fixings):
        assert set(table["source"].to_pylist()) == {"simulated"}
    assert "seed 7" in market.provenance.notes


def test_one_seed_is_one_market_and_another_is_another() -> None:
    first, last = dt.date(2016, 1, 4), dt.date(2016, 2, 5)
    assert fingerprint(fetched(7, first, last)) == fingerprint(fetched(7, first, last))
    assert fingerprint(fetched(7, first, last)) != fingerprint(fetched(8, first, last))


def test_the_market_of_seed_7_is_frozen() -> None:
    """A golden vector: simulated homes are extended for years, so no number may ever change under one VERSION."""
    assert fingerprint(fetched(7, dt.date(2016, 1, 4), dt.date(2016, 1, 8))) == FROZEN


@pytest.mark.parametrize("threads", ["1", "4"])
def test_threads_do_not_change_it(threads: str) -> None:
    code = (
        "import datetime as dt\n"
        "from trading_ops_tests.unit.test_simulated_provider import fetched, fingerprint\n"
        "print(fingerprint(fetched(7, dt.date(2016, 1, 4), dt.date(2016, 1, 8))))"
    )
    knobs = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ARROW_NUM_THREADS"), threads)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ | knobs, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == FROZEN


def test_a_longer_history_repeats_the_shorter_one() -> None:
    short = fetched(7, dt.date(2017, 3, 1), dt.date(2017, 3, 31))
    long = fetched(7, dt.date(2017, 2, 1), dt.date(2018, 6, 1))
    for name, column in (("bars", "session"), ("actions", "ex_date"), ("fixings", "day")):
        table: pa.Table = getattr(long, name)
        cut = table.filter(
            pc.and_(
                pc.greater_equal(table[column], pa.scalar(dt.date(2017, 3, 1))),
                pc.less_equal(table[column], pa.scalar(dt.date(2017, 3, 31))),
            )
        )
        assert cut.to_pylist() == getattr(short, name).to_pylist()


def test_other_names_do_not_change_a_names_path() -> None:
    alone = Universe({"KO": UNIVERSE.instruments["KO"]})
    first, last = dt.date(2016, 1, 4), dt.date(2016, 6, 30)
    assert fetched(7, first, last, alone).bars.to_pylist() == of(fetched(7, first, last).bars, "KO").to_pylist()


def test_its_days_are_the_exchanges_sessions(market: Fetched) -> None:
    assert tuple(of(market.bars, "SPY")["session"].to_pylist()) == calendar.sessions(FIRST, LAST)
    assert set(market.bars["session"].to_pylist()) == set(calendar.sessions(FIRST, LAST))


def test_a_name_begins_at_its_listing() -> None:
    got = fetched(7, dt.date(2019, 5, 1), dt.date(2019, 5, 31))
    assert pc.min(of(got.bars, "UBER")["session"]).as_py() == dt.date(2019, 5, 10)


def test_bars_are_valid_in_cents(market: Fetched) -> None:
    assert set(market.bars["flags"].to_pylist()) == {"", "ZERO_VOLUME"}
    for column, places in (("open", 2), ("high", 2), ("low", 2), ("close", 2), ("adj_close", 6), ("volume", 0)):
        values = market.bars[column].combine_chunks()
        assert values.equals(pc.round(values, ndigits=places)), column


def test_sessions_without_a_trade_are_there_and_rare(market: Fetched) -> None:
    silent = market.bars.filter(pc.equal(market.bars["flags"], "ZERO_VOLUME"))
    assert 5 < silent.num_rows < 100
    assert silent["high"].equals(silent["low"])


def test_the_weekly_coverage_is_enough(market: Fetched) -> None:
    have = {(row["symbol"], row["session"]) for row in market.bars.select(["symbol", "session"]).to_pylist()}
    for asof in calendar.weekly_asofs(FIRST, LAST):
        expected = UNIVERSE.expected(asof)
        missing = [name for name in expected if (name, asof) not in have]
        assert Decimal(len(expected) - len(missing)) / len(expected) >= Decimal("0.98")
    sessions = calendar.sessions(FIRST, LAST)
    holes = sum((name, s) not in have for s in sessions for name in UNIVERSE.expected(s))
    assert 0 < holes < 40


def test_only_special_distributions_look_like_jumps(market: Fetched) -> None:
    actions = {(a["symbol"], a["ex_date"]): a for a in market.actions.to_pylist()}
    for symbol in UNIVERSE.instruments:
        rows = of(market.bars, symbol).select(["session", "close"]).to_pylist()
        for before, after in itertools.pairwise(rows):
            action = actions.get((symbol, after["session"]))
            split = action["value"] if action and action["kind"] == "split" else Decimal(1)
            paid = action["value"] if action and action["kind"] == "dividend" else Decimal(0)
            ratio = (after["close"] * split + paid) / before["close"]
            assert Decimal(1) / Decimal("1.4") < ratio < Decimal("1.4"), (symbol, after)


def test_splits_and_dividends_explain_the_adjusted_close(market: Fetched) -> None:
    actions = {(a["symbol"], a["ex_date"]): a for a in market.actions.to_pylist()}
    seen = Counter()
    for symbol in sorted({a["symbol"] for a in market.actions.to_pylist()})[:40]:
        rows = of(market.bars, symbol).to_pylist()
        for before, after in itertools.pairwise(rows):
            action = actions.get((symbol, after["session"]))
            split = action["value"] if action and action["kind"] == "split" else Decimal(1)
            paid = action["value"] if action and action["kind"] == "dividend" else Decimal(0)
            seen[action["kind"] if action else "none"] += 1
            by_price = (after["close"] * split + paid) / before["close"]
            assert abs(after["adj_close"] / before["adj_close"] - by_price) < Decimal("0.000002")
    assert seen["split"] >= 1
    assert seen["dividend"] > 100


def test_decades_hold_splits_both_ways_and_sane_prices() -> None:
    got = fetched(7, EPOCH, dt.date(2025, 12, 31))
    assert pc.sum(pc.equal(got.actions["kind"], "split")).as_py() > 20
    assert pc.max(got.bars["close"]).as_py() < 5000
    assert pc.min(got.bars["close"]).as_py() > 1
    assert Decimal("0.9") < pc.min(got.fixings["usd_per_gbp"]).as_py()
    assert pc.max(got.fixings["usd_per_gbp"]).as_py() < Decimal("2.2")


def test_fixings_skip_european_holidays_only(market: Fetched) -> None:
    days = set(market.fixings["day"].to_pylist())
    weekdays = {FIRST + dt.timedelta(days=n) for n in range((LAST - FIRST).days + 1)}
    weekdays = {day for day in weekdays if day.weekday() < 5}
    gone = weekdays - days
    assert {dt.date(2016, 3, 25), dt.date(2016, 3, 28), dt.date(2018, 5, 1), dt.date(2018, 12, 26)} <= gone
    assert dt.date(2018, 7, 4) in days
    assert len(gone) == 15


def test_easter() -> None:
    assert [easter(year) for year in (2008, 2011, 2016, 2018, 2038)] == [
        dt.date(2008, 3, 23), dt.date(2011, 4, 24), dt.date(2016, 3, 27), dt.date(2018, 4, 1), dt.date(2038, 4, 25),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("first", "last"),
    [(None, LAST), (FIRST, None), (LAST, FIRST), (dt.date(1999, 12, 31), LAST), (dt.date(2018, 12, 1),) * 2],
)
def test_days_it_cannot_have_are_refused(first: dt.date | None, last: dt.date | None) -> None:
    outcome = SimulatedProvider(7).fetch(Request(UNIVERSE, first, last))
    assert isinstance(outcome, Refusal)
    assert "seed 7" in outcome.where


def test_three_years_of_102_names_take_about_a_second() -> None:
    started = time.perf_counter()
    fetched(9)
    taken = time.perf_counter() - started
    assert taken < 10, f"{taken:.1f} s; about 1 s is usual"


FROZEN = "f2026e373144c798422ecd715754f45402c06c97ee0728cfb57801d825416c8e"
