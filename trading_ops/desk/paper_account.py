"""What the account of a paper book would show: the paper broker does what was answered, and lives through the market.

It is worked out by the made-up account and not by the ledger, so that the weekly account check compares two things:
who forgets a dividend or a split in the ledger finds it here. Deposits and withdrawals are those that were entered.
Does not belong here: the account's arithmetic (`domain.made_up_account`), the account check (`account_check`).
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg

from trading_ops.desk import books_now
from trading_ops.desk.books_now import Books
from trading_ops.domain import calendar
from trading_ops.domain.errors import Refused
from trading_ops.domain.ledger_facts import CashMovement, Fill
from trading_ops.domain.made_up_account import MadeUpAccount, Truth
from trading_ops.domain.values import ZERO, exact
from trading_ops.store import desk


@dataclass(frozen=True)
class PaperAccount:
    """What would be seen at a moment: available cash in pounds, and units by symbol, sorted."""

    at: dt.datetime
    cash_gbp: Decimal
    units: Mapping[str, Decimal]


def is_kept(conn: psycopg.Connection[Any]) -> bool:
    """Whether this book has a paper account."""
    return desk.book(conn) == "paper"


def seen(conn: psycopg.Connection[Any], at: dt.datetime) -> PaperAccount:
    """The paper account at a moment, aware UTC.

    Raises:
        Refused: This is no paper book, or nothing was paid in yet.
    """
    if not is_kept(conn):
        raise Refused(f"A {desk.book(conn)} book has no paper account; only a paper book's broker is on paper.")
    of = books_now.books(conn)
    first = of.first_day
    if first is None:
        raise Refused(
            "The paper account is empty. Enter what it begins with: "
            "`trading-ops ledger record cash --kind deposit --amount 20000 --why …`."
        )
    account = MadeUpAccount(_truth(of), of.policy.ledger.withholding, ZERO, calendar.previous_session(first))
    done: list[CashMovement | Fill] = [m for m in of.facts.movements if m.is_flow and m.at <= at]
    done += [f for f in of.facts.fills if f.filled_at <= at]
    for fact in sorted(done, key=_moment):
        account.advance(_last_opened(_moment(fact)))
        _do(account, fact)
    account.advance(_last_opened(at))
    return PaperAccount(at, account.cash_gbp, account.units())


def _moment(fact: CashMovement | Fill) -> dt.datetime:
    return fact.filled_at if isinstance(fact, Fill) else fact.at


def _last_opened(at: dt.datetime) -> dt.date:
    """The newest session whose open is over at a moment."""
    following = calendar.next_session(calendar.last_closed(at))
    return following if calendar.open_utc(following) <= at else calendar.previous_session(following)


def _do(account: MadeUpAccount, fact: CashMovement | Fill) -> None:
    with exact():
        if not isinstance(fact, Fill):
            account.cash_gbp += fact.amount_gbp
        elif fact.side == "BUY":
            account.buy(fact.symbol, fact.value_gbp + fact.fee_gbp, fact.units)
        else:
            account.sell(fact.symbol, fact.units, fact.value_gbp - fact.fee_gbp)


def _truth(of: Books) -> Truth:
    """Splits and dividends of every name that was ever held."""
    splits: dict[dt.date, list[tuple[str, Decimal]]] = {}
    dividends: dict[dt.date, list[tuple[str, Decimal]]] = {}
    for name in sorted(of.actions):
        for action in of.actions[name]:
            found = splits if action.kind == "split" else dividends
            found.setdefault(action.ex_date, []).append((action.symbol, action.value))
    return Truth(
        {},
        {day: tuple(rows) for day, rows in splits.items()},
        {day: tuple(rows) for day, rows in dividends.items()},
        tuple((f.day, f.usd_per_gbp) for f in of.fixings),
    )
