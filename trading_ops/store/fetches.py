"""The journal of requests to sources, and what of the market is on record: what need not be asked again.

Belongs here: reading and writing both. Does not belong here: deciding what to ask (`intake`).
"""

import datetime as dt
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, TypeAlias

import psycopg

from trading_ops.domain.clock_evidence import Reading
from trading_ops.domain.prices import ACTIONS_UNKNOWN

OK = "OK"
_MACHINE, _SOURCE = "machine_clock", "source_clock"
FetchKind: TypeAlias = Literal["bars", "fixings", "file"]


@dataclass(frozen=True)
class Fetch:
    """One answer of a source, or of a file.

    Attributes:
        round_id: The round it belongs to.
        source: Who was asked.
        kind: Bars of a name, fixings, or a file.
        symbol: The name, for bars.
        first: First day asked for.
        last: Last day asked for.
        asked_at: When, UTC.
        requests: Requests it took, repetitions included.
        outcome: OK, or why nothing came of it.
        sentence: The same for people; empty when it is OK.
        body_name: URL without its key, or file name; empty without a body.
        body_sha256: Hash of the body.
        body_size: Bytes of the body.
        rows: Bars, corporate actions and fixings in it.
        notes: What was odd about it.
        load_id: The load that it became.
        clocks: The source's clock and this machine's when it answered; None when the answer did not tell.
    """

    round_id: uuid.UUID
    source: str
    kind: FetchKind
    symbol: str | None
    first: dt.date | None
    last: dt.date | None
    asked_at: dt.datetime
    requests: int
    outcome: str
    sentence: str = ""
    body_name: str = ""
    body_sha256: str | None = None
    body_size: int | None = None
    rows: tuple[int, int, int] = (0, 0, 0)
    notes: tuple[str, ...] = ()
    load_id: int | None = None
    clocks: Reading | None = None


@dataclass(frozen=True)
class Held:
    """That a source has a bar of a name's session, and whether it would have told of a corporate action."""

    symbol: str
    session: dt.date
    source: str
    tells_actions: bool


@dataclass(frozen=True)
class Answered:
    """The newest answer of a source about a name's days (`symbol` None: about fixings)."""

    symbol: str | None
    source: str
    first: dt.date
    last: dt.date
    asked_at: dt.datetime
    outcome: str


def record(conn: psycopg.Connection[Any], fetch: Fetch) -> None:
    """Write an answer into the journal."""
    bars, actions, fixings = fetch.rows
    conn.execute(
        "INSERT INTO ops.price_fetches (round_id, source, kind, symbol, first, last, asked_at, requests, outcome, "
        "sentence, body_name, body_sha256, body_size, bars, actions, fixings, notes, load_id) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            fetch.round_id, fetch.source, fetch.kind, fetch.symbol, fetch.first, fetch.last, fetch.asked_at,
            fetch.requests, fetch.outcome, fetch.sentence, fetch.body_name, fetch.body_sha256, fetch.body_size,
            bars, actions, fixings, json.dumps([*fetch.notes, *_clocks(fetch.clocks)]), fetch.load_id,
        ),
    )  # fmt: skip


def _clocks(reading: Reading | None) -> list[dict[str, str]]:
    """Stands among the notes, the journal's place for whatever else is known of an answer."""
    return [] if reading is None else [{_MACHINE: reading.machine.isoformat(), _SOURCE: reading.source.isoformat()}]


def clock_readings(conn: psycopg.Connection[Any], since: dt.datetime, until: dt.datetime) -> Mapping[str, Reading]:
    """What each source's clock said in its newest answer that told, asked for between two moments; by source."""
    rows = conn.execute(
        "SELECT DISTINCT ON (source) source, said ->> %(machine)s AS machine, said ->> %(source)s AS told "
        "FROM ops.price_fetches, jsonb_array_elements(notes) AS said "
        "WHERE kind <> 'file' AND asked_at BETWEEN %(since)s AND %(until)s AND jsonb_typeof(said) = 'object' "
        "AND said ? %(machine)s AND said ? %(source)s ORDER BY source, asked_at DESC, fetch_id DESC",
        {"machine": _MACHINE, "source": _SOURCE, "since": since, "until": until},
    )
    parse = dt.datetime.fromisoformat
    return {row["source"]: Reading(parse(row["machine"]), parse(row["told"])) for row in rows}


def requests_since(conn: psycopg.Connection[Any], source: str, since: dt.datetime) -> int:
    """Requests made to a source from a moment on, repetitions included."""
    row = conn.execute(
        "SELECT coalesce(sum(requests), 0) AS requests FROM ops.price_fetches WHERE source = %s AND asked_at >= %s",
        (source, since),
    ).fetchone()
    return int(row["requests"]) if row else 0


def held(conn: psycopg.Connection[Any], symbols: Sequence[str], first: dt.date, last: dt.date) -> tuple[Held, ...]:
    """Which source has which bar between two days."""
    rows = conn.execute(
        "SELECT DISTINCT ON (session, symbol, source) symbol, session, source, flags !~ %s AS tells_actions "
        "FROM ops.market_prices_eod WHERE session BETWEEN %s AND %s AND symbol = ANY(%s) "
        "ORDER BY session, symbol, source, revision DESC",
        (ACTIONS_UNKNOWN, first, last, list(symbols)),
    )
    return tuple(Held(**row) for row in rows)


def answers_since(conn: psycopg.Connection[Any], since: dt.datetime) -> tuple[Answered, ...]:
    """Answers from a moment on, newest first, each with the days it was about; files are not among them."""
    rows = conn.execute(
        "SELECT symbol, source, first, last, asked_at, outcome FROM ops.price_fetches "
        "WHERE asked_at >= %s AND kind <> 'file' AND first IS NOT NULL AND last IS NOT NULL "
        "ORDER BY asked_at DESC, fetch_id DESC",
        (since,),
    )
    return tuple(Answered(**row) for row in rows)


def known_closes(
    conn: psycopg.Connection[Any], symbol: str, first: dt.date, last: dt.date, order: Sequence[str], not_of: str
) -> dict[dt.date, Decimal]:
    """As-traded closes in USD on record, by session: of any source but one, the first in the order that has it."""
    rows = conn.execute(
        "SELECT DISTINCT ON (session) session, close FROM ops.market_prices_eod "
        "WHERE symbol = %(symbol)s AND session BETWEEN %(first)s AND %(last)s AND source = ANY(%(order)s) "
        "AND source <> %(not_of)s AND close > 0 "
        "ORDER BY session, array_position(%(order)s::text[], source), revision DESC",
        {"symbol": symbol, "first": first, "last": last, "order": list(order), "not_of": not_of},
    )
    return {row["session"]: row["close"] for row in rows}


def known_splits(
    conn: psycopg.Connection[Any], symbol: str, order: Sequence[str], not_of: str
) -> tuple[tuple[dt.date, Decimal], ...]:
    """Splits of a name on record, from any source but one, by ex-date."""
    rows = conn.execute(
        "SELECT DISTINCT ON (ex_date) ex_date, value FROM (SELECT DISTINCT ON (ex_date, source) ex_date, source, value "
        "FROM ops.corporate_actions WHERE symbol = %(symbol)s AND kind = 'split' AND source = ANY(%(order)s) "
        "AND source <> %(not_of)s ORDER BY ex_date, source, revision DESC) x WHERE value > 0 "
        "ORDER BY ex_date, array_position(%(order)s::text[], source)",
        {"symbol": symbol, "order": list(order), "not_of": not_of},
    )
    return tuple((row["ex_date"], row["value"]) for row in rows)


def actions_of(
    conn: psycopg.Connection[Any], symbol: str, source: str, days: Sequence[dt.date]
) -> tuple[tuple[dt.date, str], ...]:
    """Ex-dates and kinds of the actions that a source's newest word gives a name on some days."""
    rows = conn.execute(
        "SELECT ex_date, kind FROM (SELECT DISTINCT ON (ex_date, kind) ex_date, kind, value FROM ops.corporate_actions "
        "WHERE symbol = %s AND source = %s AND ex_date = ANY(%s) ORDER BY ex_date, kind, revision DESC) newest "
        "WHERE value > 0 ORDER BY ex_date, kind",
        (symbol, source, list(days)),
    )
    return tuple((row["ex_date"], row["kind"]) for row in rows)


def fixing_days(conn: psycopg.Connection[Any]) -> Mapping[str, tuple[dt.date, dt.date]]:
    """First and last day of the fixings on record, by source."""
    rows = conn.execute("SELECT source, min(day) AS first, max(day) AS last FROM ops.fx_rates_eod GROUP BY source")
    return {row["source"]: (row["first"], row["last"]) for row in rows}


@dataclass(frozen=True)
class SourceState:
    """What the journal says of a source: when it last answered well, and its newest answer of all."""

    source: str
    last_ok: dt.datetime | None
    last_asked: dt.datetime
    outcome: str
    sentence: str
    requests_today: int


def source_states(conn: psycopg.Connection[Any], today: dt.datetime) -> tuple[SourceState, ...]:
    """Every source that was ever asked, by name.

    Args:
        conn: A connection.
        today: From when on requests count as today's.
    """
    rows = conn.execute(
        "SELECT DISTINCT ON (f.source) f.source, f.asked_at AS last_asked, f.outcome, f.sentence, "
        "(SELECT max(asked_at) FROM ops.price_fetches o WHERE o.source = f.source AND o.outcome = 'OK') AS last_ok, "
        "(SELECT coalesce(sum(requests), 0)::int FROM ops.price_fetches r WHERE r.source = f.source "
        "AND r.asked_at >= %s) AS requests_today "
        "FROM ops.price_fetches f WHERE f.kind <> 'file' ORDER BY f.source, f.asked_at DESC, f.fetch_id DESC",
        (today,),
    )
    return tuple(SourceState(**row) for row in rows)
