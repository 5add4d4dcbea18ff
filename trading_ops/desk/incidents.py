"""What a person does about an incident: find it by its number, take it on, close it; each with a note.

Does not belong here: opening one (`watch`, and the rules that do), the words of its class (`domain.incidents`).
"""

from typing import Any

import psycopg

from trading_ops.desk.switching import require_words
from trading_ops.domain.errors import BadInput, Refused
from trading_ops.store import incidents
from trading_ops.store.incidents import Incident


def find(conn: psycopg.Connection[Any], name: str) -> Incident:
    """An incident by its number or the beginning of it.

    Raises:
        BadInput: Nothing was given.
        Refused: No incident has this number, or several begin so.
    """
    if not name.strip():
        raise BadInput("Give the number of an incident, or its beginning. `trading-ops incident list` shows them.")
    found = incidents.named(conn, name.strip())
    if not found:
        raise Refused(f"There is no incident {name}. `trading-ops incident list --all` shows every one.")
    if len(found) > 1:
        raise Refused(f"{len(found)} incidents begin with {name}. Give more of the number.")
    return found[0]


def acknowledge(conn: psycopg.Connection[Any], incident_id: str, note: str, username: str) -> str:
    """Take an incident on: it stays open and blocks what it blocks, but is told of no more; returns a sentence.

    Args:
        conn: A connection inside a transaction.
        incident_id: Its number.
        note: What is going to be done.
        username: Who does it.

    Raises:
        BadInput: The note is missing or too long.
        Refused: There is no such incident, it is closed, or somebody has taken it on.
    """
    require_words(note, "note", "Write what you are going to do about it, in a few words.")
    incidents.one_at_a_time(conn)
    found = find(conn, incident_id)
    if found.closed_by:
        raise Refused(f"“{found.title}” was closed already by {found.closed_by}. Nothing was changed.")
    if found.acknowledged_by:
        raise Refused(f"{found.acknowledged_by} has acknowledged “{found.title}” already. Nothing was changed.")
    incidents.acknowledge(conn, found.number, note.strip(), username)
    return f"Acknowledged by {username}: {found.title}. It stays open until it is closed."
