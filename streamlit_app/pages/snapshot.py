"""Account check: cash and holdings as the eToro screen shows them, or the statement file. Either user may do it."""

import datetime as dt

import streamlit as st

from streamlit_app.components import check_parts, draft, fields, statement_file, style
from streamlit_app.components.check_saving import save_check
from streamlit_app.components.fields import Body
from streamlit_app.database import reading
from streamlit_app.person import Person
from trading_ops.desk import paper_account
from trading_ops.desk.account_check import Against, against
from trading_ops.desk.check_form import CheckReading, looked_at, read_check
from trading_ops.domain.calendar import LONDON
from trading_ops.domain.errors import Refused
from trading_ops.domain.ticket_words import pounds
from trading_ops.domain.values import fixed, plain

PAGE, SUBJECT = "snapshot", "check"
HOW = {"type": "I type it in", "file": "I have the statement file"}


def show(person: Person) -> None:
    """Draw the page."""
    style.style()
    st.title("Account check")
    now = dt.datetime.now(dt.UTC)
    body = draft.opened(person, PAGE, SUBJECT, {"step": "form"})
    check_parts.begin_again(body, now)
    said = body.pop("said", None)
    if said:
        style.block(*said)

    def keep() -> None:
        check_parts.began(body, dt.datetime.now(dt.UTC))
        draft.save(person, PAGE, SUBJECT)

    if body.get("step") == "saved":
        _saved(body, keep)
        return
    at = check_parts.moment(body, now)
    with reading(person) as conn:
        known = against(conn, looked_at(body, at, now) or at)
    found = read_check(body, known, at, now)
    if body.get("step") == "check" and found.complete:
        _check(person, body, found, known, keep)
    else:
        _form(person, body, found, known, now, keep)


def _form(person: Person, body: Body, found: CheckReading, known: Against, now: dt.datetime, keep: fields.Keep) -> None:
    count = len(found.holdings)
    names = "no holdings" if not count else "1 holding" if count == 1 else f"{count} holdings"
    style.big(f"2 minutes: cash and {names}")
    _paper(person, now)
    if fields.choice("How would you like to do it?", HOW, body, "how", key=PAGE, keep=keep, first="type") == "file":
        statement_file.show(person)
        return
    check_parts.resumed(body, now, keep)
    check_parts.typed_form(body, found, known, now.astimezone(LONDON).date(), keep)
    if body.get("step") == "check":
        check_parts.still_to_type(found)

    def on() -> None:
        check_parts.fix_moment(body, known)
        keep()

    fields.button("Check your answers", on, key="snapshot:check", main=True)


def _paper(person: Person, now: dt.datetime) -> None:
    """A paper book has no account on eToro: what its broker would show is read here instead."""
    with reading(person) as conn:
        try:
            shown = paper_account.seen(conn, now) if paper_account.is_kept(conn) else None
        except Refused as exc:
            style.note(str(exc))
            return
    if shown is None:
        return
    style.note("Practice: this is what the paper account shows now. Type it in below, as you would from eToro.")
    held = [f"{symbol}: {plain(units)}" for symbol, units in shown.units.items()]
    style.listed([f"Available cash: {pounds(fixed(shown.cash_gbp, 2))}", *held])


def _check(person: Person, body: Body, found: CheckReading, known: Against, keep: fields.Keep) -> None:
    style.big("Check your answers")
    check_parts.summary(found, known)
    if body.get("told"):
        style.block("stop", "Not saved yet.", str(body["told"]))
    looked = check_parts.looked_through(body, found, keep)

    def back() -> None:
        body["step"] = "form"
        keep()

    if looked:
        fields.button(
            "All correct: save", save_check, person, PAGE, SUBJECT, body, found, key="snapshot:save", main=True
        )
    else:
        style.note("Tick the box above when you have looked again.")
    fields.button("Back, I want to change something", back, key="snapshot:back")


def _saved(body: Body, keep: fields.Keep) -> None:
    style.block("calm", "Saved. Thank you.", str(body.get("means") or ""))

    def again() -> None:
        body.clear()
        body["step"] = "form"
        keep()

    fields.button("Do another account check", again, key="snapshot:again")
