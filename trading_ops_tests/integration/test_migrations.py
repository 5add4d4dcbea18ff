"""Migrations: from empty, again, back and forth, side by side, and killed half-way."""

import datetime as dt
import json
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from trading_ops.domain.answer import Answer
from trading_ops.domain.canonical import canonical_bytes, sha256_hex
from trading_ops.settings import Settings, shipped
from trading_ops.store import answers, audit, ledger, migrate, roles, schema_contract
from trading_ops.store.errors import DatabaseDown, MigrationFailed, NotInitialised
from trading_ops.store.tickets import Ticket
from trading_ops_tests.integration import desk_factory as desk
from trading_ops_tests.integration.home_factory import opened
from trading_ops_tests.unit.ticket_factory import make_buy

NEXT = '''"""A revision of a test's own."""
from pathlib import Path
from alembic import op
revision, down_revision = "{new}", "{old}"
def upgrade():
    op.get_bind().connection.driver_connection.execute(Path(__file__).with_name("next.sql").read_bytes())
'''
RUN = """
import sys
from pathlib import Path
from trading_ops.settings import Settings
from trading_ops.store import migrate
migrate.upgrade(Settings.from_env(), folder=Path(sys.argv[1]))
"""


@pytest.fixture
def empty(fresh_home: Settings, administrator: psycopg.Connection[Any]) -> Iterator[Settings]:
    """A home whose database has roles and schemas, and no table yet."""
    home = replace(fresh_home, database=f"{fresh_home.database}_empty")
    roles.create_database(administrator, home.database, roles.OWNER)
    roles.open_database(home)
    yield home
    administrator.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(home.database)))


@pytest.fixture
def next_revision(tmp_path: Path) -> Path:
    """The product's migrations and one more, whose SQL the test writes to `versions/next.sql`."""
    folder = shutil.copytree(shipped("db", "migrations"), tmp_path / "migrations")
    folder.joinpath("versions", "next.py").write_text(NEXT.format(new="9999", old=migrate.head()))
    return folder


def exists(settings: Settings, table: str) -> bool:
    with psycopg.connect(str(settings.database_url), dbname=settings.database) as conn:
        row = conn.execute("SELECT to_regclass(%s)", (table,)).fetchone()
        return row is not None and row[0] is not None


def test_upgrade_from_empty_reaches_the_head(empty: Settings) -> None:
    assert migrate.current(empty) is None
    migrate.upgrade(empty)
    assert migrate.current(empty) == migrate.head()


def test_upgrade_from_empty_makes_what_the_template_has(empty: Settings, fresh_home: Settings) -> None:
    migrate.upgrade(empty)
    assert schema_contract.schema_text(empty) == schema_contract.schema_text(fresh_home)
    assert schema_contract.privileges_text(empty) == schema_contract.privileges_text(fresh_home)


def test_upgrade_twice_changes_nothing(fresh_home: Settings) -> None:
    before = schema_contract.schema_hash(fresh_home), schema_contract.privileges_text(fresh_home)
    migrate.upgrade(fresh_home)
    assert (schema_contract.schema_hash(fresh_home), schema_contract.privileges_text(fresh_home)) == before


def test_up_down_up_ends_where_it_began(fresh_home: Settings) -> None:
    before = schema_contract.schema_hash(fresh_home), schema_contract.privileges_text(fresh_home)
    migrate.downgrade(fresh_home, "base")
    assert migrate.current(fresh_home) is None
    migrate.upgrade(fresh_home)
    assert (schema_contract.schema_hash(fresh_home), schema_contract.privileges_text(fresh_home)) == before


def test_everything_belongs_to_the_owner_who_cannot_log_in(fresh_home: Settings) -> None:
    owned = [line for line in schema_contract.privileges_text(fresh_home).splitlines() if line.startswith("owner ")]
    assert owned
    assert {line.split()[1] for line in owned} == {roles.OWNER}


def test_two_upgrades_at_once_both_end_well(empty: Settings) -> None:
    command = [sys.executable, "-c", RUN, str(shipped("db", "migrations"))]

    def run(_: int) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(command, env=empty.to_env(), capture_output=True, text=True, check=False, timeout=120)

    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(run, range(3)))
    assert [d.returncode for d in done] == [0, 0, 0], [d.stderr for d in done]
    assert migrate.current(empty) == migrate.head()


def test_the_revision_is_asked_for_while_the_first_upgrade_is_at_work(empty: Settings) -> None:
    migrate.upgrade(empty)
    with psycopg.connect(str(empty.database_url), dbname=empty.database) as conn:  # as it stands before its last step
        conn.execute("REVOKE SELECT ON ops_meta.schema_version FROM app_writer")
    assert migrate.current(empty) is None
    migrate.upgrade(empty)
    assert migrate.current(empty) == migrate.head()


def test_refused_sql_leaves_no_trace_and_is_told(fresh_home: Settings, next_revision: Path) -> None:
    before = migrate.current(fresh_home)
    next_revision.joinpath("versions", "next.sql").write_text("CREATE TABLE half (n integer);\nSELECT nonsense;\n")
    with pytest.raises(MigrationFailed, match='column "nonsense" does not exist') as told:
        migrate.upgrade(fresh_home, folder=next_revision)
    assert roles.passwords(fresh_home)["migrator"] not in str(told.value)
    assert migrate.current(fresh_home) == before
    assert not exists(fresh_home, "ops.half")


def test_upgrade_killed_half_way_can_be_run_again(
    fresh_home: Settings, next_revision: Path, administrator: psycopg.Connection[Any]
) -> None:
    before = migrate.current(fresh_home)
    file = next_revision / "versions" / "next.sql"
    file.write_text("CREATE TABLE half (n integer); SELECT pg_sleep(600);")
    killed = subprocess.Popen([sys.executable, "-c", RUN, str(next_revision)], env=fresh_home.to_env())
    try:
        wait_until_asleep(administrator, fresh_home.database)
    finally:
        killed.send_signal(signal.SIGKILL)
        killed.wait()
    assert migrate.current(fresh_home) == before
    assert not exists(fresh_home, "ops.half")
    file.write_text("CREATE TABLE half (n integer);")
    # The dead one's lock goes when the server notices, within seconds; this one waits for it.
    migrate.upgrade(fresh_home, folder=next_revision)
    assert migrate.current(fresh_home) == "9999"
    assert exists(fresh_home, "ops.half")


def test_upgrade_of_a_home_without_roles_is_told(fresh_home: Settings) -> None:
    fresh_home.secrets_dir.joinpath("db.json").unlink()
    with pytest.raises(NotInitialised, match="trading-ops init"):
        migrate.upgrade(fresh_home)


def test_roles_get_new_passwords_only_when_their_home_has_none(fresh_home: Settings) -> None:
    kept = fresh_home.secrets_dir / "db.json"
    before = json.loads(kept.read_text())
    assert roles.create(fresh_home) == ()
    assert json.loads(kept.read_text()) == before


def test_roles_of_another_home_are_told_when_their_passwords_change(fresh_home: Settings) -> None:
    kept = fresh_home.secrets_dir / "db.json"
    before = kept.read_text()
    kept.unlink()
    told = roles.create(fresh_home)
    try:
        assert len(told) == 1
        assert "app_writer" in told[0]
        new = roles.passwords(fresh_home)
        assert not any(password in told[0] for password in new.values())
        migrate.current(fresh_home)
        kept.write_text(before)
        with pytest.raises(DatabaseDown, match="password"):
            migrate.current(fresh_home)
    finally:  # the session's other tests still use the old ones
        kept.write_text(before)
        roles.create(fresh_home)


def test_a_home_of_before_a_role_was_added_is_told_to_run_init_which_adds_it(fresh_home: Settings) -> None:
    kept = fresh_home.secrets_dir / "db.json"
    before = kept.read_text()
    older = {role: secret for role, secret in json.loads(before).items() if role != "sign_in"}
    kept.write_text(json.dumps(older))
    for ask in (roles.passwords, migrate.current):
        with pytest.raises(
            NotInitialised, match=r"no database role sign_in yet.*older version.*`trading-ops init` again"
        ):
            ask(fresh_home)
    try:
        assert roles.create(fresh_home) == ()
        now = json.loads(kept.read_text())
        assert {role: secret for role, secret in now.items() if role != "sign_in"} == older
        assert now["sign_in"]
        assert kept.stat().st_mode & 0o777 == 0o600
        with opened(fresh_home, "sign_in") as door:
            door.execute("SELECT FROM ops.people")
        assert roles.create(fresh_home) == ()
        assert json.loads(kept.read_text()) == now
    finally:  # the session's other tests still use the old one
        kept.write_text(before)
        roles.create(fresh_home)


def wait_until_asleep(administrator: psycopg.Connection[Any], database: str) -> None:
    patience = time.monotonic() + 60
    asleep = "SELECT 1 FROM pg_stat_activity WHERE datname = %s AND wait_event = 'PgSleep'"
    while not administrator.execute(asleep, (database,)).fetchone():
        assert time.monotonic() < patience, "the migration never got as far"
        time.sleep(0.05)


def test_a_populated_database_of_the_first_revision_keeps_its_facts(empty: Settings) -> None:
    migrate.upgrade(empty, "0001")
    part = (
        "INSERT INTO ops.snapshot_parts "
        "VALUES ('bars:2018-01:x', 'bars', '2018-01-01', '2018-01-31', 3, %s, %s, 'files', 4)"
    )
    with psycopg.connect(str(empty.database_url), dbname=empty.database) as conn:
        conn.execute(part, ("a" * 64, "b" * 64))
    migrate.upgrade(empty)
    with psycopg.connect(str(empty.database_url), dbname=empty.database) as conn:
        assert conn.execute("SELECT part_id, rows, layout FROM ops.snapshot_parts").fetchall() == [
            ("bars:2018-01:x", 3, 1)
        ]
        for table in ("price_fetches", "restatements", "quality_reports", "qlib_exports", "snapshot_parts"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="facts are never changed"):
                conn.execute(f"TRUNCATE ops.{table} CASCADE")
            conn.rollback()


def answered_before(home: Settings) -> Ticket:
    """A ticket of the second revision's schema with two answers, as the code of that time stored them."""
    asof = dt.date(2018, 2, 2)
    desk.set_up_desk(home)
    with opened(home) as conn:
        ticket = desk.issue(conn, asof, [make_buy(1, "NVDA", "310"), make_buy(2, "AMZN", "1240")])
    migrate.downgrade(home, "0002")  # the code of today issues the ticket; its answers are of then
    with opened(home) as conn, conn.transaction():
        for number, answer in enumerate((desk.done(asof), Answer(2, "SKIPPED", "no money")), start=1):
            store_as_before(conn, ticket, uuid.UUID(int=number), answer)
        fill: desk.Row = {
            "fill_id": uuid.UUID(int=9), "symbol": "NVDA", "side": "BUY", "units": Decimal("1.886957"),
            "price_usd": Decimal(230), "value_gbp": Decimal(310), "fee_gbp": Decimal(0),
            "filled_at": desk.executed_at(asof), "session": dt.date(2018, 2, 5), "estimated": True, "position_id": None,
            "lots": [], "plan_id": ticket.plan_id, "line": 1, "recorded_by": "anna", "why": "",
        }  # fmt: skip
        seq = audit.append(conn, "ledger.fill", str(fill["fill_id"]), ledger.fill_payload({**fill, "part": 1}))
        stored = {**fill, "lots": "[]", "confirmation_id": uuid.UUID(int=1), "audit_seq": seq}
        columns, values = ", ".join(stored), ", ".join(f"%({column})s" for column in stored)
        conn.execute(f"INSERT INTO ops.ledger_trades_fills ({columns}) VALUES ({values})", stored)
    return ticket


def store_as_before(conn: psycopg.Connection[Any], ticket: Ticket, confirmation_id: uuid.UUID, answer: Answer) -> None:
    payload = answer.payload()
    announced = {**payload, "answered_by": "anna", "overfilled": False}
    seq = audit.append(conn, "answers.confirmation", f"{ticket.plan_id}/{answer.line}/1", announced)
    conn.execute(
        "INSERT INTO ops.confirmations (confirmation_id, plan_id, line, revision, status, reason, price_usd, "
        "value_gbp, executed_at, overfilled, content_sha256, answered_by, audit_seq) "
        "VALUES (%s, %s, %s, 1, %s, %s, %s, %s, %s, false, %s, 'anna', %s)",
        (
            confirmation_id, ticket.plan_id, answer.line, answer.status, answer.reason, answer.price_usd,
            answer.value_gbp, answer.executed_at, sha256_hex(canonical_bytes(payload)), seq,
        ),
    )  # fmt: skip


def test_answers_of_before_the_desk_are_read_repeated_and_corrected(empty: Settings) -> None:
    migrate.upgrade(empty)
    ticket = answered_before(empty)
    migrate.upgrade(empty)
    asof = dt.date(2018, 2, 2)
    with opened(empty) as conn:
        assert [row["ticket_sha256"] for row in desk.rows(conn, "confirmations")] == [None, None]
        stored = answers.in_force(conn, ticket.plan_id)
        assert {line: one.answer for line, one in stored.items()} == {
            1: desk.done(asof), 2: Answer(2, "SKIPPED", "no money"),
        }  # fmt: skip
        assert (stored[1].revision, stored[1].answered_by, stored[1].overfilled) == (1, "anna", False)
        assert ledger.tampered(conn) == []
        assert audit.broken(conn) == []
        assert desk.answer(conn, ticket, [desk.done(asof)], desk.seen(conn, ticket)) == (0, 1)
        assert desk.answer(conn, ticket, [desk.done(asof, value="300.00")], desk.seen(conn, ticket)) == (1, 0)
        assert desk.book(conn).cash_gbp == Decimal(-300)
        assert answers.in_force(conn, ticket.plan_id)[1].revision == 2
        assert audit.broken(conn) == []
