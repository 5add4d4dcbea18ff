"""Market facts: bars, corporate actions and fixings, loaded whole or not at all, restated as new revisions."""

import datetime as dt
import hashlib
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.csv as pacsv

from trading_ops.domain.errors import BadInput
from trading_ops.store import audit, restatements
from trading_ops.store.restatements import Restatement

_STAGES = {
    "bars": (
        "symbol text, session date, open numeric(20,8), high numeric(20,8), low numeric(20,8), close numeric(20,8), "
        "adj_close numeric(20,8), volume numeric(20,0), source text, flags text",
        ("symbol", "session", "open", "high", "low", "close", "adj_close", "volume", "source", "flags"),
    ),
    "actions": (
        "symbol text, ex_date date, kind text, value numeric(20,10), source text",
        ("symbol", "ex_date", "kind", "value", "source"),
    ),
    "fixings": (
        "day date, usd_per_gbp numeric(20,8), source text",
        ("day", "usd_per_gbp", "source"),
    ),
}

# A bar that is there and equal is no news; one that differs is the next revision.
_MERGE = {
    "bars": """
        INSERT INTO ops.market_prices_eod (session, symbol, source, revision, open, high, low, close, adj_close, volume,
                                           flags, simulated, load_id, fetched_at)
        SELECT s.session, s.symbol, s.source, coalesce(old.revision, 0) + 1, s.open, s.high, s.low, s.close,
               s.adj_close, s.volume, coalesce(s.flags, ''), %(simulated)s, %(load_id)s, %(fetched_at)s
        FROM stage_bars s LEFT JOIN LATERAL (
            SELECT * FROM ops.market_prices_eod m
            WHERE m.session = s.session AND m.symbol = s.symbol AND m.source = s.source
            ORDER BY m.revision DESC LIMIT 1) old ON true
        WHERE old.revision IS NULL
           OR (old.open, old.high, old.low, old.close, old.adj_close, old.volume)
              IS DISTINCT FROM (s.open, s.high, s.low, s.close, s.adj_close, s.volume)
        ORDER BY s.session, s.symbol""",
    "actions": """
        INSERT INTO ops.corporate_actions (symbol, ex_date, kind, source, revision, value, simulated, load_id,
                                           fetched_at)
        SELECT s.symbol, s.ex_date, s.kind, s.source, coalesce(old.revision, 0) + 1, s.value,
               %(simulated)s, %(load_id)s, %(fetched_at)s
        FROM stage_actions s LEFT JOIN LATERAL (
            SELECT * FROM ops.corporate_actions m
            WHERE m.symbol = s.symbol AND m.ex_date = s.ex_date AND m.kind = s.kind AND m.source = s.source
            ORDER BY m.revision DESC LIMIT 1) old ON true
        WHERE old.revision IS NULL OR old.value <> s.value""",
    "fixings": """
        INSERT INTO ops.fx_rates_eod (pair, day, source, revision, rate, simulated, load_id, fetched_at)
        SELECT 'GBPUSD', s.day, s.source, coalesce(old.revision, 0) + 1, s.usd_per_gbp,
               %(simulated)s, %(load_id)s, %(fetched_at)s
        FROM stage_fixings s LEFT JOIN LATERAL (
            SELECT * FROM ops.fx_rates_eod m
            WHERE m.pair = 'GBPUSD' AND m.day = s.day AND m.source = s.source
            ORDER BY m.revision DESC LIMIT 1) old ON true
        WHERE old.revision IS NULL OR old.rate <> s.usd_per_gbp""",
}


_ACTION = pa.schema(
    [
        ("symbol", pa.string()), ("ex_date", pa.date32()), ("kind", pa.string()), ("value", pa.decimal128(20, 10)),
        ("source", pa.string()),
    ]
)  # fmt: skip


@dataclass(frozen=True)
class LoadResult:
    """What a load added: new or restated rows of each kind, the load's number, and restated bars that tickets used."""

    load_id: int
    bars: int
    actions: int
    fixings: int
    restated: tuple[Restatement, ...] = ()


def _stage(conn: psycopg.Connection[Any], kind: str, table: pa.Table) -> str:
    """COPY an Arrow table into its staging table; returns the sha256 of what was sent."""
    columns, names = _STAGES[kind]
    conn.execute(f"CREATE TEMPORARY TABLE stage_{kind} ({columns}) ON COMMIT DROP")
    digest = hashlib.sha256()
    options = pacsv.WriteOptions(include_header=False)
    with (
        conn.cursor() as cursor,
        cursor.copy(f"COPY stage_{kind} ({', '.join(names)}) FROM STDIN (FORMAT csv)") as copy,
    ):
        for batch in table.select(list(names)).to_batches(max_chunksize=50_000):
            sink = pa.BufferOutputStream()
            pacsv.write_csv(pa.Table.from_batches([batch]), sink, options)
            body = sink.getvalue().to_pybytes()
            digest.update(body)
            copy.write(body)
    return digest.hexdigest()


def write_load(
    conn: psycopg.Connection[Any],
    *,
    provider: str,
    origin: str,
    simulated: bool,
    tables: dict[str, pa.Table],
    fetched_at: dt.datetime,
) -> LoadResult:
    """Store what a provider delivered, in the caller's transaction: all of it or nothing.

    Args:
        conn: A connection inside a transaction.
        provider: Name of the provider.
        origin: Where it came from, for people (a folder, a host).
        simulated: Marks every row.
        tables: Arrow tables `bars`, `actions`, `fixings` in the providers' schemas; missing ones are empty.
        fetched_at: When it was fetched, UTC.

    Raises:
        BadInput: The same bar, action or fixing stands twice in the delivery.
    """
    digest = hashlib.sha256()
    kinds = [kind for kind in _STAGES if kind in tables and tables[kind].num_rows]
    for kind in kinds:
        digest.update(_stage(conn, kind, tables[kind]).encode())
    counts = {kind: (tables[kind].num_rows if kind in kinds else 0) for kind in _STAGES}
    payload: dict[str, object] = {
        "provider": provider, "origin": origin, "simulated": simulated, "content_sha256": digest.hexdigest(),
        **{kind: str(count) for kind, count in counts.items()},
    }  # fmt: skip
    seq = audit.append(conn, "market.load", provider, payload)
    load_id = seq  # a load is known by the number that announced it: loads are in commit order
    conn.execute(
        "INSERT INTO ops.price_loads (load_id, provider, origin, simulated, bars, actions, fixings, content_sha256, "
        "fetched_at, audit_seq) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            load_id, provider, origin, simulated, counts["bars"], counts["actions"], counts["fixings"],
            digest.hexdigest(), fetched_at, seq,
        ),
    )  # fmt: skip
    if "bars" in kinds:
        conn.execute(
            "INSERT INTO ops.price_load_symbols (load_id, symbol) SELECT DISTINCT %s::bigint, symbol FROM stage_bars",
            (load_id,),
        )
    added = dict.fromkeys(_STAGES, 0)
    for kind in kinds:
        conn.execute(f"ANALYZE stage_{kind}")
        try:
            cursor = conn.execute(_MERGE[kind], {"simulated": simulated, "load_id": load_id, "fetched_at": fetched_at})
        except psycopg.errors.UniqueViolation as exc:
            detail = exc.diag.message_detail or ""
            raise BadInput(f"{origin}: the same row stands twice ({detail}). Remove one; nothing was stored.") from exc
        added[kind] = cursor.rowcount
    for kind in kinds:
        conn.execute(f"DROP TABLE pg_temp.stage_{kind}")  # another load may follow in the same transaction
    restated = restatements.note(conn, load_id) if added["bars"] else ()
    return LoadResult(load_id, added["bars"], added["actions"], added["fixings"], restated)


BY_HAND = "files"
"""The source of what a person puts on record: it stands first in the policy's order."""


def record_action(
    conn: psycopg.Connection[Any],
    *,
    symbol: str,
    ex_date: dt.date,
    kind: str,
    value: Decimal,
    origin: str,
    at: dt.datetime,
) -> LoadResult:
    """Store a corporate action that a person vouches for, in the caller's transaction.

    Args:
        conn: A connection inside a transaction.
        symbol: A known name.
        ex_date: The ex-date.
        kind: `split` or `dividend`.
        value: New units per old one, or USD a share; 0 says that there is none.
        origin: Who, and why.
        at: When, UTC.
    """
    row = {"symbol": [symbol], "ex_date": [ex_date], "kind": [kind], "value": [value], "source": [BY_HAND]}
    table = pa.table(row, schema=_ACTION)
    return write_load(conn, provider=BY_HAND, origin=origin, simulated=False, tables={"actions": table}, fetched_at=at)


def first_and_last_session(conn: psycopg.Connection[Any]) -> tuple[dt.date, dt.date] | None:
    """The span of stored bars, or None when there are none."""
    row = conn.execute("SELECT min(session) AS first, max(session) AS last FROM ops.market_prices_eod").fetchone()
    return (row["first"], row["last"]) if row and row["first"] else None
