"""What every format makes of one file, and the steps they share: whose rows these are, and what is odd about them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from trading_ops.providers.columns import Sheet, constant
from trading_ops.providers.protocol import BARS, PRICE, Flag, RefusalKind, RefusedData, Request

SOURCE = "files"
PRICES = ("open", "high", "low", "close", "adj_close")
_ZERO = pa.scalar(0, PRICE)


@dataclass
class Parts:
    """One file's contribution.

    Attributes:
        format: What the file was recognised as.
        bars: Rows as BARS, or None.
        bar_rows: The file's row number (from 0) of each bar.
        actions: Rows as ACTIONS, or None.
        fixings: Rows as FIXINGS, or None.
        skipped: Symbols left out because the universe does not have them.
    """

    format: str
    bars: pa.Table | None = None
    bar_rows: pa.Array | None = None
    actions: pa.Table | None = None
    fixings: pa.Table | None = None
    skipped: set[str] = field(default_factory=set)


def internal_symbols(
    sheet: Sheet, column: str, spelling: Mapping[str, str], request: Request
) -> tuple[pa.Array, set[str]]:
    """Translate a column of a source's symbols.

    Args:
        sheet: The file.
        column: Its column of symbols.
        spelling: Internal symbol by the source's spelling.
        request: Says whether unknown symbols may be left out.

    Returns:
        Internal symbols, null where a row is left out, and the symbols left out.

    Raises:
        RefusedData: A missing symbol, or one that the universe does not have.
    """
    texts = sheet.text(column).dictionary_encode()
    found = [spelling.get(text) for text in texts.dictionary.to_pylist()]
    unknown = {text for text, symbol in zip(texts.dictionary.to_pylist(), found, strict=True) if symbol is None}
    internal = pa.array(found, pa.string()).take(texts.indices)
    if unknown and not request.skip_unknown:
        row = pc.index(pc.is_null(internal), True).as_py()
        raise unknown_symbol(sheet.place(row, column), sheet.column(column)[row].as_py())
    return internal, unknown


def unknown_symbol(where: str, symbol: str) -> RefusedData:
    """The refusal of a name that the universe does not have."""
    sentence = (
        f"the universe has no name {symbol!r}. Correct the symbol, add the name to the universe, "
        "or allow names outside it to be skipped."
    )
    return RefusedData(RefusalKind.UNKNOWN_SYMBOL, where, sentence)


def make_bars(
    symbols: pa.Array, sessions: pa.Array, numbers: Mapping[str, pa.Array], source: str, always: str = ""
) -> pa.Table:
    """Rows of BARS with their flags.

    Args:
        symbols: Internal symbols.
        sessions: Dates.
        numbers: `open`, `high`, `low`, `close`, `adj_close` and `volume` as PRICE.
        source: The source's name.
        always: A flag that every row carries.
    """
    columns = {
        "symbol": symbols,
        "session": sessions,
        **numbers,
        "source": constant(source, len(symbols)),
        "flags": flags(numbers, always),
    }
    return pa.table([columns[name] for name in BARS.names], schema=BARS)


def flags(numbers: Mapping[str, pa.Array], always: str = "") -> pa.Array:
    """What is odd about each bar, as a comma list in the order of `Flag`."""
    low, high, volume = numbers["low"], numbers["high"], numbers["volume"]
    odd = {
        Flag.NOT_POSITIVE: _any(pc.less_equal(numbers[name], _ZERO) for name in PRICES),
        Flag.HIGH_BELOW_LOW: pc.less(high, low),
        Flag.HIGH_BELOW_BODY: _any(pc.less(high, numbers[name]) for name in ("open", "close")),
        Flag.LOW_ABOVE_BODY: _any(pc.greater(low, numbers[name]) for name in ("open", "close")),
        Flag.NEGATIVE_VOLUME: pc.less(volume, _ZERO),
        Flag.ZERO_VOLUME: pc.equal(volume, _ZERO),
    }
    texts = [always] * len(volume)
    for flag, mask in odd.items():
        for row in pc.indices_nonzero(mask).to_pylist():
            texts[row] = f"{texts[row]},{flag}" if texts[row] else str(flag)
    return pa.array(texts, pa.string())


def _any(masks: Iterable[pa.Array]) -> pa.Array:
    first, *rest = masks
    for mask in rest:
        first = pc.or_(first, mask)
    return first
