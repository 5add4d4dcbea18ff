"""The closed list of rules: complete, in order, and every number it names exists."""

from functools import reduce

import pytest

from trading_ops.domain.reasons import FREEZE_CODES, RULES, Rule, rules_of
from trading_ops.domain.risk import RISK_CHECKS
from trading_ops_tests.unit.book_factory import committed_policy

IN_ORDER = {
    "data": "DATA_COVERAGE BENCHMARK_MISSING OFF_CALENDAR_BAR DUPLICATE_BAR FX_STALE VALUATION_INCOMPLETE NAMES_FROZEN",
    "signals": "SIGNALS_STALE",
    "risk": "MAX_POSITIONS MAX_WEIGHT CASH_FLOOR TURNOVER_CAP NO_SHORT NO_LEVERAGE NO_CFD UNVERIFIED_NAME "
    "UNKNOWN_SYMBOL TRADE_SIZE STALE_PRICE SPLIT_PENDING KILL_SWITCH DRAWDOWN PHASE_CAP",
    "confirmation": "CONFIRMATION_MISSING",
    "reconciliation": "SNAPSHOT_STALE UNITS_DRIFT UNKNOWN_POSITION CASH_DRIFT DIVIDEND_UNRESOLVED "
    "OPENING_SNAPSHOT_MISSING",
    "desk": "BACKUP_UNPROVEN INCIDENT_OPEN ACCOUNT_UNCONFIRMED RUN_FAILED PLAN_MISSED NOTHING_TO_DO TICKET_TOO_LATE",
}


def test_the_list_is_closed_and_in_the_order_of_the_rules() -> None:
    assert list(RULES) == " ".join(IN_ORDER.values()).split()


@pytest.mark.parametrize("gate", IN_ORDER)
def test_every_rule_is_found_at_its_gate(gate: str) -> None:
    assert [r.code for r in rules_of(gate)] == IN_ORDER[gate].split()  # type: ignore[arg-type]


def test_risk_has_one_check_for_each_of_its_rules_in_the_same_order() -> None:
    assert [code for code, _ in RISK_CHECKS] == [r.code for r in rules_of("risk")]


def test_every_risk_check_carries_the_name_of_its_rule() -> None:
    for code, check in RISK_CHECKS:
        assert check.__name__ == f"check_{code.lower()}"
        starred = f"{code} *:" if RULES[code].starred else f"{code}:"
        assert (check.__doc__ or "").startswith(starred)


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda r: r.code)
def test_every_number_a_rule_names_stands_in_the_policy(rule: Rule) -> None:
    if rule.policy_key is not None:
        reduce(getattr, rule.policy_key.split("."), committed_policy())


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda r: r.code)
def test_every_rule_speaks_in_sentences(rule: Rule) -> None:
    assert rule.sentence[0].isupper()
    assert rule.sentence.endswith(".")
    assert rule.remedy.endswith(".")


def test_only_these_rules_pass_when_there_are_no_buys() -> None:
    assert [r.code for r in RULES.values() if r.starred] == ["MAX_POSITIONS", "CASH_FLOOR", "PHASE_CAP"]


def test_only_these_rules_hold_for_the_live_book_alone() -> None:
    live = [r.code for r in RULES.values() if r.books == ("live",)]
    assert live == ["UNVERIFIED_NAME", "BACKUP_UNPROVEN", "ACCOUNT_UNCONFIRMED"]


def test_why_a_name_is_frozen_is_no_rule_of_its_own() -> None:
    assert not FREEZE_CODES.keys() & RULES.keys()
