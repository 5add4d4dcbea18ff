"""Each risk rule at its edge. The book: £10,000 in all, H is 9 units of £100; the cap £3,000, the heaviest £1,000."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from trading_ops.domain.orders import Order
from trading_ops.domain.policy import Policy
from trading_ops.domain.reasons import RULES
from trading_ops.domain.results import CheckResult, Outcome
from trading_ops.domain.risk import RISK_CHECKS, KillSwitch, evaluate_risk
from trading_ops.domain.sizing import SizingInput
from trading_ops_tests.unit.book_factory import ASOF, book, order, policy, risk_input, size


def plain_book(**changes: Any) -> SizingInput:
    return book(**{"cash": "9100", "units": {"H": "9"}, "ranks": {"A": 1, "B": 2, "C": 3, "D": 4}, **changes})


def judge(
    code: str,
    *orders: Order,
    inp: SizingInput | None = None,
    numbers: Policy | None = None,
    **changes: Any,
) -> CheckResult:
    seen = risk_input(inp or plain_book(), orders, **changes)
    return dict(RISK_CHECKS)[code](seen, numbers or policy())


def buys(*pounds: str) -> list[Order]:
    return [order("BUY", symbol, pounds=p) for symbol, p in zip("ABCD", pounds, strict=False)]


# MAX_POSITIONS


@pytest.mark.parametrize(("most", "passes"), [(3, True), (2, False)])
def test_max_positions_counts_held_and_bought_names_once(most: int, passes: bool) -> None:
    lines = [order("BUY", "H"), order("BUY", "A"), order("BUY", "B")]
    answer = judge("MAX_POSITIONS", *lines, numbers=policy(max_positions=most))
    assert answer.passed is passes
    assert answer.seen == "3 names after all lines, 3 buys"


def test_max_positions_does_not_count_a_name_that_is_sold_wholly() -> None:
    lines = [order("SELL", "H", units="9"), order("BUY", "A")]
    assert judge("MAX_POSITIONS", *lines, numbers=policy(max_positions=1)).passed
    lines[0] = order("SELL", "H", units="8.999999")
    assert not judge("MAX_POSITIONS", *lines, numbers=policy(max_positions=1)).passed


def test_max_positions_passes_without_buys_and_says_so() -> None:
    inp = plain_book(units={"H": "9", "K": "1"})
    answer = judge("MAX_POSITIONS", order("SELL", "H", units="1"), inp=inp, numbers=policy(max_positions=1))
    assert answer.passed
    assert "passes because the plan has no buys" in answer.sentence


# MAX_WEIGHT: 0.10 + 0.005 of £10,000


@pytest.mark.parametrize(("pounds", "passes"), [("150", True), ("151", False)])
def test_max_weight_of_a_name_that_is_bought(pounds: str, passes: bool) -> None:
    answer = judge("MAX_WEIGHT", order("BUY", "H", pounds=pounds))
    assert answer.passed is passes
    assert answer.subjects == (() if passes else ("H",))


def test_max_weight_leaves_a_heavy_name_alone_that_is_not_bought() -> None:
    inp = plain_book(cash="5000", units={"H": "50"})
    assert judge("MAX_WEIGHT", order("SELL", "H", units="1"), order("BUY", "A"), inp=inp).passed


def test_max_weight_adds_up_two_lines_of_one_name() -> None:
    assert not judge("MAX_WEIGHT", order("BUY", "A", pounds="600"), order("BUY", "A", pounds="600")).passed


# CASH_FLOOR: £200


@pytest.mark.parametrize(("cash", "passes"), [("318", True), ("317", False)])
def test_cash_floor_counts_sales_at_the_haircut(cash: str, passes: bool) -> None:
    # 318 + 0.98 x 900 - 1000 = 200
    inp = plain_book(cash=cash, units={"H": "9", "K": "87.82"})
    answer = judge("CASH_FLOOR", order("SELL", "H", units="9"), order("BUY", "A", pounds="1000"), inp=inp)
    assert answer.passed is passes


def test_cash_floor_passes_without_buys() -> None:
    assert judge("CASH_FLOOR", order("SELL", "H", units="1"), inp=plain_book(cash="-50", units={"H": "9"})).passed


# TURNOVER_CAP: £3,000


@pytest.mark.parametrize(("last", "passes"), [("1000", True), ("1001", False)])
def test_turnover_cap_of_buys(last: str, passes: bool) -> None:
    assert judge("TURNOVER_CAP", *buys("1000", "1000", last)).passed is passes


@pytest.mark.parametrize(("units", "passes"), [("1.5", True), ("1.500001", False)])
def test_turnover_cap_of_sales_leaves_out_what_must_be_sold(units: str, passes: bool) -> None:
    # BIG is over the heaviest weight by a pound, EDGE is at it exactly and could wait
    held = {"OFF": "5", "BIG": "10.01", "EDGE": "10", "Q": "9.5", "R": "9", "S": "5"}
    inp = plain_book(cash="5149", units=held, rows={"OFF": {"enabled": False}})
    lines = [order("SELL", name, units=held[name]) for name in ("OFF", "BIG", "EDGE", "Q", "R")]
    assert judge("TURNOVER_CAP", *lines, order("SELL", "S", units=units), inp=inp).passed is passes


# NO_SHORT


@pytest.mark.parametrize(("units", "passes"), [("9", True), ("9.000001", False)])
def test_no_short_compares_with_what_is_held(units: str, passes: bool) -> None:
    assert judge("NO_SHORT", order("SELL", "H", units=units)).passed is passes


def test_no_short_adds_up_two_lines_of_one_name() -> None:
    answer = judge("NO_SHORT", order("SELL", "H", units="5"), order("SELL", "H", units="5"))
    assert (answer.passed, answer.subjects) == (False, ("H",))


def test_no_short_of_a_name_that_is_not_held() -> None:
    assert judge("NO_SHORT", order("SELL", "A", units="0.000001")).subjects == ("A",)


# NO_LEVERAGE


@pytest.mark.parametrize(("pounds", "passes"), [("982", True), ("983", False)])
def test_no_leverage_needs_buys_covered_by_certain_cash(pounds: str, passes: bool) -> None:
    # 100 + 0.98 x 900 = 982
    inp = plain_book(cash="100", units={"H": "9", "K": "90"})
    lines = [order("SELL", "H", units="9"), order("BUY", "A", pounds=pounds)]
    assert judge("NO_LEVERAGE", *lines, inp=inp).passed is passes


def test_no_leverage_refuses_any_other_leverage_on_either_side() -> None:
    assert judge("NO_LEVERAGE", order("SELL", "H", leverage=2)).subjects == ("H",)
    assert judge("NO_LEVERAGE", order("BUY", "A", leverage=0)).subjects == ("A",)


# NO_CFD, UNVERIFIED_NAME, UNKNOWN_SYMBOL


@pytest.mark.parametrize("row", [{"tradable_underlying": False}, {"instrument_type": "etf"}])
def test_no_cfd_of_a_bought_name(row: dict[str, Any]) -> None:
    inp = plain_book(rows={"A": row})
    assert judge("NO_CFD", order("BUY", "A"), inp=inp).subjects == ("A",)
    assert judge("NO_CFD", order("BUY", "B"), inp=inp).passed


def test_no_cfd_lets_a_name_be_sold() -> None:
    assert judge("NO_CFD", order("SELL", "H"), inp=plain_book(rows={"H": {"tradable_underlying": False}})).passed


@pytest.mark.parametrize(
    ("kind", "age", "passes"), [("live", 180, True), ("live", 181, False), ("paper", 999, True), ("sim", 999, True)]
)
def test_unverified_name_in_the_live_book(kind: str, age: int, passes: bool) -> None:
    inp = plain_book(rows={"A": {"verified_on": ASOF - dt.timedelta(days=age)}}, book=kind)
    assert judge("UNVERIFIED_NAME", order("BUY", "A"), inp=inp).passed is passes


def test_unverified_name_that_was_never_verified_may_only_be_sold() -> None:
    inp = plain_book(rows={"A": {"verified_on": None}, "H": {"verified_on": None}}, book="live")
    assert judge("UNVERIFIED_NAME", order("BUY", "A"), inp=inp).subjects == ("A",)
    assert judge("UNVERIFIED_NAME", order("SELL", "H"), inp=inp).passed


def test_unknown_symbol_on_either_side() -> None:
    inp = plain_book(unknown=["H", "A"])
    assert judge("UNKNOWN_SYMBOL", order("SELL", "H"), order("BUY", "A"), inp=inp).subjects == ("A", "H")


def test_unknown_symbol_lets_a_disabled_name_be_sold_but_not_bought() -> None:
    inp = plain_book(rows={"H": {"enabled": False}})
    assert judge("UNKNOWN_SYMBOL", order("SELL", "H"), inp=inp).passed
    assert judge("UNKNOWN_SYMBOL", order("BUY", "H"), inp=inp).subjects == ("H",)


# TRADE_SIZE, STALE_PRICE, SPLIT_PENDING


@pytest.mark.parametrize(("pounds", "passes"), [("24.99", False), ("25", True), ("1000", True), ("1000.01", False)])
def test_trade_size_of_a_buy(pounds: str, passes: bool) -> None:
    assert judge("TRADE_SIZE", order("BUY", "A", pounds=pounds)).passed is passes


@pytest.mark.parametrize(("units", "passes"), [("0", False), ("-1", False), ("0.000001", True)])
def test_trade_size_of_a_sale(units: str, passes: bool) -> None:
    assert judge("TRADE_SIZE", order("SELL", "H", units=units)).passed is passes


@pytest.mark.parametrize(
    "changed",
    [{"price_session": ASOF - dt.timedelta(days=1)}, {"price": "125.01"}],
    ids=["another session", "another price"],
)
def test_stale_price_on_a_line(changed: dict[str, Any]) -> None:
    assert judge("STALE_PRICE", order("BUY", "A", **changed)).subjects == ("A",)
    assert judge("STALE_PRICE", order("BUY", "A")).passed


def test_stale_price_in_the_data() -> None:
    sessions = {"H": ASOF, "A": ASOF - dt.timedelta(days=1)}
    assert not judge("STALE_PRICE", order("BUY", "A"), price_sessions=sessions).passed
    assert judge("STALE_PRICE", order("SELL", "H"), price_sessions=sessions).passed


@pytest.mark.parametrize("side", ["SELL", "BUY"])
def test_split_pending_on_either_side(side: str) -> None:
    assert judge("SPLIT_PENDING", order(side, "H"), split_pending=frozenset("H")).subjects == ("H",)
    assert judge("SPLIT_PENDING", order(side, "H"), split_pending=frozenset("A")).passed


# KILL_SWITCH, DRAWDOWN


@pytest.mark.parametrize(
    ("state", "side", "passes"),
    [
        ("ACTIVE", "BUY", True),
        ("REDUCING", "SELL", True),
        ("REDUCING", "BUY", False),
        ("HALTED", "SELL", False),
        ("PAUSED", "SELL", False),
    ],
)
def test_kill_switch_by_state(state: Any, side: str, passes: bool) -> None:
    switch = KillSwitch(state, dt.date(2018, 1, 5), "holiday")
    answer = judge("KILL_SWITCH", order(side, "H"), kill_switch=switch)
    assert answer.passed is passes
    assert "since 2018-01-05" in answer.sentence


@pytest.mark.parametrize(
    ("lost", "state", "side", "passes"),
    [
        ("0.2", "ACTIVE", "BUY", True),
        ("0.2000001", "ACTIVE", "SELL", False),
        ("0.3", "REDUCING", "SELL", True),
        ("0.3", "REDUCING", "BUY", False),
    ],
)
def test_drawdown_by_state(lost: str, state: Any, side: str, passes: bool) -> None:
    switch = KillSwitch(state, None, "")
    assert judge("DRAWDOWN", order(side, "H"), kill_switch=switch, drawdown=Decimal(lost)).passed is passes


# PHASE_CAP: 0.2 x £10,000 x 1.10


@pytest.mark.parametrize(("pounds", "passes"), [("1300", True), ("1301", False)])
def test_phase_cap_of_what_is_invested(pounds: str, passes: bool) -> None:
    assert judge("PHASE_CAP", order("BUY", "A", pounds=pounds), numbers=policy(phase_share="0.2")).passed is passes


def test_phase_cap_holds_for_no_full_book_and_no_plan_without_buys() -> None:
    assert judge("PHASE_CAP", order("BUY", "A", pounds="9999")).passed
    assert judge("PHASE_CAP", order("SELL", "H", units="1"), numbers=policy(phase_share="0")).passed


# All of them


def test_what_sizing_orders_passes_every_check() -> None:
    inp = book(cash="6000", units={"H": "30", "X": "5"}, ranks={"A": 1, "H": 2, "B": 3})
    sizing = size(inp)
    answers = evaluate_risk(risk_input(inp, sizing.orders), policy())
    assert sizing.orders
    assert [a.code for a in answers if not a.passed] == []
    assert [a.code for a in answers] == [code for code, _ in RISK_CHECKS]


def test_every_answer_has_numbers_and_a_failed_one_a_remedy() -> None:
    bad = order("BUY", "A", pounds="9999", leverage=5, price_session=dt.date(2018, 2, 1))
    seen = risk_input(plain_book(), [bad, order("SELL", "H", units="10")], drawdown=Decimal("0.5"))
    answers = evaluate_risk(seen, policy())
    failed = {a.code for a in answers if not a.passed}
    assert {"CASH_FLOOR", "MAX_WEIGHT", "TURNOVER_CAP", "NO_SHORT", "NO_LEVERAGE", "TRADE_SIZE"} < failed
    for answer in answers:
        assert answer.seen
        assert answer.allowed
        assert answer.sentence.endswith(".")
        assert answer.remedy == ("" if answer.passed else RULES[answer.code].remedy)


def test_a_check_that_cannot_look_has_failed() -> None:
    seen = risk_input(plain_book(), [order("BUY", "A")], prices_usd={})
    answers = {a.code: a for a in evaluate_risk(seen, policy())}
    assert answers["CASH_FLOOR"].outcome is Outcome.FAIL
    assert "H has no price of 2018-02-02" in answers["CASH_FLOOR"].sentence
    assert answers["KILL_SWITCH"].passed


def test_an_equity_that_units_and_prices_do_not_make_fails_what_rests_on_it() -> None:
    seen = risk_input(plain_book(), [order("BUY", "A")], equity_gbp=Decimal("10000.01"))
    failed = {a.code for a in evaluate_risk(seen, policy()) if not a.passed}
    assert failed == {"MAX_WEIGHT", "CASH_FLOOR", "TURNOVER_CAP", "TRADE_SIZE", "PHASE_CAP"}


def test_a_sale_is_judged_by_its_units_not_by_the_pounds_it_claims() -> None:
    inp = plain_book(cash="318", units={"H": "9", "K": "87.82"})
    boast = order("SELL", "H", units="1", pounds="900")
    assert not judge("CASH_FLOOR", boast, order("BUY", "A", pounds="1000"), inp=inp).passed


@pytest.mark.parametrize("number", ["NaN", "Infinity"])
def test_a_number_that_is_none_passes_nothing(number: str) -> None:
    failed = {a.code for a in evaluate_risk(risk_input(plain_book(), buys(number)), policy()) if not a.passed}
    assert {"MAX_WEIGHT", "CASH_FLOOR", "TURNOVER_CAP", "NO_LEVERAGE", "TRADE_SIZE"} <= failed
