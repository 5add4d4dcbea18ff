"""Measuring a move: against the session before, the name's own habits, the market and the source's adjusted close.

Nothing after the session is looked at, so a plan of that day and a report years later measure the same.
Does not belong here: what the figures mean (`moves`), finding large moves (`suspects`, `history`).
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import pairwise

from trading_ops.domain import calendar
from trading_ops.domain.move_facts import Move
from trading_ops.domain.prices import Bar, MarketView
from trading_ops.domain.suspects import bar_fault, last_valid_bar, valid_bar
from trading_ops.domain.values import ONE, ZERO, Session, Symbol, exact

HABIT_SESSIONS = 20
"""A month: long enough that one odd session does not move a median, short enough to know a crisis by its habits."""
HABIT_FEWEST = 5
"""Fewer sessions than a week say nothing about a habit."""
EARLY_SESSIONS = 5
"""Sessions before the move in which a source may have adjusted for it too early."""
EARLY_STEP = Decimal("1.25")
"""A step of the adjustment this large is no ordinary dividend; the smallest usual split is 1.5."""
_FULL_SESSION = 390  # minutes, 09:30 to 16:00 New York


def measure(market: MarketView, symbol: Symbol, session: Session, benchmark: Symbol) -> Move | None:
    """The move of a name into a session, or None when it or the session before has no valid bar.

    Args:
        market: Bars and actions; what it holds after the session is not looked at.
        symbol: The name.
        session: The session of the move.
        benchmark: The market's yardstick.
    """
    bar = valid_bar(market, symbol, session)
    previous = last_valid_bar(market, symbol, session) if bar is not None else None
    if bar is None or previous is None:
        return None
    split = market.split_factor(symbol, previous.session, session)
    distribution = _distribution(market, symbol, previous.session, session)
    before = _bars_before(market.bars[symbol], session)
    enough = len(before) >= HABIT_FEWEST
    return Move(
        symbol=symbol,
        session=session,
        previous_session=previous.session,
        previous_close=previous.close,
        open=bar.open,
        high=bar.high,
        low=bar.low,
        close=bar.close,
        volume=bar.volume,
        split=split,
        distribution=distribution,
        benchmark=benchmark,
        market=_market_move(market, benchmark, previous.session, session) if symbol != benchmark else None,
        habit=len(before),
        usual_range=_usual([_over(b.high, b.low) for b in before], ONE) if enough else None,
        usual_volume=_usual([b.volume for b in before], ZERO) if enough else None,
        usual_turnover=_usual(_turnovers(before), ZERO) if enough else None,
        adjusted=_adjusted(bar, previous),
        adjusted_early=_adjusted_early(market, symbol, before),
        trading_time=_trading_time(session),
        tells_actions=bar.tells_actions,
    )


def _distribution(market: MarketView, symbol: Symbol, after: Session, through: Session) -> Decimal:
    with exact():
        return sum((d.value for d in market.dividends(symbol, after, through)), ZERO)


def _bars_before(bars: Mapping[Session, Bar], session: Session) -> list[Bar]:
    """The last valid bars before a session, ascending."""
    found: list[Bar] = []
    for day in reversed(list(bars)):
        if day < session and not bar_fault(bars[day]):
            found.append(bars[day])
            if len(found) == HABIT_SESSIONS:
                break
    return found[::-1]


def _turnovers(before: Sequence[Bar]) -> list[Decimal]:
    with exact():
        return [bar.volume * bar.close for bar in before]


def _usual(values: Sequence[Decimal], nothing: Decimal) -> Decimal | None:
    """The median, or None when it is the value that says nothing happened."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    with exact():
        median = ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    return median if median > nothing else None


def _market_move(market: MarketView, benchmark: Symbol, previous: Session, session: Session) -> Decimal | None:
    then, now = valid_bar(market, benchmark, previous), valid_bar(market, benchmark, session)
    if then is None or now is None:
        return None
    with exact():
        return now.close * market.split_factor(benchmark, previous, session) / then.close


def _adjusted(bar: Bar, previous: Bar) -> Decimal | None:
    return _over(bar.adj_close, previous.adj_close) if _one_adjustment(bar, previous) else None


def _one_adjustment(bar: Bar, previous: Bar) -> bool:
    """Both adjusted closes come from one source that adjusts; only then do they say what it counted."""
    return bar.adjusted and previous.adjusted and bar.source == previous.source


def _adjusted_early(market: MarketView, symbol: Symbol, before: Sequence[Bar]) -> Decimal | None:
    """The product of the steps of adjusted close / close that no action on record explains."""
    known = {action.ex_date for action in market.actions.get(symbol, ())}
    product = ONE
    for older, newer in pairwise(before[-EARLY_SESSIONS - 1 :]):
        if not _one_adjustment(newer, older) or any(older.session < day <= newer.session for day in known):
            continue
        with exact():
            step = newer.adj_close * older.close / (newer.close * older.adj_close)
            if not 1 / EARLY_STEP <= step <= EARLY_STEP:
                product *= step
    return None if product == ONE else product


def _trading_time(session: Session) -> Decimal:
    if not calendar.is_session(session):
        return ONE
    minutes = (calendar.close_utc(session) - calendar.open_utc(session)).seconds // 60
    with exact():
        return Decimal(minutes) / _FULL_SESSION


def _over(one: Decimal, other: Decimal) -> Decimal:
    with exact():
        return one / other
