"""Each name's bars adjusted as of the snapshot's session, in numpy.

Belongs here: factors from closes, adjusted closes and corporate actions, in float64. Does not belong here: the exact
rule (`domain.adjustment`), which this repeats for all names quickly.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from trading_ops.domain import adjustment
from trading_ops.domain.policy import Data
from trading_ops.domain.prices import clean_ratio
from trading_ops.qlib_export.matrix import Matrix
from trading_ops.qlib_export.months import ADJUSTED, CLOSE, HIGH, LOW, OPEN, VOLUME, Floats, Ints, to_floats

SAME = float(adjustment.SAME)
FIELDS = ("open", "high", "low", "close", "volume", "factor")
"""Qlib's fields, in the order of the rows of `Adjusted.numbers`; adjusted = as traded x factor."""


@dataclass(frozen=True)
class Adjusted:
    """One name's series from its first valid bar through its last.

    Attributes:
        first: Place of its first bar in the matrix's sessions.
        rows: Number of valid bars.
        derived: The factor was worked out from closes and actions, not taken from the source's adjusted closes.
        numbers: Little-endian float32, a row for each of FIELDS; column 0 is free for the start index.
    """

    first: int
    rows: int
    derived: bool
    numbers: npt.NDArray[np.float32]


@dataclass(frozen=True)
class _Events:
    """Corporate actions of one name, ex-date ascending, a dividend before the split of its day."""

    days: Ints
    split: npt.NDArray[np.bool_]
    value: Floats


class Adjuster:
    """Adjusts the names of one matrix."""

    def __init__(self, matrix: Matrix, data: Data) -> None:
        """Take a matrix.

        Args:
            matrix: Bars as traded and corporate actions.
            data: The policy's `data` section: how split ratios are cleaned.
        """
        self._matrix = matrix
        self._events = _events_by_symbol(matrix.actions, data)

    def adjusted(self, place: int) -> Adjusted:
        """The series of the name at a place of the matrix; it has a valid bar."""
        bars = self._matrix.values[:, place]
        valid = np.flatnonzero(~np.isnan(bars[CLOSE]))
        first, end = int(valid[0]), int(valid[-1]) + 1
        bars = bars[:, first:end]
        events = self._events.get(self._matrix.symbols[place])
        at, units, cash = self._each_bar(events, valid, every=False)
        derived = self._derives(place) or not _knows_its_splits(bars, valid - first, at - first, units)
        if derived:
            at, units, cash = self._each_bar(events, valid, every=True)
        if derived:
            close = bars[CLOSE][at - first]
            factor = _back(end - first, at - first, close / (close * units + cash))
            adjusted_close = bars[CLOSE] * factor
        else:
            factor, adjusted_close = bars[ADJUSTED] / bars[CLOSE], bars[ADJUSTED]
        numbers = np.empty((len(FIELDS), 1 + end - first), "<f4")
        for field, raw in enumerate((OPEN, HIGH, LOW)):
            np.multiply(bars[raw], factor, out=numbers[field, 1:], casting="same_kind")
        numbers[3, 1:] = adjusted_close
        np.multiply(bars[VOLUME], _back(end - first, at - first, units), out=numbers[4, 1:], casting="same_kind")
        numbers[5, 1:] = np.where(np.isnan(bars[CLOSE]), np.nan, factor)
        return Adjusted(first, int(valid.size), derived, numbers)

    def _derives(self, place: int) -> bool:
        """Adjusted closes of two sources do not fit together, and some sources do not adjust at all."""
        codes = np.flatnonzero(np.bincount(self._matrix.basis[place]))
        bases = [self._matrix.bases[code - 1] for code in codes if code]
        return len({source for source, _ in bases}) > 1 or not all(is_adjusted for _, is_adjusted in bases)

    def _each_bar(self, events: _Events | None, valid: Ints, *, every: bool) -> tuple[Ints, Floats, Floats]:
        """Events put to the first valid bar on or after their ex-date; those before the second or after the last go.

        Returns:
            Places of such bars; the units that one share became by then; the USD that it was paid meanwhile.
        """
        if events is None:
            return np.empty(0, np.int64), np.empty(0), np.empty(0)
        bar = np.searchsorted(valid, np.searchsorted(self._matrix.days, events.days))
        counts = (bar > 0) & (bar < valid.size) & (events.split | every)
        at: list[int] = []
        units: list[float] = []
        cash: list[float] = []
        for place, split, value in zip(
            valid[bar[counts]].tolist(), events.split[counts].tolist(), events.value[counts].tolist(), strict=True
        ):
            if not at or at[-1] != place:
                at.append(place)
                units.append(1.0)
                cash.append(0.0)
            if split:
                units[-1] *= value
            else:
                cash[-1] += units[-1] * value
        return np.array(at, np.int64), np.array(units), np.array(cash)


def _knows_its_splits(bars: Floats, valid: Ints, at: Ints, units: Floats) -> bool:
    """See `domain.adjustment.knows_its_splits`: False where adjusted closes move across a split as raw ones do."""
    if not at.size:
        return True
    before = valid[np.searchsorted(valid, at) - 1]
    raw = bars[CLOSE][at] / bars[CLOSE][before]
    adjusted = bars[ADJUSTED][at] / bars[ADJUSTED][before]
    took_place = np.abs(raw * units - 1) < np.abs(raw - 1)
    unmoved = np.abs(adjusted / raw - 1) < SAME
    return not bool((took_place & unmoved & (np.abs(units - 1) > SAME)).any())


def _back(length: int, at: Ints, steps: Floats) -> Floats:
    """The product of all later steps, for each place: 1 from the last step on. A new session changes none of it."""
    product = np.ones(length)
    if at.size:
        product[at - 1] = steps
        product = product[::-1].cumprod()[::-1]
    return product


def _events_by_symbol(actions: pa.Table, data: Data) -> dict[str, _Events]:
    if not actions.num_rows:
        return {}
    order = [("symbol", "ascending"), ("ex_date", "ascending"), ("kind", "ascending"), ("value", "ascending")]
    actions = actions.sort_by(order).combine_chunks()
    split = pc.equal(actions["kind"], "split").to_numpy()
    days = actions["ex_date"].cast(pa.int32()).to_numpy().astype(np.int64)
    value = to_floats(actions["value"].chunk(0))
    ratios = actions["value"].filter(pa.array(split)).to_pylist()
    value[split] = [float(clean_ratio(ratio, data.split_max_denominator, data.split_noise)) for ratio in ratios]
    symbols = actions["symbol"].chunk(0).dictionary_encode()
    codes = symbols.indices.to_numpy()
    ends = np.append(np.flatnonzero(codes[1:] != codes[:-1]) + 1, codes.size).tolist()
    found, first = {}, 0
    for symbol, end in zip(symbols.dictionary.to_pylist(), ends, strict=True):
        found[symbol] = _Events(days[first:end], split[first:end], value[first:end])
        first = end
    return found
