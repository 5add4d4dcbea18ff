"""Questions about an answer to a ticket line, in the executor's words: what to look at on the eToro screen.

A question never refuses: an unusual fill that is true is kept after a second look and a note.
Belongs here: units, value, size and time, and the door to the questions about the price (`price_questions`).
Does not belong here: how text becomes numbers (`typed`), what an answer must have to be stored (`store.answers`), the
gate (`confirmation`).
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Literal

from trading_ops.domain.answer_evidence import Entry, Evidence, Question
from trading_ops.domain.price_questions import mistyped_price, price_questions
from trading_ops.domain.slips import likely_slip, near
from trading_ops.domain.ticket_model import LinePart
from trading_ops.domain.ticket_words import clock, london_day, long_day, typed_pounds, typed_units
from trading_ops.domain.values import ONE, PENCE_PLACES, UNIT_PLACES, ZERO, exact, fixed, half_even, money, plain

__all__ = ["Entry", "Evidence", "Question", "questions"]

OVERFILL_UNITS = Decimal("0.0005")
CLOCK_SLACK = dt.timedelta(minutes=2)
"""How far a phone's clock and ours may differ."""
BEGUN = ("DONE", "PARTIAL")
_MISTYPED = ("_DIGITS_SWAPPED", "_POINT_MOVED", "_DOLLARS")
"""Endings of codes that say what was probably meant: nothing more is asked about such a field."""


def questions(line: LinePart, entry: Entry, evidence: Evidence) -> tuple[Question, ...]:
    """Everything odd about an answer; empty for a usual one.

    Args:
        line: The instruction.
        entry: What was typed; numbers that are not above 0 are not looked at.
        evidence: What it is held against.

    Returns:
        At most one question a cause, and no second one about a field that seems mistyped.
    """
    if entry.status not in BEGUN:
        return ()
    entry = replace(
        entry, units=_above_0(entry.units), price_usd=_above_0(entry.price_usd), value_gbp=_above_0(entry.value_gbp)
    )
    kept: list[Question] = []
    settled: set[str] = set()
    with exact():
        for question in _all(line, entry, evidence):
            if question.field not in settled:
                kept.append(question)
            if question.code.endswith(_MISTYPED):
                settled.add(question.field)
    return tuple(kept)


def _above_0(number: Decimal | None) -> Decimal | None:
    return number if number is not None and number.is_finite() and number > ZERO else None


def _all(line: LinePart, entry: Entry, evidence: Evidence) -> Iterator[Question]:
    price = entry.price_usd
    if price is not None:
        yield from price_questions(line, price, evidence)
        if mistyped_price(line, price, evidence) is not None:
            price = None  # nothing can be worked out from it
    if price is not None and entry.units is not None and entry.value_gbp is not None:
        yield from _amounts(line, entry.units, price, entry.value_gbp, evidence)
    yield from _size(line, replace(entry, price_usd=price), evidence)
    if entry.executed_at is not None:
        yield from _time(entry.executed_at, evidence)


def _amounts(line: LinePart, units: Decimal, price: Decimal, value: Decimal, evidence: Evidence) -> Iterator[Question]:
    """Units x price in pounds against the value."""
    pounds = units * price / evidence.usd_per_gbp
    if near(value, pounds, evidence.share):
        return
    if near(value, units * price, evidence.share):
        ask = f"{plain(value)} looks like dollars. Type the amount in £ instead: about £{fixed(pounds, 0)}."
        yield Question("VALUE_IN_DOLLARS", "value", ask)
        return
    slipped = _which_slipped(line, units, value, pounds, evidence.share)
    if slipped is not None:
        yield slipped
        return
    ask = f"{plain(units)} units at ${money(price)} are about £{fixed(pounds, 0)}, not £{money(value)}."
    yield Question("AMOUNTS_DISAGREE", "value", f"{ask} Compare units, price and amount with the eToro screen.")


def _which_slipped(line: LinePart, units: Decimal, value: Decimal, pounds: Decimal, share: Decimal) -> Question | None:
    """The number whose slip would explain the disagreement; units if both would, unless they fit the line."""
    of_units = likely_slip(units, units * value / pounds, share)
    of_value = likely_slip(value, pounds, share)
    if of_units and not (of_value and near(units, Decimal(line.units), share)):
        meant = plain(half_even(of_units.meant, UNIT_PLACES))
        ask = f"{of_units.sentence} See 'Units' in the position: is it nearer to {meant}?"
        return Question(f"UNITS_{of_units.kind}", "units", ask)
    if of_value:
        meant = fixed(of_value.meant, PENCE_PLACES)
        ask = f"{of_value.sentence} See the amount on the eToro screen: is it nearer to £{meant}?"
        return Question(f"VALUE_{of_value.kind}", "value", ask)
    return None


def _size(line: LinePart, entry: Entry, evidence: Evidence) -> Iterator[Question]:
    """How much was done against how much the line asked for."""
    found = _done_and_wanted(line, entry, evidence)
    if found is None:
        return
    field, done, wanted, slack = found
    pounds = field == "value"
    said = typed_pounds(str(wanted)) if pounds else f"{typed_units(str(wanted))} units"
    typed = f"£{plain(done)}" if pounds else f"{plain(done)} units"
    only_exactly = entry.status == "PARTIAL" or near(done, wanted, evidence.share)
    slip = likely_slip(done, wanted, ZERO if only_exactly else evidence.share)
    if slip is not None:
        where = "the amount" if pounds else "'Units'"
        ask = f"{slip.sentence} The line says {said}. Compare {where} with the eToro screen."
        yield Question(f"{field.upper()}_{slip.kind}", field, ask)
    elif done > wanted + slack:
        ask = f"{typed} is more than the {said} of the line. If eToro shows it so, keep it, with a short note."
        yield Question("OVERFILLED", field, ask)
    elif entry.status == "DONE" and done < wanted * (ONE - evidence.share):
        ask = f"{typed} is less than the {said} of the line. Was only a part filled? Then choose PARTIAL."
        yield Question("WAS_IT_PARTIAL", "status", ask)


def _done_and_wanted(
    line: LinePart, entry: Entry, evidence: Evidence
) -> tuple[Literal["units", "value"], Decimal, Decimal, Decimal] | None:
    """A field that shows the size, what was typed there, what the line wants of it, and how much more is usual."""
    pounds, pieces, price = Decimal(line.amount_gbp), Decimal(line.units), entry.price_usd
    if line.side == "BUY" and entry.value_gbp is not None:
        return "value", entry.value_gbp, pounds, ZERO
    if line.side == "SELL" and entry.units is not None:
        return "units", entry.units, pieces, OVERFILL_UNITS
    if price is not None and entry.units is not None:
        wanted = half_even(pounds * evidence.usd_per_gbp / price, UNIT_PLACES)
        return "units", entry.units, wanted, wanted * evidence.share
    if price is not None and entry.value_gbp is not None:
        wanted = half_even(pieces * price / evidence.usd_per_gbp, PENCE_PLACES)
        return "value", entry.value_gbp, wanted, wanted * evidence.share
    return None


def _time(at: dt.datetime, evidence: Evidence) -> Iterator[Question]:
    """When it was done: the gravest oddity only."""
    window, day = evidence.window, london_day(at)
    look = "Look at the time that eToro shows for this trade."
    if at > evidence.now + CLOCK_SLACK:
        yield Question("TIME_IN_FUTURE", "time", f"{clock(at)} on {long_day(day)} has not come yet. {look}")
    elif day != window.session:
        ask = f"The ticket was for {long_day(window.session)}, and this is {long_day(day)}. {look}"
        yield Question("ANOTHER_DAY", "time", f"{ask} If it is right, keep it, with a short note.")
    elif not window.market_open_utc <= at <= window.market_close_utc:
        hours = f"{clock(window.market_open_utc)} to {clock(window.market_close_utc)} (London)"
        ask = (
            f"At {clock(at)} the US market was closed; its hours were {hours}. A market order placed while closed "
            f"queues, and fills at the next opening at whatever the price is. {look} Was it really filled then? "
            "Only then keep it, with a note of how it came about."
        )
        yield Question("MARKET_CLOSED", "time", ask)
    elif not window.open_utc <= at <= window.close_utc:
        hours = f"{clock(window.open_utc)} to {clock(window.close_utc)} (London)"
        ask = f"The ticket's time was {hours}, and this is {clock(at)}. {look}"
        yield Question("OUTSIDE_WINDOW", "time", f"{ask} If it is right, keep it, with a short note.")
