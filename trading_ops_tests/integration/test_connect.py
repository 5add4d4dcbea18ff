"""Connections, retries, and the sentences for a database that cannot be entered."""

import os
import threading
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from trading_ops.domain.errors import ConfigError
from trading_ops.settings import Settings
from trading_ops.store import doctor, endpoint, external, migrate, roles
from trading_ops.store.connect import Connection, connect, run_transaction, transaction
from trading_ops.store.errors import DatabaseDown, NotInitialised, SecretsTooOpen, WrongDatabaseVersion


@pytest.mark.parametrize("role", [role for role in roles.LOGIN_ROLES if role != roles.DAGSTER])
def test_every_role_gets_in_as_itself_and_in_utc(database: Settings, role: str) -> None:
    with connect(database, role) as conn:
        row = conn.execute("SELECT session_user AS who, current_setting('TimeZone') AS zone").fetchone()
    assert row == {"who": role, "zone": "UTC"}


def test_dagster_has_a_database_of_its_own_and_none_of_ours(database: Settings, dagster_database: str) -> None:
    with psycopg.connect(dagster_database) as conn:
        conn.execute("CREATE TABLE runs (n integer)")
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(roles.dsn_for(database, roles.DAGSTER, database.database))
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(roles.dsn_for(database, "app_writer", database.dagster_database))


def test_transaction_keeps_all_or_nothing(database: Settings) -> None:
    write = "INSERT INTO ops.instruments (symbol) VALUES ('AAPL')"
    with pytest.raises(psycopg.errors.UniqueViolation), transaction(database, "app_writer") as conn:
        conn.execute(f"{write}; {write}")
    with transaction(database, "app_writer") as conn:
        assert conn.execute("SELECT count(*) AS n FROM ops.instruments").fetchone() == {"n": 0}
        conn.execute(write)
    with transaction(database, "app_writer") as conn:
        assert conn.execute("SELECT count(*) AS n FROM ops.instruments").fetchone() == {"n": 1}


@pytest.mark.parametrize("code", ["40001", "40P01"])
def test_lost_race_is_run_again_from_the_start(database: Settings, code: str) -> None:
    tries: list[int] = []

    def work(conn: Connection) -> int:
        conn.execute("INSERT INTO ops.instruments (symbol) VALUES ('AAPL')")
        tries.append(1)
        if len(tries) < 3:
            conn.execute(f"DO $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '{code}'; END $$")
        return len(tries)

    with connect(database, "app_writer") as conn:
        assert run_transaction(conn, work) == 3
        assert conn.execute("SELECT count(*) AS n FROM ops.instruments").fetchone() == {"n": 1}


@pytest.mark.parametrize("code", ["23505", "23514", "42501", "55P03", "57014"])
def test_other_errors_are_raised_at_once(database: Settings, code: str) -> None:
    tries: list[int] = []

    def work(conn: Connection) -> None:
        tries.append(1)
        conn.execute(f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END $$")

    with connect(database, "app_writer") as conn, pytest.raises(psycopg.Error):
        run_transaction(conn, work)
    assert len(tries) == 1


def test_retry_inside_a_transaction_is_refused(database: Settings) -> None:
    with transaction(database, "app_writer") as conn, pytest.raises(RuntimeError, match="inside a transaction"):
        run_transaction(conn, lambda c: None)


def test_race_that_is_always_lost_ends(database: Settings) -> None:
    tries: list[int] = []

    def work(conn: Connection) -> None:
        tries.append(1)
        raise psycopg.errors.SerializationFailure("lost")

    with connect(database, "app_writer") as conn, pytest.raises(psycopg.errors.SerializationFailure):
        run_transaction(conn, work, attempts=3)
    assert len(tries) == 3


def test_real_deadlock_is_solved(database: Settings) -> None:
    with psycopg.connect(str(database.database_url), dbname=database.database, autocommit=True) as conn:
        conn.execute("CREATE TABLE ops.pair (n integer PRIMARY KEY, v integer NOT NULL DEFAULT 0)")
        conn.execute("INSERT INTO ops.pair SELECT generate_series(1, 2)")
        conn.execute("GRANT SELECT, UPDATE ON ops.pair TO app_writer")
    both, tries = threading.Barrier(2, timeout=30), []

    def add(first: int, second: int) -> None:
        def work(conn: Connection) -> None:
            tries.append(first)
            conn.execute("UPDATE ops.pair SET v = v + 1 WHERE n = %s", (first,))
            if tries.count(first) == 1:
                both.wait()
            conn.execute("UPDATE ops.pair SET v = v + 1 WHERE n = %s", (second,))

        with connect(database, "app_writer") as conn:
            run_transaction(conn, work)

    threads = [threading.Thread(target=add, args=pair) for pair in ((1, 2), (2, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with connect(database, "app_writer") as conn:
        assert conn.execute("SELECT array_agg(v) AS v FROM ops.pair").fetchone() == {"v": [2, 2]}
    assert len(tries) == 3, "there was no deadlock to solve"


def test_server_that_is_down_is_told_with_place_and_way_out(database: Settings) -> None:
    down = replace(database, database_url="postgresql://postgres:sesame@127.0.0.1:1/postgres")
    for act in (lambda: connect(down, "app_writer"), lambda: external.check(down)):
        with pytest.raises(DatabaseDown, match=r"127\.0\.0\.1:1 .*TRADING_OPS_DATABASE_URL") as told:
            act()
        assert "sesame" not in str(told.value)


def test_server_too_old_is_told(database: Settings) -> None:
    old: Any = SimpleNamespace(info=SimpleNamespace(server_version=150_004))
    with pytest.raises(WrongDatabaseVersion, match=r"PostgreSQL 15, and 16 or newer"):
        external.require_version(old, database)
    external.require_version(SimpleNamespace(info=SimpleNamespace(server_version=160_000)), database)  # type: ignore[arg-type]


def test_home_without_database_is_told(database: Settings) -> None:
    with pytest.raises(NotInitialised, match="trading-ops init"):
        connect(replace(database, database="not_there"), "app_writer")


def test_home_without_secrets_is_told(database: Settings) -> None:
    database.secrets_dir.joinpath("db.json").unlink()
    with pytest.raises(NotInitialised, match="trading-ops init"):
        connect(database, "app_writer")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_secrets_open_to_others_are_refused(database: Settings, mode: int) -> None:
    database.secrets_dir.joinpath("db.json").chmod(mode)
    with pytest.raises(SecretsTooOpen, match="chmod 600"):
        connect(database, "app_writer")


@pytest.mark.parametrize(
    ("dsn", "host", "made"),
    [
        ("postgresql://adm:p%40ss@db.example:6543/x?sslmode=require", "db.example",
         "postgresql://r:p%2Fw@db.example:6543/d?sslmode=require"),
        ("host=/run/pg user=adm", "/run/pg", "postgresql://r:p%2Fw@/d?host=%2Frun%2Fpg&port=5432"),
        ("postgresql://adm@[::1]/x", "::1", "postgresql://r:p%2Fw@[::1]:5432/d"),
    ],
)  # fmt: skip
def test_url_keeps_what_the_administrators_has(database: Settings, dsn: str, host: str, made: str) -> None:
    settings = replace(database, database_url=dsn)
    assert endpoint.of(settings).host == host
    url = endpoint.url(settings, "r", "p/w", "d")
    assert url == made
    assert psycopg.conninfo.conninfo_to_dict(url)["password"] == "p/w"


@pytest.mark.parametrize("dsn", ["sesame open", "postgresql://a:sesame@h:port/x", "host=a,b port=1,2 password=sesame"])
def test_url_that_cannot_be_read_is_told_without_its_password(database: Settings, dsn: str) -> None:
    with pytest.raises(ConfigError, match="TRADING_OPS_DATABASE_URL") as told:
        endpoint.of(replace(database, database_url=dsn))
    assert "sesame" not in str(told.value)
    assert told.value.__cause__ is None


def test_settings_never_show_the_url() -> None:
    shown = repr(Settings.from_env(environ={"TRADING_OPS_DATABASE_URL": "postgresql://a:sesame@h/x"}))
    assert "sesame" not in shown


def test_settings_find_the_same_home_through_the_environment(database: Settings) -> None:
    assert Settings.from_env(environ=database.to_env()) == database


@pytest.mark.parametrize("name", ["Trading", "a-b", "1x", "x" * 51, 'x"; DROP'])
def test_settings_refuse_a_database_name_that_needs_quoting(name: str) -> None:
    with pytest.raises(ConfigError, match="TRADING_OPS_DATABASE_NAME"):
        Settings.from_env(environ={"TRADING_OPS_DATABASE_NAME": name})


def test_doctor_finds_nothing_in_a_sound_home(database: Settings) -> None:
    assert [f for f in doctor.examine(database) if not f.ok] == []


def test_doctor_names_what_is_wrong(database: Settings) -> None:
    with psycopg.connect(str(database.database_url), dbname=database.database, autocommit=True) as conn:
        conn.execute(f"ALTER DATABASE {database.database} SET synchronous_commit = off")
        conn.execute("UPDATE ops_meta.schema_version SET version_num = '0000'")
    wrong = {f.name: (f.seen, f.wanted) for f in doctor.examine(database) if not f.ok}
    assert wrong == {"synchronous_commit": ("off", "on"), "migrations": ("0000", migrate.head())}


def test_doctor_survives_a_database_that_is_down(database: Settings) -> None:
    down = replace(database, database_url="postgresql://postgres@127.0.0.1:1/postgres")
    wrong = [f for f in doctor.examine(down) if not f.ok]
    assert [f.name for f in wrong] == ["database"]
    assert "127.0.0.1:1" in wrong[0].seen


def test_doctor_sees_open_secrets_and_the_end_of_the_calendar(database: Settings) -> None:
    os.chmod(database.secrets_dir / "db.json", 0o644)
    from trading_ops.domain.calendar import LAST_DAY

    wrong = {f.name for f in doctor.examine(database, today=LAST_DAY) if not f.ok}
    assert {"mode of secrets/db.json", "exchange calendar ahead"} <= wrong
