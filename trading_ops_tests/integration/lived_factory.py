"""A sim book on real prices that lived through two perfect weeks, ready to be cloned.

Belongs here: reading the real prices once, the book's two stages, clones of them, and looking at them as the superuser.
Does not belong here: what goes wrong in the third week (`fault_factory`).
"""

import datetime as dt
import functools
import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from trading_ops.commands.setup import prepare
from trading_ops.domain import universe as universes
from trading_ops.domain.answer import Answer
from trading_ops.domain.made_up_account import Credit
from trading_ops.domain.ticket_model import TicketContent
from trading_ops.planning import steps
from trading_ops.planning.direct import plan_now
from trading_ops.providers.files import FilesProvider
from trading_ops.providers.protocol import Fetched, Request
from trading_ops.settings import Settings
from trading_ops.simulation import executor, truth
from trading_ops.simulation.people import People
from trading_ops.simulation.weeks import Simulation
from trading_ops.store import configuration, market, roles
from trading_ops.store.server import Server
from trading_ops.store.tickets import Ticket
from trading_ops_tests.integration.home_factory import opened

MARKET = Path(os.environ.get("TRADING_OPS_SHARED", Path(__file__).resolve().parents[3] / "shared")) / "market"
needs_real_prices = pytest.mark.skipif(
    not MARKET.exists(), reason="the real prices are not beside the project (../shared/market, or TRADING_OPS_SHARED)"
)

FIRST_BAR = dt.date(2017, 6, 1)
FIRST_PLAN, SECOND_PLAN, ASOF = dt.date(2018, 1, 19), dt.date(2018, 1, 26), dt.date(2018, 2, 2)
SECOND_WINDOW = dt.date(2018, 1, 29)
AT = dt.datetime(2026, 1, 3, 9, tzinfo=dt.UTC)
"""The wall clock of everything in these books; nothing may depend on it."""
CASH = Decimal(20000)

Tables = dict[str, pa.Table]
_numbers = itertools.count(1)


@functools.cache
def real_prices(first: dt.date, last: dt.date) -> Tables:
    """Bars, actions and fixings of a span, as the provider of files delivers them."""
    path = MARKET / "universe.csv"
    universe = universes.parse_universe(path.read_text(encoding="utf-8"), str(path))
    answer = FilesProvider(MARKET).fetch(Request(universe, first, last, skip_unknown=True))
    assert isinstance(answer, Fetched), answer
    return {"bars": answer.bars, "actions": answer.actions, "fixings": answer.fixings}


DAY_OF = {"bars": "session", "actions": "ex_date", "fixings": "day"}


def days(tables: Tables, first: dt.date, last: dt.date) -> Tables:
    """The rows of a span of days."""
    return {
        kind: table.filter(
            pc.and_(pc.greater_equal(table[DAY_OF[kind]], first), pc.less_equal(table[DAY_OF[kind]], last))
        )
        for kind, table in tables.items()
    }


def deliver(conn: psycopg.Connection[Any], tables: Tables) -> None:
    """Load a delivery of the files provider."""
    with conn.transaction():
        market.write_load(
            conn, provider="files", origin="real prices", simulated=False, tables=tables, fetched_at=AT
        )  # fmt: skip


@dataclass(frozen=True)
class Lived:
    """The two stages of the book, as homes whose databases may be cloned, and what the broker did last.

    Attributes:
        fresh: Prices of the months before and the first plan's week; nobody has deposited anything.
        lived: Both tickets issued, the first answered and reconciled; the second executed but not yet answered.
        weeks: The same database with snapshot files of its own, for weeks that are rolled back.
        executed: The honest answers to the second ticket.
        credits: Dividends of the third week.
        cash_gbp: The broker's cash at the close of the third plan's as-of session.
        holdings: The broker's units then.
    """

    fresh: Settings
    lived: Settings
    weeks: Settings
    executed: tuple[Answer, ...]
    second: TicketContent
    credits: tuple[Credit, ...]
    cash_gbp: Decimal
    holdings: dict[str, Decimal]


def fresh_book(server: Server, administrator: psycopg.Connection[Any], name: str, book: str = "sim") -> Settings:
    """A home with an empty book that knows the names of the real prices."""
    home = Settings(server.settings.home / name, database_url=server.admin_dsn(), database=name)
    home.make_folders()
    shutil.copy2(server.settings.secrets_dir / "db.json", home.secrets_dir)
    _clone_database(administrator, server.settings.database, home)
    prepare(home, book, MARKET / "universe.csv", None)
    return home


@functools.cache
def live(server: Server, administrator: psycopg.Connection[Any]) -> Lived:
    """Live through the weeks; once a test process."""
    fresh = fresh_book(server, administrator, "fresh_2018")
    prices = real_prices(FIRST_BAR, ASOF)
    with opened(fresh) as conn:
        known = days(prices, FIRST_BAR, SECOND_WINDOW)
        deliver(conn, known | {"fixings": days(prices, FIRST_BAR, SECOND_PLAN)["fixings"]})

    lived = copy_of(fresh, administrator, server.settings.home / "lived_2018", "lived_2018")
    with opened(lived) as conn:
        policy = configuration.policy_in_force(conn).policy
        book = Simulation(
            conn, lived.snapshots_dir, policy, People("perfect", 1), lambda asof: plan(conn, lived, asof),
            FIRST_PLAN, SECOND_PLAN, CASH,
        )  # fmt: skip
        weeks = book.run()
        next(weeks)
        second = TicketContent.model_validate_json(next(weeks).ticket.content)
        broker = book.account
        executed = executor.execute(second, broker, [Decimal(1)] * len(second.lines))
        with conn.transaction(force_rollback=True):  # the broker lives on into a week that the book does not know yet
            deliver(conn, days(prices, SECOND_WINDOW, ASOF))
            broker.truth = truth.read(conn, FIRST_PLAN, ASOF, policy)
        broker.advance(ASOF)
    weeks = replace(lived, home=lived.home.with_name("lived_2018_weeks"))
    shutil.copytree(lived.home, weeks.home)
    return Lived(
        fresh,
        lived,
        weeks,
        tuple(executed),
        second,
        tuple(broker.credits[book.booked :]),
        broker.cash_gbp,
        broker.units(),
    )


def plan(conn: psycopg.Connection[Any], home: Settings, asof: dt.date) -> Ticket:
    """Plan a session and decide at once."""
    return plan_now(conn, home.tickets_dir, home.snapshots_dir, asof, at=AT)


def copy_of(stage: Settings, administrator: psycopg.Connection[Any], folder: Path, database: str) -> Settings:
    """A home of its own with a clone of a stage's database and its snapshot files."""
    home = replace(stage, home=folder, database=database)
    home.make_folders()
    shutil.copy2(stage.secrets_dir / "db.json", home.secrets_dir)
    for kept in ("snapshots_dir", "tickets_dir"):
        shutil.copytree(getattr(stage, kept), getattr(home, kept), dirs_exist_ok=True)
    _clone_database(administrator, stage.database, home)
    return home


def _clone_database(administrator: psycopg.Connection[Any], template: str, home: Settings) -> None:
    clone = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER ops_owner")
    administrator.execute(clone.format(sql.Identifier(home.database), sql.Identifier(template)))
    roles.open_database(home)


@contextmanager
def own_home(stage: Settings, administrator: psycopg.Connection[Any], folder: Path) -> Iterator[Settings]:
    """A copy of a stage for as long as a test needs it."""
    home = copy_of(stage, administrator, folder, f"copy_{next(_numbers)}")
    try:
        yield home
    finally:
        administrator.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(home.database)))


@contextmanager
def rolled_back(home: Settings) -> Iterator[psycopg.Connection[Any]]:
    """The home's database as the writer, and nothing of what happens in it is kept.

    What the process remembers of a run is put aside: never but here does one plan run in one home more than once.
    """
    options = "-c TimeZone=UTC -c search_path=pg_catalog"
    with (
        psycopg.connect(_admin_dsn(home), autocommit=True, row_factory=dict_row, options=options) as conn,
        conn.transaction(force_rollback=True),
        pytest.MonkeyPatch.context() as patch,
    ):
        conn.execute("SET LOCAL ROLE app_writer")
        patch.setattr(steps, "_LAST", {})
        yield conn


@contextmanager
def superuser(home: Settings) -> Iterator[psycopg.Connection[Any]]:
    """The one who can do what the product's roles cannot: change facts behind its back."""
    with psycopg.connect(_admin_dsn(home), autocommit=True) as conn:
        yield conn


def _admin_dsn(home: Settings) -> str:
    assert home.database_url is not None
    return psycopg.conninfo.make_conninfo(home.database_url, dbname=home.database)


def tamper(home: Settings, table: str, statement: str, params: tuple[object, ...] = ()) -> None:
    """Change a fact as the superuser, its triggers disabled; exactly one row."""
    name = sql.Identifier("ops", table)
    with superuser(home) as conn, conn.transaction():
        conn.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(name))
        assert conn.execute(statement, params).rowcount == 1
        for trigger in ("append_only", "append_only_truncate"):
            conn.execute(sql.SQL("ALTER TABLE {} ENABLE ALWAYS TRIGGER {}").format(name, sql.Identifier(trigger)))
