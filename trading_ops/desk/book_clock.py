"""What time it is for a book: a simulated one lives in history, so its pages do not call every week overdue.

Does not belong here: the wall clock itself; callers bring it.
"""

import datetime as dt
from typing import Any

import psycopg

from trading_ops.store import desk


def now_of(conn: psycopg.Connection[Any], wall: dt.datetime) -> dt.datetime:
    """The moment as of which a page speaks.

    Args:
        conn: A connection.
        wall: The wall clock, aware UTC.

    Returns:
        The wall clock; in a sim book the moment up to which it has lived, never later than the wall clock.
    """
    if desk.book(conn) != "sim":
        return wall
    row = conn.execute(
        "SELECT greatest((SELECT max(decided_as_of) FROM ops.tickets), "
        "(SELECT max(taken_at) FROM ops.broker_snapshots), "
        "(SELECT max(filled_at) FROM ops.ledger_trades_fills)) AS lived"
    ).fetchone()
    lived = row["lived"] if row else None
    return min(lived, wall) if lived is not None else wall
