"""The ticket as data: what is hashed and replayed (content), and what is wrapped around it (envelope).

Every number is text with a fixed number of places, so that content has one canonical form. Amounts are in pounds
(`_gbp`), prices in US dollars (`_usd`), instants in UTC (`_utc`).
Does not belong here: how a number is found (`ticket`), what people read (`ticket_text`).
"""

import datetime as dt
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer

from trading_ops.domain.books import Book
from trading_ops.domain.canonical import canonical_bytes, nfc, sha256_hex
from trading_ops.domain.results import Outcome, Verdict


def _to_second(instant: dt.datetime) -> dt.datetime:
    return instant.astimezone(dt.UTC).replace(microsecond=0)


Text: TypeAlias = Annotated[str, AfterValidator(nfc)]
Gbp: TypeAlias = Annotated[str, Field(pattern=r"^-?\d+\.\d{2}$", description="pounds, two places")]
Usd: TypeAlias = Annotated[str, Field(pattern=r"^\d+\.\d{2,}$", description="US dollars, two places or more")]
Units: TypeAlias = Annotated[str, Field(pattern=r"^\d+\.\d{6}$", description="units, six places")]
Rate: TypeAlias = Annotated[str, Field(pattern=r"^\d+(\.\d+)?$", description="US dollars for one pound")]
Sha256: TypeAlias = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Utc: TypeAlias = Annotated[
    AwareDatetime,
    AfterValidator(_to_second),
    PlainSerializer(lambda instant: instant.strftime("%Y-%m-%dT%H:%M:%SZ"), return_type=str),
]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WindowPart(_Part):
    """When the ticket is executed."""

    session: dt.date
    open_utc: Utc
    close_utc: Utc
    confirm_by_utc: Utc
    market_open_utc: Utc
    market_close_utc: Utc
    half_day: bool
    clock_note: Text


def _is_none(value: object) -> bool:
    return value is None


class InputsPart(_Part):
    """What the plan was computed from; None where the plan never got so far.

    `pauses_hash` and `lookups_hash` are left out where there was no pause or look-up, and in tickets of before them;
    so is `kill_switch` where it was not looked at.
    """

    snapshot_id: Text | None
    config_hash: Text | None
    policy_hash: Text | None
    universe_hash: Text | None
    ledger_hash: Text | None
    evidence_hash: Text | None
    pauses_hash: Annotated[Text | None, Field(exclude_if=_is_none)] = None
    lookups_hash: Annotated[Text | None, Field(exclude_if=_is_none)] = None
    kill_switch: Annotated[Text | None, Field(exclude_if=_is_none)] = None
    model_version: Text | None
    signal_source: Text | None
    usd_per_gbp: Rate | None
    fx_day: dt.date | None


class LotPart(_Part):
    """A position at the broker that a SELL closes, wholly or by so many units."""

    lot_id: Text
    opened_on: dt.date
    units: Units
    position_id: Text | None
    whole: bool


class LinePart(_Part):
    """One instruction to the executor. `limit_price_usd` and `min_available_gbp` are skips: one comparison each."""

    line: Annotated[int, Field(ge=1)]
    side: Literal["SELL", "BUY"]
    symbol: Text
    etoro_search: Text
    reject: tuple[Text, ...]
    name: Text
    amount_gbp: Gbp
    units: Units
    reference_price_usd: Usd
    reference_session: dt.date
    limit_price_usd: Usd
    order_type: Literal["market order by amount", "close position"]
    close_whole: bool
    lots: tuple[LotPart, ...]
    min_available_gbp: Gbp | None
    leverage: Literal[1]
    rank: int | None
    write_down: tuple[Text, ...]


class DeferredPart(_Part):
    """An order that the plan wanted and left for a later week."""

    side: Literal["SELL", "BUY"]
    symbol: Text
    amount_gbp: Gbp
    code: Text
    sentence: Text


class GatePart(_Part):
    """One rule's answer."""

    code: Text
    gate: Text
    outcome: Outcome
    seen: Text
    allowed: Text
    sentence: Text
    remedy: Text


class TicketContent(_Part):
    """All that a ticket says: the same inputs give the same bytes, with no clock, run or machine in them."""

    schema_version: Literal[1]
    ticket_id: Annotated[str, Field(pattern=r"^(\d{4}-W\d{2}|test-\d{4}-\d{2}-\d{2})$")]
    plan_id: Text
    book: Book
    simulated: bool
    verdict: Verdict
    asof: dt.date
    window: WindowPart
    decide_by_utc: Utc
    next_plan: dt.date
    next_plan_opens_utc: Utc
    account_currency: Literal["GBP"]
    inputs: InputsPart
    equity_gbp: Gbp | None
    cash_gbp: Gbp | None
    buys_gbp: Gbp
    sells_gbp: Gbp
    why: Text
    lines: tuple[LinePart, ...]
    deferred: tuple[DeferredPart, ...]
    gates: tuple[GatePart, ...]
    reasons: tuple[Text, ...]
    cross_checked: bool
    page_url: Text


class Envelope(_Part):
    """Who issued the content, when, from which code, and where the audit chain stood."""

    run_id: Text
    git_commit: Text
    git_dirty: bool
    issued_at_utc: Utc
    audit_seq: int | None
    audit_hash: Text | None
    content_sha256: Sha256


class TicketDocument(_Part):
    """The published JSON: content and envelope."""

    content: TicketContent
    envelope: Envelope


def content_bytes(content: TicketContent) -> bytes:
    """The canonical bytes of a ticket's content: what is hashed, stored and compared on replay."""
    return canonical_bytes(content.model_dump(mode="json"))


def content_sha256(content: TicketContent) -> str:
    """SHA-256 of the canonical bytes, hexadecimal."""
    return sha256_hex(content_bytes(content))


def json_schema() -> dict[str, Any]:
    """The JSON Schema of `TicketDocument`, as published in `docs/ticket.schema.json`."""
    schema = TicketDocument.model_json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
