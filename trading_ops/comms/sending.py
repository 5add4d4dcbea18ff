"""Emptying the outbox: every message to every address once, each in a transaction that holds the message's lock.

The delivery is written after the server took the mail. A crash between the two sends it again, with the same
Message-ID: told twice is the price of never untold.
"""

import datetime as dt
import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from trading_ops.comms import composing, mime, push, smtp
from trading_ops.comms.backoff import next_wait
from trading_ops.comms.composing import Superseded
from trading_ops.comms.letter import Letter
from trading_ops.comms.outcomes import Never, NotNow, Result, Sent, Unreachable
from trading_ops.comms.setup import OFF, Comms, mailbox
from trading_ops.domain.errors import ConfigError
from trading_ops.domain.messages import ISSUED, REMINDERS, is_alert
from trading_ops.store import desk, outbox
from trading_ops.store.outbox import SUPERSEDED
from trading_ops.store.outbox_rows import Delivery, Recipient, Waiting

Clock = Callable[[], dt.datetime]


@dataclass
class Tally:
    """What one pass did, counted in deliveries."""

    counts: Counter[str] = field(default_factory=Counter)
    waiting: int = 0
    troubles: list[str] = field(default_factory=list)
    why_not: str = ""

    @property
    def sentence(self) -> str:
        """The pass in one sentence, for a tick or a terminal."""
        if self.why_not:
            return self.why_not
        names = ("sent", "deferred", "dead", "superseded")
        done = [f"{self.counts[name]} {name}" for name in names if self.counts[name]]
        rest = f"; {self.waiting} wait for later" if self.waiting else ""
        said = f" {' '.join(dict.fromkeys(self.troubles))}" if self.troubles else ""
        return f"{', '.join(done) or 'Nothing to send'}{rest}.{said}"


@dataclass(frozen=True)
class Sender:
    """What a pass works with: the home's database, how mail leaves, the clock."""

    conn: psycopg.Connection[Any]
    comms: Comms
    clock: Clock
    limits: smtp.Limits = smtp.USUAL

    @property
    def channels(self) -> frozenset[str]:
        """The channels that are set up."""
        return frozenset((["mail"] if self.comms.smtp else []) + (["push"] if self.comms.push else []))


def drain(sender: Sender, *, even_simulated: bool = False, budget: dt.timedelta | None = None) -> Tally:
    """Send what is due, oldest first. No reminder of a ticket overtakes the mail with the ticket itself.

    Args:
        sender: Its connection is in autocommit: every delivery is a transaction of its own.
        even_simulated: Send also the messages of a simulated book.
        budget: Begin no further delivery after this time; what is left waits for the next pass.
    """
    if sender.comms.off:
        return Tally(why_not=OFF)
    book = desk.book(sender.conn)
    if book == "sim" and not (even_simulated or sender.comms.even_simulated):
        return Tally(why_not="The book is simulated, so nobody is told anything.")
    tally, began = Tally(), sender.clock()
    wait = outbox.waiting(sender.conn, began, [p.name for p in sender.comms.push])
    wait = tuple(w for w in wait if w.recipient.channel in sender.channels)
    shut: set[str] = set()
    ticket_to_come = {_about(w) for w in wait if w.message.kind == ISSUED}
    for batch in batches([w for w in wait if w.due(began)]):
        late = budget is not None and sender.clock() - began > budget
        held = batch[0].message.kind in REMINDERS and _about(batch[0]) in ticket_to_come
        if late or held or batch[0].recipient.channel in shut:
            continue
        with sender.conn.transaction():
            result, number = _deliver(sender, batch, book)
        _count(tally, result, number, batch[0].recipient)
        if batch[0].message.kind == ISSUED and isinstance(result, Sent | Never | Superseded):
            ticket_to_come.discard(_about(batch[0]))
        if isinstance(result, Unreachable):
            shut.add(batch[0].recipient.channel)
    tally.waiting = len(wait) - sum(tally.counts[name] for name in ("sent", "dead", "superseded"))
    return tally


def _about(item: Waiting) -> tuple[str | None, str, str]:
    """Which ticket, and to whom."""
    return item.message.plan_id, item.recipient.channel, item.recipient.address


def batches(wait: Sequence[Waiting]) -> list[list[Waiting]]:
    """What goes into one mail: alerts of a kind and plan to an address together, everything else alone."""
    mixed = itertools.count()
    found: dict[object, list[Waiting]] = {}
    for item in wait:
        message, to = item.message, item.recipient
        together = (message.kind, message.plan_id, to.channel, to.address)
        found.setdefault(together if is_alert(message.kind) else next(mixed), []).append(item)
    return list(found.values())


def _deliver(sender: Sender, batch: Sequence[Waiting], book: str) -> tuple[Result | Superseded | None, int]:
    """One mail, in the caller's transaction. None when others had taken all of it."""
    conn, to, now = sender.conn, batch[0].recipient, sender.clock()
    mine = [w for w in batch if outbox.lock(conn, w.message.outbox_id)]
    tries = {w.message.outbox_id: outbox.deliveries(conn, w.message.outbox_id, to) for w in mine}
    mine = [w for w in mine if _is_open(tries[w.message.outbox_id], now)]
    if not mine:
        return None, 0
    messages = [w.message for w in mine]
    home = outbox.home_mark(conn)
    identity = mime.message_id(home, [m.outbox_id for m in messages], to)
    letter = composing.compose(conn, messages, to, book, now)
    result = letter if isinstance(letter, Superseded) else _hand_over(sender, letter, to, identity, home)
    for message in messages:
        ended = _ended(result, tries[message.outbox_id], identity, sender.clock())
        outbox.record(conn, message.outbox_id, to, ended)
        if ended.outcome == "dead" and isinstance(result, NotNow | Unreachable):
            result = Never(ended.detail)
    return result, len(messages)


def _is_open(tries: Sequence[Delivery], now: dt.datetime) -> bool:
    """Decided again behind the lock: another sender may have been quicker."""
    if not tries:
        return True
    last = tries[-1]
    return last.outcome in ("deferred", "requeued") and (last.next_at is None or last.next_at <= now)


def _hand_over(sender: Sender, letter: Letter, to: Recipient, identity: str, home: str) -> Result:
    if to.channel == "push":
        (address,) = (p for p in sender.comms.push if p.name == to.address)
        return push.send(address, letter)
    assert sender.comms.smtp is not None
    try:
        recipient = mailbox(to.name, to.address)
    except ConfigError as exc:
        return Never(str(exc))
    first = outbox.number_of(sender.conn, letter.answers) if letter.answers else None
    answers = mime.message_id(home, [first], to) if first is not None else None
    mail = mime.build(letter, sender.comms.smtp.sender, recipient, identity, sender.clock(), answers)
    return smtp.send(sender.comms.smtp, mail, sender.limits)


def _ended(result: Result | Superseded, tries: Sequence[Delivery], identity: str, now: dt.datetime) -> Delivery:
    attempt = tries[-1].attempt + 1 if tries else 1
    match result:
        case Sent(words):
            return Delivery(attempt, "sent", identity, words, None, now)
        case Superseded(why):
            return Delivery(attempt, "dead", identity, f"{SUPERSEDED}{why}", None, now)
        case Never(words):
            return Delivery(attempt, "dead", identity, words, None, now)
        case NotNow(words) | Unreachable(words):
            wait = next_wait(_failed(tries) + 1, identity)
            if wait is None:
                return Delivery(attempt, "dead", identity, f"given up after {attempt} tries: {words}", None, now)
            return Delivery(attempt, "deferred", identity, words, now + wait, now)


def _failed(tries: Sequence[Delivery]) -> int:
    """Failed tries since a person put it back into the queue last."""
    return sum(1 for _ in itertools.takewhile(lambda t: t.outcome == "deferred", reversed(tries)))


def _count(tally: Tally, result: Result | Superseded | None, number: int, to: Recipient) -> None:
    match result:
        case Sent():
            tally.counts["sent"] += number
        case Superseded():
            tally.counts["superseded"] += number
        case Never(words):
            tally.counts["dead"] += number
            tally.troubles.append(f"{to.address}: {words}.")
        case NotNow(words):
            tally.counts["deferred"] += number
            tally.troubles.append(f"{to.address}: {words}.")
        case Unreachable(words):
            tally.counts["deferred"] += number
            tally.troubles.append(f"{words}.")
        case None:
            pass
