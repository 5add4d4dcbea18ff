"""GBPUSD from the network: what every source's fixings must survive, and the table they become.

Belongs here: days and unit of a fixing. Does not belong here: reading a body (each source), or comparing two sources.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal

import pyarrow as pa

from trading_ops.domain.values import plain
from trading_ops.providers.columns import constant
from trading_ops.providers.protocol import FIXINGS, PRICE, FileFact, RefusalKind, RefusedData

_PARITY, _DEAREST = Decimal(1), Decimal("2.5")
"""USD for one pound: since 1971 between 1.05 and 2.65, since 1999 between 1.05 and 2.11. Below parity a rate cannot
be told from one that is the wrong way round, so it is refused and a person decides."""


def vet_fixings(
    fixings: Iterable[tuple[dt.date, Decimal]],
    first: dt.date,
    last: dt.date,
    at: dt.datetime,
    where: str,
    answer: FileFact | None = None,
) -> None:
    """Look at GBPUSD fixings: days, and the unit.

    Raises:
        RefusedData: A day that was not asked for, is yet to come, is there twice or lies on a weekend (dates of
            another time zone do), or a rate that cannot be US dollars for one pound.
    """
    seen: set[dt.date] = set()
    for day, rate in fixings:
        place = f"{where}, {day}"
        if not first <= day <= min(last, at.astimezone(dt.UTC).date()):
            sentence = f"the day is outside what was asked, {first} to {last}, or yet to come. Nothing was kept."
            raise RefusedData(RefusalKind.NOT_ASKED_FOR, place, sentence, answer)
        if day in seen:
            sentence = "the day is there twice, so its rate would be a choice. Nothing was kept."
            raise RefusedData(RefusalKind.DUPLICATE_ROW, place, sentence, answer)
        if day.isoweekday() > 5:
            sentence = "there is no fixing on a weekend; the dates may be another time zone's. Nothing was kept."
            raise RefusedData(RefusalKind.OFF_CALENDAR, place, sentence, answer)
        if not _PARITY < rate <= _DEAREST:
            sentence = (
                f"{plain(rate)} cannot be US dollars for one pound ({_PARITY} to {_DEAREST}): pence, or the wrong way "
                "round. Nothing was kept."
            )
            raise RefusedData(RefusalKind.BAD_FIXING, place, sentence, answer)
        seen.add(day)


def fixings_table(fixings: Sequence[tuple[dt.date, Decimal]], source: str) -> pa.Table:
    """Fixings as FIXINGS, by day."""
    rows = sorted(fixings)
    columns = [
        pa.array([day for day, _ in rows], pa.date32()),
        pa.array([rate for _, rate in rows], PRICE),
        constant(source, len(rows)),
    ]
    return pa.table(columns, schema=FIXINGS)
