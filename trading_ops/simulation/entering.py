"""Answers as the made-up executor enters them, and what is booked off the ticket.

Does not belong here: what is entered (`executor`, `planting_answers`).
"""

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

import psycopg

from trading_ops.desk import answering
from trading_ops.desk.answering import OffTicket
from trading_ops.domain.answer import Answer
from trading_ops.simulation.people import PERSON
from trading_ops.simulation.planting_answers import Execution
from trading_ops.store import answers


def enter(
    conn: psycopg.Connection[Any], done: Execution, given: Mapping[int, Answer], *, correct: bool = False
) -> None:
    """Enter answers, and off the ticket what is booked a second time."""
    with conn.transaction():
        answers.record_answers(
            conn, done.ticket.plan_id, list(given.values()), answered_by=PERSON, where="the form", correct=correct,
            rate_of=done.account.truth.usd_per_gbp,
        )  # fmt: skip
        for line, part in done.booked_twice.items():
            trade = OffTicket(
                done.line(line).symbol, done.line(line).side, part.price_usd, part.executed_at, part.units,
                part.value_gbp, None, None, "seen on the screen",
            )  # fmt: skip
            key = uuid.uuid5(uuid.NAMESPACE_URL, f"simulation:twice:{done.ticket.plan_id}:{line}")
            now = part.executed_at + dt.timedelta(hours=1)
            answering.record_off_ticket(conn, key, trade, PERSON, now)
