"""The forms of the home page: kill switch, holiday, incidents. Each asks once more before it acts."""

import datetime as dt

import streamlit as st

from streamlit_app.components import clock
from streamlit_app.components.sending import Draft, Form
from streamlit_app.database import reading
from streamlit_app.person import Person
from trading_ops.desk import incidents, switching
from trading_ops.desk.standing import Incident
from trading_ops.domain import calendar
from trading_ops.domain.errors import BadInput
from trading_ops.domain.incidents import CLASSES
from trading_ops.domain.kill_switch import KillSwitchEvent
from trading_ops.domain.ticket_words import long_day
from trading_ops.store import configuration

KILL, HOLIDAY, END, ACK = "kill_switch", "holiday", "end_pause:", "acknowledge:"


def kill_switch(person: Person, now: dt.datetime) -> None:
    """Set the state from a session on, with a reason."""
    form = Form.open(KILL)
    form.fill(day=calendar.last_closed(now))
    with st.form(form.key("form"), enter_to_submit=False):
        st.radio(
            "New state", switching.STATES, index=None, key=form.key("state"),
            format_func=lambda state: f"{state}: {switching.MEANING[state]}",
        )  # fmt: skip
        st.date_input("From the session of", key=form.key("day"), format="DD/MM/YYYY")
        st.text_input("Why", key=form.key("why"), max_chars=switching.LONGEST_REASON)
        form.buttons("Set the kill switch", person, lambda f: _kill(f, person))


def _kill(form: Form, person: Person) -> Draft:
    state, why = form.value("state", None), str(form.value("why"))
    if state is None:
        raise BadInput("Choose ACTIVE, REDUCING or HALTED.")
    session = _day(form.value("day", None), "From the session of")
    switching.check_state(state, session, why)
    asks = [f"{state} from {long_day(session)} on: {switching.MEANING[state]}."]
    if not calendar.is_session(session):
        asks.append(f"New York does not trade on {long_day(session)}; it holds from the session after it.")
    with reading(person) as conn:
        asks += switching.pauses_over(conn, session)
    return Draft(
        state,
        {"state": state, "session": session.isoformat(), "why": why},
        lambda conn: switching.set_state(conn, state, session, why, person.username),
        asks,
    )


def holiday(person: Person, now: dt.datetime) -> None:
    """Pause from one day to another, both included."""
    form = Form.open(HOLIDAY)
    today = now.astimezone(calendar.LONDON).date()
    form.fill(first=today, last=today + dt.timedelta(days=7))
    st.markdown(
        "Days on which nobody can trade, both included. A pause raises no alarm and ends by itself; no state that is "
        "set meanwhile ends it."
    )
    with st.form(form.key("form"), enter_to_submit=False):
        first, last = st.columns(2)
        first.date_input("First day away", key=form.key("first"), format="DD/MM/YYYY")
        last.date_input("Last day away", key=form.key("last"), format="DD/MM/YYYY")
        st.text_input("Why", key=form.key("why"), max_chars=switching.LONGEST_REASON)
        form.buttons("Pause the desk", person, lambda f: _holiday(f, person))


def _holiday(form: Form, person: Person) -> Draft:
    first, last = _day(form.value("first", None), "First day away"), _day(form.value("last", None), "Last day away")
    why = str(form.value("why"))
    switching.require_reason(why)
    with reading(person) as conn:
        now = clock.book_now(conn)
        made = switching.pause_of(first, last, configuration.policy_in_force(conn).policy, now)
    return Draft(
        f"{first} to {last}",
        {"first": first.isoformat(), "last": last.isoformat(), "why": why},
        lambda conn: switching.pause(conn, first, last, why, person.username, now),
        [f"A pause: {switching.pause_words(made)}"],
    )


def end_pause(person: Person, pause: KillSwitchEvent) -> None:
    """End one pause before its last day, with a reason."""
    form = Form.open(f"{END}{pause.session}")
    with st.form(form.key("form"), enter_to_submit=False):
        st.text_input("Why does it end", key=form.key("why"), max_chars=switching.LONGEST_REASON)
        form.buttons("End this pause", person, lambda f: _end(f, person, pause))


def _end(form: Form, person: Person, pause: KillSwitchEvent) -> Draft:
    why = str(form.value("why"))
    switching.require_reason(why)
    return Draft(
        pause.session.isoformat(),
        {"first": pause.session.isoformat(), "why": why},
        lambda conn: switching.end_pause(conn, pause.session, why, person.username),
        [f"{switching.sessions_words(pause).capitalize()} ends, and the next plan may trade as the state allows."],
    )


def acknowledge_incident(person: Person, incident: Incident) -> None:
    """Take one incident on; it stays open."""
    form = Form.open(f"{ACK}{incident.incident_id}")
    with st.form(form.key("form"), enter_to_submit=False):
        st.text_area("What I am going to do", key=form.key("note"), max_chars=switching.LONGEST_REASON)
        form.buttons("Acknowledge the incident", person, lambda f: _acknowledge(f, person, incident))


def _acknowledge(form: Form, person: Person, incident: Incident) -> Draft:
    note = str(form.value("note"))
    if not note.strip():
        raise BadInput("Write what you are going to do about it, in a few words.")
    return Draft(
        incident.incident_id,
        {"note": note},
        lambda conn: incidents.acknowledge(conn, incident.incident_id, note, person.username),
        [],
    )


def close_incident(person: Person, incident: Incident) -> None:
    """Close one incident; what was done is written down."""
    form = Form.open(_name_of(incident))
    with st.form(form.key("form"), enter_to_submit=False):
        known = CLASSES.get(incident.kind)
        st.text_area(
            "What was done about it", key=form.key("note"), max_chars=switching.LONGEST_REASON,
            placeholder=f"Write down {known.note}." if known else None,
        )  # fmt: skip
        form.buttons("Close the incident", person, lambda f: _close(f, person, incident))


def _close(form: Form, person: Person, incident: Incident) -> Draft:
    note = str(form.value("note"))
    if not note.strip():
        raise BadInput("Write what was done about it, in a few words.")
    asks = ["It blocks every plan until it is closed. Is its cause gone?"] if incident.blocking else []

    return Draft(
        incident.incident_id,
        {"note": note},
        lambda conn: switching.close_incident(conn, incident.incident_id, note, person.username),
        asks,
    )


def _name_of(incident: Incident) -> str:
    return f"incident:{incident.incident_id}"


def _day(value: object, field: str) -> dt.date:
    if not isinstance(value, dt.date):
        raise BadInput(f"{field}: choose a day.")
    return value
