"""Small books for tests of sizing and risk: a universe, a few holdings, and plans made of them.

Prices are chosen so that pounds are easy: with G = 1.25 a price of $125 is £100 a unit.
"""

import datetime as dt
import functools
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from trading_ops.domain.lots import Lot
from trading_ops.domain.orders import Order
from trading_ops.domain.policy import Policy, parse
from trading_ops.domain.risk import KillSwitch, RiskInput
from trading_ops.domain.sizing import Sizing, SizingInput, Target, size_orders, size_targets
from trading_ops.domain.universe import Instrument, Universe
from trading_ops.domain.values import ZERO, Symbol

ASOF = dt.date(2018, 2, 2)
G = Decimal("1.25")
POLICY_FILE = Path(__file__).parents[2] / "config" / "policy.yml"


@functools.cache
def committed_policy() -> Policy:
    """The policy of the repository."""
    return parse(POLICY_FILE.read_text("utf-8"), "config/policy.yml")


def policy(**numbers: Any) -> Policy:
    """The committed policy with some numbers of `sizing` or `risk` replaced: `policy(seats=2)`."""
    base = committed_policy()
    known = [(name, getattr(base, name)) for name in ("sizing", "risk")]
    changes = {
        name: section.model_copy(update={k: _number(v) for k, v in numbers.items() if k in type(section).model_fields})
        for name, section in known
    }
    unknown = [k for k in numbers if not any(k in type(section).model_fields for _, section in known)]
    assert not unknown, f"no such policy numbers: {unknown}"
    return base.model_copy(update=changes)


def _number(value: Any) -> Any:
    return Decimal(value) if isinstance(value, str) else value


def stock(symbol: Symbol, **columns: Any) -> Instrument:
    """An enabled stock, offered as the underlying and verified a month before D."""
    row = Instrument(
        symbol=symbol,
        stooq_symbol=f"{symbol.lower()}.us",
        yahoo_symbol=symbol,
        etoro_search_name=symbol,
        currency="USD",
        instrument_type="stock",
        tradable_underlying=True,
        enabled=True,
        listed_from=None,
        verified_on=dt.date(2018, 1, 2),
        notes="",
    )
    return replace(row, **columns)


def lot(symbol: Symbol, units: str | Decimal, number: int = 1, position_id: str | None = None) -> Lot:
    """A lot opened `number` days after New Year."""
    return Lot(
        lot_id=f"{symbol}-{number}",
        symbol=symbol,
        opened_on=dt.date(2018, 1, 1) + dt.timedelta(days=number),
        units=Decimal(units),
        cost_gbp=Decimal(100),
        price_usd=Decimal(100),
        position_id=position_id,
    )


def book(
    *,
    cash: str | Decimal = "0",
    units: Mapping[Symbol, str | Decimal] | None = None,
    ranks: Mapping[Symbol, int] | None = None,
    prices: Mapping[Symbol, str | Decimal] | None = None,
    lots: Mapping[Symbol, tuple[Lot, ...]] | None = None,
    rows: Mapping[Symbol, Mapping[str, Any]] | None = None,
    unknown: Iterable[Symbol] = (),
    **changes: Any,
) -> SizingInput:
    """A sizing input.

    Args:
        cash: Ledger cash in pounds.
        units: Held units by name.
        ranks: Rank by name.
        prices: Closes in USD; $125 (£100) for every name not given.
        lots: Open lots; one lot a held name when not given.
        rows: Changed columns of the universe by name.
        unknown: Names that are missing in the universe.
        changes: Fields of `SizingInput`.
    """
    held = {s: Decimal(u) for s, u in (units or {}).items()}
    ranked = dict(ranks or {})
    given = {s: Decimal(p) for s, p in (prices or {}).items()}
    names = sorted({*held, *ranked, *given})
    rows = rows or {}
    return SizingInput(
        **{
            "asof": ASOF,
            "prices_usd": {s: given.get(s, Decimal(125)) for s in names},
            "usd_per_gbp": G,
            "cash_gbp": Decimal(cash),
            "units": held,
            "lots": {s: (lot(s, u),) for s, u in held.items() if u > ZERO} if lots is None else lots,
            "ranks": ranked,
            "universe": Universe({s: stock(s, **rows.get(s, {})) for s in names if s not in set(unknown)}),
            "frozen": frozenset(),
            "unbuyable": frozenset(),
            "split_pending": frozenset(),
            "book": "sim",
            "reducing": False,
            "verified_since": ASOF - dt.timedelta(days=180),
            **changes,
        }
    )


def size(inp: SizingInput, numbers: Policy | None = None) -> Sizing:
    """Targets and orders of one book."""
    used = numbers or committed_policy()
    return size_orders(inp, size_targets(inp, used), used)


def seats_of(inp: SizingInput, numbers: Policy | None = None) -> list[Symbol]:
    """Names with a seat, best rank first."""
    return [t.symbol for t in size_targets(inp, numbers or committed_policy()) if t.seat]


def lines(sizing: Sizing) -> list[str]:
    """The orders as short text: `SELL AAA 3.5`, `BUY BBB 970`."""
    return [f"{o.side} {o.symbol} {_what(o)}" for o in sizing.orders]


def _what(order: Order) -> str:
    number = order.units if order.side == "SELL" else order.amount_gbp
    return format(number.normalize(), "f")


def waiting(sizing: Sizing) -> list[str]:
    """The deferred orders as short text: `BUY BBB CASH`."""
    return [f"{d.side} {d.symbol} {d.code}" for d in sizing.deferred]


def target(sizing: Sizing, symbol: Symbol) -> Target:
    """One name's target."""
    return next(t for t in sizing.targets if t.symbol == symbol)


def order(
    side: str, symbol: Symbol, *, pounds: str = "500", units: str = "5", price: str = "125", **changes: Any
) -> Order:
    """One line as risk sees it; a BUY is about its pounds, a SELL about its units."""
    return Order(
        **{
            "line": 1,
            "symbol": symbol,
            "side": side,
            "group": "buy" if side == "BUY" else "trim",
            "units": Decimal(units),
            "amount_gbp": Decimal(pounds),
            "price_usd": Decimal(price),
            "price_session": ASOF,
            "rank": 1,
            "exit": False,
            **changes,
        }
    )


def risk_input(inp: SizingInput, orders: Iterable[Order] = (), **changes: Any) -> RiskInput:
    """What risk sees of a book and its lines, with an ACTIVE desk and no drawdown."""
    with_equity = size_targets(inp, committed_policy())
    return RiskInput(
        **{
            "asof": inp.asof,
            "orders": tuple(orders),
            "units": inp.units,
            "prices_usd": inp.prices_usd,
            "price_sessions": dict.fromkeys(inp.prices_usd, inp.asof),
            "usd_per_gbp": inp.usd_per_gbp,
            "cash_gbp": inp.cash_gbp,
            "equity_gbp": sum((t.value_gbp for t in with_equity), inp.cash_gbp),
            "universe": inp.universe,
            "book": inp.book,
            "kill_switch": KillSwitch("ACTIVE", None, ""),
            "drawdown": ZERO,
            "split_pending": inp.split_pending,
            "verified_since": inp.verified_since,
            **changes,
        }
    )
