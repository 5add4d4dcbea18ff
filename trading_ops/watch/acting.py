"""One look of the watch: close what is right again, open what is wrong, tell of it, tell again if nobody took it on.

All of it is one transaction. Nothing is remembered between two looks but what is stored.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from trading_ops.domain.incidents import CLASSES, ITSELF, WATCH, escalations_due
from trading_ops.domain.observed import Observed
from trading_ops.domain.watching import Cause, Judged, judge
from trading_ops.store import desk, incidents
from trading_ops.store.incidents import Incident
from trading_ops.watch.senses import Senses, gather

SIMULATED = "The book is simulated: the watch tells nobody and opens nothing."
MAIL_SENTENCE = 500


@dataclass(frozen=True)
class Looked:
    """What one look did, each as class and title.

    Attributes:
        opened: Incidents that it opened.
        told: Incidents whose opening it put into the outbox, those included that others had opened.
        escalated: Incidents that nobody had acknowledged in time.
        closed: Incidents whose cause is gone, with why.
        still_open: How many are open now.
        blind: Parts that could not be looked at, with the error.
        simulated: The book is simulated, so nothing was done.
    """

    opened: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    escalated: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    still_open: int = 0
    blind: tuple[str, ...] = ()
    simulated: bool = False

    @property
    def sentence(self) -> str:
        """The look in one sentence, for a tick or a terminal."""
        if self.simulated:
            return SIMULATED
        done = [f"{name} {'; '.join(found)}" for name, found in self.facts().items() if found]
        return f"{'. '.join(done) or 'Nothing new'}. {self.still_open} open."

    def facts(self) -> dict[str, tuple[str, ...]]:
        """What was done, by what it is called."""
        return {
            "Opened:": self.opened, "Escalated:": self.escalated, "Closed:": self.closed,
            "Could not look at:": self.blind,
        }  # fmt: skip


def look(of: Senses) -> Looked:
    """Look once and act.

    Args:
        of: A writer's connection in autocommit, the home, the moment.
    """
    if desk.book(of.conn) == "sim":
        return Looked(simulated=True)
    seen = gather(of)
    judged = judge(seen, of.now)
    with of.conn.transaction():
        incidents.one_at_a_time(of.conn)
        closed = _close(of.conn, incidents.open_ones(of.conn), judged)
        opened = _open(of.conn, incidents.open_ones(of.conn), judged.causes)
        there = incidents.open_ones(of.conn)
        told = [_tell(of.conn, each) for each in there if not each.told]
        escalated = [words for each in there for words in _escalate(of.conn, each, of.now)]
    return Looked(
        tuple(opened), tuple(told), tuple(escalated), tuple(closed), len(there), tuple(_blind(seen))
    )  # fmt: skip


def _blind(seen: Observed) -> list[str]:
    return [f"{sense} ({error})" for sense, error in seen.blind.items()]


def _open(conn: psycopg.Connection[Any], there: Sequence[Incident], causes: Sequence[Cause]) -> list[str]:
    """Open an incident for every cause that has none: not while one of its class and subject is open, and once only."""
    open_now = {(each.kind, each.subject) for each in there}
    numbers = {desk.incident_id_of(c.kind, _key(c)): c for c in causes if (c.kind, c.subject) not in open_now}
    before = incidents.known(conn, numbers.keys())
    found = []
    for number, cause in numbers.items():
        if number in before:
            continue
        details = {"subject": cause.subject, "sentence": cause.sentence, **cause.details}
        blocking = CLASSES[cause.kind].blocking
        desk.open_incident(conn, cause.kind, cause.title, details, blocking=blocking, key=_key(cause))
        found.append(f"{cause.kind} ({cause.title})")
    return found


def _key(cause: Cause) -> str:
    return f"{cause.subject}:{cause.occasion}"


def _close(conn: psycopg.Connection[Any], there: Sequence[Incident], judged: Judged) -> list[str]:
    """Close what closes by itself and is known to be right again; the entry says why."""
    found = []
    for each in there:
        known = CLASSES.get(each.kind)
        why = judged.right.get((each.kind, each.subject))
        if known is None or known.closes != ITSELF or why is None:
            continue
        desk.close_incident(conn, each.number, f"The cause is gone. {why}", WATCH)
        found.append(f"{each.kind} ({why})")
    return found


def _tell(conn: psycopg.Connection[Any], each: Incident) -> str:
    desk.enqueue(conn, f"incident:{each.incident_id}", "incident.opened", None, _message(each))
    return f"{each.kind} ({each.title})"


def _escalate(conn: psycopg.Connection[Any], each: Incident, now: dt.datetime) -> list[str]:
    """Tell again of what nobody acknowledged; levels that were missed while nothing ran become one."""
    due = escalations_due(each.kind, each.opened_at, now)
    if each.acknowledged_by is not None or due <= each.level:
        return []
    incidents.escalate(conn, each.number, due)
    hours = int((now - each.opened_at).total_seconds() // 3600)
    message = {**_message(each), "open_for": f"{hours} hours, and nobody has acknowledged it"}
    desk.enqueue(conn, f"incident:{each.incident_id}:{due}", "incident.escalated", None, message)
    return [f"{each.kind} ({each.title})"]


def _message(each: Incident) -> dict[str, object]:
    said = str(each.details.get("sentence", ""))[:MAIL_SENTENCE]
    message: dict[str, object] = {"rule": each.kind, "title": each.title}
    if said:
        message["what_was_seen"] = said
    known = CLASSES.get(each.kind)
    if known is not None:
        message |= {"what_it_means": known.means, "closes": known.how, "handbook": known.page}
    message["blocks"] = "every plan until it is closed" if each.blocking else "nothing by itself"
    message["number"] = each.incident_id
    message["acknowledge"] = f"on the home page, or: trading-ops incident ack {each.incident_id[:8]} --note …"
    if known is not None:
        message["what_to_do"] = known.do
    extra = {k: v for k, v in each.details.items() if k not in ("subject", "sentence") and isinstance(v, str)}
    return {**message, **{k: v for k, v in extra.items() if k not in message}}
