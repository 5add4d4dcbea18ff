"""Diagnosis: each planted difference gets its class, and accepting the entries makes broker and ledger agree."""

import datetime as dt
import itertools
import random
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading_ops.domain.corrections import (
    BookFill,
    BookMovement,
    CorrectAnswer,
    RecordEvent,
    RecordSplit,
    RetakeSnapshot,
    VoidMovement,
    apply_proposals,
)
from trading_ops.domain.diagnosis import (
    CLASSES,
    AnsweredLine,
    Diagnosis,
    DriftEvidence,
    Finding,
    StatementRow,
    diagnose,
)
from trading_ops.domain.drift import compare
from trading_ops.domain.ledger import Fill
from trading_ops.domain.reconciliation import SnapshotHolding, reconcile
from trading_ops.domain.results import Outcome
from trading_ops.domain.values import half_even
from trading_ops_tests.unit.diagnosis_factory import (
    FRIDAY,
    MONDAY,
    PLANTS,
    WEDNESDAY,
    World,
    having,
    make_world,
    moved,
    movement,
    plant,
    told,
    without,
)
from trading_ops_tests.unit.ledger_factory import at, day
from trading_ops_tests.unit.market_factory import committed_policy
from trading_ops_tests.unit.test_ledger_properties import History, histories
from trading_ops_tests.unit.test_reconciliation import copy_of

D = Decimal
KNOWN = tuple(kind for kind in PLANTS if not kind.startswith("unknown"))
ALWAYS_TOLD_APART = (
    "booked_twice", "decimal_slip_fill", "decimal_slip_snapshot", "deposit_twice", "digits_swapped_fill",
    "digits_swapped_snapshot", "fee_by_statement", "fx_cost_in_units", "interest", "missed_buy", "name_change",
    "not_typed", "partial_fill", "pence_for_pounds", "phantom_fill", "rest_came_later", "sent_twice", "spin_off",
    "split_doubled", "split_unbooked", "split_unheard_of", "unbooked_dividend", "wrong_name",
)  # fmt: skip
BOOKINGS = (BookFill, BookMovement, CorrectAnswer, RecordSplit, RecordEvent)


def only(diagnosis: Diagnosis) -> Finding:
    (finding,) = diagnosis.findings
    return finding


def of(world: World) -> Diagnosis:
    return diagnose(world.evidence())


def agrees(world: World, diagnosis: Diagnosis) -> bool:
    """Every line of the comparison is equal once all entries are accepted."""
    return all(d.verdict == "equal" for d in world.accepted(diagnosis.proposals).differences)


# Every kind, alone and beside another


@pytest.mark.parametrize("seed", range(1, 4))
@pytest.mark.parametrize("kind", KNOWN)
def test_a_planted_difference_gets_its_class_and_accepting_the_entries_ends_it(kind: str, seed: int) -> None:
    case = plant(seed, kind)
    assert case.right, told(case)
    assert agrees(case.world, case.diagnosis), told(case)


@pytest.mark.parametrize("kind", KNOWN)
def test_after_accepting_the_entries_the_gate_is_green(kind: str) -> None:
    case = plant(2, kind)
    again = any(isinstance(p, RetakeSnapshot) for p in case.diagnosis.proposals)
    snapshot = case.world.truth() if again else case.world.snapshot()
    ledger = apply_proposals(case.world.ledger, case.diagnosis.proposals)
    gate = reconcile(snapshot, ledger, D(10000), FRIDAY, (), None, committed_policy())
    assert [r.code for r in gate.results if r.outcome is not Outcome.PASS] == []


@pytest.mark.parametrize("one", ALWAYS_TOLD_APART)
def test_two_differences_at_once_are_told_apart(one: str) -> None:
    for place, other in enumerate(ALWAYS_TOLD_APART):
        if one < other:
            case = plant(700 + place, one, other)
            assert case.right, told(case)
            assert agrees(case.world, case.diagnosis), told(case)


def test_most_of_all_pairs_are_right_and_what_is_called_certain_is() -> None:
    right = total = certain = mistaken = 0
    for place, kinds in enumerate(itertools.combinations(PLANTS, 2)):
        case = plant(9000 + place, *kinds)
        total, right = total + 1, right + case.right
        for finding in case.diagnosis.findings:
            certain += finding.confidence == "certain"
            mistaken += finding.confidence == "certain" and (finding.code, finding.symbol) not in case.planted
    assert total == len(PLANTS) * (len(PLANTS) - 1) // 2
    assert right >= 0.87 * total
    assert certain >= 400
    assert mistaken == 0


# What must never happen


@pytest.mark.parametrize("seed", range(25))
def test_no_difference_no_findings(seed: int) -> None:
    world = make_world(seed)
    assert of(world) == Diagnosis(())


@pytest.mark.parametrize("kinds", [("unknown_units",), ("unknown_cash",), ("unknown_units", "unknown_cash")])
@pytest.mark.parametrize("seed", range(4))
def test_what_fits_nothing_is_unknown_and_books_nothing(kinds: tuple[str, ...], seed: int) -> None:
    case = plant(seed, *kinds)
    assert case.right, told(case)
    assert case.diagnosis.proposals == ()
    assert all("eToro" in f.sentence and f.confidence == "none" for f in case.diagnosis.findings)


@pytest.mark.parametrize("seed", range(8))
def test_pennies_within_the_tolerance_are_left_alone(seed: int) -> None:
    assert plant(seed, "unknown_pennies").diagnosis.findings == ()


@pytest.mark.parametrize("kinds", [("missed_buy", "unbooked_dividend"), ("partial_fill", "wrong_name"), ("fx_cost",)])
@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_the_evidence_does_not_matter(kinds: tuple[str, ...], seed: int) -> None:
    case = plant(seed, *kinds)
    evidence, rng = case.world.evidence(), random.Random(seed)

    def shuffled(given_facts: tuple[object, ...]) -> tuple[object, ...]:
        return tuple(rng.sample(given_facts, len(given_facts)))

    facts = evidence.facts
    again = replace(
        evidence,
        facts=replace(facts, fills=shuffled(facts.fills), movements=shuffled(facts.movements)),
        expected=shuffled(evidence.expected),
        lines=shuffled(evidence.lines),
        statement=shuffled(evidence.statement),
        closes=dict(reversed(list(evidence.closes.items()))),
    )  # type: ignore[arg-type]
    assert diagnose(again) == case.diagnosis


@settings(max_examples=60, deadline=None)
@given(histories(), st.decimals("-300", "300", places=2), st.integers(0, 40))
def test_odd_books_raise_nothing_and_a_true_copy_has_no_findings(history: History, off: Decimal, percent: int) -> None:
    true = copy_of(history.facts, history.last)
    limits = committed_policy().reconciliation
    for taken in (
        true,
        replace(
            true,
            cash_gbp=true.cash_gbp + off,
            holdings={s: SnapshotHolding(h.units * percent / 20, 6) for s, h in true.holdings.items()},
        ),
    ):
        comparison = compare(taken, history.facts, D(10000), (), limits)
        bare = DriftEvidence(taken, None, history.facts, comparison, committed_policy())
        found = diagnose(bare)
        assert {f.code for f in found.findings} <= set(CLASSES)
        assert taken is not true or found.findings == ()


def test_every_class_has_its_own_sentence() -> None:
    assert len({c.sentence for c in CLASSES.values()}) == len(CLASSES)
    assert all(c.sentence.endswith(".") for c in CLASSES.values())


# Accepting


def test_accepting_twice_adds_nothing_and_ids_follow_from_content() -> None:
    first, second = plant(3, "missed_buy", "spin_off"), plant(3, "missed_buy", "spin_off")
    assert [p.proposal_id for p in first.diagnosis.proposals] == [p.proposal_id for p in second.diagnosis.proposals]
    once = apply_proposals(first.world.ledger, first.diagnosis.proposals)
    assert apply_proposals(once, first.diagnosis.proposals) == once
    assert apply_proposals(first.world.ledger, first.diagnosis.proposals[::-1]) == once


def test_an_entry_of_another_snapshot_is_another_entry() -> None:
    entry = plant(3, "deposit").diagnosis.proposals[0]
    assert replace(entry, snapshot_id="S9").proposal_id != entry.proposal_id
    assert replace(entry, why="other words").proposal_id == entry.proposal_id


@pytest.mark.parametrize("moved_by", ["1.09", "0.92"])
@pytest.mark.parametrize("seed", range(3))
def test_a_purchase_seen_a_week_later_takes_all_the_cash_though_its_price_moved(seed: int, moved_by: str) -> None:
    world, (symbol,) = (case := plant(seed, "missed_off_ticket")).world, [s for _, s in case.planted]
    evidence = world.evidence()
    later = replace(
        evidence,
        previous=world.truth("S1", until=at(day("2018-01-26"), 22)),
        closes={**evidence.closes, symbol: evidence.closes[symbol] * D(moved_by)},
    )
    found = only(diagnose(later))
    assert (found.code, found.symbol) == ("MISSED_FILL", symbol)
    assert all(d.verdict == "equal" for d in world.accepted(found.proposals).differences)


def test_a_missed_line_is_answered_and_an_off_ticket_trade_is_booked() -> None:
    case = plant(1, "missed_buy")
    (answer,) = case.diagnosis.proposals
    assert isinstance(answer, CorrectAnswer)
    assert (answer.status, answer.session) == ("DONE", MONDAY)
    (booked,) = plant(1, "missed_off_ticket").diagnosis.proposals
    assert isinstance(booked, BookFill)
    assert booked.estimated


# The statement


def test_a_statement_row_makes_a_dividend_of_another_amount_certain() -> None:
    world = make_world(4)
    booked = movement(world, "dividend", D("9.10"), symbol=world.names[0], ex_date=WEDNESDAY)
    world.ledger = moved(world.ledger, booked)
    world.broker = moved(world.broker, replace(booked, amount_gbp=D("7.77")))
    world.statement.append(StatementRow("dividend", at(WEDNESDAY, 12), world.names[0], None, D("7.77"), "P1", "row 1"))
    finding = only(of(world))
    assert (finding.code, finding.confidence) == ("DIVIDEND_AMOUNT", "certain")
    assert {type(p) for p in finding.proposals} == {VoidMovement, BookMovement}
    assert agrees(world, of(world))


def test_a_statement_row_books_the_trade_with_its_position() -> None:
    case = plant(5, "missed_sell")
    world = case.world
    symbol = case.planted[0][1]
    fill = world.fill_of(symbol)
    world.statement.append(
        StatementRow("close", fill.filled_at, symbol, fill.units, fill.value_gbp, "2272508626", "row 2")
    )
    finding = only(of(world))
    assert (finding.code, finding.confidence) == ("MISSED_FILL", "certain")
    (entry,) = finding.proposals
    assert isinstance(entry, CorrectAnswer)
    assert (entry.position_id, entry.value_gbp) == ("2272508626", fill.value_gbp)


@pytest.mark.parametrize(
    ("other", "session"),
    [("2018-01-26", day("2018-01-29")), ("test-2018-02-01", day("2018-02-02")), ("test-2018-02-02", MONDAY)],
)
@pytest.mark.parametrize("whole", [True, False])
def test_a_trade_is_booked_to_the_line_of_its_own_session_and_size(other: str, session: dt.date, whole: bool) -> None:
    """A line of another ticket, skipped or not answered, is not filled by this week's trade."""
    case = plant(5, "missed_buy")
    world = case.world
    symbol = case.planted[0][1]
    fill = world.fill_of(symbol)
    number, line = next((n, each) for n, each in world.lines.items() if each.symbol == symbol)
    if not whole:  # a first piece of the line is on record already
        world.lines[number], fill = in_two_pieces(world, line, fill)
    world.lines[99] = replace(line, plan_id=other, line=1, session=session, amount_gbp=D(25), status="SKIPPED")
    world.statement.append(
        StatementRow("open", fill.filled_at, symbol, fill.units, fill.value_gbp, "2272508626", "row")
    )
    entry = next(p for f in of(world).findings for p in f.proposals if isinstance(p, CorrectAnswer))
    assert (entry.plan_id, entry.line) == (line.plan_id, number)


def in_two_pieces(world: World, line: AnsweredLine, fill: Fill) -> tuple[AnsweredLine, Fill]:
    """The broker filled the line in two pieces, the ledger has the first; the line, and the piece that is missing."""
    half = replace(fill, units=half_even(fill.units / 2, 6), value_gbp=half_even(fill.value_gbp / 2, 2))
    rest = replace(
        fill, fill_id="rest", units=fill.units - half.units, value_gbp=fill.value_gbp - half.value_gbp,
        filled_at=fill.filled_at + dt.timedelta(hours=2),
    )  # fmt: skip
    world.broker = having(without(world.broker, fill), half, rest)
    world.ledger = having(world.ledger, half)
    said = replace(line, status="PARTIAL", fill_ids=(half.fill_id,), confirmed_units=half.units)
    return said, rest


def test_rows_the_ledger_has_already_add_nothing() -> None:
    world = make_world(6)
    paid = movement(world, "deposit", D(500))
    world.ledger, world.broker = moved(world.ledger, paid), moved(world.broker, paid)
    world.statement.append(StatementRow("deposit", paid.at, None, None, D(500), None, "row 3"))
    assert of(world).findings == ()


def test_two_equal_rows_are_two_movements() -> None:
    world = make_world(6)
    for number in range(2):
        world.broker = moved(world.broker, movement(world, "deposit", D(500)))
        world.statement.append(StatementRow("deposit", at(WEDNESDAY, 9), None, None, D(500), None, f"row {number}"))
    found = of(world)
    assert [f.code for f in found.findings] == ["UNBOOKED_DEPOSIT"] * 2
    assert agrees(world, found)


# Two readings


def test_a_withdrawal_of_what_was_just_paid_in_may_also_be_a_deposit_that_never_came() -> None:
    world = make_world(7)
    world.ledger = moved(world.ledger, movement(world, "deposit", D(700)))
    finding = only(of(world))
    assert (finding.code, finding.confidence, finding.proposals) == ("AMBIGUOUS", "none", ())
    assert {f.code for f in finding.alternatives} == {"PHANTOM_MOVEMENT", "UNBOOKED_WITHDRAWAL"}
    for reading in finding.alternatives:
        assert all(d.verdict == "equal" for d in world.accepted(reading.proposals).differences)


def test_a_number_that_was_looked_at_twice_is_not_called_a_typing_error() -> None:
    case = plant(8, "digits_swapped_snapshot")
    assert only(case.diagnosis).code == "DIGITS_SWAPPED_SNAPSHOT"
    evidence = case.world.evidence()
    earlier = replace(evidence.snapshot, snapshot_id="S1", taken_at=at(FRIDAY, 21, 30))
    finding = only(diagnose(replace(evidence, previous=earlier)))
    assert finding.code == "UNKNOWN"
    assert finding.proposals == ()


def test_without_fixing_and_closes_it_says_what_is_missing() -> None:
    case = plant(9, "missed_off_ticket")
    found = diagnose(replace(case.world.evidence(), usd_per_gbp=None, closes={}))
    sentence = next(f.sentence for f in found.findings if f.symbol != "CASH")
    assert "Missing for a better answer: a close of " in sentence
    assert "a GBPUSD fixing" in sentence
    assert found.proposals == ()
