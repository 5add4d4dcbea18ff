"""Yahoo as a test plays it: daily charts in its format, its recorded answers, and a server that gives them."""

import datetime as dt
import json
import math
import os
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from email.utils import parsedate_to_datetime
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from trading_ops.domain import calendar
from trading_ops.drill.server import Asked, LocalSource, Reply
from trading_ops.providers.protocol import Ask, Fetched, Outcome, Refusal, RefusalKind, SplitHistory
from trading_ops.providers.yahoo import Yahoo
from trading_ops_tests.unit.market_factory import ROOT, make_instrument

CRUMB = "Ab1/cd.EF2g"
SATURDAY = dt.datetime(2024, 3, 16, 9, 0, tzinfo=dt.UTC)
"""The usual moment of asking: the sessions of that week are over. New York changed its clocks the Sunday before."""
WEEK = tuple(dt.date(2024, 3, day) for day in range(11, 16))
TWO_WEEKS = (*(dt.date(2024, 3, day) for day in range(4, 9)), *WEEK)

Chart = dict[str, Any]


def sent(price: Decimal | str | int, factor: Fraction | int = 1) -> float:
    """A price as Yahoo sends it: divided, to six decimals, as the nearest 32-bit float."""
    divided = round(Fraction(Decimal(price)) / factor, 6)
    number: float = struct.unpack("<f", struct.pack("<f", float(divided)))[0]
    return number


def opening(day: dt.date) -> int:
    """The instant of 9:30 in New York."""
    return int(dt.datetime.combine(day, dt.time(9, 30), calendar.NEW_YORK).timestamp())


def make_chart(
    closes: Mapping[dt.date, Decimal | str | int | None],
    splits: Sequence[tuple[dt.date, int, int]] = (),
    dividends: Sequence[tuple[dt.date, float]] = (),
    factors: Mapping[dt.date, Fraction | int] | None = None,
    **meta: Any,
) -> Chart:
    """A chart as Yahoo sends it.

    Args:
        closes: As traded; None for a day without prices. Open is 1 % below, high and low are 2 % around.
        splits: Ex-date, numerator, denominator.
        dividends: Ex-date and amount as sent.
        factors: What Yahoo divided each day by; None for the splits after it.
        meta: Other values of the chart's description.
    """
    days = sorted(closes)
    ratios = {day: Fraction(new, old) for day, new, old in splits}
    by = factors or {day: math.prod((r for ex, r in ratios.items() if ex > day), start=Fraction(1)) for day in days}
    shift = {"open": "0.99", "high": "1.02", "low": "0.98", "close": "1"}
    quote: dict[str, list[Any]] = {
        name: [
            None if (c := closes[day]) is None else sent(_cents(Decimal(c) * Decimal(share)), by[day]) for day in days
        ]
        for name, share in shift.items()
    }
    quote["volume"] = [None if closes[day] is None else round(1000 * Fraction(by[day])) for day in days]
    usual = {
        "currency": "USD",
        "symbol": "ABC",
        "instrumentType": "EQUITY",
        "firstTradeDate": 345479400,
        "gmtoffset": -18000,
        "timezone": "EST",
        "exchangeTimezoneName": "America/New_York",
        "priceHint": 2,
        "dataGranularity": "1d",
        "validRanges": ["1d", "max"],
    }
    result: Chart = {
        "meta": usual | meta,
        "timestamp": [opening(day) for day in days],
        "indicators": {"quote": [quote], "adjclose": [{"adjclose": quote["close"]}]},
    }
    events: dict[str, Any] = {}
    if splits:
        events["splits"] = {
            f"{opening(day)}": {"date": opening(day), "numerator": n, "denominator": d, "splitRatio": f"{n}:{d}"}
            for day, n, d in splits
        }
    if dividends:
        events["dividends"] = {f"{opening(day)}": {"date": opening(day), "amount": amount} for day, amount in dividends}
    return {"chart": {"result": [result | ({"events": events} if events else {})], "error": None}}


def flat(days: Sequence[dt.date] = WEEK, close: str = "100") -> dict[dt.date, Decimal | str | int | None]:
    """One close on each day."""
    return dict.fromkeys(days, close)


def result_of(chart: Chart) -> Chart:
    """The one result of a chart, to change it."""
    found: Chart = chart["chart"]["result"][0]
    return found


def quote_of(chart: Chart) -> dict[str, list[Any]]:
    """The table of prices of a chart, to change it."""
    found: dict[str, list[Any]] = result_of(chart)["indicators"]["quote"][0]
    return found


def body(chart: Chart) -> bytes:
    """A chart as bytes."""
    return json.dumps(chart).encode()


def reply(chart: Chart) -> Reply:
    """A chart as Yahoo answers it."""
    return Reply(body(chart), headers={"Content-Type": "application/json"})


def error_reply(status: int, code: str, description: str) -> Reply:
    """An error as Yahoo words it."""
    told = {"chart": {"result": None, "error": {"code": code, "description": description}}}
    return Reply(json.dumps(told).encode(), status, {"Content-Type": "application/json"})


@contextmanager
def play(answer: Reply | Callable[[Asked], Reply], timeout: float = 20.0) -> Iterator[tuple[Yahoo, LocalSource]]:
    """The real client in front of a server that plays Yahoo; cookie and crumb are given as Yahoo gives them."""

    def all_of_it(asked: Asked) -> Reply:
        if asked.path == "/":
            return Reply(b"", 404, {"Set-Cookie": "A3=cookie; Path=/"})
        if asked.path == "/v1/test/getcrumb":
            return Reply(CRUMB.encode())
        return answer if isinstance(answer, Reply) else answer(asked)

    with LocalSource(all_of_it) as source:
        yahoo = Yahoo(source.url, timeout)
        try:
            yield yahoo, source
        finally:
            yahoo.close()


def make_ask(
    first: dt.date = WEEK[0], last: dt.date = WEEK[-1], at: dt.datetime = SATURDAY, symbol: str = "ABC", **more: Any
) -> Ask:
    """A question about ABC in the usual week."""
    instrument = make_instrument(symbol, instrument_type=more.pop("instrument_type", "stock"))
    return Ask(instrument, first, last, at, **more)


def history(*splits: tuple[str, str], through: dt.date | str) -> SplitHistory:
    """Splits known from elsewhere."""
    told = tuple((dt.date.fromisoformat(day), Decimal(ratio)) for day, ratio in splits)
    return SplitHistory(told, through if isinstance(through, dt.date) else dt.date.fromisoformat(through))


def fetched(outcome: Outcome) -> Fetched:
    """The answer, which must be one."""
    assert isinstance(outcome, Fetched), outcome
    return outcome


def refused(outcome: Outcome, kind: RefusalKind, *says: str) -> Refusal:
    """The refusal, which must be of this kind and hold these words."""
    assert isinstance(outcome, Refusal), outcome
    assert outcome.kind is kind, outcome
    assert all(word in outcome.sentence for word in says), outcome.sentence
    return outcome


def closes(outcome: Outcome) -> dict[dt.date, Decimal]:
    """Closes as traded by session."""
    return {bar["session"]: bar["close"] for bar in fetched(outcome).bars.to_pylist()}


def actions(outcome: Outcome) -> list[str]:
    """Corporate actions as text."""
    return [f"{a['ex_date']} {a['kind']} {a['value'].normalize():f}" for a in fetched(outcome).actions.to_pylist()]


def answer(chart: Chart | Reply, **ask: Any) -> Outcome:
    """What the real client makes of one answer."""
    with play(chart if isinstance(chart, Reply) else reply(chart)) as (yahoo, _):
        return yahoo.fetch(make_ask(**ask))


def recorded_folder() -> Path:
    """The folder of recorded answers; the test is skipped where it is missing."""
    shared = os.environ.get("TRADING_OPS_SHARED")
    folder = (Path(shared) if shared else ROOT.parent / "shared") / "recorded" / "yahoo_chart"
    if not folder.is_dir():
        pytest.skip(f"no recorded answers at {folder}; set TRADING_OPS_SHARED to the folder that holds recorded/")
    return folder


class Recorded:
    """One recorded answer, with the question that was asked and the moment of the answer."""

    def __init__(self, file: str) -> None:
        told = json.loads((recorded_folder() / file).read_text("utf-8"))
        url = urlsplit(told["request"]["url"])
        days = {name: _utc_day(values[0]) for name, values in parse_qs(url.query).items() if name.startswith("period")}
        self.symbol = url.path.rsplit("/", 1)[1]
        self.first = max(days["period1"], dt.date(1999, 1, 4))
        self.last = days["period2"] - dt.timedelta(days=1)
        self.at = parsedate_to_datetime(told["response"]["headers"]["date"])
        self.status: int = told["response"]["status"]
        self.chart: Chart = told["response"]["bodyJson"]

    def reply(self) -> Reply:
        """The answer as it was."""
        return Reply(body(self.chart), self.status, {"Content-Type": "application/json"})

    def ask(self, splits: SplitHistory | None, instrument_type: str = "stock") -> Ask:
        """The question as it was."""
        return make_ask(self.first, self.last, self.at, self.symbol, splits=splits, instrument_type=instrument_type)


def _utc_day(seconds: str) -> dt.date:
    return dt.datetime.fromtimestamp(int(seconds), dt.UTC).date()


def _cents(price: Decimal) -> Decimal:
    return price.quantize(Decimal("0.01"))
