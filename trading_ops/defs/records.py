"""What the Dagster layer looks up beside the store's own functions: read-only, nothing decides money here."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg

from trading_ops.domain.prices import Bar
from trading_ops.domain.suspects import bar_fault


@dataclass(frozen=True)
class Loaded:
    """Bars of one session and source. `fetched_at` and `load_id` are the newest."""

    source: str
    bars: int
    names: int
    fetched_at: dt.datetime
    load_id: int


@dataclass(frozen=True)
class PlanRecord:
    """A plan as the schedule of record knows it; the ticket's columns are None without a ticket."""

    plan_id: str
    opens_at: dt.datetime
    decide_by: dt.datetime
    created_at: dt.datetime
    ticket_id: str | None


def loaded_of(conn: psycopg.Connection[Any], session: dt.date) -> tuple[Loaded, ...]:
    """What is stored of a session, by source."""
    rows = conn.execute(
        "SELECT source, count(*) AS bars, count(DISTINCT symbol) AS names, max(fetched_at) AS fetched_at, "
        "max(load_id) AS load_id FROM ops.market_prices_eod WHERE session = %s GROUP BY source ORDER BY source",
        (session,),
    )
    return tuple(Loaded(**row) for row in rows)


@dataclass(frozen=True)
class Origin:
    """Where a bar came from: a source's newest revision, whether it is a valid bar, and the body it was read from."""

    symbol: str
    source: str
    revision: int
    close: Decimal
    verdict: str
    body_sha256: str
    fetched_at: str
    flags: str


_BAR = "symbol, session, open, high, low, close, adj_close, volume, source, revision"


def provenance_of(conn: psycopg.Connection[Any], session: dt.date) -> tuple[Origin, ...]:
    """Every source's newest revision of a session's bars, by name; a load of several files shows no single hash."""
    rows = conn.execute(
        f"SELECT DISTINCT ON (symbol, source) {_BAR}, flags, fetched_at, load_id FROM ops.market_prices_eod "
        "WHERE session = %s ORDER BY symbol, source, revision DESC",
        (session,),
    ).fetchall()
    hashes = conn.execute(
        "SELECT load_id, CASE WHEN count(*) = 1 THEN left(min(body_sha256), 16) ELSE count(*) || ' files' END AS body "
        "FROM ops.price_fetches WHERE load_id = ANY(%s) GROUP BY load_id",
        ([row["load_id"] for row in rows],),
    )
    bodies = {row["load_id"]: row["body"] for row in hashes}
    found = []
    for row in rows:
        fetched_at, flags, load_id = row.pop("fetched_at"), row.pop("flags"), row.pop("load_id")
        bar = Bar(**row)
        found.append(
            Origin(
                bar.symbol, bar.source, bar.revision, bar.close, bar_fault(bar) or "valid", bodies.get(load_id, ""),
                f"{fetched_at:%Y-%m-%d %H:%M:%S}", flags.lower().replace("_", " "),
            )
        )  # fmt: skip
    return tuple(found)


def owing_a_ticket(conn: psycopg.Connection[Any]) -> tuple[PlanRecord, ...]:
    """Plans without a ticket, oldest first."""
    rows = conn.execute(
        "SELECT p.plan_id, p.opens_at, p.decide_by, p.created_at, NULL AS ticket_id FROM ops.plans p "
        "WHERE p.kind = 'weekly' AND NOT EXISTS (SELECT 1 FROM ops.tickets t WHERE t.plan_id = p.plan_id) "
        "ORDER BY p.asof"
    )
    return tuple(PlanRecord(**row) for row in rows)


def issued_through_dagster(conn: psycopg.Connection[Any], newest: int) -> tuple[PlanRecord, ...]:
    """The newest plans whose ticket Dagster should know: not those that the direct driver decided."""
    rows = conn.execute(
        "SELECT p.plan_id, p.opens_at, p.decide_by, p.created_at, t.ticket_id FROM ops.tickets t "
        "JOIN ops.plans p USING (plan_id) LEFT JOIN ops.runs r USING (run_id) "
        "WHERE r.driver IS DISTINCT FROM 'direct' ORDER BY p.asof DESC LIMIT %s",
        (newest,),
    )
    return tuple(PlanRecord(**row) for row in rows)


def runs_with_facts(conn: psycopg.Connection[Any], plan_id: str, facts_seq: int) -> int:
    """How often a plan was evaluated with the same facts."""
    row = conn.execute(
        "SELECT count(*) AS runs FROM ops.runs WHERE plan_id = %s AND facts_seq = %s", (plan_id, facts_seq)
    ).fetchone()
    return int(row["runs"]) if row else 0
