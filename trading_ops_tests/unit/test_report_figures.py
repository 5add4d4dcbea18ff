"""Figures of the reports: worked by hand, and against numpy and pandas, which know nothing of the desk."""

import datetime as dt
import random
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from trading_ops.domain import calendar
from trading_ops.domain.ledger import ledger_at
from trading_ops.domain.performance import IndexPoint, twr_index
from trading_ops.domain.prices import CorporateAction
from trading_ops.domain.report_figures import (
    benchmark_in_pounds,
    between,
    deepest,
    drawdowns,
    money_weighted,
    profit,
    same_money,
)
from trading_ops.domain.valuation import EquityPoint
from trading_ops_tests.unit.ledger_factory import buy, cash, day, facts, sell

D = Decimal
MONDAY, TUESDAY, WEDNESDAY, THURSDAY = map(day, ("2018-01-29", "2018-01-30", "2018-01-31", "2018-02-01"))


def index(*values: str) -> tuple[IndexPoint, ...]:
    """An index on consecutive sessions from Monday on."""
    days = calendar.sessions(MONDAY, day("2018-03-29"))
    return tuple(IndexPoint(session, D(value)) for session, value in zip(days, values, strict=False))


def test_profit_by_hand() -> None:
    # 10 bought for £400 and £1 fee; 4 of them sold for £192: cost 4/10 x 401 = 160.40. The other 6 are worth £288.
    given = facts(
        cash("deposit", MONDAY, "1000"), cash("dividend", WEDNESDAY, "3.40", symbol="AAA", ex_date=WEDNESDAY),
        cash("fee", WEDNESDAY, "-2"), buy("AAA", TUESDAY, "10", "50", "400", fee_gbp=D(1)),
        sell("AAA", THURSDAY, "4", "60", "192"), cash("deposit", day("2018-02-02"), "500"),
    )  # fmt: skip
    found = profit(given, ledger_at(given, THURSDAY), {"AAA": D(288)}, THURSDAY)
    assert found.paid_in_gbp == 1000
    assert found.realised_gbp == D("31.60")
    assert found.unrealised_gbp == D("47.40")
    assert found.dividends_gbp == D("3.40")
    assert found.other_gbp == -2


def test_drawdown_by_hand() -> None:
    # The maximum starts at 1: a book that only ever lost is down from what was paid in.
    lost = drawdowns(index("0.9", "1.2", "1.08", "1.26", "0.945"))
    assert lost == (D("0.1"), D(0), D("0.1"), D(0), D("0.25"))
    assert deepest(index("0.9", "1.2", "1.08", "1.26", "0.945")) == (day("2018-02-02"), D("0.25"))
    assert deepest(()) is None


def test_returns_between_two_closes_by_hand() -> None:
    curve = index("1", "1.1", "1.21")
    assert between(curve, TUESDAY, WEDNESDAY) == D("0.1")
    assert between(curve, day("2018-01-26"), TUESDAY) == D("0.1")
    assert between(curve, MONDAY, day("2018-01-26")) is None


def test_the_same_money_in_the_benchmark_by_hand() -> None:
    # £1000 at 1 and £550 at 1.1 are 1500 units; at 1.2 they are worth £1800.
    curve = index("1", "1.1", "1.2")
    found = same_money([(MONDAY, D(1000)), (TUESDAY, D(550)), (THURSDAY, D(7))], curve, WEDNESDAY)
    assert found is not None
    assert found.value_gbp == 1800


def test_a_deposit_before_the_first_session_buys_at_the_first() -> None:
    found = same_money([(day("2018-01-27"), D(1000))], index("1", "1.5"), TUESDAY)
    assert found is not None
    assert found.value_gbp == 1500


def test_the_benchmark_in_pounds_by_hand() -> None:
    # $100 at 1.25 are £80; $99 and $1 dividend at 1.20 are £83.33: +4.1667 %. A 2:1 split changes nothing.
    closes = {MONDAY: D(100), TUESDAY: D(99), WEDNESDAY: D("49.5")}
    actions = [CorporateAction("SPY", TUESDAY, "dividend", D(1), "files"),
               CorporateAction("SPY", WEDNESDAY, "split", D(2), "files")]  # fmt: skip
    rates = {MONDAY: D("1.25"), TUESDAY: D("1.20"), WEDNESDAY: D("1.20"), THURSDAY: D("1.20")}
    found = benchmark_in_pounds(closes, actions, rates, [MONDAY, TUESDAY, WEDNESDAY, THURSDAY])
    assert [round(p.index, 6) for p in found] == [1, D("1.041667"), D("1.041667"), D("1.041667")]


def test_without_a_first_close_nothing_is_compared() -> None:
    assert benchmark_in_pounds({TUESDAY: D(100)}, [], {MONDAY: D(1), TUESDAY: D(1)}, [MONDAY, TUESDAY]) == ()


def test_a_rate_a_year_only_from_a_year_on() -> None:
    # 21 % in two years are 10 % a year.
    found = money_weighted([(day("2015-01-01"), D(1000))], (day("2016-12-31"), D(1210)))
    assert found.since_start is not None
    assert found.a_year is not None
    assert round(found.since_start, 8) == D("0.21")
    assert round(found.a_year, 8) == D("0.1")
    soon = money_weighted([(day("2015-01-01"), D(1000))], (day("2015-07-01"), D(1050)))
    assert soon.a_year is None
    assert soon.since_start is not None
    assert round(soon.since_start, 8) == D("0.05")
    assert money_weighted([], (day("2015-01-01"), D(0))).since_start is None


@pytest.mark.parametrize("seed", range(5))
def test_twr_and_drawdown_as_numpy_and_pandas_find_them(seed: int) -> None:
    dice = random.Random(seed)
    days = calendar.sessions(day("2018-01-02"), day("2018-12-31"))
    equity, flows, points, held = [], [], [], D(0)
    for number, session in enumerate(days):
        flow = D(20000) if number == 0 else D(dice.choice([0] * 30 + [500, -300]))
        held = ((held + flow) * (1 + D(dice.randrange(-300, 310)) / 10_000)).quantize(D("0.01"))
        points.append(EquityPoint(session, D(0), held, held, flow, True))
        equity.append(float(held))
        flows.append(float(flow))
    mine = twr_index(points)
    grown = np.array(equity) / (np.concatenate([[0.0], equity[:-1]]) + np.array(flows))
    theirs = pd.Series(np.cumprod(grown))
    assert np.allclose([float(p.index) for p in mine], theirs, rtol=1e-12)
    lost = 1 - theirs / theirs.cummax().clip(lower=1.0)
    assert np.allclose([float(d) for d in drawdowns(mine)], lost, atol=1e-12)
    place = deepest(mine)
    assert place is not None
    assert place[0] == days[int(lost.idxmax())]


def test_mwr_as_numpy_finds_it() -> None:
    # Flows a year apart make a polynomial, whose root numpy finds in its own way.
    start = dt.date(2015, 1, 1)
    flows = [(start + dt.timedelta(days=365 * n), D(a)) for n, a in enumerate((1000, 500, -200))]
    found = money_weighted(flows, (start + dt.timedelta(days=365 * 3), D(1700)))
    roots = np.roots([1000, 500, -200, -1700])
    growth = next(r.real for r in roots if abs(r.imag) < 1e-9 and r.real > 0)
    assert found.a_year is not None
    assert float(found.a_year) == pytest.approx(growth - 1, abs=1e-8)
