"""What every source of market data is asked and what it may answer: `Fetched`, or one `Refusal`.

Never half of each: a source that cannot vouch for all of its answer refuses all of it.
Files answer a `Request` about all names at once; sources on the network answer an `Ask` about one name.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Literal, Protocol, TypeAlias

import pyarrow as pa

from trading_ops.domain import prices
from trading_ops.domain.clock_evidence import Reading
from trading_ops.domain.universe import Instrument, Universe

Basis: TypeAlias = Literal["as-traded", "adjusted"]

PRICE = pa.decimal128(20, 8)
"""Prices in USD, volumes in shares, fixings in USD for one pound."""
VALUE = pa.decimal128(20, 10)
"""A split's ratio, or a dividend in USD per share."""

BARS = pa.schema(
    [
        pa.field("symbol", pa.string(), nullable=False),
        pa.field("session", pa.date32(), nullable=False),
        pa.field("open", PRICE, nullable=False),
        pa.field("high", PRICE, nullable=False),
        pa.field("low", PRICE, nullable=False),
        pa.field("close", PRICE, nullable=False),
        pa.field("adj_close", PRICE, nullable=False),
        pa.field("volume", PRICE, nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("flags", pa.string(), nullable=False),
    ]
)
"""Bars as traded, by symbol and session; `flags` is empty or a comma list of `Flag`."""

ACTIONS = pa.schema(
    [
        pa.field("symbol", pa.string(), nullable=False),
        pa.field("ex_date", pa.date32(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("value", VALUE, nullable=False),
        pa.field("source", pa.string(), nullable=False),
    ]
)
"""Splits (new units per old unit, noise and all) and dividends, by symbol, ex-date and kind."""

FIXINGS = pa.schema(
    [
        pa.field("day", pa.date32(), nullable=False),
        pa.field("usd_per_gbp", PRICE, nullable=False),
        pa.field("source", pa.string(), nullable=False),
    ]
)
"""GBPUSD fixings by day."""


class Flag(StrEnum):
    """What is odd about a bar that was kept; the data gate judges it."""

    NOT_POSITIVE = "NOT_POSITIVE"
    HIGH_BELOW_LOW = "HIGH_BELOW_LOW"
    HIGH_BELOW_BODY = "HIGH_BELOW_BODY"
    LOW_ABOVE_BODY = "LOW_ABOVE_BODY"
    NEGATIVE_VOLUME = "NEGATIVE_VOLUME"
    ZERO_VOLUME = "ZERO_VOLUME"
    NOT_ADJUSTED = prices.NOT_ADJUSTED
    """`adj_close` repeats the close; whoever needs it adjusted works it out from the actions on record."""
    ACTIONS_UNKNOWN = prices.ACTIONS_UNKNOWN
    """The source tells of no corporate actions, so that this one has none proves nothing."""


class RefusalKind(StrEnum):
    """Why nothing came of a request."""

    NOT_FOUND = "NOT_FOUND"
    NO_PRICES = "NO_PRICES"
    NOTHING_IN_RANGE = "NOTHING_IN_RANGE"
    EMPTY_FILE = "EMPTY_FILE"
    HEADER_ONLY = "HEADER_ONLY"
    DAMAGED_FILE = "DAMAGED_FILE"
    UNKNOWN_SCHEMA = "UNKNOWN_SCHEMA"
    UNKNOWN_COLUMN = "UNKNOWN_COLUMN"
    MISSING_COLUMN = "MISSING_COLUMN"
    UNKNOWN_SYMBOL = "UNKNOWN_SYMBOL"
    BAD_DATE = "BAD_DATE"
    MISSING_VALUE = "MISSING_VALUE"
    NOT_A_NUMBER = "NOT_A_NUMBER"
    OUT_OF_RANGE = "OUT_OF_RANGE"
    DUPLICATE_ROW = "DUPLICATE_ROW"
    BAD_ACTION = "BAD_ACTION"
    BAD_FIXING = "BAD_FIXING"
    UNCONFIRMED_BASIS = "UNCONFIRMED_BASIS"
    ADJUSTED_BASIS = "ADJUSTED_BASIS"
    # An answer from the network that is no answer about the market.
    UNREACHABLE = "UNREACHABLE"
    TIMED_OUT = "TIMED_OUT"
    SERVER_ERROR = "SERVER_ERROR"
    HTTP_ERROR = "HTTP_ERROR"
    RATE_LIMITED = "RATE_LIMITED"
    QUOTA_SPENT = "QUOTA_SPENT"
    KEY_WANTED = "KEY_WANTED"
    KEY_REFUSED = "KEY_REFUSED"
    CHALLENGE = "CHALLENGE"
    FOREIGN_REDIRECT = "FOREIGN_REDIRECT"
    TOO_LARGE = "TOO_LARGE"
    CUT_OFF = "CUT_OFF"
    NOISE_BEFORE_DATA = "NOISE_BEFORE_DATA"
    NOT_MARKET_DATA = "NOT_MARKET_DATA"
    # An answer about the market that cannot be believed, or says that there is nothing.
    NO_DATA = "NO_DATA"
    UNKNOWN_TO_SOURCE = "UNKNOWN_TO_SOURCE"
    WRONG_SYMBOL = "WRONG_SYMBOL"
    WRONG_CURRENCY = "WRONG_CURRENCY"
    OFF_CALENDAR = "OFF_CALENDAR"
    NOT_ASKED_FOR = "NOT_ASKED_FOR"
    IMPOSSIBLE_BAR = "IMPOSSIBLE_BAR"
    WRONG_SCALE = "WRONG_SCALE"
    SPLIT_CONTRADICTION = "SPLIT_CONTRADICTION"


RETRIED: frozenset[RefusalKind] = frozenset(
    {
        RefusalKind.UNREACHABLE, RefusalKind.TIMED_OUT, RefusalKind.SERVER_ERROR, RefusalKind.CUT_OFF,
        RefusalKind.RATE_LIMITED,
    }
)  # fmt: skip
"""May be different a moment later: asked again, ever more slowly, and only then taken for an answer."""

SOURCE_IS_DOWN: frozenset[RefusalKind] = RETRIED | {
    RefusalKind.QUOTA_SPENT, RefusalKind.KEY_WANTED, RefusalKind.KEY_REFUSED, RefusalKind.CHALLENGE,
    RefusalKind.FOREIGN_REDIRECT,
}  # fmt: skip
"""Would be the same for every name: the source is not asked again in this round, and people are told."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a source gave nothing.

    Attributes:
        kind: The reason, from a closed list.
        where: File, row or line, and column, as far as they are known.
        sentence: What is wrong and the way out.
        answer: The body that was refused, when there was one.
    """

    kind: RefusalKind
    where: str
    sentence: str
    answer: "FileFact | None" = None

    def __str__(self) -> str:
        return f"{self.where}: {self.sentence}"


class RefusedData(Exception):
    """Carries a refusal out of the depths of a reader; providers turn it into their answer."""

    def __init__(self, kind: RefusalKind, where: str, sentence: str, answer: "FileFact | None" = None) -> None:
        self.refusal = Refusal(kind, where, sentence, answer)
        super().__init__(str(self.refusal))


@dataclass(frozen=True, slots=True)
class FileFact:
    """One file, or body from the network, that an answer was read from; a body is named by its URL without the key.

    `clocks` is what the network's answer told of its server's clock, beside ours; None when it told nothing.
    """

    name: str
    sha256: str
    size: int
    format: str
    rows: int
    clocks: Reading | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where an answer came from.

    Attributes:
        source: The provider's name, as in policy `data.source_order`.
        files: The files read, by name.
        ignored: Files that hold no market data, by name.
        skipped_symbols: Names the request allowed to leave out, because the universe does not have them.
        rounded: How many numbers had more decimals than are kept, and were rounded half even.
        notes: Anything else worth storing, such as a seed.
    """

    source: str
    files: tuple[FileFact, ...] = ()
    ignored: tuple[str, ...] = ()
    skipped_symbols: tuple[str, ...] = ()
    rounded: int = 0
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """The same, for storing as JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Fetched:
    """Everything a source knows within the request, as BARS, ACTIONS and FIXINGS, sorted by their keys."""

    bars: pa.Table
    actions: pa.Table
    fixings: pa.Table
    provenance: Provenance


Outcome: TypeAlias = Fetched | Refusal


@dataclass(frozen=True, slots=True)
class Request:
    """What is wanted.

    Attributes:
        universe: The names, with each source's spelling.
        first: First day wanted, or None for all there is.
        last: Last day wanted, inclusive, or None.
        basis: What a person confirmed about files that do not say whether their prices are as traded.
        skip_unknown: True when names outside the universe may be left out instead of refused.
    """

    universe: Universe
    first: dt.date | None = None
    last: dt.date | None = None
    basis: Basis | None = None
    skip_unknown: bool = False


class Provider(Protocol):
    """A source of market data."""

    @property
    def name(self) -> str:
        """The source's name on every row and in policy `data.source_order`."""

    def fetch(self, request: Request) -> Outcome:
        """Answer a request, with all of it or with a refusal; never raises for bad data."""


@dataclass(frozen=True, slots=True)
class SplitHistory:
    """The splits of one name that are known from elsewhere.

    Attributes:
        splits: (ex-date, new units per old unit), ascending.
        complete_through: There is no other split up to this day, inclusive.
    """

    splits: tuple[tuple[dt.date, Decimal], ...]
    complete_through: dt.date


@dataclass(frozen=True, slots=True)
class Ask:
    """What is wanted of one name from one source on the network.

    Attributes:
        instrument: The name with each source's spelling.
        first: First day wanted.
        last: Last day wanted, inclusive; a session that is over.
        at: The moment of asking, UTC: what is adjusted is adjusted as of now.
        splits: What is known of its splits, for sources whose prices are split-adjusted.
        known: As-traded closes in USD that are on record, by session: an answer that is far from all of them is of
            another name, or in another unit.
    """

    instrument: Instrument
    first: dt.date
    last: dt.date
    at: dt.datetime
    splits: SplitHistory | None = None
    known: Mapping[dt.date, Decimal] = field(default_factory=lambda: MappingProxyType({}))


class Source(Protocol):
    """A source on the network, asked name by name. It neither waits nor tries again; whoever asks does.

    Attributes:
        name: On every row, and in policy `data.source_order`.
        has_actions: Whether an answer without a corporate action says that there was none.
    """

    name: str
    has_actions: bool

    def spelling(self, instrument: Instrument) -> str:
        """How the source writes a name; empty when it does not have it."""

    def fetch(self, ask: Ask) -> Outcome:
        """Bars as traded and corporate actions of one name within the days asked for; never raises for bad data."""

    def close(self) -> None:
        """Let go of connections."""


class FixingSource(Protocol):
    """A source of GBPUSD on the network."""

    name: str

    def fetch_fixings(self, first: dt.date, last: dt.date, at: dt.datetime) -> Outcome:
        """Dollars for one pound by day within the days asked for; never raises for bad data."""

    def close(self) -> None:
        """Let go of connections."""
