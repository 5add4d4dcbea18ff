"""The account against the ledger as of now: what differs, why, and the entries that a person may accept.

Belongs here: the light and what it says, and making an accepted proposal a fact.
Does not belong here: the comparison and its rules (`domain.reconciliation`), the diagnosis (`domain.diagnosis`) and its
evidence (`drift_evidence`).
"""

import dataclasses
import datetime as dt
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any

import psycopg

from trading_ops.desk import books_now, drift_evidence
from trading_ops.desk.books_now import Books
from trading_ops.domain import calendar
from trading_ops.domain.broker_snapshot import BrokerSnapshot
from trading_ops.domain.corrections import CorrectAnswer, WithdrawAnswer
from trading_ops.domain.diagnosis import Diagnosis, Finding, diagnose
from trading_ops.domain.dividends import ExpectedDividend
from trading_ops.domain.drift import CASH
from trading_ops.domain.errors import Refused
from trading_ops.domain.reconciliation import Reconciliation, reconcile
from trading_ops.domain.results import Outcome
from trading_ops.domain.values import Session, plain
from trading_ops.store import audit, broker, tickets
from trading_ops.store import corrections as booked


class Light(Enum):
    """The state of the books in one colour."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"
    GREY = "grey"


@dataclass(frozen=True)
class Reconciled:
    """The newest snapshot against the ledger.

    Attributes:
        asof: The session at which the gate was asked.
        snapshot: The newest snapshot, or None.
        gate: The gate's answer.
        diagnosis: What explains the differences; None without a snapshot.
        light: Grey: not reconciled lately. Red: something differs. Amber: agrees, and something waits. Green: agrees.
        sentence: The light in words.
        key: Equal as long as nothing that was looked at has changed.
    """

    asof: Session
    snapshot: BrokerSnapshot | None
    gate: Reconciliation
    diagnosis: Diagnosis | None
    light: Light
    sentence: str
    key: tuple[object, ...] = ()

    @property
    def dividends_in_cash(self) -> tuple[ExpectedDividend, ...]:
        """Unbooked dividends that the account's cash seems to hold: none where a finding explains that cash otherwise.

        The gate's own look is at the sum alone; booked on top of such a finding they would be false.
        """
        findings = self.diagnosis.findings if self.diagnosis else ()
        otherwise = any(CASH in f.lines and f.code != "UNBOOKED_DIVIDEND" for f in findings)
        return () if otherwise else self.gate.proposals


def reconciled(conn: psycopg.Connection[Any], now: dt.datetime) -> Reconciled:
    """Compare the newest snapshot with the ledger.

    Args:
        conn: A connection.
        now: The moment, aware UTC; a simulated book passes its own.
    """
    look = _look(conn, now)
    kept = _LAST.get(look.key)
    if kept is None:  # two people may ask at once: each has its own answer in hand
        kept = _compared(conn, look, now)
        _LAST.clear()
        _LAST[look.key] = kept
    return kept


def unchanged(conn: psycopg.Connection[Any], found: Reconciled, now: dt.datetime) -> bool:
    """Whether everything that was looked at is still as it was."""
    return _look(conn, now).key == found.key


_LAST: dict[tuple[object, ...], Reconciled] = {}
"""A diagnosis takes seconds when much differs; nothing in it changes while the facts stay."""


@dataclass(frozen=True)
class _Look:
    of: Books
    asof: Session
    snapshot: BrokerSnapshot | None
    key: tuple[object, ...]


def _look(conn: psycopg.Connection[Any], now: dt.datetime) -> _Look:
    # What a diagnosis looks at beside the books; known before it is read, as with the books.
    beside = audit.newest_of(conn, ("confirmations", "ticket_withdrawals", "tickets", "broker_statements"))
    of = books_now.books(conn)
    asof = books_now.newest_session(conn, now)
    snapshot = broker.newest_of_all(conn, now)
    key = (of.key, asof, snapshot.snapshot_id if snapshot else None, now.date(), beside)
    return _Look(of, asof, snapshot, key)


def _compared(conn: psycopg.Connection[Any], look: _Look, now: dt.datetime) -> Reconciled:
    of, asof, snapshot = look.of, look.asof, look.snapshot
    held = books_now.values(conn, of, asof)
    newest_fill = max((f.filled_at for f in of.facts.fills if f.filled_at <= now), default=None)
    gate = reconcile(snapshot, of.facts, held.equity_gbp, asof, of.dividends(asof), newest_fill, of.policy)
    if snapshot is None:
        nobody = "Nobody has entered what the account shows yet."
        return Reconciled(asof, None, gate, None, Light.GREY, nobody, look.key)
    found = diagnose(drift_evidence.gathered(conn, of, held, snapshot, now))
    light, sentence = _light(gate, found, snapshot, now)
    return Reconciled(asof, snapshot, gate, found, light, sentence, look.key)


def _light(gate: Reconciliation, found: Diagnosis, snapshot: BrokerSnapshot, now: dt.datetime) -> tuple[Light, str]:
    failed = [r for r in gate.results if r.outcome is not Outcome.PASS]
    stale = [r for r in failed if r.code == "SNAPSHOT_STALE"]
    age = (now.date() - snapshot.taken_at.date()).days
    when = "today" if age == 0 else "yesterday" if age == 1 else f"{age} days ago"
    drifting = [r for r in failed if r.code != "SNAPSHOT_STALE"]
    if drifting:
        return Light.RED, " ".join(r.sentence for r in drifting)
    if stale:
        return Light.GREY, f"Last checked {when}. {stale[0].sentence}"
    if gate.proposals or found.findings:
        waiting = len(gate.proposals) or len(found.findings)
        what = "1 entry waits" if waiting == 1 else f"{waiting} entries wait"
        return Light.AMBER, f"Account and ledger agree, checked {when}; {what} to be booked."
    return Light.GREEN, f"Account and ledger agree, checked {when}."


def accept(
    conn: psycopg.Connection[Any], found: Finding, snapshot_id: str, username: str, note: str, now: dt.datetime
) -> Sequence[str]:
    """Book the entries that a finding proposes; accepting twice adds nothing.

    Args:
        conn: A connection inside a transaction, the person named.
        found: The finding as it was shown.
        snapshot_id: The snapshot that it explains.
        username: Who accepts.
        note: Why, in the person's words; may be empty.
        now: The moment, aware UTC.

    Returns:
        What was booked, one sentence an entry; empty when it had been accepted before.

    Raises:
        Refused: There is nothing to book, or an entry is no longer possible.
        LedgerError: The facts would not add up.
    """
    entries = booked.bookable(found.proposals)
    if not entries:
        raise Refused(f"{found.symbol}: there is nothing to book. {found.sentence}")
    hold(conn, found)
    if accepted_before(conn, found):
        return ()
    resolution_id = _resolution_id(found)
    said = [as_data(entry) for entry in entries]
    payload: dict[str, object] = {
        "class": found.code,
        "subject": found.symbol,
        "entries": said,
        "accepted_by": username,
        "snapshot_id": snapshot_id,
        "sentence": found.sentence,
        "note": note,
    }
    seq = audit.append(conn, "ledger.resolution", str(resolution_id), payload)
    why = f"{found.sentence} {note}".strip()
    sentences = booked.book_all(conn, entries, username=username, why=why, now=now)
    conn.execute(
        "INSERT INTO ops.drift_resolutions (resolution_id, snapshot_id, class, subject, sentence, entries, "
        "accepted_by, note, audit_seq) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            resolution_id, snapshot_id, found.code, found.symbol, found.sentence, json.dumps(said), username, note, seq,
        ),
    )  # fmt: skip
    return sentences


def accepted_before(conn: psycopg.Connection[Any], found: Finding) -> bool:
    """Whether a person accepted these very entries already."""
    row = conn.execute("SELECT 1 FROM ops.drift_resolutions WHERE resolution_id = %s", (_resolution_id(found),))
    return row.fetchone() is not None


def _resolution_id(found: Finding) -> uuid.UUID:
    entries = sorted(entry.proposal_id for entry in booked.bookable(found.proposals))
    return uuid.uuid5(uuid.NAMESPACE_URL, "resolution:" + ":".join(entries))


def hold(conn: psycopg.Connection[Any], found: Finding) -> None:
    """Wait until nobody else is changing what a finding's entries rest on; until commit nobody can.

    The tickets it answers come first, as they do for whoever answers them: two who waited for each other would fail.
    """
    answered = {e.plan_id for e in booked.bookable(found.proposals) if isinstance(e, CorrectAnswer | WithdrawAnswer)}
    for plan_id in sorted(answered):
        tickets.hold(conn, plan_id)
    audit.one_writer(conn)


def as_data(entry: object) -> dict[str, object]:
    """An entry as plain data, for the record."""
    fields = {f.name: _plain(getattr(entry, f.name)) for f in dataclasses.fields(entry)}  # type: ignore[arg-type]
    return {"kind": type(entry).__name__, **fields}


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, dt.date | dt.datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return as_data(value) if dataclasses.is_dataclass(value) else value


def session_seen(taken_at: dt.datetime) -> Session:
    """The session whose splits an account shows at a moment: the one that is open, else the last that is over."""
    day = taken_at.astimezone(calendar.NEW_YORK).date()
    if calendar.is_session(day) and calendar.open_utc(day) <= taken_at:
        return day
    return calendar.last_closed(taken_at)
