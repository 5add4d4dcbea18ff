"""An execution that the ledger books under another name than the one traded: two lines, one cause."""

from collections.abc import Iterator
from decimal import Decimal

from trading_ops.domain.corrections import Proposal, cash_of
from trading_ops.domain.diagnosis_case import Case
from trading_ops.domain.diagnosis_cause import FITS, NEAR, Cause, Conclusion, pounds, settled
from trading_ops.domain.diagnosis_entries import booking, removal
from trading_ops.domain.diagnosis_missed import PRICE_SLACK, priced
from trading_ops.domain.ledger_facts import Fill
from trading_ops.domain.values import ONE, PENCE_PLACES, ZERO, Symbol, exact, half_even, plain

PENNY = Decimal("0.01")


def under_other_name(case: Case) -> Iterator[Cause]:
    """A fill of one name that the broker executed in another: two lines, one cause."""
    names = tuple(d.symbol for d in case.drifting)
    for booked in names:
        for fill in case.fills(booked):
            gone = removal(case, fill, "executed in another name")
            if not case.nearly(fill, ZERO) or not case.fits((booked,), (gone,)):
                continue
            for true in names:
                if true != booked and (case.missing(true) > ZERO) == (fill.side == "BUY"):
                    yield from _swapped_name(case, fill, true, gone)


def _swapped_name(case: Case, fill: Fill, true: Symbol, gone: Proposal) -> Iterator[Cause]:
    units = abs(case.then(true, fill.session))
    worth = case.worth(true, units)
    when = (fill.filled_at, fill.session)
    slack_share = 2 * PRICE_SLACK
    with exact():
        if not units or (worth is not None and abs(worth / max(fill.value_gbp, PENNY) - ONE) > slack_share):
            return
    about = f"The {fill.side} of {pounds(fill.value_gbp)} booked as {fill.symbol} was executed in {true}"
    lines = tuple(sorted((fill.symbol, true)))
    cost = FITS if worth is not None else NEAR
    if fill.side == "BUY":
        price = case.implied_price(units, fill.value_gbp) or fill.price_usd
        entry = booking(
        case,
            true, "BUY", units, price, fill.value_gbp, "booked under another name",
            when=when, key=f"not {fill.fill_id}", position_id=fill.position_id,
        )  # fmt: skip
        if case.fits(lines, (gone, entry)):
            sentence = f"{about}: {plain(units)} units for the same pounds."
            yield settled("WRONG_NAME", lines, ZERO, cost, sentence, gone, entry, certain=worth is not None)
        return
    if worth is not None:
        yield from _sold_other(case, fill, true, units, worth, gone, about)


def _sold_other(
    case: Case, fill: Fill, true: Symbol, units: Decimal, worth: Decimal, gone: Proposal, about: str
) -> Iterator[Cause]:
    build = priced(case, true, "SELL", units, about, fill.session, None)
    was = cash_of(fill)

    def conclude(cash: Decimal) -> Conclusion:
        with exact():
            sentence, entries = build(cash + was)
        return sentence, (gone, *entries)

    with exact():
        cash, slack = worth - was, half_even(worth * PRICE_SLACK, PENCE_PLACES)
    lines = tuple(sorted((fill.symbol, true)))
    if case.fits(lines, conclude(cash)[1]):
        yield Cause(
            "WRONG_NAME",
            lines,
            cash,
            NEAR,
            conclude,
            f"WRONG_NAME {fill.fill_id} {true}",
            slack,
            subjects=(fill.fill_id,),
        )
