"""The closed list of rules: every code that a gate may answer with, what it demands and who can clear it.

Belongs here: code, gate, place of its number in the policy, the sentence and the remedy for the operator.
Does not belong here: the judging itself (`quality`, `signals`, `reconciliation`, `risk`, `gates`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from trading_ops.domain.books import BOOKS, Book
from trading_ops.domain.results import GateName


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the desk, as people read it.

    Attributes:
        code: The reason code, the same in code, check, ticket and `docs/RISK_POLICY.md`.
        gate: The gate it belongs to.
        policy_key: Where its main number stands in `config/policy.yml` (`sizing.cash_floor`), None without one.
        sentence: What the rule demands, one sentence for the operator.
        remedy: What has to be true to trade, and who does it.
        starred: It passes when the plan has no buys: a sale must never be held up by it.
        books: The books it holds for.
    """

    code: str
    gate: GateName
    policy_key: str | None
    sentence: str
    remedy: str
    starred: bool = False
    books: tuple[Book, ...] = BOOKS


_LIVE: Final[tuple[Book, ...]] = ("live",)
_ASK_DEVELOPER = "This is a defect of the desk: the operator reports it, nobody trades by hand around it."

_DATA: tuple[Rule, ...] = (
    Rule("DATA_COVERAGE", "data", "data.coverage_min",
         "Enough of the expected names have a valid bar at the as-of session.",
         "The operator loads the missing bars, or disables names that no longer trade."),
    Rule("BENCHMARK_MISSING", "data", "data.benchmark",
         "The benchmark has a valid bar at the as-of session.",
         "The operator loads the benchmark's bar."),
    Rule("OFF_CALENDAR_BAR", "data", None,
         "No bar lies on a day on which New York did not trade.",
         "The operator corrects the source's dates and loads the bars again."),
    Rule("DUPLICATE_BAR", "data", None,
         "No name has two bars of one session, source and revision.",
         "The operator removes the duplicate from the source file and loads it again."),
    Rule("FX_STALE", "data", "data.fx_max_age",
         "The GBPUSD fixing is recent enough at the as-of session.",
         "The operator loads the GBPUSD fixings up to the as-of session."),
    Rule("VALUATION_INCOMPLETE", "data", None,
         "Every held name has a valid bar at the as-of session, or a recorded event says what became of it.",
         "The operator loads the held name's bar, or records its corporate event."),
    Rule("NAMES_FROZEN", "data", "data.frozen_max",
         "No held name and not the benchmark is frozen, and few of the other names are.",
         "The operator compares the frozen names with a second source, then accepts or corrects them."),
)  # fmt: skip

_SIGNALS: tuple[Rule, ...] = (
    Rule("SIGNALS_STALE", "signals", "signals.scored_min",
         "Enough of the expected names are scored, with the newest score of the as-of session.",
         "The operator loads the missing price history, then lets the plan run again."),
)  # fmt: skip

_RISK: tuple[Rule, ...] = (
    Rule("MAX_POSITIONS", "risk", "risk.max_positions",
         "Not too many names are held after all lines.",
         "The operator sells names that have no seat, or raises risk.max_positions for the next plan.",
         starred=True),
    Rule("MAX_WEIGHT", "risk", "sizing.max_weight",
         "No name that is bought weighs more than the largest weight and its tolerance after all lines.",
         _ASK_DEVELOPER),
    Rule("CASH_FLOOR", "risk", "sizing.cash_floor",
         "The cash that is certain after all lines stays above the cash floor.",
         _ASK_DEVELOPER, starred=True),
    Rule("TURNOVER_CAP", "risk", "sizing.turnover_cap",
         "Neither the buys nor the sales that could wait exceed the turnover cap.",
         _ASK_DEVELOPER),
    Rule("NO_SHORT", "risk", None,
         "No line sells more units than are held.",
         "The operator reconciles the ledger with the broker; if they agree, reports a defect of the desk."),
    Rule("NO_LEVERAGE", "risk", "sizing.sell_haircut",
         "Buys are covered by certain cash, and every line has leverage x1.",
         "The operator deposits what is missing or records the deposit; with cash above 0 it is a defect to report."),
    Rule("NO_CFD", "risk", None,
         "Every bought name is a stock that the broker offers as the underlying.",
         "The operator corrects the name's row in the universe, or disables it."),
    Rule("UNVERIFIED_NAME", "risk", "risk.verified_max_age",
         "Every bought name was looked up on eToro recently.",
         "The executor looks the name up on eToro, on the page Check names.",
         books=_LIVE),
    Rule("UNKNOWN_SYMBOL", "risk", None,
         "Every line's name is in the universe of the plan, and every bought one is enabled.",
         "The operator adds the name to the universe, or records what became of it in the ledger."),
    Rule("TRADE_SIZE", "risk", "sizing.minimum_order_gbp",
         "Every buy lies between the smallest order and the largest weight, and every sale is above 0.",
         _ASK_DEVELOPER),
    Rule("STALE_PRICE", "risk", None,
         "Every reference price is the close of the as-of session.",
         "The operator loads the bars of the as-of session."),
    Rule("SPLIT_PENDING", "risk", None,
         "No line's name splits between the as-of session and the day of the window.",
         "Nobody can clear it: the name waits for the next plan, when the split has happened."),
    Rule("KILL_SWITCH", "risk", None,
         "The kill switch is ACTIVE, or REDUCING and the plan has no buys.",
         "The operator re-arms the desk to ACTIVE, or sets REDUCING, with a reason; a pause ends by itself."),
    Rule("DRAWDOWN", "risk", "risk.drawdown_max",
         "The book has not lost more than allowed from its maximum since the last re-arming.",
         "The operator decides with a reason: REDUCING to sell only, or re-arm, which starts a new maximum."),
    Rule("PHASE_CAP", "risk", "sizing.phase_share",
         "During roll-out no more is invested than the phase allows.",
         "The operator lets the plan shrink the book, or raises sizing.phase_share for the next plan.",
         starred=True),
)  # fmt: skip

_CONFIRMATION: tuple[Rule, ...] = (
    Rule("CONFIRMATION_MISSING", "confirmation", None,
         "Every line of the newest TRADE ticket is answered, and what was done has price, time and units or value.",
         "The executor answers the open lines on the ticket's page."),
)  # fmt: skip

_RECONCILIATION: tuple[Rule, ...] = (
    Rule("SNAPSHOT_STALE", "reconciliation", "reconciliation.snapshot_max_age",
         "The newest broker snapshot is recent and not older than the newest fill.",
         "The executor types in cash and holdings from eToro, or the operator imports a statement."),
    Rule("UNITS_DRIFT", "reconciliation", "reconciliation.units_rel",
         "The units of every name agree between broker and ledger.",
         "The operator finds the fill or event that is missing or wrong, and records it."),
    Rule("UNKNOWN_POSITION", "reconciliation", None,
         "Every name stands on both sides, at the broker and in the ledger.",
         "The operator records the missing fill or event, or corrects the snapshot."),
    Rule("CASH_DRIFT", "reconciliation", "reconciliation.cash_rel",
         "The cash at the broker agrees with the ledger, expected dividends considered.",
         "The operator books the proposed dividends, or records the missing deposit, fee or fill."),
    Rule("DIVIDEND_UNRESOLVED", "reconciliation", "reconciliation.dividend_unresolved_days",
         "No expected dividend has waited too long for its cash.",
         "The operator books the dividend from the statement, or records that it was not paid."),
    Rule("OPENING_SNAPSHOT_MISSING", "reconciliation", None,
         "There is a broker snapshot to compare the ledger with.",
         "The executor types in the first snapshot of cash and holdings."),
)  # fmt: skip

_DESK: tuple[Rule, ...] = (
    Rule("BACKUP_UNPROVEN", "desk", "desk.backup_max_age",
         "The newest backup that was restored as a test is recent enough.",
         "The operator runs: trading-ops backup create, then trading-ops backup verify.",
         books=_LIVE),
    Rule("INCIDENT_OPEN", "desk", None,
         "No incident of a blocking class is open.",
         "The operator works through the incident and closes it with a reason."),
    Rule("ACCOUNT_UNCONFIRMED", "desk", "account.confirmed_on",
         "The account's currency and fees were confirmed on the own account.",
         "The operator checks them on eToro and writes the date into account.confirmed_on of the policy.",
         books=_LIVE),
    Rule("RUN_FAILED", "desk", None,
         "The plan's run completed.",
         "The operator reads the run's error in Dagster, clears it and runs the plan again."),
    Rule("PLAN_MISSED", "desk", None,
         "The plan's run came before the plan had to be decided.",
         "The operator brings the desk back up; the next plan comes by itself."),
    Rule("NOTHING_TO_DO", "desk", None,
         "The plan has at least one line.",
         "Nobody has to do anything: every name is where it should be, or waits for a later week."),
    Rule("TICKET_TOO_LATE", "desk", "schedule.no_trade_before_window",
         "The ticket is issued early enough before its window to be read.",
         "Nobody can clear it: the next plan comes by itself."),
)  # fmt: skip

RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {r.code: r for r in (*_DATA, *_SIGNALS, *_RISK, *_CONFIRMATION, *_RECONCILIATION, *_DESK)}
)
"""Every rule by code, in the order in which the rules are written down and printed."""

FREEZE_CODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "SUSPECT_JUMP": "The close moved further than any corporate action on record explains.",
        "SUSPECT_SPLIT": "The close moved by a usual split ratio without a split on record.",
        "SPECIAL_DISTRIBUTION": "A dividend so large that it may be a spin-off was recorded.",
        "CROSS_CHECK": "Two sources disagree about the close or the corporate actions.",
    }
)
"""Why a name is frozen, with its sentence. A frozen name fails NAMES_FROZEN only when it matters."""


def rules_of(gate: GateName) -> tuple[Rule, ...]:
    """The rules of one gate, in their order."""
    return tuple(r for r in RULES.values() if r.gate == gate)
