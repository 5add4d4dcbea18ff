"""Homes for tests of the loop: a small simulated market, a deposit and a broker snapshot, and Dagster's own database.

The first plan of such a home may trade: what a test wants to go wrong, it does itself.
"""

import datetime as dt
import functools
import itertools
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest
from psycopg import sql

from trading_ops.defs import in_process
from trading_ops.defs.resources import Desk
from trading_ops.domain import calendar
from trading_ops.domain import universe as universes
from trading_ops.domain.ledger import CashMovement
from trading_ops.planning import direct, steps
from trading_ops.providers.protocol import Fetched, Request
from trading_ops.providers.simulated import SimulatedProvider
from trading_ops.settings import Settings, shipped
from trading_ops.store import broker, ledger, market, roles
from trading_ops.store.plans import Plan
from trading_ops.store.server import Server
from trading_ops.store.tickets import Ticket
from trading_ops_tests.integration.home_factory import opened, set_up

ASOF = dt.date(2025, 2, 7)
PLAN_ID = ASOF.isoformat()
FIRST_BAR = dt.date(2024, 7, 1)
AT = dt.datetime(2026, 1, 3, 9, tzinfo=dt.UTC)
CASH = Decimal(20000)
NAMES = 24
_numbers = itertools.count(1)


def small_universe() -> str:
    """The head of the shipped universe, and the benchmark."""
    header, *rows = shipped("config", "universe.csv").read_text().splitlines()
    kept = [row for row in rows if row.startswith("SPY,")] + [row for row in rows if not row.startswith("SPY,")][:NAMES]
    return "\n".join([header, *kept]) + "\n"


@dataclass
class Loop:
    """One home with its open connection and Dagster instance."""

    home: Settings
    conn: psycopg.Connection[Any]
    instance: dg.DagsterInstance

    def desk(self, now: dt.datetime = AT) -> Desk:
        """The desk at a moment."""
        return Desk(self.conn, self.home, lambda: now)

    def plan(self, defs: dg.Definitions | None = None, at: dt.datetime = AT) -> Ticket:
        """The plan of `ASOF` through the jobs."""
        return in_process.plan_through_jobs(self.conn, self.home, ASOF, at=at, instance=self.instance, defs=defs)

    def directly(self) -> Ticket:
        """The same without Dagster."""
        return direct.plan_now(self.conn, self.home.tickets_dir, self.home.snapshots_dir, ASOF, at=AT)

    def registered(self) -> Plan:
        """The plan of `ASOF` in the schedule of record and as a partition."""
        plan = direct.register(self.conn, ASOF, AT)
        self.instance.add_dynamic_partitions("plan", [plan.plan_id])
        return plan

    def runs(self, job: str) -> list[dg.DagsterRun]:
        """Runs of a job, newest first."""
        return list(self.instance.get_runs(dg.RunsFilter(job_name=job)))

    def count(self, table: str) -> int:
        """Rows of a table."""
        row = self.conn.execute(f"SELECT count(*) AS n FROM ops.{table}").fetchone()
        assert row is not None
        return int(row["n"])


@functools.cache
def template(server: Server, administrator: psycopg.Connection[Any], book: str) -> Settings:
    """The home that tests clone; made once a process and book."""
    home = Settings(server.settings.home / f"loop_{book}", database_url=server.admin_dsn(), database=f"loop_{book}")
    home.make_folders()
    shutil.copy2(server.settings.secrets_dir / "db.json", home.secrets_dir)
    _clone(administrator, server.settings.database, home.database, "ops_owner")
    roles.open_database(home)
    text = small_universe()
    with opened(home) as conn:
        set_up(conn, book, text)
        universe = universes.parse_universe(text, "the test's universe")
        answer = SimulatedProvider(1).fetch(Request(universe, FIRST_BAR, ASOF, skip_unknown=True))
        assert isinstance(answer, Fetched), answer
        tables = {"bars": answer.bars, "actions": answer.actions, "fixings": answer.fixings}
        opening = calendar.open_utc(ASOF)
        deposit = CashMovement("6c1d7a52-8a0c-4e4b-9d0b-2f7d0d5b5c11", "deposit", CASH, ASOF, opening)
        with conn.transaction():
            market.write_load(
                conn, provider="simulated", origin="seed 1", simulated=True, tables=tables, fetched_at=AT
            )  # fmt: skip
            ledger.record_movement(conn, deposit, recorded_by="a test", why="opening deposit")
            broker.add_snapshot(
                conn, taken_at=calendar.close_utc(ASOF), session=ASOF, cash_gbp=CASH, holdings={}, origin="a test",
                entered_by="a test",
            )  # fmt: skip
    roles.create_database(administrator, home.dagster_database, roles.DAGSTER)
    in_process.instance_of.__wrapped__(home).dispose()  # makes Dagster's tables
    _disconnect(administrator, home.dagster_database)
    return home


@contextmanager
def lived_in(server: Server, administrator: psycopg.Connection[Any], folder: Path, book: str) -> Iterator[Loop]:
    """A home of a test's own."""
    stage = template(server, administrator, book)
    home = replace(stage, home=folder, database=f"loop_copy_{next(_numbers)}")
    home.make_folders()
    shutil.copy2(stage.secrets_dir / "db.json", home.secrets_dir)
    _clone(administrator, stage.database, home.database, "ops_owner")
    _clone(administrator, stage.dagster_database, home.dagster_database, roles.DAGSTER)
    roles.open_database(home)
    instance = in_process.instance_of.__wrapped__(home)
    try:
        with opened(home) as conn, pytest.MonkeyPatch.context() as patch:
            patch.setattr(steps, "_LAST", {})
            yield Loop(home, conn, instance)
    finally:
        instance.dispose()
        for database in (home.database, home.dagster_database):
            administrator.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))


def _clone(administrator: psycopg.Connection[Any], stage: str, name: str, owner: str) -> None:
    words = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}")
    administrator.execute(words.format(sql.Identifier(name), sql.Identifier(stage), sql.Identifier(owner)))


def _disconnect(administrator: psycopg.Connection[Any], database: str) -> None:
    """A database that somebody sits in cannot be cloned; Dagster's pool may keep a connection a moment longer."""
    administrator.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (database,))
