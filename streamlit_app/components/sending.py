"""A form of the operator's pages: what was typed stays until it is booked, and three clicks book it once.

The form's id is made before its button is shown; it is part of every field's key and the key under which the database
keeps the result. A press acts in the button's callback. What needs a second look is asked once, with a button of its
own, so that the first button never books it however often it is pressed.
"""

import datetime as dt
import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
import streamlit as st

from streamlit_app.components import words
from streamlit_app.database import reading, write
from streamlit_app.person import Person
from trading_ops.desk import executing
from trading_ops.domain.canonical import canonical_bytes, sha256_hex
from trading_ops.domain.errors import TradingOpsError
from trading_ops.settings import Settings
from trading_ops.store import audit, submissions


@dataclass(frozen=True)
class Draft:
    """What a form comes to.

    Attributes:
        subject: What it is about, for the record.
        content: Everything that is sent; the same id with other content is refused.
        work: What to do inside the transaction; returns what was done, as a sentence.
        asks: What to look at again before it is done.
    """

    subject: str
    content: Mapping[str, object]
    work: Callable[[psycopg.Connection[Any]], str]
    asks: Sequence[str] = field(default=())

    @property
    def digest(self) -> str:
        """Of what the person was asked about."""
        return sha256_hex(canonical_bytes({"content": dict(self.content), "asks": list(self.asks)}))


@dataclass(frozen=True)
class Form:
    """One form on a page, with the id under which it will be sent."""

    name: str
    form_id: uuid.UUID

    @classmethod
    def open(cls, name: str) -> "Form":
        """The form as it stands in this browser; a new one when the last was sent."""
        made = st.session_state.setdefault(f"form:{name}", str(uuid.uuid4()))
        return cls(name, uuid.UUID(made))

    def key(self, what: str) -> str:
        """The key of one of its fields."""
        return f"{self.name}:{self.form_id}:{what}"

    def value(self, what: str, default: Any = "") -> Any:
        """What stands in a field now."""
        return st.session_state.get(self.key(what), default)

    def fill(self, **given: Any) -> None:
        """Put values into fields that have not been drawn yet."""
        for what, value in given.items():
            st.session_state.setdefault(self.key(what), value)

    def buttons(self, label: str, person: Person, read: Callable[["Form"], Draft], *, risky: bool = False) -> None:
        """Draw what the form has to say, and its buttons; call it last, inside the form.

        Args:
            label: The verb on the button.
            person: Who sends it.
            read: Makes the draft from the fields; a `TradingOpsError` stays beside the form as its sentence.
            risky: Always ask before it is done.
        """
        trouble, asked = self.value("trouble"), self.value("asked", None)
        if trouble:
            st.error(trouble)
        if asked:
            st.warning("Look at this again before it is done:\n\n" + "\n".join(f"- {_plain(a)}" for a in asked[1]))
            st.form_submit_button(
                "Yes, it is right", on_click=_press, args=(self, person, read, risky, True), key=self.key("sure"),
                type="primary", width="stretch",
            )  # fmt: skip
        st.form_submit_button(
            "Check again" if asked else label, on_click=_press, args=(self, person, read, risky, False),
            key=self.key("again" if asked else "go"), type="secondary" if asked else "primary", width="stretch",
        )  # fmt: skip

    def said(self) -> None:
        """Say what the form's last sending did; draw it outside of the form."""
        _say(st.session_state.get(f"said:{self.name}"))


def all_said(prefix: str) -> None:
    """Say what the last sending of every form did whose name begins so: the forms themselves may be gone."""
    for key in [str(key) for key in st.session_state if str(key).startswith(f"said:{prefix}")]:
        _say(st.session_state[key])


def _say(done: str | None) -> None:
    if done:
        (st.warning if done.startswith("Nothing") else st.success)(_plain(done))


def _press(form: Form, person: Person, read: Callable[[Form], Draft], risky: bool, sure: bool) -> None:
    state = st.session_state
    sent = state.setdefault("forms_sent", set())
    if str(form.form_id) in sent:
        return  # a second click on a button that did its work
    for key in [str(key) for key in state if str(key).startswith(f"said:{form.name.partition(':')[0]}")]:
        del state[key]  # one thing at a time is said
    try:
        draft = read(form)
        asks = tuple(draft.asks) or (("Do this now?",) if risky else ())
        asked = form.value("asked", None)
        if asks and not (sure and asked and asked[0] == draft.digest):
            state[form.key("asked")], state[form.key("trouble")] = (draft.digest, asks), ""
            return
        with reading(person) as conn:
            before = audit.head(conn).seq
        said = write(person, lambda conn: _once(conn, form, draft, person))
    except TradingOpsError as exc:
        state[form.key("trouble")], state[form.key("asked")] = str(exc), None
        return
    _follow(person, before)
    sent.add(str(form.form_id))
    state[f"form:{form.name}"] = str(uuid.uuid4())
    state[f"said:{form.name}"] = f"{said} ({words.when(dt.datetime.now(dt.UTC))})"


def _follow(person: Person, before: int) -> None:
    """The files that people read say what was just done; it stands whatever becomes of them."""
    try:
        with reading(person) as conn:
            executing.follow(conn, Settings.from_env(), before)
    except TradingOpsError as exc:
        logging.getLogger(__name__).warning("files of tickets were not written: %s", exc)


def _once(conn: psycopg.Connection[Any], form: Form, draft: Draft, person: Person) -> str:
    kind = form.name.partition(":")[0]
    sent = submissions.once(
        conn, form.form_id, kind, draft.subject, draft.content, person.username, lambda: {"said": draft.work(conn)}
    )
    return str(sent.result["said"])


def _plain(text: str) -> str:
    """A sentence inside Markdown, none of its signs taken for markup."""
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>~|&#$:" else sign for sign in text)
