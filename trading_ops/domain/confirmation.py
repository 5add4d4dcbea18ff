"""The confirmation gate: every line of the newest TRADE ticket has its answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from trading_ops.domain.policy import Policy
from trading_ops.domain.reasons import RULES
from trading_ops.domain.results import CheckResult, Outcome
from trading_ops.domain.values import ONE, ZERO, Symbol, exact, fixed, half_even, plain


@dataclass(frozen=True, slots=True)
class LineAnswer:
    """A line of the newest TRADE ticket that needs an answer; `status` is None while it has none."""

    plan_id: str
    line: int
    symbol: Symbol
    side: str
    status: str | None


def check_confirmation_missing(lines: Sequence[LineAnswer]) -> CheckResult:
    """Every line is DONE, PARTIAL, SKIPPED or FAILED (RULES, Confirmation gate).

    Args:
        lines: Lines of the newest TRADE ticket; those of a withdrawn ticket that were never begun are left out.
    """
    rule = RULES["CONFIRMATION_MISSING"]
    allowed = "every line answered"
    seen = f"{sum(line.status is not None for line in lines)} of {len(lines)} lines answered"
    missing = [line for line in lines if line.status is None]
    if not missing:
        return CheckResult(rule.code, Outcome.PASS, seen, allowed, rule.sentence)
    names = ", ".join(f"line {line.line} ({line.side} {line.symbol})" for line in missing)
    sentence = f"Of the ticket of plan {missing[0].plan_id} no answer is known for {names}."
    subjects = tuple(f"{line.plan_id}/{line.line}" for line in missing)
    return CheckResult(rule.code, Outcome.FAIL, seen, allowed, sentence, rule.remedy, subjects)


def implausible(
    units: Decimal | None,
    price_usd: Decimal | None,
    value_gbp: Decimal | None,
    reference_usd: Decimal,
    usd_per_gbp: Decimal,
    policy: Policy,
) -> str:
    """What a form asks again about an answer, as a sentence; empty when nothing is odd.

    Args:
        units: Units, if typed.
        price_usd: Price in USD, if typed.
        value_gbp: Pounds, if typed.
        reference_usd: The line's reference price.
        usd_per_gbp: Dollars for one pound at the ticket.
        policy: `confirmation.price_question` is the share beyond which it asks.
    """
    limit = policy.confirmation.price_question
    if price_usd is None:
        return ""
    with exact():
        away = price_usd / reference_usd - ONE
        if abs(away) > limit:
            side = "above" if away > ZERO else "below"
            percent = plain(half_even(abs(away) * 100, 0))
            return f"the price {plain(price_usd)} is {percent} % {side} the reference {plain(reference_usd)}"
        if units is None or value_gbp is None:
            return ""
        pounds = units * price_usd / usd_per_gbp
        if abs(pounds / value_gbp - ONE) > limit:
            product = f"{plain(units)} units at {plain(price_usd)} USD are about {fixed(pounds, 0)} GBP"
            return f"{product}, not {plain(value_gbp)}"
    return ""
