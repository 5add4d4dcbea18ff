"""Which names to look up on eToro this week: those never looked up first, then the oldest look-ups."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from trading_ops.desk import books_now
from trading_ops.domain.universe import Instrument
from trading_ops.store import audit, configuration, name_checks
from trading_ops.store.name_checks import NameCheck

A_WEEK = 8
"""Names a week: 100 names are round within the 180 days that a look-up counts, in a few minutes each."""


@dataclass(frozen=True)
class ToCheck:
    """A name to look up, and when it was last."""

    instrument: Instrument
    last: NameCheck | None
    held: bool


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

    done = sum((today - check.day).days < 7 for check in last.values())
    young = dt.timedelta(days=max_age_days // 4)
    wanted = [
        i
        for i in instruments
        if i.instrument_type == "stock" and i.tradable_underlying and i.enabled
        and (looked(i) == dt.date.min or today - looked(i) > young)
    ]  # fmt: skip
    wanted.sort(key=lambda i: (looked(i) != dt.date.min and i.symbol not in held, looked(i), i.symbol))
    return tuple(ToCheck(i, last.get(i.symbol), i.symbol in held) for i in wanted[: max(0, a_week - done)])


def due_now(conn: psycopg.Connection[Any], now: dt.datetime) -> tuple[ToCheck, ...]:
    """The names of this week that are not looked up yet."""
    today = now.date()
    stored = configuration.universe_of_day(conn, today)
    universe = configuration.as_looked_up(conn, stored, today, audit.head(conn).seq)
    of = books_now.books(conn)
    held = frozenset(of.at(today).positions)
    days = of.policy.risk.verified_max_age
    every = [universe.instruments[symbol] for symbol in sorted(universe.instruments)]
    return due(every, name_checks.newest(conn), held, today, days)
