"""What a large move was: invented moves of every kind, what they may not depend on, and how they are measured."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_ops.domain import calendar
from trading_ops.domain.move_classes import Classified, MoveClass
from trading_ops.domain.move_facts import Move
from trading_ops.domain.move_measure import measure
from trading_ops.domain.move_words import split_words
from trading_ops.domain.moves import classify
from trading_ops.domain.values import exact
from trading_ops_tests.unit.market_factory import (
    Bars,
    committed_policy,
    dividend,
    make_bar,
    make_market,
    split,
)

D = dt.date(2018, 1, 31)
BEFORE = dt.date(2018, 1, 30)
DATA = committed_policy().data


def make_move(prices: str = "50 51 49.5 50.2", **changes: Any) -> Move:
    """A name of 100 USD that halved overnight on a quiet day: open, high, low and close, and what a test needs."""
    o, h, lo, c = map(Decimal, prices.split())
    move = Move(
        symbol="AAA",
        session=D,
        previous_session=BEFORE,
        previous_close=Decimal(100),
        open=o,
        high=h,
        low=lo,
        close=c,
        volume=Decimal(2_000_000),
        benchmark="SPY",
        market=Decimal("1.001"),
        habit=20,
        usual_range=Decimal("1.02"),
        usual_volume=Decimal(1_000_000),
        usual_turnover=Decimal(100_000_000),
    )
    given_as = {name: Decimal(value) if isinstance(value, str) else value for name, value in changes.items()}
    return replace(move, **given_as)


def judged(move: Move) -> Classified:
    return classify(move, DATA)


def kind(prices: str = "50 51 49.5 50.2", **changes: Any) -> MoveClass:
    return judged(make_move(prices, **changes)).kind


CASES = {
    "2:1 not recorded": ({}, MoveClass.MISSING_SPLIT),
    "3:2 not recorded": ({"prices": "66.9 67.5 66.2 67", "volume": "1500000"}, MoveClass.MISSING_SPLIT),
    "reverse 1:10 not recorded": ({"prices": "1000 1010 990 995", "volume": "100000"}, MoveClass.MISSING_SPLIT),
    "2:1 with a source that restates volumes": ({"volume": "1000000"}, MoveClass.MISSING_SPLIT),
    "reverse 1:10 with restated volumes": (
        {"prices": "1000 1010 990 995", "volume": "1000000"},
        MoveClass.MISSING_SPLIT,
    ),
    "2:1 that only the source's adjusted close knows": (
        {"prices": "55 56 43 44", "volume": "9000000", "adjusted": "0.88"},
        MoveClass.MISSING_SPLIT,
    ),
    "halved on news": ({"volume": "20000000"}, MoveClass.GENUINE),
    "half at the open on a lively day": ({"volume": "5000000"}, MoveClass.UNCLEAR),
    "half at the open on a wide day": ({"prices": "50 54 47 50"}, MoveClass.UNCLEAR),
    "nothing known of volume": ({"usual_volume": None, "usual_turnover": None}, MoveClass.UNCLEAR),
    "no share traded": ({"volume": "0"}, MoveClass.UNCLEAR),
    "3:2 within what a wild name does": (
        {"prices": "66.9 67.5 66.2 67", "volume": "1500000", "usual_range": "1.15"},
        MoveClass.UNCLEAR,
    ),
    "biotech, good news": ({"prices": "152 165 150 160", "volume": "20000000"}, MoveClass.GENUINE),
    "crash, everything falls": (
        {"prices": "80 82 63 65", "volume": "1500000", "market": "0.88"},
        MoveClass.GENUINE,
    ),
    "3:2 on a day on which everything falls": (
        {"prices": "66.9 67.5 66.2 67", "volume": "1500000", "market": "0.9"},
        MoveClass.UNCLEAR,
    ),
    "crash, but the name rises on no volume": (
        {"prices": "140 145 139 144", "volume": "1000000", "market": "0.88"},
        MoveClass.UNCLEAR,
    ),
    "a wild name as usual": ({"prices": "98 99 60 65", "volume": "1000000", "usual_range": "1.12"}, MoveClass.GENUINE),
    "fell in the session on heavy volume": ({"prices": "99 100 60 65", "volume": "4000000"}, MoveClass.GENUINE),
    "fell in the session on nothing, a wrong number": (
        {"prices": "99 100 50 51", "volume": "900000"},
        MoveClass.UNCLEAR,
    ),
    "spin-off of 30 %, recorded": (
        {"prices": "70.5 71 69 70", "volume": "1800000", "distribution": "30"},
        MoveClass.SPECIAL_DISTRIBUTION,
    ),
    "spin-off of half, recorded": ({"distribution": "50"}, MoveClass.SPECIAL_DISTRIBUTION),
    "spin-off recorded, volume unknown": (
        {"prices": "70.5 71 69 70", "distribution": "30", "usual_volume": None, "usual_turnover": None},
        MoveClass.SPECIAL_DISTRIBUTION,
    ),
    "spin-off of 42 %, not recorded": (
        {"prices": "58 59 57 57.5", "volume": "1700000"},
        MoveClass.SPECIAL_DISTRIBUTION,
    ),
    "spin-off that only the adjusted close knows": (
        {"prices": "58 59 57 57.5", "volume": "9000000", "adjusted": "0.99"},
        MoveClass.SPECIAL_DISTRIBUTION,
    ),
    "a price that lost nine tenths is no spin-off": ({"prices": "7.8 7.9 7.7 7.8"}, MoveClass.UNCLEAR),
    "an ordinary dividend explains nothing": ({"distribution": "1", "volume": "20000000"}, MoveClass.GENUINE),
    "a special dividend that is a small part of a crash": (
        {"prices": "61 63 60 62", "distribution": "12", "volume": "9000000"},
        MoveClass.GENUINE,
    ),
    "a distribution that leaves more than any session needs no reason for": (
        {"prices": "20 20.4 19.8 20", "distribution": "40", "volume": "30000000"},
        MoveClass.GENUINE,
    ),
    "value gone overnight while the whole market moves": (
        {"prices": "58 59 57 57.5", "volume": "1700000", "market": "0.95"},
        MoveClass.UNCLEAR,
    ),
    "1:4 and spin-off, per share after the split": (
        {"prices": "240 242 238 240", "volume": "300000", "split": "0.25", "distribution": "160"},
        MoveClass.SPLIT_AND_DISTRIBUTION,
    ),
    "1:4 and spin-off, per share before the split": (
        {"prices": "240 242 238 240", "volume": "300000", "split": "0.25", "distribution": "40"},
        MoveClass.SPLIT_AND_DISTRIBUTION,
    ),
    "1:4 recorded and a spin-off that is not": (
        {"prices": "240 242 238 240", "volume": "300000", "split": "0.25"},
        MoveClass.SPLIT_AND_DISTRIBUTION,
    ),
    "distribution recorded, split only in the adjusted close": (
        {"prices": "139 141 138 140", "distribution": "68", "adjusted": "1.04"},
        MoveClass.SPLIT_AND_DISTRIBUTION,
    ),
    "2:1 recorded, the price unmoved": ({"prices": "100 101 99 101", "split": "2"}, MoveClass.SPURIOUS_SPLIT),
    "recorded before there is a history": (
        {"prices": "100 104 99 104", "split": "0.3", "usual_range": None, "usual_volume": None, "usual_turnover": None},
        MoveClass.SPURIOUS_SPLIT,
    ),
    "2:1 recorded, unmoved on news": (
        {"prices": "100 101 99 101", "split": "2", "volume": "9000000"},
        MoveClass.UNCLEAR,
    ),
    "recorded upside down": ({"split": "0.5", "prices": "50 51 49.5 50.2"}, MoveClass.UNCLEAR),
    "recorded 4:1, happened 2:1": ({"split": "4", "prices": "50 51 49.5 50.2"}, MoveClass.UNCLEAR),
}


@pytest.mark.parametrize("case", CASES)
def test_invented_moves(case: str) -> None:
    changes, expected = CASES[case]
    answer = judged(make_move(**changes))  # type: ignore[arg-type]
    assert answer.kind is expected, answer.evidence
    assert bool(answer.proposal) == (expected is not MoveClass.UNCLEAR)
    assert "AAA" in answer.look_up


def test_the_first_evidence_says_what_decided_and_the_others_are_figures() -> None:
    answer = judged(make_move())
    assert answer.proposal == "split 2:1 on 2018-01-31"
    assert answer.evidence[0].startswith("The open is within 0.0 % of a split 2:1")
    figures = " ".join(answer.evidence)
    for figure in ("100 USD on 2018-01-30", "0.5020 times", "2.00 times the usual shares", "SPY +0.1 %"):
        assert figure in figures


def test_an_unknown_figure_is_said_to_be_unknown() -> None:
    text = " ".join(judged(make_move(market=None, usual_range=None, usual_volume=None, habit=1)).evidence)
    assert "What SPY did is unknown" in text
    assert "not known from 1 session before" in text
    assert "The volume says nothing" in text


def test_an_unclear_move_says_where_to_begin() -> None:
    in_session = judged(make_move("99 100 50 51", volume="900000"))
    overnight = judged(make_move("7.8 7.9 7.7 7.8"))
    assert in_session.evidence[0] == "Nothing decides by the figures: a price may be wrong."
    assert overnight.evidence[0] == "Nothing decides by the figures: a corporate action or news may be behind it."


def test_a_source_without_actions_is_named() -> None:
    text = " ".join(judged(make_move(tells_actions=False)).evidence)
    assert "that none is on record proves nothing" in text


@pytest.mark.parametrize(
    ("prices", "changes", "proposal"),
    [
        ("66.9 67.5 66.2 67", {"volume": "1500000"}, "split 3:2 on 2018-01-31"),
        ("1000 1010 990 995", {"volume": "100000"}, "split 1:10 on 2018-01-31"),
        ("70.5 71 69 70", {"distribution": "30"}, "distribution on 2018-01-31 of 30 USD a share, as recorded"),
        (
            "58 59 57 57.5",
            {"volume": "1700000"},
            "distribution on 2018-01-31 of about 42.00 USD a share, not recorded",
        ),
        (
            "240 242 238 240",
            {"split": "0.25", "volume": "300000"},
            "split 1:4 and distribution on 2018-01-31 of about 160.00 USD a share after the split, not recorded",
        ),
        (
            "139 141 138 140",
            {"distribution": "68", "adjusted": "1.04"},
            "split 1:2 and distribution on 2018-01-31 of 68 USD a share after the split, as recorded",
        ),
        (
            "139 141 138 140",
            {"distribution": "34", "adjusted": "1.04"},
            "split 1:2 and distribution on 2018-01-31 of 34 USD a share before the split, as recorded",
        ),
        ("100 101 99 101", {"split": "2"}, "no split on 2018-01-31"),
    ],
)
def test_the_proposal_is_what_would_be_recorded(prices: str, changes: dict[str, Any], proposal: str) -> None:
    assert judged(make_move(prices, **changes)).proposal == proposal


scales = st.decimals(min_value="0.001", max_value="1000", places=3)
cases = st.sampled_from(sorted(CASES))


@given(case=cases, scale=scales)
def test_the_class_does_not_depend_on_the_level_of_prices(case: str, scale: Decimal) -> None:
    changes, expected = CASES[case]
    move = make_move(**changes)  # type: ignore[arg-type]
    turnover = move.usual_turnover * scale if move.usual_turnover is not None else None
    names = ("previous_close", "open", "high", "low", "close", "distribution")
    with exact():
        scaled = replace(move, usual_turnover=turnover, **{name: getattr(move, name) * scale for name in names})
    assert judged(scaled).kind is expected


@given(case=cases, scale=scales)
def test_the_class_does_not_depend_on_the_level_of_volumes(case: str, scale: Decimal) -> None:
    changes, expected = CASES[case]
    move = make_move(**changes)  # type: ignore[arg-type]
    usual = {
        name: value * scale for name in ("usual_volume", "usual_turnover") if (value := getattr(move, name)) is not None
    }
    assert judged(replace(move, volume=move.volume * scale, **usual)).kind is expected


@given(symbol=st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ.", min_size=1, max_size=6), day=st.sampled_from([D, BEFORE]))
def test_the_class_does_not_depend_on_name_or_day(symbol: str, day: dt.date) -> None:
    for changes, expected in CASES.values():
        move = replace(make_move(**changes), symbol=symbol, session=day)  # type: ignore[arg-type]
        assert judged(move).kind is expected


@given(new=st.integers(1, 20), old=st.integers(1, 20))
def test_a_split_and_its_reverse_have_mirrored_names(new: int, old: int) -> None:
    with exact():
        there, back = split_words(Decimal(new) / old), split_words(Decimal(old) / new)
    assert there.split(":") == back.split(":")[::-1]


prices = st.decimals(min_value="1", max_value="400", places=2)
maybe = st.one_of(st.none(), st.decimals(min_value="1.001", max_value="1.3", places=3))


@given(
    close=prices, at_open=prices, volume=st.integers(0, 10**9), usual_range=maybe,
    market=st.one_of(st.none(), st.decimals(min_value="0.7", max_value="1.3", places=3)),
    ratio=st.sampled_from(["1", "2", "0.1", "1.5"]), paid=st.sampled_from(["0", "1", "30", "80"]),
)  # fmt: skip
def test_every_move_gets_an_answer_with_evidence(
    close: Decimal, at_open: Decimal, volume: int, usual_range: Decimal | None, market: Decimal | None,
    ratio: str, paid: str,
) -> None:  # fmt: skip
    high, low = max(close, at_open), min(close, at_open)
    move = make_move(
        f"{at_open} {high} {low} {close}", volume=Decimal(volume), usual_range=usual_range, market=market,
        split=ratio, distribution=paid,
    )  # fmt: skip
    answer = judged(move)
    assert answer == judged(move)
    assert len(answer.evidence) >= 5
    assert answer.look_up.endswith(".")


# ---- measuring


def calm_bars(symbol: str = "AAA", **last: Any) -> Bars:
    """25 sessions with a range of 2 % and a million shares; the last one as the test wants it."""
    window = calendar.window_of_sessions(D, 25)
    bars = {s: make_bar(symbol, s, high=Decimal(102), volume=Decimal(1_000_000)) for s in window}
    bars[D] = replace(bars[D], **last)
    return {symbol: bars}


def halved(**changes: Any) -> Bars:
    price = Decimal(50)
    return calm_bars(open=price, high=Decimal(51), low=price, close=price, adj_close=price, **changes)


def measured(bars: Bars, *actions: Any, spy: Iterable[str] = ("100", "101")) -> Move:
    then, now = spy
    market = {"SPY": {BEFORE: make_bar("SPY", BEFORE, then), D: make_bar("SPY", D, now)}}
    move = measure(make_market(D, {**bars, **market}, *actions), "AAA", D, "SPY")
    assert move is not None
    return move


def test_a_move_is_measured_against_the_month_before_and_the_market() -> None:
    move = measured(halved(volume=Decimal(3_000_000)))
    assert (move.previous_session, move.previous_close, move.close) == (BEFORE, Decimal(100), Decimal(50))
    assert (move.habit, move.usual_range, move.usual_volume) == (20, Decimal("1.02"), Decimal(1_000_000))
    assert (move.shares_times, move.turnover_times) == (Decimal(3), Decimal("1.5"))
    assert move.market == Decimal("1.01")
    assert move.ratio == move.gap == Decimal("0.5")
    assert move.overnight == 1


def test_a_split_and_a_distribution_of_the_day_are_part_of_it() -> None:
    move = measured(halved(), split("AAA", D, "2"), dividend("AAA", D, "10"))
    assert (move.split, move.distribution, move.ratio) == (Decimal(2), Decimal(10), Decimal(1))
    assert move.totals == (Decimal("1.1"), Decimal("1.2"))


def test_the_volume_of_an_early_close_is_counted_for_the_hours_it_had() -> None:
    early = dt.date(2017, 11, 24)
    window = calendar.window_of_sessions(early, 25)
    bars = {s: make_bar("AAA", s, volume=Decimal(1000)) for s in window}
    bars[early] = replace(bars[early], volume=Decimal(700))
    move = measure(make_market(early, {"AAA": bars}), "AAA", early, "SPY")
    assert move is not None
    assert move.shares_times == Decimal("1.3")
    assert move.market is None


def test_nothing_after_the_session_is_looked_at() -> None:
    bars = halved(volume=Decimal(2_000_000))
    alone = measured(bars)
    for session in calendar.sessions(D, dt.date(2018, 2, 28))[1:]:
        bars["AAA"][session] = make_bar("AAA", session, "3", volume=Decimal(9_000_000))
    assert measured(bars, split("AAA", dt.date(2018, 2, 5), "7")) == alone


def test_a_week_of_history_is_needed_to_know_a_habit() -> None:
    bars = halved()
    sessions = list(bars["AAA"])
    few = {"AAA": {s: bars["AAA"][s] for s in sessions[-5:]}}
    enough = {"AAA": {s: bars["AAA"][s] for s in sessions[-6:]}}
    assert measured(few).usual_volume is None
    assert measured(enough).usual_volume == Decimal(1_000_000)


def test_bars_that_cannot_be_are_passed_over() -> None:
    bars = halved()
    bars["AAA"][BEFORE] = replace(bars["AAA"][BEFORE], low=Decimal(-1))
    move = measured(bars)
    assert move.previous_session == dt.date(2018, 1, 29)
    assert move.market is None  # the benchmark has no bar of that session here


def test_without_a_bar_before_there_is_no_move() -> None:
    market = make_market(D, {"AAA": {D: make_bar("AAA", D)}})
    assert measure(market, "AAA", D, "SPY") is None
    assert measure(market, "AAA", BEFORE, "SPY") is None


def test_the_benchmark_does_not_explain_itself() -> None:
    bars = calm_bars("SPY")
    move = measure(make_market(D, bars), "SPY", D, "SPY")
    assert move is not None
    assert move.market is None


def test_adjusted_closes_count_only_within_one_source_that_adjusts() -> None:
    bars = halved()
    assert measured(bars).adjusted == Decimal("0.5")
    bars["AAA"][D] = replace(bars["AAA"][D], adjusted=False)
    assert measured(bars).adjusted is None
    bars["AAA"][D] = replace(bars["AAA"][D], adjusted=True, source="another")
    assert measured(bars).adjusted is None


def test_an_adjustment_that_came_too_early_is_evidence() -> None:
    bars = halved(volume=Decimal(2_000_000))
    early = calendar.sessions_back(D, 2)
    for session in [s for s in bars["AAA"] if s < early]:
        bars["AAA"][session] = replace(bars["AAA"][session], adj_close=Decimal(50))
    assert measured(bars).adjusted_early == Decimal(2)
    assert "adjusted by 2.0000 in the sessions just before" in " ".join(judged(measured(bars)).evidence)
    assert measured(bars, split("AAA", early, "2")).adjusted_early is None
