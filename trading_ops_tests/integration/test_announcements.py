"""A fact names the audit row that announced it, in its own transaction and under its own name; the database says so."""

import datetime as dt
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from trading_ops.settings import Settings
from trading_ops.store import audit
from trading_ops.store import desk as desk_store
from trading_ops.store.server import Server
from trading_ops_tests.integration import desk_factory as desk
from trading_ops_tests.integration import lived_factory as lived
from trading_ops_tests.integration.home_factory import opened

REFUSED = "does not announce desk.kill_switch of HALTED in the same transaction"
HALT = (
    "INSERT INTO ops.kill_switch_events (audit_seq, state, session, reason, set_by) "
    "VALUES (%s, 'HALTED', '2018-01-26', 'a test', 'omar')"
)


@pytest.fixture
def conn(fresh_home: Settings) -> Iterator[psycopg.Connection[Any]]:
    """A home with a universe, as the writer."""
    desk.set_up_desk(fresh_home)
    with opened(fresh_home) as conn:
        yield conn


def announce(conn: psycopg.Connection[Any], kind: str = "desk.kill_switch", subject: str = "HALTED") -> int:
    return audit.append(conn, kind, subject, {})


def test_every_table_of_facts_is_guarded(conn: psycopg.Connection[Any]) -> None:
    rows = conn.execute(
        "SELECT table_name, EXISTS (SELECT 1 FROM pg_trigger WHERE tgname = 'names_announcement' AND tgenabled = 'A' "
        "AND tgrelid = format('ops.%I', table_name)::regclass) AS guarded "
        "FROM information_schema.columns WHERE table_schema = 'ops' AND column_name = 'audit_seq'"
    ).fetchall()
    assert len(rows) > 20
    assert [row["table_name"] for row in rows if not row["guarded"]] == []


def test_a_row_announced_in_its_own_transaction_is_kept(conn: psycopg.Connection[Any]) -> None:
    with conn.transaction():
        conn.execute(HALT, (announce(conn),))
    assert desk.counts(conn, "kill_switch_events") == (1,)


def test_savepoints_are_of_the_transaction(conn: psycopg.Connection[Any]) -> None:
    with conn.transaction():
        with conn.transaction():
            released = announce(conn)
        conn.execute(HALT, (released,))
        with conn.transaction():
            conn.execute(HALT, (announce(conn),))
    assert desk.counts(conn, "kill_switch_events") == (2,)


def test_an_announcement_of_before_is_refused(conn: psycopg.Connection[Any]) -> None:
    seq = announce(conn)
    with pytest.raises(psycopg.errors.CheckViolation, match=REFUSED):
        conn.execute(HALT, (seq,))


def test_an_announcement_that_another_made_meanwhile_is_refused(
    fresh_home: Settings, conn: psycopg.Connection[Any]
) -> None:
    refused = pytest.raises(psycopg.errors.CheckViolation, match=REFUSED)
    with opened(fresh_home) as other, conn.transaction(force_rollback=True):
        conn.execute("SELECT pg_current_xact_id()")  # this one began first, and has a lower number
        seq = announce(other)
        with refused, conn.transaction():
            conn.execute(HALT, (seq,))


@pytest.mark.parametrize("said", [("desk.incident", "HALTED"), ("desk.kill_switch", "ACTIVE")], ids=["kind", "subject"])
def test_an_announcement_of_something_else_is_refused(conn: psycopg.Connection[Any], said: tuple[str, str]) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match=REFUSED), conn.transaction():
        conn.execute(HALT, (announce(conn, *said),))


def test_no_announcement_is_none(conn: psycopg.Connection[Any]) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match=REFUSED):
        conn.execute(HALT, (10_000,))


def test_a_load_is_known_by_the_number_that_announced_it(conn: psycopg.Connection[Any]) -> None:
    load = "INSERT INTO ops.price_loads VALUES (%s, 'files', 'a test', false, 0, 0, 0, %s, now(), %s)"
    refused = pytest.raises(psycopg.errors.CheckViolation, match="price_loads_known_by")
    with conn.transaction(force_rollback=True):
        seq = announce(conn, "market.load", "files")
        with refused, conn.transaction():
            conn.execute(load, (seq + 1, "a" * 64, seq))


@pytest.fixture
def lived_home(embedded_server: Server, administrator: psycopg.Connection[Any], tmp_path: Path) -> Iterator[Settings]:
    """A book that lived two weeks, with an incident that was closed."""
    book = lived.live(embedded_server, administrator)
    with lived.own_home(book.lived, administrator, tmp_path / "home") as own:
        with opened(own) as conn, conn.transaction():
            desk_store.set_kill_switch(conn, "HALTED", dt.date(2018, 1, 26), "a test", "omar")
            made = desk_store.open_incident(conn, "UNKNOWN_NAME", "a test", {}, blocking=False, key=str(uuid.uuid4()))
            desk_store.close_incident(conn, made, "looked up", "omar")
        yield own


@lived.needs_real_prices
def test_no_fact_of_a_lived_book_can_be_stored_again_under_its_old_announcement(lived_home: Settings) -> None:
    with lived.superuser(lived_home) as admin:
        tables = admin.execute(
            "SELECT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "WHERE t.tgname = 'names_announcement' ORDER BY 1"
        ).fetchall()
        tried = 0
        for (table,) in tables:
            name = sql.Identifier("ops", table)
            if not admin.execute(sql.SQL("SELECT 1 FROM {} LIMIT 1").format(name)).fetchone():
                continue
            tried += 1
            with pytest.raises(
                (psycopg.errors.CheckViolation, psycopg.errors.UniqueViolation),
                match=r"in the same transaction|answered meanwhile",
            ):
                admin.execute(sql.SQL("INSERT INTO {name} SELECT * FROM {name} LIMIT 1").format(name=name))
    assert tried > 12
