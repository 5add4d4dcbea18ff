"""Who looks at the page: asked of the database again on every run, never remembered.

What they may do does not belong here: the database role of `database.reading` and `writing` decides it.
"""

import html
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

import streamlit as st

from streamlit_app.auth import cookies
from streamlit_app.auth.door import door_of
from trading_ops.domain.errors import Refused
from trading_ops.settings import Settings
from trading_ops.store.people import Role
from trading_ops.store.sign_ins import SignedIn

SIGNED_OUT = "You were signed out. Sign in again; what you typed is kept."


class SignedOut(Refused):
    """The session ended; nothing was done."""

    def __init__(self) -> None:
        super().__init__(SIGNED_OUT)


@dataclass(frozen=True)
class Person:
    """Somebody who is signed in.

    Attributes:
        username: What they sign in with; the actor of what they do.
        role: executor or operator.
        name: What they are called.
        session: SHA-256 of their session's token.
    """

    username: str
    role: Role
    name: str
    session: str

    @classmethod
    def of(cls, found: SignedIn) -> "Person":
        """The person behind a session that holds."""
        return cls(found.username, found.role, found.display_name, found.session)


def current_person() -> Person | None:
    """Who holds the browser's cookie now; None when the session ended, however long the page has been open."""
    token = cookies.token_in(dict(st.context.cookies.items()))
    found = door_of(Settings.from_env()).holder(token) if token else None
    return Person.of(found) if found else None


def require_signed_in(person: Person) -> None:
    """Look again, before anything is written.

    Raises:
        SignedOut: The session ended since the page was drawn.
    """
    found = door_of(Settings.from_env()).holder_of(person.session)
    if found is None or Person.of(found) != person:
        raise SignedOut


def show_signed_out() -> None:
    """Say that the session ended, with the way back to this page."""
    st.error(SIGNED_OUT)
    target = html.escape(f"/sign-in?next={quote(_here(), safe='')}", quote=True)
    st.html(f'<p><a href="{target}" target="_self">Sign in</a></p>')


def _here() -> str:
    """Path of the page that is open; the door looks at it again before it goes there."""
    ticket = st.query_params.get("ticket")
    return f"/confirm?{urlencode({'ticket': ticket})}" if ticket else urlsplit(st.context.url or "/").path
