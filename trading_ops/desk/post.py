"""The post and the audit chain, for the operator to look at: what waits, what went out, what was given up.

Does not belong here: sending (`comms.sending`), the queue itself (`store.outbox`).
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from trading_ops.comms import setup
from trading_ops.domain.errors import ConfigError
from trading_ops.settings import Settings
from trading_ops.store import desk, outbox
from trading_ops.store.errors import SecretsTooOpen
from trading_ops.store.outbox_rows import Given, Status, Waiting

PAGE = 25
CUT = 160
"""Characters of an audit row's content that a list shows."""


@dataclass(frozen=True)
class Post:
    """The post at a glance.

    Attributes:
        sentence: How mail leaves, or why it does not.
        on: Mail can leave.
        silent: The book is simulated, so nothing is sent.
        waiting: What still has to reach somebody, oldest first.
        dead: What was given up and could be sent again.
        status: Counts.
    """

    sentence: str
    on: bool
    silent: bool
    waiting: tuple[Waiting, ...]
    dead: tuple[Given, ...]
    status: Status


def post(conn: psycopg.Connection[Any], settings: Settings, wall: dt.datetime) -> Post:
    """What waits and what failed.

    Args:
        conn: A connection.
        settings: The home; its secrets say how mail leaves.
        wall: The wall clock, aware UTC: the post never lives in history.
    """
    try:
        comms = setup.read(settings)
    except (ConfigError, SecretsTooOpen) as exc:
        comms, on, sentence = setup.Comms(), False, f"Mail cannot leave: {exc}"
    else:
        on = comms.smtp is not None
        sentence = f"Mail goes through {comms.smtp.where}." if comms.smtp is not None else setup.OFF
    silent = desk.book(conn) == "sim" and not comms.even_simulated
    if silent:
        sentence += " The book is simulated: its messages are kept and sent to nobody."
    push = [p.name for p in comms.push]
    return Post(
        sentence, on, silent, outbox.waiting(conn, wall, push), outbox.dead(conn), outbox.status(conn, wall, push)
    )


def tries(conn: psycopg.Connection[Any], page: int, size: int = PAGE) -> tuple[Sequence[dict[str, Any]], int]:
    """Deliveries and tries, newest first; and how many there are."""
    rows = conn.execute(
        "SELECT d.outbox_id, o.kind, o.plan_id, d.channel, d.address, d.attempt, d.outcome, d.detail, d.at, "
        "count(*) OVER () AS of_all FROM ops.outbox_deliveries d JOIN ops.outbox o USING (outbox_id) "
        "ORDER BY d.at DESC, d.outbox_id DESC LIMIT %s OFFSET %s",
        (size, page * size),
    ).fetchall()
    return rows, rows[0]["of_all"] if rows else 0


def send_again(conn: psycopg.Connection[Any], outbox_id: int, username: str, wall: dt.datetime) -> str:
    """Put a dead message back in the queue; returns a sentence.

    Raises:
        Refused: It is not dead, or no longer true.
    """
    again = outbox.requeue(conn, outbox_id, username, wall)
    who = ", ".join(sorted({given.address for given in again}))
    return f"Message {outbox_id} waits again, for {who}."


def audit_rows(conn: psycopg.Connection[Any], page: int, size: int = PAGE) -> tuple[Sequence[dict[str, Any]], int]:
    """Rows of the audit chain, newest first; and how many there are."""
    rows = conn.execute(
        "SELECT seq, created_at, actor, kind, subject, left(payload, %s) AS payload, hash FROM ops.audit_log "
        "ORDER BY seq DESC LIMIT %s OFFSET %s",
        (CUT, size, page * size),
    ).fetchall()
    newest = conn.execute("SELECT max(seq) AS newest FROM ops.audit_log").fetchone()
    return rows, (newest["newest"] or 0) if newest else 0
