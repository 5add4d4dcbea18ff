"""The ledger: positions, lots and cash as replayed from facts. The one door to its parts.

Belongs here: the state at a session, and what a fill's missing half and its implied rate are.
Does not belong here: storage, the market's prices (`valuation`), the comparison with the broker (`reconciliation`).
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from trading_ops.domain.dividends import ExpectedDividend, expected_dividends
from trading_ops.domain.errors import LedgerError
from trading_ops.domain.ledger_book import Replay
from trading_ops.domain.ledger_facts import CashMovement, CorporateEvent, Fill, LedgerFacts
from trading_ops.domain.lots import LostFraction, Lot, Position, RealisedLot, position_of
from trading_ops.domain.valuation import EquityPoint, equity_series
from trading_ops.domain.values import PENCE_PLACES, UNIT_PLACES, ZERO, Session, Symbol, exact, half_even

__all__ = [
    "CashMovement",
    "CorporateEvent",
    "EquityPoint",
    "ExpectedDividend",
    "Fill",
    "LedgerFacts",
    "LedgerState",
    "LostFraction",
    "Lot",
    "Position",
    "RealisedLot",
    "complete_fill",
    "equity_series",
    "expected_dividends",
    "implied_fx",
    "ledger_at",
]


@dataclass(frozen=True)
class LedgerState:
    """The book at the close of a session.

    Attributes:
        asof: The session (or day).
        cash_gbp: Cash in pounds; below zero when a deposit was not recorded yet.
        positions: Held names (units > 0), sorted by symbol.
        realised: Closed lots in the order of closing.
        lost_fractions: Units that rounding took at splits.
    """

    asof: Session
    cash_gbp: Decimal
    positions: Mapping[Symbol, Position]
    realised: tuple[RealisedLot, ...]
    lost_fractions: tuple[LostFraction, ...]

    @property
    def units(self) -> Mapping[Symbol, Decimal]:
        """Units by held name."""
        return {symbol: position.units for symbol, position in self.positions.items()}

    @property
    def lots(self) -> Mapping[Symbol, tuple[Lot, ...]]:
        """Open lots by held name, oldest first."""
        return {symbol: position.lots for symbol, position in self.positions.items()}


def ledger_at(facts: LedgerFacts, asof: dt.date) -> LedgerState:
    """The book at the close of a session, splits with ex-date on or before it applied.

    Args:
        facts: Every fact that counts; later ones are not looked at.
        asof: The session, or any day for the book as of that evening.

    Returns:
        The same state for the same facts, in whatever order they come.

    Raises:
        LedgerError: A fill sells more than is held, or an event concerns a name that is not held; the text names it.
    """
    with exact():
        replay = Replay(facts)
        replay.advance(asof)
        book = replay.book
        positions = {symbol: position_of(symbol, book.lots[symbol]) for symbol in sorted(book.lots)}
    return LedgerState(asof, book.cash_gbp, positions, tuple(book.realised), tuple(book.lost_fractions))


def complete_fill(
    units: Decimal | None, value_gbp: Decimal | None, price_usd: Decimal, usd_per_gbp: Decimal
) -> tuple[Decimal, Decimal, bool]:
    """Fill in the half of a fill that the person did not read off.

    Args:
        units: Units, or None.
        value_gbp: Pounds, or None.
        price_usd: Price per unit in USD.
        usd_per_gbp: G, the last fixing on or before the fill's day.

    Returns:
        Units (6 decimals, half even), pounds (pence, half even) and whether one of them was estimated.
        Values that were given come back as they are.

    Raises:
        LedgerError: Both are missing, or price or rate are not above 0.
    """
    if price_usd <= ZERO or usd_per_gbp <= ZERO:
        raise LedgerError(f"price {price_usd} USD and rate {usd_per_gbp} USD/GBP must be above 0. Correct them.")
    with exact():
        if units is not None and value_gbp is not None:
            return units, value_gbp, False
        if value_gbp is not None:
            return half_even(value_gbp * usd_per_gbp / price_usd, UNIT_PLACES), value_gbp, True
        if units is not None:
            return units, half_even(units * price_usd / usd_per_gbp, PENCE_PLACES), True
    raise LedgerError("the fill has neither units nor value. Enter at least one of them.")


def implied_fx(fill: Fill) -> Decimal:
    """Dollars per pound that the broker really used: units x price / value (RULES, Ledger).

    Raises:
        LedgerError: The fill has no value in pounds.
    """
    if fill.value_gbp <= ZERO:
        raise LedgerError(f"fill {fill.fill_id} has no value in pounds, so it implies no rate. Record its value.")
    with exact():
        return fill.units * fill.price_usd / fill.value_gbp
