"""The form of one ticket line: what became of it, then what the screen showed, with gentle questions beside.

Widgets only. How the texts are read is `trading_ops.desk.typed_answer`.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from streamlit_app.components import style
from trading_ops.desk.answer_words import FAIL_REASONS, SKIP_REASONS
from trading_ops.desk.typed_answer import NOTE_MAX, Ask, Reading, parts_expected
from trading_ops.domain.ticket_model import LinePart
from trading_ops.domain.ticket_words import short_day, typed_units

STATUS_WORDS = {
    "DONE": "DONE: all of it was filled",
    "PARTIAL": "PARTIAL: only part of it was filled",
    "SKIPPED": "SKIPPED: nothing was ordered",
    "FAILED": "FAILED: it did not work",
}
PLAIN_STOCK = 'The screen said "Stocks", Leverage x1, no Stop Loss, no Take Profit'
Fields = dict[str, Any]
FIELDS = (
    ("price", "Price in $", "for example 78.10"),
    ("units", "Units", "for example 23.492"),
    ("value", "Amount in £", "for example 1265.00"),
    ("time", "Time on your clock", "for example 14:50"),
)


def line_form(
    line: LinePart, fields: Fields, reading: Reading, key: str, changed: Callable[[], None], statuses: Sequence[str]
) -> None:
    """Draw the form over `fields`; every change is written into them, and `changed` is called.

    Args:
        line: The instruction.
        fields: What was typed so far; see `typed_answer.Fields`.
        reading: How it reads now.
        key: Tells this form's widgets from others.
        changed: Keeps the draft.
        statuses: What may have become of it: a withdrawn ticket takes only what was done.
    """

    def keep(target: Fields, name: str, widget: str) -> None:
        target[name] = st.session_state[widget]
        changed()

    def choice(name: str, label: str, words: dict[str, str]) -> None:
        widget, options = f"{key}:{name}", list(words)
        chosen = fields.get(name)
        st.radio(
            label, options, index=options.index(chosen) if chosen in options else None, key=widget,
            format_func=words.__getitem__, on_change=keep, args=(fields, name, widget),
        )  # fmt: skip

    choice("status", "What became of this line?", {status: STATUS_WORDS[status] for status in statuses})
    status = fields.get("status")
    if status in ("SKIPPED", "FAILED"):
        choice("reason", "Why?", SKIP_REASONS if status == "SKIPPED" else FAIL_REASONS)
    elif status in ("DONE", "PARTIAL"):
        _amounts(line, fields, reading, key, keep, changed)
    if status:
        _note(fields, reading, key, keep)


def _amounts(
    line: LinePart, fields: Fields, reading: Reading, key: str, keep: Callable[..., None], changed: Callable[[], None]
) -> None:
    parts: list[Fields] = fields.setdefault("parts", [{}])
    while len(parts) < parts_expected(line):
        parts.append({})
    for place, part in enumerate(parts):
        if len(parts) > 1:
            st.subheader(_heading(line, place, len(parts)))
        for name, label, hint in FIELDS:
            _text(part, name, label, hint, f"{key}:{place}", keep)
            _asked(reading, name, place)
        with st.expander("Position ID, another day"):
            _text(part, "position_id", "Position ID, if the screen shows one", "", f"{key}:{place}", keep)
            _day(part, f"{key}:{place}", keep)
            _asked(reading, "day", place)
    for field in ("price", "units", "value", "status"):
        _asked(reading, field, None)
    _asked(reading, "status", 0)
    if st.button("It was filled in one more piece", key=f"{key}:more"):
        parts.append({})
        changed()
        st.rerun()
    if line.side == "BUY":
        widget = f"{key}:plain_stock"
        st.checkbox(
            PLAIN_STOCK, value=bool(fields.get("plain_stock")), key=widget,
            on_change=keep, args=(fields, "plain_stock", widget),
        )  # fmt: skip
        _asked(reading, "plain_stock", None)


def _heading(line: LinePart, place: int, of: int) -> str:
    if place >= len(line.lots):
        return f"Piece {place + 1} of {of}"
    lot = line.lots[place]
    known = f", Position ID {lot.position_id}" if lot.position_id else ""
    return f"Position {place + 1} of {of}: opened {short_day(lot.opened_on)}, {typed_units(lot.units)} units{known}"


def _text(target: Fields, name: str, label: str, hint: str, key: str, keep: Callable[..., None]) -> None:
    widget = f"{key}:{name}"
    st.text_input(
        label, value=str(target.get(name) or ""), key=widget, placeholder=hint, max_chars=60, autocomplete="off",
        on_change=keep, args=(target, name, widget),
    )  # fmt: skip


def _day(target: Fields, key: str, keep: Callable[..., None]) -> None:
    widget = f"{key}:day"
    known = target.get("day")
    st.date_input(
        "Day, when it was not the ticket's day", value=dt.date.fromisoformat(known) if known else None, key=widget,
        format="DD/MM/YYYY", on_change=lambda: _keep_day(target, widget, keep),
    )  # fmt: skip


def _keep_day(target: Fields, widget: str, keep: Callable[..., None]) -> None:
    chosen = st.session_state[widget]
    st.session_state[f"{widget}:text"] = chosen.isoformat() if chosen else ""
    keep(target, "day", f"{widget}:text")


def _note(fields: Fields, reading: Reading, key: str, keep: Callable[..., None]) -> None:
    widget = f"{key}:note"
    needed = bool(reading.asks) or any(ask.field == "note" for ask in reading.missing)
    label = "A short note: how it was" if needed else "A note, if there is something to say"
    st.text_area(
        label, value=str(fields.get("note") or ""), key=widget, max_chars=NOTE_MAX, height=90,
        on_change=keep, args=(fields, "note", widget),
    )  # fmt: skip


def _asked(reading: Reading, field: str, part: int | None) -> None:
    """Questions and remarks that belong beside a field; a field that is simply empty yet is not nagged about."""
    for found in (*reading.missing, *reading.asks):
        if (found.field, found.part) == (field, part) and not _just_empty(found):
            style.ask(found.sentence)
    for remark in reading.notes:
        if (remark.field, remark.part) == (field, part):
            style.note(remark.sentence)


def _just_empty(found: Ask) -> bool:
    return found.code == "UNREADABLE" and found.sentence.startswith(("Nothing is typed", "No time is typed"))
