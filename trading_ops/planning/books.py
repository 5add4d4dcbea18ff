"""The books at a session: positions, cash and equity, from the facts and the newest market data."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg

from trading_ops.domain import calendar
from trading_ops.domain.ledger import EquityPoint, LedgerFacts, LedgerState, equity_series, ledger_at
from trading_ops.domain.values import exact
from trading_ops.planning.inputs import looked_back, names_ever_held
from trading_ops.store import audit, configuration, ledger, snapshot_view, snapshots


@dataclass(frozen=True)
class BookState:
    """Positions and cash at the close of a session, values in pounds by name, equity since the first fact."""

    asof: dt.date
    ledger: LedgerState
    values_gbp: Mapping[str, Decimal]
    equity: tuple[EquityPoint, ...]


def book_at(conn: psycopg.Connection[Any], root: Path, asof: dt.date) -> BookState:
    """The books at a session, any since day one.

    Raises:
        CalendarError: The date is no session.
    """
    policy = configuration.policy_in_force(conn).policy
    head = audit.head(conn).seq
    with conn.transaction():
        snapshot = snapshots.build(conn, root, asof=asof, actions_through=calendar.next_session(asof), policy=policy)
    fills, movements = ledger.fills(conn, head), ledger.movements(conn, head)
    events = ledger.events(conn, head)
    market = snapshot_view.view(
        root, snapshot, policy, looked_back(asof, fills, movements), names_ever_held(fills, events)
    )
    splits = tuple(a for actions in market.actions.values() for a in actions if a.kind == "split" and a.ex_date <= asof)
    facts = LedgerFacts(fills, movements, splits, events)
    days = [m.day for m in facts.movements] + [f.session for f in facts.fills]
    first = min((day for day in days if day <= asof), default=None)
    points = equity_series(facts, market, calendar.sessions(first, asof)) if first else ()
    state = ledger_at(facts, asof)
    fixing = market.fixing(asof)
    with exact():
        values = {
            symbol: position.units * bar.close / fixing.usd_per_gbp
            for symbol, position in state.positions.items()
            if fixing and (bar := market.bar(symbol, asof))
        }
    return BookState(asof, state, values, points)
