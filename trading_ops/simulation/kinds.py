"""The kinds of differences that are planted between the account and the books, each with the class it must be given.

Belongs here: what a kind is, as data. Does not belong here: how one is planted (`planting`), or found (`diagnosis`).
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Moment: TypeAlias = Literal["answers", "ahead", "week"]
Side: TypeAlias = Literal["answer", "entry", "account", "snapshot"]


@dataclass(frozen=True)
class Kind:
    """One kind of planted difference.

    Attributes:
        name: As people read it.
        moment: When it is planted: with a ticket's `answers`, after a plan for what lies `ahead`, or in the `week` up
            to the snapshot.
        side: On which side something is wrong or left out; `account` means that the broker did what nobody entered.
        expected: The class that the diagnosis must give it; empty where the comparison has nothing to explain.
        refused: It is outside the tolerance of a gate, so a plan must refuse it. One within plants no refusal.
        weeks: In how many plans it is seen before it is cleared: one of these.
        truth: Where nobody can tell by the numbers alone (`expected` is AMBIGUOUS): the class of what really happened,
            which must be among the readings and is the one that the person picks.
    """

    name: str
    moment: Moment
    side: Side
    expected: str
    refused: bool = True
    weeks: tuple[int, ...] = (1, 2)
    truth: str = ""

    @property
    def accepted(self) -> str:
        """The class of what the person accepts."""
        return self.truth or self.expected


# What lies within the tolerance is looked at in its first week: a later snapshot would count it as agreed.
_ONCE = (1,)

UNANSWERED = Kind("line unanswered", "answers", "answer", "MISSED_FILL")
SKIPPED = Kind("line answered SKIPPED though filled", "answers", "answer", "MISSED_FILL")
SWAPPED = Kind("digits swapped in an answer", "answers", "answer", "DIGITS_SWAPPED_FILL")
SLIPPED = Kind("decimal point moved in an answer", "answers", "answer", "DECIMAL_SLIP")
PHANTOM = Kind("line answered DONE that was never filled", "answers", "answer", "PHANTOM_FILL")
PARTIAL = Kind("line answered DONE though filled in part", "answers", "answer", "PARTIAL_FILL")
LOOK_ALIKE = Kind("wrong name bought", "answers", "answer", "WRONG_NAME")
TWICE = Kind("trade booked twice", "answers", "entry", "FILLED_TWICE")
PIECE_SWAPPED = Kind("digits swapped in a later piece", "answers", "answer", "DIGITS_SWAPPED_FILL")
PIECE_MISSED = Kind("later piece not answered", "answers", "answer", "PARTIAL_FILL")
PIECE_PHANTOM = Kind("later piece answered that was never filled", "answers", "answer", "PHANTOM_FILL")
PIECE_TWICE = Kind("piece answered twice", "answers", "answer", "FILLED_TWICE")
NEARLY = Kind(
    "digits of a first purchase swapped, no rate tells", "answers", "answer", "AMBIGUOUS", truth="DIGITS_SWAPPED_FILL"
)
EXCHANGE = Kind("pounds of a fill worked out at the fixing", "answers", "answer", "FX_COST", refused=False, weeks=_ONCE)
COMMISSION = Kind("commission on each fill", "answers", "account", "FEE", refused=False, weeks=_ONCE)
SPLIT_LACKING = Kind("split taken back by hand", "ahead", "entry", "SPLIT_UNBOOKED")
SPLIT_PHANTOM = Kind("split on record that never happened", "week", "entry", "SPLIT_DOUBLED", weeks=(2,))
OFF_TICKET = Kind("purchase off the ticket", "week", "account", "MISSED_FILL")
DIVIDEND = Kind("dividend not booked", "week", "entry", "UNBOOKED_DIVIDEND", refused=False)
DIVIDEND_AMOUNT = Kind("dividend booked at another amount", "week", "entry", "DIVIDEND_AMOUNT", False, _ONCE)
FEE = Kind("fee on the statement only", "week", "account", "FEE", refused=False, weeks=_ONCE)
INTEREST = Kind("interest on the statement only", "week", "account", "INTEREST", refused=False, weeks=_ONCE)
DEPOSIT = Kind("deposit not entered", "week", "entry", "UNBOOKED_DEPOSIT")
WITHDRAWAL = Kind("withdrawal not entered", "week", "entry", "UNBOOKED_WITHDRAWAL")
CASH_SWAPPED = Kind("digits swapped in the snapshot", "week", "snapshot", "DIGITS_SWAPPED_SNAPSHOT", weeks=_ONCE)
UNITS_SLIPPED = Kind("decimal point moved in the snapshot", "week", "snapshot", "DECIMAL_SLIP", weeks=_ONCE)
NEARLY_TYPED = Kind(
    "digits of a first purchase swapped in the snapshot", "week", "snapshot", "AMBIGUOUS", weeks=_ONCE,
    truth="DIGITS_SWAPPED_SNAPSHOT",
)  # fmt: skip
NEVER_CAME = Kind("deposit entered that never came", "week", "entry", "AMBIGUOUS", truth="PHANTOM_MOVEMENT")
LEFT_OUT = Kind("name left out of the snapshot", "week", "snapshot", "NOT_TYPED", weeks=_ONCE)
FORGOTTEN = Kind("snapshot forgotten", "week", "snapshot", "")

KINDS: tuple[Kind, ...] = (
    UNANSWERED, SKIPPED, SWAPPED, SLIPPED, PHANTOM, PARTIAL, LOOK_ALIKE, TWICE, PIECE_SWAPPED, PIECE_MISSED,
    PIECE_PHANTOM, PIECE_TWICE, NEARLY, EXCHANGE, COMMISSION, SPLIT_LACKING, SPLIT_PHANTOM, OFF_TICKET, DIVIDEND,
    DIVIDEND_AMOUNT, FEE, INTEREST, DEPOSIT, WITHDRAWAL, CASH_SWAPPED, UNITS_SLIPPED, NEARLY_TYPED, NEVER_CAME,
    LEFT_OUT, FORGOTTEN,
)  # fmt: skip


@dataclass(frozen=True)
class Planted:
    """A difference that is outstanding.

    Attributes:
        kind: What it is.
        subject: The name, or `CASH`.
        weeks: In how many plans it is to be seen.
        line: The ticket's line, for one planted with the answers.
    """

    kind: Kind
    subject: str
    weeks: int = 1
    line: int | None = None
