"""A round of a home: its policy, its universe, its keys and what it holds, put together and asked."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg

from trading_ops.domain.errors import Refused
from trading_ops.domain.ledger import LedgerFacts, ledger_at
from trading_ops.domain.policy import Policy
from trading_ops.domain.universe import Instrument
from trading_ops.intake import rounds, sources
from trading_ops.intake.pacing import Clock
from trading_ops.intake.sources import Addresses
from trading_ops.intake.work import Round
from trading_ops.settings import Settings
from trading_ops.store import audit, chosen, configuration, ledger, source_keys

LOCK = 7301003
"""Advisory lock of whoever asks the sources."""


def held_now(conn: psycopg.Connection[Any], policy: Policy) -> tuple[str, ...]:
    """Names held by the ledger as it stands."""
    fills = ledger.fills(conn, audit.head(conn).seq)
    if not fills:
        return ()
    names = sorted({fill.symbol for fill in fills})
    known = chosen.actions(conn, policy.data, chosen.FIRST_DAY, chosen.LAST_DAY, names)
    splits = tuple(action for action in known if action.kind == "split")
    state = ledger_at(LedgerFacts(fills, (), splits), max(fill.session for fill in fills))
    return tuple(symbol for symbol, position in sorted(state.positions.items()) if position.units > 0)


def fetch_round(
    conn: psycopg.Connection[Any],
    settings: Settings,
    *,
    clock: Clock | None = None,
    addresses: Addresses | None = None,
    only: str | None = None,
    last: dt.date | None = None,
    progress: Callable[[Sequence[Instrument]], Iterable[Instrument]] = iter,
) -> Round:
    """One round with the policy in force and the keys of the home.

    Args:
        conn: A writer's connection in autocommit.
        settings: The home.
        clock: Time; the wall clock when None.
        addresses: Other addresses of the sources than the real ones.
        only: The one source of prices to ask; those of the policy when None.
        last: The last session wanted; the last one due when None.
        progress: Wraps the names for a person who watches.

    Raises:
        Refused: Another round of this home is under way.
        ConfigError: The file of keys cannot be used.
    """
    policy = configuration.policy_in_force(conn).policy
    clock = clock or Clock()
    if only is not None:
        policy = policy.model_copy(update={"fetch": policy.fetch.model_copy(update={"sources": (only,)})})
    there = sources.configured(policy, source_keys.read(settings), addresses)
    universe = configuration.universe_of_day(conn, clock.now().date()).universe
    try:
        with _alone(conn):
            return rounds.fetch_missing(
                conn, policy, universe, there, clock=clock, held=held_now(conn, policy), last=last, progress=progress
            )  # fmt: skip
    finally:
        there.close()


@contextmanager
def _alone(conn: psycopg.Connection[Any]) -> Iterator[None]:
    """Two rounds at once would ask for everything twice, and spend the budgets twice."""
    row = conn.execute("SELECT pg_try_advisory_lock(%s) AS free", (LOCK,)).fetchone()
    if not row or not row["free"]:
        raise Refused("Another round is asking the sources right now. Wait until it is over, then see what it brought.")
    try:
        yield
    finally:
        conn.execute("SELECT pg_advisory_unlock(%s)", (LOCK,))


def something_to_ask(conn: psycopg.Connection[Any], settings: Settings, at: dt.datetime) -> bool:
    """A source that can be asked could still give a bar or a fixing that is due; asks nobody.

    Args:
        conn: A connection.
        settings: The home.
        at: The moment, UTC.
    """
    policy = configuration.policy_in_force(conn).policy
    there = sources.configured(policy, source_keys.read(settings))
    try:
        universe = configuration.universe_of_day(conn, at.date()).universe
        return rounds.something_to_ask(conn, policy, universe, there, at, held_now(conn, policy))
    finally:
        there.close()
