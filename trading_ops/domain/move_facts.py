"""A large move of one price, in the figures that say what it was: everything known when its session is over.

Belongs here: the figures. Does not belong here: taking them from bars (`move_measure`), what they mean (`moves`).
"""

from dataclasses import dataclass
from decimal import Decimal

from trading_ops.domain.values import ONE, ZERO, Session, Symbol, exact


@dataclass(frozen=True, slots=True)
class Move:
    """One close compared with the last valid one before it. Prices in USD as traded, ratios as plain factors.

    Attributes:
        symbol: The name.
        session: The session of the move.
        previous_session: The session of the last valid bar before.
        previous_close: Its close.
        open: The session's bar.
        high: The session's bar.
        low: The session's bar.
        close: The session's bar.
        volume: Shares traded in the session, 0 when the source knows of none.
        split: Recorded new units per old unit since the previous close; 1 without a split.
        distribution: Recorded USD per share since the previous close; 0 without one.
        benchmark: The name of the market's yardstick.
        market: The benchmark's close over its close of the previous session; None when unknown, and for the
            benchmark itself.
        habit: How many sessions before the usual figures come from.
        usual_range: Median of high / low; None when unknown or 1, when the name hardly traded.
        usual_volume: Median of the shares traded; None when unknown or 0.
        usual_turnover: Median of shares x close, in USD; None when unknown or 0.
        adjusted: Adjusted close over the previous one, as the source saw it; None when the source adjusts nothing.
        adjusted_early: Factor by which the source adjusted in the sessions just before without an action on record.
        trading_time: Share of a full session in which the exchange was open.
        tells_actions: False when the bar's source would not have told of a corporate action.
    """

    symbol: Symbol
    session: Session
    previous_session: Session
    previous_close: Decimal
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    split: Decimal = ONE
    distribution: Decimal = ZERO
    benchmark: Symbol = ""
    market: Decimal | None = None
    habit: int = 0
    usual_range: Decimal | None = None
    usual_volume: Decimal | None = None
    usual_turnover: Decimal | None = None
    adjusted: Decimal | None = None
    adjusted_early: Decimal | None = None
    trading_time: Decimal = ONE
    tells_actions: bool = True

    @property
    def raw(self) -> Decimal:
        """Close over the previous close, as traded."""
        return _over(self.close, self.previous_close)

    @property
    def ratio(self) -> Decimal:
        """The same with the recorded split: what one old share's price became."""
        return _over(self.close * self.split, self.previous_close)

    @property
    def gap(self) -> Decimal:
        """Open, with the recorded split, over the previous close: what happened while nobody could trade."""
        return _over(self.open * self.split, self.previous_close)

    @property
    def totals(self) -> tuple[Decimal, Decimal]:
        """The ratio with the distribution, taken per share before and per share after the split of its day.

        Sources differ in it, so both are looked at; without a split they are the same.
        """
        with exact():
            before = self.close * self.split + self.distribution
            after = (self.close + self.distribution) * self.split
        return _over(before, self.previous_close), _over(after, self.previous_close)

    @property
    def size(self) -> Decimal:
        """|ln ratio|."""
        return _size(self.ratio)

    @property
    def in_session(self) -> Decimal:
        """|ln (close / open)|: what was traded rather than found at the open."""
        return _size(_over(self.close, self.open))

    @property
    def overnight(self) -> Decimal:
        """Share of the move that had happened at the open; negative when the open went the other way."""
        with exact():
            return self.gap.ln() / self.ratio.ln() if self.ratio != ONE else ZERO

    @property
    def habits(self) -> Decimal | None:
        """The move in usual daily ranges of the name."""
        return None if self.usual_range is None else _over(self.size, _size(self.usual_range))

    @property
    def range_times(self) -> Decimal | None:
        """The session's own range in usual daily ranges of the name."""
        return None if self.usual_range is None else _over(_size(_over(self.high, self.low)), _size(self.usual_range))

    @property
    def shares_times(self) -> Decimal | None:
        """Shares traded over the usual ones, the recorded split considered, for the time the exchange was open."""
        if self.usual_volume is None or not self.volume:
            return None
        with exact():
            return self.volume / (self.usual_volume * self.split * self.trading_time)

    @property
    def turnover_times(self) -> Decimal | None:
        """The same in USD: a split changes nothing in it, recorded or not."""
        if self.usual_turnover is None or not self.volume:
            return None
        with exact():
            return self.volume * self.close / (self.usual_turnover * self.trading_time)

    @property
    def volume_times(self) -> Decimal | None:
        """The smallest reading of the volume: some sources restate the shares traded before a split, others do not."""
        if self.shares_times is None or self.turnover_times is None:
            return None
        with exact():
            return min(self.shares_times, self.shares_times * self.split, self.turnover_times)


def _over(one: Decimal, other: Decimal) -> Decimal:
    with exact():
        return one / other


def _size(ratio: Decimal) -> Decimal:
    with exact():
        return abs(ratio.ln())
