"""Causes that lie in a fill the ledger has: never executed, booked twice, mistyped, or filled in part.

Each is kept only if the name's units agree with the snapshot once it is corrected.
Does not belong here: fills that the ledger lacks (`diagnosis_missed`).
"""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

from trading_ops.domain.corrections import Proposal, cash_of
from trading_ops.domain.diagnosis_case import Case
from trading_ops.domain.diagnosis_cause import EXACT, FITS, NEAR, NEUTRAL, SUPPORTED, Cause, Conclusion, pounds, settled
from trading_ops.domain.diagnosis_digits import decimals, slipped, swapped
from trading_ops.domain.diagnosis_entries import removal, rewriting
from trading_ops.domain.ledger_facts import Fill
from trading_ops.domain.values import ONE, PENCE_PLACES, ZERO, Symbol, exact, half_even, plain

TWIN_DAYS = dt.timedelta(days=7)
FX_MOST = Decimal("0.025")
"""Share by which a worked-out half of a fill may be off."""
SAME_PRICE = Decimal("0.005")
PENNIES = Decimal("0.02")
ESTIMATE_SLACK = Decimal("0.015")
PART_LEAST = Decimal("0.01")


def of_fills(case: Case, symbol: Symbol) -> Iterator[Cause]:
    """Causes of one name's difference that lie in its own fills."""
    fills = case.fills(symbol)
    for fill in fills:
        yield from _never_executed(case, fill, fills)
        yield from _mistyped(case, fill)
        yield from _other_part(case, fill)
        yield from _worked_out(case, fill)


def _never_executed(case: Case, fill: Fill, fills: tuple[Fill, ...]) -> Iterator[Cause]:
    gone = removal(case, fill, "the broker does not have it")
    if not case.nearly(fill, ZERO) or not case.fits((fill.symbol,), (gone,)):
        return
    with exact():
        cash = -cash_of(fill)
    twin = next((f for f in fills if f.fill_id != fill.fill_id and _twins(f, fill)), None)
    if twin is None:
        sentence = (
            f"{_named(fill)} is in the ledger, but the broker has neither the units nor the "
            f"{pounds(fill.value_gbp)}: the order was never executed."
        )
        yield settled("PHANTOM_FILL", (fill.symbol,), cash, FITS, sentence, gone, certain=True)
    elif _keeps_answer(case, fill, twin):
        sentence = f"{_named(fill)} is in the ledger twice; the broker has it once. One of the two is taken out."
        yield settled("FILLED_TWICE", (fill.symbol,), cash, EXACT, sentence, gone, certain=True)


def _twins(one: Fill, other: Fill) -> bool:
    near = abs(one.filled_at - other.filled_at) <= TWIN_DAYS and one.side == other.side
    return near and (one.units == other.units or one.value_gbp == other.value_gbp)


def _keeps_answer(case: Case, fill: Fill, twin: Fill) -> bool:
    """Of two equal fills the one that answers no line goes, else the one without a fee, else the later one."""
    mine, its = case.answered(fill) is not None, case.answered(twin) is not None
    same = (fill.units, fill.value_gbp) == (twin.units, twin.value_gbp)
    if mine != its and same:
        return its
    return not same or _turn(fill) > _turn(twin)


def _turn(fill: Fill) -> tuple[bool, dt.datetime, str]:
    """The fee of a line is booked with its first piece."""
    return not fill.fee_gbp, fill.filled_at, fill.fill_id


def _mistyped(case: Case, fill: Fill) -> Iterator[Cause]:
    slips = dict.fromkeys(slipped(fill.units), "DECIMAL_SLIP")
    swaps = dict.fromkeys(swapped(fill.units, decimals(fill.units)), "DIGITS_SWAPPED_FILL")
    for units, code in {**swaps, **slips}.items():
        if units <= ZERO or decimals(units) > 6 or not case.nearly(fill, units):
            continue
        if not case.fits((fill.symbol,), rewriting(case, fill, "", units=units)):
            continue
        if fill.estimated:
            yield _mistyped_estimate(case, fill, units, code)
            continue
        after, before = case.plausible(fill, units, fill.value_gbp), case.plausible(fill, fill.units, fill.value_gbp)
        if after is False:
            continue
        supported = after is True and before is False
        sentence = _typo(fill, units, code)
        entries = rewriting(case, fill, "units mistyped", units=units)
        yield settled(
            code, (fill.symbol,), ZERO, SUPPORTED if supported else NEUTRAL, sentence, *entries, certain=supported
        )


def _typo(fill: Fill, units: Decimal, code: str) -> str:
    what = "with two digits swapped" if code == "DIGITS_SWAPPED_FILL" else "with the decimal point in the wrong place"
    return (
        f"{_named(fill)} was typed {what}: with {plain(units)} units instead of {plain(fill.units)} the broker's "
        "number is met."
    )


def _mistyped_estimate(case: Case, fill: Fill, units: Decimal, code: str) -> Cause:
    """The pounds were worked out from the mistyped units, so they are wrong too."""
    with exact():
        value = half_even(fill.value_gbp * units / fill.units, PENCE_PLACES)
        off = value - fill.value_gbp
        cash = off if fill.side == "SELL" else -off
        slack = half_even(value * ESTIMATE_SLACK, PENCE_PLACES) + PENNIES

    def conclude(settled_cash: Decimal) -> Conclusion:
        with exact():
            true = fill.value_gbp + (settled_cash if fill.side == "SELL" else -settled_cash)
        entries = rewriting(case, fill, "units mistyped", units=units, value_gbp=true)
        return f"{_typo(fill, units, code)} Its pounds were worked out from them: {pounds(true)}.", entries

    return Cause(code, (fill.symbol,), cash, EXACT, conclude, f"{code} {fill.fill_id}", slack, subjects=(fill.fill_id,))


def _other_part(case: Case, fill: Fill) -> Iterator[Cause]:
    """The broker filled less of the order than was answered."""
    more = case.then(fill.symbol, fill.session) * (1 if fill.side == "BUY" else -1)
    with exact():
        units = fill.units + more
        share = units / fill.units
    if not PART_LEAST <= share <= ONE - PART_LEAST:
        return
    if case.fits((fill.symbol,), rewriting(case, fill, "", units=units)):
        yield _part_only(case, fill, units, share)


def _part_only(case: Case, fill: Fill, units: Decimal, share: Decimal) -> Cause:
    with exact():
        off = half_even(fill.value_gbp * share, PENCE_PLACES) - fill.value_gbp
        slack = half_even(abs(off) * SAME_PRICE, PENCE_PLACES) + PENNIES
        cash = off if fill.side == "SELL" else -off
    what = "the broker filled only this part"

    def conclude(settled_cash: Decimal) -> Conclusion:
        with exact():
            value = fill.value_gbp + (settled_cash if fill.side == "SELL" else -settled_cash)
        entries = rewriting(case, fill, what, units=units, value_gbp=max(value, ZERO), status="PARTIAL")
        sentence = (
            f"{_named(fill)}: {what}. The broker shows {plain(units)} units of it for {pounds(value)}, "
            f"not {plain(fill.units)} for {pounds(fill.value_gbp)}."
        )
        return sentence, entries

    key, subjects = f"PARTIAL_FILL {fill.fill_id}", (fill.fill_id,)
    return Cause("PARTIAL_FILL", (fill.symbol,), cash, NEAR - 2, conclude, key, slack, subjects=subjects)


def _worked_out(case: Case, fill: Fill) -> Iterator[Cause]:
    """Units were worked out from the pounds; the broker's rate gave slightly others."""
    if not fill.estimated:
        return
    more = case.then(fill.symbol, fill.session) * (1 if fill.side == "BUY" else -1)
    with exact():
        units = fill.units + more
        if units <= ZERO or abs(units / fill.units - ONE) > FX_MOST:
            return
    entries: tuple[Proposal, ...] = rewriting(case, fill, "units as the broker shows", units=units, estimated=False)
    if case.fits((fill.symbol,), entries):
        sentence = (
            f"The units of {_named(fill)} were worked out from its pounds and the day's fixing; at the broker's own "
            f"rate they are {plain(units)}, not {plain(fill.units)}."
        )
        yield settled("FX_COST", (fill.symbol,), ZERO, FITS, sentence, *entries)


def _named(fill: Fill) -> str:
    return f"The {fill.side} of {plain(fill.units)} {fill.symbol} of {fill.session}"
