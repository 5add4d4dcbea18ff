"""Answers as data: what makes one incomplete, and how its parts add up."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_ops.domain.answer import STATUSES, Answer, FillPart, check_answer, is_overfilled, of_parts
from trading_ops.domain.errors import BadInput
from trading_ops.domain.values import exact

D = Decimal
AT = dt.datetime(2018, 2, 5, 14, 50, tzinfo=dt.UTC)
TINY = D("0.00000001")


def numbers(places: int, most: str = "100000") -> st.SearchStrategy[Decimal]:
    """Positive numbers of so many decimals."""
    return st.decimals(D(1).scaleb(-places), D(most), places=places)


TIMES = st.integers(0, 100_000).map(lambda seconds: AT + dt.timedelta(seconds=seconds))
WORDS = st.one_of(st.none(), st.text("0123456789", min_size=1, max_size=10))


def parts_with(units: st.SearchStrategy[Any], value: st.SearchStrategy[Any]) -> st.SearchStrategy[list[FillPart]]:
    """One to five parts."""
    one = st.builds(FillPart, numbers(8), TIMES, units, value, position_id=WORDS, lot_id=WORDS)
    return st.lists(one, min_size=1, max_size=5)


BOTH = parts_with(numbers(6), numbers(2))
ALL_UNITS, ALL_POUNDS = parts_with(numbers(6), st.none()), parts_with(st.none(), numbers(2))
ANY_NUMBER = st.one_of(
    st.none(),
    st.decimals(),
    st.sampled_from([D("NaN"), D("sNaN"), D("-Infinity"), D("1e-400"), D(0), D(-1), D("1e30")]),
)
ANY_PART = st.builds(
    FillPart, st.one_of(numbers(8), st.decimals()), TIMES, ANY_NUMBER, ANY_NUMBER, position_id=WORDS, lot_id=WORDS
)


def refusal(answer: Answer) -> str:
    """Why an answer is refused; empty when it is complete."""
    try:
        check_answer(answer, "the page")
    except BadInput as refused:
        return str(refused)
    return ""


@given(BOTH)
def test_totals_are_the_sums_of_the_parts(parts: list[FillPart]) -> None:
    answer = of_parts(1, "DONE", parts, fee_gbp=D("1.50"))
    with exact():
        assert answer.units == sum(part.units or 0 for part in parts)
        assert answer.value_gbp == sum(part.value_gbp or 0 for part in parts)
    assert answer.fee_gbp == D("1.50")
    assert answer.executed_at == max(part.executed_at for part in parts)
    check_answer(answer, "the page")


@given(st.one_of(BOTH, ALL_UNITS, ALL_POUNDS))
def test_the_price_of_the_whole_lies_among_those_of_its_parts(parts: list[FillPart]) -> None:
    answer = of_parts(1, "PARTIAL", parts)
    prices = [part.price_usd for part in parts]
    assert answer.price_usd is not None
    assert min(prices) <= answer.price_usd <= max(prices)
    check_answer(answer, "the page")


@given(ALL_POUNDS)
def test_of_pounds_alone_the_price_is_the_mean_by_the_units_they_bought(parts: list[FillPart]) -> None:
    answer = of_parts(1, "DONE", parts)
    with exact():
        bought = sum(((part.value_gbp or D(0)) / part.price_usd for part in parts), D(0))
        assert answer.price_usd is not None
        assert answer.value_gbp is not None
        assert abs(answer.value_gbp / bought - answer.price_usd) <= TINY


@given(BOTH)
def test_what_is_booked_is_the_parts_and_nothing_else(parts: list[FillPart]) -> None:
    assert of_parts(1, "DONE", parts).pieces == tuple(parts)


@given(BOTH, st.randoms(use_true_random=False))
def test_the_totals_do_not_depend_on_the_order_of_the_parts(parts: list[FillPart], random: Any) -> None:
    mixed = parts.copy()
    random.shuffle(mixed)
    one, other = of_parts(1, "DONE", parts), of_parts(1, "DONE", mixed)
    assert replace(one, parts=(), position_id=None) == replace(other, parts=(), position_id=None)


@given(st.lists(ANY_PART, min_size=1, max_size=4))
def test_whatever_was_typed_is_an_answer_or_bad_input_and_never_breaks(parts: list[FillPart]) -> None:
    answer = of_parts(1, "DONE", parts)
    told = refusal(answer)
    assert told.startswith("the page") or (answer.units is not None or answer.value_gbp is not None)


@given(
    st.builds(
        Answer, st.integers(1, 9), st.sampled_from([*STATUSES, "DONE "]), st.text(max_size=5), ANY_NUMBER, ANY_NUMBER,
        ANY_NUMBER, ANY_NUMBER, st.one_of(st.none(), TIMES), WORDS, note=st.text(max_size=5),
    )
)  # fmt: skip
def test_an_answer_that_passes_can_be_stored(answer: Answer) -> None:
    told = refusal(answer)
    if told:
        assert told.startswith("the page")
        return
    traded = answer.status in ("DONE", "PARTIAL")
    assert (answer.price_usd is not None and answer.executed_at is not None) == traded
    assert (answer.units is not None or answer.value_gbp is not None) == traded
    assert answer.fee_gbp is None or traded
    largest = {"units": "99999999999999.999999", "price_usd": "999999999999.99999999", "value_gbp": "99999999999999.99"}
    for name, most in largest.items():
        value = getattr(answer, name)
        assert value is None or (D(0) < value <= D(most) and round(value, 8) == value)
    assert "\0" not in answer.note + answer.reason


def part(units: str | None, value: str | None, price: str = "100", **changes: Any) -> FillPart:
    return FillPart(D(price), AT, D(units) if units else None, D(value) if value else None, **changes)


def test_a_single_part_is_the_answer_itself() -> None:
    answer = of_parts(2, "DONE", [part("2", "150", position_id="77")], note="fine")
    assert answer == Answer(2, "DONE", "", D(2), D(100), D(150), None, AT, "77", note="fine")


def test_a_single_part_that_names_its_lot_keeps_it() -> None:
    only = part("2", None, position_id="77", lot_id="the younger lot")
    answer = of_parts(2, "PARTIAL", [only])
    assert answer.pieces == (only,)
    assert answer.position_id == "77"


def test_the_price_is_weighed_by_units() -> None:
    assert of_parts(1, "DONE", [part("3", "210", "100"), part("1", "80", "200")]).price_usd == D(125)


def test_the_price_of_pounds_is_weighed_by_the_units_they_bought() -> None:
    assert of_parts(1, "DONE", [part(None, "300", "100"), part(None, "200", "200")]).price_usd == D(125)


def test_units_of_one_position_and_pounds_of_the_other_make_no_whole() -> None:
    with pytest.raises(BadInput, match="the page: give the units of every position, or the pounds of every position"):
        check_answer(of_parts(1, "DONE", [part("3", None), part(None, "80")]), "the page")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"units": D(5)}, "units is 5, but its positions make 4"),
        ({"price_usd": D(99)}, "price_usd is 99, but its positions make 100"),
        ({"value_gbp": None}, "value_gbp is None, but its positions make 290"),
    ],
)
def test_totals_that_are_not_those_of_the_parts_are_refused(changes: dict[str, Any], told: str) -> None:
    whole = of_parts(1, "DONE", [part("3", "210"), part("1", "80")])
    with pytest.raises(BadInput, match=told):
        check_answer(replace(whole, **changes), "the page")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"status": "MAYBE"}, "status 'MAYBE' is not one of"),
        ({"units": D("1.1234567")}, "units 1.1234567 has more than 6 decimals"),
        ({"units": D("NaN")}, "units NaN must be a number above 0"),
        ({"price_usd": D(0)}, "price_usd 0 must be a number above 0"),
        ({"price_usd": None}, "needs price_usd and executed_at"),
        ({"units": None, "value_gbp": None}, "needs units or value_gbp"),
        ({"value_gbp": D("1e12")}, "value_gbp 1000000000000 is too large to be true"),
        ({"fee_gbp": D("-0.01")}, "fee_gbp -0.01 must be 0 or more"),
        ({"executed_at": AT.replace(tzinfo=None)}, "has no time zone"),
        ({"note": "a\0b"}, "note .* holds a character that cannot be kept"),
        ({"typed": {"price": ["1\ud800"]}}, "typed .* holds a character that cannot be kept"),
        ({"status": "SKIPPED"}, "SKIPPED says nothing was traded"),
    ],
)
def test_what_is_impossible_is_named(changes: dict[str, Any], told: str) -> None:
    good = Answer(1, "DONE", "", D("1.5"), D(100), D("107.00"), D(1), AT)
    check_answer(good, "the page")
    with pytest.raises(BadInput, match=f"^the page: .*{told}"):
        check_answer(replace(good, **changes), "the page")


def test_nothing_traded_has_no_fee() -> None:
    with pytest.raises(BadInput, match="FAILED says nothing was traded, so fee_gbp stays empty"):
        check_answer(Answer(1, "FAILED", "MISSING", fee_gbp=D(1)), "the page")


def test_a_sale_is_overfilled_by_the_sum_of_its_parts() -> None:
    answer = of_parts(1, "DONE", [part("3", "210"), part("1.000001", "80")])
    assert is_overfilled(answer, "SELL", D(4), D(290), [D("1.4")] * 2)
    assert not is_overfilled(answer, "SELL", D("4.000001"), D(1), [D("1.4")] * 2)


def test_what_the_form_kept_beside_the_answer_is_not_part_of_it() -> None:
    plain = Answer(1, "SKIPPED", "price above the limit")
    assert replace(plain, typed={"reason": "x"}, asked=("again",)) == plain
    assert "typed" not in plain.payload()
