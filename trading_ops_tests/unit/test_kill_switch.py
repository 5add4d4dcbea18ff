"""The kill switch: which state holds, and what starts a new running maximum."""

import datetime as dt

import pytest

from trading_ops.domain.kill_switch import KillSwitchEvent, armed_since, state_at


def day(number: int) -> dt.date:
    return dt.date(2018, 1, number)


def event(state: str, number: int, until: int | None = None) -> KillSwitchEvent:
    return KillSwitchEvent(state, day(number), day(until) if until else None, "a reason", "operator")


def test_nothing_was_ever_set() -> None:
    assert state_at([], day(5)).state == "ACTIVE"
    assert armed_since([], day(5)) is None


@pytest.mark.parametrize(("asof", "state"), [(9, "ACTIVE"), (10, "PAUSED"), (20, "PAUSED"), (21, "ACTIVE")])
def test_a_pause_holds_within_its_days(asof: int, state: str) -> None:
    assert state_at([event("PAUSED", 10, 20)], day(asof)).state == state


def test_the_newest_change_counts_and_one_to_come_does_not() -> None:
    events = [event("HALTED", 5), event("REDUCING", 12)]
    assert state_at(events, day(11)).state == "HALTED"
    assert state_at(events, day(12)).state == "REDUCING"


@pytest.mark.parametrize("before", ["HALTED", "REDUCING"])
def test_re_arming_starts_a_new_maximum(before: str) -> None:
    assert armed_since([event(before, 5), event("ACTIVE", 12)], day(30)) == day(12)
    assert armed_since([event(before, 5), event("ACTIVE", 12)], day(11)) is None


def test_active_upon_active_and_the_end_of_a_pause_start_none() -> None:
    assert armed_since([event("ACTIVE", 5), event("PAUSED", 10, 20), event("ACTIVE", 21)], day(30)) is None


def test_a_pause_does_not_hide_the_halt_before_it() -> None:
    assert armed_since([event("HALTED", 5), event("PAUSED", 8, 9), event("ACTIVE", 12)], day(30)) == day(12)
