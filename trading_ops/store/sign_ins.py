"""Sessions of people who are signed in, how they end, and every try to sign in.

Only the database role `sign_in` sees these tables. Who the people are does not belong here (`people`).
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Literal

import psycopg

from trading_ops.store import audit
from trading_ops.store.people import Account, Role

Outcome = Literal["ok", "wrong", "locked"]


@dataclass(frozen=True)
class SignedIn:
    """The person behind a session that holds now.

    Attributes:
        username: Who.
        role: Of the person as of now.
        display_name: What they are called.
        email: Where their mail goes, or empty.
        session: SHA-256 of the session's token, hexadecimal.
        expires_at: When it ends by itself, UTC.
    """

    username: str
    role: Role
    display_name: str
    email: str
    session: str
    expires_at: dt.datetime


def begin(
    conn: psycopg.Connection[Any], account: Account, session: str, expires_at: dt.datetime, device: str, remote: str
) -> None:
    """Store a new session. Call it inside a transaction.

    Args:
        conn: As `sign_in`.
        account: The newest revision of the person.
        session: SHA-256 of the token that only the browser gets.
        expires_at: When it ends by itself, UTC.
        device: What the browser says it is.
        remote: The address it came from.
    """
    told = {"revision": account.revision, "session": session, "device": device, "remote": remote}
    seq = audit.append(conn, "people.signed_in", account.username, told)
    conn.execute(
        "INSERT INTO ops.sign_ins (session_sha256, username, revision, device, remote, expires_at, audit_seq) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (session, account.username, account.revision, device, remote, expires_at, seq),
    )


def holder(conn: psycopg.Connection[Any], session: str, at: dt.datetime) -> SignedIn | None:
    """Whose session it is; None when it never began, ended, expired, or the person was changed since."""
    row = conn.execute(
        "SELECT p.username, p.role, p.display_name, p.email, s.session_sha256 AS session, s.expires_at "
        "FROM ops.sign_ins s JOIN ops.people p USING (username, revision) "
        "WHERE s.session_sha256 = %s AND s.expires_at > %s AND p.active "
        "AND NOT EXISTS (SELECT 1 FROM ops.sign_outs o WHERE o.session_sha256 = s.session_sha256) "
        "AND NOT EXISTS (SELECT 1 FROM ops.people n WHERE n.username = p.username AND n.revision > p.revision)",
        (session, at),
    ).fetchone()
    return SignedIn(**row) if row else None


def end(conn: psycopg.Connection[Any], found: SignedIn, why: str) -> None:
    """End one session; ending it twice adds nothing. Call it inside a transaction."""
    audit.append(conn, "people.signed_out", found.username, {"session": found.session, "why": why})
    conn.execute(
        "INSERT INTO ops.sign_outs (session_sha256, why) VALUES (%s, %s) ON CONFLICT DO NOTHING", (found.session, why)
    )


def end_all(conn: psycopg.Connection[Any], username: str, at: dt.datetime, why: str) -> int:
    """End every session of a person that still holds; returns how many. Call it inside a transaction."""
    audit.append(conn, "people.signed_out", username, {"session": "every one", "why": why})
    return conn.execute(
        "INSERT INTO ops.sign_outs (session_sha256, why) SELECT s.session_sha256, %s FROM ops.sign_ins s "
        "WHERE s.username = %s AND s.expires_at > %s ON CONFLICT DO NOTHING",
        (why, username, at),
    ).rowcount


def one_try_at_a_time(conn: psycopg.Connection[Any], username: str) -> None:
    """Wait until nobody else tries this username; held until the transaction ends."""
    conn.execute("SELECT pg_advisory_xact_lock(7301012, hashtext(%s))", (username,))


def record_try(conn: psycopg.Connection[Any], username: str, remote: str, outcome: Outcome, at: dt.datetime) -> None:
    """Keep a try and how it ended."""
    conn.execute(
        "INSERT INTO ops.sign_in_attempts (username, remote, outcome, at) VALUES (%s, %s, %s, %s)",
        (username, remote, outcome, at),
    )


def tries(conn: psycopg.Connection[Any], username: str, since: dt.datetime) -> list[tuple[dt.datetime, bool]]:
    """Tries that were looked at, oldest first, as (when, right)."""
    rows = conn.execute(
        "SELECT at, outcome = 'ok' AS was_right FROM ops.sign_in_attempts "
        "WHERE username = %s AND at > %s AND outcome <> 'locked' ORDER BY at, attempt_id",
        (username, since),
    )
    return [(row["at"], row["was_right"]) for row in rows]
