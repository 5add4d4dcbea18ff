"""Sending a ticket's answers: the act behind the button, and what the person is told.

It runs in the button's callback, so three quick presses find the answers there; its key follows from what is sent.
"""

import logging
import uuid
from collections.abc import Sequence
from typing import Any

from streamlit_app.components import draft
from streamlit_app.database import reading, write
from streamlit_app.person import Person
from trading_ops.desk import executing
from trading_ops.desk.answer_words import as_fields, listed, summary
from trading_ops.desk.answering import TicketState, submit, ticket_state
from trading_ops.domain.answer import Answer
from trading_ops.domain.canonical import canonical_bytes, sha256_hex
from trading_ops.domain.errors import TradingOpsError
from trading_ops.settings import Settings
from trading_ops.store.answers import AnsweredMeanwhile, StoredAnswer, TicketChanged


def save_answers(
    person: Person, page: str, state: TicketState, answers: tuple[Answer, ...], body: dict[str, Any]
) -> None:
    """Store the answers as shown; what cannot be stored is said, and everything typed stays."""
    fresh = [a for a in answers if not _stands(state, a)]
    if not fresh:
        body.update(step="glance", said=("info", "These answers were saved already."))
        return
    key = submission_id(person, state, fresh)
    try:
        sent = write(person, lambda conn: submit(conn, key, state.ticket, fresh, state.shown, person.username))
    except AnsweredMeanwhile:
        draft.replace(person, page, state.ticket.ticket_id, _without_the_answered(person, state, body))
        return
    except TicketChanged:
        why = "The ticket was withdrawn or changed meanwhile. What was already done can be entered below, nothing else."
        body.update(step="glance", said=("error", f"Nothing was saved. {why}"))
        return
    except TradingOpsError as exc:
        body.update(step="check", said=("error", f"Nothing was saved. {exc} What you typed is kept."))
        return
    _report(person, state)
    with_thanks: dict[str, Any] = {"step": "glance", "lines": {}}
    if sent.first:
        with_thanks["said"] = ("success", "Saved. Thank you.")
    draft.replace(person, page, state.ticket.ticket_id, with_thanks)


def _without_the_answered(person: Person, state: TicketState, body: dict[str, Any]) -> dict[str, Any]:
    """The draft without the lines that were answered since they were shown; what was typed for the others stays."""
    with reading(person) as conn:
        found = ticket_state(conn, state.ticket.ticket_id)
    changed = [n for n, stored in sorted(found.answered.items()) if stored.revision != state.shown.revisions.get(n, 0)]
    told = [_answered(found.answered[number]) for number in changed]
    lost = [n for n in changed if _typed(state, n, body["lines"].get(str(n), {}))]
    if lost:
        told.append(f"What you typed for {_lines(lost)} was not used. If what was saved is wrong, it can be corrected.")
    left = {line: fields for line, fields in body["lines"].items() if int(line) not in changed}
    typed = sorted(int(line) for line, fields in left.items() if fields.get("status"))
    if typed:
        told.append(f"What you typed for {_lines(typed)} is kept and not saved yet: look at it once more, and save.")
    return {"step": "check" if typed else "glance", "lines": left, "said": ("warning", "\n".join(told))}


def _answered(stored: StoredAnswer) -> str:
    said = ", ".join([stored.answer.status, *summary(stored.answer)])
    return f"Line {stored.answer.line} was answered meanwhile: {said} ({stored.answered_by})."


def _typed(state: TicketState, line: int, fields: dict[str, Any]) -> bool:
    """Something was typed for a line, other than what it was shown with."""
    stored = state.answered.get(line)
    return bool(fields.get("status")) and (stored is None or fields != as_fields(stored.answer))


def _lines(numbers: Sequence[int]) -> str:
    return f"{'lines' if len(numbers) > 1 else 'line'} {listed([str(number) for number in numbers])}"


def _report(person: Person, state: TicketState) -> None:
    """Intended against executed, at once; the answers are saved whatever becomes of it."""
    try:
        with reading(person) as conn:
            now = ticket_state(conn, state.ticket.ticket_id)
            executing.write_report(conn, Settings.from_env().reports_dir, now)
    except (TradingOpsError, OSError) as exc:
        logging.getLogger(__name__).warning("the report of %s was not written: %s", state.ticket.ticket_id, exc)


def _stands(state: TicketState, answer: Answer) -> bool:
    stored = state.answered.get(answer.line)
    return stored is not None and stored.answer.payload() == answer.payload()


def submission_id(person: Person, state: TicketState, answers: list[Answer]) -> uuid.UUID:
    """The key of one sending: the same answers, given to the same state of the ticket, are the same sending."""
    shown = sorted(state.shown.revisions.items())
    content: dict[str, object] = {
        "who": person.username, "ticket": state.ticket.content_sha256, "shown": [[n, r] for n, r in shown],
        "answers": [answer.payload() for answer in answers],
    }  # fmt: skip
    return uuid.uuid5(uuid.NAMESPACE_URL, f"submission:{sha256_hex(canonical_bytes(content))}")
