"""A home whose sources are played: a small market, one server for all of them, a clock in which nobody waits."""

import datetime as dt
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import psycopg

from trading_ops.domain import calendar
from trading_ops.domain.prices import Bar, CorporateAction
from trading_ops.drill.played import PlayedMarket
from trading_ops.drill.server import Asked, LocalSource, Reply
from trading_ops.intake.of_home import fetch_round
from trading_ops.intake.pacing import Clock
from trading_ops.intake.sources import Addresses
from trading_ops.intake.work import Round
from trading_ops.settings import Settings
from trading_ops.store import configuration, source_keys
from trading_ops.store.secret_files import write_secret
from trading_ops_tests.integration import home_factory as factory

FRIDAY = dt.date(2026, 1, 9)
SATURDAY = dt.datetime(2026, 1, 10, 7, 0, tzinfo=dt.UTC)
HISTORY = 300
KEYS = {"STOOQ_APIKEY": "st00q-sentinel", "TIINGO_TOKEN": "t11ngo-sentinel"}
FUNDS = ("SPY",)


def universe_text(names: int) -> str:
    """Stocks N00, N01, … and SPY."""
    header = factory.UNIVERSE.splitlines()[0]
    rows = [f"N{i:02},n{i:02}.us,N{i:02},N{i:02},USD,stock,true,true,,,Name {i}" for i in range(names)]
    return "\n".join([header, *rows, "SPY,spy.us,SPY,SPY,USD,etf,false,true,,,benchmark only"]) + "\n"


def a_market(symbols: list[str], through: dt.date = FRIDAY, *actions: CorporateAction) -> PlayedMarket:
    """Calm prices, a little different for each name and day."""
    days = calendar.window_of_sessions(through, HISTORY)
    bars: dict[str, dict[dt.date, Bar]] = {}
    for place, symbol in enumerate(symbols):
        for n, day in enumerate(days):
            close = Decimal(50 + place) + Decimal(n % 7) / 10
            bars.setdefault(symbol, {})[day] = Bar(
                symbol, day, close, close + 1, close - 1, close, close, Decimal(100_000 + n), "played"
            )
    for action in actions:
        if action.kind == "split":
            for day, bar in bars[action.symbol].items():
                if day < action.ex_date:
                    up = {name: getattr(bar, name) * action.value for name in ("open", "high", "low", "close")}
                    bars[action.symbol][day] = replace(bar, **up)
    fixings = {
        days[0] + dt.timedelta(days=n): Decimal("1.3500") + Decimal(n % 5) / 1000
        for n in range((through - days[0]).days + 1)
        if (days[0] + dt.timedelta(days=n)).weekday() < 5
    }
    by_symbol: dict[str, list[CorporateAction]] = {}
    for action in actions:
        by_symbol.setdefault(action.symbol, []).append(action)
    return PlayedMarket(bars, by_symbol, fixings, through)


@dataclass
class Desk:
    """A home, the market that its sources play, and how often each was asked for what.

    Attributes:
        conn: A writer's connection.
        home: The home.
        market: What the sources say.
        server: The server that plays all of them.
        at: The wall clock.
        slept: Seconds that would have been waited.
    """

    conn: psycopg.Connection[Any]
    home: Settings
    market: PlayedMarket
    server: LocalSource
    at: dt.datetime = SATURDAY
    slept: list[float] = field(default_factory=list)

    def fetch(self, **more: Any) -> Round:
        """One round."""
        clock = Clock(lambda: self.at, self.slept.append, random.Random(7))
        url = self.server.url
        return fetch_round(
            self.conn, self.home, clock=clock, addresses=Addresses(stooq=url, tiingo=url, yahoo=url, ecb=url), **more
        )

    def asked(self, source: str) -> list[str]:
        """Symbols that a source was asked for, in order, since the last call of `forget`."""
        found = []
        for asked in self.server.asked:
            path = asked.path
            if source == "stooq" and path == "/q/d/l/":
                found.append(asked.query["s"].removesuffix(".us").upper())
            elif source == "tiingo" and path.startswith("/tiingo/"):
                found.append(path.split("/")[3].upper())
            elif source == "yahoo" and path.startswith("/v8/"):
                found.append(path.rsplit("/", 1)[1])
            elif source == "ecb" and path.startswith("/service/"):
                found.append("GBPUSD")
        return found

    def forget(self) -> None:
        """Forget what was asked so far."""
        self.server.asked.clear()

    def count(self, query: str) -> int:
        """One number from the database."""
        row = self.conn.execute(query).fetchone()
        assert row is not None
        return int(next(iter(row.values())))


@contextmanager
def desk(
    home: Settings, names: int = 3, book: str = "paper", keys: dict[str, str] | None = None, **policy: str
) -> Iterator[Desk]:
    """A new home whose sources are played; `policy` changes lines of the shipped policy."""
    text = universe_text(names)
    symbols = [line.split(",")[0] for line in text.splitlines()[1:]]
    given = KEYS if keys is None else keys
    write_secret(home.secrets_dir / source_keys.FILE, "".join(f"{k}={v}\n" for k, v in given.items()))
    market = a_market(symbols)
    with factory.opened(home) as conn, LocalSource(market.answer) as server:
        factory.set_up(conn, book, text)
        if policy:
            with conn.transaction():
                configuration.import_policy(conn, factory.policy_text(**policy), "policy.yml")
        yield Desk(conn, home, market, server)


def failing(market: PlayedMarket, source: str, reply: Reply) -> Any:
    """The market's answers, but for one source that always gives the same."""
    prefix = {"stooq": "/q/d/l/", "tiingo": "/tiingo/", "yahoo": "/v8/", "ecb": "/service/"}[source]

    def answer(asked: Asked) -> Reply:
        return reply if asked.path.startswith(prefix) else market.answer(asked)

    return answer
