"""The risk rules: one function a reason code, over the finished lines, independently of sizing.

One failure blocks the plan. Starred rules pass when the plan has no buys: a sale is never held up by them.
Does not belong here: the figures themselves (`risk_figures`), what the kill switch becomes afterwards (store).
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import TypeAlias

from trading_ops.domain import risk_figures as figures
from trading_ops.domain.policy import Policy
from trading_ops.domain.reasons import RULES
from trading_ops.domain.results import CheckResult, Outcome
from trading_ops.domain.risk_figures import KillSwitch, RiskInput, at_most
from trading_ops.domain.values import ONE, ZERO, Symbol, exact, fixed, plain

__all__ = ["RISK_CHECKS", "KillSwitch", "RiskCheck", "RiskInput", "evaluate_risk"]

RiskCheck: TypeAlias = Callable[[RiskInput, Policy], CheckResult]


def check_max_positions(inp: RiskInput, policy: Policy) -> CheckResult:
    """MAX_POSITIONS *: names held after all lines <= risk.max_positions."""
    names, most = figures.names_after(inp), policy.risk.max_positions
    return _answer(
        "MAX_POSITIONS",
        len(names) <= most,
        excused=not inp.buys,
        seen=f"{len(names)} names after all lines, {len(inp.buys)} buys",
        allowed=f"at most {most} names",
        good=f"After all lines {len(names)} names are held, at most {most} may be.",
        bad=f"After all lines {len(names)} names would be held, {len(names) - most} more than the {most} allowed.",
        subjects=names,
    )


def check_max_weight(inp: RiskInput, policy: Policy) -> CheckResult:
    """MAX_WEIGHT: every weight after all lines <= max weight + tolerance, or that name is not being bought."""
    after = figures.values_after(inp)
    bought = sorted({o.symbol for o in inp.buys})
    with exact():
        limit = policy.sizing.max_weight + policy.risk.max_weight_tolerance
        most = limit * figures.equity_gbp(inp)
    heavy = [s for s in bought if not at_most(after[s], most)]
    top = max(bought, key=lambda s: (after[s], s), default=None)
    seen = "no buys" if top is None else f"largest bought name {top} with £{fixed(after[top], 2)}"
    return _answer(
        "MAX_WEIGHT",
        not heavy,
        seen=seen,
        allowed=f"at most £{fixed(most, 2)} ({plain(limit)} of equity) in a bought name",
        good=f"No bought name weighs more than £{fixed(most, 2)} after all lines ({seen}).",
        bad=f"After all lines {_list(heavy)} would weigh more than £{fixed(most, 2)}, {_percent(limit)} of equity.",
        subjects=heavy,
    )


def check_cash_floor(inp: RiskInput, policy: Policy) -> CheckResult:
    """CASH_FLOOR *: cash + haircut x sells - buys >= floor x E."""
    with exact():
        floor = policy.sizing.cash_floor * figures.equity_gbp(inp)
        left = figures.certain_cash(inp, policy) - figures.bought_gbp(inp)
    return _answer(
        "CASH_FLOOR",
        at_most(floor, left),
        excused=not inp.buys,
        seen=f"£{fixed(left, 2)} certain cash after all lines, {len(inp.buys)} buys",
        allowed=f"at least £{fixed(floor, 2)} ({plain(policy.sizing.cash_floor)} of equity)",
        good=f"After all lines £{fixed(left, 2)} of cash are certain, the floor is £{fixed(floor, 2)}.",
        bad=f"After all lines only £{fixed(left, 2)} of cash would be certain, below the floor of £{fixed(floor, 2)}.",
    )


def check_turnover_cap(inp: RiskInput, policy: Policy) -> CheckResult:
    """TURNOVER_CAP: buys <= cap x E; sells without group (a) <= cap x E."""
    bought = figures.bought_gbp(inp)
    sold = figures.sold_gbp(inp, without=figures.must_sell(inp, policy))
    with exact():
        cap = policy.sizing.turnover_cap * figures.equity_gbp(inp)
    both = f"buys £{fixed(bought, 2)}, sales that could wait £{fixed(sold, 2)}"
    return _answer(
        "TURNOVER_CAP",
        at_most(bought, cap) and at_most(sold, cap),
        seen=both,
        allowed=f"each at most £{fixed(cap, 2)} ({plain(policy.sizing.turnover_cap)} of equity)",
        good=f"The plan stays within the turnover cap of £{fixed(cap, 2)} on each side: {both}.",
        bad=f"The plan is above the turnover cap of £{fixed(cap, 2)}: {both}.",
    )


def check_no_short(inp: RiskInput, policy: Policy) -> CheckResult:
    """NO_SHORT: no line, and not all lines of a name together, sell more units than are held."""
    after = figures.units_after(inp)
    short = sorted(s for s, u in after.items() if u < ZERO)
    seen = ", ".join(f"{s} {plain(after[s])} units" for s in short) or "no name below 0 units"
    return _answer(
        "NO_SHORT",
        not short,
        seen=seen,
        allowed="at least 0 units of every name after all lines",
        good=f"None of the {len(inp.sells)} sales sells more than is held.",
        bad=f"More would be sold than is held; after all lines: {seen}.",
        subjects=short,
    )


def check_no_leverage(inp: RiskInput, policy: Policy) -> CheckResult:
    """NO_LEVERAGE: buys <= cash + haircut x sells, and leverage x1 on every line."""
    bought, cash = figures.bought_gbp(inp), figures.certain_cash(inp, policy)
    levered = sorted({o.symbol for o in inp.orders if o.leverage != 1})
    return _answer(
        "NO_LEVERAGE",
        at_most(bought, cash) and not levered,
        seen=f"buys £{fixed(bought, 2)}, certain cash £{fixed(cash, 2)}, {len(levered)} names with leverage",
        allowed=f"buys at most £{fixed(cash, 2)}, leverage x1 on every line",
        good=f"Buys of £{fixed(bought, 2)} are covered by £{fixed(cash, 2)} of certain cash, all lines at x1.",
        bad=f"Buys of £{fixed(bought, 2)} stand against £{fixed(cash, 2)} of certain cash; leverage: {_list(levered)}.",
        subjects=levered,
    )


def check_no_cfd(inp: RiskInput, policy: Policy) -> CheckResult:
    """NO_CFD: every bought name is tradable as the underlying and its instrument type is stock."""
    rows = inp.universe.instruments
    bought = {o.symbol for o in inp.buys}
    bad = sorted(
        s for s in bought if s not in rows or not rows[s].tradable_underlying or rows[s].instrument_type != "stock"
    )
    return _answer(
        "NO_CFD",
        not bad,
        seen=f"{len(bad)} of {len(bought)} bought names not known as a stock with the underlying",
        allowed="0 such names",
        good=f"All {len(bought)} bought names are stocks offered as the underlying.",
        bad=f"{_list(bad)} would be bought, but the universe does not know it as a stock offered as the underlying.",
        subjects=bad,
    )


def check_unverified_name(inp: RiskInput, policy: Policy) -> CheckResult:
    """UNVERIFIED_NAME: in the live book every bought name was verified on eToro within risk.verified_max_age days."""
    rows = inp.universe.instruments
    oldest = inp.verified_since

    def is_old(symbol: Symbol) -> bool:
        verified_on = rows[symbol].verified_on if symbol in rows else None
        return verified_on is None or verified_on < oldest

    bought = sorted({o.symbol for o in inp.buys}) if inp.book == "live" else []
    old = [s for s in bought if is_old(s)]
    note = "" if inp.book == "live" else f" (the {inp.book} book needs none)"
    return _answer(
        "UNVERIFIED_NAME",
        not old,
        seen=f"{len(old)} of {len(bought)} names to be verified are not{note}",
        allowed=f"every bought name verified on or after {oldest} ({policy.risk.verified_max_age} days; live book)",
        good=f"All {len(bought)} names that need it were verified on eToro since {oldest}{note}.",
        bad=f"{_list(old)} would be bought, but was not verified on eToro since {oldest}.",
        subjects=old,
    )


def check_unknown_symbol(inp: RiskInput, policy: Policy) -> CheckResult:
    """UNKNOWN_SYMBOL: every line's name is in the universe of the plan, bought ones enabled."""
    rows = inp.universe.instruments
    unknown = {o.symbol for o in inp.orders if o.symbol not in rows}
    disabled = {o.symbol for o in inp.buys if o.symbol in rows and not rows[o.symbol].enabled}
    bad = sorted(unknown | disabled)
    return _answer(
        "UNKNOWN_SYMBOL",
        not bad,
        seen=f"{len(unknown)} unknown and {len(disabled)} disabled of {len(inp.orders)} lines",
        allowed="0 unknown, and 0 disabled among the bought",
        good=f"All {len(inp.orders)} lines are about names of the universe, and what is bought is enabled.",
        bad=f"Not in the universe: {_list(unknown)}; bought but disabled: {_list(disabled)}.",
        subjects=bad,
    )


def check_trade_size(inp: RiskInput, policy: Policy) -> CheckResult:
    """TRADE_SIZE: minimum order <= a buy <= max weight x E; a sell > 0."""
    least = policy.sizing.minimum_order_gbp
    with exact():
        most = policy.sizing.max_weight * figures.equity_gbp(inp)
    bad = [f"{o.symbol} £{fixed(o.amount_gbp, 2)}" for o in inp.buys if not _between(least, o.amount_gbp, most)]
    bad += [f"{o.symbol} {plain(o.units)} units" for o in inp.sells if not o.units > ZERO]
    bounds = f"£{fixed(least, 2)} to £{fixed(most, 2)}"
    return _answer(
        "TRADE_SIZE",
        not bad,
        seen=f"{len(bad)} of {len(inp.orders)} lines outside" + (f": {', '.join(bad)}" if bad else ""),
        allowed=f"a buy of {bounds}; a sale above 0 units",
        good=f"All {len(inp.buys)} buys are between {bounds} and all {len(inp.sells)} sales above 0 units.",
        bad=f"A buy must be {bounds} and a sale above 0 units, but: {', '.join(bad)}.",
        subjects={o.symbol for o in inp.orders if any(text.startswith(f"{o.symbol} ") for text in bad)},
    )


def check_stale_price(inp: RiskInput, policy: Policy) -> CheckResult:
    """STALE_PRICE: every reference price is the stored close of D."""
    stale = sorted(
        {
            o.symbol
            for o in inp.orders
            if o.price_session != inp.asof
            or inp.price_sessions.get(o.symbol) != inp.asof
            or inp.prices_usd.get(o.symbol) != o.price_usd
        }
    )
    return _answer(
        "STALE_PRICE",
        not stale,
        seen=f"{len(stale)} of {len(inp.orders)} reference prices not the close of {inp.asof}",
        allowed=f"every reference price is the close of {inp.asof}",
        good=f"All {len(inp.orders)} reference prices are closes of {inp.asof}.",
        bad=f"The reference price of {_list(stale)} is not the close of {inp.asof}.",
        subjects=stale,
    )


def check_split_pending(inp: RiskInput, policy: Policy) -> CheckResult:
    """SPLIT_PENDING: no line's name has a known split with ex-date after D up to the window's day."""
    pending = sorted({o.symbol for o in inp.orders} & inp.split_pending)
    return _answer(
        "SPLIT_PENDING",
        not pending,
        seen=f"{len(pending)} of {len(inp.orders)} lines about a name that splits",
        allowed="0 lines",
        good=f"None of the {len(inp.orders)} lines is about a name that splits before or on the window's day.",
        bad=f"{_list(pending)} splits before or on the window's day, its units and price on the line would be wrong.",
        subjects=pending,
    )


def check_kill_switch(inp: RiskInput, policy: Policy) -> CheckResult:
    """KILL_SWITCH: state ACTIVE; or REDUCING and no buys."""
    switch, buys = inp.kill_switch, len(inp.buys)
    since = f" since {switch.since}" if switch.since else ""
    why = f" ({switch.reason})" if switch.reason else ""
    return _answer(
        "KILL_SWITCH",
        switch.state == "ACTIVE" or _reducing_only(inp),
        seen=f"{switch.state}{since}, {buys} buys",
        allowed="ACTIVE; or REDUCING with 0 buys",
        good=f"The kill switch is {switch.state}{since}; the plan has {buys} buys.",
        bad=f"The kill switch is {switch.state}{since}{why}; the plan has {buys} buys.",
    )


def check_drawdown(inp: RiskInput, policy: Policy) -> CheckResult:
    """DRAWDOWN: drawdown since the last re-arming <= risk.drawdown_max, or state REDUCING and no buys."""
    most, since = policy.risk.drawdown_max, inp.kill_switch.since
    lost = f"{_percent(inp.drawdown)} below its maximum" + (f" since {since}" if since else "")
    return _answer(
        "DRAWDOWN",
        inp.drawdown <= most,
        excused=_reducing_only(inp),
        seen=f"{fixed(inp.drawdown, 4)}, state {inp.kill_switch.state}",
        allowed=f"at most {plain(most)}; or REDUCING with 0 buys",
        good=f"The book is {lost}; up to {_percent(most)} is allowed.",
        bad=f"The book is {lost}, more than the {_percent(most)} at which the desk halts itself.",
    )


def check_phase_cap(inp: RiskInput, policy: Policy) -> CheckResult:
    """PHASE_CAP *: phase share 1, or invested after all lines <= share x E x risk.phase_tolerance."""
    share = policy.sizing.phase_share
    with exact():
        invested = sum(figures.values_after(inp).values(), ZERO)
        most = share * figures.equity_gbp(inp) * policy.risk.phase_tolerance
    full = share == ONE
    limit = "no limit at full size" if full else f"£{fixed(most, 2)}"
    return _answer(
        "PHASE_CAP",
        full or at_most(invested, most),
        excused=not inp.buys,
        seen=f"£{fixed(invested, 2)} invested after all lines, phase share {plain(share)}, {len(inp.buys)} buys",
        allowed="phase share 1" if full else f"at most {limit}",
        good=f"After all lines £{fixed(invested, 2)} are invested at phase share {plain(share)} ({limit}).",
        bad=f"After all lines £{fixed(invested, 2)} would be invested; phase share {plain(share)} allows {limit}.",
    )


RISK_CHECKS: tuple[tuple[str, RiskCheck], ...] = (
    ("MAX_POSITIONS", check_max_positions),
    ("MAX_WEIGHT", check_max_weight),
    ("CASH_FLOOR", check_cash_floor),
    ("TURNOVER_CAP", check_turnover_cap),
    ("NO_SHORT", check_no_short),
    ("NO_LEVERAGE", check_no_leverage),
    ("NO_CFD", check_no_cfd),
    ("UNVERIFIED_NAME", check_unverified_name),
    ("UNKNOWN_SYMBOL", check_unknown_symbol),
    ("TRADE_SIZE", check_trade_size),
    ("STALE_PRICE", check_stale_price),
    ("SPLIT_PENDING", check_split_pending),
    ("KILL_SWITCH", check_kill_switch),
    ("DRAWDOWN", check_drawdown),
    ("PHASE_CAP", check_phase_cap),
)


def evaluate_risk(inp: RiskInput, policy: Policy) -> tuple[CheckResult, ...]:
    """Every risk rule's answer, in the order of the list. A rule that cannot look has failed, never passed."""
    return tuple(_closed(code, check, inp, policy) for code, check in RISK_CHECKS)


def _closed(code: str, check: RiskCheck, inp: RiskInput, policy: Policy) -> CheckResult:
    try:
        return check(inp, policy)
    except Exception as problem:
        why = f"{type(problem).__name__}: {problem}"
        return CheckResult(
            code=code,
            outcome=Outcome.FAIL,
            seen=f"could not be evaluated ({why})",
            allowed="an answer",
            sentence=f"{code} could not be evaluated: {why}.",
            remedy="The operator corrects the facts that the sentence names, then lets the plan run again.",
        )


def _answer(
    code: str,
    holds: bool,
    *,
    seen: str,
    allowed: str,
    good: str,
    bad: str,
    subjects: Iterable[str] = (),
    excused: bool = False,
) -> CheckResult:
    if holds or excused:
        sentence = good if holds else f"{bad} It passes because the plan has no buys: sales are never held up by it."
        return CheckResult(code, Outcome.PASS, seen, allowed, sentence)
    return CheckResult(code, Outcome.FAIL, seen, allowed, bad, RULES[code].remedy, tuple(sorted(subjects)))


def _reducing_only(inp: RiskInput) -> bool:
    return inp.kill_switch.state == "REDUCING" and not inp.buys


def _between(least: Decimal, amount: Decimal, most: Decimal) -> bool:
    return least <= amount and at_most(amount, most)


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _percent(share: Decimal) -> str:
    with exact():
        return f"{fixed(share * 100, 1)} %"
