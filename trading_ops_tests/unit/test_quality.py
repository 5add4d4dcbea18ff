"""The data gate: every rule from both sides, what freezes a name, and what the real data hides."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_ops.domain import calendar
from trading_ops.domain.errors import BadInput
from trading_ops.domain.policy import Policy
from trading_ops.domain.prices import Fixing, MarketView
from trading_ops.domain.quality import DataQuality, evaluate_data_quality
from trading_ops.domain.reasons import FREEZE_CODES, rules_of
from trading_ops.domain.results import CheckResult, Outcome
from trading_ops.domain.suspects import Suspect, bar_fault
from trading_ops.domain.universe import Universe
from trading_ops.domain.values import Session, Symbol
from trading_ops_tests.unit.market_factory import (
    Bars,
    dividend,
    flat_bars,
    make_bar,
    make_instrument,
    make_market,
    make_policy,
    make_universe,
    real_market,
    real_universe,
    split,
)

D = dt.date(2018, 2, 2)
WEDNESDAY = dt.date(2018, 1, 31)
THURSDAY = dt.date(2018, 2, 1)
PREVIOUS = dt.date(2018, 1, 26)
FRIDAY_BEFORE_LAST = dt.date(2018, 1, 19)
UNIVERSE = make_universe("AAA", "BBB")
POLICY = make_policy(data={"frozen_max": Decimal("0.5")})


def judge(
    market: MarketView,
    *,
    universe: Universe = UNIVERSE,
    held: Iterable[Symbol] = (),
    previous: Session | None = PREVIOUS,
    accepted: Iterable[tuple[Symbol, Session]] = (),
    resolved: Iterable[Symbol] = (),
    carried: tuple[Suspect, ...] = (),
    policy: Policy = POLICY,
) -> DataQuality:
    units = {symbol: Decimal(1) for symbol in held}
    return evaluate_data_quality(
        market, universe, units, previous, frozenset(accepted), frozenset(resolved), policy, carried
    )


def result(quality: DataQuality, code: str) -> CheckResult:
    return next(r for r in quality.results if r.code == code)


def failed(quality: DataQuality) -> list[str]:
    return [r.code for r in quality.results if not r.passed]


def week(asof: Session = D) -> Bars:
    return flat_bars(("AAA", "BBB", "SPY"), asof)


def with_closes(**closes: str) -> Bars:
    """The flat week with AAA at another price from a weekday on: `with_closes(AAA="50")` moves it at D."""
    bars = week()
    for symbol, close in closes.items():
        bars[symbol][D] = make_bar(symbol, D, close)
    return bars


def test_a_sound_week_passes_every_rule_of_the_gate_with_its_numbers() -> None:
    quality = judge(make_market(D, week()), held=["AAA"])
    assert [r.code for r in quality.results] == [rule.code for rule in rules_of("data")]
    assert {r.outcome for r in quality.results} == {Outcome.PASS}
    assert all(r.seen and r.allowed and r.sentence and not r.remedy for r in quality.results)
    assert (quality.frozen, quality.unbuyable, quality.missing, quality.stale) == ({}, frozenset(), (), {})
    assert (quality.warnings, quality.suspects) == ((), ())


# Valid bars


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({}, ""),
        ({"volume": Decimal(0)}, ""),
        ({"low": Decimal(99), "high": Decimal(101)}, ""),
        ({"open": Decimal(0)}, "open 0 is not a price above 0"),
        ({"low": Decimal("-1")}, "low -1 is not a price above 0"),
        ({"high": Decimal("NaN")}, "high NaN is not a price above 0"),
        ({"low": Decimal("Infinity")}, "low Infinity is not a price above 0"),
        ({"adj_close": Decimal(0)}, "adjusted close 0 is not a price above 0"),
        ({"low": Decimal("100.01")}, "low 100.01 is above open or close"),
        ({"high": Decimal("99.99")}, "high 99.99 is below open or close"),
        ({"volume": Decimal(-1)}, "volume -1 is not a number from 0 up"),
        ({"volume": Decimal("NaN")}, "volume NaN is not a number from 0 up"),
    ],
)
def test_valid_bar(changes: dict[str, Decimal], fault: str) -> None:
    assert bar_fault(make_bar("AAA", D, **changes)) == fault


def test_an_invalid_bar_counts_as_missing_and_is_explained() -> None:
    bars = week()
    bars["AAA"][D] = make_bar("AAA", D, high=Decimal(99))
    quality = judge(make_market(D, bars), held=["AAA"])
    assert quality.missing == ("AAA",)
    assert quality.stale == {"AAA": THURSDAY}
    assert failed(quality) == ["DATA_COVERAGE", "VALUATION_INCOMPLETE"]
    assert quality.warnings == ("AAA 2018-02-02: high 99 is below open or close.",)


def test_no_volume_is_a_warning_and_makes_a_name_unbuyable_but_not_missing() -> None:
    bars = week()
    bars["AAA"][D] = make_bar("AAA", D, volume=Decimal(0))
    bars["BBB"][THURSDAY] = make_bar("BBB", THURSDAY, volume=Decimal(0))
    quality = judge(make_market(D, bars), held=["AAA"])
    assert failed(quality) == []
    assert quality.unbuyable == {"AAA"}
    assert quality.warnings == ("AAA 2018-02-02: no shares were traded; the name cannot be bought this week.",)


# DATA_COVERAGE, BENCHMARK_MISSING


@pytest.mark.parametrize(("missing", "passes", "seen"), [(1, True, "0.9800 (49 of 50"), (2, False, "0.9600 (48 of 50")])
def test_data_coverage_at_its_threshold(missing: int, passes: bool, seen: str) -> None:
    names = [f"N{n:02d}" for n in range(50)]
    bars = flat_bars([*names, "SPY"], D)
    for symbol in names[:missing]:
        del bars[symbol][D]
    quality = judge(make_market(D, bars), universe=make_universe(*names))
    coverage = result(quality, "DATA_COVERAGE")
    assert coverage.passed is passes
    assert coverage.seen.startswith(seen)
    assert coverage.subjects == tuple(names[:missing])
    assert quality.unbuyable == set(names[:missing])


def test_data_coverage_counts_only_expected_names() -> None:
    others = [
        make_instrument("YOUNG", listed_from=dt.date(2018, 2, 3)),
        make_instrument("OFF", enabled=False),
        make_instrument("FUND", instrument_type="etf"),
        make_instrument("CFD", tradable_underlying=False),
    ]
    quality = judge(make_market(D, week()), universe=make_universe("AAA", "BBB", others=others))
    assert result(quality, "DATA_COVERAGE").seen == "1.0000 (2 of 2 names)"


def test_data_coverage_of_no_expected_name_fails() -> None:
    assert failed(judge(make_market(D, week()), universe=make_universe())) == ["DATA_COVERAGE"]


def test_benchmark_missing_fails_and_tells_its_newest_session() -> None:
    bars = week()
    del bars["SPY"][D]
    quality = judge(make_market(D, bars))
    assert failed(quality) == ["BENCHMARK_MISSING"]
    assert quality.stale == {"SPY": THURSDAY}
    assert result(quality, "BENCHMARK_MISSING").remedy


def test_a_name_that_never_had_a_bar_has_no_newest_session() -> None:
    bars = week()
    del bars["BBB"]
    assert judge(make_market(D, bars)).stale == {"BBB": None}


# OFF_CALENDAR_BAR, DUPLICATE_BAR


@pytest.mark.parametrize(
    ("off", "fails"),
    [
        (dt.date(2018, 1, 27), True),  # the Saturday after the previous plan
        (dt.date(2018, 1, 20), False),  # a Saturday the previous plan has answered for
    ],
)
def test_off_calendar_bar(off: dt.date, fails: bool) -> None:
    bars = week()
    bars["AAA"][off] = make_bar("AAA", off)
    quality = judge(make_market(D, bars))
    assert ("OFF_CALENDAR_BAR" in failed(quality)) is fails
    assert result(quality, "OFF_CALENDAR_BAR").subjects == ((f"AAA {off}",) if fails else ())


def test_off_calendar_bar_on_good_friday() -> None:
    asof, good_friday = dt.date(2018, 4, 6), dt.date(2018, 3, 30)
    bars = week(asof)
    bars["SPY"][good_friday] = make_bar("SPY", good_friday)
    quality = judge(make_market(asof, bars), previous=dt.date(2018, 3, 29))
    assert failed(quality) == ["OFF_CALENDAR_BAR"]


@pytest.mark.parametrize(("session", "fails"), [(THURSDAY, True), (PREVIOUS, False)])
def test_duplicate_bar(session: Session, fails: bool) -> None:
    quality = judge(make_market(D, week(), duplicates=(("AAA", session), ("AAA", session), ("NOT_OURS", D))))
    assert ("DUPLICATE_BAR" in failed(quality)) is fails
    assert result(quality, "DUPLICATE_BAR").subjects == (("AAA 2018-02-01",) if fails else ())


# FX_STALE


@pytest.mark.parametrize(("day", "passes"), [("2018-01-29", True), ("2018-01-28", False), ("2018-02-03", False)])
def test_fx_stale_counts_calendar_days_and_never_looks_ahead(day: str, passes: bool) -> None:
    fixings = [Fixing(dt.date.fromisoformat(day), Decimal("1.4"), "test")]
    assert (failed(judge(make_market(D, week(), fixings=fixings))) == []) is passes


@pytest.mark.parametrize("rate", ["0", "-1.4", "NaN"])
def test_fx_stale_refuses_what_is_no_rate(rate: str) -> None:
    quality = judge(make_market(D, week(), fixings=[Fixing(D, Decimal(rate), "test")]))
    assert failed(quality) == ["FX_STALE"]


def test_fx_stale_shows_rate_and_age() -> None:
    fixings = [Fixing(THURSDAY, Decimal("1.4231"), "test")]
    assert result(judge(make_market(D, week(), fixings=fixings)), "FX_STALE").seen == "1 day (1.4231 of 2018-02-01)"


# VALUATION_INCOMPLETE


def test_valuation_incomplete_for_a_held_name_of_any_kind_unless_an_event_explains_it() -> None:
    universe = make_universe("AAA", "BBB", others=[make_instrument("GONE", enabled=False)])
    market = make_market(D, week())
    quality = judge(market, universe=universe, held=["AAA", "GONE"])
    assert failed(quality) == ["VALUATION_INCOMPLETE"]
    assert result(quality, "VALUATION_INCOMPLETE").subjects == ("GONE",)
    assert quality.missing == ("GONE",)
    assert failed(judge(market, universe=universe, held=["AAA", "GONE"], resolved=["GONE"])) == []


def test_a_name_with_no_units_left_is_not_held() -> None:
    quality = evaluate_data_quality(
        make_market(D, week()), UNIVERSE, {"GONE": Decimal(0)}, PREVIOUS, frozenset(), frozenset(), POLICY
    )
    assert (failed(quality), quality.missing) == ([], ())


# Suspect jumps and splits


@pytest.mark.parametrize(
    ("close", "code"),
    [
        ("140", None),
        ("140.01", "SUSPECT_JUMP"),
        ("71.43", None),  # 100 / 1.4 = 71.428...
        ("71.42", "SUSPECT_JUMP"),
        ("50", "SUSPECT_SPLIT"),
        ("52.63", "SUSPECT_SPLIT"),  # 1.9 times, exactly 5 % from 2
        ("52.65", "SUSPECT_JUMP"),
        ("200", "SUSPECT_SPLIT"),  # a reverse split
        ("210.01", "SUSPECT_JUMP"),
        ("33.3", "SUSPECT_SPLIT"),
        ("5", "SUSPECT_SPLIT"),
    ],
)
def test_a_move_beyond_the_threshold_freezes(close: str, code: str | None) -> None:
    quality = judge(make_market(D, with_closes(AAA=close)))
    assert quality.frozen == ({} if code is None else {"AAA": code})
    assert {s.code for s in quality.suspects} <= FREEZE_CODES.keys()


def test_the_thresholds_are_exact_in_both_directions() -> None:
    bars = with_closes(AAA="100")
    for before, code in (("140", None), ("190", "SUSPECT_SPLIT"), ("210", "SUSPECT_SPLIT"), ("315", "SUSPECT_SPLIT")):
        for session in bars["AAA"]:
            if session < D:
                bars["AAA"][session] = make_bar("AAA", session, before)
        assert judge(make_market(D, bars)).frozen.get("AAA") == code  # 100 / 140 x 1.4 is not 1 in 50 digits


def test_a_recorded_split_explains_and_one_that_did_not_happen_is_suspect() -> None:
    halved = with_closes(AAA="50")
    assert judge(make_market(D, halved, split("AAA", D, "2"))).frozen == {}
    assert judge(make_market(D, week(), split("AAA", D, "2"))).frozen == {"AAA": "SUSPECT_SPLIT"}
    assert judge(make_market(D, halved, split("AAA", THURSDAY, "2"))).frozen == {"AAA": "SUSPECT_SPLIT"}


def test_a_dividend_explains_a_drop_but_a_large_one_freezes_by_itself() -> None:
    quality = judge(make_market(D, with_closes(AAA="50"), dividend("AAA", D, "49")))
    assert [(s.session, s.code) for s in quality.suspects] == [(D, "SPECIAL_DISTRIBUTION")]
    too_small = judge(make_market(D, with_closes(AAA="50"), dividend("AAA", D, "9")))
    assert too_small.frozen == {"AAA": "SUSPECT_SPLIT"}


@pytest.mark.parametrize(("usd", "freezes"), [("10", False), ("10.01", True)])
def test_a_special_distribution_is_above_a_tenth_of_the_previous_close(usd: str, freezes: bool) -> None:
    quality = judge(make_market(D, with_closes(AAA="90"), dividend("AAA", D, usd)))
    assert quality.frozen == ({"AAA": "SPECIAL_DISTRIBUTION"} if freezes else {})


def test_a_dividend_is_per_share_before_the_split_of_its_day() -> None:
    # 100 becomes 2 shares of 45 and 10 USD: the dividend is 10 % of the old share, not 20 %.
    market = make_market(D, with_closes(AAA="45"), split("AAA", D, "2"), dividend("AAA", D, "10"))
    assert judge(market).frozen == {}


def test_a_dividend_explains_a_drop_together_with_the_split_of_its_day() -> None:
    # 100 becomes 60 USD and 2 shares of 20: all there. With 60 USD on each new share it would be too much.
    market = make_market(D, with_closes(AAA="20"), split("AAA", D, "2"), dividend("AAA", D, "60"))
    assert [s.code for s in judge(market).suspects] == ["SPECIAL_DISTRIBUTION"]


def test_an_unexplained_jump_is_named_before_a_distribution_of_the_same_day() -> None:
    market = make_market(D, with_closes(AAA="50"), dividend("AAA", D, "11"))
    assert [s.code for s in judge(market).suspects] == ["SUSPECT_SPLIT"]


def test_a_gap_is_bridged_from_the_last_valid_close_with_the_actions_of_the_gap() -> None:
    bars = with_closes(AAA="40")
    del bars["AAA"][THURSDAY]
    bars["AAA"][WEDNESDAY] = make_bar(
        "AAA", WEDNESDAY, close="100", high=Decimal(1)
    )  # invalid: not a close to judge by
    both = (split("AAA", WEDNESDAY, "2"), dividend("AAA", THURSDAY, "9"))
    quality = judge(make_market(D, bars, *both))
    assert quality.frozen == {"AAA": "SPECIAL_DISTRIBUTION"}  # 9 USD on each of 2 new shares is 18 % of 100
    assert judge(make_market(D, bars)).frozen == {"AAA": "SUSPECT_JUMP"}
    assert quality.warnings == (
        "AAA 2018-01-31: high 1 is below open or close.",
        "AAA 2018-02-01: no bar.",
    )


def test_sessions_before_a_name_was_listed_are_no_gap() -> None:
    bars = week()
    bars["AAA"] = {D: make_bar("AAA", D)}
    young = make_universe("BBB", others=[make_instrument("AAA", listed_from=D)])
    assert judge(make_market(D, bars), universe=young).warnings == ()
    assert len(judge(make_market(D, bars)).warnings) == 4


def test_only_sessions_since_the_previous_plan_are_looked_at() -> None:
    bars = week()
    for session in bars["AAA"]:
        if session <= PREVIOUS:
            bars["AAA"][session] = make_bar("AAA", session, "300")
    market = make_market(D, bars)
    assert [s.session for s in judge(market).suspects] == [dt.date(2018, 1, 29)]
    assert judge(market, previous=dt.date(2018, 1, 29)).suspects == ()


def test_a_first_plan_looks_at_five_sessions() -> None:
    for last_old, expected in ((PREVIOUS, 1), (dt.date(2018, 1, 25), 0)):
        bars = week()
        for session in bars["AAA"]:
            if session <= last_old:
                bars["AAA"][session] = make_bar("AAA", session, "300")
        assert len(judge(make_market(D, bars), previous=None).suspects) == expected


def test_the_previous_plan_must_lie_before_this_one() -> None:
    with pytest.raises(BadInput, match="2018-02-02, not before 2018-02-02"):
        judge(make_market(D, week()), previous=D)
    saturday = dt.date(2018, 2, 3)
    for previous in (None, D):
        with pytest.raises(calendar.CalendarError, match="2018-02-03"):
            judge(make_market(saturday, week()), previous=previous)


# Accepting, carrying, NAMES_FROZEN


def test_accepting_one_session_leaves_another_of_the_same_name_frozen() -> None:
    bars = week()
    for session, close in ((THURSDAY, "160"), (D, "80")):
        bars["AAA"][session] = make_bar("AAA", session, close)
    market = make_market(D, bars)
    assert judge(market).frozen == {"AAA": "SUSPECT_JUMP"}
    assert judge(market, accepted=[("AAA", THURSDAY)]).frozen == {"AAA": "SUSPECT_SPLIT"}
    assert judge(market, accepted=[("BBB", THURSDAY)]).frozen == {"AAA": "SUSPECT_JUMP"}
    assert judge(market, accepted=[("AAA", THURSDAY), ("AAA", D)]).frozen == {}


def test_a_name_stays_frozen_in_later_plans_until_accepted_or_corrected() -> None:
    bars = flat_bars(("AAA", "BBB", "SPY"), D, count=20)
    jumped = {s: make_bar("AAA", s, "50") if s > FRIDAY_BEFORE_LAST else b for s, b in bars["AAA"].items()}
    early = make_market(PREVIOUS, {**bars, "AAA": {s: b for s, b in jumped.items() if s <= PREVIOUS}})
    found = judge(early, previous=FRIDAY_BEFORE_LAST).suspects
    assert [s.session for s in found] == [dt.date(2018, 1, 22)]

    later = make_market(D, {**bars, "AAA": jumped})
    assert judge(later).frozen == {}  # by itself this week shows nothing
    assert judge(later, carried=found).suspects == found
    assert judge(later, carried=found, accepted=[("AAA", found[0].session)]).frozen == {}
    corrected = make_market(D, {**bars, "AAA": jumped}, split("AAA", found[0].session, "2"))
    assert judge(corrected, carried=found).frozen == {}
    without = {s: b for s, b in jumped.items() if s != found[0].session}
    assert judge(make_market(D, {**bars, "AAA": without}), carried=found).frozen == {"AAA": "SUSPECT_SPLIT"}
    short = {s: b for s, b in jumped.items() if s > PREVIOUS}
    assert judge(make_market(D, {**bars, "AAA": short}), carried=found).frozen == {"AAA": "SUSPECT_SPLIT"}


def test_a_carried_name_outside_the_expected_ones_stays_frozen_without_counting() -> None:
    old = Suspect("OFF", FRIDAY_BEFORE_LAST, "SUSPECT_JUMP", "OFF jumped.")
    quality = judge(make_market(D, week()), carried=(old,), policy=make_policy())
    assert (quality.frozen, failed(quality)) == ({"OFF": "SUSPECT_JUMP"}, [])
    assert result(quality, "NAMES_FROZEN").seen.startswith("0 of 2 expected names")


def test_names_frozen_fails_for_a_held_name_and_for_the_benchmark() -> None:
    assert failed(judge(make_market(D, with_closes(AAA="50")))) == []
    held = judge(make_market(D, with_closes(AAA="50")), held=["AAA"])
    assert failed(held) == ["NAMES_FROZEN"]
    assert result(held, "NAMES_FROZEN").subjects == ("AAA",)
    assert "close 100 to 50 USD" in result(held, "NAMES_FROZEN").sentence
    assert failed(judge(make_market(D, with_closes(SPY="50")))) == ["NAMES_FROZEN"]


def test_a_held_name_that_is_no_longer_expected_is_checked_for_jumps() -> None:
    universe = make_universe("AAA", "BBB", others=[make_instrument("OLD", enabled=False)])
    bars = {**week(), **flat_bars(["OLD"], D)}
    bars["OLD"][D] = make_bar("OLD", D, "20")
    market = make_market(D, bars)
    assert failed(judge(market, universe=universe)) == []
    assert failed(judge(market, universe=universe, held=["OLD"])) == ["NAMES_FROZEN"]


@pytest.mark.parametrize(("jumping", "passes"), [(1, True), (2, False)])
def test_names_frozen_counts_a_share_of_the_expected_names(jumping: int, passes: bool) -> None:
    names = [f"N{n:02d}" for n in range(50)]
    bars = flat_bars([*names, "SPY"], D)
    for symbol in names[:jumping]:
        bars[symbol][D] = make_bar(symbol, D, "50")
    quality = judge(make_market(D, bars), universe=make_universe(*names), policy=make_policy())
    assert result(quality, "NAMES_FROZEN").passed is passes
    assert list(quality.frozen) == names[:jumping]


@given(st.decimals("0.01", "10000", places=2), st.decimals("0.01", "10000", places=2))
def test_a_move_and_its_inverse_are_judged_alike(before: Decimal, after: Decimal) -> None:
    def code(first: Decimal, second: Decimal) -> str | None:
        bars = {s: {d: make_bar(s, d, first) for d in days} for s, days in week().items()}
        bars["AAA"][D] = make_bar("AAA", D, second)
        return judge(make_market(D, bars)).frozen.get("AAA")

    assert code(before, after) == code(after, before)


@given(st.decimals("1", "1000", places=2), st.sampled_from(["1.5", "2", "3", "7", "0.1", "1.487"]))
def test_a_split_that_the_price_follows_never_freezes(price: Decimal, ratio: str) -> None:
    bars = week()
    for session in bars["AAA"]:
        bars["AAA"][session] = make_bar("AAA", session, price)
    bars["AAA"][D] = make_bar("AAA", D, price / Decimal(ratio))
    assert judge(make_market(D, bars, split("AAA", D, ratio))).frozen == {}


def test_the_order_of_names_and_actions_changes_nothing() -> None:
    bars = with_closes(AAA="50", BBB="20")
    backwards = {symbol: bars[symbol] for symbol in reversed(bars)}
    assert judge(make_market(D, bars)) == judge(make_market(D, backwards))


# The real data


@pytest.mark.parametrize(
    ("symbol", "asof", "session", "code"),
    [
        ("ANTM", "2005-06-03", "2005-06-02", "SUSPECT_SPLIT"),  # 2:1 without a flag
        ("TRMB", "2007-03-02", "2007-02-26", "SUSPECT_SPLIT"),  # 2:1 without a flag, adjusted a day early
        ("GOOGL", "2014-04-04", "2014-04-03", "SPECIAL_DISTRIBUTION"),  # a split as a dividend of 567.97
        ("ABT", "2013-01-04", "2013-01-02", "SPECIAL_DISTRIBUTION"),  # spin-off
        ("EBAY", "2015-07-24", "2015-07-20", "SPECIAL_DISTRIBUTION"),  # spin-off
        ("MS", "2008-10-17", "2008-10-13", "SUSPECT_JUMP"),  # 87 % in a day, and true
        ("OXY", "2020-03-13", "2020-03-09", "SUSPECT_JUMP"),  # a crash on an ex-dividend day
    ],
)
def test_what_is_wrong_in_the_real_data_freezes(symbol: str, asof: str, session: str, code: str) -> None:
    market = real_market(dt.date.fromisoformat(asof), [symbol], count=10)
    quality = judge(market, universe=make_universe(symbol), previous=None, held=[symbol])
    assert [(s.symbol, str(s.session), s.code) for s in quality.suspects] == [(symbol, session, code)]
    assert failed(quality) == ["NAMES_FROZEN"]


@pytest.mark.parametrize(
    ("symbol", "asof"),
    [("UNP", "2014-06-13"), ("AAPL", "2014-06-13"), ("AAPL", "2020-09-04"), ("GOOGL", "2014-04-11")],
)
def test_true_splits_and_quiet_weeks_of_the_real_data_do_not_freeze(symbol: str, asof: str) -> None:
    market = real_market(dt.date.fromisoformat(asof), [symbol], count=10)
    assert any(s.value > 1 for s in market.splits(symbol, calendar.FIRST_DAY, market.asof)) is (symbol != "GOOGL")
    quality = judge(market, universe=make_universe(symbol), previous=None, held=[symbol])
    assert (quality.suspects, failed(quality)) == ((), [])


def test_a_whole_week_of_the_real_universe_passes() -> None:
    universe = real_universe()
    market = real_market(D, universe.expected(D), count=10)
    quality = judge(market, universe=universe, policy=make_policy(), held=["AAPL"])
    assert failed(quality) == []
    assert result(quality, "DATA_COVERAGE").seen == "1.0000 (99 of 99 names)"
    assert result(quality, "FX_STALE").seen.startswith("0 days (")


def test_the_real_universe_without_its_last_session_fails_for_what_is_missing() -> None:
    universe = real_universe()
    market = real_market(D, universe.expected(D), count=10)
    cut = {symbol: {s: b for s, b in bars.items() if s < D} for symbol, bars in market.bars.items()}
    quality = judge(replace(market, bars=cut), universe=universe, held=["AAPL"])
    assert failed(quality) == ["DATA_COVERAGE", "BENCHMARK_MISSING", "VALUATION_INCOMPLETE"]
    assert set(quality.stale.values()) == {THURSDAY}


@pytest.mark.parametrize("tells", [True, False])
def test_a_jump_of_the_look_back_is_looked_for_where_nobody_told_of_actions(tells: bool) -> None:
    days = calendar.window_of_sessions(D, 127)
    bars = {
        name: {
            day: make_bar(name, day, "370" if name == "AAA" and day >= days[60] else "100", tells_actions=tells)
            for day in days
        }
        for name in ("AAA", "BBB", "SPY")
    }
    quality = judge(make_market(D, bars), previous=PREVIOUS)
    assert dict(quality.frozen) == ({} if tells else {"AAA": "SUSPECT_JUMP"})
    assert [s.session for s in quality.suspects] == ([] if tells else [days[60]])
