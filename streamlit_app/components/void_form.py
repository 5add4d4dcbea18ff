"""Taking an entry of the ledger out of force: the reason, one look at what it takes away, and a reversing entry."""

from collections.abc import Sequence

import streamlit as st

from streamlit_app.components import words
from streamlit_app.components.sending import Draft, Form
from streamlit_app.person import Person
from trading_ops.desk import recording, voiding
from trading_ops.desk.entries import FillEntry

FILL_SAID = "void_fill:"
"""What the forms for fills say stands under names that begin so."""


def take_out(person: Person, name: str, table: str, entry_id: str, explained: str, asks: Sequence[str] = ()) -> None:
    """The form of one entry; draw it where the entry is still in force.

    Args:
        person: Who takes it out.
        name: The form's kind; what it did is said under it.
        table: `fill`, `movement` or `event`.
        entry_id: Which.
        explained: What happens, and what to do next.
        asks: What is shown again before it is done.
    """
    form = Form.open(f"{name}:{entry_id}")

    def read(form: Form) -> Draft:
        why = str(form.value("why"))
        recording.require_why(why)
        what: dict[str, object] = {"entry": entry_id, "why": why}
        return Draft(
            entry_id, what, lambda conn: voiding.void(conn, table, entry_id, why, person.username), tuple(asks)
        )

    with st.form(form.key("form"), enter_to_submit=False):
        st.markdown(explained)
        st.text_input("What is wrong with it", key=form.key("why"), max_chars=recording.LONGEST_WHY)
        form.buttons("Take it out of force", person, read, risky=True)


def wrong_fill(person: Person, listed: Sequence[FillEntry]) -> None:
    """Choose a fill that no ticket asked for and take it out of force; one of a ticket goes with its answer."""
    st.subheader("Correct a fill")
    st.markdown(
        "A fill of a ticket is corrected in its answer, on the ticket's page. "
        "Cash, dividends and events are corrected on the page Cash and events."
    )
    standing = {f.fill_id: f for f in listed if f.voided is None and f.ticket_id is None}
    if not standing:
        st.markdown("No fill of this page was made off the ticket.")
        return
    chosen = st.selectbox(
        "A fill off the ticket", list(standing), index=None, placeholder="Choose a fill of this page",
        key="ledger:which_fill", format_func=lambda i: _named(standing[i]),
    )  # fmt: skip
    if chosen is not None:
        named = _named(standing[chosen])
        explained = (
            "A wrong fill is not changed: a reversing entry takes it out of force, and both stay on record. "
            "If it did happen, but otherwise, enter it again afterwards under Other trade."
        )
        ask = f"{named}: the ledger will count as if it had never happened. Do this now?"
        take_out(person, FILL_SAID.rstrip(":"), "fill", chosen, explained, (ask,))


def _named(f: FillEntry) -> str:
    size = f"{words.units(f.units)} {f.symbol} at {words.usd(f.price_usd, 4)}, {words.gbp(f.value_gbp)}"
    return f"{words.when(f.filled_at)}, {f.side} {size}, by {f.recorded_by}"
