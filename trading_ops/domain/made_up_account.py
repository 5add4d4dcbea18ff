"""An account at a broker that is made up: positions opened by each BUY, splits at the open, dividends on the ex-date.

The simulated broker and the paper broker keep one. It knows nothing of the ledger, so that the two can be reconciled.
Does not belong here: who trades in it (`simulation`), what people see of it (`desk.paper_account`).
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from trading_ops.domain.calendar import sessions
from trading_ops.domain.values import ONE, PENCE_PLACES, UNIT_PLACES, ZERO, exact, half_even


@dataclass(frozen=True)
class Truth:
    """The market as it turned out.

    Attributes:
        opens: USD by symbol and session; only who trades at the open needs them.
        splits: Names with their ratios, by ex-date.
        dividends: Names with USD a unit, by ex-date.
        fixings: Days with their dollars for a pound, ascending.
    """

    opens: Mapping[tuple[str, dt.date], Decimal]
    splits: Mapping[dt.date, tuple[tuple[str, Decimal], ...]]
    dividends: Mapping[dt.date, tuple[tuple[str, Decimal], ...]]
    fixings: tuple[tuple[dt.date, Decimal], ...]

    def usd_per_gbp(self, day: dt.date) -> Decimal:
        """The last fixing on or before a day."""
        return next(rate for when, rate in reversed(self.fixings) if when <= day)


@dataclass
class Position:
    """One position as the broker lists it."""

    position_id: str
    symbol: str
    units: Decimal


@dataclass(frozen=True)
class Credit:
    """A dividend that the broker paid into the account, net, in pounds."""

    symbol: str
    ex_date: dt.date
    amount_gbp: Decimal


@dataclass
class MadeUpAccount:
    """The account. `now` is the last session whose open it has lived through."""

    truth: Truth
    withholding: Decimal
    cash_gbp: Decimal
    now: dt.date
    positions: list[Position] = field(default_factory=list)
    credits: list[Credit] = field(default_factory=list)
    opened: int = 0

    def advance(self, through: dt.date) -> None:
        """Live through the opens of the sessions after `now`: dividends on the old units, then splits."""
        for session in sessions(self.now + dt.timedelta(days=1), through):
            for symbol, amount in self.truth.dividends.get(session, ()):
                self._credit(symbol, amount, session)
            for symbol, ratio in self.truth.splits.get(session, ()):
                for position in self.positions:
                    if position.symbol == symbol:
                        with exact():
                            position.units = half_even(position.units * ratio, UNIT_PLACES)
        self.now = max(self.now, through)

    def _credit(self, symbol: str, amount_usd: Decimal, session: dt.date) -> None:
        units = self.units().get(symbol, ZERO)
        if units:
            with exact():
                net = units * amount_usd * (ONE - self.withholding) / self.truth.usd_per_gbp(session)
            credit = Credit(symbol, session, half_even(net, PENCE_PLACES))
            if credit.amount_gbp:
                self.cash_gbp += credit.amount_gbp
                self.credits.append(credit)

    def units(self) -> dict[str, Decimal]:
        """Units by symbol, sorted, positions added up."""
        total: dict[str, Decimal] = {}
        for position in self.positions:
            total[position.symbol] = total.get(position.symbol, ZERO) + position.units
        return {symbol: total[symbol] for symbol in sorted(total) if total[symbol] > ZERO}

    def buy(self, symbol: str, amount_gbp: Decimal, units: Decimal) -> str:
        """Open a position; returns its Position ID."""
        self.opened += 1
        position = Position(f"{2_270_000_000 + self.opened}", symbol, units)
        self.cash_gbp -= amount_gbp
        self.positions.append(position)
        return position.position_id

    def sell(self, symbol: str, units: Decimal, value_gbp: Decimal) -> None:
        """Close units of a name, oldest position first."""
        self.cash_gbp += value_gbp
        left = units
        for position in self.positions:
            if position.symbol == symbol and left > ZERO:
                closed = min(position.units, left)
                position.units -= closed
                left -= closed
        self.positions = [p for p in self.positions if p.units > ZERO]

    def take_back(self, symbol: str, side: str, units: Decimal, value_gbp: Decimal, position_id: str | None) -> None:
        """As if so much of an execution had never been filled."""
        if side == "SELL":
            self.opened += 1
            self.cash_gbp -= value_gbp
            self.positions.append(Position(f"{2_270_000_000 + self.opened}", symbol, units))
            return
        self.cash_gbp += value_gbp
        for position in self.positions:
            if position.position_id == position_id:
                position.units -= units
        self.positions = [p for p in self.positions if p.units > ZERO]

    def copy(self) -> "MadeUpAccount":
        """The same account, to live on by itself."""
        return replace(self, positions=[replace(p) for p in self.positions], credits=list(self.credits))
