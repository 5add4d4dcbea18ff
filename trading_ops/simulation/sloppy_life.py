"""The made-up mistakes of a sloppy household: one at a time, each seen for a week or two and then cleared.

A deck of kinds, shuffled by the seed, is dealt whenever the week allows it: within two years every kind comes up.
Belongs here: whose turn it is, what is outstanding, what became of it.
Does not belong here: how a kind is planted (`planting_answers`, `planting_week`), how it is cleared (`operator`).
"""

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from trading_ops.desk.reconciling import Light
from trading_ops.domain import calendar
from trading_ops.simulation.kinds import FORGOTTEN, KINDS, SPLIT_LACKING, Kind, Moment, Planted
from trading_ops.simulation.operator import Operator, agrees, classes, readings
from trading_ops.simulation.planting_week import take_back_split

RATES: dict[Moment, float] = {"answers": 0.6, "week": 0.45}
HELD_BACK = dt.timedelta(days=21)
"""So long before a split of a held name nothing else is planted: it would be outstanding on the ex-date."""

Result = TypeVar("Result", str, int)


@dataclass(frozen=True)
class Met:
    """A planted difference, and what the reconciliation made of it.

    Attributes:
        planted: What was planted.
        asof: The session of the snapshot that first shows it.
        found: Classes found at that snapshot, sorted.
        found_last: Classes found when it was cleared.
        readings: Classes among which the person had to choose when it was cleared.
        agrees: After that the light was green and nothing differed.
        light: The light when it was cleared.
    """

    planted: Planted
    asof: dt.date
    found: tuple[str, ...]
    found_last: tuple[str, ...]
    readings: tuple[str, ...]
    agrees: bool
    light: Light

    @property
    def right(self) -> bool:
        """The right class and nothing else, both times, and all is well afterwards."""
        if self.planted.kind is FORGOTTEN:
            return self.light is Light.GREY and self.agrees
        right, truth = (self.planted.kind.expected,), self.planted.kind.truth
        told = not truth or truth in self.readings
        return self.found == right and self.found_last == right and told and self.agrees


@dataclass
class SloppyLife:
    """The deck, what is outstanding, and what was met so far.

    Attributes:
        quiet_from: From this session on nothing is planted any more.
        last: The last session of the span.
    """

    operator: Operator
    seed: int
    quiet_from: dt.date
    last: dt.date
    outstanding: Planted | None = None
    left: int = 0
    mend: Callable[[], None] | None = None
    met: list[Met] = field(default_factory=list)
    _first: tuple[dt.date, tuple[str, ...]] | None = None
    _decks: dict[Moment, list[Kind]] = field(default_factory=lambda: {"answers": [], "ahead": [], "week": []})

    def __post_init__(self) -> None:
        self.dice = random.Random(f"deck:{self.seed}")

    def deal(self, moment: Moment, asof: dt.date, plant: Callable[[Kind], Result | None]) -> Result | None:
        """Plant the next kind that the moment allows, or nothing; returns what `plant` returned."""
        wanted = self.dice.random() < RATES[moment]
        if not wanted or self._is_taken(asof) or self._split_is_near(asof):
            return None
        deck = self._decks[moment]
        for _ in range(2):
            for kind in deck:
                done = plant(kind)
                if done is not None:
                    deck.remove(kind)
                    self._begin(Planted(kind, str(done), self.dice.choice(kind.weeks)))
                    return done
            fresh = [k for k in KINDS if k.moment == moment and k not in deck]
            self.dice.shuffle(fresh)
            deck += fresh
        return None

    def _is_taken(self, asof: dt.date) -> bool:
        """Something is outstanding or did not clear, or the end is near: what came on top could not be told apart."""
        stuck = bool(self.met) and not self.met[-1].agrees
        return self.outstanding is not None or stuck or asof >= self.quiet_from

    def _begin(self, planted: Planted) -> None:
        self.outstanding, self.left, self.mend, self._first = planted, planted.weeks, None, None

    def look_ahead(self, asof: dt.date) -> None:
        """Take a split of a held name back that comes within the week."""
        if self._is_taken(asof):
            return
        coming = calendar.weekly_asofs(asof + dt.timedelta(days=1), asof + dt.timedelta(days=14))[0]
        for ex_date, symbol in self._splits(asof, coming):
            take_back_split(self.operator.conn, symbol, ex_date, calendar.close_utc(asof))
            self._begin(Planted(SPLIT_LACKING, symbol, self.dice.choice(SPLIT_LACKING.weeks)))
            return

    def _split_is_near(self, asof: dt.date) -> bool:
        return bool(self._splits(asof, asof + HELD_BACK))

    def _splits(self, after: dt.date, through: dt.date) -> list[tuple[dt.date, str]]:
        held = self.operator.account.units()
        known = self.operator.account.truth.splits
        return sorted(
            (day, s) for day, found in known.items() for s, _ in found if after < day <= through and s in held
        )

    def seen(self, asof: dt.date) -> None:
        """After a plan: look at account and books, and clear what has been seen often enough."""
        planted = self.outstanding
        if planted is None:
            return
        found = self.operator.look(asof)
        self._first = self._first or (asof, classes(found))
        if self.left > 0:
            return
        if planted.kind is FORGOTTEN:
            self.operator.check_account(asof)
        elif self.mend is not None:
            self.mend()
        else:
            self.operator.settle(asof, (planted.kind.accepted,))
        well = agrees(self.operator.look(asof))
        self.met.append(Met(planted, *self._first, classes(found), readings(found), well, found.light))
        self.outstanding = None
