"""Broker snapshots: what a person read off the broker, at the moment they read it."""

import datetime as dt
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import psycopg

from trading_ops.domain.canonical import canonical_bytes, sha256_hex
from trading_ops.domain.errors import UnknownSymbol
from trading_ops.domain.reconciliation import BrokerSnapshot, SnapshotHolding
from trading_ops.domain.values import plain
from trading_ops.store import audit


def add_snapshot(
    conn: psycopg.Connection[Any],
    *,
    taken_at: dt.datetime,
    session: dt.date,
    cash_gbp: Decimal,
    holdings: Mapping[str, tuple[Decimal, int]],
    origin: str,
    entered_by: str,
) -> uuid.UUID:
    """Store a snapshot; the same content again returns the one that is there.

    Args:
        conn: A connection inside a transaction.
        taken_at: When it was read off, UTC.
        session: The session whose close it reflects.
        cash_gbp: Available cash in pounds.
        holdings: Units and the number of decimals typed, by symbol.
        origin: File or form, for people.
        entered_by: Who entered it.

    Raises:
        UnknownSymbol: A holding is not a name the desk knows; nothing is stored.
    """
    known = {r["symbol"] for r in conn.execute("SELECT symbol FROM ops.instruments")}
    for symbol in sorted(holdings):
        if symbol not in known:
            raise UnknownSymbol(symbol, origin)
    payload: dict[str, object] = {
        "taken_at": taken_at.astimezone(dt.UTC).isoformat(),
        "session": session.isoformat(),
        "cash_gbp": plain(cash_gbp),
        "holdings": {s: [plain(units), places] for s, (units, places) in sorted(holdings.items())},
    }
    digest = sha256_hex(canonical_bytes(payload))
    found = conn.execute("SELECT snapshot_id FROM ops.broker_snapshots WHERE content_sha256 = %s", (digest,)).fetchone()
    if found:
        return uuid.UUID(str(found["snapshot_id"]))
    snapshot_id = uuid.uuid5(uuid.NAMESPACE_URL, f"broker-snapshot:{digest}")
    seq = audit.append(conn, "broker.snapshot", str(snapshot_id), payload)
    conn.execute(
        "INSERT INTO ops.broker_snapshots (snapshot_id, taken_at, session, cash_gbp, content_sha256, origin, "
        "entered_by, audit_seq) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        (snapshot_id, taken_at, session, cash_gbp, digest, origin, entered_by, seq),
    )
    with conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO ops.broker_snapshot_holdings (snapshot_id, symbol, units, places) VALUES (%s, %s, %s, %s)",
            [(snapshot_id, s, units, places) for s, (units, places) in sorted(holdings.items()) if units > 0],
        )
    return snapshot_id


def newest(conn: psycopg.Connection[Any], asof: dt.date, facts_seq: int) -> BrokerSnapshot | None:
    """The newest snapshot of a session not after `asof`, as known at a watermark."""
    return _first(conn, "session <= %s AND audit_seq <= %s", (asof, facts_seq))


def newest_of_all(conn: psycopg.Connection[Any], at: dt.datetime) -> BrokerSnapshot | None:
    """The newest snapshot taken up to a moment."""
    return _first(conn, "taken_at <= %s", (at,))


def newest_before(conn: psycopg.Connection[Any], taken_at: dt.datetime) -> BrokerSnapshot | None:
    """The newest snapshot older than one."""
    return _first(conn, "taken_at < %s", (taken_at,))


def _first(conn: psycopg.Connection[Any], which: str, params: tuple[object, ...]) -> BrokerSnapshot | None:
    row = conn.execute(
        f"SELECT * FROM ops.broker_snapshots WHERE {which} ORDER BY taken_at DESC, audit_seq DESC LIMIT 1", params
    ).fetchone()
    if row is None:
        return None
    holdings = conn.execute(
        "SELECT symbol, units, places FROM ops.broker_snapshot_holdings WHERE snapshot_id = %s ORDER BY symbol",
        (row["snapshot_id"],),
    )
    return BrokerSnapshot(
        snapshot_id=str(row["snapshot_id"]),
        taken_at=row["taken_at"],
        session=row["session"],
        cash_gbp=row["cash_gbp"],
        holdings={h["symbol"]: SnapshotHolding(h["units"], h["places"]) for h in holdings},
    )
