"""A whole account statement: which sheets it has, in which versions, and their facts.

Belongs here: putting the sheets together. Does not belong here: what any one sheet means, each has its module.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from trading_ops.broker.activity import ActivityRow, ActivityType, read_activity, type_of
from trading_ops.broker.cells import Line, Moment, lines
from trading_ops.broker.closed import ClosedRow, read_closed
from trading_ops.broker.currency import AMOUNT_IN, NET, PROFIT, AccountCurrency, Paid, decide, proven_by_dividends
from trading_ops.broker.dividends import DividendRow, read_dividends
from trading_ops.broker.holdings import HoldingsSnapshot, read_holdings
from trading_ops.broker.instruments import Split
from trading_ops.broker.language import language_of
from trading_ops.broker.places import DOWNLOAD_AGAIN, SWITCH_TO_ENGLISH, Place, shown
from trading_ops.broker.receipts import DividendReceipt, merge
from trading_ops.broker.sheets import Layout, SheetKind, recognise
from trading_ops.broker.summary import Summary, read_summary
from trading_ops.broker.workbook import Sheet, Workbook
from trading_ops.domain.errors import BadInput

_TABLES = (SheetKind.ACTIVITY, SheetKind.CLOSED, SheetKind.DIVIDENDS, SheetKind.HOLDINGS)


@dataclass(frozen=True)
class Statement:
    """What a statement file says.

    Attributes:
        name: The file's name as given.
        sha256: Of the file's bytes, hex.
        versions: The header version by sheet name: `{"Account Activity": "2025.2"}`.
        currency: Currency of the amounts, `USD` or `GBP` (the table in `currency`).
        says_pounds: Whether rows have `amount_gbp`.
        period: Start and end, None where not shown; read as UTC.
        activity: Newest first, as in the file.
        closed: Closed positions, empty without that sheet.
        dividends: The Dividends sheet.
        holdings: Snapshots, oldest first.
        summary: Figures of the two summaries as far as recognised.
        other_sheets: Sheets that were not read.
    """

    name: str
    sha256: str
    versions: Mapping[str, str]
    currency: str
    says_pounds: bool
    period: tuple[Moment, Moment] | None
    activity: tuple[ActivityRow, ...]
    closed: tuple[ClosedRow, ...]
    dividends: tuple[DividendRow, ...]
    holdings: tuple[HoldingsSnapshot, ...]
    summary: Summary
    other_sheets: tuple[str, ...]

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits it reports, newest first. None of them is applied anywhere."""
        return tuple(row.split for row in self.activity if row.split is not None)


def read_statement(data: bytes, name: str) -> Statement:
    """Read a downloaded account statement.

    Args:
        data: The file's bytes.
        name: Its name, for refusals.

    Returns:
        Its facts. The same row of two statements has the same key, so importing twice adds nothing.

    Raises:
        BadInput: It is no readable English statement of a known version; the sentence names the sheet, the row and
            what to do. Nothing of it is to be kept.
    """
    book = Workbook(data, name)
    sheets, others = _english_sheets(book)
    layouts = {kind: recognise(kind, sheets[kind]) for kind in _TABLES if kind in sheets}
    found = {kind: tuple(lines(sheets[kind], layout)) for kind, layout in layouts.items()}
    summary = read_summary(sheets[SheetKind.SUMMARY], sheets.get(SheetKind.FINANCIAL))
    dividends = read_dividends(found.get(SheetKind.DIVIDENDS, ()))
    currency = _currency(sheets[SheetKind.SUMMARY].place, summary, layouts, found[SheetKind.ACTIVITY], dividends)
    return Statement(
        name=name,
        sha256=hashlib.sha256(data).hexdigest(),
        versions={kind.value: layout.version for kind, layout in layouts.items()},
        currency=currency.ledger,
        says_pounds=currency.pounds_column or currency.ledger == "GBP",
        period=(summary.start, summary.end) if summary.start and summary.end else None,
        activity=read_activity(found[SheetKind.ACTIVITY], currency),
        closed=read_closed(found.get(SheetKind.CLOSED, ()), currency),
        dividends=dividends,
        holdings=read_holdings(found.get(SheetKind.HOLDINGS, ())),
        summary=summary,
        other_sheets=others,
    )


def dividend_receipts(statement: Statement) -> tuple[DividendReceipt, ...]:
    """The dividends received, each once though two sheets list it, oldest first."""
    return merge(statement.activity, statement.dividends)


def _english_sheets(book: Workbook) -> tuple[dict[SheetKind, Sheet], tuple[str, ...]]:
    by_name = {kind.value.casefold(): kind for kind in SheetKind}
    titles: dict[SheetKind, str] = {}
    others: list[str] = []
    for title in book.titles:
        kind = by_name.get(" ".join(title.split()).casefold())
        if kind is None or kind in titles:
            others.append(title)
        else:
            titles[kind] = title
    for needed in (SheetKind.ACTIVITY, SheetKind.SUMMARY):
        if needed not in titles:
            _refuse_missing(book, needed, others)
    if language := language_of(others):
        _refuse_language(book, language)
    return {kind: book.sheet(title) for kind, title in titles.items()}, tuple(others)


def _refuse_missing(book: Workbook, needed: SheetKind, others: list[str]) -> NoReturn:
    if language := language_of(others):
        _refuse_language(book, language)
    raise BadInput(
        f"{book.name}: the sheet {needed.value!r} is missing, there are {_names(book)}. If it is an eToro statement in "
        f"another language: {SWITCH_TO_ENGLISH} Otherwise: {DOWNLOAD_AGAIN}"
    )


def _refuse_language(book: Workbook, language: str) -> NoReturn:
    raise BadInput(f"{book.name}: the sheets are {_names(book)}, which looks {language}. {SWITCH_TO_ENGLISH}")


def _names(book: Workbook) -> str:
    return ", ".join(repr(shown(title)) for title in book.titles)


def _currency(
    place: Place,
    summary: Summary,
    layouts: dict[SheetKind, Layout],
    activity: tuple[Line, ...],
    dividends: tuple[DividendRow, ...],
) -> AccountCurrency:
    named = frozenset(
        code
        for kind, column in ((SheetKind.CLOSED, PROFIT), (SheetKind.DIVIDENDS, NET))
        if kind in layouts
        for code in layouts[kind].currencies.get(column, ())
    )
    booked = [_booked(line) for line in activity if type_of(line) is ActivityType.DIVIDEND]
    proven = proven_by_dividends(
        [paid for paid in booked if paid], [Paid(row.position_id, row.paid.at, row.net) for row in dividends]
    )
    amounts_in = layouts[SheetKind.ACTIVITY].currencies.get(AMOUNT_IN, ())
    return decide(place, summary, amounts_in, named, proven)


def _booked(line: Line) -> Paid | None:
    position_id, amount = line.position_id(), line.number_in("amount")
    return Paid(position_id, line.moment("date").at, ((None, amount),)) if position_id and amount is not None else None
