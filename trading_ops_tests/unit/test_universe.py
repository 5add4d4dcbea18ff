"""The universe file: strict cells, places in every message, one hash."""

import datetime as dt
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_ops.domain.errors import ConfigError
from trading_ops.domain.universe import (
    COLUMNS,
    Instrument,
    Universe,
    parse_universe,
    render_universe,
    universe_hash,
    universe_rows,
)

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("TRADING_OPS_SHARED", ROOT.parent / "shared"))
WHERE = "config/universe.csv"
HEADER = ",".join(COLUMNS)
MSFT = "MSFT,msft.us,MSFT,MSFT,USD,stock,true,true,,,Microsoft"
SPY = "SPY,spy.us,SPY,SPY,USD,etf,false,true,,,benchmark only"


def file_of(*lines: str, header: str = HEADER) -> str:
    return "\n".join((header, *lines)) + "\n"


def row(**cells: str) -> str:
    values = dict(zip(COLUMNS, MSFT.split(","), strict=True)) | cells
    return ",".join(values.values())


def test_the_committed_universe_is_100_stocks_and_two_benchmarks() -> None:
    universe = parse_universe((ROOT / WHERE).read_text("utf-8"), WHERE)
    assert len(universe.expected(dt.date(2026, 1, 2))) == 100
    assert universe.benchmarks() == ("QQQ", "SPY")
    assert all(name.notes for name in universe.instruments.values())
    assert all(name.verified_on is None for name in universe.instruments.values())
    brk = universe.instruments["BRK.B"]
    assert (brk.stooq_symbol, brk.yahoo_symbol, brk.etoro_search_name) == ("brk-b.us", "BRK-B", "BRK.B")


def test_a_young_name_is_not_expected_before_its_listing() -> None:
    universe = parse_universe((ROOT / WHERE).read_text("utf-8"), WHERE)
    assert "UBER" not in universe.expected(dt.date(2019, 5, 9))
    assert "UBER" in universe.expected(dt.date(2019, 5, 10))


@pytest.mark.skipif(not (SHARED / "market/universe.csv").exists(), reason="shared/market/universe.csv is not here")
def test_the_real_datas_universe_parses() -> None:
    universe = parse_universe((SHARED / "market/universe.csv").read_text("utf-8"), "universe.csv")
    assert len(universe.instruments) == 153
    assert len(universe.expected(dt.date(2021, 1, 4))) == 99
    assert universe.benchmarks() == ("QQQ", "SPY")


def test_cells_are_read() -> None:
    text = file_of(row(listed_from="2005-09-27", verified_on="2026-11-01", enabled="FALSE"), SPY)
    universe = parse_universe(text, WHERE)
    assert universe.instruments["MSFT"] == Instrument(
        "MSFT", "msft.us", "MSFT", "MSFT", "USD", "stock", True, False,
        dt.date(2005, 9, 27), dt.date(2026, 11, 1), "Microsoft",
    )  # fmt: skip
    assert not universe.instruments["MSFT"].tradable
    assert universe.benchmarks() == ("SPY",)


@pytest.mark.parametrize(
    ("bad", "column", "sentence"),
    [
        (row(currency="GBp"), "currency", "'GBp' is pence. Use GBP and divide the price by 100."),
        (row(currency="GBX"), "currency", "'GBX' is pence. Use GBP and divide the price by 100."),
        (row(currency="GBP"), "currency", "valued in dollars"),
        (row(currency="EUR", enabled="false"), "currency", "valued in dollars"),
        (row(tradable_underlying="yes"), "tradable_underlying", "'yes' is neither. Use true or false."),
        (row(enabled=""), "enabled", "'' is neither"),
        (row(instrument_type="fund"), "instrument_type", "'fund' is unknown. Use stock or etf."),
        (row(instrument_type="etf"), "tradable_underlying", "only get as a CFD. Use false."),
        (row(listed_from="27.09.2005"), "listed_from", "'27.09.2005' is not a date"),
        (row(listed_from="2005-02-30"), "listed_from", "'2005-02-30' is not a date"),
        (row(verified_on="20261101"), "verified_on", "'20261101' is not a date"),
        (row(etoro_search_name=""), "etoro_search_name", "is empty"),
        (row(internal_symbol=""), "internal_symbol", "is empty"),
        (row(internal_symbol="msft"), "internal_symbol", "'msft' is not a symbol"),
        (row(internal_symbol="MS FT"), "internal_symbol", "'MS FT' is not a symbol"),
        (row(stooq_symbol="msft us"), "stooq_symbol", "not a symbol of that source"),
        (row(notes="=1+1"), "notes", "begins with '='"),
        (row(notes="@SUM(A1)"), "notes", "begins with '@'"),
        (row(notes="+1"), "notes", "begins with '+'"),
        (row(notes="-1"), "notes", "begins with '-'"),
        (row(notes=" Microsoft"), "notes", "spaces around"),
        (row(notes='"two\nlines"'), "notes", "line break"),
        (row(notes="x" * 201), "notes", "201 characters are too long"),
        (MSFT + ",more", "12", "12 cells, the header 11"),
        (MSFT.rsplit(",", 1)[0], "notes", "10 cells, the header 11"),
    ],
)
def test_a_wrong_cell_is_named_with_line_and_column(bad: str, column: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_universe(file_of(SPY, "", bad), WHERE)
    assert str(caught.value).startswith(f"{WHERE}, line 4, column {column}: ")
    assert sentence in str(caught.value)


def test_a_disabled_name_may_be_priced_in_pounds() -> None:
    universe = parse_universe(file_of(row(currency="GBP", enabled="false")), WHERE)
    assert universe.instruments["MSFT"].currency == "GBP"


@pytest.mark.parametrize(
    ("column", "other"),
    [
        ("internal_symbol", row(stooq_symbol="x.us", yahoo_symbol="X", etoro_search_name="X")),
        ("stooq_symbol", row(internal_symbol="X", yahoo_symbol="X", etoro_search_name="X")),
        ("yahoo_symbol", row(internal_symbol="X", stooq_symbol="x.us", etoro_search_name="X")),
        (
            "etoro_search_name",
            row(internal_symbol="X", stooq_symbol="x.us", yahoo_symbol="X", etoro_search_name="msft"),
        ),
    ],
)
def test_a_symbol_twice_is_refused(column: str, other: str) -> None:
    with pytest.raises(ConfigError, match=f"line 3, column {column}: .* is already in line 2"):
        parse_universe(file_of(MSFT, other), WHERE)


def test_names_a_source_does_not_have_leave_its_cell_empty() -> None:
    text = file_of(
        row(stooq_symbol=""), row(internal_symbol="X", stooq_symbol="", yahoo_symbol="X", etoro_search_name="X")
    )
    assert len(parse_universe(text, WHERE).instruments) == 2


@pytest.mark.parametrize(
    ("header", "column", "problem"),
    [
        (HEADER + ",isin", "isin", "unknown"),
        (HEADER.replace(",notes", ""), "notes", "missing"),
        (HEADER.replace("notes", "enabled"), "enabled", "twice"),
        ("<html>", "<html>", "unknown"),
    ],
)
def test_a_wrong_header_is_named(header: str, column: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=f"line 1, column {column}: the column is .*{problem}"):
        parse_universe(file_of(MSFT, header=header), WHERE)


@pytest.mark.parametrize("text", ["", HEADER, HEADER + "\n\n"])
def test_a_file_without_names_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"config/universe\.csv"):
        parse_universe(text, WHERE)


def test_a_quote_that_never_ends_is_refused() -> None:
    with pytest.raises(ConfigError, match="not CSV"):
        parse_universe(file_of(row(notes='"Micro')), WHERE)


def test_columns_may_stand_in_any_order_and_excel_may_have_saved_it() -> None:
    reordered = "\ufeff" + "\r\n".join(",".join(reversed(line.split(","))) for line in (HEADER, MSFT, SPY)) + "\r\n"
    assert parse_universe(reordered, WHERE) == parse_universe(file_of(MSFT, SPY), WHERE)


def test_the_hash_sees_cells_not_the_order_of_lines() -> None:
    one = parse_universe(file_of(MSFT, SPY), WHERE)
    assert universe_hash(parse_universe(file_of(SPY, MSFT), WHERE)) == universe_hash(one)
    assert universe_hash(parse_universe(file_of(row(verified_on="2026-11-01"), SPY), WHERE)) != universe_hash(one)


def test_the_hash_is_frozen() -> None:
    """A golden vector: stored tickets name this hash, so its canonical form may never drift."""
    assert universe_hash(parse_universe(file_of(MSFT, SPY), WHERE)) == FROZEN_HASH


NOTES = (
    st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")) | st.just(" "), max_size=30)
    .map(str.strip)
    .filter(lambda text: not text.startswith(("=", "+", "-", "@")))
)
DAYS = st.none() | st.dates(dt.date(1990, 1, 1), dt.date(2030, 1, 1))


@given(st.dictionaries(st.from_regex(r"[A-Z]{1,4}", fullmatch=True), st.tuples(DAYS, DAYS, NOTES), min_size=1))
def test_a_rendered_universe_reads_back_equal(names: dict[str, tuple[dt.date | None, dt.date | None, str]]) -> None:
    universe = Universe(
        {
            name: Instrument(name, f"{name.lower()}.us", name, name, "USD", "stock", True, False, listed, seen, notes)
            for name, (listed, seen, notes) in names.items()
        }
    )
    again = parse_universe(render_universe(universe), WHERE)
    assert again == universe
    assert universe_rows(again) == universe_rows(universe)
    assert universe_hash(again) == universe_hash(universe)


FROZEN_HASH = "034bb55fa194ecad15faec58cbebf4df1d426024d5ceb3b6572dea70c732e97c"
