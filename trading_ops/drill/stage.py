"""The desk that every scenario starts from: a sim book with a position, the last week missing from its history.

Belongs here: the drill's market, book and policy. Does not belong here: what goes wrong (`faults`).
"""

import datetime as dt
import functools
from decimal import Decimal
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc

from trading_ops.domain import calendar
from trading_ops.domain import universe as universes
from trading_ops.domain.ledger_facts import CashMovement, Fill
from trading_ops.domain.prices import Bar, CorporateAction
from trading_ops.domain.universe import Universe
from trading_ops.domain.values import exact, half_even
from trading_ops.drill.played import PlayedMarket
from trading_ops.providers.columns import constant
from trading_ops.providers.protocol import Fetched, Flag, Request
from trading_ops.providers.simulated import SimulatedProvider
from trading_ops.settings import Settings, shipped
from trading_ops.store import broker, configuration, desk, ledger, market, source_keys
from trading_ops.store.secret_files import write_secret

ASOF = dt.date(2025, 2, 7)
LAST_LOADED = dt.date(2025, 1, 31)
"""The session before the missing week; its fixing is too old for the plan of `ASOF`."""
FIRST_BAR = dt.date(2024, 7, 1)
ASKED_AT = dt.datetime(2025, 2, 8, 9, 0, tzinfo=dt.UTC)
SEED = 4
"""In this simulated market FDX splits 4:1 on the missing week's Monday; BA goes ex dividend on its Wednesday."""
NAMES = 52
"""So many that one frozen name is fewer than `data.frozen_max` of them, and two are more."""
HALTED = "JNJ"
"""Left out: it missed a session of the simulated market, and every round would look for that bar once more."""
CASH = Decimal(20000)
HELD, HELD_UNITS, BOUGHT_ON = "KO", Decimal(20), dt.date(2025, 1, 27)
BENCHMARK = "SPY"
LACKING = (
    BENCHMARK, HELD, "AAPL", "ABBV", "ABT", "ACN", "ADBE", "ADI", "ADP", "AMAT", "AMD", "AMGN", "AMT", "AMZN", "BA",
    "BRK.B", "ETN", "FDX",
)  # fmt: skip
"""Names that lack the last week; the others have it, as after a round that was interrupted. Asking for all of them
would show nothing more and take twice as long."""
SOURCES = ("stooq", "tiingo", "yahoo")
KEYS = {"STOOQ_APIKEY": "drill-stooq-key", "TIINGO_TOKEN": "drill-tiingo-token"}
_FLAGS = {"stooq": f"{Flag.NOT_ADJUSTED},{Flag.ACTIONS_UNKNOWN}", "tiingo": str(Flag.NOT_ADJUSTED)}
"""Sources that the history came from, with the flags that their clients write."""
_FIXED_BY = ("ecb", "yahoo")


def universe_text() -> str:
    """The benchmark and the head of the shipped universe."""
    header, *rows = shipped("config", "universe.csv").read_text(encoding="utf-8").splitlines()
    benchmark = [row for row in rows if row.startswith("SPY,")]
    stocks = [row for row in rows if row.split(",")[5] == "stock" and not row.startswith(f"{HALTED},")]
    return "\n".join([header, *benchmark, *stocks[:NAMES]]) + "\n"


def policy_text(order: tuple[str, ...] = SOURCES) -> str:
    """The shipped policy with two sources wanted and two tries.

    The pause is so long that Tiingo's hourly budget is never spent; on the drill's clock nobody waits for it.

    Args:
        order: `fetch.sources`.
    """
    changes = {"sources_min": "2", "sources": f"[{', '.join(order)}]", "pause": "90", "tries": "2", "history": "127"}
    lines = []
    for line in shipped("config", "policy.yml").read_text(encoding="utf-8").splitlines():
        name = line.partition(":")[0].strip()
        indent = line[: len(line) - len(line.lstrip())]
        lines.append(f"{indent}{name}: {changes.pop(name)}" if name in changes else line)
    assert not changes, f"the shipped policy has no {', '.join(changes)}"
    return "\n".join(lines) + "\n"


@functools.cache
def the_universe() -> Universe:
    """The drill's names."""
    return universes.parse_universe(universe_text(), "the drill's universe")


@functools.cache
def the_market() -> PlayedMarket:
    """What every source says while nothing is wrong."""
    truth = _truth()
    bars: dict[str, dict[dt.date, Bar]] = {}
    for row in truth.bars.to_pylist():
        bar = Bar(
            row["symbol"], row["session"], row["open"], row["high"], row["low"], row["close"], row["close"],
            row["volume"], "played",
        )  # fmt: skip
        bars.setdefault(bar.symbol, {})[bar.session] = bar
    actions: dict[str, list[CorporateAction]] = {}
    for row in truth.actions.to_pylist():
        actions.setdefault(row["symbol"], []).append(CorporateAction(**row | {"source": "played"}))
    fixings = {row["day"]: row["usd_per_gbp"] for row in truth.fixings.to_pylist()}
    return PlayedMarket(bars, actions, fixings, ASOF)


def set_up(conn: psycopg.Connection[Any], home: Settings) -> None:
    """Make the drill's desk in a home whose database is migrated and empty.

    Args:
        conn: The home's writer, in autocommit.
        home: The home; the made-up keys are written into its secrets.
    """
    write_secret(home.secrets_dir / source_keys.FILE, "".join(f"{name}={key}\n" for name, key in KEYS.items()))
    with conn.transaction():
        desk.create_book(conn, "sim")
        configuration.import_policy(conn, policy_text(), "the drill's policy")
        configuration.import_universe(conn, universe_text(), "the drill's universe")
    for source in _FLAGS:
        _load(conn, source)
    for source in _FIXED_BY:
        _load_fixings(conn, source)
    with conn.transaction():
        _open_the_book(conn)


def _open_the_book(conn: psycopg.Connection[Any]) -> None:
    """A deposit, one position, and a broker who agrees."""
    price, rate = the_market().bars[HELD][BOUGHT_ON].close, the_market().fixings[BOUGHT_ON]
    with exact():
        value = half_even(HELD_UNITS * price / rate, 2)
    opens, at = calendar.open_utc(BOUGHT_ON), calendar.open_utc(BOUGHT_ON) + dt.timedelta(minutes=30)
    deposit = CashMovement("4b7a4d0e-6f0c-4f0e-9d55-0b6d1b0a7c01", "deposit", CASH, BOUGHT_ON, opens)
    fill = Fill(
        "8f1de5d6-2b1c-4e57-9c36-3f5ad5c2b702", HELD, "BUY", HELD_UNITS, price, value, Decimal(0), at, BOUGHT_ON
    )
    ledger.record_movement(conn, deposit, recorded_by="drill", why="opening deposit")
    ledger.record_fill(conn, fill, recorded_by="drill", why="the drill's position")
    broker.add_snapshot(
        conn, taken_at=calendar.close_utc(ASOF), session=ASOF, cash_gbp=CASH - value, holdings={HELD: (HELD_UNITS, 6)},
        origin="the drill", entered_by="drill",
    )  # fmt: skip


@functools.cache
def _truth() -> Fetched:
    answer = SimulatedProvider(SEED).fetch(Request(the_universe(), FIRST_BAR, ASOF))
    assert isinstance(answer, Fetched), answer
    return answer


def _load(conn: psycopg.Connection[Any], source: str) -> None:
    """The history as one source gave it, without what is missing."""
    bars, actions = _without_the_week(_truth().bars, "session"), _without_the_week(_truth().actions, "ex_date")
    bars = _with(bars, close=bars["close"], source=source, flags=_FLAGS[source])
    tells = Flag.ACTIONS_UNKNOWN not in _FLAGS[source]
    tables = {"bars": bars} | ({"actions": _with(actions, source=source)} if tells else {})
    _write(conn, source, tables)


def _without_the_week(table: pa.Table, day: str) -> pa.Table:
    lacks = pc.is_in(table["symbol"], pa.array(LACKING))
    return table.filter(pc.or_(pc.less_equal(table[day], LAST_LOADED), pc.invert(lacks)))


def _load_fixings(conn: psycopg.Connection[Any], source: str) -> None:
    fixings = _truth().fixings
    _write(conn, source, {"fixings": _with(fixings.filter(pc.less_equal(fixings["day"], LAST_LOADED)), source=source)})


def _write(conn: psycopg.Connection[Any], source: str, tables: dict[str, pa.Table]) -> None:
    with conn.transaction():
        market.write_load(
            conn, provider=source, origin="the drill's history", simulated=True, tables=tables,
            fetched_at=calendar.close_utc(LAST_LOADED) + dt.timedelta(hours=12),
        )  # fmt: skip


def _with(table: pa.Table, close: pa.ChunkedArray | None = None, **texts: str) -> pa.Table:
    """The table with other constants, and with an adjusted close that repeats the close."""
    for name, text in texts.items():
        table = table.set_column(table.column_names.index(name), table.field(name), constant(text, table.num_rows))
    if close is not None:
        table = table.set_column(table.column_names.index("adj_close"), table.field("adj_close"), close)
    return table
