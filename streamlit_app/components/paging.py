"""Which page of a long list is shown."""

import streamlit as st


def page_of(name: str) -> int:
    """The page of a list, from 0."""
    return int(st.session_state.get(f"page:{name}", 0))


def turn(name: str, of_all: int, size: int) -> None:
    """Draw where in the list we are, and the buttons to turn the page."""
    page = page_of(name)
    pages = max(1, -(-of_all // size))
    if pages == 1:
        return
    newer, here, older = st.columns([1, 1, 1], vertical_alignment="center")
    newer.button("Newer", key=f"newer:{name}", disabled=page == 0, on_click=_to, args=(name, page - 1), width="stretch")
    here.markdown(f"Page {page + 1} of {pages}")
    older.button(
        "Older", key=f"older:{name}", disabled=page >= pages - 1, on_click=_to, args=(name, page + 1), width="stretch"
    )


def first(name: str) -> None:
    """Back to the first page, when what is listed changed."""
    st.session_state[f"page:{name}"] = 0


def _to(name: str, page: int) -> None:
    st.session_state[f"page:{name}"] = max(0, page)
