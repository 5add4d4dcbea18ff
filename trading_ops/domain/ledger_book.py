"""The replay engine behind the ledger: facts in their one order, applied to a book that changes.

Nothing outside the ledger's own modules uses it; everyone else reads a `LedgerState`.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from operator import attrgetter
from typing import Any, TypeAlias

from trading_ops.domain.errors import LedgerError
from trading_ops.domain.ledger_facts import CashMovement, CorporateEvent, Fill, LedgerFacts
from trading_ops.domain.lots import (
    LostFraction,
    Lot,
    LotPart,
    RealisedLot,
    scaled,
    share_out,
    split_lot,
    take_from_lots,
)
from trading_ops.domain.prices import CorporateAction
from trading_ops.domain.values import UNIT_PLACES, ZERO, Session, Symbol, plain

Fact: TypeAlias = Fill | CashMovement | CorporateAction | CorporateEvent

_SPLITS, _EVENTS, _TRADING = range(3)
_MOVEMENT, _SELL, _BUY = range(3)


@dataclass
class Book:
    """Cash and lots while facts are applied one by one, inside `exact()`.

    `lots` holds open lots by symbol, oldest first; a name without lots has no entry.
    """

    cash_gbp: Decimal = ZERO
    lots: dict[Symbol, tuple[Lot, ...]] = field(default_factory=dict)
    realised: list[RealisedLot] = field(default_factory=list)
    lost_fractions: list[LostFraction] = field(default_factory=list)

    def units(self, symbol: Symbol) -> Decimal:
        """Units of a name, 0 when it is not held."""
        return sum((lot.units for lot in self.lots.get(symbol, ())), ZERO)

    def apply(self, fact: Fact) -> None:
        """Book one fact.

        Raises:
            LedgerError: A sale of more units than held, or an event of a name that is not held.
        """
        match fact:
            case CashMovement():
                self.cash_gbp += fact.amount_gbp
            case Fill(side="BUY"):
                self._buy(fact)
            case Fill():
                self._sell(fact)
            case CorporateAction():
                self._split(fact)
            case CorporateEvent():
                self._event(fact)

    def _keep(self, symbol: Symbol, lots: tuple[Lot, ...]) -> None:
        if lots:
            self.lots[symbol] = lots
        else:
            self.lots.pop(symbol, None)

    def _buy(self, fill: Fill) -> None:
        cost = fill.value_gbp + fill.fee_gbp
        lot = Lot(fill.fill_id, fill.symbol, fill.session, fill.units, cost, fill.price_usd, fill.position_id)
        self.cash_gbp -= cost
        self._keep(fill.symbol, (*self.lots.get(fill.symbol, ()), lot))

    def _sell(self, fill: Fill) -> None:
        held = self.units(fill.symbol)
        if fill.units > held:
            raise LedgerError(
                f"fill {fill.fill_id} of {fill.session} sells {plain(fill.units)} units of {fill.symbol}, "
                f"but only {plain(held)} are held. Correct or void the fill, or record the missing purchase."
            )
        proceeds = fill.value_gbp - fill.fee_gbp
        kept, parts = take_from_lots(self.lots[fill.symbol], fill.units, fill.position_id, fill.lot_ids)
        for part, money in zip(parts, share_out(proceeds, [p.units for p in parts]), strict=True):
            self._realise(part, money, fill.session, fill.fill_id)
        self.cash_gbp += proceeds
        self._keep(fill.symbol, kept)

    def _realise(self, part: LotPart, proceeds: Decimal, closed_on: Session, closed_by: str) -> None:
        lot = part.lot
        self.realised.append(
            RealisedLot(
                lot.lot_id, lot.symbol, lot.opened_on, closed_on, closed_by, part.units, part.cost_gbp, proceeds
            )
        )

    def _split(self, split: CorporateAction) -> None:
        kept: list[Lot] = []
        for lot in self.lots.get(split.symbol, ()):
            after, lost = split_lot(lot, split.value)
            if lost:
                self.lost_fractions.append(LostFraction(split.symbol, split.ex_date, lot.lot_id, lost))
            if after.units:
                kept.append(after)
            else:  # a reverse split rounded the whole lot away; its cost must not vanish with it
                self._realise(LotPart(lot, lot.units, lot.cost_gbp), ZERO, split.ex_date, f"split {split.ex_date}")
        self._keep(split.symbol, tuple(kept))

    def _event(self, event: CorporateEvent) -> None:
        old = self.lots.get(event.symbol)
        if not old:
            raise LedgerError(
                f"corporate event {event.event_id} ({event.kind} of {event.symbol} on {event.day}): the name is not "
                "held then. Correct the day or void the event."
            )
        if event.kind == "name_change":
            moved = tuple(replace(lot, symbol=event.new_symbol) for lot in old if event.new_symbol)
            self._keep(event.symbol, ())
        else:
            moved = self._exchange(event, old)
        if event.new_symbol and moved:
            both = (*self.lots.get(event.new_symbol, ()), *moved)
            self._keep(event.new_symbol, tuple(sorted(both, key=attrgetter("opened_on"))))
        self.cash_gbp += event.cash_gbp

    def _exchange(self, event: CorporateEvent, old: tuple[Lot, ...]) -> tuple[Lot, ...]:
        """Give each old lot its part of the event's units and cash; returns the new name's lots."""
        weights = [lot.units for lot in old]
        moved: list[Lot] = []
        kept: list[Lot] = []
        for lot, units, cash in zip(
            old,
            share_out(event.new_units, weights, UNIT_PLACES),
            share_out(event.cash_gbp, weights),
            strict=True,
        ):
            cost = lot.cost_gbp * event.cost_share if units else ZERO
            if event.new_symbol and units:
                new_id = f"{lot.lot_id}/{event.event_id}"
                moved.append(scaled(lot, lot_id=new_id, symbol=event.new_symbol, units=units, cost_gbp=cost))
            rest = lot.cost_gbp - cost
            if event.kind == "spin_off":
                price = lot.price_usd * rest / lot.cost_gbp if lot.cost_gbp else lot.price_usd
                kept.append(replace(lot, cost_gbp=rest, price_usd=price))
                if cash:  # cash for a fraction: all of it is profit, the units stay
                    self._realise(LotPart(lot, ZERO, ZERO), cash, event.day, event.event_id)
            elif rest or cash or not units:  # with new units the old ones live on in them, so none are closed
                part = LotPart(lot, ZERO if units else lot.units, rest)
                self._realise(part, cash, event.day, event.event_id)
        self._keep(event.symbol, tuple(kept))
        return tuple(moved)


@dataclass
class Replay:
    """Facts in the order in which they count, applied up to a day and further when asked.

    The order: by day; within a day splits, then corporate events, then fills and cash by time, a SELL before a BUY of
    the same moment, then by id. So it does not depend on the order in which facts were stored.
    """

    facts: LedgerFacts
    book: Book = field(default_factory=Book)
    _next: int = 0

    def __post_init__(self) -> None:
        keyed: list[tuple[tuple[Any, ...], Fact]] = [
            ((s.ex_date, _SPLITS, s.symbol), s) for s in self.facts.unique_splits()
        ]
        keyed += [((e.day, _EVENTS, e.event_id), e) for e in self.facts.events]
        keyed += [((m.day, _TRADING, m.at, _MOVEMENT, m.movement_id), m) for m in self.facts.movements]
        keyed += [
            ((f.session, _TRADING, f.filled_at, _SELL if f.side == "SELL" else _BUY, f.fill_id), f)
            for f in self.facts.fills
        ]
        keyed.sort(key=lambda pair: pair[0])
        self._timeline = [fact for _, fact in keyed]
        self._days: list[dt.date] = [key[0] for key, _ in keyed]

    def advance(self, through: dt.date, seen: Callable[[Fact], None] | None = None) -> bool:
        """Apply every fact up to the close of a day; call it inside `exact()`.

        Args:
            through: The last day that counts.
            seen: Called with each fact after it was applied.

        Returns:
            True when at least one fact was applied.
        """
        first = self._next
        while self._next < len(self._days) and self._days[self._next] <= through:
            fact = self._timeline[self._next]
            self.book.apply(fact)
            self._next += 1
            if seen is not None:
                seen(fact)
        return self._next > first
