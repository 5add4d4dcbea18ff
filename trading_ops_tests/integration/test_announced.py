"""What people said cannot be altered unseen: answers, account checks and the kill switch are held against the chain."""

import datetime as dt
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from trading_ops.settings import Settings
from trading_ops.store import announced, desk, name_checks
from trading_ops.store.server import Server
from trading_ops_tests.integration import lived_factory as lived
from trading_ops_tests.integration.home_factory import opened

pytestmark = lived.needs_real_prices

CHANGES = {
    "an answer's units": ("confirmations", "UPDATE ops.confirmations SET units = units + 1 WHERE line = 1"),
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
}


@pytest.fixture
def home(embedded_server: Server, administrator: psycopg.Connection[Any], tmp_path: Path) -> Iterator[Settings]:
    """A lived book with a halt and a look-up."""
    book = lived.live(embedded_server, administrator)
    with lived.own_home(book.lived, administrator, tmp_path / "home") as own:
        with opened(own) as conn, conn.transaction():
            desk.set_kill_switch(conn, "HALTED", lived.SECOND_PLAN, "a look at the books", "omar")
            name_checks.record(conn, uuid.uuid4(), "AAPL", "missing", "", dt.date(2018, 1, 27), "anna")
        yield own


def test_an_untouched_book_is_as_it_was_announced(home: Settings) -> None:
    with opened(home) as conn:
        assert announced.tampered(conn) == []


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_every_change_is_seen(home: Settings, change: tuple[str, str]) -> None:
    lived.tamper(home, *change)
    with opened(home) as conn:
        (fault,) = announced.tampered(conn)
    assert "announced was" in fault


def test_a_fact_that_is_gone_is_missed(home: Settings) -> None:
    lived.tamper(home, "kill_switch_events", "DELETE FROM ops.kill_switch_events")
    with opened(home) as conn:
        (fault,) = announced.tampered(conn)
    assert "announced, but no longer there" in fault
