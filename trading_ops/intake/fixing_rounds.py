"""The part of a round that asks for GBPUSD: every source of the policy, so that two can be compared."""

import datetime as dt
import functools
from typing import Any

import psycopg

from trading_ops.intake import needs
from trading_ops.intake.keeping import Question, keep
from trading_ops.intake.sources import Sources
from trading_ops.intake.work import SourceTally, Work, may_ask, pace_of
from trading_ops.providers.protocol import RefusalKind
from trading_ops.store import fetches
from trading_ops.store.fetches import OK


def fetch_fixings(work: Work, sources: Sources) -> None:
    """Ask every source of fixings for the days that it has not given yet."""
    there = fetches.fixing_days(work.conn)
    last = work.round.last
    for configured in sources.fixings:
        source, now = configured.source, work.clock.now()
        tally = work.round.tallies.setdefault(source.name, SourceTally(source.name))
        _, newest = there.get(source.name, (None, None))
        if tally.down is not None or not _due(work.conn, source.name, newest, last, now):
            continue
        if not may_ask(work, configured, tally):
            continue
        first = work.record.wanted[0] if newest is None else newest - dt.timedelta(days=work.policy.fetch.overlap)
        question = functools.partial(source.fetch_fixings, first, last, now)
        answer, requests = pace_of(work, configured).ask(question)
        tally.asked += 1
        tally.requests += requests
        keep(work, tally, answer, Question(source.name, None, first, last, now, requests))
        tally.waits = sources.left_out.get(source.name, "")  # what is in the way of its prices is still said


def something_to_ask(conn: psycopg.Connection[Any], sources: Sources, last: dt.date, at: dt.datetime) -> bool:
    """A source of fixings could give one that is due; asks nobody."""
    there = fetches.fixing_days(conn)
    return any(_due(conn, c.source.name, there.get(c.source.name, (None, None))[1], last, at) for c in sources.fixings)


def _due(conn: psycopg.Connection[Any], source: str, newest: dt.date | None, last: dt.date, now: dt.datetime) -> bool:
    return (newest is None or newest < last) and not _asked_lately(conn, source, last, now)


def _asked_lately(conn: psycopg.Connection[Any], source: str, last: dt.date, now: dt.datetime) -> bool:
    return any(
        a.symbol is None and a.source == source and a.last >= last and a.outcome in (OK, RefusalKind.NO_DATA)
        for a in fetches.answers_since(conn, now - needs.ASK_AGAIN_RECENT)
    )
