"""Do two sources agree? What a name's other sources say of its closes and corporate actions.

Belongs here: comparing what the chosen source says with what the others say.
Does not belong here: what a disagreement means for the plan (`quality`), or which source is chosen (the data snapshot).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from trading_ops.domain import calendar
from trading_ops.domain.policy import Data
from trading_ops.domain.prices import Bar, CorporateAction, MarketView, within
from trading_ops.domain.suspects import CROSS_CHECK, Suspect, last_valid_bar, valid_bar
from trading_ops.domain.values import ZERO, Session, Symbol, exact, fixed, plain


@dataclass(frozen=True)
class CrossCheck:
    """What comparing the sources found.

    Attributes:
        suspects: One finding for each session of a name on which two sources disagree: accepting one clears no other.
        unconfirmed: Names whose bar of D fewer sources than `data.sources_min` have, when that is more than one.
        confirmed: Names whose close of D a second source confirms.
    """

    suspects: tuple[Suspect, ...]
    unconfirmed: frozenset[Symbol]
    confirmed: frozenset[Symbol]


def cross_check(market: MarketView, symbols: Iterable[Symbol], after: Session, data: Data) -> CrossCheck:
    """Compare the sources on every session with `after < session <= D`.

    Every other source that has a session's bar must agree with the chosen one: a close apart by more than
    `data.cross_check_tolerance` of it is a finding, and so are corporate actions that are not the same in both of two
    sources that would have told of one. A source without a bar says nothing.

    Args:
        market: Chosen bars and actions, and what other sources say.
        symbols: Names to compare; all that may be traded, since which are is only known later.
        after: The previous plan's as-of session.
        data: The policy's `data` section.
    """
    sessions = [session for session in calendar.sessions(after, market.asof) if session > after]
    suspects, unconfirmed, confirmed = [], [], []
    for symbol in symbols:
        found = [s for session in sessions if (s := disagreement(market, symbol, session, data)) is not None]
        suspects += found
        others = len({w.source for w in market.witnesses_of(symbol, market.asof)})
        if valid_bar(market, symbol, market.asof) is not None and 1 + others < data.sources_min:
            unconfirmed.append(symbol)
        if others and not found:
            confirmed.append(symbol)
    return CrossCheck(tuple(suspects), frozenset(unconfirmed), frozenset(confirmed))


def disagreement(market: MarketView, symbol: Symbol, session: Session, data: Data) -> Suspect | None:
    """The first way in which another source contradicts the chosen one about a name's session, or None."""
    bar = valid_bar(market, symbol, session)
    if bar is None:
        return None
    for witness in market.witnesses_of(symbol, session):
        if not within(bar.close, witness.close, data.cross_check_tolerance):
            with exact():
                apart = fixed(100 * (witness.close / bar.close - 1), 2) if witness.close.is_finite() else "unlike any"
            seen = (
                f"close {plain(bar.close)} ({bar.source}) and {plain(witness.close)} ({witness.source}) USD, "
                f"{apart} % apart"
            )
            return _suspect(symbol, session, f"{seen}; at most {plain(100 * data.cross_check_tolerance)} % is allowed")
    return _actions_disagree(market, bar, data)


def confirms(market: MarketView, suspect: Suspect, data: Data) -> bool:
    """A second source agrees about a suspicious session: closes before and after, and every action in between.

    Only a source that would have told of a corporate action can say that there was none, and its word counts only
    while nobody contradicts it on these sessions.
    """
    before = last_valid_bar(market, suspect.symbol, suspect.session)
    bar = valid_bar(market, suspect.symbol, suspect.session)
    if before is None or bar is None:
        return False
    sessions = [s for s in calendar.sessions(before.session, suspect.session) if s >= before.session]
    if any(disagreement(market, suspect.symbol, session, data) is not None for session in sessions):
        return False
    at_end = {w.source for w in market.witnesses_of(suspect.symbol, suspect.session) if w.tells_actions}
    at_start = {w.source for w in market.witnesses_of(suspect.symbol, before.session)}
    telling = at_end & at_start
    if not bar.tells_actions:
        # The chosen source knows of no actions: those it is shown with are another's, which cannot confirm itself.
        telling = telling if len(telling) > 1 else set()
    return bool(telling)


def _actions_disagree(market: MarketView, bar: Bar, data: Data) -> Suspect | None:
    telling = [bar.source] if bar.tells_actions else []
    telling += [w.source for w in market.witnesses_of(bar.symbol, bar.session) if w.tells_actions]
    if len(telling) < 2:
        return None
    known = (*market.actions.get(bar.symbol, ()), *market.witness_actions.get(bar.symbol, ()))
    today = [action for action in known if action.ex_date == bar.session]
    first, *others = telling
    mine = _values(today, first)
    for other in others:
        theirs = _values(today, other)
        for kind, noun in (("split", "a split of"), ("dividend", "a dividend of")):
            a, b = mine.get(kind), theirs.get(kind)
            if (a is None) != (b is None) or (
                a is not None and b is not None and not within(a, b, data.cross_check_tolerance)
            ):
                seen = f"{first} has {_said(noun, a)} and {other} has {_said(noun, b)} on this ex-date"
                return _suspect(bar.symbol, bar.session, seen)
    return None


def _values(actions: Iterable[CorporateAction], source: str) -> dict[str, Decimal]:
    return {action.kind: action.value for action in actions if action.source == source and action.value > ZERO}


def _said(noun: str, value: Decimal | None) -> str:
    return f"no {noun.split()[1]}" if value is None else f"{noun} {plain(value)}"


def _suspect(symbol: Symbol, session: Session, seen: str) -> Suspect:
    return Suspect(symbol, session, CROSS_CHECK, f"{symbol} {session}: {seen}.")
