"""Sending a trade made off the ticket: the act behind the button, once, and what the person is told."""

import datetime as dt
import uuid
from typing import Any

import psycopg

from streamlit_app.components import draft
from streamlit_app.components.fields import Body
from streamlit_app.database import write
from streamlit_app.person import Person
from trading_ops.desk import operator_note
from trading_ops.desk.answering import record_off_ticket
from trading_ops.desk.off_ticket import TradeReading
from trading_ops.domain.errors import TradingOpsError
from trading_ops.store import submissions

BOOKED = "It is in the desk's books. Nothing more to do; the next ticket takes it into account."
TOLD = "The operator is told, and decides what becomes of it. Until then there is no new ticket to carry out."
KEPT = ("side", "name", "price", "units", "value", "fee", "day", "time", "position_id", "why")


def save_trade(person: Person, page: str, subject: str, body: Body, found: TradeReading) -> None:
    """Store the trade as shown; what cannot be stored is said, and everything typed stays."""
    if body.get("step") != "check" or not body.get("id"):
        return
    key, now = uuid.UUID(body["id"]), dt.datetime.now(dt.UTC)
    trade = found.trade
    try:
        if found.note_only:
            write(person, lambda conn: _note(conn, key, body, person.username))
        elif trade is not None:
            write(person, lambda conn: record_off_ticket(conn, key, trade, person.username, now))
        else:
            return
    except TradingOpsError as exc:
        body["said"] = ("stop", "Nothing was saved.", f"{exc} What you typed is kept.")
        return
    means = TOLD if found.note_only else BOOKED
    draft.replace(person, page, subject, {"step": "saved", "means": means})


def _note(conn: psycopg.Connection[Any], key: uuid.UUID, body: Body, username: str) -> submissions.Sent:
    said: dict[str, object] = {name: str(body.get(name) or "") for name in KEPT}
    said["cfd"] = bool(body.get("cfd"))
    name = str(body.get("name") or "")

    def work() -> dict[str, object]:
        told = operator_note.booked_by_hand(conn, name, said | {"entered_by": username}, key=str(key))
        return {"incident_id": str(told)}

    return submissions.once(conn, key, "off_ticket_note", name, said, username, work)
