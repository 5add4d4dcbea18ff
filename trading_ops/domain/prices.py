"""Bars, corporate actions, fixings, and the view of the market that one plan sees.

Raw prices are for money, adjusted ones for signals, splits are events.
What is valid or suspicious is judged in `quality`, not here.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal, TypeAlias

from trading_ops.domain.values import ONE, ZERO, Session, Symbol, exact

ActionKind: TypeAlias = Literal["split", "dividend"]


@dataclass(frozen=True, slots=True)
class Bar:
    """One name's session as traded, in USD, with where it came from.

    `adj_close` is adjusted for splits and dividends as its source saw it; volume is in shares.
    """

    symbol: Symbol
    session: Session
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    adj_close: Decimal
    volume: Decimal
    source: str
    revision: int = 1


@dataclass(frozen=True, slots=True)
class CorporateAction:
    """A split (value: new units per old unit) or a dividend (value: USD per share before the split)."""

    symbol: Symbol
    ex_date: Session
    kind: ActionKind
    value: Decimal
    source: str


@dataclass(frozen=True, slots=True)
class Fixing:
    """US dollars for one pound on one day."""

    day: dt.date
    usd_per_gbp: Decimal
    source: str


@dataclass(frozen=True)
class MarketView:
    """The market as one plan sees it: nothing after its as-of session but announced splits.

    Attributes:
        asof: The as-of session D.
        bars: Bars by symbol, then by session, ascending. One bar for each pair: the chosen source's newest revision.
        duplicates: (symbol, session) pairs that were stored more than once with one source and revision.
        actions: Corporate actions by symbol, ex-date ascending; ratios already without float noise.
        fixings: GBPUSD fixings, day ascending, none after D.
        simulated: True when any of it was made by the simulator.
    """

    asof: Session
    bars: Mapping[Symbol, Mapping[Session, Bar]]
    duplicates: tuple[tuple[Symbol, Session], ...]
    actions: Mapping[Symbol, tuple[CorporateAction, ...]]
    fixings: tuple[Fixing, ...]
    simulated: bool = False

    def bar(self, symbol: Symbol, session: Session) -> Bar | None:
        """The name's bar of that session, or None."""
        return self.bars.get(symbol, {}).get(session)

    def splits(self, symbol: Symbol, after: Session, through: Session) -> tuple[CorporateAction, ...]:
        """Splits with `after < ex_date <= through`."""
        return tuple(a for a in self.actions.get(symbol, ()) if a.kind == "split" and after < a.ex_date <= through)

    def dividends(self, symbol: Symbol, after: Session, through: Session) -> tuple[CorporateAction, ...]:
        """Dividends with `after < ex_date <= through`."""
        return tuple(a for a in self.actions.get(symbol, ()) if a.kind == "dividend" and after < a.ex_date <= through)

    def split_factor(self, symbol: Symbol, after: Session, through: Session) -> Decimal:
        """Product of the split ratios with `after < ex_date <= through`; 1 when there is none."""
        factor = ONE
        with exact():
            for split in self.splits(symbol, after, through):
                factor *= split.value
        return factor

    def fixing(self, on: dt.date) -> Fixing | None:
        """The last fixing on or before a day, or None."""
        return next((f for f in reversed(self.fixings) if f.day <= on), None)


def clean_ratio(ratio: Decimal, max_denominator: int, noise: Decimal) -> Decimal:
    """A split ratio without float noise: the nearest fraction with a small denominator if it is that near.

    Args:
        ratio: New units per old unit, > 0.
        max_denominator: Policy `data.split_max_denominator`.
        noise: Policy `data.split_noise`, absolute.

    Returns:
        The fraction as a Decimal (50 digits) or the ratio as given. 7.000007 is 7; 1.487 stays.

    Raises:
        ValueError: The ratio is not finite and positive.
    """
    if not ratio.is_finite() or ratio <= ZERO:
        raise ValueError(f"split ratio {ratio}: must be a finite number above 0")
    nearest = Fraction(ratio).limit_denominator(max_denominator)
    with exact():
        candidate = Decimal(nearest.numerator) / Decimal(nearest.denominator)
        return candidate if candidate > ZERO and abs(candidate - ratio) <= noise else ratio
