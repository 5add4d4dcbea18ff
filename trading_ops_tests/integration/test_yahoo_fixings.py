"""GBPUSD from Yahoo: London days, US dollars for one pound, or a refusal by name."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from trading_ops.drill.server import LocalSource
from trading_ops.providers.protocol import Outcome, RefusalKind
from trading_ops.providers.yahoo import YahooFixings
from trading_ops_tests.integration.yahoo_answers import (
    Chart,
    Recorded,
    error_reply,
    fetched,
    make_chart,
    quote_of,
    refused,
    reply,
    result_of,
)

Kind = RefusalKind

JULY = tuple(dt.date(2024, 7, day) for day in range(1, 6))
AFTER_JULY = dt.datetime(2024, 7, 6, 9, 0, tzinfo=dt.UTC)


def make_rates(rates: Mapping[dt.date, float | None], **meta: Any) -> Chart:
    """A chart of GBPUSD: a day of London's begins at its midnight, which is 23:00 UTC of the day before in summer."""
    usual = {"symbol": "GBPUSD=X", "instrumentType": "CURRENCY", "exchangeTimezoneName": "Europe/London"}
    chart = make_chart(dict.fromkeys(rates), **usual | meta)
    result_of(chart)["timestamp"] = [
        int(dt.datetime.combine(day, dt.time(), ZoneInfo("Europe/London")).timestamp()) for day in rates
    ]
    quote_of(chart).update({name: list(rates.values()) for name in ("open", "high", "low", "close")})
    quote_of(chart)["volume"] = [0] * len(rates)
    result_of(chart)["indicators"]["adjclose"][0]["adjclose"] = list(rates.values())
    return chart


def rate_outcome(
    chart: Chart, first: dt.date = JULY[0], last: dt.date = JULY[-1], at: dt.datetime = AFTER_JULY
) -> Outcome:
    with LocalSource(lambda asked: reply(chart)) as source:
        yahoo = YahooFixings(source.url)
        outcome = yahoo.fetch_fixings(first, last, at)
        yahoo.close()
    return outcome


def rates_of(outcome: Outcome) -> dict[dt.date, Decimal]:
    return {row["day"]: row["usd_per_gbp"] for row in fetched(outcome).fixings.to_pylist()}


def test_a_rate_belongs_to_its_london_day_in_summer_too() -> None:
    outcome = rate_outcome(make_rates(dict(zip(JULY, (1.2646, 1.2684, 1.2742, 1.2757, 1.2813), strict=True))))
    assert rates_of(outcome) == {
        day: Decimal(rate) for day, rate in zip(JULY, ("1.2646", "1.2684", "1.2742", "1.2757", "1.2813"), strict=True)
    }
    assert fetched(outcome).bars.num_rows == fetched(outcome).actions.num_rows == 0
    assert {row["source"] for row in fetched(outcome).fixings.to_pylist()} == {"yahoo"}


def test_a_recorded_currency_chart_is_read_by_london_days() -> None:
    """EURUSD stands in for GBPUSD, of which there is no recording."""
    recorded = Recorded("chart-EURUSD=X-2020-01-01-to-2020-01-03.json")
    first, last = dt.date(2020, 1, 1), dt.date(2020, 1, 3)
    refused(rate_outcome(recorded.chart, first, last, recorded.at), Kind.WRONG_SYMBOL, "this is EURUSD=X")
    result_of(recorded.chart)["meta"]["symbol"] = "GBPUSD=X"
    assert rates_of(rate_outcome(recorded.chart, first, last, recorded.at)) == {
        first: Decimal("1.12208259"), dt.date(2020, 1, 2): Decimal("1.12208259"), last: Decimal("1.11714375"),
    }  # fmt: skip


def test_a_day_that_is_not_over_has_no_rate_and_one_without_is_named() -> None:
    chart = make_rates(dict(zip(JULY, (1.26, None, 1.27, 1.28, 1.29), strict=True)))
    noon = dt.datetime(2024, 7, 5, 12, 0, tzinfo=dt.UTC)
    result_of(chart)["timestamp"][-1] = int(noon.timestamp())
    outcome = rate_outcome(chart, at=noon)
    assert list(rates_of(outcome)) == [JULY[0], JULY[2], JULY[3]]
    assert fetched(outcome).provenance.notes == ("no rate of 2024-07-02: Yahoo sent none",)


@pytest.mark.parametrize(
    ("chart", "kind", "says"),
    [
        (make_rates(dict.fromkeys(JULY, 126.0)), Kind.BAD_FIXING, "pence"),
        (make_rates(dict.fromkeys(JULY, 0.79)), Kind.BAD_FIXING, "wrong way round"),
        (make_rates(dict.fromkeys(JULY, 1.26), currency="GBp"), Kind.WRONG_CURRENCY, "GBp (pence)"),
        (make_rates(dict.fromkeys(JULY, 1.26), instrumentType="FUTURE"), Kind.NOT_ASKED_FOR, "FUTURE"),
        (make_rates(dict.fromkeys(JULY, 1.26), exchangeTimezoneName="UTC"), Kind.OFF_CALENDAR, "UTC"),
        (make_rates(dict.fromkeys(JULY, 1.26), dataGranularity="1h"), Kind.NOT_ASKED_FOR, "by 1h"),
        (make_rates(dict.fromkeys(JULY)), Kind.NO_DATA, "no rate"),
        (make_rates(dict.fromkeys((*JULY, dt.date(2024, 7, 8)), 1.26)), Kind.NOT_ASKED_FOR, "2024-07-08"),
    ],
)
def test_rates_that_are_none_are_refused_by_name(chart: Chart, kind: RefusalKind, says: str) -> None:
    assert says in str(refused(rate_outcome(chart), kind))


def test_rates_dated_in_another_zone_are_refused() -> None:
    chart = make_rates(dict.fromkeys(JULY, 1.26))
    result_of(chart)["timestamp"] = [stamp + 3600 for stamp in result_of(chart)["timestamp"]]
    refused(rate_outcome(chart), Kind.OFF_CALENDAR, "another zone")


def test_weekends_have_no_rate_and_are_left_out() -> None:
    days = (dt.date(2024, 7, 5), dt.date(2024, 7, 6), dt.date(2024, 7, 7), dt.date(2024, 7, 8))
    outcome = rate_outcome(
        make_rates(dict.fromkeys(days, 1.28)), days[0], days[-1], dt.datetime(2024, 7, 9, 9, 0, tzinfo=dt.UTC)
    )
    assert list(rates_of(outcome)) == [days[0], days[-1]]


def test_an_unreachable_source_of_rates_is_refused_too() -> None:
    with LocalSource(lambda asked: error_reply(404, "Not Found", "No data found, symbol may be delisted")) as source:
        yahoo = YahooFixings(source.url)
        refused(yahoo.fetch_fixings(JULY[0], JULY[-1], AFTER_JULY), Kind.UNKNOWN_TO_SOURCE)
        yahoo.close()
