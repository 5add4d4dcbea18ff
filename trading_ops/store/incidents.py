"""Incidents as they are kept: opened once an occasion, acknowledged once, told of again, closed. Nothing is changed.

Does not belong here: the classes and their words (`domain.incidents`), when one is opened (`watch`).
"""

import datetime as dt
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from trading_ops.store import audit


@dataclass(frozen=True)
class Incident:
    """An incident with what happened to it since.

    Attributes:
        incident_id: Its number.
        kind: Its class.
        title: What happened.
        blocking: No plan trades while it is open.
        details: What else is known; of the watch's own also `subject` and `sentence`.
        opened_at: When it was opened, aware UTC.
        acknowledged_by: Who took it on, None while nobody has.
        acknowledged_at: When.
        note: What they said then.
        level: How often it was told of again.
        closed_by: Who closed it, None while it is open.
        closed_at: When.
        resolution: What was done about it.
        told: Its opening was written into the outbox.
    """

    incident_id: str
    kind: str
    title: str
    blocking: bool
    details: Mapping[str, Any]
    opened_at: dt.datetime
    acknowledged_by: str | None
    acknowledged_at: dt.datetime | None
    note: str | None
    level: int
    closed_by: str | None
    closed_at: dt.datetime | None
    resolution: str | None
    told: bool

    @property
    def number(self) -> uuid.UUID:
        """Its number as the database has it."""
        return uuid.UUID(self.incident_id)

    @property
    def subject(self) -> str:
        """What it is about, as the watch names it; empty for one that the watch did not open."""
        return str(self.details.get("subject", ""))


_SELECT = (
    "SELECT i.incident_id::text AS incident_id, i.class AS kind, i.title, i.blocking, i.details, "
    "i.created_at AS opened_at, a.acknowledged_by, a.created_at AS acknowledged_at, a.note, "
    "coalesce((SELECT max(e.level) FROM ops.incident_escalations e WHERE e.incident_id = i.incident_id), 0) AS level, "
    "c.closed_by, c.created_at AS closed_at, c.resolution, "
    "EXISTS (SELECT 1 FROM ops.outbox o WHERE o.dedupe_key = 'incident:' || i.incident_id) AS told "
    "FROM ops.incidents i LEFT JOIN ops.incident_acknowledgements a USING (incident_id) "
    "LEFT JOIN ops.incident_closures c USING (incident_id)"
)


def open_ones(conn: psycopg.Connection[Any]) -> tuple[Incident, ...]:
    """Incidents that nobody has closed, blocking ones first, then the newest."""
    rows = conn.execute(f"{_SELECT} WHERE c.incident_id IS NULL ORDER BY NOT i.blocking, i.created_at DESC")
    return tuple(Incident(**row) for row in rows)


def every(conn: psycopg.Connection[Any]) -> tuple[Incident, ...]:
    """Every incident there ever was, newest first."""
    return tuple(Incident(**row) for row in conn.execute(f"{_SELECT} ORDER BY i.audit_seq DESC"))


def named(conn: psycopg.Connection[Any], name: str) -> tuple[Incident, ...]:
    """Incidents whose number begins with a name, newest first."""
    return tuple(
        Incident(**row)
        for row in conn.execute(
            f"{_SELECT} WHERE starts_with(i.incident_id::text, %s) ORDER BY i.audit_seq DESC", (name.lower(),)
        )
    )


def known(conn: psycopg.Connection[Any], ids: Collection[uuid.UUID]) -> frozenset[uuid.UUID]:
    """Which of these numbers were ever given to an incident."""
    rows = conn.execute("SELECT incident_id FROM ops.incidents WHERE incident_id = ANY(%s)", (list(ids),))
    return frozenset(row["incident_id"] for row in rows)


def one_at_a_time(conn: psycopg.Connection[Any]) -> None:
    """Until the transaction ends nobody else opens, acknowledges, escalates or closes by the same lock."""
    conn.execute("SELECT pg_advisory_xact_lock(7304)")


def acknowledge(conn: psycopg.Connection[Any], incident_id: uuid.UUID, note: str, by: str) -> None:
    """A named person takes an open incident on."""
    seq = audit.append(
        conn, "desk.incident_acknowledged", str(incident_id), {"note": note, "acknowledged_by": by}
    )  # fmt: skip
    conn.execute(
        "INSERT INTO ops.incident_acknowledgements (incident_id, acknowledged_by, note, audit_seq) "
        "VALUES (%s, %s, %s, %s)",
        (incident_id, by, note, seq),
    )


def escalate(conn: psycopg.Connection[Any], incident_id: uuid.UUID, level: int) -> None:
    """Note that an incident is told of again."""
    seq = audit.append(conn, "desk.incident_escalated", str(incident_id), {"level": level})
    conn.execute(
        "INSERT INTO ops.incident_escalations (incident_id, level, audit_seq) VALUES (%s, %s, %s)",
        (incident_id, level, seq),
    )
