"""What alerts say to the operator, and the account check to both. An alert that nobody foresaw is shown whole.

Several alerts of one kind share a letter: thirty failed rules of a plan are one mail.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from trading_ops.comms.letter import Letter, one_line
from trading_ops.domain.books import banner
from trading_ops.domain.ticket_layout import Row
from trading_ops.domain.ticket_words import clock, close_day, count, london_day, long_day
from trading_ops.store.outbox import instant_of
from trading_ops.store.outbox_rows import Message

TITLES: Mapping[str, str] = {
    "check.failed": "A rule failed",
    "incident.opened": "An incident was opened",
    "incident.escalated": "An incident waits for somebody",
}
SENTENCES = ("sentence", "title", "what_happened", "reason")
"""Fields that can stand for the whole, the best first."""
SHOWN_LAST = "what_to_do"
LONGEST = 600


def alert(messages: Sequence[Message], book: str) -> Letter:
    """One letter about alerts of one kind, oldest first."""
    kind = messages[0].kind
    title = TITLES.get(kind, kind.replace(".", ", ").replace("_", " "))
    said = banner(book)
    gist = _gist(messages[0])
    if len(messages) > 1:
        gist = f"{count(len(messages), 'message', 'messages')}, the first: {gist}"
    plan = f" (plan {messages[0].plan_id})" if messages[0].plan_id else ""
    rows = [Row("strong", f"{said}{title}{plan}.")]
    for message in messages:
        rows += [Row("section", _gist(message)), *_fields(message)]
    return Letter(f"{said}Desk: {title}{plan}: {gist}", tuple(rows), f"{said}{title}{plan}: {gist}")


def account_check(message: Message, book: str) -> Letter:
    """The executor is asked for cash and holdings before the plan is decided."""
    said = banner(book)
    due = instant_of(message.payload.get("decide_by_utc"))
    by = f" by {_moment(due)}" if due else ""
    first = f"{said}Account check, about 2 minutes: please enter cash and holdings{by}."
    rows = (
        Row("strong", first),
        Row("item", f"Why: {message.payload.get('lacking', 'the newest check is too old')}"),
        Row("item", "Type what eToro shows, or choose the downloaded statement."),
        Row("item", "Without it nothing is traded this week. That is safe."),
    )
    link = message.payload.get("page_url")
    subject = f"{said}Account check, about 2 minutes" + (
        f" · by {close_day(london_day(due))} {clock(due)}" if due else ""
    )
    return Letter(subject, rows, first, str(link) if link else None, "Open the account check")


def _moment(instant: dt.datetime) -> str:
    return f"{long_day(london_day(instant))}, {clock(instant)} (London)"


def _gist(message: Message) -> str:
    payload = message.payload
    rule = f"{payload['rule']}: " if payload.get("rule") else ""
    sentences = payload.get("sentences")
    found = [payload[name] for name in SENTENCES if payload.get(name)]
    if not found and isinstance(sentences, list):
        found = sentences[:1]
    return one_line(f"{rule}{found[0] if found else f'message {message.outbox_id}'}")[:LONGEST]


def _fields(message: Message) -> list[Row]:
    """Every field, as text; what to do comes last."""
    known = {**message.payload}
    remedy = known.pop(SHOWN_LAST, None)
    for name in ("rule", "sentence"):
        known.pop(name, None)
    rows = [Row("item", f"{name.replace('_', ' ')}: {_value(value)}") for name, value in known.items()]
    rows.append(Row("item", f"written: {_moment(message.created_at)}"))
    return rows + ([Row("item", f"What to do: {_value(remedy)}")] if remedy else [])


def _value(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(_value(part) for part in value)[:LONGEST] or "none"
    return str(value)[:LONGEST]
