"""The rules about pairs of bars and their corporate actions: jumps, distributions, adjusted closes, split noise.

Belongs here: finding in columns where a rule of `domain` has to look, and asking it there with exact numbers.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
import pyarrow as pa

from trading_ops.domain.calendar import previous_session
from trading_ops.domain.move_facts import Move
from trading_ops.domain.move_measure import HABIT_SESSIONS, measure
from trading_ops.domain.move_words import percent, signed, split_words
from trading_ops.domain.policy import Data
from trading_ops.domain.prices import NOT_ADJUSTED, Bar, CorporateAction, MarketView, clean_ratio
from trading_ops.domain.suspects import find_suspects
from trading_ops.domain.values import exact, plain
from trading_ops.history.columns import Columns, days_of
from trading_ops.history.findings import Code, Finding

NEAR = 1e-9
"""Room for float rounding when finding; the decimals decide."""
ADJUSTMENT_TOLERANCE = 0.01
"""Share by which an adjusted close may differ from what is on record: rounding of prices below 10 USD is half of it."""


@dataclass(frozen=True)
class Pairs:
    """Valid bars with what happened since the bar before; each array has one entry a bar.

    Attributes:
        bars: Valid bars, one a name and session.
        follows: Whether the bar has one of its name before it.
        ratio: Close x recorded split / previous close; 1 without a bar before.
        split: Product of the split ratios since the bar before.
        dividend: Sum of the dividends since the bar before, USD per share.
        actions: All corporate actions, by symbol.
    """

    bars: Columns
    follows: np.ndarray
    ratio: np.ndarray
    split: np.ndarray
    dividend: np.ndarray
    actions: dict[str, tuple[CorporateAction, ...]]

    @property
    def close(self) -> np.ndarray:
        """Closes."""
        return self.bars.floats("close")


def pairs(bars: Columns, actions: Sequence[CorporateAction]) -> Pairs:
    """Put every corporate action to the first bar on or after its ex-date."""
    follows = np.zeros(len(bars), bool)
    follows[1:] = bars.name[1:] == bars.name[:-1]
    split, dividend = np.ones(len(bars)), np.zeros(len(bars))
    rank = {name: index for index, name in enumerate(bars.names)}
    known = [action for action in actions if action.symbol in rank]
    names = np.array([rank[action.symbol] for action in known], np.int64)
    places = bars.place(names, days_of(action.ex_date for action in known))
    for action, name, place in zip(known, names, places, strict=True):
        if place == len(bars) or bars.name[place] != name:
            continue
        if action.kind == "split":
            split[place] *= float(action.value)
        else:
            dividend[place] += float(action.value)
    close = bars.floats("close")
    ratio = np.ones(len(bars))
    ratio[1:] = np.where(follows[1:], close[1:] * split[1:] / close[:-1], 1.0)
    by_symbol: dict[str, tuple[CorporateAction, ...]] = {}
    for action in actions:
        by_symbol[action.symbol] = (*by_symbol.get(action.symbol, ()), action)
    return Pairs(bars, follows, ratio, split, dividend, by_symbol)


def view_of(found: Pairs, places: np.ndarray, benchmark: str) -> MarketView:
    """What measuring the moves at some places needs: the month of bars before each, and the benchmark's sessions."""
    back = np.unique((places[:, None] - np.arange(HABIT_SESSIONS + 1)[None, :]).ravel())
    near = back[back >= 0]
    if benchmark in found.bars.names:
        mine = np.flatnonzero(found.bars.name == found.bars.names.index(benchmark))
        days = found.bars.day[near]
        near = np.union1d(near, mine[np.isin(found.bars.day[mine], days)])
    bars: dict[str, dict[dt.date, Bar]] = {}
    for bar in found.bars.bars(near):
        bars.setdefault(bar.symbol, {})[bar.session] = bar
    newest = max((day for of_name in bars.values() for day in of_name), default=dt.date.min)
    return MarketView(asof=newest, bars=bars, duplicates=(), actions=found.actions, fixings=())


def moves_between(found: Pairs, low: Decimal, high: Decimal | None, benchmark: str) -> tuple[MarketView, list[Move]]:
    """Moves beyond a factor either way, up to another if there is one, by name and session, with their surroundings."""
    size = np.abs(np.log(found.ratio))
    wanted = size > float(low.ln()) - NEAR
    if high is not None:
        wanted &= size < float(high.ln()) + NEAR
    places = np.flatnonzero(wanted)
    view = view_of(found, places, benchmark)
    moves = [measure(view, *found.bars.key(place), benchmark) for place in places]
    return view, [m for m in moves if m and _beyond(m, low) and not (high is not None and _beyond(m, high))]


def _beyond(move: Move, factor: Decimal) -> bool:
    """Written with products, as the gate's own rule is, so that ties fall the same way."""
    with exact():
        now = move.close * move.split
        return now > move.previous_close * factor or now * factor < move.previous_close


def gate_code(view: MarketView, move: Move, data: Data) -> str:
    """The code with which the data gate freezes the name at that session, or nothing."""
    then = replace(view, asof=move.session)
    suspects = find_suspects(then, [move.symbol], previous_session(move.session), (), data)
    return next((s.code for s in suspects if s.session == move.session), "")


def special_distributions(found: Pairs, data: Data, benchmark: str) -> Iterator[Finding]:
    """Distributions above `data.special_distribution` of the previous close, and whether the price fell by them."""
    previous = np.ones(len(found.bars))
    previous[1:] = found.close[:-1]
    share = float(data.special_distribution) * (1 - NEAR)
    places = np.flatnonzero(found.follows & (found.dividend > share * previous))
    view = view_of(found, places, benchmark)
    for place in places:
        move = measure(view, *found.bars.key(place), benchmark)
        with exact():
            if move is not None and move.distribution > data.special_distribution * move.previous_close:
                yield Finding(Code.SPECIAL_DISTRIBUTION, move.symbol, move.session, _special(move))


def _special(move: Move) -> str:
    counted = min(move.totals, key=lambda total: abs(total.ln()))
    fell = abs(counted.ln()) <= abs(move.ratio.ln())
    share = percent(move.distribution / move.previous_close, 1)
    doubt = "" if fell else " The price did not fall by it: it may be recorded twice, or beside it a split is missing."
    return (
        f"{plain(move.distribution)} USD a share, {share} of the previous close; the session comes to "
        f"{signed(move.ratio)} without and {signed(counted)} with it.{doubt}"
    )


def unexplained_adjustments(found: Pairs) -> Iterator[Finding]:
    """Adjusted closes that move by something which neither the close nor an action on record explains."""
    adjusted = found.bars.floats("adj_close")
    own = ~found.bars.flagged(NOT_ADJUSTED)
    source = np.asarray(found.bars.table["source"].combine_chunks().dictionary_encode().indices)[found.bars.row]
    looked = found.follows[1:] & own[1:] & own[:-1] & (source[1:] == source[:-1])
    close, previous, split, cash = found.close[1:], found.close[:-1], found.split[1:], found.dividend[1:]
    seen = adjusted[1:] / adjusted[:-1]
    # A dividend on the day of a split is per share before it with some sources, per share after it with others.
    readings = ((close * split + cash) / previous, (close + cash) * split / previous)
    off = np.min([np.abs(np.log(seen / reading)) for reading in readings], axis=0)
    for place in np.flatnonzero(looked & (off > ADJUSTMENT_TOLERANCE)):
        symbol, day = found.bars.key(place + 1)
        nearest = min((reading[place] for reading in readings), key=lambda r: abs(np.log(seen[place] / r)))
        sentence = (
            f"The adjusted close moves by {seen[place]:.4f} where close and actions on record give {nearest:.4f}: "
            f"{seen[place] / nearest:.4f} is counted for something that is not on record."
        )
        yield Finding(Code.ADJUSTMENT_UNEXPLAINED, symbol, day, sentence)


def split_noise(actions: pa.Table, data: Data) -> Iterator[Finding]:
    """Split ratios as they came that are taken as the fraction they mean."""
    for row in actions.to_pylist():
        if row["kind"] != "split" or not row["value"]:
            continue
        clean = clean_ratio(row["value"], data.split_max_denominator, data.split_noise)
        if clean != row["value"]:
            sentence = f"{plain(row['value'])} from {row['source']} is taken as {split_words(clean)}."
            yield Finding(Code.SPLIT_NOISE, row["symbol"], row["ex_date"], sentence)
