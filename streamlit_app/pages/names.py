"""Check names: a few names a week are searched on eToro, one at a time, so that only real stocks are bought."""

import datetime as dt
import uuid

import streamlit as st

from streamlit_app.components import draft, fields, style
from streamlit_app.components.fields import Body
from streamlit_app.database import reading, write
from streamlit_app.person import Person
from trading_ops.desk import names
from trading_ops.desk.names import LOOKALIKE_ENDINGS, MEANS, ToCheck
from trading_ops.domain.errors import TradingOpsError
from trading_ops.domain.ticket_words import london_day, long_day
from trading_ops.store.name_checks import LOOKALIKES_MAX

PAGE, SUBJECT = "names", "week"
WORDS = {"found": "Found as Stocks", "cfd": "Only as CFD", "missing": "Not found"}
SURE = {"cfd": "Yes, only as CFD", "missing": "Yes, it is not there"}
SAVED_AT = "names:saved-at"
TOO_QUICK = dt.timedelta(seconds=2)
"""Sooner after an answer, a press was meant for the name before."""


def show(person: Person) -> None:
    """Draw the page."""
    style.style()
    st.title("Check names")
    now = dt.datetime.now(dt.UTC)
    body = draft.opened(person, PAGE, SUBJECT, {})
    with reading(person) as conn:
        week = names.progress(conn, now)
        again = names.looked_up_name(conn, str(body["again"]), now) if body.get("again") else None
    _last(person, body)
    wanted = again or (week.left[0] if week.left else None)
    if wanted is None:
        style.block("calm", "All done for this week.", "Nothing more to do. A few more names come next week.")
        return
    if again is None:
        style.note(f"Name {week.done + 1} of {week.total} this week")
    _one(person, body, wanted, now)


def _last(person: Person, body: Body) -> None:
    """What was saved last, with the way to answer it again."""
    said = body.pop("said", None)
    if said:
        style.block("stop", "Nothing was saved.", said)
    last = body.get("last")
    if not last or body.get("again"):
        return
    style.block("calm", f"Saved. {last['symbol']}: {MEANS[last['outcome']]}")

    def answer_again() -> None:
        body.update(again=last["symbol"], sure=None, lookalikes="", id=None)
        draft.save(person, PAGE, SUBJECT)

    fields.button(f"That was wrong: answer {last['symbol']} again", answer_again, key="names:again")


def _one(person: Person, body: Body, wanted: ToCheck, now: dt.datetime) -> None:
    name = wanted.instrument
    if body.get("symbol") != name.symbol or not body.get("id"):
        kept = body.get("lookalikes", "") if body.get("symbol") == name.symbol else ""
        body.update(symbol=name.symbol, lookalikes=kept, sure=None, id=str(uuid.uuid4()))
    style.big(f"Search eToro for exactly {name.etoro_search_name}")
    style.note(f"{name.notes or name.symbol}{', which you hold' if wanted.held else ''}. What does eToro show?")
    if body.get("sure"):
        _second_look(person, body, wanted, now)
        return

    def keep() -> None:
        draft.save(person, PAGE, SUBJECT)

    for outcome, words in WORDS.items():
        key = f"names:{body['id']}:{outcome}"
        if outcome == "found":
            fields.button(words, _save, person, body, outcome, london_day(now), key=key, main=True)
        else:
            fields.button(words, _ask, person, body, outcome, key=key)
    hints = ", ".join(f"{name.etoro_search_name}{ending}" for ending in LOOKALIKE_ENDINGS)
    fields.note_field(
        "Similar names that eToro shows beside it, if any", body, "lookalikes", key=f"names:{body['id']}", keep=keep,
        hint=f"for example {hints}",
    )  # fmt: skip
    style.note("Found as Stocks means: it may be bought. A CFD or a missing name is never bought.")
    if wanted.last is not None:
        style.note(f"Last time, on {long_day(wanted.last.day)}: {MEANS[wanted.last.outcome].split('.')[0]}.")


def _second_look(person: Person, body: Body, wanted: ToCheck, now: dt.datetime) -> None:
    """Before a name is switched off."""
    outcome, search = str(body["sure"]), wanted.instrument.etoro_search_name
    look = (
        f"Open {search} and look whether the screen says Stocks at Leverage x1. Does it really offer a CFD only?"
        if outcome == "cfd"
        else f"Type {search} once more, letter by letter, and look at the whole list. Is it really not there?"
    )
    style.ask(f"{look} If so, the name is switched off and the operator is told.")
    day = london_day(now)
    fields.button(SURE[outcome], _save, person, body, outcome, day, key=f"names:{body['id']}:sure", main=True)
    fields.button("No, go back", _ask, person, body, None, key=f"names:{body['id']}:back")


def _ask(person: Person, body: Body, outcome: str | None) -> None:
    body["sure"] = outcome
    draft.save(person, PAGE, SUBJECT)


def _save(person: Person, body: Body, outcome: str, day: dt.date) -> None:
    symbol, key, seen = str(body["symbol"]), uuid.UUID(body["id"]), str(body.get("lookalikes") or "")[:LOOKALIKES_MAX]
    at = dt.datetime.now(dt.UTC)
    if at - st.session_state.get(SAVED_AT, dt.datetime.min.replace(tzinfo=dt.UTC)) < TOO_QUICK:
        return  # the second press of a double press: nobody has searched the next name yet
    try:
        write(person, lambda conn: names.record(conn, key, symbol, outcome, seen, day, person.username))
    except TradingOpsError as exc:
        body["said"] = str(exc)
        return
    st.session_state[SAVED_AT] = at
    draft.replace(person, PAGE, SUBJECT, {"last": {"symbol": symbol, "outcome": outcome}})
