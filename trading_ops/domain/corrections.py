"""Correcting entries that a diagnosis proposes, as data, and what the ledger's facts are once they are accepted.

An entry's id follows from the snapshot and the entry's content, so accepting it twice adds nothing.
Does not belong here: why an entry is proposed (`diagnosis`), how one is stored.
"""

import dataclasses
import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal, TypeAlias

from trading_ops.domain.canonical import canonical_bytes
from trading_ops.domain.ledger_facts import CashMovement, CorporateEvent, Fill, FillSide, LedgerFacts, MovementKind
from trading_ops.domain.prices import CorporateAction
from trading_ops.domain.values import Session, Symbol, exact, plain

PERSON = "person"
"""Source of a split that a person accepted."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What all proposals have in common: the snapshot from which they were found.

    `why` is for people and is no part of the id.
    """

    snapshot_id: str
    why: str = ""

    @property
    def proposal_id(self) -> str:
        """The id of this entry: equal for equal content of one snapshot."""
        content = {f.name: _plain(getattr(self, f.name)) for f in dataclasses.fields(self) if f.name != "why"}
        text = canonical_bytes({"kind": type(self).__name__, **content}).decode()
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"proposal:{text}"))


@dataclass(frozen=True, kw_only=True)
class VoidFill(Entry):
    """Take a fill out of the ledger."""

    fill_id: str


@dataclass(frozen=True, kw_only=True)
class VoidMovement(Entry):
    """Take a cash movement out of the ledger."""

    movement_id: str


@dataclass(frozen=True, kw_only=True)
class Execution(Entry):
    """An execution at the broker: units, price per unit in USD, pounds before the fee; `estimated` when worked out."""

    symbol: Symbol
    side: FillSide
    units: Decimal
    price_usd: Decimal
    value_gbp: Decimal
    fee_gbp: Decimal
    filled_at: dt.datetime
    session: Session
    position_id: str | None = None
    lot_ids: tuple[str, ...] = ()
    estimated: bool = False

    @property
    def fill(self) -> Fill:
        """The fill that this entry books, with the entry's id.

        Raises:
            LedgerError: A number of it is impossible.
        """
        same = {f.name: getattr(self, f.name) for f in dataclasses.fields(Execution) if f.name in _FILL_FIELDS}
        return Fill(fill_id=self.proposal_id, **same)


@dataclass(frozen=True, kw_only=True)
class BookFill(Execution):
    """Book an execution that no answer of a ticket line stands for. `key` tells equal ones apart."""

    key: str = ""


@dataclass(frozen=True, kw_only=True)
class CorrectAnswer(Execution):
    """Answer a ticket line anew, DONE or PARTIAL, with these numbers of one piece; the other pieces stay.

    `replaces` is the fill of the piece that gets them; without it they are a piece more.
    """

    plan_id: str
    line: int
    status: Literal["DONE", "PARTIAL"]
    replaces: str | None = None


@dataclass(frozen=True, kw_only=True)
class WithdrawAnswer(Entry):
    """Answer a ticket line anew without one piece; it was SKIPPED when that is the only one. `replaces` is its fill."""

    plan_id: str
    line: int
    replaces: str
    status: Literal["SKIPPED", "PARTIAL", "DONE"] = "SKIPPED"


@dataclass(frozen=True, kw_only=True)
class BookMovement(Entry):
    """Book cash that moved without a fill; pounds are signed as in the ledger. `key` tells equal ones apart."""

    kind: MovementKind
    amount_gbp: Decimal
    day: dt.date
    at: dt.datetime
    symbol: Symbol | None = None
    ex_date: Session | None = None
    key: str = ""


@dataclass(frozen=True, kw_only=True)
class RecordSplit(Entry):
    """Record a split: new units per old unit, at the open of the ex-date."""

    symbol: Symbol
    ex_date: Session
    ratio: Decimal


@dataclass(frozen=True, kw_only=True)
class VoidSplit(Entry):
    """Take a split out of the ledger: it is there twice, or never happened."""

    symbol: Symbol
    ex_date: Session
    ratio: Decimal


@dataclass(frozen=True, kw_only=True)
class RecordEvent(Entry):
    """Record a corporate event. The event's own id is given when it is booked: that of this entry."""

    event: CorporateEvent


@dataclass(frozen=True, kw_only=True)
class RetakeSnapshot(Entry):
    """The snapshot is wrong, not the ledger: type it in again, and look at this field."""

    field: str
    expected: Decimal | None


Proposal: TypeAlias = (
    VoidFill
    | VoidMovement
    | BookFill
    | CorrectAnswer
    | WithdrawAnswer
    | BookMovement
    | RecordSplit
    | VoidSplit
    | RecordEvent
    | RetakeSnapshot
)
_FILL_FIELDS = frozenset(f.name for f in dataclasses.fields(Fill))


def apply_proposals(facts: LedgerFacts, proposals: Iterable[Proposal]) -> LedgerFacts:
    """The ledger's facts once the entries are accepted.

    Args:
        facts: The facts before.
        proposals: In any order. One that is in the facts already, or that takes out what is no longer there, changes
            nothing; `RetakeSnapshot` changes nothing in the ledger.

    Returns:
        New facts.

    Raises:
        LedgerError: An entry's own numbers are impossible.
    """
    for proposal in sorted({p.proposal_id: p for p in proposals}.values(), key=lambda p: p.proposal_id):
        facts = _applied(facts, proposal)
    return facts


def cash_of(fill: Fill) -> Decimal:
    """Pounds that a fill adds to cash, its fee taken off; below zero for a BUY."""
    with exact():
        return (fill.value_gbp if fill.side == "SELL" else -fill.value_gbp) - fill.fee_gbp


def _applied(facts: LedgerFacts, proposal: Proposal) -> LedgerFacts:
    match proposal:
        case VoidFill():
            facts = _without_fill(facts, proposal.fill_id)
        case WithdrawAnswer():
            facts = _without_fill(facts, proposal.replaces)
        case VoidMovement():
            kept = tuple(m for m in facts.movements if m.movement_id != proposal.movement_id)
            facts = replace(facts, movements=kept)
        case BookFill():
            facts = _with_fill(facts, proposal.fill)
        case CorrectAnswer():
            facts = _with_fill(_without_fill(facts, proposal.replaces), proposal.fill)
        case BookMovement():
            facts = _with_movement(facts, proposal)
        case RecordSplit():
            facts = _with_split(facts, proposal)
        case VoidSplit():
            gone = (proposal.symbol, proposal.ex_date)
            facts = replace(facts, splits=tuple(s for s in facts.splits if (s.symbol, s.ex_date) != gone))
        case RecordEvent():
            facts = _with_event(facts, replace(proposal.event, event_id=proposal.proposal_id))
        case RetakeSnapshot():
            pass
    return facts


def _with_event(facts: LedgerFacts, event: CorporateEvent) -> LedgerFacts:
    known = {e.event_id for e in facts.events}
    return facts if event.event_id in known else replace(facts, events=(*facts.events, event))


def _without_fill(facts: LedgerFacts, fill_id: str | None) -> LedgerFacts:
    return replace(facts, fills=tuple(f for f in facts.fills if f.fill_id != fill_id))


def _with_fill(facts: LedgerFacts, fill: Fill) -> LedgerFacts:
    known = {f.fill_id for f in facts.fills}
    return facts if fill.fill_id in known else replace(facts, fills=(*facts.fills, fill))


def _with_movement(facts: LedgerFacts, entry: BookMovement) -> LedgerFacts:
    if entry.proposal_id in {m.movement_id for m in facts.movements}:
        return facts
    movement = CashMovement(
        entry.proposal_id, entry.kind, entry.amount_gbp, entry.day, entry.at, entry.symbol, entry.ex_date
    )
    return replace(facts, movements=(*facts.movements, movement))


def _with_split(facts: LedgerFacts, entry: RecordSplit) -> LedgerFacts:
    if (entry.symbol, entry.ex_date) in {(s.symbol, s.ex_date) for s in facts.splits}:
        return facts
    split = CorporateAction(entry.symbol, entry.ex_date, "split", entry.ratio, PERSON)
    return replace(facts, splits=(*facts.splits, split))


def _plain(value: object) -> object:
    match value:
        case Decimal():
            return plain(value)
        case dt.datetime():
            return value.astimezone(dt.UTC).isoformat()
        case dt.date():
            return value.isoformat()
        case tuple():
            return [_plain(item) for item in value]
        case CorporateEvent():
            named = {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
            return {**named, "event_id": None}
    return value
