"""Sessions of the New York exchange, and the times of one weekly plan.

The exchange calendar is the authority on which session should exist, never a source's bars.
Belongs here: sessions, weeks, execution windows, clock changes. Does not belong here: "now"; callers bring instants.
"""

import datetime as dt
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from zoneinfo import ZoneInfo

from trading_ops.domain.errors import ConfigError, Refused, TradingOpsError
from trading_ops.domain.policy import Policy
from trading_ops.domain.values import Session

LONDON = ZoneInfo("Europe/London")
NEW_YORK = ZoneInfo("America/New_York")
FIRST_DAY = dt.date(1999, 1, 1)
LAST_DAY = dt.date(2050, 12, 31)
"""Pinned: the library's own default is a year from today, and an answer must not depend on the day it is asked."""
USUAL_HOURS_APART = 5
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class CalendarError(TradingOpsError):
    """A date that is no session where one is needed, or beyond the calendar."""


@dataclass(frozen=True, slots=True)
class PlanTimes:
    """When one weekly plan opens, is decided, executed and answered. Every instant is aware UTC.

    Attributes:
        asof: The as-of session D.
        week: D's ISO week, `2018-W05`.
        window_session: The first session after D, on which the ticket is executed.
        opens_at: D's data is due; the plan opens.
        decide_by: What still fails then is NO-TRADE.
        no_trade_after: From this instant no TRADE is issued.
        window_open: First instant of the execution window.
        window_close: Last instant of the execution window.
        confirm_by: Answers are due.
        market_open: The exchange opens on the window session.
        market_close: The exchange closes on the window session.
        half_day: The exchange closes early on the window session.
        clock_note: A plain sentence when London and New York are not the usual 5 hours apart, else empty.
    """

    asof: Session
    week: str
    window_session: Session
    opens_at: dt.datetime
    decide_by: dt.datetime
    no_trade_after: dt.datetime
    window_open: dt.datetime
    window_close: dt.datetime
    confirm_by: dt.datetime
    market_open: dt.datetime
    market_close: dt.datetime
    half_day: bool
    clock_note: str


@dataclass(frozen=True)
class _Table:
    days: tuple[Session, ...]
    place: Mapping[Session, int]
    opens: tuple[dt.datetime, ...]
    closes: tuple[dt.datetime, ...]
    half_days: frozenset[Session]


@cache
def _table() -> _Table:
    """The calendar as plain Python values, read once: bisecting these is far quicker than asking pandas each time."""
    import exchange_calendars  # two seconds of pandas, only when somebody needs a session

    xnys = exchange_calendars.get_calendar("XNYS", start=str(FIRST_DAY), end=str(LAST_DAY))
    days = tuple(stamp.date() for stamp in xnys.sessions)
    return _Table(
        days=days,
        place={day: index for index, day in enumerate(days)},
        opens=tuple(stamp.to_pydatetime().astimezone(dt.UTC) for stamp in xnys.opens),
        closes=tuple(stamp.to_pydatetime().astimezone(dt.UTC) for stamp in xnys.closes),
        half_days=frozenset(stamp.date() for stamp in xnys.early_closes),
    )


def _place(session: Session) -> int:
    index = _table().place.get(session)
    if index is None:
        raise CalendarError(
            f"{session} is not a session of the New York exchange (the calendar goes from {FIRST_DAY} to {LAST_DAY}). "
            "Use a trading day."
        )
    return index


def _day_at(index: int, asked: str) -> Session:
    days = _table().days
    if not 0 <= index < len(days):
        raise CalendarError(f"{asked}: outside the calendar, which goes from {days[0]} to {days[-1]}.")
    return days[index]


def is_session(day: dt.date) -> bool:
    """True when the New York exchange trades on that date."""
    return day in _table().place


def sessions(first: dt.date, last: dt.date) -> tuple[Session, ...]:
    """All sessions with `first <= session <= last`, ascending; empty when there are none.

    Raises:
        CalendarError: The dates reach beyond the calendar, so the answer would be silently short.
    """
    _inside(first)
    _inside(last)
    days = _table().days
    return days[bisect_left(days, first) : bisect_right(days, last)]


def next_session(day: dt.date) -> Session:
    """The first session strictly after a date."""
    _inside(day)
    return _day_at(bisect_right(_table().days, day), f"the session after {day}")


def previous_session(day: dt.date) -> Session:
    """The last session strictly before a date."""
    _inside(day)
    return _day_at(bisect_left(_table().days, day) - 1, f"the session before {day}")


def sessions_back(session: Session, count: int) -> Session:
    """The session `count` sessions before a session; 0 is the session itself."""
    return _day_at(_place(session) - count, f"{count} sessions before {session}")


def window_of_sessions(session: Session, count: int) -> tuple[Session, ...]:
    """The `count` sessions that end at a session, ascending."""
    last = _place(session)
    _day_at(last - count + 1, f"the {count} sessions up to {session}")
    return _table().days[last - count + 1 : last + 1]


def open_utc(session: Session) -> dt.datetime:
    """The instant the exchange opens on a session, in UTC."""
    return _table().opens[_place(session)]


def close_utc(session: Session) -> dt.datetime:
    """The instant the exchange closes on a session, in UTC; earlier on a half-day."""
    return _table().closes[_place(session)]


def is_half_day(session: Session) -> bool:
    """True when the exchange closes early on a session."""
    return _day_at(_place(session), str(session)) in _table().half_days


def last_closed(at: dt.datetime) -> Session:
    """The newest session whose close is at or before an aware instant."""
    return _day_at(bisect_right(_table().closes, at) - 1, f"the last close before {at}")


def last_session_of_week(day: dt.date) -> Session:
    """The last session of the ISO week (Monday to Sunday) that holds a date.

    Raises:
        CalendarError: That week has no session, or lies outside the calendar.
    """
    sunday = day + dt.timedelta(days=6 - day.weekday())
    _inside(day)
    days = _table().days
    session = _day_at(bisect_right(days, sunday) - 1, f"the week of {day}")
    if session <= sunday - dt.timedelta(days=7):
        raise CalendarError(f"The week of {day} has no session of the New York exchange.")
    return session


def is_last_of_week(session: Session) -> bool:
    """True when a session is the last one of its ISO week: the only days a plan can be as of."""
    return _day_at(_place(session), str(session)) == last_session_of_week(session)


def require_last_of_week(session: Session) -> None:
    """Refuse a plan whose as-of date is not the last session of its week.

    Raises:
        CalendarError: The date is no session.
        Refused: It is a session, but not the last one of its week.
    """
    if not is_last_of_week(session):
        last = last_session_of_week(session)
        raise Refused(f"{session} is not the last session of its week ({week_name(session)}). Plan as of {last}.")


def week_name(session: dt.date) -> str:
    """The ISO week of a date as a ticket names it: `2018-W05`."""
    year, week, _ = session.isocalendar()
    return f"{year}-W{week:02d}"


def weekly_asofs(first: dt.date, last: dt.date) -> tuple[Session, ...]:
    """The last sessions of their ISO weeks with `first <= D <= last`, ascending."""
    return tuple(session for session in sessions(first, last) if is_last_of_week(session))


def plan_times(asof: Session, policy: Policy) -> PlanTimes:
    """All times of the plan as of a session (RULES, "When a plan is decided" and "The ticket's numbers").

    The plan opens at the first `plan_opens` at or after D's close, so D may be a Thursday; it is decided at the
    first `decide_by` from then on.

    Raises:
        CalendarError: `asof` is no session, or the next one is outside the calendar.
        ConfigError: The policy's window is empty on that session.
    """
    session = next_session(asof)
    market_open, market_close = open_utc(session), close_utc(session)
    half_day = is_half_day(session)
    window_open = market_open + dt.timedelta(minutes=policy.window.opens_after)
    window_close = market_open + dt.timedelta(minutes=policy.window.closes_after)
    if half_day:
        window_close = min(window_close, market_close - dt.timedelta(minutes=policy.window.early_close_margin))
    if window_open >= window_close:
        raise ConfigError(
            f"config/policy.yml, window: no time is left to trade on {session}. "
            "Make opens_after smaller than closes_after and than an early close less its margin."
        )
    opens_at = _week_time_from(close_utc(asof), policy.schedule.plan_opens)
    return PlanTimes(
        asof=asof,
        week=week_name(asof),
        window_session=session,
        opens_at=opens_at,
        decide_by=_week_time_from(opens_at, policy.schedule.decide_by),
        no_trade_after=window_open - dt.timedelta(minutes=policy.schedule.no_trade_before_window),
        window_open=window_open,
        window_close=window_close,
        confirm_by=_london(session, policy.window.confirm_by),
        market_open=market_open,
        market_close=market_close,
        half_day=half_day,
        clock_note=_clock_note(market_open, market_close),
    )


def _inside(day: dt.date) -> None:
    if not FIRST_DAY <= day <= LAST_DAY:
        raise CalendarError(f"{day} is outside the calendar, which goes from {FIRST_DAY} to {LAST_DAY}.")


def _london(day: dt.date, clock: str) -> dt.datetime:
    return dt.datetime.combine(day, dt.time.fromisoformat(clock), tzinfo=LONDON).astimezone(dt.UTC)


def _week_time_from(start: dt.datetime, week_time: str) -> dt.datetime:
    """The first `Saturday 08:00` (London) at or after an instant, in UTC."""
    weekday, clock = week_time.split(" ")
    day = start.astimezone(LONDON).date()
    day += dt.timedelta(days=(WEEKDAYS.index(weekday) - day.weekday()) % 7)
    instant = _london(day, clock)
    return instant if instant >= start else _london(day + dt.timedelta(days=7), clock)


def _clock_note(market_open: dt.datetime, market_close: dt.datetime) -> str:
    apart = _offset(market_open, LONDON) - _offset(market_open, NEW_YORK)
    hours = apart // dt.timedelta(hours=1)
    if hours == USUAL_HOURS_APART:
        return ""
    opens, closes = (instant.astimezone(LONDON).strftime("%H:%M") for instant in (market_open, market_close))
    return (
        f"London is {hours} hours ahead of New York this week, not {USUAL_HOURS_APART}, because the clocks change on "
        f"different dates: the US market opens at {opens} and closes at {closes} London time."
    )


def _offset(instant: dt.datetime, zone: ZoneInfo) -> dt.timedelta:
    offset = instant.astimezone(zone).utcoffset()
    if offset is None:
        raise CalendarError(f"{zone} gives no offset from UTC at {instant}.")
    return offset
