"""What a correction of one piece makes of the whole answer to a line; the other pieces stay as they were booked.

Does not belong here: what an answer must hold (`answer`), why a piece is corrected (`diagnosis`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from trading_ops.domain.answer import Answer, FillPart, of_parts
from trading_ops.domain.corrections import CorrectAnswer, WithdrawAnswer
from trading_ops.domain.ledger_facts import FillSide
from trading_ops.domain.values import PENCE_PLACES, UNIT_PLACES, ZERO, exact, half_even

WHOLE = Decimal("0.99")
"""Share of its line that makes an order as good as filled: the broker's last pennies are no rest."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the answer in force, as its fill was booked, with the fee in pounds that was booked with it."""

    part: FillPart
    fee_gbp: Decimal


@dataclass(frozen=True, slots=True)
class LineSize:
    """What a line asked for: a BUY so many pounds, a SELL so many units."""

    side: FillSide
    units: Decimal
    amount_gbp: Decimal

    def status(self, units: Decimal, value_gbp: Decimal) -> Literal["DONE", "PARTIAL"]:
        """What executions of so many units for so many pounds in all make of the line."""
        with exact():
            whole = value_gbp >= self.amount_gbp * WHOLE if self.side == "BUY" else units >= self.units * WHOLE
        return "DONE" if whole else "PARTIAL"


def rebuilt(
    line: int,
    size: LineSize,
    booked: Mapping[str, Piece],
    entries: Sequence[CorrectAnswer | WithdrawAnswer],
    note: str,
) -> Answer:
    """The new answer to a line.

    Args:
        line: The ticket's line.
        size: What it asked for.
        booked: The pieces of the answer in force in their order, by the fill that each booked.
        entries: Each gives one piece other numbers, takes it out, or adds one. What they replace is in `booked`.
        note: Why.

    Returns:
        SKIPPED when no piece is left; else DONE or PARTIAL as the entries say, or as the numbers do once a piece goes.
    """
    pieces: dict[str, Piece] = dict(booked)
    for entry in entries:
        if isinstance(entry, WithdrawAnswer):
            del pieces[entry.replaces]
            continue
        old = pieces.get(entry.replaces) if entry.replaces is not None else None
        pieces[entry.replaces or entry.proposal_id] = _piece(entry, old)
    if not pieces:
        return Answer(line, "SKIPPED", "not filled at the broker", note=note)
    parts = [piece.part for piece in pieces.values()]
    with exact():
        fee = sum((piece.fee_gbp for piece in pieces.values()), ZERO)
        units = sum((part.units or ZERO for part in parts), ZERO)
        value = sum((part.value_gbp or ZERO for part in parts), ZERO)
    said = {entry.status for entry in entries if isinstance(entry, CorrectAnswer)}
    if any(isinstance(entry, WithdrawAnswer) for entry in entries):
        status: str = size.status(units, value)
    else:
        status = "PARTIAL" if "PARTIAL" in said else "DONE"
    return of_parts(line, status, parts, fee_gbp=fee or None, note=note)


def _piece(entry: CorrectAnswer, old: Piece | None) -> Piece:
    # A number found by moving a digit may carry a zero more than an answer may have decimals.
    units, value = half_even(entry.units, UNIT_PLACES), half_even(entry.value_gbp, PENCE_PLACES)
    lot_id = old.part.lot_id if old else None
    part = FillPart(
        entry.price_usd, entry.filled_at, units, value, entry.position_id, lot_id, estimated=entry.estimated
    )  # fmt: skip
    return Piece(part, entry.fee_gbp)
