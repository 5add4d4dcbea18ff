"""Figures of the reports: profit split into its sources, drawdown over time, the same money in the benchmark.

Does not belong here: returns and the drawdown rule themselves (`performance`), what the reports hold (`report_facts`).
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from trading_ops.domain.adjustment import derived_adjusted_closes
from trading_ops.domain.ledger import LedgerFacts, LedgerState
from trading_ops.domain.performance import XIRR_DAYS, IndexPoint, xirr
from trading_ops.domain.prices import CorporateAction
from trading_ops.domain.values import ONE, ZERO, Session, Symbol, exact


@dataclass(frozen=True, slots=True)
class Profit:
    """Where equity came from, in pounds: equity = paid in + realised + unrealised + dividends + other."""

    paid_in_gbp: Decimal
    realised_gbp: Decimal
    unrealised_gbp: Decimal
    dividends_gbp: Decimal
    other_gbp: Decimal


def profit(facts: LedgerFacts, state: LedgerState, values_gbp: Mapping[Symbol, Decimal], asof: dt.date) -> Profit:
    """Split what a book is worth into its sources.

    Args:
        facts: The ledger's facts; those after the day do not count.
        state: The book at the close of the day.
        values_gbp: What each held name is worth; every held name has one.
        asof: The day.

    Returns:
        Realised: proceeds less cost of every lot closed so far. Unrealised: value less cost of the open lots. Other:
        interest, fees and adjustments of the account, and what is left (cash of corporate events).
    """
    with exact():
        moved = [m for m in facts.movements if m.day <= asof]
        paid_in = sum((m.amount_gbp for m in moved if m.is_flow), ZERO)
        dividends = sum((m.amount_gbp for m in moved if m.kind == "dividend"), ZERO)
        realised = sum((lot.profit_gbp for lot in state.realised), ZERO)
        unrealised = sum((values_gbp[s] - p.cost_gbp for s, p in state.positions.items()), ZERO)
        equity = state.cash_gbp + sum((values_gbp[s] for s in state.positions), ZERO)
        return Profit(paid_in, realised, unrealised, dividends, equity - paid_in - realised - unrealised - dividends)


def drawdowns(index: Sequence[IndexPoint]) -> tuple[Decimal, ...]:
    """Share lost from the running maximum at every point: 1 - index / maximum so far, the maximum being 1 at least."""
    found = []
    peak = ONE
    with exact():
        for point in index:
            peak = max(peak, point.index)
            found.append(ONE - point.index / peak)
    return tuple(found)


def deepest(index: Sequence[IndexPoint]) -> tuple[Session, Decimal] | None:
    """The session of the largest drawdown, the first of equal ones, and how large; None without points."""
    lost = drawdowns(index)
    if not lost:
        return None
    place = lost.index(max(lost))
    return index[place].session, lost[place]


def benchmark_in_pounds(
    closes: Mapping[Session, Decimal],
    actions: Sequence[CorporateAction],
    rates: Mapping[Session, Decimal],
    sessions: Sequence[Session],
) -> tuple[IndexPoint, ...]:
    """The benchmark's index in pounds, dividends reinvested: adjusted close / G over its value at the first session.

    Args:
        closes: Raw closes in USD by session.
        actions: Its splits and dividends.
        rates: G by session, the last fixing on or before it.
        sessions: Those of the book's index, ascending.

    Returns:
        One point a session, a session without a close repeating the one before; empty when the first has no close or
        no rate, because then nothing can be compared.
    """
    if not sessions or sessions[0] not in closes or sessions[0] not in rates:
        return ()
    adjusted = derived_adjusted_closes({s: c for s, c in closes.items() if c > ZERO}, actions)
    points: list[IndexPoint] = []
    index = ONE
    with exact():
        first = adjusted[sessions[0]] / rates[sessions[0]]
        for session in sessions:
            if session in adjusted and session in rates:
                index = adjusted[session] / rates[session] / first
            points.append(IndexPoint(session, index))
    return tuple(points)


@dataclass(frozen=True, slots=True)
class MoneyWeighted:
    """XIRR over the time that passed, and a year; the latter only from one year on. None where no rate exists."""

    since_start: Decimal | None
    a_year: Decimal | None


def money_weighted(flows: Sequence[tuple[dt.date, Decimal]], final: tuple[dt.date, Decimal]) -> MoneyWeighted:
    """The money-weighted return of some flows: the rate a year, and (1 + rate)^(days / 365) - 1 over the time."""
    rate = xirr(flows, final)
    if rate is None:
        return MoneyWeighted(None, None)
    days = (final[0] - min(day for day, _ in flows)).days
    with exact():
        grown = (ONE + rate) ** (Decimal(days) / XIRR_DAYS) - ONE if rate > -ONE else -ONE
    return MoneyWeighted(grown, rate if days >= XIRR_DAYS else None)


@dataclass(frozen=True, slots=True)
class SameMoney:
    """The book's deposits and withdrawals, put into the benchmark instead: their worth and their rates."""

    value_gbp: Decimal
    mwr: MoneyWeighted


def same_money(
    flows: Sequence[tuple[dt.date, Decimal]], benchmark: Sequence[IndexPoint], asof: Session
) -> SameMoney | None:
    """What the same flows would be worth in the benchmark; None without a benchmark at the first flow.

    A flow buys at the close of the last session on or before its day, one before the first session at the first.
    """
    known = [p for p in benchmark if p.session <= asof]
    counted = [(day, amount) for day, amount in flows if day <= asof]
    if not known or not counted:
        return None
    with exact():
        units = ZERO
        for day, amount in counted:
            before = [p for p in known if p.session <= day]
            units += amount / (before[-1] if before else known[0]).index
        value = units * known[-1].index
    return SameMoney(value, money_weighted(counted, (asof, value)))


def between(index: Sequence[IndexPoint], after: Session | None, through: Session) -> Decimal | None:
    """Return of an index from the close of one session to that of another; from its start of 1 when there was none yet.

    None when there is no point on or before the end.
    """
    ends = [p for p in index if p.session <= through]
    starts = [p for p in index if after is not None and p.session <= after]
    if not ends:
        return None
    with exact():
        return ends[-1].index / (starts[-1].index if starts else ONE) - ONE
