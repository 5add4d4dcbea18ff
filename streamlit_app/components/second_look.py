"""The tick that says: I looked again, it is right. It holds for exactly what was asked and typed then."""

import uuid
from collections.abc import Sequence

import streamlit as st

from streamlit_app.components.fields import Body, Keep


def looked_again(body: Body, wanted: Sequence[str]) -> bool:
    """Whether the tick that is kept in `body["sure"]` was set for exactly this; true when nothing is asked."""
    return not wanted or body.get("sure") == list(wanted)


def second_look(words: str, body: Body, wanted: Sequence[str], *, key: str, keep: Keep) -> bool:
    """Draw the tick when something is asked.

    Args:
        words: What the tick says.
        body: The draft that keeps it.
        wanted: What is asked, each with what was typed: any change takes the tick away.
        key: Tells this widget from others.
        keep: Keeps the draft.

    Returns:
        See `looked_again`.
    """
    if not wanted:
        return True
    widget = f"{key}:sure:{uuid.uuid5(uuid.NAMESPACE_URL, '|'.join(wanted))}"

    def took() -> None:
        body["sure"] = list(wanted) if st.session_state[widget] else []
        keep()

    st.checkbox(words, value=looked_again(body, wanted), key=widget, on_change=took)
    return looked_again(body, wanted)
