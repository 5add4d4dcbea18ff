"""Names that a person searched on eToro: found, only as a CFD, or missing.

What that means for a plan is said in `configuration.as_looked_up`.
"""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import psycopg

from trading_ops.domain.errors import BadInput, Refused, UnknownSymbol
from trading_ops.store import audit, desk

Outcome: TypeAlias = Literal["found", "cfd", "missing"]
OUTCOMES: tuple[Outcome, ...] = ("found", "cfd", "missing")
LOOKALIKES_MAX = 400


@dataclass(frozen=True)
class NameCheck:
    """The newest look-up of a name."""

    symbol: str
    outcome: Outcome
    lookalikes: str
    day: dt.date
    checked_by: str


def record(
    conn: psycopg.Connection[Any],
    check_id: uuid.UUID,
    symbol: str,
    outcome: str,
    lookalikes: str,
    day: dt.date,
    checked_by: str,
) -> bool:
    """Store a look-up; false when this very one is there. One that did not find the name opens an incident.

    Args:
        conn: A connection inside a transaction.
        check_id: Made by the caller before the button is shown.
        symbol: A name the desk knows.
        outcome: `found`, `cfd` or `missing`.
        lookalikes: Similar names that eToro showed, in the person's words.
        day: The day of the look-up.
        checked_by: The person.

    Raises:
        UnknownSymbol: The desk does not know the name.
        BadInput: The outcome is none, or the look-alikes are too long.
        Refused: Another look-up is there under this id.
    """
    if outcome not in OUTCOMES:
        raise BadInput(f"names: {outcome!r} is not one of {', '.join(OUTCOMES)}.")
    if len(lookalikes) > LOOKALIKES_MAX:
        raise BadInput(f"names: the look-alikes of {symbol} are {len(lookalikes)} characters; use {LOOKALIKES_MAX}.")
    if not conn.execute("SELECT 1 FROM ops.instruments WHERE symbol = %s", (symbol,)).fetchone():
        raise UnknownSymbol(symbol, "names")
    # Two clicks at once: the second waits here, and then finds what the first stored.
    conn.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 7302))", (str(check_id),))
    there = conn.execute(
        "SELECT symbol, outcome, lookalikes, day FROM ops.name_checks WHERE check_id = %s", (check_id,)
    ).fetchone()
    if there:
        if tuple(there.values()) != (symbol, outcome, lookalikes, day):
            raise Refused(f"names: this look-up was stored already as {there['symbol']} {there['outcome']}.")
        return False
    said = {"outcome": outcome, "lookalikes": lookalikes, "day": day.isoformat(), "checked_by": checked_by}
    seq = audit.append(conn, "universe.checked", symbol, said)
    conn.execute(
        "INSERT INTO ops.name_checks (check_id, symbol, outcome, lookalikes, day, checked_by, audit_seq) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (check_id, symbol, outcome, lookalikes, day, checked_by, seq),
    )
    if outcome != "found":
        desk.untradable(conn, symbol, outcome.upper(), f"looked up on {day} by {checked_by}", key=str(check_id))
    return True


def found_of_names(conn: psycopg.Connection[Any], facts_seq: int) -> tuple[tuple[str, str, str], ...]:
    """What was found of names up to a watermark, oldest first, each as what, name and day.

    Look-ups by their outcome, and names that a line of a ticket could not find: `off`, or `off, corrected` when that
    answer was corrected up to the watermark.
    """
    rows = conn.execute(
        "SELECT what, symbol, day FROM ("
        "SELECT outcome AS what, symbol, day, audit_seq FROM ops.name_checks UNION ALL "
        "SELECT CASE WHEN EXISTS (SELECT 1 FROM ops.confirmations c WHERE c.corrects = d.confirmation_id "
        "AND c.audit_seq <= %(seq)s) THEN 'off, corrected' ELSE 'off' END, symbol, from_day, audit_seq "
        "FROM ops.universe_disablements d) found WHERE audit_seq <= %(seq)s ORDER BY audit_seq",
        {"seq": facts_seq},
    )
    return tuple((r["what"], r["symbol"], r["day"].isoformat()) for r in rows)


def newest(conn: psycopg.Connection[Any]) -> dict[str, NameCheck]:
    """The newest look-up of each name that was ever looked up."""
    rows = conn.execute(
        "SELECT DISTINCT ON (symbol) symbol, outcome, lookalikes, day, checked_by FROM ops.name_checks "
        "ORDER BY symbol, audit_seq DESC"
    )
    return {r["symbol"]: NameCheck(**r) for r in rows}
