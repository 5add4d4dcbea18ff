"""What one of Yahoo's daily charts says: whose it is, rows by day, splits and dividends, exactly as sent.

Belongs here: reading the chart's fields, refusing by name what is of another kind, currency, time zone or shape.
Does not belong here: prices as traded (`yahoo_splits`), or what the desk does with a row (`yahoo`).
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from trading_ops.domain.values import ZERO
from trading_ops.providers.protocol import RefusalKind
from trading_ops.providers.web_answer import Answer, shown
from trading_ops.providers.yahoo_client import Told
from trading_ops.providers.yahoo_page import Page

PRICES = ("open", "high", "low", "close")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the chart must be.

    Attributes:
        symbol: Yahoo's spelling.
        kinds: Instrument types.
        zone: Time zone of its days.
        starts: First time of day of a row, in that zone.
        ends: Last one.
    """

    symbol: str
    kinds: tuple[str, ...]
    zone: ZoneInfo
    starts: dt.time
    ends: dt.time


@dataclass(frozen=True, slots=True)
class Row:
    """One day as sent; prices in USD are all there, or none is."""

    day: dt.date
    moment: dt.datetime
    prices: Mapping[str, Decimal] | None
    volume: Decimal | None


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart.

    Attributes:
        answer: The body it was read from.
        rows: By day.
        splits: (ex-date, new units per old unit) by ex-date, doubles and all.
        dividends: (ex-date, amount in USD per share of the day of the answer) by ex-date.
        first_trade: When Yahoo's history of the symbol begins; None when it does not say.
        notes: What was left out.
    """

    answer: Answer
    rows: tuple[Row, ...]
    splits: tuple[tuple[dt.date, Fraction], ...]
    dividends: tuple[tuple[dt.date, Decimal], ...]
    first_trade: dt.date | None
    notes: tuple[str, ...]

    @property
    def closes(self) -> dict[dt.date, Decimal]:
        """Every close there is, by day, as sent."""
        return {row.day: row.prices["close"] for row in self.rows if row.prices}


def read_chart(told: Told, wanted: Wanted, over: dt.datetime) -> Chart:
    """Read a chart.

    Args:
        told: What came back.
        wanted: What it must be.
        over: Rows that begin after it are of a day that is not over; their time of day may be any.

    Raises:
        RefusedData: It is of something else, holds nothing, or is not what a chart is.
    """
    page = Page(told.answer, wanted.zone)
    results = page.items(told.chart.get("result"), "result")
    if len(results) != 1:
        raise page.shapeless(f"{len(results)} results where one was asked for")
    result = page.mapping(results[0], "result")
    meta = page.mapping(result.get("meta"), "meta")
    _whose(page, meta, wanted)
    rows = _rows(page, result, wanted, over)
    events = page.mapping_or_none(result.get("events"), "events")
    gains = page.events(events, "capitalGains")
    first_trade = meta.get("firstTradeDate")
    return Chart(
        answer=told.answer,
        rows=rows,
        splits=tuple(sorted((day, _ratio(page, day, split)) for day, split in page.events(events, "splits"))),
        dividends=tuple(sorted((day, _amount(page, day, event)) for day, event in page.events(events, "dividends"))),
        first_trade=None if first_trade is None else page.moment(first_trade).date(),
        notes=tuple(f"a capital gain of {day} was left out: Yahoo may count it as a dividend too" for day, _ in gains),
    )


def _whose(page: Page, meta: Mapping[str, Any], wanted: Wanted) -> None:
    """The chart's own description must be of what was asked for."""
    symbol, grain, currency, kind, zone = (
        shown(str(meta.get(name)), (), 40)
        for name in ("symbol", "dataGranularity", "currency", "instrumentType", "exchangeTimezoneName")
    )
    if symbol != wanted.symbol:
        raise page.refuse(RefusalKind.WRONG_SYMBOL, f"{wanted.symbol} was asked for, this is {symbol}.")
    if grain != "1d":
        raise page.refuse(RefusalKind.NOT_ASKED_FOR, f"days were asked for, this is by {grain}.")
    if currency != "USD":
        pence = " (pence)" if currency in ("GBp", "GBX") else ""
        sentence = f"its prices are in {currency}{pence}, not in USD. Correct yahoo_symbol to the US listing."
        raise page.refuse(RefusalKind.WRONG_CURRENCY, sentence)
    if kind not in wanted.kinds:
        sentence = f"this is of the kind {kind}, not {' or '.join(wanted.kinds)}. Correct yahoo_symbol."
        raise page.refuse(RefusalKind.NOT_ASKED_FOR, sentence)
    if zone != wanted.zone.key:
        sentence = f"its days are those of {zone}, not of {wanted.zone.key}, so prices would land on other dates."
        raise page.refuse(RefusalKind.OFF_CALENDAR, sentence)


def _rows(page: Page, result: Mapping[str, Any], wanted: Wanted, over: dt.datetime) -> tuple[Row, ...]:
    quotes = page.items(page.mapping(result.get("indicators"), "indicators").get("quote"), "quote")
    if len(quotes) != 1:
        raise page.shapeless(f"{len(quotes)} tables of prices where one was asked for")
    quote = page.mapping(quotes[0], "quote")
    stamps = page.items([] if result.get("timestamp") is None else result["timestamp"], "timestamp")
    if not stamps and not any(quote.values()):
        raise page.refuse(RefusalKind.NO_DATA, "it has nothing on these days. Ask for other days.")
    columns = {name: page.items(quote.get(name), name) for name in (*PRICES, "volume")}
    for name, column in columns.items():
        if len(column) != len(stamps):
            raise page.shapeless(f"{len(stamps)} dates and {len(column)} values of {name}")
    rows: dict[dt.date, Row] = {}
    for place, stamp in enumerate(stamps):
        moment = page.moment(stamp)
        day = moment.date()
        if moment <= over and not wanted.starts <= moment.time() <= wanted.ends:
            sentence = (
                f"a row of {moment:%Y-%m-%d %H:%M} {wanted.zone.key} is no session's; its dates are another zone's."
            )
            raise page.refuse(RefusalKind.OFF_CALENDAR, sentence)
        row = _row(page, day, moment, {name: column[place] for name, column in columns.items()})
        if day in rows and moment <= over:
            raise page.refuse(RefusalKind.DUPLICATE_ROW, f"{day} is there twice, so its price would be a choice.")
        rows[day] = row
    return tuple(rows[day] for day in sorted(rows))


def _row(page: Page, day: dt.date, moment: dt.datetime, values: Mapping[str, Any]) -> Row:
    numbers = {name: page.number(value, day, name) for name, value in values.items() if value is not None}
    volume = numbers.pop("volume", None)
    if not numbers:
        return Row(day, moment, None, volume)
    missing = [name for name in PRICES if name not in numbers]
    if missing:
        sentence = f"{day} has no {' and no '.join(missing)}, but other prices: a damaged bar. Nothing was kept."
        raise page.refuse(RefusalKind.MISSING_VALUE, sentence)
    return Row(day, moment, numbers, volume)


def _ratio(page: Page, day: dt.date, split: Mapping[str, Any]) -> Fraction:
    new, old = (page.number(split.get(name), day, f"split {name}") for name in ("numerator", "denominator"))
    if new <= ZERO or old <= ZERO:
        raise page.refuse(RefusalKind.BAD_ACTION, f"{day} has a split of {new}:{old}. Look it up; nothing was kept.")
    return Fraction(new) / Fraction(old)


def _amount(page: Page, day: dt.date, event: Mapping[str, Any]) -> Decimal:
    currency = event.get("currency") or "USD"
    if currency != "USD":
        sentence = f"the dividend of {day} is in {shown(str(currency), (), 10)}, not in USD. Look it up."
        raise page.refuse(RefusalKind.WRONG_CURRENCY, sentence)
    amount = page.number(event.get("amount"), day, "dividend")
    if amount <= ZERO:
        raise page.refuse(RefusalKind.BAD_ACTION, f"{day} has a dividend of {amount}. Look it up; nothing was kept.")
    return amount
