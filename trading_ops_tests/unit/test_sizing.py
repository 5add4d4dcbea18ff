"""Sizing, step by step as the rules are written. Unless a test says otherwise one unit is worth £100."""

import datetime as dt
from decimal import Decimal

import pytest

from trading_ops.domain.sizing import LotClose, SizingError, close_lots, equity, size_targets
from trading_ops_tests.unit.book_factory import ASOF, book, lines, lot, policy, seats_of, size, target, waiting

# With 20 seats and £10,000 a target is £485, its band £72.75, the turnover cap £3,000, the heaviest weight £1,000.
TWENTY = policy(seats=20)


# 1. Seats


def test_free_seats_go_to_the_best_ranked() -> None:
    assert seats_of(book(cash="10000", ranks={"C": 3, "B": 2, "A": 1}), policy(seats=2)) == ["A", "B"]


def test_equal_ranks_are_told_apart_by_symbol() -> None:
    assert seats_of(book(cash="10000", ranks={"B": 1, "A": 1}), policy(seats=1)) == ["A"]


@pytest.mark.parametrize(("rank", "seats"), [(25, ["A", "H"]), (26, ["A", "B"])])
def test_a_held_name_keeps_its_seat_down_to_the_keep_rank(rank: int, seats: list[str]) -> None:
    inp = book(cash="9000", units={"H": "10"}, ranks={"A": 1, "B": 2, "H": rank})
    assert seats_of(inp, policy(seats=2)) == seats


def test_more_held_names_than_seats_leaves_them_to_the_best_ranked() -> None:
    inp = book(units={"X": "1", "Y": "1", "Z": "1"}, ranks={"A": 1, "X": 20, "Y": 5, "Z": 9})
    assert seats_of(inp, policy(seats=2)) == ["Y", "Z"]


def test_fewer_candidates_than_seats_leaves_the_rest_in_cash() -> None:
    sizing = size(book(cash="10000", ranks={"A": 1, "B": 2}), policy(seats=10))
    assert lines(sizing) == ["BUY A 970", "BUY B 970"]


def test_a_held_name_beyond_the_keep_rank_stays_while_nobody_better_wants_its_seat() -> None:
    inp = book(cash="9000", units={"H": "5"}, ranks={"A": 1, "H": 40})
    assert seats_of(inp, policy(seats=3)) == ["A", "H"]


@pytest.mark.parametrize("row", [{"enabled": False}, {"tradable_underlying": False}, {"instrument_type": "etf"}])
def test_a_held_name_that_is_no_longer_tradable_keeps_no_seat_and_is_sold_first(row: dict[str, object]) -> None:
    sizing = size(book(cash="9500", units={"H": "5"}, ranks={"H": 1}, rows={"H": row}), TWENTY)
    assert [(o.symbol, o.group, o.exit) for o in sizing.orders] == [("H", "must_sell", True)]


def test_a_held_name_outside_the_universe_is_sold_first() -> None:
    sizing = size(book(cash="9500", units={"H": "5"}, unknown=["H"]), TWENTY)
    assert [(o.symbol, o.group) for o in sizing.orders] == [("H", "must_sell")]


def test_a_held_name_without_a_rank_is_an_exit() -> None:
    sizing = size(book(cash="9500", units={"H": "5"}), TWENTY)
    assert [(o.symbol, o.group, o.rank, o.exit) for o in sizing.orders] == [("H", "exit", None, True)]


@pytest.mark.parametrize("flag", ["frozen", "unbuyable"])
def test_a_frozen_or_unbuyable_name_takes_no_free_seat_but_keeps_the_one_it_has(flag: str) -> None:
    inp = book(cash="9500", units={"H": "5"}, ranks={"N": 1, "H": 2, "A": 3}, **{flag: frozenset({"N", "H"})})
    assert seats_of(inp, TWENTY) == ["H", "A"]


@pytest.mark.parametrize("flag", ["frozen", "unbuyable"])
def test_a_frozen_or_unbuyable_name_with_a_seat_is_not_bought_more_of(flag: str) -> None:
    inp = book(cash="9900", units={"H": "1"}, ranks={"H": 1}, **{flag: frozenset({"H"})})
    sizing = size(inp, TWENTY)
    assert (lines(sizing), waiting(sizing)) == ([], [f"BUY H {flag.upper()}"])


def test_a_ranked_name_without_a_price_takes_no_seat() -> None:
    inp = book(cash="10000", ranks={"A": 1, "B": 2})
    del inp.prices_usd["A"]  # type: ignore[attr-defined]
    assert seats_of(inp, TWENTY) == ["B"]


@pytest.mark.parametrize(
    ("kind", "verified", "seats"),
    [
        ("live", ASOF - dt.timedelta(days=180), ["A"]),
        ("live", ASOF - dt.timedelta(days=181), []),
        ("live", None, []),
        ("paper", None, ["A"]),
        ("sim", None, ["A"]),
    ],
)
def test_a_new_name_must_be_verified_in_the_live_book(kind: str, verified: dt.date | None, seats: list[str]) -> None:
    inp = book(cash="10000", ranks={"A": 1}, rows={"A": {"verified_on": verified}}, book=kind)
    assert seats_of(inp) == seats


# 2. Targets


@pytest.mark.parametrize(
    ("numbers", "pounds"),
    [({"seats": 10}, "970"), ({"seats": 5}, "1000"), ({"seats": 10, "phase_share": "0.5"}, "485")],
    ids=["share of the seats", "at most the largest weight", "phase"],
)
def test_a_target_is_a_seats_share_of_equity(numbers: dict[str, object], pounds: str) -> None:
    sizing = size(book(cash="9000", units={"A": "10"}, ranks={"A": 1}), policy(**numbers))
    assert target(sizing, "A").target_gbp == Decimal(pounds)


def test_equity_is_cash_and_what_is_held() -> None:
    inp = book(cash="123.45", units={"A": "1.5", "B": "2", "GONE": "0"}, prices={"B": "250"})
    del inp.prices_usd["GONE"]  # type: ignore[attr-defined]
    assert equity(inp) == Decimal("673.45")


def test_a_book_that_owes_more_than_it_holds_sells_and_buys_nothing() -> None:
    sizing = size(book(cash="-600", units={"H": "5"}, ranks={"H": 1, "A": 2}), TWENTY)
    assert lines(sizing) == ["SELL H 5"]


# 3. Orders


def test_a_name_without_a_seat_is_sold_whatever_its_size() -> None:
    sizing = size(book(cash="9999.99", units={"H": "0.0001"}), TWENTY)
    assert lines(sizing) == ["SELL H 0.0001"]


@pytest.mark.parametrize(("units", "expected"), [("5.5774", []), ("5.5775", ["SELL H 0.7275"])])
def test_a_trim_must_reach_the_band(units: str, expected: list[str]) -> None:
    cash = Decimal(10000) - Decimal(units) * 100
    assert lines(size(book(cash=cash, units={"H": units}, ranks={"H": 1}), TWENTY)) == expected


@pytest.mark.parametrize(("units", "expected"), [("4.12", ["BUY H 73"]), ("4.1226", []), ("4.13", [])])
def test_a_purchase_must_reach_the_band(units: str, expected: list[str]) -> None:
    cash = Decimal(10000) - Decimal(units) * 100
    assert lines(size(book(cash=cash, units={"H": units}, ranks={"H": 1}), TWENTY)) == expected


@pytest.mark.parametrize(("missing", "expected"), [("24.99", []), ("25", ["BUY H 25"])])
def test_a_difference_must_reach_the_smallest_order(missing: str, expected: list[str]) -> None:
    # 20 seats of £2,000: target £97, band £14.55, so £25 decides.
    units = (Decimal(97) - Decimal(missing)) / 100
    assert lines(size(book(cash=2000 - units * 100, units={"H": units}, ranks={"H": 1}), TWENTY)) == expected


def test_a_name_over_the_largest_weight_is_sold_down_however_little_it_is() -> None:
    sizing = size(book(cash="8999", units={"H": "10.01"}, ranks={"H": 1}), policy(seats=9))
    assert [(o.symbol, o.group, o.exit, o.units) for o in sizing.orders] == [("H", "must_sell", False, Decimal("0.01"))]


def test_a_name_at_the_largest_weight_exactly_is_not_over_it() -> None:
    sizing = size(book(cash="9000", units={"H": "10"}, ranks={"H": 1}), TWENTY)
    assert [(o.symbol, o.group) for o in sizing.orders] == [("H", "trim")]


def test_a_name_over_the_largest_weight_without_a_seat_leaves_wholly_and_is_never_cut() -> None:
    sizing = size(book(cash="4000", units={"H": "60"}, ranks={"H": 99}), policy(seats=1, max_weight="0.1"))
    assert seats_of(book(cash="4000", units={"H": "60"}, ranks={"H": 99}), policy(seats=1)) == ["H"]
    assert [(o.group, o.exit) for o in sizing.orders] == [("must_sell", False)]
    unranked = size(book(cash="4000", units={"H": "60"}), TWENTY)
    assert [(o.group, o.exit, o.units) for o in unranked.orders] == [("must_sell", True, Decimal(60))]


def test_a_pending_split_leaves_the_name_without_a_line_and_its_pounds_to_others() -> None:
    inp = book(cash="7000", units={"S": "30"}, ranks={"A": 1}, split_pending=frozenset({"S", "A"}))
    sizing = size(inp, TWENTY)
    assert (lines(sizing), waiting(sizing)) == ([], ["SELL S SPLIT_PENDING", "BUY A SPLIT_PENDING"])


def test_a_pending_split_takes_nothing_from_the_turnover_cap() -> None:
    inp = book(cash="4000", units={"S": "9", "T": "9", "U": "9", "V": "9", "W": "24"}, split_pending=frozenset("W"))
    sizing = size(inp, TWENTY)
    assert lines(sizing) == ["SELL S 9", "SELL T 9", "SELL U 9", "SELL V 3"]
    assert waiting(sizing) == ["SELL W SPLIT_PENDING"]


def test_a_pending_split_without_a_difference_is_not_listed() -> None:
    inp = book(cash="9515", units={"S": "4.85"}, ranks={"S": 1}, split_pending=frozenset("S"))
    assert waiting(size(inp, TWENTY)) == []


# 4. Rounding


def test_a_purchase_is_whole_pounds_rounded_down_with_its_expected_units() -> None:
    sizing = size(book(cash="20000", ranks={"A": 1}, prices={"A": "233.52"}, usd_per_gbp=Decimal("1.4139")))
    (order,) = sizing.orders
    assert order.amount_gbp == 1293  # 0.97 / 15 x 20,000 = 1,293.33
    assert order.units == Decimal("7.828763")  # 1,293 x 1.4139 / 233.52 = 7.8287628...


def test_a_purchase_that_rounding_takes_below_its_band_is_dropped_and_not_deferred() -> None:
    # difference £72.75 reaches the band of £72.75, £72 does not
    sizing = size(book(cash="9587.75", units={"H": "4.1225"}, ranks={"H": 1}), TWENTY)
    assert (lines(sizing), waiting(sizing)) == ([], [])


def test_a_trim_is_rounded_down_to_six_decimals_and_an_exit_is_not() -> None:
    # £240 a unit; H is worth £720 with a target of £485: £235 are 0.97916666... units
    inp = book(cash="9256", units={"H": "3", "X": "0.1"}, ranks={"H": 1}, prices={"H": "300", "X": "300"})
    sizing = size(inp, TWENTY)
    assert lines(sizing) == ["SELL X 0.1", "SELL H 0.979166"]
    assert sizing.orders[1].amount_gbp == Decimal("234.99984")


# 5. Line order


def test_lines_come_in_groups_unranked_first_then_worst_rank_then_buys_best_first() -> None:
    inp = book(
        cash="10000",
        units={"OFF": "1", "BIG": "30", "GONE": "1", "OLD": "1", "BAD": "1", "FAT": "8", "ROUND": "7"},
        ranks={"OFF": 1, "BIG": 2, "NEW": 3, "NEXT": 4, "FAT": 5, "ROUND": 6, "OLD": 26, "BAD": 30},
        rows={"OFF": {"enabled": False}},
    )
    sizing = size(inp, policy(seats=5, buffer="0.9", turnover_cap="1"))
    assert [(o.group, o.symbol) for o in sizing.orders] == [
        ("must_sell", "BIG"),
        ("must_sell", "OFF"),
        ("exit", "GONE"),
        ("exit", "BAD"),
        ("exit", "OLD"),
        ("trim", "ROUND"),
        ("trim", "FAT"),
        ("buy", "NEW"),
        ("buy", "NEXT"),
    ]
    assert [o.line for o in sizing.orders] == list(range(1, len(sizing.orders) + 1))


# 6. Turnover: £10,000, so £3,000


def test_a_sell_that_does_not_fit_is_cut_and_everything_after_it_waits() -> None:
    inp = book(
        cash="5450",
        units={"OFF": "20", "B": "9", "C": "9", "D": "0.5", "E": "7"},
        ranks={"B": 40, "C": 30, "D": 28, "E": 1, **{f"N{i:02}": i for i in range(2, 21)}},
        rows={"OFF": {"enabled": False}},
        reducing=True,
    )
    sizing = size(inp, TWENTY)
    assert lines(sizing) == ["SELL OFF 20", "SELL B 9", "SELL C 1"]
    assert waiting(sizing)[:2] == ["SELL D TURNOVER_CAP", "SELL E TURNOVER_CAP"]
    cut = sizing.orders[2]
    assert (cut.exit, cut.group, cut.lots[0].whole) == (False, "exit", False)
    assert "cut from £900.00 to £100.00" in target(sizing, "C").note


def test_group_a_is_never_cut_and_still_counts() -> None:
    inp = book(cash="5000", units={"OFF": "45", "B": "5"}, rows={"OFF": {"enabled": False}})
    sizing = size(inp, TWENTY)
    assert (lines(sizing), waiting(sizing)) == (["SELL OFF 45"], ["SELL B TURNOVER_CAP"])


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        ("29.75", ["SELL OFF 29.75", "SELL B 0.25"]),
        ("29.7501", ["SELL OFF 29.7501"]),
        ("20", ["SELL OFF 20", "SELL B 9"]),
    ],
    ids=["room of exactly the smallest order", "a penny less", "fits"],
)
def test_a_cut_sell_needs_room_for_the_smallest_order(first: str, expected: list[str]) -> None:
    cash = Decimal(9100) - Decimal(first) * 100
    inp = book(cash=cash, units={"OFF": first, "B": "9"}, rows={"OFF": {"enabled": False}})
    assert lines(size(inp, TWENTY)) == expected


def test_a_sell_that_fills_the_cap_exactly_is_kept_whole() -> None:
    inp = book(cash="6100", units={"OFF": "21", "B": "9", "C": "9"}, rows={"OFF": {"enabled": False}})
    sizing = size(inp, TWENTY)
    assert lines(sizing) == ["SELL OFF 21", "SELL B 9"]
    assert sizing.orders[1].exit


def test_a_cut_may_fall_below_the_smallest_order_by_its_rounding_only() -> None:
    # £3 a unit: the room of £25 is 8.333333 units, £24.999999
    inp = book(cash="6725", units={"OFF": "29.75", "B": "100"}, prices={"B": "3.75"}, rows={"OFF": {"enabled": False}})
    sizing = size(inp, TWENTY)
    assert lines(sizing) == ["SELL OFF 29.75", "SELL B 8.333333"]


# 7. Buys


def test_buys_stop_at_the_turnover_cap_and_the_last_one_is_cut() -> None:
    sizing = size(book(cash="10000", ranks={"A": 1, "B": 2, "C": 3, "D": 4, "E": 5}), policy(seats=10))
    assert lines(sizing) == ["BUY A 970", "BUY B 970", "BUY C 970"]  # £90 left, below D's band of £145.50
    assert waiting(sizing) == ["BUY D TURNOVER_CAP", "BUY E TURNOVER_CAP"]
    cut = size(book(cash="10000", ranks={"A": 1, "B": 2, "C": 3, "D": 4, "E": 5}), policy(seats=10, band="0.05"))
    assert lines(cut) == ["BUY A 970", "BUY B 970", "BUY C 970", "BUY D 90"]
    assert waiting(cut) == ["BUY E TURNOVER_CAP"]


@pytest.mark.parametrize(("cap", "expected"), [("0.0585", ["BUY A 485", "BUY B 100"]), ("0.0584", ["BUY A 485"])])
def test_a_cut_purchase_must_be_worth_an_order(cap: str, expected: list[str]) -> None:
    # a smallest order of £100 decides; the room left for B is £100, then £99
    numbers = policy(seats=20, turnover_cap=cap, minimum_order_gbp="100")
    assert lines(size(book(cash="10000", ranks={"A": 1, "B": 2}), numbers)) == expected


def test_buys_stop_at_the_cash_that_is_certain_above_the_floor() -> None:
    # cash 1,080 + 0.98 x 500 - 0.02 x 10,000 = 1,370
    held = {f"H{i}": "9.6" for i in range(8)} | {"P": "7.4", "X": "5"}
    ranks = {f"H{i}": 10 + i for i in range(8)} | {"P": 9, "A": 1, "B": 2}
    sizing = size(book(cash="1080", units=held, ranks=ranks), policy(seats=11, band="0.1"))
    # 11 seats: target £881.81; P is topped up last, being ranked behind A and B
    assert lines(sizing) == ["SELL X 5", "BUY A 881", "BUY B 489"]
    assert waiting(sizing) == ["BUY P CASH"]


def test_a_cut_purchase_is_whole_pounds_with_units_of_its_own() -> None:
    sizing = size(book(cash="1000.50", units={"H": "89.995"}, ranks={"A": 1}), policy(seats=10, turnover_cap="0.05"))
    buy = sizing.orders[-1]
    assert (buy.amount_gbp, buy.units) == (Decimal(500), Decimal(5))


def test_reducing_means_sells_only() -> None:
    sizing = size(book(cash="9500", units={"H": "5"}, ranks={"A": 1, "B": 2}, reducing=True), TWENTY)
    assert lines(sizing) == ["SELL H 5"]
    assert waiting(sizing) == ["BUY A KILL_SWITCH", "BUY B KILL_SWITCH"]


def test_room_below_zero_buys_nothing() -> None:
    sizing = size(book(cash="100", units={"H": "99"}, ranks={"A": 1}, split_pending=frozenset("H")), TWENTY)
    assert (lines(sizing), waiting(sizing)) == ([], ["SELL H SPLIT_PENDING", "BUY A CASH"])


# 8. Lots


def test_a_sale_closes_the_oldest_lots_first() -> None:
    lots = (lot("H", "2", 1, "p1"), lot("H", "3", 2), lot("H", "4", 3))
    assert close_lots("H", Decimal("2.5"), lots) == (
        LotClose("H-1", "H", dt.date(2018, 1, 2), Decimal(2), "p1", True),
        LotClose("H-2", "H", dt.date(2018, 1, 3), Decimal("0.5"), None, False),
    )


def test_a_sale_of_everything_closes_every_lot_wholly() -> None:
    lots = {"H": (lot("H", "2", 1), lot("H", "3", 2))}
    (order,) = size(book(cash="9500", units={"H": "5"}, lots=lots), TWENTY).orders
    assert [(c.lot_id, c.whole) for c in order.lots] == [("H-1", True), ("H-2", True)]


# Facts that do not allow sizing


def test_a_held_name_without_a_price_stops_sizing_by_name() -> None:
    inp = book(units={"H": "5"})
    del inp.prices_usd["H"]  # type: ignore[attr-defined]
    with pytest.raises(SizingError, match="H: no close of 2018-02-02"):
        size_targets(inp, TWENTY)


def test_lots_that_do_not_cover_a_sale_stop_sizing_by_name() -> None:
    with pytest.raises(SizingError, match="H: a sale of 5 units, but its open lots are 1 units short"):
        size(book(cash="9500", units={"H": "5"}, lots={"H": (lot("H", "4"),)}), TWENTY)


def test_units_below_zero_stop_sizing_by_name() -> None:
    with pytest.raises(SizingError, match="H: the ledger has -1 units"):
        size(book(cash="9500", units={"H": "-1"}), TWENTY)


@pytest.mark.parametrize("fixing", ["0", "-1", "NaN"])
def test_a_fixing_that_is_no_rate_stops_sizing(fixing: str) -> None:
    with pytest.raises(SizingError, match="GBPUSD"):
        size(book(units={"H": "1"}, usd_per_gbp=Decimal(fixing)), TWENTY)
