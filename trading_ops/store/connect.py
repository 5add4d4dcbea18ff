"""Connections: one role, UTC, rows as dictionaries, a watchdog on every statement, errors as sentences.

A transaction that lost a race is repeated here and nowhere else, and only for the two codes that mean just that.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import psycopg
from psycopg.rows import DictRow, dict_row
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from trading_ops.settings import Settings
from trading_ops.store.errors import DatabaseDown, NotInitialised
from trading_ops.store.external import reason, require_version, unreachable
from trading_ops.store.roles import dsn_for

STATEMENT_TIMEOUT = "15min"
"""Longer than any honest statement; one that hangs must not hold its locks for ever."""
CONNECT_SECONDS = 10
ATTEMPTS = 8
LOST_A_RACE = (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected)

T = TypeVar("T")
Connection = psycopg.Connection[DictRow]


def connect(settings: Settings, role: str, database: str | None = None) -> Connection:
    """Connect as one of the product's roles.

    Raises:
        NotInitialised: The home has no roles or database yet.
        DatabaseDown: The server does not answer or does not let the role in.
        WrongDatabaseVersion: The server is older than PostgreSQL 16.
    """
    try:
        conn = psycopg.connect(
            dsn_for(settings, role, database),
            row_factory=dict_row,
            application_name=f"trading-ops {role}",
            connect_timeout=CONNECT_SECONDS,
            # A peer that vanished without a word is noticed within a minute or so.
            keepalives_idle=30, keepalives_interval=10, keepalives_count=3, tcp_user_timeout=60_000,
            options=f"-c TimeZone=UTC -c statement_timeout={STATEMENT_TIMEOUT} -c search_path=pg_catalog",
        )  # fmt: skip
    except psycopg.OperationalError as exc:
        raise _cannot_enter(settings, role, exc) from exc
    try:
        require_version(conn, settings)
    except BaseException:
        conn.close()
        raise
    return conn


@contextmanager
def transaction(settings: Settings, role: str) -> Iterator[Connection]:
    """A connection inside one transaction: committed at the end, rolled back by any exception, closed either way."""
    with connect(settings, role) as conn, conn.transaction():
        yield conn


def run_transaction(conn: Connection, work: Callable[[Connection], T], attempts: int = ATTEMPTS) -> T:
    """Do the work in a transaction, and again when it lost a race (40001, 40P01); any other error is raised at once.

    Args:
        conn: A connection that is not inside a transaction.
        work: Gets the connection; everything it does must be safe to do again, as none of it was kept.
        attempts: How often at most; the last failure is raised.
    """

    if conn.info.transaction_status is not psycopg.pq.TransactionStatus.IDLE:
        raise RuntimeError("run_transaction was called inside a transaction, where nothing can be done again")

    def once() -> T:
        with conn.transaction():
            return work(conn)

    return Retrying(
        retry=retry_if_exception_type(LOST_A_RACE),
        stop=stop_after_attempt(attempts),
        wait=wait_random_exponential(multiplier=0.01, max=0.5),
        reraise=True,
    )(once)


def _cannot_enter(settings: Settings, role: str, exc: psycopg.OperationalError) -> DatabaseDown | NotInitialised:
    said = str(exc)
    if "database" in said and "does not exist" in said:
        return NotInitialised(f"{settings.home} has no database {settings.database!r} yet. Run `trading-ops init`.")
    if "authentication failed" in said or "role" in said:
        return DatabaseDown(
            f"The database server does not let {role} in with the password of this home: {reason(exc)} "
            "Run `trading-ops init` again: it sets the passwords of this home."
        )
    return unreachable(settings, exc)
