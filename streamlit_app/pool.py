"""Connections that are kept open for the next request: a few a database role, each looked at before it is lent.

What may be done with one does not belong here (`database`, `auth.door`).
"""

import functools
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from trading_ops.settings import Settings
from trading_ops.store.connect import Connection, connect
from trading_ops.store.errors import DatabaseDown

MOST = 8
WAIT_SECONDS = 30


class Pool:
    """Connections of one role, in autocommit; one borrower at a time has each."""

    def __init__(self, settings: Settings, role: str, *, read_only: bool = False, most: int = MOST) -> None:
        """Nothing is connected yet."""
        self._settings = settings
        self._role = role
        self._read_only = read_only
        self._room = threading.BoundedSemaphore(most)
        self._idle: deque[Connection] = deque()

    @contextmanager
    def lent(self) -> Iterator[Connection]:
        """A connection that answers, for the `with`; one that was left broken or unfinished is thrown away.

        Raises:
            DatabaseDown: The server does not answer, or every connection has been in use for half a minute.
        """
        if not self._room.acquire(timeout=WAIT_SECONDS):
            raise DatabaseDown("The desk is busy: every connection to its database is in use. Try again in a minute.")
        try:
            conn = self._kept() or self._new()
            try:
                yield conn
            finally:
                if not conn.closed and conn.info.transaction_status is psycopg.pq.TransactionStatus.IDLE:
                    self._idle.append(conn)
                else:
                    conn.close()
        finally:
            self._room.release()

    def _kept(self) -> Connection | None:
        while True:
            try:
                conn = self._idle.pop()
            except IndexError:
                return None
            try:
                conn.execute("SELECT 1")
            except psycopg.OperationalError:  # the server went away meanwhile
                conn.close()
                continue
            return conn

    def _new(self) -> Connection:
        conn = connect(self._settings, self._role)
        conn.autocommit = True
        if self._read_only:
            conn.execute("SET default_transaction_read_only = on")
        return conn


@functools.cache
def pool_of(settings: Settings, role: str, *, read_only: bool = False) -> Pool:
    """The process's one pool for a role of a home."""
    return Pool(settings, role, read_only=read_only)
