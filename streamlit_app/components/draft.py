"""What is typed and not yet sent: in the browser's session, and in the database at every change.

A closed browser, another phone or an ended session loses nothing.
"""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from streamlit_app.database import reading, writing
from streamlit_app.person import Person
from trading_ops.domain.errors import TradingOpsError
from trading_ops.store import submissions

Body = dict[str, Any]


def opened(person: Person, page: str, subject: str, fresh: Mapping[str, Any]) -> Body:
    """The draft of a subject: of this session, else as it was left, else a fresh one."""
    key = _key(page, subject)
    if key not in st.session_state:
        with reading(person) as conn:
            kept = submissions.draft(conn, person.username, page, subject)
        st.session_state[key] = dict(kept) if kept else dict(fresh)
    body: Body = st.session_state[key]
    return body


def save(person: Person, page: str, subject: str) -> None:
    """Keep the session's draft; a database that is away for a moment is said and loses nothing on the screen."""
    body = st.session_state.get(_key(page, subject))
    if body is None:
        return
    try:
        with writing(person) as conn:
            submissions.save_draft(conn, person.username, page, subject, body)
    except TradingOpsError as exc:
        st.toast(f"Not kept yet: {exc}")


def replace(person: Person, page: str, subject: str, body: Body) -> None:
    """Put another draft in place of the session's, and keep it."""
    st.session_state[_key(page, subject)] = body
    save(person, page, subject)


def _key(page: str, subject: str) -> str:
    return f"draft:{page}:{subject}"
