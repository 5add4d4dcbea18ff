"""What a large move of a price was, judged from evidence; when nothing decides, that is the answer.

Belongs here: the rules that lead to a class, in the order in which they are asked. A rule knows figures, never names.
Does not belong here: measuring a move (`move_measure`), the answers (`move_classes`), finding it (`suspects`), or
letting a name trade: a class is advice to the person who looks it up.
"""

from collections.abc import Callable
from decimal import Decimal

from trading_ops.domain import move_words as words
from trading_ops.domain.move_classes import (
    Classified,
    distributed,
    estimated,
    genuine,
    missing_split,
    recorded,
    spurious_split,
    unclear,
)
from trading_ops.domain.move_facts import Move
from trading_ops.domain.policy import Data
from trading_ops.domain.values import ONE, exact, fixed

QUIET_VOLUME = Decimal(2)
"""Times the usual volume: 19 of 20 sessions of 150 US stocks from 2005 to 2021 stay within it."""
HEAVY_VOLUME = Decimal("2.5")
"""Times the usual volume: one session in 40 exceeds it, and news that moves a price by 40 % nearly always does."""
LOUD_VOLUME = Decimal(5)
"""Times the usual volume: one session in 300; not even a perfect split ratio stands against it."""
QUIET_RANGE = Decimal(3)
"""Usual daily ranges: 99 of 100 sessions stay within it."""
OWN_HABIT = Decimal(5)
"""Usual daily ranges: a move within it is one that the name makes by itself; 99.8 of 100 sessions are."""
MARKET_MOVE = Decimal("0.04")
"""Share by which the market moves on one session in 65; then large moves need no news of their own."""
MARKET_TIMES = Decimal(5)
"""A name moves up to so many times as far as the market on such a day, in logarithms."""
OVERNIGHT = Decimal("0.75")
"""Share of a move that must be there at the open before something else than trading can have made it all."""
MOST_GIVEN = Decimal("0.75")
"""Share of its price that a company gives away at most: of the spin-offs looked at, the largest was 0.70."""
HALF = Decimal("0.5")
"""A corporate action explains a move when less than half of it is left, and trading when less than half came before."""
EXACT_SPLIT = Decimal("0.002")
"""Share; a source that adjusts for a split does so by the split's own ratio, whatever the price did."""


def classify(move: Move, data: Data) -> Classified:
    """Judge one move; the first rule that can say something decides.

    Args:
        move: The move's figures.
        data: The policy's `data` section: `jump_max`, `split_tolerance`, `usual_splits`, `special_distribution`.
    """
    with exact():
        for rule in _RULES:
            answer = rule(move, data)
            if answer is not None:
                return answer
        doubt = "a price may be wrong" if move.overnight < HALF else "a corporate action or news may be behind it"
        return unclear(move, f"Nothing decides by the figures: {doubt}.")


def _recorded_distribution(move: Move, data: Data) -> Classified | None:
    """A large distribution on record leaves less than half of the move."""
    if move.distribution <= data.special_distribution * move.previous_close:
        return None
    before, after = move.totals
    total = min(before, after, key=lambda t: abs(t.ln()))
    if not _explained(total, move, data):
        return None
    amount = recorded(move, "" if move.split == ONE else "before" if total == before else "after")
    reason = f"With the recorded distribution of {amount} the session comes to {words.signed(total)}."
    return distributed(move, reason, f"{amount}, as recorded")


def _split_not_seen(move: Move, data: Data) -> Classified | None:
    """A split is on record, and the price as traded did not move."""
    opened = move.open / move.previous_close
    if move.split == ONE or not (_settled(opened, move, data) and _settled(move.raw, move, data)):
        return None
    if move.volume_times is not None and move.volume_times > HEAVY_VOLUME:
        reason = "The price as traded hardly moved although a split is recorded, on a volume that speaks of news."
        return unclear(move, reason)
    return spurious_split(move)


def _adjusted_by_source(move: Move, data: Data) -> Classified | None:
    """The source's own adjusted close counts something that is not on its record."""
    if move.adjusted is None or not _explained(move.adjusted, move, data):
        return None
    if any(abs(move.adjusted - known) <= data.split_tolerance * known for known in (move.ratio, *move.totals)):
        return None
    counted = move.adjusted / move.ratio
    reason = "The source's adjusted close counts"
    split = _exact_split(counted, data)
    if split is not None:
        return missing_split(move, f"{reason} a split {words.split_words(split)} that is not on its record.", split)
    if move.distribution:
        after = move.adjusted / move.totals[1]
        before = (move.adjusted * move.previous_close - move.distribution) / (move.close * move.split)
        for factor, when in ((after, "after"), (before, "before")):
            split = _exact_split(factor, data)
            if split is not None:
                text = f"{reason} a split {words.split_words(split)} beside the recorded distribution."
                return distributed(move, text, f"{recorded(move, when)}, as recorded", split)
    if move.ratio > ONE:
        return None
    text = f"{reason} {words.percent(counted - ONE, 1)} of the close as given away, and no such thing is on its record."
    return distributed(move, text, estimated(move, (counted - ONE) * move.close))


def _exact_split(factor: Decimal, data: Data) -> Decimal | None:
    return next((s for s in _ratios(data) if abs(factor - s) <= EXACT_SPLIT * s), None)


def _like_a_split(move: Move, data: Data) -> Classified | None:
    """Open and close stand at a usual split ratio, on a day that was quiet otherwise."""
    split = next((s for s in _ratios(data) if _settled(move.gap * s, move, data, at_open=True)), None)
    if split is None or not _settled(move.ratio * split, move, data):
        return None
    loud = LOUD_VOLUME if move.range_times is not None and move.range_times <= QUIET_RANGE else HEAVY_VOLUME
    if move.volume_times is not None and move.volume_times > loud:
        return None
    true = move.split * split
    if ONE not in (move.split, true) and _exact_split(true, data) is None:
        return None
    off = words.percent(abs(move.gap * split - ONE), 1)
    near = f"The open is within {off} of a split {words.split_words(split)}"
    doubt = _doubt(move, data)
    if doubt:
        return unclear(move, f"{near}, {doubt}.")
    return missing_split(move, f"{near}, and volume and range of the day are ordinary.", split)


def _doubt(move: Move, data: Data) -> str:
    """Why a move that looks like a split may be something else; empty when nothing speaks against it."""
    times, range_times, habits = move.volume_times, move.range_times, move.habits
    if move.split != ONE:
        return "beside the recorded one: its ratio may be wrong, or value was given away"
    if move.distribution > data.special_distribution * move.previous_close:
        return "and the recorded distribution does not fit the move"
    if times is None or range_times is None or habits is None:
        return "and too little is known of the name's usual days to tell it from news"
    if habits <= OWN_HABIT:
        return "and within what the name moves by itself"
    if move.market is not None and _with_market(move, move.market):
        return "and the market moved the same way"
    return "and the day was not quiet" if times > QUIET_VOLUME or range_times > QUIET_RANGE else ""


def _given_away(move: Move, data: Data) -> Classified | None:
    """Value left overnight, on ordinary volume, in a calm name and market: nobody sold, so it was distributed."""
    del data
    times, habits = move.volume_times, move.habits
    if move.ratio >= ONE or times is None or habits is None or move.market is None:
        return None
    calm = habits > OWN_HABIT and times <= QUIET_VOLUME and abs(move.market - ONE) < MARKET_MOVE
    if not calm or move.overnight < OVERNIGHT or move.in_session > (ONE - OVERNIGHT) * move.size:
        return None
    if ONE - move.gap > MOST_GIVEN:
        return None
    reason = (
        f"{words.percent(ONE - move.gap, 1)} of the value was gone at the open and stayed away, with ordinary volume "
        "and a quiet market: something was given to holders."
    )
    return distributed(move, reason, estimated(move, move.previous_close / move.split - move.open))


def _traded(move: Move, data: Data) -> Classified | None:
    """Volume, the market or the name's own habits explain the move as trading."""
    del data
    reasons = []
    in_session = move.overnight < HALF
    times = move.shares_times if in_session else move.volume_times
    if times is not None and times > HEAVY_VOLUME:
        reasons.append(f"the volume is {fixed(times, 1)} times the usual")
    if move.market is not None and _with_market(move, move.market):
        reasons.append(f"{move.benchmark} moved the same way, {words.signed(move.market)}")
    if move.habits is not None and move.habits <= OWN_HABIT:
        reasons.append(f"the name moves so by itself, {fixed(move.habits, 1)} usual daily ranges")
    if not reasons:
        return None
    if in_session:
        reasons.append(f"{words.percent(ONE - move.overnight, 0)} of the move was traded in the session")
    return genuine(move, reasons)


_RULES: tuple[Callable[[Move, Data], Classified | None], ...] = (
    _recorded_distribution,
    _split_not_seen,
    _adjusted_by_source,
    _like_a_split,
    _given_away,
    _traded,
)


def _explained(total: Decimal, move: Move, data: Data) -> bool:
    """What is left needs no corporate action by the policy, and is less than half of the move."""
    return abs(total.ln()) <= min(data.jump_max.ln(), HALF * move.size)


def _settled(ratio: Decimal, move: Move, data: Data, *, at_open: bool = False) -> bool:
    """A ratio is 1 but for the policy's tolerance, or for what the name does on any quiet day after the open."""
    room = (ONE + data.split_tolerance).ln()
    if move.usual_range is not None and not at_open:
        room = max(room, QUIET_RANGE * move.usual_range.ln())
    return abs(ratio.ln()) <= room


def _with_market(move: Move, market: Decimal) -> bool:
    same_way = (market > ONE) == (move.ratio > ONE)
    return same_way and abs(market - ONE) >= MARKET_MOVE and move.size <= MARKET_TIMES * abs(market.ln())


def _ratios(data: Data) -> tuple[Decimal, ...]:
    """The usual splits and their inverses."""
    return (*data.usual_splits, *(ONE / split for split in data.usual_splits))
