"""Which causes together explain all differences: units first, then the cash that they leave.

Every choice of one cause a name is completed with causes of cash; the cheapest is the answer, and those that cost about
the same are its rivals. Bounded and deterministic.
Does not belong here: what the causes are, how a finding is worded.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations

from trading_ops.domain.diagnosis_case import Case
from trading_ops.domain.diagnosis_cash import known_amounts, lone_amounts
from trading_ops.domain.diagnosis_cause import EXACT, FITS, FREE, MARGIN, NEAR, STATEMENT, Cause
from trading_ops.domain.diagnosis_open import commissions, exchange, mistyped_cash, of_rest, round_cause, round_near
from trading_ops.domain.values import PENCE_PLACES, ZERO, Symbol, exact, half_even

NAME_UNKNOWN = 60
CASH_UNKNOWN = 55
LEFT_WITHIN = 21
ROW_LEFT_OUT = 9
ABSORBED = 9
NARROW = Decimal(2)
MOST_COVERS = 4000
MOST_KNOWN = 11
FEW = 2
ODD_POUNDS = 6
NOT_CLOSED = 45
SAME_POUNDS = 12


@dataclass(frozen=True)
class Solution:
    """Causes that together explain the differences.

    Attributes:
        causes: With the pounds that fall to each, units' causes first.
        unknown: Names that nothing explains.
        left_gbp: Cash that nothing explains.
        exact: All cash is explained by pounds known beforehand.
    """

    cost: int
    key: str
    causes: tuple[tuple[Cause, Decimal], ...]
    unknown: tuple[Symbol, ...]
    left_gbp: Decimal
    exact: bool = True


def solve(case: Case, of_names: Sequence[Cause]) -> tuple[Solution, ...]:
    """The cheapest solution and its rivals, cheapest first."""
    sums = _Sums(case)
    names = tuple(d.symbol for d in case.drifting)
    found: list[Solution] = []
    best: int | None = None
    for chosen, unknown in _covers(names, of_names):
        base = sum(c.cost for c in chosen) + NAME_UNKNOWN * len(unknown)
        if best is not None and base > best + MARGIN:
            continue
        for solution in _completed(case, sums, chosen, unknown, base):
            found.append(solution)
            best = solution.cost if best is None else min(best, solution.cost)
    found.sort(key=lambda s: (s.cost, s.key))
    return tuple(s for s in found if s.cost <= found[0].cost + MARGIN)


def _covers(
    names: tuple[Symbol, ...], causes: Sequence[Cause]
) -> Iterator[tuple[tuple[Cause, ...], tuple[Symbol, ...]]]:
    """Every choice that gives each name one cause, or none; at most a bounded number."""
    by_name: dict[Symbol, list[Cause]] = {name: [] for name in names}
    for cause in sorted(causes, key=lambda c: (c.cost, c.key)):
        for name in cause.lines:
            by_name[name].append(cause)
    most = 12
    while most > 1 and _product(by_name, most) > MOST_COVERS:
        most -= 1
    kept = {name: tuple(found[:most]) for name, found in by_name.items()}
    yield from _choose(names, kept)


def _product(by_name: Mapping[Symbol, list[Cause]], most: int) -> int:
    product = 1
    for found in by_name.values():
        product *= min(len(found), most) + 1
        if product > MOST_COVERS:
            break
    return product


def _choose(
    names: tuple[Symbol, ...], kept: Mapping[Symbol, tuple[Cause, ...]]
) -> Iterator[tuple[tuple[Cause, ...], tuple[Symbol, ...]]]:
    if not names:
        yield (), ()
        return
    first, rest = names[0], names[1:]
    for cause in kept[first]:
        if set(cause.lines) <= set(names):
            for others, unknown in _choose(tuple(n for n in rest if n not in cause.lines), kept):
                yield (cause, *others), unknown
    for others, unknown in _choose(rest, kept):
        yield others, (first, *unknown)


class _Sums:
    """Sums of pounds that causes of cash alone come to, each with its cheapest ways."""

    def __init__(self, case: Case) -> None:
        self.known = tuple(sorted(known_amounts(case), key=lambda c: (c.cost, c.key))[:MOST_KNOWN])
        self.rows = tuple(c for c in self.known if c.cost <= STATEMENT)
        typed = tuple(mistyped_cash(case))
        self.typed = frozenset(c.key for c in typed)
        self.lone = (*lone_amounts(case), *commissions(case), *typed)
        all_known = [s for size in range(1, len(self.known) + 1) for s in combinations(self.known, size)]
        self.supported = tuple(c for c in self.lone if c.certain)
        self.few = ((), *(s for s in all_known if len(s) <= FEW or s in (self.known, self.rows)))
        self._sure = _Index([*all_known, *((c,) for c in (*self.supported, *typed))])
        paid = [c for c in self.lone if c.code in ("UNBOOKED_DIVIDEND", "DIVIDEND_AMOUNT") and c.cost <= FITS + 2]
        firm = [c for c in self.lone if c.code == "FEE" or c.certain or c in typed]
        two = [*combinations(paid, 2), *((a, b) for a in firm for b in self.lone if b is not a)]
        far = [(*s, one) for one in self.lone for s in self.few] + [t for t in two if not _clash(t)]
        self._all = _Index([*all_known, *(way for way in far if not _clash(way))])

    def near(self, rest: Decimal, slack: Decimal) -> Iterator[tuple[Cause, ...]]:
        """Ways that come to these pounds within the slack; far-fetched ones only where it is nothing."""
        yield from (self._sure if slack else self._all).near(rest, slack)

    def with_open(self) -> Iterator[tuple[Cause, ...]]:
        """Ways beside which a cause may stand whose pounds are read from the rest."""
        yield from self.few
        yield from ((one,) for one in self.lone if one.cost <= FITS + 2)


class _Index:
    """Ways by the pounds they come to."""

    def __init__(self, ways: Sequence[tuple[Cause, ...]]) -> None:
        self._by_sum: dict[Decimal, list[tuple[Cause, ...]]] = {}
        with exact():
            for way in ways:
                self._by_sum.setdefault(sum((c.cash_gbp for c in way), ZERO), []).append(way)
        for found in self._by_sum.values():
            found.sort(key=lambda way: (sum(c.cost for c in way), [c.key for c in way]))
            del found[4:]
        self._sorted = sorted(self._by_sum)

    def near(self, rest: Decimal, slack: Decimal) -> Iterator[tuple[Cause, ...]]:
        with exact():
            low, high = bisect_left(self._sorted, rest - slack), bisect_right(self._sorted, rest + slack)
        for total in self._sorted[low:high]:
            yield from self._by_sum[total]


def _clash(way: tuple[Cause, ...]) -> bool:
    """Two of the causes book the same dividend, or take out the same movement or fill."""
    subjects = [subject for cause in way for subject in cause.subjects]
    return len(subjects) != len(set(subjects))


def _completed(
    case: Case, sums: _Sums, chosen: tuple[Cause, ...], unknown: tuple[Symbol, ...], base: int
) -> Iterator[Solution]:
    """The choice with every way of explaining the cash it leaves; with and without rows and the cost of exchange."""
    rate = None if unknown else exchange(case, frozenset(s for c in chosen for s in c.subjects))
    given = (chosen,) if rate is None else (chosen, (*chosen, rate))
    for some in given:
        cost = base + sum(c.cost for c in some[len(chosen) :])
        if sums.rows:  # what the statement says is taken for granted, or left out at a price
            told = cost + sum(c.cost for c in sums.rows)
            yield from _closed(case, sums, (*some, *sums.rows), unknown, told)
            cost += ROW_LEFT_OUT * len(sums.rows)
        yield from _closed(case, sums, some, unknown, cost)


def _closed(
    case: Case, sums: _Sums, chosen: tuple[Cause, ...], unknown: tuple[Symbol, ...], base: int
) -> Iterator[Solution]:
    with exact():
        rest = case.evidence.comparison.cash.difference - sum((c.cash_gbp for c in chosen), ZERO)
        slack = sum((c.slack_gbp for c in chosen), ZERO)
    if abs(rest) <= slack:
        yield _solution(chosen, (), unknown, base, rest, slack)
        if not rest:
            return
    if abs(rest) > slack or slack <= NARROW:
        for way in sums.near(rest, slack):
            if _may_stand(sums, chosen, unknown, way):
                yield _solution(chosen, way, unknown, base, rest, slack)
    if not unknown:
        yield from _rounded(case, chosen, base, rest, slack) if slack else _opened(case, sums, chosen, base, rest)
    yield _left(case, chosen, unknown, base, rest, slack)


def _may_stand(sums: _Sums, chosen: tuple[Cause, ...], unknown: tuple[Symbol, ...], way: tuple[Cause, ...]) -> bool:
    """Beside names that nothing explains only what is known counts; beside far-fetched trades the snapshot is right."""
    if unknown and any(c not in sums.known for c in way):
        return False
    if any(c.cost >= FREE for c in chosen) and any(c.key in sums.typed for c in way):
        return False
    return not _clash((*chosen, *way))


def _rounded(case: Case, chosen: tuple[Cause, ...], base: int, rest: Decimal, slack: Decimal) -> Iterator[Solution]:
    """A round sum beside pounds that are not known exactly."""
    if abs(rest) <= slack:
        return
    if max(c.cost for c in chosen) < FREE:
        whole = round_near(rest, slack, (Decimal(500), Decimal(100), Decimal(50)), 6)
    else:  # whole pounds of an order by amount and a round sum make whole pounds
        with exact():
            total = case.evidence.comparison.cash.difference
            whole = round_near(rest, slack, (Decimal(100),), 2) if total % 10 and total % 1 == ZERO else None
    if whole is not None:
        yield _solution(chosen, (round_cause(case, whole, EXACT + 3),), (), base, rest, slack)


def _opened(case: Case, sums: _Sums, chosen: tuple[Cause, ...], base: int, rest: Decimal) -> Iterator[Solution]:
    for way in sums.with_open():
        with exact():
            remaining = rest - sum((c.cash_gbp for c in way), ZERO)
        for cause in of_rest(case, remaining, alone=len(way) == 0 or way in sums.few):
            if not _clash((*chosen, *way, cause)):
                yield _solution(chosen, (*way, cause), (), base, rest, ZERO)


def _solution(
    chosen: tuple[Cause, ...],
    way: tuple[Cause, ...],
    unknown: tuple[Symbol, ...],
    base: int,
    rest: Decimal,
    slack: Decimal,
) -> Solution:
    """Share what is left after the cash causes among those whose pounds are not known."""
    with exact():
        off = rest - sum((c.cash_gbp for c in way), ZERO)
        absorbed = int(ABSORBED * abs(off) / slack) if slack else 0
    shared = _shared(chosen, off, slack)
    with exact():  # an order by amount is of whole pounds
        absorbed += sum(ODD_POUNDS for c, cash in zip(chosen, shared, strict=True) if c.whole_pounds and cash % 1)
    cost = base + sum(c.cost for c in way) + absorbed
    causes = (*zip(chosen, shared, strict=True), *((c, c.cash_gbp) for c in way))
    return Solution(cost, "; ".join(sorted(c.key for c, _ in causes)), causes, unknown, ZERO, not slack)


def _shared(chosen: tuple[Cause, ...], off: Decimal, slack: Decimal) -> list[Decimal]:
    shares: list[Decimal] = []
    passed = given = ZERO
    for cause in chosen:
        with exact():
            passed += cause.slack_gbp
            upto = (
                off if passed == slack and slack else half_even(off * passed / slack, PENCE_PLACES) if slack else ZERO
            )
            shares.append(cause.cash_gbp + upto - given)
            given = upto
    return shares


def _left(
    case: Case, chosen: tuple[Cause, ...], unknown: tuple[Symbol, ...], base: int, rest: Decimal, slack: Decimal
) -> Solution:
    """The choice with its cash left unexplained."""
    tolerance = case.cash_tolerance
    with exact():
        beyond = max(abs(rest) - slack, ZERO)
        side = slack if rest > ZERO else -slack
        left = rest - side if beyond else ZERO
        within = beyond <= tolerance
        cost = LEFT_WITHIN + int(14 * beyond / tolerance) if within and tolerance else CASH_UNKNOWN
        cost += sum(_not_closed(c, within=within) for c in chosen if beyond)
    shared = _shared(chosen, rest - left, slack)
    causes = tuple(zip(chosen, shared, strict=True))
    return Solution(
        base + cost,
        "; ".join(sorted(c.key for c, _ in causes)) + "; left",
        causes,
        unknown,
        left,
        not slack and not left,
    )


def _not_closed(cause: Cause, *, within: bool) -> int:
    """What it costs a cause that only its pounds speak for, when the pounds do not agree."""
    if cause.cost >= FREE or (cause.slack_gbp and cause.cost >= NEAR - 2 and not within):
        return NOT_CLOSED
    return SAME_POUNDS if cause.code == "WRONG_NAME" else 0
