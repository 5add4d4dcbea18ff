"""Small homes for tests: a book, a policy, a universe of a few names, a few bars."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import psycopg
import pyarrow as pa

from trading_ops.providers.protocol import ACTIONS, BARS, FIXINGS
from trading_ops.settings import Settings, shipped
from trading_ops.store import configuration, desk, market
from trading_ops.store.connect import connect
from trading_ops.store.market import LoadResult

AT = dt.datetime(2026, 1, 3, 9, tzinfo=dt.UTC)
UNIVERSE = """internal_symbol,stooq_symbol,yahoo_symbol,etoro_search_name,currency,instrument_type,tradable_underlying,\
enabled,listed_from,verified_on,notes
AAA,aaa.us,AAA,AAA,USD,stock,true,true,,,Aaa Inc
BBB,bbb.us,BBB,BBB,USD,stock,true,true,,,Bbb Inc
SPY,spy.us,SPY,SPY,USD,etf,false,true,,,benchmark only
"""


def policy_text(**changes: str) -> str:
    """The shipped policy with some lines changed: `policy_text(seats="12")`."""
    lines = shipped("config", "policy.yml").read_text().splitlines()
    for name, value in changes.items():
        (place,) = (i for i, line in enumerate(lines) if line.strip().startswith(f"{name}:"))
        indent = lines[place][: len(lines[place]) - len(lines[place].lstrip())]
        lines[place] = f"{indent}{name}: {value}"
    return "\n".join(lines) + "\n"


@contextmanager
def opened(home: Settings, role: str = "app_writer") -> Iterator[psycopg.Connection[Any]]:
    """A connection in autocommit, as the commands use it."""
    with connect(home, role) as conn:
        conn.autocommit = True
        yield conn


def set_up(conn: psycopg.Connection[Any], book: str = "sim", universe: str = UNIVERSE) -> None:
    """Book, policy and universe."""
    with conn.transaction():
        desk.create_book(conn, book)
        configuration.import_policy(conn, policy_text(), "policy.yml")
        configuration.import_universe(conn, universe, "universe.csv")


def bars_table(rows: list[tuple[str, str, str]]) -> pa.Table:
    """Flat bars from (symbol, day, close)."""
    made = []
    for symbol, day, close in rows:
        price = Decimal(close)
        bar = dict.fromkeys(("open", "high", "low", "close", "adj_close"), price)
        made.append(
            {"symbol": symbol, "session": dt.date.fromisoformat(day), **bar, "volume": Decimal(1000), "source": "files",
             "flags": ""}
        )  # fmt: skip
    return pa.Table.from_pylist(made, schema=BARS)


def actions_table(rows: list[tuple[str, str, str, str]]) -> pa.Table:
    """Corporate actions from (symbol, ex-date, kind, value)."""
    made = [
        {"symbol": s, "ex_date": dt.date.fromisoformat(d), "kind": k, "value": Decimal(v), "source": "files"}
        for s, d, k, v in rows
    ]
    return pa.Table.from_pylist(made, schema=ACTIONS)


def fixings_table(rows: list[tuple[str, str]]) -> pa.Table:
    """Fixings from (day, dollars for a pound)."""
    made = [{"day": dt.date.fromisoformat(d), "usd_per_gbp": Decimal(v), "source": "files"} for d, v in rows]
    return pa.Table.from_pylist(made, schema=FIXINGS)


def load(conn: psycopg.Connection[Any], **tables: pa.Table) -> LoadResult:
    """Store a delivery."""
    with conn.transaction():
        return market.write_load(conn, provider="files", origin="a test", simulated=False, tables=tables, fetched_at=AT)
