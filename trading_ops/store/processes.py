"""What the operating system says about the server's process. A pid alone proves nothing: it may be another's by now."""

import os
import signal
import subprocess
import time
from pathlib import Path

from trading_ops.store.errors import ServerFailed

PROC = Path("/proc")
STOP_PATIENCE_SECONDS = 300.0


def running(pid: int) -> bool:
    """Whether a process exists and is more than a zombie nobody has collected."""
    if PROC.joinpath("self").exists():
        try:
            status = PROC.joinpath(str(pid), "stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return False
        return status.rpartition(")")[2].split()[0] not in "ZX"
    return _ps(pid, "state").strip()[:1] not in ("", "Z")


def serves(pid: int, data: Path) -> bool:
    """Whether a process is a PostgreSQL server of a data folder."""
    if not running(pid):
        return False
    words = _command_line(pid)
    if not words or Path(words[0]).name != "postgres":
        return False
    try:
        # A server's working folder is its data folder, and stays so when the folder is renamed.
        return PROC.joinpath(str(pid), "cwd").samefile(data)
    except OSError:
        return str(data) in words


def postmaster_pid(data: Path) -> int | None:
    """The pid in the data folder's `postmaster.pid`, dead or alive; None when there is none or it is half written."""
    try:
        first = data.joinpath("postmaster.pid").read_text().split("\n", 1)[0].strip()
    except FileNotFoundError:
        return None
    return int(first) if first.isdigit() else None


def postmaster_port(data: Path) -> int | None:
    """The port in the data folder's `postmaster.pid`, or None."""
    try:
        lines = data.joinpath("postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return None
    return int(lines[3]) if len(lines) > 3 and lines[3].isdigit() else None


def live_server(data: Path) -> int | None:
    """Pid of the server that runs on a data folder, or None."""
    pid = postmaster_pid(data)
    return pid if pid is not None and serves(pid, data) else None


def forget_torn_pid_file(data: Path) -> None:
    """Remove a `postmaster.pid` that names no process, as a power cut leaves it; PostgreSQL refuses to start over it.

    Only when no server of this folder is seen at all. The caller holds the start lock, so none is being started.
    """
    if not data.joinpath("postmaster.pid").exists() or postmaster_pid(data) is not None:
        return
    if any(serves(int(entry.name), data) for entry in PROC.iterdir() if entry.name.isdigit()):
        return
    data.joinpath("postmaster.pid").unlink()


def stop_fast(data: Path, log: Path) -> None:
    """Stop the server of a data folder: clients are disconnected, everything committed is written.

    Raises:
        ServerFailed: It does not go.
    """
    pid = live_server(data)
    if pid is None:
        return
    os.kill(pid, signal.SIGINT)
    patience = time.monotonic() + STOP_PATIENCE_SECONDS
    while serves(pid, data):
        if time.monotonic() > patience:
            raise ServerFailed(f"The database server (pid {pid}) does not stop. Its log is {log}.")
        time.sleep(0.02)


def _command_line(pid: int) -> list[str]:
    if PROC.joinpath("self").exists():
        try:
            raw = PROC.joinpath(str(pid), "cmdline").read_bytes()
        except OSError:
            return []
        return [word.decode(errors="replace") for word in raw.split(b"\0") if word]
    return _ps(pid, "command").split()


def _ps(pid: int, column: str) -> str:
    seen = subprocess.run(
        ["ps", "-o", f"{column}=", "-p", str(pid)], capture_output=True, text=True, check=False, timeout=60
    )
    return seen.stdout
