"""The ledger: fills, splits, lots, dividends, corporate events and what the book was worth."""

from dataclasses import replace
from decimal import Decimal
from time import process_time

import pytest

from trading_ops.domain import calendar
from trading_ops.domain.errors import LedgerError
from trading_ops.domain.ledger import (
    CorporateEvent,
    EquityPoint,
    Fill,
    LedgerFacts,
    complete_fill,
    equity_series,
    expected_dividends,
    implied_fx,
    ledger_at,
)
from trading_ops.domain.prices import Fixing
from trading_ops.domain.values import exact
from trading_ops_tests.unit.ledger_factory import at, buy, cash, day, facts, sell
from trading_ops_tests.unit.market_factory import dividend, make_bar, make_market, real_market, split

D = Decimal
FRIDAY, MONDAY, TUESDAY, WEDNESDAY = day("2018-02-02"), day("2018-02-05"), day("2018-02-06"), day("2018-02-07")
WITHHOLDING = D("0.15")


# Fills


def test_a_buy_costs_its_value_and_its_fee_and_opens_a_lot() -> None:
    state = ledger_at(
        facts(cash("deposit", FRIDAY, "1000"), buy("V", MONDAY, "5", "100", "360", fee_gbp=D("1.50"))), MONDAY
    )
    assert state.cash_gbp == D("638.50")
    assert state.units == {"V": D(5)}
    (lot,) = state.positions["V"].lots
    assert (lot.units, lot.cost_gbp, lot.price_usd, lot.opened_on) == (D(5), D("361.50"), D(100), MONDAY)


def test_a_sell_adds_its_value_less_its_fee_and_realises_pounds_of_both_days() -> None:
    bought = buy("V", MONDAY, "4", "100", "300")
    state = ledger_at(facts(bought, sell("V", TUESDAY, "1", "110", "80", fee_gbp=D(2))), TUESDAY)
    assert state.cash_gbp == D(-300) + D(78)
    (closed,) = state.realised
    assert (closed.lot_id, closed.units, closed.cost_gbp, closed.proceeds_gbp) == (bought.fill_id, D(1), D(75), D(78))
    assert closed.profit_gbp == D(3)
    assert state.positions["V"].cost_gbp == D(225)


def test_a_name_sold_out_is_not_held() -> None:
    state = ledger_at(facts(buy("V", MONDAY, "4", "100", "300"), sell("V", TUESDAY, "4", "99", "290")), TUESDAY)
    assert state.positions == {}
    assert state.realised[0].profit_gbp == D(-10)


def test_facts_after_the_session_do_not_count() -> None:
    state = ledger_at(facts(buy("V", MONDAY, "4", "100", "300"), sell("V", TUESDAY, "4", "99", "290")), MONDAY)
    assert state.units == {"V": D(4)}
    assert state.cash_gbp == D(-300)


def test_selling_more_than_held_names_the_fill() -> None:
    oversold = sell("V", TUESDAY, "4.000001", "99", "290")
    with pytest.raises(LedgerError, match=rf"{oversold.fill_id}.*sells 4\.000001 units of V.*only 4 are held"):
        ledger_at(facts(buy("V", MONDAY, "4", "100", "300"), oversold), TUESDAY)


def test_at_one_moment_a_sell_comes_before_a_buy() -> None:
    held = buy("V", MONDAY, "4", "100", "300")
    bought = buy("V", TUESDAY, "3", "99", "220", fill_id="A1")
    sold = sell("V", TUESDAY, "4.5", "99", "320", fill_id="Z2")
    with pytest.raises(LedgerError, match="only 4 are held"):
        ledger_at(facts(bought, sold, held), TUESDAY)
    earlier = replace(bought, filled_at=at(TUESDAY, 14, 59))
    assert ledger_at(facts(earlier, sold, held), TUESDAY).units == {"V": D("2.5")}


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        ({"units": D(0)}, "units 0"),
        ({"price_usd": D(-1)}, "price -1"),
        ({"value_gbp": D(-1)}, "value -1"),
        ({"fee_gbp": D("NaN")}, "fee NaN"),
        ({"side": "HOLD"}, "neither BUY nor SELL"),
        ({"filled_at": at(MONDAY).replace(tzinfo=None)}, "no time zone"),
    ],
)
def test_an_impossible_fill_is_refused(broken: dict[str, object], problem: str) -> None:
    with pytest.raises(LedgerError, match=problem):
        replace(buy("V", MONDAY, "1", "1", "1"), **broken)  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "amount"), [("deposit", "-5"), ("deposit", "0"), ("withdrawal", "5")])
def test_a_movement_with_the_wrong_sign_is_refused(kind: str, amount: str) -> None:
    with pytest.raises(LedgerError, match=f"a {kind} must be"):
        cash(kind, MONDAY, amount)


def test_a_fact_stored_twice_is_refused() -> None:
    fill = buy("V", MONDAY, "1", "1", "1", fill_id="F7")
    with pytest.raises(LedgerError, match="fill F7 is there twice"):
        facts(fill, fill)


# A fill's missing half


def test_missing_units_are_value_times_rate_over_price() -> None:
    assert complete_fill(None, D(100), D(300), D("1.4")) == (D("0.466667"), D(100), True)


def test_missing_value_is_units_times_price_over_rate_in_pence_half_even() -> None:
    assert complete_fill(D(1), None, D("0.125"), D(1)) == (D(1), D("0.12"), True)
    assert complete_fill(D(3), None, D(100), D("1.4")) == (D(3), D("214.29"), True)


def test_a_complete_fill_stays_as_it_was_typed() -> None:
    assert complete_fill(D("3.1234567"), D("1.005"), D(100), D("1.4")) == (D("3.1234567"), D("1.005"), False)


@pytest.mark.parametrize(("units", "price", "rate"), [(None, "1", "1"), ("1", "0", "1"), ("1", "1", "0")])
def test_a_fill_that_cannot_be_completed_is_refused(units: str | None, price: str, rate: str) -> None:
    with pytest.raises(LedgerError):
        complete_fill(None if units is None else D(units), None, D(price), D(rate))


def test_implied_fx_is_units_times_price_over_value() -> None:
    assert implied_fx(buy("V", MONDAY, "5", "100", "360")) == exact_ratio(500, 360)
    with pytest.raises(LedgerError, match="no value in pounds"):
        implied_fx(buy("V", MONDAY, "5", "100", "0"))


def exact_ratio(numerator: int, denominator: int) -> Decimal:
    with exact():
        return D(numerator) / D(denominator)


# Lots

THREE_LOTS = (
    buy("V", FRIDAY, "2", "10", "20", fill_id="A", position_id="P1"),
    buy("V", MONDAY, "3", "11", "33", fill_id="B", position_id="P2"),
    buy("V", TUESDAY, "5", "12", "60", fill_id="C", position_id="P3"),
)


def closed_by(fill: Fill) -> list[tuple[str, Decimal]]:
    state = ledger_at(facts(*THREE_LOTS, fill), WEDNESDAY)
    left = {lot.lot_id: lot.units for lot in state.positions["V"].lots}
    for lot in state.realised:
        assert left.get(lot.lot_id, D(0)) + lot.units == {"A": D(2), "B": D(3), "C": D(5)}[lot.lot_id]
    return [(lot.lot_id, lot.units) for lot in state.realised]


def test_lots_close_oldest_first() -> None:
    assert closed_by(sell("V", WEDNESDAY, "4", "12", "48")) == [("A", D(2)), ("B", D(2))]


def test_a_position_id_closes_that_position_first() -> None:
    assert closed_by(sell("V", WEDNESDAY, "3", "12", "36", position_id="P2")) == [("B", D(3))]


def test_named_lots_close_in_their_order_then_the_oldest() -> None:
    sold = sell("V", WEDNESDAY, "9", "12", "108", lot_ids=("C", "B"))
    assert closed_by(sold) == [("C", D(5)), ("B", D(3)), ("A", D(1))]


def test_an_unknown_position_id_falls_back_to_named_lots() -> None:
    assert closed_by(sell("V", WEDNESDAY, "1", "12", "12", position_id="P9", lot_ids=("B",))) == [("B", D(1))]


def test_proceeds_are_shared_by_units_and_nothing_is_lost() -> None:
    state = ledger_at(facts(*THREE_LOTS, sell("V", WEDNESDAY, "3", "12", "100")), WEDNESDAY)
    shares = [lot.proceeds_gbp for lot in state.realised]
    with exact():
        assert sum(shares) == D(100)
        assert abs(shares[0] - D(200) / 3) < D("1e-40")


# Splits


def test_a_split_multiplies_units_and_divides_prices_before_that_days_fills() -> None:
    state = ledger_at(
        facts(
            buy("V", MONDAY, "1.5", "240", "260"),
            split("V", TUESDAY, "4"),
            buy("V", TUESDAY, "1", "60", "43", filled_at=at(TUESDAY, 0)),
        ),
        TUESDAY,
    )
    old, new = state.positions["V"].lots
    assert (old.units, old.price_usd, old.cost_gbp) == (D(6), D(60), D(260))
    assert (new.units, new.price_usd) == (D(1), D(60))


def test_the_evening_before_the_ex_date_has_old_units() -> None:
    given = facts(buy("V", MONDAY, "1.5", "240", "260"), split("V", TUESDAY, "4"))
    assert ledger_at(given, MONDAY).units == {"V": D("1.5")}
    assert ledger_at(given, TUESDAY).units == {"V": D(6)}


def test_the_fraction_lost_at_a_split_is_recorded_lot_by_lot() -> None:
    given = facts(
        buy("V", FRIDAY, "1", "30", "20", fill_id="A"),
        buy("V", MONDAY, "2", "30", "40", fill_id="B"),
        split("V", TUESDAY, "1.0000005"),
    )
    state = ledger_at(given, TUESDAY)
    assert [lot.units for lot in state.positions["V"].lots] == [D(1), D("2.000001")]
    (lost,) = state.lost_fractions  # half even: 1.0000005 goes down to 1, 2.000001 is exact
    assert (lost.lot_id, lost.units) == ("A", D("0.0000005"))


def test_one_split_from_two_sources_counts_once() -> None:
    once = split("V", TUESDAY, "4")
    given = facts(buy("V", MONDAY, "1", "240", "200"), once, replace(once, source="other"))
    assert ledger_at(given, TUESDAY).units == {"V": D(4)}


def test_two_ratios_for_one_day_are_refused() -> None:
    with pytest.raises(LedgerError, match="split of V on 2018-02-06: two ratios, 4 and 3"):
        facts(split("V", TUESDAY, "4"), split("V", TUESDAY, "3"))


def test_a_dividend_among_the_splits_is_refused() -> None:
    with pytest.raises(LedgerError, match="it is a dividend"):
        LedgerFacts(splits=(dividend("V", TUESDAY, "1"),))


def test_a_lot_that_a_reverse_split_rounds_away_realises_its_cost() -> None:
    state = ledger_at(facts(buy("V", MONDAY, "0.000001", "100", "0.01"), split("V", TUESDAY, "0.05")), TUESDAY)
    assert state.positions == {}
    assert state.realised[0].profit_gbp == D("-0.01")


# Corporate events

OWNED = (buy("OLD", FRIDAY, "2", "50", "100", fill_id="A"), buy("OLD", MONDAY, "1", "80", "80", fill_id="B"))


def test_a_spin_off_gives_new_units_and_a_share_of_cost() -> None:
    event = CorporateEvent("E1", "spin_off", "OLD", TUESDAY, "NEW", D(6), D("0.25"), D("0.30"))
    state = ledger_at(facts(*OWNED, event), TUESDAY)
    assert state.units == {"NEW": D(6), "OLD": D(3)}
    assert [(lot.units, lot.cost_gbp, lot.opened_on) for lot in state.positions["NEW"].lots] == [
        (D(4), D(25), FRIDAY),
        (D(2), D(20), MONDAY),
    ]
    assert state.positions["OLD"].cost_gbp == D(135)
    assert state.cash_gbp == D("-179.70")
    assert sum(lot.profit_gbp for lot in state.realised) == D("0.30")


def test_a_merger_for_cash_realises_everything() -> None:
    state = ledger_at(facts(*OWNED, CorporateEvent("E1", "merger", "OLD", TUESDAY, cash_gbp=D(240))), TUESDAY)
    assert state.positions == {}
    assert state.cash_gbp == D(60)
    assert [(lot.units, lot.profit_gbp) for lot in state.realised] == [(D(2), D(60)), (D(1), D(0))]


def test_a_merger_for_shares_carries_cost_and_day_of_purchase() -> None:
    state = ledger_at(facts(*OWNED, CorporateEvent("E1", "merger", "OLD", TUESDAY, "NEW", D(1), D(1))), TUESDAY)
    lots = state.positions["NEW"].lots
    assert [(lot.units, lot.cost_gbp, lot.opened_on) for lot in lots] == [
        (D("0.666667"), D(100), FRIDAY),
        (D("0.333333"), D(80), MONDAY),
    ]
    assert state.realised == ()


def test_a_delisting_ends_the_position_with_its_loss() -> None:
    state = ledger_at(facts(*OWNED, CorporateEvent("E1", "delisting", "OLD", TUESDAY)), TUESDAY)
    assert state.positions == {}
    assert [lot.profit_gbp for lot in state.realised] == [D(-100), D(-80)]


def test_a_name_change_moves_the_lots_as_they_are() -> None:
    before = ledger_at(facts(*OWNED), MONDAY).positions["OLD"].lots
    state = ledger_at(facts(*OWNED, CorporateEvent("E1", "name_change", "OLD", TUESDAY, "NEW")), TUESDAY)
    assert state.positions["NEW"].lots == tuple(replace(lot, symbol="NEW") for lot in before)
    assert list(state.positions) == ["NEW"]


def test_lots_that_join_another_name_take_their_place_by_day_of_purchase() -> None:
    there = buy("NEW", FRIDAY, "1", "10", "10", fill_id="C")
    later = buy("NEW", TUESDAY, "1", "10", "10", fill_id="A0")
    event = CorporateEvent("E1", "name_change", "OLD", WEDNESDAY, "NEW")
    state = ledger_at(facts(*OWNED, there, later, event), WEDNESDAY)
    assert [lot.lot_id for lot in state.positions["NEW"].lots] == ["C", "A", "B", "A0"]


def test_an_event_of_a_name_not_held_is_refused() -> None:
    with pytest.raises(LedgerError, match=r"corporate event E1.*the name is not held then"):
        ledger_at(facts(CorporateEvent("E1", "delisting", "OLD", TUESDAY)), TUESDAY)


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "spin_off"},
        {"kind": "delisting", "new_symbol": "NEW", "new_units": D(1)},
        {"kind": "name_change", "new_symbol": "OLD"},
        {"kind": "merger", "new_symbol": "NEW"},
        {"kind": "merger", "cost_share": D("0.5")},
        {"kind": "merger", "cash_gbp": D(-1)},
    ],
)
def test_a_contradictory_event_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(LedgerError, match="corporate event E1"):
        CorporateEvent("E1", symbol="OLD", day=TUESDAY, **fields)  # type: ignore[arg-type]


# Dividends


def flat_rate(usd_per_gbp: str) -> Fixing:
    return Fixing(day("2018-01-02"), D(usd_per_gbp), "test")


def test_a_dividend_is_expected_on_the_units_of_the_evening_before() -> None:
    given = facts(
        buy("V", MONDAY, "10", "100", "700"),
        split("V", TUESDAY, "2"),
        buy("V", TUESDAY, "5", "50", "170"),
    )
    actions = {"V": (split("V", TUESDAY, "2"), dividend("V", TUESDAY, "0.50"), dividend("V", WEDNESDAY, "1"))}
    first, second = expected_dividends(given, actions, WEDNESDAY, WITHHOLDING, lambda _: flat_rate("1.4"))
    assert (first.units, first.net_gbp, first.booked) == (D(10), D("3.04"), False)  # 10 x 0.50 x 0.85 / 1.4
    assert (second.units, second.net_gbp) == (D(25), D("15.18"))


def test_a_dividend_uses_the_fixing_of_its_ex_date() -> None:
    rates = {TUESDAY: flat_rate("2"), WEDNESDAY: flat_rate("1")}
    (only,) = expected_dividends(
        facts(buy("V", MONDAY, "10", "100", "700")),
        {"V": (dividend("V", TUESDAY, "1"),)},
        WEDNESDAY,
        WITHHOLDING,
        rates.get,
    )
    assert only.net_gbp == D("4.25")


@pytest.mark.parametrize("amount", ["8.11", "0"])
def test_a_dividend_is_booked_by_a_movement_that_names_it_or_refuses_it(amount: str) -> None:
    paid = cash("dividend", WEDNESDAY, amount, symbol="V", ex_date=TUESDAY)
    given = facts(buy("V", MONDAY, "10", "100", "700"), paid)
    (only,) = expected_dividends(
        given, {"V": (dividend("V", TUESDAY, "1"),)}, WEDNESDAY, WITHHOLDING, lambda _: flat_rate("1")
    )
    assert only.booked
    assert ledger_at(given, WEDNESDAY).cash_gbp == D(-700) + D(amount)


def test_a_spin_off_recorded_for_the_day_replaces_its_dividend() -> None:
    event = CorporateEvent("E1", "spin_off", "V", TUESDAY, "NEW", D(5), D("0.4"))
    (only,) = expected_dividends(
        facts(buy("V", MONDAY, "10", "100", "700"), event),
        {"V": (dividend("V", TUESDAY, "34.65"),)},
        WEDNESDAY,
        WITHHOLDING,
        lambda _: flat_rate("1"),
    )
    assert only.booked


def test_no_dividend_is_expected_for_a_name_bought_on_the_ex_date_or_after_the_last_day_asked_for() -> None:
    given = facts(buy("V", TUESDAY, "10", "100", "700"))
    actions = {"V": (dividend("V", TUESDAY, "1"), dividend("V", WEDNESDAY, "1"))}
    assert expected_dividends(given, actions, TUESDAY, WITHHOLDING, lambda _: flat_rate("1")) == ()


def test_a_dividend_without_fixing_is_an_error() -> None:
    with pytest.raises(LedgerError, match="no GBPUSD fixing on or before 2018-02-06"):
        expected_dividends(
            facts(buy("V", MONDAY, "10", "100", "700")),
            {"V": (dividend("V", TUESDAY, "1"),)},
            WEDNESDAY,
            WITHHOLDING,
            lambda _: None,
        )


# Equity


def closes(symbol: str, *prices: str) -> dict[str, dict[object, object]]:
    sessions = calendar.sessions(FRIDAY, day("2018-03-02"))
    return {symbol: {s: make_bar(symbol, s, p) for s, p in zip(sessions, prices, strict=False) if p}}


def series(given: LedgerFacts, bars: object, *sessions: object, rate: str = "1.25") -> tuple[EquityPoint, ...]:
    market = make_market(WEDNESDAY, bars, fixings=[Fixing(FRIDAY, D(rate), "test")])  # type: ignore[arg-type]
    return equity_series(given, market, sessions)  # type: ignore[arg-type]


def test_equity_is_cash_and_that_sessions_units_at_raw_closes() -> None:
    given = facts(cash("deposit", FRIDAY, "1000"), buy("V", MONDAY, "5", "100", "400"))
    first, second, third = series(given, closes("V", "99", "100", "110"), FRIDAY, MONDAY, TUESDAY)
    assert (first.equity_gbp, first.flow_gbp, first.holdings_gbp) == (D(1000), D(1000), D(0))
    assert (second.equity_gbp, second.flow_gbp) == (D(1000), D(0))
    assert (third.equity_gbp, third.cash_gbp, third.holdings_gbp) == (D(1040), D(600), D(440))
    assert first.complete
    assert third.complete


def test_equity_does_not_move_by_a_split() -> None:
    given = facts(buy("V", FRIDAY, "5", "100", "400"), split("V", TUESDAY, "4"))
    points = series(given, closes("V", "100", "100", "25", "25"), MONDAY, TUESDAY, WEDNESDAY)
    assert [p.equity_gbp for p in points] == [D(0), D(0), D(0)]


def test_a_missing_close_is_the_last_one_with_splits_since_and_not_complete() -> None:
    given = facts(buy("V", FRIDAY, "5", "100", "400"), split("V", TUESDAY, "4"))
    points = series(given, closes("V", "100", "100", "", "30"), MONDAY, TUESDAY, WEDNESDAY)
    assert [(p.holdings_gbp, p.complete) for p in points] == [(D(400), True), (D(400), False), (D(480), True)]


def test_a_close_of_the_ex_date_is_already_after_its_split() -> None:
    given = facts(buy("V", FRIDAY, "5", "100", "400"), split("V", TUESDAY, "4"))
    points = series(given, closes("V", "100", "100", "26", ""), TUESDAY, WEDNESDAY)
    assert [(p.holdings_gbp, p.complete) for p in points] == [(D(416), True), (D(416), False)]


def test_a_name_without_any_close_is_worth_what_was_paid_and_not_complete() -> None:
    (point,) = series(facts(buy("V", FRIDAY, "5", "100", "401")), {}, MONDAY)
    assert (point.holdings_gbp, point.complete) == (D(400), False)


def test_a_weekend_deposit_is_a_flow_of_the_next_session() -> None:
    given = facts(cash("deposit", FRIDAY, "10"), cash("deposit", day("2018-02-04"), "5"), cash("fee", MONDAY, "-1"))
    assert [(p.flow_gbp, p.cash_gbp) for p in series(given, {}, FRIDAY, MONDAY)] == [(D(10), D(10)), (D(5), D(14))]


def test_a_later_start_gives_the_same_points_and_opens_with_the_evening_before() -> None:
    given = facts(cash("deposit", FRIDAY, "1000"), buy("V", MONDAY, "5", "100", "400"), cash("deposit", TUESDAY, "7"))
    bars = closes("V", "99", "104", "110", "112")
    whole = series(given, bars, FRIDAY, MONDAY, TUESDAY, WEDNESDAY)
    tail = series(given, bars, TUESDAY, WEDNESDAY)
    assert whole[0].opening_gbp == D(0)
    assert tail[0] == replace(whole[2], opening_gbp=whole[1].equity_gbp)
    assert tail[1] == whole[3]


def test_holdings_without_a_fixing_have_no_pounds() -> None:
    market = make_market(WEDNESDAY, {}, fixings=[])
    with pytest.raises(LedgerError, match="no GBPUSD fixing on or before 2018-02-04"):
        equity_series(facts(buy("V", FRIDAY, "5", "100", "400")), market, [MONDAY])


def test_sessions_must_ascend() -> None:
    with pytest.raises(ValueError, match="must ascend"):
        series(facts(), {}, MONDAY, FRIDAY)


# Real data


@pytest.mark.parametrize(
    ("symbol", "ex_date", "ratio", "last_close"),
    [("V", "2015-03-19", 4, "267.67"), ("NFLX", "2015-07-15", 7, "702.6"), ("MA", "2014-01-22", 10, "818.48")],
)
def test_holding_through_a_real_split(symbol: str, ex_date: str, ratio: int, last_close: str) -> None:
    asof = calendar.window_of_sessions(day(ex_date), 1)[0]
    market = real_market(calendar.next_session(asof), [symbol], count=12)
    sessions = calendar.window_of_sessions(calendar.next_session(asof), 10)
    before = calendar.previous_session(asof)
    fixing = market.fixing(sessions[0])
    assert fixing is not None
    opening = market.bars[symbol][sessions[0]].close
    units, value, _ = complete_fill(D("3.217654"), None, opening, fixing.usd_per_gbp)
    bought = buy(symbol, sessions[0], str(units), str(opening), str(value))
    given = facts(bought, *market.splits(symbol, sessions[0], sessions[-1]))

    assert ledger_at(given, before).units == {symbol: units}
    assert ledger_at(given, asof).units == {symbol: units * ratio}

    points = {p.session: p for p in equity_series(given, market, sessions)}
    rate = market.fixing(before)
    assert rate is not None
    with exact():
        assert points[before].holdings_gbp == units * D(last_close) / rate.usd_per_gbp
        moves = [
            abs(later.holdings_gbp / earlier.holdings_gbp - 1)
            for earlier, later in zip(list(points.values()), list(points.values())[1:], strict=False)
        ]
    assert all(p.complete for p in points.values())
    assert max(moves) < D("0.2")  # NFLX rose 18 % on results the day after its split; a lost split would cost 75 %
    assert moves[list(points).index(asof) - 1] < D("0.03")


# Speed


@pytest.mark.bench
def test_ten_years_of_fifteen_names_are_valued_in_two_seconds() -> None:
    sessions = calendar.sessions(day("2008-01-02"), day("2017-12-29"))
    names = [f"N{i:02}" for i in range(15)]
    bars = {name: {s: make_bar(name, s, "101.37") for s in sessions} for name in names}
    fixings = [Fixing(s, D("1.3371"), "test") for s in sessions]
    market = make_market(sessions[-1], bars, fixings=fixings)
    bought = [buy(names[i % 15], s, "3.123456", "101.37", "236.80") for i, s in enumerate(sessions[::5])]
    sold = [sell(f.symbol, f.session, "1.000001", "101", "75.54", filled_at=at(f.session, 18)) for f in bought]
    given = facts(cash("deposit", sessions[0], "200000"), *bought, *sold)
    started = process_time()
    points = equity_series(given, market, sessions)
    for_the_series = process_time() - started
    started = process_time()
    ledger_at(given, sessions[-1])
    for_one_ledger = process_time() - started
    assert len(points) == len(sessions)
    assert for_the_series < 2
    assert for_one_ledger < 0.3
