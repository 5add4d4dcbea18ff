"""Whose answers a plan waits for: the newest weekly ticket's, and those of every test ticket since it."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from trading_ops.domain.answer import Answer
from trading_ops.domain.confirmation import LineAnswer, check_confirmation_missing
from trading_ops.settings import Settings
from trading_ops.store import answers, audit, tickets
from trading_ops.store.tickets import Ticket
from trading_ops_tests.integration import desk_factory as desk
from trading_ops_tests.integration.home_factory import opened
from trading_ops_tests.unit.ticket_factory import make_buy

LAST_WEEK, MIDWEEK, FRIDAY, MONDAY, NEXT_WEEK = (
    dt.date(2018, 1, 26), dt.date(2018, 1, 31), dt.date(2018, 2, 2), dt.date(2018, 2, 5), dt.date(2018, 2, 9),
)  # fmt: skip
SKIPPED = Answer(1, "SKIPPED", "price above the limit")


@pytest.fixture
def conn(fresh_home: Settings) -> Iterator[psycopg.Connection[Any]]:
    """A home with a universe, and no ticket yet."""
    desk.set_up_desk(fresh_home)
    with opened(fresh_home) as conn:
        yield conn


def weekly(conn: psycopg.Connection[Any], asof: dt.date) -> Ticket:
    return desk.issue(conn, asof, [make_buy(1, "NVDA", "310", rank=4)])


def tried(conn: psycopg.Connection[Any], asof: dt.date) -> Ticket:
    return desk.issue(conn, asof, [make_buy(1, "AMZN", "25", rank=4)], test=True)


def skip(conn: psycopg.Connection[Any], ticket: Ticket) -> None:
    desk.answer(conn, ticket, [SKIPPED], desk.seen(conn, ticket))


def wanted(conn: psycopg.Connection[Any], asof: dt.date, *, test: bool = False) -> list[tuple[str, str | None]]:
    return [(line.plan_id, line.status) for line in asked(conn, asof, test=test)]


def asked(conn: psycopg.Connection[Any], asof: dt.date, *, test: bool = False) -> tuple[LineAnswer, ...]:
    run = desk.begin(conn, asof, test=test)
    return answers.previous_lines(conn, run.plan_id, run.facts_seq)


@pytest.mark.parametrize("asof", [FRIDAY, MONDAY], ids=["the weekly ticket's session", "a later session"])
def test_an_answered_test_hides_no_unanswered_weekly_ticket(conn: psycopg.Connection[Any], asof: dt.date) -> None:
    week = weekly(conn, FRIDAY)
    test = tried(conn, asof)
    skip(conn, test)
    lines = asked(conn, NEXT_WEEK)
    assert [(line.plan_id, line.status) for line in lines] == [(week.plan_id, None), (test.plan_id, "SKIPPED")]
    result = check_confirmation_missing(lines)
    assert not result.passed
    assert result.sentence == "Of the ticket of plan 2018-02-02 no answer is known for line 1 (BUY NVDA)."


def test_every_open_line_of_both_is_named_with_its_plan(conn: psycopg.Connection[Any]) -> None:
    weekly(conn, FRIDAY)
    tried(conn, MONDAY)
    result = check_confirmation_missing(asked(conn, NEXT_WEEK))
    assert result.seen == "0 of 2 lines answered"
    assert result.sentence == (
        "Of the ticket of plan 2018-02-02 no answer is known for line 1 (BUY NVDA). "
        "Of the ticket of plan test-2018-02-05 no answer is known for line 1 (BUY AMZN)."
    )
    assert result.subjects == ("2018-02-02/1", "test-2018-02-05/1")


def test_a_test_waits_for_the_weekly_ticket_of_its_session_and_for_the_tests_since(
    conn: psycopg.Connection[Any],
) -> None:
    skip(conn, weekly(conn, LAST_WEEK))
    week, first = weekly(conn, FRIDAY), tried(conn, FRIDAY)
    assert wanted(conn, MONDAY, test=True) == [(week.plan_id, None), (first.plan_id, None)]


def test_tests_of_before_the_newest_weekly_ticket_were_waited_for_by_that_one(conn: psycopg.Connection[Any]) -> None:
    skip(conn, weekly(conn, LAST_WEEK))
    skip(conn, tried(conn, MIDWEEK))
    week = weekly(conn, FRIDAY)
    assert wanted(conn, NEXT_WEEK) == [(week.plan_id, None)]


def test_a_test_of_an_older_session_issued_after_the_weekly_ticket_is_waited_for(
    conn: psycopg.Connection[Any],
) -> None:
    week = weekly(conn, FRIDAY)
    test = tried(conn, MIDWEEK)
    skip(conn, week)
    assert wanted(conn, NEXT_WEEK) == [(test.plan_id, None), (week.plan_id, "SKIPPED")]


def test_a_test_of_the_plans_own_session_counts_when_it_came_before_the_plan_began(
    conn: psycopg.Connection[Any],
) -> None:
    week = weekly(conn, FRIDAY)
    skip(conn, week)
    before = tried(conn, NEXT_WEEK)
    assert wanted(conn, NEXT_WEEK) == [(week.plan_id, "SKIPPED"), (before.plan_id, None)]


def test_a_test_issued_after_the_plan_began_is_not_waited_for(conn: psycopg.Connection[Any]) -> None:
    week = weekly(conn, FRIDAY)
    skip(conn, week)
    run = desk.begin(conn, NEXT_WEEK)
    tried(conn, NEXT_WEEK)
    lines = answers.previous_lines(conn, run.plan_id, audit.head(conn).seq)
    assert [line.plan_id for line in lines] == [week.plan_id]


def test_withdrawal_counts_for_the_ticket_that_was_withdrawn_alone(conn: psycopg.Connection[Any]) -> None:
    weekly(conn, FRIDAY)
    test = tried(conn, MONDAY)
    with conn.transaction():
        tickets.withdraw(conn, "2018-02-02", "prices were wrong", "operator")
    assert wanted(conn, NEXT_WEEK) == [(test.plan_id, None)]
