"""Five wrong tries shut a username for a quarter of an hour, then it opens by itself."""

import datetime as dt
from collections.abc import Iterable

WRONG_TRIES = 5
LOCKED_FOR = dt.timedelta(minutes=15)
LOOK_BACK = 2 * LOCKED_FOR
"""No earlier try can matter: tries count for one lock's length, and a lock lasts as long again."""


def standing(tries: Iterable[tuple[dt.datetime, bool]], at: dt.datetime) -> tuple[int, dt.datetime | None]:
    """How a username stands at a moment.

    Args:
        tries: Those that were looked at, oldest first, as (when, right), of the last `LOOK_BACK`. A try while locked
            is not looked at and does not count.
        at: The moment.

    Returns:
        How many wrong tries are left before it locks, and until when it is locked, None when it is not.
    """
    wrong: list[dt.datetime] = []
    locked_until: dt.datetime | None = None
    for when, right in tries:
        wrong = [] if right else [*(w for w in wrong if when - w < LOCKED_FOR), when]
        if len(wrong) == WRONG_TRIES:
            wrong, locked_until = [], when + LOCKED_FOR
    if locked_until is not None and at < locked_until:
        return 0, locked_until
    return WRONG_TRIES - sum(at - w < LOCKED_FOR for w in wrong), None
