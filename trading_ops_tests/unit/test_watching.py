"""What the watch makes of what it saw: pure, and nothing is said of a part that it could not see."""

import datetime as dt
from dataclasses import replace

import pytest

from trading_ops.domain.clock_evidence import Reading
from trading_ops.domain.incidents import CLASS_OF_RULE, CLASSES, LEVELS, escalations_due
from trading_ops.domain.observed import SENSES, Clocks, Observed, PlanSeen, Post, Restated, SourceSeen, SwitchSeen
from trading_ops.domain.reasons import RULES
from trading_ops.domain.results import CheckResult, Outcome
from trading_ops.domain.watching import BOOK, Judged, judge

NOW = dt.datetime(2018, 2, 3, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
PLAN = PlanSeen("2018-02-02", NOW - 4 * HOUR, NOW + 20 * HOUR, decided=False)


def result(code: str, outcome: Outcome) -> CheckResult:
    return CheckResult(code, outcome, "seen", "allowed", f"{code} says no.", "do something")


def kinds(seen: Observed, now: dt.datetime = NOW) -> list[str]:
    return [cause.kind for cause in judge(seen, now).causes]


def test_nothing_seen_is_neither_wrong_nor_right() -> None:
    judged = judge(Observed(), NOW)
    assert judged.causes == ()
    assert {kind for kind, _ in judged.right} == {"WATCH_BLIND"}


@pytest.mark.parametrize(
    ("plan", "wrong", "right"),
    [
        (PLAN, {"PLAN_MISSED"}, set()),
        (replace(PLAN, opens_at=NOW - HOUR), set(), set()),
        (replace(PLAN, run_at=NOW - HOUR / 6), set(), {"PLAN_MISSED"}),
        (replace(PLAN, run_at=NOW - HOUR), {"RUN_FAILED"}, {"PLAN_MISSED"}),
        (
            replace(PLAN, run_at=NOW - HOUR, complete=True),
            set(),
            {"PLAN_MISSED", "RUN_FAILED", "DATA_STALE", "RECONCILIATION_DRIFT", "CONFIRMATION_MISSING"},
        ),
        (replace(PLAN, run_at=NOW - HOUR, decided=True, reasons=("RUN_FAILED",)), {"RUN_FAILED"}, {"PLAN_MISSED"}),
        (replace(PLAN, decided=True, reasons=("PLAN_MISSED",)), {"PLAN_MISSED"}, set()),
        (
            replace(PLAN, run_at=NOW - HOUR, complete=True, decide_by=NOW - 3 * HOUR),
            {"PLAN_MISSED"},
            {"RUN_FAILED", "DATA_STALE", "RECONCILIATION_DRIFT", "CONFIRMATION_MISSING"},
        ),
    ],
    ids=[
        "never ran",
        "just opened",
        "at work",
        "stuck",
        "done",
        "ticket says failed",
        "ticket says missed",
        "no ticket",
    ],
)
def test_a_plan_is_looked_at_by_its_newest_run(plan: PlanSeen, wrong: set[str], right: set[str]) -> None:
    judged = judge(Observed(plan=(plan,)), NOW)
    assert {cause.kind for cause in judged.causes} == wrong
    assert {kind for kind, _ in judged.right} - {"WATCH_BLIND"} == right


def test_answers_that_came_late_settle_what_the_run_had_seen() -> None:
    failed = (result("CONFIRMATION_MISSING", Outcome.FAIL),)
    plan = replace(PLAN, run_at=NOW - HOUR, complete=True, results=failed, unanswered=2)
    assert "CONFIRMATION_MISSING" in kinds(Observed(plan=(plan,)))
    assert "CONFIRMATION_MISSING" not in kinds(Observed(plan=(replace(plan, unanswered=0),)))


def test_a_drawdown_is_told_of_before_the_desk_halts_itself() -> None:
    failed = (result("DRAWDOWN", Outcome.FAIL),)
    seen = Observed(
        plan=(replace(PLAN, run_at=NOW, complete=True, results=failed),), switch=SwitchSeen("ACTIVE", 0, "", "")
    )
    (cause,) = judge(seen, NOW).causes
    assert cause.title == "The kill switch is about to become HALTED"
    assert kinds(replace(seen, switch=SwitchSeen("HALTED", 1, "lost", "risk engine"))) == ["KILL_SWITCH"]


@pytest.mark.parametrize(
    ("dead", "forgotten", "wrong"), [(True, False, True), (True, True, False), (False, False, False)]
)
def test_a_source_is_dead_while_it_is_asked(dead: bool, forgotten: bool, wrong: bool) -> None:
    seen = Observed(sources=(SourceSeen("stooq", dead, forgotten, None, "It says no.", "Ask again."),))
    assert (kinds(seen) == ["SOURCE_DEAD"]) is wrong
    assert (("SOURCE_DEAD", "stooq") in judge(seen, NOW).right) is not wrong


def test_the_post_is_stuck_only_when_something_has_waited_long() -> None:
    waiting = Post(False, 7, NOW - 3 * HOUR, "the server said no")
    assert kinds(Observed(post=waiting)) == ["OUTBOX_STUCK"]
    assert kinds(Observed(post=replace(waiting, oldest_at=NOW - HOUR))) == []
    assert kinds(Observed(post=replace(waiting, off=True))) == []
    assert kinds(Observed(post=Post(False, trouble="SMTP_PORT is 'x'."))) == ["OUTBOX_STUCK"]


@pytest.mark.parametrize(
    ("machine", "newest", "wrong"),
    [(0, -60, False), (30, 0, False), (90, 0, True), (-90, 0, True), (0, 3600, True), (0, None, False)],
)
def test_a_clock_is_wrong_beside_the_database_or_before_what_has_happened(
    machine: int, newest: int | None, wrong: bool
) -> None:
    second = dt.timedelta(seconds=1)
    clocks = Clocks(NOW + machine * second, NOW, None if newest is None else NOW + newest * second)
    assert (kinds(Observed(clocks=clocks)) == ["CLOCK_WRONG"]) is wrong


def test_a_clock_is_wrong_beside_two_sources_and_right_again_when_they_agree() -> None:
    def judged(**minutes: int) -> Judged:
        seen = {name: Reading(NOW, NOW + each * HOUR / 60) for name, each in minutes.items()}
        return judge(Observed(clocks=Clocks(NOW, NOW, NOW - HOUR, seen)), NOW)

    (cause,) = judged(yahoo=-60, ecb=-60).causes
    assert (cause.kind, cause.occasion) == ("CLOCK_WRONG", f"sources {NOW:%Y-%m-%dT%H:%M:%S}")
    assert "ecb said 2018-02-03 11:00:00 UTC when this machine said 2018-02-03 12:00:00 UTC" in cause.sentence
    assert ("CLOCK_WRONG", BOOK) in judged(yahoo=-60, ecb=0).right


def test_a_part_that_cannot_be_seen_is_told_of_and_every_sense_has_its_name() -> None:
    judged = judge(Observed(blind={"disk": "OSError: torn"}), NOW)
    assert [c.title for c in judged.causes] == ["The watch cannot look at: disk"]
    assert {subject for kind, subject in judged.right if kind == "WATCH_BLIND"} == set(SENSES) - {"disk"}


def test_restated_bars_are_never_right_again_by_themselves() -> None:
    judged = judge(Observed(restated=(Restated(5, 2, ("A", "B")),), free_bytes=10**12), NOW)
    assert [(c.kind, c.title) for c in judged.causes] == [
        ("RESTATEMENT", "2 bars were changed after tickets had used them")
    ]
    assert ("DISK_FILLING", BOOK) in judged.right


def test_every_rule_that_an_incident_tells_of_exists_and_so_does_its_class() -> None:
    assert set(CLASS_OF_RULE) <= set(RULES)
    assert set(CLASS_OF_RULE.values()) <= set(CLASSES)
    assert [code for code, c in CLASSES.items() if c.blocking] == ["CLOCK_WRONG", "UNBOOKED_TRADE"]


def test_it_is_told_again_at_each_level_and_then_no_more() -> None:
    hours = CLASSES["KILL_SWITCH"].escalate * HOUR
    due = [escalations_due("KILL_SWITCH", NOW, NOW + hours * n) for n in (0, 0.99, 1, 2.9, 3, 7, 100)]
    assert due == [0, 0, 1, 1, 2, 3, len(LEVELS)]
    assert escalations_due("ODD", NOW, NOW + 24 * HOUR) == 1
