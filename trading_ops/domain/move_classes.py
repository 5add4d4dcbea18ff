"""The classes of a large move, and what is answered for each: evidence, what to look up, what to record then.

Belongs here: the answers. Does not belong here: which of them it is (`moves`), the sentences (`move_words`).
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from trading_ops.domain import move_words as words
from trading_ops.domain.move_facts import Move
from trading_ops.domain.values import ONE, fixed, plain


class MoveClass(StrEnum):
    """What a move beyond the recorded split was."""

    MISSING_SPLIT = "MISSING_SPLIT"
    SPECIAL_DISTRIBUTION = "SPECIAL_DISTRIBUTION"
    SPLIT_AND_DISTRIBUTION = "SPLIT_AND_DISTRIBUTION"
    SPURIOUS_SPLIT = "SPURIOUS_SPLIT"
    GENUINE = "GENUINE"
    UNCLEAR = "UNCLEAR"


@dataclass(frozen=True, slots=True)
class Classified:
    """What a move was taken for.

    Attributes:
        kind: The class.
        evidence: Sentences with figures; the first says what decided.
        look_up: What the operator looks up, and where.
        proposal: What would be recorded if the looking up confirms it; empty when nothing is proposed.
    """

    kind: MoveClass
    evidence: tuple[str, ...]
    look_up: str
    proposal: str = ""


def missing_split(move: Move, reason: str, ratio: Decimal) -> Classified:
    """A split beyond the recorded one, which is 1 where none is recorded."""
    true = move.split * ratio
    proposal = f"split {words.split_words(true)} on {move.session}"
    return answer(MoveClass.MISSING_SPLIT, move, reason, words.look_up_split(move, true), proposal)


def distributed(move: Move, reason: str, amount: str, unrecorded: Decimal = ONE) -> Classified:
    """A distribution, with a split of its day if one is recorded or seen."""
    split = move.split * unrecorded
    if split == ONE:
        proposal = f"distribution on {move.session} of {amount}"
        return answer(MoveClass.SPECIAL_DISTRIBUTION, move, reason, words.look_up_distribution(move), proposal)
    proposal = f"split {words.split_words(split)} and distribution on {move.session} of {amount}"
    return answer(MoveClass.SPLIT_AND_DISTRIBUTION, move, reason, words.look_up_both(move), proposal)


def spurious_split(move: Move) -> Classified:
    """A split on record that the price knows nothing of."""
    reason = (
        f"A split {words.split_words(move.split)} is recorded, and the price as traded hardly moved: "
        f"{words.signed(move.raw)}."
    )
    proposal = f"no split on {move.session}"
    return answer(MoveClass.SPURIOUS_SPLIT, move, reason, words.look_up_spurious(move), proposal)


def genuine(move: Move, reasons: list[str]) -> Classified:
    """Trading made the move."""
    text = "; ".join(reasons)
    proposal = f"accept the bar of {move.session} as it is"
    return answer(MoveClass.GENUINE, move, f"{text[0].upper()}{text[1:]}.", words.look_up_news(move), proposal)


def unclear(move: Move, reason: str) -> Classified:
    """Nothing decides; a person looks."""
    return answer(MoveClass.UNCLEAR, move, reason, words.look_up_anything(move), "")


def answer(kind: MoveClass, move: Move, reason: str, look_up: str, proposal: str) -> Classified:
    """An answer with the figures of the move behind what decided."""
    return Classified(kind, (reason, *words.facts(move)), look_up, proposal)


def recorded(move: Move, when: str = "") -> str:
    """The amount on record; `when` says whether it is per share before or after the split."""
    return f"{plain(move.distribution)} USD a share{f' {when} the split' if when else ''}"


def estimated(move: Move, usd: Decimal) -> str:
    """An amount that is not on record, per share after the split of its day."""
    return f"about {fixed(usd, 2)} USD a share{'' if move.split == ONE else ' after the split'}, not recorded"
