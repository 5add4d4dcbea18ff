"""Parts of data snapshots: immutable Parquet files, one month of one kind, that the database can write again.

A part is the canonical text of its rows as PostgreSQL writes it; the text's sha256 is its identity, the file's
sha256 its integrity. Complete months are shared between snapshots.
"""

import datetime as dt
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from trading_ops.domain.errors import Refused

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


class SnapshotDamaged(Refused):
    """A part is missing or is not what the manifest says."""


def _months(first: dt.date, last: dt.date) -> Iterator[tuple[dt.date, dt.date]]:
    """Month starts with the last day of each, clipped to `last`."""
    start = first.replace(day=1)
    while start <= last:
        following = (start + dt.timedelta(days=32)).replace(day=1)
        yield start, min(following - dt.timedelta(days=1), last)
        start = following


def month_texts(
    conn: psycopg.Connection[Any], kind: str, span: tuple[dt.date, dt.date], order: list[str], mark: int
) -> dict[dt.date, bytes]:
    """The canonical text of every month that has rows in a span of days."""
    what = _KINDS[kind]
    columns = ", ".join(_SCHEMAS[kind])
    query = _SELECT.format(table=what.table, day=what.day, key=what.key, wanted=what.wanted, columns=columns)
    rows = conn.execute(query, {"first": span[0], "last": span[1], "order": order, "mark": mark})
    return {row["month"]: row["text"].encode() for row in rows}


def part_text(conn: psycopg.Connection[Any], part: Part, order: list[str], mark: int) -> bytes:
    return month_texts(conn, part.kind, (part.month, part.through), order, mark).get(part.month, b"")


def to_table(kind: str, text: bytes) -> pa.Table:
    names = list(_SCHEMAS[kind])
    if not text:
        return pa.table({name: pa.array([], type_) for name, type_ in _SCHEMAS[kind].items()})
    return pacsv.read_csv(
        pa.BufferReader(text),
        read_options=pacsv.ReadOptions(column_names=names, use_threads=False),
        convert_options=pacsv.ConvertOptions(column_types=_SCHEMAS[kind], strings_can_be_null=False),
    )


def write_part(root: Path, kind: str, month: dt.date, through: dt.date, text: bytes) -> Part:
    digest = hashlib.sha256(text).hexdigest()
    table = to_table(kind, text)
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


def parts_of_kind(
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
    texts = month_texts(conn, kind, (missing[0][0], missing[-1][1]), order, mark) if missing else {}
    made = [write_part(root, kind, month, through, texts.get(month, b"")) for month, through in missing]
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


def read_part(root: Path, part: Part) -> bytes:
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


def read_table(root: Path, part: Part) -> pa.Table:
    return pq.read_table(pa.BufferReader(read_part(root, part)), use_threads=False)
