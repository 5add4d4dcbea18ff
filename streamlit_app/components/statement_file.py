"""The account statement as one chosen file: read whole or refused by name, and what came of it.

How it is read and stored is `trading_ops.desk.statement_import`.
"""

import datetime as dt

import streamlit as st

from streamlit_app.components import fields, style
from streamlit_app.database import write
from streamlit_app.person import Person
from trading_ops.desk import statement_import
from trading_ops.domain.errors import TradingOpsError

FILE, SAID = "statement:file", "statement:said"


def show(person: Person) -> None:
    """Draw the field, its button, and what became of the last file."""
    style.listed(
        (
            "On the eToro site, in English: Settings, Account, Account Statement.",
            "Choose the last three months, then the XLSX sign.",
            "Choose that file here, unchanged.",
        )
    )
    st.file_uploader("Account statement (XLSX)", key=FILE)
    if st.session_state.get(FILE) is not None:
        fields.button("Read this file", _read, person, key="statement:read", main=True)
    said = st.session_state.get(SAID)
    if said:
        style.block(said[0], said[1])
        style.listed(said[2])


def _read(person: Person) -> None:
    chosen = st.session_state.get(FILE)
    if chosen is None:
        return
    now = dt.datetime.now(dt.UTC)
    try:
        parsed = statement_import.read(chosen.getvalue(), chosen.name)
        done = write(person, lambda conn: statement_import.add(conn, parsed, person.username, now))
    except TradingOpsError as exc:
        st.session_state[SAID] = ("stop", "Nothing of this file was kept.", (str(exc),))
        return
    st.session_state[SAID] = ("calm", done.headline, done.sentences)
