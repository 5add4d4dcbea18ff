"""The morning's valuation of the book, apart from any plan."""

import datetime as dt

import dagster as dg

from trading_ops.defs import plots
from trading_ops.defs.resources import Desk
from trading_ops.defs.show import OWNERS, columns, percent, pounds, preview, table_of
from trading_ops.domain import calendar
from trading_ops.domain.performance import drawdown, twr_index
from trading_ops.planning import books
from trading_ops.store import market

EQUITY = columns(session="date", equity_gbp="numeric", cash_gbp="numeric", holdings_gbp="numeric", flow_gbp="numeric")
SHOWN_SESSIONS = 20


@dg.asset(group_name="daily", owners=OWNERS, kinds={"python"}, metadata=table_of(None, EQUITY))
def daily_valuation(desk: dg.ResourceParam[Desk]) -> dg.MaterializeResult[None]:
    """What the book was worth at the last close that is loaded, and the way there."""
    loaded = market.first_and_last_session(desk.conn)
    yesterday = desk.now().astimezone(calendar.NEW_YORK).date()
    if loaded is None:
        raise dg.Failure("There are no prices yet. Load them with `trading-ops prices load`.", allow_retries=False)
    session = calendar.previous_session(min(loaded[1] + dt.timedelta(days=1), yesterday))
    state = books.book_at(desk.conn, desk.settings.snapshots_dir, session)
    points = state.equity
    if not points:
        return dg.MaterializeResult(metadata={"session": session.isoformat(), "equity": pounds(state.ledger.cash_gbp)})
    index = twr_index(points)
    rows = [
        (p.session, p.equity_gbp, p.cash_gbp, p.holdings_gbp, p.flow_gbp) for p in reversed(points[-SHOWN_SESSIONS:])
    ]
    return dg.MaterializeResult(
        metadata={
            "session": session.isoformat(),
            "equity": pounds(points[-1].equity_gbp),
            "cash": pounds(points[-1].cash_gbp),
            "drawdown": percent(drawdown(index, None)),
            "last sessions": preview(EQUITY, rows),
            "equity and drawdown": plots.equity(points, index),
        },
    )
