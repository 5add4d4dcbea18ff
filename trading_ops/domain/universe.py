"""The names the desk knows, as validated from `config/universe.csv`.

Belongs here: the names, their file and their hash. Cell by cell validation is in `universe_text`.
"""

import csv
import datetime as dt
import hashlib
import io
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

import rfc8785

from trading_ops.domain import universe_text
from trading_ops.domain.values import Session, Symbol

COLUMNS = (
    "internal_symbol", "stooq_symbol", "yahoo_symbol", "etoro_search_name", "currency", "instrument_type",
    "tradable_underlying", "enabled", "listed_from", "verified_on", "notes",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Instrument:
    """One row of the universe."""

    symbol: Symbol
    stooq_symbol: str
    yahoo_symbol: str
    etoro_search_name: str
    currency: str
    instrument_type: str
    tradable_underlying: bool
    enabled: bool
    listed_from: dt.date | None
    verified_on: dt.date | None
    notes: str

    @property
    def tradable(self) -> bool:
        """May ever be bought: enabled, a stock, and offered as the underlying."""
        return self.enabled and self.instrument_type == "stock" and self.tradable_underlying


@dataclass(frozen=True)
class Universe:
    """All names of one version of the universe, by symbol."""

    instruments: Mapping[Symbol, Instrument]

    def expected(self, asof: Session) -> tuple[Symbol, ...]:
        """Names that must have a bar at the as-of session, sorted (RULES, Expected names)."""
        return tuple(
            sorted(
                i.symbol
                for i in self.instruments.values()
                if i.tradable and (i.listed_from is None or i.listed_from <= asof)
            )
        )

    def benchmarks(self) -> tuple[Symbol, ...]:
        """Enabled names that are followed and never traded, sorted."""
        return tuple(sorted(i.symbol for i in self.instruments.values() if i.enabled and i.instrument_type == "etf"))


def parse_universe(text: str, where: str) -> Universe:
    """Read a universe file; columns may stand in any order, empty lines are skipped.

    Args:
        text: The file's text.
        where: The file's name for messages, such as `config/universe.csv`.

    Raises:
        ConfigError: The first problem of the file, with line, column and the way out.
    """
    names: dict[Symbol, Instrument] = {}
    for row in universe_text.read(text, where, COLUMNS):
        symbol = row.symbol()
        names[symbol] = Instrument(
            symbol=symbol,
            stooq_symbol=row.provider_symbol("stooq_symbol"),
            yahoo_symbol=row.provider_symbol("yahoo_symbol"),
            etoro_search_name=row.needed(
                "etoro_search_name", "The ticket tells the executor to search for exactly it."
            ),
            currency=row.currency(),
            instrument_type=row.one_of("instrument_type", ("stock", "etf")),
            tradable_underlying=row.truth("tradable_underlying"),
            enabled=row.truth("enabled"),
            listed_from=row.day("listed_from"),
            verified_on=row.day("verified_on"),
            notes=row.cell("notes"),
        )
        row.refuse_tradable_fund()
    return Universe(names)


def universe_rows(universe: Universe) -> tuple[tuple[str, ...], ...]:
    """The universe as text cells in the order of COLUMNS, rows by symbol: what is stored, written and hashed."""
    return tuple(_row(universe.instruments[symbol]) for symbol in sorted(universe.instruments))


def render_universe(universe: Universe) -> str:
    """The universe as the text of its file; reading it back gives an equal universe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(universe_rows(universe))
    return out.getvalue()


def universe_hash(universe: Universe) -> str:
    """SHA-256 (hex) of columns and rows as RFC 8785 JSON; the order of the file's lines does not change it."""
    rows = [[unicodedata.normalize("NFC", cell) for cell in row] for row in universe_rows(universe)]
    return hashlib.sha256(rfc8785.dumps({"columns": list(COLUMNS), "rows": rows})).hexdigest()


def _row(name: Instrument) -> tuple[str, ...]:
    return (
        name.symbol,
        name.stooq_symbol,
        name.yahoo_symbol,
        name.etoro_search_name,
        name.currency,
        name.instrument_type,
        "true" if name.tradable_underlying else "false",
        "true" if name.enabled else "false",
        name.listed_from.isoformat() if name.listed_from else "",
        name.verified_on.isoformat() if name.verified_on else "",
        name.notes,
    )
