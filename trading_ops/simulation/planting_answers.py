"""Differences that come about when a ticket is executed and answered: each is planted in one line.

Belongs here: what the executor enters against what the broker did. Does not belong here: which kind's turn it is.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from types import MappingProxyType

from trading_ops.domain.answer import BEGUN, Answer, FillPart, of_parts
from trading_ops.domain.made_up_account import MadeUpAccount
from trading_ops.domain.policy import Policy
from trading_ops.domain.ticket_model import LinePart, TicketContent
from trading_ops.domain.values import PENCE_PLACES, UNIT_PLACES, exact, half_even
from trading_ops.simulation import kinds
from trading_ops.simulation.kinds import Kind
from trading_ops.simulation.people import nearly_units, swapped_units

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
        booked_twice: Pieces, by line, that are entered again off the ticket.
    """

    ticket: TicketContent
    account: MadeUpAccount
    honest: Sequence[Answer]
    policy: Policy
    names: Sequence[str]
    entered: dict[int, Answer] = field(init=False)
    taken: set[str] = field(default_factory=set)
    booked_twice: dict[int, FillPart] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.entered = {answer.line: answer for answer in self.honest}

    def line(self, number: int) -> LinePart:
        """A line of the ticket."""
        return self.ticket.lines[number - 1]

    def filled(self, side: str | None = None, *, several: bool = False) -> list[Answer]:
        """Honest answers of lines that were filled, of names that nothing is planted about."""
        return [
            a
            for a in self.honest
            if a.status in BEGUN and side in (None, self.line(a.line).side)
            and self.line(a.line).symbol not in self.taken and (len(a.pieces) > 1 or not several)
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
    return _enter(done, _one(done.filled(), dice), lambda a: Answer(a.line, "SKIPPED", "no time"))


def _swapped(done: Execution, dice: random.Random) -> Answer | None:
    return _swap(done, done.filled(), dice)


def _piece_swapped(done: Execution, dice: random.Random) -> Answer | None:
    return _swap(done, done.filled(several=True), dice)


def _swap(done: Execution, able: Sequence[Answer], dice: random.Random) -> Answer | None:
    chosen = _one([a for a in able if swapped_units(_later(a).units)], dice)
    return _enter(done, chosen, lambda a: _retyped(a, units=swapped_units(_later(a).units)))


def _nearly(done: Execution, dice: random.Random) -> Answer | None:
    """Of a name that is all of one fill: answer and snapshot may as well have been typed wrong."""
    held = done.account.units()
    able = [a for a in done.filled("BUY") if held.get(done.line(a.line).symbol) == a.units]
    chosen = _one([a for a in able if len(a.pieces) == 1 and nearly_units(a.units, done.policy)], dice)
    return _enter(done, chosen, lambda a: replace(a, units=nearly_units(a.units, done.policy)))


def _slipped(done: Execution, dice: random.Random) -> Answer | None:
    """Ten times the units, or a tenth of the pounds where that is a sum to the penny."""
    chosen = _one(done.filled("BUY"), dice)
    if chosen is None:
        return None
    units, value = _numbers(_later(chosen))
    tenth = value / 10
    if tenth == half_even(tenth, PENCE_PLACES) and dice.random() < 0.5:
        return _enter(done, chosen, lambda a: _retyped(a, value_gbp=half_even(tenth, PENCE_PLACES)))
    return _enter(done, chosen, lambda a: _retyped(a, units=units * 10))


def _phantom(done: Execution, dice: random.Random) -> Answer | None:
    chosen = _one(done.filled(), dice)
    if chosen:
        _take_back(done, chosen, Decimal(1))
    return chosen


def _piece_phantom(done: Execution, dice: random.Random) -> Answer | None:
    chosen = _one(done.filled(several=True), dice)
    if chosen:
        _take_back(done, chosen, Decimal(1))
    return chosen


def _piece_missed(done: Execution, dice: random.Random) -> Answer | None:
    chosen = _one(done.filled(several=True), dice)
    return _enter(done, chosen, lambda a: of_parts(a.line, a.status, a.pieces[:-1]))


def _piece_twice(done: Execution, dice: random.Random) -> Answer | None:
    chosen = _one(done.filled("BUY", several=True), dice)
    return _enter(done, chosen, lambda a: of_parts(a.line, a.status, (*a.pieces, _later(a))))


def _partial(done: Execution, dice: random.Random) -> Answer | None:
    chosen = _one([a for a in done.filled() if a.status == "DONE"], dice)
    if chosen:
        _take_back(done, chosen, 1 - dice.choice(FILLED_PARTS))
    return chosen


def _look_alike(done: Execution, dice: random.Random) -> Answer | None:
    """Another name at about the same price is bought for the same pounds; units and price are typed as shown."""
    chosen = _one(done.filled("BUY"), dice)
    session = done.ticket.window.session
    known = {*done.account.units(), *(line.symbol for line in done.ticket.lines), *done.taken}
    others = [s for s in done.names if s not in known and (s, session) in done.account.truth.opens]
    if chosen is None or not others:
        return None
    part = _later(chosen)
    _, value = _numbers(part)
    near = sorted(others, key=lambda s: (abs(done.account.truth.opens[s, session] - part.price_usd), s))[0]
    theirs = done.account.truth.opens[near, session]
    with exact():
        units = half_even(value * done.account.truth.usd_per_gbp(session) / theirs, UNIT_PLACES)
    _take_back(done, chosen, Decimal(1))
    position = done.account.buy(near, value, units)
    done.taken.add(near)
    return _enter(done, chosen, lambda a: _retyped(a, units=units, price_usd=theirs, position_id=position))


def _twice(done: Execution, dice: random.Random) -> Answer | None:
    chosen = _one([a for a in done.filled("BUY") if a.status == "DONE"], dice)
    if chosen:
        done.booked_twice[chosen.line] = _later(chosen)
    return chosen


def _exchange(done: Execution, dice: random.Random) -> Answer | None:
    """The broker's rate costs its fee, and the pounds are not typed: the ledger works them out at the fixing."""
    chosen = _one(done.filled("BUY"), dice)
    if chosen is None:
        return None
    part = _later(chosen)
    units, _ = _numbers(part)
    with exact():
        lost = half_even(units * done.policy.account.fx_fee, UNIT_PLACES)
    done.account.take_back(done.line(chosen.line).symbol, "BUY", lost, Decimal(0), part.position_id)
    return _enter(done, chosen, lambda a: _retyped(a, units=units - lost, value_gbp=None))


def _commission(done: Execution, dice: random.Random) -> Answer | None:
    filled = [a for a in done.honest if a.status in BEGUN]
    positions = sum(len(a.pieces) for a in filled)  # opening or closing each of them costs
    if positions < FEWEST_FILLS or done.taken:
        return None
    with exact():
        rate = done.account.truth.usd_per_gbp(done.ticket.window.session)
        done.account.cash_gbp -= half_even(COMMISSION_USD / rate, PENCE_PLACES) * positions
    return filled[0]


def _one(answers: Sequence[Answer], dice: random.Random) -> Answer | None:
    return dice.choice(answers) if answers else None


def _enter(done: Execution, chosen: Answer | None, wrong: Callable[[Answer], Answer]) -> Answer | None:
    if chosen is not None:
        done.entered[chosen.line] = wrong(chosen)
    return chosen


def _later(answer: Answer) -> FillPart:
    """The last piece: of several it is not the first that goes wrong."""
    return answer.pieces[-1]


def _retyped(answer: Answer, **changes: object) -> Answer:
    """The answer with other numbers of its last piece."""
    part = replace(_later(answer), **changes)  # type: ignore[arg-type]
    return of_parts(answer.line, answer.status, (*answer.pieces[:-1], part))


def _numbers(part: FillPart) -> tuple[Decimal, Decimal]:
    assert part.units is not None
    assert part.value_gbp is not None
    return part.units, part.value_gbp


def _take_back(done: Execution, answer: Answer, share: Decimal) -> None:
    line, part = done.line(answer.line), _later(answer)
    units, value = _numbers(part)
    with exact():
        units, value = half_even(units * share, UNIT_PLACES), half_even(value * share, PENCE_PLACES)
    done.account.take_back(line.symbol, line.side, units, value, part.position_id)


PLANTS: Mapping[Kind, Plant] = MappingProxyType(
    {
        kinds.UNANSWERED: _unanswered, kinds.SKIPPED: _skipped, kinds.SWAPPED: _swapped, kinds.SLIPPED: _slipped,
        kinds.PHANTOM: _phantom, kinds.PARTIAL: _partial, kinds.LOOK_ALIKE: _look_alike, kinds.TWICE: _twice,
        kinds.PIECE_SWAPPED: _piece_swapped, kinds.PIECE_MISSED: _piece_missed, kinds.PIECE_PHANTOM: _piece_phantom,
        kinds.PIECE_TWICE: _piece_twice, kinds.NEARLY: _nearly,
        kinds.EXCHANGE: _exchange, kinds.COMMISSION: _commission,
    }
)  # fmt: skip
