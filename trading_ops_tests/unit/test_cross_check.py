"""Two sources: what counts as agreement, what freezes a name, and what a second source's word clears."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

import pytest

from trading_ops.domain import calendar
from trading_ops.domain.cross_check import confirms, cross_check, disagreement
from trading_ops.domain.prices import CorporateAction, Fixing, MarketView, Witness, undisputed
from trading_ops.domain.quality import DataQuality, evaluate_data_quality
from trading_ops.domain.suspects import Suspect, find_suspects
from trading_ops_tests.unit.market_factory import (
    dividend,
    flat_bars,
    make_bar,
    make_market,
    make_policy,
    make_universe,
    split,
)

D = dt.date(2018, 2, 2)
WEEK = calendar.window_of_sessions(D, 6)
BEFORE = WEEK[0]
ONE, TWO = make_policy(data={"sources_min": 1}), make_policy(data={"sources_min": 2})
NAMES = ("AAA", "BBB", "SPY")


def witness(
    symbol: str, session: dt.date = D, close: str = "100", source: str = "second", tells: bool = True
) -> Witness:
    return Witness(symbol, session, Decimal(close), source, tells)


def market(
    *seen: Witness, actions: Iterable[CorporateAction] = (), other: Iterable[CorporateAction] = ()
) -> MarketView:
    """Flat bars at 100 USD of the source `test`, and what other sources say."""
    by_symbol: dict[str, dict[dt.date, tuple[Witness, ...]]] = {}
    for w in seen:
        of_symbol = by_symbol.setdefault(w.symbol, {})
        of_symbol[w.session] = (*of_symbol.get(w.session, ()), w)
    theirs: dict[str, tuple[CorporateAction, ...]] = {}
    for action in other:
        theirs[action.symbol] = (*theirs.get(action.symbol, ()), replace(action, source="second"))
    return replace(make_market(D, flat_bars(NAMES, D), *actions), witnesses=by_symbol, witness_actions=theirs)


def every_name(*, but: Iterable[str] = ()) -> list[Witness]:
    return [witness(name) for name in NAMES if name not in but]


@pytest.mark.parametrize("close", ["100", "100.2", "99.8"])
def test_closes_within_two_per_mille_agree(close: str) -> None:
    assert disagreement(market(witness("AAA", close=close)), "AAA", D, ONE.data) is None


@pytest.mark.parametrize("close", ["100.21", "99.79", "10000", "1", "-100", "NaN", "Infinity"])
def test_closes_further_apart_are_a_finding_that_names_both(close: str) -> None:
    found = disagreement(market(witness("AAA", close=close)), "AAA", D, ONE.data)
    assert found is not None
    assert found.code == "CROSS_CHECK"
    assert (found.symbol, found.session) == ("AAA", D)
    assert "(test)" in found.sentence
    assert "(second)" in found.sentence


def test_any_source_that_disagrees_is_a_finding_whatever_a_third_says() -> None:
    seen = market(witness("AAA"), witness("AAA", close="90", source="third"))
    found = disagreement(seen, "AAA", D, ONE.data)
    assert found is not None
    assert "third" in found.sentence


def test_a_source_without_the_bar_says_nothing() -> None:
    found = cross_check(market(), NAMES, BEFORE, ONE.data)
    assert (found.suspects, found.unconfirmed, found.confirmed) == ((), frozenset(), frozenset())


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        ([split("AAA", D, "4")], []),
        ([], [split("AAA", D, "4")]),
        ([split("AAA", D, "4")], [split("AAA", D, "7")]),
        ([dividend("AAA", D, "0.82")], []),
        ([dividend("AAA", D, "0.82")], [dividend("AAA", D, "0.205")]),
    ],
)
def test_corporate_actions_that_differ_are_a_finding(
    mine: list[CorporateAction], theirs: list[CorporateAction]
) -> None:
    found = disagreement(market(witness("AAA"), actions=mine, other=theirs), "AAA", D, ONE.data)
    assert found is not None
    assert found.code == "CROSS_CHECK"
    assert "test has" in found.sentence
    assert "second has" in found.sentence


def test_equal_corporate_actions_agree() -> None:
    both = [split("AAA", D, "4"), dividend("AAA", D, "0.82")]
    assert disagreement(market(witness("AAA"), actions=both, other=both), "AAA", D, ONE.data) is None


def test_a_source_that_tells_of_no_actions_cannot_contradict_one() -> None:
    seen = market(witness("AAA", tells=False), actions=[split("AAA", D, "4")])
    assert disagreement(seen, "AAA", D, ONE.data) is None


def test_the_sessions_since_the_previous_plan_are_compared_and_no_earlier_ones() -> None:
    seen = market(witness("AAA", WEEK[2], "90"), witness("BBB", BEFORE, "90"))
    assert [(s.symbol, s.session) for s in cross_check(seen, NAMES, BEFORE, ONE.data).suspects] == [("AAA", WEEK[2])]


# ---------------------------------------------------------------- what it means for the plan
def judge(seen: MarketView, policy=TWO, held: Iterable[str] = (), **kwargs: object) -> DataQuality:
    units = {name: Decimal(1) for name in held}
    return evaluate_data_quality(
        seen, make_universe("AAA", "BBB"), units, BEFORE, kwargs.pop("accepted", frozenset()), frozenset(), policy
    )  # type: ignore[arg-type]


def passed(quality: DataQuality) -> bool:
    return next(r for r in quality.results if r.code == "NAMES_FROZEN").passed


def test_one_source_is_enough_when_the_policy_wants_one() -> None:
    quality = judge(market(), ONE)
    assert passed(quality)
    assert not quality.frozen
    assert not quality.confirmed


def test_two_sources_that_agree_pass_and_are_said_to_have() -> None:
    quality = judge(market(*every_name()), held=["AAA"])
    assert passed(quality)
    assert quality.confirmed == set(NAMES)


def test_a_name_without_a_second_source_cannot_be_bought() -> None:
    quality = judge(market(*every_name(but=["BBB"])), held=["AAA"])
    assert passed(quality)
    assert "BBB" in quality.unbuyable
    assert "AAA" not in quality.unbuyable


@pytest.mark.parametrize("alone", ["AAA", "SPY"])
def test_a_held_name_or_the_benchmark_without_a_second_source_refuses_the_plan(alone: str) -> None:
    quality = judge(market(*every_name(but=[alone])), held=["AAA"])
    assert not passed(quality)
    assert quality.frozen == {alone: "CROSS_CHECK"}


def test_a_dead_second_source_refuses_a_plan_that_holds_nothing_yet() -> None:
    assert not passed(judge(market()))


def test_a_person_can_accept_a_disagreement() -> None:
    seen = market(witness("AAA", close="90"), witness("BBB"), witness("SPY"))
    assert not passed(judge(seen, held=["AAA"]))
    assert passed(judge(seen, held=["AAA"], accepted=frozenset({("AAA", D)})))


# ---------------------------------------------------------------- a second source's word about a suspicious session
def jumped(*seen: Witness, actions: Iterable[CorporateAction] = ()) -> MarketView:
    """AAA falls from 100 to 50 at D, with nothing on record."""
    view = market(*seen, actions=actions)
    bars = {**view.bars, "AAA": {**view.bars["AAA"], D: make_bar("AAA", D, "50")}}
    return replace(view, bars=bars)


def suspect_of(view: MarketView) -> Suspect:
    (found,) = find_suspects(view, ["AAA"], WEEK[-2], (), ONE.data)
    return found


def test_a_second_source_with_the_same_closes_and_no_action_clears_a_jump() -> None:
    view = jumped(witness("AAA", WEEK[-2]), witness("AAA", D, "50"))
    assert suspect_of(view).code == "SUSPECT_SPLIT"
    assert confirms(view, suspect_of(view), ONE.data)
    assert "AAA" not in judge(view, ONE).frozen


@pytest.mark.parametrize(
    "seen",
    [
        [],
        [witness("AAA", D, "50")],
        [witness("AAA", WEEK[-2])],
        [witness("AAA", WEEK[-2]), witness("AAA", D, "51")],
        [witness("AAA", WEEK[-2], tells=False), witness("AAA", D, "50", tells=False)],
        [witness("AAA", WEEK[-2]), witness("AAA", D, "50"), witness("AAA", D, "100", source="third")],
    ],
    ids=["nobody", "only after", "only before", "another close", "tells of no actions", "a third contradicts"],
)
def test_anything_less_leaves_the_name_frozen(seen: list[Witness]) -> None:
    view = jumped(*seen)
    assert not confirms(view, suspect_of(view), ONE.data)
    assert "AAA" in judge(view, ONE).frozen


def test_a_source_that_tells_of_no_actions_is_confirmed_by_two_others_only() -> None:
    view = jumped(witness("AAA", WEEK[-2]), witness("AAA", D, "50"))
    bars = {s: replace(b, tells_actions=False) for s, b in view.bars["AAA"].items()}
    view = replace(view, bars={**view.bars, "AAA": bars})
    assert not confirms(view, suspect_of(view), ONE.data)
    third = [witness("AAA", WEEK[-2], source="third"), witness("AAA", D, "50", source="third")]
    more = {s: (*view.witnesses_of("AAA", s), w) for s, w in zip((WEEK[-2], D), third, strict=True)}
    assert confirms(replace(view, witnesses={"AAA": more}), suspect_of(view), ONE.data)


# ---------------------------------------------------------------- fixings
def test_fixings_that_two_sources_dispute_are_not_used() -> None:
    chosen = (Fixing(WEEK[-2], Decimal("1.40"), "ecb"), Fixing(D, Decimal("135"), "ecb"))
    others = (Fixing(WEEK[-2], Decimal("1.41"), "yahoo"), Fixing(D, Decimal("1.35"), "yahoo"))
    kept, disputed = undisputed(chosen, others, Decimal("0.02"))
    assert kept == chosen[:1]
    assert len(disputed) == 1
    assert "135 (ecb)" in disputed[0]
    assert "1.35 (yahoo)" in disputed[0]


def test_accepting_one_disagreement_clears_no_other() -> None:
    tuesday = WEEK[2]
    seen = market(witness("AAA", tuesday, "25"), witness("AAA", D, "100.5"), witness("BBB"), witness("SPY"))
    accepted = frozenset({("AAA", D)})
    quality = evaluate_data_quality(
        seen, make_universe("AAA", "BBB"), {"AAA": Decimal(1)}, BEFORE, accepted, frozenset(), ONE
    )
    assert [(s.symbol, s.session) for s in quality.suspects] == [("AAA", tuesday)]
    assert "AAA" in quality.frozen
