"""The market of one name and a few sessions straight from the database, chosen as a data snapshot chooses.

For looking something up; a plan reads its data snapshot and nothing else.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import psycopg

from trading_ops.domain.policy import Data
from trading_ops.domain.prices import ACTIONS_UNKNOWN, NOT_ADJUSTED, Bar, MarketView, Witness
from trading_ops.store import chosen


def revisions(conn: psycopg.Connection[Any], symbol: str, first: dt.date, last: dt.date) -> list[dict[str, Any]]:
    """Every revision of a name's bars between two sessions, newest first within a session and source."""
    return conn.execute(
        "SELECT m.*, l.origin FROM ops.market_prices_eod m JOIN ops.price_loads l USING (load_id) "
        "WHERE m.symbol = %s AND m.session BETWEEN %s AND %s ORDER BY m.session, m.source, m.revision DESC",
        (symbol, first, last),
    ).fetchall()


def of_names(
    conn: psycopg.Connection[Any], symbols: Sequence[str], first: dt.date, last: dt.date, data: Data
) -> MarketView:
    """The market of some names and a few sessions; see `of_name`."""
    views = [of_name(conn, symbol, first, last, data) for symbol in dict.fromkeys(symbols)]
    return MarketView(
        asof=last,
        bars={symbol: bars for view in views for symbol, bars in view.bars.items()},
        duplicates=(),
        actions={symbol: actions for view in views for symbol, actions in view.actions.items()},
        fixings=(),
        witnesses={symbol: seen for view in views for symbol, seen in view.witnesses.items()},
        witness_actions={symbol: actions for view in views for symbol, actions in view.witness_actions.items()},
    )


def of_name(conn: psycopg.Connection[Any], symbol: str, first: dt.date, last: dt.date, data: Data) -> MarketView:
    """The market of one name and a few sessions, chosen as a data snapshot chooses."""
    order = list(data.source_order)
    newest: dict[tuple[dt.date, str], dict[str, Any]] = {}
    for row in revisions(conn, symbol, first, last):
        newest.setdefault((row["session"], row["source"]), row)
    by_session: dict[dt.date, list[dict[str, Any]]] = {}
    for (session, source), row in newest.items():
        if source in order:
            by_session.setdefault(session, []).append(row)
    bars, witnesses = {}, {}
    for session, rows in by_session.items():
        first_row, *rest = sorted(rows, key=lambda r: order.index(r["source"]))
        bars[session] = _bar(first_row)
        witnesses[session] = tuple(
            Witness(symbol, session, r["close"], r["source"], ACTIONS_UNKNOWN not in r["flags"]) for r in rest
        )
    actions = chosen.every_action(conn, data, symbol, first, last)
    return MarketView(
        asof=last,
        bars={symbol: dict(sorted(bars.items()))},
        duplicates=(),
        actions={symbol: tuple(action for action, counts in actions if counts)},
        fixings=(),
        witnesses={symbol: witnesses},
        witness_actions={symbol: tuple(action for action, counts in actions if not counts)},
    )


def _bar(r: dict[str, Any]) -> Bar:
    return Bar(
        r["symbol"], r["session"], r["open"], r["high"], r["low"], r["close"], r["adj_close"], r["volume"], r["source"],
        r["revision"], NOT_ADJUSTED not in r["flags"], ACTIONS_UNKNOWN not in r["flags"],
    )  # fmt: skip
