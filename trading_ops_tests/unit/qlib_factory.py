"""Data snapshots for tests of the Qlib export: parts on disk as the database would give them, without one.

Belongs here: parts from a few bars or from whole tables. Does not belong here: what is done with them.
"""

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from trading_ops.domain.prices import NOT_ADJUSTED, Bar, CorporateAction
from trading_ops.store.snapshot_parts import Part, write_part
from trading_ops.store.snapshot_shapes import CURRENT, SHAPES
from trading_ops.store.snapshots import Snapshot

KEYS = {"bars": ["session", "symbol"], "actions": ["ex_date", "symbol", "kind"]}


def make_snapshot(
    root: Path, asof: dt.date, bars: Iterable[Bar], actions: Iterable[CorporateAction] = (), layout: int | None = None
) -> Snapshot:
    """A snapshot of some bars and actions; what is after the session is left out, and complete months are shared."""
    bar_rows = [
        {
            "session": b.session, "symbol": b.symbol, "open": b.open, "high": b.high, "low": b.low, "close": b.close,
            "adj_close": b.adj_close, "volume": b.volume, "source": b.source, "revision": b.revision,
            "simulated": "f", "flags": "" if b.adjusted else NOT_ADJUSTED,
        }
        for b in bars
        if b.session <= asof
    ]  # fmt: skip
    action_rows = [
        {
            "ex_date": a.ex_date, "symbol": a.symbol, "kind": a.kind, "value": a.value, "source": a.source,
            "revision": 1, "simulated": "f",
        }
        for a in actions
        if a.ex_date <= asof
    ]  # fmt: skip
    tables = {}
    for kind, rows in (("bars", bar_rows), ("actions", action_rows)):
        number = layout or CURRENT[kind]
        tables[kind] = pa.Table.from_pylist(rows, schema=pa.schema(list(SHAPES[kind, number].columns.items())))
    return snapshot_of_tables(root, asof, tables, layout)


def snapshot_of_tables(root: Path, asof: dt.date, tables: dict[str, pa.Table], layout: int | None = None) -> Snapshot:
    """A snapshot of whole tables by kind, with the columns of their layout."""
    parts = tuple(part for kind, table in tables.items() for part in _parts(root, asof, kind, table, layout))
    snapshot_id = hashlib.sha256("\n".join([str(asof), *(part.part_id for part in parts)]).encode()).hexdigest()
    return Snapshot(snapshot_id, asof, False, parts, 1)


def _parts(root: Path, asof: dt.date, kind: str, table: pa.Table, layout: int | None) -> Iterator[Part]:
    number = layout or CURRENT[kind]
    day = KEYS[kind][0]
    table = table.filter(pc.less_equal(table[day], pa.scalar(asof, pa.date32())))
    table = table.sort_by([(name, "ascending") for name in KEYS[kind]]).select(list(SHAPES[kind, number].columns))
    months = pc.strftime(table[day], "%Y-%m").to_pylist()
    first = 0
    while first < len(months):
        end = first
        while end < len(months) and months[end] == months[first]:
            end += 1
        sink = pa.BufferOutputStream()
        options = pacsv.WriteOptions(include_header=False, quoting_style="none")
        pacsv.write_csv(table.slice(first, end - first), sink, options)
        month = dt.date.fromisoformat(f"{months[first]}-01")
        through = min((month + dt.timedelta(days=32)).replace(day=1) - dt.timedelta(days=1), asof)
        yield write_part(root, kind, number, (month, through), sink.getvalue().to_pybytes())
        first = end


def market_tables(folder: Path) -> dict[str, pa.Table]:
    """The shared real prices as tables of bars and actions, as a load through the files provider stores them."""
    from trading_ops.domain.universe import parse_universe
    from trading_ops.providers.files import FilesProvider
    from trading_ops.providers.protocol import Fetched, Request

    universe = parse_universe((folder / "universe.csv").read_text("utf-8"), "universe.csv")
    answer = FilesProvider(folder).fetch(Request(universe, None, None, skip_unknown=True))
    assert isinstance(answer, Fetched), answer
    tables = {}
    for kind, table in (("bars", answer.bars), ("actions", answer.actions)):
        for name, value in (("revision", pa.scalar(1, pa.int32())), ("simulated", pa.scalar("f"))):
            table = table.append_column(name, pa.repeat(value, table.num_rows))  # noqa: PLW2901
        tables[kind] = table.select(list(SHAPES[kind, CURRENT[kind]].columns)).cast(
            pa.schema(list(SHAPES[kind, CURRENT[kind]].columns.items()))
        )
    return tables


def wave(symbol: str, sessions: Iterable[dt.date], start: str = "100", **changes: object) -> list[Bar]:
    """Bars of prices that move up and down a little, each price different from the others of its day."""
    bars = []
    for count, session in enumerate(sessions):
        close = Decimal(start) + Decimal(count % 7) * Decimal("1.37") - Decimal(count % 5) * Decimal("0.91")
        fields = {
            "open": close - Decimal("0.25"), "high": close + Decimal("1.5"), "low": close - Decimal("1.75"),
            "close": close, "adj_close": close, "volume": Decimal(100_000 + 37 * count), "source": "files",
        } | changes  # fmt: skip
        bars.append(Bar(symbol, session, **fields))  # type: ignore[arg-type]
    return bars
