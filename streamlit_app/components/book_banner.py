"""What every page of a desk that is not real says first. The ticket has a banner of its own, in the ticket's words."""

import html

import streamlit as st

from streamlit_app.database import reading
from streamlit_app.person import Person
from trading_ops.settings import Settings

WORDS = {
    "sim": "SIMULATED DESK - nothing here is real. Place no order on eToro, and type nothing of your real account.",
    "paper": "PAPER DESK - real prices, no real orders. Place no order on eToro; type nothing of your real account.",
}
_BOX = "background: #5b2a86; color: #fff; padding: .5rem .8rem; border-radius: .4rem; font-weight: 700;"
_BOOKS: dict[Settings, str] = {}
"""A home holds one book for ever."""


def show(person: Person) -> None:
    """The banner of a sim or paper book; nothing on a live one."""
    home = Settings.from_env()
    if home not in _BOOKS:
        with reading(person) as conn:
            row = conn.execute("SELECT book FROM ops.books").fetchone()
        if row is None:
            return
        _BOOKS[home] = row["book"]
    words = WORDS.get(_BOOKS[home])
    if words:
        st.html(f'<div role="note" style="{_BOX}">{html.escape(words)}</div>')
