"""The desk's own rules: incidents, the account, backups, and the clock of a ticket."""

import datetime as dt
from collections.abc import Sequence

from trading_ops.domain.books import Book
from trading_ops.domain.calendar import PlanTimes
from trading_ops.domain.policy import Policy
from trading_ops.domain.reasons import RULES
from trading_ops.domain.results import CheckResult, Outcome
from trading_ops.domain.ticket_words import london_moment


def _result(code: str, passed: bool, seen: str, allowed: str, sentence: str) -> CheckResult:
    rule = RULES[code]
    if passed:
        return CheckResult(code, Outcome.PASS, seen, allowed, rule.sentence)
    return CheckResult(code, Outcome.FAIL, seen, allowed, sentence, rule.remedy)


def check_incident_open(titles: Sequence[str]) -> CheckResult:
    """No incident of a blocking class is open."""
    seen = f"{len(titles)} open: {'; '.join(titles)}" if titles else "none open"
    sentence = f"A blocking incident is open: {titles[0]}." if titles else ""
    return _result("INCIDENT_OPEN", not titles, seen, "none open", sentence)


def check_account_unconfirmed(policy: Policy, book: Book) -> CheckResult:
    """Live book: currency and fees were confirmed on the own account."""
    confirmed = policy.account.confirmed_on
    if book != "live":
        return _result("ACCOUNT_UNCONFIRMED", True, f"{book} book", "asked of a live book only", "")
    sentence = "Nobody has confirmed the account's currency and fees yet."
    return _result("ACCOUNT_UNCONFIRMED", confirmed is not None, str(confirmed or "never"), "a date", sentence)


def check_backup_unproven(proven_at: dt.datetime | None, at: dt.datetime, policy: Policy, book: Book) -> CheckResult:
    """Live book: the newest backup that was restored as a test is not older than the policy allows."""
    if book != "live":
        return _result("BACKUP_UNPROVEN", True, f"{book} book", "asked of a live book only", "")
    limit = dt.timedelta(hours=policy.desk.backup_max_age)
    passed = proven_at is not None and at - proven_at <= limit
    seen = london_moment(proven_at) if proven_at else "no proven backup"
    allowed = f"at most {policy.desk.backup_max_age} hours old"
    sentence = "No backup has been proven by a restore recently enough."
    return _result("BACKUP_UNPROVEN", passed, seen, allowed, sentence)


def check_standing(
    incidents: Sequence[str], proven_at: dt.datetime | None, times: PlanTimes, policy: Policy, book: Book
) -> tuple[CheckResult, ...]:
    """What must hold of the desk itself before any plan: backups, incidents, the account."""
    return (
        check_backup_unproven(proven_at, times.decide_by, policy, book),
        check_incident_open(incidents),
        check_account_unconfirmed(policy, book),
    )


def check_ticket_too_late(at: dt.datetime, times: PlanTimes) -> CheckResult:
    """A TRADE is issued early enough before its window to be read (RULES, When a plan is decided)."""
    passed = at < times.no_trade_after
    allowed = f"before {london_moment(times.no_trade_after)}"
    seen = "in time" if passed else "too late"  # not the clock itself: content holds no clock
    sentence = f"It is too late for a TRADE ticket: nobody would read it before the window of {times.window_session}."
    return _result("TICKET_TOO_LATE", passed, seen, allowed, sentence)


def check_run_failed(missing: Sequence[str]) -> CheckResult:
    """The plan's run left evidence of everything that nothing failed in front of.

    Args:
        missing: What is not there and should be, in plain words.
    """
    seen = f"missing: {', '.join(missing)}" if missing else "complete"
    sentence = "The plan's run did not complete, so not everything was proven."
    return _result("RUN_FAILED", not missing, seen, "complete", sentence)


def check_plan_missed(ran: bool) -> CheckResult:
    """The plan's run came at all before the plan had to be decided."""
    sentence = "The plan was never run before it had to be decided."
    return _result("PLAN_MISSED", ran, "a run" if ran else "no run", "at least one run", sentence)
