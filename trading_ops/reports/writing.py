"""Writing what is owed: level-triggered, from the records alone, so that a missed morning is caught up by the next.

Owed is a daily report for every session since the first fact whose morning has come, a weekly one for every week whose
window's morning has come, and a monthly one for every month whose last session's has. One that was written while prices
were missing is corrected once they are there.
"""

import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from pydantic import ValidationError

from trading_ops.desk import books_now
from trading_ops.domain import calendar
from trading_ops.domain.errors import Refused
from trading_ops.domain.messages import REPORT_OF
from trading_ops.domain.report_facts import Facts, Kind, parse
from trading_ops.domain.values import Session
from trading_ops.reports import daily, forms, ground, monthly, weekly
from trading_ops.reports.ground import Ground, first_session, morning_of
from trading_ops.reports.monthly import last_session_of_month
from trading_ops.reports.weekly import window_of
from trading_ops.store import artifacts, audit, reports
from trading_ops.store import desk as desk_store
from trading_ops.store.reports import Report

KINDS: tuple[Kind, ...] = ("daily", "weekly", "monthly")
_COLLECT: Mapping[Kind, Callable[..., Facts]] = {
    "daily": daily.collect, "weekly": weekly.collect, "monthly": monthly.collect,
}  # fmt: skip
LOOKS_BACK = 10
"""Newest daily reports that are looked at for prices that came late."""


@dataclass(frozen=True)
class Owed:
    """What ought to be there and is not."""

    daily: tuple[Session, ...]
    weekly: tuple[Session, ...]
    monthly: tuple[Session, ...]


def owed(conn: psycopg.Connection[Any], now: dt.datetime) -> Owed:
    """What is owed at a moment of the book's clock.

    Args:
        conn: A connection.
        now: The moment, aware UTC.
    """
    first, last = first_session(books_now.books(conn)), last_due(now)
    if first is None or first > last:
        return Owed((), (), ())
    have = {kind: reports.days(conn, kind) for kind in KINDS}
    sessions = calendar.sessions(first, last)
    weeks = [asof for asof in calendar.weekly_asofs(first, last) if window_of(asof) <= last]
    return Owed(
        tuple(s for s in sessions if s not in have["daily"]),
        tuple(asof for asof in weeks if asof not in have["weekly"]),
        tuple(s for s in sessions if s == last_session_of_month(s) and s not in have["monthly"]),
    )


def through(kind: Kind, day: Session) -> Session:
    """The session at whose close the figures of a report stand."""
    return window_of(day) if kind == "weekly" else day


def last_due(now: dt.datetime) -> Session:
    """The newest session whose report is due."""
    session = calendar.last_closed(now)
    while morning_of(session) > now:
        session = calendar.previous_session(session)
    return session


def write_owed(
    conn: psycopg.Connection[Any],
    now: dt.datetime,
    folder: Path | None = None,
    kinds: tuple[Kind, ...] = KINDS,
) -> tuple[Report, ...]:
    """Write everything that is owed, and correct what lacked prices that are there now; only the newest is mailed.

    Args:
        conn: A writer's connection in autocommit.
        now: The moment by the book's clock, aware UTC; it stands in the reports.
        folder: Where the files for people go; none when left out.
        kinds: Which reports.

    Returns:
        What was written, in the order of the days.

    Raises:
        LedgerError: The facts do not fit together.
    """
    due = owed(conn, now)
    late = _lacked_prices(conn) if "daily" in kinds else ()
    dailies = sorted({*due.daily, *late}) if "daily" in kinds else []
    days: dict[Kind, Sequence[Session]] = {
        "daily": dailies,
        "weekly": due.weekly if "weekly" in kinds else (),
        "monthly": due.monthly if "monthly" in kinds else (),
    }
    last = max((through(kind, day) for kind in days for day in days[kind]), default=None)
    g = ground.ground(conn, last, now) if last else None
    if g is None:
        return ()
    written = []
    for kind in KINDS:
        for day in days[kind]:
            made = _write(g, kind, day, now, tell=day == days[kind][-1])
            written += [made] if made else []
    if folder is not None:
        for report in written:
            write_files(folder, report)
    return tuple(written)


def write_one(conn: psycopg.Connection[Any], kind: Kind, day: dt.date, now: dt.datetime) -> Report:
    """The report of a day as it stands, written now if it is owed.

    Raises:
        Refused: There is no such report and none is due; the text says why.
    """
    day = _key(kind, day)
    found = reports.newest(conn, kind, day)
    if found is not None:
        return found
    return _made(conn, kind, day, now)


def correct(conn: psycopg.Connection[Any], kind: Kind, day: dt.date, now: dt.datetime) -> Report:
    """The report of a day from what is known now: a new revision when it says something else than the one there is.

    Raises:
        Refused: There is none to correct and none is due.
    """
    return _made(conn, kind, _key(kind, day), now)


def same_again(report: Report) -> bool:
    """Whether the stored texts come out of the stored facts byte for byte."""
    try:
        facts = parse(report.kind, report.facts)
    except ValidationError:  # of another layout
        return False
    return forms.to_markdown(facts) == report.markdown and forms.to_html(facts) == report.html


def write_files(folder: Path, report: Report) -> Path:
    """Write a report's Markdown and HTML where they are missing or differ; returns the HTML's path."""
    stem = folder / report.kind / report.day.isoformat()
    page = stem.with_suffix(".html")
    for path, text in ((stem.with_suffix(".md"), report.markdown), (page, report.html)):
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            artifacts.write_text(path, text)
    return page


def _key(kind: Kind, day: dt.date) -> Session:
    if kind == "weekly":
        return calendar.last_session_of_week(day)
    if kind == "monthly":
        return last_session_of_month(day)
    if not calendar.is_session(day):
        before = calendar.previous_session(day)
        raise Refused(f"{day} is no trading day of New York, so there is no daily report of it. Use {before}.")
    return day


def _made(conn: psycopg.Connection[Any], kind: Kind, day: Session, now: dt.datetime) -> Report:
    last = through(kind, day)
    due = morning_of(last)
    if due > now:
        said = f"{due.astimezone(calendar.LONDON):%d %b %Y %H:%M}"
        raise Refused(f"The {kind} report of {day} is due on {said} (London). Ask for an earlier one.")
    g = ground.ground(conn, last, now)
    if g is None:
        raise Refused(f"The book had no money yet on {last}, so there is no {kind} report of {day}.")
    made = _write(g, kind, day, now, tell=False)
    found = made or reports.newest(conn, kind, day)
    assert found is not None
    return found


def _write(g: Ground, kind: Kind, day: Session, now: dt.datetime, *, tell: bool) -> Report | None:
    """Store one report with its message; None when the one that stands says the same."""
    with g.conn.transaction():
        audit.one_writer(g.conn)  # two who write the same day: the second finds the first one's
        stands = reports.newest(g.conn, kind, day)
        revision, replaces = (stands.revision + 1, stands.facts_sha256) if stands else (1, None)
        facts = _COLLECT[kind](g, day, now, revision, replaces)
        if stands is not None and _says(json.loads(stands.facts)) == _says(facts.model_dump(mode="json")):
            return None
        report = reports.record(g.conn, facts, forms.to_markdown(facts), forms.to_html(facts))
        if tell and g.book != "sim":
            key = f"report:{kind}:{day}:{revision}"
            payload: dict[str, object] = {"report": kind, "day": day.isoformat(), "revision": revision}
            desk_store.enqueue(g.conn, key, REPORT_OF[kind], None, payload)
    return report


def _says(said: dict[str, Any]) -> dict[str, Any]:
    """What a report's facts say of its day, without when it was written and where the roll-out stood then."""
    said.pop("rollout", None)
    for name in ("written_utc", "audit_seq", "audit_hash", "revision", "replaces"):
        said["head"].pop(name)
    return said


def _lacked_prices(conn: psycopg.Connection[Any]) -> Iterator[Session]:
    """Of the newest daily reports those that lacked prices of held names which are there now."""
    rows, _ = reports.listed(conn, "daily", 0, LOOKS_BACK)
    for row in rows:
        stored = reports.get(conn, "daily", row["day"], row["revision"])
        assert stored is not None
        facts = json.loads(stored.facts)
        if not facts["money"]["complete"]:
            names = facts["quality"]["held_without"]
            here = conn.execute(
                "SELECT count(DISTINCT symbol) AS n FROM ops.market_prices_eod WHERE session = %s "
                "AND symbol = ANY(%s) AND close > 0", (row["day"], names),
            ).fetchone()  # fmt: skip
            if here and here["n"] == len(names) > 0:
                yield row["day"]
