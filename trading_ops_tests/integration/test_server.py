"""The embedded server's process: it starts over what a crash left behind, and only over that."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from trading_ops.settings import Settings
from trading_ops.store import processes, server_process
from trading_ops.store.cluster import Cluster
from trading_ops.store.errors import SecretsTooOpen, ServerFailed, WrongDatabaseVersion
from trading_ops.store.probe import Answer
from trading_ops.store.processes import live_server, stop_fast
from trading_ops.store.server import Server
from trading_ops_tests.integration.server_users import bystander, running


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a data folder, made once."""
    home = tmp_path_factory.mktemp("server") / "home"
    with Server(Settings(home)).use(create=True):
        pass
    return home


@pytest.fixture
def settings(made: Path) -> Iterator[Settings]:
    """The home, its server down before and after."""
    settings = Settings(made)
    yield settings
    stop_fast(settings.postgres_dir, settings.logs_dir)
    made.joinpath("postgres.keep").unlink(missing_ok=True)


def pid_of(settings: Settings) -> int:
    pid = live_server(settings.postgres_dir)
    assert pid is not None
    return pid


def test_server_survives_kill_9_with_every_acknowledged_commit(settings: Settings) -> None:
    server = Server(settings)
    with server.use():
        with psycopg.connect(server.admin_dsn(), autocommit=True) as conn:
            conn.execute("CREATE TABLE kept (n integer)")
            for number in range(50):
                conn.execute("INSERT INTO kept VALUES (%s)", (number,))
            first = pid_of(settings)
            os.kill(first, signal.SIGKILL)
        with server.use(), psycopg.connect(server.admin_dsn(), autocommit=True) as conn:
            assert pid_of(settings) != first
            assert conn.execute("SELECT count(*) FROM kept").fetchone() == (50,)
            conn.execute("DROP TABLE kept")


def test_server_waits_for_a_recovery_longer_than_its_patience_with_silence(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, heard = Server(settings), []
    with server.use():
        with psycopg.connect(server.admin_dsn(), autocommit=True) as conn:
            conn.execute("CREATE TABLE filler AS SELECT n, repeat('x', 200) AS t FROM generate_series(1, 400000) n")
            os.kill(pid_of(settings), signal.SIGKILL)
        asked = server_process.ask

        def listen(cluster: Cluster, port: int | None = None) -> Answer:
            heard.append((time.monotonic(), asked(cluster, port)))
            return heard[-1][1]

        monkeypatch.setattr(server_process, "ask", listen)
        monkeypatch.setattr(server_process, "SILENCE_SECONDS", 0.1)
        with server.use(), psycopg.connect(server.admin_dsn(), autocommit=True) as conn:
            conn.execute("DROP TABLE filler")
    busy = [at for at, answer in heard if answer is Answer.BUSY]
    assert busy
    assert heard[-1][0] - busy[0] > 0.1, "recovery was too short to prove anything"


def test_stale_pid_file_of_another_program_is_no_server(settings: Settings) -> None:
    stranger = bystander()
    try:
        pid_file = settings.postgres_dir / "postmaster.pid"
        pid_file.write_text(f"{stranger.pid}\n{settings.postgres_dir}\n1700000000\n5999\n\n127.0.0.1\n")
        with Server(settings).use():
            assert pid_of(settings) != stranger.pid
        assert running(stranger.pid)
    finally:
        stranger.kill()
        stranger.wait()


def test_process_that_ended_uncollected_is_not_running() -> None:
    ended = subprocess.Popen(["true"])
    try:
        # Looked at, not collected: it stays a zombie.
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        assert Path(f"/proc/{ended.pid}").exists()
        assert not processes.running(ended.pid)
        assert processes.running(os.getpid())
    finally:
        ended.wait()


@pytest.mark.parametrize("left", ["", "\n", "99999999\n"], ids=["empty", "torn", "dead"])
def test_stale_pid_file_of_a_crash_does_not_block_the_start(settings: Settings, left: str) -> None:
    settings.postgres_dir.joinpath("postmaster.pid").write_text(left)
    with Server(settings).use():
        assert pid_of(settings)


def test_port_taken_by_another_program_means_another_port(settings: Settings) -> None:
    with Server(settings).use():
        before = Cluster(settings).port()
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", before))
        squatter.listen()
        with Server(settings).use():
            assert Cluster(settings).port() not in (None, before)
            assert Server(settings).status().running


def test_port_lost_between_the_look_and_the_start_is_tried_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        taken = squatter.getsockname()[1]
        offers = iter([taken])
        real = Cluster.free_port
        monkeypatch.setattr(Cluster, "free_port", lambda self: next(offers, None) or real(self))
        with Server(settings).use():
            assert Cluster(settings).port() != taken


def test_data_folder_of_another_version_is_refused_with_what_to_do(settings: Settings) -> None:
    version = settings.postgres_dir / "PG_VERSION"
    kept = version.read_text()
    version.write_text("17\n")
    try:
        with pytest.raises(WrongDatabaseVersion, match=r"made by PostgreSQL 17.* brings PostgreSQL 18.*backup"):
            Server(settings).use().__enter__()
    finally:
        version.write_text(kept)


def test_files_are_closed_to_others(settings: Settings) -> None:
    modes = {
        path: stat.S_IMODE(settings.home.joinpath(path).stat().st_mode)
        for path in ("postgres", "secrets", "secrets/superuser", "logs", "logs/postgres.log", "backups")
    }
    assert modes == {
        "postgres": 0o700, "secrets": 0o700, "secrets/superuser": 0o600, "logs": 0o700, "logs/postgres.log": 0o600,
        "backups": 0o700,
    }  # fmt: skip


@pytest.mark.parametrize(("path", "mode"), [("postgres", 0o750), ("secrets/superuser", 0o640)])
def test_files_open_to_others_are_refused(settings: Settings, path: str, mode: int) -> None:
    opened = settings.home / path
    before = stat.S_IMODE(opened.stat().st_mode)
    opened.chmod(mode)
    try:
        with pytest.raises(SecretsTooOpen, match="chmod"):
            Server(settings).use().__enter__()
    finally:
        opened.chmod(before)
    assert stat.S_IMODE(opened.stat().st_mode) == before


def test_folders_that_exist_keep_their_mode(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o750)
    home.chmod(0o750)
    Settings(home).make_folders()
    assert stat.S_IMODE(home.stat().st_mode) == 0o750


@pytest.mark.parametrize("password", ["wrong", ""])
def test_wrong_password_is_refused(settings: Settings, password: str) -> None:
    with Server(settings).use():
        where = {"host": "127.0.0.1", "port": Cluster(settings).port(), "user": "postgres", "dbname": "postgres"}
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(**where, password=password)


def test_password_of_another_home_is_told_and_nothing_is_stopped(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_process, "REFUSALS", 2)
    secret = settings.secrets_dir / "superuser"
    kept = secret.read_text()
    with Server(settings).use():
        pid = pid_of(settings)
        secret.write_text("another")
        try:
            with pytest.raises(ServerFailed, match=rf"pid {pid}.* does not let us in"):
                Server(settings).use().__enter__()
        finally:
            secret.write_text(kept)
        assert running(pid)


def test_server_is_what_doctor_wants(settings: Settings) -> None:
    server = Server(settings)
    wanted = {
        "fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "data_checksums": "on", "TimeZone": "UTC",
        "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "password_encryption": "scram-sha-256",
    }  # fmt: skip
    with server.use(), psycopg.connect(server.admin_dsn()) as conn:
        seen = {name: conn.execute("SELECT current_setting(%s)", (name,)).fetchone()[0] for name in wanted}
        locale = conn.execute(
            "SELECT datlocprovider, datlocale FROM pg_database WHERE datname = 'template0'"
        ).fetchone()
        open_doors = conn.execute(
            "SELECT count(*) FROM pg_hba_file_rules WHERE auth_method <> 'scram-sha-256'"
        ).fetchone()
    assert seen == wanted
    assert locale == ("b", "C.UTF-8")
    assert open_doors == (0,)


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="only root falls back to an account")
def test_root_without_namespaces_runs_as_an_existing_account(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trading_ops.store.unprivileged.namespaces_work", lambda: False)
    monkeypatch.setenv("TRADING_OPS_SERVER_ACCOUNT", "nobody")
    home = Path("/tmp") / f"trading-ops-account-{os.getpid()}"
    if not _reachable_by_nobody():
        pytest.skip("the account nobody cannot reach PostgreSQL's programs here")
    settings = Settings(home)
    try:
        with Server(settings).use(create=True):
            owner = settings.postgres_dir.stat()
            assert owner.st_uid != 0
            assert stat.S_IMODE(owner.st_mode) == 0o700
            assert Path(f"/proc/{pid_of(settings)}").stat().st_uid == owner.st_uid
    finally:
        stop_fast(settings.postgres_dir, settings.logs_dir)
        shutil.rmtree(home)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another way to run the server")
def test_root_with_neither_namespaces_nor_account_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trading_ops.store.unprivileged.namespaces_work", lambda: False)
    monkeypatch.setenv("TRADING_OPS_SERVER_ACCOUNT", "no-such-account")
    with pytest.raises(ServerFailed, match=r"root.*TRADING_OPS_DATABASE_URL"):
        Server(Settings(tmp_path / "home")).use(create=True).__enter__()


def test_unfinished_data_folder_of_a_killed_start_is_made_anew(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "home")
    settings.make_folders()
    unfinished = settings.home / "postgres.unfinished"
    unfinished.mkdir()
    unfinished.joinpath("PG_VERSION").write_text("18\n")
    with Server(settings).use(create=True):
        assert pid_of(settings)
    assert not unfinished.exists()


def _reachable_by_nobody() -> bool:
    from trading_ops.store.binaries import program

    tried = subprocess.run(
        ["setpriv", "--reuid=nobody", "--clear-groups", program("postgres"), "--version"],
        capture_output=True,
        check=False,
    )
    return tried.returncode == 0
