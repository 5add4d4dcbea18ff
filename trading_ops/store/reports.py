"""Reports as they were written: facts and texts with their hashes, announced; a correction is a new revision."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from trading_ops.domain.canonical import sha256_hex
from trading_ops.domain.report_facts import Facts, Kind, facts_bytes
from trading_ops.store import audit


@dataclass(frozen=True)
class Report:
    """A stored report.

    Attributes:
        facts: Canonical JSON.
        replaces: Hash of the facts of the revision before, or None.
    """

    kind: Kind
    day: dt.date
    revision: int
    replaces: str | None
    facts: str
    markdown: str
    html: str
    facts_sha256: str
    markdown_sha256: str
    html_sha256: str
    created_at: dt.datetime

    @property
    def name(self) -> str:
        """`daily-2018-02-05`, with `-r2` behind it when it was corrected."""
        return f"{self.kind}-{self.day}" + (f"-r{self.revision}" if self.revision > 1 else "")


_COLUMNS = (
    "kind, day, revision, replaces, facts, markdown, html, facts_sha256, markdown_sha256, html_sha256, created_at"
)


def newest(conn: psycopg.Connection[Any], kind: Kind, day: dt.date) -> Report | None:
    """The report of a day as it stands, or None."""
    row = conn.execute(
        f"SELECT {_COLUMNS} FROM ops.reports WHERE kind = %s AND day = %s ORDER BY revision DESC LIMIT 1", (kind, day)
    ).fetchone()
    return Report(**row) if row else None


def get(conn: psycopg.Connection[Any], kind: Kind, day: dt.date, revision: int) -> Report | None:
    """One revision of a report, or None."""
    row = conn.execute(
        f"SELECT {_COLUMNS} FROM ops.reports WHERE kind = %s AND day = %s AND revision = %s", (kind, day, revision)
    ).fetchone()
    return Report(**row) if row else None


def every(conn: psycopg.Connection[Any]) -> Iterator[Report]:
    """Every report ever written, revisions too, by day."""
    keys = conn.execute("SELECT kind, day, revision FROM ops.reports ORDER BY day, kind, revision").fetchall()
    for key in keys:
        found = get(conn, key["kind"], key["day"], key["revision"])
        assert found is not None
        yield found


def days(conn: psycopg.Connection[Any], kind: Kind) -> frozenset[dt.date]:
    """The days that have a report."""
    return frozenset(r["day"] for r in conn.execute("SELECT DISTINCT day FROM ops.reports WHERE kind = %s", (kind,)))


def listed(
    conn: psycopg.Connection[Any], kind: Kind | None, page: int, size: int
) -> tuple[Sequence[dict[str, Any]], int]:
    """Reports as they stand, newest first, with their headline; and how many there are."""
    rows = conn.execute(
        "SELECT kind, day, revision, facts_sha256, created_at, facts::json->'head'->>'headline' AS headline, "
        "facts::json->'head'->>'week' AS week, count(*) OVER () AS of_all FROM ops.reports r "
        "WHERE (%(kind)s::text IS NULL OR kind = %(kind)s) AND NOT EXISTS (SELECT 1 FROM ops.reports n "
        "WHERE n.kind = r.kind AND n.day = r.day AND n.revision > r.revision) "
        "ORDER BY day DESC, kind LIMIT %(size)s OFFSET %(from)s",
        {"kind": kind, "size": size, "from": page * size},
    ).fetchall()
    return rows, rows[0]["of_all"] if rows else 0


def record(conn: psycopg.Connection[Any], facts: Facts, markdown: str, html: str) -> Report:
    """Store a report; its facts say which revision it is and what it replaces.

    Args:
        conn: A connection inside a transaction.
        facts: What it says.
        markdown: The same as Markdown.
        html: The same as one HTML page.
    """
    text, head = facts_bytes(facts), facts.head
    hashes = sha256_hex(text), sha256_hex(markdown.encode()), sha256_hex(html.encode())
    payload = _announced(hashes, head.replaces)
    seq = audit.append(conn, "report.written", f"{facts.kind}/{head.day}/{head.revision}", payload)
    row = conn.execute(
        "INSERT INTO ops.reports (kind, day, revision, replaces, facts, markdown, html, facts_sha256, markdown_sha256, "
        f"html_sha256, audit_seq) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING {_COLUMNS}",
        (facts.kind, head.day, head.revision, head.replaces, text.decode(), markdown, html, *hashes, seq),
    ).fetchone()
    assert row is not None
    return Report(**row)


def announcement(row: dict[str, Any]) -> dict[str, object]:
    """What was announced of a stored report."""
    return _announced((row["facts_sha256"], row["markdown_sha256"], row["html_sha256"]), row["replaces"])


def _announced(hashes: tuple[str, str, str], replaces: str | None) -> dict[str, object]:
    facts, markdown, html = hashes
    return {"facts_sha256": facts, "markdown_sha256": markdown, "html_sha256": html, "replaces": replaces}
