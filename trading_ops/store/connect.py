"""Connections: one role, UTC, rows as dictionaries, a watchdog on every statement, errors as sentences."""

import psycopg
from psycopg.rows import DictRow, dict_row

from trading_ops.settings import Settings
from trading_ops.store.errors import DatabaseDown, NotInitialised
from trading_ops.store.roles import dsn_for

STATEMENT_TIMEOUT = "15min"
"""Longer than any honest statement; a silent peer must not hang a step for ever."""


def connect(settings: Settings, role: str, database: str | None = None) -> psycopg.Connection[DictRow]:
    """Connect as one of the product's roles.

    Raises:
        NotInitialised: The home has no roles or database yet.
        DatabaseDown: The server does not answer or does not let the role in.
    """
    try:
        conn = psycopg.connect(
            dsn_for(settings, role, database),
            row_factory=dict_row,
            application_name=f"trading-ops {role}",
            connect_timeout=10,
            options=f"-c TimeZone=UTC -c statement_timeout={STATEMENT_TIMEOUT} -c search_path=pg_catalog",
        )
    except psycopg.OperationalError as exc:
        said = str(exc).strip().splitlines()[-1]
        if "does not exist" in said:
            raise NotInitialised(f"{settings.home} is not set up ({said}). Run `trading-ops init`.") from exc
        raise DatabaseDown(f"The database of {settings.home} does not let {role} in: {said}") from exc
    return conn
