"""The two sensors of the post: what their ticks say, and that they remember nothing."""

import datetime as dt

import dagster as dg
import pytest

from trading_ops.comms import setup
from trading_ops.comms.sending import Sender, drain
from trading_ops.defs.comms.sensors import outbox_sender, reminders
from trading_ops.domain import calendar
from trading_ops.domain.errors import ConfigError
from trading_ops.planning import direct
from trading_ops.store import desk, outbox, people
from trading_ops.store.secret_files import write_secret
from trading_ops_tests.integration.home_factory import opened
from trading_ops_tests.integration.smtp_server import REFUSED, MailServer
from trading_ops_tests.orchestration.loop_home import ASOF, Loop

EXECUTOR, OPERATOR = "mum@home.test", "op@home.test"


def tick(loop: Loop, sensor: dg.SensorDefinition, now: dt.datetime) -> str:
    """What a tick says."""
    with dg.build_sensor_context(instance=loop.instance, resources={"desk": loop.desk(now)}) as context:
        result = sensor(context)
    assert isinstance(result, dg.SkipReason)
    return str(result.skip_message)


def inhabited(loop: Loop, server: MailServer) -> None:
    with opened(loop.home, "sign_in") as conn, conn.transaction():
        people.add(conn, "mum", "executor", "Mum", EXECUTOR, "no password")
        people.add(conn, "op", "operator", "Op", OPERATOR, "no password")
    write_secret(loop.home.secrets_dir / "secrets.env", server.settings())


def test_a_plans_ticket_reaches_both_and_what_is_missing_is_asked_for(paper: Loop) -> None:
    with MailServer() as server:
        inhabited(paper, server)
        saturday = dt.datetime(2025, 2, 8, 9, tzinfo=dt.UTC)
        home = paper.home
        ticket = direct.plan_now(paper.conn, home.tickets_dir, home.snapshots_dir, ASOF, at=saturday)
        content = ticket.document["content"]
        assert ticket.verdict == "TRADE"
        opens = dt.datetime.fromisoformat(content["window"]["open_utc"])
        assert tick(paper, outbox_sender, opens - dt.timedelta(hours=5)) == "2 sent."
        assert tick(paper, outbox_sender, opens - dt.timedelta(hours=5)) == "Nothing to send."
        assert tick(paper, reminders, opens - dt.timedelta(hours=1)) == "Nobody has to be reminded now."
        assert tick(paper, reminders, opens) == f"ticket.window of {ticket.plan_id}"
        assert tick(paper, reminders, opens) == "Nobody has to be reminded now."
        assert tick(paper, outbox_sender, opens) == "1 sent."
    assert len(server.to(EXECUTOR)) == 2
    number = len(content["lines"])
    assert f"{number} things to do on eToro" in server.to(EXECUTOR)[0].subject
    assert server.to(EXECUTOR)[0].links[0].endswith(f"/confirm/{ticket.ticket_id}")


def test_one_refused_address_holds_up_no_other_and_the_tick_says_so(paper: Loop) -> None:
    with MailServer(refuse={EXECUTOR: REFUSED}) as server:
        inhabited(paper, server)
        paper.directly()
        said = tick(paper, outbox_sender, calendar.close_utc(ASOF))
    assert said == f"1 sent, 1 dead. {EXECUTOR}: {REFUSED}."
    assert len(server.to(OPERATOR)) == 1
    assert len(outbox.dead(paper.conn)) == 1


def test_without_settings_and_in_a_simulation_the_tick_says_why_not(paper: Loop, sim: Loop) -> None:
    paper.directly()
    assert tick(paper, outbox_sender, calendar.close_utc(ASOF)).startswith("Mail is off: SMTP_HOST is not set")
    with MailServer() as server:
        inhabited(sim, server)
        sim.directly()
        assert tick(sim, outbox_sender, calendar.close_utc(ASOF)) == (
            "The book is simulated, so nobody is told anything."
        )
        assert tick(sim, reminders, calendar.close_utc(ASOF)) == "Nobody has to be reminded now."
    assert server.offered == 0


def test_a_tick_with_much_to_send_stops_in_time_and_the_next_goes_on(paper: Loop) -> None:
    for n in range(6):
        with paper.conn.transaction():
            desk.enqueue(paper.conn, f"alert:{n}", f"alert.{n}", None, {"sentence": "x"})
    clock = iter(calendar.close_utc(ASOF) + dt.timedelta(seconds=8 * n) for n in range(1000))
    with MailServer() as server:
        inhabited(paper, server)
        sender = Sender(paper.conn, setup.read(paper.home), lambda: next(clock))
        first = drain(sender, budget=dt.timedelta(seconds=60))
        assert 0 < first.counts["sent"] < 6
        assert first.waiting == 6 - first.counts["sent"]
        while drain(sender, budget=dt.timedelta(seconds=60)).waiting:
            pass
    assert len({mail.identity for mail in server.received}) == len(server.received) == 6


def test_settings_that_cannot_be_right_make_the_tick_red_without_showing_them(paper: Loop) -> None:
    write_secret(paper.home.secrets_dir / "secrets.env", "SMTP_HOST=mail.home.test\nSMTP_PASSWORD=s3ntinel\n")
    with pytest.raises(ConfigError, match="SMTP_USER and SMTP_PASSWORD") as refused:
        tick(paper, outbox_sender, calendar.close_utc(ASOF))
    assert "s3ntinel" not in str(refused.value)
