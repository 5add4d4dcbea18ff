"""One database role a part of the product, each with a random password in the home's secrets; and the two databases.

What a role may do is granted by the migrations; `db/privileges.txt` is the reviewed result.
"""

import json

import psycopg
from psycopg import sql

from trading_ops.settings import Settings, shipped
from trading_ops.store import endpoint
from trading_ops.store.errors import NotInitialised, SecretsTooOpen
from trading_ops.store.external import unreachable
from trading_ops.store.secret_files import new_password, read_secret, write_secret

OWNER = "ops_owner"
DAGSTER = "dagster"
LOGIN_ROLES = (
    "migrator", "app_writer", "desk_reader", "replayer", "executor_ui", "operator_ui", "mcp_reader",
    "mcp_fills_writer", "backup", "sign_in", DAGSTER,
)  # fmt: skip
SETUP_LOCK = 7_301_003
BUILTIN_SINCE = 170_000
BUILTIN_LOCALE = sql.SQL("LOCALE 'C' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'")
LIBC_LOCALE = sql.SQL("LOCALE 'C' LOCALE_PROVIDER libc")
"""For PostgreSQL 16: it sorts text like the builtin locale, the same way on every machine."""


def passwords(settings: Settings) -> dict[str, str]:
    """The roles' passwords.

    Raises:
        NotInitialised: `init` has not made them yet, or was last run before a role was added.
        SecretsTooOpen: Others can read the file, or it is damaged.
    """
    found = _kept(settings)
    missing = [role for role in LOGIN_ROLES if role not in found]
    if missing:
        raise NotInitialised(
            f"{settings.home} has no database role {missing[0]} yet: it was set up by an older version. "
            "Run `trading-ops init` again; it adds what is new and keeps everything else."
        )
    return found


def _kept(settings: Settings) -> dict[str, str]:
    path = settings.secrets_dir / "db.json"
    try:
        found = json.loads(read_secret(path))
    except FileNotFoundError as exc:
        raise NotInitialised(f"{settings.home} has no database yet. Run `trading-ops init` first.") from exc
    except json.JSONDecodeError:
        found = None
    if not isinstance(found, dict) or not found or any(not isinstance(secret, str) for secret in found.values()):
        raise SecretsTooOpen(f"{path} is damaged. Restore it, or move it away and run `trading-ops init` again.")
    return found


def dsn_for(settings: Settings, role: str, database: str | None = None) -> str:
    """The `postgresql://` URL with which a role enters a database; it holds the role's password.

    Args:
        settings: The home.
        role: One of `LOGIN_ROLES`.
        database: Dagster's own for its role, else the ledger's.

    Raises:
        NotInitialised: `init` has not made the roles yet.
        SecretsTooOpen: Others can read the passwords.
    """
    own = settings.dagster_database if role == DAGSTER else settings.database
    return endpoint.url(settings, role, passwords(settings)[role], database or own)


def create(settings: Settings) -> tuple[str, ...]:
    """Roles, their passwords, and the two databases; safe to run again.

    Returns:
        Sentences a person should read: roles of another home on the same server that got new passwords.
    """
    fresh = not (settings.secrets_dir / "db.json").exists()
    kept = {} if fresh else _kept(settings)
    if any(role not in kept for role in LOGIN_ROLES):
        made = {role: kept.get(role) or new_password() for role in LOGIN_ROLES}
        write_secret(settings.secrets_dir / "db.json", json.dumps(made, indent=1) + "\n")
    try:
        with psycopg.connect(endpoint.admin_url(settings, endpoint.admin_database(settings)), autocommit=True) as conn:
            # Two homes may share a server: only one of them at a time makes roles and databases.
            conn.execute("SELECT pg_advisory_lock(%s)", (SETUP_LOCK,))
            there = {row[0] for row in conn.execute("SELECT rolname FROM pg_roles WHERE rolcanlogin").fetchall()}
            conn.execute(shipped("db", "roles.sql").read_bytes())
            _set_passwords(conn, passwords(settings))
            create_database(conn, settings.database, OWNER)
            create_database(conn, settings.dagster_database, DAGSTER)
            open_database(settings)
    except psycopg.OperationalError as exc:
        raise unreachable(settings, exc) from exc
    taken = sorted(there & set(LOGIN_ROLES)) if fresh else []
    if not taken:
        return ()
    return (
        f"These roles were on the server already and have new passwords now: {', '.join(taken)}. "
        "Another home that uses them must be given this home's secrets/db.json.",
    )


def create_database(conn: psycopg.Connection[tuple[object, ...]], name: str, owner: str) -> None:
    """A database, unless it is there; `conn` is the administrator's, in autocommit."""
    if conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
        return
    if conn.execute("SELECT 1 FROM pg_roles WHERE rolname = current_user AND NOT rolsuper").fetchone():
        conn.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(owner)))
    locale = BUILTIN_LOCALE if conn.info.server_version >= BUILTIN_SINCE else LIBC_LOCALE
    made = sql.SQL("CREATE DATABASE {} OWNER {} ENCODING 'UTF8' {} TEMPLATE template0")
    conn.execute(made.format(sql.Identifier(name), sql.Identifier(owner), locale))
    conn.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))


def open_database(settings: Settings) -> None:
    """What belongs to a database itself and no dump or template carries: who may enter, its schemas, its time zone."""
    readers = sql.SQL(", ").join(sql.Identifier(role) for role in LOGIN_ROLES if role != DAGSTER)
    with psycopg.connect(endpoint.admin_url(settings, settings.database), autocommit=True) as conn:
        conn.execute(
            sql.SQL(
                "REVOKE ALL ON SCHEMA public FROM PUBLIC; "
                "REVOKE ALL ON DATABASE {db} FROM PUBLIC; "
                "GRANT CONNECT ON DATABASE {db} TO {readers}; "
                "GRANT TEMPORARY ON DATABASE {db} TO app_writer, operator_ui; "
                "ALTER DATABASE {db} SET timezone = 'UTC'; "
                "CREATE SCHEMA IF NOT EXISTS ops AUTHORIZATION ops_owner; "
                "CREATE SCHEMA IF NOT EXISTS ops_meta AUTHORIZATION ops_owner; "
                "GRANT USAGE ON SCHEMA ops_meta TO app_writer, backup"
            ).format(db=sql.Identifier(settings.database), readers=readers)
        )


def _set_passwords(conn: psycopg.Connection[tuple[object, ...]], secret: dict[str, str]) -> None:
    for role in LOGIN_ROLES:
        # The server gets a verifier, never the password: no log or activity view can show it.
        verifier = conn.pgconn.encrypt_password(secret[role].encode(), role.encode(), b"scram-sha-256").decode()
        conn.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(verifier)))
