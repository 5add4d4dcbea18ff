"""How far the classes of large moves can be trusted, measured on the history itself.

Two questions that have an answer: a split that is on record is taken off it, and must be found again from the prices
alone; and moves too small for the gate are judged all the same, though hardly any of them is a split.
"""

from dataclasses import replace
from decimal import Decimal

import numpy as np

from trading_ops.domain.move_classes import Classified
from trading_ops.domain.move_facts import Move
from trading_ops.domain.move_measure import measure
from trading_ops.domain.moves import classify
from trading_ops.domain.policy import Data
from trading_ops.domain.values import ONE, exact
from trading_ops.history.findings import Margin
from trading_ops.history.price_rules import Pairs, moves_between, view_of

NARROWEST = Decimal("1.25")
"""Below it even the smallest usual split, 1.5, is out of reach."""


def margin(found: Pairs, benchmark: str, data: Data) -> Margin:
    """Judge every recorded split as if it were not recorded, and every move that is nearly large."""
    unrecorded = [forgotten(move) for move in _splits(found, benchmark, data)]
    _, narrow = moves_between(found, NARROWEST, data.jump_max, benchmark)
    return Margin(
        unrecorded=tuple((move, classify(move, data)) for move in unrecorded),
        narrow=tuple((move, classify(move, data)) for move in narrow),
        narrowest=NARROWEST,
    )


def forgotten(move: Move) -> Move:
    """The same move when neither the record nor the source's adjusted close knows of the split."""
    with exact():
        raw = move.adjusted / move.split if move.adjusted is not None else None
    return replace(move, split=ONE, adjusted=raw, adjusted_early=None)


def undistributed(move: Move) -> Move:
    """The same move when neither the record nor the source's adjusted close knows of the distribution."""
    return replace(move, distribution=Decimal(0), adjusted=move.ratio, adjusted_early=None)


def _splits(found: Pairs, benchmark: str, data: Data) -> list[Move]:
    """Moves into a session with a recorded split that would be large without it."""
    places = np.flatnonzero(found.follows & (found.split != 1))
    view = view_of(found, places, benchmark)
    moves = [measure(view, *found.bars.key(place), benchmark) for place in places]
    with exact():
        return [m for m in moves if m and not ONE / data.jump_max <= m.raw <= data.jump_max]


def verdicts(pairs: tuple[tuple[Move, Classified], ...]) -> list[Classified]:
    """The classes alone."""
    return [verdict for _, verdict in pairs]
