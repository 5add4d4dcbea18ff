"""What the people of a simulation do: `perfect` everything, `absent` nothing, `sloppy` one mistake at a time.

Belongs here: how much of a ticket gets done, and how numbers are mistyped.
Does not belong here: which mistakes there are (`kinds`) and when they are made (`sloppy_life`).
"""

import random
from decimal import Decimal
from typing import Literal, TypeAlias

from trading_ops.domain.errors import BadInput
from trading_ops.domain.policy import Policy
from trading_ops.domain.values import PENCE_PLACES, UNIT_PLACES, fixed

Manner: TypeAlias = Literal["perfect", "sloppy", "absent"]
MANNERS: tuple[Manner, ...] = ("perfect", "sloppy", "absent")

NEARLY = Decimal("0.02")
"""Share of the units that no rate of exchange speaks against."""

PERSON = "simulated executor"
OPERATOR = "simulated operator"

PARTIAL_RATE = 0.06
PIECES_RATE = 0.3
SKIP_RATE = 0.05


def manner(name: str) -> Manner:
    """A manner by its name.

    Raises:
        BadInput: There is no such manner.
    """
    for known in MANNERS:
        if name == known:
            return known
    raise BadInput(f"--executor {name!r}: use one of {', '.join(MANNERS)}.")


class People:
    """The executor's and operator's habits, decided by a seeded generator and nothing else."""

    def __init__(self, manner: Manner, seed: int) -> None:
        self.manner = manner
        self.seed = seed
        self._random = random.Random(f"people:{seed}")
        self._orders = random.Random(f"orders:{seed}")

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

    def pieces(self, lines: int) -> list[int]:
        """For each line the number of pieces in which the broker fills it; only the sloppy have such a broker."""
        if self.manner != "sloppy":
            return [1] * lines
        return [self._orders.choice((2, 3)) if self._orders.random() < PIECES_RATE else 1 for _ in range(lines)]


def swapped_units(units: Decimal | None) -> Decimal | None:
    """The units with two neighbouring digits swapped, far enough off to be noticed; None when no swap is."""
    if units is None:
        return None
    for wrong in _swaps(fixed(units, UNIT_PLACES)):
        # A sale of more than is held cannot be booked at all, so a typo there goes downwards.
        if wrong > 0 and wrong < units and (units - wrong) / units > Decimal("0.05"):
            return wrong
    return None


def nearly_units(units: Decimal | None, policy: Policy) -> Decimal | None:
    """The same so little off that no rate tells, but beyond the tolerance of the gate; None when no swap is."""
    if units is None:
        return None
    limits = policy.reconciliation
    for wrong in _swaps(fixed(units, UNIT_PLACES)):
        least = 2 * max(limits.units_abs, limits.units_rel * units)
        if wrong < units and least < units - wrong < units * NEARLY:
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
