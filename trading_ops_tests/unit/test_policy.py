"""The policy file: exact numbers, one hash, and errors that say where and what to do."""

import decimal
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_ops.domain.errors import ConfigError
from trading_ops.domain.policy import canonical, describe_difference, parse, policy_hash

WHERE = "config/policy.yml"
TEXT = (Path(__file__).parents[2] / WHERE).read_text("utf-8")


def edited(old: str, new: str) -> str:
    assert TEXT.count(old) >= 1, f"the policy file has no {old!r}"
    return TEXT.replace(old, new, 1)


def place_of(text: str, piece: str) -> str:
    before = text[: text.index(piece)]
    return f"line {before.count(chr(10)) + 1}, column {len(before) - (before.rfind(chr(10)) + 1) + 1}"


def test_the_committed_policy_has_the_rules_defaults() -> None:
    policy = parse(TEXT, WHERE)
    assert policy.sizing.seats == 15
    assert policy.sizing.max_weight == Decimal("0.10")
    assert policy.risk.drawdown_max == Decimal("0.2")
    assert policy.data.usual_splits[0] == Decimal("1.5")
    assert policy.account.confirmed_on is None


def test_numbers_are_the_files_own_text_in_any_decimal_context() -> None:
    with decimal.localcontext() as context:
        context.prec = 3
        policy = parse(edited("fx_fee: 0.0075", "fx_fee: 0.007512345678"), WHERE)
    assert policy.account.fx_fee == Decimal("0.007512345678")


@given(st.decimals(0, 1, places=9))
def test_every_share_survives_exactly(share: Decimal) -> None:
    assert parse(edited("band: 0.15", f"band: {share:f}"), WHERE).sizing.band == share


@pytest.mark.parametrize(
    ("old", "new", "key", "way_out"),
    [
        ("seats: 15", "seats: abc", "sizing.seats", "'abc' is not a whole number"),
        ("seats: 15", "seats: 1.5", "sizing.seats", "'1.5' is not a whole number"),
        ("seats: 15", "seats: 1_5", "sizing.seats", "'1_5' is not a whole number"),
        ("seats: 15", "seats: -1", "sizing.seats", "the least allowed is 1"),
        ("seats: 15", "seats: null", "sizing.seats", "the value is missing"),
        ("seats: 15", "seats: [15]", "sizing.seats", "a single value is expected"),
        ("band: 0.15", "band: .nan", "sizing.band", "'.nan' is not a number"),
        ("band: 0.15", "band: NaN", "sizing.band", "'NaN' is not a number"),
        ("band: 0.15", "band: .inf", "sizing.band", "'.inf' is not a number"),
        ("band: 0.15", "band: Infinity", "sizing.band", "'Infinity' is not a number"),
        ("band: 0.15", "band: 1.5e-1", "sizing.band", "is not a number"),
        ("band: 0.15", "band: 0,15", "sizing.band", "'0,15' is not a number"),
        ("band: 0.15", "band: 15", "sizing.band", "the most allowed is 1"),
        ("minimum_order_gbp: 25", "minimum_order_gbp: 0", "sizing.minimum_order_gbp", "must be above 0"),
        ("currency: GBP", "currency: GBp", "account.currency", "Use 'GBP'"),
        ("confirmed_on: null", "confirmed_on: 31.3.2026", "account.confirmed_on", "2026-03-31"),
        ('"21:00"', '"25:00"', "window.confirm_by", "not a London time"),
        ("Saturday 08:00", "Caturday 08:00", "schedule.plan_opens", "Saturday 08:00"),
        ("[1.5, 2,", "[1.5, x,", "data.usual_splits[2]", "'x' is not a number"),
        ("[files, stooq, tiingo, yahoo, simulated]", "[]", "data.source_order", "Name at least one"),
        ("[files, stooq, tiingo, yahoo, simulated]", "files", "data.source_order", "a list is expected"),
        ("http://desk.lan:8501", "desk", "ticket.page_url", "is not a page's address"),
    ],
)
def test_a_wrong_value_is_named_with_its_place(old: str, new: str, key: str, way_out: str) -> None:
    text = edited(old, new)
    with pytest.raises(ConfigError) as caught:
        parse(text, WHERE)
    message = str(caught.value)
    line = place_of(TEXT, old).split(",")[0]
    assert message.startswith(f"{WHERE}, {line}, column ")
    assert f", {key}: " in message
    assert way_out in message


def test_the_column_is_that_of_the_value() -> None:
    text = edited("seats: 15", "seats: abc")
    with pytest.raises(ConfigError, match=f"{place_of(text, 'abc')}, sizing.seats:"):
        parse(text, WHERE)


def test_an_unknown_key_is_named_and_the_nearest_known_one_offered() -> None:
    text = edited("seats: 15", "seets: 15")
    with pytest.raises(ConfigError, match=r"sizing\.seets: the key is unknown\. Did you mean seats\?"):
        parse(text, WHERE)


def test_a_missing_key_names_the_line_of_its_section() -> None:
    text = edited("  band: 0.15", "  # band")
    with pytest.raises(ConfigError, match=f"{place_of(text, 'sizing:')}, sizing.band: the key is missing"):
        parse(text, WHERE)


def test_a_missing_section_names_its_keys() -> None:
    text = TEXT[: TEXT.index("desk:")]
    with pytest.raises(ConfigError, match=r"desk: the section is missing.*backup_max_age, rearm_after"):
        parse(text, WHERE)


def test_the_first_problem_of_the_file_is_reported() -> None:
    text = edited("seats: 15", "seats: abc").replace("fx_fee: 0.0075", "fx_fee: x")
    with pytest.raises(ConfigError, match=r"account\.fx_fee"):
        parse(text, WHERE)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("stub_far: 126", "stub_far: 126\n  stub_far: 120", "twice, first in line"),
        ("account:", "\x00account:", "not YAML"),
        ("seats: 15", "seats: [15", "not YAML"),
        ("seats: 15", "seats: &a 15\n  x: *a", "aliases are not allowed"),
    ],
)
def test_bad_yaml_is_refused(old: str, new: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        parse(edited(old, new), WHERE)


@pytest.mark.parametrize("text", ["", "- 1\n- 2\n", "just text", "account: 3\n"])
def test_something_else_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=WHERE):
        parse(text, WHERE)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("keep_rank: 25", "keep_rank: 14", "sizing.keep_rank"),
        ("max_positions: 20", "max_positions: 14", "risk.max_positions"),
        ("stub_near: 21", "stub_near: 126", "signals.stub_far"),
        ("closes_after: 135", "closes_after: 15", "window.closes_after"),
        ("closes_after: 135", "closes_after: 391", "window.closes_after"),
        ("Sunday 18:00", "Saturday 08:00", "schedule.decide_by"),
        ("Sunday 18:00", "Monday 15:00", "schedule.decide_by"),
        ("Sunday 18:00", "Friday 18:00", "schedule.decide_by"),
        ("[files, stooq, tiingo, yahoo, simulated]", "[files, files, stooq, tiingo, yahoo]", "data.source_order"),
        ("sources: [stooq, tiingo, yahoo]", "sources: [stooq, stooq]", "fetch.sources"),
        ("sources: [stooq, tiingo, yahoo]", "sources: [stooq, bloomberg]", "fetch.sources"),
        ("fx_sources: [ecb, yahoo, stooq]", "fx_sources: [ecb, boe]", "fetch.fx_sources"),
        ("history: 300", "history: 126", "fetch.history"),
        ("sell_haircut: 0.98", "sell_haircut: 0", "sizing.sell_haircut"),
    ],
)
def test_two_keys_that_contradict_each_other_are_refused(old: str, new: str, key: str) -> None:
    with pytest.raises(ConfigError, match=rf"line \d+, column \d+, {key}: "):
        parse(edited(old, new), WHERE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("keep_rank: 25", "keep_rank: 15"),
        ("max_positions: 20", "max_positions: 15"),
        ("stub_near: 21", "stub_near: 125"),
        ("closes_after: 135", "closes_after: 16"),
        ("closes_after: 135", "closes_after: 390"),
        ("Sunday 18:00", "Monday 13:29"),
    ],
)
def test_the_edge_of_each_contradiction_is_allowed(old: str, new: str) -> None:
    parse(edited(old, new), WHERE)


def test_the_canonical_policy_holds_text_only() -> None:
    sections = canonical(parse(TEXT, WHERE))
    assert sections["sizing"] == {
        "seats": "15", "keep_rank": "25", "buffer": "0.03", "cash_floor": "0.02", "max_weight": "0.1",
        "turnover_cap": "0.3", "band": "0.15", "minimum_order_gbp": "25", "sell_haircut": "0.98", "phase_share": "1",
    }  # fmt: skip
    assert sections["account"] == {
        "currency": "GBP", "confirmed_on": None, "commission_usd": "0", "fx_fee": "0.0075",
    }  # fmt: skip


def test_the_hash_sees_numbers_not_their_spelling() -> None:
    original = policy_hash(parse(TEXT, WHERE))
    assert policy_hash(parse(edited("max_weight: 0.10", "max_weight: 0.1   # the same"), WHERE)) == original
    assert policy_hash(parse(edited("seats: 15", "seats: 14"), WHERE)) != original


def test_the_hash_is_frozen() -> None:
    """A golden vector: stored tickets name this hash, so its canonical form may never drift."""
    assert policy_hash(parse(FROZEN, WHERE)) == FROZEN_HASH


def test_a_difference_names_its_keys() -> None:
    before = canonical(parse(TEXT, WHERE))
    after = canonical(parse(edited("seats: 15", "seats: 12").replace("[1.5, 2,", "[2,"), WHERE))
    assert describe_difference(before, before) == []
    assert describe_difference(before, after) == [
        "data.usual_splits: [1.5, 2, 3, 4, 5, 7, 10, 20] -> [2, 3, 4, 5, 7, 10, 20]",
        "sizing.seats: 15 -> 12",
    ]


def test_a_key_only_one_side_has_is_a_difference() -> None:
    assert describe_difference({"a": {"x": "1"}}, {"a": {}}) == ["a.x: 1 -> absent"]


FROZEN = """\
account: {currency: GBP, confirmed_on: 2026-03-31, commission_usd: 1, fx_fee: 0.0075}
schedule: {plan_opens: "Saturday 08:00", decide_by: "Sunday 18:00", no_trade_before_window: 60}
window: {opens_after: 15, closes_after: 135, early_close_margin: 15, confirm_by: "21:00"}
data: {source_order: [files], benchmark: SPY, coverage_min: 0.98, fx_max_age: 4, jump_max: 1.4, split_tolerance: 0.05,
  usual_splits: [1.5, 2], special_distribution: 0.1, frozen_max: 0.02, cross_check_tolerance: 0.002,
  split_max_denominator: 20, split_noise: 0.0001}
signals: {source: stub, scored_min: 0.95, stub_near: 21, stub_far: 126}
sizing: {seats: 15, keep_rank: 25, buffer: 0.03, cash_floor: 0.02, max_weight: 0.1, turnover_cap: 0.3, band: 0.15,
  minimum_order_gbp: 25, sell_haircut: 0.98, phase_share: 1}
risk: {max_positions: 20, max_weight_tolerance: 0.005, verified_max_age: 180, drawdown_max: 0.2, phase_tolerance: 1.1}
confirmation: {price_question: 0.05}
reconciliation: {snapshot_max_age: 8, units_abs: 0.0005, units_rel: 0.002, cash_abs_gbp: 5, cash_rel: 0.005,
  dividend_unresolved_days: 30}
ledger: {withholding: 0.15}
ticket: {buy_limit: 0.02, sell_limit: 0.08, available_share: 0.5, page_url: "http://desk.lan:8501"}
desk: {backup_max_age: 48, rearm_after: 4}
"""
FROZEN_HASH = "877d2e3f598552a454e9923167b93c8645ce9e18feef1371ba4b104d19bf64b6"


def test_a_policy_of_an_earlier_version_keeps_its_hash_and_its_meaning() -> None:
    older = TEXT[: TEXT.index("\nfetch:")]
    for key in ("sources_min", "fx_source_order", "fx_cross_tolerance"):
        older = "\n".join(line for line in older.splitlines() if not line.strip().startswith(f"{key}:")) + "\n"
    older = older.replace("[files, stooq, tiingo, yahoo, simulated]", "[files, simulated]")
    policy = parse(older, WHERE)
    assert policy_hash(policy) == "e80b9e0a921374f6646c7a1f22ce5a461d5d2f1c4bb31dc31f5b363242e25b85"
    assert "fetch" not in canonical(policy)
    assert policy.data.sources_min == 1
    assert policy.data.fx_order == ("files", "simulated")
