"""A bar's passport: every revision of every source, where it came from, what was found, and which tickets used it."""

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any

import psycopg

from trading_ops.domain import calendar
from trading_ops.domain.cross_check import disagreement
from trading_ops.domain.errors import UnknownSymbol
from trading_ops.domain.policy import Data
from trading_ops.domain.quality_report import outlier
from trading_ops.domain.suspects import bar_fault, find_suspects
from trading_ops.domain.values import plain
from trading_ops.store import chosen, small_view

LOOK_BACK = 30
"""Sessions before the bar that are looked at: what is usual for the name, and a jump after a gap."""


@dataclass(frozen=True)
class Stamp:
    """One revision of one source.

    Attributes:
        source: Who said so.
        revision: Which revision of theirs.
        chosen: It is the one that counts by the policy in force.
        prices: Open, high, low, close and adjusted close in USD, volume in shares, as text by name.
        flags: What its reader found odd.
        fetched_at: When it was fetched, UTC.
        load_id: The load, which is also the number of its announcement in the audit chain.
        origin: Where the load came from.
        body: URL without its key, or file, with the hash of its bytes; several for a folder of files.
        requests: Requests the answer took; None for files and older loads.
    """

    source: str
    revision: int
    chosen: bool
    prices: dict[str, str]
    flags: str
    fetched_at: dt.datetime
    load_id: int
    origin: str
    body: tuple[tuple[str, str], ...]
    requests: int | None


@dataclass(frozen=True)
class Passport:
    """Everything on record about a name's session.

    Attributes:
        symbol: The name.
        session: The session.
        stamps: Revisions, the chosen source's first, newest first.
        actions: Corporate actions with that ex-date, every source's newest word, as (kind, value, source, counts).
        verdicts: What the rules say of the chosen bar, and what was recorded about it: freezes, acceptances,
            restatements. Empty is: nothing odd.
        tickets: Tickets whose data held it as their as-of session's bar.
        refusals: Answers of sources about days around it that were refused, newest first.
    """

    symbol: str
    session: dt.date
    stamps: tuple[Stamp, ...]
    actions: tuple[tuple[str, str, str, bool], ...]
    verdicts: tuple[str, ...]
    tickets: tuple[str, ...]
    refusals: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def passport(conn: psycopg.Connection[Any], symbol: str, session: dt.date, data: Data) -> Passport:
    """Look everything up.

    Raises:
        UnknownSymbol: No universe ever had the name.
        CalendarError: The day is no session.
    """
    if not conn.execute("SELECT 1 FROM ops.instruments WHERE symbol = %s", (symbol,)).fetchone():
        raise UnknownSymbol(symbol, "prices passport")
    calendar.sessions_back(session, 0)  # says so when the day is none
    rows = small_view.revisions(conn, symbol, session, session)
    order = list(data.source_order)
    known = sorted(
        rows, key=lambda r: (order.index(r["source"]) if r["source"] in order else len(order), -r["revision"])
    )
    counts = known[0] if known and known[0]["source"] in order else None
    return Passport(
        symbol,
        session,
        tuple(_stamp(conn, row, row is counts) for row in known),
        _actions(conn, symbol, session, data),
        (*_judged(conn, symbol, session, data), *_recorded(conn, symbol, session)),
        _tickets(conn, symbol, session),
        _refusals(conn, symbol, session),
    )


def _stamp(conn: psycopg.Connection[Any], row: dict[str, Any], counts: bool) -> Stamp:
    bodies = conn.execute(
        "SELECT body_name, body_sha256, requests, kind FROM ops.price_fetches WHERE load_id = %s ORDER BY fetch_id",
        (row["load_id"],),
    ).fetchall()
    return Stamp(
        row["source"],
        row["revision"],
        counts,
        {name: plain(row[name]) for name in ("open", "high", "low", "close", "adj_close", "volume")},
        row["flags"],
        row["fetched_at"],
        row["load_id"],
        row["origin"],
        tuple((b["body_name"], b["body_sha256"] or "") for b in bodies),
        next((b["requests"] for b in bodies if b["kind"] == "bars"), None),
    )


def _actions(
    conn: psycopg.Connection[Any], symbol: str, day: dt.date, data: Data
) -> tuple[tuple[str, str, str, bool], ...]:
    rows = chosen.every_action(conn, data, symbol, day, day)
    return tuple((action.kind, plain(action.value), action.source, counts) for action, counts in rows)


def _judged(conn: psycopg.Connection[Any], symbol: str, session: dt.date, data: Data) -> list[str]:
    first = calendar.sessions_back(session, LOOK_BACK)
    market = small_view.of_names(conn, [symbol, data.benchmark], first, session, data)
    bar = market.bar(symbol, session)
    if bar is None:
        return ["There is no bar of this session from any source of the policy."]
    said = []
    if bar_fault(bar):
        said.append(f"Invalid: {bar_fault(bar)}.")
    before = calendar.previous_session(session)
    for suspect in find_suspects(market, [symbol], before, (), data):
        found = outlier(market, suspect, data)
        said.append(f"{found.code}: {found.sentence}")
        said += [f"Probably {found.likely}: {found.evidence}", found.look_up] if found.likely else []
        said += [f"If that confirms it, record: {found.proposal}."] if found.proposal else []
    apart = disagreement(market, symbol, session, data)
    others = market.witnesses_of(symbol, session)
    if apart is not None:
        said.append(f"{apart.code}: {apart.sentence}")
    elif others:
        said.append(f"Cross-checked: {bar.source} and {', '.join(w.source for w in others)} agree.")
    else:
        said.append("Not cross-checked: there is one source.")
    return said


def _recorded(conn: psycopg.Connection[Any], symbol: str, session: dt.date) -> list[str]:
    where = (symbol, session)
    said = [
        f"Frozen since {r['created_at']:%Y-%m-%d}: {r['code']}."
        for r in conn.execute("SELECT code, created_at FROM ops.name_freezes WHERE symbol = %s AND session = %s", where)
    ]
    said += [
        f"Accepted by {r['accepted_by']} on {r['created_at']:%Y-%m-%d}: {r['why']}"
        for r in conn.execute(
            "SELECT accepted_by, why, created_at FROM ops.quality_acceptances WHERE symbol = %s AND session = %s", where
        )
    ]
    for r in conn.execute(
        "SELECT source, revision, differences, tickets FROM ops.restatements WHERE symbol = %s AND session = %s "
        "ORDER BY created_at",
        where,
    ):
        changed = ", ".join(f"{column} {old} to {new}" for column, (old, new) in r["differences"].items())
        said.append(
            f"Restated by {r['source']} (revision {r['revision']}): {changed}; "
            f"used by {', '.join(r['tickets']['used'])}."
        )
    return said


def _tickets(conn: psycopg.Connection[Any], symbol: str, session: dt.date) -> tuple[str, ...]:
    rows = conn.execute(
        "SELECT t.ticket_id, l.line, l.side FROM ops.tickets t JOIN ops.plans p USING (plan_id) "
        "LEFT JOIN ops.ticket_lines l ON l.plan_id = t.plan_id AND l.symbol = %s "
        "WHERE p.asof = %s AND t.run_id IS NOT NULL ORDER BY t.plan_id",
        (symbol, session),
    )
    return tuple(f"{r['ticket_id']} (line {r['line']}, {r['side']})" if r["line"] else r["ticket_id"] for r in rows)


def _refusals(conn: psycopg.Connection[Any], symbol: str, session: dt.date) -> tuple[str, ...]:
    rows = conn.execute(
        "SELECT source, asked_at, outcome, sentence FROM ops.price_fetches WHERE symbol = %s AND outcome <> 'OK' "
        "AND %s BETWEEN first AND last ORDER BY fetch_id DESC LIMIT 5",
        (symbol, session),
    )
    return tuple(f"{r['asked_at']:%Y-%m-%d %H:%M} UTC {r['source']} {r['outcome']}: {r['sentence']}" for r in rows)
