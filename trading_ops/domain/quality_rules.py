"""The rules of the data gate, one function a rule, each with one answer.

Belongs here: comparing what was seen with what the policy allows.
Does not belong here: finding it (`suspects`), or putting the gate together (`quality`).
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal

from trading_ops.domain import calendar
from trading_ops.domain.policy import Policy
from trading_ops.domain.prices import MarketView
from trading_ops.domain.reasons import RULES
from trading_ops.domain.results import CheckResult, Outcome
from trading_ops.domain.suspects import Suspect
from trading_ops.domain.values import ZERO, Session, Symbol, exact, fixed, plain


def check_data_coverage(expected: Sequence[Symbol], valid: frozenset[Symbol], policy: Policy) -> CheckResult:
    """Expected names with a valid bar at D / expected names >= `data.coverage_min`; no expected name at all fails."""
    absent = [symbol for symbol in expected if symbol not in valid]
    total, there = Decimal(len(expected)), Decimal(len(expected) - len(absent))
    with exact():
        passed = total > ZERO and there >= policy.data.coverage_min * total
        share = there / total if total else ZERO
    return _answer(
        "DATA_COVERAGE",
        passed,
        seen=f"{fixed(share, 4)} ({there} of {total} names)",
        allowed=f"at least {plain(policy.data.coverage_min)}",
        sentence=f"{there} of {total} expected names have a valid bar.",
        subjects=absent,
    )


def check_benchmark_missing(benchmark: Symbol, asof: Session, valid: frozenset[Symbol]) -> CheckResult:
    """The benchmark has a valid bar at D."""
    there = benchmark in valid
    return _answer(
        "BENCHMARK_MISSING",
        there,
        seen=f"{benchmark}: {'a' if there else 'no'} valid bar of {asof}",
        allowed=f"a valid bar of {asof}",
        sentence=f"The benchmark {benchmark} has {'its' if there else 'no valid'} bar of {asof}.",
        subjects=[benchmark],
    )


def check_off_calendar_bar(market: MarketView, symbols: Iterable[Symbol], after: Session) -> CheckResult:
    """No bar with `after < date <= D` is dated on a day without a session."""
    days = (after + dt.timedelta(days=n) for n in range(1, (market.asof - after).days + 1))
    closed = [day for day in days if not calendar.is_session(day)]
    found = [f"{symbol} {day}" for symbol in symbols for day in closed if market.bar(symbol, day) is not None]
    return _answer(
        "OFF_CALENDAR_BAR",
        not found,
        seen=_count(len(found), "bar"),
        allowed="0 bars",
        sentence=f"{_count(len(found), 'bar')} on days without a New York session.",
        subjects=found,
    )


def check_duplicate_bar(market: MarketView, symbols: Iterable[Symbol], after: Session) -> CheckResult:
    """No bar with `after < session <= D` is stored twice with one source and revision."""
    names = set(symbols)
    pairs = {(symbol, day) for symbol, day in market.duplicates if symbol in names and after < day <= market.asof}
    return _answer(
        "DUPLICATE_BAR",
        not pairs,
        seen=_count(len(pairs), "duplicate"),
        allowed="0 duplicates",
        sentence=f"{_count(len(pairs), 'bar')} stored more than once with one source and revision.",
        subjects=[f"{symbol} {day}" for symbol, day in pairs],
    )


def check_fx_stale(market: MarketView, policy: Policy) -> CheckResult:
    """The last GBPUSD fixing on or before D is at most `data.fx_max_age` calendar days old, and is a rate."""
    fixing = market.fixing(market.asof)
    if fixing is None:
        passed, seen, sentence = False, "no fixing", f"There is no GBPUSD fixing on or before {market.asof}."
    elif not fixing.usd_per_gbp.is_finite() or fixing.usd_per_gbp <= ZERO:
        passed, seen = False, f"{fixing.usd_per_gbp} of {fixing.day}"
        sentence = f"The newest GBPUSD fixing, of {fixing.day}, is {fixing.usd_per_gbp}, which is no rate."
    else:
        age = (market.asof - fixing.day).days
        passed = age <= policy.data.fx_max_age
        seen = f"{_count(age, 'day')} ({plain(fixing.usd_per_gbp)} of {fixing.day})"
        sentence = f"The newest GBPUSD fixing is of {fixing.day}, {_count(age, 'day')} before {market.asof}."
    return _answer("FX_STALE", passed, seen=seen, allowed=f"at most {policy.data.fx_max_age} days", sentence=sentence)


def check_valuation_incomplete(
    holdings: Sequence[Symbol], asof: Session, valid: frozenset[Symbol], resolved: frozenset[Symbol]
) -> CheckResult:
    """Every held name has a valid bar at D, or a recorded corporate event says what became of it."""
    absent = [symbol for symbol in holdings if symbol not in valid and symbol not in resolved]
    return _answer(
        "VALUATION_INCOMPLETE",
        not absent,
        seen=f"{len(absent)} of {_count(len(holdings), 'held name')} without a valid bar",
        allowed="0 held names",
        sentence=f"Held without a valid bar of {asof}: {', '.join(absent)}; the account cannot be valued."
        if absent
        else f"Every held name can be valued at {asof}.",
        subjects=absent,
    )


def check_names_frozen(
    suspects: Sequence[Suspect], expected: Sequence[Symbol], holdings: Sequence[Symbol], policy: Policy
) -> CheckResult:
    """No frozen name is held or the benchmark, and at most `data.frozen_max` of the expected names are frozen."""
    frozen = sorted({suspect.symbol for suspect in suspects})
    grave = [symbol for symbol in frozen if symbol in holdings or symbol == policy.data.benchmark]
    counted = sum(1 for symbol in frozen if symbol in expected)
    with exact():
        too_many = Decimal(counted) > policy.data.frozen_max * Decimal(len(expected))
    findings = " ".join(suspect.sentence for suspect in suspects)
    return _answer(
        "NAMES_FROZEN",
        not grave and not too_many,
        seen=f"{counted} of {_count(len(expected), 'expected name')}; held or benchmark: {', '.join(grave) or 'none'}",
        allowed=f"at most {plain(policy.data.frozen_max)} of the expected names, none held, not the benchmark",
        sentence=findings or "No name is frozen.",
        subjects=frozen,
    )


def _answer(
    code: str, passed: bool, *, seen: str, allowed: str, sentence: str, subjects: Iterable[str] = ()
) -> CheckResult:
    return CheckResult(
        code=code,
        outcome=Outcome.PASS if passed else Outcome.FAIL,
        seen=seen,
        allowed=allowed,
        sentence=sentence,
        remedy="" if passed else RULES[code].remedy,
        subjects=tuple(sorted(subjects)),
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
