"""Differences that come about when a ticket is executed and answered: each is planted in one line.

Belongs here: what the executor enters against what the broker did. Does not belong here: which kind's turn it is.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from types import MappingProxyType

from trading_ops.domain.answer import BEGUN, Answer
from trading_ops.domain.ticket_model import LinePart, TicketContent
from trading_ops.domain.values import PENCE_PLACES, UNIT_PLACES, exact, half_even
from trading_ops.simulation import kinds
from trading_ops.simulation.broker import SimulatedBroker
from trading_ops.simulation.kinds import Kind
from trading_ops.simulation.people import swapped_units

FILLED_PARTS = (Decimal("0.3"), Decimal("0.4"), Decimal("0.6"), Decimal("0.7"))
COMMISSION_USD = Decimal(2)
FEWEST_FILLS = 3
"""With fewer fills a commission is so small that other causes come to the same pence."""


@dataclass
class Execution:
    """A ticket that was just executed, with what is to be entered of it.

    Attributes:
        honest: What really became of each line.
        entered: What is entered; a kind changes it.
        names: Names that may be bought.
        taken: Names that a planted difference is about already.
        booked_twice: Lines whose fill is entered again off the ticket.
    """

    ticket: TicketContent
    account: SimulatedBroker
    honest: Sequence[Answer]
    fx_fee: Decimal
    names: Sequence[str]
    entered: dict[int, Answer] = field(init=False)
    taken: set[str] = field(default_factory=set)
    booked_twice: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.entered = {answer.line: answer for answer in self.honest}

    def line(self, number: int) -> LinePart:
        """A line of the ticket."""
        return self.ticket.lines[number - 1]

    def filled(self, side: str | None = None) -> list[Answer]:
        """Honest answers of lines that were filled, of names that nothing is planted about."""
        return [
            a
            for a in self.honest
            if a.status in BEGUN and side in (None, self.line(a.line).side)
            and self.line(a.line).symbol not in self.taken
        ]  # fmt: skip


Plant = Callable[[Execution, random.Random], Answer | None]


def plant(kind: Kind, done: Execution, dice: random.Random) -> int | None:
    """Plant a difference of a kind in one line; returns the line, or None when no line serves."""
    answer = PLANTS[kind](done, dice)
    if answer is None:
        return None
    done.taken.add(done.line(answer.line).symbol)
    return answer.line


def _unanswered(done: Execution, dice: random.Random) -> Answer | None:
    chosen = _one(done.filled(), dice)
    if chosen:
        del done.entered[chosen.line]
    return chosen


def _skipped(done: Execution, dice: random.Random) -> Answer | None:
    return _enter(done, _one(done.filled("BUY"), dice), lambda a: Answer(a.line, "SKIPPED", "no time"))


def _swapped(done: Execution, dice: random.Random) -> Answer | None:
    chosen = _one([a for a in done.filled() if swapped_units(a)], dice)
    return _enter(done, chosen, lambda a: replace(a, units=swapped_units(a)))


def _slipped(done: Execution, dice: random.Random) -> Answer | None:
    """Ten times the units, or a tenth of the pounds where that is a sum to the penny."""
    chosen = _one([a for a in done.filled("BUY") if a.units and a.value_gbp], dice)
    if chosen is None or chosen.units is None or chosen.value_gbp is None:
        return None
    tenth = chosen.value_gbp / 10
    if tenth == half_even(tenth, PENCE_PLACES) and dice.random() < 0.5:
        return _enter(done, chosen, lambda a: replace(a, value_gbp=half_even(tenth, PENCE_PLACES)))
    tenfold = chosen.units * 10
    return _enter(done, chosen, lambda a: replace(a, units=tenfold))


def _phantom(done: Execution, dice: random.Random) -> Answer | None:
    chosen = _one(done.filled(), dice)
    if chosen:
        _take_back(done, chosen, Decimal(1))
    return chosen


def _partial(done: Execution, dice: random.Random) -> Answer | None:
    chosen = _one([a for a in done.filled("BUY") if a.status == "DONE"], dice)
    if chosen:
        _take_back(done, chosen, 1 - dice.choice(FILLED_PARTS))
    return chosen


def _look_alike(done: Execution, dice: random.Random) -> Answer | None:
    """Another name at about the same price is bought for the same pounds; units and price are typed as shown."""
    chosen = _one(done.filled("BUY"), dice)
    session = done.ticket.window.session
    known = {*done.account.units(), *(line.symbol for line in done.ticket.lines), *done.taken}
    others = [s for s in done.names if s not in known and (s, session) in done.account.truth.opens]
    if chosen is None or not others or chosen.value_gbp is None:
        return None
    price = chosen.price_usd or Decimal(1)
    near = sorted(others, key=lambda s: (abs(done.account.truth.opens[s, session] - price), s))[0]
    theirs = done.account.truth.opens[near, session]
    with exact():
        units = half_even(chosen.value_gbp * done.account.truth.usd_per_gbp(session) / theirs, UNIT_PLACES)
    _take_back(done, chosen, Decimal(1))
    position = done.account.buy(near, chosen.value_gbp, units)
    done.taken.add(near)
    return _enter(done, chosen, lambda a: replace(a, units=units, price_usd=theirs, position_id=position))


def _twice(done: Execution, dice: random.Random) -> Answer | None:
    chosen = _one([a for a in done.filled("BUY") if a.status == "DONE"], dice)
    if chosen:
        done.booked_twice.append(chosen.line)
    return chosen


def _exchange(done: Execution, dice: random.Random) -> Answer | None:
    """The broker's rate costs its fee, and the pounds are not typed: the ledger works them out at the fixing."""
    chosen = _one([a for a in done.filled("BUY") if a.units and a.value_gbp], dice)
    if chosen is None or chosen.units is None:
        return None
    with exact():
        lost = half_even(chosen.units * done.fx_fee, UNIT_PLACES)
    done.account.take_back(done.line(chosen.line).symbol, "BUY", lost, Decimal(0), chosen.position_id)
    units = chosen.units - lost
    return _enter(done, chosen, lambda a: replace(a, units=units, value_gbp=None))


def _commission(done: Execution, dice: random.Random) -> Answer | None:
    filled = [a for a in done.honest if a.status in BEGUN]
    if len(filled) < FEWEST_FILLS or done.taken:
        return None
    with exact():
        rate = done.account.truth.usd_per_gbp(done.ticket.window.session)
        done.account.cash_gbp -= half_even(COMMISSION_USD / rate, PENCE_PLACES) * len(filled)
    return filled[0]


def _one(answers: Sequence[Answer], dice: random.Random) -> Answer | None:
    return dice.choice(answers) if answers else None


def _enter(done: Execution, chosen: Answer | None, wrong: Callable[[Answer], Answer]) -> Answer | None:
    if chosen is not None:
        done.entered[chosen.line] = wrong(chosen)
    return chosen


def _take_back(done: Execution, answer: Answer, share: Decimal) -> None:
    line = done.line(answer.line)
    assert answer.units is not None
    assert answer.value_gbp is not None
    with exact():
        units, value = half_even(answer.units * share, UNIT_PLACES), half_even(answer.value_gbp * share, PENCE_PLACES)
    done.account.take_back(line.symbol, line.side, units, value, answer.position_id)


PLANTS: Mapping[Kind, Plant] = MappingProxyType(
    {
        kinds.UNANSWERED: _unanswered, kinds.SKIPPED: _skipped, kinds.SWAPPED: _swapped, kinds.SLIPPED: _slipped,
        kinds.PHANTOM: _phantom, kinds.PARTIAL: _partial, kinds.LOOK_ALIKE: _look_alike, kinds.TWICE: _twice,
        kinds.EXCHANGE: _exchange, kinds.COMMISSION: _commission,
    }
)  # fmt: skip
