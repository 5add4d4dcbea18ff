"""Migrations: Alembic as the runner, hand-written SQL files as the content (`db/migrations`)."""

import functools
from pathlib import Path
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.exc import SQLAlchemyError

from trading_ops.settings import Settings, shipped
from trading_ops.store import endpoint
from trading_ops.store.connect import connect
from trading_ops.store.errors import MigrationFailed, NotInitialised
from trading_ops.store.roles import dsn_for


@functools.cache
def head(folder: Path | None = None) -> str:
    """The newest revision that the code knows."""
    return str(ScriptDirectory.from_config(_config(None, folder)).get_current_head())


def current(settings: Settings) -> str | None:
    """The revision of the database, or None before the first."""
    with connect(settings, "app_writer") as conn:
        return _revision(conn)


def _revision(conn: psycopg.Connection[Any]) -> str | None:
    # While the very first upgrade is at work the table is there, and may be read when that one has ended.
    readable = "SELECT has_table_privilege(to_regclass('ops_meta.schema_version')::oid, 'SELECT') AS yes"
    there = conn.execute(readable).fetchone()
    if there is None or not there["yes"]:
        return None
    row = conn.execute("SELECT version_num FROM ops_meta.schema_version").fetchone()
    return str(row["version_num"]) if row else None


def require_current(settings: Settings, conn: psycopg.Connection[Any] | None = None) -> None:
    """The schema is the one that this code was written for.

    Args:
        settings: The home.
        conn: A connection of `app_writer` that is open already; one is opened for the question if left out.

    Raises:
        NotInitialised: It is an older one, or a newer one.
    """
    seen, wanted = current(settings) if conn is None else _revision(conn), head()
    if seen != wanted:
        raise NotInitialised(
            f"{settings.home} has schema {seen or 'none'}, and this version needs {wanted}. Run `trading-ops init`: it "
            "brings an older one up to date and keeps everything there is; a newer one needs the newer version."
        )


def upgrade(settings: Settings, revision: str = "head", folder: Path | None = None) -> None:
    """Bring the schema to a revision; nothing happens when it is there.

    Args:
        settings: The home.
        revision: `0001`, or `head` for the newest.
        folder: Replaces `db/migrations`; for tests.

    Raises:
        MigrationFailed: The revision at work left no trace; those before it are kept.
    """
    # Asked first as an ordinary role: a home that is down or not made gets its sentence, not a driver's traceback.
    before = current(settings)
    try:
        command.upgrade(_config(settings, folder), revision)
    except (SQLAlchemyError, psycopg.Error) as exc:
        reached = current(settings)
        raise MigrationFailed(
            f"The database could not be brought from revision {before or 'none'} to {revision}: {_why(exc)} "
            f"It is at revision {reached or 'none'} and whole; nothing of the failed one was kept."
        ) from exc


def downgrade(settings: Settings, revision: str, folder: Path | None = None) -> None:
    """Take the schema back, with every fact in it: for tests of the migrations, and no command offers it."""
    command.downgrade(_config(settings, folder), revision)


def _config(settings: Settings | None, folder: Path | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(folder or shipped("db", "migrations")).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    if settings is not None:
        # Handed over as an attribute: a URL among the options would be interpolated, and its password shown.
        config.attributes["url"] = endpoint.driver_url(dsn_for(settings, "migrator"), "psycopg")
    return config


def _why(exc: BaseException) -> str:
    cause = getattr(exc, "orig", None) or exc
    text = str(cause).strip().splitlines() or [type(cause).__name__]
    where = [line.strip() for line in text[1:] if line.startswith("LINE ")]
    return f"{text[0].rstrip('.')}{' at ' + where[0] if where else ''}."
