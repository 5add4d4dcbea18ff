"""What an answer must survive: impossible, foreign and mis-scaled ones are named, and odd but possible ones pass."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from trading_ops.providers.fixings import fixings_table, vet_fixings
from trading_ops.providers.protocol import ACTIONS, BARS, FIXINGS, Ask, FileFact, Refusal, RefusalKind, RefusedData
from trading_ops.providers.vetting import vet
from trading_ops_tests.integration.answers import (
    AT,
    CLOSES,
    FRIDAY,
    MONDAY,
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    make_ask,
    split_history,
)

FACT = FileFact("https://source.example/x", "00" * 32, 10, "", 0)


def bar(session: dt.date, close: Decimal | str, /, **changes: Any) -> dict[str, Any]:
    price = Decimal(close)
    prices = {"open": price, "high": price + 1, "low": price * Decimal("0.99"), "close": price, "adj_close": price}
    row = {"symbol": "AAPL", "session": session, **prices, "volume": Decimal(1000), "source": "x", "flags": ""}
    return row | {name: Decimal(value) for name, value in changes.items()}


def bars(closes: Mapping[dt.date, Decimal | str] = CLOSES, *others: dict[str, Any]) -> pa.Table:
    rows = [bar(session, close) for session, close in closes.items()]
    return pa.Table.from_pylist([*rows, *others], schema=BARS)


def actions(*told: tuple[dt.date, str, str]) -> pa.Table:
    rows = [
        {"symbol": "AAPL", "ex_date": day, "kind": kind, "value": Decimal(value), "source": "x"}
        for day, kind, value in told
    ]
    return pa.Table.from_pylist(rows, schema=ACTIONS)


def named(table: pa.Table, told: pa.Table | None = None, ask: Ask | None = None) -> Refusal:
    with pytest.raises(RefusedData) as caught:
        vet(table, actions() if told is None else told, ask or make_ask(), FACT.name, FACT)
    return caught.value.refusal


def passes(table: pa.Table, told: pa.Table | None = None, ask: Ask | None = None) -> None:
    vet(table, actions() if told is None else told, ask or make_ask(), FACT.name, FACT)


def unnamed(table: pa.Table, ask: Ask | None = None) -> None:
    """An answer that names no name, as Tiingo's."""
    vet(table, actions(), ask or make_ask(), FACT.name, FACT, names_itself=False)


def times(factor: str, closes: Mapping[dt.date, Decimal] = CLOSES) -> dict[dt.date, Decimal]:
    return {session: close * Decimal(factor) for session, close in closes.items()}


# Days


def test_a_good_week_passes_in_any_order() -> None:
    passes(bars(dict(reversed(CLOSES.items()))))
    passes(bars({}), ask=make_ask(known={}))


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (dt.date(2026, 11, 15), RefusalKind.OFF_CALENDAR),  # a Sunday: the Monday of another time zone
        (dt.date(2026, 11, 21), RefusalKind.OFF_CALENDAR),
        (dt.date(2026, 11, 13), RefusalKind.NOT_ASKED_FOR),
        (dt.date(2026, 11, 23), RefusalKind.NOT_ASKED_FOR),
        (AT.date(), RefusalKind.NOT_ASKED_FOR),
        (dt.date(2027, 3, 1), RefusalKind.NOT_ASKED_FOR),
        (dt.date(2126, 3, 1), RefusalKind.NOT_ASKED_FOR),
        (MONDAY, RefusalKind.DUPLICATE_ROW),
    ],
)
def test_a_day_that_cannot_be_is_named(day: dt.date, kind: RefusalKind) -> None:
    refusal = named(bars(CLOSES, bar(day, "100")))
    assert refusal.kind is kind
    assert str(day) in refusal.where
    assert refusal.answer == FACT


def test_a_session_counts_only_once_it_is_over() -> None:
    friday_close = dt.datetime(2026, 11, 20, 21, tzinfo=dt.UTC)
    passes(bars(), ask=make_ask(at=friday_close))
    refusal = named(bars(), ask=make_ask(at=friday_close - dt.timedelta(minutes=1)))
    assert (refusal.kind, str(FRIDAY) in refusal.where) == (RefusalKind.NOT_ASKED_FOR, True)


def test_a_holiday_is_no_session() -> None:
    thanksgiving = dt.date(2026, 11, 26)
    ask = make_ask(last=thanksgiving, at=dt.datetime(2026, 11, 30, tzinfo=dt.UTC))
    assert named(bars(CLOSES, bar(thanksgiving, "100")), ask=ask).kind is RefusalKind.OFF_CALENDAR


# Shapes


@pytest.mark.parametrize(
    "changes",
    [
        {"low": "0"},
        {"low": "-1"},
        {"high": "99", "low": "101"},
        {"high": "99.99"},
        {"open": "102"},
        {"low": "100.5"},
        {"open": "90"},
        {"volume": "-1"},
        {"close": "47230787", "volume": "100"},
        {"open": "10000"},
    ],
)
def test_a_bar_that_nobody_can_have_traded_is_named(changes: dict[str, str]) -> None:
    table = bars({}, bar(MONDAY, "100", **changes))
    assert named(table, ask=make_ask(known={})).kind is RefusalKind.IMPOSSIBLE_BAR


def test_a_still_session_passes() -> None:
    passes(bars({}, bar(MONDAY, "100", high="100", low="100", volume="0")))


# Corporate actions


@pytest.mark.parametrize(
    ("day", "kind", "value"),
    [
        (dt.date(2026, 11, 13), "dividend", "0.26"),
        (dt.date(2026, 11, 23), "split", "2"),
        (dt.date(2027, 3, 1), "split", "2"),
        (dt.date(2026, 11, 21), "dividend", "0.26"),
        (TUESDAY, "split", "0"),
        (TUESDAY, "split", "-4"),
        (TUESDAY, "split", "1"),
        (TUESDAY, "split", "4000"),
        (TUESDAY, "dividend", "0"),
        (TUESDAY, "dividend", "-0.26"),
        (TUESDAY, "dividend", "100"),
    ],
)
def test_an_action_that_cannot_be_is_named(day: dt.date, kind: str, value: str) -> None:
    refusal = named(bars(), actions((day, kind, value)))
    assert refusal.kind is RefusalKind.BAD_ACTION
    assert str(day) in refusal.where


def test_an_action_on_a_weekend_within_the_days_asked_for_is_named() -> None:
    ask = make_ask(first=dt.date(2026, 11, 13))
    refusal = named(bars(), actions((dt.date(2026, 11, 14), "dividend", "0.26")), ask)
    assert refusal.kind is RefusalKind.BAD_ACTION


def test_an_action_that_is_there_twice_is_named() -> None:
    split = (TUESDAY, "split", "2")
    assert named(bars(), actions(split, split)).kind is RefusalKind.BAD_ACTION


def test_a_split_and_a_dividend_on_one_day_pass() -> None:
    passes(bars(), actions((TUESDAY, "split", "2"), (TUESDAY, "dividend", "0.26"), (MONDAY, "dividend", "99.5")))


def test_a_spin_off_beside_a_reverse_split_passes() -> None:
    passes(bars(), actions((TUESDAY, "split", "0.25"), (TUESDAY, "dividend", "262")), make_ask(known={}))
    assert (
        named(bars(), actions((TUESDAY, "split", "0.25"), (TUESDAY, "dividend", "401"))).kind is RefusalKind.BAD_ACTION
    )
    assert named(bars(), actions((TUESDAY, "split", "4"), (TUESDAY, "dividend", "101"))).kind is RefusalKind.BAD_ACTION


# Scale


def test_a_close_in_cents_is_named() -> None:
    for session in CLOSES:
        refusal = named(bars(CLOSES | {session: CLOSES[session] * 100}), ask=make_ask(known={}))
        assert refusal.kind is RefusalKind.WRONG_SCALE


@pytest.mark.parametrize("factor", ["100", "0.01"])
def test_a_whole_body_in_another_unit_is_known_by_the_closes_on_record(factor: str) -> None:
    table = bars(times(factor))
    passes(table, ask=make_ask(known={}))
    assert named(table).kind is RefusalKind.WRONG_SCALE
    assert named(table, ask=make_ask(known={FRIDAY: CLOSES[FRIDAY]})).kind is RefusalKind.WRONG_SCALE


@pytest.mark.parametrize("day", [dt.date(2026, 11, 13), dt.date(2026, 11, 23)])
def test_the_close_on_record_beside_the_answer_tells_the_unit_too(day: dt.date) -> None:
    refusal = named(bars(times("100")), ask=make_ask(known={day: Decimal(100)}))
    assert refusal.kind is RefusalKind.WRONG_SCALE


def test_a_close_of_years_ago_is_no_neighbour() -> None:
    passes(bars(), ask=make_ask(known={dt.date(2006, 11, 13): Decimal(1)}))


@pytest.mark.parametrize("changes", [{"open": "1", "low": "0.99"}, {"high": "10080"}, {"low": "1"}])
def test_one_price_of_a_bar_in_another_unit_is_named(changes: dict[str, str]) -> None:
    table = bars({}, bar(MONDAY, "100", **changes))
    assert named(table, ask=make_ask(known={})).kind is RefusalKind.WRONG_SCALE


@pytest.mark.parametrize("factor", ["1.8", "0.2", "25"])
def test_a_move_is_not_judged_here(factor: str) -> None:
    moved = {day: close * (Decimal(factor) if day >= WEDNESDAY else 1) for day, close in CLOSES.items()}
    passes(bars(moved), ask=make_ask(known={}))
    passes(bars(moved), ask=make_ask(known=moved))


@pytest.mark.parametrize("ratio", ["20", "100", "0.01"])
def test_a_recorded_split_explains_its_jump(ratio: str) -> None:
    split = {day: close / (Decimal(ratio) if day >= WEDNESDAY else 1) for day, close in CLOSES.items()}
    table = bars({}, *(bar(day, close, high=close) for day, close in split.items()))
    passes(table, actions((WEDNESDAY, "split", ratio)), make_ask(known=split))
    passes(table, ask=make_ask(known=split, splits=split_history((WEDNESDAY, ratio))))
    if ratio != "20":
        assert named(table, ask=make_ask(known={})).kind is RefusalKind.WRONG_SCALE


# Whose prices these are


def test_prices_far_from_those_on_record_are_another_names() -> None:
    refusal = named(bars(times("1.41")))
    assert refusal.kind is RefusalKind.WRONG_SYMBOL
    assert "5 of 5 sessions" in refusal.sentence


def test_prices_near_those_on_record_and_never_equal_are_another_names_too() -> None:
    for factor in ("1.39", "1.05", "0.97"):
        passes(bars(times(factor)))  # an answer that says whose prices these are: the gate compares sources
        with pytest.raises(RefusedData, match="none of 5 sessions agrees") as caught:
            unnamed(bars(times(factor)))
        assert caught.value.refusal.kind is RefusalKind.WRONG_SYMBOL
    unnamed(bars(times("1.019")))


def test_one_session_that_agrees_is_enough_and_two_sessions_prove_nothing() -> None:
    one_agrees = times("1.05") | {FRIDAY: CLOSES[FRIDAY]}
    unnamed(bars(one_agrees))
    known = {day: close for day, close in CLOSES.items() if day >= THURSDAY}
    unnamed(bars(times("1.05")), make_ask(known=known))


def test_most_sessions_must_be_far() -> None:
    two_far = {day: close * (3 if day <= TUESDAY else 1) for day, close in CLOSES.items()}
    three_far = two_far | {WEDNESDAY: CLOSES[WEDNESDAY] * 3}
    passes(bars(two_far))
    assert named(bars(three_far)).kind is RefusalKind.WRONG_SYMBOL


def test_split_adjusted_prices_are_called_by_their_name() -> None:
    later = split_history((dt.date(2026, 11, 23), "4"))
    assert named(bars(times("0.25")), ask=make_ask(splits=later)).kind is RefusalKind.ADJUSTED_BASIS
    assert named(bars(times("0.4")), ask=make_ask(splits=later)).kind is RefusalKind.WRONG_SYMBOL


# Fixings


def fixing_refusal(*fixings: tuple[dt.date, str], last: dt.date = FRIDAY) -> RefusalKind:
    with pytest.raises(RefusedData) as caught:
        vet_fixings([(day, Decimal(rate)) for day, rate in fixings], MONDAY, last, AT, FACT.name, FACT)
    return caught.value.refusal.kind


def test_good_fixings_become_a_table_by_day() -> None:
    fixings = [(TUESDAY, Decimal("1.3212")), (MONDAY, Decimal("1.3398"))]
    vet_fixings(fixings, MONDAY, FRIDAY, AT, FACT.name)
    table = fixings_table(fixings, "ecb")
    assert table.schema == FIXINGS
    assert table.to_pylist()[0] == {"day": MONDAY, "usd_per_gbp": Decimal("1.3398"), "source": "ecb"}


@pytest.mark.parametrize("rate", ["133.98", "0.746", "0", "-1.3", "1", "2.6", "0.013398"])
def test_pence_and_the_wrong_way_round_are_no_fixing(rate: str) -> None:
    assert fixing_refusal((MONDAY, "1.34"), (TUESDAY, rate)) is RefusalKind.BAD_FIXING


def test_a_fixings_day_is_looked_at() -> None:
    assert fixing_refusal((MONDAY, "1.34"), (MONDAY, "1.34")) is RefusalKind.DUPLICATE_ROW
    assert fixing_refusal((dt.date(2026, 11, 21), "1.34"), last=dt.date(2026, 11, 23)) is RefusalKind.OFF_CALENDAR
    assert fixing_refusal((dt.date(2026, 11, 13), "1.34")) is RefusalKind.NOT_ASKED_FOR
    assert fixing_refusal((dt.date(2026, 11, 23), "1.34")) is RefusalKind.NOT_ASKED_FOR
    assert fixing_refusal((dt.date(2026, 11, 25), "1.34"), last=dt.date(2026, 12, 1)) is RefusalKind.NOT_ASKED_FOR
    vet_fixings([(THURSDAY, Decimal("1.34"))], MONDAY, FRIDAY, AT, FACT.name)
