"""What people said, held against what was announced of it: answers, account checks, the kill switch, look-ups, and
what they accepted, withdrew and resolved.

Ledger facts and tickets are looked at by `ledger.tampered` and by the commands; here is everything else that decides.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, TypeAlias

import psycopg

from trading_ops.domain.values import plain
from trading_ops.store import answers, audit, reports, rollout

Row: TypeAlias = Mapping[str, Any]
Stored: TypeAlias = Iterator[tuple[int, str, dict[str, Any]]]
"""Number in the chain, subject, and content as it should have been announced."""

ADDED = ("from_day", "confirmation_id", "snapshot_id", "sentence", "note", "versions", "currency")
"""Fields that older announcements do not have; they are held against those that do."""

RARE = ("desk.kill_switch", "universe.checked", "universe.disabled")
"""Announcements so few that every replay can look at them."""


def tampered(conn: psycopg.Connection[Any], kinds: Collection[str] = (), up_to: int | None = None) -> list[str]:
    """Rows that differ from their announcement, or were never announced, or are gone; each as a sentence.

    Args:
        conn: A connection.
        kinds: Look only at these announcements; at all when empty.
        up_to: Look only at what was announced up to this row of the audit chain; at all when None.
    """
    known: tuple[tuple[str, str, Callable[[psycopg.Connection[Any]], Stored]], ...] = (
        ("answers.confirmation", "answer", _answers),
        ("backup.made", "backup", _backups),
        ("backup.proven", "proof of backup", _proofs),
        ("broker.snapshot", "account check", _snapshots),
        ("broker.statement", "account statement", _statements),
        ("desk.incident", "incident", _incidents),
        ("desk.incident_acknowledged", "acknowledgement of incident", _acknowledgements),
        ("desk.incident_closed", "closure of incident", _closures),
        ("desk.incident_escalated", "escalation of incident", _escalations),
        ("desk.kill_switch", "kill switch", _kill_switch),
        ("ledger.resolution", "resolution", _resolutions),
        ("quality.accepted", "accepted bar", _acceptances),
        ("report.written", "report", _reports),
        ("rollout.act", "act of the roll-out", _rollout_acts),
        ("ticket.withdrawn", "withdrawal of ticket", _withdrawals),
        ("universe.checked", "look-up", _name_checks),
        ("universe.disabled", "switched-off name", _disablements),
    )
    found = []
    for kind, word, read in known:
        if kinds and kind not in kinds:
            continue
        every = audit.announcements(conn, kind)
        said = {key: told for key, told in every.items() if up_to is None or key[0] <= up_to}
        for seq, name, content in read(conn):
            if up_to is not None and seq > up_to:
                continue
            told = said.pop((seq, name), None)
            if told is None:
                found.append(f"{word} {name}: never announced")
                continue
            found += [
                f"{word} {name}: {field} is {value}, announced was {told.get(field)}"
                for field, value in audit.as_announced(content).items()
                if value != told.get(field) and (field in told or field not in ADDED)
            ]
        found += [f"{word} {name} of audit row {seq}: announced, but no longer there" for seq, name in sorted(said)]
    return found


def _rows(conn: psycopg.Connection[Any], table: str) -> list[dict[str, Any]]:
    return conn.execute(f"SELECT * FROM ops.{table} ORDER BY audit_seq").fetchall()


def _of(row: Row, *fields: str) -> dict[str, Any]:
    return {field: row[field] for field in fields}


def _answers(conn: psycopg.Connection[Any]) -> Stored:
    for row, stored in answers.every(conn):
        told = {**stored.answer.payload(), "answered_by": stored.answered_by, "overfilled": stored.overfilled}
        yield row["audit_seq"], f"{row['plan_id']}/{row['line']}/{row['revision']}", told


def _backups(conn: psycopg.Connection[Any]) -> Stored:
    for row in _rows(conn, "backups"):
        yield row["audit_seq"], row["backup_id"], {
            "made_at": row["made_at"].astimezone(dt.UTC).isoformat(), **_of(row, "manifest_sha256", "bytes")
        }  # fmt: skip


def _proofs(conn: psycopg.Connection[Any]) -> Stored:
    for row in _rows(conn, "backup_proofs"):
        yield row["audit_seq"], row["backup_id"], {"proven_at": row["proven_at"].astimezone(dt.UTC).isoformat()}


def _reports(conn: psycopg.Connection[Any]) -> Stored:
    for row in _rows(conn, "reports"):
        yield row["audit_seq"], f"{row['kind']}/{row['day']}/{row['revision']}", reports.announcement(row)


def _rollout_acts(conn: psycopg.Connection[Any]) -> Stored:
    for row in _rows(conn, "rollout_acts"):
        yield row["audit_seq"], str(row["act_id"]), rollout.announcement(row)


def _snapshots(conn: psycopg.Connection[Any]) -> Stored:
    held: dict[Any, dict[str, list[object]]] = {}
    for h in conn.execute("SELECT * FROM ops.broker_snapshot_holdings"):
        held.setdefault(h["snapshot_id"], {})[h["symbol"]] = [plain(h["units"]), h["places"]]
    announced = audit.announcements(conn, "broker.snapshot")
    for row in _rows(conn, "broker_snapshots"):
        # A holding typed as 0 is announced and has no row.
        told = announced.get((row["audit_seq"], str(row["snapshot_id"])), {}).get("holdings", {})
        nothing = {symbol: typed for symbol, typed in told.items() if typed[0] == "0"}
        yield (
            row["audit_seq"],
            str(row["snapshot_id"]),
            {
                "taken_at": row["taken_at"].astimezone(dt.UTC).isoformat(),
                "session": row["session"].isoformat(),
                "cash_gbp": plain(row["cash_gbp"]),
                "holdings": {**nothing, **held.get(row["snapshot_id"], {})},
            },
        )


def _statements(conn: psycopg.Connection[Any]) -> Stored:
    for row in _rows(conn, "broker_statements"):
        yield row["audit_seq"], row["sha256"], _of(row, "name", "versions", "currency", "entered_by")


def _incidents(conn: psycopg.Connection[Any]) -> Stored:
    for row in _rows(conn, "incidents"):
        yield row["audit_seq"], str(row["incident_id"]), _of(row, "class", "title", "blocking", "details")


def _closures(conn: psycopg.Connection[Any]) -> Stored:
    for row in _rows(conn, "incident_closures"):
        yield row["audit_seq"], str(row["incident_id"]), _of(row, "resolution", "closed_by")


def _acknowledgements(conn: psycopg.Connection[Any]) -> Stored:
    for row in _rows(conn, "incident_acknowledgements"):
        yield row["audit_seq"], str(row["incident_id"]), _of(row, "note", "acknowledged_by")


def _escalations(conn: psycopg.Connection[Any]) -> Stored:
    for row in _rows(conn, "incident_escalations"):
        yield row["audit_seq"], str(row["incident_id"]), _of(row, "level")


def _kill_switch(conn: psycopg.Connection[Any]) -> Stored:
    for row in _rows(conn, "kill_switch_events"):
        days = {"session": row["session"].isoformat(), "until": row["until"].isoformat() if row["until"] else None}
        yield row["audit_seq"], row["state"], {**_of(row, "state", "reason", "set_by"), **days}


def _resolutions(conn: psycopg.Connection[Any]) -> Stored:
    for row in _rows(conn, "drift_resolutions"):
        told = _of(row, "class", "subject", "sentence", "entries", "accepted_by", "note")
        yield row["audit_seq"], str(row["resolution_id"]), {**told, "snapshot_id": str(row["snapshot_id"])}


def _acceptances(conn: psycopg.Connection[Any]) -> Stored:
    for row in _rows(conn, "quality_acceptances"):
        told = {**_of(row, "symbol", "why", "accepted_by"), "session": row["session"].isoformat()}
        yield row["audit_seq"], f"{row['symbol']} {row['session']}", told


def _withdrawals(conn: psycopg.Connection[Any]) -> Stored:
    for row in _rows(conn, "ticket_withdrawals"):
        yield row["audit_seq"], row["plan_id"], _of(row, "reason", "withdrawn_by")


def _name_checks(conn: psycopg.Connection[Any]) -> Stored:
    for row in _rows(conn, "name_checks"):
        told = _of(row, "outcome", "lookalikes", "checked_by")
        yield row["audit_seq"], row["symbol"], {**told, "day": row["day"].isoformat()}


def _disablements(conn: psycopg.Connection[Any]) -> Stored:
    for row in _rows(conn, "universe_disablements"):
        told = {"from_day": row["from_day"].isoformat(), "confirmation_id": str(row["confirmation_id"])}
        yield row["audit_seq"], row["symbol"], {"why": row["why"], **told}
