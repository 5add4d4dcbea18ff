"""What the examination of a history answers: counts by source, findings, and large moves with their classes."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from trading_ops.domain.move_classes import Classified, MoveClass
from trading_ops.domain.move_facts import Move
from trading_ops.domain.values import Symbol

STOCKS, FUNDS = "stocks", "funds"
"""The groups of names that are counted apart."""


class Code(StrEnum):
    """What can be found beside large moves, in the order of the report."""

    OFF_CALENDAR_BAR = "OFF_CALENDAR_BAR"
    DUPLICATE_BAR = "DUPLICATE_BAR"
    INVALID_BAR = "INVALID_BAR"
    MISSING_BAR = "MISSING_BAR"
    ENDS_EARLY = "ENDS_EARLY"
    ZERO_VOLUME = "ZERO_VOLUME"
    SPECIAL_DISTRIBUTION = "SPECIAL_DISTRIBUTION"
    ADJUSTMENT_UNEXPLAINED = "ADJUSTMENT_UNEXPLAINED"
    SPLIT_NOISE = "SPLIT_NOISE"


MEANINGS = {
    Code.OFF_CALENDAR_BAR: "a bar on a day without a New York session",
    Code.DUPLICATE_BAR: "a bar that one source has more than once",
    Code.INVALID_BAR: "prices or volume that cannot be",
    Code.MISSING_BAR: "a session without a bar between a name's first and last",
    Code.ENDS_EARLY: "a name whose bars end before the others'",
    Code.ZERO_VOLUME: "a session without a trade",
    Code.SPECIAL_DISTRIBUTION: "a distribution above the policy's share of the previous close",
    Code.ADJUSTMENT_UNEXPLAINED: "an adjusted close that counts something not on record",
    Code.SPLIT_NOISE: "a split ratio that was cleaned of float noise",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found: what, where, and a sentence for the operator."""

    code: Code
    symbol: Symbol
    session: dt.date
    sentence: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """What one source has of stocks or of funds.

    Attributes:
        source: The source.
        group: Stocks or funds.
        names: Names with a bar.
        first: Its first bar.
        last: Its last bar.
        bars: Bars, as they came.
        expected: Sessions between each name's first and last bar.
        missing: Those of them without a bar.
        zero_volume: Bars without a trade.
        invalid: Bars that cannot be.
    """

    source: str
    group: str
    names: int
    first: dt.date
    last: dt.date
    bars: int
    expected: int
    missing: int
    zero_volume: int
    invalid: int


@dataclass(frozen=True, slots=True)
class LargeMove:
    """One close that moved beyond the recorded split by more than the policy allows.

    Attributes:
        move: Its figures.
        verdict: What it was taken for.
        gate: The code with which the data gate freezes the name, empty when it would not.
        after: The next session's close over this one's, splits considered; for the reader, it decides nothing.
        fund: Whether the name is counted apart from stocks.
    """

    move: Move
    verdict: Classified
    gate: str
    after: Decimal | None
    fund: bool = False


@dataclass(frozen=True)
class Margin:
    """How far the classes can be trusted: what the rules say where the truth is known or nothing should be found.

    Attributes:
        unrecorded: For each recorded split beyond the policy's factor, the class once its record is taken away.
        narrow: Classes of the moves that are just too small to be looked at.
        narrowest: The smallest factor among those.
    """

    unrecorded: tuple[tuple[Move, Classified], ...]
    narrow: tuple[tuple[Move, Classified], ...]
    narrowest: Decimal


@dataclass(frozen=True)
class History:
    """All of it.

    Attributes:
        coverage: By source and group.
        findings: By code, name and session.
        moves: Large moves, by name and session.
        jump_max: The policy's factor beyond which a move is large.
        margin: How far the classes can be trusted; None when it was not asked for.
    """

    coverage: tuple[Coverage, ...]
    findings: tuple[Finding, ...]
    moves: tuple[LargeMove, ...]
    jump_max: Decimal
    margin: Margin | None = None

    def of_code(self, code: Code) -> tuple[Finding, ...]:
        """The findings of one code."""
        return tuple(f for f in self.findings if f.code is code)


def count(kinds: Iterable[MoveClass]) -> dict[MoveClass, int]:
    """How many of each class, every class named."""
    found = list(kinds)
    return {kind: found.count(kind) for kind in MoveClass}
