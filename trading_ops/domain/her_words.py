"""Why nothing is traded, in the executor's words, for her mail and her page alike.

What it means for her, not what the rule is called; the operator reads the rules' own sentences.
"""

from collections.abc import Iterable

_PRICES = "The prices of the week are not complete or not certain enough. The operator looks after that."
_SCORES = "The ranking of the shares could not be worked out. The operator looks after that."
_SAFETY = "A safety limit stopped the plan. The operator looks after that."
_BOOKS = "Our books and eToro do not agree yet. The operator looks after that."
_ANSWERS = "Some lines of an earlier ticket have no answer yet. Please answer them on the page."
_SNAPSHOT = "The account check is missing or too old. Please type in cash and holdings as eToro shows them."
_NAMES = "A share has not been looked up on eToro lately. Please look up the names that the page asks for."
_LATE = "The plan was not ready in time to be done safely."
_DESK = "The desk's own equipment needs the operator first."
_PAUSED = "Trading is stopped on purpose. The operator says when it goes on."
_UNKNOWN = "The plan could not be worked out completely. The operator looks after that."
_NOTHING = "Everything is where it should be."

HER_WORDS = {
    "DATA_COVERAGE": _PRICES, "BENCHMARK_MISSING": _PRICES, "OFF_CALENDAR_BAR": _PRICES, "DUPLICATE_BAR": _PRICES,
    "FX_STALE": _PRICES, "VALUATION_INCOMPLETE": _PRICES, "NAMES_FROZEN": _PRICES, "STALE_PRICE": _PRICES,
    "SIGNALS_STALE": _SCORES,
    "MAX_POSITIONS": _SAFETY, "MAX_WEIGHT": _SAFETY, "CASH_FLOOR": _SAFETY, "TURNOVER_CAP": _SAFETY,
    "NO_SHORT": _SAFETY, "NO_LEVERAGE": _SAFETY, "NO_CFD": _SAFETY, "UNKNOWN_SYMBOL": _SAFETY, "TRADE_SIZE": _SAFETY,
    "SPLIT_PENDING": _SAFETY, "DRAWDOWN": _SAFETY, "PHASE_CAP": _SAFETY,
    "UNVERIFIED_NAME": _NAMES,
    "KILL_SWITCH": _PAUSED,
    "CONFIRMATION_MISSING": _ANSWERS,
    "SNAPSHOT_STALE": _SNAPSHOT, "OPENING_SNAPSHOT_MISSING": _SNAPSHOT,
    "UNITS_DRIFT": _BOOKS, "UNKNOWN_POSITION": _BOOKS, "CASH_DRIFT": _BOOKS, "DIVIDEND_UNRESOLVED": _BOOKS,
    "BACKUP_UNPROVEN": _DESK, "INCIDENT_OPEN": _DESK, "ACCOUNT_UNCONFIRMED": _DESK,
    "RUN_FAILED": _LATE, "PLAN_MISSED": _LATE, "TICKET_TOO_LATE": _LATE,
    "NOTHING_TO_DO": _NOTHING,
}  # fmt: skip
"""Every rule by its code. What she can do herself is said as a request."""


def in_her_words(codes: Iterable[str]) -> tuple[str, ...]:
    """Sentences for failed rules: requests first, each once; one sentence when no rule failed but evidence lacks."""
    found = dict.fromkeys(HER_WORDS.get(code, _SAFETY) for code in codes)
    return tuple(sorted(found, key=lambda sentence: "Please" not in sentence)) or (_UNKNOWN,)
