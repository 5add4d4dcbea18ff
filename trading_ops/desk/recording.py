"""Cash that moved, dividends and corporate events: what a person enters by hand.

Belongs here: from what was typed to a fact, the checks on the way, and what needs a second look.
Does not belong here: taking a wrong entry out of force (`voiding`), the facts' own rules (`domain.ledger_facts`),
storing them (`store.ledger`).
"""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg

from trading_ops.domain import calendar
from trading_ops.domain.calendar import LONDON
from trading_ops.domain.dividends import ExpectedDividend
from trading_ops.domain.errors import BadInput
from trading_ops.domain.ledger import CashMovement, CorporateEvent
from trading_ops.domain.ledger_facts import EventKind, MovementKind
from trading_ops.domain.ticket_words import long_day, pounds
from trading_ops.domain.typed import Kind, typed_number
from trading_ops.domain.values import ONE, PENCE_PLACES, UNIT_PLACES, ZERO, exact, fixed, half_even, plain
from trading_ops.store import ledger

KINDS: tuple[MovementKind, ...] = ("deposit", "withdrawal", "fee", "interest", "adjustment")
EVENTS: tuple[EventKind, ...] = ("spin_off", "merger", "delisting", "name_change")
ALWAYS_OUT = ("withdrawal", "fee")
EITHER_WAY = ("interest", "adjustment")
UNUSUAL = Decimal("0.10")
LONGEST_WHY = 400
_MINUS = "-−–—"


@dataclass(frozen=True)
class Read:
    """A fact as read from a form, and what to look at again before it is booked."""

    fact: CashMovement | CorporateEvent
    asks: tuple[str, ...]


def read_amount(text: str, what: str, kind: Kind = "cash", places: int = PENCE_PLACES) -> tuple[Decimal, list[str]]:
    """A number as typed, without sign, with what to look at again.

    Raises:
        BadInput: It is no number.
    """
    read = typed_number(text, kind)
    if read.value is None:
        raise BadInput(f"{what}: {read.question}")
    asks = [f"{what}: {said}" for said in (read.note, read.question) if said]
    return half_even(read.value, places), asks


def read_movement(
    movement_id: uuid.UUID, kind: str, amount: str, day: dt.date, *, goes_out: bool, now: dt.datetime, equity: Decimal
) -> Read:
    """A cash movement from its form.

    Args:
        movement_id: Made before the button was shown.
        kind: One of `KINDS`.
        amount: Pounds as typed; a minus is taken where the kind goes either way.
        day: The day it counts for, London.
        goes_out: For interest and adjustments: it left the account.
        now: The moment, aware UTC.
        equity: What the book is worth, in pounds.

    Raises:
        BadInput: The kind is none, the amount is no number or 0, or the day has not come.
    """
    if kind not in KINDS:
        raise BadInput(f"{kind!r} is none of {', '.join(KINDS)}.")
    bare = amount.strip()
    if kind in EITHER_WAY and bare[:1] in _MINUS and bare:
        goes_out, bare = True, bare[1:]
    value, asks = read_amount(bare, "Amount")
    if value == ZERO:
        raise BadInput("Amount: 0 moves no cash. Enter the pounds that moved.")
    _come(day, now)
    signed = -value if kind in ALWAYS_OUT or (kind in EITHER_WAY and goes_out) else value
    movement = CashMovement(str(movement_id), kind, signed, day, _moment(day, now))
    return Read(movement, (*asks, *_unusual(signed, equity)))


def read_dividend(
    movement_id: uuid.UUID, symbol: str, ex_date: dt.date, amount: str, day: dt.date, now: dt.datetime,
    expected: Sequence[ExpectedDividend],
) -> Read:  # fmt: skip
    """A dividend as the broker paid it, net of tax; 0 says that it will not come.

    Raises:
        BadInput: The amount is no number, a name is missing, or the day has not come.
    """
    name = symbol.strip().upper()
    if not name:
        raise BadInput("Name: choose who paid the dividend.")
    value, asks = read_amount(amount, "Amount")
    _come(day, now)
    if day < ex_date:
        raise BadInput(f"The cash came on {long_day(day)}, before the ex-date {long_day(ex_date)}. Look at both days.")
    due = next((d for d in expected if d.symbol == name and d.ex_date == ex_date), None)
    if due is None:
        asks.append(f"No dividend of {name} with ex-date {long_day(ex_date)} is expected. Is the ex-date right?")
    elif value and not due.net_gbp * Decimal("0.8") <= value <= due.net_gbp * Decimal("1.25"):
        asks.append(f"{money(value)} is far from the {money(due.net_gbp)} that was expected. Look at eToro once more.")
    movement = CashMovement(str(movement_id), "dividend", value, day, _moment(day, now), name, ex_date)
    return Read(movement, tuple(asks))


def read_event(
    event_id: uuid.UUID, kind: str, symbol: str, day: dt.date, new_symbol: str, new_units: str, cost_share: str,
    cash: str, now: dt.datetime, held: Decimal,
) -> Read:  # fmt: skip
    """A corporate event from its form: share of cost in percent, cash in pounds.

    Raises:
        BadInput: A number cannot be read, or the day has not come.
        LedgerError: The fields contradict the kind.
    """
    if kind not in EVENTS:
        raise BadInput(f"{kind!r} is none of {', '.join(EVENTS)}.")
    if not calendar.is_session(day):
        raise BadInput(f"{long_day(day)}: New York did not trade. Enter the session at whose open it took effect.")
    _come(day, now)
    units, asks = read_amount(new_units, "New units", "units", UNIT_PLACES) if new_units.strip() else (ZERO, [])
    share, more = read_amount(cost_share, "Share of the cost", "cash", 7) if cost_share.strip() else (ZERO, [])
    pounds_in, and_more = read_amount(cash, "Cash") if cash.strip() else (ZERO, [])
    with exact():
        part = share / 100
    if part > ONE:
        raise BadInput(f"Share of the cost: {plain(share)} % is more than 100 %.")
    name = symbol.strip().upper()
    event = CorporateEvent(str(event_id), kind, name, day, new_symbol.strip().upper() or None, units, part, pounds_in)
    if not held:
        asks.append(f"The ledger holds no {name} at that day. Are name and day right?")
    return Read(event, (*asks, *more, *and_more))


def book(conn: psycopg.Connection[Any], fact: CashMovement | CorporateEvent, why: str, username: str) -> str:
    """Store a fact in the caller's transaction; returns what was booked, as a sentence.

    Raises:
        BadInput: The reason is missing or too long, or the sign is wrong for the kind.
        UnknownSymbol: A name is not the desk's.
        Refused: The dividend is booked already.
        LedgerError: The facts would not add up.
    """
    require_why(why)
    if isinstance(fact, CorporateEvent):
        for name in (fact.symbol, fact.new_symbol):
            if name:
                ledger.require_known(conn, name, "corporate event")
        ledger.record_event(conn, fact, recorded_by=username, why=why.strip())
        ledger.require_possible(conn)
        return f"Booked: {fact.kind.replace('_', ' ')} of {fact.symbol} on {long_day(fact.day)}."
    if fact.symbol:
        ledger.require_known(conn, fact.symbol, "dividend")
    ledger.record_movement(conn, fact, recorded_by=username, why=why.strip())
    if fact.kind == "dividend" and not fact.amount_gbp:
        return f"Noted: the dividend of {fact.symbol} with ex-date {fact.ex_date} will not come."
    of = f" of {fact.symbol}" if fact.symbol else ""
    return f"Booked: {fact.kind}{of}, {money(fact.amount_gbp)}, on {long_day(fact.day)}."


def require_why(why: str) -> None:
    """A person says why.

    Raises:
        BadInput: They did not, or at too great length.
    """
    if not why.strip():
        raise BadInput("The reason is missing. Write in a few words where this comes from.")
    if len(why) > LONGEST_WHY:
        raise BadInput(f"The reason has {len(why)} characters; use {LONGEST_WHY} at most.")


def money(amount: Decimal) -> str:
    """Pounds with pence, `£1,234.50`."""
    return pounds(fixed(amount, PENCE_PLACES))


def _come(day: dt.date, now: dt.datetime) -> None:
    today = now.astimezone(LONDON).date()
    if day > today:
        raise BadInput(f"{long_day(day)} has not come yet; today is {long_day(today)}. Nothing was booked.")
    if day < calendar.FIRST_DAY:
        raise BadInput(f"{long_day(day)} is before the calendar begins.")


def _moment(day: dt.date, now: dt.datetime) -> dt.datetime:
    """Noon of the day in London, or now if that has not come."""
    noon = dt.datetime(day.year, day.month, day.day, 12, tzinfo=LONDON).astimezone(dt.UTC)
    return min(noon, now)


def _unusual(amount: Decimal, equity: Decimal) -> list[str]:
    size = abs(amount)
    if equity > ZERO and size > equity * UNUSUAL:
        with exact():
            share = fixed(size / equity * 100, 0)
        return [f"{money(size)} is {share} % of all that the book is worth ({money(equity)}). Is the amount right?"]
    return []
