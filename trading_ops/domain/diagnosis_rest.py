"""A further piece of a line that is answered already: the rest of an order came later, or a piece was not answered.

Does not belong here: a line that has no fill at all (`diagnosis_missed`), pieces that are mistyped (`diagnosis_fills`).
"""

from collections.abc import Iterator
from decimal import Decimal

from trading_ops.domain.diagnosis_case import Case
from trading_ops.domain.diagnosis_cause import EXACT, NEAR, Cause, Conclusion, pounds
from trading_ops.domain.diagnosis_entries import booking, filled
from trading_ops.domain.diagnosis_evidence import AnsweredLine
from trading_ops.domain.values import ONE, PENCE_PLACES, ZERO, exact, half_even, plain

PRICE_SLACK = Decimal("0.05")
"""Share by which the price of a further piece, in pounds, may be away from that of the others."""
PENNIES = Decimal("0.02")


def rest_of(case: Case, line: AnsweredLine) -> Iterator[Cause]:
    """The missing units are a piece of this line, which is not filled whole."""
    pieces = case.pieces(line)
    if not pieces or pieces[-1] not in case.fills(line.symbol) or filled(line, pieces) == "DONE":
        return
    last = pieces[-1]
    units = case.then(line.symbol, last.session) * (1 if line.side == "BUY" else -1)
    if units <= ZERO:
        return
    with exact():
        booked, value = sum((f.units for f in pieces), ZERO), sum((f.value_gbp for f in pieces), ZERO)
        alike = half_even(value * units / booked, PENCE_PLACES)
        left_units, left = line.units - booked, line.amount_gbp - value
        whole = line.side == "BUY" and alike > ZERO and abs(left / alike - ONE) <= PRICE_SLACK
        fitting = whole or (units <= left_units if line.side == "SELL" else alike < left)
        guess = left if whole else alike
        slack = ZERO if whole else half_even(alike * PRICE_SLACK, PENCE_PLACES) + PENNIES
    if not fitting:
        return
    ends = whole or (line.side == "SELL" and units == left_units)
    cost = EXACT if whole else NEAR - 4 if ends else NEAR - 2

    def conclude(cash: Decimal) -> Conclusion:
        with exact():
            amount = abs(cash)
        price = case.implied_price(units, amount) or last.price_usd
        entry = booking(
            case, line.symbol, line.side, units, price, amount, "a further piece of the order",
            when=(last.filled_at, last.session), line=line,
            status=filled(line, pieces, units=units, value_gbp=amount),
        )  # fmt: skip
        sentence = (
            f"Line {line.line} of plan {line.plan_id} ({line.side} {line.symbol}) is answered with {plain(booked)} "
            f"units for {pounds(value)}; the broker filled another {plain(units)} of it, by the cash for "
            f"{pounds(amount)} (estimated, with the price). Look for a piece that was not answered, or came later."
        )
        return sentence, (entry,)

    cash = guess if line.side == "SELL" else -guess
    if case.fits((line.symbol,), conclude(cash)[1]):
        key = f"PARTIAL_FILL {line.plan_id}/{line.line}"
        yield Cause("PARTIAL_FILL", (line.symbol,), cash, cost, conclude, key, slack)
