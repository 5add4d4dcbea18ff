"""The stub ranker and the rule that refuses stale scores."""

import datetime as dt
import itertools
from collections.abc import Sequence
from decimal import Context, Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_ops.domain import calendar
from trading_ops.domain.policy import Policy
from trading_ops.domain.prices import Bar, MarketView
from trading_ops.domain.signals import (
    RankedSignal,
    Ranker,
    SignalSet,
    StubRanker,
    check_signals_stale,
    rank_scores,
    signal_set,
)
from trading_ops.domain.values import Session, Symbol, exact
from trading_ops_tests.unit.market_factory import (
    Bars,
    committed_policy,
    flat_bars,
    make_bar,
    make_instrument,
    make_market,
    make_policy,
    make_universe,
    real_market,
    real_rows,
    real_universe,
)

D = dt.date(2018, 2, 2)
POLICY = committed_policy()
NEAR, FAR = calendar.sessions_back(D, 21), calendar.sessions_back(D, 126)


def history(near: dict[Symbol, str], far: str = "100") -> Bars:
    """127 bars a name at `far`, with the adjusted close of D-21 as given."""
    bars = flat_bars(near, D, 127, far)
    for symbol, close in near.items():
        bars[symbol][NEAR] = make_bar(symbol, NEAR, far, adj_close=Decimal(close))
    return bars


def ranking(bars: Bars, names: Sequence[Symbol], policy: Policy = POLICY) -> list[tuple[int, Symbol, Decimal]]:
    return [(s.rank, s.symbol, s.score) for s in StubRanker().rank(make_market(D, bars), names, policy)]


def signals_of(symbols: Sequence[Symbol], session: Session = D) -> tuple[RankedSignal, ...]:
    return rank_scores({symbol: Decimal(1) for symbol in symbols}, "stub", "test", session)


def test_the_stub_scores_adjusted_momentum_and_ranks_the_best_first_with_ties_by_symbol() -> None:
    bars = history({"LOW": "90", "TIE2": "110", "TIE1": "110", "TOP": "150"})
    assert ranking(bars, list(bars)) == [
        (1, "TOP", Decimal("0.5")),
        (2, "TIE1", Decimal("0.1")),
        (3, "TIE2", Decimal("0.1")),
        (4, "LOW", Decimal("-0.1")),
    ]


def test_the_stub_says_where_its_scores_are_from() -> None:
    ranker: Ranker = StubRanker()
    (signal,) = ranker.rank(make_market(D, history({"AAA": "110"})), ["AAA"], POLICY)
    assert (signal.source, signal.model_version, signal.session) == ("stub", "momentum-1", D)
    assert ranker.name == POLICY.signals.source


def test_the_stub_uses_adjusted_closes_and_not_raw_ones() -> None:
    bars = flat_bars(["AAA"], D, 127)
    bars["AAA"][FAR] = make_bar("AAA", FAR, "200", adj_close=Decimal(80))
    assert ranking(bars, ["AAA"]) == [(1, "AAA", Decimal("0.25"))]


def test_the_stub_counts_sessions_by_the_policy() -> None:
    bars = flat_bars(["AAA"], D, 3)
    for back, close in ((2, "100"), (1, "103"), (0, "500")):
        session = calendar.sessions_back(D, back)
        bars["AAA"][session] = make_bar("AAA", session, close)
    policy = make_policy(signals={"stub_near": 1, "stub_far": 2})
    assert ranking(bars, ["AAA"], policy) == [(1, "AAA", Decimal("0.03"))]


@pytest.mark.parametrize("back", [0, 1, 21, 60, 125, 126])
def test_the_stub_needs_every_close_of_the_window(back: int) -> None:
    bars = history({"AAA": "110", "BBB": "110"})
    del bars["AAA"][calendar.sessions_back(D, back)]
    assert [symbol for _, symbol, _ in ranking(bars, ["AAA", "BBB"])] == ["BBB"]


@pytest.mark.parametrize("close", ["0", "-1", "NaN", "Infinity"])
def test_the_stub_takes_no_close_that_is_no_price(close: str) -> None:
    assert ranking(history({"AAA": close}), ["AAA"]) == []


def test_the_stub_ranks_only_the_names_it_is_given() -> None:
    bars = history({"AAA": "110", "BBB": "120", "SPY": "130"})
    assert [symbol for _, symbol, _ in ranking(bars, ["BBB", "AAA", "BBB"])] == ["BBB", "AAA"]


def test_scores_have_fifty_digits_whatever_the_callers_context() -> None:
    bars = history({"AAA": "100"}, far="300")
    with localcontext(Context(prec=4)):
        ((_, _, score),) = ranking(bars, ["AAA"])
    with exact():
        assert score == Decimal(100) / Decimal(300) - 1


@given(st.dictionaries(st.text("ABC", min_size=1, max_size=3), st.decimals("-1", "5", places=2), max_size=12))
def test_ranks_are_dense_ordered_and_independent_of_input_order(scores: dict[Symbol, Decimal]) -> None:
    ranked = rank_scores(scores, "stub", "1", D)
    assert [s.rank for s in ranked] == list(range(1, len(scores) + 1))
    for better, worse in itertools.pairwise(ranked):
        assert (-better.score, better.symbol) < (-worse.score, worse.symbol)
    assert rank_scores(dict(reversed(scores.items())), "stub", "1", D) == ranked


def test_signal_set_tells_young_names_from_names_with_lost_history() -> None:
    bars = history({"OLD": "110", "HOLE": "110", "YOUNG": "110", "JUST": "110", "GAP": "110"})
    del bars["HOLE"][FAR], bars["GAP"][FAR]
    bars["YOUNG"] = {s: b for s, b in bars["YOUNG"].items() if s > FAR}
    others = [
        make_instrument("YOUNG", listed_from=calendar.next_session(FAR)),
        make_instrument("JUST", listed_from=FAR),
        make_instrument("GAP", listed_from=FAR),
        make_instrument("OFF", enabled=False),
    ]
    universe = make_universe("OLD", "HOLE", others=others)
    signals = signal_set(StubRanker(), make_market(D, bars), universe, POLICY)
    assert [s.symbol for s in signals.ranked] == ["JUST", "OLD"]
    assert signals.too_young == ("YOUNG",)
    assert signals.unscored == ("GAP", "HOLE")


def test_a_name_that_a_ranker_can_score_is_not_too_young() -> None:
    class Oracle:
        name = "oracle"
        model_version = "1"

        def rank(self, market: MarketView, names: Sequence[Symbol], policy: Policy) -> tuple[RankedSignal, ...]:
            return signals_of(names, market.asof)

    universe = make_universe(others=[make_instrument("YOUNG", listed_from=D)])
    signals = signal_set(Oracle(), make_market(D, {}), universe, POLICY)
    assert (signals.too_young, signals.unscored) == ((), ())


@pytest.mark.parametrize(("scored", "passes"), [(19, True), (18, False)])
def test_signals_stale_at_its_threshold(scored: int, passes: bool) -> None:
    names = [f"N{n:02d}" for n in range(20)]
    signals = SignalSet(signals_of(names[:scored]), (), tuple(names[scored:]))
    result = check_signals_stale(signals, names, D, POLICY)
    assert (result.code, result.passed) == ("SIGNALS_STALE", passes)
    assert result.subjects == tuple(names[scored:])
    assert bool(result.remedy) is not passes
    assert f"({scored} of 20 names)" in result.seen


def test_signals_stale_does_not_count_names_too_young() -> None:
    names = [f"N{n:02d}" for n in range(20)]
    young = tuple(names[10:])
    assert check_signals_stale(SignalSet(signals_of(names[:10]), young, ()), names, D, POLICY).passed
    assert not check_signals_stale(SignalSet(signals_of(names[:10]), (), young), names, D, POLICY).passed


def test_signals_stale_does_not_count_scores_of_names_nobody_expects() -> None:
    signals = SignalSet(signals_of(["X1", "X2", "AAA"]), (), ("BBB",))
    assert not check_signals_stale(signals, ["AAA", "BBB"], D, POLICY).passed


@pytest.mark.parametrize("session", [calendar.previous_session(D), calendar.next_session(D)])
def test_signals_stale_refuses_scores_of_another_session(session: Session) -> None:
    result = check_signals_stale(SignalSet(signals_of(["AAA"], session), (), ()), ["AAA"], D, POLICY)
    assert not result.passed
    assert str(session) in result.seen


def test_signals_stale_refuses_one_score_from_the_future_among_good_ones() -> None:
    mixed = signals_of(["AAA", "BBB"]) + signals_of(["CCC"], calendar.next_session(D))
    assert not check_signals_stale(SignalSet(mixed, (), ()), ["AAA", "BBB"], D, POLICY).passed


def test_signals_stale_counts_only_scores_of_the_session() -> None:
    mixed = signals_of(["AAA"]) + signals_of(["BBB"], calendar.previous_session(D))
    result = check_signals_stale(SignalSet(mixed, (), ()), ["AAA", "BBB"], D, POLICY)
    assert (result.passed, result.subjects) == (False, ("BBB",))


def test_signals_stale_with_only_young_names_fails_whatever_else_is_scored() -> None:
    signals = SignalSet(signals_of(["NOT_OURS"]), ("AAA",), ())
    assert not check_signals_stale(signals, ["AAA"], D, POLICY).passed


@pytest.mark.parametrize("young", [(), ("AAA",)])
def test_signals_stale_without_any_name_to_score_fails(young: tuple[Symbol, ...]) -> None:
    result = check_signals_stale(SignalSet((), young, ()), young, D, POLICY)
    assert not result.passed
    assert result.sentence == "No name has a score of 2018-02-02."


def test_the_stub_on_the_real_universe_agrees_with_plain_floats() -> None:
    universe = real_universe()
    names = universe.expected(D)
    signals = signal_set(StubRanker(), real_market(D, names, count=127), universe, POLICY)
    assert (signals.too_young, signals.unscored) == ((), ())
    assert check_signals_stale(signals, names, D, POLICY).passed

    rows = real_rows("equities_2005_2021.parquet", FAR, D, names)
    close = {(row["symbol"], row["date"]): row["adj_close"] for row in rows}
    scores = {symbol: close[symbol, NEAR] / close[symbol, FAR] - 1 for symbol in names}
    assert [s.symbol for s in signals.ranked] == sorted(names, key=lambda symbol: (-scores[symbol], symbol))
    assert all(abs(float(s.score) - scores[s.symbol]) < 1e-12 for s in signals.ranked)


def test_a_price_after_d_cannot_change_the_ranking() -> None:
    bars = history({"AAA": "110", "BBB": "120"})
    later: dict[Session, Bar] = {calendar.next_session(D): make_bar("AAA", calendar.next_session(D), "999")}
    seen: MarketView = make_market(D, {**bars, "AAA": {**bars["AAA"], **later}})
    assert StubRanker().rank(seen, ["AAA", "BBB"], POLICY) == StubRanker().rank(
        make_market(D, bars), ["AAA", "BBB"], POLICY
    )
