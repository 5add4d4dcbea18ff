"""What is wrong or suspicious about single bars: validity, jumps no corporate action explains, special distributions.

Belongs here: judging one name's bars. Does not belong here: what that means for the plan (`quality`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from trading_ops.domain import calendar
from trading_ops.domain.adjustment import one_share_later
from trading_ops.domain.policy import Data
from trading_ops.domain.prices import Bar, CorporateAction, MarketView
from trading_ops.domain.values import ZERO, Session, Symbol, exact, fixed, plain

SUSPECT_JUMP = "SUSPECT_JUMP"
SUSPECT_SPLIT = "SUSPECT_SPLIT"
SPECIAL_DISTRIBUTION = "SPECIAL_DISTRIBUTION"
CROSS_CHECK = "CROSS_CHECK"


@dataclass(frozen=True, slots=True)
class Suspect:
    """One finding that freezes a name until a person accepts it at that session or the data is corrected.

    Attributes:
        symbol: The name.
        session: The session (ex-date for a distribution) on which it shows.
        code: SUSPECT_JUMP, SUSPECT_SPLIT, SPECIAL_DISTRIBUTION or CROSS_CHECK.
        sentence: What was seen, for the operator.
    """

    symbol: Symbol
    session: Session
    code: str
    sentence: str


def bar_fault(bar: Bar) -> str:
    """What makes a bar invalid, in a few words, or "" when it is valid (RULES, Valid bar)."""
    prices = {"open": bar.open, "high": bar.high, "low": bar.low, "close": bar.close, "adjusted close": bar.adj_close}
    for name, price in prices.items():
        if not price.is_finite() or price <= ZERO:
            return f"{name} {price} is not a price above 0"
    if bar.low > min(bar.open, bar.close):
        return f"low {plain(bar.low)} is above open or close"
    if bar.high < max(bar.open, bar.close):
        return f"high {plain(bar.high)} is below open or close"
    if not bar.volume.is_finite() or bar.volume < ZERO:
        return f"volume {bar.volume} is not a number from 0 up"
    return ""


def valid_bar(market: MarketView, symbol: Symbol, session: Session) -> Bar | None:
    """The name's bar of a session when it is valid, else None."""
    bar = market.bar(symbol, session)
    return bar if bar is not None and not bar_fault(bar) else None


def last_valid_bar(market: MarketView, symbol: Symbol, before: Session) -> Bar | None:
    """The name's newest valid bar strictly before a session, or None."""
    bars = market.bars.get(symbol)
    if not bars:
        return None
    oldest = max(next(iter(bars)), calendar.FIRST_DAY)
    session = before
    while session > oldest:
        session = calendar.previous_session(session)
        bar = valid_bar(market, symbol, session)
        if bar is not None:
            return bar
    return None


def find_suspects(
    market: MarketView, symbols: Iterable[Symbol], after: Session, carried: Iterable[Suspect], data: Data
) -> tuple[Suspect, ...]:
    """Every suspicious session with `after < session <= D`, and of earlier findings those that still hold.

    Args:
        market: Bars and actions through D.
        symbols: Names to look at.
        after: The previous plan's as-of session.
        carried: Findings of earlier plans that nobody has accepted: they are judged again, so that a correction
            clears them and mere passing of time does not.
        data: The policy's `data` section.

    Returns:
        Findings by symbol and session; at most one for each pair, a jump before a distribution.
    """
    found = [s for symbol in symbols for s in _suspects_between(market, symbol, after, market.asof, data)]
    found += [s for old in carried for s in _again(market, old, data)]
    first: dict[tuple[Symbol, Session], Suspect] = {}
    for suspect in sorted(found, key=lambda s: (s.symbol, s.session, s.code == SPECIAL_DISTRIBUTION)):
        first.setdefault((suspect.symbol, suspect.session), suspect)
    return tuple(first.values())


def _again(market: MarketView, old: Suspect, data: Data) -> tuple[Suspect, ...]:
    previous = last_valid_bar(market, old.symbol, old.session)
    if previous is None:
        return (old,)  # what it was judged by is gone: nothing has cleared it
    if old.code != SPECIAL_DISTRIBUTION and valid_bar(market, old.symbol, old.session) is None:
        return (old,)
    day_before = calendar.previous_session(old.session)
    return _suspects_between(market, old.symbol, day_before, old.session, data)


def _suspects_between(
    market: MarketView, symbol: Symbol, after: Session, through: Session, data: Data
) -> tuple[Suspect, ...]:
    jumps = (_jump(market, symbol, session, data) for session in calendar.sessions(after, through) if session > after)
    specials = (_special(market, dividend, data) for dividend in market.dividends(symbol, after, through))
    return tuple(suspect for suspect in (*jumps, *specials) if suspect is not None)


def _jump(market: MarketView, symbol: Symbol, session: Session, data: Data) -> Suspect | None:
    """|ln(P / P_prev x split factor)| > ln(jump_max), written without logarithms so that it is exact.

    P_prev is the last valid close before, however old: after a gap all splits and dividends of the gap count.
    """
    bar = valid_bar(market, symbol, session)
    previous = last_valid_bar(market, symbol, session) if bar is not None else None
    if bar is None or previous is None:
        return None
    with exact():
        factor = market.split_factor(symbol, previous.session, session)
        now = bar.close * factor
        if _near(now, previous.close, data.jump_max):
            return None
        units, cash = one_share_later(market.actions.get(symbol, ()), previous.session, session)
        if _near(units * bar.close + cash, previous.close, data.jump_max):
            return None
        low, high = sorted((now, previous.close))
        split = next((s for s in data.usual_splits if abs(high - s * low) <= data.split_tolerance * s * low), None)
        move = f"{fixed(high / low, 4)} times {'up' if now == high else 'down'}"
    seen = (
        f"{symbol} {session}: close {plain(previous.close)} to {plain(bar.close)} USD with split factor "
        f"{plain(factor)}, {move}"
    )
    if split is None:
        return Suspect(symbol, session, SUSPECT_JUMP, f"{seen}, and no corporate action explains it.")
    return Suspect(symbol, session, SUSPECT_SPLIT, f"{seen}: near a split by {plain(split)} that is not recorded.")


def _special(market: MarketView, dividend: CorporateAction, data: Data) -> Suspect | None:
    previous = last_valid_bar(market, dividend.symbol, dividend.ex_date)
    if previous is None:
        return None
    with exact():
        # Splits of a gap before the ex-date count; one on the ex-date does not, the amount is per share before it.
        units = market.split_factor(dividend.symbol, previous.session, calendar.previous_session(dividend.ex_date))
        paid = dividend.value * units
        if paid <= data.special_distribution * previous.close:
            return None
        share = fixed(paid / previous.close, 4)
    return Suspect(
        dividend.symbol,
        dividend.ex_date,
        SPECIAL_DISTRIBUTION,
        f"{dividend.symbol} {dividend.ex_date}: a distribution of {plain(dividend.value)} USD is {share} "
        f"of the previous close {plain(previous.close)}; a spin-off or a split may be recorded as a dividend.",
    )


def _near(one: Decimal, other: Decimal, limit: Decimal) -> bool:
    """Neither is more than `limit` times the other; by products, since a rounded quotient would decide ties."""
    return one <= other * limit and other <= one * limit
