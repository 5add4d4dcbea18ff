"""Charts of Yahoo that are about something else or cannot be true: each is refused by name, none gets through."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from trading_ops.drill.server import Reply
from trading_ops.providers.protocol import Fetched, FileFact, RefusalKind, RefusedData
from trading_ops.providers.web_answer import Answer
from trading_ops.providers.yahoo_client import Told
from trading_ops_tests.integration.yahoo_answers import (
    WEEK,
    Chart,
    answer,
    body,
    closes,
    fetched,
    flat,
    make_ask,
    make_chart,
    opening,
    play,
    quote_of,
    refused,
    reply,
    result_of,
)

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = WEEK
Kind = RefusalKind


@pytest.mark.parametrize(
    ("meta", "kind", "says"),
    [
        ({"symbol": "ABCD"}, Kind.WRONG_SYMBOL, "this is ABCD"),
        ({"symbol": None}, Kind.WRONG_SYMBOL, "this is None"),
        ({"currency": "GBp"}, Kind.WRONG_CURRENCY, "GBp (pence)"),
        ({"currency": "EUR"}, Kind.WRONG_CURRENCY, "in EUR"),
        ({"currency": None}, Kind.WRONG_CURRENCY, "in None"),
        ({"instrumentType": "FUTURE"}, Kind.NOT_ASKED_FOR, "kind FUTURE"),
        ({"instrumentType": "ETF"}, Kind.NOT_ASKED_FOR, "kind ETF, not EQUITY"),
        ({"dataGranularity": "1wk"}, Kind.NOT_ASKED_FOR, "by 1wk"),
        ({"exchangeTimezoneName": "Europe/London"}, Kind.OFF_CALENDAR, "Europe/London"),
    ],
)
def test_a_chart_of_something_else_is_refused(meta: dict[str, Any], kind: RefusalKind, says: str) -> None:
    refused(answer(make_chart(flat(), **meta)), kind, says)


def test_a_benchmark_is_an_etf() -> None:
    chart = make_chart(flat(), instrumentType="ETF")
    assert len(closes(answer(chart, instrument_type="etf"))) == 5


def damage_stamps(change: Callable[[list[int]], Any]) -> Callable[[Chart], Any]:
    return lambda chart: change(result_of(chart)["timestamp"])


def shift(hours: float) -> Callable[[list[int]], Any]:
    def moved(stamps: list[int]) -> None:
        stamps[:] = [stamp + round(hours * 3600) for stamp in stamps]

    return moved


def set_quote(name: str, place: int, value: Any) -> Callable[[Chart], Any]:
    return lambda chart: quote_of(chart)[name].__setitem__(place, value)


def swapped(chart: Chart) -> None:
    quote = quote_of(chart)
    quote["high"], quote["low"] = quote["low"], quote["high"]


def times_hundred(chart: Chart) -> None:
    for name in ("open", "high", "low", "close"):
        quote_of(chart)[name][2] *= 100


def nothing(chart: Chart) -> None:
    result_of(chart).update(timestamp=[], indicators={"quote": [{}]})


def doubled_row(chart: Chart) -> None:
    result_of(chart)["timestamp"][3] = result_of(chart)["timestamp"][2]


DAMAGES: dict[str, tuple[Callable[[Chart], Any], RefusalKind, str]] = {
    "midnight of another zone": (damage_stamps(shift(-13.5)), Kind.OFF_CALENDAR, "another zone"),
    "london's opening": (damage_stamps(shift(-5.5)), Kind.OFF_CALENDAR, "another zone"),
    "in the evening": (damage_stamps(shift(9)), Kind.OFF_CALENDAR, "another zone"),
    "a day late": (damage_stamps(shift(24)), Kind.OFF_CALENDAR, "no session"),
    "a year ahead": (damage_stamps(shift(24 * 364)), Kind.NOT_ASKED_FOR, "2025-03-1"),
    "a year ago": (damage_stamps(shift(-24 * 364)), Kind.NOT_ASKED_FOR, "was asked for"),
    "milliseconds": (damage_stamps(lambda s: s.__setitem__(0, s[0] * 1000)), Kind.BAD_DATE, "is no time"),
    "text for a time": (damage_stamps(lambda s: s.__setitem__(0, "2024-03-11")), Kind.BAD_DATE, "is no time"),
    "no time": (damage_stamps(lambda s: s.__setitem__(0, None)), Kind.BAD_DATE, "is no time"),
    "a row twice": (doubled_row, Kind.DUPLICATE_ROW, "2024-03-13 is there twice"),
    "dates without rows": (lambda c: quote_of(c)["close"].pop(), Kind.NOT_MARKET_DATA, "5 dates and 4 values of close"),
    "a column gone": (lambda c: quote_of(c).pop("high"), Kind.NOT_MARKET_DATA, "high is missing"),
    "columns swapped": (swapped, Kind.IMPOSSIBLE_BAR, "swapped"),
    "times a hundred": (times_hundred, Kind.WRONG_SCALE, "another unit"),
    "nought": (set_quote("low", 1, 0), Kind.IMPOSSIBLE_BAR, "above zero"),
    "below nought": (set_quote("low", 1, -5.5), Kind.IMPOSSIBLE_BAR, "above zero"),
    "negative volume": (set_quote("volume", 1, -1), Kind.IMPOSSIBLE_BAR, "volume"),
    "text for a price": (set_quote("close", 1, "100.0"), Kind.NOT_A_NUMBER, "not a number"),
    "truth for a price": (set_quote("close", 1, True), Kind.NOT_A_NUMBER, "not a number"),
    "far too large": (set_quote("close", 1, 10**13), Kind.OUT_OF_RANGE, "cannot be real"),
    "two results": (lambda c: c["chart"]["result"].append({}), Kind.NOT_MARKET_DATA, "2 results"),
    "no result": (lambda c: c["chart"].update(result=None), Kind.NOT_MARKET_DATA, "result is missing"),
    "no description": (lambda c: result_of(c).pop("meta"), Kind.NOT_MARKET_DATA, "meta is missing"),
    "nothing in range": (nothing, Kind.NO_DATA, "nothing"),
    "a list": (lambda c: c.update(chart=[]), Kind.NOT_MARKET_DATA, "no chart"),
    "split by nought": (lambda c: event(c, "splits", numerator=4, denominator=0), Kind.BAD_ACTION, "split of 4:0"),
    "split without a number": (lambda c: event(c, "splits", numerator=4), Kind.MISSING_VALUE, "denominator"),
    "negative dividend": (lambda c: event(c, "dividends", amount=-1), Kind.BAD_ACTION, "dividend of -1"),
    "dividend in euros": (lambda c: event(c, "dividends", amount=1, currency="EUR"), Kind.WRONG_CURRENCY, "in EUR"),
    "dividend of the price": (lambda c: event(c, "dividends", amount=150), Kind.BAD_ACTION, "no dividend"),
    "a split that never was": (lambda c: event(c, "splits", numerator=5000, denominator=1), Kind.BAD_ACTION, "5000"),
}  # fmt: skip


def event(chart: Chart, name: str, **values: Any) -> None:
    result_of(chart).setdefault("events", {})[name] = {"1": {"date": opening(WEDNESDAY)} | values}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_chart_is_refused_by_name(name: str) -> None:
    change, kind, says = DAMAGES[name]
    chart = make_chart(flat())
    change(chart)
    refusal = refused(answer(chart), kind)
    assert says in str(refusal)
    assert refusal.answer is not None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (b"1e400", Kind.OUT_OF_RANGE),
        (b"1e-400", Kind.OUT_OF_RANGE),
        (b"NaN", Kind.NOT_A_NUMBER),
        (b"Infinity", Kind.NOT_A_NUMBER),
        (b"-Infinity", Kind.NOT_A_NUMBER),
        (b"9" * 5000, Kind.NOT_MARKET_DATA),
        (b"1e999999999999999999", Kind.OUT_OF_RANGE),
        (b"[100.0]", Kind.NOT_A_NUMBER),
    ],
)
def test_what_json_can_write_and_no_price_can_be_is_refused(text: bytes, kind: RefusalKind) -> None:
    chart = make_chart(flat())
    quote_of(chart)["close"][2] = "HERE"
    refused(answer(Reply(body(chart).replace(b'"HERE"', text))), kind)


def test_a_body_that_says_one_thing_twice_is_refused() -> None:
    text = body(make_chart(flat())).replace(b'"currency": "USD"', b'"currency": "USD", "currency": "USD"')
    refused(answer(Reply(text)), Kind.NOT_MARKET_DATA, "twice")


def test_a_body_that_yfinance_cannot_read_or_reads_differently_is_refused() -> None:
    chart = make_chart(flat())
    result_of(chart)["indicators"]["adjclose"] = [{}]
    refused(answer(chart), Kind.NOT_MARKET_DATA, "yfinance cannot read the answer (KeyError")
    fact = FileFact("http://127.0.0.1/", "", 0, "", 0)
    told = Told(Answer(200, {}, b"", fact, ()), {}, {MONDAY: 100.0, TUESDAY: 101.0}, "")
    told.agree({MONDAY: Decimal("100.0"), TUESDAY: Decimal("99")}, through=MONDAY)
    for closes_sent in ({MONDAY: Decimal(100)}, {MONDAY: Decimal(100), TUESDAY: Decimal("100.99")}):
        with pytest.raises(RefusedData, match="another close of 2024-03-12"):
            told.agree(closes_sent, through=TUESDAY)


def test_another_names_prices_are_refused_by_the_closes_on_record() -> None:
    record = {MONDAY: Decimal("17.23"), TUESDAY: Decimal("17.61"), WEDNESDAY: Decimal("18.04")}
    refused(answer(make_chart(flat()), known=record), Kind.WRONG_SYMBOL, "another name's")


def test_whatever_a_field_is_replaced_by_nothing_is_raised_and_no_other_price_gets_through() -> None:
    """Every field of the chart is replaced by every kind of junk: refused, or the bars are what they were."""
    good = make_chart(flat(), splits=[(MONDAY, 2, 1)], dividends=[(TUESDAY, 0.5)])
    with play(reply(good)) as (yahoo, source):
        whole = fetched(yahoo.fetch(make_ask()))
        served: list[bytes] = []
        source.answer = lambda asked: Reply(served[-1])
        accepted = 0
        for place in _places(good):
            for junk in (None, True, -1, 10**400, "x", [], {}, [[]], {"a": {}}):
                served.append(json.dumps(_replaced(good, place, junk)).encode())
                outcome = yahoo.fetch(make_ask())
                if isinstance(outcome, Fetched):
                    accepted += 1
                    assert _prices(outcome) == _prices(whole) or _without_one_bar(outcome, whole), (place, junk)
        assert len(served) > 500
        assert accepted < len(served)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [p for key, item in inner for p in ((*path, key), *_places(item, (*path, key)))]


def _replaced(value: Any, place: tuple[Any, ...], junk: Any) -> Any:
    copy = json.loads(json.dumps(value))
    inner = copy
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = junk
    return copy


def _prices(outcome: Fetched) -> list[dict[str, Any]]:
    return outcome.bars.select(["session", "open", "high", "low", "close"]).to_pylist()


def _without_one_bar(outcome: Fetched, whole: Fetched) -> bool:
    kept = _prices(outcome)
    return len(kept) == 4 and all(bar in _prices(whole) for bar in kept)
