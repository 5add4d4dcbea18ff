"""What the watch looks at, as values: the newest plan, sources, the post, the clocks, the disk.

Does not belong here: how it is found (`watch.senses`), what it means (`watching`).
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from trading_ops.domain.clock_evidence import Reading
from trading_ops.domain.incidents import CLASS_OF_RULE
from trading_ops.domain.results import CheckResult, Outcome

SENSES: Sequence[str] = ("plans", "kill switch", "sources", "backups", "restatements", "outbox", "disk", "clocks")
"""The parts of the watch, each of which may fail alone."""
CLOCK_TOLERANCE = dt.timedelta(seconds=60)
"""So far two clocks may differ."""


@dataclass(frozen=True)
class PlanSeen:
    """The newest plan that has opened.

    Attributes:
        plan_id: The plan.
        opens_at: When it opened.
        decide_by: When its ticket is due.
        decided: It has its ticket.
        reasons: Reason codes of that ticket.
        run_at: When its newest run began; None without one.
        complete: That run left all its evidence.
        results: What that run found.
        unanswered: Lines of earlier tickets without an answer now.
    """

    plan_id: str
    opens_at: dt.datetime
    decide_by: dt.datetime
    decided: bool
    reasons: tuple[str, ...] = ()
    run_at: dt.datetime | None = None
    complete: bool = False
    results: tuple[CheckResult, ...] = ()
    unanswered: int = 0

    def failed(self, kind: str) -> list[CheckResult]:
        """Rules of the newest run that failed and belong to a class of incident."""
        return [r for r in self.results if r.outcome is Outcome.FAIL and CLASS_OF_RULE.get(r.code) == kind]


@dataclass(frozen=True)
class SourceSeen:
    """A source of prices: what came of its newest answer, and when it last answered well."""

    source: str
    dead: bool
    forgotten: bool
    last_ok: dt.datetime | None
    sentence: str
    remedy: str


@dataclass(frozen=True)
class SwitchSeen:
    """The kill switch without its pauses: those raise no alarm."""

    state: str
    entries: int
    reason: str
    set_by: str


@dataclass(frozen=True)
class Restated:
    """Bars of one load that past tickets had used."""

    load_id: int
    count: int
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Post:
    """What waits in the outbox; `trouble` is why mail cannot be sent at all."""

    off: bool
    oldest_id: int | None = None
    oldest_at: dt.datetime | None = None
    last: str = ""
    trouble: str = ""


@dataclass(frozen=True)
class Clocks:
    """This machine's clock, the database's, the newest row of the audit chain, and what sources said of late."""

    machine: dt.datetime
    database: dt.datetime
    newest_fact: dt.datetime | None
    sources: Mapping[str, Reading] = field(default_factory=dict)

    @property
    def apart(self) -> dt.timedelta:
        """How far the two clocks differ, never below 0."""
        return abs(self.machine - self.database)

    @property
    def agree(self) -> bool:
        """The two clocks say about the same."""
        return self.apart <= CLOCK_TOLERANCE

    @property
    def is_behind(self) -> bool:
        """Things have happened that lie in the future of this machine."""
        return self.newest_fact is not None and self.newest_fact - self.machine > CLOCK_TOLERANCE


@dataclass(frozen=True)
class Observed:
    """Everything the watch looks at; None where it could not be looked at, with the error in `blind`.

    `plan` is empty when no plan has opened yet, `backup` when no plan asks for one.
    """

    plan: tuple[PlanSeen, ...] | None = None
    sources: tuple[SourceSeen, ...] | None = None
    switch: SwitchSeen | None = None
    backup: CheckResult | None = None
    backup_id: str = "none"
    restated: tuple[Restated, ...] | None = None
    post: Post | None = None
    free_bytes: int | None = None
    clocks: Clocks | None = None
    blind: Mapping[str, str] = field(default_factory=dict)
