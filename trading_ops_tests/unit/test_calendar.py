"""Sessions against published tables, and the times of a plan through clock changes, half-days and holidays."""

import datetime as dt
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_ops.domain import calendar
from trading_ops.domain.calendar import CalendarError, plan_times
from trading_ops.domain.errors import ConfigError, Refused
from trading_ops_tests.unit.market_factory import committed_policy, make_policy, real_rows

POLICY = committed_policy()
NYSE_HOLIDAYS_2018 = (
    "2018-01-01", "2018-01-15", "2018-02-19", "2018-03-30", "2018-05-28",
    "2018-07-04", "2018-09-03", "2018-11-22", "2018-12-05", "2018-12-25",
)  # fmt: skip
NYSE_HALF_DAYS_2018 = ("2018-07-03", "2018-11-23", "2018-12-24")

any_day = st.dates(dt.date(2000, 1, 1), dt.date(2049, 12, 31))


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def london(instant: dt.datetime) -> str:
    return instant.astimezone(calendar.LONDON).strftime("%a %d %b %H:%M")


def test_sessions_of_2018_are_its_weekdays_without_the_published_holidays() -> None:
    days = [day("2018-01-01") + dt.timedelta(days=n) for n in range(365)]
    expected = [d for d in days if d.weekday() < 5 and str(d) not in NYSE_HOLIDAYS_2018]
    assert list(calendar.sessions(day("2018-01-01"), day("2018-12-31"))) == expected


def test_half_days_of_2018_are_the_published_ones_and_close_at_13_in_new_york() -> None:
    halves = [s for s in calendar.sessions(day("2018-01-01"), day("2018-12-31")) if calendar.is_half_day(s)]
    assert [str(s) for s in halves] == list(NYSE_HALF_DAYS_2018)
    closes = {calendar.close_utc(s).astimezone(calendar.NEW_YORK).strftime("%H:%M") for s in halves}
    assert closes == {"13:00"}


def test_sessions_are_the_dates_of_the_real_data() -> None:
    first, last = day("2005-01-03"), day("2021-03-31")
    dates = [row["date"] for row in real_rows("benchmarks_2005_2021.parquet", first, last, ["SPY"])]
    assert list(calendar.sessions(first, last)) == dates


@pytest.mark.parametrize(
    ("session", "opens", "closes"),
    [
        ("2018-03-09", "2018-03-09 14:30", "2018-03-09 21:00"),
        ("2018-03-12", "2018-03-12 13:30", "2018-03-12 20:00"),
        ("2018-11-23", "2018-11-23 14:30", "2018-11-23 18:00"),
    ],
)
def test_open_and_close_in_utc(session: str, opens: str, closes: str) -> None:
    assert (calendar.open_utc(day(session)), calendar.close_utc(day(session))) == (utc(opens), utc(closes))


def test_neighbours_are_strict_and_skip_holidays() -> None:
    assert calendar.next_session(day("2018-03-29")) == day("2018-04-02")
    assert calendar.next_session(day("2018-03-31")) == day("2018-04-02")
    assert calendar.previous_session(day("2018-04-02")) == day("2018-03-29")
    assert calendar.previous_session(day("2018-03-31")) == day("2018-03-29")
    assert calendar.sessions_back(day("2018-04-02"), 0) == day("2018-04-02")
    assert calendar.sessions_back(day("2018-04-02"), 2) == day("2018-03-28")
    assert calendar.window_of_sessions(day("2018-04-02"), 3) == tuple(
        map(day, ("2018-03-28", "2018-03-29", "2018-04-02"))
    )


@given(any_day)
def test_neighbours_agree_with_each_other(d: dt.date) -> None:
    after, before = calendar.next_session(d), calendar.previous_session(d)
    assert before < d < after
    between = calendar.sessions(before, after)
    assert between == ((before, d, after) if calendar.is_session(d) else (before, after))


@given(any_day, st.integers(1, 300))
def test_a_window_ends_at_its_session_and_begins_count_less_one_before(d: dt.date, count: int) -> None:
    session = calendar.next_session(d)
    window = calendar.window_of_sessions(session, count)
    assert len(window) == count
    assert (window[0], window[-1]) == (calendar.sessions_back(session, count - 1), session)
    assert window == calendar.sessions(window[0], session)


def test_last_closed_counts_a_session_from_the_instant_of_its_close() -> None:
    close = utc("2018-11-23 18:00")
    assert calendar.last_closed(close - dt.timedelta(seconds=1)) == day("2018-11-21")
    assert calendar.last_closed(close) == day("2018-11-23")


@pytest.mark.parametrize(
    ("any_day_of_week", "last"),
    [
        ("2018-02-01", "2018-02-02"),
        ("2018-04-01", "2018-03-29"),  # Good Friday week, asked on Easter Sunday
        ("2018-11-19", "2018-11-23"),  # half-day
        ("2001-09-14", "2001-09-10"),  # closed from Tuesday
        ("2012-10-29", "2012-11-02"),  # closed Monday and Tuesday
    ],
)
def test_last_session_of_week(any_day_of_week: str, last: str) -> None:
    assert calendar.last_session_of_week(day(any_day_of_week)) == day(last)
    assert calendar.is_last_of_week(day(last))


def test_a_plan_inside_its_week_is_refused_and_told_the_right_day() -> None:
    calendar.require_last_of_week(day("2018-03-29"))
    with pytest.raises(Refused, match=r"2018-03-28 .*2018-W13.* Plan as of 2018-03-29"):
        calendar.require_last_of_week(day("2018-03-28"))


def test_week_names_follow_the_iso_year() -> None:
    assert calendar.week_name(day("2018-02-02")) == "2018-W05"
    assert calendar.week_name(day("2020-12-31")) == "2020-W53"
    assert calendar.week_name(day("2018-12-31")) == "2019-W01"


def test_weekly_asofs_are_one_a_week_within_the_bounds() -> None:
    asofs = calendar.weekly_asofs(day("2018-03-23"), day("2018-04-05"))
    assert asofs == (day("2018-03-23"), day("2018-03-29"))  # W14 ends on the 6th, after the last day
    year = calendar.weekly_asofs(day("2018-01-01"), day("2018-12-30"))
    assert [calendar.week_name(d) for d in year] == [f"2018-W{n:02d}" for n in range(1, 53)]


@pytest.mark.parametrize("d", ["2018-03-30", "2018-03-31", "1998-12-31", "2051-01-03"])
def test_a_date_that_is_no_session_is_named(d: str) -> None:
    assert not calendar.is_session(day(d))
    for ask in (calendar.open_utc, calendar.close_utc, calendar.is_half_day, calendar.is_last_of_week):
        with pytest.raises(CalendarError, match=d):
            ask(day(d))
    with pytest.raises(CalendarError, match=d):
        plan_times(day(d), POLICY)


def test_beyond_the_calendar_is_an_error_and_never_a_short_answer() -> None:
    with pytest.raises(CalendarError, match="1998-12-01"):
        calendar.sessions(day("1998-12-01"), day("1999-01-31"))
    with pytest.raises(CalendarError, match="outside the calendar"):
        calendar.window_of_sessions(day("1999-01-06"), 4)
    with pytest.raises(CalendarError, match="outside the calendar"):
        calendar.sessions_back(day("1999-01-06"), -99999)
    with pytest.raises(CalendarError, match="outside the calendar"):
        calendar.next_session(day("2050-12-30"))


def test_plan_times_of_an_ordinary_week() -> None:
    times = plan_times(day("2018-02-02"), POLICY)
    assert (times.week, times.window_session) == ("2018-W05", day("2018-02-05"))
    assert times.opens_at == utc("2018-02-03 08:00")
    assert times.decide_by == utc("2018-02-04 18:00")
    assert times.no_trade_after == utc("2018-02-05 13:45")
    assert (times.window_open, times.window_close) == (utc("2018-02-05 14:45"), utc("2018-02-05 16:45"))
    assert (times.market_open, times.market_close) == (utc("2018-02-05 14:30"), utc("2018-02-05 21:00"))
    assert times.confirm_by == utc("2018-02-05 21:00")
    assert not times.half_day
    assert times.clock_note == ""


@pytest.mark.parametrize(
    ("asof", "window_day", "opens_at"),
    [
        ("2018-03-09", "2018-03-12", "2018-03-10 08:00"),  # New York has changed, London has not
        ("2018-10-26", "2018-10-29", "2018-10-27 07:00"),  # London changes between opening and window
    ],
)
def test_clock_change_weeks_trade_an_hour_earlier_in_london_and_say_so(
    asof: str, window_day: str, opens_at: str
) -> None:
    times = plan_times(day(asof), POLICY)
    assert times.window_session == day(window_day)
    assert times.opens_at == utc(opens_at)
    assert times.decide_by.astimezone(calendar.LONDON).strftime("%A %H:%M") == "Sunday 18:00"
    assert times.window_open == utc(f"{window_day} 13:45")
    assert times.window_close == utc(f"{window_day} 15:45")
    assert times.confirm_by == utc(f"{window_day} 21:00")
    assert "4 hours ahead" in times.clock_note
    assert "opens at 13:30 and closes at 20:00 London" in times.clock_note


@pytest.mark.parametrize("asof", ["2018-03-02", "2018-03-23", "2018-10-19", "2018-11-02"])
def test_weeks_beside_a_clock_change_have_no_note_once_both_agree(asof: str) -> None:
    times = plan_times(day(asof), POLICY)
    assert times.clock_note == ""
    assert london(times.window_open).endswith("14:45")


def test_good_friday_week_plans_from_thursday_and_trades_on_easter_monday() -> None:
    times = plan_times(day("2018-03-29"), POLICY)
    assert london(times.opens_at) == "Sat 31 Mar 08:00"
    assert london(times.decide_by) == "Sun 01 Apr 18:00"
    assert london(times.window_open) == "Mon 02 Apr 14:45"
    assert london(times.confirm_by) == "Mon 02 Apr 21:00"


def test_a_monday_holiday_moves_only_the_window() -> None:
    times = plan_times(day("2018-02-16"), POLICY)  # Presidents' Day on the 19th
    assert london(times.decide_by) == "Sun 18 Feb 18:00"
    assert london(times.no_trade_after) == "Tue 20 Feb 13:45"
    assert london(times.window_open) == "Tue 20 Feb 14:45"


def test_a_half_day_window_is_flagged_and_cut_only_where_it_is_too_long() -> None:
    for asof, window_day in (("2018-12-21", "2018-12-24"), ("2018-11-21", "2018-11-23"), ("2017-06-30", "2017-07-03")):
        times = plan_times(day(asof), POLICY)
        assert (times.window_session, times.half_day) == (day(window_day), True)
        assert london(times.market_close).endswith("18:00")
        assert london(times.window_close).endswith("16:45")
        longer = plan_times(day(asof), make_policy(window={"closes_after": 300}))
        assert london(longer.window_close).endswith("17:45")
    full = plan_times(day("2018-02-02"), make_policy(window={"closes_after": 385}))
    assert london(full.window_close).endswith("20:55")  # no margin before a regular close


def test_a_plan_as_of_a_half_day_opens_on_the_same_weekend() -> None:
    times = plan_times(day("2018-11-23"), POLICY)
    assert london(times.opens_at) == "Sat 24 Nov 08:00"
    assert times.window_session == day("2018-11-26")


def test_an_opening_time_before_the_close_waits_a_week_and_one_at_the_close_does_not() -> None:
    before = make_policy(schedule={"plan_opens": "Friday 20:59", "decide_by": "Sunday 18:00"})
    assert london(plan_times(day("2018-02-02"), before).opens_at) == "Fri 09 Feb 20:59"
    at = make_policy(schedule={"plan_opens": "Friday 21:00", "decide_by": "Sunday 18:00"})
    assert london(plan_times(day("2018-02-02"), at).opens_at) == "Fri 02 Feb 21:00"


def test_a_plan_is_never_decided_before_it_opens() -> None:
    policy = make_policy(schedule={"plan_opens": "Sunday 12:00", "decide_by": "Sunday 11:00"})
    times = plan_times(day("2018-02-02"), policy)
    assert (london(times.opens_at), london(times.decide_by)) == ("Sun 04 Feb 12:00", "Sun 11 Feb 11:00")


def test_a_window_without_any_time_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"no time is left to trade on 2018-12-24"):
        plan_times(day("2018-12-21"), make_policy(window={"opens_after": 200, "closes_after": 300}))


def test_every_week_of_the_calendar_has_its_times_in_order() -> None:
    asofs = calendar.weekly_asofs(day("1999-01-04"), day("2050-12-16"))
    names = [calendar.week_name(d) for d in asofs]
    assert len(set(names)) == len(names) == len(range(0, (asofs[-1] - asofs[0]).days + 7, 7))
    for asof, following in itertools.pairwise(asofs):
        t = plan_times(asof, POLICY)
        assert calendar.close_utc(asof) <= t.opens_at < t.decide_by < t.no_trade_after < t.window_open < t.window_close
        assert t.market_open < t.window_open
        assert t.window_close < min(t.market_close, t.confirm_by)
        assert asof < t.window_session <= following
        assert bool(t.clock_note) == (london(t.market_open)[-5:] != "14:30")
