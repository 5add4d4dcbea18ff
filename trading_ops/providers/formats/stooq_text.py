"""Files a person downloaded from Stooq: bulk text, and one name's CSV in English or Polish.

Stooq adjusts both for splits and dividends unless asked not to, and the file does not say. So they become bars only
when a person confirmed that they are as traded, and never when a fractional volume proves that they are not.
"""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from trading_ops.providers.columns import Sheet, constant, first_true
from trading_ops.providers.formats.parts import SOURCE, Parts, internal_symbols, make_bars, unknown_symbol
from trading_ops.providers.protocol import PRICE, Flag, RefusalKind, RefusedData, Request

BULK = ("<TICKER>", "<PER>", "<DATE>", "<TIME>", "<OPEN>", "<HIGH>", "<LOW>", "<CLOSE>", "<VOL>", "<OPENINT>")
ENGLISH = ("Date", "Open", "High", "Low", "Close", "Volume")
FLAGS = f"{Flag.NOT_ADJUSTED},{Flag.ACTIONS_UNKNOWN}"
POLISH = ("Data", "Otwarcie", "Najwyzszy", "Najnizszy", "Zamkniecie", "Wolumen")


def read_bulk(sheet: Sheet, request: Request) -> Parts:
    """Daily rows of the bulk text.

    Raises:
        RefusedData: An unconfirmed or adjusted basis, rows that are not daily, or a cell that cannot be kept.
    """
    _confirmed(sheet, request)
    row = first_true(pc.not_equal(sheet.text("<PER>"), "D"))
    if row is not None:
        sentence = "this is not a daily row. Download Stooq's daily files."
        raise sheet.refuse(RefusalKind.UNKNOWN_SCHEMA, row, "<PER>", sentence)
    spelling = {
        name.stooq_symbol.upper(): symbol for symbol, name in request.universe.instruments.items() if name.stooq_symbol
    }
    symbols, skipped = internal_symbols(sheet, "<TICKER>", spelling, request)
    sessions, numbers = _columns(sheet, ("<DATE>", "%Y%m%d"), BULK[4:9])
    kept = pc.is_valid(symbols)
    if skipped:
        symbols, sessions = symbols.filter(kept), sessions.filter(kept)
        numbers = {key: column.filter(kept) for key, column in numbers.items()}
    bars = make_bars(symbols, sessions, numbers, SOURCE, FLAGS)
    return Parts(format="Stooq bulk text", bars=bars, bar_rows=pc.indices_nonzero(kept), skipped=skipped)


def read_single(sheet: Sheet, request: Request) -> Parts:
    """One name's CSV; the file's name is the Stooq symbol, `aapl_us.csv` or `aapl.us.csv`.

    Raises:
        RefusedData: An unconfirmed or adjusted basis, an unknown name, or a cell that cannot be kept.
    """
    _confirmed(sheet, request)
    ticker = sheet.name.rsplit(".", 1)[0].replace("_", ".").lower()
    known = {name.stooq_symbol: symbol for symbol, name in request.universe.instruments.items() if name.stooq_symbol}
    if ticker not in known:
        if request.skip_unknown:
            return Parts(format="Stooq CSV", skipped={ticker})
        raise unknown_symbol(sheet.name, ticker)
    symbols = constant(known[ticker], sheet.table.num_rows)
    return Parts(
        format="Stooq CSV",
        bars=read_bars(sheet, symbols, SOURCE, FLAGS),
        bar_rows=pa.array(range(sheet.table.num_rows), pa.uint64()),
    )


def read_bars(sheet: Sheet, symbols: pa.Array, source: str, always: str) -> pa.Table:
    """Rows of one name's CSV, in either language, as BARS.

    Args:
        sheet: The CSV.
        symbols: The internal symbol of each row.
        source: The source's name.
        always: Flags that every row carries.

    Raises:
        RefusedData: A cell that cannot be kept, or a volume that proves the prices adjusted.
    """
    names = ENGLISH if ENGLISH[0] in sheet.table.column_names else POLISH
    sessions, numbers = _columns(sheet, (names[0], "%Y-%m-%d"), names[1:])
    return make_bars(symbols, sessions, numbers, source, always)


def _confirmed(sheet: Sheet, request: Request) -> None:
    if request.basis != "as-traded":
        sentence = (
            "Stooq's files are adjusted for splits and dividends unless asked otherwise, and such prices cannot value "
            "units. Download with o=1111111 and load with --basis as-traded, or use another source."
        )
        raise RefusedData(RefusalKind.UNCONFIRMED_BASIS, sheet.name, sentence)


def _columns(sheet: Sheet, date: tuple[str, str], names: Sequence[str]) -> tuple[pa.Array, dict[str, pa.Array]]:
    """Sessions and exact numbers; a fraction of a share in the volume is refused."""
    sessions = sheet.days(*date)
    keys = ("open", "high", "low", "close", "volume")
    numbers = {key: sheet.decimals(name, PRICE) for key, name in zip(keys, names, strict=True)}
    row = first_true(pc.not_equal(numbers["volume"], pc.floor(numbers["volume"])))
    if row is not None:
        sentence = (
            "a fraction of a share proves that these prices are adjusted, whatever was asked for or confirmed, "
            "or that the columns are swapped. Download as traded (o=1111111), or use another source; nothing was kept."
        )
        raise sheet.refuse(RefusalKind.ADJUSTED_BASIS, row, names[-1], sentence)
    numbers["adj_close"] = numbers["close"]
    return sessions, numbers
