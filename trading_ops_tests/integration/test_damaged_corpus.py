"""Damaged answers of every source, through the real clients: each is refused by its name, none gives a bar or fixing.

Belongs here: which damage is refused how. Does not belong here: the good answers (`damaged_factory`), or what a round
does about a refusal (`test_rounds`).
"""

import gzip
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from trading_ops.drill import cells, damage, fields
from trading_ops.drill.damage import Change
from trading_ops.providers.protocol import Fetched, Outcome, Refusal
from trading_ops.providers.protocol import RefusalKind as Kind
from trading_ops_tests.integration.damaged_factory import GOOD, Damaged, server

DAY = 24 * 3600
ROW_3, LAST = slice(2, 3), slice(-1, None)


def utf_16(body: bytes) -> bytes:
    return body.decode().encode("utf-16")


def arabic(text: str) -> str:
    return "".join(chr(0x660 + int(c)) if c.isdigit() else c for c in text)


def on_the_line(of: str, path: str, **other: Kind) -> list[Damaged]:
    """What happens to any source's answer before a word of it is read; `path` is in every place.

    Args:
        of: Whose answer.
        path: Of the address that was asked.
        other: Kinds that this source names otherwise, by the name of the damage with `_` for a blank.
    """
    told: dict[str, tuple[Change, Kind]] = {
        "a page": (damage.page(), Kind.NOT_MARKET_DATA),
        "429": (damage.instead(b"", 429, Retry_After="60"), Kind.RATE_LIMITED),
        "503": (damage.page(status=503), Kind.SERVER_ERROR),
        "sent on": (damage.redirected(), Kind.FOREIGN_REDIRECT),
        "empty": (damage.instead(b""), Kind.EMPTY_FILE),
        "cut after a tenth": (damage.hangs_up(0.1), Kind.CUT_OFF),
        "cut in the middle": (damage.hangs_up(0.5), Kind.CUT_OFF),
        "cut near the end": (damage.hangs_up(0.99), Kind.CUT_OFF),
        "ends after two thirds": (damage.ends_at(0.66), Kind.CUT_OFF),
        "length too long": (damage.says_longer(40), Kind.CUT_OFF),
        "length too short": (damage.says_shorter(5), Kind.CUT_OFF),
        "UTF-16": (damage.spoilt(utf_16), Kind.DAMAGED_FILE),
        "gzip garbage": (damage.packed(lambda body: body), Kind.DAMAGED_FILE),
        "gzip cut off": (damage.packed(lambda body: gzip.compress(body)[:-12]), Kind.CUT_OFF),
        "in a page": (damage.in_a_page, Kind.NOT_MARKET_DATA),
    }
    kinds = {name: other.get(name.replace(" ", "_").replace("-", "_"), kind) for name, (_, kind) in told.items()}
    return [Damaged(of, name, change, kinds[name], path) for name, (change, _) in told.items()]


def csv_cell(text: str, column: str = "Close") -> Change:
    """The third row's cell, which is on line 4."""
    return cells.cell(2, column, text)


STOOQ = [
    *on_the_line("stooq", "/q/d/l/?s=aapl.us", UTF_16=Kind.NOT_MARKET_DATA),
    *(
        Damaged("stooq", *told)
        for told in (
            (
                "wrong symbol",
                damage.spoilt(bytes, Content_Disposition="attachment;filename=msft_us_d.csv"),
                Kind.WRONG_SYMBOL,
                "msft_us_d.csv",
            ),
            ("another name's prices", cells.times("3"), Kind.WRONG_SYMBOL, "2026-11-16"),
            ("high and low swapped", cells.names_swapped("High", "Low"), Kind.IMPOSSIBLE_BAR, "2026-11-16"),
            (
                "volume and close swapped",
                cells.names_swapped("Close", "Volume"),
                Kind.ADJUSTED_BASIS,
                "line 3, column Volume",
            ),
            (
                "no volume",
                cells.columns_moved(("Date", "Open", "High", "Low", "Close")),
                Kind.MISSING_COLUMN,
                "column Volume",
            ),
            (
                "no close",
                cells.columns_moved(("Date", "Open", "High", "Low", "Volume")),
                Kind.MISSING_COLUMN,
                "column Close",
            ),
            ("fractional volume", csv_cell("1000000.5", "Volume"), Kind.ADJUSTED_BASIS, "line 4, column Volume"),
            ("future date", cells.days_moved(7, LAST), Kind.NOT_ASKED_FOR, "2026-11-27"),
            ("another time zone", cells.days_moved(-1), Kind.OFF_CALENDAR, "2026-11-15"),
            ("Saturday bar", cells.days_moved(1, LAST), Kind.OFF_CALENDAR, "2026-11-21"),
            ("one bar x100", cells.times("100", ROW_3), Kind.WRONG_SCALE, "2026-11-18"),
            ("last bar x100", cells.times("100", LAST), Kind.WRONG_SCALE, "2026-11-20"),
            ("one bar /100", cells.times("0.01", ROW_3), Kind.WRONG_SCALE, "2026-11-18"),
            ("all x100", cells.times("100"), Kind.WRONG_SCALE, "2026-11-16"),
            ("all /100", cells.times("0.01"), Kind.WRONG_SCALE, "2026-11-16"),
            ("1e400", csv_cell("1e400"), Kind.OUT_OF_RANGE, "line 4, column Close"),
            ("NaN", csv_cell("NaN"), Kind.MISSING_VALUE, "line 4, column Close"),
            ("Infinity", csv_cell("Infinity"), Kind.OUT_OF_RANGE, "line 4, column Close"),
            ("null", csv_cell("null"), Kind.MISSING_VALUE, "line 4, column Close"),
            ("empty cell", csv_cell(""), Kind.MISSING_VALUE, "line 4, column Close"),
            ("negative", csv_cell("-99.80"), Kind.IMPOSSIBLE_BAR, "2026-11-18"),
            ("zero", csv_cell("0"), Kind.IMPOSSIBLE_BAR, "2026-11-18"),
            ("negative volume", csv_cell("-1000000", "Volume"), Kind.IMPOSSIBLE_BAR, "2026-11-18"),
            ("same row twice", cells.twice(2), Kind.DUPLICATE_ROW, "2026-11-18"),
            ("same day, another close", cells.twice(2, Close="99.90"), Kind.DUPLICATE_ROW, "2026-11-18"),
            ("decimal comma", csv_cell("99,80"), Kind.DAMAGED_FILE, "/q/d/l/"),
            ("decimal commas in quotes", csv_cell('"99,80"'), Kind.NOT_A_NUMBER, "line 4, column Close"),
            ("thousands separator", csv_cell('"1,000,000"', "Volume"), Kind.NOT_A_NUMBER, "line 4, column Volume"),
            ("blank for thousands", csv_cell("1 000 000", "Volume"), Kind.NOT_A_NUMBER, "line 4, column Volume"),
            ("hex", csv_cell("0x63"), Kind.NOT_A_NUMBER, "line 4, column Close"),
            ("underscore", csv_cell("9_9.80"), Kind.NOT_A_NUMBER, "line 4, column Close"),
            ("Arabic digits", csv_cell(arabic("99.80")), Kind.NOT_A_NUMBER, "line 4, column Close"),
            ("truth for a number", csv_cell("true"), Kind.NOT_A_NUMBER, "line 4, column Close"),
            ("dd/mm/yyyy", csv_cell("18/11/2026", "Date"), Kind.BAD_DATE, "line 4, column Date"),
            ("two-digit year", csv_cell("26-11-18", "Date"), Kind.BAD_DATE, "line 4, column Date"),
            ("date in Arabic digits", csv_cell(arabic("2026-11-18"), "Date"), Kind.BAD_DATE, "line 4, column Date"),
            ("noise before", damage.before(damage.PHP_WARNING), Kind.NOISE_BEFORE_DATA, "Warning"),
            ("noise after", damage.after(damage.PHP_WARNING), Kind.DAMAGED_FILE, "/q/d/l/"),
            ("header only", cells.in_csv(cells.only_header), Kind.HEADER_ONLY, "/q/d/l/"),
            ("JSON", damage.instead(b'{"data": []}'), Kind.NOT_MARKET_DATA, "/q/d/l/"),
        )
    ),
]


def swap(one: str, other: str) -> Change:
    """Two fields of every row bear each other's name."""

    def change(row: dict[str, Any]) -> None:
        row[one], row[other] = row[other], row[one]

    return fields.each_row(change)


def raw_row(field: str, text: bytes) -> Change:
    """The third row's number as only a raw body can write it."""
    return damage.both(fields.row(2, **{field: "HERE"}), damage.replaced(b'"HERE"', text))


def without_field(row: dict[str, Any]) -> None:
    del row["close"]


def dated(pattern: str) -> Callable[[dict[str, Any]], None]:
    def change(row: dict[str, Any]) -> None:
        year, month, day = row["date"][:10].split("-")
        row["date"] = pattern.format(y=year, yy=year[2:], m=month, d=day)

    return change


def of_tiingo(name: str, change: Change, kind: Kind, says: str = "row 3, column close") -> Damaged:
    return Damaged("tiingo", name, change, kind, says)


TIINGO = [
    *on_the_line("tiingo", "/tiingo/daily/AAPL/prices", **{"429": Kind.QUOTA_SPENT}),
    of_tiingo("unknown name", damage.instead(b'{"detail":"Not found."}', 404), Kind.UNKNOWN_TO_SOURCE, "/daily/AAPL/"),
    of_tiingo("another ticker's rows", fields.each_row(fields.raised(0.2)), Kind.WRONG_SYMBOL, "2026-11-16"),
    of_tiingo("high and low swapped", swap("high", "low"), Kind.IMPOSSIBLE_BAR, "2026-11-16"),
    of_tiingo("volume and close swapped", swap("volume", "close"), Kind.IMPOSSIBLE_BAR, "2026-11-16"),
    of_tiingo("no close", fields.each_row(without_field, ROW_3), Kind.MISSING_COLUMN),
    of_tiingo("future date", fields.row(4, date="2026-11-27T00:00:00.000Z"), Kind.NOT_ASKED_FOR, "2026-11-27"),
    of_tiingo(
        "another time zone", fields.each_row(dated("{y}-{m}-{d}T05:00:00.000Z")), Kind.BAD_DATE, "row 1, column date"
    ),
    of_tiingo("Saturday bar", fields.row(4, date="2026-11-21T00:00:00.000Z"), Kind.OFF_CALENDAR, "2026-11-21"),
    of_tiingo("dd/mm/yyyy", fields.each_row(dated("{d}/{m}/{y}")), Kind.BAD_DATE, "row 1, column date"),
    of_tiingo(
        "two-digit years", fields.each_row(dated("{yy}-{m}-{d}T00:00:00.000Z")), Kind.BAD_DATE, "row 1, column date"
    ),
    of_tiingo("one bar x100", fields.each_row(fields.raised(100), ROW_3), Kind.WRONG_SCALE, "2026-11-18"),
    of_tiingo("all x100", fields.each_row(fields.raised(100)), Kind.WRONG_SCALE, "2026-11-16"),
    of_tiingo("one bar /100", fields.each_row(fields.raised(0.01), ROW_3), Kind.WRONG_SCALE, "2026-11-18"),
    of_tiingo("1e400", raw_row("close", b"1e400"), Kind.OUT_OF_RANGE),
    of_tiingo("NaN", raw_row("close", b"NaN"), Kind.MISSING_VALUE),
    of_tiingo("Infinity", raw_row("close", b"Infinity"), Kind.OUT_OF_RANGE),
    of_tiingo("null in the middle", fields.row(2, close=None), Kind.MISSING_VALUE),
    of_tiingo("negative", fields.row(2, close=-99.8), Kind.IMPOSSIBLE_BAR, "2026-11-18"),
    of_tiingo("zero", fields.row(2, close=0), Kind.IMPOSSIBLE_BAR, "2026-11-18"),
    of_tiingo("empty text", fields.row(2, close=""), Kind.NOT_A_NUMBER),
    of_tiingo("text for a number", fields.row(2, close="99.8"), Kind.NOT_A_NUMBER),
    of_tiingo("truth for a number", fields.row(2, close=True), Kind.NOT_A_NUMBER),
    of_tiingo("nested number", fields.row(2, close={"raw": 99.8, "fmt": "99.80"}), Kind.NOT_A_NUMBER),
    of_tiingo("decimal comma", fields.row(2, close="99,8"), Kind.NOT_A_NUMBER),
    of_tiingo("hex", raw_row("close", b"0x63"), Kind.NOT_MARKET_DATA, "/prices"),
    of_tiingo("underscore", raw_row("close", b"9_9.8"), Kind.NOT_MARKET_DATA, "/prices"),
    of_tiingo("Arabic digits", raw_row("close", arabic("99.8").encode()), Kind.NOT_MARKET_DATA, "/prices"),
    of_tiingo(
        "same row twice", fields.in_rows(lambda rows: rows.append(dict(rows[2]))), Kind.DUPLICATE_ROW, "2026-11-18"
    ),
    of_tiingo(
        "same day, another close",
        fields.in_rows(lambda rows: rows.append(rows[2] | {"close": 99.9})),
        Kind.DUPLICATE_ROW,
        "2026-11-18",
    ),
    of_tiingo("unexpected nesting", fields.in_rows(lambda rows: [rows]), Kind.NOT_MARKET_DATA, "/prices"),
    of_tiingo(
        "rows in an object", damage.spoilt(lambda body: b'{"data": ' + body + b"}"), Kind.NOT_MARKET_DATA, "/prices"
    ),
    of_tiingo("truncated JSON", damage.without_end(1), Kind.CUT_OFF, "/prices"),
    of_tiingo("split of 0", fields.row(2, splitFactor=0.0), Kind.BAD_ACTION, "2026-11-18"),
    of_tiingo("negative split", fields.row(2, splitFactor=-4.0), Kind.BAD_ACTION, "2026-11-18"),
    of_tiingo("split of 1e9", fields.row(2, splitFactor=1e9), Kind.BAD_ACTION, "2026-11-18"),
    of_tiingo("negative dividend", fields.row(2, divCash=-0.26), Kind.BAD_ACTION, "2026-11-18"),
    of_tiingo("dividend above the price", fields.row(2, divCash=150.0), Kind.BAD_ACTION, "2026-11-18"),
    Damaged(
        "tiingo split",
        "split doubled",
        fields.row(3, splitFactor=4.0),
        Kind.SPLIT_CONTRADICTION,
        "row 4, column adjClose",
    ),
    Damaged(
        "tiingo split",
        "split late",
        damage.both(fields.row(2, splitFactor=1.0), fields.row(3, splitFactor=4.0)),
        Kind.SPLIT_CONTRADICTION,
        "row 3, column adjClose",
    ),
    Damaged(
        "tiingo split",
        "split forgotten",
        fields.row(2, splitFactor=1.0),
        Kind.SPLIT_CONTRADICTION,
        "row 3, column adjClose",
    ),
]


def raw_quote(name: str, text: bytes) -> Change:
    """Wednesday's number as only a raw body can write it."""
    return damage.both(fields.quote(name, WEDNESDAY, "HERE"), damage.replaced(b'"HERE"', text))


def swap_quotes(one: str, other: str) -> Change:
    def change(chart: dict[str, Any]) -> None:
        quote = fields.columns_of(chart)
        quote[one], quote[other] = quote[other], quote[one]

    return fields.in_chart(change)


def row_again(close: float | None) -> Change:
    """Wednesday's row once more, with another close or the same."""

    def change(chart: dict[str, Any]) -> None:
        quote = fields.columns_of(chart)
        for values in (chart["timestamp"], *quote.values(), chart["indicators"]["adjclose"][0]["adjclose"]):
            values.append(values[WEDNESDAY])
        if close is not None:
            quote["close"][-1] = close

    return fields.in_chart(change)


def of_yahoo(name: str, change: Change, kind: Kind, says: str = "close of 2024-03-13") -> Damaged:
    return Damaged("yahoo", name, change, kind, says)


WEDNESDAY = 3
"""The row of the chart, which begins with the Friday before."""
ON_WEDNESDAY = slice(WEDNESDAY, WEDNESDAY + 1)
VOLUME_FOR_CLOSE = damage.both(
    fields.quotes(lambda shares: shares * 53, names=("volume",)), swap_quotes("volume", "close")
)
LATE = damage.both(fields.without_events("splits"), fields.event("splits", WEDNESDAY + 1, numerator=4, denominator=1))
"""The split is told of a day late, and the prices are divided as if it were on time."""
YAHOO = [
    *on_the_line(
        "yahoo", "/v8/finance/chart/ABC", empty=Kind.CUT_OFF, UTF_16=Kind.NOT_MARKET_DATA, gzip_garbage=Kind.CUT_OFF
    ),
    of_yahoo("wrong symbol", fields.of_meta(symbol="MSFT"), Kind.WRONG_SYMBOL, "this is MSFT"),
    of_yahoo("another name's prices", fields.quotes(lambda price: price * 0.27), Kind.WRONG_SYMBOL, "2024-03-11"),
    of_yahoo("pence", fields.of_meta(currency="GBp"), Kind.WRONG_CURRENCY, "GBp (pence)"),
    of_yahoo("by the hour", fields.of_meta(dataGranularity="1h"), Kind.NOT_ASKED_FOR, "by 1h"),
    of_yahoo("high and low swapped", swap_quotes("high", "low"), Kind.IMPOSSIBLE_BAR, "2024-03-11"),
    of_yahoo("volume and close swapped", VOLUME_FOR_CLOSE, Kind.IMPOSSIBLE_BAR, "2024-03-11"),
    of_yahoo(
        "no close",
        fields.in_chart(lambda chart: fields.columns_of(chart).pop("close")),
        Kind.NOT_MARKET_DATA,
        "close is missing",
    ),
    of_yahoo(
        "a column too short",
        fields.in_chart(lambda chart: fields.columns_of(chart)["low"].pop()),
        Kind.NOT_MARKET_DATA,
        "values of low",
    ),
    of_yahoo("future date", fields.stamps(lambda stamp: stamp + 7 * DAY, LAST), Kind.NOT_ASKED_FOR, "2024-03-22"),
    of_yahoo("another time zone", fields.stamps(lambda stamp: stamp - 48600), Kind.OFF_CALENDAR, "2024-03-07 20:00"),
    of_yahoo(
        "says another time zone",
        fields.of_meta(exchangeTimezoneName="Europe/London"),
        Kind.OFF_CALENDAR,
        "Europe/London",
    ),
    of_yahoo("Saturday bar", fields.stamps(lambda stamp: stamp - 6 * DAY, LAST), Kind.OFF_CALENDAR, "2024-03-09"),
    of_yahoo("date as text", fields.stamps(lambda _: "13/03/2024", ON_WEDNESDAY), Kind.BAD_DATE, "13/03/2024"),
    of_yahoo("milliseconds", fields.stamps(lambda stamp: stamp * 1000), Kind.BAD_DATE, "is no time"),
    of_yahoo("one bar x100", fields.quotes(lambda price: price * 100, ON_WEDNESDAY), Kind.WRONG_SCALE, "2024-03-13"),
    of_yahoo("all x100", fields.quotes(lambda price: price * 100), Kind.WRONG_SCALE, "2024-03-11"),
    of_yahoo("one bar /100", fields.quotes(lambda price: price / 100, ON_WEDNESDAY), Kind.WRONG_SCALE, "2024-03-13"),
    of_yahoo("1e400", raw_quote("close", b"1e400"), Kind.OUT_OF_RANGE),
    of_yahoo("NaN", raw_quote("close", b"NaN"), Kind.NOT_A_NUMBER),
    of_yahoo("Infinity", raw_quote("close", b"Infinity"), Kind.NOT_A_NUMBER),
    of_yahoo(
        "null in the middle", fields.quote("close", WEDNESDAY, None), Kind.MISSING_VALUE, "2024-03-13 has no close"
    ),
    of_yahoo("negative", fields.quote("close", WEDNESDAY, -99.8), Kind.IMPOSSIBLE_BAR, "2024-03-13"),
    of_yahoo("zero", fields.quote("close", WEDNESDAY, 0), Kind.IMPOSSIBLE_BAR, "2024-03-13"),
    of_yahoo("negative volume", fields.quote("volume", WEDNESDAY, -1), Kind.IMPOSSIBLE_BAR, "2024-03-13"),
    of_yahoo("empty text", fields.quote("close", WEDNESDAY, ""), Kind.NOT_A_NUMBER),
    of_yahoo("text for a number", fields.quote("close", WEDNESDAY, "99.8"), Kind.NOT_A_NUMBER),
    of_yahoo("truth for a number", fields.quote("close", WEDNESDAY, True), Kind.NOT_A_NUMBER),
    of_yahoo(
        "thousands separator", fields.quote("volume", WEDNESDAY, "1,000"), Kind.NOT_A_NUMBER, "volume of 2024-03-13"
    ),
    of_yahoo("nested number", fields.quote("close", WEDNESDAY, {"raw": 99.8}), Kind.NOT_A_NUMBER),
    of_yahoo("hex", raw_quote("close", b"0x63"), Kind.NOT_MARKET_DATA, "/chart/ABC"),
    of_yahoo("underscore", raw_quote("close", b"9_9.8"), Kind.NOT_MARKET_DATA, "/chart/ABC"),
    of_yahoo("Arabic digits", raw_quote("close", arabic("99.8").encode()), Kind.NOT_MARKET_DATA, "/chart/ABC"),
    of_yahoo("same row twice", row_again(None), Kind.DUPLICATE_ROW, "2024-03-13"),
    of_yahoo("same day, another close", row_again(99.9), Kind.DUPLICATE_ROW, "2024-03-13"),
    of_yahoo(
        "unexpected nesting", damage.replaced(b'"result": [', b'"result": [['), Kind.NOT_MARKET_DATA, "/chart/ABC"
    ),
    of_yahoo(
        "table in a table",
        fields.in_chart(lambda chart: chart["indicators"].update(quote=[[fields.columns_of(chart)]])),
        Kind.NOT_MARKET_DATA,
        "quote is list",
    ),
    of_yahoo("truncated JSON", damage.without_end(1), Kind.CUT_OFF, "/chart/ABC"),
    of_yahoo(
        "split of 0", fields.event("splits", WEDNESDAY, numerator=0, denominator=1), Kind.BAD_ACTION, "2024-03-13"
    ),
    of_yahoo(
        "negative split", fields.event("splits", WEDNESDAY, numerator=-4, denominator=1), Kind.BAD_ACTION, "2024-03-13"
    ),
    of_yahoo(
        "split of 1e9", fields.event("splits", WEDNESDAY, numerator=10**9, denominator=1), Kind.BAD_ACTION, "2024-03-13"
    ),
    of_yahoo("negative dividend", fields.event("dividends", WEDNESDAY, amount=-0.26), Kind.BAD_ACTION, "2024-03-13"),
    of_yahoo(
        "dividend above the price", fields.event("dividends", WEDNESDAY, amount=150), Kind.BAD_ACTION, "2024-03-13"
    ),
    Damaged(
        "yahoo split",
        "split doubled",
        fields.event("splits", WEDNESDAY + 1, numerator=4, denominator=1),
        Kind.SPLIT_CONTRADICTION,
        "2024-03-14",
    ),
    Damaged(
        "yahoo split",
        "split late, prices too",
        damage.both(LATE, fields.quotes(lambda price: price / 4, ON_WEDNESDAY)),
        Kind.SPLIT_CONTRADICTION,
        "2024-03-14",
    ),
    Damaged("yahoo split on record", "split late", LATE, Kind.SPLIT_CONTRADICTION, "4:1 on 2024-03-14 instead"),
    Damaged("yahoo split", "split forgotten", fields.without_events("splits"), Kind.SPLIT_CONTRADICTION, "2024-03-11"),
]


def ecb_cell(text: str, column: str = "OBS_VALUE") -> Change:
    """The dollar's rate of Wednesday."""
    return cells.cell(2, column, text)


def euro_legs_swapped(text: str) -> str:
    return {"USD": "GBP", "GBP": "USD"}[text]


ECB = [
    *on_the_line("ecb fixings", "/service/data/EXR/", in_a_page=Kind.CUT_OFF),
    *(
        Damaged("ecb fixings", *told)
        for told in (
            (
                "in pence",
                cells.column("OBS_VALUE", lambda rate: f"{float(rate) * 100:.3f}", slice(6, None)),
                Kind.BAD_FIXING,
                "2026-11-16",
            ),
            ("one rate in cents", ecb_cell("111.74"), Kind.BAD_FIXING, "2026-11-18"),
            ("wrong way round", cells.column("CURRENCY", euro_legs_swapped), Kind.BAD_FIXING, "2026-11-16"),
            ("weekend fixing", cells.days_moved(-2, slice(5, None, 6), "TIME_PERIOD"), Kind.OFF_CALENDAR, "2026-11-21"),
            ("future date", cells.days_moved(7, slice(5, None, 6), "TIME_PERIOD"), Kind.NOT_ASKED_FOR, "2026-11-30"),
            ("another currency", ecb_cell("JPY", "CURRENCY"), Kind.NOT_ASKED_FOR, "line 4, column CURRENCY"),
            ("no rates", damage.replaced(b"OBS_VALUE", b"VALUE"), Kind.MISSING_COLUMN, "column OBS_VALUE"),
            ("NaN", ecb_cell("NaN"), Kind.MISSING_VALUE, "line 4, column OBS_VALUE"),
            ("Infinity", ecb_cell("Infinity"), Kind.OUT_OF_RANGE, "line 4, column OBS_VALUE"),
            ("1e400", ecb_cell("1e400"), Kind.OUT_OF_RANGE, "line 4, column OBS_VALUE"),
            ("zero", ecb_cell("0"), Kind.BAD_FIXING, "line 4, column OBS_VALUE"),
            ("negative", ecb_cell("-1.1174"), Kind.BAD_FIXING, "line 4, column OBS_VALUE"),
            ("decimal comma", ecb_cell('"1,1174"'), Kind.NOT_A_NUMBER, "line 4, column OBS_VALUE"),
            ("same rate twice", cells.twice(2), Kind.DUPLICATE_ROW, "2026-11-18"),
            ("another rate of the day", cells.twice(2, OBS_VALUE="1.1180"), Kind.DUPLICATE_ROW, "2026-11-18"),
            ("dd/mm/yyyy", ecb_cell("18/11/2026", "TIME_PERIOD"), Kind.BAD_DATE, "line 4, column TIME_PERIOD"),
            ("by the month", ecb_cell("M", "FREQ"), Kind.NOT_ASKED_FOR, "line 4, column FREQ"),
        )
    ),
]
STOOQ_FIXINGS = [
    Damaged("stooq fixings", *told)
    for told in (
        ("a page", damage.page(), Kind.NOT_MARKET_DATA, "s=gbpusd"),
        ("429", damage.instead(b"", 429), Kind.RATE_LIMITED, "s=gbpusd"),
        ("cut in the middle", damage.hangs_up(0.5), Kind.CUT_OFF, "s=gbpusd"),
        ("ends early", damage.without_end(2), Kind.CUT_OFF, "s=gbpusd"),
        ("in pence", cells.times("100"), Kind.BAD_FIXING, "2026-11-16"),
        (
            "wrong way round",
            cells.column("Close", lambda rate: f"{1 / float(rate):.4f}"),
            Kind.BAD_FIXING,
            "2026-11-16",
        ),
        ("weekend fixing", cells.days_moved(1, slice(4, 5)), Kind.OFF_CALENDAR, "2026-11-21"),
        ("future date", cells.days_moved(7, LAST), Kind.NOT_ASKED_FOR, "2026-11-30"),
        (
            "another pair",
            damage.spoilt(bytes, Content_Disposition="attachment;filename=gbpeur_d.csv"),
            Kind.WRONG_SYMBOL,
            "gbpeur_d.csv",
        ),
        ("empty cell", csv_cell(""), Kind.MISSING_VALUE, "line 4, column Close"),
        ("negative", csv_cell("-1.3396"), Kind.BAD_FIXING, "2026-11-18"),
        ("same day, another rate", cells.twice(2, Close="1.34"), Kind.DUPLICATE_ROW, "2026-11-18"),
    )
]
YAHOO_FIXINGS = [
    Damaged("yahoo fixings", *told)
    for told in (
        ("a page", damage.page(), Kind.NOT_MARKET_DATA, "GBPUSD=X"),
        ("503", damage.page(status=503), Kind.SERVER_ERROR, "GBPUSD=X"),
        ("cut in the middle", damage.hangs_up(0.5), Kind.CUT_OFF, "GBPUSD=X"),
        ("in pence", fields.quotes(lambda rate: rate * 100), Kind.BAD_FIXING, "2026-11-16"),
        ("says pence", fields.of_meta(currency="GBp"), Kind.WRONG_CURRENCY, "GBp (pence)"),
        ("wrong way round", fields.quotes(lambda rate: 1 / rate), Kind.BAD_FIXING, "2026-11-16"),
        ("another pair", fields.of_meta(symbol="EURUSD=X"), Kind.WRONG_SYMBOL, "this is EURUSD=X"),
        ("another time zone", fields.stamps(lambda stamp: stamp + 3600), Kind.OFF_CALENDAR, "2026-11-16 01:00"),
        ("future date", fields.stamps(lambda stamp: stamp + 7 * DAY, LAST), Kind.NOT_ASKED_FOR, "2026-11-30"),
        ("null in the middle", fields.quote("close", 2, None), Kind.MISSING_VALUE, "2026-11-18 has no close"),
        ("text for a number", fields.quote("close", 2, "1.3396"), Kind.NOT_A_NUMBER, "close of 2026-11-18"),
        ("same day twice", fields.stamps(lambda stamp: stamp - DAY, ROW_3), Kind.DUPLICATE_ROW, "2026-11-17"),
    )
]
CORPUS = {f"{case.of}: {case.name}": case for case in (*STOOQ, *TIINGO, *YAHOO, *ECB, *STOOQ_FIXINGS, *YAHOO_FIXINGS)}


@pytest.fixture(scope="module")
def outcomes() -> Mapping[str, Outcome]:
    """What the real clients made of the whole corpus, played once."""
    with server() as play:
        return {name: play(case.of, case.change) for name, case in CORPUS.items()}


@pytest.mark.parametrize("of", GOOD)
def test_before_it_is_damaged_every_answer_is_good(of: str) -> None:
    with server() as play:
        got = play(of, lambda good: good)
    assert isinstance(got, Fetched), str(got)
    assert got.bars.num_rows + got.fixings.num_rows >= 5


@pytest.mark.parametrize("name", CORPUS)
def test_a_damaged_answer_gives_nothing_and_is_named(name: str, outcomes: Mapping[str, Outcome]) -> None:
    outcome, case = outcomes[name], CORPUS[name]
    assert isinstance(outcome, Refusal), f"accepted: {outcome}"
    assert outcome.kind is case.kind, outcome
    assert outcome.where.startswith("http://127.0.0.1:"), outcome
    assert outcome.sentence.strip(), outcome
    assert case.says in str(outcome), outcome


# Not refused: what is not there is absent and named, the rest comes

NULL = (*fields.PRICES, "volume")
SPARSE: dict[str, tuple[str, Change, str, str]] = {
    "yahoo: last bar null": ("yahoo", fields.quotes(lambda _: None, LAST, NULL), "2024-03-15",
                             "no bar of 2024-03-15: Yahoo sent none"),
    "yahoo: a bar in the middle null": ("yahoo", fields.quotes(lambda _: None, ON_WEDNESDAY, NULL), "2024-03-13",
                                        "no bar of 2024-03-13: Yahoo sent none"),
    "yahoo: last bar left out": ("yahoo", fields.without_day(-1), "2024-03-15",
                                 "no bar of 2024-03-15: Yahoo left the session out"),
    "yahoo: last rate null": ("yahoo fixings", fields.quotes(lambda _: None, LAST, NULL), "2026-11-23",
                              "no rate of 2026-11-23: Yahoo sent none"),
    "ecb: no dollar": ("ecb fixings", cells.in_csv(lambda table: table.pop(3)), "2026-11-18",
                       "2026-11-18: no fixing, only GBP has a rate"),
    "ecb: no pound": ("ecb fixings", cells.in_csv(lambda table: table.pop(9)), "2026-11-18",
                      "2026-11-18: no fixing, only USD has a rate"),
}  # fmt: skip


def days_of(got: Fetched) -> set[str]:
    """The sessions or days that came."""
    return {str(day) for day in (*got.bars["session"].to_pylist(), *got.fixings["day"].to_pylist())}


@pytest.mark.parametrize("name", SPARSE)
def test_a_day_without_a_price_is_absent_and_named(name: str) -> None:
    of, change, day, note = SPARSE[name]
    with server() as play:
        whole, got = play(of, lambda good: good), play(of, change)
    assert isinstance(whole, Fetched)
    assert isinstance(got, Fetched), str(got)
    assert days_of(got) == days_of(whole) - {day}
    assert note in got.provenance.notes


def test_a_weekend_rate_of_yahoos_is_left_out() -> None:
    with server() as play:
        got = play("yahoo fixings", fields.stamps(lambda stamp: stamp - 2 * DAY, LAST))
    assert isinstance(got, Fetched), str(got)
    assert "2026-11-21" not in days_of(got)
    assert len(days_of(got)) == 5


@pytest.mark.xfail(strict=True, reason="Yahoo alone cannot tell: Wednesday comes out as 399.20, and 99.80 was traded")
def test_a_split_a_day_late_that_no_one_else_tells_of_is_refused() -> None:
    with server() as play:
        assert isinstance(play("yahoo split", LATE), Refusal)


def test_the_corpus_is_large_and_none_of_it_is_accepted(
    outcomes: Mapping[str, Outcome], capsys: pytest.CaptureFixture[str]
) -> None:
    refusals = [outcome for outcome in outcomes.values() if isinstance(outcome, Refusal)]
    accepted = [name for name, outcome in outcomes.items() if not isinstance(outcome, Refusal)]
    counts = Counter(refusal.kind for refusal in refusals)
    with capsys.disabled():
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(counts.items()))
        print(f"\n{len(outcomes)} damaged answers: {len(refusals)} refused, {len(accepted)} accepted\n{kinds}")
    assert len(outcomes) >= 60
    assert accepted == []
    assert counts == Counter(case.kind for case in CORPUS.values())
