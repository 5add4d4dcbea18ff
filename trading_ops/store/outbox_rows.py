"""What the outbox and its deliveries hold, as values. How they are found is in `outbox`."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from trading_ops.domain.messages import Role

Channel: TypeAlias = Literal["mail", "push"]
Outcome: TypeAlias = Literal["sent", "deferred", "dead", "requeued"]


@dataclass(frozen=True)
class Message:
    """A row of the outbox."""

    outbox_id: int
    kind: str
    plan_id: str | None
    payload: Mapping[str, Any]
    created_at: dt.datetime


@dataclass(frozen=True)
class Recipient:
    """An address on a channel. `role` is whose words it gets; a push address has none and gets everything."""

    channel: Channel
    address: str
    role: Role | None = None
    name: str = ""


@dataclass(frozen=True)
class Person:
    """Somebody active with an address."""

    username: str
    role: Role
    name: str
    email: str


@dataclass(frozen=True)
class Waiting:
    """A message that still has to reach an address; `outcome` and `detail` are of the last try, if there was one."""

    message: Message
    recipient: Recipient
    attempt: int
    outcome: Outcome | None
    detail: str
    next_at: dt.datetime | None

    def due(self, now: dt.datetime) -> bool:
        """True when it may be tried now."""
        return self.next_at is None or self.next_at <= now


@dataclass(frozen=True)
class Delivery:
    """How one try ended."""

    attempt: int
    outcome: Outcome
    message_id: str
    detail: str
    next_at: dt.datetime | None
    at: dt.datetime


@dataclass(frozen=True)
class Given:
    """A message that was given up for an address."""

    outbox_id: int
    kind: str
    plan_id: str | None
    channel: str
    address: str
    attempt: int
    detail: str
    at: dt.datetime


@dataclass(frozen=True)
class Status:
    """The post at a glance.

    Attributes:
        waiting: Messages and addresses that are still to be reached.
        deferred: Those of them that were tried and failed so far.
        oldest: When the oldest waiting message was written.
        sent: Deliveries that succeeded, ever.
        dead: Deliveries that were given up and could be sent again.
        superseded: Deliveries that were not made because they were no longer true.
        last_sent: When the last delivery succeeded.
        without_address: Roles of which nobody active has an address, with how many messages of theirs nobody got.
    """

    waiting: int
    deferred: int
    oldest: dt.datetime | None
    sent: int
    dead: int
    superseded: int
    last_sent: dt.datetime | None
    without_address: Mapping[str, int]

    def facts(self) -> dict[str, object]:
        """The same as a map, for programs."""
        return asdict(self)
