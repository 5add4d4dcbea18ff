"""Adjusted closes worked out from raw closes and the actions on record, for series that no one source adjusted.

A source's own adjusted closes are right only among themselves: they drift with every later dividend, and those of two
sources, or of two downloads, do not fit together. What is worked out here from one data snapshot always does.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

from trading_ops.domain.prices import Bar, CorporateAction
from trading_ops.domain.values import ONE, ZERO, Session, exact


def adjusted(bars: Mapping[Session, Bar], actions: Iterable[CorporateAction], asof: Session) -> dict[Session, Bar]:
    """The bars of one name with adjusted closes as of D; a bar without a usable close keeps what it has.

    Args:
        bars: The name's bars by session.
        actions: Its corporate actions; those after D do not count.
        asof: The as-of session D.
    """
    usable = {s: b.close for s, b in bars.items() if s <= asof and b.close.is_finite() and b.close > ZERO}
    closes = derived_adjusted_closes(usable, actions)
    return {s: replace(b, adj_close=closes[s]) if s in closes else b for s, b in bars.items()}


SAME = Decimal("0.05")
"""Share: an adjusted close that moved as the raw one did, across a split larger than this, knows nothing of it."""


def knows_its_splits(bars: Mapping[Session, Bar], actions: Iterable[CorporateAction]) -> bool:
    """The adjusted closes of one name do not move as the raw ones do across a split on record that took place.

    False where a split was put on record after its source had adjusted the closes without it. A split that the raw
    price knows nothing of is no reason: it is probably not one.
    """
    splits = [action for action in actions if action.kind == "split"]
    if not splits:
        return True
    usable = [bar for bar in bars.values() if min(bar.close, bar.adj_close) > ZERO]
    for before, on in pairwise(usable):
        if not any(before.session < split.ex_date <= on.session for split in splits):
            continue
        units, _ = one_share_later(splits, before.session, on.session)
        with exact():
            raw_move, adjusted_move = on.close / before.close, on.adj_close / before.adj_close
            took_place = abs(raw_move * units - ONE) < abs(raw_move - ONE)
            if took_place and abs(units - ONE) > SAME > abs(adjusted_move / raw_move - ONE):
                return False
    return True


def derived_adjusted_closes(
    closes: Mapping[Session, Decimal], actions: Iterable[CorporateAction]
) -> dict[Session, Decimal]:
    """Adjusted closes as of the newest session.

    With C the closes, s the product of the split ratios and d the dividends with ex-date after the session before and
    up to t: R_t = (C_t x s + d) / C_t-1, A = C at the newest session, A_t-1 = A_t / R_t. That is the total return with
    dividends reinvested at the close of their ex-date. A dividend is per share before the split of its day.

    Args:
        closes: Raw closes in USD by session, each above 0; sessions without one are left out.
        actions: Splits and dividends of the name; those outside the sessions do not count.

    Returns:
        Adjusted closes in USD, for every session of `closes`, with 50 digits.
    """
    sessions = sorted(closes)
    if not sessions:
        return {}
    wanted = [action for action in actions if sessions[0] < action.ex_date <= sessions[-1]]
    factors = {sessions[-1]: ONE}
    with exact():
        for before, session in reversed(list(pairwise(sessions))):
            factor = factors[session]
            if any(before < action.ex_date <= session for action in wanted):
                units, cash = one_share_later(wanted, before, session)
                factor *= closes[session] / (closes[session] * units + cash)
            factors[before] = factor
        return {session: closes[session] * factors[session] for session in sessions}


def one_share_later(actions: Iterable[CorporateAction], after: Session, through: Session) -> tuple[Decimal, Decimal]:
    """Units and USD that one share became through its corporate actions with `after < ex_date <= through`."""
    units, cash = ONE, ZERO
    with exact():
        # A dividend is per share before the split of its day, so it comes first.
        for action in sorted(actions, key=lambda a: (a.ex_date, a.kind == "split")):
            if not after < action.ex_date <= through:
                continue
            if action.kind == "split":
                units *= action.value
            else:
                cash += units * action.value
    return units, cash
