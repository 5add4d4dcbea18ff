"""What is to be said of a source that died: which ones are dead, and what a person can do. The watch tells people."""

import datetime as dt
from typing import Any

import psycopg

from trading_ops.providers.protocol import SOURCE_IS_DOWN, RefusalKind
from trading_ops.store import fetches
from trading_ops.store.fetches import SourceState

REMEDIES = {
    RefusalKind.KEY_WANTED: "Put its key into secrets/secrets.env, or take the source out of fetch.sources.",
    RefusalKind.KEY_REFUSED: "Its key is not accepted any more: get a new one and put it into secrets/secrets.env.",
    RefusalKind.CHALLENGE: "It asks for a browser, which the desk does not pretend to be. Look at its site by hand; "
    "meanwhile download its files and drop them into the inbox, or do without it.",
    RefusalKind.QUOTA_SPENT: "Its limit is reached; it is asked again in a later round. If that happens daily, lower "
    "fetch.daily_cap or take another source first.",
    RefusalKind.RATE_LIMITED: "It wants fewer requests; raise fetch.pause if that happens again.",
    RefusalKind.FOREIGN_REDIRECT: "It sends the desk to another host, which is not followed. Look at its site by hand.",
}
_DEAD = frozenset(kind.value for kind in SOURCE_IS_DOWN)
FORGOTTEN = dt.timedelta(days=2)
"""After this a source that is not asked any more is not called dead."""
OTHERWISE = "Look whether its site answers in a browser; if not, wait, the next round asks again."


def remedy(kind: RefusalKind) -> str:
    """What a person can do about a source that was given up."""
    return REMEDIES.get(kind, OTHERWISE)


def is_dead(state: SourceState) -> bool:
    """The newest answer was one for which a round gives a source up."""
    return state.outcome in _DEAD


def dead_sources(conn: psycopg.Connection[Any], now: dt.datetime) -> tuple[SourceState, ...]:
    """Sources whose newest answer, not older than two days, was one for which a round gives a source up."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return tuple(
        state
        for state in fetches.source_states(conn, midnight)
        if is_dead(state) and now - state.last_asked <= FORGOTTEN
    )


def remedy_of(outcome: str) -> str:
    """What a person can do, by the journal's word."""
    return remedy(RefusalKind(outcome))
