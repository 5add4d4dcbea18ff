"""Imported account statements: the file as handed in, and its rows, each stored once however many files hold it."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg

from trading_ops.domain.calendar import LONDON
from trading_ops.domain.errors import Refused
from trading_ops.store import audit


@dataclass(frozen=True)
class StoredRow:
    """A row of a statement as it is kept. Pounds are signed as cash moves; `body` holds the cells as they stood."""

    row_key: str
    sheet: str
    row_number: int
    kind: str
    at: dt.datetime
    symbol: str | None
    units: Decimal | None
    amount_gbp: Decimal | None
    position_id: str | None
    body: Mapping[str, object]


@dataclass(frozen=True)
class Added:
    """What an import brought: new rows, and rows that were there already."""

    new: int
    known: int


def add(
    conn: psycopg.Connection[Any],
    *,
    sha256: str,
    name: str,
    versions: Mapping[str, str],
    currency: str,
    body: bytes,
    rows: Sequence[StoredRow],
    entered_by: str,
) -> Added:
    """Store a statement and those of its rows that are new; the same file again adds nothing.

    Args:
        conn: A connection inside a transaction.
        sha256: Hash of the file.
        name: Its name, for people.
        versions: Recognised header version by sheet.
        currency: The account's currency.
        body: The file itself.
        rows: Its rows.
        entered_by: The person.

    Raises:
        Refused: The file is on record and more is read in it now than then: its rows came with it, and none is added
            later. The text says how they come in all the same.
    """
    conn.execute("SELECT pg_advisory_xact_lock(7301004)")
    stands = conn.execute("SELECT name, created_at FROM ops.broker_statements WHERE sha256 = %s", (sha256,)).fetchone()
    if stands:
        _refuse_more(conn, stands, rows)
    else:
        said: dict[str, object] = {
            "name": name, "rows": len(rows), "entered_by": entered_by, "versions": dict(versions), "currency": currency,
        }  # fmt: skip
        seq = audit.append(conn, "broker.statement", sha256, said)
        conn.execute(
            "INSERT INTO ops.broker_statements (sha256, name, versions, currency, body, entered_by, audit_seq) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (sha256, name, json.dumps(dict(versions)), currency, body, entered_by, seq),
        )
    new = 0
    for row in rows:
        cursor = conn.execute(
            "INSERT INTO ops.broker_statement_rows (row_key, sha256, sheet, row_number, kind, at, symbol, units, "
            "amount_gbp, position_id, body) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) "
            "ON CONFLICT (row_key) DO NOTHING",
            (
                row.row_key, sha256, row.sheet, row.row_number, row.kind, row.at, row.symbol, row.units,
                row.amount_gbp, row.position_id, json.dumps(dict(row.body)),
            ),
        )  # fmt: skip
        new += cursor.rowcount
    return Added(new, len(rows) - new)


def _refuse_more(conn: psycopg.Connection[Any], stands: dict[str, Any], rows: Sequence[StoredRow]) -> None:
    keys = [row.row_key for row in rows]
    known = conn.execute("SELECT row_key FROM ops.broker_statement_rows WHERE row_key = ANY(%s)", (keys,))
    there = {found["row_key"] for found in known}
    more = [row for row in rows if row.row_key not in there]
    if more:
        first = min(more, key=lambda row: row.at)
        raise Refused(
            f"{stands['name']} was read on {stands['created_at'].astimezone(LONDON):%d %b %Y}, and {len(more)} of the "
            f"rows that are read in it now are not on record; the first is the {first.kind} of {first.at:%d %b %Y}, "
            f"{first.sheet} row {first.row_number}. Nothing was added: a statement on record stays as it was read. "
            "Download it from eToro once more and hand in the new file; these rows come in with it."
        )


def rows_since(conn: psycopg.Connection[Any], since: dt.datetime) -> list[dict[str, Any]]:
    """Rows from a moment on, oldest first."""
    return conn.execute(
        "SELECT * FROM ops.broker_statement_rows WHERE at >= %s ORDER BY at, row_key", (since,)
    ).fetchall()
