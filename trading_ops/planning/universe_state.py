"""The universe as its data shows it at a moment: what is on record of each name, judged."""

import datetime as dt
from typing import Any, cast

import psycopg

from trading_ops.domain import calendar
from trading_ops.domain.books import Book
from trading_ops.domain.universe_report import SESSIONS, UniverseReport, universe_report
from trading_ops.store import audit, configuration, desk, fetches, market


def report_of(conn: psycopg.Connection[Any], at: dt.datetime) -> UniverseReport:
    """The universe in force, measured by the sessions up to the newest one on record (or over, without any bar).

    Args:
        conn: A connection.
        at: The moment, UTC.
    """
    policy = configuration.policy_in_force(conn).policy
    over = calendar.last_closed(at)
    loaded = market.first_and_last_session(conn)
    book = cast("Book", desk.book(conn))
    # A simulated book lives in the past: it is measured by what it has, the others by the clock.
    last = calendar.previous_session(min(loaded[1], over) + dt.timedelta(days=1)) if loaded and book == "sim" else over
    stored = configuration.universe_of_day(conn, last)
    universe = configuration.as_looked_up(conn, stored, last, audit.head(conn).seq)
    measured = calendar.window_of_sessions(last, SESSIONS)
    bars: dict[str, dict[dt.date, list[str]]] = {}
    for held in fetches.held(conn, sorted(universe.instruments), measured[0], last):
        bars.setdefault(held.symbol, {}).setdefault(held.session, []).append(held.source)
    return universe_report(universe, bars, measured, policy, book)
