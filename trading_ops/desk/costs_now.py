"""What trading really cost, from the fills in force: the newest ticket, the months, and beside the policy's numbers.

Does not belong here: the arithmetic (`domain.costs`).
"""

import datetime as dt
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg

from trading_ops.desk.books_now import Books
from trading_ops.domain.costs import (
    FillCost,
    MonthCosts,
    PolicyNumber,
    by_month,
    costs_of,
    proposed_policy_numbers,
    total,
)
from trading_ops.domain.errors import BadInput
from trading_ops.domain.values import exact


@dataclass(frozen=True)
class Costs:
    """Costs of every fill in force, as totals.

    Attributes:
        months: By month, oldest first.
        numbers: The policy's cost numbers beside the measured ones.
        fills: Each fill's own.
    """

    months: tuple[MonthCosts, ...]
    numbers: tuple[PolicyNumber, ...]
    fills: tuple[FillCost, ...]


def costs(conn: psycopg.Connection[Any], of: Books, since: dt.date | None = None) -> Costs:
    """What the fills cost, of all or of those from a session on.

    Raises:
        BadInput: A fill has no fixing on or before its day.
    """
    fills = [f for f in of.facts.fills if since is None or f.session >= since]
    every = costs_of(fills, _rates(of), _references(conn, of, since))
    return Costs(by_month(every), proposed_policy_numbers(every, of.policy), every)


def costs_of_ticket(conn: psycopg.Connection[Any], of: Books, plan_id: str) -> MonthCosts | None:
    """What a ticket's fills cost in all; None without fills."""
    fills = [f for f in of.facts.fills if f.ticket_line is not None and f.ticket_line.startswith(f"{plan_id}/")]
    if not fills:
        return None
    found = costs_of(fills, _rates(of), _references(conn, of, None, plan_id))
    return total(plan_id, found)


def _rates(of: Books) -> Callable[[dt.date], Decimal]:
    days = [fixing.day for fixing in of.fixings]

    def rate(day: dt.date) -> Decimal:
        known = bisect_right(days, day)
        if not known:
            raise BadInput(f"There is no GBPUSD fixing on or before {day}. Load one: trading-ops prices load.")
        return of.fixings[known - 1].usd_per_gbp

    return rate


def _references(
    conn: psycopg.Connection[Any], of: Books, since: dt.date | None, plan_id: str | None = None
) -> Mapping[str, Decimal]:
    """Reference prices in USD by ticket line, splits between the plan's session and the line's fills applied."""
    rows = conn.execute(
        "SELECT l.plan_id, l.line, l.symbol, l.reference_price_usd, max(f.session) AS filled, p.asof "
        "FROM ops.ticket_lines l JOIN ops.ledger_trades_fills f USING (plan_id, line) "
        "JOIN ops.plans p USING (plan_id) WHERE (%(since)s::date IS NULL OR f.session >= %(since)s) "
        "AND (%(plan)s::text IS NULL OR l.plan_id = %(plan)s) "
        "GROUP BY l.plan_id, l.line, l.symbol, l.reference_price_usd, p.asof",
        {"since": since, "plan": plan_id},
    )
    splits = of.facts.unique_splits()
    found: dict[str, Decimal] = {}
    with exact():
        for row in rows:
            price = row["reference_price_usd"]
            for split in splits:
                if split.symbol == row["symbol"] and row["asof"] < split.ex_date <= row["filled"]:
                    price /= split.value
            found[f"{row['plan_id']}/{row['line']}"] = price
    return found
