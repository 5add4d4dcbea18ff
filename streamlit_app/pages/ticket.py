"""The executor's ticket: today's instruction at a glance, one line at a time, check your answers, saved.

Which of these is shown, and what the buttons do. The form of a line is `components.line_form`; reading what was typed,
storing and booking is `trading_ops.desk`.
"""

import datetime as dt
import html
from collections.abc import Sequence
from typing import Any

import streamlit as st

from streamlit_app.components import draft, style
from streamlit_app.components.fields import as_label
from streamlit_app.components.line_form import line_form
from streamlit_app.components.saving import save_answers
from streamlit_app.components.second_look import looked_again, second_look
from streamlit_app.components.ticket_parts import (
    at_a_glance,
    instruction,
    line_title,
    no_ticket,
    no_trade,
    saved_answers,
    withdrawn,
)
from streamlit_app.database import reading
from streamlit_app.person import Person
from trading_ops.desk import standing
from trading_ops.desk.answering import TicketState, evidence_for, ticket_state
from trading_ops.desk.typed_answer import Reading, as_fields, read_line, summary
from trading_ops.domain.answer import BEGUN, STATUSES
from trading_ops.domain.errors import Refused
from trading_ops.domain.ticket_model import LinePart
from trading_ops.domain.ticket_record import banner_of
from trading_ops.domain.ticket_words import count

PAGE = "ticket"
Body = dict[str, Any]


def show(person: Person) -> None:
    """Draw the ticket that the address names, or the newest one."""
    style.style()
    now = dt.datetime.now(dt.UTC)
    name = st.query_params.get("ticket", "")
    with reading(person) as conn:
        desk = standing.standing(conn, now)
        try:
            state = ticket_state(conn, name) if name else desk.newest
        except Refused:
            state = None
    if state is None:
        no_ticket(desk, name)
        return
    if desk.overdue or (desk.newest and desk.newest.ticket.plan_id != state.ticket.plan_id):
        _not_the_newest(desk, state)
    if banner_of(state.content):
        style.banner(banner_of(state.content).rstrip(" ·"))
    if state.content.verdict.value == "NO-TRADE":
        no_trade(state)
        return
    _trade(person, state, now)


def _not_the_newest(desk: standing.Standing, state: TicketState) -> None:
    if desk.overdue and desk.open_plan is not None:
        st.warning(f"There is no ticket for {desk.open_plan.week}: do not trade. Below is {state.ticket.ticket_id}.")
    elif desk.newest is not None:
        newest = desk.newest.ticket.ticket_id
        st.warning(f"This is an older ticket. The newest is {newest}.")
        st.html(f'<p><a href="/confirm/{newest}" target="_self">Open {newest}</a></p>')


def _trade(person: Person, state: TicketState, now: dt.datetime) -> None:
    ticket_id = state.ticket.ticket_id
    body = draft.opened(person, PAGE, ticket_id, {"step": "glance", "lines": {}})
    if state.ticket.withdrawn_because is not None:
        withdrawn(state)
    said = body.pop("said", None)
    if said:
        getattr(st, said[0])("\n\n".join(as_label(sentence) for sentence in said[1].splitlines()))
    step = str(body.get("step", "glance"))
    style.begin_at_top(f"{ticket_id}:{step}")
    place = int(step.removeprefix("line:")) if step.startswith("line:") else 0
    if 1 <= place <= len(state.content.lines):
        _line(person, state, body, state.content.lines[place - 1], now)
    elif step == "check":
        _check(person, state, body, now)
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
            _button(f"Line {line.line} was already done: {line_title(line)}", person, state, body, f"line:{line.line}")
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
    instruction(state.content, line)
    key = f"{state.ticket.ticket_id}:{line.line}"
    statuses = _open_to(state, line)
    line_form(line, fields, found, key, lambda: _keep(person, state), statuses)
    second_look(
        "I looked again: it is as eToro shows it", fields, found.looked_at, key=key, keep=lambda: _keep(person, state)
    )
    if found.asks and not _noted(fields):
        style.note("And a short note above, please: what was unusual.")
    if found.missing and fields.get("status"):
        style.note(_still(found))
    last = line.line == len(state.content.lines)
    ready = _ready(fields, found)
    only_this = line.line in state.answered or state.ticket.withdrawn_because is not None
    after = "check" if last or only_this else f"line:{line.line + 1}"
    words = "Check your answers" if after == "check" else f"Next: line {line.line + 1}"
    _button(words, person, state, body, after, main=True, disabled=not ready)
    if not ready and after != "check":
        _button("Leave this line for later", person, state, body, f"line:{line.line + 1}")
    _button("Back", person, state, body, f"line:{line.line - 1}" if line.line > 1 else "glance")


def _open_to(state: TicketState, line: LinePart) -> Sequence[str]:
    """What may be said of a line: of a withdrawn ticket only what was done, or a correction of that."""
    return BEGUN if state.ticket.withdrawn_because is not None and line.line not in state.answered else STATUSES


def _still(found: Reading) -> str:
    names = {"price": "the price", "units": "the units", "value": "the amount", "time": "the time", "note": "a note"}
    left = [names.get(ask.field, ask.sentence) for ask in found.missing]
    return "Still to type: " + ", ".join(dict.fromkeys(left)) if left else ""


def _fields(state: TicketState, body: Body, line: LinePart) -> dict[str, Any]:
    stored = state.answered.get(line.line)
    fresh = as_fields(stored.answer) if stored else {}
    fields: dict[str, Any] = body["lines"].setdefault(str(line.line), fresh)
    return fields


def _ready(fields: dict[str, Any], found: Reading) -> bool:
    """It can be saved: an unusual answer was looked at again, and has a note."""
    unusual_is_right = looked_again(fields, found.looked_at) and _noted(fields)
    return found.answer is not None and (not found.asks or unusual_is_right)


def _noted(fields: dict[str, Any]) -> bool:
    return bool(str(fields.get("note") or "").strip())


def _check(person: Person, state: TicketState, body: Body, now: dt.datetime) -> None:
    style.big("Check your answers")
    answers, unfinished = [], []
    with reading(person) as conn:
        for line in state.content.lines:
            fields = body["lines"].get(str(line.line), {})
            stored = state.answered.get(line.line)
            if fields.get("status") not in _open_to(state, line):
                if stored is None and state.ticket.withdrawn_because is None:
                    unfinished.append(line)
                continue
            found = read_line(line, fields, evidence_for(conn, state.content, line.symbol, now))
            if found.answer is None or not _ready(fields, found):
                unfinished.append(line)
            else:
                answers.append(found.answer)
    for answer in answers:
        line = state.content.lines[answer.line - 1]
        with st.container(border=True):
            st.html(f"<b>{html.escape(f'{line.line} · {answer.status} · {line_title(line)}')}</b>")
            style.listed([*summary(answer), *([f"Note: {answer.note}"] if answer.note else [])])
            _button(f"Change line {line.line}", person, state, body, f"line:{line.line}")
    for line in unfinished:
        with st.container(border=True):
            style.ask(f"Line {line.line}, {line_title(line)}: not answered yet.")
            _button(f"Answer line {line.line}", person, state, body, f"line:{line.line}")
    words = "All correct: save" if not unfinished else f"Save these {count(len(answers), 'answer', 'answers')}"
    st.button(
        words, type="primary", use_container_width=True, disabled=not answers,
        on_click=save_answers, args=(person, PAGE, state, tuple(answers), body),
    )  # fmt: skip
    _button("Back", person, state, body, "glance")


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
