"""Bars and corporate actions of a snapshot's monthly parts as numpy and Arrow columns.

Belongs here: decoding, and which bars are valid. Does not belong here: adjusting them.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from trading_ops.domain.errors import Refused
from trading_ops.domain.prices import NOT_ADJUSTED
from trading_ops.store.snapshot_parts import Part, read_part
from trading_ops.store.snapshot_shapes import SHAPES

RAW = ("open", "high", "low", "close", "adj_close", "volume")
"""Columns of a bar, in the order in which they are kept."""
OPEN, HIGH, LOW, CLOSE, ADJUSTED, VOLUME = range(len(RAW))

NO_ACTIONS = pa.table(
    {
        "symbol": pa.array([], pa.string()), "ex_date": pa.array([], pa.date32()), "kind": pa.array([], pa.string()),
        "value": pa.array([], pa.decimal128(20, 10)), "part": pa.array([], pa.string()),
    }
)  # fmt: skip

_BAR_WORDS = ("symbol", "source", "flags")
_ACTION_COLUMNS = ("symbol", "ex_date", "kind", "value")
_EPOCH = dt.date(1970, 1, 1).toordinal()

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Rows:
    """Bars of some months, row by row.

    Attributes:
        days: Days since 1970 of each row's session.
        symbols: The names that occur.
        symbol: Each row's place in `symbols`.
        bases: What occurs as (source, whether its adjusted close is one).
        basis: Each row's place in `bases`.
        values: A row of float64 for each of RAW, USD and shares; NaN where a bar is not valid.
    """

    days: Ints
    symbols: tuple[str, ...]
    symbol: Ints
    bases: tuple[tuple[str, bool], ...]
    basis: Ints
    values: Floats


def day_number(day: dt.date) -> int:
    """Days since 1970."""
    return day.toordinal() - _EPOCH


def dates_of(numbers: Ints) -> tuple[str, ...]:
    """The dates (ISO) of numbers of days since 1970."""
    return tuple(np.datetime_as_string(numbers.astype("datetime64[D]")).tolist())


def read_bars(root: Path, parts: Sequence[Part]) -> Rows:
    """The bars of some parts, in their order.

    Raises:
        SnapshotDamaged: A part is missing or altered.
    """
    table = pa.concat_tables([_bars(root, part) for part in parts]).combine_chunks()
    symbols, symbol = _coded(table, "symbol")
    sources, source = _coded(table, "source")
    flags, flag = _coded(table, "flags")
    adjusted = np.array([NOT_ADJUSTED not in words for words in flags], bool)[flag]
    return Rows(
        days=_flat(table, "session").cast(pa.int32()).to_numpy().astype(np.int64),
        symbols=symbols,
        symbol=symbol,
        bases=tuple((name, basis) for name in sources for basis in (False, True)),
        basis=2 * source + adjusted,
        values=_valid_values(table),
    )


def read_actions(root: Path, parts: Sequence[Part]) -> pa.Table:
    """The corporate actions of some parts: part, symbol, ex_date, kind, value (USD, or new units per old unit).

    Raises:
        SnapshotDamaged: A part is missing or altered.
    """
    tables = []
    for part in parts:
        table = pq.ParquetFile(pa.BufferReader(read_part(root, part))).read(list(_ACTION_COLUMNS), use_threads=False)
        tables.append(table.append_column("part", pa.repeat(part.part_id, table.num_rows)))
    return pa.concat_tables(tables)


def _bars(root: Path, part: Part) -> pa.Table:
    flagged = "flags" in SHAPES[part.kind, part.layout].columns
    words = _BAR_WORDS if flagged else _BAR_WORDS[:-1]
    file = pq.ParquetFile(pa.BufferReader(read_part(root, part)), read_dictionary=list(words))
    table = file.read(["session", *words, *RAW], use_threads=False)
    if not flagged:
        # Bars of the first layout are adjusted.
        none = pa.DictionaryArray.from_arrays(pa.array(np.zeros(table.num_rows, np.int32)), pa.array([""]))
        table = table.append_column("flags", none)
    return table.select(["session", *_BAR_WORDS, *RAW])


def _flat(table: pa.Table, column: str) -> pa.Array:
    chunks = table[column].chunks
    return chunks[0] if len(chunks) == 1 else pa.concat_arrays(chunks)


def _coded(table: pa.Table, column: str) -> tuple[tuple[str, ...], Ints]:
    coded = _flat(table, column)
    return tuple(coded.dictionary.to_pylist()), coded.indices.to_numpy().astype(np.int64)


def to_floats(column: pa.Array) -> Floats:
    """Decimals as the nearest float64.

    Raises:
        Refused: One does not fit into 64 bits.
    """
    whole, fits = _whole(column)
    if not fits.all():
        raise Refused(f"{column[int(np.argmin(fits))]} is too large a number for a corporate action.")
    values: Floats = whole / 10.0**column.type.scale
    return values


def _whole(column: pa.Array) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Decimals as the whole numbers that they are stored as, and which of them fit into 64 bits."""
    words = np.frombuffer(column.buffers()[1], "<i8").reshape(-1, 2)[column.offset : column.offset + len(column)]
    low = np.ascontiguousarray(words[:, 0])
    return low, words[:, 1] == low >> 63


def _valid_values(table: pa.Table) -> Floats:
    """The numbers of every row, NaN in the rows that `domain.suspects.bar_fault` refuses.

    Decimals are compared as whole numbers, so exactly. One that does not fit into 64 bits (a price of 92 thousand
    million dollars) is no price either.
    """
    values = np.empty((len(RAW), table.num_rows))
    whole: dict[str, Ints] = {}
    valid = np.ones(table.num_rows, bool)
    for place, name in enumerate(RAW):
        column = _flat(table, name)
        whole[name], fits = _whole(column)
        valid &= fits
        valid &= whole[name] >= 0 if name == "volume" else whole[name] > 0
        np.divide(whole[name], 10.0**column.type.scale, out=values[place])
    valid &= whole["low"] <= np.minimum(whole["open"], whole["close"])
    valid &= whole["high"] >= np.maximum(whole["open"], whole["close"])
    if not valid.all():
        values[:, ~valid] = np.nan
    return values
