"""A PostgreSQL server of somebody else's keeping, named by TRADING_OPS_DATABASE_URL: it is checked, never managed."""

import re

import psycopg

from trading_ops.domain.errors import TradingOpsError
from trading_ops.settings import Settings
from trading_ops.store import endpoint
from trading_ops.store.errors import DatabaseDown, WrongDatabaseVersion

OLDEST_MAJOR = 16
CONNECT_SECONDS = 10
_WHERE = re.compile(
    r"^connection failed: |connection to server at .* failed: |connection to server on socket .* failed: "
)


def check(settings: Settings) -> None:
    """Knock once.

    Raises:
        DatabaseDown: Nothing answers, or it does not let the administrator in.
        WrongDatabaseVersion: It is older than PostgreSQL 16.
    """
    database = endpoint.admin_database(settings)
    try:
        with psycopg.connect(endpoint.admin_url(settings, database), connect_timeout=CONNECT_SECONDS) as conn:
            require_version(conn, settings)
    except psycopg.OperationalError as exc:
        raise unreachable(settings, exc) from exc


def answers(settings: Settings) -> bool:
    """Whether `check` finds nothing wrong."""
    try:
        check(settings)
    except TradingOpsError:
        return False
    return True


def require_version(conn: psycopg.Connection[object], settings: Settings) -> None:
    """Refuse a server too old for this product's SQL.

    Raises:
        WrongDatabaseVersion: It is older than PostgreSQL 16.
    """
    major = conn.info.server_version // 10_000
    if major < OLDEST_MAJOR:
        where = endpoint.of(settings)
        raise WrongDatabaseVersion(
            f"The database server at {where.host}:{where.port} is PostgreSQL {major}, and {OLDEST_MAJOR} or newer is "
            "needed. Upgrade it, or unset TRADING_OPS_DATABASE_URL to use the embedded server."
        )


def unreachable(settings: Settings, exc: psycopg.OperationalError) -> DatabaseDown:
    """The sentence for a server that cannot be entered: where, why, and the way out."""
    where = endpoint.of(settings)
    place = f"{where.host}:{where.port}"
    why = reason(exc)
    if settings.database_url is not None:
        return DatabaseDown(
            f"The database server at {place} does not let us in: {why} "
            "Start it and check TRADING_OPS_DATABASE_URL, or unset that to use the embedded server."
        )
    return DatabaseDown(
        f"The database server at {place} does not let us in: {why} Start it with `trading-ops server start`."
    )


def reason(exc: psycopg.OperationalError) -> str:
    """The last line of the driver's complaint, as a sentence; the driver never repeats a password."""
    lines = [line.strip() for line in str(exc).splitlines() if line.strip()]
    helpful = [line for line in lines if not line.startswith(("Is the server running", "Multiple connection"))]
    text = _WHERE.sub("", (helpful or lines or ["no reason given"])[0])
    return text.rpartition("FATAL:")[2].strip().rstrip(".") + "."
