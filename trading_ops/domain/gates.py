"""From evidence to a verdict: TRADE only when every rule is proven.

Needs: one stored `CheckResult` for every rule that holds for the book (`required_codes`), and whether the plan has
lines. Gives: a `Decision`. What is absent was not evaluated, and what was not evaluated did not pass.
Does not belong here: judging a rule, reading stored evidence, the ticket.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from trading_ops.domain.books import Book
from trading_ops.domain.reasons import RULES, Rule
from trading_ops.domain.results import CheckResult, Outcome, Verdict

NOTHING_TO_DO = "NOTHING_TO_DO"
_WORST_LAST = (Outcome.PASS, Outcome.NOT_EVALUATED, Outcome.FAIL)


@dataclass(frozen=True, slots=True)
class Decision:
    """What the desk does this week, and why.

    Attributes:
        verdict: TRADE or NO-TRADE.
        failed: Rules that failed, in the order of `reasons.RULES`.
        not_evaluated: Rules that nobody could look at, usually behind a failed gate.
        passed: Rules that passed.
    """

    verdict: Verdict
    failed: tuple[CheckResult, ...]
    not_evaluated: tuple[CheckResult, ...]
    passed: tuple[CheckResult, ...]

    @property
    def results(self) -> tuple[CheckResult, ...]:
        """Every rule's answer, in the order of `reasons.RULES`."""
        return _ordered((*self.failed, *self.not_evaluated, *self.passed))

    @property
    def reasons(self) -> tuple[str, ...]:
        """Codes of the failed rules; empty when none failed (a NO-TRADE may also come from missing evidence)."""
        return tuple(result.code for result in self.failed)


def required_codes(book: Book) -> tuple[str, ...]:
    """The rules whose evidence a TRADE of this book needs, in the order of `reasons.RULES`.

    NOTHING_TO_DO is not among them: `decide` answers it itself.
    """
    return tuple(rule.code for rule in RULES.values() if book in rule.books and rule.code != NOTHING_TO_DO)


def decide(results: Iterable[CheckResult], has_lines: bool, book: Book) -> Decision:
    """The verdict on a plan.

    Args:
        results: The evidence, in any order. Of two answers to one rule the worse one counts; a rule of another book
            or one that is unknown here cannot help, but it blocks when it did not pass.
        has_lines: The plan has at least one order.
        book: The book of the home.

    Returns:
        TRADE when every required rule passed and there are lines, else NO-TRADE. A plan without lines whose rules all
        passed fails NOTHING_TO_DO.
    """
    evidence = {result.code: result for result in sorted(results, key=_badness)}
    evidence.pop(NOTHING_TO_DO, None)  # evidence about it would be an opinion; the lines are counted below
    for code in required_codes(book):
        evidence.setdefault(code, _absent(RULES[code]))
    clean = all(result.passed for result in evidence.values())
    evidence[NOTHING_TO_DO] = _nothing_to_do(has_lines, clean)
    answers = _ordered(evidence.values())
    return Decision(
        verdict=Verdict.TRADE if clean and has_lines else Verdict.NO_TRADE,
        failed=tuple(r for r in answers if r.outcome is Outcome.FAIL),
        not_evaluated=tuple(r for r in answers if r.outcome is Outcome.NOT_EVALUATED),
        passed=tuple(r for r in answers if r.passed),
    )


def _badness(result: CheckResult) -> tuple[int, tuple[str, ...]]:
    # The texts are in the key only so that the order of the evidence never decides anything.
    texts = (result.seen, result.allowed, result.sentence, result.remedy, *result.subjects)
    return _WORST_LAST.index(result.outcome), texts


def _ordered(results: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
    places = {code: place for place, code in enumerate(RULES)}
    return tuple(sorted(results, key=lambda result: (places.get(result.code, len(places)), result.code)))


def _absent(rule: Rule) -> CheckResult:
    return CheckResult(
        code=rule.code,
        outcome=Outcome.NOT_EVALUATED,
        seen="no evidence of this plan",
        allowed="evidence of this plan, passed",
        sentence="Nobody could look at this rule: the plan stopped before it.",
        remedy="Clear the rules that failed; then it is evaluated by itself.",
    )


def _nothing_to_do(has_lines: bool, clean: bool) -> CheckResult:
    rule = RULES[NOTHING_TO_DO]
    allowed = "at least 1 line"
    if has_lines:
        return CheckResult(rule.code, Outcome.PASS, "at least 1 line", allowed, rule.sentence)
    if not clean:  # no lines, but perhaps only because the plan stopped early
        return CheckResult(rule.code, Outcome.NOT_EVALUATED, "0 lines", allowed, _absent(rule).sentence)
    sentence = "Every other rule passed, and no line is left."
    return CheckResult(rule.code, Outcome.FAIL, "0 lines", allowed, sentence, rule.remedy)
