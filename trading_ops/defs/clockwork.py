"""When the schedules tick: each at its own time, or all of them every few minutes for a person who watches them.

Imports no Dagster: the command line sets the variable before Dagster's programs start.
"""

import os
from collections.abc import Mapping

from trading_ops.domain.errors import BadInput

EVERY_MINUTES = "TRADING_OPS_EVERY_MINUTES"
"""Names the minutes between two ticks. Unset or empty: the usual times. `trading-ops dev --every` sets it."""
CHOICES = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)
"""Minutes that divide an hour; with any other the ticks around a full hour would lie closer together."""


def every(minutes: str) -> str:
    """The cron line of a tick each so many minutes.

    Args:
        minutes: One of `CHOICES`, as it was written.

    Raises:
        BadInput: It is another number, or none.
    """
    if minutes not in map(str, CHOICES):
        raise BadInput(f"{EVERY_MINUTES} (--every) is {minutes!r}: use one of {', '.join(map(str, CHOICES))} minutes.")
    return f"*/{minutes} * * * *"


def cron(usual: str, environ: Mapping[str, str] | None = None) -> str:
    """The cron line of a schedule: its usual one, unless the environment asks for a tick every few minutes.

    Args:
        usual: The line that the schedule lives by.
        environ: Replaces the process environment.

    Raises:
        BadInput: The environment names minutes that cannot be used.
    """
    minutes = (os.environ if environ is None else environ).get(EVERY_MINUTES)
    return every(minutes) if minutes else usual
