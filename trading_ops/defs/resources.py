"""The desk as a resource: the home's database, its server kept alive meanwhile, and the clock."""

import datetime as dt
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import dagster as dg
import psycopg

from trading_ops.intake.pacing import Clock
from trading_ops.intake.sources import Addresses
from trading_ops.settings import Settings
from trading_ops.store import migrate
from trading_ops.store.connect import connect
from trading_ops.store.server import Server


def wall_clock() -> dt.datetime:
    """Now, UTC."""
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True)
class Desk:
    """What assets and sensors work with: a writer's connection in autocommit, the home, and now.

    `addresses` and `sleep` are for tests, whose sources are played and where nobody waits.
    """

    conn: psycopg.Connection[Any]
    settings: Settings
    now: Callable[[], dt.datetime] = wall_clock
    addresses: Addresses | None = None
    sleep: Callable[[float], None] = time.sleep

    @property
    def clock(self) -> Clock:
        """Time, for asking sources."""
        return Clock(self.now, self.sleep)


@dg.resource(description="The home of TRADING_OPS_HOME: its database, its folders and the wall clock.")
def desk_of_home(_context: dg.InitResourceContext) -> Iterator[Desk]:
    """The desk of the environment's home, open as long as a run or a tick needs it."""
    settings = Settings.from_env()
    with Server(settings).use(), connect(settings, "app_writer") as conn:
        conn.autocommit = True  # every write says where its transaction begins and ends
        migrate.require_current(settings, conn)
        yield Desk(conn, settings)
