"""The pieces of the ticket page that are only read: the glance, one instruction, why nothing is done, what is saved."""

import datetime as dt
import html
from collections.abc import Callable

import streamlit as st

from streamlit_app.components import style
from streamlit_app.components.ticket_waiting import still_waiting
from trading_ops.desk.answer_words import summary
from trading_ops.desk.answering import TicketState
from trading_ops.desk.standing import Standing
from trading_ops.domain.her_words import in_her_words
from trading_ops.domain.ticket_model import LinePart
from trading_ops.domain.ticket_record import banner_of
from trading_ops.domain.ticket_text import before_you_start, line_rows
from trading_ops.domain.ticket_words import about_pounds, clock, count, london_day, long_day, typed_pounds

NOTHING = "Do nothing this week."
_ACCOUNT, _NAMES = ("Enter the account check", "/snapshot"), ("Look up the names", "/names")
HER_WAYS = {"SNAPSHOT_STALE": _ACCOUNT, "OPENING_SNAPSHOT_MISSING": _ACCOUNT, "UNVERIFIED_NAME": _NAMES}
"""Where she clears a rule herself; answers have their own tickets."""


def no_ticket(desk: Standing, name: str) -> None:
    """No ticket of that name, or none at all."""
    if name:
        style.block("calm", f"There is no ticket {name}.", "Open the link of the newest mail, or the menu's Ticket.")
    elif desk.overdue and desk.open_plan is not None:
        style.block("stop", "Do not trade.", f"There is no ticket for {desk.open_plan.week}.")
    else:
        style.block("calm", "There is no ticket yet.", "Nothing to do. A mail comes when there is one.")


def no_trade(state: TicketState, waiting: tuple[TicketState, ...]) -> None:
    """Nothing to do, why in her words, and the way to what she can do about it; `waiting` still wait for answers."""
    content, said = state.content, banner_of(state.content)
    opens = content.next_plan_opens_utc
    when = f"{long_day(london_day(opens))}, {clock(opens)}"
    style.block(
        "calm",
        f"{said}{NOTHING}",
        f"{said}No order on eToro." if waiting else f"{said}No order on eToro, nothing to answer.",
        f"{said}The next plan comes {when} (London).",
    )
    st.subheader("Why")
    answered_since = "CONFIRMATION_MISSING" in content.reasons and not waiting
    style.listed([*in_her_words(content.reasons), *(["By now all lines are answered. Thank you."] * answered_since)])
    ways = dict.fromkeys(HER_WAYS[code] for code in content.reasons if code in HER_WAYS)
    if ways or waiting:
        st.subheader("What you can do")
    still_waiting(waiting)
    for words, address in ways:
        style.way(words, address)


def withdrawn(state: TicketState) -> None:
    """The red block: stop."""
    style.block(
        "stop",
        "STOP. This ticket was withdrawn.",
        f"Do nothing more on eToro. Reason: {state.ticket.withdrawn_because}",
        "If you had already done a line, enter it here. The other lines need no answer.",
    )


def at_a_glance(state: TicketState, now: dt.datetime) -> None:
    """The whole instruction in a few rows."""
    content, said = state.content, banner_of(state.content)
    if state.ticket.withdrawn_because is not None:
        style.listed((f"{said}{_withdrawn_line(line)}{_mark(state, line)}" for line in content.lines), numbered=True)
        return
    style.big(f"{said}{_how_many(state, now)}")
    clocks = [f"Mind the clock: {content.window.clock_note}"] if content.window.clock_note else []
    style.listed(f"{said}{row}" for row in (*_when(state, now), *clocks))
    style.listed((f"{_heading(state, line)}{_mark(state, line)}" for line in content.lines), numbered=True)
    with st.expander("Before you start"):
        style.listed(row.clean for row in before_you_start(content) if row.kind == "item")
        style.listed(["Not possible that day? Do nothing, mark all lines SKIPPED. That is safe."])


def _how_many(state: TicketState, now: dt.datetime) -> str:
    if now > state.content.window.close_utc:
        left = count(len(state.open_lines), "line", "lines") if state.open_lines else "Answers"
        return f"{left} to answer"
    todo = len(state.content.lines)
    if banner_of(state.content):
        return f"{count(todo, 'instruction', 'instructions')} to answer, no order to place"
    return f"{count(todo, 'thing', 'things')} to do on eToro"


def _when(state: TicketState, now: dt.datetime) -> list[str]:
    """The window, then what is due by when, or that it is over."""
    window, real = state.content.window, not banner_of(state.content)
    day = "Today" if london_day(now) == window.session else long_day(window.session)
    hours = f"{day}, between {clock(window.open_utc)} and {clock(window.close_utc)} (London)."
    by = f"by {clock(window.confirm_by_utc)} the same day"
    if not real:
        hours = f"If it were real: {hours[0].lower() if day == 'Today' else hours[0]}{hours[1:]}"
    answers = f"Answer every line {by}." if real else f"Place no order on eToro. Answer as if you had, {by}."
    if now <= window.close_utc:
        return [hours, answers]
    over = "The time for this ticket is over: order nothing more. Answer what was done; mark the rest SKIPPED."
    return [hours, over] if now > window.confirm_by_utc else [hours, over, answers]


def _mark(state: TicketState, line: LinePart) -> str:
    stored = state.answered.get(line.line)
    return f" (answered {stored.answer.status})" if stored else ""


def line_title(line: LinePart) -> str:
    """`BUY NVDA · type £310`, `SELL ABBV · close the whole position`."""
    if line.side == "BUY":
        return f"BUY {line.symbol} · type {typed_pounds(line.amount_gbp)}"
    closes = "close the whole position" if line.close_whole else f"close part, {about_pounds(line.amount_gbp)}"
    return f"SELL {line.symbol} · {closes}"


def _heading(state: TicketState, line: LinePart) -> str:
    """A line as an instruction: on a ticket that is not to be executed it says so first."""
    return f"{banner_of(state.content)}{line_title(line)}"


def _withdrawn_line(line: LinePart) -> str:
    """A line of a ticket that was called back: no order any more."""
    return f"{line.symbol}: withdrawn, do nothing"


def instruction(state: TicketState, line: LinePart) -> None:
    """One line: where we are, the heading in large type, what to do in order; of a withdrawn ticket nothing to do."""
    content = state.content
    st.progress(line.line / len(content.lines), text=f"Line {line.line} of {len(content.lines)}")
    if state.ticket.withdrawn_because is not None:
        style.big(f"{banner_of(content)}{_withdrawn_line(line)}")
        style.listed([f"Enter only what you had already done: the {line.side} of {line.symbol} as eToro shows it."])
        return
    rows = line_rows(content, line)
    style.big(_heading(state, line))
    style.listed(row.clean for row in rows[1:] if not row.clean.startswith("Write down"))


def saved_answers(state: TicketState, correct: Callable[[int], None]) -> None:
    """Everything is answered: what was saved, and a way to put a line right."""
    overfilled = [line for line, stored in state.answered.items() if stored.overfilled]
    style.block("calm", "Every line is answered. Thank you.", "Nothing else to do for this ticket.")
    if overfilled:
        style.ask(f"More than asked was filled in line {overfilled[0]}. The operator knows; nothing for you to do.")
    for line in state.content.lines:
        stored = state.answered.get(line.line)
        if stored is None:
            continue
        with st.container(border=True):
            st.html(f"<b>{html.escape(f'{line.line} · {stored.answer.status} · {line_title(line)}')}</b>")
            style.listed([*summary(stored.answer), *([f"Note: {stored.answer.note}"] if stored.answer.note else [])])
            correct(line.line)
