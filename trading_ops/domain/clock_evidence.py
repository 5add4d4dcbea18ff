"""What other people's clocks say of this machine's: the time that sources put on their answers.

The embedded database has the machine's own clock, so that beside it a wrong one looks right. One source proves nothing:
its answer may come out of a cache, or its clock be wrong itself. Two that are wrong by the same must be right.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

SOURCES_TOLERANCE = dt.timedelta(minutes=5)
"""An answer may be on its way for a minute, and a source's clock be off by some."""
BELIEVED_FOR = dt.timedelta(hours=24)
"""Older readings say nothing of the clock as it is now."""
WITNESSES = 2


@dataclass(frozen=True, slots=True)
class Reading:
    """Two clocks at the moment at which an answer of a source was there, both aware UTC."""

    machine: dt.datetime
    source: dt.datetime

    @property
    def apart(self) -> dt.timedelta:
        """How far the source's clock is before this machine's; negative when it is behind."""
        return self.source - self.machine


def against(readings: Mapping[str, Reading]) -> dict[str, Reading]:
    """The sources that together show that this machine's clock is wrong; empty when they do not.

    At least two must be wrong by the same, within the tolerance, and be more than all others together.

    Args:
        readings: The newest reading of every source that was asked lately.
    """
    off = {name: reading for name, reading in sorted(readings.items()) if abs(reading.apart) > SOURCES_TOLERANCE}
    groups = [
        {name: other for name, other in off.items() if abs(other.apart - reading.apart) <= SOURCES_TOLERANCE}
        for reading in off.values()
    ]
    most = max(groups, key=len, default={})
    return most if len(most) >= WITNESSES and len(most) > len(readings) - len(most) else {}


def sentence(readings: Mapping[str, Reading]) -> str:
    """Each source's time beside this machine's, for people."""
    return "; ".join(
        f"{name} said {_time(reading.source)} when this machine said {_time(reading.machine)}"
        for name, reading in sorted(readings.items())
    )


def _time(at: dt.datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
