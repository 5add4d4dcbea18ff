"""Performance: TWR, drawdown, MWR, benchmark and the small ratios."""

from decimal import Decimal
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_ops.domain import calendar
from trading_ops.domain.errors import TradingOpsError
from trading_ops.domain.ledger import EquityPoint
from trading_ops.domain.performance import (
    IndexPoint,
    annualised,
    benchmark_index,
    drawdown,
    exposure,
    slippage,
    turnover,
    twr_index,
    xirr,
)
from trading_ops.domain.prices import Fixing
from trading_ops.domain.values import ONE, ZERO, exact, half_even
from trading_ops_tests.unit.ledger_factory import day
from trading_ops_tests.unit.market_factory import make_bar, make_market

D = Decimal
SESSIONS = calendar.sessions(day("2018-01-02"), day("2018-12-31"))


def equities(*pairs: tuple[str, str], opening: str | None = None) -> tuple[EquityPoint, ...]:
    """(equity, flow) a session."""
    return tuple(
        EquityPoint(SESSIONS[i], D(equity), ZERO, D(equity), D(flow), True, D(opening) if opening and i == 0 else None)
        for i, (equity, flow) in enumerate(pairs)
    )


def indices(*values: str) -> tuple[IndexPoint, ...]:
    return tuple(IndexPoint(SESSIONS[i], D(v)) for i, v in enumerate(values))


# TWR


def test_twr_links_days_and_takes_flows_at_the_start_of_their_day() -> None:
    points = equities(("990", "1000"), ("1089", "0"), ("2178", "1089"), ("1960.2", "0"), ("980.1", "-980.1"))
    assert [p.index for p in twr_index(points)] == [D("0.99"), D("1.089"), D("1.089"), D("0.9801"), D("0.9801")]


def test_a_deposit_is_no_gain() -> None:
    assert {p.index for p in twr_index(equities(("100", "100"), ("100100", "100000"), ("100100", "0")))} == {ONE}


def test_the_index_starts_with_the_first_flow() -> None:
    points = twr_index(equities(("0", "0"), ("0", "0"), ("110", "100")))
    assert points == (IndexPoint(SESSIONS[2], D("1.1")),)


def test_a_series_that_starts_later_links_to_its_opening_equity() -> None:
    assert [p.index for p in twr_index(equities(("110", "0"), ("121", "0"), opening="100"))] == [D("1.1"), D("1.21")]


def test_without_capital_at_work_the_index_stays() -> None:
    points = equities(("110", "100"), ("5", "-110"), ("0", "-5"), ("99", "90"))
    assert [p.index for p in twr_index(points)] == [D("1.1"), D("1.1"), D("1.1"), D("1.21")]


def test_no_points_no_index() -> None:
    assert twr_index(()) == ()


@given(
    st.lists(st.tuples(st.integers(5000, 20000), st.integers(-2000, 2000)), min_size=1, max_size=20), st.integers(1, 9)
)
def test_twr_does_not_depend_on_the_size_of_the_book(days: list[tuple[int, int]], size: int) -> None:
    def index(scale: int) -> Decimal:
        pairs = [(str(e * scale), str(f * scale)) for e, f in [(10000, 10000), *days]]
        return twr_index(equities(*pairs))[-1].index

    with exact():
        assert abs(index(1) - index(size)) < D("1e-40")


# Drawdown


def test_drawdown_is_the_loss_from_the_running_maximum() -> None:
    assert drawdown(indices("1", "1.25", "1.1", "1"), None) == D("0.2")
    assert drawdown(indices("1", "1.25", "1.1", "1.3"), None) == ZERO


def test_the_start_at_1_is_a_maximum_too() -> None:
    assert drawdown(indices("0.9"), None) == D("0.1")


def test_rearming_starts_a_new_maximum_at_the_index_of_that_day() -> None:
    points = indices("1", "2", "1", "0.9")
    assert drawdown(points, SESSIONS[2]) == D("0.1")
    assert drawdown(points, SESSIONS[1]) == D("0.55")
    assert drawdown(points, SESSIONS[3]) == ZERO


def test_rearming_on_a_weekend_starts_at_the_fridays_index() -> None:
    friday = SESSIONS.index(day("2018-01-05"))
    points = tuple(
        IndexPoint(SESSIONS[friday + i], D(v)) for i, v in enumerate(("0.8", "0.72"))
    )  # before: a maximum of 1
    assert drawdown(points, day("2018-01-06")) == D("0.1")


def test_rearming_after_the_last_point_leaves_no_drawdown() -> None:
    assert drawdown(indices("1", "0.5"), day("2019-06-01")) == ZERO
    assert drawdown((), None) == ZERO


@given(st.lists(st.integers(1, 500), min_size=1, max_size=30), st.none() | st.integers(0, 29))
def test_drawdown_lies_between_nothing_and_everything(values: list[int], since: int | None) -> None:
    points = indices(*(str(D(v) / 100) for v in values))
    lost = drawdown(points, None if since is None else SESSIONS[since])
    assert ZERO <= lost < ONE
    assert lost <= drawdown(points, None)


# MWR


def test_xirr_of_one_deposit_over_a_year_is_its_return() -> None:
    assert xirr([(day("2018-01-01"), D(100))], (day("2019-01-01"), D(110))) == D("0.1")
    assert xirr([(day("2018-01-01"), D(100))], (day("2019-01-01"), D(50))) == D("-0.5")


def test_xirr_of_the_published_spreadsheet_example() -> None:
    # The example of Excel's and LibreOffice's XIRR documentation: 0.373362535.
    flows = [
        (day("2008-01-01"), D(10000)),
        (day("2008-03-01"), D(-2750)),
        (day("2008-10-30"), D(-4250)),
        (day("2009-02-15"), D(-3250)),
    ]
    rate = xirr(flows, (day("2009-04-01"), D(2750)))
    assert rate is not None
    assert half_even(rate, 7) == D("0.3733625")


def test_xirr_weighs_when_the_money_came() -> None:
    late = [(day("2018-01-01"), D(100)), (day("2018-12-01"), D(10000))]
    rate = xirr(late, (day("2019-01-01"), D(10000)))
    assert rate is not None
    assert rate < D("-0.1")  # the large deposit caught the loss


@pytest.mark.parametrize(
    ("flows", "final", "rate"),
    [
        ([], "100", None),
        ([("2019-01-01", "100")], "100", None),
        ([("2018-01-01", "100")], "0", D(-1)),
        ([("2018-12-31", "100")], "110", "huge"),
        ([("2018-01-01", "100"), ("2019-06-01", "999")], "110", D("0.1")),
        ([("2018-01-01", "100"), ("2019-01-01", "50")], "160", D("0.1")),
    ],
)
def test_xirr_at_the_edges(flows: list[tuple[str, str]], final: str, rate: Decimal | str | None) -> None:
    found = xirr([(day(d), D(a)) for d, a in flows], (day("2019-01-01"), D(final)))
    if rate == "huge":
        assert found is not None
        assert found > D("1e14")
    else:
        assert found == rate


@given(st.lists(st.tuples(st.integers(0, 250), st.integers(1, 10000)), min_size=1, max_size=8), st.integers(-60, 200))
def test_xirr_finds_the_rate_that_made_the_equity(deposits: list[tuple[int, int]], percent: int) -> None:
    start, end = day("2018-01-01").toordinal(), day("2019-01-01")
    growth = ONE + D(percent) / 100
    flows = [(type(end).fromordinal(start + days), D(amount)) for days, amount in deposits]
    with exact():
        equity = sum((amount * growth ** (D((end - on).days) / 365) for on, amount in flows), ZERO)
    assert xirr(flows, (end, equity)) == D(percent) / 100


# Rates, benchmark, ratios


def test_annualised_only_from_one_year_on() -> None:
    assert annualised(D("0.5"), 364) is None
    rate = annualised(D("0.21"), 731)
    assert rate is not None
    with exact():
        assert abs((1 + rate) ** (D(731) / D("365.25")) - D("1.21")) < D("1e-40")
    total_loss = annualised(D(-1), 731)
    assert total_loss == D(-1)


def test_the_benchmark_is_adjusted_closes_in_pounds_from_1() -> None:
    first, second, third, fourth = SESSIONS[:4]
    bars = {
        "SPY": {
            first: make_bar("SPY", first, "270", adj_close=D(200)),
            second: make_bar("SPY", second, "272", adj_close=D(210)),
            fourth: make_bar("SPY", fourth, "273", adj_close=D(220)),
        }
    }
    fixings = [Fixing(first, D("1.25"), "test"), Fixing(fourth, D("1.00"), "test")]
    market = make_market(fourth, bars, fixings=fixings)
    index = [p.index for p in benchmark_index(market, "SPY", (first, second, third, fourth))]
    assert index == [D(1), D("1.05"), D("1.05"), D("1.375")]
    with pytest.raises(TradingOpsError, match="no SPY bar"):
        benchmark_index(market, "SPY", (third, fourth))


def test_exposure_is_what_is_invested() -> None:
    assert exposure(EquityPoint(SESSIONS[0], D(25), D(75), D(100), ZERO, True)) == D("0.75")
    assert exposure(EquityPoint(SESSIONS[0], ZERO, ZERO, ZERO, ZERO, True)) == ZERO


def test_turnover_is_the_larger_side() -> None:
    assert turnover(D(300), D(100), D(1000)) == D("0.3")
    assert turnover(D(100), D(300), D(1000)) == D("0.3")
    assert turnover(D(100), D(300), ZERO) == ZERO


@pytest.mark.parametrize(
    ("price", "side", "cost"), [("101", "BUY", "0.01"), ("99", "SELL", "0.01"), ("99", "BUY", "-0.01")]
)
def test_slippage_above_zero_is_worse_than_the_reference(price: str, side: Literal["BUY", "SELL"], cost: str) -> None:
    assert slippage(D(price), D(100), side) == D(cost)
