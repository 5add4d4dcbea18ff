"""Yahoo's split-adjusted prices as traded again, when it is beyond doubt which splits they were divided by.

Yahoo divides every price by the ratios of all later splits, as of the moment of the answer, so the price as traded is
its price times the splits with an ex-date after the session and up to that moment. An answer that reaches to that
moment carries them itself; otherwise they must be known from elsewhere. Yahoo has been seen to record a split late, to
record it twice, never to record it, and to record it while its prices were not divided yet.

Belongs here: which splits count, contradictions about them, and the arithmetic back. Does not belong here: reading
the chart (`yahoo_chart`).
"""

import datetime as dt
import math
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from trading_ops.domain import calendar
from trading_ops.domain.move_words import split_words
from trading_ops.domain.values import exact, plain
from trading_ops.providers.protocol import Ask, RefusalKind, RefusedData
from trading_ops.providers.yahoo_basis import Basis, Split, as_traded
from trading_ops.providers.yahoo_chart import Chart, Row

DOUBLED = dt.timedelta(days=10)
"""Two splits of one ratio this near to each other are one that was recorded twice."""
SETTLED = dt.timedelta(days=10)
"""After so long a split that no bar of the answer shows is taken to be in its prices."""
LARGE = Fraction(3, 2)
"""From here on a jump by the ratio on a day near the ex-date is no chance either."""
USUAL = (*(Fraction(n) for n in (*range(2, 11), 12, 15, 20, 25, 30, 40, 50)), Fraction(3, 2), Fraction(5, 2))
_NOISE = Fraction(1, 10_000)
_SAME_PRICE = Fraction(1, 500)
_OTHER_PRICE = Fraction(1, 50)
_ABOUT = 0.15
"""Of the logarithm: a jump by a ratio, give or take what a price moves in a day."""


def basis_of(chart: Chart, ask: Ask) -> Basis:
    """The splits that an answer's prices were divided by.

    Args:
        chart: The answer, from the first day asked for.
        ask: With the moment of asking, the splits known from elsewhere and the closes on record.

    Raises:
        RefusedData: SPLIT_CONTRADICTION, or UNCONFIRMED_BASIS when a later split may be missing.
    """
    return _Case(chart, ask).judge()


class _Case:
    def __init__(self, chart: Chart, ask: Ask) -> None:
        self.chart, self.ask = chart, ask
        self.today = ask.at.astimezone(calendar.NEW_YORK).date()
        self.priced = [row for row in chart.rows if row.prices]
        self.first, self.last = chart.rows[0].day, chart.rows[-1].day
        self.complete = self.last >= calendar.last_closed(ask.at)
        self.reach = self.today if self.complete else self.last
        self.told: tuple[Split, ...] = tuple(s for s in chart.splits if s[0] <= self.today and s[1] != 1)
        known = ask.splits.splits if ask.splits else ()
        self.known: tuple[Split, ...] = tuple((d, Fraction(r)) for d, r in known if d <= self.today and r != 1)

    def judge(self) -> Basis:
        self._once()
        self._as_known()
        self._in_the_prices()
        later = tuple(split for split in self.known if split[0] > self.reach)
        basis = Basis(tuple(sorted({*self.told, *later})))
        confirmed = self._on_record(basis)
        through = self.ask.splits.complete_through if self.ask.splits else None
        if not (self.complete or confirmed or (through is not None and through >= self.today)):
            sentence = (
                f"Yahoo divides its prices by every later split, and this answer of {self.today} ends on {self.last}: "
                f"splits from then on are known {'not at all' if through is None else f'through {through} only'}. "
                f"Look up whether {self.symbol} split after {self.last}, or ask a source of prices as traded. "
                "No bar was kept."
            )
            raise self._refuse(RefusalKind.UNCONFIRMED_BASIS, sentence)
        if not confirmed:
            self._settled(basis)
        return basis

    @property
    def symbol(self) -> str:
        return self.ask.instrument.symbol

    def _once(self) -> None:
        """No split twice: every price before it would be wrong by its ratio."""
        for (day, ratio), (next_day, next_ratio) in pairwise(self.told):
            if next_day == day or (next_day - day <= DOUBLED and _near(ratio, next_ratio)):
                sentence = (
                    f"Yahoo has splits {_words(ratio)} on {day} and {_words(next_ratio)} on {next_day}, which looks "
                    f"like one recorded twice. Look up the ex-date of {self.symbol}'s split. No bar was kept."
                )
                raise self._contradiction(sentence)

    def _as_known(self) -> None:
        """The same splits as on record, where both would have them."""
        if self.ask.splits is None:
            return
        through = self.ask.splits.complete_through
        told = [s for s in self.told if s[0] <= through]
        known = [s for s in self.known if self.first <= s[0] <= self.reach]
        for day, ratio in known:
            if not any(d == day and _near(r, ratio) for d, r in self.told):
                near = [f"{_words(r)} on {d}" for d, r in self.told if abs(d - day) <= DOUBLED]
                says = f"Yahoo has {near[0]} instead" if near else f"Yahoo has none in {self.first} to {self.reach}"
                raise self._contradiction(
                    f"a split {_words(ratio)} on {day} is on record, {says}. {self._look_up(day)}"
                )
        for day, ratio in told:
            if not any(d == day and _near(r, ratio) for d, r in self.known):
                says = f"Yahoo has a split {_words(ratio)} on {day}, on record is none up to {through}"
                raise self._contradiction(f"{says}. {self._look_up(day)}")

    def _in_the_prices(self) -> None:
        """No jump by the ratio: prices before a split must be divided by it already."""
        for before, row in pairwise(self.priced):
            for day, ratio in self.told:
                at_it = before.day < day <= row.day
                near = abs(row.day - day) <= DOUBLED and max(ratio, 1 / ratio) >= LARGE
                if (at_it or near) and _jumps(before, row, ratio, exactly=not at_it):
                    sentence = (
                        f"Yahoo has a split {_words(ratio)} on {day}, and its prices fall or rise by about as much on "
                        f"{row.day} (close {_close(before)} before, {_close(row)} then), so they are not divided by it "
                        f"evenly. {self._look_up(day)}"
                    )
                    raise self._contradiction(sentence)

    def _on_record(self, basis: Basis) -> bool:
        """True when a close on record proves the basis.

        Raises:
            RefusedData: Those that differ all do by one usual ratio.
        """
        closes = {row.day: as_traded(_close(row), basis.factor(row.day)) for row in self.priced if self._known(row)}
        apart = {day: Fraction(close) / Fraction(self.ask.known[day]) for day, close in closes.items()}
        ratios = {day: max(times, 1 / times) for day, times in apart.items() if abs(times - 1) > _OTHER_PRICE}
        usual = [u for u in USUAL if ratios and all(abs(ratio / u - 1) <= _SAME_PRICE for ratio in ratios.values())]
        if usual:
            day = max(ratios)
            sentence = (
                f"the close of {day} comes out as {plain(closes[day])}, on record is {plain(self.ask.known[day])}, as "
                f"if a split {_words(usual[0])} were missing or counted twice. {self._look_up(day)}"
            )
            raise self._contradiction(sentence)
        return any(abs(times - 1) <= _SAME_PRICE for times in apart.values())

    def _known(self, row: Row) -> bool:
        return self.ask.known.get(row.day, 0) > 0 and _close(row) > 0

    def _settled(self, basis: Basis) -> None:
        """A split of the last days must show in the answer's bars: Yahoo may not have divided by it yet."""
        shown = self.priced[-1].day if self.priced else self.first
        for day, ratio in basis.splits:
            if day > shown and self.today - day <= SETTLED:
                sentence = (
                    f"a split {_words(ratio)} on {day} is so new that this answer of {self.today} has no bar after it, "
                    "so nobody knows whether its prices are divided by it yet. Ask again after its first session. "
                    "No bar was kept."
                )
                raise self._refuse(RefusalKind.UNCONFIRMED_BASIS, sentence)

    def _look_up(self, day: dt.date) -> str:
        return f"Look up whether and when {self.symbol} split around {day} at its investor pages. No bar was kept."

    def _contradiction(self, sentence: str) -> RefusedData:
        return self._refuse(RefusalKind.SPLIT_CONTRADICTION, sentence)

    def _refuse(self, kind: RefusalKind, sentence: str) -> RefusedData:
        return self.chart.answer.refuse(kind, sentence)


def _near(one: Fraction, other: Fraction) -> bool:
    return abs(one - other) <= _NOISE


def _jumps(before: Row, row: Row, ratio: Fraction, *, exactly: bool) -> bool:
    """Open and close both stand where an undivided price would, not where the last close was.

    Args:
        before: The last bar before.
        row: The bar after it.
        ratio: New units per old unit.
        exactly: True on a day that is not the ex-date, where only about the ratio itself counts.
    """
    whole = abs(math.log(ratio))
    if before.prices is None or row.prices is None or min(*before.prices.values(), *row.prices.values()) <= 0:
        return False
    moves = [abs(math.log(row.prices[name] / before.prices["close"])) for name in ("open", "close")]
    return all(abs(move - whole) < _ABOUT if exactly else move > whole / 2 for move in moves)


def _close(row: Row) -> Decimal:
    return row.prices["close"] if row.prices else Decimal(0)


def _words(ratio: Fraction) -> str:
    with exact():
        return split_words(Decimal(ratio.numerator) / Decimal(ratio.denominator))
