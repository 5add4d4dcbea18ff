"""The parts that daily and weekly reports share: money, returns, holdings, costs, curves, what comes next."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from trading_ops.desk import books_now
from trading_ops.domain import calendar
from trading_ops.domain.costs import FillCost, total
from trading_ops.domain.kill_switch import armed_since
from trading_ops.domain.ledger import LedgerState
from trading_ops.domain.ledger_facts import Fill
from trading_ops.domain.performance import annualised, drawdown
from trading_ops.domain.report_facts import Costs, Holding, Money, Next, Point, Returns
from trading_ops.domain.report_figures import between, deepest, drawdowns, money_weighted, profit, same_money
from trading_ops.domain.ticket_words import close_day
from trading_ops.domain.values import ONE, UNIT_PLACES, ZERO, Session, Symbol, exact, fixed, plain
from trading_ops.reports.ground import Ground

SHARE_PLACES = 6
CURVE = 253
"""Sessions that the curves show: a year."""
TRADES = 24
"""Newest trades of which the cost is shown, one by one."""


def gbp(amount: Decimal) -> str:
    """Pounds as facts hold them."""
    return fixed(amount, 2)


def share(value: Decimal | None) -> str | None:
    """A fraction as facts hold it."""
    return None if value is None else fixed(value, SHARE_PLACES)


def known(value: Decimal) -> str:
    """A fraction that is there."""
    return fixed(value, SHARE_PLACES)


class Worth:
    """The book at a session with what every held name is worth, as equity counts it.

    Attributes:
        state: Positions, lots and cash.
        values_gbp: Pounds by held name.
        priced_on: The session of the close each is valued at; absent where only the purchase price is known.
    """

    def __init__(self, g: Ground, session: Session) -> None:
        found = books_now.values(g.conn, g.of, session)
        self.state: LedgerState = found.ledger
        self.priced_on = {symbol: day for symbol, day in found.priced_on.items() if symbol in found.values_gbp}
        self.values_gbp: dict[Symbol, Decimal] = dict(found.values_gbp)
        with exact():
            for symbol, position in self.state.positions.items():
                if symbol not in self.values_gbp and found.usd_per_gbp:
                    self.values_gbp[symbol] = position.units * position.lots[-1].price_usd / found.usd_per_gbp


def shared(g: Ground, worth: Worth, session: Session, money: Money, returns: Returns, coming: Next) -> dict[str, Any]:
    """The fields of `SharedFacts` at the close of a session, all but head and version."""
    sizing = g.of.policy.sizing
    return {
        "money": money,
        "returns": returns,
        "holdings": holdings(worth, g.point(session).equity_gbp),
        "cash_share": cash_share(g, session),
        "cash_floor": known(sizing.cash_floor),
        "max_weight": known(sizing.max_weight),
        "costs": costs_so_far(g, session),
        "trades": newest_trades(g, session),
        "next": coming,
        "points": curve(g, session),
        "rollout": g.rollout,
    }


def money(g: Ground, worth: Worth, session: Session) -> Money:
    """Where the pounds are, and where they came from."""
    point = g.point(session)
    split = profit(g.of.facts, worth.state, worth.values_gbp, session)
    return Money(
        equity_gbp=gbp(point.equity_gbp), cash_gbp=gbp(point.cash_gbp), holdings_gbp=gbp(point.holdings_gbp),
        paid_in_gbp=gbp(split.paid_in_gbp), realised_gbp=gbp(split.realised_gbp),
        unrealised_gbp=gbp(split.unrealised_gbp), dividends_gbp=gbp(split.dividends_gbp),
        other_gbp=gbp(split.other_gbp), complete=point.complete,
    )  # fmt: skip


def returns(g: Ground, session: Session, after: Session | None) -> Returns:
    """How the book did since the close of `after`, and since it began."""
    index = tuple(p for p in g.index if p.session <= session)
    benchmark = tuple(p for p in g.benchmark if p.session <= session)
    flows = [(m.day, m.amount_gbp) for m in g.of.facts.movements if m.is_flow and m.day <= session]
    mine = money_weighted(flows, (session, g.point(session).equity_gbp)) if flows else None
    same = same_money(flows, benchmark, session)
    low = deepest(index)
    lost = drawdown(index, armed_since(g.switch, session)) if index else None
    with exact():
        twr = index[-1].index - ONE if index else None
        beside = benchmark[-1].index - ONE if benchmark else None
    since = index[0].session if index else None
    return Returns(
        since=since,
        period=share(between(index, after, session)),
        period_gbp=gbp(_gained(g, session, after)),
        period_benchmark=share(between(benchmark, after, session)),
        twr=share(twr),
        twr_a_year=share(annualised(twr, (session - since).days)) if twr is not None and since else None,
        benchmark=g.of.policy.data.benchmark,
        benchmark_twr=share(beside),
        drawdown=share(lost),
        drawdown_allowed=known(g.of.policy.risk.drawdown_max),
        deepest=share(low[1]) if low else None,
        deepest_on=low[0] if low else None,
        mwr=share(mine.since_start) if mine else None,
        mwr_a_year=share(mine.a_year) if mine else None,
        benchmark_mwr=share(same.mwr.since_start) if same else None,
        benchmark_mwr_a_year=share(same.mwr.a_year) if same else None,
        benchmark_value_gbp=gbp(same.value_gbp) if same else None,
    )


def _gained(g: Ground, session: Session, after: Session | None) -> Decimal:
    """Pounds won or lost since the close of `after`: what equity moved without deposits and withdrawals."""
    points = [p for p in g.points if p.session <= session]
    before = [p for p in points if after is not None and p.session <= after]
    with exact():
        start = before[-1].equity_gbp if before else (points[0].opening_gbp or ZERO)
        moved = sum((p.flow_gbp for p in points[len(before) :]), ZERO)
        return points[-1].equity_gbp - start - moved


def holdings(worth: Worth, equity_gbp: Decimal) -> tuple[Holding, ...]:
    """Every held name, the largest first."""
    values = worth.values_gbp
    with exact():
        return tuple(
            Holding(
                symbol=symbol,
                units=fixed(worth.state.positions[symbol].units, UNIT_PLACES),
                value_gbp=gbp(values[symbol]),
                share=known(values[symbol] / equity_gbp if equity_gbp > ZERO else ZERO),
                unrealised_gbp=gbp(values[symbol] - worth.state.positions[symbol].cost_gbp),
                priced_on=worth.priced_on.get(symbol),
            )
            for symbol in sorted(values, key=lambda s: (-values[s], s))
        )


def cash_share(g: Ground, session: Session) -> str:
    """Cash as a share of equity."""
    point = g.point(session)
    with exact():
        return known(point.cash_gbp / point.equity_gbp if point.equity_gbp > ZERO else ZERO)


def costs(label: str, of: Sequence[FillCost]) -> Costs:
    """What some fills cost, under a name."""
    found = total(label, of)
    return Costs(
        label=label, fills=found.fills, value_gbp=gbp(found.notional_gbp), fx_gbp=gbp(found.fx_gbp),
        slippage_gbp=gbp(found.slippage_gbp), fees_gbp=gbp(found.commission_gbp), total_gbp=gbp(found.total_gbp),
        bps=fixed(found.bps, 1),
    )  # fmt: skip


def costs_so_far(g: Ground, session: Session) -> tuple[Costs, ...]:
    """This month, this year, since the start."""
    so_far = [cost for _, cost in g.costs if cost.day <= session]
    year = [cost for cost in so_far if cost.day.year == session.year]
    month = [cost for cost in year if cost.day.month == session.month]
    return costs("This month", month), costs("This year", year), costs("Since the start", so_far)


def newest_trades(g: Ground, session: Session) -> tuple[Costs, ...]:
    """The newest trades' costs, oldest first; the fills of one ticket line are one trade."""
    trades: dict[str, tuple[Fill, list[FillCost]]] = {}
    for fill, cost in g.costs:
        if cost.day <= session:
            trades.setdefault(fill.ticket_line or fill.fill_id, (fill, []))[1].append(cost)
    newest = list(trades.values())[-TRADES:]
    return tuple(costs(f"{close_day(fill.session)} {fill.side} {fill.symbol}", of) for fill, of in newest)


def curve(g: Ground, session: Session) -> tuple[Point, ...]:
    """The last year of the curves; drawdown from the running maximum since the start."""
    index = [p for p in g.index if p.session <= session]
    lost = drawdowns(index)
    beside = {p.session: p.index for p in g.benchmark}
    return tuple(
        Point(
            session=p.session, equity_gbp=gbp(g.point(p.session).equity_gbp), index=known(p.index),
            benchmark=share(beside.get(p.session)), drawdown=known(down),
        )
        for p, down in list(zip(index, lost, strict=True))[-CURVE:]
    )  # fmt: skip


def coming(g: Ground, at: dt.datetime) -> Next:
    """The next rebalance whose window is not over yet."""
    asof = calendar.last_session_of_week(at.date() - dt.timedelta(days=7))
    times = calendar.plan_times(asof, g.of.policy)
    while times.window_close <= at:
        asof = calendar.last_session_of_week(asof + dt.timedelta(days=7))
        times = calendar.plan_times(asof, g.of.policy)
    return Next(
        week=times.week, opens_utc=times.opens_at, decide_by_utc=times.decide_by, session=times.window_session,
        window_open_utc=times.window_open, window_close_utc=times.window_close, confirm_by_utc=times.confirm_by,
        clock_note=times.clock_note,
    )  # fmt: skip


def rate_words(rate: Decimal | None) -> str | None:
    """Dollars for one pound."""
    return None if rate is None else plain(rate)
