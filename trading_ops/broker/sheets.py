"""The sheets of a statement and the English header versions that are known, each by name.

Belongs here: which columns make which version. A header that is none of them is refused, so that no column is ever
read under a meaning that nobody checked. Does not belong here: what the cells hold (`cells`).

A column that names a currency, such as `Profit(USD)`, `Amount in GBP` or `Net Dividend Received (EUR)`, stands in a
version once, with the mark below for its currency, and may be there for several currencies.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import NoReturn

from trading_ops.broker.language import language_of
from trading_ops.broker.places import DOWNLOAD_AGAIN, SWITCH_TO_ENGLISH, Place, shown
from trading_ops.broker.workbook import Sheet, SheetRow

_SUFFIX = re.compile(r"(.+?) ?\(([A-Z]{3})\)")
_IN = re.compile(r"((?:Amount|Value) in) ([A-Z]{3})", re.IGNORECASE)
MARK = "¤"
KNOWN_CURRENCIES = frozenset({"USD", "GBP", "EUR", "AUD", "PLN", "CHF", "SEK", "NOK", "DKK", "CZK", "AED", "SGD"})


class SheetKind(StrEnum):
    """The sheets by their English names."""

    SUMMARY = "Account Summary"
    CLOSED = "Closed Positions"
    ACTIVITY = "Account Activity"
    DIVIDENDS = "Dividends"
    FINANCIAL = "Financial Summary"
    HOLDINGS = "Holdings"


@dataclass(frozen=True)
class Version:
    """A header version: the columns it must have and those it may have."""

    name: str
    required: frozenset[str]
    optional: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Layout:
    """The header of one sheet as found.

    Attributes:
        version: The name of the version it is.
        columns: Index by column, in its plain form: `units`, `profit(USD)`.
        titles: The header as written, by the same key.
        currencies: For a column that names currencies (`profit(¤)`): the currencies, in the file's order.
    """

    place: Place
    version: str
    columns: dict[str, int]
    titles: dict[str, str]
    currencies: dict[str, tuple[str, ...]]


def plain_form(title: str) -> str:
    """A header in the form in which two spellings of it are equal: `Units / Contracts` is `units/contracts`."""
    text = re.sub(r"\s*/\s*", "/", " ".join(title.split()))
    return re.sub(r"\s+\(", "(", text).casefold()


def _columns(text: str) -> frozenset[str]:
    return frozenset(plain_form(title) for title in text.split(","))


_ACTIVITY = _columns("Date,Type,Details,Amount,Realized Equity Change,Realized Equity,Balance,Position ID,NWA")
_POUNDS = _columns("Amount in ¤")
_CLOSED = _columns(
    "Position ID,Action,Amount,Open Date,Close Date,Leverage,Open Rate,Close Rate,Take profit rate,Copied From,Type,"
    "Notes"
)
_CLOSED_2024 = _CLOSED | _columns("Units,Spread Fees (¤),Profit(¤),Stop lose rate")
_SINCE_2024_7 = _columns("Long / Short,Market Spread (¤),Overnight Fees and Dividends")
_FX = _columns("FX rate at open (¤),FX rate at close (¤)")
_CLOSED_2025 = _CLOSED | _SINCE_2024_7 | _FX | _columns("Spread Fees (¤),Profit(¤),Stop loss rate")
_ISIN = _columns("ISIN")
_DIVIDENDS = _columns(
    "Date of Payment,Instrument Name,Net Dividend Received (¤),Withholding Tax Rate (%),Withholding Tax Amount (¤),"
    "Position ID,Type"
)

VERSIONS: dict[SheetKind, tuple[Version, ...]] = {
    SheetKind.ACTIVITY: (
        Version("2025.2", _ACTIVITY | _columns("Units / Contracts,Asset type"), _POUNDS),
        Version("2023", _ACTIVITY | _columns("Units,Asset type"), _POUNDS),
        Version("2022", _ACTIVITY, _POUNDS),
    ),
    SheetKind.CLOSED: (
        Version("2025.2.15", _CLOSED_2025 | _ISIN | _columns("Units / Contracts")),
        Version("2025.2", _CLOSED_2025 | _columns("Units / Contracts")),
        Version("2025.1", _CLOSED_2025 | _columns("Units"), _ISIN),
        Version("2024.8", _CLOSED_2024 | _SINCE_2024_7 | _FX, _ISIN),
        Version("2024.7", _CLOSED_2024 | _SINCE_2024_7, _ISIN),
        Version("2024", _CLOSED_2024 | _columns("Rollover Fees and Dividends"), _ISIN | _columns("Market Spread (¤)")),
        Version("2022", _CLOSED | _columns("Units,Spread,Profit,Stop lose rate,Rollover Fees and Dividends"), _ISIN),
    ),
    SheetKind.DIVIDENDS: (
        Version(
            "2025.11",
            _DIVIDENDS | _columns("Net dividends,Currency,Franked/Unfranked,Franking Credits (¤)"),
            _ISIN,
        ),
        Version("2024", _DIVIDENDS | _ISIN),
        Version("2025.1", _DIVIDENDS),
    ),
    SheetKind.HOLDINGS: (
        Version(
            "2025.11",
            _columns("Snapshot Date,Asset,Position ID,Units,Type,ISIN"),
            _columns("Direction,Open Date,Open Rate,Current Rate,Value in ¤"),
        ),
    ),
}
"""Newest first. The closed positions of 2022 name no currency; they were the account's."""


def recognise(kind: SheetKind, sheet: Sheet) -> Layout:
    """The version of a sheet's header, which is its first row.

    Raises:
        BadInput: The header is translated, has a column twice, or is no known version; it names the column.
    """
    if not sheet.rows or sheet.rows[0].number != 1:
        sheet.place.fail(1, f"the row of column names is missing. {DOWNLOAD_AGAIN}")
    row = sheet.rows[0]
    columns, titles, currencies = _read_header(sheet.place, row)
    forms = frozenset(_marked(column) for column in columns)
    for version in VERSIONS[kind]:
        if version.required <= forms <= version.required | version.optional:
            return Layout(sheet.place, version.name, columns, titles, currencies)
    return _refuse(kind, sheet.place, forms, titles)


def _read_header(place: Place, row: SheetRow) -> tuple[dict[str, int], dict[str, str], dict[str, tuple[str, ...]]]:
    columns: dict[str, int] = {}
    titles: dict[str, str] = {}
    currencies: dict[str, tuple[str, ...]] = {}
    for index, value in enumerate(row.values):
        if value is None or not str(value).strip():
            continue
        title = shown(value)
        column = _key(str(value))
        if column in columns:
            place.fail(1, f"the column {title!r} is there twice. {DOWNLOAD_AGAIN}")
        columns[column] = index
        titles[column] = title
        if (currency := _currency(column)) is not None:
            if currency not in KNOWN_CURRENCIES:
                place.fail(1, f"the column {title!r} names the currency {currency}, which is not known here.")
            marked = _marked(column)
            currencies[marked] = (*currencies.get(marked, ()), currency)
    return columns, titles, currencies


def _key(title: str) -> str:
    text = " ".join(title.split())
    if found := _SUFFIX.fullmatch(text):
        return f"{plain_form(found.group(1))}({found.group(2)})"
    if found := _IN.fullmatch(text):
        return f"{found.group(1).casefold()} {found.group(2).upper()}"
    return plain_form(text)


def _currency(column: str) -> str | None:
    found = re.fullmatch(r".+(?:\(| in )([A-Z]{3})\)?", column)
    return found.group(1) if found else None


def _marked(column: str) -> str:
    currency = _currency(column)
    return column if currency is None else column.replace(currency, MARK)


def _refuse(kind: SheetKind, place: Place, forms: frozenset[str], titles: dict[str, str]) -> NoReturn:
    known = frozenset[str]().union(*(v.required | v.optional for v in VERSIONS[kind]))
    if language := language_of(title for column, title in titles.items() if _marked(column) not in known):
        place.fail(1, f"the column names look {language}, not English. {SWITCH_TO_ENGLISH}")
    nearest = min(VERSIONS[kind], key=lambda v: len(v.required - forms) + len(forms - v.required - v.optional))
    unknown = [title for column, title in titles.items() if _marked(column) not in nearest.required | nearest.optional]
    missing = sorted(nearest.required - forms)
    said = [f"unknown column {title!r}" for title in unknown] + [f"missing column {form!r}" for form in missing]
    place.fail(
        1,
        f"{', '.join(said)}, compared with the nearest known version {nearest.name}. {SWITCH_TO_ENGLISH} If it is "
        "in English already, eToro has changed the statement: type the snapshot in, and have this version added.",
    )
