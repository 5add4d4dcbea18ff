"""The data-quality gate of one plan: its results, and the names that are frozen or cannot be bought.

Belongs here: what missing, broken or suspicious data means for a plan.
Does not belong here: judging a single bar (`suspects`) or a single rule (`quality_rules`), fetching or correcting data.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from trading_ops.domain import calendar
from trading_ops.domain.cross_check import confirms, cross_check
from trading_ops.domain.errors import BadInput
from trading_ops.domain.policy import Policy
from trading_ops.domain.prices import MarketView
from trading_ops.domain.quality_rules import (
    check_benchmark_missing,
    check_data_coverage,
    check_duplicate_bar,
    check_fx_stale,
    check_names_frozen,
    check_off_calendar_bar,
    check_valuation_incomplete,
)
from trading_ops.domain.results import CheckResult
from trading_ops.domain.suspects import CROSS_CHECK, Suspect, bar_fault, find_suspects, last_valid_bar, valid_bar
from trading_ops.domain.universe import Universe
from trading_ops.domain.values import ZERO, Session, Symbol

FIRST_PLAN_SESSIONS = 5
"""Sessions the first plan of a book looks at: one week, as every later plan does."""


@dataclass(frozen=True)
class DataQuality:
    """What the gate found.

    Attributes:
        results: One result a rule, in the order of RULES.
        frozen: Frozen names with the code of their oldest open finding.
        unbuyable: Names that cannot be bought this week: no valid bar or no volume at D, or too few sources.
        missing: Expected or held names, or the benchmark, without a valid bar at D, sorted.
        stale: For each of those the session of its newest valid bar, None when there is none.
        warnings: Sentences about what is odd but stops nothing.
        suspects: Findings that nobody has accepted yet; the next plan must be given them as `carried`, but for
            those of CROSS_CHECK, which hold for one plan.
        confirmed: Names whose close of D a second source confirms.
    """

    results: tuple[CheckResult, ...]
    frozen: Mapping[Symbol, str]
    unbuyable: frozenset[Symbol]
    missing: tuple[Symbol, ...]
    stale: Mapping[Symbol, Session | None]
    warnings: tuple[str, ...]
    suspects: tuple[Suspect, ...] = ()
    confirmed: frozenset[Symbol] = frozenset()


def evaluate_data_quality(
    market: MarketView,
    universe: Universe,
    held: Mapping[Symbol, Decimal],
    previous_asof: Session | None,
    accepted: frozenset[tuple[Symbol, Session]],
    resolved: frozenset[Symbol],
    policy: Policy,
    carried: tuple[Suspect, ...] = (),
) -> DataQuality:
    """Judge the data of one plan.

    Args:
        market: The market as of D.
        universe: The names the desk knows.
        held: Ledger units at the close of D; names with 0 are not held.
        previous_asof: The previous plan's as-of session, None for the first plan.
        accepted: Suspects a person accepted, as (symbol, session).
        resolved: Held names whose corporate event a person recorded.
        policy: The rules' numbers.
        carried: Open findings of earlier plans (`DataQuality.suspects`): a name stays frozen until someone acts.

    Raises:
        CalendarError: D is no session.
        BadInput: The previous plan is not before D, so nothing would be looked at.
    """
    asof = market.asof
    after = _look_from(asof, previous_asof)
    expected = universe.expected(asof)
    holdings = tuple(sorted(symbol for symbol, units in held.items() if units > ZERO))
    benchmark = policy.data.benchmark
    looked_at = tuple(sorted({*expected, *holdings, benchmark}))

    valid = frozenset(s for s in looked_at if valid_bar(market, s, asof) is not None)
    missing = tuple(s for s in looked_at if s not in valid)
    found = _find_suspects(market, looked_at, after, carried, policy)
    compared = cross_check(market, looked_at, after, policy.data)
    must_be_confirmed = compared.unconfirmed & {*holdings, benchmark}
    suspects = tuple(
        s
        for s in (
            *found,
            *compared.suspects,
            *(_unconfirmed(market, name, policy) for name in sorted(must_be_confirmed)),
        )
        if (s.symbol, s.session) not in accepted and not (s in found and confirms(market, s, policy.data))
    )
    frozen: dict[Symbol, str] = {}
    for suspect in sorted(suspects, key=lambda s: (s.symbol, s.session)):
        frozen.setdefault(suspect.symbol, suspect.code)
    silent = frozenset(s for s in valid if market.bars[s][asof].volume == ZERO)

    return DataQuality(
        results=(
            check_data_coverage(expected, valid, policy),
            check_benchmark_missing(benchmark, asof, valid),
            check_off_calendar_bar(market, looked_at, after),
            check_duplicate_bar(market, looked_at, after),
            check_fx_stale(market, policy),
            check_valuation_incomplete(holdings, asof, valid, resolved),
            check_names_frozen(suspects, expected, holdings, policy),
        ),
        frozen=frozen,
        unbuyable=frozenset(missing) | silent | compared.unconfirmed,
        missing=missing,
        stale={s: bar.session if (bar := last_valid_bar(market, s, asof)) else None for s in missing},
        warnings=(*market.disputed, *_warnings(market, universe, looked_at, after)),
        suspects=suspects,
        confirmed=compared.confirmed,
    )


def _find_suspects(
    market: MarketView, symbols: Iterable[Symbol], after: Session, carried: tuple[Suspect, ...], policy: Policy
) -> tuple[Suspect, ...]:
    """Findings since the previous plan; of a name with sessions that no source tells the actions of, of the look-back.

    Such a session's corporate actions may be missing from the adjusted closes that the signals are made of, and no
    earlier plan need have seen it: it may have come with a history that was loaded since.
    """
    window = calendar.window_of_sessions(market.asof, policy.signals.stub_far + 1)
    untold = {symbol for symbol in symbols if any(not _told(market, symbol, session) for session in window[1:])}
    return (
        *find_suspects(
            market, [s for s in symbols if s not in untold], after, [c for c in carried if c.symbol not in untold],
            policy.data,
        ),
        *find_suspects(
            market, sorted(untold), min(after, window[0]), [c for c in carried if c.symbol in untold], policy.data
        ),
    )  # fmt: skip


def _told(market: MarketView, symbol: Symbol, session: Session) -> bool:
    bar = market.bar(symbol, session)
    return bar is None or bar.tells_actions or any(w.tells_actions for w in market.witnesses_of(symbol, session))


def _unconfirmed(market: MarketView, symbol: Symbol, policy: Policy) -> Suspect:
    source = market.bars[symbol][market.asof].source
    return Suspect(
        symbol,
        market.asof,
        CROSS_CHECK,
        f"{symbol} {market.asof}: only {source} has its close, and {policy.data.sources_min} sources must agree.",
    )


def _look_from(asof: Session, previous_asof: Session | None) -> Session:
    if previous_asof is None:
        return calendar.sessions_back(asof, FIRST_PLAN_SESSIONS)
    if previous_asof >= calendar.sessions_back(asof, 0):
        raise BadInput(f"The previous plan is of {previous_asof}, not before {asof}. Plan the weeks in order.")
    return previous_asof


def _warnings(market: MarketView, universe: Universe, symbols: Iterable[Symbol], after: Session) -> tuple[str, ...]:
    """Broken bars, zero volume at D, and holes in the sessions between two plans."""
    found = []
    days = [session for session in calendar.sessions(after, market.asof) if session > after]
    for symbol in symbols:
        instrument = universe.instruments.get(symbol)
        listed_from = instrument.listed_from if instrument else None
        for session in days:
            bar = market.bar(symbol, session)
            if bar is None and session < market.asof and (listed_from is None or listed_from <= session):
                found.append(f"{symbol} {session}: no bar.")
            elif bar is not None and bar_fault(bar):
                found.append(f"{symbol} {session}: {bar_fault(bar)}.")
            elif bar is not None and session == market.asof and bar.volume == ZERO:
                found.append(f"{symbol} {session}: no shares were traded; the name cannot be bought this week.")
    return tuple(found)
