"""What checks cannot see, telling again, taking on, several looks at once, and the sign of life."""

import datetime as dt
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest

from trading_ops.build import build_defs
from trading_ops.desk import incidents as acts
from trading_ops.desk import switching
from trading_ops.domain.errors import BadInput, Refused
from trading_ops.domain.incidents import CLASSES, WATCH
from trading_ops.planning import direct
from trading_ops.store import announced, audit, desk, incidents, plans
from trading_ops.store.secret_files import write_secret
from trading_ops.store.server import Server
from trading_ops.watch import acting, heartbeat
from trading_ops.watch.senses import Senses, wall_clock
from trading_ops_tests.integration.command_line import run
from trading_ops_tests.integration.desk_factory import at_once
from trading_ops_tests.integration.home_factory import opened
from trading_ops_tests.integration.smtp_server import MailServer, closed_port
from trading_ops_tests.orchestration.loop_home import ASOF, AT, Loop, lived_in
from trading_ops_tests.orchestration.watch_factory import inhabited, look, of_kind, send, tick

HOUR = dt.timedelta(hours=1)


def database_now(loop: Loop) -> dt.datetime:
    row = loop.conn.execute("SELECT clock_timestamp() AS now").fetchone()
    assert row is not None
    moment: dt.datetime = row["now"]
    return moment


def halt(loop: Loop) -> None:
    with loop.conn.transaction():
        switching.set_state(loop.conn, "HALTED", ASOF, "the broker is down", "op")


def test_a_live_desk_without_a_proven_backup_is_told_of_until_one_is_proven(
    embedded_server: Server, administrator: psycopg.Connection[Any], tmp_path: Path
) -> None:
    with lived_in(embedded_server, administrator, tmp_path / "live", "live") as live, MailServer() as server:
        inhabited(live, server)
        tick(live, AT)
        tick(live, AT)
        send(live, AT)
        (made,) = incidents.open_ones(live.conn)
        assert made.kind == "BACKUP_UNPROVEN"
        assert len(server.received) == 1
        result = build_defs().resolve_job_def("backup_job").execute_in_process(
            instance=live.instance, resources={"desk": live.desk(AT)}, raise_on_error=False,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )  # fmt: skip
        assert result.success
        row = live.conn.execute("SELECT made_at FROM ops.backups").fetchone()
        assert row is not None
        tick(live, row["made_at"] + HOUR)
        assert incidents.open_ones(live.conn) == ()
        tick(live, row["made_at"] + 50 * HOUR)
        assert [each.closed_by for each in of_kind(live, "BACKUP_UNPROVEN")] == [None, WATCH], (
            "another time, another one"
        )


def test_a_wrong_clock_blocks_every_plan_until_it_is_right(paper: Loop) -> None:
    def fast() -> dt.datetime:
        return wall_clock() + 3 * HOUR

    look(paper, AT, machine=fast)
    look(paper, AT, machine=fast)
    (made,) = incidents.open_ones(paper.conn)
    assert made.kind == "CLOCK_WRONG"
    assert desk.open_blocking_incidents(paper.conn, audit.head(paper.conn).seq) == (made.title,)
    direct.register(paper.conn, ASOF, AT)
    refused = direct.plan_now(paper.conn, paper.home.tickets_dir, paper.home.snapshots_dir, ASOF, at=AT)
    assert "INCIDENT_OPEN" in refused.document["content"]["reasons"]
    looked = look(paper, AT)
    assert "seconds apart" in looked.closed[0]
    assert desk.open_blocking_incidents(paper.conn, audit.head(paper.conn).seq) == ()


def test_a_full_disk_and_a_mail_server_that_is_away(paper: Loop) -> None:
    with MailServer() as server:
        inhabited(paper, server)
        there = server.settings()
    look(paper, AT, free=lambda _: 10**9)
    (made,) = incidents.open_ones(paper.conn)
    assert (made.kind, made.blocking) == ("DISK_FILLING", False)
    assert "0.9 GiB are free" in made.details["sentence"]
    write_secret(
        paper.home.secrets_dir / "secrets.env",
        there.replace(there.split("SMTP_PORT=")[1].split("\n")[0], str(closed_port())),
    )
    later = database_now(paper) + 3 * HOUR
    send(paper, later)
    look(paper, later)
    (stuck,) = of_kind(paper, "OUTBOX_STUCK")
    assert "waits since" in stuck.details["sentence"]
    assert [each.closed_by for each in of_kind(paper, "DISK_FILLING")] == [WATCH]
    with MailServer() as server:
        write_secret(paper.home.secrets_dir / "secrets.env", server.settings())
        send(paper, later + 10 * HOUR)
        look(paper, later + 10 * HOUR)
    assert [each.closed_by for each in of_kind(paper, "OUTBOX_STUCK")] == [WATCH]


def test_a_part_that_fails_blinds_itself_alone_and_closes_nothing_of_its_own(paper: Loop) -> None:
    halt(paper)
    look(paper, AT, free=lambda _: 10**9)

    def torn(_: Path) -> int:
        raise OSError("no such device")

    looked = look(paper, AT, free=torn)
    assert [each.split(" ")[0] for each in looked.blind] == ["disk"]
    assert {each.kind for each in incidents.open_ones(paper.conn)} == {"KILL_SWITCH", "DISK_FILLING", "WATCH_BLIND"}
    look(paper, AT)
    assert {each.kind for each in incidents.open_ones(paper.conn)} == {"KILL_SWITCH"}


def test_what_nobody_takes_on_is_told_again_ever_more_rarely_and_no_more_once_somebody_has(paper: Loop) -> None:
    halt(paper)
    with MailServer() as server:
        inhabited(paper, server)
        start = database_now(paper)
        tick(paper, start)
        send(paper, start)
        counts = []
        for hours in (11, 13, 20, 35, 37, 60, 85, 500):
            tick(paper, start + hours * HOUR)
            send(paper, start + hours * HOUR)
            counts.append(len(server.received))
        assert counts == [1, 2, 2, 2, 3, 3, 4, 4]
        assert "An incident waits for somebody" in server.received[-1].subject
    (made,) = of_kind(paper, "KILL_SWITCH")
    assert made.level == 3
    assert announced.tampered(paper.conn) == []


def test_an_incident_is_taken_on_once_by_a_named_person_with_a_note(paper: Loop) -> None:
    halt(paper)
    start = database_now(paper)
    tick(paper, start)
    (made,) = incidents.open_ones(paper.conn)
    with opened(paper.home, "operator_ui") as conn:
        with pytest.raises(BadInput, match="going to do"), conn.transaction():
            acts.acknowledge(conn, made.incident_id, " ", "op")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="is not who sits"), conn.transaction():
            acts.acknowledge(conn, made.incident_id, "calling the broker", "op")
        for attempt in range(2):
            with conn.transaction():
                audit.speaking_as(conn, "op")
                if attempt:
                    with pytest.raises(Refused, match="op has acknowledged"):
                        acts.acknowledge(conn, made.incident_id, "again", "op")
                else:
                    assert "It stays open" in acts.acknowledge(conn, made.incident_id[:8], "calling the broker", "op")
        conn.execute("SELECT set_config('ops.person', 'op', false)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="is not who sits"), conn.transaction():
            switching.close_incident(conn, made.incident_id, "a forged end", WATCH)
    tick(paper, start + 100 * HOUR)
    (kept,) = incidents.open_ones(paper.conn)
    assert (kept.acknowledged_by, kept.note, kept.level) == ("op", "calling the broker", 0)


def test_what_a_person_closed_is_not_opened_again_for_the_same_occasion(paper: Loop) -> None:
    halt(paper)
    tick(paper, AT)
    (made,) = incidents.open_ones(paper.conn)
    with paper.conn.transaction():
        switching.close_incident(paper.conn, made.incident_id, "we know", "op")
    tick(paper, AT)
    assert incidents.open_ones(paper.conn) == ()
    halt(paper)
    tick(paper, AT)
    assert len(incidents.open_ones(paper.conn)) == 1, "halted anew"


def test_a_run_that_failed_is_told_of_without_being_run_again_for_that(paper: Loop) -> None:
    halt(paper)
    direct.register(paper.conn, ASOF, AT)
    of = direct.run_plan(paper.conn, paper.home.snapshots_dir, ASOF.isoformat())
    tick(paper, AT)
    assert of_kind(paper, "KILL_SWITCH")
    assert plans.is_current(paper.conn, of.run)


def test_two_looks_at_once_open_one_incident(paper: Loop) -> None:
    halt(paper)

    def one() -> object:
        with opened(paper.home) as conn:
            return acting.look(Senses(conn, paper.home, AT))

    results = at_once(one, one, one)
    assert all(isinstance(each, acting.Looked) for each in results), results
    assert len(of_kind(paper, "KILL_SWITCH")) == 1
    row = paper.conn.execute("SELECT count(*) AS n FROM ops.outbox WHERE kind = 'incident.opened'").fetchone()
    assert row == {"n": 1}


def test_the_watch_of_a_simulated_book_opens_nothing_and_tells_nobody(sim: Loop) -> None:
    halt(sim)
    assert "simulated" in tick(sim, AT)
    assert (sim.count("incidents"), sim.count("outbox")) == (0, 0)


@contextmanager
def listener(status: int = 200) -> Iterator[tuple[int, list[str]]]:
    """Somebody outside who waits for the sign of life."""
    heard: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.path)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1], heard
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_the_sign_of_life_is_off_by_default_and_never_breaks_a_look(
    paper: Loop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    secrets = paper.home.secrets_dir / "secrets.env"
    assert heartbeat.beat(paper.home) == "off"
    with listener() as (port, heard):
        tick(paper, AT)
        assert heard == []
        write_secret(secrets, f"HEARTBEAT_URL=http://127.0.0.1:{port}/ping/s3cret\n")
        tick(paper, AT)
        assert heard == ["/ping/s3cret"]
        assert heartbeat.beat(paper.home) == "sent"
    assert "not taken" in heartbeat.beat(paper.home)
    with listener(500) as (port, _):
        write_secret(secrets, f"HEARTBEAT_URL=http://127.0.0.1:{port}/ping/s3cret\n")
        assert "not taken" in heartbeat.beat(paper.home)
        tick(paper, AT)
    write_secret(secrets, "HEARTBEAT_URL=http://outside.example/s3cret\n")
    said = heartbeat.beat(paper.home)
    assert "must begin with https" in said
    tick(paper, AT)
    assert "s3cret" not in said + caplog.text


def test_a_look_that_was_blind_is_red_and_gives_no_sign_of_life(paper: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    def torn(_: object) -> dict[str, object]:
        raise ValueError("torn")

    monkeypatch.setattr("trading_ops.watch.senses._clocks", torn)
    with listener() as (port, heard):
        write_secret(paper.home.secrets_dir / "secrets.env", f"HEARTBEAT_URL=http://127.0.0.1:{port}/\n")
        with pytest.raises(dg.Failure, match="clocks"):
            tick(paper, AT)
        assert heard == []


def test_the_commands_list_show_acknowledge_and_close(paper: Loop) -> None:
    halt(paper)
    assert "Opened: KILL_SWITCH" in run(paper.home, "watch").out
    (made,) = of_kind(paper, "KILL_SWITCH")
    number = made.incident_id[:8]
    assert number in run(paper.home, "incident", "list").out
    shown = run(paper.home, "incident", "show", number).out
    for words in (CLASSES["KILL_SWITCH"].means, CLASSES["KILL_SWITCH"].how, "the broker is down"):
        assert words in shown
    assert "There is no incident ffff" in run(paper.home, "incident", "show", "ffff").err
    assert "Write what" in run(paper.home, "incident", "close", number, "--note", " ").err
    assert "Acknowledged by" in run(paper.home, "incident", "ack", number, "--note", "calling the broker").out
    assert (
        "Closed: The kill switch is HALTED" in run(paper.home, "incident", "close", number, "--note", "it is back").out
    )
    assert "No incident is open" in run(paper.home, "incident", "list").out
    assert "it is back" in run(paper.home, "incident", "show", number, "--json").out
