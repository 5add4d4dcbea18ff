"""The sheet Holdings: positions at one or several past dates, stacked and possibly months old.

Belongs here: its rows, grouped by date. A snapshot speaks for its own date, never for now.
Does not belong here: comparing units with the ledger (`domain.reconciliation`).
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from trading_ops.broker.cells import Line
from trading_ops.broker.keys import Keys
from trading_ops.broker.sheets import SheetKind


@dataclass(frozen=True)
class HoldingRow:
    """One position at a snapshot.

    Attributes:
        sheet: The sheet's name as written.
        row: Its row there.
        key: Stable over overlapping statements.
        asset: As written; a name or a symbol, look-alikes as they are.
        position_id: The position, None where not told.
        units: Units at that date.
        type: As written: `Stocks`, `CFD`.
        isin: Empty where not told.
        is_cfd: It says CFD or is short.
        value: Value by currency, where the version has it.
    """

    sheet: str
    row: int
    key: str
    asset: str
    position_id: str | None
    units: Decimal
    type: str
    isin: str
    is_cfd: bool
    value: tuple[tuple[str, Decimal], ...]


@dataclass(frozen=True)
class HoldingsSnapshot:
    """The positions at one date, in file order."""

    day: dt.date
    rows: tuple[HoldingRow, ...]


def read_holdings(found: Iterable[Line]) -> tuple[HoldingsSnapshot, ...]:
    """The snapshots, oldest first.

    Raises:
        BadInput: A cell that cannot be read, or a position twice at one date.
    """
    keys = Keys(SheetKind.HOLDINGS)
    by_day: dict[dt.date, list[HoldingRow]] = {}
    seen: set[tuple[dt.date, str]] = set()
    for line in found:
        day = line.moment("snapshot date", date_alone=True).at.date()
        row = _row(line, day, keys)
        if row.position_id is not None:
            if (day, row.position_id) in seen:
                line.fail(f"position {row.position_id} is there twice for {day}. The row reads: {line.shown()}")
            seen.add((day, row.position_id))
        by_day.setdefault(day, []).append(row)
    return tuple(HoldingsSnapshot(day, tuple(by_day[day])) for day in sorted(by_day))


def _row(line: Line, day: dt.date, keys: Keys) -> HoldingRow:
    asset, position_id, units = line.text("asset"), line.position_id(), line.needed_number("units")
    if not asset:
        line.fail(f"has no asset. The row reads: {line.shown()}", "asset")
    kind = line.text("type")
    return HoldingRow(
        sheet=line.layout.place.sheet,
        row=line.number,
        key=keys.key((day.isoformat(), asset, position_id, units)),
        asset=asset,
        position_id=position_id,
        units=units,
        type=kind,
        isin=line.text("isin"),
        is_cfd=kind.casefold() == "cfd" or line.text("direction").casefold() == "short",
        value=line.by_currency("value in ¤"),
    )
