"""One database role a part of the product, each with a random password in the home's secrets."""

import json
import os
import secrets
import stat
from typing import Any

import psycopg
from psycopg import sql

from trading_ops.settings import Settings, shipped
from trading_ops.store.errors import NotInitialised, SecretsTooOpen
from trading_ops.store.server import Server

LOGIN_ROLES = (
    "migrator", "app_writer", "desk_reader", "replayer", "executor_ui", "operator_ui", "mcp_reader",
    "mcp_fills_writer", "backup", "dagster",
)  # fmt: skip


def passwords(settings: Settings) -> dict[str, str]:
    """The roles' passwords.

    Raises:
        NotInitialised: `init` has not made them yet.
        SecretsTooOpen: Others can read the file.
    """
    path = settings.secrets_dir / "db.json"
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError as exc:
        raise NotInitialised(f"{settings.home} has no database yet. Run `trading-ops init` first.") from exc
    if mode & 0o077:
        raise SecretsTooOpen(f"{path} can be read by others (mode {mode:o}). Run: chmod 600 {path}")
    found: dict[str, str] = json.loads(path.read_text())
    return found


def _make_passwords(settings: Settings) -> dict[str, str]:
    path = settings.secrets_dir / "db.json"
    if path.exists():
        return passwords(settings)
    made = {role: secrets.token_urlsafe(24) for role in LOGIN_ROLES}
    temporary = path.with_suffix(".tmp")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(made, file)
    temporary.replace(path)
    return made


def dsn_for(settings: Settings, role: str, database: str | None = None) -> str:
    """The connection string of a role."""
    base = Server(settings).admin_dsn()
    return psycopg.conninfo.make_conninfo(
        base, user=role, password=passwords(settings)[role], dbname=database or settings.database
    )


def create(settings: Settings) -> None:
    """Roles, their passwords, and the two databases; safe to run again."""
    server = Server(settings)
    secret = _make_passwords(settings)
    with psycopg.connect(server.admin_dsn(), autocommit=True) as conn:
        conn.execute(shipped("db", "roles.sql").read_text())
        for role in LOGIN_ROLES:
            conn.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(secret[role])))
        _create_database(conn, settings.database, "ops_owner")
        _create_database(conn, settings.dagster_database, "dagster")
    with psycopg.connect(server.admin_dsn(settings.database), autocommit=True) as conn:
        conn.execute(
            sql.SQL(
                "REVOKE ALL ON SCHEMA public FROM PUBLIC; REVOKE TEMPORARY, CONNECT ON DATABASE {db} FROM PUBLIC; "
                "GRANT CONNECT ON DATABASE {db} TO {roles}; GRANT TEMPORARY ON DATABASE {db} TO app_writer; "
                "CREATE SCHEMA IF NOT EXISTS ops AUTHORIZATION ops_owner; "
                "CREATE SCHEMA IF NOT EXISTS ops_meta AUTHORIZATION ops_owner; "
                "GRANT USAGE ON SCHEMA ops_meta TO app_writer"
            ).format(
                db=sql.Identifier(settings.database),
                roles=sql.SQL(", ").join(sql.Identifier(r) for r in LOGIN_ROLES if r != "dagster"),
            )
        )


def _create_database(conn: psycopg.Connection[Any], name: str, owner: str) -> None:
    if not conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
        conn.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(owner)))
        conn.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} ENCODING 'UTF8' TEMPLATE template0").format(
                sql.Identifier(name), sql.Identifier(owner)
            )
        )
