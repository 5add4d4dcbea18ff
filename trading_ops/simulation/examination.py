"""An examination at the end of a sloppy run: differences planted singly and in pairs on the final book.

Every case lives one more week in a transaction that is rolled back, so the book stays as the run left it.
Belongs here: the cases, and what is found in them. Does not belong here: the kinds themselves.
"""

import datetime as dt
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from trading_ops.domain import calendar
from trading_ops.simulation import kinds, planting_answers, planting_week
from trading_ops.simulation.entering import enter
from trading_ops.simulation.kinds import Kind
from trading_ops.simulation.operator import Operator, agrees, classes
from trading_ops.simulation.planting_answers import Execution
from trading_ops.simulation.weeks import Simulation, doings

OF_ANSWERS = (
    kinds.SKIPPED,
    kinds.SWAPPED,
    kinds.SLIPPED,
    kinds.PHANTOM,
    kinds.PARTIAL,
    kinds.LOOK_ALIKE,
    kinds.TWICE,
    kinds.PIECE_SWAPPED,
    kinds.PIECE_MISSED,
    kinds.PIECE_PHANTOM,
    kinds.PIECE_TWICE,
)
OF_WEEK = (
    kinds.OFF_TICKET, kinds.DIVIDEND, kinds.FEE, kinds.INTEREST, kinds.DEPOSIT, kinds.WITHDRAWAL, kinds.UNITS_SLIPPED,
    kinds.LEFT_OUT,
)  # fmt: skip
AMBIGUOUS = (kinds.NEARLY, kinds.NEARLY_TYPED, kinds.NEVER_CAME)
"""Beside another difference the person would look again after the first: they are examined singly."""
MORE_AT_THE_BROKER = frozenset(
    {kinds.SKIPPED, kinds.SWAPPED, kinds.LOOK_ALIKE, kinds.PIECE_SWAPPED, kinds.PIECE_MISSED}
)
MORE_IN_THE_LEDGER = frozenset({kinds.PHANTOM, kinds.TWICE, kinds.LEFT_OUT, kinds.PIECE_PHANTOM, kinds.PIECE_TWICE})
ONE_SUM = (frozenset({kinds.DEPOSIT, kinds.WITHDRAWAL}), frozenset({kinds.OFF_TICKET, kinds.DIVIDEND}))
"""Together they are one sum that nobody could take apart."""


@dataclass(frozen=True)
class Examined:
    """One case.

    Attributes:
        kinds: What was planted: one kind or two.
        subjects: Names, lines or `CASH`, one a kind.
        found: Classes found, sorted.
        agrees: After the proposals were accepted the light was green and nothing differed.
    """

    kinds: tuple[Kind, ...]
    subjects: tuple[str, ...]
    found: tuple[str, ...]
    agrees: bool

    @property
    def expected(self) -> tuple[str, ...]:
        """The classes that must be found, sorted."""
        return tuple(sorted(k.expected for k in self.kinds))

    @property
    def right(self) -> bool:
        """Each planted difference got its class, nothing else was found, and all agrees."""
        return self.found == self.expected and self.agrees


def cases() -> tuple[tuple[Kind, ...], ...]:
    """Every kind that can be planted on a finished book, and every pair that can be told from other causes."""
    every = (*OF_ANSWERS, *OF_WEEK)
    return (
        *((kind,) for kind in (*every, *AMBIGUOUS)),
        *(pair for pair in combinations(every, 2) if not _as_another(*pair)),
    )


def _as_another(one: Kind, other: Kind) -> bool:
    """Together they look as one other cause does: units of one name for those of another are a wrong name bought."""
    swap = {one, other} & MORE_AT_THE_BROKER and {one, other} & MORE_IN_THE_LEDGER
    return bool(swap) or frozenset({one, other}) in ONE_SUM


def examine(run: Simulation, asof: dt.date, of: Sequence[tuple[Kind, ...]] | None = None) -> Iterator[Examined]:
    """Plant each case on the final book, one week on, and take it back; what the week does not allow is left out.

    Args:
        run: A simulation that has lived through its weeks, with nothing outstanding.
        asof: The last session that it planned.
        of: The cases, all when left out.
    """
    coming = calendar.weekly_asofs(asof + dt.timedelta(days=1), asof + dt.timedelta(days=14))[0]
    for number, case in enumerate(cases() if of is None else of):
        with run.conn.transaction(force_rollback=True):
            done = _examined(run, coming, case, random.Random(f"examination:{run.people.seed}:{number}"))
        if done is not None:
            yield done


def _examined(run: Simulation, asof: dt.date, case: Sequence[Kind], dice: random.Random) -> Examined | None:
    account = run.account.copy()
    operator = Operator(run.conn, run.root, run.policy, account, run.operator.booked)
    subjects: list[str | None] = []
    taken: set[str] = set()
    execution = replace(run.executed, account=account, taken=taken, booked_twice={}) if run.executed else None
    for kind in (k for k in case if k.moment == "answers"):
        line = planting_answers.plant(kind, execution, dice) if execution else None
        subjects.append(None if line is None else str(line))
    if execution is not None and None not in subjects:
        _enter(run, execution)
    account.advance(asof)
    week = doings(run, asof, account, operator.new_credits())
    week.taken = taken
    for kind in (k for k in case if k.moment == "week"):
        subjects.append(planting_week.plant(kind, week, dice))
    if None in subjects:
        return None
    operator.book_dividends(week.credits)
    operator.check_account(asof, cash_gbp=week.typed_cash, mistyped=week.typed_units)
    found = operator.look(asof)
    operator.settle(asof, {kind.accepted for kind in case})
    return Examined(tuple(case), tuple(s for s in subjects if s), classes(found), agrees(operator.look(asof)))


def _enter(run: Simulation, execution: Execution) -> None:
    """Answer anew what is planted: the honest answers are in the book already."""
    honest = {a.line: a for a in execution.honest}
    changed = {line: a for line, a in execution.entered.items() if honest[line] != a or line in execution.booked_twice}
    enter(run.conn, execution, changed, correct=True)
