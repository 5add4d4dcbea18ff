"""TWR and MWR by hand, with a deposit and a withdrawal in the middle; `pytest -s` prints definitions and figures.

The book (pounds; each flow at the start of its day, equity at the close of the session):

    session       flow      equity    what happened
    2 Jan 2018   +1000     1000.00    the first money
    2 Apr 2018            1100.00     up 10 %
    2 Jul 2018   +1100     2310.00    a deposit as large as the book, then up 5 %
    1 Oct 2018    -310     1800.00    a withdrawal, then down 10 %
    2 Jan 2019            1980.00     up 10 %, 365 days after the start

TWR, r = E_t / (E_t-1 + F_t) - 1, linked; deposits are no gain and withdrawals no loss:
    2 Jan    1000 / (0 + 1000)            = 1.00     index 1
    2 Apr    1100 / 1000                  = 1.10     index 1.10
    2 Jul    2310 / (1100 + 1100)         = 1.05     index 1.155
    1 Oct    1800 / (2310 - 310)          = 0.90     index 1.0395
    2 Jan    1980 / 1800                  = 1.10     index 1.14345
    the time-weighted return is 14.345 % in 365 days; a year of 365.25 days: 1.14345^(365.25 / 365) - 1 = 14.355499 %

MWR, the rate x at which 1000 for 365 days, 1100 for 184 days and -310 for 93 days grow into 1980 (actual/365):
    f(x) = 1000 (1 + x) + 1100 (1 + x)^(184/365) - 310 (1 + x)^(93/365) - 1980 = 0
    x = 0.12     1120.0000 + 1164.6729 - 319.0819 - 1980 = -14.4090
    x = 0.13     1130.0000 + 1169.9035 - 319.8054 - 1980 =   0.0981
    so x is a little below 13 %; on the line between the two, 0.12 + 0.01 x 14.4090 / 14.5071 = 12.9932 %;
    halving the interval gives 12.993234 %. It is below the TWR: most money was there for the quarter of the loss.

Without flows the two are one: +10 % in 365 days is a TWR of 10 % and an MWR of 10 %.
"""

import datetime as dt
import math
from decimal import Decimal

import pytest

from trading_ops.domain.performance import annualised, twr_index, xirr
from trading_ops.domain.valuation import EquityPoint
from trading_ops.domain.values import exact
from trading_ops_tests.unit.ledger_factory import day

D = Decimal
BOOK = (
    (day("2018-01-02"), D(1000), D(1000)),
    (day("2018-04-02"), D(0), D(1100)),
    (day("2018-07-02"), D(1100), D(2310)),
    (day("2018-10-01"), D(-310), D(1800)),
    (day("2019-01-02"), D(0), D(1980)),
)
"""Session, flow, equity."""
BY_HAND = (D(1), D("1.1"), D("1.155"), D("1.0395"), D("1.14345"))
FLOWS = tuple((session, flow) for session, flow, _ in BOOK if flow)
DAYS = (BOOK[-1][0] - BOOK[0][0]).days
CLOSE = D("1e-8")


def equities() -> tuple[EquityPoint, ...]:
    return tuple(EquityPoint(session, equity, D(0), equity, flow, True) for session, flow, equity in BOOK)


def f(x: float, flows: tuple[tuple[dt.date, Decimal], ...] = FLOWS, equity: float = 1980.0) -> float:
    """The docstring's f: what the flows grow into, less the final equity; in floats, with nothing of the product."""
    end = BOOK[-1][0]
    return sum(float(amount) * (1 + x) ** ((end - on).days / 365) for on, amount in flows) - equity


def test_the_time_weighted_return_by_hand() -> None:
    points = twr_index(equities())
    assert [point.session for point in points] == [session for session, _, _ in BOOK]
    for point, expected in zip(points, BY_HAND, strict=True):
        assert abs(point.index - expected) < CLOSE
    print("\nTWR: r = E_t / (E_t-1 + F_t) - 1, flows at the start of their day, linked; the index starts at 1")
    for (session, flow, equity), point in zip(BOOK, points, strict=True):
        print(f"  {session}  flow {flow:>6}  equity {equity:>8.2f}  index {point.index:.5f}")


def test_the_rate_a_year_by_hand() -> None:
    """The exponent is 365.25 / 365: ln 1.14345 = 0.134050, x 1.000684932 = 0.134142, e^ that - 1 = 14.355499 %."""
    rate = annualised(BY_HAND[-1] - 1, DAYS)
    assert DAYS == 365
    assert rate is not None
    assert abs(rate - D("0.1435549908")) < CLOSE
    assert float(rate) == pytest.approx(math.expm1(math.log(1.14345) * 365.25 / 365), abs=1e-12)
    print(f"\nannualised: (1 + r)^(365.25 / days) - 1 = {rate:.10f} over {DAYS} days; none below a year")
    assert annualised(BY_HAND[-1] - 1, 364) is None


def test_the_money_weighted_return_by_hand() -> None:
    rate = xirr(FLOWS, (BOOK[-1][0], BOOK[-1][2]))
    assert rate is not None
    assert f(0.12) == pytest.approx(-14.4090, abs=5e-5)
    assert f(0.13) == pytest.approx(0.0981, abs=5e-5)
    assert abs(rate - D("0.1299323398")) < CLOSE
    assert abs(f(float(rate))) < 1e-6  # at the rate the flows grow into the final equity
    assert abs(rate - D(str(bisected()))) < CLOSE
    print("\nMWR: the rate x with sum of F_i (1 + x)^((T - t_i) / 365) = E_T (XIRR, actual/365)")
    for on, amount in FLOWS:
        print(f"  {on}  {amount:>6} for {(BOOK[-1][0] - on).days} days")
    print(f"  x = {rate:.10f}, TWR over the same days {BY_HAND[-1] - 1:.5f}")


def bisected() -> float:
    """The root of f by halving, in floats: another way to the same figure."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if f(middle) < 0 else (low, middle)
    return low


def test_without_flows_both_are_the_same() -> None:
    start, end = BOOK[0][0], BOOK[-1][0]
    points = (
        EquityPoint(start, D(1000), D(0), D(1000), D(1000), True),
        EquityPoint(end, D(1100), D(0), D(1100), D(0), True),
    )
    weighted = xirr([(start, D(1000))], (end, D(1100)))
    assert weighted is not None
    with exact():
        assert abs(twr_index(points)[-1].index - 1 - weighted) < CLOSE
    assert abs(weighted - D("0.1")) < CLOSE
