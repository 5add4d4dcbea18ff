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
    """Adjusts the names of one matrix, several at once."""

    def __init__(self, matrix: Matrix, valid: npt.NDArray[np.bool_], data: Data) -> None:
        """Take a matrix.

        Args:
            matrix: Bars as traded and corporate actions.
            valid: Where there is a valid bar, names x sessions.
            data: The policy's `data` section: how split ratios are cleaned.
        """
        self._matrix = matrix
        self._valid = valid
        self._events = _events_by_symbol(matrix.actions, data)
        self._mixed = _mixed(matrix)

    def adjusted(self, names: range) -> list[Adjusted | None]:
        """The series of the names at some places of the matrix that follow each other; None without a valid bar."""
        bars = self._matrix.values[:, names.start : names.stop]
        factor = bars[ADJUSTED] / bars[CLOSE]
        numbers = np.empty((len(names), len(FIELDS), 1 + bars.shape[2]), "<f4")
        numbers[:, 3, 1:] = bars[ADJUSTED]
        numbers[:, 4, 1:] = bars[VOLUME]
        derived = [
            self._rework(place, bars[:, row], factor[row], numbers[row, :, 1:]) for row, place in enumerate(names)
        ]
        for field, raw in enumerate((OPEN, HIGH, LOW)):
            np.multiply(bars[raw], factor, out=numbers[:, field, 1:], casting="same_kind")
        numbers[:, 5, 1:] = factor
        return [
            _cut(self._valid[place], own, is_derived)
            for place, own, is_derived in zip(names, numbers, derived, strict=True)
        ]

    def _rework(self, place: int, bars: Floats, factor: Floats, numbers: npt.NDArray[np.float32]) -> bool:
        """Put splits into one name's volume; derive its factor and closes where they cannot be taken as delivered."""
        events = self._events.get(self._matrix.symbols[place])
        if events is None and not self._mixed[place]:
            return False
        valid = np.flatnonzero(self._valid[place])
        at, units, _ = self._each_bar(events, valid, every=False)
        if at.size:
            numbers[4] = bars[VOLUME] * _back(factor.size, at, units)
        if not self._mixed[place] and _knows_its_splits(bars, valid, at, units):
            return False
        at, units, cash = self._each_bar(events, valid, every=True)
        close = bars[CLOSE][at]
        factor[:] = _back(factor.size, at, close / (close * units + cash))
        factor[~self._valid[place]] = np.nan
        numbers[3] = bars[CLOSE] * factor
        return True

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


def _mixed(matrix: Matrix) -> npt.NDArray[np.bool_]:
    """Names whose adjusted closes do not fit together, being of two sources, or that have a bar without one."""
    given = [(matrix.basis == code).any(axis=1) for code in range(1, 1 + len(matrix.bases))]
    of_source: dict[str, npt.NDArray[np.bool_]] = {}
    mixed = np.zeros(len(matrix.symbols), bool)
    for (source, is_adjusted), names in zip(matrix.bases, given, strict=True):
        of_source[source] = names | of_source.get(source, False)
        if not is_adjusted:
            mixed |= names
    return mixed | (sum(names.astype(int) for names in of_source.values()) > 1)


def _cut(valid: npt.NDArray[np.bool_], numbers: npt.NDArray[np.float32], derived: bool) -> Adjusted | None:
    """One name's series without the sessions before its first and after its last bar."""
    rows = int(np.count_nonzero(valid))
    if not rows:
        return None
    first, last = int(valid.argmax()), valid.size - 1 - int(valid[::-1].argmax())
    return Adjusted(first, rows, derived, numbers[:, first : last + 2])


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
