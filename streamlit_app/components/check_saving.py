"""Sending an account check: the act behind the button, and what the person is told.

It runs in the button's callback under a key that was made before the button was shown: three quick presses store once.
"""

import datetime as dt
import uuid

import streamlit as st

from streamlit_app.components import draft
from streamlit_app.components.fields import Body
from streamlit_app.database import reading, write
from streamlit_app.person import Person
from trading_ops.desk.account_check import CheckedMeanwhile, newest_check, record
from trading_ops.desk.check_form import CheckReading
from trading_ops.desk.reconciling import Light, reconciled
from trading_ops.domain.errors import TradingOpsError

AGREES = "It agrees with the desk's books. Nothing more to do."
DIFFERS = "Something differs from the desk's books. The operator looks at it; nothing for you to do."
OLDER = "A newer account check is there; this one is kept for its day. Nothing for you to do."
TOLD_AT = "snapshot:told-at"
READ_IT = dt.timedelta(seconds=2)
UNKNOWN = " The operator was told of the name that is new to the desk."


def save_check(person: Person, page: str, subject: str, body: Body, found: CheckReading) -> None:
    """Store the answers as shown; what cannot be stored is said, and everything typed stays."""
    sending, cash, taken_at = body.get("sending"), found.cash.value, found.taken_at
    if body.get("step") != "check" or not sending or cash is None or taken_at is None:
        return  # a second press: the first one saved it already
    now = dt.datetime.now(dt.UTC)
    if now - st.session_state.get(TOLD_AT, now - READ_IT) < READ_IT:
        return  # the rest of a double press: nobody has read yet what was told
    try:
        sent = write(person, lambda conn: record(
            conn, uuid.UUID(sending["id"]), taken_at=taken_at, cash_gbp=cash, holdings=found.snapshot(),
            username=person.username, now=now, unknown=found.unknown(), seen=sending["seen"],
        ))  # fmt: skip
    except CheckedMeanwhile as exc:
        with reading(person) as conn:
            body.update(sending={**sending, "id": str(uuid.uuid4()), "seen": newest_check(conn)}, told=str(exc))
        st.session_state[TOLD_AT] = now
        draft.save(person, page, subject)
        return
    except TradingOpsError as exc:
        body["said"] = ("stop", "Nothing was saved.", f"{exc} What you typed is kept.")
        return
    means = _means(person, str(sent.result["snapshot_id"]), found, now)
    draft.replace(person, page, subject, {"step": "saved", "at": now.isoformat(), "means": means})


def _means(person: Person, snapshot_id: str, found: CheckReading, now: dt.datetime) -> str:
    told = UNKNOWN if found.unknown() else ""
    if found.late:
        return "It is kept for its day. It cannot clear this week's check: for that, look at the account now." + told
    try:
        with reading(person) as conn:
            state = reconciled(conn, now)
    except TradingOpsError:
        return "The operator compares it with the desk's books; nothing for you to do." + told
    if state.snapshot is None or state.snapshot.snapshot_id != snapshot_id:
        return OLDER + told
    return (DIFFERS if state.light is Light.RED else AGREES) + told
