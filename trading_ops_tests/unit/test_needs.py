"""What is missing, and what a source is asked for: from what is on record alone."""

import datetime as dt

import pytest

from trading_ops.domain import calendar
from trading_ops.intake.needs import Record, last_due, names_in_order, with_overlap
from trading_ops.store.fetches import Answered, Held
from trading_ops_tests.unit.market_factory import committed_policy, make_instrument, make_universe

LAST = dt.date(2026, 1, 9)
NOW = dt.datetime(2026, 1, 10, 7, tzinfo=dt.UTC)
WANTED = calendar.window_of_sessions(LAST, 40)
AAA = make_instrument("AAA")


def record(*sources: str, of: tuple[dt.date, ...] = WANTED, sources_min: int = 1) -> Record:
    """Sources with a bar of every session; `stooq` tells of no corporate actions."""
    found = Record(WANTED, sources_min, NOW)
    found.add(Held("AAA", session, source, source != "stooq") for source in sources for session in of)
    return found


def answered(source: str, at: dt.datetime, outcome: str = "OK", first: dt.date = WANTED[0]) -> Answered:
    return Answered("AAA", source, first, LAST, at, outcome)


def test_nothing_on_record_is_all_missing() -> None:
    assert record().missing(AAA) == WANTED
    gap = record().gap(AAA, "yahoo", True)
    assert gap is not None
    assert (gap.first, gap.last) == (WANTED[0], LAST)


def test_one_source_that_tells_of_actions_is_enough_for_a_policy_of_one() -> None:
    assert record("yahoo").missing(AAA) == ()
    assert record("yahoo").gap(AAA, "tiingo", True) is None


def test_a_source_that_tells_of_no_actions_is_not_enough_alone() -> None:
    assert record("stooq").missing(AAA) == WANTED
    assert record("stooq").gap(AAA, "yahoo", True) is not None


def test_two_sources_are_wanted_of_the_newest_sessions_only() -> None:
    assert record("yahoo", sources_min=2).missing(AAA) == WANTED[-10:]
    gap = record("yahoo", sources_min=2).gap(AAA, "stooq", False)
    assert gap is not None
    assert gap.missing == WANTED[-10:]


def test_a_source_is_not_asked_for_what_it_gave() -> None:
    assert record("yahoo", sources_min=2).gap(AAA, "yahoo", True) is None


def test_sessions_before_the_listing_are_not_missing() -> None:
    young = make_instrument("AAA", listed_from=WANTED[-3])
    assert record().missing(young) == WANTED[-3:]


@pytest.mark.parametrize(
    ("outcome", "ago", "asked"),
    [
        ("OK", dt.timedelta(hours=1), False),
        ("OK", dt.timedelta(hours=7), True),
        ("UNCONFIRMED_BASIS", dt.timedelta(hours=1), False),
        ("NO_DATA", dt.timedelta(hours=1), False),
        ("SERVER_ERROR", dt.timedelta(minutes=1), True),
        ("RATE_LIMITED", dt.timedelta(minutes=1), True),
        ("KEY_WANTED", dt.timedelta(minutes=1), True),
    ],
)
def test_a_recent_session_is_asked_for_again_after_six_hours_or_when_nobody_answered(
    outcome: str, ago: dt.timedelta, asked: bool
) -> None:
    found = record("tiingo", of=WANTED[:-1])
    found.add_answers([answered("yahoo", NOW - ago, outcome)])
    assert (found.gap(AAA, "yahoo", True) is not None) == asked


@pytest.mark.parametrize(("days", "asked"), [(1, False), (29, False), (31, True)])
def test_an_old_hole_is_asked_for_again_after_a_month(days: int, asked: bool) -> None:
    found = record("tiingo", of=WANTED[5:])
    found.add_answers([answered("yahoo", NOW - dt.timedelta(days=days))])
    assert (found.gap(AAA, "yahoo", True) is not None) == asked


def test_the_span_asked_for_reaches_back_a_little() -> None:
    gap = record("yahoo", of=WANTED[:-2]).gap(AAA, "yahoo", True)
    assert gap is not None
    assert gap.first == WANTED[-2]
    assert with_overlap(gap, WANTED, 5) == (WANTED[-7], LAST)
    whole = record().gap(AAA, "yahoo", True)
    assert whole is not None
    assert with_overlap(whole, WANTED, 5) == (WANTED[0], LAST)


@pytest.mark.parametrize(
    ("moment", "due"),
    [
        (dt.datetime(2026, 1, 10, 0, 59, tzinfo=dt.UTC), dt.date(2026, 1, 8)),
        (dt.datetime(2026, 1, 10, 1, 0, tzinfo=dt.UTC), dt.date(2026, 1, 9)),
        (dt.datetime(2025, 11, 28, 21, 59, tzinfo=dt.UTC), dt.date(2025, 11, 26)),
        (dt.datetime(2025, 11, 28, 22, 0, tzinfo=dt.UTC), dt.date(2025, 11, 28)),  # a half-day
    ],
)
def test_a_session_is_due_four_hours_after_its_close(moment: dt.datetime, due: dt.date) -> None:
    assert last_due(moment) == due


def test_the_benchmark_and_what_is_held_come_first() -> None:
    universe = make_universe("AAA", "BBB", "CCC", others=[make_instrument("OLD", enabled=False)])
    found = [name.symbol for name in names_in_order(universe, ["OLD", "CCC"], committed_policy())]
    assert found == ["SPY", "CCC", "OLD", "AAA", "BBB"]
