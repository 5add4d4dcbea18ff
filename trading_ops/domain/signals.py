"""Ranked signals: what a ranker answers, the stub that ranks by momentum, and the rule that refuses stale scores."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from trading_ops.domain import calendar
from trading_ops.domain.policy import Policy
from trading_ops.domain.prices import MarketView
from trading_ops.domain.reasons import RULES
from trading_ops.domain.results import CheckResult, Outcome
from trading_ops.domain.universe import Universe
from trading_ops.domain.values import ONE, ZERO, Session, Symbol, exact, fixed, plain


@dataclass(frozen=True, slots=True)
class RankedSignal:
    """One name's score of one session; rank 1 is best."""

    symbol: Symbol
    rank: int
    score: Decimal
    source: str
    model_version: str
    session: Session


class Ranker(Protocol):
    """Anything that scores names as of D: the stub here, a trained model elsewhere."""

    @property
    def name(self) -> str:
        """The source as `signals.source` of the policy names it."""

    @property
    def model_version(self) -> str:
        """Which model; two versions may score the same market differently."""

    def rank(self, market: MarketView, names: Sequence[Symbol], policy: Policy) -> tuple[RankedSignal, ...]:
        """Score the names it can and rank them, best first."""


@dataclass(frozen=True)
class SignalSet:
    """The ranking of one plan, and the expected names that are not in it.

    Attributes:
        ranked: Best first.
        too_young: Listed after the first session the ranker needs; not counted, sorted.
        unscored: Expected, old enough, and still without a score; sorted.
    """

    ranked: tuple[RankedSignal, ...]
    too_young: tuple[Symbol, ...]
    unscored: tuple[Symbol, ...]


@dataclass(frozen=True, slots=True)
class StubRanker:
    """Momentum over a static list: A[D-near] / A[D-far] - 1 with A the adjusted close k sessions before D."""

    name: str = "stub"
    model_version: str = "momentum-1"

    def rank(self, market: MarketView, names: Sequence[Symbol], policy: Policy) -> tuple[RankedSignal, ...]:
        """Rank the names that have an adjusted close on every session from D-far to D."""
        window = calendar.window_of_sessions(market.asof, policy.signals.stub_far + 1)
        far, near = window[0], calendar.sessions_back(market.asof, policy.signals.stub_near)
        scores: dict[Symbol, Decimal] = {}
        with exact():
            for symbol in sorted(set(names)):
                closes = _adjusted_closes(market, symbol, window)
                if len(closes) == len(window):
                    scores[symbol] = closes[near] / closes[far] - ONE
        return rank_scores(scores, self.name, self.model_version, market.asof)


def rank_scores(
    scores: dict[Symbol, Decimal], source: str, model_version: str, session: Session
) -> tuple[RankedSignal, ...]:
    """Scores as ranks: the highest is rank 1, ties by symbol."""
    order = sorted(scores, key=lambda symbol: (-scores[symbol], symbol))
    return tuple(
        RankedSignal(symbol, rank, scores[symbol], source, model_version, session)
        for rank, symbol in enumerate(order, start=1)
    )


def signal_set(ranker: Ranker, market: MarketView, universe: Universe, policy: Policy) -> SignalSet:
    """Rank the expected names of D and account for every one that has no score."""
    expected = universe.expected(market.asof)
    ranked = ranker.rank(market, expected, policy)
    scored = {signal.symbol for signal in ranked}
    needed_from = calendar.sessions_back(market.asof, policy.signals.stub_far)
    young = []
    for symbol in expected:
        # By the universe, not by the first bar: history lost at its beginning must not pass as youth.
        listed_from = universe.instruments[symbol].listed_from
        if listed_from is not None and listed_from > needed_from and symbol not in scored:
            young.append(symbol)
    unscored = tuple(s for s in expected if s not in scored and s not in young)
    return SignalSet(ranked, tuple(young), unscored)


def check_signals_stale(signals: SignalSet, expected: Sequence[Symbol], asof: Session, policy: Policy) -> CheckResult:
    """At least `signals.scored_min` of the expected names old enough have a score, and the newest score is of D."""
    counted = [symbol for symbol in expected if symbol not in signals.too_young]
    of_d = {signal.symbol for signal in signals.ranked if signal.session == asof}
    unscored = tuple(sorted(symbol for symbol in counted if symbol not in of_d))
    newest = max((signal.session for signal in signals.ranked), default=None)
    total, scored = Decimal(len(counted)), Decimal(len(counted) - len(unscored))
    with exact():
        enough = total > ZERO and scored >= policy.signals.scored_min * total
        share = scored / total if total else ZERO
    if newest is None:
        sentence = f"No name has a score of {asof}."
    elif newest != asof:
        sentence = f"The newest score is of {newest}, not of {asof}."
    else:
        sentence = f"{scored} of {total} names old enough have a score of {asof}."
    passed = enough and newest == asof
    return CheckResult(
        "SIGNALS_STALE",
        Outcome.PASS if passed else Outcome.FAIL,
        f"{fixed(share, 4)} ({scored} of {total} names), newest score of {newest or 'no session'}",
        f"at least {plain(policy.signals.scored_min)}, newest score of {asof}",
        sentence,
        "" if passed else RULES["SIGNALS_STALE"].remedy,
        unscored,
    )


def _adjusted_closes(market: MarketView, symbol: Symbol, window: Sequence[Session]) -> dict[Session, Decimal]:
    bars = market.bars.get(symbol, {})
    found = ((session, bars[session].adj_close) for session in window if session in bars)
    return {session: close for session, close in found if close.is_finite() and close > ZERO}
