"""Which of several sources' corporate actions and fixings count, outside of a data snapshot: the same choice, today.

Whose actions count on an ex-date: those of the first source that has a bar of it and tells of actions, and of any
source before it in the policy's order. Else a split that two sources put on different days would count twice.
"""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import psycopg

from trading_ops.domain.errors import BadInput
from trading_ops.domain.policy import Data
from trading_ops.domain.prices import CorporateAction, Fixing, clean_ratio, undisputed

RANKED_ACTIONS = """
    WITH known AS (
        SELECT DISTINCT ON (symbol, ex_date, kind, source) *, array_position(%(order)s::text[], source) AS place
        FROM ops.corporate_actions
        WHERE ex_date BETWEEN %(first)s AND %(last)s AND load_id <= %(mark)s AND source = ANY(%(order)s)
          AND (%(names)s::text[] IS NULL OR symbol = ANY(%(names)s))
        ORDER BY symbol, ex_date, kind, source, revision DESC),
    placed AS (
        -- A subquery a row, not a join: whatever the planner knows of the tables, it is one look-up a row.
        SELECT k.*, coalesce(k.place <= (
            SELECT min(array_position(%(order)s::text[], b.source))
            FROM (SELECT DISTINCT ON (m.source) m.source, m.flags FROM ops.market_prices_eod m
                  WHERE m.session = k.ex_date AND m.symbol = k.symbol AND m.load_id <= %(mark)s
                    AND m.source = ANY(%(order)s)
                  ORDER BY m.source, m.revision DESC) b
            WHERE b.flags !~ 'ACTIONS_UNKNOWN'), true) AS counts
        FROM known k),
    ranked AS (
        SELECT *, counts AND rank() OVER (PARTITION BY symbol, ex_date, kind ORDER BY NOT counts, place) = 1 AS picked
        FROM placed)"""
"""Query text up to `ranked`: every source's newest word of each action, `picked` where it counts. Parameters: `first`
and `last` ex-date, `order` of sources, `mark`: the newest load that may be seen, `names` or null for all."""

FIRST_DAY, LAST_DAY = dt.date(1900, 1, 1), dt.date(9999, 12, 31)
_NO_MARK = 2**62


def actions(
    conn: psycopg.Connection[Any], data: Data, first: dt.date, last: dt.date, names: Sequence[str] | None = None
) -> tuple[CorporateAction, ...]:
    """Corporate actions that count between two ex-dates, of some names or of all, by ex-date and symbol."""
    rows = conn.execute(
        RANKED_ACTIONS + " SELECT symbol, ex_date, kind, value, source FROM ranked WHERE picked AND value > 0 "
        "ORDER BY ex_date, symbol, kind",
        {"first": first, "last": last, "order": list(data.source_order), "mark": _NO_MARK, "names": names},
        prepare=False,
    )
    return tuple(_action(row, data) for row in rows)


def every_action(
    conn: psycopg.Connection[Any], data: Data, symbol: str, first: dt.date, last: dt.date
) -> tuple[tuple[CorporateAction, bool], ...]:
    """Every source's newest word of a name's actions between two ex-dates, each with whether it counts."""
    rows = conn.execute(
        RANKED_ACTIONS + " SELECT symbol, ex_date, kind, value, source, picked FROM ranked WHERE value > 0 "
        "ORDER BY ex_date, kind, place",
        {"first": first, "last": last, "order": list(data.source_order), "mark": _NO_MARK, "names": [symbol]},
        prepare=False,
    )
    return tuple((_action(row, data), row["picked"]) for row in rows)


def _action(row: dict[str, Any], data: Data) -> CorporateAction:
    value = row["value"]
    if row["kind"] == "split":
        value = clean_ratio(value, data.split_max_denominator, data.split_noise)
    return CorporateAction(row["symbol"], row["ex_date"], row["kind"], value, row["source"])


def usd_per_gbp(conn: psycopg.Connection[Any], data: Data, day: dt.date) -> Decimal:
    """Dollars for one pound on a day: the last fixing on or before it.

    Raises:
        BadInput: There is none.
    """
    for look_back in (dt.timedelta(days=21), day - FIRST_DAY):
        known = fixings(conn, data, day - look_back, day)
        if known:
            return known[-1].usd_per_gbp
    raise BadInput(f"There is no GBPUSD fixing on or before {day}. Load one: trading-ops prices load.")


def fixings(conn: psycopg.Connection[Any], data: Data, first: dt.date, last: dt.date) -> tuple[Fixing, ...]:
    """Fixings between two days that no other source disputes, by day."""
    rows = conn.execute(
        "SELECT DISTINCT ON (day, source) day, source, rate, array_position(%(order)s::text[], source) AS place "
        "FROM ops.fx_rates_eod WHERE day BETWEEN %(first)s AND %(last)s AND source = ANY(%(order)s) "
        "ORDER BY day, source, revision DESC",
        {"first": first, "last": last, "order": list(data.fx_order)},
    ).fetchall()
    by_place = sorted(rows, key=lambda r: (r["day"], r["place"]))
    chosen: dict[dt.date, Fixing] = {}
    others = []
    for row in by_place:
        fixing = Fixing(row["day"], row["rate"], row["source"])
        if row["day"] in chosen:
            others.append(fixing)
        else:
            chosen[row["day"]] = fixing
    kept, _ = undisputed(tuple(chosen.values()), tuple(others), data.fx_cross_tolerance)
    return kept
