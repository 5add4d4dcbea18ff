"""A statement's Holdings as account checks of their own dates, where the cash of that date is known in pounds.

Holdings at a date without known cash are evidence only: the file is kept, no account check comes of it.
Does not belong here: storing (`statement_import`), the comparison with the ledger (`reconciling`).
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from trading_ops.broker.holdings import HoldingsSnapshot
from trading_ops.broker.statement import Statement
from trading_ops.desk.statement_rows import Names
from trading_ops.domain.ticket_words import long_day
from trading_ops.domain.values import PENCE_PLACES, UNIT_PLACES, ZERO, exact, half_even

POUNDS = "GBP"


@dataclass(frozen=True)
class AtDate:
    """Holdings at the end of a day.

    Attributes:
        day: The day.
        taken_at: Its end, aware UTC: the sheet gives a date only.
        cash_gbp: Cash in pounds, None where it is not known.
        holdings: Units and decimals by symbol.
        why: Why no account check comes of it, empty when one does.
    """

    day: dt.date
    taken_at: dt.datetime
    cash_gbp: Decimal | None
    holdings: dict[str, tuple[Decimal, int]]
    why: str


def at_dates(statement: Statement, names: Names, now: dt.datetime) -> tuple[AtDate, ...]:
    """Every date of the sheet Holdings, oldest first."""
    return tuple(_at_date(found, statement, names, now) for found in statement.holdings)


def _at_date(found: HoldingsSnapshot, statement: Statement, names: Names, now: dt.datetime) -> AtDate:
    end = dt.datetime.combine(found.day, dt.time(23, 59, 59), tzinfo=dt.UTC)
    units: dict[str, Decimal] = {}
    strange: list[str] = []
    places = max((_places(row.units) for row in found.rows), default=0)
    for row in found.rows:
        symbol = names.of(row.asset, row.position_id, row.is_cfd)
        if symbol is None:
            strange.append(row.asset)
            continue
        with exact():
            units[symbol] = units.get(symbol, ZERO) + abs(row.units)
    cash, why = _cash_at_end_of(found.day, statement)
    if strange:
        why = f"it has {', '.join(sorted(set(strange)))}, which the desk does not hold as a stock"
    elif end > now:
        why = "that day is not over yet"
    digits = min(places, UNIT_PLACES)
    held = {s: (half_even(u, UNIT_PLACES), digits) for s, u in sorted(units.items())}
    return AtDate(found.day, end, cash, held, why)


def _places(units: Decimal) -> int:
    exponent = units.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _cash_at_end_of(day: dt.date, statement: Statement) -> tuple[Decimal | None, str]:
    """The balance after the last movement on or before a day, or why it is not known."""
    if statement.currency != POUNDS:
        return None, f"its balances are in {statement.currency}, and pounds are not worked out from them"
    rows = list(statement.activity)
    times = [row.at for row in rows]
    if times == sorted(times, reverse=True):
        rows.reverse()
    elif times != sorted(times):
        return None, "the rows of Account Activity are in no order of time"
    if not _covered(day, statement):
        return None, f"the statement does not reach to {long_day(day)}"
    if any(row.at.date() == day for row in rows):
        return None, "something was booked on that very day, and the sheet does not say whether before or after"
    before = [row for row in rows if row.at.date() < day]
    if not before or before[-1].balance is None:
        return None, "the statement shows no balance before that day"
    return half_even(before[-1].balance, PENCE_PLACES), ""


def _covered(day: dt.date, statement: Statement) -> bool:
    """Whether every movement up to the end of that day is in the statement."""
    if statement.period is not None:
        start, end = statement.period
        return start.at.date() <= day <= end.at.date()
    return any(row.at.date() > day for row in statement.activity)
