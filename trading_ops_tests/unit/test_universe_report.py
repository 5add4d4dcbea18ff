"""The universe report: names without data, stale ones, unverified ones, and names that are easily confused."""

import datetime as dt

import pytest

from trading_ops.domain import calendar
from trading_ops.domain.books import Book
from trading_ops.domain.universe import Instrument
from trading_ops.domain.universe_report import NameReport, look_alikes, to_markdown, universe_report
from trading_ops_tests.unit.market_factory import committed_policy, make_instrument, make_universe

LAST = dt.date(2018, 2, 2)
MEASURED = calendar.window_of_sessions(LAST, 60)
FULL = {session: ["yahoo"] for session in MEASURED}


def name(of: Instrument, bars: dict[dt.date, list[str]] | None = None, book: Book = "sim") -> NameReport:
    universe = make_universe(others=[of])
    given = {of.symbol: FULL if bars is None else bars, "SPY": FULL}
    report = universe_report(universe, given, MEASURED, committed_policy(), book)
    return next(n for n in report.names if n.symbol == of.symbol)


def test_a_name_with_all_its_bars_has_no_problem() -> None:
    found = name(make_instrument("AAA", verified_on=dt.date(2018, 1, 2)))
    assert (found.sessions, found.covered, found.newest, found.behind) == (60, 60, LAST, 0)
    assert found.sources == ("yahoo",)
    assert not found.problems
    assert not found.remarks


def test_a_name_without_any_bar_is_a_problem_unless_it_is_disabled() -> None:
    assert "no bar at all" in name(make_instrument("AAA"), {}).problems[0]
    assert not name(make_instrument("AAA", enabled=False), {}).problems


@pytest.mark.parametrize(("behind", "wrong"), [(0, False), (3, False), (4, True)])
def test_a_name_is_stale_after_three_sessions(behind: int, wrong: bool) -> None:
    found = name(make_instrument("AAA"), {s: ["yahoo"] for s in MEASURED[: 60 - behind]})
    assert found.behind == behind
    assert any("sessions ago" in problem for problem in found.problems) == wrong


def test_sessions_before_the_listing_do_not_count() -> None:
    found = name(make_instrument("AAA", listed_from=MEASURED[50]), {s: ["yahoo"] for s in MEASURED[50:]})
    assert (found.sessions, found.covered) == (10, 10)


def test_holes_are_a_remark() -> None:
    bars = {s: ["yahoo"] for s in MEASURED if s != MEASURED[5]}
    assert "1 of the last 60 sessions" in name(make_instrument("AAA"), bars).remarks[0]


@pytest.mark.parametrize(
    ("verified", "words"),
    [(None, "never looked up"), (dt.date(2017, 8, 5), "181 days ago"), (dt.date(2017, 8, 6), "")],
)
def test_verification_is_a_problem_of_the_live_book_only(verified: dt.date | None, words: str) -> None:
    instrument = make_instrument("AAA", verified_on=verified)
    live, paper = name(instrument, book="live"), name(instrument, book="paper")
    assert not paper.problems
    if words:
        assert words in live.problems[0]
        assert words in paper.remarks[0]
    else:
        assert not live.problems


def test_a_name_that_no_source_spells_is_a_problem() -> None:
    assert "no source knows it" in name(make_instrument("AAA", stooq_symbol="", yahoo_symbol="")).problems[0]


@pytest.mark.parametrize(
    ("one", "other"),
    [("GOOG", "GOOGL"), ("FOX", "FOXA"), ("DISCA", "DISCK"), ("AMGN", "AMZN")],
)
def test_names_one_letter_apart_are_easily_confused(one: str, other: str) -> None:
    found = look_alikes(make_universe(one, other))
    assert found[one] == (other,)
    assert found[other] == (one,)


@pytest.mark.parametrize(("one", "other"), [("V", "MA"), ("GE", "GM"), ("JPM", "JNJ"), ("AAPL", "MSFT")])
def test_names_that_differ_enough_are_not(one: str, other: str) -> None:
    assert not look_alikes(make_universe(one, other))


def test_two_share_classes_of_one_company_are() -> None:
    classes = [
        make_instrument("BRK.A", notes="Berkshire Hathaway class A"),
        make_instrument("BRK.B", notes="Berkshire Hathaway class B"),
    ]
    assert look_alikes(make_universe(others=classes))["BRK.A"] == ("BRK.B",)


def test_the_text_names_problems_first() -> None:
    universe = make_universe("AAA", "BBB")
    report = universe_report(universe, {"AAA": FULL, "SPY": FULL}, MEASURED, committed_policy(), "sim")
    text = to_markdown(report)
    assert text.index("**Problems (1)**") < text.index("| name |")
    assert "- BBB: no bar at all" in text
    assert "3 names, 3 enabled; 2 of them have a bar of 2018-02-02" in text
