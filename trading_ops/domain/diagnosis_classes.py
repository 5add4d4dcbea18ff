"""The closed list of causes that a difference between broker and ledger may have, each with its sentence.

Belongs here: code and sentence. Does not belong here: how a cause is recognised.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class CauseClass:
    """One kind of difference, as people read it."""

    code: str
    sentence: str


_CLASSES: Final = (
    CauseClass("UNBOOKED_DIVIDEND", "A dividend is in the broker's cash and not in the ledger."),
    CauseClass("DIVIDEND_AMOUNT", "A dividend is booked at another amount than the broker paid."),
    CauseClass("DIVIDEND_LATER", "The ledger books the dividend after the moment of the snapshot; nothing to correct."),
    CauseClass("SPLIT_UNBOOKED", "The broker applied a split that the ledger does not have."),
    CauseClass("SPLIT_DOUBLED", "The ledger applied a split that the broker has not applied."),
    CauseClass("DIGITS_SWAPPED_FILL", "Two neighbouring digits of a fill were typed in the wrong order."),
    CauseClass("DIGITS_SWAPPED_MOVEMENT", "Two neighbouring digits of a cash movement were typed in the wrong order."),
    CauseClass("DIGITS_SWAPPED_SNAPSHOT", "Two neighbouring digits of the snapshot were typed in the wrong order."),
    CauseClass("DECIMAL_SLIP", "A number was typed with its decimal point in the wrong place, or in pence."),
    CauseClass("MISSED_FILL", "The broker executed a trade that the ledger does not have."),
    CauseClass("PHANTOM_FILL", "The ledger has a fill that the broker did not execute."),
    CauseClass("FILLED_TWICE", "One instruction was executed twice, or booked twice."),
    CauseClass("PARTIAL_FILL", "The broker filled another part of an order than was answered."),
    CauseClass("WRONG_NAME", "A trade was booked under another name than the one executed."),
    CauseClass("FEE", "A fee was taken that is not in the ledger."),
    CauseClass("FX_COST", "The broker's exchange rate was worse than the one with which a fill was worked out."),
    CauseClass("UNBOOKED_DEPOSIT", "A deposit is at the broker and not in the ledger."),
    CauseClass("UNBOOKED_WITHDRAWAL", "A withdrawal is at the broker and not in the ledger."),
    CauseClass("MOVEMENT_TWICE", "A cash movement is in the ledger twice."),
    CauseClass("PHANTOM_MOVEMENT", "The ledger has a cash movement that the broker does not show."),
    CauseClass("SPIN_OFF", "The broker credited units of a new name for a name that is held."),
    CauseClass("NAME_CHANGE", "A name goes by another symbol at the broker."),
    CauseClass("INTEREST", "Interest was credited or charged."),
    CauseClass("ADJUSTMENT", "The broker's statement shows an adjustment that is not in the ledger."),
    CauseClass("NOT_TYPED", "The snapshot lacks a name whose sale nothing else shows."),
    CauseClass("AMBIGUOUS", "Two causes explain the difference equally well."),
    CauseClass("UNKNOWN", "Nothing that the desk knows explains the difference."),
)

CLASSES: Final[Mapping[str, CauseClass]] = MappingProxyType({c.code: c for c in _CLASSES})
"""Every class by code, in the order in which they are written down and printed."""
