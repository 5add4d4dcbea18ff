"""The desk itself: which book it is, the kill switch, incidents, freezes and what people accepted."""

import datetime as dt
import json
import uuid
from collections.abc import Mapping
from typing import Any

import psycopg

from trading_ops.domain.errors import Refused
from trading_ops.domain.kill_switch import KillSwitchEvent
from trading_ops.domain.suspects import Suspect
from trading_ops.store import audit


def create_book(conn: psycopg.Connection[Any], book: str) -> None:
    """Fix the one book of this home.

    Raises:
        Refused: The home already holds a book.
    """
    held = conn.execute("SELECT book FROM ops.books").fetchone()
    if held:
        raise Refused(
            f"This home already holds a {held['book']} book; a home holds one book for ever. "
            "Use another TRADING_OPS_HOME for another book."
        )
    seq = audit.append(conn, "book.created", book, {"book": book})
    conn.execute("INSERT INTO ops.books (book, audit_seq) VALUES (%s, %s)", (book, seq))


def book(conn: psycopg.Connection[Any]) -> str:
    """The home's book.

    Raises:
        Refused: `init` has not fixed one yet.
    """
    held = conn.execute("SELECT book FROM ops.books").fetchone()
    if not held:
        raise Refused("This home has no book yet. Run `trading-ops init --book sim|paper|live`.")
    return str(held["book"])


def kill_switch_events(conn: psycopg.Connection[Any], facts_seq: int) -> tuple[KillSwitchEvent, ...]:
    """Changes of the kill switch announced up to a watermark, oldest first."""
    rows = conn.execute(
        "SELECT state, session, until, reason, set_by FROM ops.kill_switch_events WHERE audit_seq <= %s "
        "ORDER BY audit_seq",
        (facts_seq,),
    )
    return tuple(KillSwitchEvent(**r) for r in rows)


def set_kill_switch(
    conn: psycopg.Connection[Any],
    state: str,
    session: dt.date,
    reason: str,
    set_by: str,
    until: dt.date | None = None,
) -> None:
    """Change the kill switch from a session on."""
    payload = {
        "state": state,
        "session": session.isoformat(),
        "until": until.isoformat() if until else None,
        "reason": reason,
        "set_by": set_by,
    }
    seq = audit.append(conn, "desk.kill_switch", state, payload)
    conn.execute(
        "INSERT INTO ops.kill_switch_events (audit_seq, state, session, until, reason, set_by) "
        "VALUES (%s, %s, %s, %s, %s, %s)",
        (seq, state, session, until, reason, set_by),
    )


def open_incident(
    conn: psycopg.Connection[Any], kind: str, title: str, details: Mapping[str, object], *, blocking: bool, key: str
) -> uuid.UUID:
    """Open an incident once for a key; the same key again returns the one that is there."""
    incident_id = incident_id_of(kind, key)
    if conn.execute("SELECT 1 FROM ops.incidents WHERE incident_id = %s", (incident_id,)).fetchone():
        return incident_id
    payload = {"class": kind, "title": title, "blocking": blocking, "details": dict(details)}
    seq = audit.append(conn, "desk.incident", str(incident_id), payload)
    conn.execute(
        "INSERT INTO ops.incidents (incident_id, class, blocking, title, details, audit_seq) "
        "VALUES (%s, %s, %s, %s, %s, %s)",
        (incident_id, kind, blocking, title, json.dumps(details), seq),
    )
    return incident_id


def incident_id_of(kind: str, key: str) -> uuid.UUID:
    """The number that an incident of a class has for its key."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"incident:{kind}:{key}")


def untradable(conn: psycopg.Connection[Any], symbol: str, reason: str, why: str, *, key: str) -> uuid.UUID:
    """Open the incident of a name that cannot be bought on eToro as a stock; the name is switched off already."""
    said = "is offered only as a CFD" if reason == "CFD" else "was not found"
    details = {"symbol": symbol, "reason": reason, "why": why}
    return open_incident(conn, "UNTRADABLE_SYMBOL", f"{symbol} {said} on eToro", details, blocking=False, key=key)


def close_incident(conn: psycopg.Connection[Any], incident_id: uuid.UUID, resolution: str, closed_by: str) -> None:
    """Close an incident with what was done about it."""
    seq = audit.append(
        conn, "desk.incident_closed", str(incident_id), {"resolution": resolution, "closed_by": closed_by}
    )
    conn.execute(
        "INSERT INTO ops.incident_closures (incident_id, closed_by, resolution, audit_seq) VALUES (%s, %s, %s, %s)",
        (incident_id, closed_by, resolution, seq),
    )


def open_blocking_incidents(conn: psycopg.Connection[Any], facts_seq: int) -> tuple[str, ...]:
    """Titles of blocking incidents open at a watermark, sorted."""
    rows = conn.execute(
        "SELECT i.title FROM ops.incidents i LEFT JOIN ops.incident_closures c "
        "ON c.incident_id = i.incident_id AND c.audit_seq <= %(seq)s "
        "WHERE i.blocking AND i.audit_seq <= %(seq)s AND c.incident_id IS NULL ORDER BY i.title",
        {"seq": facts_seq},
    )
    return tuple(r["title"] for r in rows)


def accept_bar(conn: psycopg.Connection[Any], symbol: str, session: dt.date, why: str, accepted_by: str) -> None:
    """A person vouches for a name's suspicious session; accepting twice changes nothing."""
    where = (symbol, session)
    if conn.execute("SELECT 1 FROM ops.quality_acceptances WHERE symbol = %s AND session = %s", where).fetchone():
        return
    payload = {"symbol": symbol, "session": session.isoformat(), "why": why, "accepted_by": accepted_by}
    seq = audit.append(conn, "quality.accepted", f"{symbol} {session}", payload)
    conn.execute(
        "INSERT INTO ops.quality_acceptances (symbol, session, accepted_by, why, audit_seq) "
        "VALUES (%s, %s, %s, %s, %s)",
        (symbol, session, accepted_by, why, seq),
    )


def accepted_bars(conn: psycopg.Connection[Any], facts_seq: int) -> frozenset[tuple[str, dt.date]]:
    """(symbol, session) pairs that people accepted up to a watermark."""
    rows = conn.execute("SELECT symbol, session FROM ops.quality_acceptances WHERE audit_seq <= %s", (facts_seq,))
    return frozenset((r["symbol"], r["session"]) for r in rows)


def freeze(conn: psycopg.Connection[Any], suspect: Suspect) -> None:
    """Remember a suspicious session of a name; the same one twice changes nothing."""
    symbol, session, code, sentence = suspect.symbol, suspect.session, suspect.code, suspect.sentence
    where = (symbol, session)
    if conn.execute("SELECT 1 FROM ops.name_freezes WHERE symbol = %s AND session = %s", where).fetchone():
        return
    payload = {"symbol": symbol, "session": session.isoformat(), "code": code, "sentence": sentence}
    seq = audit.append(conn, "quality.frozen", f"{symbol} {session}", payload)
    conn.execute(
        "INSERT INTO ops.name_freezes (symbol, session, code, sentence, audit_seq) VALUES (%s, %s, %s, %s, %s)",
        (symbol, session, code, sentence, seq),
    )


def suspects(conn: psycopg.Connection[Any], facts_seq: int) -> tuple[Suspect, ...]:
    """Suspicious sessions of names remembered up to a watermark, those that people accepted since included."""
    rows = conn.execute(
        "SELECT symbol, session, code, sentence FROM ops.name_freezes WHERE audit_seq <= %s ORDER BY symbol, session",
        (facts_seq,),
    )
    return tuple(Suspect(**r) for r in rows)


def enqueue(
    conn: psycopg.Connection[Any], dedupe_key: str, kind: str, plan_id: str | None, payload: Mapping[str, object]
) -> None:
    """Put a message to people into the outbox, once for a key, in the transaction of its fact."""
    conn.execute(
        "INSERT INTO ops.outbox (dedupe_key, kind, plan_id, payload) VALUES (%s, %s, %s, %s) "
        "ON CONFLICT (dedupe_key) DO NOTHING",
        (dedupe_key, kind, plan_id, json.dumps(payload)),
    )
