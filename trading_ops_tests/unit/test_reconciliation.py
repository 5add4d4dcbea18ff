"""The reconciliation gate: snapshot against ledger at the snapshot's own time."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_ops.domain.broker_snapshot import ledger_as_seen
from trading_ops.domain.errors import BadInput
from trading_ops.domain.ledger import CorporateEvent, ExpectedDividend, LedgerFacts, ledger_at
from trading_ops.domain.reasons import rules_of
from trading_ops.domain.reconciliation import BrokerSnapshot, Difference, Reconciliation, SnapshotHolding, reconcile
from trading_ops.domain.results import CheckResult, Outcome
from trading_ops.domain.values import Session, Symbol, exact, half_even
from trading_ops_tests.unit.ledger_factory import at, buy, cash, day, facts, sell
from trading_ops_tests.unit.market_factory import committed_policy, make_policy, split
from trading_ops_tests.unit.test_ledger_properties import History, histories

D = Decimal
THURSDAY, FRIDAY, MONDAY, NEXT_FRIDAY = day("2018-02-01"), day("2018-02-02"), day("2018-02-05"), day("2018-02-09")
EQUITY = D(10000)  # t = max(5, 0.005 x E) = 50
BOOK = facts(
    cash("deposit", THURSDAY, "10000"),
    buy("V", THURSDAY, "10", "120", "860"),
    buy("MA", THURSDAY, "100.123456", "170", "8000"),
)
CASH = "1140"


def snapshot(
    holdings: Mapping[Symbol, str] | None = None, cash_gbp: str = CASH, session: Session = FRIDAY, **changes: Any
) -> BrokerSnapshot:
    """What a person typed at 22:00 UTC; the decimals are those of the text."""
    typed = {"V": "10", "MA": "100.123456"} if holdings is None else holdings
    read = {symbol: SnapshotHolding(D(text), len(text.partition(".")[2])) for symbol, text in typed.items()}
    fields: dict[str, Any] = {"snapshot_id": "S1", "taken_at": at(session, 22), **changes}
    return BrokerSnapshot(session=session, cash_gbp=D(cash_gbp), holdings=read, **fields)


def answer(
    taken: BrokerSnapshot | None,
    given_facts: LedgerFacts = BOOK,
    *dividends: ExpectedDividend,
    asof: Session = FRIDAY,
    newest_fill_at: dt.datetime | None = None,
) -> Reconciliation:
    return reconcile(taken, given_facts, EQUITY, asof, dividends, newest_fill_at, committed_policy())


def result(code: str, reconciliation: Reconciliation) -> CheckResult:
    (found,) = (r for r in reconciliation.results if r.code == code)
    return found


def failed(reconciliation: Reconciliation) -> list[str]:
    return [r.code for r in reconciliation.results if r.outcome is not Outcome.PASS]


def line(symbol: str, reconciliation: Reconciliation) -> Difference:
    (found,) = (d for d in reconciliation.differences if d.symbol == symbol)
    return found


def expected(symbol: Symbol, ex_date: Session, net: str, booked: bool = False) -> ExpectedDividend:
    return ExpectedDividend(symbol, ex_date, D(10), D(1), D(net), booked)


# The gate


def test_an_agreeing_snapshot_passes_every_rule_with_what_was_seen_and_allowed() -> None:
    reconciliation = answer(snapshot())
    assert failed(reconciliation) == []
    assert {r.code for r in reconciliation.results} == {rule.code for rule in rules_of("reconciliation")}
    assert all(r.seen and r.allowed and r.sentence and not r.remedy for r in reconciliation.results)
    assert [(d.symbol, d.verdict) for d in reconciliation.differences] == [
        ("MA", "equal"),
        ("V", "equal"),
        ("CASH", "equal"),
    ]


def test_opening_snapshot_missing_and_a_missing_report_is_not_flat() -> None:
    for given_facts in (BOOK, facts()):
        reconciliation = answer(None, given_facts)
        assert {r.code: r.outcome for r in reconciliation.results} == {
            rule.code: Outcome.FAIL if rule.code == "OPENING_SNAPSHOT_MISSING" else Outcome.NOT_EVALUATED
            for rule in rules_of("reconciliation")
        }
        assert all(r.remedy for r in reconciliation.results)


def test_an_empty_snapshot_is_not_a_flat_book() -> None:
    reconciliation = answer(snapshot({}))
    assert result("UNKNOWN_POSITION", reconciliation).subjects == ("MA", "V")


# SNAPSHOT_STALE


@pytest.mark.parametrize(("taken", "outcome"), [(THURSDAY, Outcome.PASS), (day("2018-01-31"), Outcome.FAIL)])
def test_snapshot_stale_after_eight_days(taken: Session, outcome: Outcome) -> None:
    stale = result("SNAPSHOT_STALE", answer(snapshot(session=taken), facts(), asof=NEXT_FRIDAY))
    assert stale.outcome is outcome


def test_a_snapshot_taken_after_the_session_is_fresh() -> None:
    weekend = snapshot(taken_at=at(day("2018-02-04"), 10))
    assert result("SNAPSHOT_STALE", answer(weekend)).seen.startswith("0 days at 2018-02-02")


def test_snapshot_stale_when_older_than_the_newest_fill() -> None:
    taken = snapshot()
    assert failed(answer(taken, newest_fill_at=taken.taken_at)) == []
    reconciliation = answer(taken, newest_fill_at=taken.taken_at + dt.timedelta(seconds=1))
    assert failed(reconciliation) == ["SNAPSHOT_STALE"]
    assert "before the newest fill" in result("SNAPSHOT_STALE", reconciliation).sentence


# UNITS_DRIFT, UNKNOWN_POSITION


@pytest.mark.parametrize(
    ("typed", "verdict"),
    [
        ("10", "equal"),
        ("10.02", "within"),  # 0.002 x 10
        ("9.98", "within"),
        ("10.0201", "drift"),
        ("9.9799", "drift"),
    ],
)
def test_units_drift_has_a_symmetric_tolerance(typed: str, verdict: str) -> None:
    reconciliation = answer(snapshot({"V": typed, "MA": "100.123456"}))
    assert line("V", reconciliation).verdict == verdict
    drift = result("UNITS_DRIFT", reconciliation)
    assert drift.outcome is (Outcome.FAIL if verdict == "drift" else Outcome.PASS)
    assert drift.subjects == (("V",) if verdict == "drift" else ())


@pytest.mark.parametrize(("typed", "outcome"), [("0.1005", Outcome.PASS), ("0.1006", Outcome.FAIL)])
def test_units_drift_always_tolerates_the_absolute_minimum(typed: str, outcome: Outcome) -> None:
    small = facts(buy("V", THURSDAY, "0.1", "120", "9"))
    reconciliation = answer(snapshot({"V": typed}, "-9"), small)
    assert result("UNITS_DRIFT", reconciliation).outcome is outcome


def test_units_are_compared_at_the_decimals_typed() -> None:
    small = facts(buy("V", THURSDAY, "0.123456", "120", "9"))
    rounded = line("V", answer(snapshot({"V": "0.12"}, "-9"), small))
    assert (rounded.ledger, rounded.difference, rounded.verdict) == (D("0.12"), D(0), "equal")
    exact_text = line("V", answer(snapshot({"V": "0.120000"}, "-9"), small))
    assert (exact_text.difference, exact_text.verdict) == (D("-0.003456"), "drift")


@pytest.mark.parametrize(
    ("holdings", "subject", "where"),
    [
        ({"V": "10"}, "MA", "only in the ledger"),
        ({"V": "10", "MA": "100.123456", "NEW": "0.0001"}, "NEW", "only at the broker"),
        ({"V": "10", "MA": "0"}, "MA", "only in the ledger"),
    ],
)
def test_unknown_position_fails_hard_on_either_side(holdings: dict[str, str], subject: str, where: str) -> None:
    reconciliation = answer(snapshot(holdings))
    assert failed(reconciliation) == ["UNKNOWN_POSITION"]
    unknown = result("UNKNOWN_POSITION", reconciliation)
    assert unknown.subjects == (subject,)
    assert where in unknown.seen


def test_a_name_that_both_sides_do_not_hold_is_no_difference() -> None:
    assert failed(answer(snapshot({"V": "10", "MA": "100.123456", "GONE": "0.00"}))) == []


def test_a_snapshot_with_impossible_numbers_is_refused() -> None:
    with pytest.raises(BadInput, match="V has -1 units"):
        snapshot({"V": "-1"})
    with pytest.raises(BadInput, match="no time zone"):
        snapshot(taken_at=at(FRIDAY).replace(tzinfo=None))


# CASH_DRIFT and dividends


@pytest.mark.parametrize(
    ("cash_gbp", "verdict"),
    [
        ("1140", "equal"),
        ("1190", "within"),
        ("1090", "within"),
        ("1089.99", "drift"),
        ("1190.01", "dividends"),
        ("1220", "dividends"),
        ("1220.01", "drift"),
    ],
)
def test_cash_drift_allows_waiting_dividends_upwards_only(cash_gbp: str, verdict: str) -> None:
    reconciliation = answer(snapshot(cash_gbp=cash_gbp), BOOK, expected("V", FRIDAY, "30"))
    assert line("CASH", reconciliation).verdict == verdict
    drift = result("CASH_DRIFT", reconciliation)
    assert drift.outcome is (Outcome.FAIL if verdict == "drift" else Outcome.PASS)
    assert drift.allowed == "-50.00 to 80.00 GBP"


def test_cash_drift_always_tolerates_five_pounds() -> None:
    policy = committed_policy()
    given_facts = facts(cash("deposit", THURSDAY, "100"))
    for cash_gbp, fails in (("105", False), ("105.01", True), ("95", False), ("94.99", True)):
        reconciliation = reconcile(snapshot({}, cash_gbp), given_facts, D(100), FRIDAY, (), None, policy)
        assert (failed(reconciliation) == ["CASH_DRIFT"]) is fails


def test_a_dividend_with_ex_date_after_the_snapshot_explains_nothing() -> None:
    later = expected("V", MONDAY, "30")
    assert failed(answer(snapshot(cash_gbp="1195"), BOOK, later, asof=NEXT_FRIDAY)) == ["CASH_DRIFT"]


def test_dividends_that_the_cash_explains_are_proposed_oldest_first() -> None:
    first, second, third = expected("V", THURSDAY, "30"), expected("MA", FRIDAY, "20"), expected("V", FRIDAY, "7")

    def proposed(cash_gbp: str) -> tuple[ExpectedDividend, ...]:
        return answer(snapshot(cash_gbp=cash_gbp), BOOK, third, second, first).proposals

    assert proposed("1140") == ()
    assert proposed("1169.60") == (first,)
    assert proposed("1190") == (first, second)
    assert proposed("1197") == (first, second, third)
    assert proposed("2000") == ()  # drift: nothing is explained


def test_a_dividend_booked_before_the_snapshot_no_longer_widens_the_range() -> None:
    paid = cash("dividend", FRIDAY, "30", symbol="V", ex_date=THURSDAY)
    given_facts = replace(BOOK, movements=(*BOOK.movements, paid))
    reconciliation = answer(snapshot(cash_gbp="1170"), given_facts, expected("V", THURSDAY, "30", booked=True))
    assert line("CASH", reconciliation).verdict == "equal"
    assert result("CASH_DRIFT", reconciliation).allowed == "-50.00 to 50.00 GBP"


def test_a_dividend_booked_after_the_snapshot_still_explains_its_cash() -> None:
    paid = cash("dividend", MONDAY, "70", symbol="V", ex_date=THURSDAY)
    given_facts = replace(BOOK, movements=(*BOOK.movements, paid))
    reconciliation = answer(
        snapshot(cash_gbp="1210"), given_facts, expected("V", THURSDAY, "69", booked=True), asof=NEXT_FRIDAY
    )
    assert failed(reconciliation) == []
    assert line("CASH", reconciliation).verdict == "dividends"
    assert reconciliation.proposals == ()


@pytest.mark.parametrize(("days", "outcome"), [(29, Outcome.PASS), (30, Outcome.FAIL)])
def test_dividend_unresolved_for_thirty_days_fails(days: int, outcome: Outcome) -> None:
    waiting = expected("V", FRIDAY - dt.timedelta(days=days), "3")
    reconciliation = answer(snapshot(), BOOK, waiting)
    assert result("DIVIDEND_UNRESOLVED", reconciliation).outcome is outcome
    assert failed(answer(snapshot(), BOOK, replace(waiting, booked=True))) == []


# The snapshot's own time


def test_a_split_after_the_snapshot_makes_no_drift() -> None:
    given_facts = replace(BOOK, splits=(split("V", MONDAY, "4"),))
    assert ledger_at(given_facts, NEXT_FRIDAY).units["V"] == D(40)
    assert failed(answer(snapshot(), given_facts, asof=NEXT_FRIDAY)) == []
    assert failed(answer(snapshot({"V": "40", "MA": "100.123456"}), given_facts, asof=NEXT_FRIDAY)) == ["UNITS_DRIFT"]


def test_a_split_on_the_snapshots_session_is_in_it() -> None:
    given_facts = replace(BOOK, splits=(split("V", FRIDAY, "4"),))
    assert failed(answer(snapshot({"V": "40", "MA": "100.123456"}), given_facts)) == []


def test_an_event_after_the_snapshot_makes_no_drift() -> None:
    given_facts = replace(BOOK, events=(CorporateEvent("E1", "name_change", "V", MONDAY, "VV"),))
    assert failed(answer(snapshot(), given_facts, asof=NEXT_FRIDAY)) == []


def test_fills_after_the_snapshot_are_not_in_it() -> None:
    sold = sell("V", FRIDAY, "10", "120", "850", filled_at=at(FRIDAY, 22, 1))
    assert failed(answer(snapshot(), replace(BOOK, fills=(*BOOK.fills, sold)))) == []
    earlier = replace(sold, filled_at=at(FRIDAY, 22))
    assert failed(answer(snapshot(), replace(BOOK, fills=(*BOOK.fills, earlier)))) == ["UNKNOWN_POSITION", "CASH_DRIFT"]


def test_a_snapshot_taken_within_a_session_contains_its_fills_and_its_split() -> None:
    bought = buy("V", MONDAY, "1", "30", "22", filled_at=at(MONDAY, 15))
    given_facts = replace(BOOK, fills=(*BOOK.fills, bought), splits=(split("V", MONDAY, "4"),))
    taken = snapshot({"V": "41", "MA": "100.123456"}, "1118", taken_at=at(MONDAY, 16))
    assert failed(answer(taken, given_facts, asof=NEXT_FRIDAY)) == []


def test_a_weekend_deposit_before_the_snapshot_is_in_it() -> None:
    saturday = day("2018-02-03")
    given_facts = replace(BOOK, movements=(*BOOK.movements, cash("deposit", saturday, "500")))
    sunday = at(day("2018-02-04"), 10)
    assert failed(answer(snapshot(cash_gbp="1640", taken_at=sunday), given_facts)) == []
    assert failed(answer(snapshot(cash_gbp="1140"), given_facts)) == []


# Properties


def copy_of(given_facts: LedgerFacts, last: Session, places: int = 6) -> BrokerSnapshot:
    """The snapshot that a broker with the same book would show."""
    state = ledger_at(given_facts, last)
    holdings = {s: SnapshotHolding(half_even(units, places), places) for s, units in state.units.items()}
    return BrokerSnapshot("S1", at(last, 23), last, state.cash_gbp, holdings)


@given(histories())
def test_reflexive_a_snapshot_made_from_the_ledger_reconciles(history: History) -> None:
    reconciliation = answer(copy_of(history.facts, history.last), history.facts, asof=history.last)
    assert failed(reconciliation) == []
    assert all(d.verdict == "equal" and not d.difference for d in reconciliation.differences)


@given(histories())
def test_the_ledger_as_seen_is_the_ledger_of_that_evening(history: History) -> None:
    taken = copy_of(history.facts, history.last)
    seen = ledger_as_seen(taken, history.facts)
    assert (seen.units, seen.cash_gbp) == (taken_units(taken), taken.cash_gbp)


def taken_units(taken: BrokerSnapshot) -> dict[Symbol, Decimal]:
    return {symbol: holding.units for symbol, holding in taken.holdings.items()}


@given(histories(), st.decimals("-100", "100", places=2))
def test_symmetric_a_difference_is_judged_alike_in_both_directions(history: History, off: Decimal) -> None:
    taken = copy_of(history.facts, history.last)

    def verdicts(by: Decimal) -> list[str]:
        with exact():
            holdings = {
                symbol: SnapshotHolding(h.units + h.units * by / 10000, 12) for symbol, h in taken.holdings.items()
            }
            moved = replace(taken, cash_gbp=taken.cash_gbp + by, holdings=holdings)
        return [d.verdict for d in answer(moved, history.facts, asof=history.last).differences]

    assert verdicts(off) == verdicts(-off)


@given(histories(), st.permutations(range(3)))
def test_deterministic_whatever_the_order_of_facts_and_holdings(history: History, order: list[int]) -> None:
    taken = copy_of(history.facts, history.last, places=2)
    f = history.facts
    turned = LedgerFacts(tuple(reversed(f.fills)), tuple(reversed(f.movements)), tuple(reversed(f.splits)))
    shuffled = replace(taken, holdings=dict(reversed(list(taken.holdings.items()))))
    dividends = [expected(name, history.last, "2") for name in ("AAA", "BBB", "CCC")]
    again = answer(shuffled, turned, *(dividends[i] for i in order), asof=history.last)
    assert again == answer(taken, f, *dividends, asof=history.last)


@given(histories(), st.decimals("5.01", "1000", places=2))
def test_cash_below_tolerance_is_never_explained(history: History, missing: Decimal) -> None:
    taken = copy_of(history.facts, history.last)
    short = replace(taken, cash_gbp=taken.cash_gbp - missing)
    policy = make_policy(reconciliation={"cash_rel": D(0)})
    dividends = (expected("AAA", history.last, "5000"),)
    reconciliation = reconcile(short, history.facts, EQUITY, history.last, dividends, None, policy)
    assert failed(reconciliation) == ["CASH_DRIFT"]
    assert reconciliation.proposals == ()
