"""Migrations: from empty, again, back and forth, side by side, and killed half-way."""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from trading_ops.settings import Settings, shipped
from trading_ops.store import migrate, roles, schema_contract
from trading_ops.store.errors import DatabaseDown, MigrationFailed, NotInitialised

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
