"""Differences that come about between two plans: what the broker does to the account, what the operator leaves out.

Belongs here: cash, dividends, splits and purchases that no ticket line stands for, and snapshots typed wrong.
Does not belong here: a ticket's answers (`planting_answers`), whose turn it is (`planting`).
"""

import datetime as dt
import random
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import psycopg

from trading_ops.domain import calendar
from trading_ops.domain.canonical import sha256_hex
from trading_ops.domain.ledger import CashMovement
from trading_ops.domain.values import ONE, PENCE_PLACES, UNIT_PLACES, ZERO, exact, half_even
from trading_ops.simulation import kinds
from trading_ops.simulation.doings import CASH, Doings
from trading_ops.simulation.kinds import Kind
from trading_ops.simulation.people import OPERATOR, nearly_units, swapped_cash
from trading_ops.store import ledger, market, statements
from trading_ops.store.statements import StoredRow

FULL_TAX = Decimal("0.30")
FEE_USD = Decimal(5)
YEARLY = Decimal("0.04")
MOVED = (Decimal(10), Decimal(100), Decimal("0.1"))
"""Where a decimal point goes that is typed in the wrong place."""


Plant = Callable[[Doings, random.Random], str | None]


def plant(kind: Kind, week: Doings, dice: random.Random) -> str | None:
    """Plant a difference of a kind; returns the name or `CASH`, or None when the week does not allow it."""
    subject = PLANTS[kind](week, dice)
    if subject is not None:
        week.taken.add(subject)
    return subject


def take_back_split(conn: psycopg.Connection[Any], symbol: str, ex_date: dt.date, at: dt.datetime) -> None:
    """Somebody records that a split will not happen."""
    with conn.transaction():
        market.record_action(
            conn, symbol=symbol, ex_date=ex_date, kind="split", value=ZERO, origin=f"{OPERATOR}: called off", at=at
        )


def _split_phantom(week: Doings, dice: random.Random) -> str | None:
    """A split of the week's first session is recorded that does not take place."""
    session = calendar.next_session(week.asof - dt.timedelta(days=6))
    able = [s for s in week.quiet if s not in week.taken and not any(s == c.symbol for c in week.credits)]
    if not able:
        return None
    symbol = dice.choice(able)
    with week.conn.transaction():
        market.record_action(
            week.conn, symbol=symbol, ex_date=session, kind="split", value=Decimal(2),
            origin=f"{OPERATOR}: read in the news", at=week.opened,
        )  # fmt: skip
    return symbol


def _off_ticket(week: Doings, dice: random.Random) -> str | None:
    held, opens = {*week.account.units(), *week.taken}, week.account.truth.opens
    able = [s for s in week.names if s not in held and (s, week.asof) in opens]
    pounds = half_even(week.size_gbp * dice.randrange(161, 199) / 10_000, 0)
    pounds += 0 if pounds % 10 else 7  # a round sum would be one with a deposit
    if not able or week.account.cash_gbp < pounds + 20:
        return None
    symbol = dice.choice(able)
    with exact():
        rate = week.account.truth.usd_per_gbp(week.asof)
        units = half_even(pounds * rate / opens[symbol, week.asof], UNIT_PLACES)
    week.account.buy(symbol, pounds, units)
    return symbol


def _dividend(week: Doings, dice: random.Random) -> str | None:
    if not week.credits:
        return None
    forgotten = week.credits.pop(dice.randrange(len(week.credits)))
    return forgotten.symbol


def _dividend_amount(week: Doings, dice: random.Random) -> str | None:
    """The broker keeps the full tax; the operator books what was expected."""
    if not week.credits:
        return None
    credit = max(week.credits, key=lambda c: (c.amount_gbp, c.symbol))
    with exact():
        paid = half_even(credit.amount_gbp / (ONE - week.policy.ledger.withholding) * (ONE - FULL_TAX), PENCE_PLACES)
    week.account.cash_gbp += paid - credit.amount_gbp
    return credit.symbol


def _fee(week: Doings, dice: random.Random) -> str | None:
    with exact():
        amount = -half_even(FEE_USD / week.account.truth.usd_per_gbp(week.asof), PENCE_PLACES)
    return _on_statement(week, "fee", amount)


def _interest(week: Doings, dice: random.Random) -> str | None:
    with exact():
        amount = half_even(week.account.cash_gbp * YEARLY / 52, PENCE_PLACES)
    return _on_statement(week, "interest", amount) if amount > ZERO else None


def _on_statement(week: Doings, kind: str, amount: Decimal) -> str:
    """The broker moves cash, and the statement that the operator imports says so."""
    week.account.cash_gbp += amount
    text = f"{week.asof} {kind} {amount}"
    row = StoredRow(
        sha256_hex(f"row {text}".encode()),
        "Account Activity",
        2,
        kind,
        week.opened,
        None,
        None,
        amount,
        None,
        {"Amount": text},
    )
    with week.conn.transaction():
        statements.add(
            week.conn, sha256=sha256_hex(text.encode()), name=f"{kind} {week.asof}", versions={},
            currency="GBP", body=text.encode(), rows=[row], entered_by=OPERATOR,
        )  # fmt: skip
    return CASH


def _deposit(week: Doings, dice: random.Random) -> str | None:
    week.account.cash_gbp += max(half_even(week.size_gbp / 2000, 0) * 100, Decimal(100))
    return CASH


def _withdrawal(week: Doings, dice: random.Random) -> str | None:
    amount = max(half_even(week.size_gbp / 5000, 0) * 100, Decimal(100))
    if week.account.cash_gbp <= amount:
        return None
    week.account.cash_gbp -= amount
    return CASH


def _cash_swapped(week: Doings, dice: random.Random) -> str | None:
    week.typed_cash = swapped_cash(week.account.cash_gbp, week.size_gbp, week.policy)
    return None if week.typed_cash is None else CASH


def _units_slipped(week: Doings, dice: random.Random) -> str | None:
    able = {s: units for s, units in week.account.units().items() if s not in week.taken}
    if not able:
        return None
    symbol = dice.choice(sorted(able))
    with exact():
        week.typed_units[symbol] = half_even(able[symbol] * dice.choice(MOVED), UNIT_PLACES)
    return symbol


def _nearly_typed(week: Doings, dice: random.Random) -> str | None:
    """Units of a name that is all of one fill: answer and snapshot may as well have been typed wrong."""
    held = week.account.units()
    able = {s: wrong for s in week.first if s not in week.taken and (wrong := nearly_units(held[s], week.policy))}
    if not able:
        return None
    symbol = dice.choice(sorted(able))
    week.typed_units[symbol] = able[symbol]
    return symbol


def _never_came(week: Doings, dice: random.Random) -> str | None:
    """A deposit that the bank never sent; it may as well have come and been withdrawn."""
    amount = max(half_even(week.size_gbp / 5000, 0) * 100, Decimal(100)) + 100 * dice.randrange(5)
    key = f"simulation:never came:{week.asof}"
    at = week.opened - dt.timedelta(days=1)
    movement = CashMovement(str(uuid.uuid5(uuid.NAMESPACE_URL, key)), "deposit", amount, at.date(), at)
    with week.conn.transaction():
        ledger.record_movement(week.conn, movement, recorded_by=OPERATOR, why="standing order")
    return CASH


def _left_out(week: Doings, dice: random.Random) -> str | None:
    able = sorted(s for s in week.account.units() if s not in week.taken)
    if not able:
        return None
    symbol = dice.choice(able)
    week.typed_units[symbol] = ZERO
    return symbol


PLANTS: Mapping[Kind, Plant] = MappingProxyType(
    {
        kinds.SPLIT_PHANTOM: _split_phantom, kinds.OFF_TICKET: _off_ticket, kinds.DIVIDEND: _dividend,
        kinds.DIVIDEND_AMOUNT: _dividend_amount, kinds.FEE: _fee, kinds.INTEREST: _interest,
        kinds.DEPOSIT: _deposit, kinds.WITHDRAWAL: _withdrawal, kinds.CASH_SWAPPED: _cash_swapped,
        kinds.NEARLY_TYPED: _nearly_typed, kinds.NEVER_CAME: _never_came,
        kinds.UNITS_SLIPPED: _units_slipped, kinds.LEFT_OUT: _left_out,
    }
)  # fmt: skip
