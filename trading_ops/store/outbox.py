"""The outbox and its deliveries: what waits to be told, to whom, and how every try ended.

A message waits for an address until it was sent there or given up. The newest delivery row of an address counts.
Does not belong here: wording and transport (`comms`), and the moment a message is written (`desk.enqueue`).
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

import psycopg

from trading_ops.domain.errors import Refused
from trading_ops.domain.messages import AUDIENCES, Role, audience
from trading_ops.store import audit
from trading_ops.store.outbox_rows import Delivery, Given, Message, Person, Recipient, Status, Waiting

LATECOMERS = dt.timedelta(days=4)
"""An address that is new gets messages of so many days, and older ones only if nobody was ever told of them."""
SUPERSEDED = "superseded: "
"""How the detail of a message begins that was not sent because it was no longer true."""


def people(conn: psycopg.Connection[Any]) -> tuple[Person, ...]:
    """Active people with an address, executors first."""
    rows = conn.execute(
        "SELECT username, role, display_name AS name, email FROM ops.desk_people WHERE active AND email <> '' "
        "ORDER BY role, username"
    )
    return tuple(Person(**row) for row in rows)


def recipients(conn: psycopg.Connection[Any], push: Sequence[str] = ()) -> tuple[Recipient, ...]:
    """Every address; one that stands in both roles is listed for both."""
    mailed = [Recipient("mail", person.email, person.role, person.name) for person in people(conn)]
    return (*mailed, *(Recipient("push", address) for address in push))


_NEWEST = """
SELECT o.outbox_id, o.kind, o.plan_id, o.payload, o.created_at, r.place, d.attempt, d.outcome, d.detail, d.next_at
FROM ops.outbox o
CROSS JOIN unnest(%(channels)s::text[], %(addresses)s::text[], %(roles)s::text[]) WITH ORDINALITY
    AS r(channel, address, role, place)
LEFT JOIN LATERAL (SELECT * FROM ops.outbox_deliveries n WHERE n.outbox_id = o.outbox_id AND n.channel = r.channel
    AND n.address = r.address ORDER BY n.attempt DESC LIMIT 1) d ON true
WHERE (d.outcome IS NULL OR d.outcome IN ('deferred', 'requeued'))
  AND (r.role = '' OR (r.role = 'executor' AND o.kind = ANY(%(executor)s))
       OR (r.role = 'operator' AND o.kind <> ALL(%(not_operator)s)))
  AND (d.outcome IS NOT NULL OR o.created_at > %(since)s OR NOT EXISTS (
       SELECT 1 FROM ops.outbox_deliveries x WHERE x.outbox_id = o.outbox_id AND x.channel = r.channel))
ORDER BY o.outbox_id, r.place
"""


def waiting(conn: psycopg.Connection[Any], now: dt.datetime, push: Sequence[str] = ()) -> tuple[Waiting, ...]:
    """What still has to reach somebody, oldest first, those included whose next try is later.

    Args:
        conn: A reader's connection.
        now: The moment, aware.
        push: Names of the push addresses.
    """
    reached = recipients(conn, push)
    listed = {
        "channels": [r.channel for r in reached],
        "addresses": [r.address for r in reached],
        "roles": [r.role or "" for r in reached],
        "executor": [kind for kind, roles in AUDIENCES.items() if "executor" in roles],
        "not_operator": [kind for kind, roles in AUDIENCES.items() if "operator" not in roles],
        "since": now - LATECOMERS,
    }
    found: dict[tuple[int, str, str], Waiting] = {}
    for row in conn.execute(_NEWEST, listed):
        message = Message(row["outbox_id"], row["kind"], row["plan_id"], row["payload"], row["created_at"])
        to = reached[row["place"] - 1]
        # One address in both roles gets one mail, the executor's.
        found.setdefault(
            (message.outbox_id, to.channel, to.address),
            Waiting(message, to, row["attempt"] or 0, row["outcome"], row["detail"] or "", row["next_at"]),
        )
    return tuple(found.values())


def lock(conn: psycopg.Connection[Any], outbox_id: int) -> bool:
    """Take a message until the transaction ends; False when another sender has it."""
    row = conn.execute("SELECT ops.outbox_lock(%s) AS taken", (outbox_id,)).fetchone()
    return bool(row and row["taken"])


def deliveries(
    conn: psycopg.Connection[Any], outbox_id: int, recipient: Recipient | None = None
) -> tuple[Delivery, ...]:
    """Every try of a message, of one address or of all, oldest first."""
    where = "" if recipient is None else "AND channel = %(channel)s AND address = %(address)s"
    rows = conn.execute(
        "SELECT attempt, outcome, message_id, detail, next_at, at FROM ops.outbox_deliveries "
        f"WHERE outbox_id = %(id)s {where} ORDER BY created_at, attempt",
        {"id": outbox_id, **({"channel": recipient.channel, "address": recipient.address} if recipient else {})},
    )
    return tuple(Delivery(**row) for row in rows)


def record(conn: psycopg.Connection[Any], outbox_id: int, to: Recipient, delivery: Delivery) -> None:
    """Write down how a try ended."""
    conn.execute(
        "INSERT INTO ops.outbox_deliveries (outbox_id, channel, address, attempt, outcome, message_id, detail, "
        "next_at, at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            outbox_id, to.channel, to.address, delivery.attempt, delivery.outcome, delivery.message_id,
            delivery.detail, delivery.next_at, delivery.at,
        ),
    )  # fmt: skip


def dead(conn: psycopg.Connection[Any], *, superseded: bool = False) -> tuple[Given, ...]:
    """What was given up and could be sent again; or, with `superseded`, what was no longer true when its turn came."""
    rows = conn.execute(
        "SELECT DISTINCT ON (d.outbox_id, d.channel, d.address) d.outbox_id, o.kind, o.plan_id, d.channel, d.address, "
        "d.attempt, d.detail, d.at, d.outcome FROM ops.outbox_deliveries d JOIN ops.outbox o USING (outbox_id) "
        "ORDER BY d.outbox_id, d.channel, d.address, d.attempt DESC"
    )
    found = [row for row in rows if row.pop("outcome") == "dead"]
    return tuple(Given(**row) for row in found if row["detail"].startswith(SUPERSEDED) is superseded)


def requeue(conn: psycopg.Connection[Any], outbox_id: int | None, by: str, now: dt.datetime) -> tuple[Given, ...]:
    """Put dead deliveries back in the queue: of one message, or all. Each message is announced in the audit chain.

    Args:
        conn: A connection inside a transaction.
        outbox_id: The message, None for every dead one.
        by: The person.
        now: The moment, aware; they may be tried from then on.

    Raises:
        Refused: The message is not dead, or was not sent because it was no longer true.
    """
    chosen = [g for g in dead(conn) if outbox_id in (None, g.outbox_id)]
    if outbox_id is not None and not chosen:
        old = next((g for g in dead(conn, superseded=True) if g.outbox_id == outbox_id), None)
        why = f"it was not sent because it is no longer true ({old.detail})" if old else "it is not given up"
        raise Refused(f"Message {outbox_id} cannot be sent again: {why}. `trading-ops mail status` shows what waits.")
    for given in chosen:
        conn.execute(
            "INSERT INTO ops.outbox_deliveries (outbox_id, channel, address, attempt, outcome, message_id, detail, "
            "next_at, at) SELECT outbox_id, channel, address, attempt + 1, 'requeued', message_id, %s, %s, %s "
            "FROM ops.outbox_deliveries WHERE outbox_id = %s AND channel = %s AND address = %s AND attempt = %s "
            "ON CONFLICT DO NOTHING",
            (f"by {by}", now, now, given.outbox_id, given.channel, given.address, given.attempt),
        )
    for number in sorted({given.outbox_id for given in chosen}):
        addresses = sorted(f"{given.channel} {given.address}" for given in chosen if given.outbox_id == number)
        audit.append(conn, "outbox.requeued", str(number), {"by": by, "addresses": addresses})
    return tuple(chosen)


def status(conn: psycopg.Connection[Any], now: dt.datetime | None = None, push: Sequence[str] = ()) -> Status:
    """The post at a glance; without a moment it is the database's own clock."""
    at = now or _database_clock(conn)
    wait = waiting(conn, at, push)
    row = conn.execute(
        "SELECT count(*) AS sent, max(at) AS last_sent FROM ops.outbox_deliveries WHERE outcome = 'sent'"
    ).fetchone()
    assert row is not None
    return Status(
        waiting=len(wait),
        deferred=sum(w.outcome == "deferred" for w in wait),
        oldest=min((w.message.created_at for w in wait), default=None),
        sent=row["sent"],
        dead=len(dead(conn)),
        superseded=len(dead(conn, superseded=True)),
        last_sent=row["last_sent"],
        without_address=_without_address(conn, at),
    )


def _without_address(conn: psycopg.Connection[Any], at: dt.datetime) -> dict[str, int]:
    there = {person.role for person in people(conn)}
    rows = conn.execute(
        "SELECT o.kind, count(*) AS waiting FROM ops.outbox o WHERE o.created_at > %s OR NOT EXISTS "
        "(SELECT 1 FROM ops.outbox_deliveries d WHERE d.outbox_id = o.outbox_id AND d.channel = 'mail') "
        "GROUP BY o.kind",
        (at - LATECOMERS,),
    ).fetchall()
    lacking: dict[str, int] = {}
    roles: Iterable[Role] = ("executor", "operator")
    for role in roles:
        number = sum(row["waiting"] for row in rows if role in audience(row["kind"]))
        if role not in there and number:
            lacking[role] = number
    return lacking


def _database_clock(conn: psycopg.Connection[Any]) -> dt.datetime:
    row = conn.execute("SELECT clock_timestamp() AS now").fetchone()
    assert row is not None
    moment: dt.datetime = row["now"]
    return moment


def home_mark(conn: psycopg.Connection[Any]) -> str:
    """What tells this home from every other, also after it moved: the audit row with which its book was made."""
    row = conn.execute("SELECT hash FROM ops.audit_log WHERE kind = 'book.created' ORDER BY seq LIMIT 1").fetchone()
    return str(row["hash"]) if row else "no-book"


def number_of(conn: psycopg.Connection[Any], dedupe_key: str) -> int | None:
    """The number of the message with a key, or None."""
    row = conn.execute("SELECT outbox_id FROM ops.outbox WHERE dedupe_key = %s", (dedupe_key,)).fetchone()
    return int(row["outbox_id"]) if row else None


def instant_of(text: object) -> dt.datetime | None:
    """An instant in a message's payload; None when it is none, or names no zone."""
    try:
        instant = dt.datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return instant if instant.tzinfo else None
