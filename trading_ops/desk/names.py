"""Which names to look up on eToro this week, and what a look-up means.

Due first: those never looked up, then the oldest look-ups.
Does not belong here: what a look-up does to a plan (`store.configuration.as_looked_up`).
"""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import psycopg

from trading_ops.desk import books_now
from trading_ops.domain.errors import BadInput
from trading_ops.domain.ticket_words import london_day
from trading_ops.domain.universe import Instrument
from trading_ops.store import audit, configuration, name_checks
from trading_ops.store.name_checks import NameCheck

A_WEEK = 8
"""Names a week: 100 names are round within the 180 days that a look-up counts, in a few minutes each."""
WEEK = dt.timedelta(days=7)
MEANS: Mapping[str, str] = MappingProxyType(
    {
        "found": "found as Stocks. It may be bought.",
        "cfd": "only as a CFD. It is switched off and not bought any more; the operator is told.",
        "missing": "not found. It is switched off and not bought any more; the operator is told.",
    }
)
LOOKALIKE_ENDINGS = (".RTH", ".24-7", ".EUR")


@dataclass(frozen=True)
class ToCheck:
    """A name to look up, and when it was last."""

    instrument: Instrument
    last: NameCheck | None
    held: bool


@dataclass(frozen=True)
class Progress:
    """How far this week's names are: those looked up in the last seven days, and those that are left."""

    done: int
    left: tuple[ToCheck, ...]

    @property
    def total(self) -> int:
        """All of this week's names."""
        return self.done + len(self.left)


def due(
    instruments: Sequence[Instrument], last: Mapping[str, NameCheck], held: frozenset[str], today: dt.date,
    max_age_days: int, a_week: int = A_WEEK,
) -> tuple[ToCheck, ...]:  # fmt: skip
    """The week's names: held ones whose look-up runs out first, then never looked up, then the oldest.

    Args:
        instruments: The universe in force; only names that may be bought are asked for.
        last: The newest look-up by name.
        held: Names in the book.
        today: The day.
        max_age_days: Days for which a look-up counts; one younger than a quarter of it is not repeated.
        a_week: How many at most, those looked up in the last seven days counted.
    """

    def looked(instrument: Instrument) -> dt.date:
        check = last.get(instrument.symbol)
        return max(instrument.verified_on or dt.date.min, check.day if check else dt.date.min)

    young = dt.timedelta(days=max_age_days // 4)
    wanted = [i for i in instruments if i.tradable and (looked(i) == dt.date.min or today - looked(i) > young)]
    wanted.sort(key=lambda i: (looked(i) != dt.date.min and i.symbol not in held, looked(i), i.symbol))
    room = max(0, a_week - looked_up(last, today))
    return tuple(ToCheck(i, last.get(i.symbol), i.symbol in held) for i in wanted[:room])


def looked_up(last: Mapping[str, NameCheck], today: dt.date) -> int:
    """How many names were looked up in the seven days to a day."""
    return sum(today - WEEK < check.day <= today for check in last.values())


def progress(conn: psycopg.Connection[Any], now: dt.datetime) -> Progress:
    """This week's names, as of a moment, aware UTC."""
    return Progress(looked_up(name_checks.newest(conn), london_day(now)), due_now(conn, now))


def due_now(conn: psycopg.Connection[Any], now: dt.datetime) -> tuple[ToCheck, ...]:
    """The names of this week that are not looked up yet."""
    today = london_day(now)
    of = books_now.books(conn)
    held = frozenset(of.at(today).positions)
    every = list(_universe(conn, today).values())
    return due(every, name_checks.newest(conn), held, today, of.policy.risk.verified_max_age)


def looked_up_name(conn: psycopg.Connection[Any], symbol: str, now: dt.datetime) -> ToCheck | None:
    """A name to look up once more, whether or not it is due; None when the universe has no such name."""
    today = london_day(now)
    instrument = _universe(conn, today).get(symbol)
    return ToCheck(instrument, name_checks.newest(conn).get(symbol), held=False) if instrument else None


def record(
    conn: psycopg.Connection[Any], check_id: uuid.UUID, symbol: str, outcome: str, lookalikes: str, day: dt.date,
    checked_by: str,
) -> bool:  # fmt: skip
    """Store a look-up; see `name_checks.record`. A later one counts instead of it.

    Raises:
        BadInput: The outcome is none of `MEANS`, or the look-alikes are too long.
        UnknownSymbol: The desk does not know the name.
        Refused: Another look-up is there under this id.
    """
    if outcome not in MEANS:
        raise BadInput(f"names: {outcome!r} is not one of {', '.join(MEANS)}.")
    return name_checks.record(conn, check_id, symbol, outcome, " ".join(lookalikes.split()), day, checked_by)


def _universe(conn: psycopg.Connection[Any], today: dt.date) -> dict[str, Instrument]:
    stored = configuration.universe_of_day(conn, today)
    universe = configuration.as_looked_up(conn, stored, today, audit.head(conn).seq)
    return {symbol: universe.instruments[symbol] for symbol in sorted(universe.instruments)}
