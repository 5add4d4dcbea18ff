"""Two people at the books in the same moment: what one does is seen by the other before anything is booked."""

import datetime as dt
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from trading_ops.desk import accepting, reconciling
from trading_ops.domain import calendar
from trading_ops.domain.corrections import WithdrawAnswer
from trading_ops.domain.diagnosis import Finding
from trading_ops.domain.errors import Refused
from trading_ops.domain.ledger import CashMovement
from trading_ops.settings import Settings
from trading_ops.store import audit, ledger, tickets
from trading_ops_tests.integration import desk_factory, household_factory
from trading_ops_tests.integration.home_factory import opened
from trading_ops_tests.integration.household_factory import BOUGHT
from trading_ops_tests.integration.operator_factory import D, check_account, movements, only
from trading_ops_tests.unit import ticket_factory

Act = Callable[[psycopg.Connection[Any]], Any]


class OtherPerson:
    """Acts on a connection of their own, in a transaction, at the same time."""

    def __init__(self, home: Settings, pool: ThreadPoolExecutor) -> None:
        self.home, self.pool = home, pool

    def acts(self, watcher: psycopg.Connection[Any], act: Act) -> "Future[Any]":
        """Begin to act; returned when they wait for what the watcher holds, or are through."""
        began = threading.Event()
        backend: list[int] = []

        def run() -> Any:
            with opened(self.home) as conn, conn.transaction():
                backend.append(conn.info.backend_pid)
                began.set()
                return act(conn)

        future = self.pool.submit(run)
        assert began.wait(30)
        waits = "SELECT 1 FROM pg_locks WHERE pid = %s AND NOT granted"
        while not future.done() and not watcher.execute(waits, (backend[0],)).fetchone():
            pass
        return future


@pytest.fixture
def other(fresh_home: Settings) -> Iterator[OtherPerson]:
    with ThreadPoolExecutor(1) as pool:
        yield OtherPerson(fresh_home, pool)


@pytest.fixture
def household(fresh_home: Settings) -> Iterator[psycopg.Connection[Any]]:
    household_factory.set_up_household(fresh_home)
    with opened(fresh_home) as conn:
        yield conn


def a_dividend(conn: psycopg.Connection[Any]) -> None:
    ex_date = calendar.next_session(BOUGHT)
    at = calendar.close_utc(ex_date)
    booked = CashMovement(str(uuid.uuid4()), "dividend", D("3.58"), at.date(), at, "AAPL", ex_date)
    ledger.record_movement(conn, booked, recorded_by="omar", why="seen on the account")


def test_a_dividend_that_two_people_book_at_once_is_booked_once(
    household: psycopg.Connection[Any], other: OtherPerson
) -> None:
    with household.transaction():
        a_dividend(household)
        theirs = other.acts(household, a_dividend)
    with pytest.raises(Refused, match="is booked already"):
        theirs.result(30)
    assert movements(household) == [("dividend", D("3.58"))]


def told_who_accepts_as_well(household: psycopg.Connection[Any], other: OtherPerson, *, both_accept: bool) -> str:
    """What a person is told who accepts ABBV's finding while another accepts it too, or books a dividend."""
    snapshot = check_account(household, ABBV="3.140512")
    now = dt.datetime.now(dt.UTC)
    found = reconciling.reconciled(household, now)
    assert found.diagnosis is not None
    finding = next(f for f in accepting.readings(found.diagnosis.findings) if accepting.entries_of(f))
    shown = accepting.entries_of(finding)
    with household.transaction():
        if both_accept:
            reconciling.accept(household, finding, snapshot, "omar", "", now)
        else:
            a_dividend(household)
        theirs = other.acts(household, lambda conn: accepting.accept_shown(conn, snapshot, shown, "omar", "", now))
    return str(theirs.result(30))


def test_a_finding_is_not_booked_on_books_that_changed_in_the_same_moment(
    household: psycopg.Connection[Any], other: OtherPerson
) -> None:
    assert told_who_accepts_as_well(household, other, both_accept=False) == accepting.NO_LONGER
    assert household.execute("SELECT 1 FROM ops.drift_resolutions").fetchall() == []


def test_a_finding_that_two_people_accept_at_once_is_booked_once(
    household: psycopg.Connection[Any], other: OtherPerson
) -> None:
    assert told_who_accepts_as_well(household, other, both_accept=True) == accepting.ALREADY
    only(household.execute("SELECT * FROM ops.drift_resolutions").fetchall())


def test_who_accepts_waits_for_an_answer_under_way_and_does_not_stand_in_its_way(
    fresh_home: Settings, other: OtherPerson
) -> None:
    desk_factory.set_up_desk(fresh_home)
    with opened(fresh_home) as conn:
        ticket = desk_factory.issue(conn, dt.date(2018, 1, 26), ticket_factory.usual_orders())
        entry = WithdrawAnswer(snapshot_id="s", why="w", plan_id=ticket.plan_id, line=1, replaces="f")
        finding = Finding("AAPL", ("AAPL",), "NOT_EXECUTED", "It was not filled.", "likely", (entry,))

        def accepts(their: psycopg.Connection[Any]) -> int:
            reconciling.hold(their, finding)
            return audit.head(their).seq

        with conn.transaction():
            tickets.hold(conn, ticket.plan_id)
            theirs = other.acts(conn, accepts)
            answer = audit.append(conn, "test.fact", "an answer", {})
            assert not theirs.done()
        assert theirs.result(30) == answer
