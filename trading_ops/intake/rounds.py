"""One round: ask for what is missing, name by name and source by source, and keep every answer as it comes.

Each answer is stored with its journal row in one transaction. A round that is killed loses at most the answer on its
way; the next one asks for what is then still missing, and for nothing else.
"""

import datetime as dt
import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import psycopg

from trading_ops.domain.policy import Policy
from trading_ops.domain.universe import Instrument, Universe
from trading_ops.intake import fixing_rounds, needs
from trading_ops.intake.keeping import Question, keep
from trading_ops.intake.needs import Record
from trading_ops.intake.pacing import Clock
from trading_ops.intake.sources import Configured, Sources
from trading_ops.intake.work import Round, SourceTally, Work, may_ask, pace_of
from trading_ops.providers.protocol import Ask, SplitHistory
from trading_ops.store import fetches

KNOWN_DAYS = 40
"""Calendar days before the days asked for whose known closes an answer is compared with."""


def fetch_missing(
    conn: psycopg.Connection[Any],
    policy: Policy,
    universe: Universe,
    sources: Sources,
    *,
    clock: Clock,
    held: Iterable[str] = (),
    last: dt.date | None = None,
    progress: Callable[[Sequence[Instrument]], Iterable[Instrument]] = iter,
) -> Round:
    """Ask the sources for every bar and fixing that is due and missing.

    Args:
        conn: A writer's connection in autocommit.
        policy: Order, pace, budgets.
        universe: The names.
        sources: The sources that can be asked, and those that cannot with the reason.
        clock: Time.
        held: Names held now: asked for first.
        last: The last session wanted; the last one due when None.
        progress: Wraps the names for a person who watches.
    """
    now = clock.now()
    newest = last or needs.last_due(now)
    names = needs.names_in_order(universe, held, policy)
    work = Work(conn, policy, clock, _record(conn, policy, names, newest, now), Round(uuid.uuid4(), newest))
    for name, reason in sources.left_out.items():
        work.round.tallies[name] = SourceTally(name, waits=reason)
    for instrument in progress(names):
        for configured in _in_order(work, sources.prices, instrument):
            _ask_about(work, configured, instrument)
    fixing_rounds.fetch_fixings(work, sources)
    _sum_up(work, names)
    return work.round


def something_to_ask(
    conn: psycopg.Connection[Any],
    policy: Policy,
    universe: Universe,
    sources: Sources,
    at: dt.datetime,
    held: Iterable[str] = (),
) -> bool:
    """A source could still give a bar or a fixing that is due, of held names too; asks nobody."""
    newest = needs.last_due(at)
    names = needs.names_in_order(universe, held, policy)
    record = _record(conn, policy, names, newest, at)
    if any(
        record.gap(name, c.source.name, c.source.has_actions)
        for name in names
        for c in sources.prices
        if c.source.spelling(name)
    ):
        return True
    return fixing_rounds.something_to_ask(conn, sources, newest, at)


def _record(
    conn: psycopg.Connection[Any], policy: Policy, names: Sequence[Instrument], last: dt.date, now: dt.datetime
) -> Record:
    wanted = needs.wanted_sessions(last, policy)
    record = Record(wanted, policy.data.sources_min, now)
    record.add(fetches.held(conn, [name.symbol for name in names], wanted[0], last))
    record.add_answers(fetches.answers_since(conn, now - needs.ASK_AGAIN_OLD))
    return record


def _in_order(work: Work, configured: Sequence[Configured], instrument: Instrument) -> list[Configured]:
    """The policy's order; a source that needs something to be compared with comes last while there is nothing."""
    return sorted(
        configured,
        key=lambda c: c.needs_known and not work.record.known_elsewhere(instrument.symbol, c.source.name),
    )


def _ask_about(work: Work, configured: Configured, instrument: Instrument) -> None:
    source = configured.source
    tally = work.round.tallies.setdefault(source.name, SourceTally(source.name))
    if tally.down is not None or tally.waits or not source.spelling(instrument):
        return
    gap = work.record.gap(instrument, source.name, source.has_actions)
    if gap is None or not may_ask(work, configured, tally):
        return
    ask = _ask(work, configured, instrument, needs.with_overlap(gap, work.record.wanted, work.policy.fetch.overlap))
    answer, requests = pace_of(work, configured).ask(lambda: source.fetch(ask))
    tally.asked += 1
    tally.requests += requests
    keep(
        work,
        tally,
        answer,
        Question(source.name, instrument.symbol, ask.first, ask.last, ask.at, requests),
        gap.missing,
    )


def _ask(work: Work, configured: Configured, instrument: Instrument, span: tuple[dt.date, dt.date]) -> Ask:
    conn, order, name = work.conn, work.policy.data.source_order, configured.source.name
    known = fetches.known_closes(
        conn, instrument.symbol, span[0] - dt.timedelta(days=KNOWN_DAYS), span[1], order, not_of=name
    )
    first = span[0]
    if configured.needs_known and first not in known:
        # Its first session is what proves its basis, so it is asked from one whose close is on record.
        first = max((session for session in known if session < first), default=first)
    splits = fetches.known_splits(conn, instrument.symbol, order, not_of=name)
    telling_sessions = [
        session
        for session, sources in work.record.bars.get(instrument.symbol, {}).items()
        if any(tells for source, tells in sources.items() if source != name)
    ]
    complete = max(telling_sessions, default=dt.date.min)
    return Ask(instrument, first, span[1], work.clock.now(), SplitHistory(splits, complete), known)


def _sum_up(work: Work, names: Sequence[Instrument]) -> None:
    last = work.round.last
    lacking, unconfirmed = [], []
    for name in names:
        missing = work.record.missing(name)
        there = work.record.bars.get(name.symbol, {}).get(last, {})
        if last in missing:
            (unconfirmed if there else lacking).append(name.symbol)
        holes = len(missing) - (last in missing)
        if holes:
            work.round.holes[name.symbol] = holes
    work.round.lacking, work.round.unconfirmed = tuple(lacking), tuple(unconfirmed)
