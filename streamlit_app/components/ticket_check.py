"""Check your answers: each as it will be saved, what is saved already, and what is still open.

Belongs here: when a line's answer is ready to be saved. Does not belong here: saving it (`saving`), the form
(`line_form`).
"""

import datetime as dt
import html
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from streamlit_app.components import style
from streamlit_app.components.saving import save_answers
from streamlit_app.components.second_look import looked_again
from streamlit_app.components.ticket_parts import line_title
from streamlit_app.database import reading
from streamlit_app.person import Person
from trading_ops.desk.answer_words import as_fields, summary
from trading_ops.desk.answering import TicketState, evidence_for
from trading_ops.desk.typed_answer import Reading, read_line
from trading_ops.domain.answer import BEGUN, STATUSES, Answer
from trading_ops.domain.ticket_model import LinePart
from trading_ops.domain.ticket_words import count

Body = dict[str, Any]
Button = Callable[[str, str], None]
"""A button of these words that leads to this step."""


def open_to(state: TicketState, line: LinePart) -> Sequence[str]:
    """What may be said of a line: of a withdrawn ticket only what was done, or a correction of that."""
    return BEGUN if state.ticket.withdrawn_because is not None and line.line not in state.answered else STATUSES


def noted(fields: Body) -> bool:
    """It has a note."""
    return bool(str(fields.get("note") or "").strip())


def ready(fields: Body, found: Reading) -> bool:
    """It can be saved: an unusual answer was looked at again, and has a note."""
    unusual_is_right = looked_again(fields, found.looked_at) and noted(fields)
    return found.answer is not None and (not found.asks or unusual_is_right)


def still(found: Reading) -> str:
    """What is still to be typed; empty when nothing is."""
    names = {"price": "the price", "units": "the units", "value": "the amount", "time": "the time", "note": "a note"}
    left = [names.get(ask.field, ask.sentence) for ask in found.missing]
    return "Still to type: " + ", ".join(dict.fromkeys(left)) if left else ""


def check(person: Person, page: str, state: TicketState, body: Body, now: dt.datetime, button: Button) -> None:
    """Draw the step; its main button saves what is ready."""
    style.big("Check your answers")
    answers, waiting, saved = _sorted(person, state, body, now)
    if answers:
        style.note("Not saved yet. Compare each with eToro, then press the button below.")
    for answer in answers:
        line = state.content.lines[answer.line - 1]
        with st.container(border=True):
            st.html(f"<b>{html.escape(f'{line.line} · {answer.status} · {line_title(line)}')}</b>")
            style.listed([*summary(answer), *([f"Note: {answer.note}"] if answer.note else [])])
            button(f"Change line {line.line}", f"line:{line.line}")
    for line, said in (*saved, *waiting):
        with st.container(border=True):
            for sentence in said:
                style.ask(sentence)
            verb = "Look at" if line.line in state.answered else "Answer"
            button(f"{verb} line {line.line}", f"line:{line.line}")
    words = "All correct: save" if not waiting else f"Save these {count(len(answers), 'answer', 'answers')}"
    st.button(
        words, type="primary", use_container_width=True, disabled=not answers,
        on_click=save_answers, args=(person, page, state, tuple(answers), body),
    )  # fmt: skip
    button("Back", "glance")


Said = list[tuple[LinePart, list[str]]]


def _sorted(person: Person, state: TicketState, body: Body, now: dt.datetime) -> tuple[list[Answer], Said, Said]:
    """Answers that can be saved; lines that wait, and lines that are saved as they are, each with what is asked."""
    answers: list[Answer] = []
    waiting: Said = []
    saved: Said = []
    with reading(person) as conn:
        for line in state.content.lines:
            fields, stored = body["lines"].get(str(line.line), {}), state.answered.get(line.line)
            title = f"Line {line.line}, {line_title(line)}"
            if fields.get("status") not in open_to(state, line):
                if stored is None and state.ticket.withdrawn_because is None:
                    waiting.append((line, [f"{title}: not answered yet."]))
                continue
            found = read_line(line, fields, evidence_for(conn, state.content, line.symbol, now))
            asked = [*([still(found)] if found.missing else []), *(ask.sentence for ask in found.asks)]
            if found.answer is not None and ready(fields, found):
                answers.append(found.answer)
            elif stored is None:
                waiting.append((line, [f"{title}: not finished yet.", *asked]))
            elif fields == as_fields(stored.answer):
                known = ", ".join([stored.answer.status, *summary(stored.answer)])
                first = f"{title}: saved already as {known}. If eToro shows it so, nothing is to be done."
                saved.append((line, [first, *asked]))
            else:
                first = f"{title}: an answer is saved and stands, but your correction is not finished yet."
                waiting.append((line, [first, *asked]))
    return answers, waiting, saved
