"""What people said, held against what was announced of it: answers, account checks, the kill switch, look-ups.

Ledger facts and tickets are looked at by `ledger.tampered` and by the commands; here is everything else that decides.
"""

import datetime as dt
import json
from collections.abc import Callable, Collection, Iterator
from typing import Any

import psycopg

from trading_ops.domain.values import plain
from trading_ops.store import answers

Read = Callable[[psycopg.Connection[Any]], Iterator[tuple[int, str, dict[str, Any]]]]

RARE = ("desk.kill_switch", "universe.checked", "universe.disabled")
"""Announcements so few that every replay can look at them."""
SUBJECT = "name"
"""Under this key a row's own name is held against the announcement's subject."""


def tampered(conn: psycopg.Connection[Any], kinds: Collection[str] = (), up_to: int | None = None) -> list[str]:
    """Rows that differ from their announcement, or were never announced, or are gone; each as a sentence.

    Args:
        conn: A connection.
        kinds: Look only at these announcements; at all when empty.
        up_to: Look only at what was announced up to this row of the audit chain; at all when None.
    """
    known: tuple[tuple[str, str, Read], ...] = (
        ("answers.confirmation", "answer", _answers),
        ("broker.snapshot", "account check", _snapshots),
        ("desk.kill_switch", "kill switch", _kill_switch),
        ("universe.checked", "look-up", _name_checks),
        ("universe.disabled", "switched-off name", _switched_off),
    )
    found = []
    for kind, word, read in known:
        if kinds and kind not in kinds:
            continue
        rows = conn.execute("SELECT seq, subject, payload FROM ops.audit_log WHERE kind = %s ORDER BY seq", (kind,))
        said = {
            r["seq"]: {**json.loads(r["payload"]), SUBJECT: r["subject"]}
            for r in rows
            if up_to is None or r["seq"] <= up_to
        }
        for seq, name, stored in read(conn):
            if up_to is not None and seq > up_to:
                continue
            told = said.pop(seq, None)
            if told is None:
                found.append(f"{word} {name}: never announced")
                continue
            found += [
                f"{word} {name}: {field} is {value}, announced was {told.get(field)}"
                for field, value in stored.items()
                if value != told.get(field)
            ]
        found += [f"{word} of audit row {seq}: announced, but no longer there" for seq in sorted(said)]
    return found


def _answers(conn: psycopg.Connection[Any]) -> Iterator[tuple[int, str, dict[str, Any]]]:
    for row, stored in answers.every(conn):
        told = {**stored.answer.payload(), "answered_by": stored.answered_by, "overfilled": stored.overfilled}
        yield row["audit_seq"], f"{row['plan_id']}/{row['line']}/{row['revision']}", told


def _snapshots(conn: psycopg.Connection[Any]) -> Iterator[tuple[int, str, dict[str, Any]]]:
    held: dict[Any, dict[str, list[object]]] = {}
    for h in conn.execute("SELECT * FROM ops.broker_snapshot_holdings"):
        held.setdefault(h["snapshot_id"], {})[h["symbol"]] = [plain(h["units"]), h["places"]]
    announced = {
        r["seq"]: json.loads(r["payload"])
        for r in conn.execute("SELECT seq, payload FROM ops.audit_log WHERE kind = 'broker.snapshot'")
    }
    for row in conn.execute("SELECT * FROM ops.broker_snapshots"):
        # A holding typed as 0 is announced and has no row.
        told = announced.get(row["audit_seq"], {}).get("holdings", {})
        nothing = {symbol: typed for symbol, typed in told.items() if typed[0] == "0"}
        yield (
            row["audit_seq"],
            str(row["snapshot_id"]),
            {
                "taken_at": row["taken_at"].astimezone(dt.UTC).isoformat(),
                "session": row["session"].isoformat(),
                "cash_gbp": plain(row["cash_gbp"]),
                "holdings": {**held.get(row["snapshot_id"], {}), **nothing},
            },
        )


def _kill_switch(conn: psycopg.Connection[Any]) -> Iterator[tuple[int, str, dict[str, Any]]]:
    for row in conn.execute("SELECT * FROM ops.kill_switch_events"):
        yield (
            row["audit_seq"],
            row["state"],
            {
                "state": row["state"],
                "session": row["session"].isoformat(),
                "until": row["until"].isoformat() if row["until"] else None,
                "reason": row["reason"],
                "set_by": row["set_by"],
            },
        )


def _name_checks(conn: psycopg.Connection[Any]) -> Iterator[tuple[int, str, dict[str, Any]]]:
    for row in conn.execute("SELECT * FROM ops.name_checks"):
        yield (
            row["audit_seq"],
            row["symbol"],
            {
                SUBJECT: row["symbol"],
                "outcome": row["outcome"],
                "lookalikes": row["lookalikes"],
                "day": row["day"].isoformat(),
                "checked_by": row["checked_by"],
            },
        )


def _switched_off(conn: psycopg.Connection[Any]) -> Iterator[tuple[int, str, dict[str, Any]]]:
    for row in conn.execute("SELECT * FROM ops.universe_disablements"):
        yield row["audit_seq"], row["symbol"], {SUBJECT: row["symbol"], "why": row["why"]}
