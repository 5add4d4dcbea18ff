"""Every visit and every press of a button: who is it, and which pages are theirs.

A page is a module of `streamlit_app.pages` with `show(person)`; what it shows belongs there.
"""

import importlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from streamlit_app.components import book_banner
from streamlit_app.components.keypad import digits_for_numbers
from streamlit_app.person import Person, current_person, show_signed_out

OPERATOR = ("operator",)
BOTH = ("executor", "operator")


class Place(NamedTuple):
    """One page: its module and address, what the menu calls it, and who may open it."""

    module: str
    url_path: str
    title: str
    icon: str
    roles: tuple[str, ...]


PLACES = (
    Place("home", "home", "Home", ":material/home:", OPERATOR),
    Place("ticket", "confirm", "Ticket", ":material/assignment:", BOTH),
    Place("snapshot", "snapshot", "Account check", ":material/fact_check:", BOTH),
    Place("trade", "trade", "Other trade", ":material/add_shopping_cart:", BOTH),
    Place("names", "names", "Check names", ":material/search:", BOTH),
    Place("ledger", "ledger", "Ledger", ":material/menu_book:", OPERATOR),
    Place("reconciliation", "reconciliation", "Reconciliation", ":material/balance:", OPERATOR),
    Place("cash", "cash", "Cash and events", ":material/payments:", OPERATOR),
    Place("tickets", "tickets", "All tickets", ":material/list_alt:", OPERATOR),
    Place("reports", "reports", "Reports", ":material/monitoring:", OPERATOR),
    Place("rollout", "rollout", "Roll-out", ":material/stairs:", OPERATOR),
    Place("policy", "policy", "Policy and universe", ":material/rule:", OPERATOR),
    Place("messages", "messages", "Messages", ":material/mail:", OPERATOR),
)
OWN_BANNER = ("", "confirm")
"""The ticket says itself what it is; the start only leads on."""
ICON = Path(__file__).with_name("icon.png")
"""Named for every page: for one without, the browser would fetch its menu sign from the framework's makers."""
PERSON_KEY = "signed_in_as"


def main() -> None:
    """Draw the page that was asked for, or say that the session ended."""
    st.set_page_config(page_title="Trading desk", page_icon=ICON, layout="centered", initial_sidebar_state="auto")
    person = current_person()
    if person is None:
        st.navigation([st.Page(show_signed_out, title="Signed out", default=True)], position="hidden")
        show_signed_out()
        return
    if st.session_state.get(PERSON_KEY, person.username) != person.username:
        st.session_state.clear()  # somebody else signed in on this device: nothing of the former stays
    st.session_state[PERSON_KEY] = person.username
    pages = [_page(place, person) for place in PLACES if person.role in place.roles and _exists(place.module)]
    start = st.Page(_opening(pages), title="Start", default=True, visibility="hidden")
    chosen = st.navigation([start, *pages], position="sidebar")
    with st.sidebar:
        st.markdown(f"{person.name}, {person.role}")
        st.html('<a href="/sign-out" target="_self">Sign out</a>')
        digits_for_numbers()
    if chosen.url_path not in OWN_BANNER:
        book_banner.show(person)
    chosen.run()


def load_pages() -> None:
    """Load every page's module now: the first person to open one would wait for it."""
    for place in PLACES:
        if _exists(place.module):
            _module(place)


def _module(place: Place) -> ModuleType:
    return importlib.import_module(f"streamlit_app.pages.{place.module}")


def _page(place: Place, person: Person) -> StreamlitPage:
    def show() -> None:
        _module(place).show(person)

    return st.Page(show, title=place.title, icon=place.icon, url_path=place.url_path)


def _opening(pages: list[StreamlitPage]) -> Callable[[], None]:
    """What the bare address opens: the first page of the person's role."""

    def start() -> None:
        if pages:
            st.switch_page(pages[0])
        st.title("Trading desk")

    return start


def _exists(module: str) -> bool:
    return importlib.util.find_spec(f"streamlit_app.pages.{module}") is not None
