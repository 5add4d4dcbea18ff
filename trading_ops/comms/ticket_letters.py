"""What mails about a ticket say: the ticket, its withdrawal, answers that are missing.

The link names a ticket and nothing more; no letter holds anything that signs in, confirms or authorises.
"""

import datetime as dt
from collections.abc import Sequence

from trading_ops.comms.letter import Letter, rows_of_markdown
from trading_ops.domain.confirmation import LineAnswer
from trading_ops.domain.her_words import in_her_words
from trading_ops.domain.messages import DEADLINE, ESCALATION, REMINDER, WINDOW_OPEN, Role
from trading_ops.domain.results import Verdict
from trading_ops.domain.ticket_layout import Row
from trading_ops.domain.ticket_model import TicketContent
from trading_ops.domain.ticket_record import banner_of
from trading_ops.domain.ticket_words import clock, close_day, count, london_day, long_day

OPEN_TICKET = "Open the ticket"
NAMES_ONLY = Row("text", "The link only names this ticket: it signs nobody in and confirms nothing. Your answers do.")


def thread_of(content: TicketContent) -> str:
    """Key of the outbox row whose mail starts the conversation about a ticket."""
    return f"ticket:{content.plan_id}"


def issued(content: TicketContent, markdown: str, role: Role | None, executors: str, now: dt.datetime) -> Letter:
    """The ticket itself, as it was stored; for the operator a copy.

    Args:
        content: What the ticket says.
        markdown: The stored sheet.
        role: Who reads it.
        executors: Who executes it, for the copy.
        now: The moment of sending; after the window nobody is asked to trade.
    """
    if content.verdict is Verdict.NO_TRADE:
        return _no_trade(content, markdown, role)
    window = content.window
    day = close_day(window.session)
    todo = f"{_things(content)} to do on eToro, about {2 + 2 * len(content.lines)} minutes"
    hours = f"{long_day(window.session)} between {clock(window.open_utc)} and {clock(window.close_utc)} (London)"
    first, subject = f"{todo}: {hours}.", f"{todo} · {day}"
    if now >= window.close_utc:
        subject = f"Too late to trade: only answer the {_lines(len(content.lines))} · {day}"
        first = f"This mail is late: the window of {hours} is over. Trade nothing now, answer every line on the page."
    said = banner_of(content)
    rows = [Row("strong", f"{said}{first}"), *_copy(role, executors), NAMES_ONLY, *rows_of_markdown(markdown)]
    return Letter(
        f"{said}{_copy_mark(role)}{subject}", tuple(rows), f"{said}{first}", content.page_url, OPEN_TICKET
    )  # fmt: skip


def _no_trade(content: TicketContent, markdown: str, role: Role | None) -> Letter:
    said, opens = banner_of(content), content.next_plan_opens_utc
    first = "Nothing to do this week."
    rows = [
        Row("strong", f"{said}{first} No order on eToro, nothing to confirm."),
        Row("section", "Why"),
        *(Row("item", sentence) for sentence in in_her_words(content.reasons)),
        Row("text", f"Next plan: {long_day(london_day(opens))}, {clock(opens)} (London)."),
    ]
    if role == "operator":
        rows += rows_of_markdown(markdown)
    subject = f"{said}{_copy_mark(role)}Nothing to do this week · {content.ticket_id}"
    return Letter(subject, tuple(rows), f"{said}{first}", content.page_url, OPEN_TICKET)


def withdrawn(content: TicketContent, reason: str) -> Letter:
    """The operator called the ticket back."""
    said = banner_of(content)
    first = f"DO NOTHING MORE. The ticket of {long_day(content.window.session)} was withdrawn."
    rows = (
        Row("strong", f"{first} {said.removesuffix(' · ')}".rstrip()),
        Row("item", f"Why: {reason}"),
        Row("item", "Place no further order. Cancel an order that eToro has not filled yet."),
        Row("item", "What you did already stays as it is: enter it on the page. The other lines need no answer."),
        Row("text", f"Ticket {content.ticket_id}."),
    )
    subject = f"DO NOTHING MORE · {said}the ticket of {close_day(content.window.session)} is withdrawn"
    return Letter(subject, rows, first, content.page_url, OPEN_TICKET, thread_of(content))


def missing_answers(
    kind: str,
    content: TicketContent,
    missing: Sequence[LineAnswer],
    executors: str,
    now: dt.datetime,
) -> Letter:
    """A reminder of lines without an answer: when the window opens, before the deadline, at it, and to the operator."""
    said, number, confirm_by = banner_of(content), _lines(len(missing)), content.window.confirm_by_utc
    due, close = clock(confirm_by), clock(content.window.close_utc)
    days = (london_day(now) - london_day(confirm_by)).days
    due_day = "today" if days == 0 else "yesterday" if days == 1 else f"on {close_day(london_day(confirm_by))}"
    verb = "has" if len(missing) == 1 else "have"
    over = "The window is over: trade nothing now. A line that was not begun: SKIPPED."
    subject, first, then = {
        WINDOW_OPEN: (
            f"It is time: {number} on eToro until {close}",
            f"The window is open until {close} (London); {number} of your ticket {verb} no answer yet.",
            [f"At {close} stop. Not possible today? Do nothing and mark the lines SKIPPED. That is safe."],
        ),
        REMINDER: (
            f"Please answer {number} by {due}",
            f"{number} of your ticket {verb} no answer yet. Please answer by {due} (London).",
            [over] if now >= content.window.close_utc else [f"At {close} stop; what was not begun: SKIPPED."],
        ),
        DEADLINE: (
            f"Answers were due at {due}: {number} open",
            f"{number} of your ticket {verb} no answer, which was due {due_day} at {due} (London). Please answer now.",
            [over, "Without answers the next plan must do nothing."],
        ),
        ESCALATION: (
            f"No answer to {number} of {content.ticket_id}, due {due_day} at {due}",
            f"{number} of ticket {content.ticket_id} {verb} no answer, due {due_day} at {due} (London).",
            [
                f"Ask {executors or 'the executor'} what was done, and have it entered on the ticket's page.",
                "Trade nothing for the executor. While a line is open the next plan ends as NO-TRADE.",
            ],
        ),
    }[kind]
    rows = (
        Row("strong", f"{said}{first}"),
        Row("section", "Without an answer"),
        *(Row("item", f"{line.line} · {line.side} {line.symbol}") for line in missing),
        *(Row("text", sentence) for sentence in then),
    )
    return Letter(f"{said}{subject}", rows, f"{said}{first}", content.page_url, OPEN_TICKET, thread_of(content))


def _copy(role: Role | None, executors: str) -> list[Row]:
    if role != "operator":
        return []
    return [Row("text", f"This is the operator's copy. {executors or 'The executor'} does it; do nothing on eToro.")]


def _copy_mark(role: Role | None) -> str:
    return "Copy: " if role == "operator" else ""


def _things(content: TicketContent) -> str:
    return count(len(content.lines), "thing", "things")


def _lines(number: int) -> str:
    return count(number, "line", "lines")
