"""From a file's bytes to a sheet of columns, and what kind of file it is by its columns alone."""

import io
from enum import Enum

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from trading_ops.domain.universe import COLUMNS as UNIVERSE
from trading_ops.providers.columns import Sheet
from trading_ops.providers.formats import market, stooq_text, yahoo_csv
from trading_ops.providers.protocol import RefusalKind, RefusedData

SUFFIXES = (".parquet", ".csv", ".txt")
_INDEX = "__index_level_"
"""Pandas writes its row labels under such a name; they mean nothing."""


class Kind(Enum):
    """What a file is, with the exact columns that say so."""

    EQUITIES = market.EQUITIES
    BENCHMARKS = market.BENCHMARKS
    FX = market.FX
    YAHOO = yahoo_csv.PRICES_CSV
    YAHOO_SPLITS = yahoo_csv.SPLITS_CSV
    YAHOO_DIVIDENDS = yahoo_csv.DIVIDENDS_CSV
    STOOQ_BULK = stooq_text.BULK
    STOOQ = stooq_text.ENGLISH
    STOOQ_POLISH = stooq_text.POLISH
    UNIVERSE = UNIVERSE
    SPLIT_LIST = (
        "symbol",
        "date",
        "split_coefficient",
        "prev_date",
        "prev_close",
        "open",
        "close",
        "adj_close",
        "source",
    )


SIDECARS = (Kind.YAHOO_SPLITS, Kind.YAHOO_DIVIDENDS)
NOT_MARKET = (Kind.UNIVERSE, Kind.SPLIT_LIST)
_PRICE_FILES = tuple(kind for kind in Kind if kind not in (*SIDECARS, *NOT_MARKET))


def open_sheet(name: str, content: bytes) -> Sheet:
    """A file's rows.

    Raises:
        RefusedData: Empty, cut off, not of its type, or with rows of different widths.
    """
    if not content.strip():
        raise RefusedData(RefusalKind.EMPTY_FILE, name, "the file is empty. Download it again; nothing was kept.")
    return _parquet(name, content) if name.lower().endswith(".parquet") else _text(name, content)


def _parquet(name: str, content: bytes) -> Sheet:
    try:
        table = pq.read_table(io.BytesIO(content), use_threads=False, page_checksum_verification=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise RefusedData(
            RefusalKind.DAMAGED_FILE,
            name,
            f"the file is damaged or cut off ({reason}). Copy it again; nothing was kept.",
        ) from error
    return Sheet(name, table.select([c for c in table.column_names if not c.startswith(_INDEX)]), None)


def _text(name: str, content: bytes) -> Sheet:
    content = content.removeprefix(b"\xef\xbb\xbf")
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        sentence = "this is not UTF-8 text. Save the file as CSV UTF-8, or download it again; nothing was kept."
        raise RefusedData(RefusalKind.DAMAGED_FILE, f"{name}, line {line}", sentence) from None
    if not content.endswith((b"\n", b"\r")):
        last = content.count(b"\n") + 1
        raise RefusedData(
            RefusalKind.DAMAGED_FILE,
            f"{name}, line {last}",
            "the last line has no end, so the file may be cut off. Download it again, or add a line end if it is "
            "complete; nothing was kept.",
        )
    content = content.rstrip(b"\r\n") + b"\n"
    header = content.split(b"\n", 1)[0].decode("utf-8", "replace").rstrip("\r").split(",")
    if len(set(header)) < len(header):
        sentence = f"a column is there twice: {', '.join(header)[:200]}. Download the file again; nothing was kept."
        raise RefusedData(RefusalKind.UNKNOWN_SCHEMA, f"{name}, line 1", sentence)
    try:
        table = pa_csv.read_csv(
            io.BytesIO(content),
            read_options=pa_csv.ReadOptions(use_threads=False, block_size=1 << 24),
            parse_options=pa_csv.ParseOptions(ignore_empty_lines=False),
            convert_options=pa_csv.ConvertOptions(column_types=dict.fromkeys(header, pa.string())),
        )
    except (pa.ArrowException, ValueError) as error:
        recognise(name, header)  # an error page is called by its name, not a damaged table
        reason = str(error).splitlines()[0].replace("CSV parse error: ", "").replace("Row #", "line ")
        raise RefusedData(
            RefusalKind.DAMAGED_FILE,
            name,
            f"the file is damaged or cut off ({reason}). Download it again; nothing was kept.",
        ) from error
    return Sheet(name, table, 2)


def recognise(name: str, columns: list[str]) -> Kind:
    """What a file is.

    Raises:
        RefusedData: Columns that are no known file's; a nearly known one has its odd column named.
    """
    found = set(columns)
    for kind in Kind:
        if found == set(kind.value):
            return kind
    seen = ", ".join(columns)[:300]
    nearest = max(_PRICE_FILES, key=lambda kind: (len(found & set(kind.value)), -len(found ^ set(kind.value))))
    expected = ", ".join(nearest.value)
    missing = [column for column in nearest.value if column not in found]
    extra = [column for column in columns if column not in nearest.value]
    if 2 * len(missing) > len(nearest.value):
        sentence = (
            f"its columns are no market data known here: {seen}. "
            "Known are the desk's Parquet files, Yahoo's CSV and Stooq's text; remove the file or convert it."
        )
        raise RefusedData(RefusalKind.UNKNOWN_SCHEMA, name, sentence)
    if missing:
        sentence = f"the column is missing. The file has {seen}; expected are {expected}. Nothing was kept."
        raise RefusedData(RefusalKind.MISSING_COLUMN, f"{name}, column {missing[0]}", sentence)
    sentence = f"the column is unknown. Remove it; expected are {expected}. Nothing was kept."
    raise RefusedData(RefusalKind.UNKNOWN_COLUMN, f"{name}, column {extra[0][:60]}", sentence)
