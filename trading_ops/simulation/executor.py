"""The executor: does what the ticket says at the open of its session, under the ticket's own skip rules."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from trading_ops.domain.answer import Answer, FillPart, of_parts
from trading_ops.domain.lots import share_out
from trading_ops.domain.made_up_account import MadeUpAccount
from trading_ops.domain.ticket_model import LinePart, TicketContent
from trading_ops.domain.values import PENCE_PLACES, UNIT_PLACES, exact, half_even

MINUTES_A_LINE = 2
SHARES = {1: (Decimal(1),), 2: (Decimal(60), Decimal(40)), 3: (Decimal(45), Decimal(30), Decimal(25))}
"""How an order is cut into pieces: each a further position."""
APART = dt.timedelta(seconds=25)
DEARER = Decimal("0.0004")
"""Share by which the price of the next piece is another."""
PRICE_PLACES = 4


def execute(
    ticket: TicketContent, broker: MadeUpAccount, fractions: Sequence[Decimal], pieces: Sequence[int] = ()
) -> list[Answer]:
    """Carry out a TRADE ticket and say honestly what became of each line.

    Args:
        ticket: The ticket's content.
        broker: Where it is done; it lives through the open of the window's session first.
        fractions: For each line the share of it that the broker fills: 1 whole, 0 not done.
        pieces: For each line the number of pieces in which the broker fills it; one when left out.

    Returns:
        One answer a line.
    """
    session = ticket.window.session
    broker.advance(session)
    rate = broker.truth.usd_per_gbp(session)
    answers = []
    for line, fraction, count in zip(ticket.lines, fractions, pieces or [1] * len(fractions), strict=True):
        at = ticket.window.open_utc + dt.timedelta(minutes=MINUTES_A_LINE * (line.line - 1))
        price = broker.truth.opens.get((line.symbol, session))
        if price is None or fraction == 0 or _skips(line, price, broker.cash_gbp):
            answers.append(Answer(line.line, "SKIPPED", "price or cash beyond the limit" if fraction else "no time"))
            continue
        fill = _buy if line.side == "BUY" else _sell
        whole = Decimal(line.amount_gbp if line.side == "BUY" else line.units) * fraction
        places = PENCE_PLACES if line.side == "BUY" else UNIT_PLACES
        parts = [
            fill(line.symbol, size, _price(price, place), rate, at + APART * place, broker)
            for place, size in enumerate(share_out(half_even(whole, places), SHARES[count], places))
        ]
        answers.append(of_parts(line.line, "DONE" if fraction == 1 else "PARTIAL", parts))
    return answers


def _price(opened: Decimal, place: int) -> Decimal:
    return half_even(opened * (1 + DEARER * place), PRICE_PLACES) if place else opened


def _skips(line: LinePart, price_usd: Decimal, available_gbp: Decimal) -> bool:
    limit = Decimal(line.limit_price_usd)
    if line.side == "SELL":
        return price_usd < limit
    assert line.min_available_gbp is not None
    return price_usd > limit or available_gbp < Decimal(line.min_available_gbp)


def _buy(
    symbol: str, pounds: Decimal, price: Decimal, rate: Decimal, at: dt.datetime, broker: MadeUpAccount
) -> FillPart:
    with exact():
        units = half_even(pounds * rate / price, UNIT_PLACES)
    return FillPart(price, at, units, pounds, broker.buy(symbol, pounds, units))


def _sell(
    symbol: str, units: Decimal, price: Decimal, rate: Decimal, at: dt.datetime, broker: MadeUpAccount
) -> FillPart:
    with exact():
        value = half_even(units * price / rate, PENCE_PLACES)
    broker.sell(symbol, units, value)
    return FillPart(price, at, units, value)
