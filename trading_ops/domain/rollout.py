"""The roll-out as data: its phases, what each lets the book do, and what must hold before the next one.

Belongs here: the closed lists of phases and criteria with their words and numbers, and the target a phase buys.
Does not belong here: whether a criterion holds (`rollout_judged`), storing acts (`store.rollout`), promoting (`desk`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from trading_ops.domain.books import Book
from trading_ops.domain.canonical import canonical_bytes, sha256_hex
from trading_ops.domain.policy import Policy, canonical
from trading_ops.domain.reasons import rules_of
from trading_ops.domain.values import ONE, ZERO, exact

PhaseName: TypeAlias = Literal["preflight", "dry_run", "small_capital", "scale"]

ROLLOUT: Final = "the roll-out"
"""Who pauses a live book that has not been promoted; no person can have this name."""

WEEKS_IN_A_ROW: Final = 4
"""Of a dry run, and of small capital at least."""
WEEKS_TO_DECIDE: Final = 8
"""Of small capital: after so many somebody decides, to scale or to go back."""
NAMES_VERIFIED: Final = 50
CERTIFICATE_DAYS: Final = 31
"""A dry run that ended longer ago says little about today's desk."""

GATES_WATCHED: Final = tuple(
    rule.code for gate in ("data", "reconciliation", "confirmation") for rule in rules_of(gate)
)
"""Rules that every week of a dry run must pass."""

CRITICAL: Final = frozenset(
    {
        "RUN_FAILED", "PLAN_MISSED", "WATCH_BLIND", "CLOCK_WRONG", "BACKUP_UNPROVEN", "DISK_FILLING", "OUTBOX_STUCK",
        "KILL_SWITCH", "UNBOOKED_TRADE",
    }
)  # fmt: skip
"""Incident classes that are defects of the desk or of how it is run."""
OF_THE_WORLD: Final = frozenset({"SOURCE_DEAD", "RESTATEMENT", "UNTRADABLE_SYMBOL"})
"""Incident classes that tell of the world outside; they stop no weeks of small capital."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """What must hold before a phase may be left.

    Attributes:
        code: The same in code, reports, command and `docs/ROLLOUT.md`.
        sentence: What must hold.
        remedy: What is done so that it holds.
    """

    code: str
    sentence: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase of the roll-out.

    Attributes:
        name: The phase.
        title: What people call it.
        means: What happens in it.
        books: Books that live through it.
        least, most: Shares of full size between which its share may lie; 0 trades nothing.
        exits: Codes of the criteria that must hold before it is left, by book.
        next: The phase after it, by book; absent where there is none.
    """

    name: PhaseName
    title: str
    means: str
    books: tuple[Book, ...]
    least: Decimal
    most: Decimal
    exits: Mapping[Book, tuple[str, ...]]
    next: Mapping[Book, PhaseName]


_CRITERIA: Final = (
    Criterion(
        "ACCOUNT_CONFIRMED", "The account's currency and fees were confirmed on the own account.",
        "Go through docs/ETORO_CONSTRAINTS.md, set account.confirmed_on in the policy and import it."),
    Criterion(
        "NAMES_VERIFIED", f"At least {NAMES_VERIFIED} names were found on eToro as stocks, recently enough.",
        "Look names up on the page Check names."),
    Criterion(
        "RUNBOOK_THERE", "The runbook is installed and has an entry for every class of incident.",
        "Install this version again: docs/RUNBOOK.md is missing or too old."),
    Criterion(
        "BACKUP_PROVEN", "A backup was proven by a restore, recently enough.",
        "Run `trading-ops backup create`."),
    Criterion(
        "TEST_ANSWERED", "A test ticket was issued and every line of it answered.",
        "Run `trading-ops ticket test` and have it answered on the page."),
    Criterion(
        "DRY_RUN_CERTIFIED", "A paper book passed its dry run with the strategy that this book trades.",
        "In the paper book run `trading-ops rollout certificate`, and hand its file to `rollout promote` here."),
    Criterion(
        "CLEAN_WEEKS", f"{WEEKS_IN_A_ROW} weeks in a row passed every rule of data, reconciliation and confirmation.",
        "Clear what failed; the weeks are counted anew from the next ticket."),
    Criterion(
        "NO_CRITICAL_DEFECT", f"{WEEKS_IN_A_ROW} weeks in a row without a critical incident, and none is open.",
        "Close the incidents as the runbook says; the weeks are counted anew from the next ticket."),
    Criterion(
        "REPORTS_PRODUCED", f"{WEEKS_IN_A_ROW} weeks in a row with every daily and weekly report.",
        "Run `trading-ops report weekly`, which writes what is owed, and keep the daemon running."),
    Criterion(
        "ON_TIME", f"{WEEKS_IN_A_ROW} weeks in a row whose tickets came before their window, on the real clock.",
        "Keep the daemon running over the weekend; a week that was lived in hindsight does not count."),
    Criterion(
        "WEEKS_WITHOUT_INCIDENT", f"At least {WEEKS_IN_A_ROW} weeks in a row without an incident of the desk's own.",
        "Find out what happened and close it; the weeks are counted anew from the next ticket."),
    Criterion(
        "STRATEGY_FROZEN", "Signals, sizing and risk of the policy are those that the phase began with.",
        "Put the policy back, or begin anew: `trading-ops rollout return --to small_capital --reason …`."),
)  # fmt: skip

CRITERIA: Final[Mapping[str, Criterion]] = MappingProxyType({c.code: c for c in _CRITERIA})

_BEFORE_ALL: Final = ("ACCOUNT_CONFIRMED", "NAMES_VERIFIED", "RUNBOOK_THERE", "BACKUP_PROVEN")
_TESTED: Final = (*_BEFORE_ALL, "TEST_ANSWERED")
_LIVED: Final = ("CLEAN_WEEKS", "NO_CRITICAL_DEFECT", "REPORTS_PRODUCED")

_PHASES: Final = (
    Phase(
        "preflight", "Pre-flight", "Everything is made ready. A live book trades nothing yet.",
        ("sim", "paper", "live"), ZERO, ZERO,
        {"sim": _TESTED, "paper": _TESTED, "live": (*_BEFORE_ALL, "DRY_RUN_CERTIFIED")},
        {"sim": "dry_run", "paper": "dry_run", "live": "small_capital"}),
    Phase(
        "dry_run", "Dry run",
        "The paper book lives by the real schedule and prices; its tickets are answered with the prices seen.",
        ("sim", "paper"), ZERO, ZERO, {"sim": _LIVED, "paper": (*_LIVED, "ON_TIME")}, {}),
    Phase(
        "small_capital", "Small capital", "Real orders with a tenth to a fifth of the size; the strategy stands still.",
        ("live",), Decimal("0.10"), Decimal("0.20"),
        {"live": ("WEEKS_WITHOUT_INCIDENT", "STRATEGY_FROZEN", "CLEAN_WEEKS", "REPORTS_PRODUCED")}, {"live": "scale"}),
    Phase(
        "scale", "Scale", "Full size. Once a month the review pack is read.",
        ("live",), ONE, ONE, {"live": ()}, {}),
)  # fmt: skip

PHASES: Final[Mapping[PhaseName, Phase]] = MappingProxyType({p.name: p for p in _PHASES})


def exits(phase: PhaseName, book: Book) -> tuple[Criterion, ...]:
    """What must hold before a book may leave a phase, in the order in which people read it."""
    return tuple(CRITERIA[code] for code in PHASES[phase].exits[book])


def target_per_name(policy: Policy, share: Decimal, equity_gbp: Decimal) -> Decimal:
    """What a seat's target would be in a phase: min((1 - buffer) / seats x share, max weight) x equity, in pounds.

    Args:
        policy: Seats, buffer and the largest weight.
        share: The phase's share of full size.
        equity_gbp: Equity in pounds.
    """
    sizing = policy.sizing
    with exact():
        return min((ONE - sizing.buffer) / sizing.seats * share, sizing.max_weight) * equity_gbp


def strategy_hash(policy: Policy) -> str:
    """SHA-256 of what must stand still while little money is at risk: signals, sizing without the share, and risk."""
    stated = canonical(policy)
    sizing = stated["sizing"]
    assert isinstance(sizing, dict)
    frozen = {
        "signals": stated["signals"], "risk": stated["risk"],
        "sizing": {key: value for key, value in sizing.items() if key != "phase_share"},
    }  # fmt: skip
    return sha256_hex(canonical_bytes(frozen))
