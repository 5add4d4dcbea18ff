"""A process that runs a plan through the jobs and is killed at one boundary: `python -m … FOLDER PLACE WHEN`.

It kills itself with SIGKILL, so nothing of it can clean up: no `finally`, no rollback of its own, no last event.
"""

import datetime as dt
import importlib
import os
import signal
import sys
from typing import Any

from trading_ops.commands.home import opened
from trading_ops.defs.in_process import plan_through_jobs


def die(*_: object, **__: object) -> None:
    """Be gone."""
    os.kill(os.getpid(), signal.SIGKILL)


def arm(place: str, when: str) -> None:
    """Make a function of the product the last one: `trading_ops.planning.steps.size`, before or after it."""
    module_name, _, name = place.rpartition(".")
    module = importlib.import_module(module_name)
    whole = getattr(module, name)

    def last(*args: Any, **kwargs: Any) -> None:
        if when == "after":
            whole(*args, **kwargs)
        die()

    setattr(module, name, last)


if __name__ == "__main__":
    asof, place, when = sys.argv[1:]
    arm(place, when)
    with opened() as (conn, settings):
        plan_through_jobs(conn, settings, dt.date.fromisoformat(asof), at=dt.datetime(2026, 1, 3, 9, tzinfo=dt.UTC))
