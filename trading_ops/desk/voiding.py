"""Taking a wrong entry of the ledger out of force, by one that names it and says why; both stay on record.

Does not belong here: entering the right one (`recording`, `answering`), the reversing entry itself (`store.ledger`).
"""

from typing import Any

import psycopg

from trading_ops.desk.recording import require_why
from trading_ops.domain.errors import Refused
from trading_ops.store import ledger


def void(conn: psycopg.Connection[Any], table: str, entry_id: str, why: str, username: str) -> str:
    """Take a `fill`, `movement` or `event` out of force by an entry that names it; returns a sentence.

    Raises:
        BadInput: The reason is missing or too long.
        Refused: It is void already, or is a ticket's fill, which goes out of force with its answer.
        LedgerError: The facts would not add up without it.
    """
    require_why(why)
    if table == "fill":
        _require_off_ticket(conn, entry_id)
        ledger.void(conn, fill_id=entry_id, why=why.strip(), recorded_by=username)
    elif table == "event":
        ledger.void(conn, event_id=entry_id, why=why.strip(), recorded_by=username)
    else:
        ledger.void(conn, movement_id=entry_id, why=why.strip(), recorded_by=username)
    ledger.require_possible(conn)
    return "Taken out of force; the entry stays on record with the reason."


def _require_off_ticket(conn: psycopg.Connection[Any], fill_id: str) -> None:
    row = conn.execute(
        "SELECT t.ticket_id, f.line FROM ops.ledger_trades_fills f JOIN ops.tickets t USING (plan_id) "
        "WHERE f.fill_id = %s",
        (fill_id,),
    ).fetchone()
    if row:
        raise Refused(
            f"This fill is line {row['line']} of ticket {row['ticket_id']}. Correct the line's answer on the ticket's "
            "page: that takes the fill out of force, and books the right one."
        )
