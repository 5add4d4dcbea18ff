"""The kill switch on the real prices of 2008: a drawdown beyond the policy halts the desk; only a person lifts it."""

import datetime as dt
import subprocess
from typing import Any

import psycopg

from trading_ops.domain.incidents import CLASSES
from trading_ops.domain.watching import judge
from trading_ops.simulation.people import People
from trading_ops.simulation.weeks import Simulation
from trading_ops.store import audit, configuration, desk
from trading_ops.store.connect import connect
from trading_ops.store.server import Server
from trading_ops.store.tickets import Ticket
from trading_ops.watch.senses import Senses, gather
from trading_ops_tests.integration import lived_factory
from trading_ops_tests.integration.command_line import COMMAND, run
from trading_ops_tests.integration.home_factory import opened
from trading_ops_tests.integration.lived_factory import needs_real_prices

FIRST, HALT, THEN, LIFTED = (dt.date(2008, 1, 4), dt.date(2008, 10, 3), dt.date(2008, 10, 10), dt.date(2008, 10, 17))


def gate(ticket: Ticket, code: str) -> dict[str, str]:
    """What a ticket says of a rule."""
    (found,) = [g for g in ticket.document["content"]["gates"] if g["code"] == code]
    return dict(found)


@needs_real_prices
def test_a_drawdown_of_21_percent_halts_within_its_plan_and_only_a_reason_lifts_it(
    embedded_server: Server, administrator: psycopg.Connection[Any]
) -> None:
    home = lived_factory.fresh_book(embedded_server, administrator, "bear_2008")
    with opened(home) as conn:
        lived_factory.deliver(conn, lived_factory.real_prices(dt.date(2007, 5, 1), dt.date(2008, 10, 24)))
        policy = configuration.policy_in_force(conn).policy
        book = Simulation(
            conn, home.snapshots_dir, policy, People("perfect", 1), lambda asof: lived_factory.plan(conn, home, asof),
            FIRST, HALT, lived_factory.CASH,
        )  # fmt: skip
        weeks = {week.asof: week.ticket for week in book.run()}
        at_halt = weeks[HALT]
        assert gate(at_halt, "DRAWDOWN")["seen"] == "0.2152, state ACTIVE"
        assert at_halt.document["content"]["reasons"] == ["DRAWDOWN"]
        assert at_halt.verdict == "NO-TRADE"
        (event,) = desk.kill_switch_events(conn, audit.head(conn).seq)
        assert (event.state, event.session, event.set_by) == ("HALTED", HALT, "risk engine")
        row = conn.execute(
            "SELECT k.xmin = t.xmin AS together FROM ops.kill_switch_events k, ops.tickets t WHERE t.plan_id = %s",
            (at_halt.plan_id,),
        ).fetchone()
        assert row == {"together": True}, "in the transaction of the ticket"
        assert "Kill switch: ACTIVE." in at_halt.markdown

    # Another process: nothing of the first one is left.
    shown = subprocess.run(
        [COMMAND, "desk", "show"],
        env=home.to_env() | {"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"HALTED since {HALT}" in shown.stdout
    with opened(home) as conn:
        halted = lived_factory.plan(conn, home, THEN)
        assert halted.verdict == "NO-TRADE"
        assert "KILL_SWITCH" in halted.document["content"]["reasons"]
        (told,) = [row for row in halted.markdown.splitlines() if "Kill switch:" in row]
        assert told.startswith(f"- Kill switch: HALTED since {HALT}: The book is 21."), told
        seen = gather(Senses(conn, home, dt.datetime(2008, 10, 11, 9, tzinfo=dt.UTC)))
        (cause,) = [
            c for c in judge(seen, dt.datetime(2008, 10, 11, 9, tzinfo=dt.UTC)).causes if c.kind == "KILL_SWITCH"
        ]
        assert cause.title == CLASSES["KILL_SWITCH"].title.format(state="HALTED")

    refused = run(home, "desk", "set", "ACTIVE", "--from", THEN.isoformat(), "--reason", "  ")
    assert refused.code == 1
    assert "The reason is missing" in refused.err
    assert run(home, "desk", "set", "ACTIVE", "--from", THEN.isoformat()).code != 0
    with connect(home, "app_writer") as conn:
        assert len(desk.kill_switch_events(conn, audit.head(conn).seq)) == 1
    said = run(home, "desk", "set", "ACTIVE", "--from", LIFTED.isoformat(), "--reason", "we looked at every holding")
    assert said.code == 0
    with opened(home) as conn:
        *_, lifted = desk.kill_switch_events(conn, audit.head(conn).seq)
        assert (lifted.state, lifted.reason) == ("ACTIVE", "we looked at every holding")
        assert lifted.set_by
        after = lived_factory.plan(conn, home, LIFTED)
        assert not {"KILL_SWITCH", "DRAWDOWN"} & set(after.document["content"]["reasons"])
        assert f"Kill switch: ACTIVE since {LIFTED}: we looked at every holding." in after.markdown
