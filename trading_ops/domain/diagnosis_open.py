"""Causes of cash alone whose pounds are read from what is left over: round sums, fees, the broker's rate, interest.

Does not belong here: causes whose pounds are known beforehand (`diagnosis_cash`).
"""

from collections.abc import Iterator
from decimal import Decimal

from trading_ops.domain.corrections import BookMovement, Proposal, RetakeSnapshot
from trading_ops.domain.diagnosis_case import Case
from trading_ops.domain.diagnosis_cash import dividend_entry, waiting
from trading_ops.domain.diagnosis_cause import EXACT, FITS, NEUTRAL, ROUGH, Cause, Conclusion, pounds, settled
from trading_ops.domain.diagnosis_digits import slipped, swapped
from trading_ops.domain.diagnosis_entries import rewriting
from trading_ops.domain.dividends import ExpectedDividend
from trading_ops.domain.ledger_facts import Fill, MovementKind
from trading_ops.domain.values import ONE, PENCE_PLACES, ZERO, exact, half_even, plain

ROUND = ((Decimal(100), EXACT + 1), (Decimal(50), FITS), (Decimal(10), NEUTRAL))
ROUND_LEAST = Decimal(20)
COMMISSION_SLACK = Decimal("0.02")
FAR = 4
"""What it costs when a sum is as far from a commission as it may be."""
COMMISSIONS = (Decimal(1), Decimal(2))
FX_SLACK = Decimal("0.6")
DIVIDEND_SLACK = Decimal("0.03")
INTEREST_YEARLY = (Decimal("0.01"), Decimal("0.06"))
SWAPPED = "DIGITS_SWAPPED_SNAPSHOT"
YEAR = Decimal("365.25")


def of_rest(case: Case, rest: Decimal, *, alone: bool) -> Iterator[Cause]:
    """Causes that explain exactly these pounds, broker - ledger, in both directions of sign.

    Args:
        alone: Nothing far-fetched stands beside them; else only the unmistakable ones count.
    """
    if not rest:
        return
    yield from _round_sum(case, rest, ROUND if alone else ROUND[:2])
    if not alone:
        return
    yield from _about_commission(case, rest)
    yield from _other_dividend(case, rest)
    yield from _interest(case, rest)


def round_near(rest: Decimal, slack: Decimal, steps: tuple[Decimal, ...], share: int) -> Decimal | None:
    """The roundest sum within the slack, which is at most one `share`-th of the step; None when several may be."""
    for step in steps:
        with exact():
            nearest = half_even(rest / step, 0) * step
            if abs(nearest) >= ROUND_LEAST and abs(nearest - rest) <= slack <= step / share:
                return nearest
    return None


def round_cause(case: Case, amount: Decimal, cost: int) -> Cause:
    """A deposit or withdrawal of a round sum."""
    kind: MovementKind = "deposit" if amount > ZERO else "withdrawal"
    code = "UNBOOKED_DEPOSIT" if amount > ZERO else "UNBOOKED_WITHDRAWAL"
    side = "more" if amount > ZERO else "less"
    sentence = f"The broker has {pounds(amount)} {side}, a round sum: a {kind} that nobody entered."
    return settled(code, (), amount, cost, sentence, _movement(case, kind, amount, sentence))


def _movement(case: Case, kind: MovementKind, amount: Decimal, why: str) -> BookMovement:
    taken = case.evidence.snapshot.taken_at
    return BookMovement(
        snapshot_id=case.evidence.snapshot.snapshot_id, why=why, kind=kind, amount_gbp=amount,
        day=taken.date(), at=taken,
    )  # fmt: skip


def _round_sum(case: Case, rest: Decimal, steps: tuple[tuple[Decimal, int], ...]) -> Iterator[Cause]:
    if abs(rest) < ROUND_LEAST:
        return
    with exact():
        cost = next((cost for step, cost in steps if rest % step == ZERO), None)
    if cost is not None:
        yield round_cause(case, rest, cost)


def mistyped_cash(case: Case) -> Iterator[Cause]:
    """The snapshot's cash, with two digits swapped or the point moved, is another: what it then adds is known."""
    snapshot = case.evidence.snapshot
    if case.typed_again(None) or snapshot.cash_gbp <= ZERO:
        return
    slips = dict.fromkeys(slipped(snapshot.cash_gbp), "DECIMAL_SLIP")
    for right, code in {**slips, **dict.fromkeys(swapped(snapshot.cash_gbp, PENCE_PLACES), SWAPPED)}.items():
        if right <= ZERO or right != half_even(right, PENCE_PLACES):
            continue
        how = "two neighbouring digits exchanged" if code == SWAPPED else "the decimal point moved"
        sentence = (
            f"The snapshot says {pounds(snapshot.cash_gbp)} of cash; with {how} it is the {pounds(right)} that is "
            "expected. Look at the available cash on eToro and type the snapshot again."
        )
        retake = RetakeSnapshot(snapshot_id=snapshot.snapshot_id, why=sentence, field="cash", expected=right)
        with exact():
            off = snapshot.cash_gbp - right
        if abs(off) > case.cash_tolerance:
            yield settled(code, (), off, EXACT - 2, sentence, retake)


def commissions(case: Case) -> Iterator[Cause]:
    """So much for each suspected fill that has no fee, each rounded to pence."""
    known = case.evidence.policy.account.commission_usd
    count = sum(1 for f in case.fills() if not f.fee_gbp)
    for usd in (known,) if known else COMMISSIONS if count else ():
        amounts: set[Decimal] = set()
        for rate in _rates(case):
            with exact():
                each = half_even(usd / rate, PENCE_PLACES)
                amounts |= {-each * count, half_even(-usd * count / rate, PENCE_PLACES)}
        for amount in sorted(a for a in amounts if a):
            yield _commission(case, amount, usd, count, FITS if known else NEUTRAL - 1)


def _rates(case: Case) -> Iterator[Decimal]:
    """Dollars for one pound at which commissions may be reckoned: of the snapshot, and of the fills if it moved."""
    rate, then = case.evidence.usd_per_gbp, case.rate()
    if rate is None or rate <= ZERO or then is None:
        return
    yield rate
    with exact():
        moved = abs(then / rate - ONE)
    if moved > COMMISSION_SLACK / 2:
        yield then


def _commission(case: Case, amount: Decimal, usd: Decimal, count: int, cost: int) -> Cause:
    sentence = (
        f"The broker has {pounds(amount)} less: {plain(usd)} USD of commission for each of {count} fills booked "
        "without a fee."
    )
    return settled("FEE", (), amount, cost, sentence, _movement(case, "fee", amount, sentence))


def _about_commission(case: Case, rest: Decimal) -> Iterator[Cause]:
    """Nearly so much: every order was converted at its own rate."""
    for cause in commissions(case):
        with exact():
            away = abs(rest - cause.cash_gbp) / (-cause.cash_gbp * COMMISSION_SLACK)
        if rest != cause.cash_gbp and away <= ONE:
            sentence = (
                cause.conclude(rest)[0].replace(pounds(cause.cash_gbp), pounds(rest)).replace(": ", ": about ", 1)
            )
            cost = cause.cost + 2 + int(away * FAR)
            yield settled("FEE", (), rest, cost, sentence, _movement(case, "fee", rest, sentence))


def exchange(case: Case, taken: frozenset[str]) -> Cause | None:
    """Pounds of fills that were worked out at the fixing; the broker's rate costs a little more.

    Args:
        taken: Fills that another cause corrects already.

    Returns:
        None when no fill was worked out: what it costs is then in the pounds that were typed.
    """
    worked_out = [f for f in case.fills() if f.estimated and f.value_gbp and f.fill_id not in taken]
    usual = case.evidence.policy.account.fx_fee
    with exact():
        base = sum((f.value_gbp for f in worked_out), ZERO)
        guess, slack = half_even(-base * usual, PENCE_PLACES), half_even(base * usual * FX_SLACK, PENCE_PLACES)
    if not slack:
        return None

    def conclude(cash: Decimal) -> Conclusion:
        with exact():
            percent = half_even(-cash / base * 100, 2)
        sentence = (
            f"The broker has {pounds(cash)} less: {percent} % of the {pounds(base)} of {len(worked_out)} fills whose "
            "pounds were worked out at the day's fixing. That is the cost of the broker's exchange rate."
        )
        return sentence, tuple(_shared(case, worked_out, cash, base, sentence))

    subjects = tuple(f.fill_id for f in worked_out)
    return Cause("FX_COST", (), guess, FITS + 3, conclude, "FX_COST", slack, subjects=subjects)


def _shared(case: Case, fills: list[Fill], rest: Decimal, base: Decimal, why: str) -> Iterator[Proposal]:
    """Each fill's pounds with its share of the cost, to the penny in all."""
    passed = given = ZERO
    for fill in sorted(fills, key=lambda f: (f.filled_at, f.fill_id)):
        with exact():
            passed += fill.value_gbp
            upto = half_even(-rest * passed / base, PENCE_PLACES) if passed != base else -rest
            cost, given = upto - given, upto
            value = fill.value_gbp + (cost if fill.side == "BUY" else -cost)
        yield from rewriting(case, fill, why, value_gbp=value)


def _other_dividend(case: Case, rest: Decimal) -> Iterator[Cause]:
    """One dividend, or all that wait, at about the amount expected: the rate of the day of payment is another."""
    due = waiting(case)
    choices: list[tuple[ExpectedDividend, ...]] = [(d,) for d in due]
    if len(due) > 1:
        choices.append(due)
    for chosen in choices:
        with exact():
            total = sum((d.net_gbp for d in chosen), ZERO)
            if abs(rest - total) > total * DIVIDEND_SLACK or rest == total:
                continue
            percent = half_even((rest / total - 1) * 100, 1)
        names = ", ".join(f"{d.symbol} of {d.ex_date}" for d in chosen)
        sentence = (
            f"The broker has {pounds(rest)} more, {percent} % away from the {pounds(total)} expected of {names}: the "
            "exchange rate of the day of payment. Check the amounts."
        )
        yield settled(
            "UNBOOKED_DIVIDEND", (), rest, ROUGH - 3 + len(chosen), sentence,
            *_apportioned(case, chosen, rest, total, sentence),
        )  # fmt: skip


def _apportioned(
    case: Case, chosen: tuple[ExpectedDividend, ...], rest: Decimal, total: Decimal, why: str
) -> Iterator[Proposal]:
    passed = given = ZERO
    for dividend in chosen:
        with exact():
            passed += dividend.net_gbp
            upto = half_even(rest * passed / total, PENCE_PLACES) if passed != total else rest
            amount, given = upto - given, upto
        yield dividend_entry(case, dividend, amount, why)


def _interest(case: Case, rest: Decimal) -> Iterator[Cause]:
    """About what cash earns between two snapshots."""
    previous = case.evidence.previous
    days = (case.evidence.snapshot.taken_at - previous.taken_at).days if previous else 0
    if previous is None or rest <= ZERO or days <= 0:
        return
    with exact():
        base = (previous.cash_gbp + case.evidence.snapshot.cash_gbp) / 2
        yearly = rest / base / days * YEAR if base > ZERO else ZERO
        percent = half_even(yearly * 100, 1)
    if INTEREST_YEARLY[0] <= yearly <= INTEREST_YEARLY[1]:
        sentence = (
            f"The broker has {pounds(rest)} more: what {pounds(base)} earn in {days} days at {percent} % a year. Look "
            "for a row of interest in the account's history."
        )
        yield settled("INTEREST", (), rest, ROUGH + 1, sentence, _movement(case, "interest", rest, sentence))
