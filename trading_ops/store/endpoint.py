"""Where the database listens, and the URL with which a role enters one of its databases."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict

from trading_ops.domain.errors import ConfigError
from trading_ops.settings import Settings
from trading_ops.store.cluster import HOST, SUPERUSER, Cluster
from trading_ops.store.errors import NotInitialised

DEFAULT_PORT = 5432
_IDENTITY = frozenset({"user", "password", "dbname", "host", "port", "passfile"})


@dataclass(frozen=True)
class Endpoint:
    """A server's address.

    Attributes:
        host: Name, address, or the folder of a Unix socket.
        port: TCP port, or the number in the socket's name.
        options: Further connection parameters, `sslmode` and its like.
    """

    host: str
    port: int
    options: Mapping[str, str]


def of(settings: Settings) -> Endpoint:
    """Address of a home's server.

    Raises:
        NotInitialised: The embedded server has never been started.
        ConfigError: TRADING_OPS_DATABASE_URL cannot be read.
    """
    if settings.database_url is None:
        port = Cluster(settings).port()
        if port is None:
            raise NotInitialised(f"{settings.home} is no home yet. Run `trading-ops init`.")
        return Endpoint(HOST, port, {})
    said = _parsed(settings.database_url)
    options = {name: str(value) for name, value in said.items() if name not in _IDENTITY}
    return Endpoint(str(said.get("host") or "localhost"), int(said.get("port") or DEFAULT_PORT), options)


def url(settings: Settings, user: str, password: str | None, database: str) -> str:
    """A `postgresql://` URL; libpq, psycopg and (with its driver named) SQLAlchemy read it."""
    where = of(settings)
    who = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
    options = dict(where.options)
    address = f"[{where.host}]" if ":" in where.host else where.host
    if where.host.startswith("/"):
        options, address = {"host": where.host, "port": str(where.port), **options}, ""
    place = f"{address}:{where.port}" if address else ""
    query = f"?{urlencode(options, quote_via=quote)}" if options else ""
    return f"postgresql://{who}@{place}/{quote(database, safe='')}{query}"


def admin_url(settings: Settings, database: str) -> str:
    """The administrator's URL for one database of the server."""
    if settings.database_url is None:
        return url(settings, SUPERUSER, Cluster(settings).password(), database)
    said = _parsed(settings.database_url)
    return url(settings, str(said.get("user") or "postgres"), said.get("password"), database)


def admin_database(settings: Settings) -> str:
    """The database in which the administrator surely may sit: the one the DSN names, else `postgres`."""
    return (
        "postgres" if settings.database_url is None else str(_parsed(settings.database_url).get("dbname") or "postgres")
    )


def driver_url(dsn: str, driver: str) -> str:
    """The URL for SQLAlchemy with its driver named: `psycopg` for ours, `psycopg2` for Dagster's."""
    return f"postgresql+{driver}://" + dsn.removeprefix("postgresql://")


def _parsed(text: str) -> dict[str, Any]:
    try:
        said = conninfo_to_dict(text)
        int(said.get("port") or DEFAULT_PORT)
    except (psycopg.ProgrammingError, ValueError):
        # Without the cause: it would show the text, and the text may hold a password.
        raise ConfigError(
            "TRADING_OPS_DATABASE_URL: this is no PostgreSQL URL with one host and one port. "
            "Write postgresql://user:password@host:5432/postgres."
        ) from None
    return dict(said)
