"""One good answer of each source, the question that it answers, and what the real client makes of it when damaged.

Belongs here: good answers, and playing them. Does not belong here: which damage is refused how
(`test_damaged_corpus`), or the ways to damage (`trading_ops.drill`).

The closes on record are those that a round gives with its question: the sessions before, and one that is asked again.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from trading_ops.drill.damage import Change
from trading_ops.drill.server import Asked, LocalSource, Reply
from trading_ops.providers.ecb import EcbFixings
from trading_ops.providers.protocol import FixingSource, Outcome, RefusalKind, Source, SplitHistory
from trading_ops.providers.stooq import Stooq, StooqFixings
from trading_ops.providers.tiingo import Tiingo
from trading_ops.providers.web import Limits, Web
from trading_ops.providers.yahoo import LONDON, Yahoo, YahooFixings
from trading_ops_tests.integration import answers, yahoo_answers
from trading_ops_tests.integration.answers import CLOSES, MONDAY, WEEK, ecb_csv, stooq_csv
from trading_ops_tests.integration.yahoo_answers import CRUMB, make_chart, quote_of, reply, result_of

PATIENT = Limits(connect=2.0, read=2.0, whole=4.0, size=200_000)
"""No answer of the corpus is slow; a busy machine may be."""
NEXT_MONDAY = dt.date(2026, 11, 23)
SPLIT = Decimal(4)
"""New shares per old share, on a Wednesday."""
_EVEN = ("99.50", "100.20", "99.90", "100.40", "100.10", *(str(close) for close in CLOSES.values()))
_NOVEMBER = (*(dt.date(2026, 11, day) for day in range(9, 14)), *WEEK)
_MARCH = yahoo_answers.TWO_WEEKS
_RATES = ("1.3399", "1.3422", "1.3396", "1.3412", "1.3425", "1.3431")
_FIXED = (*WEEK, NEXT_MONDAY)
_LEGS = [("USD", day, f"1.{1172 + i}") for i, day in enumerate(_FIXED)]
_LEGS += [("GBP", day, f"0.{83380 + i}") for i, day in enumerate(_FIXED)]


class Damaged(NamedTuple):
    """One damaged answer.

    Attributes:
        of: Whose answer, a name of `GOOD`.
        name: What is wrong with it.
        change: From the good answer to the one that is served.
        kind: The refusal that must come of it.
        says: Words of the refusal that name the place.
    """

    of: str
    name: str
    change: Change
    kind: RefusalKind
    says: str


@dataclass(frozen=True, slots=True)
class Good:
    """A source's good answer, and who asks for it: a client in front of a server's URL."""

    answer: Reply
    ask: Callable[[str], Outcome]


@contextmanager
def server() -> Iterator[Callable[[str, Change], Outcome]]:
    """One server for many answers, with a new client for each."""
    with LocalSource(lambda _: Reply()) as source:

        def play_it(of: str, change: Change) -> Outcome:
            served = change(GOOD[of].answer)

            def answer(asked: Asked) -> Reply:
                if asked.path == "/v1/test/getcrumb":
                    return Reply(CRUMB.encode())
                return Reply(b"", 404, {"Set-Cookie": "A3=cookie; Path=/"}) if asked.path == "/" else served

            source.answer = answer
            return GOOD[of].ask(source.url)

        yield play_it


def _traded(split: bool, days: tuple[dt.date, ...]) -> dict[dt.date, Decimal]:
    """Closes as traded of two weeks: before a split on the second Wednesday, four times as high."""
    return {
        day: Decimal(close) * (SPLIT if split and day < days[-3] else 1) for day, close in zip(days, _EVEN, strict=True)
    }


def _of_november(make: Callable[[str, Web], Source], split: bool = False) -> Callable[[str], Outcome]:
    traded = _traded(split, _NOVEMBER)
    known = {day: traded[day] for day in traded if day <= MONDAY}
    return lambda url: _closing(make(url, Web.of(url, PATIENT)), lambda s: s.fetch(answers.make_ask(known=known)))


def _of_march(split: bool = False, splits: SplitHistory | None = None) -> Callable[[str], Outcome]:
    traded = _traded(split, _MARCH)
    known = {day: traded[day] for day in traded if day <= yahoo_answers.WEEK[0]}
    return lambda url: _closing(Yahoo(url, 5.0), lambda s: s.fetch(yahoo_answers.make_ask(known=known, splits=splits)))


def _of_fixings(make: Callable[[str, Web], FixingSource]) -> Callable[[str], Outcome]:
    return lambda url: _closing(
        make(url, Web.of(url, PATIENT)), lambda s: s.fetch_fixings(MONDAY, NEXT_MONDAY, answers.AT)
    )


def _closing(source: Any, ask: Callable[[Any], Outcome]) -> Outcome:
    try:
        return ask(source)
    finally:
        source.close()


def _tiingo(split: bool) -> Reply:
    traded = {day: close for day, close in _traded(split, _NOVEMBER).items() if day >= MONDAY}
    rows = answers.tiingo_rows(traded)
    if split:
        rows[2]["splitFactor"] = float(SPLIT)
        for row in rows[:2]:
            row["adjClose"] = row["close"] / float(SPLIT)
    return Reply(answers.tiingo_json(rows), headers={"Content-Type": "application/json"})


def _yahoo(split: bool) -> Reply:
    """The session before the week, which is on record, and the week."""
    traded = {day: close for day, close in _traded(split, _MARCH).items() if day >= _MARCH[4]}
    return reply(make_chart(dict(traded), splits=[(_MARCH[-3], int(SPLIT), 1)] if split else []))


def _yahoo_rates() -> Reply:
    """A day of London's begins at its midnight."""
    usual: dict[str, Any] = {
        "symbol": "GBPUSD=X",
        "instrumentType": "CURRENCY",
        "exchangeTimezoneName": "Europe/London",
    }
    chart = make_chart(dict.fromkeys(_FIXED, "1"), factors=dict.fromkeys(_FIXED, Fraction(1)), **usual)
    rates = [float(rate) for rate in _RATES]
    quote_of(chart).update({name: list(rates) for name in ("open", "high", "low", "close")}, volume=[0] * len(rates))
    result = result_of(chart)
    result["indicators"]["adjclose"][0]["adjclose"] = list(rates)
    result["timestamp"] = [int(dt.datetime.combine(day, dt.time(), LONDON).timestamp()) for day in _FIXED]
    return reply(chart)


GOOD = {
    "stooq": Good(Reply(stooq_csv()), _of_november(lambda url, web: Stooq("key", url, web))),
    "tiingo": Good(_tiingo(False), _of_november(lambda url, web: Tiingo("token", url, web))),
    "tiingo split": Good(_tiingo(True), _of_november(lambda url, web: Tiingo("token", url, web), split=True)),
    "yahoo": Good(_yahoo(False), _of_march()),
    "yahoo split": Good(_yahoo(True), _of_march(split=True)),
    "yahoo split on record": Good(
        _yahoo(True), _of_march(split=True, splits=SplitHistory(((_MARCH[-3], SPLIT),), _MARCH[-1]))
    ),
    "ecb fixings": Good(Reply(ecb_csv(_LEGS)), _of_fixings(EcbFixings)),
    "stooq fixings": Good(
        Reply(stooq_csv(dict(zip(_FIXED, map(Decimal, _RATES), strict=True)), volume="")),
        _of_fixings(lambda url, web: StooqFixings("key", url, web)),
    ),
    "yahoo fixings": Good(_yahoo_rates(), _of_fixings(lambda url, _: YahooFixings(url, 5.0))),
}
"""By the source's name, and what is special about the answer."""
