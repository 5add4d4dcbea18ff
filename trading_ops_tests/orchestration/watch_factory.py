"""A paper desk that the watch looks at, with people and a mail server: small steps that its tests share."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from trading_ops.comms import setup
from trading_ops.comms.sending import Sender, drain
from trading_ops.defs.sensors import watch
from trading_ops.domain import universe as universes
from trading_ops.planning import direct
from trading_ops.providers.protocol import Fetched, Request
from trading_ops.providers.simulated import SimulatedProvider
from trading_ops.store import broker, incidents, market, people
from trading_ops.store.incidents import Incident
from trading_ops.store.plans import Plan
from trading_ops.store.secret_files import write_secret
from trading_ops.watch import acting
from trading_ops.watch.acting import Looked
from trading_ops.watch.senses import Senses, free_bytes, wall_clock
from trading_ops_tests.integration.home_factory import opened
from trading_ops_tests.integration.smtp_server import MailServer
from trading_ops_tests.orchestration.loop_home import ASOF, AT, CASH, FIRST_BAR, Loop, small_universe

NEXT = ASOF + dt.timedelta(days=7)
OPERATOR = "op@home.test"


def inhabited(loop: Loop, server: MailServer) -> None:
    """An executor, an operator, and the way out for mail."""
    with opened(loop.home, "sign_in") as conn, conn.transaction():
        people.add(conn, "mum", "executor", "Mum", "mum@home.test", "no password")
        people.add(conn, "op", "operator", "Op", OPERATOR, "no password")
    write_secret(loop.home.secrets_dir / "secrets.env", server.settings())


def tick(loop: Loop, now: dt.datetime) -> str:
    """One tick of the sensor; what it says."""
    with dg.build_sensor_context(instance=loop.instance, resources={"desk": loop.desk(now)}) as context:
        result = watch(context)
    assert isinstance(result, dg.SkipReason)
    return str(result.skip_message)


def look(
    loop: Loop,
    now: dt.datetime,
    machine: Callable[[], dt.datetime] = wall_clock,
    free: Callable[[Path], int] = free_bytes,
) -> Looked:
    """One look with another clock or disk."""
    return acting.look(Senses(loop.conn, loop.home, now, machine, free))


def send(loop: Loop, now: dt.datetime) -> None:
    """Empty the outbox."""
    drain(Sender(loop.conn, setup.read(loop.home), lambda: now))


def of_kind(loop: Loop, kind: str) -> list[Incident]:
    """Every incident of a class there ever was."""
    return [each for each in incidents.every(loop.conn) if each.kind == kind]


def account_check(loop: Loop, asof: dt.date, cash: object = CASH) -> None:
    """What the account shows at a close."""
    at = dt.datetime.combine(asof, dt.time(22, 0), dt.UTC)
    row = loop.conn.execute("SELECT max(taken_at) AS newest FROM ops.broker_snapshots").fetchone()
    assert row is not None
    with loop.conn.transaction():
        broker.add_snapshot(
            loop.conn, taken_at=max(at, row["newest"] + dt.timedelta(minutes=5)), session=asof, cash_gbp=cash,  # type: ignore[arg-type]
            holdings={}, origin="a test", entered_by="a test",
        )  # fmt: skip


def another_week(loop: Loop) -> None:
    """The market goes on for a week."""
    universe = universes.parse_universe(small_universe(), "the test's universe")
    answer = SimulatedProvider(1).fetch(Request(universe, FIRST_BAR, NEXT, skip_unknown=True))
    assert isinstance(answer, Fetched), answer
    tables = {"bars": answer.bars, "actions": answer.actions, "fixings": answer.fixings}
    with loop.conn.transaction():
        market.write_load(
            loop.conn, provider="simulated", origin="seed 1", simulated=True, tables=tables, fetched_at=AT
        )  # fmt: skip


def evaluate(loop: Loop, asof: dt.date) -> Plan:
    """Register a plan and run it once; it stays undecided."""
    plan = direct.register(loop.conn, asof, AT)
    direct.run_plan(loop.conn, loop.home.snapshots_dir, plan.plan_id)
    return plan


def an_hour_in(plan: Plan) -> dt.datetime:
    """A moment at which a plan is open and not due."""
    return plan.opens_at + dt.timedelta(hours=1)


@dataclass(frozen=True)
class Case:
    """How a class is provoked, and how its cause goes away.

    Attributes:
        kind: The class.
        provoke: Make it happen; returns the moment to look at.
        mend: Do what the runbook says; returns the moment to look at. None: only a person closes it.
    """

    kind: str
    provoke: Callable[[Loop], dt.datetime]
    mend: Callable[[Loop], dt.datetime] | None
