"""What is worked out of the books may be kept while they stay as they are, and never a moment longer."""

import datetime as dt
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import psycopg

from trading_ops.desk import books_now
from trading_ops.domain.ledger import CashMovement
from trading_ops.settings import Settings
from trading_ops.store import audit, ledger
from trading_ops_tests.integration.desk_factory import set_up_desk
from trading_ops_tests.integration.home_factory import opened

DAY = dt.date(2018, 1, 5)


def deposit(conn: psycopg.Connection[Any], pounds: str) -> int:
    at = dt.datetime(2018, 1, 5, 12, tzinfo=dt.UTC)
    movement = CashMovement(str(uuid.uuid4()), "deposit", Decimal(pounds), DAY, at)
    return ledger.record_movement(conn, movement, recorded_by="omar", why="a test")


def cash(conn: psycopg.Connection[Any]) -> Decimal:
    return books_now.books(conn).at(DAY).cash_gbp


def test_what_was_rolled_back_is_not_remembered_under_a_number_given_out_again(fresh_home: Settings) -> None:
    set_up_desk(fresh_home)
    with opened(fresh_home) as conn:
        with conn.transaction(force_rollback=True):
            undone = deposit(conn, "100")
            assert cash(conn) == Decimal(100)
        with conn.transaction():
            kept = deposit(conn, "7")
        assert kept == undone, "the number was given out again"
        assert cash(conn) == Decimal(7)


def test_two_people_who_ask_at_once_both_get_the_books(fresh_home: Settings) -> None:
    set_up_desk(fresh_home)

    def ask(number: int) -> set[Decimal]:
        with opened(fresh_home) as conn:
            if number == 0:
                for _ in range(20):
                    with conn.transaction():
                        deposit(conn, "1")
            return {cash(conn) for _ in range(30)}

    with ThreadPoolExecutor(4) as pool:
        seen = set().union(*pool.map(ask, range(4)))
    with opened(fresh_home) as conn:
        assert cash(conn) == Decimal(20)
        assert seen <= {Decimal(count) for count in range(21)}
        assert audit.broken(conn) == []


class Interrupted:
    """A connection on which somebody else commits a deposit just before one of its statements."""

    def __init__(self, conn: psycopg.Connection[Any], at: int, act: Callable[[], object]) -> None:
        self.conn, self.left, self.act = conn, at, act

    def execute(self, *args: Any, **kwargs: Any) -> Any:
        self.left -= 1
        if self.left == 0:
            self.act()
        return self.conn.execute(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.conn, name)


def test_what_is_booked_while_the_books_are_read_is_seen_the_next_time(fresh_home: Settings) -> None:
    set_up_desk(fresh_home)
    with opened(fresh_home) as conn, opened(fresh_home) as other:
        booked = 0

        def book() -> None:
            nonlocal booked
            booked += 1
            with other.transaction():
                deposit(other, "1")

        for statement in range(1, 30):
            book()  # the books have to be read anew
            interrupted: Any = Interrupted(conn, statement, book)
            cash(interrupted)
            assert cash(conn) == Decimal(booked), f"a deposit before statement {statement} was never seen"
            if interrupted.left > 0:
                break
        assert statement > 5, "the deposits came between the statements"
