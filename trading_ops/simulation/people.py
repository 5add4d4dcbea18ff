"""What the people of a simulation do, and which mistakes of theirs are planted.

`perfect` does everything, `absent` nothing, `sloppy` makes one mistake at a time and repairs it after a week or two.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal, TypeAlias

from trading_ops.domain.answer import Answer
from trading_ops.domain.errors import BadInput
from trading_ops.domain.policy import Policy
from trading_ops.domain.values import PENCE_PLACES, UNIT_PLACES, fixed

Manner: TypeAlias = Literal["perfect", "sloppy", "absent"]
MANNERS: tuple[Manner, ...] = ("perfect", "sloppy", "absent")

PARTIAL_RATE = 0.06
SKIP_RATE = 0.05
UNANSWERED_RATE = 0.10
ANSWER_TYPO_RATE = 0.10
SNAPSHOT_TYPO_RATE = 0.08
FORGOTTEN_RATE = 0.10


def manner(name: str) -> Manner:
    """A manner by its name.

    Raises:
        BadInput: There is no such manner.
    """
    for known in MANNERS:
        if name == known:
            return known
    raise BadInput(f"--executor {name!r}: use one of {', '.join(MANNERS)}.")


@dataclass(frozen=True)
class Slip:
    """A planted mistake: what it is, and in how many plans it will be seen before it is repaired."""

    kind: Literal[
        "line unanswered", "digits swapped in an answer", "digits swapped in the snapshot", "snapshot forgotten"
    ]
    weeks: int
    line: int | None = None


class People:
    """The executor's and operator's habits, decided by a seeded generator and nothing else."""

    def __init__(self, manner: Manner, seed: int) -> None:
        self.manner = manner
        self._random = random.Random(f"people:{seed}")

    def fractions(self, lines: int) -> list[Decimal]:
        """For each line the share of it that gets done; partial fills and skips are honest, not mistakes."""
        return [self._fraction() for _ in range(lines)]

    def _fraction(self) -> Decimal:
        if self.manner != "sloppy":
            return Decimal(1)
        drawn = self._random.random()
        if drawn < PARTIAL_RATE:
            return Decimal(self._random.randrange(20, 90)) / 100
        return Decimal(0) if drawn < PARTIAL_RATE + SKIP_RATE else Decimal(1)

    def slip_in_answers(self, answers: Sequence[Answer]) -> Slip | None:
        """A mistake in answering a ticket, or None."""
        if self.manner != "sloppy":
            return None
        drawn, weeks = self._random.random(), self._random.choice((1, 2))
        done = [a for a in answers if a.status in ("DONE", "PARTIAL") and swapped_units(a) is not None]
        chosen = self._random.choice(done).line if done else None
        anyone = self._random.choice(answers).line
        if drawn < UNANSWERED_RATE:
            return Slip("line unanswered", weeks, anyone)
        if drawn < UNANSWERED_RATE + ANSWER_TYPO_RATE and chosen is not None:
            return Slip("digits swapped in an answer", weeks, chosen)
        return None

    def slip_in_snapshot(self, after_fills: bool) -> Slip | None:
        """A mistake with the week's snapshot, or None. Forgetting matters only after fills: only then it happens."""
        if self.manner != "sloppy":
            return None
        drawn, weeks = self._random.random(), self._random.choice((1, 2))
        if drawn < FORGOTTEN_RATE and after_fills:
            return Slip("snapshot forgotten", weeks)
        if FORGOTTEN_RATE <= drawn < FORGOTTEN_RATE + SNAPSHOT_TYPO_RATE:
            return Slip("digits swapped in the snapshot", weeks)
        return None


def with_slip(answers: Sequence[Answer], slip: Slip | None) -> list[Answer]:
    """The answers as they are really entered."""
    if slip is None:
        return list(answers)
    if slip.kind == "line unanswered":
        return [a for a in answers if a.line != slip.line]
    return [_mistyped(a) if a.line == slip.line else a for a in answers]


def _mistyped(answer: Answer) -> Answer:
    units = swapped_units(answer)
    return answer if units is None else replace(answer, units=units)


def swapped_units(answer: Answer) -> Decimal | None:
    """The units with two neighbouring digits swapped, far enough off to be noticed; None when no swap is."""
    if answer.units is None:
        return None
    for wrong in _swaps(fixed(answer.units, UNIT_PLACES)):
        # A sale of more than is held cannot be booked at all, so a typo there goes downwards.
        if wrong > 0 and wrong < answer.units and (answer.units - wrong) / answer.units > Decimal("0.05"):
            return wrong
    return None


def swapped_cash(cash_gbp: Decimal, equity_gbp: Decimal, policy: Policy) -> Decimal | None:
    """Cash with two neighbouring digits swapped, beyond the tolerance of the gate; None when no swap is."""
    limit = 2 * max(policy.reconciliation.cash_abs_gbp, policy.reconciliation.cash_rel * equity_gbp)
    return next((w for w in _swaps(fixed(cash_gbp, PENCE_PLACES)) if abs(w - cash_gbp) > limit), None)


def _swaps(text: str) -> list[Decimal]:
    found = []
    for i in range(len(text) - 1):
        a, b = text[i], text[i + 1]
        if a.isdigit() and b.isdigit() and a != b:
            found.append(Decimal(text[:i] + b + a + text[i + 2 :]))
    return found
