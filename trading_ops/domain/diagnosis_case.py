"""One drift at hand: what the evidence says about a name, and whether entries would make its units agree.

Belongs here: lookups and the replay of one name. Does not belong here: any single kind of cause.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from statistics import median_low

from trading_ops.domain.broker_snapshot import compared_session, ledger_as_seen
from trading_ops.domain.corrections import Proposal, RecordEvent, apply_proposals
from trading_ops.domain.diagnosis_evidence import AnsweredLine, DriftEvidence
from trading_ops.domain.drift import Difference, compare_units
from trading_ops.domain.errors import LedgerError
from trading_ops.domain.ledger import LedgerState, ledger_at
from trading_ops.domain.ledger_facts import CashMovement, Fill, LedgerFacts
from trading_ops.domain.values import ONE, UNIT_PLACES, ZERO, Session, Symbol, exact, half_even

HAIR = Decimal("0.000002")
"""Units that a broker's own rounding of a split may leave."""
PLAUSIBLE = Decimal("0.03")
"""Share by which units x price / value of a true fill may differ from the rate of the day."""
GLANCE = Decimal("0.01")
SAME_RATE = dt.timedelta(days=10)
FAR_RATE = Decimal("0.10")
"""Share by which a true rate of the last months may differ from the newest fixing."""
SUSPECTS = 30
"""Newest facts of a name that are looked at."""


@dataclass(frozen=True)
class Case:
    """The evidence with what follows from it at once."""

    evidence: DriftEvidence

    @cached_property
    def through(self) -> Session:
        """The session through which splits count."""
        return compared_session(self.evidence.snapshot, self.evidence.facts)

    @cached_property
    def now(self) -> LedgerState:
        """The ledger as it stands against this snapshot."""
        return ledger_as_seen(self.evidence.snapshot, self.evidence.facts)

    @cached_property
    def _before(self) -> LedgerState | None:
        previous = self.evidence.previous
        if previous is None or previous.taken_at >= self.evidence.snapshot.taken_at:
            return None
        try:
            return ledger_as_seen(previous, self.evidence.facts)
        except LedgerError:
            return None

    @cached_property
    def drifting(self) -> tuple[Difference, ...]:
        """Lines of names that need an explanation."""
        odd = ("drift", "only_broker", "only_ledger")
        return tuple(d for d in self.evidence.comparison.units if d.verdict in odd)

    def line(self, symbol: Symbol) -> Difference:
        """The comparison's line of a drifting name."""
        return next(d for d in self.drifting if d.symbol == symbol)

    def since(self, symbol: Symbol) -> dt.datetime | None:
        """The moment before which the name is above suspicion: the previous snapshot's, if it agreed then."""
        previous, before = self.evidence.previous, self._before
        if previous is None or before is None:
            return None
        shown, held = previous.holdings.get(symbol), before.units.get(symbol)
        if shown is not None and not shown.units:
            shown = None
        if shown is None and held is None:
            return previous.taken_at
        line = compare_units(symbol, shown, held, self.evidence.policy.reconciliation)
        return previous.taken_at if line.verdict in ("equal", "within") else None

    @cached_property
    def cash_since(self) -> dt.datetime | None:
        """The same for cash."""
        previous, before = self.evidence.previous, self._before
        if previous is None or before is None:
            return None
        off = previous.cash_gbp - before.cash_gbp
        return previous.taken_at if abs(off) <= self.cash_tolerance else None

    @property
    def cash_tolerance(self) -> Decimal:
        """Pounds that a difference of cash may come to."""
        return -self.evidence.comparison.cash.lowest

    @cached_property
    def _fills(self) -> Mapping[Symbol | None, tuple[Fill, ...]]:
        """Suspected fills by name, and under None those of all names for cash."""
        names = {f.symbol for f in self.evidence.facts.fills}
        since: dict[Symbol | None, dt.datetime | None] = {name: self.since(name) for name in names}
        since[None] = self.cash_since
        found: dict[Symbol | None, list[Fill]] = {name: [] for name in since}
        for fill in self.evidence.facts.fills:
            for name in (fill.symbol, None):
                first = since[name]
                if fill.filled_at <= self.evidence.snapshot.taken_at and (first is None or fill.filled_at > first):
                    found[name].append(fill)
        for fills in found.values():
            fills.sort(key=lambda f: (f.filled_at, f.fill_id), reverse=True)
        return {name: tuple(fills[:SUSPECTS]) for name, fills in found.items()}

    def fills(self, symbol: Symbol | None = None) -> tuple[Fill, ...]:
        """Suspected fills, newest first: of one name, or of all names for cash."""
        return self._fills.get(symbol, ())

    def movements(self) -> tuple[CashMovement, ...]:
        """Suspected cash movements, newest first."""
        since, taken = self.cash_since, self.evidence.snapshot.taken_at
        found = [m for m in self.evidence.facts.movements if m.at <= taken and (since is None or m.at > since)]
        found.sort(key=lambda m: (m.at, m.movement_id), reverse=True)
        return tuple(found[:SUSPECTS])

    @cached_property
    def _line_of(self) -> Mapping[str, AnsweredLine]:
        return {fill_id: line for line in self.evidence.lines for fill_id in line.fill_ids}

    def answered(self, fill: Fill) -> AnsweredLine | None:
        """The ticket line that a fill answers, alone or as one piece of several."""
        return self._line_of.get(fill.fill_id)

    def pieces(self, line: AnsweredLine) -> tuple[Fill, ...]:
        """The fills that answer a line, oldest first."""
        known = {f.fill_id: f for f in self._by_name.get(line.symbol, ())}
        found = (known[fill_id] for fill_id in line.fill_ids if fill_id in known)
        return tuple(sorted(found, key=lambda f: (f.filled_at, f.fill_id)))

    def shown(self, symbol: Symbol) -> tuple[Decimal, int]:
        """Units that the snapshot shows and the decimals typed; of a name it does not list exactly none."""
        shown = self.evidence.snapshot.holdings.get(symbol)
        return (shown.units, shown.places) if shown and shown.units else (ZERO, UNIT_PLACES)

    def typed_again(self, symbol: Symbol | None) -> bool:
        """The snapshot before is of the same session and says the same: what was looked at twice is no typing error."""
        previous, snapshot = self.evidence.previous, self.evidence.snapshot
        if previous is None or previous.session != snapshot.session:
            return False
        if symbol is None:
            return previous.cash_gbp == snapshot.cash_gbp
        return previous.holdings.get(symbol) == snapshot.holdings.get(symbol)

    def missing(self, symbol: Symbol) -> Decimal:
        """Units that the broker has and the ledger does not; below zero for the reverse.

        Against the ledger's own digits where the snapshot shows all of them, else at the decimals typed.
        """
        units, places = self.shown(symbol)
        held = self.now.units.get(symbol, ZERO)
        with exact():
            return units - (held if places >= UNIT_PLACES else half_even(held, places))

    def factor(self, symbol: Symbol, session: Session) -> Decimal:
        """What one unit of a session has become by the splits since."""
        factor = ONE
        with exact():
            for split in self.evidence.facts.unique_splits():
                if split.symbol == symbol and session < split.ex_date <= self.through:
                    factor *= split.value
        return factor

    def then(self, symbol: Symbol, session: Session) -> Decimal:
        """The missing units as units of that session."""
        with exact():
            return half_even(self.missing(symbol) / self.factor(symbol, session), UNIT_PLACES)

    def nearly(self, fill: Fill, units: Decimal) -> bool:
        """With other units of this fill the name may agree: a glance that spares the replay."""
        sign = 1 if fill.side == "BUY" else -1
        with exact():
            off = (units - fill.units) * sign * self.factor(fill.symbol, fill.session) - self.missing(fill.symbol)
            return abs(off) <= GLANCE + Decimal(1).scaleb(-self.shown(fill.symbol)[1])

    @cached_property
    def _by_name(self) -> Mapping[Symbol, list[Fill]]:
        found: dict[Symbol, list[Fill]] = {}
        for fill in self.evidence.facts.fills:
            found.setdefault(fill.symbol, []).append(fill)
        return found

    def fits(self, symbols: Iterable[Symbol], proposals: Iterable[Proposal]) -> bool:
        """With these entries the units of these names agree with the snapshot, at the decimals typed."""
        symbols, proposals = tuple(symbols), tuple(proposals)
        held = self._units_after(symbols, proposals)
        if held is None:
            return False
        for symbol in symbols:
            units, places = self.shown(symbol)
            with exact():
                off = abs(half_even(held.get(symbol, ZERO), places) - units)
            if off > HAIR:
                return False
        return True

    def _units_after(
        self, symbols: tuple[Symbol, ...], proposals: tuple[Proposal, ...]
    ) -> Mapping[Symbol, Decimal] | None:
        try:
            after = apply_proposals(self._facts_of(symbols, proposals), proposals)
            taken = self.evidence.snapshot.taken_at
            fills = tuple(f for f in after.fills if f.filled_at <= taken)
            last = max((self.through, *(f.session for f in fills)))
            splits = tuple(s for s in after.splits if s.ex_date <= last)
            events = tuple(e for e in after.events if e.day <= last)
            return ledger_at(LedgerFacts(fills, (), splits, events), last).units
        except LedgerError:
            return None

    def _facts_of(self, symbols: tuple[Symbol, ...], proposals: tuple[Proposal, ...]) -> LedgerFacts:
        """The facts of some names and of those that corporate events tie to them."""
        facts = self.evidence.facts
        events = (*facts.events, *(p.event for p in proposals if isinstance(p, RecordEvent)))
        names = set(symbols)
        while (
            grown := {n for e in events if {e.symbol, e.new_symbol} & names for n in (e.symbol, e.new_symbol) if n}
            - names
        ):
            names |= grown
        return LedgerFacts(
            tuple(f for name in sorted(names) for f in self._by_name.get(name, ())),
            (),
            tuple(s for s in facts.splits if s.symbol in names),
            tuple(e for e in facts.events if e.symbol in names),
        )

    def rate(self, but: Fill | None = None) -> Decimal | None:
        """Dollars for one pound as the broker reckoned: the middle of the suspected fills, else the fixing."""
        fixing = self.evidence.usd_per_gbp
        with exact():
            seen = [
                f.units * f.price_usd / f.value_gbp
                for f in self.fills()
                if f.value_gbp and not f.estimated and (but is None or f.fill_id != but.fill_id)
            ]
            middle = median_low(seen) if len(seen) >= 3 else None
            if fixing is None or fixing <= ZERO:
                return middle
            return middle if middle is not None and abs(middle / fixing - ONE) <= PLAUSIBLE else fixing

    def _rate_then(self, fill: Fill) -> Decimal | None:
        """Dollars for one pound in the days of a fill, by the middle of the fills around it; None without any."""
        usual = self.rate(but=fill)
        with exact():
            near = [
                rate
                for f in self.fills()
                if f.value_gbp and not f.estimated and f.fill_id != fill.fill_id
                and abs(f.session - fill.session) <= SAME_RATE
                and abs((rate := f.units * f.price_usd / f.value_gbp) / (usual or rate) - ONE) <= FAR_RATE
            ]  # fmt: skip
        return median_low(near) if near else None

    def plausible(self, fill: Fill, units: Decimal, value_gbp: Decimal) -> bool | None:
        """Units x price / value is about the rate of the day; None when there is no rate to compare with."""
        rate = self._rate_then(fill) or self.rate(but=fill)
        if rate is None or value_gbp <= ZERO:
            return None
        with exact():
            return abs(units * fill.price_usd / value_gbp / rate - ONE) <= PLAUSIBLE

    def worth(self, symbol: Symbol, units: Decimal, price_usd: Decimal | None = None) -> Decimal | None:
        """Pounds of units at a price, or at the close of the snapshot's session; None when one is not known."""
        price, rate = price_usd or self.evidence.closes.get(symbol), self.evidence.usd_per_gbp
        if price is None or rate is None or price <= ZERO or rate <= ZERO:
            return None
        with exact():
            return half_even(abs(units) * price / rate, 2)

    def implied_price(self, units: Decimal, value_gbp: Decimal) -> Decimal | None:
        """USD per unit that pounds and rate come to, 4 decimals."""
        rate = self.rate()
        if rate is None or units <= ZERO:
            return None
        with exact():
            price = half_even(value_gbp * rate / units, 4)
        return price if price > ZERO else None
