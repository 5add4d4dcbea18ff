"""Small markets for tests: a policy, a universe, bars of a few names, and slices of the shared real data."""

import datetime as dt
import functools
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from trading_ops.domain import calendar
from trading_ops.domain.policy import Policy, parse
from trading_ops.domain.prices import Bar, CorporateAction, Fixing, MarketView, clean_ratio
from trading_ops.domain.universe import Instrument, Universe
from trading_ops.domain.values import Session, Symbol, from_float

ROOT = Path(__file__).parents[2]
POLICY_FILE = ROOT / "config" / "policy.yml"
Bars = dict[Symbol, dict[Session, Bar]]


@functools.cache
def committed_policy() -> Policy:
    """The policy of the repository."""
    return parse(POLICY_FILE.read_text("utf-8"), "config/policy.yml")


def make_policy(**sections: Mapping[str, Any]) -> Policy:
    """The repository's policy with changed numbers: `make_policy(data={"fx_max_age": 1})`."""
    policy = committed_policy()
    changed = {name: getattr(policy, name).model_copy(update=dict(values)) for name, values in sections.items()}
    return policy.model_copy(update=changed)


def make_instrument(symbol: Symbol, **changes: Any) -> Instrument:
    """A tradable US stock."""
    stock = Instrument(
        symbol=symbol,
        stooq_symbol=f"{symbol.lower()}.us",
        yahoo_symbol=symbol,
        etoro_search_name=symbol,
        currency="USD",
        instrument_type="stock",
        tradable_underlying=True,
        enabled=True,
        listed_from=None,
        verified_on=None,
        notes="",
    )
    return replace(stock, **changes)


def make_universe(*symbols: Symbol, others: Iterable[Instrument] = ()) -> Universe:
    """Tradable stocks, the benchmark SPY, and whatever else a test needs."""
    spy = make_instrument("SPY", instrument_type="etf", tradable_underlying=False)
    instruments = [*map(make_instrument, symbols), spy, *others]
    return Universe({instrument.symbol: instrument for instrument in instruments})


def make_bar(symbol: Symbol, session: Session, close: str | Decimal = "100", **changes: Any) -> Bar:
    """A valid bar that opened, traded and closed at one price."""
    price = Decimal(close)
    bar = Bar(symbol, session, price, price, price, price, price, Decimal(1000), source="test")
    return replace(bar, **changes)


def flat_bars(symbols: Iterable[Symbol], asof: Session, count: int = 10, close: str = "100") -> Bars:
    """One unmoved bar for each name on the last sessions through D."""
    window = calendar.window_of_sessions(asof, count)
    return {symbol: {session: make_bar(symbol, session, close) for session in window} for symbol in symbols}


def make_market(
    asof: Session,
    bars: Bars,
    *actions: CorporateAction,
    fixings: Iterable[Fixing] | None = None,
    duplicates: tuple[tuple[Symbol, Session], ...] = (),
) -> MarketView:
    """The market as of D with a fixing of D, unless the test brings its own."""
    by_symbol: dict[Symbol, tuple[CorporateAction, ...]] = {}
    for action in sorted(actions, key=lambda a: a.ex_date):
        by_symbol[action.symbol] = (*by_symbol.get(action.symbol, ()), action)
    own = (Fixing(asof, Decimal("1.4"), "test"),) if fixings is None else tuple(fixings)
    return MarketView(asof=asof, bars=bars, duplicates=duplicates, actions=by_symbol, fixings=own)


def split(symbol: Symbol, ex_date: Session, ratio: str) -> CorporateAction:
    """New units per old unit."""
    return CorporateAction(symbol, ex_date, "split", Decimal(ratio), "test")


def dividend(symbol: Symbol, ex_date: Session, usd: str) -> CorporateAction:
    """USD per share."""
    return CorporateAction(symbol, ex_date, "dividend", Decimal(usd), "test")


def shared_market_folder() -> Path:
    """The folder with real market data; the test is skipped where it is missing."""
    shared = os.environ.get("TRADING_OPS_SHARED")
    folder = (Path(shared) if shared else ROOT.parent / "shared") / "market"
    if not (folder / "equities_2005_2021.parquet").is_file():
        pytest.skip(f"no real market data at {folder}; set TRADING_OPS_SHARED to the folder that holds market/")
    return folder


def real_rows(
    file: str, first: dt.date, last: dt.date, symbols: Iterable[Symbol] | None = None
) -> list[dict[str, Any]]:
    """Rows of one shared parquet file between two dates."""
    import pyarrow.parquet as pq

    wanted: list[tuple[str, str, Any]] = [("date", ">=", first), ("date", "<=", last)]
    if symbols is not None:
        wanted.append(("symbol", "in", list(symbols)))
    rows: list[dict[str, Any]] = pq.read_table(shared_market_folder() / file, filters=wanted).to_pylist()
    return sorted(rows, key=lambda row: (row["date"], row.get("symbol", "")))


def real_universe() -> Universe:
    """The universe of the shared data."""
    import csv

    def instrument(row: Mapping[str, str]) -> Instrument:
        return make_instrument(
            row["internal_symbol"],
            instrument_type=row["instrument_type"],
            tradable_underlying=row["tradable_underlying"] == "true",
            enabled=row["enabled"] == "true",
            listed_from=dt.date.fromisoformat(row["listed_from"]) if row["listed_from"] else None,
        )

    text = (shared_market_folder() / "universe.csv").read_text("utf-8")
    return Universe({row["internal_symbol"]: instrument(row) for row in csv.DictReader(text.splitlines())})


def real_market(asof: Session, symbols: Iterable[Symbol], count: int = 130) -> MarketView:
    """The shared data of some names and SPY: the last sessions through D, as the loader will read them."""
    data = committed_policy().data
    first = calendar.sessions_back(asof, count - 1)
    rows = real_rows("equities_2005_2021.parquet", first, asof, symbols)
    rows += real_rows("benchmarks_2005_2021.parquet", first, asof, ["SPY"])
    bars: Bars = {}
    actions: list[CorporateAction] = []
    for row in rows:
        symbol, day = row["symbol"], row["date"]
        o, h, lo, c, adjusted = (from_float(row[name]) for name in ("open", "high", "low", "close", "adj_close"))
        bars.setdefault(symbol, {})[day] = Bar(symbol, day, o, h, lo, c, adjusted, Decimal(row["volume"]), "shared")
        if row.get("dividend"):
            actions.append(CorporateAction(symbol, day, "dividend", from_float(row["dividend"]), "shared"))
        if row.get("split_coefficient", 1.0) != 1.0:
            ratio = clean_ratio(from_float(row["split_coefficient"]), data.split_max_denominator, data.split_noise)
            actions.append(CorporateAction(symbol, day, "split", ratio, "shared"))
    rates = real_rows("gbpusd_1999_2026.parquet", first, asof)
    fixings = [Fixing(row["date"], from_float(row["gbpusd"]), "ECB") for row in rates]
    return make_market(asof, bars, *actions, fixings=fixings)
