"""When a message that did not go out is tried again: after a minute, then ever later, for about three days."""

import datetime as dt
import hashlib

FIRST = dt.timedelta(minutes=1)
LONGEST = dt.timedelta(hours=6)
TRIES = 20
"""One minute doubled up to six hours, twenty tries: a little under three days."""
SPREAD = 25
"""Per cent by which a wait may be shorter or longer, so that many messages do not knock at once."""


def next_wait(tries: int, message_id: str) -> dt.timedelta | None:
    """The wait after so many failed tries (1 or more); None when it was tried often enough.

    The spread comes from the message and the try, not from chance: the same message waits the same time.
    """
    if tries >= TRIES:
        return None
    wait = min(FIRST * 2 ** min(tries - 1, 20), LONGEST)
    digest = hashlib.sha256(f"{message_id}:{tries}".encode()).digest()
    percent = 100 - SPREAD + int.from_bytes(digest[:4], "big") % (2 * SPREAD + 1)
    spread: dt.timedelta = wait * percent / 100
    return min(spread, LONGEST)
