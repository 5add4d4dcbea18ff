"""Who may start and stop the server: it is there for everyone who uses it, and gone when the last one left."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from trading_ops.domain.errors import Refused
from trading_ops.settings import Settings
from trading_ops.store.errors import NotInitialised
from trading_ops.store.processes import live_server, stop_fast
from trading_ops.store.server import Server
from trading_ops_tests.integration.server_users import OtherProcess


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a data folder, made once."""
    home = tmp_path_factory.mktemp("sharing") / "home"
    with Server(Settings(home)).use(create=True):
        pass
    return home


@pytest.fixture
def server(made: Path) -> Iterator[Server]:
    """The home's server, down before and after."""
    settings = Settings(made)
    yield Server(settings)
    stop_fast(settings.postgres_dir, settings.logs_dir)
    made.joinpath("postgres.keep").unlink(missing_ok=True)


def pid_of(server: Server) -> int | None:
    return live_server(server.settings.postgres_dir)


def test_last_one_to_leave_stops_the_server(server: Server) -> None:
    other = OtherProcess(server.settings.home).entered()
    with server.use(), psycopg.connect(server.admin_dsn(), autocommit=True) as conn:
        pid = pid_of(server)
        other.leave()
        assert conn.execute("SELECT 1").fetchone() == (1,)
        assert pid_of(server) == pid
    assert pid_of(server) is None


def test_first_one_to_leave_does_not(server: Server) -> None:
    with server.use():
        other = OtherProcess(server.settings.home).entered()
    assert pid_of(server) is not None
    other.leave()
    assert pid_of(server) is None


def test_killed_user_holds_nothing(server: Server) -> None:
    OtherProcess(server.settings.home).entered().kill()
    assert pid_of(server) is not None
    with server.use():
        pass
    assert pid_of(server) is None


def test_many_first_starts_at_once_make_one_server(tmp_path: Path) -> None:
    home = tmp_path / "home"
    others = [OtherProcess(home) for _ in range(4)]
    for other in others:
        other.entered()
    server = Server(Settings(home))
    pid = pid_of(server)
    for other in others:
        assert pid_of(server) == pid
        other.leave()
    assert pid_of(server) is None


def test_start_and_stop_in_a_hurry_never_meet_a_dead_server(server: Server) -> None:
    for _ in range(5):
        other = OtherProcess(server.settings.home)
        with server.use(), psycopg.connect(server.admin_dsn()) as conn:
            assert conn.execute("SELECT 1").fetchone() == (1,)
        other.entered().leave()
    assert pid_of(server) is None


def test_second_start_is_refused_in_one_sentence(server: Server) -> None:
    said = server.start_explicit()
    pid, port = pid_of(server), server.status().port
    assert f"pid {pid}, port {port}" in said
    with pytest.raises(Refused, match=rf"runs already \(pid {pid}, port {port}\)"):
        server.start_explicit()
    assert pid_of(server) == pid


def test_started_server_stays_until_it_is_stopped(server: Server) -> None:
    server.start_explicit()
    with server.use():
        pass
    assert server.status().running
    assert server.status().kept
    assert "was stopped" in server.stop_explicit()
    assert not server.status().running
    assert "does not run" in server.stop_explicit()


def test_start_takes_over_a_server_that_a_killed_command_left(server: Server) -> None:
    OtherProcess(server.settings.home).entered().kill()
    server.start_explicit()
    with server.use():
        pass
    assert pid_of(server) is not None


def test_start_while_a_command_is_at_work_is_refused(server: Server) -> None:
    with server.use(), pytest.raises(Refused, match="at work"):
        server.start_explicit()


def test_stop_while_a_command_is_at_work_is_refused_and_carried_out_at_its_end(server: Server) -> None:
    server.start_explicit()
    with server.use(), psycopg.connect(server.admin_dsn()) as conn:
        with pytest.raises(Refused, match="in use"):
            server.stop_explicit()
        assert conn.execute("SELECT 1").fetchone() == (1,)
    assert pid_of(server) is None


def test_server_keeps_no_pipe_of_the_command_that_started_it(server: Server) -> None:
    code = (
        "import sys; from pathlib import Path; from trading_ops.settings import Settings; "
        "from trading_ops.store.server import Server; print(Server(Settings(Path(sys.argv[1]))).start_explicit())"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, str(server.settings.home)], capture_output=True, text=True, timeout=60, check=True
    )
    pid = pid_of(server)
    assert f"pid {pid}" in ended.stdout
    # Field 6 of stat is the session: not ours, so no terminal's Ctrl-C or hang-up reaches the server.
    assert Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[3] != str(subprocess.os.getsid(0))


def test_home_that_was_never_made_is_told(tmp_path: Path) -> None:
    server = Server(Settings(tmp_path / "nowhere"))
    for act in (lambda: server.use().__enter__(), server.start_explicit, server.admin_dsn):
        with pytest.raises(NotInitialised, match="trading-ops init"):
            act()
    assert not (tmp_path / "nowhere").exists()


def test_server_named_by_a_url_is_never_started_or_stopped(tmp_path: Path) -> None:
    server = Server(Settings(tmp_path / "home", database_url="postgresql://postgres:secret@127.0.0.1:1/postgres"))
    for act in (server.start_explicit, server.stop_explicit):
        with pytest.raises(Refused, match="TRADING_OPS_DATABASE_URL"):
            act()
