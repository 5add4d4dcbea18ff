"""Dividends received, each counted once, though the statement lists them in two sheets.

Belongs here: merging Account Activity with Dividends. Does not belong here: matching a receipt with an expected
dividend (`domain.dividends`), or booking it.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from trading_ops.broker.activity import ActivityRow, ActivityType
from trading_ops.broker.cells import MATCH_WITHIN, Moment
from trading_ops.broker.dividends import DividendRow
from trading_ops.domain.values import ZERO

SAME_AMOUNT = Decimal("0.01")
"""The two sheets round on their own, so equal amounts may differ by a cent."""
SAME_DAY = dt.timedelta(days=1)
"""How far a date without a time may be from the moment: the zone of either is not documented."""


@dataclass(frozen=True)
class DividendReceipt:
    """One dividend that was paid.

    Attributes:
        keys: The keys of the rows it was read from, one or two. It was imported before if any of them was.
        position_id: The position, None where only Account Activity has it and names none.
        symbol: eToro's symbol, from Account Activity; None where only Dividends has it.
        instrument: The name, from Dividends; empty where only Account Activity has it.
        when: The time of Account Activity, else the date of payment; read as UTC.
        net: Net amount in `currency`.
        currency: Its currency.
        net_gbp: Pounds, only where the file says pounds.
        withheld: Tax withheld by currency, empty where not told.
        is_cfd: Whether a sheet says CFD, None where neither tells.
        rows: The sheet and row of each source, for people.
    """

    keys: tuple[str, ...]
    position_id: str | None
    symbol: str | None
    instrument: str
    when: Moment
    net: Decimal
    currency: str
    net_gbp: Decimal | None
    withheld: tuple[tuple[str, Decimal], ...]
    is_cfd: bool | None
    rows: tuple[tuple[str, int], ...]


def merge(activity: tuple[ActivityRow, ...], dividends: tuple[DividendRow, ...]) -> tuple[DividendReceipt, ...]:
    """Each dividend once, oldest first.

    Rows are one dividend when Position ID and net amount agree and their times lie within an hour, or within a day
    where Dividends gives a date only. Each row of either sheet is used once.
    """
    left = list(dividends)
    receipts: list[DividendReceipt] = []
    for row in activity:
        if row.type is ActivityType.DIVIDEND and row.amount is not None:
            fitting = [paid for paid in left if _is_same(row, paid)]
            paid = min(fitting, key=lambda p: abs(p.paid.at - row.when.at), default=None)
            if paid is not None:
                left.remove(paid)
            receipts.append(_from_activity(row, row.amount, paid))
    receipts.extend(_from_dividends(paid) for paid in left)
    return tuple(sorted(receipts, key=lambda r: (r.when.at, r.keys)))


def _is_same(row: ActivityRow, paid: DividendRow) -> bool:
    if row.position_id != paid.position_id:
        return False
    within = MATCH_WITHIN if paid.paid.has_time else SAME_DAY
    if _apart(row.when, paid.paid) > within:
        return False
    pairs = [(row.amount, paid.net_in(row.currency)), (row.amount_gbp, paid.net_gbp)]
    told = [(ours, theirs) for ours, theirs in pairs if ours is not None and theirs is not None]
    return bool(told) and all(abs(ours - theirs) <= SAME_AMOUNT for ours, theirs in told)


def _apart(moment: Moment, paid: Moment) -> dt.timedelta:
    if paid.has_time:
        return abs(moment.at - paid.at)
    return abs(dt.timedelta(days=(moment.at.date() - paid.at.date()).days))


def _from_activity(row: ActivityRow, amount: Decimal, paid: DividendRow | None) -> DividendReceipt:
    pounds = row.amount_gbp if row.amount_gbp is not None else (paid.net_gbp if paid else None)
    said = [told for told in (row.is_cfd, paid.is_cfd if paid else None) if told is not None]
    return DividendReceipt(
        keys=(row.key, paid.key) if paid else (row.key,),
        position_id=row.position_id,
        symbol=row.symbol,
        instrument=paid.instrument if paid else "",
        when=row.when,
        net=amount,
        currency=row.currency,
        net_gbp=pounds,
        withheld=paid.withheld if paid else (),
        is_cfd=any(said) if said else None,
        rows=((row.sheet, row.row), (paid.sheet, paid.row)) if paid else ((row.sheet, row.row),),
    )


def _from_dividends(paid: DividendRow) -> DividendReceipt:
    pounds = paid.net_gbp
    currency, net = ("GBP", pounds) if pounds is not None else (paid.net[0][0], paid.net[0][1] or ZERO)
    return DividendReceipt(
        keys=(paid.key,),
        position_id=paid.position_id,
        symbol=None,
        instrument=paid.instrument,
        when=paid.paid,
        net=net,
        currency=currency,
        net_gbp=pounds,
        withheld=paid.withheld,
        is_cfd=paid.is_cfd,
        rows=((paid.sheet, paid.row),),
    )
