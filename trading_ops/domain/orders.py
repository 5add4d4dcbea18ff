"""The values of sizing: what it reads, what it wants and what it orders.

Belongs here: the types, and what a held name and the whole book are worth at the as-of session.
Does not belong here: who gets a seat (`targets`), which differences are traded (`wanted`), the caps (`sizing`).
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from trading_ops.domain.books import Book
from trading_ops.domain.errors import TradingOpsError
from trading_ops.domain.lots import Lot
from trading_ops.domain.universe import Universe
from trading_ops.domain.values import ZERO, Session, Symbol, exact

Side: TypeAlias = Literal["SELL", "BUY"]
Group: TypeAlias = Literal["must_sell", "exit", "trim", "buy"]
"""must_sell: no longer enabled or tradable, or over the largest weight; exit: lost its seat; trim: too much of it."""
DeferCode: TypeAlias = Literal["TURNOVER_CAP", "CASH", "KILL_SWITCH", "SPLIT_PENDING", "UNBUYABLE", "FROZEN"]


class SizingError(TradingOpsError):
    """The facts do not allow sizing: a price, a fixing or a lot is missing or impossible."""


@dataclass(frozen=True)
class SizingInput:
    """Everything that decides the orders of one plan, at the close of the as-of session D.

    Attributes:
        asof: D.
        prices_usd: Raw closes at D in USD; names without a valid bar are absent.
        usd_per_gbp: Dollars for one pound, the last fixing on or before D.
        cash_gbp: Ledger cash.
        units: Ledger units, splits through D applied; a held name is one above 0.
        lots: Open lots by name, oldest first; together they are the name's units.
        ranks: Rank by scored name, 1 is best.
        universe: The names of the plan's universe.
        frozen: Names whose data is suspect.
        unbuyable: Names that must not be bought this week, such as those with volume 0 at D.
        split_pending: Names with a split ex-date after D up to and including the window's day.
        book: Decides whether a new name has to be verified.
        reducing: The kill switch is REDUCING: sells only.
        verified_since: The oldest `verified_on` that still counts.
    """

    asof: Session
    prices_usd: Mapping[Symbol, Decimal]
    usd_per_gbp: Decimal
    cash_gbp: Decimal
    units: Mapping[Symbol, Decimal]
    lots: Mapping[Symbol, tuple[Lot, ...]]
    ranks: Mapping[Symbol, int]
    universe: Universe
    frozen: frozenset[Symbol]
    unbuyable: frozenset[Symbol]
    split_pending: frozenset[Symbol]
    book: Book
    reducing: bool
    verified_since: dt.date


@dataclass(frozen=True, slots=True)
class Target:
    """What the plan wants of one name that is held or has a seat.

    Attributes:
        symbol: The name.
        rank: Its rank, None when it has no score.
        seat: Whether it has one of the seats.
        weight: Target share of equity, 0 without a seat.
        target_gbp: weight x equity.
        value_gbp: What is held of it, at D.
        units: What is held of it.
        price_usd: Raw close at D.
        difference_gbp: target - value; above 0 there is too little of it.
        note: Why it has a seat or none, and what became of its order.
    """

    symbol: Symbol
    rank: int | None
    seat: bool
    weight: Decimal
    target_gbp: Decimal
    value_gbp: Decimal
    units: Decimal
    price_usd: Decimal
    difference_gbp: Decimal
    note: str


@dataclass(frozen=True, slots=True)
class LotClose:
    """One lot that a SELL closes, wholly or by some units."""

    lot_id: str
    symbol: Symbol
    opened_on: Session
    units: Decimal
    position_id: str | None
    whole: bool


@dataclass(frozen=True, slots=True)
class Order:
    """One line of the plan.

    Attributes:
        line: Its number on the ticket, from 1; sells come before buys.
        symbol: The name.
        side: SELL or BUY.
        group: Why it is there; `must_sell` is never cut by the turnover cap.
        units: SELL: units to sell, at most 6 decimals unless it closes everything. BUY: expected units.
        amount_gbp: BUY: whole pounds to type in. SELL: units x price / fixing, not rounded.
        price_usd: Reference price, the raw close of `price_session`.
        price_session: The as-of session.
        rank: The name's rank, None when it has no score.
        exit: It closes everything that is held of the name because it has no seat.
        lots: SELL: the lots it closes, oldest first.
        leverage: Always 1.
    """

    line: int
    symbol: Symbol
    side: Side
    group: Group
    units: Decimal
    amount_gbp: Decimal
    price_usd: Decimal
    price_session: Session
    rank: int | None
    exit: bool
    lots: tuple[LotClose, ...] = ()
    leverage: int = 1


@dataclass(frozen=True, slots=True)
class Deferred:
    """An order that the plan wanted and that a limit leaves to a later week, with its pounds and the reason."""

    symbol: Symbol
    side: Side
    amount_gbp: Decimal
    code: DeferCode
    sentence: str


@dataclass(frozen=True, slots=True)
class Sizing:
    """The result: equity in pounds, targets (best rank first), orders in line order, and what was left for later."""

    equity_gbp: Decimal
    targets: tuple[Target, ...]
    orders: tuple[Order, ...]
    deferred: tuple[Deferred, ...]


def held_names(inp: SizingInput) -> tuple[Symbol, ...]:
    """Names with units above 0, sorted.

    Raises:
        SizingError: A name has less than 0 units.
    """
    for symbol in sorted(inp.units):
        if inp.units[symbol] < ZERO:
            raise SizingError(
                f"{symbol}: the ledger has {inp.units[symbol]} units. Correct the ledger, none can be owed."
            )
    return tuple(sorted(s for s, u in inp.units.items() if u > ZERO))


def price_of(inp: SizingInput, symbol: Symbol) -> Decimal:
    """The name's raw close at D in USD.

    Raises:
        SizingError: There is none, or it is not a finite number above 0.
    """
    price = inp.prices_usd.get(symbol)
    if price is None or not price.is_finite() or price <= ZERO:
        raise SizingError(
            f"{symbol}: no close of {inp.asof} to size with. Load its bar, or record what became of the name."
        )
    return price


def pounds(inp: SizingInput, units: Decimal, price_usd: Decimal) -> Decimal:
    """units x price / fixing, in pounds, not rounded.

    Raises:
        SizingError: The fixing is not a finite number above 0.
    """
    if not inp.usd_per_gbp.is_finite() or inp.usd_per_gbp <= ZERO:
        raise SizingError(f"GBPUSD {inp.usd_per_gbp}: must be above 0. Load the fixings up to {inp.asof}.")
    with exact():
        return units * price_usd / inp.usd_per_gbp


def value_of(inp: SizingInput, symbol: Symbol) -> Decimal:
    """What is held of the name in pounds, v = u x P / G; 0 when nothing is held."""
    units = inp.units.get(symbol, ZERO)
    return pounds(inp, units, price_of(inp, symbol)) if units > ZERO else ZERO


def equity(inp: SizingInput) -> Decimal:
    """E in pounds: ledger cash + the sum of the values, added up by symbol."""
    with exact():
        return inp.cash_gbp + sum((value_of(inp, s) for s in held_names(inp)), ZERO)
