"""Five wrong tries lock for a quarter of an hour; then it opens by itself."""

import datetime as dt

import pytest

from streamlit_app.auth.lockout import LOCKED_FOR, LOOK_BACK, standing

START = dt.datetime(2026, 3, 2, 15, tzinfo=dt.UTC)


def after(minutes: float) -> dt.datetime:
    return START + dt.timedelta(minutes=minutes)


def wrong(*minutes: float) -> list[tuple[dt.datetime, bool]]:
    return [(after(m), False) for m in minutes]


def test_four_wrong_tries_leave_one() -> None:
    assert standing([], START) == (5, None)
    assert standing(wrong(0, 1, 2, 3), after(4)) == (1, None)


def test_the_fifth_locks_for_fifteen_minutes_from_then_on() -> None:
    tries = wrong(0, 1, 2, 3, 10)
    assert standing(tries, after(10)) == (0, after(25))
    assert standing(tries, after(25) - dt.timedelta(microseconds=1)) == (0, after(25))
    assert standing(tries, after(25)) == (5, None)


def test_after_a_lock_there_are_five_tries_again() -> None:
    assert standing(wrong(0, 1, 2, 3, 10, 25, 26, 27, 28), after(28)) == (1, None)
    assert standing(wrong(0, 1, 2, 3, 10, 25, 26, 27, 28, 29), after(29)) == (0, after(44))


def test_a_right_one_begins_anew() -> None:
    assert standing([*wrong(0, 1, 2, 3), (after(4), True), *wrong(5)], after(5)) == (4, None)


def test_wrong_tries_are_forgotten_after_fifteen_minutes() -> None:
    assert standing(wrong(0, 5, 10, 14.9), after(15)) == (2, None)
    assert standing(wrong(0, 5, 10, 14, 15), after(15)) == (1, None)
    assert standing(wrong(0), after(15)) == (5, None)


@pytest.mark.parametrize("gap", [0.5, 1, 2.9, 3, 3.7, 4, 7, 14])
def test_what_lies_further_back_than_is_looked_changes_nothing(gap: float) -> None:
    """Somebody tries for two hours, whenever it is open; at every moment the short look gives the long one's answer."""
    tries: list[tuple[dt.datetime, bool]] = []
    at = START
    while at < after(120):
        whole = standing(tries, at)
        assert standing([t for t in tries if t[0] > at - LOOK_BACK], at) == whole
        if whole[1] is None:
            tries.append((at, False))
        at += dt.timedelta(minutes=gap)
    assert LOOK_BACK == 2 * LOCKED_FOR
