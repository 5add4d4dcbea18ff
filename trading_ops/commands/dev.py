"""dev: Dagster's UI and daemon and the desk's pages for this home, in the foreground until Ctrl-C."""

import os
import signal
import subprocess
import sys
from types import FrameType
from typing import Annotated

import typer

from trading_ops.defs import clockwork, dagster_home
from trading_ops.domain.errors import Refused
from trading_ops.settings import Settings, shipped
from trading_ops.store import desk, migrate
from trading_ops.store.connect import connect
from trading_ops.store.server import Server

STOP_SECONDS = 30


def dev(
    port: Annotated[int, typer.Option(help="of Dagster's UI, on 127.0.0.1 only")] = 3000,
    pages_port: Annotated[int, typer.Option(help="of the desk's pages, on 127.0.0.1 only")] = 8501,
    every: Annotated[
        int | None, typer.Option(metavar="MINUTES", help="every schedule ticks so often, to watch the clockwork")
    ] = None,
) -> None:
    """Dagster's UI and daemon, and the desk's pages, with this home's history. Ctrl-C stops them all."""
    settings = Settings.from_env()
    if every is not None:
        clockwork.every(str(every))  # says so when it is no number of minutes to tick by
    with Server(settings).use():
        migrate.require_current(settings)
        if every is not None:
            _at_other_times(settings, every)
        dagster_home.prepare(settings)
        words = ["dev", "-w", str(shipped("workspace.yaml")), "-h", "127.0.0.1", "-p", str(port)]
        typer.echo(f"Dagster for {settings.home} on http://127.0.0.1:{port} (Ctrl-C stops it)")
        pages = ["-c", "from trading_ops.cli import main; main()", "serve", "--port", str(pages_port)]
        # Whatever our own environment says: only --every decides, which was looked at.
        environment = dagster_home.environment(settings) | {clockwork.EVERY_MINUTES: str(every or "")}
        code = _in_foreground([[sys.executable, *pages], [sys.executable, "-m", "dagster", *words]], environment)
    if code:
        raise typer.Exit(code)


def _at_other_times(settings: Settings, every: int) -> None:
    with connect(settings, "app_writer") as conn:
        if desk.book(conn) == "live":
            raise Refused(
                "--every: this home holds a live book, whose schedules keep their own times. "
                "Watch the clockwork in a paper or sim home; leave --every out here."
            )
    typer.echo(f"All schedules tick every {every} min, not at their own times: this is for watching the clockwork.")


def _in_foreground(programs: list[list[str]], environment: dict[str, str]) -> int:
    """Run programs until one of them ends or we are asked to stop; all of them end before we do.

    A shell that starts us in the background has SIGINT ignored, and a child would inherit that and never stop.

    Returns:
        Exit code of the one that ended, 0 when we were asked to stop.
    """
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _interrupt)
    children: list[subprocess.Popen[bytes]] = []
    try:
        for words in programs:
            cwd = environment["DAGSTER_HOME"]
            children.append(subprocess.Popen(words, env=environment, cwd=cwd, start_new_session=True))
        return _first_to_end(children)
    except KeyboardInterrupt:
        return 0
    finally:
        for child in children:
            _stop(child)


def _first_to_end(children: list["subprocess.Popen[bytes]"]) -> int:
    ours = {child.pid: child for child in children}
    while True:
        pid, status = os.wait()
        if pid in ours:
            ours[pid].returncode = os.waitstatus_to_exitcode(status)
            return ours[pid].returncode


def _stop(child: "subprocess.Popen[bytes]") -> None:
    if child.poll() is not None:
        return
    child.send_signal(signal.SIGINT)
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
