"""The numbers of one instruction (RULES, The ticket's numbers): limits, what must be available, look-alikes, lots.

Does not belong here: which orders there are (`sizing`), how a line reads (`ticket_text`).
"""

from decimal import Decimal

from trading_ops.domain.errors import UnknownSymbol
from trading_ops.domain.orders import LotClose, Order
from trading_ops.domain.policy import Policy
from trading_ops.domain.ticket_model import LinePart, LotPart
from trading_ops.domain.universe import Instrument, Universe
from trading_ops.domain.values import ONE, PENCE_PLACES, UNIT_PLACES, down, exact, fixed, plain, up

LOOK_ALIKES = (".RTH", ".24-7", ".EUR")
"""Endings under which eToro lists other instruments of the same company."""
WRITE_DOWN = ("status", "units", "price $", "value £", "time")
CENTS = 2
NAME_LENGTH = 40
"""A name longer than this is cut, so that a line's head stays one line on paper."""


def buy_limit_usd(price_usd: Decimal, policy: Policy) -> Decimal:
    """A BUY is skipped above this price: P x (1 + buy_limit), down to cents, USD."""
    with exact():
        return down(price_usd * (ONE + policy.ticket.buy_limit), CENTS)


def sell_limit_usd(price_usd: Decimal, policy: Policy) -> Decimal:
    """A SELL is skipped below this price: P x (1 - sell_limit), up to cents, USD."""
    with exact():
        return up(price_usd * (ONE - policy.ticket.sell_limit), CENTS)


def min_available_gbp(amount_gbp: Decimal, equity_gbp: Decimal, policy: Policy) -> Decimal:
    """A BUY is skipped with less cash than this: amount + share of the cash floor x E, up to whole pounds."""
    with exact():
        return up(amount_gbp + policy.ticket.available_share * policy.sizing.cash_floor * equity_gbp, 0)


def price_text(price_usd: Decimal) -> str:
    """A price with all its decimals, two at least: 115.17, 115.20, 0.0125."""
    text = plain(price_usd)
    places = len(text.partition(".")[2])
    return text if places >= CENTS else fixed(price_usd, CENTS)


def line_of(order: Order, equity_gbp: Decimal, universe: Universe, policy: Policy) -> LinePart:
    """The instruction for one order.

    Args:
        order: The order.
        equity_gbp: E of the plan, pounds.
        universe: The names of the plan.
        policy: The numbers.

    Raises:
        UnknownSymbol: The name is not in the universe; the gate UNKNOWN_SYMBOL should have refused the plan.
    """
    instrument = universe.instruments.get(order.symbol)
    if instrument is None:
        raise UnknownSymbol(order.symbol, where=f"line {order.line} of the ticket")
    buy = order.side == "BUY"
    limit = buy_limit_usd(order.price_usd, policy) if buy else sell_limit_usd(order.price_usd, policy)
    available = min_available_gbp(order.amount_gbp, equity_gbp, policy)
    return LinePart(
        line=order.line,
        side=order.side,
        symbol=order.symbol,
        etoro_search=instrument.etoro_search_name,
        reject=tuple(instrument.etoro_search_name + ending for ending in LOOK_ALIKES),
        name=_name(instrument),
        amount_gbp=fixed(order.amount_gbp, PENCE_PLACES),
        units=fixed(order.units, UNIT_PLACES),
        reference_price_usd=price_text(order.price_usd),
        reference_session=order.price_session,
        limit_price_usd=price_text(limit),
        order_type="market order by amount" if buy else "close position",
        close_whole=order.exit,
        lots=tuple(_lot(lot) for lot in order.lots),
        min_available_gbp=fixed(available, PENCE_PLACES) if buy else None,
        leverage=1,
        rank=order.rank,
        write_down=WRITE_DOWN,
    )


def _lot(lot: LotClose) -> LotPart:
    return LotPart(
        lot_id=lot.lot_id,
        opened_on=lot.opened_on,
        units=fixed(lot.units, UNIT_PLACES),
        position_id=lot.position_id,
        whole=lot.whole,
    )


def _name(instrument: Instrument) -> str:
    name = " ".join(instrument.notes.split()) or instrument.etoro_search_name
    return name if len(name) <= NAME_LENGTH else name[: NAME_LENGTH - 1] + "…"
