"""The confirmation gate."""

import pytest

from trading_ops.domain.confirmation import LineAnswer, check_confirmation_missing
from trading_ops.domain.results import Outcome


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
