"""What is typed on a phone becomes a number or a time, or a gentle question; never an exception."""

import datetime as dt
from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_ops.domain.typed import Kind, typed_number, typed_time
from trading_ops.domain.values import plain

D = Decimal
WINTER, SUMMER = dt.date(2018, 2, 5), dt.date(2018, 7, 2)


@pytest.mark.parametrize(
    ("text", "kind", "number"),
    [
        ("1.5", "units", "1.5"), ("1,5", "units", "1.5"), ("0,25", "units", "0.25"), ("3,104512", "units", "3.104512"),
        ("0,123", "units", "0.123"), (".5", "units", "0.5"), (",5", "units", "0.5"), ("12", "units", "12"),
        ("1.234", "units", "1.234"), ("1234,567", "units", "1234.567"), ("3.104512 units", "units", "3.104512"),
        ("1,234.56", "value", "1234.56"), ("1 234.56", "value", "1234.56"), ("1\u00a0234,56", "value", "1234.56"),
        ("£1,265.00", "value", "1265.00"), ("1.234,56", "value", "1234.56"), ("1,234", "value", "1234"),
        ("1,234,567.8", "value", "1234567.8"), ("GBP 310", "value", "310"), ("310 £", "value", "310"),
        ("\u200e£310\u202c", "value", "310"), ("  310 ", "value", "310"), ("+310", "value", "310"),
        ("$78.10", "price", "78.10"), ("US$ 1,429.95", "price", "1429.95"), ("251.20 USD", "price", "251.20"),
        ("1’429.95", "price", "1429.95"), ("0", "fee", "0"), ("0.00", "cash", "0"), ("3", "fee", "3"),
    ],
)  # fmt: skip
def test_numbers_as_people_write_them(text: str, kind: Kind, number: str) -> None:
    typed = typed_number(text, kind)
    assert (typed.value, typed.question, typed.raw) == (D(number), "", text)


@pytest.mark.parametrize(
    ("text", "near", "number"),
    [
        ("1,234", "1240", "1234"), ("1,234", "1.2", "1.234"), ("1,234", "0.5", "1.234"), ("1.234", "1200", "1234"),
        ("1.234", "1.2", "1.234"), ("1.234", "40", "1.234"),
    ],
)  # fmt: skip
def test_what_is_expected_decides_and_is_said(text: str, near: str, number: str) -> None:
    typed = typed_number(text, "units", D(near))
    assert (typed.value, typed.question) == (D(number), "")
    assert (f"Read as {number}, since about {near}" in typed.note) == (text.replace(",", ".") != number or "," in text)


@pytest.mark.parametrize("near", [None, D(40), D(0)])
def test_a_comma_before_three_digits_is_asked_when_nothing_decides(near: Decimal | None) -> None:
    typed = typed_number("1,234", "units", near)
    assert typed.value is None
    assert "1,234 could be 1234 or 1.234" in typed.question
    assert '"Units"' in typed.question


@pytest.mark.parametrize(
    ("text", "near", "number", "asks"),
    [
        ("78p", None, "0.78", "78 pence, so £0.78"),
        ("126500 pence", None, "1265", "126500 pence, so £1265.00"),
        ("126500", "1265", "126500", "126500 in pence? In pounds it would be £1265.00"),
        ("$310", None, "310", "a $ in it, but this field is in pounds"),
        ("310.123456", None, "310.123456", "two decimals"),
    ],
)
def test_pounds_that_need_a_second_look(text: str, near: str | None, number: str, asks: str) -> None:
    typed = typed_number(text, "value", D(near) if near else None)
    assert typed.value == D(number)
    assert asks in typed.question
    assert "eToro" in typed.question


@pytest.mark.parametrize(
    ("text", "kind", "asks"),
    [("£251.20", "price", "in dollars"), ("£3", "units", "for units, not money"), ("USD 5", "fee", "in pounds")],
)
def test_the_wrong_currency_is_asked_about(text: str, kind: Kind, asks: str) -> None:
    typed = typed_number(text, kind)
    assert typed.value is not None
    assert asks in typed.question


def test_units_with_twelve_decimals_are_kept_and_asked_about() -> None:
    typed = typed_number("3.104512345678", "units")
    assert typed.value == D("3.104512345678")
    assert "eToro shows at most 6 decimals" in typed.question


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("", "Nothing is typed"), (" \u200b ", "Nothing is typed"), ("abc", "a letter"), ("1O.5", "a letter"),
        ("<script>alert(1)</script>", "a letter"), ("=1+1", "not one number"), ("-5", "a minus"), ("£-5", "a minus"),
        ("−5", "a minus"), ("(6.97)", "a minus"), ("5-", "a minus"), ("1e5", "The e makes"), ("1.5E-3", "The e makes"),
        ("NaN", "a letter"), ("Infinity", "a letter"), ("１２３", "another keyboard"), ("١٢٣", "another keyboard"),
        ("½", "another keyboard"), ("9" * 41, "too long"), ("1" * 100_000, "too long"), ("9" * 20, "very large"),
        ("1.2.3", "not one number"), ("1,2,3", "not one number"), ("12 34", "not one number"),
        ("5/6", "not one number"),
        ("1,23,456", "not one number"), ("..", "no digit"), ("£", "no digit"), ("0", "This is 0"),
        ("0.000", "This is 0"),
        ("1\x002", "not one number"), ("78p", "Units have no pence"), ("5%", "not one number"),
        ("1_000", "not one number"),
    ],
)  # fmt: skip
def test_what_is_no_number_is_one_clear_sentence(text: str, asks: str) -> None:
    typed = typed_number(text, "units")
    assert typed.value is None
    assert asks in typed.question
    assert '"Units"' in typed.question
    assert typed.raw == text


@given(st.text(), st.sampled_from(get_args(Kind)), st.none() | st.decimals("-1e9", "1e9"))
def test_nothing_typed_raises(text: str, kind: Kind, near: Decimal | None) -> None:
    typed = typed_number(text, kind, near)
    assert typed.raw == text
    assert typed.value is not None or typed.question.endswith(".")
    assert typed.value is None or (typed.value.is_finite() and typed.value >= 0)
    assert typed_time(text, WINTER).raw == text


@given(st.text("0123456789.,£$ p'-e", max_size=45), st.sampled_from(get_args(Kind)))
def test_nothing_that_looks_like_a_number_raises(text: str, kind: Kind) -> None:
    typed = typed_number(text, kind)
    assert typed.value is not None or typed.question.endswith(".")


@given(st.decimals("0.000001", "999999", places=6))
def test_a_plain_number_is_read_as_it_stands(number: Decimal) -> None:
    point, comma = plain(number), plain(number).replace(".", ",")
    assert typed_number(point, "units").value == number
    assert typed_number(comma, "units", number).value == number
    assert typed_number(f"{number:,}", "units", number).value == number


@pytest.mark.parametrize("text", ["14:50", "2:50 pm", "2:50PM", "2.50 p.m.", "14.50", "1450", "14h50", "14:50:09"])
def test_clock_times_as_people_write_them(text: str) -> None:
    winter, summer = typed_time(text, WINTER), typed_time(text, SUMMER)
    assert (winter.value, winter.question) == (dt.datetime(2018, 2, 5, 14, 50, tzinfo=dt.UTC), "")
    assert summer.value == dt.datetime(2018, 7, 2, 13, 50, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("text", "hour"), [("3 pm", 15), ("12:10 pm", 12), ("12:10 am", 0), ("02:50", 2), ("15:00 pm", 15), ("0250", 2)]
)
def test_mornings_and_afternoons(text: str, hour: int) -> None:
    typed = typed_time(text, WINTER)
    assert typed.value is not None
    assert (typed.value.hour, typed.question) == (hour, "")


def test_an_hour_that_may_be_of_the_afternoon_is_asked_about() -> None:
    typed = typed_time("2:50", WINTER)
    assert typed.value == dt.datetime(2018, 2, 5, 2, 50, tzinfo=dt.UTC)
    assert "Is it 14:50" in typed.question


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("", "No time"), ("soon", "not a time"), ("25:00", "no 25:00"), ("14:75", "no 14:75"), ("14", "not a time"),
        ("15:00 am", "not in the morning"), ("0:10 pm", "no 0 pm"), ("١٤:٥٠", "not a time"), ("1" * 5000, "not a time"),
        ("2018-02-05 14:50", "not a time"),
    ],
)  # fmt: skip
def test_what_is_no_time_is_one_clear_sentence(text: str, asks: str) -> None:
    typed = typed_time(text, WINTER)
    assert typed.value is None
    assert asks in typed.question
    assert "14:50" in typed.question


def test_an_hour_that_the_clocks_skipped_is_asked_about() -> None:
    typed = typed_time("01:30", dt.date(2018, 3, 25))
    assert typed.value is None
    assert "went forward" in typed.question
