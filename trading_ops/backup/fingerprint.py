"""What a database holds, as hashes that two equal databases share: tables, schema, audit head, the last texts.

Does not belong here: files (`files`), and what is done when two fingerprints differ (`proving`).
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import psycopg
from psycopg import sql

from trading_ops.domain.canonical import sha256_hex
from trading_ops.settings import Settings
from trading_ops.store import audit
from trading_ops.store.connect import connect

SCHEMAS = ("ops", "ops_meta")
_FORM = ("TimeZone = 'UTC'", "DateStyle = 'ISO, YMD'", "IntervalStyle = 'iso_8601'", "bytea_output = 'hex'",
         "extra_float_digits = 1")  # fmt: skip
_TABLES = """
SELECT n.nspname AS space, c.relname AS name,
       (SELECT array_agg(a.attname::text ORDER BY array_position(i.indkey::int2[], a.attnum))
        FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
        WHERE i.indrelid = c.oid AND i.indisprimary) AS key
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname = ANY(%s) ORDER BY 1, 2
"""


@dataclass(frozen=True)
class TableHash:
    """One table: how many rows, and the sha256 of all of them in the order of the primary key."""

    rows: int
    sha256: str


@dataclass(frozen=True)
class Fingerprint:
    """A database at one moment.

    Attributes:
        tables: By `schema.table`.
        audit_seq: Newest number of the audit chain, 0 when it is empty.
        audit_hash: Its hash; zeros when the chain is empty.
        texts: sha256 of what people read last: `ticket ID` as Markdown, its content; the newest report of each kind.
    """

    tables: Mapping[str, TableHash]
    audit_seq: int
    audit_hash: str
    texts: Mapping[str, str]

    def facts(self) -> dict[str, Any]:
        """The same as plain data, for a manifest."""
        return {
            "tables": {name: asdict(found) for name, found in self.tables.items()},
            "audit_seq": self.audit_seq,
            "audit_hash": self.audit_hash,
            "texts": dict(self.texts),
        }


def of_facts(facts: Mapping[str, Any]) -> Fingerprint:
    """A fingerprint out of a manifest."""
    tables = {name: TableHash(found["rows"], found["sha256"]) for name, found in facts["tables"].items()}
    return Fingerprint(tables, facts["audit_seq"], facts["audit_hash"], dict(facts["texts"]))


@contextmanager
def one_moment(settings: Settings) -> Iterator[psycopg.Connection[Any]]:
    """A transaction that sees one moment of a home's database, as `backup`: it may read everything, change nothing."""
    with connect(settings, "backup") as conn:
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        with conn.transaction():
            yield conn


def take(conn: psycopg.Connection[Any]) -> Fingerprint:
    """Hash everything that the connection of `one_moment` sees."""
    for setting in _FORM:
        conn.execute(f"SET LOCAL {setting}")  # type: ignore[arg-type]  # fixed words
    found = conn.execute(_TABLES, (list(SCHEMAS),)).fetchall()
    tables = {f"{t['space']}.{t['name']}": _table(conn, t["space"], t["name"], t["key"]) for t in found}
    head = audit.head(conn)
    return Fingerprint(tables, head.seq, head.hash, dict(_texts(conn)))


def differences(wanted: Fingerprint, seen: Fingerprint) -> list[str]:
    """What two databases do not share, each as a sentence; empty when they are equal."""
    said = []
    for name in sorted(wanted.tables.keys() | seen.tables.keys()):
        here, there = wanted.tables.get(name), seen.tables.get(name)
        if here != there:
            rows = f"{here.rows if here else 'no'} rows expected, {there.rows if there else 'no table'} found"
            said.append(f"table {name} differs ({rows})")
    if (wanted.audit_seq, wanted.audit_hash) != (seen.audit_seq, seen.audit_hash):
        said.append(f"the audit head is {seen.audit_seq} {seen.audit_hash[:12]}, expected {wanted.audit_seq} "
                    f"{wanted.audit_hash[:12]}")  # fmt: skip
    for name in sorted(wanted.texts.keys() | seen.texts.keys()):
        if wanted.texts.get(name) != seen.texts.get(name):
            said.append(f"{name} comes out otherwise")
    return said


def _table(conn: psycopg.Connection[Any], space: str, name: str, key: list[str] | None) -> TableHash:
    table = sql.Identifier(space, name)
    # A table without a key is put in order by its whole rows.
    order = sql.SQL(", ").join(sql.Identifier(part) for part in key) if key else sql.SQL('t::text COLLATE "C"')
    digest, rows = hashlib.sha256(), 0
    query = sql.SQL("COPY (SELECT t.* FROM {} t ORDER BY {}) TO STDOUT").format(table, order)
    with conn.cursor() as cursor, cursor.copy(query) as lines:
        for line in lines:
            digest.update(line)
            rows += 1  # the server sends one row a message
    return TableHash(rows, digest.hexdigest())


def _texts(conn: psycopg.Connection[Any]) -> Iterator[tuple[str, str]]:
    row = conn.execute(
        "SELECT ticket_id, markdown, content FROM ops.tickets ORDER BY audit_seq DESC LIMIT 1"
    ).fetchone()
    if row:
        yield f"ticket {row['ticket_id']}", sha256_hex(row["markdown"].encode())
        yield f"content of ticket {row['ticket_id']}", sha256_hex(row["content"].encode())
    for kind in ("daily", "weekly", "monthly"):
        row = conn.execute(
            "SELECT day, facts, markdown, html FROM ops.reports WHERE kind = %s "
            "ORDER BY day DESC, revision DESC LIMIT 1", (kind,),
        ).fetchone()  # fmt: skip
        if row:
            for form in ("facts", "markdown", "html"):
                yield f"{form} of the {kind} report of {row['day']}", sha256_hex(row[form].encode())
