"""A corpus of damaged answers through the real clients: none is accepted, each is named.

Every case damages an answer that would be accepted, in one way. What one client does beyond that is in its own tests.
"""

import datetime as dt
import gzip
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest

from trading_ops.drill.server import LocalSource, Reply
from trading_ops.providers.ecb import EcbFixings
from trading_ops.providers.protocol import Fetched, Outcome, Refusal
from trading_ops.providers.protocol import RefusalKind as Kind
from trading_ops.providers.stooq import Stooq, StooqFixings
from trading_ops.providers.tiingo import Tiingo
from trading_ops.providers.web import Web
from trading_ops.providers.yahoo import YahooFixings
from trading_ops_tests.integration import yahoo_answers as yahoo
from trading_ops_tests.integration.answers import (
    AT,
    CLOSES,
    FRIDAY,
    HASTY,
    MONDAY,
    WEDNESDAY,
    ecb_csv,
    make_ask,
    stooq_csv,
    tiingo_json,
    tiingo_rows,
)

HTML = b"<!DOCTYPE html>\n<html><body>Back soon</body></html>\n"
Damage = Callable[[bytes], bytes | Reply]


@dataclass(frozen=True)
class Case:
    """One damaged answer: of which source, how, and what it must be called (any of some, where either is right)."""

    source: str
    name: str
    damage: Damage
    kinds: tuple[Kind, ...]


def case(source: str, name: str, damage: Damage, *kinds: Kind) -> Case:
    return Case(source, name, damage, kinds)


def sub(old: str, new: str, count: int = -1) -> Damage:
    """Other text; what is replaced must be there."""

    def change(body: bytes) -> bytes:
        assert old.encode() in body, f"{old!r} is not in the answer"
        return body.replace(old.encode(), new.encode(), count)

    return change


def whole(body: bytes, status: int = 200) -> Damage:
    return lambda _: Reply(body, status)


def lies(by: int) -> Damage:
    return lambda body: Reply(body, says_length=len(body) + by)


def cut(after: int) -> Damage:
    return lambda body: Reply(body, cut_after=after)


def rows(change: Callable[[list[dict[str, Any]]], object]) -> Damage:
    """Tiingo's rows, changed."""

    def damage(body: bytes) -> bytes:
        told = json.loads(body)
        change(told)
        return json.dumps(told).encode()

    return damage


def every(name: str, value: Callable[[Any], Any]) -> Damage:
    return rows(lambda told: [row.__setitem__(name, value(row[name])) for row in told])


def one(name: str, value: object, place: int = 2) -> Damage:
    return rows(lambda told: told[place].__setitem__(name, value))


def chart(change: Callable[[dict[str, Any]], object]) -> Damage:
    """Yahoo's chart, changed."""

    def damage(body: bytes) -> bytes:
        told = json.loads(body)
        change(told)
        return json.dumps(told).encode()

    return damage


def quote(name: str, value: object, place: int = 2) -> Damage:
    return chart(lambda told: yahoo.quote_of(told)[name].__setitem__(place, value))


def meta(name: str, value: object) -> Damage:
    return chart(lambda told: yahoo.result_of(told)["meta"].__setitem__(name, value))


def event(kind: str, **fields: object) -> Damage:
    def change(told: dict[str, Any]) -> None:
        stamp = yahoo.opening(yahoo.WEEK[2])
        yahoo.result_of(told).setdefault("events", {}).setdefault(kind, {})[str(stamp)] = {"date": stamp} | fields

    return chart(change)


def times_hundred(body: bytes) -> bytes:
    """A CSV whose prices are in cents."""
    head, *lines = body.decode().split("\r\n")
    cells = [line.split(",") for line in lines if line]
    scaled = [[day, *(str(100 * Decimal(p)) for p in prices), volume] for day, *prices, volume in cells]
    return "\r\n".join([head, *map(",".join, scaled), ""]).encode()


def shifted(days: int) -> Damage:
    """Dates of a CSV moved, as another time zone moves them."""

    def change(body: bytes) -> bytes:
        text = body.decode()
        for day in sorted(CLOSES, reverse=days > 0):
            text = text.replace(day.isoformat(), (day + dt.timedelta(days=days)).isoformat())
        return text.encode()

    return change


def columns(order: str) -> Damage:
    """A CSV with its values (not its header) in another order: 0 date, 1 open, 2 high, 3 low, 4 close, 5 volume."""

    def change(body: bytes) -> bytes:
        head, *lines = body.decode().split("\r\n")
        cells = [line.split(",") for line in lines if line]
        return "\r\n".join([head, *(",".join(row[int(n)] for n in order) for row in cells), ""]).encode()

    return change


NETWORK = (
    ("HTML with status 200", whole(HTML), (Kind.NOT_MARKET_DATA,)),
    ("HTML with status 503", whole(HTML, 503), (Kind.SERVER_ERROR,)),
    ("too many requests", whole(b"", 429), (Kind.RATE_LIMITED, Kind.QUOTA_SPENT)),
    ("a length that is too long", lies(100), (Kind.CUT_OFF, Kind.TIMED_OUT)),
    ("a line cut in the first row", cut(60), (Kind.CUT_OFF,)),
    ("a line cut before the end", cut(-3), (Kind.CUT_OFF,)),
    ("UTF-16", lambda body: body.decode().encode("utf-16"), (Kind.NOT_MARKET_DATA, Kind.DAMAGED_FILE, Kind.CUT_OFF)),
    ("packed and not said so", lambda body: gzip.compress(body, mtime=0),
     (Kind.NOT_MARKET_DATA, Kind.DAMAGED_FILE, Kind.CUT_OFF)),
    ("an empty answer", whole(b""), (Kind.EMPTY_FILE, Kind.NOT_MARKET_DATA, Kind.NO_DATA, Kind.CUT_OFF)),
)  # fmt: skip

CORPUS = (
    *(Case(source, name, damage, kinds) for source in ("stooq", "tiingo", "yahoo") for name, damage, kinds in NETWORK),
    # ---- Stooq's CSV
    case("stooq", "a length that is too short", lies(-20), Kind.CUT_OFF, Kind.DAMAGED_FILE),
    case("stooq", "another name's file",
         lambda body: Reply(body, headers={"Content-Disposition": "attachment; filename=msft_us_d.csv"}),
         Kind.WRONG_SYMBOL),
    case("stooq", "another name's prices", lambda _: stooq_csv({day: close * 3 for day, close in CLOSES.items()}),
         Kind.WRONG_SYMBOL),
    case("stooq", "high and low swapped", columns("013245"), Kind.IMPOSSIBLE_BAR),
    case("stooq", "close and volume swapped", columns("012354"), Kind.IMPOSSIBLE_BAR, Kind.ADJUSTED_BASIS),
    case("stooq", "a column missing", sub("Low,", ""), Kind.MISSING_COLUMN, Kind.DAMAGED_FILE, Kind.NOT_MARKET_DATA,
         Kind.UNKNOWN_SCHEMA),
    case("stooq", "a column unknown", sub("Volume", "Turnover"), Kind.UNKNOWN_COLUMN, Kind.UNKNOWN_SCHEMA,
         Kind.NOT_MARKET_DATA, Kind.MISSING_COLUMN),
    case("stooq", "dates in the future", shifted(7), Kind.NOT_ASKED_FOR),
    case("stooq", "another time zone", shifted(-1), Kind.OFF_CALENDAR, Kind.NOT_ASKED_FOR),
    case("stooq", "a Saturday", sub(f"{FRIDAY},", "2026-11-21,"), Kind.OFF_CALENDAR, Kind.NOT_ASKED_FOR),
    case("stooq", "all prices x100", times_hundred, Kind.WRONG_SCALE),
    case("stooq", "one bar x100", sub(f"{WEDNESDAY},99.80,100.80,98.80,99.80", f"{WEDNESDAY},9980,10080,9880,9980"),
         Kind.WRONG_SCALE),
    case("stooq", "one bar /100", sub(f"{WEDNESDAY},99.80,100.80,98.80,99.80", f"{WEDNESDAY},.998,1.008,.988,.998"),
         Kind.WRONG_SCALE),
    case("stooq", "1e400", sub("99.80,1000000", "1e400,1000000"), Kind.OUT_OF_RANGE),
    case("stooq", "NaN", sub("99.80,1000000", "NaN,1000000"), Kind.MISSING_VALUE, Kind.NOT_A_NUMBER),
    case("stooq", "infinite", sub("99.80,1000000", "inf,1000000"), Kind.OUT_OF_RANGE, Kind.NOT_A_NUMBER),
    case("stooq", "an empty price", sub("99.80,1000000", ",1000000"), Kind.MISSING_VALUE),
    case("stooq", "a negative price", sub("99.80,1000000", "-99.80,1000000"), Kind.IMPOSSIBLE_BAR),
    case("stooq", "a price of zero", sub("99.80,1000000", "0,1000000"), Kind.IMPOSSIBLE_BAR),
    case("stooq", "hexadecimal", sub("99.80,1000000", "0x63,1000000"), Kind.NOT_A_NUMBER),
    case("stooq", "an underscore", sub("99.80,1000000", "9_9.80,1000000"), Kind.NOT_A_NUMBER),
    case("stooq", "Arabic digits", sub("99.80,1000000", "٩٩.٨,1000000"), Kind.NOT_A_NUMBER),
    case("stooq", "a decimal comma", sub("99.80", "99,80"), Kind.DAMAGED_FILE, Kind.CUT_OFF),
    case("stooq", "thousands separators", sub("1000000", "1,000,000"), Kind.DAMAGED_FILE, Kind.CUT_OFF),
    case("stooq", "a session twice", lambda body: body + body.splitlines(keepends=True)[-1], Kind.DUPLICATE_ROW),
    case("stooq", "a session twice, differing", sub(f"{FRIDAY}", "2026-11-19"), Kind.DUPLICATE_ROW),
    case("stooq", "another way to write dates", sub("2026-11-", "11/2026/"), Kind.BAD_DATE),
    case("stooq", "two-digit years", sub("2026-", "26-"), Kind.BAD_DATE),
    case("stooq", "a fraction of a share", sub("1000000", "1000000.5"), Kind.ADJUSTED_BASIS),
    case("stooq", "noise before the data", lambda body: b"<b>Warning</b>: mysqli\n" + body, Kind.NOISE_BEFORE_DATA,
         Kind.NOT_MARKET_DATA),
    case("stooq", "a header and nothing else", lambda body: body.splitlines(keepends=True)[0], Kind.HEADER_ONLY),
    # ---- Tiingo's JSON
    case("tiingo", "JSON inside HTML", lambda body: b"<pre>" + body + b"</pre>", Kind.NOT_MARKET_DATA),
    case("tiingo", "JSON cut, with an honest length", lambda body: body[:-40], Kind.CUT_OFF, Kind.NOT_MARKET_DATA),
    case("tiingo", "one object instead of a list", lambda body: json.dumps({"rows": json.loads(body)}).encode(),
         Kind.NOT_MARKET_DATA),
    case("tiingo", "lists instead of objects", lambda body: json.dumps([[1, 2]]).encode(), Kind.NOT_MARKET_DATA),
    case("tiingo", "a field missing", rows(lambda told: told[2].pop("close")), Kind.MISSING_COLUMN, Kind.MISSING_VALUE,
         Kind.NOT_MARKET_DATA, Kind.UNKNOWN_SCHEMA),
    case("tiingo", "null", one("close", None), Kind.MISSING_VALUE),
    case("tiingo", "NaN", one("close", float("nan")), Kind.NOT_A_NUMBER, Kind.NOT_MARKET_DATA, Kind.OUT_OF_RANGE,
         Kind.MISSING_VALUE),
    case("tiingo", "1e400", sub('"close": 99.8', '"close": 1e400', 1), Kind.OUT_OF_RANGE),
    case("tiingo", "a number as text", one("close", "99.8"), Kind.NOT_A_NUMBER, Kind.NOT_MARKET_DATA),
    case("tiingo", "true for a number", one("close", True), Kind.NOT_A_NUMBER, Kind.NOT_MARKET_DATA),
    case("tiingo", "high and low swapped", rows(lambda told: [row.update(high=row["low"], low=row["high"])
                                                              for row in told]), Kind.IMPOSSIBLE_BAR),
    case("tiingo", "a split by zero", one("splitFactor", 0.0), Kind.BAD_ACTION),
    case("tiingo", "a negative split", one("splitFactor", -2.0), Kind.BAD_ACTION),
    case("tiingo", "a split by a thousand million", one("splitFactor", 1e9), Kind.BAD_ACTION),
    case("tiingo", "a negative dividend", one("divCash", -0.5), Kind.BAD_ACTION),
    case("tiingo", "a dividend above the price", one("divCash", 500.0), Kind.BAD_ACTION),
    case("tiingo", "a date that is none", one("date", "2026-11-31T00:00:00.000Z"), Kind.BAD_DATE),
    case("tiingo", "another time zone", every("date", lambda day: day.replace("T00:00:00.000Z", "T05:00:00.000Z")),
         Kind.BAD_DATE),
    case("tiingo", "a session twice", rows(lambda told: told.append(dict(told[-1]))), Kind.DUPLICATE_ROW),
    case("tiingo", "a sentence about the allocation",
         whole(b'{"detail":"Error: You have run over your hourly request allocation."}'), Kind.QUOTA_SPENT),
    # ---- Yahoo's charts
    case("yahoo", "another name", meta("symbol", "XYZ"), Kind.WRONG_SYMBOL),
    case("yahoo", "pence", meta("currency", "GBp"), Kind.WRONG_CURRENCY),
    case("yahoo", "euros", meta("currency", "EUR"), Kind.WRONG_CURRENCY),
    case("yahoo", "another exchange's clock", meta("exchangeTimezoneName", "Asia/Tokyo"), Kind.OFF_CALENDAR),
    case("yahoo", "hours instead of days", meta("dataGranularity", "1h"), Kind.NOT_ASKED_FOR),
    case("yahoo", "an index", meta("instrumentType", "INDEX"), Kind.NOT_ASKED_FOR),
    case("yahoo", "a null close", quote("close", None), Kind.MISSING_VALUE),
    case("yahoo", "NaN", quote("close", float("nan")), Kind.NOT_A_NUMBER, Kind.NOT_MARKET_DATA),
    case("yahoo", "infinite", quote("close", float("inf")), Kind.NOT_A_NUMBER, Kind.OUT_OF_RANGE, Kind.NOT_MARKET_DATA),
    case("yahoo", "a negative close", quote("close", -100.0), Kind.IMPOSSIBLE_BAR),
    case("yahoo", "high below low", quote("high", 1.0), Kind.IMPOSSIBLE_BAR),
    case("yahoo", "one close x100", chart(lambda told: [yahoo.quote_of(told)[n].__setitem__(2, 10_000.0)
                                                        for n in ("open", "high", "low", "close")]), Kind.WRONG_SCALE),
    case("yahoo", "a split by zero", event("splits", numerator=0, denominator=1, splitRatio="0:1"), Kind.BAD_ACTION),
    case("yahoo", "a split that the prices contradict",
         event("splits", numerator=1, denominator=50, splitRatio="1:50"), Kind.SPLIT_CONTRADICTION, Kind.WRONG_SCALE,
         Kind.WRONG_SYMBOL),
    case("yahoo", "a negative dividend", event("dividends", amount=-0.5), Kind.BAD_ACTION),
    case("yahoo", "a timestamp twice", chart(lambda told: [
        yahoo.result_of(told)["timestamp"].append(yahoo.result_of(told)["timestamp"][-1]),
        *(column.append(column[-1]) for column in yahoo.quote_of(told).values()),
        yahoo.result_of(told)["indicators"]["adjclose"][0]["adjclose"].append(100.0)]), Kind.DUPLICATE_ROW),
    case("yahoo", "more timestamps than prices",
         chart(lambda told: yahoo.result_of(told)["timestamp"].append(yahoo.opening(dt.date(2024, 3, 8)))),
         Kind.NOT_MARKET_DATA, Kind.DAMAGED_FILE, Kind.UNKNOWN_SCHEMA, Kind.CUT_OFF, Kind.MISSING_VALUE),
    case("yahoo", "no result", lambda _: b'{"chart":{"result":null,"error":null}}', Kind.NO_DATA, Kind.NOT_MARKET_DATA,
         Kind.UNKNOWN_TO_SOURCE),
    # ---- GBPUSD
    case("ecb", "pounds in pence", sub(",0.85,", ",85,"), Kind.BAD_FIXING),
    case("ecb", "dollars and pounds exchanged",
         lambda _: ecb_csv([(c, day, rate) for day in CLOSES for c, rate in (("GBP", "1.15"), ("USD", "0.85"))]),
         Kind.BAD_FIXING),
    case("ecb", "HTML with status 200", whole(HTML), Kind.NOT_MARKET_DATA),
    case("ecb", "a rate that is text", sub(",1.15,", ",n/a,", 1), Kind.NOT_A_NUMBER, Kind.MISSING_VALUE),
    case("ecb", "a day twice", lambda body: body + body.splitlines(keepends=True)[-1], Kind.DUPLICATE_ROW),
    case("ecb", "cut", cut(200), Kind.CUT_OFF),
    case("stooq fixings", "pence", sub("1.3", "13"), Kind.BAD_FIXING, Kind.NOT_A_NUMBER, Kind.DAMAGED_FILE),
    case("stooq fixings", "the limit", whole(b"Przekroczony dzienny limit wywolan"), Kind.QUOTA_SPENT),
    case("yahoo fixings", "pence", chart(lambda told: yahoo.quote_of(told)["close"].__setitem__(2, 135.0)),
         Kind.BAD_FIXING),
    case("yahoo fixings", "another pair", meta("symbol", "EURUSD=X"), Kind.WRONG_SYMBOL),
)  # fmt: skip


def good(source: str) -> bytes:
    """The answer that would be accepted."""
    if source == "stooq":
        return stooq_csv()
    if source == "tiingo":
        return tiingo_json(tiingo_rows())
    if source == "yahoo":
        return yahoo.body(yahoo.make_chart(yahoo.flat()))
    if source == "ecb":
        return ecb_csv([(c, day, rate) for day in CLOSES for c, rate in (("USD", "1.15"), ("GBP", "0.85"))])
    if source == "stooq fixings":
        lines = [f"{day},1.35,1.35,1.35,1.35" for day in CLOSES]
        return "".join(f"{line}\r\n" for line in ("Date,Open,High,Low,Close", *lines)).encode()
    return yahoo.body(currency_chart())


def currency_chart() -> dict[str, Any]:
    """GBPUSD=X as Yahoo sends it: a row a day, at midnight in London."""
    told = yahoo.make_chart(dict.fromkeys(yahoo.WEEK, "1.28"), symbol="GBPUSD=X", instrumentType="CURRENCY",
                            exchangeTimezoneName="Europe/London", timezone="GMT", gmtoffset=0)  # fmt: skip
    result = yahoo.result_of(told)
    result["timestamp"] = [int(dt.datetime(d.year, d.month, d.day, tzinfo=dt.UTC).timestamp()) for d in yahoo.WEEK]
    return told


def answered(source: str, reply: Reply) -> Outcome:
    """What the real client makes of it, with closes on record as the intake gives them."""
    if source == "yahoo":
        known = {day: Decimal(100) for day in yahoo.WEEK}
        ask = replace(yahoo.make_ask(), known=known)
        with yahoo.play(reply, timeout=0.6) as (client, _):
            return client.fetch(ask)
    with LocalSource(lambda asked: Reply(b"", 404) if asked.path in ("/", "/v1/test/getcrumb") else reply) as server:
        web = Web.of(server.url, HASTY)
        if source == "stooq":
            return Stooq("key", server.url, web).fetch(make_ask())
        if source == "tiingo":
            return Tiingo("token", server.url, web).fetch(make_ask())
        if source == "ecb":
            return EcbFixings(server.url, web).fetch_fixings(MONDAY, FRIDAY, AT)
        if source == "stooq fixings":
            return StooqFixings("key", server.url, web).fetch_fixings(MONDAY, FRIDAY, AT)
        fixings = YahooFixings(server.url, timeout=0.6)
        try:
            return fixings.fetch_fixings(yahoo.WEEK[0], yahoo.WEEK[-1], yahoo.SATURDAY)
        finally:
            fixings.close()


def damaged(of: Case) -> Outcome:
    changed = of.damage(good(of.source))
    return answered(of.source, changed if isinstance(changed, Reply) else Reply(changed))


@pytest.mark.parametrize("source", ["stooq", "tiingo", "yahoo", "ecb", "stooq fixings", "yahoo fixings"])
def test_the_answer_without_damage_is_accepted(source: str) -> None:
    outcome = answered(source, Reply(good(source)))
    assert isinstance(outcome, Fetched), str(outcome)
    assert outcome.bars.num_rows + outcome.fixings.num_rows == 5


@pytest.mark.parametrize("of", CORPUS, ids=lambda of: f"{of.source}: {of.name}")
def test_a_damaged_answer_is_refused_by_name(of: Case) -> None:
    outcome = damaged(of)
    assert isinstance(outcome, Refusal), f"accepted: {outcome.bars.to_pylist()} {outcome.fixings.to_pylist()}"
    assert outcome.kind in of.kinds, str(outcome)
    assert outcome.where
    assert len(outcome.sentence) > 20


def test_the_corpus_is_large_and_nothing_of_it_is_accepted(capsys: pytest.CaptureFixture[str]) -> None:
    outcomes = [damaged(of) for of in CORPUS]
    kinds = Counter(o.kind.value for o in outcomes if isinstance(o, Refusal))
    accepted = sum(isinstance(o, Fetched) for o in outcomes)
    with capsys.disabled():
        print(f"\n{len(CORPUS)} damaged answers: {kinds.total()} refused, {accepted} accepted")
        print(", ".join(f"{kind} {count}" for kind, count in kinds.most_common()))
    assert accepted == 0
    assert len(CORPUS) >= 60
    assert len({(of.source, of.name) for of in CORPUS}) == len(CORPUS)
