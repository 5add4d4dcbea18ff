"""Opening the home: settings, the embedded server for as long as it is needed, a connection with the right role."""

import datetime as dt
import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from trading_ops.settings import Settings
from trading_ops.store import migrate
from trading_ops.store.connect import connect
from trading_ops.store.server import Server


def now() -> dt.datetime:
    """The wall clock, UTC. Commands read it once and pass it on."""
    return dt.datetime.now(dt.UTC)


def person() -> str:
    """Who sits at the terminal, for the record."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "operator"


@contextmanager
def opened(role: str = "app_writer") -> Iterator[tuple[psycopg.Connection[Any], Settings]]:
    """The home's database, its server kept alive meanwhile.

    Raises:
        NotInitialised: `trading-ops init` has not been run in this home.
        NotInitialised: Its schema is not this version's: `init` has not been run since the upgrade.
        DatabaseDown: Nothing answers where the database should be.
    """
    settings = Settings.from_env()
    with opened_in(settings, role) as conn:
        migrate.require_current(settings, conn if role == "app_writer" else None)  # no other role may ask
        yield conn, settings


@contextmanager
def opened_in(settings: Settings, role: str = "app_writer") -> Iterator[psycopg.Connection[Any]]:
    """The database of a given home, its server kept alive meanwhile."""
    with Server(settings).use(), connect(settings, role) as conn:
        conn.autocommit = True  # every write says where its transaction begins and ends
        yield conn
