"""Migrations: Alembic as the runner, hand-written SQL files as the content (`db/migrations`)."""

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.engine import URL

from trading_ops.settings import Settings, shipped
from trading_ops.store.connect import connect
from trading_ops.store.roles import dsn_for


def _config(settings: Settings | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(shipped("db", "migrations")))
    config.set_main_option("path_separator", "os")
    if settings is not None:
        import psycopg

        parts = psycopg.conninfo.conninfo_to_dict(dsn_for(settings, "migrator"))
        query = {k: str(v) for k, v in parts.items() if k in ("sslmode", "connect_timeout")}
        config.attributes["url"] = URL.create(
            "postgresql+psycopg", username=str(parts["user"]), password=str(parts["password"]),
            host=str(parts.get("host", "localhost")), port=int(parts.get("port", 5432)),
            database=str(parts["dbname"]), query=query,
        )  # fmt: skip
    return config


def head() -> str:
    """The newest revision that the code knows."""
    return str(ScriptDirectory.from_config(_config(None)).get_current_head())


def upgrade(settings: Settings, revision: str = "head") -> None:
    """Bring the schema to a revision; nothing happens when it is there."""
    command.upgrade(_config(settings), revision)


def downgrade(settings: Settings, revision: str) -> None:
    """Take the schema back; for tests of the migrations."""
    command.downgrade(_config(settings), revision)


def current(settings: Settings) -> str | None:
    """The revision of the database, or None before the first."""
    with connect(settings, "migrator") as conn:
        conn.execute("SET ROLE ops_owner")
        there = conn.execute("SELECT to_regclass('ops_meta.schema_version') AS t").fetchone()
        if not there or there["t"] is None:
            return None
        row = conn.execute("SELECT version_num FROM ops_meta.schema_version").fetchone()
    return str(row["version_num"]) if row else None
