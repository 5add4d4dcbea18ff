"""Causes of a difference in units that are no fill: splits, new names, and a snapshot that was mistyped."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from trading_ops.domain.corrections import RecordEvent, RecordSplit, RetakeSnapshot, VoidSplit
from trading_ops.domain.diagnosis_case import Case
from trading_ops.domain.diagnosis_cause import EXACT, FITS, NEAR, NEUTRAL, Cause, settled
from trading_ops.domain.diagnosis_digits import slip_of_snapshot, swap_of_snapshot
from trading_ops.domain.ledger_facts import CorporateEvent
from trading_ops.domain.prices import CorporateAction
from trading_ops.domain.values import ONE, UNIT_PLACES, ZERO, Session, Symbol, exact, half_even, plain

SPLIT_DAYS = dt.timedelta(days=30)
TWIN_DAYS = dt.timedelta(days=14)
PATIENCE = dt.timedelta(days=5)
"""A broker may be that late with a split."""
SPLIT_SESSIONS = 4
OLD_PRICE = dt.timedelta(days=400)
SIMPLE = 20
"""Largest number in a ratio of a spin-off that counts as simple."""


def of_units(case: Case, symbol: Symbol) -> Iterator[Cause]:
    """Causes of one name's difference that are no fill."""
    line = case.line(symbol)
    if line.verdict == "drift":
        doubled = tuple(_split_too_many(case, symbol))
        yield from doubled or _split_lacking(case, symbol)
    if not case.typed_again(symbol):
        yield from _snapshot_mistyped(case, symbol)
    if line.verdict == "only_broker":
        yield from _name_changed(case, symbol)
        yield from _spun_off(case, symbol)
    if line.verdict == "only_ledger" and not case.typed_again(symbol):
        sentence = (
            f"The snapshot does not list {symbol}, but no cash of a sale is there. Look whether eToro still shows "
            f"{plain(line.ledger or ZERO)} units; if not, the name was delisted or exchanged."
        )
        retake = RetakeSnapshot(snapshot_id=_id(case), why=sentence, field=symbol, expected=line.ledger)
        yield settled("NOT_TYPED", (symbol,), ZERO, NEUTRAL + 2, sentence, retake)


def _id(case: Case) -> str:
    return case.evidence.snapshot.snapshot_id


def _split_lacking(case: Case, symbol: Symbol) -> Iterator[Cause]:
    taken = case.evidence.snapshot.taken_at.date()
    booked = {s.ex_date for s in case.evidence.facts.splits if s.symbol == symbol}
    known = {(s.ex_date, s.value) for s in case.evidence.known_splits if s.symbol == symbol and s.kind == "split"}
    known |= {
        (s.ex_date, s.value) for s in case.evidence.facts.splits if s.symbol == symbol and s.ex_date > case.through
    }
    found = False
    for ex_date, ratio in sorted(known):
        applied = ex_date <= case.through and ex_date in booked
        if applied or abs(ex_date - taken) > SPLIT_DAYS or ratio <= ZERO:
            continue
        entry = RecordSplit(snapshot_id=_id(case), symbol=symbol, ex_date=min(ex_date, case.through), ratio=ratio)
        if case.fits((symbol,), (entry,)):
            found = True
            yield _lacking(case, symbol, ex_date, ratio, booked)
    if not found:
        yield from _split_unheard_of(case, symbol)


def _lacking(case: Case, symbol: Symbol, ex_date: Session, ratio: Decimal, booked: set[Session]) -> Cause:
    about = f"The broker shows {plain(ratio)} units of {symbol} for each unit of the ledger"
    if ex_date > case.through:
        sentence = (
            f"{about}: the split of {ex_date} is in the snapshot, which is entered as of {case.through}. Enter the "
            "snapshot with the session it shows."
        )
        retake = RetakeSnapshot(snapshot_id=_id(case), why=sentence, field="session", expected=None)
        return settled("SPLIT_UNBOOKED", (symbol,), ZERO, EXACT - 2, sentence, retake, certain=True)
    sentence = f"{about}: the split {plain(ratio)} for 1 of {ex_date} is known and not in the ledger."
    entry = RecordSplit(snapshot_id=_id(case), why=sentence, symbol=symbol, ex_date=ex_date, ratio=ratio)
    return settled("SPLIT_UNBOOKED", (symbol,), ZERO, EXACT - 2, sentence, entry, certain=True)


def _split_unheard_of(case: Case, symbol: Symbol) -> Iterator[Cause]:
    """A usual ratio that no source knows: the price may tell."""
    usual = case.evidence.policy.data.usual_splits
    with exact():
        ratios = (*usual, *(ONE / r for r in usual))
    days = sorted({case.through, *(f.session for f in case.fills(symbol))}, reverse=True)[:SPLIT_SESSIONS]
    for ratio in ratios:
        for ex_date in days:
            entry = RecordSplit(snapshot_id=_id(case), symbol=symbol, ex_date=ex_date, ratio=ratio)
            if case.fits((symbol,), (entry,)):
                told = _price_tells(case, symbol, ratio)
                cost = {True: FITS - 1, None: FITS + 1, False: NEAR}[told]
                sentence = (
                    f"The broker shows {plain(half_even(ratio, 6))} units of {symbol} for each unit of the ledger, a "
                    f"usual split ratio{' that its price agrees with' if told else ''}; no source has told of it."
                )
                yield settled("SPLIT_UNBOOKED", (symbol,), ZERO, cost, sentence, entry)
                break


def _price_tells(case: Case, symbol: Symbol, ratio: Decimal) -> bool | None:
    """The price fell as a split would have it; None when there is nothing to compare."""
    close = case.evidence.closes.get(symbol)
    fills = [f for f in case.evidence.facts.fills if f.symbol == symbol and f.session <= case.through]
    if not fills or close is None or close <= ZERO:
        return None
    newest = max(fills, key=lambda f: (f.filled_at, f.fill_id))
    if case.through - newest.session > OLD_PRICE:
        return None
    with exact():
        fell = newest.price_usd / case.factor(symbol, newest.session) / close
        # nearer to the ratio than to 1, in proportion
        return fell * fell > ratio if ratio > ONE else fell * fell < ratio


def _split_too_many(case: Case, symbol: Symbol) -> Iterator[Cause]:
    splits = [s for s in case.evidence.facts.unique_splits() if s.symbol == symbol and s.ex_date <= case.through]
    for split in splits:
        if case.through - split.ex_date > SPLIT_DAYS:
            continue
        entry = VoidSplit(snapshot_id=_id(case), symbol=symbol, ex_date=split.ex_date, ratio=split.value)
        if case.fits((symbol,), (entry,)):
            yield from _too_many(case, split, [s for s in splits if s.ex_date != split.ex_date], entry)


def _too_many(case: Case, split: CorporateAction, others: list[CorporateAction], entry: VoidSplit) -> Iterator[Cause]:
    symbol = split.symbol
    what = f"The ledger applied the split {plain(split.value)} for 1 of {symbol} of {split.ex_date}"
    twin = next((o for o in others if o.value == split.value and abs(o.ex_date - split.ex_date) <= TWIN_DAYS), None)
    if twin is not None:
        if twin.ex_date < split.ex_date:  # of the two the later one goes
            sentence = f"{what} and the same of {twin.ex_date}; the broker applied one. It is there twice."
            yield settled("SPLIT_DOUBLED", (symbol,), ZERO, EXACT - 2, sentence, entry, certain=True)
        return
    told = {k.source for k in case.evidence.known_splits if (k.symbol, k.ex_date) == (symbol, split.ex_date)}
    if told - {split.source} or (told and case.through - split.ex_date <= PATIENCE):
        sentence = f"{what}; the broker has not applied it yet. Take a new snapshot once it has."
        retake = RetakeSnapshot(snapshot_id=_id(case), why=sentence, field=symbol, expected=case.now.units.get(symbol))
        yield settled("SPLIT_DOUBLED", (symbol,), ZERO, EXACT - 1, sentence, retake, certain=len(told) > 1)
        return
    sentence = f"{what}; the broker did not, and no other source has it."
    yield settled("SPLIT_DOUBLED", (symbol,), ZERO, EXACT, sentence, entry)


def _snapshot_mistyped(case: Case, symbol: Symbol) -> Iterator[Cause]:
    shown, held = case.evidence.snapshot.holdings.get(symbol), case.now.units.get(symbol)
    if shown is None or held is None:
        return
    point = slip_of_snapshot(held, shown.units, shown.places)
    if point is not None:
        sentence = (
            f"The snapshot says {plain(shown.units)} {symbol}; with the decimal point moved it is the ledger's "
            f"{plain(point)}. Look at the units of {symbol} on eToro and type the snapshot again."
        )
        retake = RetakeSnapshot(snapshot_id=_id(case), why=sentence, field=symbol, expected=point)
        with exact():
            told = _price_tells(case, symbol, shown.units / held)
        yield settled("DECIMAL_SLIP", (symbol,), ZERO, NEAR if told else FITS + 1, sentence, retake)
    if swap_of_snapshot(held, shown.units, shown.places):
        right = half_even(held, shown.places)
        sentence = (
            f"The snapshot says {plain(shown.units)} {symbol}; with two neighbouring digits exchanged it is the "
            f"ledger's {plain(right)}. Look at the units of {symbol} on eToro and type the snapshot again."
        )
        retake = RetakeSnapshot(snapshot_id=_id(case), why=sentence, field=symbol, expected=right)
        yield settled("DIGITS_SWAPPED_SNAPSHOT", (symbol,), ZERO, FITS + 2, sentence, retake)


def _name_changed(case: Case, symbol: Symbol) -> Iterator[Cause]:
    for old in (d.symbol for d in case.drifting if d.verdict == "only_ledger"):
        event = CorporateEvent("proposed", "name_change", old, case.through, new_symbol=symbol)
        sentence = f"The broker shows {symbol} with exactly the units that the ledger has of {old}: the name changed."
        entry = RecordEvent(snapshot_id=_id(case), why=sentence, event=event)
        lines = tuple(sorted((old, symbol)))
        if case.fits(lines, (entry,)):
            cost = NEUTRAL + 2 if _just_bought(case, old) else EXACT
            yield settled("NAME_CHANGE", lines, ZERO, cost, sentence, entry)


def _just_bought(case: Case, symbol: Symbol) -> bool:
    """All units come from one recent fill: more likely that one was made in another name."""
    taken = case.evidence.snapshot.taken_at
    fills = [f for f in case.evidence.facts.fills if f.symbol == symbol and f.filled_at <= taken]
    newest = max(fills, key=lambda f: (f.filled_at, f.fill_id), default=None)
    if newest is None or newest.side != "BUY" or case.through - newest.session > TWIN_DAYS:
        return False
    return newest.units == case.now.units.get(symbol)


def _spun_off(case: Case, symbol: Symbol) -> Iterator[Cause]:
    shown = case.evidence.snapshot.holdings[symbol]
    special = _special(case)
    for parent, units in sorted(case.now.units.items()):
        if parent == symbol or any(d.symbol == parent for d in case.drifting):
            continue
        simple = _simple_ratio(shown.units, units, shown.places)
        if simple is None and parent not in special:
            continue
        day = special.get(parent, case.through)
        event = CorporateEvent(
            "proposed", "spin_off", parent, day, symbol, shown.units, _cost_share(case, parent, units, symbol)
        )
        ratio = f" ({simple} for each unit)" if simple is not None else ""
        sentence = (
            f"The broker shows {plain(shown.units)} units of {symbol}, which nobody bought and no cash paid for: a "
            f"spin-off of {parent}{ratio}. Check the share of cost that moves."
        )
        entry = RecordEvent(snapshot_id=_id(case), why=sentence, event=event)
        if case.fits((symbol,), (entry,)):
            strong = parent in special or len(shown.units.normalize().as_tuple().digits) >= 4
            yield settled("SPIN_OFF", (symbol,), ZERO, FITS if strong else NEUTRAL, sentence, entry)


def _special(case: Case) -> dict[Symbol, Session]:
    """Names with a dividend so large that it may be a spin-off, with its ex-date."""
    limit = case.evidence.policy.data.special_distribution
    found: dict[Symbol, Session] = {}
    for dividend in sorted(case.evidence.expected, key=lambda d: (d.ex_date, d.symbol)):
        close = case.evidence.closes.get(dividend.symbol)
        with exact():
            large = close is not None and dividend.amount_usd > limit * close
        if large and not dividend.booked and dividend.ex_date <= case.through:
            found[dividend.symbol] = dividend.ex_date
    return found


def _simple_ratio(new: Decimal, old: Decimal, places: int) -> Fraction | None:
    """New units for each old one, as a fraction of small numbers, if it gives the new units as typed."""
    ratio = Fraction(new / old).limit_denominator(SIMPLE)
    if not 0 < ratio.numerator <= SIMPLE:
        return None
    with exact():
        units = half_even(half_even(old * ratio.numerator / ratio.denominator, UNIT_PLACES), places)
    return ratio if units == new else None


def _cost_share(case: Case, parent: Symbol, units: Decimal, new: Symbol) -> Decimal:
    """The new name's share of the pounds of both, 4 decimals; 0 when a close is not known."""
    closes, shown = case.evidence.closes, case.evidence.snapshot.holdings[new]
    if new not in closes or parent not in closes:
        return ZERO
    with exact():
        mine = shown.units * closes[new]
        whole = mine + units * closes[parent]
        return half_even(mine / whole, 4) if whole > ZERO else ZERO
