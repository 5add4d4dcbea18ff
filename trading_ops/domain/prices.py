"""Bars, corporate actions, fixings, and the view of the market that one plan sees.

Raw prices are for money, adjusted ones for signals, splits are events.
What is valid or suspicious is judged in `quality`, not here.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Literal, TypeAlias

from trading_ops.domain.values import ONE, ZERO, Session, Symbol, exact, plain

ActionKind: TypeAlias = Literal["split", "dividend"]

NOT_ADJUSTED = "NOT_ADJUSTED"
"""Flag of a bar whose adjusted close only repeats the close."""
ACTIONS_UNKNOWN = "ACTIONS_UNKNOWN"
"""Flag of a bar whose source would not have told of a corporate action."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One name's session as traded, in USD, with where it came from.

    `adj_close` is adjusted for splits and dividends as its source saw it, or as of the view's own session where the
    source does not adjust; volume is in shares. `adjusted` and `tells_actions` are what the source says of the bar:
    that its adjusted close is one, and that it would have told of a split or dividend on this session.
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
    adjusted: bool = True
    tells_actions: bool = True


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


@dataclass(frozen=True, slots=True)
class Witness:
    """What another source says of a session that the chosen bar is of: its close in USD as traded."""

    symbol: Symbol
    session: Session
    close: Decimal
    source: str
    tells_actions: bool = True


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
        witnesses: What the other sources say, by symbol and session, in the policy's order of sources.
        witness_actions: Corporate actions that were not chosen, by symbol: what other sources know of the same days.
        disputed: Days whose fixing two sources do not agree about, as sentences; such fixings are not in `fixings`.
    """

    asof: Session
    bars: Mapping[Symbol, Mapping[Session, Bar]]
    duplicates: tuple[tuple[Symbol, Session], ...]
    actions: Mapping[Symbol, tuple[CorporateAction, ...]]
    fixings: tuple[Fixing, ...]
    simulated: bool = False
    witnesses: Mapping[Symbol, Mapping[Session, tuple[Witness, ...]]] = field(default_factory=dict)
    witness_actions: Mapping[Symbol, tuple[CorporateAction, ...]] = field(default_factory=dict)
    disputed: tuple[str, ...] = ()

    def bar(self, symbol: Symbol, session: Session) -> Bar | None:
        """The name's bar of that session, or None."""
        return self.bars.get(symbol, {}).get(session)

    def witnesses_of(self, symbol: Symbol, session: Session) -> tuple[Witness, ...]:
        """What other sources say of a name's session; empty when there is only one source."""
        return self.witnesses.get(symbol, {}).get(session, ())

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


def undisputed(
    chosen: tuple[Fixing, ...], others: tuple[Fixing, ...], tolerance: Decimal
) -> tuple[tuple[Fixing, ...], tuple[str, ...]]:
    """Fixings that no other source contradicts, and a sentence for each that one does.

    Args:
        chosen: The fixing of each day, from the first source in the policy's order.
        others: What other sources say.
        tolerance: Policy `data.fx_cross_tolerance`, a share: sources fix at different hours of the day.
    """
    kept, disputed = [], []
    rates: dict[dt.date, list[Fixing]] = {}
    for other in others:
        rates.setdefault(other.day, []).append(other)
    for fixing in chosen:
        against = next(
            (o for o in rates.get(fixing.day, ()) if not within(fixing.usd_per_gbp, o.usd_per_gbp, tolerance)), None
        )
        if against is None:
            kept.append(fixing)
            continue
        disputed.append(
            f"GBPUSD {fixing.day}: {plain(fixing.usd_per_gbp)} ({fixing.source}) and {plain(against.usd_per_gbp)} "
            f"({against.source}) do not agree; the fixing is not used."
        )
    return tuple(kept), tuple(disputed)


def within(one: Decimal, other: Decimal, tolerance: Decimal) -> bool:
    """Two prices differ by at most a share of the first; False for anything that is no positive number."""
    if not (one.is_finite() and other.is_finite() and one > ZERO and other > ZERO):
        return False
    with exact():
        return abs(other - one) <= tolerance * one
