"""People who may sign in: who they are, in revisions of which the newest counts.

Their sessions and tries do not belong here (`sign_ins`), nor what a password must be (`passwords`).
"""

import datetime as dt
import re
from dataclasses import dataclass, replace
from typing import Any, Literal

import psycopg

from trading_ops.domain.errors import BadInput, Refused
from trading_ops.store import audit

Role = Literal["executor", "operator"]
ROLES: tuple[Role, ...] = ("executor", "operator")
USERNAME = re.compile(r"[a-z][a-z0-9_.-]{0,31}")
EMAIL = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+")
COLUMNS = "username, revision, role, display_name, email, password_hash, active, created_at"


@dataclass(frozen=True)
class Account:
    """One person as the desk knows them.

    Attributes:
        username: What they type to sign in.
        revision: Counts from 1; a newer one ends the sessions of the older.
        role: Which pages they see, and which database role writes for them.
        display_name: What they are called on the pages.
        email: Where their mail goes; empty when they get none.
        password_hash: See `passwords.hashed`.
        active: They may sign in.
        created_at: When this revision was stored, UTC; None before.
    """

    username: str
    revision: int
    role: Role
    display_name: str
    email: str
    password_hash: str
    active: bool = True
    created_at: dt.datetime | None = None

    def __repr__(self) -> str:
        return f"Account({self.username!r}, revision={self.revision}, role={self.role!r}, active={self.active})"


def find(conn: psycopg.Connection[Any], username: str) -> Account | None:
    """The newest revision of a person, active or not; None when there never was one of that name."""
    row = conn.execute(
        f"SELECT {COLUMNS} FROM ops.people WHERE username = %s ORDER BY revision DESC LIMIT 1", (username,)
    ).fetchone()
    return Account(**row) if row else None


def existing(conn: psycopg.Connection[Any], username: str) -> Account:
    """The same, for those who must be there.

    Raises:
        BadInput: Nobody has that username.
    """
    found = find(conn, username)
    if found is None:
        raise BadInput(f"Nobody has the username {username!r}. `trading-ops user list` shows who there is.")
    return found


def everyone(conn: psycopg.Connection[Any]) -> list[Account]:
    """The newest revision of every person, by username."""
    rows = conn.execute(
        f"SELECT DISTINCT ON (username) {COLUMNS} FROM ops.people ORDER BY username, revision DESC"
    ).fetchall()
    return [Account(**row) for row in rows]


def add(
    conn: psycopg.Connection[Any], username: str, role: str, display_name: str, email: str, password_hash: str
) -> Account:
    """Let a new person in. Call it inside a transaction.

    Raises:
        BadInput: A value cannot be used.
        Refused: There is somebody of that username.
    """
    if not USERNAME.fullmatch(username):
        raise BadInput(
            f"The username {username!r} cannot be used: small letters, digits, _ . and -, a letter first, 32 at most."
        )
    if role not in ROLES:
        raise BadInput(f"--role {role!r}: use executor or operator.")
    _one_writer(conn)
    if find(conn, username) is not None:
        raise Refused(
            f"There is a {username!r} already. Change the password with `trading-ops user password {username}`."
        )
    return _store(conn, Account(username, 1, role, display_name, email, password_hash))


def change(
    conn: psycopg.Connection[Any],
    username: str,
    *,
    email: str | None = None,
    password_hash: str | None = None,
    active: bool | None = None,
) -> Account:
    """Store a new revision with what is given; the person's sessions end with it. Call it inside a transaction.

    Raises:
        BadInput: There is nobody of that username, or a value cannot be used.
    """
    _one_writer(conn)
    old = existing(conn, username)
    return _store(
        conn,
        replace(
            old,
            revision=old.revision + 1,
            email=old.email if email is None else email,
            password_hash=old.password_hash if password_hash is None else password_hash,
            active=old.active if active is None else active,
        ),
    )


def _one_writer(conn: psycopg.Connection[Any]) -> None:
    """Two revisions made at once do not take the same number."""
    conn.execute("SELECT pg_advisory_xact_lock(7301011)")


def _store(conn: psycopg.Connection[Any], account: Account) -> Account:
    name = account.display_name.strip()
    if not 1 <= len(name) <= 60 or not name.isprintable():
        raise BadInput(f"The name {account.display_name!r} cannot be shown: use 1 to 60 characters on one line.")
    if account.email and not EMAIL.fullmatch(account.email):
        raise BadInput(f"{account.email!r} is no mail address. Use one like anna@example.org.")
    # The hash of the password is kept from those who may read the chain.
    told = {
        "username": account.username, "revision": account.revision, "role": account.role, "display_name": name,
        "email": account.email, "active": account.active,
    }  # fmt: skip
    seq = audit.append(conn, "people.set", account.username, told)
    row = conn.execute(
        "INSERT INTO ops.people (username, revision, role, display_name, email, password_hash, active, audit_seq) "
        f"VALUES (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING {COLUMNS}",
        (account.username, account.revision, account.role, name, account.email, account.password_hash, account.active,
         seq),
    ).fetchone()  # fmt: skip
    return Account(**row)  # type: ignore[arg-type]
