"""Which names are looked up this week: held ones that run out, then never looked up, then the oldest."""

import datetime as dt
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from trading_ops.desk.names import A_WEEK, due, looked_up
from trading_ops.store.name_checks import NameCheck
from trading_ops_tests.unit.market_factory import make_instrument

TODAY = dt.date(2018, 2, 5)
MAX_AGE = 180


def check(symbol: str, days_ago: int, outcome: Any = "found") -> NameCheck:
    return NameCheck(symbol, outcome, "", TODAY - dt.timedelta(days=days_ago), "anna")


def symbols(names: str, held: str = "", a_week: int = A_WEEK, **days_ago: int) -> list[str]:
    """The week's names of a universe of these, looked up so many days ago."""
    last = {symbol: check(symbol, days) for symbol, days in days_ago.items()}
    instruments = [make_instrument(symbol) for symbol in names.split()]
    found = due(instruments, last, frozenset(held.split()), TODAY, MAX_AGE, a_week)
    return [to_check.instrument.symbol for to_check in found]


def test_a_name_never_looked_up_comes_before_one_that_was_long_ago() -> None:
    assert symbols("AAA BBB CCC", BBB=400) == ["AAA", "CCC", "BBB"]


def test_the_oldest_look_up_comes_first() -> None:
    assert symbols("AAA BBB CCC", AAA=50, BBB=90, CCC=70) == ["BBB", "CCC", "AAA"]


def test_a_held_name_whose_look_up_is_old_waits_behind_none_that_was_looked_up() -> None:
    assert symbols("AAA BBB CCC", held="CCC", AAA=120, BBB=110, CCC=60) == ["CCC", "AAA", "BBB"]


def test_a_name_looked_up_within_a_quarter_of_the_time_it_counts_is_not_due() -> None:
    assert symbols("AAA BBB", AAA=MAX_AGE // 4, BBB=MAX_AGE // 4 + 1) == ["BBB"]


def test_the_universe_s_own_verification_counts_as_a_look_up() -> None:
    fresh = make_instrument("AAA", verified_on=TODAY - dt.timedelta(days=10))
    old = make_instrument("BBB", verified_on=TODAY - dt.timedelta(days=100))
    assert [d.instrument.symbol for d in due([fresh, old], {}, frozenset(), TODAY, MAX_AGE)] == ["BBB"]


def test_names_that_are_never_bought_are_not_asked_for() -> None:
    off = make_instrument("OFF", enabled=False)
    cfd = make_instrument("CFD", tradable_underlying=False)
    fund = make_instrument("SPY", instrument_type="etf")
    assert due([off, cfd, fund], {}, frozenset({"OFF", "CFD", "SPY"}), TODAY, MAX_AGE) == ()


def test_what_was_looked_up_this_week_leaves_that_much_less_to_do() -> None:
    assert symbols("AAA BBB CCC DDD EEE", a_week=3, AAA=1, BBB=6) == ["CCC"]
    assert symbols("AAA BBB CCC DDD EEE", a_week=3, AAA=1, BBB=7) == ["CCC", "DDD"], "seven days ago is another week"
    assert symbols("AAA BBB CCC DDD EEE", a_week=2, AAA=0, BBB=0, CCC=0) == []


def test_a_look_up_dated_to_come_is_none_of_this_week() -> None:
    assert looked_up({"AAA": check("AAA", -3)}, TODAY) == 0


@given(st.dictionaries(st.sampled_from("ABCDEFGHIJ"), st.integers(0, 400)), st.sets(st.sampled_from("ABCDEFGHIJ")))
def test_the_week_never_asks_for_more_than_it_holds_and_never_twice(ages: dict[str, int], held: set[str]) -> None:
    found = symbols("A B C D E F G H I J", " ".join(held), 4, **ages)
    done = sum(days < 7 for days in ages.values())
    assert len(found) <= max(0, 4 - done)
    assert len(set(found)) == len(found)
    assert all(ages.get(symbol, 999) > MAX_AGE // 4 for symbol in found)
