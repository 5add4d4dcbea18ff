"""The market as it turned out, for the simulated broker and executor only; no plan ever sees it."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg

from trading_ops.domain.policy import Policy
from trading_ops.domain.prices import clean_ratio


@dataclass(frozen=True)
class Truth:
    """Opens in USD by symbol and session, splits and dividends by ex-date, and dollars for a pound by day."""

    opens: Mapping[tuple[str, dt.date], Decimal]
    splits: Mapping[dt.date, tuple[tuple[str, Decimal], ...]]
    dividends: Mapping[dt.date, tuple[tuple[str, Decimal], ...]]
    fixings: tuple[tuple[dt.date, Decimal], ...]

    def usd_per_gbp(self, day: dt.date) -> Decimal:
        """The last fixing on or before a day."""
        return next(rate for when, rate in reversed(self.fixings) if when <= day)


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
    actions = conn.execute(
        "SELECT DISTINCT ON (ex_date, symbol, kind) ex_date, symbol, kind, value FROM ops.corporate_actions "
        "WHERE ex_date BETWEEN %(first)s AND %(last)s "
        "ORDER BY ex_date, symbol, kind, array_position(%(order)s, source), revision DESC",
        span,
    )
    for r in actions:
        if r["kind"] == "split":
            ratio = clean_ratio(r["value"], policy.data.split_max_denominator, policy.data.split_noise)
            splits.setdefault(r["ex_date"], []).append((r["symbol"], ratio))
        elif r["value"] > 0:
            dividends.setdefault(r["ex_date"], []).append((r["symbol"], r["value"]))
    fixings = conn.execute(
        "SELECT DISTINCT ON (day) day, rate FROM ops.fx_rates_eod WHERE day <= %(last)s "
        "ORDER BY day, array_position(%(order)s, source), revision DESC",
        span,
    )
    return Truth(
        opens,
        {day: tuple(rows) for day, rows in splits.items()},
        {day: tuple(rows) for day, rows in dividends.items()},
        tuple((r["day"], r["rate"]) for r in fixings),
    )
