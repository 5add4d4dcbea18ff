"""Small ledgers for tests: fills, cash and facts with short names and New York afternoon times."""

import datetime as dt
import itertools
from decimal import Decimal
from typing import Any

from trading_ops.domain.ledger import CashMovement, CorporateEvent, Fill, LedgerFacts
from trading_ops.domain.prices import CorporateAction
from trading_ops.domain.values import Session, Symbol

_ids = itertools.count(1)


def day(text: str) -> dt.date:
    """`day("2018-02-02")`."""
    return dt.date.fromisoformat(text)


def at(session: dt.date, hour: int = 15, minute: int = 0) -> dt.datetime:
    """A UTC moment of a day."""
    return dt.datetime(session.year, session.month, session.day, hour, minute, tzinfo=dt.UTC)


def buy(symbol: Symbol, session: Session, units: str, price: str, value: str, **changes: Any) -> Fill:
    """A purchase without fee at 15:00 UTC."""
    return _fill("BUY", symbol, session, units, price, value, **changes)


def sell(symbol: Symbol, session: Session, units: str, price: str, value: str, **changes: Any) -> Fill:
    """A sale without fee at 15:00 UTC."""
    return _fill("SELL", symbol, session, units, price, value, **changes)


def _fill(side: Any, symbol: Symbol, session: Session, units: str, price: str, value: str, **changes: Any) -> Fill:
    fields: dict[str, Any] = {
        "fill_id": f"F{next(_ids):06}",
        "fee_gbp": Decimal(0),
        "filled_at": at(session),
        **changes,
    }
    return Fill(
        symbol=symbol,
        side=side,
        units=Decimal(units),
        price_usd=Decimal(price),
        value_gbp=Decimal(value),
        session=session,
        **fields,
    )


def cash(kind: Any, session: dt.date, amount: str, **changes: Any) -> CashMovement:
    """A cash movement at 09:00 UTC."""
    fields: dict[str, Any] = {"movement_id": f"M{next(_ids):06}", "at": at(session, 9), **changes}
    return CashMovement(kind=kind, amount_gbp=Decimal(amount), day=session, **fields)


def facts(*given: Fill | CashMovement | CorporateAction | CorporateEvent) -> LedgerFacts:
    """Facts of every kind in any order, put into their places."""
    return LedgerFacts(
        fills=tuple(f for f in given if isinstance(f, Fill)),
        movements=tuple(f for f in given if isinstance(f, CashMovement)),
        splits=tuple(f for f in given if isinstance(f, CorporateAction)),
        events=tuple(f for f in given if isinstance(f, CorporateEvent)),
    )
