"""The cost meter, by hand: conversion, slippage, commission, months, and the policy's numbers beside them.

A BUY of 4 units at $102 for £300 with a pound at $1.40, reference price $100, fee £1:
    at the reference rate 4 x 102 / 1.40 = 291.428571…   conversion lost 300 - 291.43 = £8.571428… = 2.941176… %
    slippage 102 / 100 - 1 = 2 %, in pounds 4 x 2 / 1.40 = £5.714285…   in all 8.571428 + 5.714285 + 1 = £15.285714…
A SELL of 5 units at $99 for £350 with a pound at $1.40, reference price $100, no fee:
    at the reference rate 5 x 99 / 1.40 = 353.571428…   lost £3.571428… = 1.010101… %
    slippage (99 / 100 - 1) x -1 = 1 %, in pounds 5 x 1 / 1.40 = £3.571428…
"""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_ops.domain.costs import by_month, costs_of, fill_cost, proposed_policy_numbers, total
from trading_ops.domain.values import exact, half_even
from trading_ops_tests.unit.ledger_factory import at, buy, day, sell
from trading_ops_tests.unit.market_factory import make_policy

D = Decimal
RATE = D("1.40")
FEBRUARY, MARCH = day("2018-02-05"), day("2018-03-05")
BOUGHT = buy("AAA", FEBRUARY, "4", "102", "300", fee_gbp=D(1), fill_id="b", ticket_line="2018-02-02/1")
SOLD = sell("AAA", MARCH, "5", "99", "350", fill_id="s", ticket_line="2018-03-02/1")
REFERENCES = {"2018-02-02/1": D(100), "2018-03-02/1": D(100)}


def places(number: Decimal | None, count: int = 6) -> Decimal | None:
    return None if number is None else half_even(number, count)


def test_a_purchase_by_hand() -> None:
    cost = fill_cost(BOUGHT, RATE, D(100))
    assert cost.implied_fx == D("1.36")
    assert places(cost.fx_share) == D("0.029412")
    assert places(cost.fx_gbp) == D("8.571429")
    assert (cost.slippage_share, places(cost.slippage_gbp)) == (D("0.02"), D("5.714286"))
    assert (cost.commission_gbp, places(cost.total_gbp), places(cost.bps, 2)) == (D(1), D("15.285714"), D("509.52"))


def test_a_sale_by_hand() -> None:
    cost = fill_cost(SOLD, RATE, D(100))
    assert places(cost.implied_fx) == D("1.414286")
    assert places(cost.fx_share) == D("0.010101")
    assert places(cost.fx_gbp) == places(cost.slippage_gbp) == D("3.571429")
    assert cost.slippage_share == D("0.01")


def test_a_better_price_and_a_better_rate_are_costs_below_0() -> None:
    cost = fill_cost(replace(BOUGHT, price_usd=D(98), value_gbp=D(270), fee_gbp=D(0)), RATE, D(100))
    assert cost.fx_gbp is not None
    assert cost.fx_gbp < 0
    assert cost.slippage_share == D("-0.02")
    assert cost.total_gbp < 0


def test_an_estimated_fill_measures_no_conversion() -> None:
    cost = fill_cost(replace(BOUGHT, estimated=True), RATE, D(100))
    assert (cost.implied_fx, cost.fx_share, cost.fx_gbp, cost.estimated) == (None, None, None, True)
    assert places(cost.total_gbp) == D("6.714286")


def test_a_fill_without_ticket_has_no_slippage_and_one_without_value_no_rate() -> None:
    off_ticket = fill_cost(BOUGHT, RATE)
    assert (off_ticket.slippage_share, off_ticket.slippage_gbp, places(off_ticket.total_gbp)) == (
        None,
        None,
        D("9.571429"),
    )
    free = fill_cost(replace(BOUGHT, value_gbp=D(0)), RATE)
    assert (free.implied_fx, free.bps) == (None, D(0))


def test_months_add_up() -> None:
    estimated = replace(BOUGHT, fill_id="e", estimated=True, ticket_line=None, filled_at=at(FEBRUARY, 16))
    costs = costs_of([SOLD, estimated, BOUGHT], lambda _: RATE, REFERENCES)
    assert [cost.fill_id for cost in costs] == ["b", "e", "s"]
    february, march = by_month(costs)
    assert (february.month, february.fills, february.measured, february.referenced) == ("2018-02", 2, 1, 1)
    assert (february.notional_gbp, february.commission_gbp) == (D(600), D(2))
    assert (places(february.fx_gbp), places(february.slippage_gbp)) == (D("8.571429"), D("5.714286"))
    assert (places(february.total_gbp), places(february.bps, 2)) == (D("16.285714"), D("271.43"))
    assert (march.month, march.fills, places(march.total_gbp)) == ("2018-03", 1, D("7.142857"))
    assert by_month(()) == ()
    assert (total("all", ()).bps, total("all", ()).fills) == (D(0), 0)


def test_the_rate_is_that_of_the_fills_day() -> None:
    rates = {FEBRUARY: D("1.40"), MARCH: D("1.38")}
    bought, sold = costs_of([BOUGHT, SOLD], rates.__getitem__, {})
    assert (bought.reference_fx, sold.reference_fx) == (D("1.40"), D("1.38"))
    assert bought.slippage_gbp is None


def test_measured_numbers_stand_beside_the_policys() -> None:
    """(300 x 2.941176 % + 350 x 1.010101 %) / 650 = 1.901367 %; fee (1 x 1.40 + 0 + 1 x 1.40) / 3 = $0.933333."""
    policy = make_policy(account={"fx_fee": D("0.0075"), "commission_usd": D(0)})
    estimated = replace(BOUGHT, fill_id="e", estimated=True)
    fx, commission = proposed_policy_numbers(costs_of([BOUGHT, SOLD, estimated], lambda _: RATE, REFERENCES), policy)
    assert (fx.key, fx.in_force, places(fx.measured), fx.fills) == ("account.fx_fee", D("0.0075"), D("0.019014"), 2)
    assert (commission.key, commission.in_force) == ("account.commission_usd", D(0))
    assert (places(commission.measured), commission.fills) == (D("0.933333"), 3)


def test_without_fills_nothing_is_proposed() -> None:
    assert [(n.measured, n.fills) for n in proposed_policy_numbers((), make_policy())] == [(None, 0), (None, 0)]


@given(
    st.decimals("0.01", "1000", places=6), st.decimals("1", "900", places=2), st.decimals("0", "0.02", places=4),
    st.sampled_from(["BUY", "SELL"]),
)  # fmt: skip
def test_a_known_fee_is_measured_on_both_sides(units: Decimal, price: Decimal, fee: Decimal, side: str) -> None:
    with exact():
        fair = units * price / RATE
        value = fair * (1 + fee) if side == "BUY" else fair * (1 - fee)
        made = (buy if side == "BUY" else sell)("AAA", FEBRUARY, str(units), str(price), str(value))
        measured = fill_cost(made, RATE).fx_share
        assert measured is not None
        assert abs(measured - fee) < D("1e-40")


def test_a_simulated_fill_costs_nothing_to_convert() -> None:
    """Value at the reference rate exactly, to the penny: the share is below half a penny of the value."""
    cost = fill_cost(buy("AAA", FEBRUARY, "1.887", "233.52", "314.75"), RATE)
    assert cost.fx_gbp is not None
    assert abs(cost.fx_gbp) < D("0.005")
    assert cost.fx_share == pytest.approx(D(0), abs=D("0.00002"))
