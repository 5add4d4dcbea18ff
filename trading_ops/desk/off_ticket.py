"""A trade that no ticket asked for: its form as it reads now, in plain words, and what to look at again.

Nothing here raises for odd text, and an unusual trade that is true is kept after a second look.
Does not belong here: booking it (`answering.record_off_ticket`), a ticket's lines (`typed_answer`), widgets.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg

from trading_ops.desk import books_now
from trading_ops.desk.account_check import known_names
from trading_ops.desk.answering import OffTicket
from trading_ops.domain import calendar
from trading_ops.domain.calendar import LONDON
from trading_ops.domain.slips import likely_slip, near
from trading_ops.domain.ticket_words import clock, long_day
from trading_ops.domain.typed import PLACES, Kind, typed_number, typed_time
from trading_ops.domain.values import UNIT_PLACES, ZERO, exact, fixed, half_even, plain

Fields = Mapping[str, Any]
"""The form as it is kept in a draft: `side` (BUY or SELL), `name`, `cfd`, `price`, `units`, `value`, `fee`, `day`,
`time`, `position_id`, `why`; texts, and `cfd` a boolean."""
NUMBERS: tuple[Kind, ...] = ("price", "units", "value", "fee")
LOOKED_AT = ("side", "name", *NUMBERS, "day", "time")
"""What the questions are about: a change of any of these needs another look."""
SLACK = dt.timedelta(minutes=5)
OVERSOLD = "oversold"
"""Beside no field: such a sale cannot be booked before the ledger is put right."""


@dataclass(frozen=True)
class Around:
    """What the books know beside such a trade.

    Attributes:
        names: What people call every known name, by symbol.
        held: Units by symbol.
        close_usd: The newest close of the chosen name, None when unknown.
        usd_per_gbp: Dollars for one pound, None when unknown.
        share: The share beyond which a number is unusual.
    """

    names: Mapping[str, str]
    held: Mapping[str, Decimal]
    close_usd: Decimal | None
    usd_per_gbp: Decimal | None
    share: Decimal


@dataclass(frozen=True)
class TradeReading:
    """The form as it reads now.

    Attributes:
        trade: What can be booked; None while something is missing, or when it is no stock of the desk.
        note_only: A CFD, a name that the desk does not know, or more sold than held: the operator is told, nothing is
            booked.
        mend: What is missing or cannot be read, by field.
        asks: What to look at again, by field.
        notes: How a number was read, by field.
        looked_at: What a second look holds for: every question, and all that was typed but the words.
    """

    trade: OffTicket | None
    note_only: bool
    mend: Mapping[str, str]
    asks: Mapping[str, str]
    notes: Mapping[str, str]
    looked_at: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """It can be checked and sent."""
        return not self.mend


def around(conn: psycopg.Connection[Any], symbol: str, now: dt.datetime) -> Around:
    """What the books know as of a moment, aware UTC."""
    of = books_now.books(conn)
    session = books_now.newest_session(conn, now)
    closes = books_now.newest_closes(conn, of.policy, [symbol], session)
    fixing = of.fixing(session)
    held = {s: p.units for s, p in of.at(now.date()).positions.items()}
    return Around(
        known_names(conn), held, closes[symbol][1] if symbol in closes else None,
        fixing.usd_per_gbp if fixing else None, of.policy.confirmation.price_question,
    )  # fmt: skip


def read_trade(fields: Fields, books: Around, now: dt.datetime) -> TradeReading:
    """Read the form.

    Args:
        fields: What was typed.
        books: What the ledger and the market data say.
        now: The moment, aware UTC.
    """
    mend, asks, notes = {}, {}, {}
    side, name, why = (str(fields.get(key) or "").strip() for key in ("side", "name", "why"))
    note_only = bool(fields.get("cfd")) or (bool(name) and name not in books.names)
    if side not in ("BUY", "SELL"):
        mend["side"] = "what happened"
    if not name:
        mend["name"] = "which name"
    values: dict[str, Decimal | None] = {}
    for key in NUMBERS:
        values[key] = None
        if not (text := str(fields.get(key) or "")).strip():
            continue
        found = typed_number(text, key, books.close_usd if key == "price" else None)
        exponent = found.value.as_tuple().exponent if found.value is not None else 0
        if found.value is None or (isinstance(exponent, int) and -exponent > PLACES[key]):
            mend[key] = found.question
            continue
        values[key] = found.value
        asks |= {key: found.question} if found.question else {}
        notes |= {key: found.note} if found.note else {}
    at = _moment(fields, now, mend, asks)
    if not note_only:
        if values["price"] is None:
            mend.setdefault("price", "the price")
        if values["units"] is None and values["value"] is None:
            mend.setdefault("units", "the units, or the amount in £")
    if not why:
        mend["why"] = "how it came about"
    for key, sentence in () if note_only else _odd(side, name, values, at, books):
        asks.setdefault(key, sentence)
    note_only = note_only or OVERSOLD in asks
    trade = None
    if not mend and not note_only and at is not None and values["price"] is not None:
        position_id = str(fields.get("position_id") or "").strip() or None
        trade = OffTicket(
            name, side, values["price"], at, values["units"], values["value"], values["fee"], position_id, why
        )
    typed = [f"{key} {fields.get(key) or ''}" for key in LOOKED_AT]
    return TradeReading(trade, note_only, mend, asks, notes, (*asks.values(), *typed) if asks else ())


def _moment(fields: Fields, now: dt.datetime, mend: dict[str, str], asks: dict[str, str]) -> dt.datetime | None:
    try:
        day = dt.date.fromisoformat(str(fields.get("day") or ""))
    except ValueError:
        day = now.astimezone(LONDON).date()
    text = str(fields.get("time") or "")
    if not text.strip():
        mend["time"] = "the time"
        return None
    found = typed_time(text, day)
    if found.value is None:
        mend["time"] = found.question
    elif found.value > now + SLACK:
        mend["time"] = f"{text} on {long_day(day)} has not come yet. Look at the time that eToro shows for this trade."
    elif found.question:
        asks["time"] = found.question
    return found.value


def _odd(
    side: str, name: str, values: Mapping[str, Decimal | None], at: dt.datetime | None, books: Around
) -> Iterator[tuple[str, str]]:
    price, units, value = values["price"], values["units"], values["value"]
    with exact():
        if price is not None and books.close_usd is not None:
            yield from _price(side, price, books)
        if price and units and value and books.usd_per_gbp:
            pounds = units * price / books.usd_per_gbp
            if not near(value, pounds, books.share):
                about = f"{plain(units)} units at ${plain(price)} are about £{fixed(pounds, 0)}, not £{plain(value)}."
                yield "value", f"{about} Compare units, price and amount with the eToro screen."
        held = books.held.get(name, ZERO)
        sold = units
        if sold is None and value and price and books.usd_per_gbp:
            sold = half_even(value * books.usd_per_gbp / price, UNIT_PLACES)
        if side == "SELL" and name and sold is not None and sold > held:
            have = f"the desk has {plain(held)} units of {name}" if held else f"the desk does not have {name}"
            look = "Look at the name and at 'Units' in the history on eToro."
            yield OVERSOLD, f"More is sold than is held: {have}. {look} If it is right, the operator is told."
    if at is not None and not _market_open(at):
        look = "Look at the time that eToro shows for this trade; if it is right, keep it."
        yield "time", f"At {clock(at)} the US market was closed. {look}"


def _price(side: str, price: Decimal, books: Around) -> Iterator[tuple[str, str]]:
    close = books.close_usd
    assert close is not None
    if near(price, close, books.share):
        return
    where = "under 'Open Price' in the position" if side != "SELL" else "under 'Close Price' in the history"
    if books.usd_per_gbp:
        for factor, money in ((books.usd_per_gbp, "pounds"), (books.usd_per_gbp / 100, "pence")):
            if near(price * factor, close, books.share):
                yield "price", f"This looks like a price in {money}. The field wants dollars, as {where}."
                return
    slip = likely_slip(price, close, books.share)
    first = slip.sentence if slip else f"This price is far from the newest close, ${plain(close)}."
    yield "price", f"{first} Look at the price {where}; if it is right, keep it."


def _market_open(at: dt.datetime) -> bool:
    day = at.astimezone(calendar.NEW_YORK).date()
    return calendar.is_session(day) and calendar.open_utc(day) <= at <= calendar.close_utc(day)
