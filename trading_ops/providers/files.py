"""Market data from files that a person has: a folder or one file, all of it or none.

Files are recognised by their columns, never by their names. Belongs here: walking, putting files together, refusing
rows that two files both have. What one kind of file means is in `formats`.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trading_ops.providers.columns import Sheet, joined
from trading_ops.providers.formats import market, stooq_text, yahoo_csv
from trading_ops.providers.formats.parts import SOURCE, Parts
from trading_ops.providers.formats.sheets import NOT_MARKET, SIDECARS, SUFFIXES, Kind, open_sheet, recognise
from trading_ops.providers.protocol import (
    ACTIONS,
    BARS,
    FIXINGS,
    Fetched,
    FileFact,
    Outcome,
    Provenance,
    RefusalKind,
    RefusedData,
    Request,
)


@dataclass(frozen=True, slots=True)
class FilesProvider:
    """Reads a folder (not the folders in it) or a single file.

    Attributes:
        path: The folder or file.
    """

    path: Path

    @property
    def name(self) -> str:
        """`files`, on every row."""
        return SOURCE

    def fetch(self, request: Request) -> Outcome:
        """Everything in the files within the request; a refusal of any file refuses all of them."""
        try:
            return _fetch(self.path, request)
        except RefusedData as error:
            return error.refusal


def _fetch(path: Path, request: Request) -> Fetched:
    if request.basis == "adjusted":
        sentence = "prices adjusted for splits or dividends cannot value units. Load files with prices as traded."
        raise RefusedData(RefusalKind.ADJUSTED_BASIS, str(path), sentence)
    files, ignored = _files(path)
    sidecars: dict[str, Sheet] = {}
    market_files: list[tuple[Sheet, Kind]] = []
    facts: list[FileFact] = []
    for file in files:
        content = _content(file)
        sheet = open_sheet(file.name, content)
        kind = recognise(file.name, sheet.table.column_names)
        if kind in NOT_MARKET:
            ignored.append(file.name)
            continue
        if kind in SIDECARS:
            sidecars[file.name] = sheet
        elif sheet.table.num_rows == 0:
            sentence = "there is a header and no row. Download the file again; nothing was kept."
            raise RefusedData(RefusalKind.HEADER_ONLY, file.name, sentence)
        else:
            market_files.append((sheet, kind))
        facts.append(
            FileFact(file.name, hashlib.sha256(content).hexdigest(), len(content), kind.name, sheet.table.num_rows)
        )
    if not market_files:
        sentence = f"there is no file with market data ({', '.join(SUFFIXES)}). Name the folder that holds them."
        raise RefusedData(RefusalKind.NO_PRICES, str(path), sentence)
    parts = [_read(sheet, kind, request, sidecars) for sheet, kind in market_files]
    sheets = [sheet for sheet, _ in market_files]
    _refuse_repeats(sheets, parts)
    bars = _within(joined([p.bars for p in parts if p.bars is not None], BARS), "session", request)
    actions = _within(joined([p.actions for p in parts if p.actions is not None], ACTIONS), "ex_date", request)
    fixings = _within(joined([p.fixings for p in parts if p.fixings is not None], FIXINGS), "day", request)
    if not (bars.num_rows or actions.num_rows or fixings.num_rows):
        sentence = (
            f"no row of a known name lies between {request.first or 'the beginning'} and {request.last or 'the end'}. "
            "Ask for other days, or load newer files."
        )
        raise RefusedData(RefusalKind.NOTHING_IN_RANGE, str(path), sentence)
    provenance = Provenance(
        source=SOURCE,
        files=tuple(facts),
        ignored=tuple(sorted(ignored)),
        skipped_symbols=tuple(sorted(set().union(*(p.skipped for p in parts)))),
        rounded=sum(sheet.rounded for sheet in (*sheets, *sidecars.values())),
        notes=(f"basis confirmed by a person: {request.basis}",) if request.basis else (),
    )
    return Fetched(
        bars=bars.sort_by([("symbol", "ascending"), ("session", "ascending")]),
        actions=actions.sort_by([("symbol", "ascending"), ("ex_date", "ascending"), ("kind", "ascending")]),
        fixings=fixings.sort_by("day"),
        provenance=provenance,
    )


def _files(path: Path) -> tuple[list[Path], list[str]]:
    """The files to read, by name, and the names of those that are no tables at all."""
    try:
        if path.is_dir():
            found = sorted(entry for entry in path.iterdir() if not entry.name.startswith("."))
        elif path.is_file():
            found = [path, *(path.with_name(name) for name in yahoo_csv.beside(path.name))]
            found = [entry for entry in found if entry == path or entry.is_file()]
        else:
            sentence = "there is no such file or folder. Check the path."
            raise RefusedData(RefusalKind.NOT_FOUND, str(path), sentence)
    except OSError as error:
        raise _unreadable(path, error) from error
    tables = [entry for entry in found if entry.is_file() and entry.suffix.lower() in SUFFIXES]
    return tables, [entry.name for entry in found if entry not in tables]


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise _unreadable(file, error) from error


def _unreadable(path: Path, error: OSError) -> RefusedData:
    sentence = f"it cannot be opened ({error.strerror}). Check its owner and mode."
    return RefusedData(RefusalKind.NOT_FOUND, str(path), sentence)


def _read(sheet: Sheet, kind: Kind, request: Request, sidecars: dict[str, Sheet]) -> Parts:
    if kind is Kind.YAHOO:
        return yahoo_csv.read_prices(sheet, request, sidecars)
    reader = {
        Kind.EQUITIES: market.read_bars,
        Kind.BENCHMARKS: market.read_bars,
        Kind.FX: market.read_fixings,
        Kind.STOOQ_BULK: stooq_text.read_bulk,
        Kind.STOOQ: stooq_text.read_single,
        Kind.STOOQ_POLISH: stooq_text.read_single,
    }[kind]
    return reader(sheet, request)


def _within(table: pa.Table, column: str, request: Request) -> pa.Table:
    if request.first is not None:
        table = table.filter(pc.greater_equal(table[column], pa.scalar(request.first, pa.date32())))
    if request.last is not None:
        table = table.filter(pc.less_equal(table[column], pa.scalar(request.last, pa.date32())))
    return table


def _refuse_repeats(sheets: list[Sheet], parts: list[Parts]) -> None:
    """One bar for a name and session, one fixing for a day, over all files: two would make the price a choice."""
    with_bars = [(s, p) for s, p in zip(sheets, parts, strict=True) if p.bars is not None]
    if with_bars:
        codes = _codes([p.bars["symbol"] for _, p in with_bars])
        days = _codes([p.bars["session"].cast(pa.int32()) for _, p in with_bars], encode=False)
        rows = [np.asarray(p.bar_rows) for _, p in with_bars]
        _refuse_first_repeat(codes * (1 << 32) + days, [s for s, _ in with_bars], rows, "symbol and date")
    with_fixings = [(s, p) for s, p in zip(sheets, parts, strict=True) if p.fixings is not None]
    if with_fixings:
        days = _codes([p.fixings["day"].cast(pa.int32()) for _, p in with_fixings], encode=False)
        rows = [np.arange(p.fixings.num_rows) for _, p in with_fixings]
        _refuse_first_repeat(days, [s for s, _ in with_fixings], rows, "date")


def _codes(columns: list[pa.ChunkedArray], encode: bool = True) -> np.ndarray:
    whole = pa.chunked_array([chunk for column in columns for chunk in column.chunks]).combine_chunks()
    return np.asarray(whole.dictionary_encode().indices if encode else whole).astype(np.int64)


def _refuse_first_repeat(keys: np.ndarray, sheets: list[Sheet], rows: list[np.ndarray], column: str) -> None:
    order = np.argsort(keys, kind="stable")
    again = np.flatnonzero(keys[order][1:] == keys[order][:-1])
    if not len(again):
        return
    second = int(np.min(order[again + 1]))
    first = int(np.flatnonzero(keys == keys[second])[0])
    starts = np.cumsum([0, *(len(part) for part in rows)])

    def place(index: int) -> str:
        file = int(np.searchsorted(starts, index, side="right")) - 1
        return sheets[file].place(int(rows[file][index - starts[file]]), column)

    sentence = f"the same is already in {place(first)}. Keep one of them; nothing was kept."
    raise RefusedData(RefusalKind.DUPLICATE_ROW, place(second), sentence)
