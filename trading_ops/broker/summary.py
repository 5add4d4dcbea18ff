"""Account Summary and Financial Summary: the account's currency, the period, and the figures that are recognised.

Belongs here: these two sheets, which are lists of labels and not tables.
Does not belong here: what the currency means for the other sheets (`currency`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from trading_ops.broker.cells import Line, Moment
from trading_ops.broker.places import DOWNLOAD_AGAIN
from trading_ops.broker.sheets import Layout
from trading_ops.broker.workbook import Sheet, SheetRow

_LABELS = frozenset({
    "Beginning Realized Equity", "Deposits", "Transfer to Trading (from eToro Money)", "Refunds", "Credits",
    "Adjustments", "Profit or Loss (Closed positions only)", "Dividends", "Stocks Lending", "Transfer in",
    "Transfer out", "Internal Transfer", "Overnight Fees", "Rollover Fees", "Commission", "Admin Fees", "SDRT Charge",
    "Withdrawals", "Transfer to eToro Money (from Trading)", "Withdrawal Fees", "Deposit/Withdrawal FX Conversion Fee",
    "Ending Realized Equity", "Beginning Unrealized Equity", "Ending Unrealized Equity",
})  # fmt: skip
_FINANCIAL = frozenset({
    "CFDs (Profit or Loss)", "Crypto (Profit or Loss)", "Stocks (Profit or Loss)", "ETFs (Profit or Loss)",
    "Stock Dividends (Profit)", "CFD Dividends (Profit or Loss)", "Income from Refunds",
    "Commissions (spread) on CFDs", "Commissions (spread) on Crypto", "Commissions (spread) on Stocks",
    "Commissions (spread) on ETFs", "Fees",
})  # fmt: skip
_HEADING = re.compile(r"(?:Unrealized )?Account Summary ?(?:\(([A-Z]{3})\))?\*?")
_NAMED = re.compile(r".*?\b(?:in )?\(?([A-Z]{3})\)?", re.DOTALL)
_NOT_TOLD = ("", "-", "N/A")


@dataclass(frozen=True)
class Figure:
    """One figure of a summary; the currency is None where the sheet names none."""

    label: str
    amount: Decimal
    currency: str | None


@dataclass(frozen=True)
class Summary:
    """What the two summaries say.

    Attributes:
        currency_cell: The Currency cell as written: `USD`, `GBP`, `USD/GBP`.
        currency_row: Its row, for refusals.
        heading_currency: The currency that the heading `Account Summary (USD)` names, None without one.
        start: Start of the period, None where not shown.
        end: End of the period.
        figures: The recognised figures of Account Summary, in the sheet's order.
        financial: The recognised figures of Financial Summary.
    """

    currency_cell: str
    currency_row: int
    heading_currency: str | None
    start: Moment | None
    end: Moment | None
    figures: tuple[Figure, ...]
    financial: tuple[Figure, ...] = ()


def read_summary(sheet: Sheet, financial: Sheet | None) -> Summary:
    """Read Account Summary and, if the file has it, Financial Summary.

    Raises:
        BadInput: No Currency cell, or a recognised figure or date that cannot be read.
    """
    found: dict[str, tuple[int, str | Moment]] = {}
    figures: list[Figure] = []
    heading: str | None = None
    named: dict[str, str | None] = {}
    for line, label in _labelled(sheet):
        if match := _HEADING.fullmatch(label):
            heading = heading or match.group(1)
            named = {column: _named(line.text(column)) or match.group(1) for column in _COLUMNS}
        elif label == "Currency":
            found.setdefault(label, (line.number, line.text("b")))
        elif label in ("Start Date", "End Date") and not line.is_empty("b"):
            found.setdefault(label, (line.number, line.moment("b", date_alone=True)))
        elif label in _LABELS:
            figures.extend(_figures(line, label, named))
    if "Currency" not in found:
        sheet.place.fail(1, f"no row Currency says what the account's currency is. {DOWNLOAD_AGAIN}")
    row, cell = found["Currency"]
    start, end = (found.get(label, (0, None))[1] for label in ("Start Date", "End Date"))
    return Summary(
        currency_cell=str(cell),
        currency_row=row,
        heading_currency=heading,
        start=start if isinstance(start, Moment) else None,
        end=end if isinstance(end, Moment) else None,
        figures=tuple(figures),
        financial=_financial(financial) if financial else (),
    )


_COLUMNS = ("b", "c", "d")


def _labelled(sheet: Sheet) -> Iterator[tuple[Line, str]]:
    titles = {"a": "A", "b": "B", "c": "C", "d": "D"}
    layout = Layout(sheet.place, "list", {name: index for index, name in enumerate(titles)}, titles, {})
    for row in sheet.rows:
        line = Line(layout, row.number, row.values)
        label = row.values[0] if isinstance(row.values[0], str) else ""
        yield line, " ".join(label.split())


def _named(text: str) -> str | None:
    found = _NAMED.fullmatch(text)
    return found.group(1) if found else None


def _figures(line: Line, label: str, named: dict[str, str | None]) -> Iterator[Figure]:
    for column in _COLUMNS:
        raw = line.raw(column)
        if raw is not None and str(raw).strip() not in _NOT_TOLD:
            yield Figure(label, line.needed_number(column), named.get(column))


def _financial(sheet: Sheet) -> tuple[Figure, ...]:
    currency = _first_currency(sheet.rows[0]) if sheet.rows else None
    return tuple(
        figure
        for line, label in _labelled(sheet)
        if label in _FINANCIAL
        for figure in list(_figures(line, label, {"b": currency}))[:1]
    )


def _first_currency(row: SheetRow) -> str | None:
    return _named(str(row.values[1])) if len(row.values) > 1 and row.values[1] is not None else None
