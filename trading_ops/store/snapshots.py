"""Data snapshots: content-addressed manifests of immutable parts. The same data gives the same snapshot."""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa

from trading_ops.domain.canonical import canonical_bytes, sha256_hex
from trading_ops.domain.errors import Refused
from trading_ops.domain.policy import Policy
from trading_ops.store import audit
from trading_ops.store.snapshot_parts import (
    Part,
    SnapshotDamaged,
    part_text,
    parts_of_kind,
    read_part,
    to_table,
    write_part,
)
from trading_ops.store.snapshot_shapes import SHAPES, WITNESSES


@dataclass(frozen=True)
class Snapshot:
    """A manifest: everything one plan sees of the market."""

    snapshot_id: str
    asof: dt.date
    simulated: bool
    parts: tuple[Part, ...]
    load_watermark: int


def _manifest(asof: dt.date, actions_through: dt.date, orders: "_Orders", parts: Iterable[Part]) -> dict[str, object]:
    return {
        "asof": asof.isoformat(),
        "actions_through": actions_through.isoformat(),
        "source_order": list(orders.prices),
        "fx_source_order": list(orders.fx),
        "parts": [p.part_id for p in sorted(parts, key=lambda p: (p.kind, p.month))],
    }


@dataclass(frozen=True)
class _Orders:
    """The policy's order of sources, for prices and for fixings."""

    prices: tuple[str, ...]
    fx: tuple[str, ...]

    def of(self, kind: str) -> list[str]:
        return list(self.fx if kind in ("fixings", "witness_fixings") else self.prices)


_LAST_BUILT: dict[tuple[Path, dt.date, dt.date, _Orders, int], Snapshot] = {}


def build(
    conn: psycopg.Connection[Any],
    root: Path,
    *,
    asof: dt.date,
    actions_through: dt.date,
    policy: Policy,
) -> Snapshot:
    """Write what is missing of the snapshot of a session and register it; the same data gives the same snapshot.

    Args:
        conn: A connection inside a transaction.
        root: The snapshots folder of the home.
        asof: The as-of session D; bars and fixings end here.
        actions_through: The window's day; splits announced up to it are part of the view.
        policy: Gives the order of sources.

    Raises:
        Refused: There is no bar at all up to the session.
    """
    orders = _Orders(policy.data.source_order, policy.data.fx_order)
    row = conn.execute("SELECT max(load_id) AS mark FROM ops.price_loads").fetchone()
    mark = int(row["mark"] or 0) if row else 0
    span = conn.execute(
        "SELECT min(session) AS first FROM ops.market_prices_eod WHERE session <= %s", (asof,)
    ).fetchone()
    first = span["first"] if span and span["first"] else asof
    key = (root, asof, actions_through, orders, mark)
    if key in _LAST_BUILT and _registered(conn, _LAST_BUILT[key].snapshot_id):
        return _LAST_BUILT[key]
    parts: list[Part] = []
    for kind in ("bars", "actions", "fixings", *_witnesses(conn, mark)):
        last = actions_through if kind in ("actions", "witness_actions") else asof
        parts += parts_of_kind(conn, root, kind, (first, last), orders.of(kind), mark)
    text = canonical_bytes(_manifest(asof, actions_through, orders, parts))
    snapshot_id = sha256_hex(text)
    simulated = bool(
        conn.execute("SELECT 1 FROM ops.price_loads WHERE simulated AND load_id <= %s LIMIT 1", (mark,)).fetchone()
    )
    if not _registered(conn, snapshot_id):
        seq = audit.append(conn, "market.snapshot", snapshot_id, {"asof": asof.isoformat(), "parts": len(parts)})
        conn.execute(
            "INSERT INTO ops.data_snapshots (snapshot_id, asof, manifest, simulated, load_watermark, audit_seq) "
            "VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            (snapshot_id, asof, text.decode(), simulated, mark, seq),
        )
        conn.execute(
            "INSERT INTO ops.data_snapshot_parts (snapshot_id, part_id) SELECT %s, unnest(%s::text[]) "
            "ON CONFLICT DO NOTHING",
            (snapshot_id, [part.part_id for part in parts]),
        )
    _LAST_BUILT.clear()
    _LAST_BUILT[key] = Snapshot(snapshot_id, asof, simulated, tuple(parts), mark)
    return _LAST_BUILT[key]


def _witnesses(conn: psycopg.Connection[Any], mark: int) -> tuple[str, ...]:
    """The kinds of what other sources say: none while everything came from one."""
    row = conn.execute(
        "SELECT count(DISTINCT provider) AS sources FROM ops.price_loads WHERE load_id <= %s", (mark,)
    ).fetchone()
    return WITNESSES if row and row["sources"] > 1 else ()


def _registered(conn: psycopg.Connection[Any], snapshot_id: str) -> bool:
    row = conn.execute("SELECT 1 FROM ops.data_snapshots WHERE snapshot_id = %s", (snapshot_id,)).fetchone()
    return row is not None


def get(conn: psycopg.Connection[Any], snapshot_id: str) -> Snapshot:
    """A registered snapshot.

    Raises:
        Refused: No such snapshot.
    """
    row = conn.execute("SELECT * FROM ops.data_snapshots WHERE snapshot_id = %s", (snapshot_id,)).fetchone()
    if row is None:
        raise Refused(f"There is no data snapshot {snapshot_id[:12]}.")
    parts = conn.execute(
        "SELECT part_id, kind, month, through, rows, content_sha256, file_sha256, layout FROM ops.snapshot_parts "
        "JOIN ops.data_snapshot_parts USING (part_id) WHERE snapshot_id = %s ORDER BY kind, month",
        (snapshot_id,),
    )
    return Snapshot(snapshot_id, row["asof"], row["simulated"], tuple(Part(**p) for p in parts), row["load_watermark"])


def rebuild(conn: psycopg.Connection[Any], root: Path, snapshot_id: str) -> Snapshot:
    """Write every missing part of a snapshot again from the database.

    Raises:
        SnapshotDamaged: The database no longer gives the content that the manifest names.
    """
    snapshot = get(conn, snapshot_id)
    orders = _orders_of(conn, snapshot_id)
    for part in snapshot.parts:
        text = part_text(conn, part, orders.of(part.kind), snapshot.load_watermark)
        if hashlib.sha256(text).hexdigest() != part.content_sha256:
            raise SnapshotDamaged(
                f"Data snapshot {snapshot_id[:12]}: the database's {part.kind} of {part.month:%Y-%m} are no longer "
                "those of the snapshot. Look for a changed row with `trading-ops audit verify`, or restore a backup."
            )
        if not part.path(root).exists():
            write_part(root, part.kind, part.layout, (part.month, part.through), text)
    return snapshot


def check_files(root: Path, snapshot: Snapshot) -> None:
    """Every part of a snapshot is there and whole.

    Raises:
        SnapshotDamaged: Names the first part that is missing or altered.
    """
    for part in snapshot.parts:
        check_part(root, part)


def check_part(root: Path, part: Part) -> None:
    """A part's file is there and is what was written.

    Raises:
        SnapshotDamaged: It is missing or altered.
    """
    read_part(root, part)


def part_from_database(conn: psycopg.Connection[Any], part: Part, snapshot_id: str) -> pa.Table:
    """A part's rows as the database gives them today, at the snapshot's watermark and order of sources."""
    mark = get(conn, snapshot_id).load_watermark
    order = _orders_of(conn, snapshot_id).of(part.kind)
    return to_table(SHAPES[part.kind, part.layout], part_text(conn, part, order, mark))


def _orders_of(conn: psycopg.Connection[Any], snapshot_id: str) -> _Orders:
    row = conn.execute("SELECT manifest FROM ops.data_snapshots WHERE snapshot_id = %s", (snapshot_id,)).fetchone()
    assert row is not None
    manifest = json.loads(row["manifest"])
    prices = tuple(manifest["source_order"])
    return _Orders(prices, tuple(manifest.get("fx_source_order", prices)))
