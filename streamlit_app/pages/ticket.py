"""The executor's ticket: today's instruction at a glance, one line at a time, check your answers, saved.

Which of these is shown, and what the buttons do. The form of a line is `components.line_form`; reading what was typed,
storing and booking is `trading_ops.desk`.
"""

import datetime as dt
from typing import Any

import streamlit as st

from streamlit_app.components import draft, style
from streamlit_app.components.fields import as_label
from streamlit_app.components.line_form import line_form
from streamlit_app.components.second_look import second_look
from streamlit_app.components.ticket_check import check, noted, open_to, ready, still
from streamlit_app.components.ticket_parts import (
    at_a_glance,
    instruction,
    no_ticket,
    no_trade,
    saved_answers,
    withdrawn,
)
from streamlit_app.components.ticket_waiting import beside
from streamlit_app.database import reading
from streamlit_app.person import Person
from trading_ops.desk import standing
from trading_ops.desk.answer_words import as_fields
from trading_ops.desk.answering import TicketState, evidence_for, ticket_state
from trading_ops.desk.typed_answer import read_line
from trading_ops.domain.errors import Refused
from trading_ops.domain.ticket_model import LinePart
from trading_ops.domain.ticket_record import banner_of

PAGE = "ticket"
Body = dict[str, Any]


def show(person: Person) -> None:
    """Draw the ticket that the address names, or the one that comes first."""
    style.style()
    now = dt.datetime.now(dt.UTC)
    name = st.query_params.get("ticket", "")
    with reading(person) as conn:
        desk = standing.standing(conn, now)
        try:
            state = ticket_state(conn, name) if name else desk.first
        except Refused:
            state = None
    if state is None:
        no_ticket(desk, name)
        return
    if state.ticket.withdrawn_because is not None:
        withdrawn(state)  # before anything else: nothing on the page is more urgent
    beside(desk, state)
    if banner_of(state.content):
        style.banner(banner_of(state.content).rstrip(" ·"))
    if state.content.verdict.value == "NO-TRADE":
        no_trade(state, desk.waiting)
        return
    _trade(person, state, now)


def _trade(person: Person, state: TicketState, now: dt.datetime) -> None:
    ticket_id = state.ticket.ticket_id
    body = draft.opened(person, PAGE, ticket_id, {"step": "glance", "lines": {}})
    said = body.pop("said", None)
    if said:
        getattr(st, said[0])("\n\n".join(as_label(sentence) for sentence in said[1].splitlines()))
    step = str(body.get("step", "glance"))
    style.begin_at_top(f"{ticket_id}:{step}")
    place = int(step.removeprefix("line:")) if step.startswith("line:") else 0
    if 1 <= place <= len(state.content.lines):
        _line(person, state, body, state.content.lines[place - 1], now)
    elif step == "check":
        check(person, PAGE, state, body, now, lambda words, to: _button(words, person, state, body, to))
    else:
        _glance(person, state, body, now)


def _glance(person: Person, state: TicketState, body: Body, now: dt.datetime) -> None:
    stands = state.ticket.withdrawn_because is None
    if stands and state.answered and not state.open_lines and not _changed(state, body):
        saved_answers(state, lambda line: _button(f"Correct line {line}", person, state, body, f"line:{line}"))
        return
    at_a_glance(state, now)
    left = [line for line in state.open_lines if str(line) not in body["lines"]]
    if not stands:
        for line in state.content.lines:
            _button(
                f"Line {line.line} was already done: {line.side} {line.symbol}",
                person,
                state,
                body,
                f"line:{line.line}",
            )
        return
    if not body["lines"] and not state.answered:
        _button("Start with line 1", person, state, body, "line:1", main=True)
        return
    begin = left[0] if left else None
    if begin is not None:
        _button(f"Go on with line {begin}", person, state, body, f"line:{begin}", main=True)
    _button("Check your answers", person, state, body, "check", main=begin is None)
    if not state.open_lines:
        st.button("Leave it as it was saved", use_container_width=True, on_click=_forget, args=(person, state))


def _forget(person: Person, state: TicketState) -> None:
    """Drop a correction that was begun; what is saved stands."""
    draft.replace(person, PAGE, state.ticket.ticket_id, {"step": "glance", "lines": {}})


def _changed(state: TicketState, body: Body) -> bool:
    """Something was typed that is not saved yet."""
    return any(
        int(line) not in state.answered or fields != as_fields(state.answered[int(line)].answer)
        for line, fields in body["lines"].items()
        if fields.get("status")
    )


def _line(person: Person, state: TicketState, body: Body, line: LinePart, now: dt.datetime) -> None:
    fields = _fields(state, body, line)
    with reading(person) as conn:
        evidence = evidence_for(conn, state.content, line.symbol, now)
    found = read_line(line, fields, evidence)
    instruction(state, line)
    key = f"{state.ticket.ticket_id}:{line.line}"
    statuses = open_to(state, line)
    line_form(line, fields, found, key, lambda: _keep(person, state), statuses)
    second_look(
        "I looked again: it is as eToro shows it", fields, found.looked_at, key=key, keep=lambda: _keep(person, state)
    )
    if found.asks and not noted(fields):
        style.note("And a short note above, please: what was unusual.")
    if found.missing and fields.get("status"):
        style.note(still(found))
    last = line.line == len(state.content.lines)
    may_go_on = ready(fields, found)
    only_this = line.line in state.answered or state.ticket.withdrawn_because is not None
    after = "check" if last or only_this else f"line:{line.line + 1}"
    words = "Check your answers" if after == "check" else f"Next: line {line.line + 1}"
    _button(words, person, state, body, after, main=True, disabled=not may_go_on)
    if not may_go_on and after != "check":
        _button("Leave this line for later", person, state, body, f"line:{line.line + 1}")
    _button("Back", person, state, body, f"line:{line.line - 1}" if line.line > 1 else "glance")


def _fields(state: TicketState, body: Body, line: LinePart) -> dict[str, Any]:
    stored = state.answered.get(line.line)
    fresh = as_fields(stored.answer) if stored else {}
    fields: dict[str, Any] = body["lines"].setdefault(str(line.line), fresh)
    return fields


def _button(
    words: str, person: Person, state: TicketState, body: Body, step: str, *, main: bool = False, disabled: bool = False
) -> None:
    def go() -> None:
        body["step"] = step
        _keep(person, state)

    kind = "primary" if main else "secondary"
    st.button(words, key=f"go:{step}:{words}", on_click=go, type=kind, use_container_width=True, disabled=disabled)


def _keep(person: Person, state: TicketState) -> None:
    draft.save(person, PAGE, state.ticket.ticket_id)
