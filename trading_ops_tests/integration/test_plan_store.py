"""Plans, configuration and audit on a real PostgreSQL: what is fixed when, and what can never change."""

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from trading_ops.domain.errors import ConfigError, Refused
from trading_ops.settings import Settings
from trading_ops.store import audit, configuration, desk, plans
from trading_ops.store.provenance import CodeState
from trading_ops_tests.integration import home_factory as factory

FRIDAY = dt.date(2018, 2, 2)
CODE = CodeState("0" * 40, False)


@pytest.fixture
def conn(fresh_home: Settings) -> Iterator[psycopg.Connection[Any]]:
    with factory.opened(fresh_home) as conn:
        factory.set_up(conn)
        yield conn


def register(conn: psycopg.Connection[Any], asof: dt.date = FRIDAY) -> plans.Plan:
    with conn.transaction():
        return plans.register(conn, asof, configuration.policy_in_force(conn).policy)


def begin(conn: psycopg.Connection[Any], plan: plans.Plan) -> plans.Opening:
    with conn.transaction():
        return plans.begin(conn, plan)


def start(conn: psycopg.Connection[Any], plan: plans.Plan) -> plans.Run:
    with conn.transaction():
        return plans.start_run(
            conn, plan, uuid.uuid4(), code=CODE, signal_source="stub", model_version="1", driver="direct"
        )


def test_a_changed_policy_counts_from_the_next_plan_that_opens(conn: psycopg.Connection[Any]) -> None:
    begun, waiting = register(conn), register(conn, dt.date(2018, 2, 9))
    before = begin(conn, begun)
    with conn.transaction():
        configuration.import_policy(conn, factory.policy_text(max_weight="0.08"), "policy.yml")
    assert begin(conn, begun) == before
    assert begin(conn, waiting).policy_version == before.policy_version + 1
    assert start(conn, begun).config_hash == before.config_hash


def test_importing_the_policy_in_force_changes_nothing(conn: psycopg.Connection[Any]) -> None:
    head = audit.head(conn)
    with conn.transaction():
        stored = configuration.import_policy(conn, factory.policy_text() + "\n# another comment\n", "policy.yml")
    assert (stored.version, audit.head(conn)) == (1, head)


def test_a_broken_policy_is_not_stored(conn: psycopg.Connection[Any]) -> None:
    with pytest.raises(ConfigError, match=r"policy.yml, line \d+.*seats"), conn.transaction():
        configuration.import_policy(conn, factory.policy_text(seats="many"), "policy.yml")
    assert configuration.policy_in_force(conn).version == 1


def test_a_plan_of_the_past_sees_the_universe_of_its_day(conn: psycopg.Connection[Any]) -> None:
    newer = factory.UNIVERSE.replace(
        "BBB,bbb.us,BBB,BBB,USD,stock,true,true", "BBB,bbb.us,BBB,BBB,USD,stock,true,false"
    )
    with conn.transaction():
        configuration.import_universe(conn, newer, "universe.csv", dt.date(2018, 2, 5))
    past = configuration.universe_of_day(conn, FRIDAY).universe
    after = configuration.universe_of_day(conn, dt.date(2018, 2, 9)).universe
    assert past.expected(FRIDAY) == ("AAA", "BBB")
    assert after.expected(dt.date(2018, 2, 9)) == ("AAA",)


def test_only_the_last_session_of_a_week_can_have_a_plan(conn: psycopg.Connection[Any]) -> None:
    with pytest.raises(Refused, match="2018-02-01 is not the last"):
        register(conn, dt.date(2018, 2, 1))
    assert plans.without_ticket(conn) == ()


def test_a_run_is_current_until_a_person_says_something(conn: psycopg.Connection[Any]) -> None:
    plan = register(conn)
    run = start(conn, plan)
    assert plans.is_current(conn, run)
    with conn.transaction():
        desk.accept_bar(conn, "AAA", FRIDAY, "looked it up", "operator")
    assert not plans.is_current(conn, run)
    assert plans.is_current(conn, start(conn, plan))


def test_only_an_incident_that_blocks_makes_a_run_stale(conn: psycopg.Connection[Any]) -> None:
    run = start(conn, register(conn))
    for blocking in (False, True):
        with conn.transaction():
            found = desk.open_incident(conn, "A_TEST", "a title", {}, blocking=blocking, key=f"{blocking}")
        assert plans.is_current(conn, run) is not blocking
        run = start(conn, plans.get(conn, run.plan_id))
        with conn.transaction():
            desk.close_incident(conn, found, "done", "omar")
        assert plans.is_current(conn, run) is not blocking


def test_the_same_run_id_rejoins_the_run(conn: psycopg.Connection[Any]) -> None:
    plan = register(conn)
    run = start(conn, plan)
    with conn.transaction():
        desk.accept_bar(conn, "AAA", FRIDAY, "looked it up", "operator")
        again = plans.start_run(
            conn, plan, run.run_id, code=CODE, signal_source="stub", model_version="1", driver="direct"
        )
    assert again == run


def test_a_home_holds_one_book_for_ever(conn: psycopg.Connection[Any]) -> None:
    with pytest.raises(Refused, match="already holds a sim book"), conn.transaction():
        desk.create_book(conn, "live")


@pytest.mark.parametrize(
    "change", ["UPDATE ops.plans SET week = '2018-W06'", "DELETE FROM ops.plans", "TRUNCATE ops.plans CASCADE"]
)
def test_facts_cannot_be_changed_by_a_superuser_by_accident(
    conn: psycopg.Connection[Any], fresh_home: Settings, change: str
) -> None:
    register(conn)
    for before in ("", "SET session_replication_role = replica; "):
        with (
            psycopg.connect(fresh_home.database_url or "", dbname=fresh_home.database) as admin,
            pytest.raises(psycopg.errors.InsufficientPrivilege, match="facts are never changed"),
        ):
            admin.execute(before + change)
    assert plans.get(conn, "2018-02-02").week == "2018-W05"


def test_the_writer_may_not_change_facts(conn: psycopg.Connection[Any]) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"):
        conn.execute("UPDATE ops.books SET book = 'live'")


def test_the_replayer_reads_no_verdict(conn: psycopg.Connection[Any], fresh_home: Settings) -> None:
    with factory.opened(fresh_home, "replayer") as blind:
        blind.execute("SELECT * FROM ops.runs")
        for table in (
            "decisions",
            "tickets",
            "ticket_lines",
            "risk_checks",
            "ledger_trades_intended",
            "signals_ranked",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                blind.execute(f"SELECT * FROM ops.{table}")


def test_the_audit_chain_is_gapless_after_a_rollback(conn: psycopg.Connection[Any]) -> None:
    register(conn)
    with conn.transaction() as undone:
        audit.append(conn, "test.fact", "never", {})
        raise psycopg.Rollback(undone)
    register(conn, dt.date(2018, 2, 9))
    rows = conn.execute("SELECT seq FROM ops.audit_log ORDER BY seq").fetchall()
    assert [r["seq"] for r in rows] == list(range(1, len(rows) + 1))
    assert audit.broken(conn) == []


def test_the_audit_row_is_the_databases_word(conn: psycopg.Connection[Any]) -> None:
    conn.execute(
        "INSERT INTO ops.audit_log (seq, created_at, actor, kind, subject, payload, prev_hash, hash) "
        "VALUES (9999, '2000-01-01', 'somebody else', 'test.fact', 's', '{}', %(h)s, %(h)s)",
        {"h": "f" * 64},
    )
    row = conn.execute("SELECT * FROM ops.audit_log ORDER BY seq DESC LIMIT 1").fetchone()
    assert row is not None
    assert row["seq"] < 9999
    assert row["actor"] == "app_writer"
    assert row["created_at"].year > 2000
    assert audit.broken(conn) == []


def test_the_canonical_form_of_the_chain_is_frozen(conn: psycopg.Connection[Any]) -> None:
    row = conn.execute(
        "SELECT ops.audit_hash(repeat('0', 64), 1, '2026-11-23 10:00:00.000001+00', 'app_writer', 'test.fact', "
        "'subject', '{\"a\":\"£1\"}') AS hash"
    ).fetchone()
    assert row == {"hash": "dd59ba1bc2914903a022acf215c0a0a8dca5a10ff0da9d4e9b058a4315a20716"}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("UPDATE ops.audit_log SET payload = '{}' WHERE seq = 2", "content differs"),
        (
            "UPDATE ops.audit_log SET created_at = created_at + interval '1 microsecond' WHERE seq = 2",
            "content differs",
        ),
        ("DELETE FROM ops.audit_log WHERE seq = 2", "gap"),
    ],
)
def test_a_change_of_history_is_seen(
    conn: psycopg.Connection[Any], fresh_home: Settings, change: str, fault: str
) -> None:
    with psycopg.connect(fresh_home.database_url or "", dbname=fresh_home.database, autocommit=True) as admin:
        admin.execute("SET session_replication_role = replica")
        admin.execute("ALTER TABLE ops.audit_log DISABLE TRIGGER ALL")
        admin.execute(change)
    assert fault in audit.broken(conn)[0][1]
