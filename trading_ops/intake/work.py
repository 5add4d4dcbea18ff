"""What a round works with and what it brings: counts by source, budgets and paces.

Belongs here: state of one round, and whether a source may be asked now. Asking is in `rounds`, keeping in `keeping`.
"""

import datetime as dt
import uuid
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import psycopg

from trading_ops.domain.policy import Policy
from trading_ops.intake.needs import Record
from trading_ops.intake.pacing import Clock, Pace
from trading_ops.intake.sources import Configured, ConfiguredFixings
from trading_ops.providers.protocol import Refusal
from trading_ops.store import fetches
from trading_ops.store.restatements import Restatement

AnySource: TypeAlias = Configured | ConfiguredFixings


@dataclass
class SourceTally:
    """What a round saw of one source.

    Attributes:
        source: Its name.
        asked: Names (or spans of fixings) it was asked for.
        answered: Answers that could be used.
        requests: Requests made.
        refused: For each name (`GBPUSD` for fixings) that came to nothing: why.
        incomplete: For each name the missing sessions that its answer did not have; the next source is asked for them.
        down: Why it was not asked any more, None while it was.
        waits: Why it is not asked now and nothing is wrong: its key is missing, its budget spent. Empty otherwise.
    """

    source: str
    asked: int = 0
    answered: int = 0
    requests: int = 0
    refused: dict[str, Refusal] = field(default_factory=dict)
    incomplete: dict[str, tuple[dt.date, ...]] = field(default_factory=dict)
    down: Refusal | None = None
    waits: str = ""


@dataclass
class Round:
    """A round and what it brought.

    Attributes:
        round_id: Its id in the journal.
        last: The last session due.
        tallies: By source, in the order of asking.
        bars: New or restated bars.
        actions: New or restated corporate actions.
        fixings: New or restated fixings.
        restated: Bars that past tickets had used and that changed.
        lacking: Names that still have no bar of the last session due.
        unconfirmed: Names whose bar of it fewer sources have than the policy wants.
        holes: For each name the other sessions that are still missing.
    """

    round_id: uuid.UUID
    last: dt.date
    tallies: dict[str, SourceTally] = field(default_factory=dict)
    bars: int = 0
    actions: int = 0
    fixings: int = 0
    restated: list[Restatement] = field(default_factory=list)
    lacking: tuple[str, ...] = ()
    unconfirmed: tuple[str, ...] = ()
    holes: dict[str, int] = field(default_factory=dict)

    @property
    def requests(self) -> int:
        """Requests made to all sources."""
        return sum(tally.requests for tally in self.tallies.values())

    @property
    def down(self) -> tuple[SourceTally, ...]:
        """Sources that were given up."""
        return tuple(tally for tally in self.tallies.values() if tally.down is not None)


@dataclass
class Work:
    """What a round works with."""

    conn: psycopg.Connection[Any]
    policy: Policy
    clock: Clock
    record: Record
    round: Round
    paces: dict[str, Pace] = field(default_factory=dict)


def may_ask(work: Work, configured: AnySource, tally: SourceTally) -> bool:
    """Within its budgets; a source whose budget is spent waits, and nothing is wrong with it."""
    name = configured.source.name
    tally.waits = configured.budget.spent(
        lambda since: fetches.requests_since(work.conn, name, since), work.clock.now()
    )
    return not tally.waits


def pace_of(work: Work, configured: AnySource) -> Pace:
    """The pace of a source in this round."""
    name = configured.source.name
    if name not in work.paces:
        seconds = max(float(work.policy.fetch.pause), configured.seconds)
        work.paces[name] = Pace(work.policy.fetch, work.clock, seconds)
    return work.paces[name]
