"""Pauses, look-ups and switched-off names are inputs of a ticket: altered later, a replay names them."""

import datetime as dt
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from trading_ops.domain.canonical import canonical_bytes, sha256_hex
from trading_ops.domain.judgement import Judgement
from trading_ops.domain.ticket import from_json, seal, to_markdown
from trading_ops.planning import inputs
from trading_ops.settings import Settings
from trading_ops.store import desk, name_checks, plans, tickets
from trading_ops.store.server import Server
from trading_ops_tests.integration import fault_factory as factory
from trading_ops_tests.integration import lived_factory as lived
from trading_ops_tests.integration.command_line import run
from trading_ops_tests.integration.home_factory import opened

pytestmark = lived.needs_real_prices

TICKET, PLAN = "2018-W05", lived.ASOF.isoformat()
LAST = dt.date(2018, 2, 9)
UNTIL = "UPDATE ops.kill_switch_events SET until = until + 1 WHERE state = 'PAUSED'"
LOOKUP = "UPDATE ops.name_checks SET outcome = 'cfd'"


@pytest.fixture(scope="module")
def told(embedded_server: Server, administrator: psycopg.Connection[Any]) -> Settings:
    """The lived book's third week with a pause, a state set within it, and a look-up."""
    book = lived.live(embedded_server, administrator)
    home = lived.copy_of(book.lived, administrator, embedded_server.settings.home / "told", "told")
    with opened(home) as conn:
        with conn.transaction():
            desk.set_kill_switch(conn, "PAUSED", lived.ASOF, "walking in Wales", "omar", LAST)
            desk.set_kill_switch(conn, "ACTIVE", lived.ASOF, "all is well", "omar")
            name_checks.record(conn, uuid.uuid4(), "AAPL", "missing", "", dt.date(2018, 1, 27), "anna")
        factory.happen(conn, factory.week(book, home))
        lived.plan(conn, home, lived.ASOF)
    return home


@pytest.fixture
def home(told: Settings, administrator: psycopg.Connection[Any], tmp_path: Path) -> Iterator[Settings]:
    with lived.own_home(told, administrator, tmp_path / "home") as own:
        yield own


def differing(home: Settings) -> str:
    done = run(home, "ticket", "replay", TICKET)
    assert done.code == 1, done
    return done.out


def announce(home: Settings, kind: str, was: str, now: str) -> None:
    """Make the announcement fit what was altered, so that only a hash can tell."""
    change = (
        "UPDATE ops.audit_log SET payload = replace(payload, %s, %s) WHERE kind = %s "
        "AND payload LIKE '%%' || %s || '%%'"
    )
    lived.tamper(home, "audit_log", change, (was, now, kind, was))


def test_the_ticket_is_rebuilt_and_states_both_hashes(told: Settings) -> None:
    assert run(told, "ticket", "replay", "all").code == 0
    with opened(told) as conn:
        stated = tickets.get(conn, TICKET).document["content"]["inputs"]
        earlier = tickets.get(conn, "2018-W03").document["content"]["inputs"]
    assert stated.keys() >= inputs.STATED_SINCE
    assert inputs.STATED_SINCE & earlier.keys() == {"kill_switch"}, "where there was none, no hash is stated"


def test_the_last_day_of_a_pause_altered_is_named(home: Settings) -> None:
    lived.tamper(home, "kill_switch_events", UNTIL)
    assert "kill switch PAUSED: until is 2018-02-10, announced was 2018-02-09" in differing(home)
    announce(home, "desk.kill_switch", "2018-02-09", "2018-02-10")
    assert "content.inputs.pauses_hash" in differing(home)


def test_a_look_up_altered_is_named(home: Settings) -> None:
    lived.tamper(home, "name_checks", LOOKUP)
    assert "look-up AAPL: outcome is cfd, announced was missing" in differing(home)
    announce(home, "universe.checked", '"missing"', '"cfd"')
    assert "content.inputs.lookups_hash" in differing(home)


def test_a_look_up_moved_to_another_name_is_named(home: Settings) -> None:
    lived.tamper(home, "name_checks", "UPDATE ops.name_checks SET symbol = 'AMZN'")
    assert differing(home).count("look-up AMZN: never announced") == 1


def test_an_entry_of_after_the_plan_is_no_business_of_its_ticket(home: Settings) -> None:
    with opened(home) as conn, conn.transaction():
        desk.set_kill_switch(conn, "PAUSED", LAST, "another", "omar", LAST)
    lived.tamper(home, "kill_switch_events", "UPDATE ops.kill_switch_events SET reason = 'x' WHERE reason = 'another'")
    assert run(home, "ticket", "replay", "all").code == 0
    assert run(home, "audit", "verify").code == 1


def unstated(home: Settings) -> None:
    """The ticket as one of before states its inputs."""
    with opened(home) as conn:
        ticket = tickets.get(conn, TICKET)
    document = ticket.document
    for name in inputs.STATED_SINCE:
        del document["content"]["inputs"][name]
    said = document["envelope"]
    content, _ = from_json(json.dumps({**document, "envelope": {**said, "content_sha256": _digest(document)}}))
    envelope = seal(
        content, run_id=said["run_id"], git_commit=said["git_commit"], git_dirty=said["git_dirty"],
        issued_at=dt.datetime.fromisoformat(said["issued_at_utc"]), audit_seq=said["audit_seq"],
        audit_hash=said["audit_hash"],
    )  # fmt: skip
    change = "UPDATE ops.tickets SET content = %s, content_sha256 = %s, envelope = %s, markdown = %s WHERE plan_id = %s"
    body = json.dumps(document["content"], ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    stored = (body, envelope.content_sha256, envelope.model_dump_json(), to_markdown(content, envelope), PLAN)
    lived.tamper(home, "tickets", change, stored)


def _digest(document: dict[str, Any]) -> str:
    return sha256_hex(canonical_bytes(document["content"]))


def test_a_ticket_of_before_is_rebuilt_by_the_rule_of_then(home: Settings) -> None:
    with opened(home) as conn:
        around = inputs.frame(conn, plans.get(conn, PLAN))
        run_ = plans.newest_run(conn, PLAN)
        assert run_ is not None
        now, then = (
            Judgement(inputs.load(conn, home.snapshots_dir, around, run_, left_out)).switch.state
            for left_out in (frozenset[str](), inputs.STATED_SINCE)
        )
    assert (now, then) == ("PAUSED", "ACTIVE")
    unstated(home)
    said = differing(home)
    assert "pauses_hash" not in said
    assert 'content.buys_gbp: the ticket says "0.00", recomputed' in said, (
        "the same ticket by the rule of then would have traded"
    )
