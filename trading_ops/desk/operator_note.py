"""What an executor saw that the desk cannot take into its books: told to the operator as an incident.

Does not belong here: incidents that a rule raises by itself (`store.answers`, `store.name_checks`).
"""

import uuid
from collections.abc import Mapping
from typing import Any

import psycopg

from trading_ops.store import desk

SHOWN = 60
"""Characters of a typed name that a title shows."""


def unknown_name(
    conn: psycopg.Connection[Any], name: str, where: str, details: Mapping[str, object], *, key: str,
    blocking: bool = False,
) -> uuid.UUID:  # fmt: skip
    """Tell the operator of a name that the desk does not know, once for a key.

    Args:
        conn: A connection inside a transaction.
        name: As the person typed it, or the statement says it.
        where: Where it was seen: `in the account check`.
        details: What else is known; JSON values only.
        key: The same key again adds nothing.
        blocking: Whether plans wait until the operator has looked: money moved that the ledger does not have.
    """
    shown = " ".join(name.split())[:SHOWN]
    said = {"name": name, "where": where, **details}
    return desk.open_incident(
        conn, "UNKNOWN_NAME", f"{shown}: seen {where}, unknown to the desk", said, blocking=blocking, key=key
    )


def booked_by_hand(conn: psycopg.Connection[Any], name: str, details: Mapping[str, object], *, key: str) -> uuid.UUID:
    """Tell the operator of a trade that was made and cannot be booked as a stock; plans wait until it is settled."""
    shown = " ".join(name.split())[:SHOWN]
    title = f"{shown}: a trade was made that the ledger does not have"
    return desk.open_incident(conn, "UNBOOKED_TRADE", title, details, blocking=True, key=key)
