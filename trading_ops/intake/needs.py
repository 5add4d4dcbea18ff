"""What of the market is missing: pure, from what is on record and when sources were last asked."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from trading_ops.domain import calendar
from trading_ops.domain.policy import Policy
from trading_ops.domain.universe import Instrument, Universe
from trading_ops.domain.values import Session, Symbol
from trading_ops.providers.protocol import SOURCE_IS_DOWN
from trading_ops.store.fetches import Answered, Held

DUE_AFTER_CLOSE = dt.timedelta(hours=4)
"""Until 20:00 New York sources still correct the day's bars; a session is asked for after that."""
TWO_SOURCES_SESSIONS = 10
"""Newest sessions for which `data.sources_min` sources are wanted: what the next plan compares, and a week more."""
RECENT_SESSIONS = 5
ASK_AGAIN_RECENT = dt.timedelta(hours=6)
"""A source that had no bar of a recent session may have it later in the day."""
ASK_AGAIN_OLD = dt.timedelta(days=30)
"""A hole further back is rarely filled."""
_NO_ANSWERS = frozenset(kind.value for kind in SOURCE_IS_DOWN)
"""Outcomes after which a source is asked the same again at the next occasion; every other is its answer for a while."""


def last_due(at: dt.datetime) -> Session:
    """The last session whose bars are due at a moment."""
    return calendar.last_closed(at - DUE_AFTER_CLOSE)


@dataclass(frozen=True)
class Gap:
    """Sessions of one name to ask one source for, as the span that holds them all."""

    symbol: Symbol
    first: Session
    last: Session
    missing: tuple[Session, ...]


@dataclass
class Record:
    """What is on record of the wanted sessions, kept up to date while a round goes on.

    Attributes:
        wanted: The sessions that the desk looks at, ascending, the last one due.
        sources_min: How many sources are wanted for the newest sessions.
        bars: For each name and session the sources that have a bar, each with whether it tells of actions.
        asked: For each source and name its answers of late.
        now: The moment of the round.
    """

    wanted: tuple[Session, ...]
    sources_min: int
    now: dt.datetime
    bars: dict[Symbol, dict[Session, dict[str, bool]]] = field(default_factory=dict)
    asked: dict[tuple[str, Symbol], list[Answered]] = field(default_factory=dict)

    def add(self, rows: Iterable[Held]) -> None:
        """Bars that are there."""
        for row in rows:
            self.bars.setdefault(row.symbol, {}).setdefault(row.session, {})[row.source] = row.tells_actions

    def add_answers(self, answers: Iterable[Answered]) -> None:
        """Answers that were given."""
        for answer in answers:
            if answer.symbol is not None:
                self.asked.setdefault((answer.source, answer.symbol), []).append(answer)

    def known_elsewhere(self, symbol: Symbol, source: str) -> bool:
        """Another source has bars of the name, with which an answer of this one can be compared."""
        return any(other != source for sources in self.bars.get(symbol, {}).values() for other in sources)

    def sessions_of(self, instrument: Instrument) -> tuple[Session, ...]:
        """The wanted sessions on which the name was listed."""
        listed = instrument.listed_from
        return self.wanted if listed is None else tuple(session for session in self.wanted if session >= listed)

    def missing(self, instrument: Instrument) -> tuple[Session, ...]:
        """Sessions of a name that no source has, that too few have, or of which nobody tells the corporate actions."""
        there = self.bars.get(instrument.symbol, {})
        two_from = self.wanted[-TWO_SOURCES_SESSIONS:][0]
        missing = []
        for session in self.sessions_of(instrument):
            sources = there.get(session, {})
            enough = self.sources_min if session >= two_from else 1
            if len(sources) < enough or not any(sources.values()):
                missing.append(session)
        return tuple(missing)

    def gap(self, instrument: Instrument, source: str, tells_actions: bool) -> Gap | None:
        """What a source is to be asked about a name, or None: only sessions that it can still help with."""
        there = self.bars.get(instrument.symbol, {})
        helps = [s for s in self.missing(instrument) if source not in there.get(s, {})]
        if not tells_actions:
            two_from = self.wanted[-TWO_SOURCES_SESSIONS:][0]
            helps = [s for s in helps if not there.get(s) or (s >= two_from and len(there[s]) < self.sources_min)]
        open_ = tuple(s for s in helps if not self._asked_lately(source, instrument.symbol, s))
        return Gap(instrument.symbol, open_[0], open_[-1], open_) if open_ else None

    def _asked_lately(self, source: str, symbol: Symbol, session: Session) -> bool:
        recent = session in self.wanted[-RECENT_SESSIONS:]
        wait = ASK_AGAIN_RECENT if recent else ASK_AGAIN_OLD
        return any(
            answer.outcome not in _NO_ANSWERS
            and answer.first <= session <= answer.last
            and self.now - answer.asked_at < wait
            for answer in self.asked.get((source, symbol), ())
        )


def names_in_order(universe: Universe, held: Iterable[Symbol], policy: Policy) -> tuple[Instrument, ...]:
    """Whom to ask for first, should a budget run out: the benchmark, what is held, then everything enabled."""
    enabled = [i.symbol for i in universe.instruments.values() if i.enabled]
    order = [policy.data.benchmark, *sorted(held), *sorted(enabled)]
    known: Mapping[Symbol, Instrument] = universe.instruments
    return tuple(known[symbol] for symbol in dict.fromkeys(order) if symbol in known)


def wanted_sessions(last: Session, policy: Policy) -> tuple[Session, ...]:
    """The sessions that the desk looks at: `fetch.history` of them, up to the last one due."""
    return calendar.window_of_sessions(last, policy.fetch.history)


def with_overlap(gap: Gap, wanted: Sequence[Session], overlap: int) -> tuple[Session, Session]:
    """The days to ask for: some sessions before the gap too, so that a bar that changed meanwhile is seen."""
    place = wanted.index(gap.first)
    return wanted[max(0, place - overlap)], wanted[-1]
