"""What every test may ask for: a real PostgreSQL, and a home whose database is a fresh clone of the migrated schema.

One embedded server a test process (and so one an xdist worker); it is stopped when the process ends, and one that a
killed test run left behind is stopped by the next.
"""

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest
from psycopg import sql

from trading_ops.settings import Settings
from trading_ops.store import roles
from trading_ops.store.cluster import Cluster
from trading_ops.store.initialise import initialise
from trading_ops.store.locks import FileLock
from trading_ops.store.processes import stop_fast
from trading_ops.store.server import Server

# How long an example takes is the machine's business, and a busy one is no fault of the code.
hypothesis.settings.register_profile("here", deadline=None)
hypothesis.settings.load_profile("here")

PREFIX = "trading-ops-tests-"
TEMPLATE = "template_ops"
_numbers = itertools.count(1)


def stop_left_behind() -> None:
    """Stop the servers of test runs that were killed: theirs are the homes that nobody has locked."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if not folder.joinpath("postgres.lock").exists():
            continue
        with FileLock(folder / "postgres.lock") as lock:
            if lock.try_exclusive():
                cluster = Cluster(Settings(folder))
                stop_fast(cluster.data, cluster.log)
                shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def embedded_server() -> Iterator[Server]:
    """The test process's own server, running, with a migrated database to clone."""
    stop_left_behind()
    # Not below pytest's own temporary folder: that one is removed while it may still be looked at.
    home = Path(tempfile.mkdtemp(prefix=PREFIX))
    settings = Settings(home, database=TEMPLATE)
    server = Server(settings)
    try:
        with server.use(create=True):
            initialise(settings)
            yield server
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def administrator(embedded_server: Server) -> Iterator[psycopg.Connection[Any]]:
    """A superuser's connection that sits in no database of a test."""
    with psycopg.connect(embedded_server.admin_dsn(), autocommit=True) as conn:
        yield conn


@pytest.fixture
def fresh_home(embedded_server: Server, administrator: psycopg.Connection[Any], tmp_path: Path) -> Iterator[Settings]:
    """A home of its own with a migrated, empty database: no book, policy or universe yet.

    `fresh_home.to_env()` is the environment in which a command finds it.
    """
    name = f"test_{next(_numbers)}"
    home = Settings(tmp_path / "home", database_url=embedded_server.admin_dsn(), database=name)
    home.make_folders()
    shutil.copy2(embedded_server.settings.secrets_dir / "db.json", home.secrets_dir)
    clone = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER ops_owner")
    administrator.execute(clone.format(sql.Identifier(name), sql.Identifier(TEMPLATE)))
    roles.open_database(home)
    yield home
    for database in (home.database, home.dagster_database):
        administrator.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))


@pytest.fixture
def database(fresh_home: Settings) -> Settings:
    """The same home, for tests that want its database only."""
    return fresh_home


@pytest.fixture
def dagster_database(fresh_home: Settings, administrator: psycopg.Connection[Any]) -> str:
    """URL (psycopg2 style) of an empty database for Dagster's own storage."""
    roles.create_database(administrator, fresh_home.dagster_database, roles.DAGSTER)
    return roles.dsn_for(fresh_home, roles.DAGSTER)
