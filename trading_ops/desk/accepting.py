"""Accepting what was shown: a finding is looked for again as of now, and booked only if it is still proposed.

Does not belong here: booking a finding (`reconciling.accept`), what explains a difference (`domain.diagnosis`).
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg

from trading_ops.desk import reconciling
from trading_ops.domain.diagnosis import Finding
from trading_ops.store import corrections

NO_LONGER = (
    "Nothing was booked: this is no longer proposed. The account or the ledger changed since it was shown; "
    "what is proposed now stands below."
)
ALREADY = "Nothing more was booked: this was accepted already."


def entries_of(finding: Finding) -> tuple[str, ...]:
    """The ids of the entries that accepting a finding books; empty when there is nothing to book."""
    return tuple(sorted(entry.proposal_id for entry in corrections.bookable(finding.proposals)))


def readings(findings: Sequence[Finding]) -> Iterator[Finding]:
    """Every finding and, for one with several readings, each of them."""
    for finding in findings:
        yield finding
        yield from readings(finding.alternatives)


def accept_shown(
    conn: psycopg.Connection[Any], snapshot_id: str, shown: Sequence[str], username: str, note: str, now: dt.datetime
) -> str:
    """Book the finding whose entries were shown; returns what was done, or why nothing was, as a sentence.

    Args:
        conn: A connection inside a transaction, the person named.
        snapshot_id: The snapshot that was compared when the page was drawn.
        shown: The ids of the entries that were shown.
        username: Who accepts.
        note: Why, in the person's words; may be empty.
        now: The moment, aware UTC.
    """
    found = reconciling.reconciled(conn, now)
    if found.snapshot is None or found.diagnosis is None or found.snapshot.snapshot_id != snapshot_id:
        return NO_LONGER
    wanted = tuple(sorted(shown))
    for finding in readings(found.diagnosis.findings):
        if wanted and entries_of(finding) == wanted:
            reconciling.hold(conn, finding)
            if not reconciling.unchanged(conn, found, now):
                return ALREADY if reconciling.accepted_before(conn, finding) else NO_LONGER
            booked = reconciling.accept(conn, finding, snapshot_id, username, note, now)
            return " ".join(booked) if booked else ALREADY
    return NO_LONGER


def accepted(conn: psycopg.Connection[Any], count: int) -> Sequence[dict[str, Any]]:
    """What was accepted, newest first."""
    return conn.execute(
        "SELECT class AS code, subject, sentence, jsonb_array_length(entries) AS entries, accepted_by, note, "
        "created_at FROM ops.drift_resolutions ORDER BY audit_seq DESC LIMIT %s",
        (count,),
    ).fetchall()
