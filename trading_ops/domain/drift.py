"""Snapshot against ledger, name by name and in cash: the differences, each with what is allowed and its verdict.

What a verdict means for the plan is said in `reconciliation`.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from trading_ops.domain.broker_snapshot import BrokerSnapshot, SnapshotHolding, compared_session, ledger_as_seen
from trading_ops.domain.dividends import ExpectedDividend
from trading_ops.domain.ledger_facts import LedgerFacts
from trading_ops.domain.policy import Reconciliation as Limits
from trading_ops.domain.values import ZERO, Symbol, exact, fixed, half_even, plain

CASH = "CASH"
DriftVerdict: TypeAlias = Literal["equal", "within", "dividends", "drift", "only_broker", "only_ledger"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One line of the comparison.

    Attributes:
        symbol: The name, or `CASH`.
        kind: `units`, or `cash` in pounds.
        snapshot: What the broker shows; None when it does not list the name.
        ledger: What the ledger has, units rounded to the decimals typed; None when it does not hold the name.
        difference: snapshot - ledger.
        lowest: The least difference allowed.
        highest: The greatest difference allowed.
        verdict: `equal`, `within` tolerance, explained by expected `dividends`, `drift`, or listed on one side only.
    """

    symbol: Symbol
    kind: Literal["units", "cash"]
    snapshot: Decimal | None
    ledger: Decimal | None
    difference: Decimal
    lowest: Decimal
    highest: Decimal
    verdict: DriftVerdict

    @property
    def allowed(self) -> str:
        """The allowed range as text: `-0.02 to 0.02`."""
        if self.kind == "cash":
            return f"{fixed(self.lowest, 2)} to {fixed(self.highest, 2)} GBP"
        return f"{plain(self.lowest)} to {plain(self.highest)}"


@dataclass(frozen=True)
class Comparison:
    """All differences, names sorted and cash last, and the dividends that the cash explains."""

    differences: tuple[Difference, ...]
    proposals: tuple[ExpectedDividend, ...]

    @property
    def units(self) -> tuple[Difference, ...]:
        """The names' lines."""
        return tuple(d for d in self.differences if d.kind == "units")

    @property
    def cash(self) -> Difference:
        """The cash line."""
        return self.differences[-1]


def compare(
    snapshot: BrokerSnapshot,
    facts: LedgerFacts,
    equity_gbp: Decimal,
    expected: tuple[ExpectedDividend, ...],
    limits: Limits,
) -> Comparison:
    """Compare a snapshot with the ledger at the snapshot's own time.

    Args:
        equity_gbp: E, for the cash tolerance.
        expected: Expected dividends, booked or not; those with an ex-date after the snapshot's session cannot be in
            its cash and do not count.
        limits: Policy `reconciliation`.

    Raises:
        LedgerError: The ledger cannot be replayed up to the snapshot.
    """
    ledger = ledger_as_seen(snapshot, facts)
    session = compared_session(snapshot, facts)
    held = ledger.units
    shown = {symbol: holding for symbol, holding in snapshot.holdings.items() if holding.units > ZERO}
    names = tuple(
        compare_units(symbol, shown.get(symbol), held.get(symbol), limits) for symbol in sorted({*shown, *held})
    )
    unbooked = tuple(
        sorted((d for d in expected if not d.booked and d.ex_date <= session), key=lambda d: (d.ex_date, d.symbol))
    )
    with exact():
        # Booked after the snapshot was taken: the ledger then did not have it yet, the broker perhaps did.
        booked_later = sum(
            (
                m.amount_gbp
                for m in facts.movements
                if m.kind == "dividend" and m.at > snapshot.taken_at and m.ex_date is not None and m.ex_date <= session
            ),
            ZERO,
        )
        waiting = max(booked_later, ZERO) + sum((d.net_gbp for d in unbooked), ZERO)
        cash = compare_cash(snapshot.cash_gbp, ledger.cash_gbp, waiting, equity_gbp, limits=limits)
        explained = () if cash.verdict == "drift" else nearest_dividends(cash.difference - booked_later, unbooked)
    return Comparison((*names, cash), explained)


def compare_units(symbol: Symbol, shown: SnapshotHolding | None, held: Decimal | None, limits: Limits) -> Difference:
    """One name: |difference| <= max(units_abs, units_rel x ledger units), at the decimals typed."""
    with exact():
        tolerance = max(limits.units_abs, limits.units_rel * (held or ZERO))
        if shown is None or held is None:
            units = shown.units if shown is not None else None
            difference = (units or ZERO) - (held or ZERO)
            verdict: DriftVerdict = "only_ledger" if shown is None else "only_broker"
            return Difference(symbol, "units", units, held, difference, ZERO, ZERO, verdict)
        rounded = half_even(held, shown.places)
        difference = shown.units - rounded
        verdict = "equal" if not difference else "within" if abs(difference) <= tolerance else "drift"
        return Difference(symbol, "units", shown.units, rounded, difference, -tolerance, tolerance, verdict)


def compare_cash(
    shown_gbp: Decimal, ledger_gbp: Decimal, waiting_gbp: Decimal, equity_gbp: Decimal, *, limits: Limits
) -> Difference:
    """Cash: snapshot - ledger within [-t, x + t], t = max(cash_abs, cash_rel x E), x the dividends not yet booked."""
    with exact():
        tolerance = max(limits.cash_abs_gbp, limits.cash_rel * equity_gbp)
        difference = shown_gbp - ledger_gbp
        highest = waiting_gbp + tolerance
        verdict: DriftVerdict = "drift"
        if not difference:
            verdict = "equal"
        elif abs(difference) <= tolerance:
            verdict = "within"
        elif tolerance < difference <= highest:
            verdict = "dividends"
        return Difference(CASH, "cash", shown_gbp, ledger_gbp, difference, -tolerance, highest, verdict)


def nearest_dividends(cash_gbp: Decimal, waiting: tuple[ExpectedDividend, ...]) -> tuple[ExpectedDividend, ...]:
    """The oldest dividends whose sum comes nearest to the cash that nothing else explains; fewer when equally near.

    Args:
        cash_gbp: Pounds that the broker has and the ledger does not.
        waiting: Dividends not booked, oldest ex-date first.
    """
    with exact():
        count, passed, nearest = 0, ZERO, abs(cash_gbp)
        for place, dividend in enumerate(waiting, start=1):
            passed += dividend.net_gbp
            if abs(cash_gbp - passed) < nearest:
                count, nearest = place, abs(cash_gbp - passed)
    return waiting[:count]
