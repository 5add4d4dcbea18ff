"""The roll-out's criteria: weeks in a row, single facts, and what breaks them."""

from dataclasses import replace
from decimal import Decimal

import pytest

from trading_ops.domain import incidents
from trading_ops.domain.books import BOOKS
from trading_ops.domain.rollout import (
    CRITERIA,
    CRITICAL,
    OF_THE_WORLD,
    PHASES,
    WEEKS_TO_DECIDE,
    exits,
    strategy_hash,
    target_per_name,
)
from trading_ops.domain.rollout_judged import (
    Answer,
    RolloutFacts,
    Single,
    Week,
    counts_weeks,
    is_overdue,
    judge,
    missing,
)
from trading_ops_tests.unit.book_factory import policy

S1, S2 = "1" * 64, "2" * 64


def weeks(*faults: Week | None) -> tuple[Week, ...]:
    """Weeks W01, W02, …; a fault is what is wrong with one, None is a good week."""
    return tuple(
        replace(fault or Week("x", strategy=S1), week=f"2026-W{number:02}") for number, fault in enumerate(faults, 1)
    )


def dry_run(*faults: Week | None, **more: object) -> RolloutFacts:
    return replace(RolloutFacts("paper", "dry_run", weeks(*faults), strategy=S1, began_with=S1), **more)  # type: ignore[arg-type]


def small(*faults: Week | None, **more: object) -> RolloutFacts:
    return replace(dry_run(*faults), book="live", phase="small_capital", **more)  # type: ignore[arg-type]


def answer(code: str, facts: RolloutFacts) -> Answer:
    return next(a for a in judge(facts) if a.criterion.code == code)


DRIFT = Week("x", failed=("UNITS_DRIFT",))
RUN_FAILED = Week("x", incidents=("RUN_FAILED",))
DEAD_SOURCE = Week("x", incidents=("SOURCE_DEAD",))
NO_REPORT = Week("x", reports_missing=2)
LATE = Week("x", on_time=False)


@pytest.mark.parametrize("code", ["CLEAN_WEEKS", "NO_CRITICAL_DEFECT", "REPORTS_PRODUCED", "ON_TIME"])
def test_four_weeks_in_a_row_meet_a_weekly_criterion_in_the_fourth(code: str) -> None:
    assert answer(code, dry_run(None, None, None)).met is False
    met = answer(code, dry_run(None, None, None, None, None))
    assert (met.met, met.since, met.first, met.missing) == (True, "2026-W04", "2026-W04", "")


@pytest.mark.parametrize(
    ("code", "fault", "seen"),
    [
        ("CLEAN_WEEKS", DRIFT, "UNITS_DRIFT"),
        ("NO_CRITICAL_DEFECT", RUN_FAILED, "RUN_FAILED"),
        ("REPORTS_PRODUCED", NO_REPORT, "2 reports missing"),
        ("ON_TIME", LATE, "too late"),
    ],
)
def test_a_fault_begins_the_count_anew_and_stops_this_criterion_alone(code: str, fault: Week, seen: str) -> None:
    facts = dry_run(None, None, None, None, fault, None, None, None)
    found = answer(code, facts)
    assert (found.met, found.since, found.first) == (False, None, "2026-W04")
    assert "3 in a row; last fault 2026-W05" in found.seen
    assert seen in found.seen
    assert [a.criterion.code for a in judge(facts) if not a.met] == [code]
    assert answer(code, dry_run(None, fault, None, None, None, None)).since == "2026-W06"


def test_what_happened_since_the_newest_ticket_counts_and_what_is_open_too() -> None:
    good = dry_run(None, None, None, None)
    for more in ({"since_last": ("PLAN_MISSED",)}, {"open_incidents": ("CLOCK_WRONG",)}):
        found = answer("NO_CRITICAL_DEFECT", replace(good, **more))
        assert found.met is False
        assert found.first == "2026-W04"
    assert answer("NO_CRITICAL_DEFECT", replace(good, open_incidents=("RECONCILIATION_DRIFT", "SOURCE_DEAD"))).met


def test_small_capital_counts_every_incident_of_the_desk_and_none_of_the_world() -> None:
    assert answer("WEEKS_WITHOUT_INCIDENT", small(None, DEAD_SOURCE, None, None)).met
    overfilled = Week("x", incidents=("OVERFILLED",))
    assert not answer("WEEKS_WITHOUT_INCIDENT", small(None, overfilled, None, None)).met
    assert not answer("WEEKS_WITHOUT_INCIDENT", small(None, None, None, None, since_last=("UNKNOWN_NAME",))).met


def test_strategy_frozen_breaks_with_a_change_and_holds_again_after_four_weeks_of_the_old_one() -> None:
    other, same = Week("x", strategy=S2), Week("x", strategy=S1)
    assert answer("STRATEGY_FROZEN", small(same, same, same, same)).met
    assert "2026-W02" in answer("STRATEGY_FROZEN", small(same, other, same, same)).seen
    assert answer("STRATEGY_FROZEN", small(other, same, same, same, same)).met
    assert not answer("STRATEGY_FROZEN", small(same, same, same, same, strategy=S2)).met
    assert answer("STRATEGY_FROZEN", small(Week("x", strategy=None), same)).met  # a plan that never began


def test_after_eight_weeks_of_small_capital_somebody_decides() -> None:
    assert not is_overdue(small(*[None] * (WEEKS_TO_DECIDE - 1)))
    assert is_overdue(small(*[None] * WEEKS_TO_DECIDE))
    assert not is_overdue(dry_run(*[None] * 20))


def test_a_single_fact_that_no_longer_holds_keeps_the_week_in_which_it_was_met_first() -> None:
    facts = RolloutFacts(
        "paper", "preflight", (), single={"BACKUP_PROVEN": Single(False, "2026-W02", "Mon 5 Jan 2026 06:00 London")}
    )
    found = answer("BACKUP_PROVEN", facts)
    assert (found.met, found.since, found.first) == (False, None, "2026-W02")
    assert found.missing == "BACKUP_PROVEN: Mon 5 Jan 2026 06:00 London. Run `trading-ops backup create`."
    assert len(missing(judge(facts))) == 5  # what nobody looked at does not hold


def test_the_lists_fit_together() -> None:
    used = {c.code for name, phase in PHASES.items() for book in phase.books for c in exits(name, book)}
    assert used == set(CRITERIA)
    assert set(incidents.CLASSES) >= CRITICAL | OF_THE_WORLD
    assert not CRITICAL & OF_THE_WORLD
    for phase in PHASES.values():
        assert set(phase.exits) == set(phase.books) <= set(BOOKS)
        assert all(book in PHASES[following].books for book, following in phase.next.items())
    blocking = {code for code, known in incidents.CLASSES.items() if known.blocking}
    assert blocking <= CRITICAL


@pytest.mark.parametrize(
    ("share", "equity", "target"),
    [("0.1", "20000", "129.33"), ("0.1", "3865", "24.99"), ("0.1", "3867", "25.01"), ("1", "20000", "1293.33")],
)
def test_target_per_name_is_a_seat_of_the_phase_s_share(share: str, equity: str, target: str) -> None:
    found = target_per_name(policy(), Decimal(share), Decimal(equity))
    assert f"{found:.2f}" == target


def test_the_largest_weight_limits_the_target() -> None:
    assert target_per_name(policy(seats=5), Decimal(1), Decimal(1000)) == 100


def test_strategy_hash_stands_still_when_the_share_grows_and_moves_with_any_other_number() -> None:
    before = strategy_hash(policy())
    assert strategy_hash(policy(phase_share="0.1")) == before
    assert strategy_hash(policy(seats=12)) != before
    assert strategy_hash(policy(drawdown_max="0.25")) != before


def test_weeks_are_read_only_where_a_criterion_looks_at_them() -> None:
    counting = {(name, book) for name, phase in PHASES.items() for book in phase.books if counts_weeks(name, book)}
    assert counting == {("dry_run", "sim"), ("dry_run", "paper"), ("small_capital", "live")}


def test_met_again_after_a_fault_keeps_the_week_of_the_first_time() -> None:
    found = answer("CLEAN_WEEKS", dry_run(None, None, None, None, DRIFT, None, None, None, None))
    assert (found.met, found.since, found.first) == (True, "2026-W09", "2026-W04")


def test_incidents_that_do_not_count_break_no_row() -> None:
    overfilled = Week("x", incidents=("OVERFILLED",))
    assert answer("NO_CRITICAL_DEFECT", dry_run(None, overfilled, None, None)).met
    assert answer("WEEKS_WITHOUT_INCIDENT", small(None, None, None, None, open_incidents=("SOURCE_DEAD",))).met
