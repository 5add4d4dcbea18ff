"""The confirmation gate, and what a form asks again about an answer."""

from decimal import Decimal

import pytest

from trading_ops.domain.confirmation import LineAnswer, check_confirmation_missing, implausible
from trading_ops.domain.results import Outcome
from trading_ops_tests.unit.market_factory import make_policy


def line(number: int, status: str | None) -> LineAnswer:
    return LineAnswer("2018-01-26", number, "AAA", "BUY", status)


@pytest.mark.parametrize("status", ["DONE", "PARTIAL", "SKIPPED", "FAILED"])
def test_any_answer_is_an_answer(status: str) -> None:
    result = check_confirmation_missing([line(1, status)])
    assert result.outcome is Outcome.PASS
    assert result.seen == "1 of 1 lines answered"


def test_a_line_without_answer_fails_and_is_named() -> None:
    result = check_confirmation_missing([line(1, "DONE"), line(2, None)])
    assert result.outcome is Outcome.FAIL
    assert result.seen == "1 of 2 lines answered"
    assert "line 2 (BUY AAA)" in result.sentence
    assert result.subjects == ("2018-01-26/2",)


def test_no_ticket_before_needs_no_answer() -> None:
    assert check_confirmation_missing([]).passed


@pytest.mark.parametrize(
    ("units", "price", "value", "asks"),
    [
        ("5.31", "340", "1290", ""),
        ("5.31", "357", "1354.13", ""),  # 5 % away exactly is not beyond it
        ("5.31", "357.01", "1354.13", "5 % above the reference 340"),
        ("5.31", "34", "129", "90 % below the reference 340"),
        ("53.1", "340", "1290", "53.1 units at 340 USD are about 12896 GBP, not 1290"),
        (None, "340", "1290", ""),
        ("5.31", None, None, ""),
    ],
)
def test_what_is_asked_again(units: str | None, price: str | None, value: str | None, asks: str) -> None:
    numbers = [None if text is None else Decimal(text) for text in (units, price, value)]
    found = implausible(*numbers, Decimal(340), Decimal("1.4"), make_policy())
    assert (asks in found) if asks else found == ""
