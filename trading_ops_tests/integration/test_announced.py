"""What people said cannot be altered unseen: answers, account checks and the kill switch are held against the chain."""

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from trading_ops.desk import operator_note
from trading_ops.domain.answer import Answer
from trading_ops.domain.ledger import CashMovement
from trading_ops.settings import Settings
from trading_ops.store import announced, answers, audit, broker, desk, ledger, name_checks, statements, tickets
from trading_ops.store.server import Server
from trading_ops_tests.integration import lived_factory as lived
from trading_ops_tests.integration.home_factory import opened

pytestmark = lived.needs_real_prices

CHANGES = {
    "an answer's units": (
        "confirmations",
        "UPDATE ops.confirmations SET units = units + 1 WHERE line = 1 AND status = 'DONE'",
    ),
    "an answer's status": ("confirmations", "UPDATE ops.confirmations SET status = 'PARTIAL' WHERE line = 2"),
    "who answered": ("confirmations", "UPDATE ops.confirmations SET answered_by = 'eve' WHERE line = 2"),
    "cash that was shown": (
        "broker_snapshots",
        "UPDATE ops.broker_snapshots SET cash_gbp = 1 WHERE audit_seq = "
        "(SELECT max(audit_seq) FROM ops.broker_snapshots)",
    ),
    "a holding that was shown": (
        "broker_snapshot_holdings",
        "UPDATE ops.broker_snapshot_holdings SET units = units + 1 WHERE (snapshot_id, symbol) = "
        "(SELECT snapshot_id, symbol FROM ops.broker_snapshot_holdings LIMIT 1)",
    ),
    "the reason of a halt": ("kill_switch_events", "UPDATE ops.kill_switch_events SET reason = 'none'"),
    "a look-up": ("name_checks", "UPDATE ops.name_checks SET outcome = 'found'"),
    "how a difference was resolved": (
        "drift_resolutions",
        "UPDATE ops.drift_resolutions SET entries = '[]'",
    ),
    "who resolved a difference": ("drift_resolutions", "UPDATE ops.drift_resolutions SET accepted_by = 'eve'"),
    "from when a name is off": (
        "universe_disablements",
        "UPDATE ops.universe_disablements SET from_day = '2019-01-01'",
    ),
    "why a name is off": ("universe_disablements", "UPDATE ops.universe_disablements SET why = 'none'"),
    "why a ticket was withdrawn": ("ticket_withdrawals", "UPDATE ops.ticket_withdrawals SET reason = 'none'"),
    "who closed an incident": ("incident_closures", "UPDATE ops.incident_closures SET closed_by = 'eve'"),
    "whether an incident blocks": (
        "incidents",
        "UPDATE ops.incidents SET blocking = false WHERE class = 'UNBOOKED_TRADE'",
    ),
    "why a bar was accepted": ("quality_acceptances", "UPDATE ops.quality_acceptances SET why = 'none'"),
    "a statement's name": ("broker_statements", "UPDATE ops.broker_statements SET name = 'other.xlsx'"),
    "a statement's currency": ("broker_statements", "UPDATE ops.broker_statements SET currency = 'USD'"),
}
MOVED = {
    "a look-up": ("name_checks", "UPDATE ops.name_checks SET symbol = 'MSFT'"),
    "a name that is off": ("universe_disablements", "UPDATE ops.universe_disablements SET symbol = 'MSFT'"),
    "an accepted bar": ("quality_acceptances", "UPDATE ops.quality_acceptances SET session = '2018-01-25'"),
    "a withdrawal": ("ticket_withdrawals", "UPDATE ops.ticket_withdrawals SET plan_id = '2018-01-19'"),
}
"""Facts that now speak of something else: never announced, and what was announced is gone."""
VOIDS = {
    "why a fill is out of force": "UPDATE ops.ledger_voids SET why = 'none' WHERE movement_id IS NULL",
    "who took it out of force": "UPDATE ops.ledger_voids SET recorded_by = 'eve' WHERE fill_id IS NULL",
}


@pytest.fixture
def home(embedded_server: Server, administrator: psycopg.Connection[Any], tmp_path: Path) -> Iterator[Settings]:
    """A lived book, and one of everything that people can say."""
    book = lived.live(embedded_server, administrator)
    with lived.own_home(book.lived, administrator, tmp_path / "home") as own:
        with opened(own) as conn, conn.transaction():
            say_everything(conn, book.second.plan_id)
        yield own


def say_everything(conn: psycopg.Connection[Any], plan_id: str) -> None:
    day = dt.date(2018, 1, 27)
    desk.set_kill_switch(conn, "HALTED", lived.SECOND_PLAN, "a look at the books\u0301", "omar")
    name_checks.record(conn, uuid.uuid4(), "AAPL", "missing", "", day, "anna")
    answers.record_answers(
        conn, plan_id, [Answer(1, "FAILED", "missing")], answered_by="anna", where="a test",
        rate_of=lambda _: Decimal("1.41"),
    )  # fmt: skip
    tickets.withdraw(conn, plan_id, "prices were wrong", "omar")
    closed = operator_note.booked_by_hand(conn, "XYZ", {"units": "2"}, key="a test")
    desk.close_incident(conn, closed, "booked by hand", "omar")
    desk.accept_bar(conn, "AAPL", lived.SECOND_PLAN, "looked up", "omar")
    statements.add(
        conn, sha256=hashlib.sha256(b"a file").hexdigest(), name="statement.xlsx", versions={"Closed": "1"},
        currency="GBP", body=b"a file", rows=(), entered_by="anna",
    )  # fmt: skip
    row = conn.execute("SELECT f.fill_id FROM ops.ledger_trades_fills f WHERE side = 'BUY' LIMIT 1").fetchone()
    snapshot = conn.execute("SELECT snapshot_id FROM ops.broker_snapshots LIMIT 1").fetchone()
    assert row is not None
    assert snapshot is not None
    ledger.void(conn, fill_id=str(row["fill_id"]), why="never happened", recorded_by="omar")
    noon = dt.datetime(2018, 1, 27, 12, tzinfo=dt.UTC)
    fee = CashMovement(str(uuid.uuid4()), "fee", Decimal(-1), day, noon)
    ledger.record_movement(conn, fee, recorded_by="omar", why="a test")
    ledger.void(conn, movement_id=fee.movement_id, why="never happened", recorded_by="omar")
    resolution, entries = str(uuid.uuid4()), [{"kind": "VoidFill", "fill_id": str(row["fill_id"])}]
    told = {"class": "MISSED", "subject": "AAPL", "entries": entries, "accepted_by": "omar"}
    seq = audit.append(conn, "ledger.resolution", resolution, told)
    conn.execute(
        "INSERT INTO ops.drift_resolutions (resolution_id, snapshot_id, class, subject, sentence, entries, "
        "accepted_by, note, audit_seq) VALUES (%s, %s, 'MISSED', 'AAPL', 'it is missing', %s, 'omar', '', %s)",
        (resolution, snapshot["snapshot_id"], json.dumps(entries), seq),
    )


def test_a_holding_stored_where_none_was_announced_is_seen(home: Settings) -> None:
    with opened(home) as conn, conn.transaction():
        made = broker.add_snapshot(
            conn, taken_at=dt.datetime(2018, 1, 27, 12, tzinfo=dt.UTC), session=lived.SECOND_PLAN, cash_gbp=Decimal(1),
            holdings={"AAPL": (Decimal(0), 0)}, origin="page", entered_by="anna",
        )  # fmt: skip
    with opened(home) as conn:
        assert announced.tampered(conn) == []
    lived.tamper(
        home,
        "broker_snapshot_holdings",
        "INSERT INTO ops.broker_snapshot_holdings VALUES (%s, 'AAPL', 5, 0, now())",
        (made,),
    )
    with opened(home) as conn:
        (fault,) = announced.tampered(conn)
    assert fault.startswith(f"account check {made}: holdings is ")


def test_an_untouched_book_is_as_it_was_announced(home: Settings) -> None:
    with opened(home) as conn:
        assert announced.tampered(conn) == []
        assert ledger.tampered(conn) == []


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_every_change_is_seen(home: Settings, change: tuple[str, str]) -> None:
    lived.tamper(home, *change)
    with opened(home) as conn:
        (fault,) = announced.tampered(conn)
    assert "announced was" in fault


@pytest.mark.parametrize("change", MOVED.values(), ids=MOVED.keys())
def test_a_fact_that_speaks_of_something_else_is_seen(home: Settings, change: tuple[str, str]) -> None:
    lived.tamper(home, *change)
    with opened(home) as conn:
        faults = announced.tampered(conn)
    assert [fault.rsplit(": ")[-1] for fault in faults] == ["never announced", "announced, but no longer there"]


@pytest.mark.parametrize("change", VOIDS.values(), ids=VOIDS.keys())
def test_every_change_of_a_void_is_seen(home: Settings, change: str) -> None:
    lived.tamper(home, "ledger_voids", change)
    with opened(home) as conn:
        (fault,) = ledger.tampered(conn)
    assert "announced was" in fault


def test_a_void_that_is_gone_or_names_another_fill_is_seen(home: Settings) -> None:
    another = (
        "UPDATE ops.ledger_voids SET fill_id = (SELECT fill_id FROM ops.ledger_trades_fills "
        "WHERE fill_id NOT IN (SELECT fill_id FROM ops.ledger_voids WHERE fill_id IS NOT NULL) LIMIT 1) "
        "WHERE fill_id IS NOT NULL"
    )
    lived.tamper(home, "ledger_voids", another)
    with opened(home) as conn:
        assert sorted(fault.rsplit(": ")[-1] for fault in ledger.tampered(conn)) == [
            "announced, but no longer there", "never announced",
        ]  # fmt: skip
    lived.tamper(home, "ledger_voids", "DELETE FROM ops.ledger_voids WHERE fill_id IS NOT NULL")
    with opened(home) as conn:
        (fault,) = ledger.tampered(conn)
    assert "announced, but no longer there" in fault


def test_another_announcement_under_the_same_name_hides_no_change(home: Settings) -> None:
    with opened(home) as conn:
        (void,) = conn.execute("SELECT * FROM ops.ledger_voids WHERE fill_id IS NOT NULL").fetchall()
        audit.append(conn, "ledger.void", str(void["fill_id"]), {"why": "none", "recorded_by": "omar"})
    lived.tamper(home, "ledger_voids", "UPDATE ops.ledger_voids SET why = 'none' WHERE fill_id IS NOT NULL")
    with opened(home) as conn:
        assert len(ledger.tampered(conn)) == 2


def test_a_fact_that_is_gone_is_missed(home: Settings) -> None:
    lived.tamper(home, "kill_switch_events", "DELETE FROM ops.kill_switch_events")
    with opened(home) as conn:
        (fault,) = announced.tampered(conn)
    assert "announced, but no longer there" in fault
