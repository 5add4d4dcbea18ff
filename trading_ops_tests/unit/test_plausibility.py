"""What is asked about an answer to a ticket line: every oddity has its question, a usual answer has none."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from trading_ops.domain.plausibility import Entry, Evidence, Question, questions
from trading_ops.domain.slips import likely_slip, neighbours_swapped
from trading_ops.domain.ticket_model import LinePart, TicketContent
from trading_ops.domain.values import exact, half_even, plain
from trading_ops_tests.unit.market_factory import committed_policy
from trading_ops_tests.unit.ticket_factory import make_content

D = Decimal
TICKET: TicketContent = make_content()
SELL, BUY = TICKET.lines[0], TICKET.lines[2]
"""All 3.104512 ABBV, reference 115.17, skipped below 105.96; £310 of NVDA, reference 233.52, skipped above 238.19."""
RATE = D("1.4")
MONDAY = dt.date(2018, 2, 5)
BOUGHT = {"units": "1.8585", "price_usd": "233.50", "value_gbp": "310"}
SOLD = {"units": "3.104512", "price_usd": "115.20", "value_gbp": "255.46"}


def at(clock: str, day: dt.date = MONDAY) -> dt.datetime:
    return dt.datetime.combine(day, dt.time.fromisoformat(clock), tzinfo=dt.UTC)


def ask(line: LinePart, status: str = "DONE", bar: tuple[str, str] | None = None, **typed: Any) -> tuple[Question, ...]:
    numbers = {k: None if v is None else D(v) for k, v in typed.items() if k != "executed_at"}
    entry = Entry(status, executed_at=typed.get("executed_at", at("14:50")), **numbers)
    low, high = (D(bar[0]), D(bar[1])) if bar else (None, None)
    evidence = Evidence(RATE, TICKET.window, at("17:00"), committed_policy(), low, high)
    return questions(line, entry, evidence)


def codes(found: tuple[Question, ...]) -> list[tuple[str, str]]:
    return [(q.field, q.code) for q in found]


@pytest.mark.parametrize(
    ("line", "typed"),
    [
        (BUY, BOUGHT), (SELL, SOLD), (BUY, BOUGHT | {"units": None}), (BUY, BOUGHT | {"value_gbp": None}),
        (SELL, SOLD | {"units": None}), (SELL, SOLD | {"value_gbp": None}), (SELL, SOLD | {"units": "3.1045"}),
        (BUY, BOUGHT | {"price_usd": "238.19"}), (SELL, SOLD | {"price_usd": "110.00", "value_gbp": "243.93"}),
        (BUY, BOUGHT | {"executed_at": at("14:45")}), (BUY, BOUGHT | {"executed_at": at("16:45")}),
        (BUY, BOUGHT | {"executed_at": None}), (BUY, {}),
    ],
)  # fmt: skip
def test_a_usual_answer_is_not_questioned(line: LinePart, typed: dict[str, Any]) -> None:
    assert ask(line, **typed) == ()


@pytest.mark.parametrize("status", ["SKIPPED", "FAILED"])
def test_what_was_not_done_is_not_questioned(status: str) -> None:
    assert ask(BUY, status, price_usd="1", executed_at=at("03:00")) == ()


# ---------------------------------------------------------------- price
@pytest.mark.parametrize(
    ("line", "typed", "expected", "says"),
    [
        (BUY, {"price_usd": "254.54"}, ["PRICE_UNUSUAL", "BEYOND_LIMIT"], "9 % above the reference $233.52"),
        (BUY, {"price_usd": "212.50"}, ["PRICE_UNUSUAL"], "9 % below the reference $233.52"),
        (BUY, {"price_usd": "239.00"}, ["BEYOND_LIMIT"], "skipped above $238.19"),
        (SELL, {"price_usd": "105.90"}, ["PRICE_UNUSUAL", "BEYOND_LIMIT"], "8 % below the reference $115.17"),
        (BUY, {"price_usd": "23.352"}, ["PRICE_POINT_MOVED"], "10 times too small"),
        (BUY, {"price_usd": "23350"}, ["PRICE_POINT_MOVED"], "100 times too large"),
        (BUY, {"price_usd": "323.50"}, ["PRICE_DIGITS_SWAPPED"], "Are two digits swapped in 323.5? "),
        (BUY, {"price_usd": "233.25"}, ["PRICE_DIGITS_SWAPPED"], "nearer to $233.52"),
        (BUY, {"price_usd": "166.80"}, ["PRICE_NOT_DOLLARS"], "a price in pounds"),
        (BUY, {"price_usd": "16680"}, ["PRICE_NOT_DOLLARS"], "a price in pence"),
    ],
)
def test_questions_about_the_price(line: LinePart, typed: dict[str, Any], expected: list[str], says: str) -> None:
    found = ask(line, **typed)
    assert [q.code for q in found] == expected
    assert says in found[0].sentence
    assert {q.field for q in found} == {"price"}
    assert ("'Open Price'" if line.side == "BUY" else "'Close Price'") in found[0].sentence


def test_the_sessions_range_outranks_the_reference() -> None:
    """After bad news the whole session is 9 % lower: a price inside it is true, one at the old level is not."""
    bar = ("210.10", "214.00")
    assert ask(BUY, bar=bar, price_usd="212.50") == ()
    assert ask(BUY, bar=bar, price_usd="209.50") == ()  # eToro's spread
    (found,) = ask(BUY, bar=bar, price_usd="225")
    assert found.code == "PRICE_UNUSUAL"
    assert "traded between $210.10 and $214.00" in found.sentence
    assert ask(BUY, bar=("231", "236"), price_usd="233.25") == ()  # the reference's digits swapped, but it traded there
    assert codes(ask(BUY, bar=("229", "231.5"), price_usd="320.50")) == [("price", "PRICE_DIGITS_SWAPPED")]


# ---------------------------------------------------------------- units, price and value
@pytest.mark.parametrize(
    ("line", "typed", "expected"),
    [
        (BUY, BOUGHT | {"value_gbp": "434"}, [("value", "VALUE_IN_DOLLARS")]),
        (BUY, BOUGHT | {"units": "8.1585"}, [("units", "UNITS_DIGITS_SWAPPED")]),
        (BUY, BOUGHT | {"units": "18.585"}, [("units", "UNITS_POINT_MOVED")]),
        (BUY, BOUGHT | {"value_gbp": "130"}, [("value", "VALUE_DIGITS_SWAPPED")]),
        (BUY, BOUGHT | {"value_gbp": "31000"}, [("value", "VALUE_POINT_MOVED")]),
        (BUY, BOUGHT | {"units": "5.5"}, [("value", "AMOUNTS_DISAGREE")]),
        (BUY, BOUGHT | {"units": None, "value_gbp": "130"}, [("value", "VALUE_DIGITS_SWAPPED")]),
        (BUY, BOUGHT | {"units": None, "value_gbp": "3.10"}, [("value", "VALUE_POINT_MOVED")]),
        (BUY, BOUGHT | {"value_gbp": None, "units": "8.1585"}, [("units", "UNITS_DIGITS_SWAPPED")]),
        (SELL, SOLD | {"units": "3.104521"}, [("units", "UNITS_DIGITS_SWAPPED")]),
        (SELL, SOLD | {"units": "1.304512"}, [("units", "UNITS_DIGITS_SWAPPED")]),
        (SELL, SOLD | {"units": "0.3104512"}, [("units", "UNITS_POINT_MOVED")]),
        (SELL, SOLD | {"units": "3104.512", "value_gbp": None}, [("units", "UNITS_POINT_MOVED")]),
        (SELL, SOLD | {"value_gbp": "357.64"}, [("value", "VALUE_IN_DOLLARS")]),
        (SELL, SOLD | {"value_gbp": "2554.60"}, [("value", "VALUE_POINT_MOVED")]),
    ],
)
def test_questions_about_the_amounts(line: LinePart, typed: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert codes(ask(line, **typed)) == expected


def test_a_mistyped_price_is_one_question_and_nothing_is_worked_out_from_it() -> None:
    assert codes(ask(BUY, **(BOUGHT | {"price_usd": "2335.0"}))) == [("price", "PRICE_POINT_MOVED")]


# ---------------------------------------------------------------- against the line
@pytest.mark.parametrize(
    ("line", "status", "typed", "expected"),
    [
        (BUY, "DONE", {"value_gbp": "310.01"}, ["OVERFILLED"]),
        (BUY, "DONE", {"value_gbp": "455"}, ["OVERFILLED"]),
        (BUY, "DONE", {"value_gbp": "200"}, ["WAS_IT_PARTIAL"]),
        (BUY, "DONE", {"value_gbp": "300"}, []),
        (BUY, "PARTIAL", {"value_gbp": "200"}, []),
        (BUY, "PARTIAL", {"value_gbp": "31"}, ["VALUE_POINT_MOVED"]),
        (SELL, "DONE", {"units": "4.2"}, ["OVERFILLED"]),
        (SELL, "PARTIAL", {"units": "3.2"}, ["OVERFILLED"]),
        (SELL, "DONE", {"units": "3.105"}, []),
        (SELL, "DONE", {"units": "2"}, ["WAS_IT_PARTIAL"]),
        (SELL, "PARTIAL", {"units": "2"}, []),
        (SELL, "DONE", {"price_usd": "115.20", "value_gbp": "170"}, ["WAS_IT_PARTIAL"]),
        (BUY, "DONE", {"price_usd": "233.50", "units": "1.2"}, ["WAS_IT_PARTIAL"]),
        (BUY, "DONE", {"price_usd": "233.50", "units": "2.5"}, ["OVERFILLED"]),
    ],
)
def test_questions_about_the_size(line: LinePart, status: str, typed: dict[str, Any], expected: list[str]) -> None:
    assert [q.code for q in ask(line, status, **typed)] == expected


def test_a_part_is_asked_about_at_the_status() -> None:
    (found,) = ask(BUY, value_gbp="200")
    assert (found.field, "£200 is less than the £310 of the line" in found.sentence) == ("status", True)
    assert "PARTIAL" in found.sentence


# ---------------------------------------------------------------- time
@pytest.mark.parametrize(
    ("when", "code", "says"),
    [
        (at("14:44"), "OUTSIDE_WINDOW", "14:45 to 16:45 (London), and this is 14:44"),
        (at("16:46"), "OUTSIDE_WINDOW", "16:46"),
        (at("14:29"), "MARKET_CLOSED", "14:30 to 21:00 (London). A market order placed while closed queues"),
        (at("02:50"), "MARKET_CLOSED", "At 02:50 the US market was closed"),
        (at("17:03"), "TIME_IN_FUTURE", "17:03 on Monday 5 February 2018 has not come yet"),
        (at("14:50", dt.date(2018, 2, 6)), "TIME_IN_FUTURE", "Tuesday 6 February 2018"),
        (at("14:50", dt.date(2018, 2, 2)), "ANOTHER_DAY", "for Monday 5 February 2018, and this is Friday 2"),
    ],
)
def test_questions_about_the_time(when: dt.datetime, code: str, says: str) -> None:
    (found,) = ask(BUY, **BOUGHT, executed_at=when)
    assert (found.field, found.code, says in found.sentence) == ("time", code, True), found.sentence


def test_a_phone_that_is_a_minute_ahead_is_not_the_future() -> None:
    assert [q.code for q in ask(BUY, executed_at=at("17:01"))] == ["OUTSIDE_WINDOW"]


# ---------------------------------------------------------------- nothing raises, every slip is seen
NUMBER = st.none() | st.decimals("0", "1e9", places=8)


@given(st.sampled_from((SELL, BUY)), NUMBER, NUMBER, NUMBER, st.sampled_from(["DONE", "PARTIAL"]))
def test_no_numbers_raise(line: LinePart, units: Any, price: Any, value: Any, status: str) -> None:
    found = ask(line, status, units=units, price_usd=price, value_gbp=value)
    assert len(set(found)) == len(found)
    assert all(q.sentence.endswith((".", "?")) for q in found)


@given(st.decimals("0.1", "900", places=6), st.decimals("5", "900", places=2))
def test_every_point_moved_in_a_sale_is_seen(pieces: Decimal, price: Decimal) -> None:
    line = SELL.model_copy(
        update={"units": f"{pieces:.6f}", "reference_price_usd": f"{price:.2f}", "limit_price_usd": "0.01"}
    )
    with exact():
        value = half_even(pieces * price / RATE, 2)
    assume(value > 1)
    right = {"units": plain(pieces), "price_usd": plain(price), "value_gbp": plain(value)}
    assert ask(line, **right) == ()
    for power in (-3, -2, -1, 1, 2, 3):
        found = ask(line, **(right | {"units": plain(pieces.scaleb(power))}))
        assert [q.field for q in found] == ["units"], power
        assert found[0].code in ("UNITS_POINT_MOVED", "UNITS_DIGITS_SWAPPED")  # 0.01 for 0.1 is both


@given(st.decimals("0.000001", "99999", places=6))
def test_every_swap_is_a_slip_of_its_original(number: Decimal) -> None:
    for wrong in neighbours_swapped(number):
        if wrong > 0:
            slip = likely_slip(wrong, number, D(0))
            assert slip is not None
            assert (slip.kind, slip.meant) == ("DIGITS_SWAPPED", number)
