"""The kill switch: which state holds, and what starts a new running maximum."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_ops.domain.kill_switch import (
    KillSwitchEvent,
    armed_since,
    end_of_pause,
    followed_by_a_state,
    newest_entry_at,
    standing_pauses,
    state_at,
)
from trading_ops.domain.risk import evaluate_risk
from trading_ops_tests.unit.book_factory import book, committed_policy, order, risk_input


def day(number: int) -> dt.date:
    return dt.date(2018, 1, number)


def event(state: str, number: int, until: int | None = None) -> KillSwitchEvent:
    return KillSwitchEvent(state, day(number), day(until) if until else None, "a reason", "operator")


def test_nothing_was_ever_set() -> None:
    assert state_at([], day(5)).state == "ACTIVE"
    assert armed_since([], day(5)) is None


def test_pauses_that_a_later_state_once_ended_are_named_until_they_are_over_or_ended() -> None:
    ended_the_old_way = [event("PAUSED", 10, 20), event("ACTIVE", 11)]
    assert followed_by_a_state(ended_the_old_way, day(12)) == (event("PAUSED", 10, 20),)
    assert followed_by_a_state(ended_the_old_way, day(21)) == ()
    assert followed_by_a_state([event("ACTIVE", 11), event("PAUSED", 10, 20)], day(12)) == ()
    end = KillSwitchEvent("PAUSED", day(10), end_of_pause(day(10)), "back", "operator")
    assert followed_by_a_state([*ended_the_old_way, end], day(12)) == ()


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


@pytest.mark.parametrize("later", ["ACTIVE", "REDUCING", "HALTED"])
@pytest.mark.parametrize("from_day", [5, 10, 12, 20])
def test_a_state_set_after_a_pause_was_entered_does_not_end_it(later: str, from_day: int) -> None:
    held = state_at([event("PAUSED", 10, 20), event(later, from_day)], day(20))
    assert held.state == ("HALTED" if later == "HALTED" else "PAUSED")


def test_a_state_set_within_a_pause_holds_once_it_is_over() -> None:
    events = [event("PAUSED", 10, 20), event("REDUCING", 12)]
    assert [state_at(events, day(d)).state for d in (9, 12, 20, 21)] == ["ACTIVE", "PAUSED", "PAUSED", "REDUCING"]


@pytest.mark.parametrize("halted_first", [True, False])
def test_a_halt_within_a_pause_is_told_with_the_pause(halted_first: bool) -> None:
    halt = KillSwitchEvent("HALTED", day(8), None, "broker is down", "operator")
    pause = KillSwitchEvent("PAUSED", day(10), day(20), "walking in Wales", "operator")
    held = state_at([halt, pause] if halted_first else [pause, halt], day(15))
    assert (held.state, held.since) == ("HALTED", day(8))
    for part in ("broker is down", "paused as well", "2018-01-10", "2018-01-20", "walking in Wales"):
        assert part in held.reason


def test_an_entry_that_names_a_pause_by_its_first_session_ends_it_and_no_other() -> None:
    pauses = [event("PAUSED", 10, 20), event("PAUSED", 15, 25)]
    ended = [*pauses, event("PAUSED", 10, 9)]
    assert [p.session for p in standing_pauses(ended)] == [day(15)]
    assert [state_at(ended, day(d)).state for d in (12, 15, 25, 26)] == ["ACTIVE", "PAUSED", "PAUSED", "ACTIVE"]
    assert end_of_pause(day(10)) == day(9)


def test_a_pause_entered_again_after_its_end_stands() -> None:
    events = [event("PAUSED", 10, 20), event("PAUSED", 10, 9), event("PAUSED", 10, 12)]
    assert [state_at(events, day(d)).state for d in (11, 13)] == ["PAUSED", "ACTIVE"]


days = st.integers(1, 28)
states = st.builds(event, st.sampled_from(["ACTIVE", "REDUCING", "HALTED"]), days)
pauses = st.builds(lambda first, length: event("PAUSED", first, min(first + length, 28)), days, st.integers(0, 9))
ends = days.map(lambda first: KillSwitchEvent("PAUSED", day(first), end_of_pause(day(first)), "back", "operator"))


@given(st.lists(st.one_of(states, pauses, ends), max_size=10), days)
def test_within_any_pause_not_ended_no_plan_trades(events: list[KillSwitchEvent], asof: int) -> None:
    def ended(place: int) -> bool:
        return any(e.session == events[place].session and e.until < e.session for e in events[place:] if e.until)

    within = [n for n, e in enumerate(events) if e.until and e.session <= day(asof) <= e.until and not ended(n)]
    held = state_at(events, day(asof))
    assert bool(within) == any(p.covers(day(asof)) for p in standing_pauses(events))
    for side in ("BUY", "SELL"):
        inp = risk_input(book(units={"H": "5"}, ranks={"H": 1}), [order(side, "H")], kill_switch=held)
        passed = {r.code: r.passed for r in evaluate_risk(inp, committed_policy())}["KILL_SWITCH"]
        assert not (within and passed)
        assert not (held.state == "HALTED" and passed)
        assert passed == (held.state == "ACTIVE" or (held.state == "REDUCING" and side == "SELL"))


def test_tickets_of_before_are_replayed_as_they_were_judged() -> None:
    events = [event("PAUSED", 10, 20), event("ACTIVE", 12)]
    assert [newest_entry_at(events, day(d)).state for d in (10, 12, 21)] == ["PAUSED", "ACTIVE", "ACTIVE"]
