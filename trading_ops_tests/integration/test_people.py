"""People and their sessions in the database: revisions, the door by the clock, and what each role may see."""

import datetime as dt
from pathlib import Path

import psycopg
import pytest

from streamlit_app.auth.door import Door, Entered, Locked, Wrong
from streamlit_app.database import reading, write, writing
from streamlit_app.person import Person, SignedOut
from streamlit_app.pool import Pool
from trading_ops.domain.errors import BadInput
from trading_ops.settings import Settings
from trading_ops.store import people
from trading_ops_tests.integration.command_line import Done, run, run_apart
from trading_ops_tests.integration.home_factory import opened
from trading_ops_tests.integration.page_server import PASSWORD, add_person, person_of

START = dt.datetime(2026, 3, 2, 15, tzinfo=dt.UTC)


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> dt.datetime:
        return self.at

    def go(self, **by: float) -> None:
        self.at += dt.timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def door(fresh_home: Settings, clock: Clock) -> Door:
    add_person(fresh_home, "anna")
    return Door(Pool(fresh_home, "sign_in"), clock)


def enter(door: Door, password: str, username: str = "anna") -> Entered | Wrong | Locked:
    return door.enter(username, password, remote="192.168.1.7", device="a phone")


def test_a_lock_opens_by_itself_after_fifteen_minutes(door: Door, clock: Clock) -> None:
    assert [enter(door, "wrong") for _ in range(4)] == [Wrong(4), Wrong(3), Wrong(2), Wrong(1)]
    clock.go(minutes=1)
    until = clock.at + dt.timedelta(minutes=15)
    assert enter(door, "wrong") == Locked(until)
    clock.go(minutes=14, seconds=59)
    assert enter(door, PASSWORD) == Locked(until)
    assert [enter(door, "wrong") for _ in range(5)] == [Locked(until)] * 5  # do not make it longer
    clock.go(seconds=1)
    assert isinstance(enter(door, PASSWORD), Entered)
    assert enter(door, "wrong") == Wrong(4)


def test_somebody_unknown_is_told_the_same(door: Door) -> None:
    for username in ("nobody", "not a name", "x" * 500, ""):
        assert enter(door, PASSWORD, username) in (Wrong(4), Wrong(3), Wrong(2))
    assert [enter(door, PASSWORD, "ghost") for _ in range(5)][3:] == [
        Wrong(1),
        Locked(START + dt.timedelta(minutes=15)),
    ]


def test_a_session_ends_after_thirty_days(door: Door, clock: Clock) -> None:
    entered = enter(door, PASSWORD)
    assert isinstance(entered, Entered)
    clock.go(days=30, seconds=-1)
    assert door.holder(entered.token) is not None
    clock.go(seconds=1)
    assert door.holder(entered.token) is None


def test_each_sign_in_has_a_token_of_its_own(door: Door) -> None:
    first, second = enter(door, PASSWORD), enter(door, PASSWORD)
    assert isinstance(first, Entered)
    assert isinstance(second, Entered)
    assert first.token != second.token
    door.leave(first.token, everywhere=False)
    door.leave(first.token, everywhere=False)
    door.leave("nobodys", everywhere=True)
    assert (door.holder(first.token), door.holder(second.token) is None) == (None, False)


@pytest.mark.parametrize("change", [{"active": False}, {"email": "a@example.org"}, {"password_hash": "scrypt$1"}])
def test_any_change_of_a_person_ends_their_sessions(
    door: Door, fresh_home: Settings, change: dict[str, str | bool]
) -> None:
    entered = enter(door, PASSWORD)
    assert isinstance(entered, Entered)
    with opened(fresh_home, "sign_in") as conn, conn.transaction():
        people.change(conn, "anna", **change)  # type: ignore[arg-type]
    assert door.holder(entered.token) is None


def test_who_is_disabled_is_told_nothing(door: Door, fresh_home: Settings) -> None:
    assert run(fresh_home, "user", "disable", "anna").code == 0
    assert enter(door, PASSWORD) == Wrong(4)
    assert run(fresh_home, "user", "enable", "anna").code == 0
    assert isinstance(enter(door, PASSWORD), Entered)


# ---------------------------------------------------------------- the pages' connections


@pytest.fixture
def anna(fresh_home: Settings, monkeypatch: pytest.MonkeyPatch) -> Person:
    for name, value in fresh_home.to_env().items():
        monkeypatch.setenv(name, value)
    add_person(fresh_home, "anna")
    return person_of(fresh_home, "anna")


def test_what_a_page_writes_names_its_person(anna: Person, fresh_home: Settings) -> None:
    announce = "INSERT INTO ops.audit_log (kind, subject, payload) VALUES ('universe.checked', %s, '{}')"
    with writing(anna) as conn:
        conn.execute(announce, ("one",))
    write(anna, lambda conn: conn.execute(announce, ("two",)))
    with opened(fresh_home) as conn:
        rows = conn.execute("SELECT actor FROM ops.audit_log WHERE kind = 'universe.checked'").fetchall()
    assert [row["actor"] for row in rows] == ["executor_ui:anna"] * 2


def test_a_reader_writes_nothing_and_an_error_keeps_nothing(anna: Person) -> None:
    announce = "INSERT INTO ops.audit_log (kind, subject, payload) VALUES ('universe.checked', 'x', '{}')"
    with reading(anna) as conn, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        conn.execute(announce)
    with pytest.raises(psycopg.errors.UndefinedTable), writing(anna) as conn:
        conn.execute(announce + "; SELECT * FROM ops.no_such_table")
    with reading(anna) as conn:
        assert conn.execute("SELECT 1 FROM ops.audit_log WHERE kind = 'universe.checked'").fetchone() is None


def test_a_page_sees_no_password_and_no_session(anna: Person) -> None:
    for table in ("people", "sign_ins", "sign_outs", "sign_in_attempts"):
        with reading(anna) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute(f"SELECT * FROM ops.{table}")  # type: ignore[arg-type]
    with pytest.raises(psycopg.errors.InsufficientPrivilege), writing(anna) as conn:
        conn.execute("INSERT INTO ops.kill_switch_events DEFAULT VALUES")


def test_nothing_is_written_after_the_session_ended(anna: Person, fresh_home: Settings) -> None:
    assert run(fresh_home, "user", "sign-out", "anna").out == "1 session ended.\n"
    with pytest.raises(SignedOut), writing(anna):
        pytest.fail("it was let in")
    with pytest.raises(SignedOut):
        write(anna, lambda conn: pytest.fail("it was let in"))


def test_nobody_takes_another_role(anna: Person) -> None:
    with pytest.raises(SignedOut), writing(Person("anna", "operator", "Anna", anna.session)):
        pytest.fail("it was let in")


def test_a_connection_that_died_is_replaced(fresh_home: Settings, administrator: psycopg.Connection[object]) -> None:
    pool = Pool(fresh_home, "executor_ui")
    for _ in range(2):
        with pool.lent() as conn:
            assert conn.execute("SELECT current_user AS who").fetchone() == {"who": "executor_ui"}
        administrator.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", (fresh_home.database,)
        )


# ---------------------------------------------------------------- the commands


def typed(home: Settings, tmp_path: Path, password: str, *words: str) -> Done:
    secret = tmp_path / "password"
    secret.touch(0o600)
    secret.write_text(password + "\n")
    return run(home, "user", *words, "--password-file", str(secret))


def test_a_person_is_added_and_listed_and_announced_without_the_password(fresh_home: Settings, tmp_path: Path) -> None:
    words = ("add", "anna", "--role", "executor", "--name", "Anna B", "--email", "anna@example.org")
    assert typed(fresh_home, tmp_path, PASSWORD, *words).out == "Anna B can sign in as 'anna', executor.\n"
    again = typed(fresh_home, tmp_path, PASSWORD, *words)
    assert (again.code, "There is a 'anna' already" in again.err) == (1, True)
    assert run(fresh_home, "user", "email", "anna", "").code == 0
    assert '"email": ""' in run(fresh_home, "user", "list", "--json").out
    with opened(fresh_home, "sign_in") as conn:
        kept = people.existing(conn, "anna")
    with opened(fresh_home) as conn:
        told = conn.execute("SELECT actor, payload FROM ops.audit_log WHERE kind = 'people.set'").fetchall()
    assert (kept.revision, kept.role, kept.active) == (2, "executor", True)
    assert kept.password_hash not in repr(kept)
    assert len(told) == 2
    assert all(row["actor"].startswith("sign_in:") for row in told)
    assert not any(secret in row["payload"] for row in told for secret in ("scrypt", PASSWORD))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "Anna", "--role", "executor", "--name", "A"), "cannot be used"),
        (("add", "anna", "--role", "boss", "--name", "A"), "use executor or operator"),
        (("add", "anna", "--role", "executor", "--name", "A\nB"), "cannot be shown"),
        (("add", "anna", "--role", "executor", "--name", "A", "--email", "anna"), "no mail address"),
        (("add", "anna", "--role", "executor", "--name", "A", "--email", "a@b.c\nBcc: x@y.z"), "no mail address"),
        (("password", "anna"), "Nobody has the username"),
    ],
)
def test_what_cannot_be_used_is_said(fresh_home: Settings, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    done = typed(fresh_home, tmp_path, PASSWORD, *words)
    assert (done.code, said in done.err, done.out) == (1, True, "")
    assert run(fresh_home, "user", "list").out == "nobody yet\n"


def test_a_password_that_others_can_read_or_guess_is_not_taken(fresh_home: Settings, tmp_path: Path) -> None:
    words = ("add", "anna", "--role", "executor", "--name", "Anna")
    assert "tried first" in typed(fresh_home, tmp_path, "password2026", *words).err
    (tmp_path / "password").chmod(0o644)
    assert "open to others" in typed(fresh_home, tmp_path, PASSWORD, *words).err
    assert "at least 10" in run_apart(fresh_home, "user", *words).err  # the standard input is empty
    assert run(fresh_home, "user", "list").out == "nobody yet\n"


def test_revisions_are_never_changed(fresh_home: Settings) -> None:
    add_person(fresh_home, "anna")
    with opened(fresh_home, "sign_in") as conn:
        for change in ("UPDATE ops.people SET active = false", "DELETE FROM ops.sign_ins", "DELETE FROM ops.people"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(change)  # type: ignore[arg-type]
        with pytest.raises(BadInput), conn.transaction():
            people.change(conn, "nobody", active=False)
