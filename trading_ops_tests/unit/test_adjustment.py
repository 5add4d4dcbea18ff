"""Adjusted closes worked out from raw closes and actions: by hand, against a vendor, and as properties."""

import datetime as dt
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from trading_ops.domain import calendar
from trading_ops.domain.adjustment import adjusted, derived_adjusted_closes, knows_its_splits
from trading_ops.domain.prices import Bar, clean_ratio
from trading_ops.domain.values import exact, from_float
from trading_ops_tests.unit.market_factory import committed_policy, dividend, make_bar, real_rows, split

D = dt.date(2018, 2, 2)
WEEK = calendar.window_of_sessions(D, 5)


def closes(*prices: str) -> dict[dt.date, Decimal]:
    return dict(zip(WEEK[-len(prices) :], map(Decimal, prices), strict=True))


def test_without_actions_an_adjusted_close_is_the_close() -> None:
    raw = closes("1", "3", "0.07", "11.123456")
    assert derived_adjusted_closes(raw, ()) == raw


def test_a_split_divides_what_came_before_it() -> None:
    raw = closes("100", "50", "51")
    assert list(derived_adjusted_closes(raw, [split("AAA", WEEK[-2], "2")]).values()) == [50, 50, 51]


def test_a_dividend_lowers_what_came_before_by_its_reinvested_return() -> None:
    raw = closes("100", "99")
    assert derived_adjusted_closes(raw, [dividend("AAA", D, "1")]) == {WEEK[-2]: Decimal("99"), D: Decimal("99")}


def test_a_dividend_on_the_day_of_a_split_is_per_share_before_it() -> None:
    raw = closes("100", "49.5")
    actions = [split("AAA", D, "2"), dividend("AAA", D, "1")]
    with exact():
        wanted = 100 * Decimal("49.5") / (Decimal("49.5") * 2 + 1)
    assert derived_adjusted_closes(raw, actions)[WEEK[-2]] == wanted


def test_actions_of_a_gap_count_at_the_next_bar() -> None:
    raw = {WEEK[0]: Decimal(100), WEEK[4]: Decimal(25)}
    actions = [split("AAA", WEEK[1], "2"), split("AAA", WEEK[3], "2")]
    assert derived_adjusted_closes(raw, actions)[WEEK[0]] == 25


def test_actions_outside_the_sessions_do_not_count() -> None:
    raw = closes("100", "101")
    actions = [split("AAA", WEEK[-2], "2"), split("AAA", D + dt.timedelta(days=3), "4")]
    assert derived_adjusted_closes(raw, actions) == raw


def test_no_closes_give_no_adjusted_closes() -> None:
    assert derived_adjusted_closes({}, [split("AAA", D, "2")]) == {}


def test_a_bar_without_a_usable_close_keeps_what_it_has() -> None:
    broken = make_bar("AAA", WEEK[-2], close="-1")
    bars = {WEEK[-3]: make_bar("AAA", WEEK[-3], "100"), WEEK[-2]: broken, D: make_bar("AAA", D, "50")}
    found = adjusted(bars, [split("AAA", D, "2")], D)
    assert found[WEEK[-2]] is broken
    assert found[WEEK[-3]].adj_close == 50
    assert found[WEEK[-3]].close == 100


def two_bars(closes_: tuple[str, str], adjusted_: tuple[str, str]) -> dict[dt.date, Bar]:
    days = (WEEK[-2], D)
    return {
        day: make_bar("AAA", day, close, adj_close=Decimal(adj))
        for day, close, adj in zip(days, closes_, adjusted_, strict=True)
    }


def test_adjusted_closes_that_move_as_if_there_were_no_split_do_not_know_it() -> None:
    bars = two_bars(("100", "51"), ("90", "45.9"))
    assert not knows_its_splits(bars, [split("AAA", D, "2")])


def test_adjusted_closes_that_know_their_split_are_believed() -> None:
    bars = two_bars(("100", "51"), ("45", "45.9"))
    assert knows_its_splits(bars, [split("AAA", D, "2"), dividend("AAA", D, "1")])
    assert knows_its_splits(bars, [])


def test_a_split_that_the_raw_price_knows_nothing_of_is_no_reason() -> None:
    assert knows_its_splits(two_bars(("100", "101"), ("90", "90.9")), [split("AAA", D, "2")])


def test_a_tiny_split_cannot_be_told_from_none() -> None:
    assert knows_its_splits(two_bars(("100", "97"), ("90", "87.3")), [split("AAA", D, "1.03")])


@given(
    prices=st.lists(st.decimals("0.01", "5000", places=2), min_size=2, max_size=5),
    ratio=st.sampled_from(["2", "0.1", "1.5", "20"]),
    paid=st.decimals("0.01", "3", places=2),
    place=st.integers(1, 4),
)
def test_adjusted_returns_are_total_returns(prices: list[Decimal], ratio: str, paid: Decimal, place: int) -> None:
    raw = dict(zip(WEEK, prices, strict=False))
    days = list(raw)
    day = days[min(place, len(days) - 1)]
    found = derived_adjusted_closes(raw, [split("AAA", day, ratio), dividend("AAA", day, str(paid))])
    assert found[days[-1]] == raw[days[-1]]
    with exact():
        before = days[days.index(day) - 1]
        wanted = (raw[day] * Decimal(ratio) + paid) / raw[before]
        assert abs(found[day] / found[before] - wanted) <= wanted * Decimal("1e-40")


def test_it_agrees_with_a_vendors_adjusted_closes() -> None:
    data = committed_policy().data
    for symbol in ("AAPL", "MSFT", "NVDA", "JNJ"):
        rows = real_rows("equities_2005_2021.parquet", dt.date(2014, 1, 2), dt.date(2021, 4, 21), [symbol])
        raw = {row["date"]: from_float(row["close"]) for row in rows}
        actions = [dividend(symbol, r["date"], repr(r["dividend"])) for r in rows if r["dividend"]]
        actions += [
            split(symbol, r["date"], str(clean_ratio(from_float(r["split_coefficient"]), data.split_max_denominator,
                                                      data.split_noise)))
            for r in rows if r["split_coefficient"] != 1
        ]  # fmt: skip
        found = derived_adjusted_closes(raw, actions)
        worst = max(abs(float(found[r["date"]]) / r["adj_close"] - 1) for r in rows)
        assert worst < 5e-4, (symbol, worst)
