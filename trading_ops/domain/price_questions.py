"""What is asked about a price: the session's range, the reference, currencies, slips, and the line's limit.

Belongs here: the price alone. Does not belong here: units, value and time (`plausibility`).
"""

from collections.abc import Iterator
from decimal import Decimal

from trading_ops.domain.answer_evidence import Evidence, Question
from trading_ops.domain.slips import likely_slip, near
from trading_ops.domain.ticket_model import LinePart
from trading_ops.domain.values import ONE, ZERO, fixed, half_even, money, plain

RANGE_TOLERANCE = Decimal("0.003")
"""Share by which a true fill may lie outside the session's low and high: eToro adds its spread."""


def price_questions(line: LinePart, price: Decimal, evidence: Evidence) -> Iterator[Question]:
    """Questions about a price in USD, > 0; call it inside `exact()`."""
    slip = mistyped_price(line, price, evidence)
    if slip is not None:
        yield slip
        return
    odd = _unusual(line, price, evidence)
    if odd:
        look = f"Is it ${money(price)}, as {where_to_look(line)}? Then keep it, with a short note."
        yield Question("PRICE_UNUSUAL", "price", f"{odd} {look}")
    limit = Decimal(line.limit_price_usd)
    if price > limit if line.side == "BUY" else price < limit:
        side = "above" if line.side == "BUY" else "below"
        ask = (
            f"The line was to be skipped {side} ${line.limit_price_usd}, and this price is {side} it. Was it done all "
            f"the same? Then keep it as it is, with a short note. If not, see {where_to_look(line)}."
        )
        yield Question("BEYOND_LIMIT", "price", ask)


def where_to_look(line: LinePart) -> str:
    """Where eToro shows the price of such a fill."""
    return "under 'Open Price' in the position" if line.side == "BUY" else "under 'Close Price' in the history"


def mistyped_price(line: LinePart, price: Decimal, evidence: Evidence) -> Question | None:
    """The question when a price is unusual and a currency or a slip of the fingers explains it."""
    expected, width = _usual(line, evidence)
    reference = Decimal(line.reference_price_usd)
    bar_known = evidence.low_usd is not None
    slip = None if bar_known else likely_slip(price, reference, ZERO)  # the reference itself, two digits swapped
    if slip is None and near(price, expected, width):
        return None
    for factor, coins in ((evidence.usd_per_gbp, "pounds"), (evidence.usd_per_gbp / 100, "pence")):
        if near(price * factor, expected, width):
            ask = f"{plain(price)} looks like a price in {coins}. The field wants dollars, as {where_to_look(line)}."
            return Question("PRICE_NOT_DOLLARS", "price", ask)
    slip = slip or likely_slip(price, expected, width) or likely_slip(price, reference, ZERO)
    if slip is None:
        return None
    ask = f"{slip.sentence} See the price {where_to_look(line)}: is it nearer to ${fixed(slip.meant, 2)}?"
    return Question(f"PRICE_{slip.kind}", "price", ask)


def _usual(line: LinePart, evidence: Evidence) -> tuple[Decimal, Decimal]:
    """The middle of what is usual, and how far from it still is, as a share."""
    low, high = evidence.low_usd, evidence.high_usd
    if low is None or high is None:
        return Decimal(line.reference_price_usd), evidence.share
    return (low + high) / 2, (high - low) / (high + low) + RANGE_TOLERANCE


def _unusual(line: LinePart, price: Decimal, evidence: Evidence) -> str:
    expected, width = _usual(line, evidence)
    if near(price, expected, width):
        return ""
    low, high = evidence.low_usd, evidence.high_usd
    if low is not None and high is not None:
        return f"That day {line.symbol} traded between ${money(low)} and ${money(high)}, and this price is outside."
    away = price / expected - ONE
    percent = plain(half_even(abs(away) * 100, 0))
    return f"This price is {percent} % {'above' if away > ZERO else 'below'} the reference ${money(expected)}."
