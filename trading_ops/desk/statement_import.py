"""An account statement handed in: its new rows stored, its Holdings as account checks of their dates, in one go.

The same file twice, or a part of it in another file, adds nothing.
Does not belong here: the file format (`trading_ops.broker`), what a row means (`statement_rows`), booking anything.
"""

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import Any

import psycopg

from trading_ops.broker.statement import Statement, read_statement
from trading_ops.desk import operator_note
from trading_ops.desk.reconciling import session_seen
from trading_ops.desk.statement_rows import Names, learn_positions, rows_of
from trading_ops.desk.statement_snapshot import AtDate, at_dates
from trading_ops.domain.errors import BadInput
from trading_ops.domain.ticket_words import count, long_day
from trading_ops.store import broker, statements
from trading_ops.store.statements import StoredRow

LONGEST_NAME = 120


@dataclass(frozen=True)
class Parsed:
    """A file that could be read, and its bytes."""

    statement: Statement
    data: bytes


@dataclass(frozen=True)
class Imported:
    """What a statement brought.

    Attributes:
        new: Rows that are new.
        known: Rows that were there already.
        repeated: This very file was handed in before.
        checks: Days whose Holdings became account checks, oldest first.
        evidence_only: Days whose Holdings did not, and why.
        unknown: What the statement calls names that the desk does not know.
        cfds: What rows marked CFD are about.
        splits: Splits that it reports; none is applied.
    """

    new: int
    known: int
    repeated: bool
    checks: tuple[dt.date, ...]
    evidence_only: tuple[tuple[dt.date, str], ...]
    unknown: tuple[str, ...]
    cfds: tuple[str, ...]
    splits: tuple[str, ...]

    @property
    def headline(self) -> str:
        """What happened, in one sentence."""
        if self.repeated:
            return "This file was read before. Nothing was added."
        if not self.new:
            return "Read. Everything in it was known already; nothing was added."
        return f"Read. Thank you. {count(self.new, 'row is', 'rows are')} new, {self.known} were known already."

    @property
    def sentences(self) -> tuple[str, ...]:
        """What there is to know beyond that."""
        found = [f"An account check of {long_day(day)} came of it." for day in self.checks]
        found += [
            f"The holdings of {long_day(day)} are kept as evidence only, no account check came of them: {why}."
            for day, why in self.evidence_only
        ]
        if not self.checks and not self.evidence_only:
            found.append("It has no Holdings at a date, so no account check came of it.")
        if self.unknown:
            found.append(f"New to the desk: {', '.join(self.unknown)}. The operator is told.")
        if self.cfds:
            found.append(f"Marked as CFD: {', '.join(self.cfds)}. The operator is told.")
        found += [f"It reports a split, {split}. It is not applied by itself." for split in self.splits]
        return tuple(found)


def read(data: bytes, name: str) -> Parsed:
    """Read a statement file; nothing is stored.

    Raises:
        BadInput: It is no English statement of a known version; the sentence names the place and what to change.
    """
    shown = "".join(c if c.isprintable() else "?" for c in name)[:LONGEST_NAME] or "the file"
    return Parsed(read_statement(data, shown), data)


def add(conn: psycopg.Connection[Any], parsed: Parsed, username: str, now: dt.datetime) -> Imported:
    """Store what is new in a statement.

    Args:
        conn: A connection inside a transaction, the person named.
        parsed: The file, read.
        username: Who handed it in.
        now: The moment, aware UTC.

    Raises:
        BadInput: It reaches into the future.
    """
    statement = parsed.statement
    if any(row.at > now + dt.timedelta(days=1) for row in statement.activity):
        raise BadInput(f"{statement.name}: it has movements after {long_day(now.date())}, which has not passed yet.")
    conn.execute("SELECT pg_advisory_xact_lock(7301004)")
    before = conn.execute("SELECT 1 FROM ops.broker_statements WHERE sha256 = %s", (statement.sha256,)).fetchone()
    names = _names(conn)
    learn_positions(statement, names)
    rows = rows_of(statement, names)
    fresh = _not_yet_known(conn, rows)
    statements.add(
        conn, sha256=statement.sha256, name=statement.name, versions=dict(statement.versions),
        currency=statement.currency, body=parsed.data, rows=fresh, entered_by=username,
    )  # fmt: skip
    dates = at_dates(statement, names, now)
    for found in dates:
        _store_check(conn, found, statement.name, username)
    _tell_operator(conn, statement, names, username)
    return Imported(
        len(fresh), len(rows) - len(fresh), before is not None,
        tuple(d.day for d in dates if not d.why), tuple((d.day, d.why) for d in dates if d.why),
        tuple(sorted(names.unknown)), tuple(sorted(names.cfds)),
        tuple(f"{s.symbol} {s.first.normalize():f}:{s.second.normalize():f}" for s in statement.splits),
    )  # fmt: skip


def _names(conn: psycopg.Connection[Any]) -> Names:
    rows = conn.execute(
        "SELECT DISTINCT ON (internal_symbol) internal_symbol AS symbol, etoro_search_name, notes "
        "FROM ops.config_universe ORDER BY internal_symbol, version DESC"
    ).fetchall()
    held = conn.execute(
        "SELECT position_id, symbol FROM ops.ledger_trades_fills f WHERE position_id IS NOT NULL AND side = 'BUY' "
        "AND NOT EXISTS (SELECT 1 FROM ops.ledger_voids v WHERE v.fill_id = f.fill_id) "
        "UNION SELECT position_id, symbol FROM ops.broker_statement_rows WHERE kind = 'open' AND symbol IS NOT NULL"
    ).fetchall()
    return Names(
        _only_one((r["etoro_search_name"], r["symbol"]) for r in rows),
        {r["position_id"]: r["symbol"] for r in held if r["position_id"]},
        _only_one((r["notes"], r["symbol"]) for r in rows if r["notes"]),
    )


def _only_one(pairs: Any) -> dict[str, str]:
    """By casefolded text; a text that stands for two names stands for none."""
    found = [(text.casefold(), symbol) for text, symbol in pairs]
    times = Counter(text for text, _ in found)
    return {text: symbol for text, symbol in found if times[text] == 1}


def _not_yet_known(conn: psycopg.Connection[Any], rows: tuple[StoredRow, ...]) -> list[StoredRow]:
    """Rows that no statement brought yet; a dividend is known when either of its two rows is."""
    keys = {row.row_key: _keys(row) for row in rows}
    wanted = sorted({key for found in keys.values() for key in found})
    stored = conn.execute(
        "SELECT row_key, body -> 'keys' AS keys FROM ops.broker_statement_rows "
        "WHERE row_key = ANY(%(keys)s) OR (kind = 'dividend' AND body -> 'keys' ?| %(keys)s)",
        {"keys": wanted},
    ).fetchall()
    there = {r["row_key"] for r in stored} | {key for r in stored for key in r["keys"] or ()}
    return [row for row in rows if not there & set(keys[row.row_key])]


def _keys(row: StoredRow) -> tuple[str, ...]:
    more = row.body.get("keys")
    return (row.row_key, *more) if isinstance(more, list) else (row.row_key,)


def _store_check(conn: psycopg.Connection[Any], found: AtDate, file: str, username: str) -> None:
    if found.why or found.cash_gbp is None:
        return
    broker.add_snapshot(
        conn, taken_at=found.taken_at, session=session_seen(found.taken_at), cash_gbp=found.cash_gbp,
        holdings=found.holdings, origin=f"statement {file}", entered_by=username,
    )  # fmt: skip


def _tell_operator(conn: psycopg.Connection[Any], statement: Statement, names: Names, username: str) -> None:
    details: dict[str, object] = {"file": statement.name, "sha256": statement.sha256, "entered_by": username}
    for name in sorted(names.unknown):
        operator_note.unknown_name(conn, name, "in an account statement", details, key=f"statement:{name}")
    for name in sorted(names.cfds):
        operator_note.unknown_name(conn, name, "as a CFD in an account statement", details, key=f"statement:cfd:{name}")
