"""Whether the books came out as the accepted entries promised: units by name, cash, open lots by Position ID.

Does not belong here: what entries promise (`corrections.apply_proposals`), what is booked (`store.corrections`).
"""

import datetime as dt
from decimal import Decimal

from trading_ops.domain.ledger import LedgerState, ledger_at
from trading_ops.domain.ledger_facts import LedgerFacts
from trading_ops.domain.values import ZERO, Symbol, exact, fixed, plain

HAIR = Decimal("0.000002")
"""Units by which a split may come out otherwise: its ratio is kept to ten decimals."""


def first_difference(promised: LedgerFacts, booked: LedgerFacts) -> str | None:
    """The first thing that differs, as words that fit behind "would": `hold 2 units of AAA, not 3`; None if nothing.

    Raises:
        LedgerError: One of the two cannot be replayed.
    """
    day = max((_last(promised), _last(booked)))
    one, other = ledger_at(promised, day), ledger_at(booked, day)
    for symbol in sorted({*one.units, *other.units}):
        units, instead = one.units.get(symbol, ZERO), other.units.get(symbol, ZERO)
        if _apart(units, instead):
            return f"hold {plain(instead)} units of {symbol}, not {plain(units)}"
    if one.cash_gbp != other.cash_gbp:
        return f"have {fixed(other.cash_gbp, 2)} GBP of cash, not {fixed(one.cash_gbp, 2)}"
    lots, instead_lots = _lots(one), _lots(other)
    for symbol, position in sorted({*lots, *instead_lots}):
        units, instead = lots.get((symbol, position), ZERO), instead_lots.get((symbol, position), ZERO)
        if _apart(units, instead):
            where = f"position {position}" if position else "positions without a number"
            return f"hold {plain(instead)} units of {symbol} in {where}, not {plain(units)}"
    return None


def _apart(one: Decimal, other: Decimal) -> bool:
    with exact():
        return abs(one - other) > HAIR


def _last(facts: LedgerFacts) -> dt.date:
    days = [f.session for f in facts.fills] + [m.day for m in facts.movements] + [e.day for e in facts.events]
    return max([*days, *(s.ex_date for s in facts.splits)], default=dt.date.min)


def _lots(state: LedgerState) -> dict[tuple[Symbol, str], Decimal]:
    found: dict[tuple[Symbol, str], Decimal] = {}
    with exact():
        for symbol, lots in state.lots.items():
            for lot in lots:
                key = (symbol, lot.position_id or "")
                found[key] = found.get(key, ZERO) + lot.units
    return found
