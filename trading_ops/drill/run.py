"""Playing scenarios: a copy of the prepared desk for each, the real chain, the real plan, and what came of it.

Belongs here: copies, asking, planning, reading what is on record. Does not belong here: what should come of it
(`faults`), or whether it did (`verdict`).
"""

import datetime as dt
import json
import random
import re
import shutil
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from trading_ops.drill.scenario import Scenario
from trading_ops.drill.served import Served
from trading_ops.drill.server import LocalSource
from trading_ops.drill.stage import ASKED_AT, ASOF, LACKING, SOURCES, policy_text, the_market
from trading_ops.intake.of_home import fetch_round
from trading_ops.intake.pacing import Clock
from trading_ops.intake.sources import Addresses
from trading_ops.intake.work import Round
from trading_ops.planning.direct import plan_now
from trading_ops.settings import Settings
from trading_ops.store import configuration, endpoint, evidence, roles
from trading_ops.store.connect import connect
from trading_ops.store.fetches import OK
from trading_ops.store.tickets import Ticket


@dataclass(frozen=True)
class Seen:
    """What came of a scenario.

    Attributes:
        verdict: Of the ticket.
        reasons: Of a NO-TRADE.
        journal: For each source the kinds of refusals on record, sorted.
        refusals: For each source how many there are.
        given_up: Sources that the round gave up, sorted.
        sources: For each name in question who has the session's bar, sorted.
        cross_checked: What the ticket says.
        frozen: Names of the rule NAMES_FROZEN, sorted.
        bought: Names that the ticket buys.
        fx_day: Day of the ticket's fixing.
        seconds: How long it took.
    """

    verdict: str
    reasons: tuple[str, ...]
    journal: dict[str, tuple[str, ...]]
    refusals: dict[str, int]
    given_up: tuple[str, ...]
    sources: dict[str, tuple[str, ...]]
    cross_checked: bool
    frozen: tuple[str, ...]
    bought: tuple[str, ...]
    fx_day: dt.date | None
    seconds: float


@dataclass(frozen=True)
class Drill:
    """A prepared desk, its copies, and the server that plays all sources.

    Attributes:
        prepared: The home of `stage.set_up`, with its server's address in `database_url`; nobody may be in its
            database.
        administrator: Its server's administrator, in autocommit.
        server: The server.
        folder: Where the copies' files go.
        closed: An address at which nobody listens.
    """

    prepared: Settings
    administrator: psycopg.Connection[Any]
    server: LocalSource
    folder: Path
    closed: str

    def play(self, scenario: Scenario) -> Seen:
        """One scenario from question to ticket."""
        started = time.monotonic()
        with self._copy(scenario) as home, connect(home, "app_writer") as conn:
            conn.autocommit = True
            conn.execute("SET synchronous_commit = off")  # the copy is thrown away
            market = scenario.market(the_market()) if scenario.market else the_market()
            served = self.server.answer = Served(scenario, market)
            if scenario.order != SOURCES:
                with conn.transaction():
                    configuration.import_policy(conn, policy_text(scenario.order), "the drill's policy")
            clock = _clock()
            done = fetch_round(conn, home, clock=clock, addresses=self._addresses(scenario))
            ticket = plan_now(conn, home.tickets_dir, home.snapshots_dir, ASOF, at=clock.now())
            assert len(served.spoilt) == len(scenario.faults), "a fault of the scenario was never served"
            return _seen(conn, scenario, done, ticket, started)

    def _addresses(self, scenario: Scenario) -> Addresses:
        at = {source: self.closed if source in scenario.nobody else self.server.url for source in (*SOURCES, "ecb")}
        return Addresses(**at, patience=scenario.patience)

    @contextmanager
    def _copy(self, scenario: Scenario) -> Iterator[Settings]:
        """A home of the scenario's own: no other one's facts, files or memories are in it."""
        slug = re.sub(r"[^a-z0-9]+", "_", scenario.name.lower()).strip("_")
        home = replace(self.prepared, home=self.folder / slug, database=f"drill_{slug}"[:50])
        home.make_folders()
        for secret in self.prepared.secrets_dir.iterdir():
            shutil.copy2(secret, home.secrets_dir)
        name, stage = sql.Identifier(home.database), sql.Identifier(self.prepared.database)
        self.administrator.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        self.administrator.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER ops_owner").format(name, stage))
        try:
            roles.open_database(home)
            yield home
        finally:
            self.administrator.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@contextmanager
def drilling(prepared: Settings, folder: Path) -> Iterator[Drill]:
    """The drill's server, for as long as scenarios are played.

    Args:
        prepared: The home of `stage.set_up`, with its server's address in `database_url`.
        folder: Where the copies' files go, tickets among them; they stay there.
    """
    dsn = endpoint.admin_url(prepared, endpoint.admin_database(prepared))
    with (
        psycopg.connect(dsn, autocommit=True) as administrator,
        LocalSource(the_market().answer) as server,
        socket.socket() as unheard,
    ):
        unheard.bind(("127.0.0.1", 0))
        yield Drill(prepared, administrator, server, folder, f"http://127.0.0.1:{unheard.getsockname()[1]}")


def _clock() -> Clock:
    """A clock on which waiting takes no time."""
    at = [ASKED_AT]

    def sleep(seconds: float) -> None:
        at[0] += dt.timedelta(seconds=seconds)

    return Clock(lambda: at[0], sleep, random.Random(1))


def _seen(conn: psycopg.Connection[Any], scenario: Scenario, done: Round, ticket: Ticket, started: float) -> Seen:
    content = json.loads(ticket.content)
    journal = conn.execute(
        "SELECT source, array_agg(DISTINCT outcome ORDER BY outcome) AS kinds, count(*) AS refusals "
        "FROM ops.price_fetches WHERE outcome <> %s GROUP BY source ORDER BY source",
        (OK,),
    ).fetchall()
    found = evidence.results(conn, ticket.run_id).get("NAMES_FROZEN") if ticket.run_id else None
    return Seen(
        verdict=ticket.verdict,
        reasons=tuple(content["reasons"]),
        journal={row["source"]: tuple(row["kinds"]) for row in journal},
        refusals={row["source"]: row["refusals"] for row in journal},
        given_up=tuple(sorted(tally.source for tally in done.down)),
        sources=_bars(conn, scenario.session, scenario.about or LACKING),
        cross_checked=content["cross_checked"],
        frozen=found.subjects if found else (),
        bought=tuple(line["symbol"] for line in content["lines"] if line["side"] == "BUY"),
        fx_day=dt.date.fromisoformat(content["inputs"]["fx_day"]) if content["inputs"]["fx_day"] else None,
        seconds=time.monotonic() - started,
    )


def _bars(conn: psycopg.Connection[Any], session: dt.date, names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    rows = conn.execute(
        "SELECT symbol, array_agg(DISTINCT source ORDER BY source) AS sources FROM ops.market_prices_eod "
        "WHERE session = %s GROUP BY symbol",
        (session,),
    )
    there = {row["symbol"]: tuple(row["sources"]) for row in rows}
    return {name: there.get(name, ()) for name in names}
