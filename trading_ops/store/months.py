"""What happened between the tickets of a month, counted for its review."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg


@dataclass(frozen=True)
class Happened:
    """Facts entered since the ticket before the month's first, up to its last.

    Attributes:
        incidents: Incidents opened, by class.
        corrections: Answers corrected and ledger entries taken back.
        account_checks: Account checks entered.
        proven_backups: Restores in which everything came out equal.
        policies: Versions of the policy put in force.
    """

    incidents: Counter[str] = field(default_factory=Counter)
    corrections: int = 0
    account_checks: int = 0
    proven_backups: int = 0
    policies: int = 0


def happened(conn: psycopg.Connection[Any], asofs: Sequence[dt.date]) -> Happened:
    """Count what happened around the weekly tickets of some sessions; nothing when none of them has one.

    Args:
        conn: A connection.
        asofs: As-of sessions of the month's tickets.
    """
    span = conn.execute(
        "WITH weekly AS (SELECT p.asof, t.audit_seq FROM ops.tickets t JOIN ops.plans p USING (plan_id) "
        "WHERE p.kind = 'weekly') SELECT max(audit_seq) FILTER (WHERE asof = ANY(%(asofs)s)) AS last, "
        "coalesce(max(audit_seq) FILTER (WHERE asof < %(first)s), 0) AS before FROM weekly",
        {"asofs": list(asofs), "first": min(asofs, default=dt.date.max)},
    ).fetchone()
    if span is None or span["last"] is None:
        return Happened()
    rows = conn.execute(
        "SELECT kind, count(*) AS n, count(*) FILTER (WHERE kind = 'answers.confirmation' "
        "AND split_part(subject, '/', 3) <> '1') AS corrected FROM ops.audit_log "
        "WHERE seq > %(before)s AND seq <= %(last)s GROUP BY kind",
        span,
    )
    counts = {r["kind"]: r for r in rows}
    opened = conn.execute(
        "SELECT class, count(*) AS n FROM ops.incidents WHERE audit_seq > %(before)s AND audit_seq <= %(last)s "
        "GROUP BY class",
        span,
    )

    def of(kind: str, what: str = "n") -> int:
        return int(counts[kind][what]) if kind in counts else 0

    return Happened(
        Counter({r["class"]: r["n"] for r in opened}),
        of("answers.confirmation", "corrected") + of("ledger.void"),
        of("broker.snapshot"),
        of("backup.proven"),
        of("config.policy"),
    )
