"""The executor: does what the ticket says at the open of its session, under the ticket's own skip rules."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from trading_ops.domain.answer import Answer
from trading_ops.domain.ticket_model import LinePart, TicketContent
from trading_ops.domain.values import PENCE_PLACES, UNIT_PLACES, exact, half_even
from trading_ops.simulation.broker import SimulatedBroker

MINUTES_A_LINE = 2


def execute(ticket: TicketContent, broker: SimulatedBroker, fractions: Sequence[Decimal]) -> list[Answer]:
    """Carry out a TRADE ticket and say honestly what became of each line.

    Args:
        ticket: The ticket's content.
        broker: Where it is done; it lives through the open of the window's session first.
        fractions: For each line the share of it that the broker fills: 1 whole, 0 not done.

    Returns:
        One answer a line.
    """
    session = ticket.window.session
    broker.advance(session)
    rate = broker.truth.usd_per_gbp(session)
    answers = []
    for line, fraction in zip(ticket.lines, fractions, strict=True):
        at = ticket.window.open_utc + dt.timedelta(minutes=MINUTES_A_LINE * (line.line - 1))
        price = broker.truth.opens.get((line.symbol, session))
        if price is None or fraction == 0 or _skips(line, price, broker.cash_gbp):
            answers.append(Answer(line.line, "SKIPPED", "price or cash beyond the limit" if fraction else "no time"))
            continue
        fill = _buy if line.side == "BUY" else _sell
        answers.append(fill(line, price, rate, fraction, at, broker))
    return answers


def _skips(line: LinePart, price_usd: Decimal, available_gbp: Decimal) -> bool:
    limit = Decimal(line.limit_price_usd)
    if line.side == "SELL":
        return price_usd < limit
    assert line.min_available_gbp is not None
    return price_usd > limit or available_gbp < Decimal(line.min_available_gbp)


def _buy(
    line: LinePart, price: Decimal, rate: Decimal, fraction: Decimal, at: dt.datetime, broker: SimulatedBroker
) -> Answer:
    pounds = half_even(Decimal(line.amount_gbp) * fraction, PENCE_PLACES)
    with exact():
        units = half_even(pounds * rate / price, UNIT_PLACES)
    position = broker.buy(line.symbol, pounds, units)
    status = "DONE" if fraction == 1 else "PARTIAL"
    return Answer(line.line, status, "", units, price, pounds, None, at, position)


def _sell(
    line: LinePart, price: Decimal, rate: Decimal, fraction: Decimal, at: dt.datetime, broker: SimulatedBroker
) -> Answer:
    units = half_even(Decimal(line.units) * fraction, UNIT_PLACES)
    with exact():
        value = half_even(units * price / rate, PENCE_PLACES)
    broker.sell(line.symbol, units, value)
    status = "DONE" if fraction == 1 else "PARTIAL"
    return Answer(line.line, status, "", units, price, value, None, at, None)
