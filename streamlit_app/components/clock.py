"""What time it is on a page: the wall clock, and the book's own for a simulated one."""

import datetime as dt
from typing import Any

import psycopg

from trading_ops.desk.book_clock import now_of


def wall() -> dt.datetime:
    """The wall clock, UTC."""
    return dt.datetime.now(dt.UTC)


def book_now(conn: psycopg.Connection[Any]) -> dt.datetime:
    """The moment as of which the book is shown."""
    return now_of(conn, wall())
