"""The rules about single bars over a whole history: calendar, duplicates, gaps, validity, volume; and counts by source.

Belongs here: finding. What makes a bar invalid is said by `domain.suspects`, what a session is by `domain.calendar`.
"""

from collections.abc import Collection, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trading_ops.domain import calendar
from trading_ops.domain.suspects import bar_fault
from trading_ops.history.columns import PRICES, Columns, date_of, days_of
from trading_ops.history.findings import FUNDS, STOCKS, Code, Coverage, Finding


def invalid(bars: Columns) -> np.ndarray:
    """Which bars cannot be, by the rule of `domain.suspects.bar_fault`, compared as decimals."""
    table = bars.table
    zero = pa.scalar(0, table["close"].type)
    bad = pc.less(table["volume"], zero)
    for price in PRICES:
        bad = pc.or_(bad, pc.less_equal(table[price], zero))
    for end in ("open", "close"):
        bad = pc.or_(bad, pc.greater(table["low"], table[end]))
        bad = pc.or_(bad, pc.less(table["high"], table[end]))
    found: np.ndarray = np.asarray(bad.combine_chunks())[bars.row]
    return found


def on_sessions(bars: Columns) -> np.ndarray:
    """Which bars are dated on a session.

    Raises:
        CalendarError: A bar is dated beyond the calendar.
    """
    return np.isin(bars.day, _sessions(bars.day))


def bar_findings(every: Columns, chosen: Columns, bad: np.ndarray) -> Iterator[Finding]:
    """Everything about single bars.

    Args:
        every: All bars.
        chosen: One bar a name and session.
        bad: Which of the chosen bars cannot be.
    """
    on_calendar = on_sessions(chosen)
    for place in np.flatnonzero(~on_calendar):
        symbol, day = chosen.key(place)
        yield Finding(Code.OFF_CALENDAR_BAR, symbol, day, f"New York did not trade on this {day:%A}.")
    yield from _duplicates(every)
    for place in np.flatnonzero(bad):
        bar = chosen.bars([int(place)])[0]
        yield Finding(Code.INVALID_BAR, bar.symbol, bar.session, f"{bar_fault(bar)}.")
    yield from _gaps(chosen.at(on_calendar))
    yield from _early_ends(chosen)
    for place in np.flatnonzero(chosen.floats("volume") == 0):
        symbol, day = chosen.key(place)
        yield Finding(Code.ZERO_VOLUME, symbol, day, "No shares were traded; the price is an older one.")


def coverage(every: Columns, bad: np.ndarray, funds: Collection[str]) -> Iterator[Coverage]:
    """Counts by source and group; `bad` says which of all bars cannot be."""
    sources = every.table["source"].combine_chunks().dictionary_encode()
    source = np.asarray(sources.indices)[every.row]
    is_fund = np.array([name in funds for name in every.names], bool)[every.name]
    silent = every.floats("volume") == 0
    for code, label in sorted(enumerate(sources.dictionary.to_pylist()), key=lambda pair: pair[1]):
        for group, mask in ((STOCKS, ~is_fund), (FUNDS, is_fund)):
            places = np.flatnonzero((source == code) & mask)
            if not len(places):
                continue
            mine = every.at(places)
            expected, missing = _expected(mine)
            yield Coverage(
                source=label,
                group=group,
                names=len(np.unique(mine.name)),
                first=date_of(mine.day.min()),
                last=date_of(mine.day.max()),
                bars=len(mine),
                expected=expected,
                missing=missing,
                zero_volume=int(silent[places].sum()),
                invalid=int(bad[places].sum()),
            )


def _sessions(days: np.ndarray) -> np.ndarray:
    """The sessions from the first to the last of some days."""
    if not len(days):
        return days
    return days_of(calendar.sessions(date_of(days.min()), date_of(days.max())))


def _expected(bars: Columns) -> tuple[int, int]:
    """Sessions from each name's first to its last bar on the calendar, and how many of them have none."""
    sessions = _sessions(bars.day)
    kept = bars.at(on_sessions(bars))
    number = np.searchsorted(sessions, kept.day)
    starts = np.flatnonzero(np.diff(kept.name, prepend=-1))
    ends = np.append(starts[1:], len(kept)) - 1
    expected = int((number[ends] - number[starts] + 1).sum()) if len(kept) else 0
    there = len(np.unique(kept.name * (1 << 32) + kept.day))
    return expected, expected - there


def _gaps(bars: Columns) -> Iterator[Finding]:
    sessions = _sessions(bars.day)
    number = np.searchsorted(sessions, bars.day)
    for place in np.flatnonzero((np.diff(number) > 1) & (np.diff(bars.name) == 0)):
        symbol, before = bars.key(place)
        _, after = bars.key(place + 1)
        for missing in sessions[number[place] + 1 : number[place + 1]]:
            sentence = f"No bar, between those of {before} and {after}."
            yield Finding(Code.MISSING_BAR, symbol, date_of(missing), sentence)


def _early_ends(bars: Columns) -> Iterator[Finding]:
    if not len(bars):
        return
    newest = bars.day.max()
    for place in np.flatnonzero(np.diff(bars.name, append=-1)):
        if bars.day[place] < newest:
            symbol, day = bars.key(place)
            yield Finding(Code.ENDS_EARLY, symbol, day, f"The last bar; others go on to {date_of(newest)}.")


def _duplicates(every: Columns) -> Iterator[Finding]:
    source = np.asarray(every.table["source"].combine_chunks().dictionary_encode().indices)[every.row]
    same = (np.diff(every.name) == 0) & (np.diff(every.day) == 0) & (np.diff(source) == 0)
    told = set()
    for place in np.flatnonzero(same):
        symbol, day = every.key(place)
        label = every.rows([int(place)])[0]["source"]
        if (symbol, day, label) not in told:
            told.add((symbol, day, label))
            yield Finding(Code.DUPLICATE_BAR, symbol, day, f"{label} has it more than once.")
