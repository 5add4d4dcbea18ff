"""TRADE only when every rule is proven; everything else is NO-TRADE with its reasons."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_ops.domain.books import BOOKS, Book
from trading_ops.domain.gates import decide, required_codes
from trading_ops.domain.reasons import RULES
from trading_ops.domain.results import CheckResult, Outcome, Verdict
from trading_ops_tests.unit.ticket_factory import all_passed, make_result

FAIL, NOT_EVALUATED = Outcome.FAIL, Outcome.NOT_EVALUATED


@pytest.mark.parametrize("book", BOOKS)
def test_trade_when_every_rule_passed_and_there_are_lines(book: Book) -> None:
    decision = decide(all_passed(book), True, book)
    assert decision.verdict is Verdict.TRADE
    assert decision.failed == decision.not_evaluated == ()
    assert {result.code for result in decision.passed} == {*required_codes(book), "NOTHING_TO_DO"}


@pytest.mark.parametrize("outcome", [FAIL, NOT_EVALUATED])
@pytest.mark.parametrize(("book", "code"), [(book, code) for book in BOOKS for code in required_codes(book)])
def test_any_single_rule_that_did_not_pass_stops_the_trade(book: Book, code: str, outcome: Outcome) -> None:
    decision = decide(all_passed(book, but=[make_result(code, outcome)]), True, book)
    assert decision.verdict is Verdict.NO_TRADE
    assert decision.reasons == ((code,) if outcome is FAIL else ())
    assert [r.code for r in decision.not_evaluated] == ([code] if outcome is NOT_EVALUATED else [])


@pytest.mark.parametrize(("book", "code"), [(book, code) for book in BOOKS for code in required_codes(book)])
def test_absent_evidence_is_not_evaluated_and_stops_the_trade(book: Book, code: str) -> None:
    decision = decide(all_passed(book, without=[code]), True, book)
    assert decision.verdict is Verdict.NO_TRADE
    assert [r.code for r in decision.not_evaluated] == [code]


def test_no_evidence_at_all_is_no_trade() -> None:
    decision = decide([], True, "live")
    assert decision.verdict is Verdict.NO_TRADE
    assert {r.code for r in decision.not_evaluated} == set(required_codes("live"))


def test_rules_behind_a_failed_gate_are_listed_not_evaluated() -> None:
    risk = [code for code, rule in RULES.items() if rule.gate == "risk"]
    evidence = all_passed(but=[make_result("BENCHMARK_MISSING", FAIL)], without=risk)
    decision = decide(evidence, False, "live")
    assert decision.reasons == ("BENCHMARK_MISSING",)
    assert [r.code for r in decision.not_evaluated] == [*risk, "NOTHING_TO_DO"]


def test_no_line_left_and_every_gate_passed_is_nothing_to_do() -> None:
    decision = decide(all_passed(), False, "live")
    assert decision.verdict is Verdict.NO_TRADE
    assert decision.reasons == ("NOTHING_TO_DO",)
    assert decision.not_evaluated == ()


def test_evidence_cannot_claim_that_there_is_something_to_do() -> None:
    assert decide([*all_passed(), make_result("NOTHING_TO_DO")], False, "live").reasons == ("NOTHING_TO_DO",)


def test_rules_of_the_live_book_are_needed_there_only() -> None:
    live_only = {"BACKUP_UNPROVEN", "ACCOUNT_UNCONFIRMED", "UNVERIFIED_NAME"}
    assert set(required_codes("live")) - set(required_codes("sim")) == live_only
    evidence = all_passed("sim")
    assert decide(evidence, True, "sim").verdict is Verdict.TRADE
    assert {r.code for r in decide(evidence, True, "live").not_evaluated} == live_only


@pytest.mark.parametrize("code", ["BACKUP_UNPROVEN", "NO_SUCH_RULE"])
def test_a_failed_rule_that_this_book_does_not_need_still_blocks(code: str) -> None:
    decision = decide([*all_passed("sim"), make_result(code, FAIL)], True, "sim")
    assert decision.verdict is Verdict.NO_TRADE
    assert decision.reasons == (code,)


def test_a_passed_rule_that_is_unknown_helps_nobody() -> None:
    evidence = [*all_passed(without=["KILL_SWITCH"]), make_result("KILL_SWITCH_OLD_NAME")]
    assert decide(evidence, True, "live").verdict is Verdict.NO_TRADE


@pytest.mark.parametrize("worse", [FAIL, NOT_EVALUATED])
def test_of_two_answers_to_one_rule_the_worse_one_counts(worse: Outcome) -> None:
    twice = [make_result("CASH_DRIFT", worse), *all_passed(), make_result("CASH_DRIFT")]
    assert decide(twice, True, "live").verdict is Verdict.NO_TRADE


@given(
    st.lists(
        st.builds(make_result, st.sampled_from(sorted(RULES)), st.sampled_from(Outcome), seen=st.sampled_from("ab")),
        max_size=30,
    ),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_shuffled_evidence_gives_the_same_decision(
    extra: list[CheckResult], has_lines: bool, chance: random.Random
) -> None:
    evidence = [*all_passed(), *extra]
    shuffled = evidence.copy()
    chance.shuffle(shuffled)
    decision = decide(evidence, has_lines, "live")
    assert decide(shuffled, has_lines, "live") == decision
    proven = has_lines and all(r.passed for r in extra if r.code != "NOTHING_TO_DO")
    assert (decision.verdict is Verdict.TRADE) == proven


def test_results_stand_in_the_order_of_the_rules() -> None:
    decision = decide(reversed(all_passed(but=[make_result("FX_STALE", FAIL)])), True, "live")
    assert [r.code for r in decision.results] == list(RULES)
