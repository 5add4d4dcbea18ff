"""A fact names the audit row that announced it, in its own transaction and under its own name; the database says so."""

import datetime as dt
import hashlib
import uuid
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from trading_ops.settings import Settings
from trading_ops.store import audit, broker, statements
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


NOT_PART_OF_A_FACT = {"page_drafts", "submissions", "outbox", "outbox_deliveries", "sign_outs"}
"""What is kept beside the facts, or ends one later; messages have guards of their own."""


def test_every_table_of_parts_that_a_page_writes_is_guarded(conn: psycopg.Connection[Any]) -> None:
    rows = conn.execute(
        "SELECT DISTINCT c.relname AS name, EXISTS (SELECT 1 FROM pg_trigger WHERE tgname = 'comes_with_its_fact' "
        "AND tgenabled = 'A' AND tgrelid = c.oid) AS guarded "
        "FROM pg_class c JOIN pg_constraint k ON k.conrelid = c.oid "
        "WHERE c.relnamespace = 'ops'::regnamespace AND k.contype = 'f' "
        "AND NOT EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = c.oid AND attname = 'audit_seq') "
        "AND EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = k.confrelid AND attname = 'audit_seq') "
        "AND EXISTS (SELECT 1 FROM unnest(ARRAY['executor_ui', 'operator_ui', 'sign_in']) role "
        "WHERE has_table_privilege(role, c.oid, 'INSERT'))"
    ).fetchall()
    parts = {row["name"]: row["guarded"] for row in rows if row["name"] not in NOT_PART_OF_A_FACT}
    assert parts.keys() >= {"broker_snapshot_holdings", "confirmation_parts", "corporate_actions"}
    assert [name for name, guarded in parts.items() if not guarded] == []


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
            statements.add(
                conn, sha256=hashlib.sha256(b"a file").hexdigest(), name="statement.xlsx", versions={"Closed": "1"},
                currency="GBP", body=b"a file", rows=(), entered_by="anna",
            )  # fmt: skip
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


PARTS = {
    "a split in an old load": (
        "operator_ui",
        "INSERT INTO ops.corporate_actions "
        "SELECT 'NVDA', '2018-02-01', 'split', 'files', 9, 3, false, min(load_id), now() FROM ops.price_loads",
    ),
    "a holding in an old account check": (
        "executor_ui",
        "INSERT INTO ops.broker_snapshot_holdings SELECT snapshot_id, symbol, 5, 0 FROM ops.broker_snapshots s, "
        "ops.instruments i WHERE NOT EXISTS (SELECT 1 FROM ops.broker_snapshot_holdings h "
        "WHERE (h.snapshot_id, h.symbol) = (s.snapshot_id, i.symbol)) LIMIT 1",
    ),
    "a piece of an old answer": (
        "executor_ui",
        "INSERT INTO ops.confirmation_parts (confirmation_id, part, position_id, units, price_usd, executed_at) "
        "SELECT confirmation_id, 9, '9', 1, 1, now() FROM ops.confirmations LIMIT 1",
    ),
    "a part of an old market snapshot": (
        "executor_ui",
        "INSERT INTO ops.data_snapshot_parts SELECT snapshot_id, part_id FROM ops.data_snapshots, ops.snapshot_parts "
        "EXCEPT SELECT snapshot_id, part_id FROM ops.data_snapshot_parts LIMIT 1",
    ),
    "a row of an old statement": (
        "executor_ui",
        "INSERT INTO ops.broker_statement_rows (row_key, sha256, sheet, row_number, kind, at, body) "
        "SELECT repeat('c', 64), sha256, 'Closed', 9, 'other', now(), '{}' FROM ops.broker_statements LIMIT 1",
    ),
}


@lived.needs_real_prices
@pytest.mark.parametrize(("role", "insert"), PARTS.values(), ids=PARTS.keys())
def test_a_page_adds_nothing_to_a_fact_of_before(lived_home: Settings, role: str, insert: str) -> None:
    refused = pytest.raises(psycopg.errors.CheckViolation, match="which was there before this transaction")
    with opened(lived_home, role) as conn, refused:
        conn.execute(insert)


@lived.needs_real_prices
def test_parts_come_with_their_fact_even_from_a_savepoint(lived_home: Settings) -> None:
    with opened(lived_home, "executor_ui") as conn, conn.transaction(force_rollback=True):
        with conn.transaction():
            made = broker.add_snapshot(
                conn, taken_at=dt.datetime(2018, 2, 5, 20, tzinfo=dt.UTC), session=dt.date(2018, 2, 5),
                cash_gbp=Decimal(1), holdings={"NVDA": (Decimal(2), 0)}, origin="page", entered_by="anna",
            )  # fmt: skip
        conn.execute("INSERT INTO ops.broker_snapshot_holdings VALUES (%s, 'AAPL', 1, 0, now())", (made,))
        held = "SELECT symbol FROM ops.broker_snapshot_holdings WHERE snapshot_id = %s ORDER BY symbol"
        assert [row["symbol"] for row in conn.execute(held, (made,))] == ["AAPL", "NVDA"]
