"""The confirmation gate: every line of the newest TRADE ticket, and of the tests since, has its answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from trading_ops.domain.reasons import RULES
from trading_ops.domain.results import CheckResult, Outcome
from trading_ops.domain.values import Symbol


@dataclass(frozen=True, slots=True)
class LineAnswer:
    """A line that needs an answer; `status` is None while it has none."""

    plan_id: str
    line: int
    symbol: Symbol
    side: str
    status: str | None


def check_confirmation_missing(lines: Sequence[LineAnswer]) -> CheckResult:
    """Every line is DONE, PARTIAL, SKIPPED or FAILED (RULES, Confirmation gate).

    Args:
        lines: Lines of the newest weekly TRADE ticket and of the test tickets since, ticket by ticket; those of a
            withdrawn ticket that were never begun are left out.
    """
    rule = RULES["CONFIRMATION_MISSING"]
    allowed = "every line answered"
    seen = f"{sum(line.status is not None for line in lines)} of {len(lines)} lines answered"
    missing = [line for line in lines if line.status is None]
    if not missing:
        return CheckResult(rule.code, Outcome.PASS, seen, allowed, rule.sentence)
    sentence = " ".join(_missing_of(plan, list(of)) for plan, of in groupby(missing, lambda line: line.plan_id))
    subjects = tuple(f"{line.plan_id}/{line.line}" for line in missing)
    return CheckResult(rule.code, Outcome.FAIL, seen, allowed, sentence, rule.remedy, subjects)


def _missing_of(plan_id: str, lines: Sequence[LineAnswer]) -> str:
    names = ", ".join(f"line {line.line} ({line.side} {line.symbol})" for line in lines)
    return f"Of the ticket of plan {plan_id} no answer is known for {names}."
