"""Data snapshots: content-addressed manifests of immutable monthly Parquet parts that the database can rebuild.

A part is the canonical text of its rows as PostgreSQL writes it; the text's sha256 is its identity, the file's
sha256 its integrity. Complete months are shared between snapshots.
"""

import datetime as dt
import functools
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from trading_ops.domain.canonical import canonical_bytes, sha256_hex
from trading_ops.domain.errors import Refused
from trading_ops.domain.policy import Policy
from trading_ops.domain.prices import Bar, CorporateAction, Fixing, MarketView, clean_ratio
from trading_ops.store import audit

_PRICE = pa.decimal128(20, 8)
_SCHEMAS = {
    "bars": {
        "session": pa.date32(), "symbol": pa.string(), "open": _PRICE, "high": _PRICE, "low": _PRICE,
        "close": _PRICE, "adj_close": _PRICE, "volume": pa.decimal128(20, 0), "source": pa.string(),
        "revision": pa.int32(), "simulated": pa.string(),
    },
    "actions": {
        "ex_date": pa.date32(), "symbol": pa.string(), "kind": pa.string(), "value": pa.decimal128(20, 10),
        "source": pa.string(), "revision": pa.int32(), "simulated": pa.string(),
    },
    "fixings": {
        "day": pa.date32(), "rate": _PRICE, "source": pa.string(), "revision": pa.int32(), "simulated": pa.string(),
    },
}  # fmt: skip

# Of all that is known at the watermark: the first source in the policy's order, its newest revision. Two rows of one
# rank are a duplicate, and stay visible to the data gate. One text a month, the rows in a total order.
_SELECT = """
    SELECT date_trunc('month', {day})::date AS month,
           string_agg(concat_ws(',', {columns}), E'\n' ORDER BY {key}, source, revision, {columns}) || E'\n' AS text
    FROM (SELECT *, rank() OVER (PARTITION BY {key}
                                 ORDER BY array_position(%(order)s::text[], source), revision DESC) AS pick
          FROM {table}
          WHERE {day} BETWEEN %(first)s AND %(last)s AND load_id <= %(mark)s AND source = ANY(%(order)s)) x
    WHERE pick = 1 AND {wanted}
    GROUP BY 1"""


@dataclass(frozen=True)
class _Kind:
    table: str
    day: str
    key: str
    wanted: str = "true"


_KINDS = {
    "bars": _Kind("ops.market_prices_eod", "session", "session, symbol"),
    "actions": _Kind("ops.corporate_actions", "ex_date", "ex_date, symbol, kind", "value > 0"),
    "fixings": _Kind("ops.fx_rates_eod", "day", "day"),
}


@dataclass(frozen=True)
class Part:
    """One immutable file of a snapshot."""

    part_id: str
    kind: str
    month: dt.date
    through: dt.date
    rows: int
    content_sha256: str
    file_sha256: str

    def path(self, root: Path) -> Path:
        """Where the part lies below a snapshots folder."""
        return Path(f"{root}/{self.kind}/{self.month.isoformat()[:7]}-{self.content_sha256[:20]}.parquet")


@dataclass(frozen=True)
class Snapshot:
    """A manifest: everything one plan sees of the market."""

    snapshot_id: str
    asof: dt.date
    simulated: bool
    parts: tuple[Part, ...]
    load_watermark: int


class SnapshotDamaged(Refused):
    """A part is missing or is not what the manifest says."""


def _months(first: dt.date, last: dt.date) -> Iterator[tuple[dt.date, dt.date]]:
    """Month starts with the last day of each, clipped to `last`."""
    start = first.replace(day=1)
    while start <= last:
        following = (start + dt.timedelta(days=32)).replace(day=1)
        yield start, min(following - dt.timedelta(days=1), last)
        start = following


def _texts(
    conn: psycopg.Connection[Any], kind: str, span: tuple[dt.date, dt.date], order: list[str], mark: int
) -> dict[dt.date, bytes]:
    """The canonical text of every month that has rows in a span of days."""
    what = _KINDS[kind]
    columns = ", ".join(_SCHEMAS[kind])
    query = _SELECT.format(table=what.table, day=what.day, key=what.key, wanted=what.wanted, columns=columns)
    rows = conn.execute(query, {"first": span[0], "last": span[1], "order": order, "mark": mark})
    return {row["month"]: row["text"].encode() for row in rows}


def _text(conn: psycopg.Connection[Any], part: Part, order: list[str], mark: int) -> bytes:
    return _texts(conn, part.kind, (part.month, part.through), order, mark).get(part.month, b"")


def _to_table(kind: str, text: bytes) -> pa.Table:
    names = list(_SCHEMAS[kind])
    if not text:
        return pa.table({name: pa.array([], type_) for name, type_ in _SCHEMAS[kind].items()})
    return pacsv.read_csv(
        pa.BufferReader(text),
        read_options=pacsv.ReadOptions(column_names=names, use_threads=False),
        convert_options=pacsv.ConvertOptions(column_types=_SCHEMAS[kind], strings_can_be_null=False),
    )


def _write_part(root: Path, kind: str, month: dt.date, through: dt.date, text: bytes) -> Part:
    digest = hashlib.sha256(text).hexdigest()
    table = _to_table(kind, text)
    part = Part(f"{kind}:{month:%Y-%m}:{through}:{digest}", kind, month, through, table.num_rows, digest, "")
    path = part.path(root)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    pq.write_table(table, temporary, compression="zstd")
    body = temporary.read_bytes()
    if not path.exists() or path.read_bytes() != body:
        with temporary.open("rb+") as handle:
            os.fsync(handle.fileno())
        temporary.replace(path)
    else:
        temporary.unlink()
    return Part(part.part_id, kind, month, through, table.num_rows, digest, hashlib.sha256(body).hexdigest())


def _dirty_months(conn: psycopg.Connection[Any], kind: str, after: int, mark: int) -> dict[dt.date, int]:
    """Months touched by loads after a watermark, with the newest such load."""
    what = _KINDS[kind]
    rows = conn.execute(
        f"SELECT date_trunc('month', {what.day})::date AS month, max(load_id) AS newest FROM {what.table} "
        "WHERE load_id > %s AND load_id <= %s GROUP BY 1",
        (after, mark),
    )
    return {r["month"]: r["newest"] for r in rows}


def _parts_of_kind(
    conn: psycopg.Connection[Any], root: Path, kind: str, first: dt.date, last: dt.date, order: list[str], mark: int
) -> list[Part]:
    known: dict[tuple[dt.date, dt.date], tuple[int, Part]] = {}
    rows = conn.execute(
        "SELECT DISTINCT ON (month, through) part_id, kind, month, through, rows, content_sha256, file_sha256, "
        "load_watermark FROM ops.snapshot_parts WHERE kind = %s AND source_order = %s AND load_watermark <= %s "
        "AND through IN ((month + interval '1 month - 1 day')::date, %s) "
        "ORDER BY month, through, load_watermark DESC",
        (kind, ",".join(order), mark, last),
    )
    for row in rows:
        watermark = row.pop("load_watermark")
        known[(row["month"], row["through"])] = (watermark, Part(**row))
    oldest = min((watermark for watermark, _ in known.values()), default=mark)
    dirty = _dirty_months(conn, kind, oldest, mark)
    parts: dict[dt.date, Part] = {}
    missing: list[tuple[dt.date, dt.date]] = []
    for month, through in _months(first, last):
        watermark, part = known.get((month, through), (-1, None))
        if part is not None and dirty.get(month, -1) <= watermark and part.path(root).exists():
            parts[month] = part
        else:
            missing.append((month, through))
    texts = _texts(conn, kind, (missing[0][0], missing[-1][1]), order, mark) if missing else {}
    made = [_write_part(root, kind, month, through, texts.get(month, b"")) for month, through in missing]
    with conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO ops.snapshot_parts (part_id, kind, month, through, rows, content_sha256, file_sha256, "
            "source_order, load_watermark) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [
                (p.part_id, kind, p.month, p.through, p.rows, p.content_sha256, p.file_sha256, ",".join(order), mark)
                for p in made
            ],
        )
    parts.update({part.month: part for part in made})
    parts_in_order = [parts[month] for month in sorted(parts)]
    return [part for part in parts_in_order if part.rows]


def _manifest(asof: dt.date, actions_through: dt.date, order: list[str], parts: Iterable[Part]) -> dict[str, object]:
    return {
        "asof": asof.isoformat(),
        "actions_through": actions_through.isoformat(),
        "source_order": order,
        "parts": [p.part_id for p in sorted(parts, key=lambda p: (p.kind, p.month))],
    }


_LAST_BUILT: dict[tuple[Path, dt.date, dt.date, tuple[str, ...], int], Snapshot] = {}


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
    order = list(policy.data.source_order)
    row = conn.execute("SELECT max(load_id) AS mark FROM ops.price_loads").fetchone()
    mark = int(row["mark"] or 0) if row else 0
    span = conn.execute(
        "SELECT min(session) AS first FROM ops.market_prices_eod WHERE session <= %s", (asof,)
    ).fetchone()
    first = span["first"] if span and span["first"] else asof
    key = (root, asof, actions_through, tuple(order), mark)
    if key in _LAST_BUILT and _registered(conn, _LAST_BUILT[key].snapshot_id):
        return _LAST_BUILT[key]
    parts: list[Part] = []
    for kind, last in (("bars", asof), ("actions", actions_through), ("fixings", asof)):
        parts += _parts_of_kind(conn, root, kind, first, last, order, mark)
    text = canonical_bytes(_manifest(asof, actions_through, order, parts))
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
        with conn.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO ops.data_snapshot_parts (snapshot_id, part_id) VALUES (%s, %s) ON CONFLICT DO NOTHING",
                [(snapshot_id, part.part_id) for part in parts],
            )
    _LAST_BUILT.clear()
    _LAST_BUILT[key] = Snapshot(snapshot_id, asof, simulated, tuple(parts), mark)
    return _LAST_BUILT[key]


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
        "SELECT part_id, kind, month, through, rows, content_sha256, file_sha256 FROM ops.snapshot_parts "
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
    row = conn.execute(
        "SELECT manifest, load_watermark FROM ops.data_snapshots WHERE snapshot_id = %s", (snapshot_id,)
    ).fetchone()
    assert row is not None
    order = json.loads(row["manifest"])["source_order"]
    for part in snapshot.parts:
        text = _text(conn, part, order, row["load_watermark"])
        if hashlib.sha256(text).hexdigest() != part.content_sha256:
            raise SnapshotDamaged(
                f"Data snapshot {snapshot_id[:12]}: the database's {part.kind} of {part.month:%Y-%m} are no longer "
                "those of the snapshot. Look for a changed row with `trading-ops audit verify`, or restore a backup."
            )
        if not part.path(root).exists():
            _write_part(root, part.kind, part.month, part.through, text)
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
    _read_bytes(root, part)


def part_from_database(conn: psycopg.Connection[Any], part: Part, snapshot_id: str) -> pa.Table:
    """A part's rows as the database gives them today, at the snapshot's watermark and order of sources."""
    row = conn.execute(
        "SELECT manifest, load_watermark FROM ops.data_snapshots WHERE snapshot_id = %s", (snapshot_id,)
    ).fetchone()
    if row is None:
        raise Refused(f"There is no data snapshot {snapshot_id[:12]}.")
    order = json.loads(row["manifest"])["source_order"]
    return _to_table(part.kind, _text(conn, part, order, row["load_watermark"]))


def _read_bytes(root: Path, part: Part) -> bytes:
    path = part.path(root)
    try:
        body = path.read_bytes()
    except FileNotFoundError as exc:
        raise SnapshotDamaged(
            f"{path}: this part of the data snapshot is missing. Run `trading-ops data rebuild`."
        ) from exc
    if hashlib.sha256(body).hexdigest() != part.file_sha256:
        raise SnapshotDamaged(
            f"{path}: the {part.kind} of {part.month:%Y-%m} in the data snapshot were altered (sha256 differs)."
        )
    return body


def _table(root: Path, part: Part) -> pa.Table:
    return pq.read_table(pa.BufferReader(_read_bytes(root, part)), use_threads=False)


@functools.lru_cache(maxsize=1024)
def _bars(
    root: Path, part: Part, symbols: frozenset[str]
) -> tuple[dict[str, dict[dt.date, Bar]], tuple[tuple[str, dt.date], ...]]:
    """A month's bars by symbol, and the pairs that stand more than once."""
    table = _table(root, part)
    wanted = pc.is_in(table["symbol"], pa.array(sorted(symbols), pa.string()))
    columns = table.filter(wanted).to_pydict()
    bars: dict[str, dict[dt.date, Bar]] = {}
    duplicates = []
    fields = zip(
        columns["symbol"], columns["session"], columns["open"], columns["high"], columns["low"], columns["close"],
        columns["adj_close"], columns["volume"], columns["source"], columns["revision"], strict=True,
    )  # fmt: skip
    for field in fields:
        bar = Bar(*field)
        of_symbol = bars.setdefault(bar.symbol, {})
        if bar.session in of_symbol:
            duplicates.append((bar.symbol, bar.session))
        of_symbol[bar.session] = bar
    return bars, tuple(duplicates)


_LAST_VIEW: dict[tuple[Path, str, dt.date, frozenset[str], int, Decimal], MarketView] = {}


def view(root: Path, snapshot: Snapshot, policy: Policy, since: dt.date, symbols: frozenset[str]) -> MarketView:
    """The market of a snapshot, read from its parts alone.

    Args:
        root: The snapshots folder.
        snapshot: The snapshot.
        policy: Says how split ratios are cleaned.
        since: Months before this day's are left out; nobody who asks looks further back.
        symbols: Names whose bars are wanted; corporate actions of all names are part of the view.

    Raises:
        SnapshotDamaged: A part is missing or altered.
    """
    data = policy.data
    key = (root, snapshot.snapshot_id, since.replace(day=1), symbols, data.split_max_denominator, data.split_noise)
    if key not in _LAST_VIEW:
        _LAST_VIEW.clear()  # the steps of a plan follow each other; the next plan has another snapshot
        _LAST_VIEW[key] = _view(root, snapshot, policy, key[2], symbols)
    return _LAST_VIEW[key]


def _view(root: Path, snapshot: Snapshot, policy: Policy, since: dt.date, symbols: frozenset[str]) -> MarketView:
    bars: dict[str, dict[dt.date, Bar]] = {}
    duplicates: list[tuple[str, dt.date]] = []
    actions: dict[str, list[CorporateAction]] = {}
    fixings: list[Fixing] = []
    for part in sorted(snapshot.parts, key=lambda p: (p.kind, p.month)):
        if part.month < since:
            continue
        if part.kind == "bars":
            month, twice = _bars(root, part, symbols)
            duplicates += twice
            for symbol, of_symbol in month.items():
                bars.setdefault(symbol, {}).update(of_symbol)
        elif part.kind == "actions":
            for row in _rows(root, part):
                value = _action_value(row, policy)
                actions.setdefault(row["symbol"], []).append(
                    CorporateAction(row["symbol"], row["ex_date"], row["kind"], value, row["source"])
                )
        else:
            fixings += [Fixing(row["day"], row["rate"], row["source"]) for row in _rows(root, part)]
    return MarketView(
        asof=snapshot.asof,
        bars=bars,
        duplicates=tuple(duplicates),
        actions={symbol: tuple(rows) for symbol, rows in actions.items()},
        fixings=tuple(fixings),
        simulated=snapshot.simulated,
    )


@functools.lru_cache(maxsize=4096)
def _rows(root: Path, part: Part) -> tuple[dict[str, Any], ...]:
    return tuple(_table(root, part).to_pylist())


def _action_value(row: dict[str, Any], policy: Policy) -> Decimal:
    value: Decimal = row["value"]
    if row["kind"] == "split":
        return clean_ratio(value, policy.data.split_max_denominator, policy.data.split_noise)
    return value
