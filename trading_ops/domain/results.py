"""What a rule answers: passed, failed or not evaluated, with what was seen and what is allowed."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, TypeAlias

GateName: TypeAlias = Literal["data", "signals", "confirmation", "reconciliation", "risk", "desk"]


class Outcome(StrEnum):
    """The three answers a rule can give. A rule that could not look did not pass."""

    PASS = "PASS"
    FAIL = "FAIL"
    NOT_EVALUATED = "NOT_EVALUATED"


class Verdict(StrEnum):
    """What a ticket says."""

    TRADE = "TRADE"
    NO_TRADE = "NO-TRADE"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One rule's answer about one plan.

    Attributes:
        code: The reason code, a key of `reasons.RULES`.
        outcome: Passed, failed or not evaluated.
        seen: The value found, as text with its unit (`0.9592 (94 of 98 names)`).
        allowed: The threshold, as text with its unit (`at least 0.98`).
        sentence: What happened, in one plain sentence for the operator.
        remedy: What would have to be true to trade and who does it; empty when passed.
        subjects: The names, lines or dates concerned, sorted.
    """

    code: str
    outcome: Outcome
    seen: str
    allowed: str
    sentence: str
    remedy: str = ""
    subjects: tuple[str, ...] = field(default=())

    @property
    def passed(self) -> bool:
        """True only for PASS."""
        return self.outcome is Outcome.PASS
