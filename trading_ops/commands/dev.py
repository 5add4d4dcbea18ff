"""dev: Dagster's UI and daemon for this home, in the foreground until Ctrl-C."""

import signal
import subprocess
import sys
from types import FrameType
from typing import Annotated

import typer

from trading_ops.defs import dagster_home
from trading_ops.settings import Settings, shipped
from trading_ops.store.server import Server

STOP_SECONDS = 30


def dev(port: Annotated[int, typer.Option(help="of the UI, on 127.0.0.1 only")] = 3000) -> None:
    """The Dagster UI and its daemon, with this home's history. Ctrl-C stops both."""
    settings = Settings.from_env()
    with Server(settings).use():
        dagster_home.prepare(settings)
        words = ["dev", "-w", str(shipped("workspace.yaml")), "-h", "127.0.0.1", "-p", str(port)]
        typer.echo(f"Dagster for {settings.home} on http://127.0.0.1:{port} (Ctrl-C stops it)")
        code = _in_foreground([sys.executable, "-m", "dagster", *words], dagster_home.environment(settings))
    if code:
        raise typer.Exit(code)


def _in_foreground(words: list[str], environment: dict[str, str]) -> int:
    """Run a program until it ends or we are asked to stop; it ends before we do.

    A shell that starts us in the background has SIGINT ignored, and a child would inherit that and never stop.
    """
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _interrupt)
    child = subprocess.Popen(words, env=environment, cwd=environment["DAGSTER_HOME"], start_new_session=True)
    try:
        return child.wait()
    except KeyboardInterrupt:
        child.send_signal(signal.SIGINT)
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        return 0


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
