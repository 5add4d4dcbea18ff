"""Yahoo through the real client: prices as traded when their splits are beyond doubt, and no bar that is damaged."""

import datetime as dt
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_ops.providers.protocol import RefusalKind
from trading_ops.providers.yahoo_basis import as_traded
from trading_ops_tests.integration.yahoo_answers import (
    TWO_WEEKS,
    WEEK,
    actions,
    answer,
    closes,
    fetched,
    flat,
    history,
    make_ask,
    make_chart,
    opening,
    play,
    quote_of,
    refused,
    reply,
    result_of,
    sent,
)

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = WEEK
Kind = RefusalKind


def test_prices_volume_and_dividends_are_put_back_before_a_split_and_left_alone_after_it() -> None:
    traded: dict[dt.date, Any] = {MONDAY: "400.04", TUESDAY: "404", WEDNESDAY: "101.50", THURSDAY: "102", FRIDAY: "103"}
    chart = make_chart(traded, splits=[(WEDNESDAY, 4, 1)], dividends=[(TUESDAY, 0.205), (FRIDAY, 0.25)])
    outcome = answer(chart)
    monday = fetched(outcome).bars.to_pylist()[0]
    assert closes(outcome) == {day: Decimal(close) for day, close in traded.items()}
    assert (monday["open"], monday["high"], monday["low"]) == (Decimal("396.04"), Decimal("408.04"), Decimal("392.04"))
    assert {bar["volume"] for bar in fetched(outcome).bars.to_pylist()} == {Decimal(1000)}
    assert actions(outcome) == ["2024-03-12 dividend 0.82", "2024-03-13 split 4", "2024-03-15 dividend 0.25"]
    assert (monday["adj_close"], monday["flags"], monday["source"]) == (Decimal("400.04"), "NOT_ADJUSTED", "yahoo")
    assert "prices before 2024-03-13 put back by its split of 4:1" in fetched(outcome).provenance.notes


def test_a_split_after_the_last_session_wanted_is_in_the_answer_because_it_is_asked_for_through_today() -> None:
    traded: dict[dt.date, Any] = dict.fromkeys(TWO_WEEKS, "250") | dict.fromkeys(WEEK, "50")
    chart = make_chart(traded, splits=[(MONDAY, 5, 1)])
    with play(reply(chart)) as (yahoo, source):
        outcome = yahoo.fetch(make_ask(TWO_WEEKS[0], TWO_WEEKS[4]))
    assert closes(outcome) == dict.fromkeys(TWO_WEEKS[:5], Decimal(250))
    assert actions(outcome) == []
    query = source.asked[-1].query
    first, end = (dt.datetime.fromtimestamp(int(query[name]), dt.UTC) for name in ("period1", "period2"))
    assert (first, end) == (dt.datetime(2024, 3, 4, 5, tzinfo=dt.UTC), dt.datetime(2024, 3, 17, 4, tzinfo=dt.UTC))
    assert query["interval"] == "1d"


def test_a_dividend_on_the_day_of_a_split_is_kept_per_share_before_it() -> None:
    traded: dict[dt.date, Any] = dict.fromkeys(WEEK, "100") | dict.fromkeys(WEEK[:2], "200")
    outcome = answer(make_chart(traded, splits=[(WEDNESDAY, 2, 1)], dividends=[(WEDNESDAY, 0.3)]))
    assert actions(outcome) == ["2024-03-13 dividend 0.6", "2024-03-13 split 2"]
    assert any(note.startswith("dividend and split on 2024-03-13") for note in fetched(outcome).provenance.notes)


def test_a_reverse_split_is_put_back_too() -> None:
    traded: dict[dt.date, Any] = dict.fromkeys(WEEK[:3], "6.35") | dict.fromkeys(WEEK[3:], "50.75")
    outcome = answer(make_chart(traded, splits=[(THURSDAY, 1, 8)]))
    assert closes(outcome) == {day: Decimal(close) for day, close in traded.items()}
    assert actions(outcome) == ["2024-03-14 split 0.125"]


@given(
    cents=st.integers(1, 1_000_000),
    factor=st.sampled_from(
        [Fraction(f) for f in ("1", "2", "3/2", "4", "15", "20", "40", "224", "1/8", "1/20", "21/20")]
    ),
)
def test_a_price_in_cents_survives_yahoos_division_and_its_float(cents: int, factor: Fraction) -> None:
    price = Decimal(cents) / 100
    assert as_traded(Decimal(repr(sent(price, factor))), factor) == price


def test_a_price_in_hundredths_of_a_cent_is_not_rounded_to_cents() -> None:
    assert as_traded(Decimal(repr(sent("0.1234"))), Fraction(1)) == Decimal("0.1234")
    assert as_traded(Decimal("129.0399932861328"), Fraction(1)) == Decimal("129.04")
    assert as_traded(Decimal("1.2666670083999634"), Fraction(15)) == Decimal(19)


SPLIT_WEEK: dict[dt.date, Any] = dict.fromkeys(WEEK, "100") | dict.fromkeys(WEEK[:2], "400")


def test_a_split_whose_prices_are_not_divided_yet_is_refused() -> None:
    late = make_chart(SPLIT_WEEK, splits=[(WEDNESDAY, 4, 1)], factors=dict.fromkeys(WEEK, 1))
    refused(answer(late), Kind.SPLIT_CONTRADICTION, "4:1 on 2024-03-13", "Look up whether and when ABC split")


def test_a_split_that_is_divided_by_only_up_to_another_day_is_refused() -> None:
    evenly = {MONDAY: 4, TUESDAY: 1, WEDNESDAY: 1, THURSDAY: 1, FRIDAY: 1}
    chart = make_chart(SPLIT_WEEK | {TUESDAY: "100"}, splits=[(THURSDAY, 4, 1)], factors=evenly)
    quote_of(chart)["close"][0] = sent("400")
    refused(answer(chart), Kind.SPLIT_CONTRADICTION, "4:1 on 2024-03-14", "2024-03-12")


def test_a_split_recorded_twice_is_refused() -> None:
    doubled = make_chart(
        SPLIT_WEEK,
        splits=[(WEDNESDAY, 4, 1), (THURSDAY, 4, 1)],
        factors=dict.fromkeys(WEEK, 1) | dict.fromkeys(WEEK[:2], 4),
    )
    refused(answer(doubled), Kind.SPLIT_CONTRADICTION, "2024-03-13", "2024-03-14", "recorded twice")


def test_a_split_that_is_on_record_and_not_in_the_answer_is_refused() -> None:
    missing = make_chart(SPLIT_WEEK, factors=dict.fromkeys(WEEK, 1) | dict.fromkeys(WEEK[:2], 4))
    known = history(("2024-03-13", "4"), through=FRIDAY)
    refused(answer(missing, splits=known), Kind.SPLIT_CONTRADICTION, "4:1 on 2024-03-13 is on record", "Yahoo has none")
    refused(answer(missing, known={MONDAY: Decimal(400)}), Kind.SPLIT_CONTRADICTION, "on record is 400", "a split 4:1")


def test_a_split_of_another_day_or_ratio_than_on_record_is_refused() -> None:
    chart = make_chart(SPLIT_WEEK, splits=[(WEDNESDAY, 4, 1)])
    refused(
        answer(chart, splits=history(("2024-03-14", "4"), through=FRIDAY)),
        Kind.SPLIT_CONTRADICTION, "Yahoo has 4:1 on 2024-03-13 instead",
    )  # fmt: skip
    refused(answer(chart, splits=history(("2024-03-13", "3"), through=FRIDAY)), Kind.SPLIT_CONTRADICTION, "3:1")
    refused(answer(chart, splits=history(through=FRIDAY)), Kind.SPLIT_CONTRADICTION, "on record is none")
    assert closes(answer(chart, splits=history(("2024-03-13", "4"), through=FRIDAY)))[MONDAY] == 400


def test_a_split_is_believed_when_the_close_on_record_agrees() -> None:
    chart = make_chart(SPLIT_WEEK, splits=[(WEDNESDAY, 4, 1)])
    assert closes(answer(chart, known={MONDAY: Decimal(400), FRIDAY: Decimal(100)}))[TUESDAY] == 400


def test_a_split_of_today_counts_only_when_a_close_on_record_shows_that_prices_are_divided_by_it() -> None:
    before_the_open = dt.datetime(2024, 3, 15, 12, 0, tzinfo=dt.UTC)
    divided = make_chart(dict.fromkeys(WEEK[:4], "400"), splits=[(FRIDAY, 4, 1)])
    undivided = make_chart(dict.fromkeys(WEEK[:4], "400"), splits=[(FRIDAY, 4, 1)], factors=dict.fromkeys(WEEK, 1))
    week = {"last": THURSDAY, "at": before_the_open}
    refused(answer(divided, **week), Kind.UNCONFIRMED_BASIS, "4:1 on 2024-03-15", "Ask again after its first session")
    refused(answer(undivided, **week), Kind.UNCONFIRMED_BASIS)
    record = {MONDAY: Decimal(400)}
    assert set(closes(answer(divided, **week, known=record)).values()) == {Decimal(400)}
    refused(answer(undivided, **week, known=record), Kind.SPLIT_CONTRADICTION, "comes out as 1600")


def test_an_answer_that_stops_before_today_needs_the_splits_or_a_close_on_record() -> None:
    chart = make_chart(flat(WEEK[:4]))
    refused(answer(chart), Kind.UNCONFIRMED_BASIS, "ends on 2024-03-14", "not at all", "No bar was kept")
    refused(answer(chart, splits=history(through=THURSDAY)), Kind.UNCONFIRMED_BASIS, "through 2024-03-14 only")
    for more in ({"splits": history(through="2024-03-16")}, {"known": {TUESDAY: Decimal("100.01")}}):
        outcome = answer(chart, **more)
        assert len(closes(outcome)) == 4
        assert fetched(outcome).provenance.notes == ("no bar of 2024-03-15: Yahoo left the session out",)


def test_the_last_close_on_record_before_the_days_wanted_is_asked_for_as_a_witness() -> None:
    friday_before = TWO_WEEKS[4]
    chart = make_chart(flat(TWO_WEEKS[4:9]))
    outcome = answer(chart, known={friday_before: Decimal(100)})
    assert list(closes(outcome)) == list(WEEK[:4])
    refused(answer(chart, known={friday_before: Decimal(300)}), Kind.SPLIT_CONTRADICTION, "2024-03-08", "3:1")


def test_a_last_bar_without_prices_is_no_bar_and_is_named() -> None:
    outcome = answer(make_chart(flat() | {FRIDAY: None}))
    assert list(closes(outcome)) == list(WEEK[:4])
    assert fetched(outcome).provenance.notes == ("no bar of 2024-03-15: Yahoo sent none",)


def test_a_session_without_prices_or_left_out_in_the_middle_is_named() -> None:
    outcome = answer(make_chart(flat((MONDAY, TUESDAY, THURSDAY, FRIDAY)) | {TUESDAY: None}))
    assert list(closes(outcome)) == [MONDAY, THURSDAY, FRIDAY]
    assert fetched(outcome).provenance.notes == (
        "no bar of 2024-03-12: Yahoo sent none",
        "no bar of 2024-03-13: Yahoo left the session out",
    )


def test_sessions_before_the_first_trade_are_not_missed() -> None:
    outcome = answer(make_chart(flat(WEEK[2:]), firstTradeDate=opening(WEDNESDAY)))
    assert fetched(outcome).provenance.notes == ()


@pytest.mark.parametrize("column", ["open", "high", "low", "close"])
def test_a_bar_with_a_price_missing_is_damaged(column: str) -> None:
    chart = make_chart(flat())
    quote_of(chart)[column][2] = None
    refused(answer(chart), Kind.MISSING_VALUE, f"2024-03-13 has no {column}")


def test_a_missing_volume_is_nought_and_is_named() -> None:
    chart = make_chart(flat())
    quote_of(chart)["volume"][2] = None
    bar = fetched(answer(chart)).bars.to_pylist()[2]
    assert (bar["volume"], bar["flags"]) == (0, "NOT_ADJUSTED,ZERO_VOLUME")
    assert fetched(answer(chart)).provenance.notes == ("no volume of 2024-03-13: kept as 0",)


def test_the_session_that_is_still_open_is_no_bar_yet() -> None:
    in_session = dt.datetime(2024, 3, 15, 16, 0, tzinfo=dt.UTC)
    chart = make_chart(flat())
    stamps = result_of(chart)["timestamp"]
    stamps[-1] = int(in_session.timestamp())
    assert list(closes(answer(chart, at=in_session))) == list(WEEK[:4])
    # Yahoo sends the open session twice at times.
    stamps.append(stamps[-1] + 1)
    for column in (*quote_of(chart).values(), result_of(chart)["indicators"]["adjclose"][0]["adjclose"]):
        if len(column) < len(stamps):
            column.append(column[-1])
    assert list(closes(answer(chart, at=in_session))) == list(WEEK[:4])


def test_a_week_without_any_price_is_no_data() -> None:
    refused(answer(make_chart(dict.fromkeys(WEEK))), Kind.NO_DATA, "no prices of 2024-03-11 to 2024-03-15")
