"""Dividends that ought to come: expected from units held, booked only when someone confirms the cash."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from trading_ops.domain.errors import LedgerError
from trading_ops.domain.ledger_book import Replay
from trading_ops.domain.ledger_facts import LedgerFacts
from trading_ops.domain.prices import CorporateAction, Fixing
from trading_ops.domain.values import ONE, PENCE_PLACES, ZERO, Session, Symbol, exact, half_even


@dataclass(frozen=True, slots=True)
class ExpectedDividend:
    """A dividend that the units held before its ex-date earn.

    Attributes:
        units: Units at the close before the ex-date.
        amount_usd: Dollars per unit, before tax.
        net_gbp: Pounds after withholding, pence half even, at the ex-date's fixing.
        booked: True when a dividend movement names symbol and ex-date (0 pounds: refused), or a spin-off that a person
            recorded for that name and day replaces it.
    """

    symbol: Symbol
    ex_date: Session
    units: Decimal
    amount_usd: Decimal
    net_gbp: Decimal
    booked: bool


def expected_dividends(
    facts: LedgerFacts,
    actions: Mapping[Symbol, tuple[CorporateAction, ...]],
    through: Session,
    withholding: Decimal,
    fixing_fn: Callable[[dt.date], Fixing | None],
) -> tuple[ExpectedDividend, ...]:
    """Every dividend earned so far: units at the close before ex-date x amount x (1 - withholding) / G.

    Args:
        facts: The ledger's facts; their dividend movements say which ones are booked.
        actions: Corporate actions by symbol, as in `MarketView.actions`; splits among them are passed over.
        through: The last ex-date that counts.
        withholding: Share kept by the US, policy `ledger.withholding`.
        fixing_fn: The last fixing on or before a day, as `MarketView.fixing`.

    Returns:
        By ex-date, then symbol. One that comes to 0.00 pounds is left out: no cash could ever confirm it.

    Raises:
        LedgerError: There is no fixing on or before an ex-date.
    """
    booked = _resolved(facts)
    due = sorted({(a.ex_date, a.symbol, a.value) for given in actions.values() for a in given if _counts(a, through)})
    expected: list[ExpectedDividend] = []
    with exact():
        replay = Replay(facts)
        for ex_date, symbol, amount in due:
            replay.advance(ex_date - dt.timedelta(days=1))
            units = replay.book.units(symbol)
            if not units:
                continue
            fixing = fixing_fn(ex_date)
            if fixing is None:
                raise LedgerError(f"no GBPUSD fixing on or before {ex_date}, ex-date of {symbol}. Load the fixings.")
            net = half_even(units * amount * (ONE - withholding) / fixing.usd_per_gbp, PENCE_PLACES)
            if net > ZERO:
                expected.append(ExpectedDividend(symbol, ex_date, units, amount, net, (symbol, ex_date) in booked))
    return tuple(expected)


def _counts(action: CorporateAction, through: Session) -> bool:
    return action.kind == "dividend" and action.ex_date <= through


def _resolved(facts: LedgerFacts) -> frozenset[tuple[Symbol | None, Session | None]]:
    paid = {(m.symbol, m.ex_date) for m in facts.movements if m.kind == "dividend"}
    replaced = {(e.symbol, e.day) for e in facts.events if e.kind == "spin_off"}
    return frozenset(paid | replaced)
