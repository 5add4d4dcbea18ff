"""The form that calls a ticket back."""

import streamlit as st

from streamlit_app.components.sending import Draft, Form
from streamlit_app.person import Person
from trading_ops.desk import switching, ticket_history
from trading_ops.desk.answering import TicketState
from trading_ops.domain.errors import BadInput


def withdraw(person: Person, state: TicketState) -> None:
    """Ask for the reason, ask once more, and withdraw."""
    form = Form.open(f"withdraw:{state.ticket.ticket_id}")
    with st.form(form.key("form"), enter_to_submit=False):
        st.text_input("Why (the executor reads it)", key=form.key("why"), max_chars=switching.LONGEST_REASON)
        form.buttons("Withdraw the ticket", person, lambda f: _draft(f, person, state))


def _draft(form: Form, person: Person, state: TicketState) -> Draft:
    why, ticket_id = str(form.value("why")), state.ticket.ticket_id
    if not why.strip():
        raise BadInput("The reason is missing. Write why; the executor reads it.")
    lines = len(state.content.lines)
    ask = (
        f"{len(state.answered)} of {lines} lines are answered; for the others nothing more may be done. A withdrawal "
        "cannot be taken back."
    )
    return Draft(
        ticket_id,
        {"ticket": ticket_id, "why": why},
        lambda conn: ticket_history.withdraw(conn, ticket_id, why, person.username),
        (ask,),
    )
