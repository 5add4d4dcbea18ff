"""One possible cause of differences: which lines it explains, what it does to cash, and what it would book.

Belongs here: a cause as data and the costs by which causes are ranked, lower is better.
Does not belong here: how causes are found, how they are combined (`diagnosis_search`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeAlias

from trading_ops.domain.corrections import (
    BookMovement,
    CorrectAnswer,
    Proposal,
    VoidFill,
    VoidMovement,
    WithdrawAnswer,
)
from trading_ops.domain.values import ZERO, Symbol, fixed

Conclusion: TypeAlias = tuple[str, tuple[Proposal, ...]]

STATEMENT: Final = 3
"""A row of the broker's statement says so."""
SUPPORTED: Final = 5
"""Other numbers of the same fact contradict what was typed and agree with this."""
EXACT: Final = 8
"""Units and cash fit to the last digit, and something else supports it."""
FITS: Final = 10
"""Units and cash fit to the last digit."""
NEUTRAL: Final = 13
"""It fits, but so could much else."""
NEAR: Final = 17
"""Units fit, cash fits within what is not known."""
FREE: Final = 24
"""Only the size fits."""
ROUGH: Final = 25
"""About the right amount of pounds."""
MARGIN: Final = 2
"""Solutions whose costs differ by no more explain it equally well."""


@dataclass(frozen=True)
class Cause:
    """One possible cause.

    Attributes:
        code: Its class.
        lines: Names whose difference in units it explains; none for a cause of cash alone.
        cash_gbp: What it adds to broker - ledger cash; the best guess when `slack_gbp` is above 0.
        slack_gbp: How far the true pounds may be from that.
        cost: How far-fetched it is.
        certain: A statement row or exact numbers confirm it.
        conclude: The sentence and the entries, given the pounds that the whole solution leaves to it.
        key: Text that orders causes of equal cost.
        subjects: Facts it takes out and dividends it books: no two causes of one solution share one.
        whole_pounds: Its pounds are whole ones, as an order by amount has them, or it is less likely.
    """

    code: str
    lines: tuple[Symbol, ...]
    cash_gbp: Decimal
    cost: int
    conclude: Callable[[Decimal], Conclusion]
    key: str
    slack_gbp: Decimal = ZERO
    certain: bool = False
    subjects: tuple[str, ...] = ()
    whole_pounds: bool = False


def settled(
    code: str,
    lines: tuple[Symbol, ...],
    cash_gbp: Decimal,
    cost: int,
    sentence: str,
    *proposals: Proposal,
    certain: bool = False,
) -> Cause:
    """A cause whose pounds are known exactly."""
    key, subjects = f"{code} {sentence}", subjects_of(proposals)
    return Cause(code, lines, cash_gbp, cost, lambda _: (sentence, proposals), key, certain=certain, subjects=subjects)


def subjects_of(proposals: tuple[Proposal, ...]) -> tuple[str, ...]:
    """What the entries are about: facts that they take out, dividends that they book."""
    found: list[str] = []
    for proposal in proposals:
        match proposal:
            case VoidFill(fill_id=fill_id):
                found.append(fill_id)
            case CorrectAnswer(replaces=str(fill_id)) | WithdrawAnswer(replaces=fill_id):
                found.append(fill_id)
            case VoidMovement(movement_id=movement_id):
                found.append(movement_id)
            case BookMovement(kind="dividend", symbol=symbol, ex_date=ex_date) if ex_date is not None:
                found.append(f"dividend {symbol} {ex_date}")
    return tuple(found)


def pounds(amount: Decimal) -> str:
    """`£12.34`, without sign."""
    return f"£{fixed(abs(amount), 2)}"
