"""Reading the market as it turned out, for the simulated broker and executor only; no plan ever sees it."""

import datetime as dt
from decimal import Decimal
from typing import Any

import psycopg

from trading_ops.domain.made_up_account import Truth
from trading_ops.domain.policy import Policy
from trading_ops.store import chosen


def read(conn: psycopg.Connection[Any], first: dt.date, last: dt.date, policy: Policy) -> Truth:
    """Read a span of the stored market, newest revisions of the policy's first source."""
    order = list(policy.data.source_order)
    span = {"first": first, "last": last, "order": order}
    bars = conn.execute(
        "SELECT DISTINCT ON (session, symbol) session, symbol, open FROM ops.market_prices_eod "
        "WHERE session BETWEEN %(first)s AND %(last)s "
        "ORDER BY session, symbol, array_position(%(order)s, source), revision DESC",
        span,
    )
    opens = {(r["symbol"], r["session"]): r["open"] for r in bars}
    splits: dict[dt.date, list[tuple[str, Decimal]]] = {}
    dividends: dict[dt.date, list[tuple[str, Decimal]]] = {}
    for action in chosen.actions(conn, policy.data, first, last):
        of_kind = splits if action.kind == "split" else dividends
        of_kind.setdefault(action.ex_date, []).append((action.symbol, action.value))
    return Truth(
        opens,
        {day: tuple(rows) for day, rows in splits.items()},
        {day: tuple(rows) for day, rows in dividends.items()},
        tuple((f.day, f.usd_per_gbp) for f in chosen.fixings(conn, policy.data, chosen.FIRST_DAY, last)),
    )
