"""Market files: exact numbers out of good ones, one named refusal out of each bad one, and never a part of either."""

import datetime as dt
import os
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_ops.domain.universe import COLUMNS, Instrument, Universe, parse_universe
from trading_ops.domain.values import from_float
from trading_ops.providers.columns import Sheet
from trading_ops.providers.files import FilesProvider
from trading_ops.providers.protocol import ACTIONS, BARS, FIXINGS, PRICE, Fetched, Refusal, RefusalKind, Request

SHARED = Path(os.environ.get("TRADING_OPS_SHARED", Path(__file__).parents[3] / "shared"))
REAL = SHARED / "market"
real_data = pytest.mark.skipif(not REAL.exists(), reason=f"the real market data is not here: {REAL}")


def universe_of(*symbols: str) -> Universe:
    return Universe(
        {
            s: Instrument(s, f"{s.lower()}.us", s, s, "USD", "stock", True, True, None, None, s)
            for s in (*symbols, "SPY")
        }
    )


AAPL_MSFT = universe_of("AAPL", "MSFT")


def market_rows(**changes: list[object]) -> pa.Table:
    """Two names on two sessions, good in every column unless changed."""
    columns: dict[str, list[object]] = {
        "symbol": ["AAPL", "AAPL", "MSFT", "MSFT"],
        "date": [dt.date(2018, 2, 1), dt.date(2018, 2, 2)] * 2,
        "open": [167.165, 166.0, 94.79, 93.64],
        "high": [168.62, 166.8, 96.07, 93.97],
        "low": [166.76, 160.1, 93.5815, 91.5],
        "close": [167.78, 160.5, 94.26, 91.78],
        "adj_close": [40.112233, 38.4, 89.5, 87.1],
        "volume": [47230787, 86593825, 47227882, 47867753],
        "dividend": [0.0, 0.63, 0.0, 0.0],
        "split_coefficient": [1.0, 1.0, 1.0, 2.0],
    }
    return pa.table(columns | changes)


def fx_rows(**changes: list[object]) -> pa.Table:
    columns: dict[str, list[object]] = {
        "date": [dt.date(2018, 2, 1), dt.date(2018, 2, 2)],
        "eurusd": [1.2459, 1.2492],
        "eurgbp": [0.8746, 0.87950],
        "gbpusd": [1.424537, 1.420352],
    }
    return pa.table(columns | changes)


def fetched(path: Path, universe: Universe = AAPL_MSFT, **request: object) -> Fetched:
    outcome = FilesProvider(path).fetch(Request(universe, **request))
    assert isinstance(outcome, Fetched), str(outcome)
    return outcome


def refused(path: Path, universe: Universe = AAPL_MSFT, **request: object) -> Refusal:
    outcome = FilesProvider(path).fetch(Request(universe, **request))
    assert isinstance(outcome, Refusal)
    return outcome


def parquet(folder: Path, table: pa.Table, name: str = "prices.parquet") -> Path:
    pq.write_table(table, folder / name)
    return folder / name


def text(folder: Path, name: str, content: str) -> Path:
    (folder / name).write_text(content, "utf-8")
    return folder / name


# What a good folder gives


def test_a_folder_gives_bars_actions_and_fixings(tmp_path: Path) -> None:
    parquet(tmp_path, market_rows())
    parquet(tmp_path, fx_rows(), "fx.parquet")
    text(tmp_path, "universe.csv", ",".join(COLUMNS) + "\n")
    text(tmp_path, "README.md", "words")
    got = fetched(tmp_path)
    assert (got.bars.schema, got.actions.schema, got.fixings.schema) == (BARS, ACTIONS, FIXINGS)
    assert got.bars.to_pylist()[0] == {
        "symbol": "AAPL", "session": dt.date(2018, 2, 1), "open": Decimal("167.165"), "high": Decimal("168.62"),
        "low": Decimal("166.76"), "close": Decimal("167.78"), "adj_close": Decimal("40.112233"),
        "volume": Decimal(47230787), "source": "files", "flags": "",
    }  # fmt: skip
    assert [(a["symbol"], a["ex_date"].day, a["kind"], a["value"]) for a in got.actions.to_pylist()] == [
        ("AAPL", 2, "dividend", Decimal("0.63")),
        ("MSFT", 2, "split", Decimal(2)),
    ]
    assert got.fixings["usd_per_gbp"].to_pylist() == [Decimal("1.424537"), Decimal("1.420352")]
    assert got.provenance.ignored == ("README.md", "universe.csv")
    assert [(f.name, f.rows) for f in got.provenance.files] == [("fx.parquet", 2), ("prices.parquet", 4)]
    assert all(len(f.sha256) == 64 for f in got.provenance.files)


def test_rows_come_out_sorted_whatever_their_order(tmp_path: Path) -> None:
    path = parquet(tmp_path, market_rows().take([3, 1, 0, 2]))
    keys = fetched(path).bars.select(["symbol", "session"]).to_pylist()
    assert keys == sorted(keys, key=lambda row: (row["symbol"], row["session"]))


def test_days_outside_the_request_are_left_out(tmp_path: Path) -> None:
    path = parquet(tmp_path, market_rows())
    got = fetched(path, first=dt.date(2018, 2, 2), last=dt.date(2018, 2, 2))
    assert got.bars.num_rows == 2
    assert got.actions.num_rows == 2
    assert fetched(path, last=dt.date(2018, 2, 1)).actions.num_rows == 0
    assert refused(path, first=dt.date(2019, 1, 1)).kind is RefusalKind.NOTHING_IN_RANGE


def test_odd_bars_are_kept_and_flagged(tmp_path: Path) -> None:
    table = market_rows(
        high=[168.62, 160.0, 96.07, 93.97],
        low=[166.76, 160.1, 0.0, 92.0],
        volume=[0, 86593825, -1, 47867753],
    )
    assert fetched(parquet(tmp_path, table)).bars["flags"].to_pylist() == [
        "ZERO_VOLUME",
        "HIGH_BELOW_LOW,HIGH_BELOW_BODY",
        "NOT_POSITIVE,NEGATIVE_VOLUME",
        "LOW_ABOVE_BODY",
    ]


def test_weekend_rows_are_kept_for_the_gate(tmp_path: Path) -> None:
    saturday = dt.date(2018, 2, 3)
    path = parquet(tmp_path, market_rows(date=[dt.date(2018, 2, 1), saturday] * 2))
    assert saturday in fetched(path).bars["session"].to_pylist()


def test_benchmark_files_have_no_actions(tmp_path: Path) -> None:
    path = parquet(tmp_path, market_rows().drop_columns(["dividend", "split_coefficient"]))
    got = fetched(path)
    assert (got.bars.num_rows, got.actions.num_rows) == (4, 0)


def test_what_pandas_adds_and_changes_is_understood(tmp_path: Path) -> None:
    table = market_rows().append_column("__index_level_0__", pa.array([5, 6, 7, 8]))
    table = table.set_column(1, "date", table["date"].cast(pa.timestamp("ns")))
    table = table.set_column(0, "symbol", table["symbol"].combine_chunks().dictionary_encode())
    assert fetched(parquet(tmp_path, table)).bars.num_rows == 4


@given(st.lists(st.floats(0, 1e11, allow_nan=False), min_size=1))
def test_floats_become_the_number_their_shortest_text_names(values: list[float]) -> None:
    sheet = Sheet("x", pa.table({"x": pa.array(values, pa.float64())}), None)
    wanted = [from_float(value).quantize(Decimal("1e-8")) for value in values]
    assert sheet.decimals("x", PRICE).to_pylist() == wanted
    assert sheet.rounded == sum(from_float(v) != w for v, w in zip(values, wanted, strict=True))


@given(st.lists(st.decimals(-(10**11), 10**11, places=8), min_size=1))
def test_text_with_eight_decimals_is_kept_exactly(values: list[Decimal]) -> None:
    sheet = Sheet("x", pa.table({"x": [f"{value:f}" for value in values]}), 2)
    assert sheet.decimals("x", PRICE).to_pylist() == values
    assert sheet.rounded == 0


# Damage, each kind with its place


@pytest.mark.parametrize(
    ("column", "values", "kind", "place"),
    [
        ("close", [167.78, float("nan"), 94.26, 91.78], RefusalKind.MISSING_VALUE, "row 2, column close"),
        ("close", [167.78, None, 94.26, 91.78], RefusalKind.MISSING_VALUE, "row 2, column close"),
        ("open", [1.0, 1.0, float("inf"), 1.0], RefusalKind.OUT_OF_RANGE, "row 3, column open"),
        ("open", [1.0, 1.0, 1e12, 1.0], RefusalKind.OUT_OF_RANGE, "row 3, column open"),
        ("high", ["1", "x", "1", "1"], RefusalKind.NOT_A_NUMBER, "row 2, column high"),
        ("high", ["1", "1e400", "1", "1"], RefusalKind.OUT_OF_RANGE, "row 2, column high"),
        ("high", ["1", "1", "1", "1,5"], RefusalKind.NOT_A_NUMBER, "row 4, column high"),
        ("high", ["1", "1", "1", "0x1F"], RefusalKind.NOT_A_NUMBER, "row 4, column high"),
        ("volume", [1, 2, 3, None], RefusalKind.MISSING_VALUE, "row 4, column volume"),
        ("symbol", ["AAPL", "AAPL", "MSFT", "MSTF"], RefusalKind.UNKNOWN_SYMBOL, "row 4, column symbol"),
        ("symbol", ["AAPL", "AAPL", "MSFT", None], RefusalKind.MISSING_VALUE, "row 4, column symbol"),
        ("symbol", ["AAPL", "AAPL", "MSFT", ""], RefusalKind.MISSING_VALUE, "row 4, column symbol"),
        ("symbol", ["AAPL", "AAPL", "MSFT ", "MSFT"], RefusalKind.UNKNOWN_SYMBOL, "row 3, column symbol"),
        ("date", [dt.date(2018, 2, 1)] * 4, RefusalKind.DUPLICATE_ROW, "row 2, column symbol and date"),
        ("date", ["2018-02-01", "2018-02-02", "2018-02-30", "2018-02-02"], RefusalKind.BAD_DATE, "row 3, column date"),
        ("date", [dt.date(2018, 2, 1), None, None, None], RefusalKind.MISSING_VALUE, "row 2, column date"),
        ("date", [dt.datetime(2018, 2, 1, 9, 30, tzinfo=dt.UTC)] * 4, RefusalKind.BAD_DATE, "row 1, column date"),
        ("split_coefficient", [1.0, 1.0, 0.0, 1.0], RefusalKind.BAD_ACTION, "row 3, column split_coefficient"),
        ("split_coefficient", [1.0, 1.0, -2.0, 1.0], RefusalKind.BAD_ACTION, "row 3, column split_coefficient"),
        ("dividend", [0.0, 0.0, 0.0, -0.5], RefusalKind.BAD_ACTION, "row 4, column dividend"),
        ("dividend", [0.0, 0.0, 0.0, float("nan")], RefusalKind.MISSING_VALUE, "row 4, column dividend"),
    ],
)
def test_one_bad_cell_refuses_all_and_is_named(
    tmp_path: Path, column: str, values: list[object], kind: RefusalKind, place: str
) -> None:
    parquet(tmp_path, fx_rows(), "fx.parquet")
    parquet(tmp_path, market_rows(**{column: values}))
    refusal = refused(tmp_path)
    assert refusal.kind is kind
    assert refusal.where == f"prices.parquet, {place}"
    assert refusal.sentence.endswith(".")


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"gbpusd": [1.424537, 0.704]}, RefusalKind.BAD_FIXING),
        ({"gbpusd": [1.424537, 0.0]}, RefusalKind.BAD_FIXING),
        ({"eurgbp": [0.8746, -0.8795]}, RefusalKind.BAD_FIXING),
        ({"gbpusd": [1.424537, None]}, RefusalKind.MISSING_VALUE),
        ({"date": [dt.date(2018, 2, 1)] * 2}, RefusalKind.DUPLICATE_ROW),
    ],
)
def test_a_bad_fixing_is_named(tmp_path: Path, changes: dict[str, list[object]], kind: RefusalKind) -> None:
    refusal = refused(parquet(tmp_path, fx_rows(**changes), "fx.parquet"))
    assert refusal.kind is kind
    assert "row 2" in refusal.where


@pytest.mark.parametrize("share", [0.2, 0.5, 0.95])
def test_a_parquet_file_cut_short_is_refused(tmp_path: Path, share: float) -> None:
    whole = parquet(tmp_path, market_rows()).read_bytes()
    (tmp_path / "prices.parquet").write_bytes(whole[: int(len(whole) * share)])
    refusal = refused(tmp_path)
    assert refusal.kind is RefusalKind.DAMAGED_FILE
    assert refusal.where == "prices.parquet"


def test_a_file_with_no_bytes_or_no_rows_is_refused(tmp_path: Path) -> None:
    assert refused(text(tmp_path, "AAPL.csv", "")).kind is RefusalKind.EMPTY_FILE
    assert refused(text(tmp_path, "AAPL.csv", "\n \n")).kind is RefusalKind.EMPTY_FILE
    assert refused(text(tmp_path, "AAPL.csv", YAHOO_HEADER)).kind is RefusalKind.HEADER_ONLY
    assert refused(parquet(tmp_path, market_rows().slice(0, 0))).kind is RefusalKind.HEADER_ONLY


def test_columns_decide_and_a_foreign_one_is_named(tmp_path: Path) -> None:
    extra = refused(parquet(tmp_path, market_rows().append_column("isin", pa.array(["x"] * 4))))
    assert (extra.kind, extra.where) == (RefusalKind.UNKNOWN_COLUMN, "prices.parquet, column isin")
    missing = refused(parquet(tmp_path, market_rows().drop_columns(["adj_close"])))
    assert (missing.kind, missing.where) == (RefusalKind.MISSING_COLUMN, "prices.parquet, column adj_close")
    foreign = refused(parquet(tmp_path, pa.table({"a": [1], "b": [2]})))
    assert foreign.kind is RefusalKind.UNKNOWN_SCHEMA
    assert "a, b" in foreign.sentence


@pytest.mark.parametrize(
    "body", ["No data\n", "<html>\n<body>a, b</body>\n</html>\n", "\x00\x01\x02\n", "PK\x03\x04\n"]
)
def test_a_saved_error_page_is_no_market_data(tmp_path: Path, body: str) -> None:
    assert refused(text(tmp_path, "aapl_us.csv", body)).kind is RefusalKind.UNKNOWN_SCHEMA


def test_a_row_in_two_files_names_both(tmp_path: Path) -> None:
    parquet(tmp_path, market_rows(), "a.parquet")
    parquet(tmp_path, market_rows().slice(2, 1), "b.parquet")
    refusal = refused(tmp_path)
    assert refusal.kind is RefusalKind.DUPLICATE_ROW
    assert refusal.where.startswith("b.parquet, row 1")
    assert "a.parquet, row 3" in refusal.sentence


def test_names_outside_the_universe_are_skipped_only_when_allowed(tmp_path: Path) -> None:
    path = parquet(tmp_path, market_rows())
    assert refused(path, universe_of("AAPL")).kind is RefusalKind.UNKNOWN_SYMBOL
    got = fetched(path, universe_of("AAPL"), skip_unknown=True)
    assert set(got.bars["symbol"].to_pylist()) == {"AAPL"}
    assert set(got.actions["symbol"].to_pylist()) == {"AAPL"}
    assert got.provenance.skipped_symbols == ("MSFT",)


def test_a_path_without_market_data_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path / "nowhere").kind is RefusalKind.NOT_FOUND
    assert refused(tmp_path).kind is RefusalKind.NO_PRICES


# Yahoo's CSV

YAHOO_HEADER = "Date,Open,High,Low,Close,Adj Close,Volume\n"
YAHOO = YAHOO_HEADER + (
    "2020-08-27,127.142502,127.485001,123.832497,125.010002,123.0,155552400\n"
    "2020-08-28,126.012497,126.442497,124.577499,124.807503,122.8,187630000\n"
    "2020-08-31,127.580002,131.0,126.0,129.039993,127.0,225702700\n"
)


def with_history(folder: Path, splits: str = "2020-08-31,4:1\n", dividends: str = "") -> Path:
    text(folder, "AAPL.splits.csv", "Date,Stock Splits\n" + splits)
    text(folder, "AAPL.dividends.csv", "Date,Dividends\n" + dividends)
    return text(folder, "AAPL.csv", YAHOO)


def test_yahoo_without_its_split_history_is_refused_with_the_way_out(tmp_path: Path) -> None:
    refusal = refused(text(tmp_path, "AAPL.csv", YAHOO))
    assert refusal.kind is RefusalKind.UNCONFIRMED_BASIS
    assert "AAPL.splits.csv and AAPL.dividends.csv" in refusal.sentence


@pytest.mark.parametrize("single", [True, False])
def test_yahoo_prices_are_multiplied_by_every_later_split(tmp_path: Path, single: bool) -> None:
    path = with_history(tmp_path, dividends="2020-08-07,0.205\n2020-08-28,0.10\n2020-08-31,0.205\n")
    got = fetched(path if single else tmp_path)
    assert got.bars["close"].to_pylist() == [Decimal("500.040008"), Decimal("499.230012"), Decimal("129.039993")]
    assert got.bars["adj_close"].to_pylist() == [Decimal(123), Decimal("122.8"), Decimal(127)]
    assert got.bars["volume"].to_pylist() == [Decimal(38888100), Decimal(46907500), Decimal(225702700)]
    assert [(a["ex_date"].day, a["kind"], a["value"]) for a in got.actions.to_pylist()] == [
        (7, "dividend", Decimal("0.82")),
        (28, "dividend", Decimal("0.4")),
        (31, "dividend", Decimal("0.205")),
        (31, "split", Decimal(4)),
    ]


def test_a_split_after_the_last_bar_counts(tmp_path: Path) -> None:
    path = with_history(tmp_path, splits="2020-08-31,4:1\n2024-06-10,10:1\n")
    assert fetched(path).bars["close"].to_pylist()[-1] == Decimal("1290.39993")


def test_yahoo_prices_confirmed_as_traded_are_not_multiplied(tmp_path: Path) -> None:
    assert fetched(with_history(tmp_path), basis="as-traded").bars["close"][0].as_py() == Decimal("125.010002")
    (tmp_path / "AAPL.splits.csv").unlink()
    assert fetched(tmp_path / "AAPL.csv", basis="as-traded").bars.num_rows == 3


@pytest.mark.parametrize(
    ("old", "new", "kind", "place"),
    [
        (",187630000\n", "\n", RefusalKind.DAMAGED_FILE, "AAPL.csv"),
        ("225702700\n", "2257", RefusalKind.DAMAGED_FILE, "AAPL.csv, line 4"),
        ("124.807503", "null", RefusalKind.MISSING_VALUE, "AAPL.csv, line 3, column Close"),
        ("124.807503", "", RefusalKind.MISSING_VALUE, "AAPL.csv, line 3, column Close"),
        ("124.807503", "NaN", RefusalKind.MISSING_VALUE, "AAPL.csv, line 3, column Close"),
        ("124.807503", "1e400", RefusalKind.OUT_OF_RANGE, "AAPL.csv, line 3, column Close"),
        ("124.807503", "inf", RefusalKind.OUT_OF_RANGE, "AAPL.csv, line 3, column Close"),
        ("124.807503", "12_4", RefusalKind.NOT_A_NUMBER, "AAPL.csv, line 3, column Close"),
        ("124.807503", "١٢٤", RefusalKind.NOT_A_NUMBER, "AAPL.csv, line 3, column Close"),
        ("2020-08-28", "28.08.2020", RefusalKind.BAD_DATE, "AAPL.csv, line 3, column Date"),
        ("2020-08-28", "2020-8-28", RefusalKind.BAD_DATE, "AAPL.csv, line 3, column Date"),
        ("2020-08-28", "2020-08-27", RefusalKind.DUPLICATE_ROW, "AAPL.csv, line 3, column symbol and date"),
        ("2020-08-28,", "\n2020-08-28,", RefusalKind.MISSING_VALUE, "AAPL.csv, line 3, column Date"),
        ("Adj Close", "Adjusted", RefusalKind.UNKNOWN_COLUMN, "AAPL.csv, column Adjusted"),
        ("Low,Close,Adj", "Lo,Close,Adj", RefusalKind.MISSING_COLUMN, "AAPL.csv, column Low"),
        ("Adj Close", "Close", RefusalKind.UNKNOWN_SCHEMA, "AAPL.csv, line 1"),
    ],
)
def test_damage_in_a_csv_is_named(tmp_path: Path, old: str, new: str, kind: RefusalKind, place: str) -> None:
    path = with_history(tmp_path)
    assert old in YAHOO
    text(tmp_path, "AAPL.csv", YAHOO.replace(old, new, 1))
    refusal = refused(path)
    assert (refusal.kind, refusal.where) == (kind, place)


@pytest.mark.parametrize(
    ("splits", "dividends", "kind", "place"),
    [
        ("2020-08-31,four\n", "", RefusalKind.BAD_ACTION, "AAPL.splits.csv, line 2, column Stock Splits"),
        ("2020-08-31,4:0\n", "", RefusalKind.BAD_ACTION, "AAPL.splits.csv, line 2, column Stock Splits"),
        ("2020-08-31,٤:1\n", "", RefusalKind.BAD_ACTION, "AAPL.splits.csv, line 2, column Stock Splits"),
        ("2020-08-31,-4:1\n", "", RefusalKind.BAD_ACTION, "AAPL.splits.csv, line 2, column Stock Splits"),
        ("2020-08-31,4:1\n2020-08-31,4:1\n", "", RefusalKind.DUPLICATE_ROW, "AAPL.splits.csv, line 3, column Date"),
        ("", "2020-08-07,0\n", RefusalKind.BAD_ACTION, "AAPL.dividends.csv, line 2, column Dividends"),
        ("", "2020-08-07,x\n", RefusalKind.NOT_A_NUMBER, "AAPL.dividends.csv, line 2, column Dividends"),
    ],
)
def test_damage_in_a_history_is_named(
    tmp_path: Path, splits: str, dividends: str, kind: RefusalKind, place: str
) -> None:
    refusal = refused(with_history(tmp_path, splits, dividends))
    assert (refusal.kind, refusal.where) == (kind, place)


def test_the_files_name_is_the_symbol(tmp_path: Path) -> None:
    refusal = refused(text(tmp_path, "APPL.csv", YAHOO))
    assert refusal.kind is RefusalKind.UNKNOWN_SYMBOL
    assert "'APPL'" in refusal.sentence


# Stooq's text

BULK = (
    "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\n"
    "AAPL.US,D,20180201,000000,167.165,168.62,166.76,167.78,47230787,0\n"
    "MSFT.US,D,20180201,000000,94.79,96.07,93.5815,94.26,47227882,0\n"
)
SINGLE = "Date,Open,High,Low,Close,Volume\n2018-02-01,167.165,168.62,166.76,167.78,47230787\n"
POLISH = SINGLE.replace("Date,Open,High,Low,Close,Volume", "Data,Otwarcie,Najwyzszy,Najnizszy,Zamkniecie,Wolumen")


@pytest.mark.parametrize(("name", "content"), [("us.txt", BULK), ("aapl_us.csv", SINGLE), ("aapl.us.csv", POLISH)])
def test_stooq_is_refused_until_a_person_confirms_its_basis(tmp_path: Path, name: str, content: str) -> None:
    path = text(tmp_path, name, content)
    assert refused(path).kind is RefusalKind.UNCONFIRMED_BASIS
    assert refused(path, basis="adjusted").kind is RefusalKind.ADJUSTED_BASIS
    got = fetched(path, basis="as-traded")
    first = got.bars.to_pylist()[0]
    assert (first["symbol"], first["close"], first["adj_close"]) == ("AAPL", Decimal("167.78"), Decimal("167.78"))
    assert first["flags"] == "NOT_ADJUSTED,ACTIONS_UNKNOWN"
    assert got.provenance.notes == ("basis confirmed by a person: as-traded",)


def test_a_fraction_of_a_share_proves_an_adjusted_file(tmp_path: Path) -> None:
    refusal = refused(text(tmp_path, "us.txt", BULK.replace("47227882", "47227882.5")), basis="as-traded")
    assert (refusal.kind, refusal.where) == (RefusalKind.ADJUSTED_BASIS, "us.txt, line 3, column <VOL>")


def test_hourly_rows_are_refused(tmp_path: Path) -> None:
    refusal = refused(text(tmp_path, "us.txt", BULK.replace("MSFT.US,D", "MSFT.US,60")), basis="as-traded")
    assert (refusal.kind, refusal.where) == (RefusalKind.UNKNOWN_SCHEMA, "us.txt, line 3, column <PER>")


def test_windows_line_ends_and_empty_last_lines_change_nothing(tmp_path: Path) -> None:
    path = tmp_path / "us.txt"
    path.write_bytes(b"\xef\xbb\xbf" + BULK.replace("\n", "\r\n").encode() + b"\r\n")
    assert fetched(path, basis="as-traded").bars.num_rows == 2


# The real files


@real_data
def test_the_real_market_loads_exactly_and_fast() -> None:
    universe = parse_universe((REAL / "universe.csv").read_text("utf-8"), "universe.csv")
    started = time.perf_counter()
    got = fetched(REAL, universe)
    taken = time.perf_counter() - started
    assert (got.bars.num_rows, got.fixings.num_rows) == (585_572 + 10_701, 7_126)
    assert pc.sum(pc.equal(got.actions["kind"], "split")).as_py() == 81
    assert pc.sum(pc.equal(got.bars["flags"], "ZERO_VOLUME")).as_py() == 32
    assert pc.sum(pc.equal(got.bars["flags"], "ACTIONS_UNKNOWN")).as_py() == 10_701  # the benchmarks' file has none
    assert pc.sum(pc.not_equal(got.bars["flags"], "")).as_py() == 32 + 10_701
    assert got.provenance.rounded == 0
    assert taken < 20, f"{taken:.1f} s; about 2 s are usual"


@real_data
@pytest.mark.parametrize("column", ["open", "low", "close", "adj_close", "volume"])
def test_a_sample_of_real_numbers_is_their_shortest_text(column: str) -> None:
    universe = parse_universe((REAL / "universe.csv").read_text("utf-8"), "universe.csv")
    table = pq.read_table(REAL / "equities_2005_2021.parquet").sort_by([("symbol", "ascending"), ("date", "ascending")])
    got = fetched(REAL / "equities_2005_2021.parquet", universe)
    rows = np.random.default_rng(5).integers(0, table.num_rows, 3000)
    raw, kept = table[column].take(rows).to_pylist(), got.bars[column].take(rows).to_pylist()
    assert kept == [Decimal(repr(value)) for value in raw]


@real_data
@pytest.mark.parametrize(
    ("damage", "kind"),
    [
        (lambda t: t.set_column(5, "close", _with(t["close"], 300_000, float("nan"))), RefusalKind.MISSING_VALUE),
        (lambda t: pa.concat_tables([t, t.slice(300_000, 1)]), RefusalKind.DUPLICATE_ROW),
        (lambda t: t.set_column(0, "symbol", _with(t["symbol"], 300_000, "XXXX")), RefusalKind.UNKNOWN_SYMBOL),
        (lambda t: t.rename_columns({"close": "price"}), RefusalKind.MISSING_COLUMN),
    ],
)
def test_one_damaged_cell_among_half_a_million_is_found(
    tmp_path: Path, damage: Callable[[pa.Table], pa.Table], kind: RefusalKind
) -> None:
    universe = parse_universe((REAL / "universe.csv").read_text("utf-8"), "universe.csv")
    path = parquet(tmp_path, damage(pq.read_table(REAL / "equities_2005_2021.parquet")))
    refusal = refused(path, universe)
    assert refusal.kind is kind
    row = {RefusalKind.DUPLICATE_ROW: "row 585573", RefusalKind.MISSING_COLUMN: "column close"}.get(kind, "row 300001")
    assert row in refusal.where


def _with(column: pa.ChunkedArray, row: int, value: object) -> pa.Array:
    mask = np.zeros(len(column), bool)
    mask[row] = True
    whole = column.combine_chunks()
    return pc.replace_with_mask(whole, pa.array(mask), pa.array([value], whole.type))


@pytest.mark.skipif(not (SHARED / "recorded").exists(), reason=f"the recorded answers are not here: {SHARED}/recorded")
def test_stooqs_recorded_adjusted_file_never_becomes_prices() -> None:
    assert refused(SHARED / "recorded/stooq/spy_us.csv").kind is RefusalKind.UNCONFIRMED_BASIS
