"""A time of day as a person types it becomes an instant, or a gentle question. The door to it is `typed`.

Belongs here: how a clock time is read. Does not belong here: whether it fits the ticket's window (`plausibility`).
"""

import datetime as dt
import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from trading_ops.domain.calendar import LONDON

LONGEST = 40
"""Characters of a field that are looked at."""
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_CLOCK = re.compile(r"^(\d{1,2})(?:[:.h ]?(\d{2}))?(?:[:.]\d{2})?\s*([ap]\.?m\.?)?$", re.IGNORECASE | re.ASCII)
_ASK = "Look at the time that eToro shows for this trade and type it like 14:50."


@dataclass(frozen=True, slots=True)
class TypedTime:
    """What was typed and the instant it was read as.

    Attributes:
        value: The instant, aware UTC; None when it cannot be told.
        question: What to ask; empty when nothing is odd. With a value, it asks for a second look only.
        raw: The text exactly as typed.
    """

    value: dt.datetime | None
    question: str
    raw: str


def tidy(text: str) -> str:
    """A field's text with single spaces and without invisible characters, cut when it is much too long."""
    return " ".join(_INVISIBLE.sub("", text[: 10 * LONGEST]).split())[: LONGEST + 1]


def typed_time(text: str, day: dt.date, zone: ZoneInfo = LONDON) -> TypedTime:
    """Read a time of day: `14:50`, `14.50`, `1450`, `2:50 pm`, `14:50:09`. Seconds are dropped.

    Args:
        text: As typed, of any length and content.
        day: The day it belongs to, in `zone`.
        zone: Whose clock it is.

    Returns:
        The instant in UTC. Hours before 10 without a leading 0 and without am or pm are read as typed, and asked about.
    """
    clean = tidy(text)
    read = _hour_and_minute(clean)
    if isinstance(read, str):
        return TypedTime(None, f"{read} {_ASK}", text)
    local = dt.datetime.combine(day, dt.time(*read), tzinfo=zone)
    at = local.astimezone(dt.UTC)
    clock = f"{read[0]}:{read[1]:02d}"
    if at.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        return TypedTime(None, f"The clocks went forward over {clock} that night. {_ASK}", text)
    if clean[-1].isdigit() and not clean.startswith("0") and 1 <= read[0] <= 9:
        return TypedTime(at, f"Is it {read[0] + 12}:{read[1]:02d}, after noon? Then type it so. {_ASK}", text)
    return TypedTime(at, "", text)


def _hour_and_minute(clean: str) -> tuple[int, int] | str:
    """Hour and minute of a 24-hour clock, or what is wrong with the text."""
    if not clean:
        return "No time is typed yet."
    found = _CLOCK.match(clean)
    if found is None or (found.group(2) is None and found.group(3) is None):
        return "This is not a time of day."
    hour, minute, half = int(found.group(1)), int(found.group(2) or 0), (found.group(3) or "").lower()
    if half and hour <= 12:
        if hour == 0:
            return f"There is no {hour} {half} on a clock."
        hour = hour % 12 + (12 if half[0] == "p" else 0)
    elif half and half[0] == "a":
        return f"{hour}:{minute:02d} is not in the morning."
    if hour > 23 or minute > 59:
        return f"There is no {hour}:{minute:02d} on a clock."
    return hour, minute
