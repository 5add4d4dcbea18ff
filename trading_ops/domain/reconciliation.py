"""The reconciliation gate: does the ledger agree with what the broker shows?

One function a rule. Needs a snapshot that a person typed or imported; without one nothing here is proven.
Does not belong here: the arithmetic of the comparison (`drift`), booking what is proposed.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from trading_ops.domain.broker_snapshot import BrokerSnapshot, SnapshotHolding
from trading_ops.domain.dividends import ExpectedDividend
from trading_ops.domain.drift import Comparison, Difference, compare
from trading_ops.domain.ledger_facts import LedgerFacts
from trading_ops.domain.policy import Policy
from trading_ops.domain.reasons import RULES
from trading_ops.domain.results import CheckResult, Outcome
from trading_ops.domain.values import Session, fixed, plain

__all__ = [
    "BrokerSnapshot",
    "Difference",
    "Reconciliation",
    "SnapshotHolding",
    "check_cash_drift",
    "check_dividend_unresolved",
    "check_opening_snapshot_missing",
    "check_snapshot_stale",
    "check_units_drift",
    "check_unknown_position",
    "reconcile",
]

_BEHIND_SNAPSHOT = ("SNAPSHOT_STALE", "UNKNOWN_POSITION", "UNITS_DRIFT", "CASH_DRIFT", "DIVIDEND_UNRESOLVED")


@dataclass(frozen=True)
class Reconciliation:
    """The gate's answer.

    Attributes:
        results: One result a rule of the gate.
        differences: Every name and the cash, also those that agree; empty without a snapshot.
        proposals: Dividends that the cash explains, for a person to book at the amount they confirm.
    """

    results: tuple[CheckResult, ...]
    differences: tuple[Difference, ...]
    proposals: tuple[ExpectedDividend, ...]


def reconcile(
    snapshot: BrokerSnapshot | None,
    facts: LedgerFacts,
    equity_gbp: Decimal,
    asof: Session,
    expected_dividends: tuple[ExpectedDividend, ...],
    newest_fill_at: dt.datetime | None,
    policy: Policy,
) -> Reconciliation:
    """Evaluate the whole gate.

    Args:
        snapshot: The newest broker snapshot, or None when there never was one.
        facts: Every fact of the ledger, also those after the snapshot.
        equity_gbp: E at the as-of session.
        asof: The as-of session D.
        expected_dividends: From `expected_dividends`, through D.
        newest_fill_at: Moment of the newest fill, or None.

    Returns:
        Results in the order opening, stale, unknown, units, cash, dividends. Without a snapshot all but the first are
        NOT_EVALUATED: a missing report is not a flat book.

    Raises:
        LedgerError: The ledger cannot be replayed up to the snapshot.
    """
    opening = check_opening_snapshot_missing(snapshot)
    if snapshot is None:
        return Reconciliation((opening, *(_not_evaluated(code) for code in _BEHIND_SNAPSHOT)), (), ())
    comparison = compare(snapshot, facts, equity_gbp, expected_dividends, policy.reconciliation)
    results = (
        opening,
        check_snapshot_stale(snapshot, asof, newest_fill_at, policy),
        check_unknown_position(comparison),
        check_units_drift(comparison, policy),
        check_cash_drift(comparison),
        check_dividend_unresolved(expected_dividends, asof, policy),
    )
    return Reconciliation(results, comparison.differences, comparison.proposals)


def check_opening_snapshot_missing(snapshot: BrokerSnapshot | None) -> CheckResult:
    """There is a snapshot at all."""
    if snapshot is None:
        return _failed("OPENING_SNAPSHOT_MISSING", "none", "at least 1 snapshot", "Nobody has entered a snapshot yet.")
    return _passed("OPENING_SNAPSHOT_MISSING", snapshot.snapshot_id, "at least 1 snapshot")


def check_snapshot_stale(
    snapshot: BrokerSnapshot, asof: Session, newest_fill_at: dt.datetime | None, policy: Policy
) -> CheckResult:
    """At most so many days old at D, by the UTC day it was taken, and not older than the newest fill."""
    most = policy.reconciliation.snapshot_max_age
    taken = snapshot.taken_at.astimezone(dt.UTC)
    age = max((asof - taken.date()).days, 0)
    seen = f"{age} days at {asof} (taken {_moment(taken)})"
    allowed = f"at most {most} days, and not before the newest fill"
    if newest_fill_at is not None:
        allowed += f" ({_moment(newest_fill_at)})"
    if newest_fill_at is not None and taken < newest_fill_at:
        sentence = f"The newest snapshot was taken before the newest fill of {_moment(newest_fill_at)}."
        return _failed("SNAPSHOT_STALE", seen, allowed, sentence)
    if age > most:
        return _failed("SNAPSHOT_STALE", seen, allowed, f"The newest snapshot is {age} days old at {asof}.")
    return _passed("SNAPSHOT_STALE", seen, allowed)


def check_unknown_position(comparison: Comparison) -> CheckResult:
    """Every name stands on both sides, however small it is."""
    alone = tuple(d for d in comparison.units if d.verdict in ("only_broker", "only_ledger"))
    where = {"only_broker": "only at the broker", "only_ledger": "only in the ledger"}
    seen = "; ".join(f"{d.symbol} {plain(abs(d.difference))} {where[d.verdict]}" for d in alone)
    allowed = "every name on both sides"
    if not alone:
        return _passed("UNKNOWN_POSITION", f"{len(comparison.units)} names on both sides", allowed)
    sentence = f"{_count(len(alone), 'name stands', 'names stand')} on one side only: {seen}."
    return _failed("UNKNOWN_POSITION", seen, allowed, sentence, tuple(d.symbol for d in alone))


def check_units_drift(comparison: Comparison, policy: Policy) -> CheckResult:
    """Units of names on both sides agree within the tolerance, at the decimals typed."""
    limits = policy.reconciliation
    both = tuple(d for d in comparison.units if d.snapshot is not None and d.ledger is not None)
    off = tuple(d for d in both if d.verdict == "drift")
    allowed = f"at most max({plain(limits.units_abs)}, {plain(limits.units_rel)} x units) a name"
    if not off:
        return _passed("UNITS_DRIFT", f"{len(both)} names within", allowed)
    seen = "; ".join(
        f"{d.symbol} {plain(d.difference)} (broker {plain(_known(d.snapshot))}, ledger {plain(_known(d.ledger))})"
        for d in off
    )
    sentence = f"Units differ between broker and ledger: {seen}."
    return _failed("UNITS_DRIFT", seen, allowed, sentence, tuple(d.symbol for d in off))


def check_cash_drift(comparison: Comparison) -> CheckResult:
    """Snapshot - ledger lies within [-t, x + t]."""
    cash = comparison.cash
    seen = f"{fixed(cash.difference, 2)} GBP"
    if cash.verdict == "drift":
        side = "more" if cash.difference > 0 else "less"
        amount = fixed(abs(cash.difference), 2)
        sentence = f"The broker shows {amount} GBP {side} cash than the ledger, and dividends do not explain it."
        return _failed("CASH_DRIFT", seen, cash.allowed, sentence)
    return _passed("CASH_DRIFT", seen, cash.allowed)


def check_dividend_unresolved(expected: tuple[ExpectedDividend, ...], asof: Session, policy: Policy) -> CheckResult:
    """No expected dividend has been neither booked nor refused for so many days since its ex-date."""
    days = policy.reconciliation.dividend_unresolved_days
    waiting = sorted((d.ex_date, d.symbol) for d in expected if not d.booked and d.ex_date <= asof)
    allowed = f"less than {days} days since the ex-date"
    late = tuple((ex_date, symbol) for ex_date, symbol in waiting if (asof - ex_date).days >= days)
    if not late:
        oldest = f", the oldest {(asof - waiting[0][0]).days} days" if waiting else ""
        return _passed("DIVIDEND_UNRESOLVED", f"{len(waiting)} waiting{oldest}", allowed)
    seen = "; ".join(f"{symbol} of {ex_date}, {(asof - ex_date).days} days" for ex_date, symbol in late)
    sentence = f"{_count(len(late), 'expected dividend was', 'expected dividends were')} neither booked nor refused."
    return _failed("DIVIDEND_UNRESOLVED", seen, allowed, sentence, tuple(sorted({symbol for _, symbol in late})))


def _moment(at: dt.datetime) -> str:
    return f"{at.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _known(value: Decimal | None) -> Decimal:
    return Decimal(0) if value is None else value


def _passed(code: str, seen: str, allowed: str) -> CheckResult:
    return CheckResult(code, Outcome.PASS, seen, allowed, RULES[code].sentence)


def _failed(code: str, seen: str, allowed: str, sentence: str, subjects: tuple[str, ...] = ()) -> CheckResult:
    return CheckResult(code, Outcome.FAIL, seen, allowed, sentence, RULES[code].remedy, tuple(sorted(subjects)))


def _not_evaluated(code: str) -> CheckResult:
    sentence = "Nothing to compare with: there is no broker snapshot."
    remedy = RULES["OPENING_SNAPSHOT_MISSING"].remedy
    return CheckResult(code, Outcome.NOT_EVALUATED, "no snapshot", "a broker snapshot", sentence, remedy)
