"""The audit chain: every fact is announced by one row, and the row's number is a watermark.

The database numbers, stamps and hashes the rows (see `0001_spine.sql`); writers are serialised until commit.
"""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from trading_ops.domain.canonical import canonical_bytes
from trading_ops.domain.observed import Clocks


@dataclass(frozen=True)
class AuditHead:
    """The newest row of the chain."""

    seq: int
    hash: str


def append(conn: psycopg.Connection[Any], kind: str, subject: str, payload: Mapping[str, object]) -> int:
    """Announce a fact; returns its sequence number. Call it first in the fact's transaction.

    Args:
        conn: A connection inside a transaction.
        kind: Dotted lower-case words, `ledger.fill`.
        subject: The fact's own key, one line.
        payload: The fact's content; strings, integers, booleans, None, lists and maps only.
    """
    row = conn.execute(
        "INSERT INTO ops.audit_log (kind, subject, payload) VALUES (%s, %s, %s) RETURNING seq",
        (kind, subject, canonical_bytes(payload).decode()),
    ).fetchone()
    return int(row["seq"])  # type: ignore[index]


def one_writer(conn: psycopg.Connection[Any]) -> None:
    """Wait until nobody else is announcing facts: what is read from here on still holds when this commits.

    A row of `lock_ticket` is taken before this, never after: an answer takes them in that order.
    """
    conn.execute("SELECT pg_advisory_xact_lock(7301001)")  # the lock of audit_append()


def speaking_as(conn: psycopg.Connection[Any], username: str) -> None:
    """Name the person behind what follows in this transaction: the actor of its audit rows ends in `:username`."""
    conn.execute("SELECT set_config('ops.person', %s, true)", (username,))


def head(conn: psycopg.Connection[Any]) -> AuditHead:
    """The newest row; sequence 0 and zeros when the chain is empty."""
    row = conn.execute("SELECT seq, hash FROM ops.audit_log ORDER BY seq DESC LIMIT 1").fetchone()
    return AuditHead(row["seq"], row["hash"]) if row else AuditHead(0, "0" * 64)


def clocks(conn: psycopg.Connection[Any], machine: dt.datetime) -> Clocks:
    """A machine's clock beside the database's and the newest row's."""
    row = conn.execute(
        "SELECT clock_timestamp() AS now, (SELECT created_at FROM ops.audit_log ORDER BY seq DESC LIMIT 1) AS newest"
    ).fetchone()
    assert row is not None
    return Clocks(machine, row["now"], row["newest"])


def newest_of(conn: psycopg.Connection[Any], tables: Sequence[str]) -> str:
    """Hash of the newest announcement among the facts of some tables; empty when there is none.

    It stands for all of them: a number may be given out again after a transaction was rolled back, a hash is not.

    Args:
        conn: A connection.
        tables: Tables of facts, each with its `audit_seq`.
    """
    newest = ", ".join(f"(SELECT max(audit_seq) FROM ops.{table})" for table in tables)
    row = conn.execute(f"SELECT hash FROM ops.audit_log WHERE seq = greatest({newest})").fetchone()
    return row["hash"] if row else ""


def broken(conn: psycopg.Connection[Any]) -> list[tuple[int, str]]:
    """Rows that do not follow from the row before them, as (sequence, what is wrong)."""
    return [(r["seq"], r["fault"]) for r in conn.execute("SELECT * FROM ops.audit_broken()").fetchall()]


def as_announced(payload: Mapping[str, object]) -> Mapping[str, Any]:
    """A payload as it reads in the chain: all text in one Unicode form, lists and maps of plain JSON."""
    said: Mapping[str, Any] = json.loads(canonical_bytes(dict(payload)))
    return said


def announced(conn: psycopg.Connection[Any], kind: str) -> dict[str, Mapping[str, Any]]:
    """What was announced for each subject of a kind, newest last wins."""
    return {subject: payload for (_, subject), payload in announcements(conn, kind).items()}


def announcements(conn: psycopg.Connection[Any], kind: str) -> dict[tuple[int, str], Mapping[str, Any]]:
    """Everything that was announced of a kind, by sequence number and subject, oldest first."""
    rows = conn.execute("SELECT seq, subject, payload FROM ops.audit_log WHERE kind = %s ORDER BY seq", (kind,))
    return {(r["seq"], r["subject"]): json.loads(r["payload"]) for r in rows}
