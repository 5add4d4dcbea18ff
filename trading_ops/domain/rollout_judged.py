"""Whether the criteria of the roll-out hold, since which week, and what is missing. Pure: facts in, answers out.

Weeks are those of the weekly tickets, in the order in which they were issued; what happened between two tickets
belongs to the week of the later one.
Does not belong here: the lists themselves (`rollout`), reading the facts (`store.rollout`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from trading_ops.domain.books import Book
from trading_ops.domain.rollout import (
    CRITERIA,
    CRITICAL,
    OF_THE_WORLD,
    WEEKS_IN_A_ROW,
    WEEKS_TO_DECIDE,
    Criterion,
    PhaseName,
    exits,
)


@dataclass(frozen=True, slots=True)
class Week:
    """One week of a phase, as its ticket closed it.

    Attributes:
        week: Its name, `2018-W05`.
        failed: Rules of data, reconciliation and confirmation that its ticket did not see pass.
        incidents: Classes of the incidents that were opened since the ticket before.
        reports_missing: Daily and weekly reports that were due by its ticket and are not there.
        on_time: Its ticket came before its window, on the real clock.
        strategy: Hash of the strategy that it was decided by; None when the plan never began.
    """

    week: str
    failed: tuple[str, ...] = ()
    incidents: tuple[str, ...] = ()
    reports_missing: int = 0
    on_time: bool = True
    strategy: str | None = None


@dataclass(frozen=True, slots=True)
class Single:
    """A criterion that one fact decides.

    Attributes:
        holds: It holds now.
        since: Name of the week in which it was met first, or `after` the newest ticket's; None while it never was.
        seen: What was found.
    """

    holds: bool
    since: str | None
    seen: str


@dataclass(frozen=True)
class RolloutFacts:
    """What a phase is judged by.

    Attributes:
        weeks: Of the phase, oldest first.
        since_last: Classes of the incidents opened since the newest ticket.
        open_incidents: Classes of those that are open now.
        strategy: Hash of the strategy in force; `began_with` that of the policy the phase began with.
        single: Answers of the criteria that one fact decides, by code.
    """

    book: Book
    phase: PhaseName
    weeks: tuple[Week, ...]
    since_last: tuple[str, ...] = ()
    open_incidents: tuple[str, ...] = ()
    strategy: str = ""
    began_with: str = ""
    single: Mapping[str, Single] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether a criterion holds.

    Attributes:
        met: It holds now.
        since: The week since which it holds without a break; None while it does not.
        first: The week in which it was met first, whatever came after; None while it never was.
        seen: What was found, for people.
    """

    criterion: Criterion
    met: bool
    since: str | None
    first: str | None
    seen: str

    @property
    def missing(self) -> str:
        """What is missing and what to do, as a sentence; empty when it holds."""
        return "" if self.met else f"{self.criterion.code}: {self.seen}. {self.criterion.remedy}"


def judge(facts: RolloutFacts) -> tuple[Answer, ...]:
    """Every criterion of the phase, in the order of its list."""
    return tuple(_judge(criterion, facts) for criterion in exits(facts.phase, facts.book))


def missing(answers: Sequence[Answer]) -> tuple[str, ...]:
    """What keeps the phase from being left, as sentences."""
    return tuple(answer.missing for answer in answers if not answer.met)


def counts_weeks(phase: PhaseName, book: Book) -> bool:
    """A criterion of the phase looks at its weeks; where none does, nobody need read them."""
    return any(c.code in _WEEKLY or c.code == "STRATEGY_FROZEN" for c in exits(phase, book))


def is_overdue(facts: RolloutFacts) -> bool:
    """Small capital has lasted so long that somebody should decide: on, or back."""
    return facts.phase == "small_capital" and len(facts.weeks) >= WEEKS_TO_DECIDE


def _judge(criterion: Criterion, facts: RolloutFacts) -> Answer:
    code = criterion.code
    if code == "STRATEGY_FROZEN":
        return _frozen(facts)
    if code in _WEEKLY:
        return _in_a_row(criterion, facts)
    found = facts.single.get(code, Single(False, None, "not looked at"))
    return Answer(criterion, found.holds, found.since if found.holds else None, found.since, found.seen)


_WEEKLY: Mapping[str, Callable[[Week], str]] = {
    "CLEAN_WEEKS": lambda week: ", ".join(week.failed),
    "NO_CRITICAL_DEFECT": lambda week: ", ".join(sorted(CRITICAL & set(week.incidents))),
    "REPORTS_PRODUCED": lambda week: f"{week.reports_missing} reports missing" if week.reports_missing else "",
    "ON_TIME": lambda week: "" if week.on_time else "its ticket came too late, or in hindsight",
    "WEEKS_WITHOUT_INCIDENT": lambda week: ", ".join(sorted(set(week.incidents) - OF_THE_WORLD)),
}
"""What was wrong with a week, by the criterion that counts weeks; empty when nothing was."""


def _in_a_row(criterion: Criterion, facts: RolloutFacts) -> Answer:
    """So many weeks in a row with nothing wrong, up to the newest, and nothing wrong since."""
    wrong_with = _WEEKLY[criterion.code]
    run, since, first, last_fault = 0, None, None, ""
    for week in facts.weeks:
        wrong = wrong_with(week)
        run, since = (0, None) if wrong else (run + 1, since)
        last_fault = f"{week.week}: {wrong}" if wrong else last_fault
        if run == WEEKS_IN_A_ROW:
            since, first = week.week, first or week.week
    now = _wrong_now(criterion.code, facts)
    seen = f"{run} in a row" + (f"; last fault {last_fault}" if last_fault else "") + (f"; now {now}" if now else "")
    met = since is not None and not now
    return Answer(criterion, met, since if met else None, first, seen)


def _wrong_now(code: str, facts: RolloutFacts) -> str:
    """What happened since the newest ticket, or is open, that breaks the row."""
    counted = {"NO_CRITICAL_DEFECT": CRITICAL, "WEEKS_WITHOUT_INCIDENT": None}
    if code not in counted:
        return ""
    known = {*facts.since_last, *facts.open_incidents}
    listed = counted[code]
    return ", ".join(sorted(known & listed if listed is not None else known - OF_THE_WORLD))


def _frozen(facts: RolloutFacts) -> Answer:
    """The strategy of the weeks that count, and of the policy in force, is the one the phase began with."""
    counted = facts.weeks[-WEEKS_IN_A_ROW:]
    changed = [w.week for w in counted if w.strategy not in (None, facts.began_with)]
    now = facts.strategy == facts.began_with
    met = now and not changed
    seen = "unchanged" if met else f"changed in {', '.join(changed)}" if changed else "changed since the newest ticket"
    since = facts.weeks[0].week if facts.weeks else None
    return Answer(CRITERIA["STRATEGY_FROZEN"], met, since if met else None, since, seen)
