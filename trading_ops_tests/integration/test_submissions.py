"""A form counts once, drafts survive, and each database role may do what its pages need and nothing else."""

import datetime as dt
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg import sql

from trading_ops.domain.canonical import NotCanonical
from trading_ops.settings import Settings
from trading_ops.store import audit, ledger, submissions
from trading_ops.store.submissions import Sent, SentAlready
from trading_ops_tests.integration import desk_factory as desk
from trading_ops_tests.integration.home_factory import opened

FORM = uuid.UUID(int=7)


@pytest.fixture
def conn(fresh_home: Settings) -> Iterator[psycopg.Connection[Any]]:
    with opened(fresh_home, "executor_ui") as conn:
        yield conn


def send(conn: psycopg.Connection[Any], content: dict[str, object], form: uuid.UUID = FORM, kind: str = "test") -> Sent:
    """Announce a fact, once a form."""

    def work() -> dict[str, object]:
        return {"seq": audit.append(conn, "universe.checked", "sent", content), "list": (1, 2)}

    with conn.transaction():
        audit.speaking_as(conn, desk.ANNA)
        return submissions.once(conn, form, kind, "2018-W05", content, desk.ANNA, work)


def test_the_same_form_pressed_again_does_nothing_and_gets_the_first_result(conn: psycopg.Connection[Any]) -> None:
    first = send(conn, {"line": 1})
    again = send(conn, {"line": 1})
    assert (first.first, again.first) == (True, False)
    assert first.result == again.result == {"seq": first.result["seq"], "list": [1, 2]}
    assert desk.counts(conn, "submissions", "audit_log") == (1, 1)


@pytest.mark.parametrize(("content", "kind"), [({"line": 2}, "test"), ({"line": 1}, "snapshot")])
def test_the_same_key_with_anything_else_in_it_is_refused(
    conn: psycopg.Connection[Any], content: dict[str, object], kind: str
) -> None:
    send(conn, {"line": 1})
    with pytest.raises(SentAlready, match="sent already, with other content"):
        send(conn, content, kind=kind)
    assert desk.counts(conn, "submissions", "audit_log") == (1, 1)


def test_a_form_whose_work_failed_can_be_sent_again(conn: psycopg.Connection[Any]) -> None:
    def fails() -> dict[str, object]:
        audit.append(conn, "universe.checked", "sent", {})
        raise SentAlready("it was refused")

    with pytest.raises(SentAlready), conn.transaction():
        submissions.once(conn, FORM, "test", "2018-W05", {"line": 1}, desk.ANNA, fails)
    assert desk.counts(conn, "submissions", "audit_log") == (0, 0)
    assert send(conn, {"line": 1}).first


def test_three_presses_at_the_same_moment_do_the_work_once(fresh_home: Settings) -> None:
    with (
        opened(fresh_home, "executor_ui") as one,
        opened(fresh_home, "executor_ui") as two,
        opened(fresh_home, "executor_ui") as three,
    ):
        for number in range(20):
            form = uuid.UUID(int=number)
            sent = desk.at_once(*(lambda c=c, f=form: send(c, {"line": 1}, f) for c in (one, two, three)))
            assert sorted(one.first for one in sent if isinstance(one, Sent)) == [False, False, True]
        assert desk.counts(one, "submissions", "audit_log") == (20, 20)
    with opened(fresh_home) as writer:
        assert audit.broken(writer) == []


# ---- drafts
def test_the_newest_draft_wins(conn: psycopg.Connection[Any]) -> None:
    for price in ("1", "1,5", "1"):
        submissions.save_draft(conn, "anna", "ticket", "2018-W05", {"price": price, "line": 1})
        assert submissions.draft(conn, "anna", "ticket", "2018-W05") == {"price": price, "line": 1}
    assert desk.counts(conn, "page_drafts") == (3,)


def test_the_same_draft_is_not_stored_twice(conn: psycopg.Connection[Any]) -> None:
    submissions.save_draft(conn, "anna", "ticket", "2018-W05", {"price": "1", "lines": [1, 2]})
    submissions.save_draft(conn, "anna", "ticket", "2018-W05", {"lines": [1, 2], "price": "1"})
    assert desk.counts(conn, "page_drafts") == (1,)


def test_a_draft_is_its_writers_and_its_pages_own(conn: psycopg.Connection[Any]) -> None:
    submissions.save_draft(conn, "anna", "ticket", "2018-W05", {"price": "1"})
    for username, page, subject in (
        ("bert", "ticket", "2018-W05"), ("anna", "snapshot", "2018-W05"), ("anna", "ticket", "2018-W06"),
    ):  # fmt: skip
        assert submissions.draft(conn, username, page, subject) is None


# ---- who may do what
def test_the_actor_is_the_role_and_the_person_who_is_signed_in(conn: psycopg.Connection[Any]) -> None:
    send(conn, {"line": 1})
    with conn.transaction():
        audit.append(conn, "universe.checked", "nobody is named", {})
    assert [row["actor"] for row in desk.rows(conn, "audit_log")] == ["executor_ui:anna", "executor_ui"]


EXECUTOR_MAY_NOT_WRITE = (
    "tickets", "ticket_lines", "ticket_withdrawals", "kill_switch_events", "ledger_cash_movements", "ledger_events",
    "people", "sign_ins", "sign_outs", "sign_in_attempts", "decisions", "runs", "plans", "config_policy",
    "config_universe", "config_universe_versions", "instruments", "books", "incident_closures", "quality_acceptances",
    "drift_resolutions", "market_prices_eod", "fx_rates_eod", "corporate_actions", "price_loads",
)  # fmt: skip


@pytest.mark.parametrize("table", EXECUTOR_MAY_NOT_WRITE)
def test_the_executors_pages_cannot_write(conn: psycopg.Connection[Any], table: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"):
        conn.execute(sql.SQL("INSERT INTO {} DEFAULT VALUES").format(sql.Identifier("ops", table)))


def test_the_executors_pages_cannot_see_passwords_or_sessions(conn: psycopg.Connection[Any]) -> None:
    for table in ("people", "sign_ins", "sign_outs", "sign_in_attempts"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"):
            conn.execute(f"SELECT 1 FROM ops.{table}")
    conn.execute("SELECT username, role FROM ops.desk_people")


def test_the_pages_change_and_delete_nothing(fresh_home: Settings) -> None:
    with opened(fresh_home) as writer:
        may = writer.execute(
            "SELECT r.rolname, c.relname, p.privilege FROM pg_roles r, pg_class c, "
            "unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE']) p(privilege) "
            "WHERE c.relnamespace = 'ops'::regnamespace AND c.relkind IN ('r', 'v') "
            "AND r.rolname IN ('executor_ui', 'operator_ui', 'sign_in') "
            "AND (has_table_privilege(r.oid, c.oid, privilege) OR "
            "privilege = 'UPDATE' AND has_any_column_privilege(r.oid, c.oid, privilege))"
        ).fetchall()
    assert may == []


@pytest.mark.parametrize("role", ["executor_ui", "operator_ui"])
@pytest.mark.parametrize("change", ["UPDATE ops.confirmations SET note = ''", "DELETE FROM ops.page_drafts"])
def test_a_page_that_tries_is_refused(fresh_home: Settings, role: str, change: str) -> None:
    with (
        opened(fresh_home, role) as conn,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"),
    ):
        conn.execute(change)


@pytest.mark.parametrize(
    "table",
    ["submissions", "page_drafts", "confirmation_parts", "name_checks", "ledger_events", "people", "outbox_deliveries"],
)
def test_facts_of_the_desk_cannot_be_changed_even_by_a_superuser_by_accident(
    fresh_home: Settings, conn: psycopg.Connection[Any], table: str
) -> None:
    with psycopg.connect(fresh_home.database_url or "", dbname=fresh_home.database) as admin:
        for before in ("", "SET session_replication_role = replica; "):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="facts are never changed"):
                admin.execute(f"{before}TRUNCATE ops.{table} CASCADE")
            admin.rollback()


READ_BY_THE_DOOR = {"people", "sign_ins", "sign_outs", "sign_in_attempts", "audit_log", "desk_people"}


def test_the_door_reads_people_and_not_the_ledger(fresh_home: Settings) -> None:
    with opened(fresh_home, "sign_in") as door:
        rows = door.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'ops'::regnamespace AND relkind IN ('r', 'v') "
            "AND has_any_column_privilege('sign_in', oid, 'SELECT')"
        ).fetchall()
        assert {row["relname"] for row in rows} == READ_BY_THE_DOOR
        for table in ("ledger_trades_fills", "ledger_cash_movements", "confirmations", "tickets", "broker_snapshots"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"):
                desk.rows(door, table)


def test_the_door_does_not_read_the_ledger_in_the_chain_either(fresh_home: Settings) -> None:
    with (
        opened(fresh_home, "sign_in") as door,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"),
    ):
        door.execute("SELECT payload FROM ops.audit_log WHERE kind = 'ledger.fill'")


def test_a_message_is_taken_by_one_sender_at_a_time(fresh_home: Settings) -> None:
    with opened(fresh_home) as one, opened(fresh_home) as two:
        one.execute("INSERT INTO ops.outbox (dedupe_key, kind, payload) VALUES ('a', 'test', '{}')")
        (message,) = desk.rows(one, "outbox")
        take = "SELECT ops.outbox_lock(%s) AS mine"
        with one.transaction():
            assert one.execute(take, (message["outbox_id"],)).fetchone() == {"mine": True}
            assert two.execute(take, (message["outbox_id"],)).fetchone() == {"mine": False}
        assert two.execute(take, (message["outbox_id"],)).fetchone() == {"mine": True}
        assert two.execute(take, (message["outbox_id"] + 1,)).fetchone() == {"mine": False}


def test_numbers_in_a_form_are_text_or_whole(conn: psycopg.Connection[Any]) -> None:
    with pytest.raises(NotCanonical, match="Write it as text"):
        send(conn, {"price": Decimal("1.5")})
    assert desk.counts(conn, "submissions") == (0,)


def test_the_executor_takes_no_fill_out_of_force_but_by_correcting_its_answer(fresh_home: Settings) -> None:
    desk.set_up_desk(fresh_home)
    with opened(fresh_home) as writer:
        fill_id = desk.held(writer, "NVDA", "1.5", dt.date(2018, 1, 5), "2201938475")
    with opened(fresh_home, "executor_ui") as anna:
        only = pytest.raises(psycopg.errors.InsufficientPrivilege, match="only by correcting its answer")
        with only, anna.transaction():
            ledger.void(anna, fill_id=fill_id, why="a test", recorded_by="anna")
        assert desk.rows(anna, "ledger_voids") == []
    with opened(fresh_home, "operator_ui") as omar, omar.transaction():
        ledger.void(omar, fill_id=fill_id, why="a test", recorded_by="omar")
