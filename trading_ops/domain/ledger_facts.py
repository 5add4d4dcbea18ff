"""What the ledger is made of: fills, cash movements, splits and the corporate events that a person records.

Belongs here: the facts and what makes one impossible by itself.
Does not belong here: what facts do to cash and units (`ledger_book`) or how they are stored.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from trading_ops.domain.errors import LedgerError
from trading_ops.domain.prices import CorporateAction
from trading_ops.domain.values import ONE, ZERO, Session, Symbol, plain

FillSide: TypeAlias = Literal["BUY", "SELL"]
MovementKind: TypeAlias = Literal["deposit", "withdrawal", "dividend", "fee", "interest", "adjustment"]
EventKind: TypeAlias = Literal["spin_off", "merger", "delisting", "name_change"]


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution as the broker booked it.

    Attributes:
        fill_id: Unique id; a BUY's lot carries it.
        units: Units bought or sold, > 0.
        price_usd: Price per unit in USD, > 0.
        value_gbp: Pounds spent or received before the fee, >= 0.
        fee_gbp: Fee in pounds; it costs cash on both sides.
        filled_at: Moment of the fill, aware UTC.
        session: The New York session it belongs to.
        position_id: The broker's Position ID, when known.
        lot_ids: Lots that a SELL line named; empty means oldest first.
        ticket_line: The ticket line it answers, None for an off-ticket fill.
        estimated: True when units or value were calculated and not read off the broker.

    Raises:
        LedgerError: A number or the time is impossible.
    """

    fill_id: str
    symbol: Symbol
    side: FillSide
    units: Decimal
    price_usd: Decimal
    value_gbp: Decimal
    fee_gbp: Decimal
    filled_at: dt.datetime
    session: Session
    position_id: str | None = None
    lot_ids: tuple[str, ...] = ()
    ticket_line: str | None = None
    estimated: bool = False

    def __post_init__(self) -> None:
        where = f"fill {self.fill_id} ({self.side} {self.symbol})"
        if self.side not in ("BUY", "SELL"):
            raise LedgerError(f"{where}: the side is neither BUY nor SELL. Correct the side.")
        _require(self.units.is_finite() and self.units > ZERO, where, f"units {self.units}, they must be above 0")
        _require(self.price_usd.is_finite() and self.price_usd > ZERO, where, f"price {self.price_usd} USD, not over 0")
        _require(self.value_gbp.is_finite() and self.value_gbp >= ZERO, where, f"value {self.value_gbp} GBP, below 0")
        _require(self.fee_gbp.is_finite(), where, f"fee {self.fee_gbp} GBP, it must be a number")
        _require(self.filled_at.tzinfo is not None, where, "its time has no time zone")


@dataclass(frozen=True, slots=True)
class CashMovement:
    """Cash that moved without a fill.

    Attributes:
        movement_id: Unique id.
        amount_gbp: Pounds, signed: what it adds to cash. A dividend of 0 says that it will not come (refused).
        day: The day it counts for.
        at: The moment the broker's cash changed, aware UTC. Reconciliation compares it with the snapshot's moment.
        symbol: The name that paid, for a dividend.
        ex_date: The dividend's ex-date; with the symbol it resolves the expected dividend.

    Raises:
        LedgerError: The sign contradicts the kind, or the time has no zone.
    """

    movement_id: str
    kind: MovementKind
    amount_gbp: Decimal
    day: dt.date
    at: dt.datetime
    symbol: Symbol | None = None
    ex_date: Session | None = None

    def __post_init__(self) -> None:
        where = f"cash movement {self.movement_id} ({self.kind})"
        _require(self.amount_gbp.is_finite(), where, f"amount {self.amount_gbp} GBP, it must be a number")
        _require(self.kind != "deposit" or self.amount_gbp > ZERO, where, "a deposit must be above 0")
        _require(self.kind != "withdrawal" or self.amount_gbp < ZERO, where, "a withdrawal must be below 0")
        _require(self.at.tzinfo is not None, where, "its time has no time zone")

    @property
    def is_flow(self) -> bool:
        """True for money of the owner going in or out, which is no return."""
        return self.kind in ("deposit", "withdrawal")


@dataclass(frozen=True, slots=True)
class CorporateEvent:
    """A corporate event that a person recorded; it happens at the open of its day, after that day's splits.

    Attributes:
        event_id: Unique id.
        kind: `spin_off` keeps the old units and adds new ones; `merger` and `delisting` end the old name;
            `name_change` moves its lots as they are.
        symbol: The name it happens to.
        day: The session at whose open it takes effect.
        new_symbol: The name received, if any.
        new_units: Units of it that the broker credited in all, 0 when none or for a name change.
        cost_share: Share of the old cost that moves to the new name, 0 to 1.
        cash_gbp: Cash received in pounds, >= 0.

    Raises:
        LedgerError: The fields contradict the kind.
    """

    event_id: str
    kind: EventKind
    symbol: Symbol
    day: Session
    new_symbol: Symbol | None = None
    new_units: Decimal = ZERO
    cost_share: Decimal = ZERO
    cash_gbp: Decimal = ZERO

    def __post_init__(self) -> None:
        where = f"corporate event {self.event_id} ({self.kind} of {self.symbol})"
        has_new = self.new_symbol is not None and self.new_units > ZERO
        _require(self.new_symbol != self.symbol, where, "the new name is the old name")
        _require(ZERO <= self.cost_share <= ONE, where, f"share of cost {plain(self.cost_share)}, not from 0 to 1")
        _require(self.cash_gbp >= ZERO, where, f"cash {plain(self.cash_gbp)} GBP, below 0")
        _require(self.new_units >= ZERO, where, f"new units {plain(self.new_units)}, below 0")
        if self.kind == "name_change":
            plain_move = self.new_units == ZERO and self.cash_gbp == ZERO
            _require(self.new_symbol is not None and plain_move, where, "a name change has a new name and nothing else")
        elif self.kind == "delisting":
            _require(self.new_symbol is None and self.new_units == ZERO, where, "a delisting gives no new units")
        elif self.kind == "spin_off":
            _require(has_new, where, "a spin-off needs the new name and its units")
        else:
            _require(has_new == (self.new_symbol is not None), where, "new units and the new name go together")
        moves_cost = has_new or self.kind == "name_change"
        _require(moves_cost or self.cost_share == ZERO, where, "there is no new name to which cost could move")


@dataclass(frozen=True)
class LedgerFacts:
    """Every fact that counts; voided ones are already left out. The order of the tuples means nothing.

    Raises:
        LedgerError: An id occurs twice, or `splits` holds something else or two ratios for one day.
    """

    fills: tuple[Fill, ...] = ()
    movements: tuple[CashMovement, ...] = ()
    splits: tuple[CorporateAction, ...] = ()
    events: tuple[CorporateEvent, ...] = ()

    def __post_init__(self) -> None:
        _require_unique("fill", (f.fill_id for f in self.fills))
        _require_unique("cash movement", (m.movement_id for m in self.movements))
        _require_unique("corporate event", (e.event_id for e in self.events))
        ratios: dict[tuple[Symbol, Session], Decimal] = {}
        for split in self.splits:
            where = f"split of {split.symbol} on {split.ex_date}"
            _require(split.kind == "split", where, f"it is a {split.kind}")
            _require(split.value.is_finite() and split.value > ZERO, where, f"ratio {split.value}, not above 0")
            known = ratios.setdefault((split.symbol, split.ex_date), split.value)
            _require(known == split.value, where, f"two ratios, {plain(known)} and {plain(split.value)}")

    def unique_splits(self) -> tuple[CorporateAction, ...]:
        """Each split once, however many sources reported it, by ex-date and symbol."""
        once = {(s.ex_date, s.symbol): s for s in self.splits}
        return tuple(once[key] for key in sorted(once))


def _require(holds: bool, where: str, problem: str) -> None:
    if not holds:
        raise LedgerError(f"{where}: {problem}. Correct the fact or void it.")


def _require_unique(what: str, ids: Iterable[str]) -> None:
    twice = sorted(key for key, count in Counter(ids).items() if count > 1)
    if twice:
        raise LedgerError(f"{what} {twice[0]} is there twice. Void one of them.")
