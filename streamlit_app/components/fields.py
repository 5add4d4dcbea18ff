"""Fields that write what is typed into a page's draft, letter by letter, and keep it at every change.

Numbers are in `numbers`. How a page looks is in `style`.
"""

import datetime as dt
import re
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from streamlit_app.components import style

Body = dict[str, Any]
Keep = Callable[[], None]
LONGEST = 60
_PAIRED = "$*_~`"
"""Marks that mean nothing when they stand alone."""
NOTE_LONGEST = 400
CUT = f"A note has {NOTE_LONGEST} letters at most; what came after was cut off."
_MARKUP = re.compile(r"([\\`*_\[\]$~<>#]|:(?=[\w+-]+:))")
"""Only what would change how a label looks: a screen reader reads the label as it is given."""
_CUT_MARK = ":cut"
_CALENDAR = (
    "<style>[data-testid=stDateInputCalendarButton] "
    "{min-width: 2.75rem; min-height: 2.75rem; display: inline-flex; align-items: center; justify-content: center;}"
    "</style>"
)
"""The sign that opens the calendar, large enough for a thumb."""


def as_label(text: str) -> str:
    """A text for a label, where the framework would read marks as markup: it shows as it is written."""
    line = " ".join(text.split())
    return _MARKUP.sub(
        lambda mark: mark[0] if mark[0] in _PAIRED and line.count(mark[0]) == 1 else f"\\{mark[0]}", line
    )


def text_field(label: str, body: Body, name: str, *, key: str, keep: Keep, hint: str = "") -> str:
    """A line of text."""
    widget = f"{key}:{name}"
    st.text_input(
        as_label(label), value=str(body.get(name) or ""), key=widget, placeholder=hint, max_chars=LONGEST,
        autocomplete="off", on_change=_take, args=(body, name, widget, keep),
    )  # fmt: skip
    return str(body.get(name) or "")


def note_field(label: str, body: Body, name: str, *, key: str, keep: Keep, hint: str = "") -> str:
    """A few words; what is longer than a note may be is cut, and that is said."""
    widget = f"{key}:{name}"
    st.text_area(
        as_label(label), value=str(body.get(name) or ""), key=widget, placeholder=hint, height=110,
        on_change=_take_note, args=(body, name, widget, keep),
    )  # fmt: skip
    if st.session_state.get(widget + _CUT_MARK):
        style.note(CUT)
    return str(body.get(name) or "")


def tick(label: str, body: Body, name: str, *, key: str, keep: Keep) -> bool:
    """A box to tick."""
    widget = f"{key}:{name}"
    st.checkbox(
        as_label(label), value=bool(body.get(name)), key=widget, on_change=_take, args=(body, name, widget, keep)
    )
    return bool(body.get(name))


def choice(label: str, words: dict[str, str], body: Body, name: str, *, key: str, keep: Keep, first: str = "") -> str:
    """One of a few; `first`, or empty, while nothing is chosen."""
    widget, options = f"{key}:{name}", list(words)
    chosen = body.get(name) or first
    st.radio(
        as_label(label), options, index=options.index(chosen) if chosen in options else None, key=widget,
        format_func=lambda option: as_label(words[option]), on_change=_take, args=(body, name, widget, keep),
    )  # fmt: skip
    return str(chosen)


def day_field(label: str, body: Body, name: str, *, key: str, keep: Keep, last: dt.date) -> dt.date:
    """A day that has come; the last possible one while nothing is chosen."""
    widget = f"{key}:{name}"
    try:
        known = min(dt.date.fromisoformat(str(body.get(name) or "")), last)
    except ValueError:
        known = last
    st.html(_CALENDAR)
    st.date_input(
        as_label(label), value=known, max_value=last, key=widget, format="DD/MM/YYYY",
        on_change=_take_day, args=(body, name, widget, keep),
    )  # fmt: skip
    return known


def name_field(label: str, names: Sequence[tuple[str, str]], body: Body, name: str, *, key: str, keep: Keep) -> str:
    """Search among known names, or type one that is not among them.

    Args:
        label: What is asked.
        names: Symbol and company of every known name.
        body: The draft; the symbol, or the text as typed, goes into `body[name]`.
        name: Where in it.
        key: Tells this widget from others.
        keep: Keeps the draft.

    Returns:
        The symbol, or the text as typed; empty while nothing is chosen.
    """
    widget, shown = f"{key}:{name}", {symbol: f"{symbol} · {company}" for symbol, company in names}
    chosen = str(body.get(name) or "")
    options = [*shown.values(), *([chosen] if chosen and chosen not in shown else [])]
    place = options.index(shown.get(chosen, chosen)) if chosen else None
    by_label = {text: symbol for symbol, text in shown.items()}
    st.selectbox(
        as_label(label), options, index=place, key=widget, placeholder="Type a name or a symbol",
        accept_new_options=True, on_change=_take_name, args=(body, name, widget, by_label, keep),
    )  # fmt: skip
    return chosen


def button(words: str, act: Callable[..., None], *args: Any, key: str, main: bool = False) -> None:
    """A button of the page's full width; what it does happens before the page is drawn again."""
    kind = "primary" if main else "secondary"
    st.button(as_label(words), key=key, on_click=act, args=args, type=kind, width="stretch")  # type: ignore[arg-type]


def _take(body: Body, name: str, widget: str, keep: Keep) -> None:
    body[name] = st.session_state[widget]
    keep()


def _take_note(body: Body, name: str, widget: str, keep: Keep) -> None:
    typed = str(st.session_state[widget])
    st.session_state[widget] = typed[:NOTE_LONGEST]
    st.session_state[widget + _CUT_MARK] = len(typed) > NOTE_LONGEST
    _take(body, name, widget, keep)


def _take_day(body: Body, name: str, widget: str, keep: Keep) -> None:
    chosen = st.session_state[widget]
    body[name] = chosen.isoformat() if chosen else ""
    keep()


def _take_name(body: Body, name: str, widget: str, by_label: dict[str, str], keep: Keep) -> None:
    chosen = str(st.session_state[widget] or "").strip()[:LONGEST]
    typed = {symbol.casefold(): symbol for symbol in by_label.values()}
    body[name] = by_label.get(chosen) or typed.get(chosen.casefold(), chosen)
    keep()
