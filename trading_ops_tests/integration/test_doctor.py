"""doctor names what is wrong with a home or a desk, and what to do about it."""

import datetime as dt
import json
import uuid
import zoneinfo
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from trading_ops.domain.clock_evidence import Reading
from trading_ops.settings import Settings
from trading_ops.store import backups, desk, doctor, fetches
from trading_ops.store.connect import connect
from trading_ops.store.doctor import Finding, Machine
from trading_ops.store.fetches import Fetch
from trading_ops.store.roles import DAGSTER
from trading_ops.store.secret_files import write_secret
from trading_ops_tests.integration import home_factory
from trading_ops_tests.integration.command_line import run
from trading_ops_tests.integration.home_factory import opened
from trading_ops_tests.integration.lived_factory import superuser
from trading_ops_tests.integration.smtp_server import MailServer


def wrong(home: Settings, machine: Machine | None = None) -> dict[str, Finding]:
    return {f.name: f for f in doctor.examine(home, machine=machine) if not f.ok}


def of_command(home: Settings) -> dict[str, dict[str, Any]]:
    """Rows of the command by what they asked."""
    return {row["check"]: row for row in json.loads(run(home, "doctor", "--json").out)}


@pytest.fixture
def live(fresh_home: Settings) -> Settings:
    with opened(fresh_home) as conn:
        home_factory.set_up(conn, book="live")
    return fresh_home


def test_every_question_says_what_to_do(fresh_home: Settings) -> None:
    found = doctor.examine(fresh_home)
    assert [f.name for f in found if not f.ok] == []
    assert [f.name for f in found if not f.fix and f.name != "database"] == []


def test_a_schema_and_rights_that_were_changed_by_hand_are_named(fresh_home: Settings) -> None:
    with superuser(fresh_home) as conn:
        conn.execute("DROP TRIGGER append_only ON ops.audit_log")
        conn.execute("GRANT UPDATE ON ops.tickets TO app_writer")
    found = wrong(fresh_home)
    assert set(found) == {"schema", "rights of the roles"}
    assert "restore a backup" in found["schema"].fix


def test_a_full_disk_and_a_clock_that_runs_wrong_are_named(live: Settings) -> None:
    here = Machine.here(live)
    assert set(wrong(live, replace(here, free_bytes=1_000_000))) == {"disk"}
    behind = replace(here, now=here.now - dt.timedelta(hours=3))
    assert set(wrong(live, behind)) == {"clock against the database's", "clock against the newest entry"}
    assert "ntp" in wrong(live, behind)["clock against the newest entry"].fix


def test_a_clock_that_two_sources_deny_is_named_and_one_source_is_only_shown(live: Settings) -> None:
    def asked(source: str, minutes: int) -> None:
        now = dt.datetime.now(dt.UTC)
        clocks = Reading(now, now + dt.timedelta(minutes=minutes))
        with opened(live) as conn:
            row = Fetch(uuid.uuid4(), source, "fixings", None, None, None, now, 1, fetches.OK, clocks=clocks)
            fetches.record(conn, row)

    asked("ecb", 90)
    (shown,) = (f for f in doctor.examine(live) if f.name == "clock against the sources'")
    assert (shown.ok, shown.seen) == (True, "ecb +5400 s")
    asked("yahoo", 91)
    assert wrong(live)["clock against the sources'"].seen == "ecb +5400 s, yahoo +5460 s"
    asked("yahoo", 0)
    assert wrong(live) == {}


def test_a_torn_time_zone_is_named(fresh_home: Settings, tmp_path: Path) -> None:
    torn = tmp_path / "Europe" / "London"
    torn.parent.mkdir()
    torn.write_bytes(b"no time zone")
    zoneinfo.reset_tzpath(to=[tmp_path])
    zoneinfo.ZoneInfo.clear_cache()
    try:
        assert "tzdata" in wrong(fresh_home)["time zone Europe/London"].fix
    finally:
        zoneinfo.reset_tzpath()
        zoneinfo.ZoneInfo.clear_cache()


def test_a_live_desk_without_backup_mail_and_daemon_is_not_well(live: Settings, dagster_database: str) -> None:
    done = run(live, "doctor")
    assert done.code == 1
    rows = of_command(live)
    bad = {name for name, row in rows.items() if row["ok"] == "NO"}
    assert {"proven backup", "mail", "Dagster's daemon"} <= bad
    assert rows["proven backup"]["fix"] == "Run `trading-ops backup create`."
    assert rows["Dagster's daemon"]["seen"] == "never heard of"


def test_a_live_desk_that_runs_is_well(live: Settings, conn_of_dagster: psycopg.Connection[Any]) -> None:
    now = dt.datetime.now(dt.UTC)
    with opened(live) as conn, conn.transaction():
        backups.record_made(conn, "20260101T000000Z-00000000", now, "0" * 64, 1)
        backups.record_proof(conn, "20260101T000000Z-00000000", "0" * 64, now)
    conn_of_dagster.execute("CREATE TABLE public.daemon_heartbeats (daemon_type text, timestamp timestamp)")
    beat = "INSERT INTO public.daemon_heartbeats VALUES ('SENSOR', now() AT TIME ZONE 'UTC' - %s::interval)"
    conn_of_dagster.execute(beat, ("10 seconds",))
    with MailServer() as server:
        write_secret(
            live.secrets_dir / "secrets.env",
            server.settings(),
        )
        rows = of_command(live)
        assert [row for row in rows.values() if row["ok"] == "NO"] == []
        assert server.received == []
    silent = of_command(live)["mail"]
    assert silent["ok"] == "NO"
    assert silent["seen"].endswith(" does not answer: Connection refused")
    conn_of_dagster.execute(beat, ("20 minutes",))
    assert "last heard of" in of_command(live)["Dagster's daemon"]["seen"]
    assert of_command(live)["Dagster's daemon"]["ok"] == "NO"


@pytest.fixture
def conn_of_dagster(live: Settings, dagster_database: str) -> Iterator[psycopg.Connection[Any]]:
    """A look into Dagster's own database."""
    with connect(live, DAGSTER) as conn:
        conn.autocommit = True
        yield conn


def test_a_simulated_desk_is_asked_for_none_of_it(fresh_home: Settings) -> None:
    with opened(fresh_home) as conn:
        home_factory.set_up(conn, book="sim")
        assert desk.book(conn) == "sim"
    assert run(fresh_home, "doctor").code == 0
