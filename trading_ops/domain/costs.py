"""The cost meter: what each fill really cost in pounds, by month, and what that says of the policy's numbers.

Belongs here: conversion, slippage and commission of fills. Does not belong here: what the line asked for and what
became of it (`execution`), returns (`performance`).

A cost above 0 is money lost; below 0 the fill was better than its yardstick. With sums over fills,
fx = sum of the pounds that the rate took, bps = 10000 x total / notional.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from trading_ops.domain.ledger import implied_fx
from trading_ops.domain.ledger_facts import Fill, FillSide
from trading_ops.domain.performance import slippage
from trading_ops.domain.policy import Policy
from trading_ops.domain.values import ONE, ZERO, Symbol, exact

BPS = Decimal(10_000)


@dataclass(frozen=True, slots=True)
class FillCost:
    """What one fill cost.

    Attributes:
        notional_gbp: Pounds of the fill, before the fee.
        reference_fx: Dollars for one pound on the fill's day.
        implied_fx: Dollars for one pound that the broker used; None when it was worked out and not measured.
        fx_share: Share lost in the conversion: (reference / implied - 1) on a BUY, (1 - reference / implied) on a
            SELL. None when not measured.
        fx_gbp: Pounds lost in the conversion; None when not measured.
        slippage_share: (price / reference price - 1) x side; None when no ticket gave a reference.
        slippage_gbp: The same in pounds at the reference rate: units x (price - reference) x side / G.
        commission_gbp: The fee that the broker booked.
        total_gbp: Sum of what is known.
        estimated: Units or value were worked out from the reference rate.
    """

    fill_id: str
    day: dt.date
    symbol: Symbol
    side: FillSide
    notional_gbp: Decimal
    reference_fx: Decimal
    implied_fx: Decimal | None
    fx_share: Decimal | None
    fx_gbp: Decimal | None
    slippage_share: Decimal | None
    slippage_gbp: Decimal | None
    commission_gbp: Decimal
    total_gbp: Decimal
    estimated: bool

    @property
    def bps(self) -> Decimal:
        """The total in hundredths of a percent of the pounds; 0 for a fill of no value."""
        return in_bps(self.total_gbp, self.notional_gbp)


@dataclass(frozen=True, slots=True)
class MonthCosts:
    """Totals of one month's fills. `measured` of them have an implied rate, `referenced` a reference price."""

    month: str
    fills: int
    measured: int
    referenced: int
    notional_gbp: Decimal
    fx_gbp: Decimal
    slippage_gbp: Decimal
    commission_gbp: Decimal
    total_gbp: Decimal
    bps: Decimal


@dataclass(frozen=True, slots=True)
class PolicyNumber:
    """A number of the policy beside what the fills say of it.

    Attributes:
        key: Where it stands in `config/policy.yml`.
        in_force: The policy's number.
        measured: The fills' number, None without fills to measure.
        fills: How many fills it rests on.
    """

    key: str
    in_force: Decimal
    measured: Decimal | None
    fills: int


def fill_cost(fill: Fill, reference_fx: Decimal, reference_price_usd: Decimal | None = None) -> FillCost:
    """What one fill cost against the day's rate and its ticket's price.

    Args:
        fill: The fill.
        reference_fx: G, dollars for one pound, the last fixing on or before the fill's day; above 0.
        reference_price_usd: The ticket line's reference price, splits since then applied; None off ticket.

    Returns:
        The costs. An estimated fill, or one without value, has no measured conversion.
    """
    with exact():
        side = ONE if fill.side == "BUY" else -ONE
        measured = not fill.estimated and fill.value_gbp > ZERO
        rate = implied_fx(fill) if measured else None
        at_reference = fill.units * fill.price_usd / reference_fx
        fx_gbp = (fill.value_gbp - at_reference) * side if measured else None
        slip = slip_gbp = None
        if reference_price_usd is not None:
            slip = slippage(fill.price_usd, reference_price_usd, fill.side)
            slip_gbp = fill.units * (fill.price_usd - reference_price_usd) * side / reference_fx
        return FillCost(
            fill_id=fill.fill_id,
            day=fill.session,
            symbol=fill.symbol,
            side=fill.side,
            notional_gbp=fill.value_gbp,
            reference_fx=reference_fx,
            implied_fx=rate,
            fx_share=None if fx_gbp is None else fx_gbp / at_reference,
            fx_gbp=fx_gbp,
            slippage_share=slip,
            slippage_gbp=slip_gbp,
            commission_gbp=fill.fee_gbp,
            total_gbp=(fx_gbp or ZERO) + (slip_gbp or ZERO) + fill.fee_gbp,
            estimated=fill.estimated,
        )


def costs_of(
    fills: Iterable[Fill], rate_of: Callable[[dt.date], Decimal], references_usd: Mapping[str, Decimal]
) -> tuple[FillCost, ...]:
    """The cost of each fill, by day and id.

    Args:
        fills: Fills in force.
        rate_of: Dollars for one pound on a day.
        references_usd: Reference price by ticket line as `Fill.ticket_line` names it; a line that is missing here, and
            a fill without a line, has no slippage.
    """
    ordered = sorted(fills, key=lambda fill: (fill.session, fill.filled_at, fill.fill_id))
    return tuple(
        fill_cost(fill, rate_of(fill.session), references_usd.get(fill.ticket_line) if fill.ticket_line else None)
        for fill in ordered
    )


def by_month(costs: Iterable[FillCost]) -> tuple[MonthCosts, ...]:
    """Totals by calendar month of the fill's session (`2018-02`), ascending; months without fills are left out."""
    months: dict[str, list[FillCost]] = {}
    for cost in costs:
        months.setdefault(f"{cost.day:%Y-%m}", []).append(cost)
    return tuple(total(month, months[month]) for month in sorted(months))


def total(name: str, costs: Sequence[FillCost]) -> MonthCosts:
    """Totals of some fills under a name; all 0 without fills."""
    with exact():
        notional = sum((cost.notional_gbp for cost in costs), ZERO)
        lost = sum((cost.total_gbp for cost in costs), ZERO)
        return MonthCosts(
            month=name,
            fills=len(costs),
            measured=sum(cost.fx_gbp is not None for cost in costs),
            referenced=sum(cost.slippage_gbp is not None for cost in costs),
            notional_gbp=notional,
            fx_gbp=sum((cost.fx_gbp or ZERO for cost in costs), ZERO),
            slippage_gbp=sum((cost.slippage_gbp or ZERO for cost in costs), ZERO),
            commission_gbp=sum((cost.commission_gbp for cost in costs), ZERO),
            total_gbp=lost,
            bps=in_bps(lost, notional),
        )


def proposed_policy_numbers(costs: Sequence[FillCost], policy: Policy) -> tuple[PolicyNumber, ...]:
    """What the fills say of the policy's cost numbers; a person decides whether they go into it.

    `account.fx_fee` is the mean share lost in conversion, weighted by value, over fills with a measured rate.
    `account.commission_usd` is the mean commission of an order in dollars at each fill's own reference rate, over all
    fills. A line filled in several pieces counts as several.
    """
    measured = [cost for cost in costs if cost.fx_share is not None]
    with exact():
        weight = sum((cost.notional_gbp for cost in measured), ZERO)
        lost = sum((cost.notional_gbp * (cost.fx_share or ZERO) for cost in measured), ZERO)
        dollars = sum((cost.commission_gbp * cost.reference_fx for cost in costs), ZERO)
        return (
            PolicyNumber("account.fx_fee", policy.account.fx_fee, lost / weight if weight else None, len(measured)),
            PolicyNumber(
                "account.commission_usd",
                policy.account.commission_usd,
                dollars / len(costs) if costs else None,
                len(costs),
            ),
        )


def in_bps(lost_gbp: Decimal, notional_gbp: Decimal) -> Decimal:
    """Pounds lost as hundredths of a percent of a value; 0 of nothing."""
    with exact():
        return lost_gbp * BPS / notional_gbp if notional_gbp else ZERO
