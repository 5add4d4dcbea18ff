"""Parts of data snapshots: immutable Parquet files, one month of one kind, that the database can write again.

A part is the canonical text of its rows as PostgreSQL writes it; the text's sha256 is its identity, the file's
sha256 its integrity. Complete months are shared between snapshots.
"""

import datetime as dt
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from trading_ops.domain.errors import Refused
from trading_ops.store.snapshot_shapes import CURRENT, SHAPES, Shape


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
    layout: int = 1

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
    conn: psycopg.Connection[Any], shape: Shape, span: tuple[dt.date, dt.date], order: list[str], mark: int
) -> dict[dt.date, bytes]:
    """The canonical text of every month that has rows in a span of days."""
    wanted = {"first": span[0], "last": span[1], "order": order, "mark": mark, "names": None}
    rows = conn.execute(shape.sql, wanted, prepare=False)  # one plan does not fit a month and sixteen years
    return {row["month"]: row["text"].encode() for row in rows}


def part_text(conn: psycopg.Connection[Any], part: Part, order: list[str], mark: int) -> bytes:
    shape = SHAPES[part.kind, part.layout]
    return month_texts(conn, shape, (part.month, part.through), order, mark).get(part.month, b"")


def to_table(shape: Shape, text: bytes) -> pa.Table:
    if not text:
        return pa.table({name: pa.array([], type_) for name, type_ in shape.columns.items()})
    return pacsv.read_csv(
        pa.BufferReader(text),
        read_options=pacsv.ReadOptions(column_names=list(shape.columns), use_threads=False),
        convert_options=pacsv.ConvertOptions(column_types=shape.columns, strings_can_be_null=False),
    )


def write_part(root: Path, kind: str, layout: int, span: tuple[dt.date, dt.date], text: bytes) -> Part:
    """Write a month's text as a Parquet file; one that is there and equal stays.

    Args:
        root: The snapshots folder.
        kind: The part's kind.
        layout: Its layout.
        span: Month, and the last day it holds.
        text: Its canonical text.
    """
    month, through = span
    digest = hashlib.sha256(text).hexdigest()
    table = to_table(SHAPES[kind, layout], text)
    name = kind if layout == 1 else f"{kind}.{layout}"
    part = Part(f"{name}:{month:%Y-%m}:{through}:{digest}", kind, month, through, table.num_rows, digest, "", layout)
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
    return replace(part, file_sha256=hashlib.sha256(body).hexdigest())


def _dirty_months(conn: psycopg.Connection[Any], shape: Shape, after: int, mark: int) -> dict[dt.date, int]:
    """Months touched by loads after a watermark, with the newest such load."""
    newest: dict[dt.date, int] = {}
    for table, day in shape.looks_at:
        rows = conn.execute(
            f"SELECT date_trunc('month', {day})::date AS month, max(load_id) AS newest FROM {table} "
            "WHERE load_id > %s AND load_id <= %s GROUP BY 1",
            (after, mark),
        )
        for row in rows:
            newest[row["month"]] = max(row["newest"], newest.get(row["month"], 0))
    return newest


def parts_of_kind(
    conn: psycopg.Connection[Any], root: Path, kind: str, span: tuple[dt.date, dt.date], order: list[str], mark: int
) -> list[Part]:
    """The parts of one kind between two days, in the current layout; what is missing is written and registered."""
    layout = CURRENT[kind]
    shape = SHAPES[kind, layout]
    known: dict[tuple[dt.date, dt.date], tuple[int, Part]] = {}
    rows = conn.execute(
        "SELECT DISTINCT ON (month, through) part_id, kind, month, through, rows, content_sha256, file_sha256, layout, "
        "load_watermark FROM ops.snapshot_parts WHERE kind = %s AND layout = %s AND source_order = %s "
        "AND load_watermark <= %s AND through IN ((month + interval '1 month - 1 day')::date, %s) "
        "ORDER BY month, through, load_watermark DESC",
        (kind, layout, ",".join(order), mark, span[1]),
    )
    for row in rows:
        watermark = row.pop("load_watermark")
        known[(row["month"], row["through"])] = (watermark, Part(**row))
    oldest = min((watermark for watermark, _ in known.values()), default=mark)
    dirty = _dirty_months(conn, shape, oldest, mark)
    parts: dict[dt.date, Part] = {}
    missing: list[tuple[dt.date, dt.date]] = []
    for month, through in _months(*span):
        watermark, part = known.get((month, through), (-1, None))
        if part is not None and dirty.get(month, -1) <= watermark and part.path(root).exists():
            parts[month] = part
        else:
            missing.append((month, through))
    texts = month_texts(conn, shape, (missing[0][0], missing[-1][1]), order, mark) if missing else {}
    made = [write_part(root, kind, layout, there, texts.get(there[0], b"")) for there in missing]
    with conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO ops.snapshot_parts (part_id, kind, month, through, rows, content_sha256, file_sha256, layout, "
            "source_order, load_watermark) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [
                (
                    p.part_id, p.kind, p.month, p.through, p.rows, p.content_sha256, p.file_sha256, p.layout,
                    ",".join(order), mark,
                )
                for p in made
            ],
        )  # fmt: skip
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
