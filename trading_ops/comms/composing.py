"""From a message of the outbox to the letter it becomes now, or to why it is not sent any more.

What a message says is looked up when it is sent: a ticket may have been withdrawn, lines may have been answered.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from trading_ops.comms import alert_letters, report_letters, ticket_letters
from trading_ops.comms.letter import Letter
from trading_ops.domain import messages as kinds
from trading_ops.domain.ticket_model import TicketContent
from trading_ops.store import answers, outbox, reports, tickets
from trading_ops.store.outbox_rows import Message, Recipient
from trading_ops.store.tickets import Ticket

AFTER_WINDOW = dt.timedelta(days=1)
"""So long after its window a ticket is still worth a mail: it says then that it is too late to trade."""
FORGOTTEN = dt.timedelta(days=14)
"""An alert or a withdrawal that nobody could be told of for so long is listed as not sent, and not mailed."""


@dataclass(frozen=True)
class Superseded:
    """It would not be true any more."""

    why: str


def compose(
    conn: psycopg.Connection[Any], messages: Sequence[Message], to: Recipient, book: str, now: dt.datetime
) -> Letter | Superseded:
    """What a reader is told of one message, or of several alerts of a kind.

    A simulated book lives in its own time: nothing of it is too late.
    """
    message = messages[0]
    if message.kind == kinds.ACCOUNT_CHECK:
        late = _too_late(message, now, book)
        return late or alert_letters.account_check(message, book)
    if message.kind in kinds.REPORT_OF.values():
        return _forgotten(message, now, book) or _report(conn, message, book)
    if not kinds.is_alert(message.kind) and message.plan_id is not None:
        ticket = tickets.find(conn, message.plan_id)
        if ticket is not None:
            return _about_ticket(conn, message, ticket, to, now)
    return _forgotten(messages[-1], now, book) or alert_letters.alert(messages, book)


def _report(conn: psycopg.Connection[Any], message: Message, book: str) -> Letter | Superseded:
    kind, day = message.payload["report"], dt.date.fromisoformat(message.payload["day"])
    found = reports.newest(conn, kind, day)
    if found is None or found.revision > message.payload["revision"]:
        return Superseded("a corrected report has replaced it")
    return report_letters.report(found, book)


def _about_ticket(
    conn: psycopg.Connection[Any], message: Message, ticket: Ticket, to: Recipient, now: dt.datetime
) -> Letter | Superseded:
    content = TicketContent.model_validate_json(ticket.content)
    over = ticket.book != "sim" and now > content.window.close_utc + AFTER_WINDOW
    if message.kind == kinds.WITHDRAWN:
        return _forgotten(message, now, ticket.book) or ticket_letters.withdrawn(
            content, ticket.withdrawn_because or str(message.payload.get("reason", ""))
        )
    if ticket.withdrawn_because is not None:
        return Superseded(f"ticket {ticket.ticket_id} was withdrawn")
    if message.kind == kinds.ISSUED and over:
        return Superseded(f"the window of ticket {ticket.ticket_id} was over by more than a day")
    if message.kind == kinds.ISSUED:
        return ticket_letters.issued(content, ticket.markdown, to.role, _executors(conn), now)
    return _missing_answers(conn, message, content, now)


def _missing_answers(
    conn: psycopg.Connection[Any], message: Message, content: TicketContent, now: dt.datetime
) -> Letter | Superseded:
    late = _too_late(message, now, content.book)
    missing = [line for line in answers.answers_of(conn, content.plan_id) if line.status is None]
    if late or not missing:
        return late or Superseded("every line has been answered meanwhile")
    return ticket_letters.missing_answers(message.kind, content, missing, _executors(conn), now)


def _forgotten(message: Message, now: dt.datetime, book: str) -> Superseded | None:
    if book == "sim" or now - message.created_at <= FORGOTTEN:
        return None
    return Superseded(f"it is more than {FORGOTTEN.days} days old")


def _too_late(message: Message, now: dt.datetime, book: str) -> Superseded | None:
    until = outbox.instant_of(message.payload.get("until_utc"))
    if book == "sim" or until is None or now < until:
        return None
    return Superseded("its time was over")


def _executors(conn: psycopg.Connection[Any]) -> str:
    """Who executes, by name."""
    return " or ".join(person.name for person in outbox.people(conn) if person.role == "executor")
