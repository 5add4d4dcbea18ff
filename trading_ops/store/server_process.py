"""Starting the embedded server's process, and waiting for it as long as its recovery takes.

Who may start and stop it, and when, is `trading_ops.store.server`'s business.
"""

import os
import signal
import subprocess
import time
from pathlib import Path

from trading_ops.store.binaries import clean_env, program
from trading_ops.store.cluster import Cluster
from trading_ops.store.errors import ServerFailed
from trading_ops.store.probe import Answer, ask
from trading_ops.store.processes import forget_torn_pid_file, live_server, postmaster_pid, postmaster_port, running
from trading_ops.store.unprivileged import run_as

POLL_SECONDS = 0.03
SILENCE_SECONDS = 300.0
"""The server tells its log every 10 s how far recovery is; silence this long is a hang, not a long recovery."""
ORPHAN_SECONDS = 120.0
"""Processes of a killed server go by themselves, and hold its memory until then."""
PORT_TRIES = 8
REFUSALS = 30
LOG_BYTES = 10_000_000

# A child of its own session with nothing of ours open: no parent, pipe or terminal can end or block it.
DETACH = 'umask 077; "$@" </dev/null >>"$0" 2>&1 & echo $!'


def ensure_started(cluster: Cluster) -> int:
    """Start the server unless it runs, and wait until it lets us in; returns its pid.

    The caller holds the start lock.

    Raises:
        ServerFailed: It cannot start; the text has the server's own reason.
    """
    orphans_until = time.monotonic() + ORPHAN_SECONDS
    ports_tried = 0
    while True:
        pid = live_server(cluster.data)
        adopted = pid is not None
        mark = _log_size(cluster.log)
        if pid is None:
            pid = _launch(cluster, cluster.free_port())
        if _becomes_ready(cluster, pid):
            return pid
        if adopted:  # somebody else's start or stop was still under way, and it ended
            continue
        said = _log_since(cluster.log, mark)
        if "pre-existing shared memory block" in said and time.monotonic() < orphans_until:
            time.sleep(0.2)
        elif "could not bind" in said and ports_tried < PORT_TRIES:
            ports_tried += 1
        elif live_server(cluster.data) is None:
            raise ServerFailed(f"The database server did not start: {_reason(said)} Its log is {cluster.log}.")


def _launch(cluster: Cluster, port: int) -> int:
    _rotate(cluster.log)
    cluster.remember_port(port)
    who = run_as(cluster.data)
    env = clean_env()
    forget_torn_pid_file(cluster.data)
    stale = postmaster_pid(cluster.data)
    if stale is not None:
        # It is no server of ours (a dead one's pid, or one that went to another program). PostgreSQL takes a pid named
        # here for no rival, and still refuses when processes of the old server hold its memory. The file stays.
        env["PG_GRANDPARENT_PID"] = str(stale)
    server = (program("postgres"), "-D", str(cluster.data), "-p", str(port))
    launched = subprocess.run(
        ["/bin/sh", "-c", DETACH, str(cluster.log), *who.prefix, *server],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True, timeout=60,
        start_new_session=True, cwd="/", env=env,
    )  # fmt: skip
    return int(launched.stdout)


def _becomes_ready(cluster: Cluster, pid: int) -> bool:
    quiet_since = time.monotonic()
    size = _log_size(cluster.log)
    refused = 0
    while True:
        # The pid file names the port it really has, once it is this server's own.
        port = postmaster_port(cluster.data) if live_server(cluster.data) == pid else None
        answer = ask(cluster, port) if port is not None else Answer.NOTHING
        if port is not None and answer is Answer.OURS:
            cluster.remember_port(port)
            return True
        if not running(pid):
            return False
        # Once may be another program that took the port a moment before ours wanted it; ours then ends by itself.
        refused = refused + 1 if answer is Answer.FOREIGN else 0
        if refused > REFUSALS:
            raise ServerFailed(
                f"The database server (pid {pid}, port {port}) does not let us in with this home's password. "
                f"Stop it with `kill -INT {pid}` and restore the home's secrets folder from a backup."
            )
        if answer is Answer.BUSY or _log_size(cluster.log) != size:
            quiet_since, size = time.monotonic(), _log_size(cluster.log)
        if time.monotonic() - quiet_since > SILENCE_SECONDS:
            os.kill(pid, signal.SIGQUIT)
            raise ServerFailed(f"The database server (pid {pid}) hung while starting. Its log is {cluster.log}.")
        time.sleep(POLL_SECONDS)


def _log_size(log: Path) -> int:
    return log.stat().st_size if log.exists() else 0


def _log_since(log: Path, mark: int) -> str:
    if not log.exists():
        return ""
    with log.open("rb") as lines:
        lines.seek(mark if mark <= _log_size(log) else 0)
        return lines.read().decode(errors="replace")


def _rotate(log: Path) -> None:
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if _log_size(log) > LOG_BYTES:
        log.replace(log.with_name(f"{log.name}.1"))


def _reason(said: str) -> str:
    lines = [line for line in said.splitlines() if line.strip()]
    grave = [line for line in lines if "FATAL" in line or "PANIC" in line]
    text = (grave or lines or ["it said nothing"])[-1]
    for mark in ("FATAL:", "PANIC:"):
        text = text.rpartition(mark)[2]
    return text.strip().rstrip(".") + "."
