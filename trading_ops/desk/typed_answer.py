"""What is typed into the form of one ticket line, read as an answer: numbers, what is missing, what to look at again.

Nothing here raises for odd text, and nothing odd is refused: an unusual fill needs a second look and a note.
Does not belong here: an answer back in words (`answer_words`), how a text becomes a number (`domain.typed`), what is
odd (`domain.plausibility`), widgets.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from trading_ops.desk.answer_words import FAIL_REASONS, SKIP_REASONS
from trading_ops.domain.answer import BEGUN, Answer, FillPart, of_parts
from trading_ops.domain.answer_evidence import Entry, Evidence
from trading_ops.domain.fill_limits import PLACES
from trading_ops.domain.plausibility import questions
from trading_ops.domain.ticket_model import LinePart
from trading_ops.domain.ticket_words import long_day
from trading_ops.domain.typed import Kind, Typed, typed_number, typed_time
from trading_ops.domain.values import half_even

NOTE_MAX = 400
INSTRUCTIONS = ("BEYOND_LIMIT", "OVERFILLED")
"""Questions about what the ticket said, not about the typing: a number can be read off rightly and still break it."""
Fields = Mapping[str, Any]
"""A line's form as it is kept in a draft: `status`, `reason`, `note`, `fee`, `plain_stock`, and `parts`, a list of
mappings with `units`, `price`, `value`, `time`, `day` and `position_id`; every one text, or absent."""


@dataclass(frozen=True)
class Ask:
    """Something to look at: beside which field of which part (from 0; None for the line), and the sentence."""

    code: str
    field: str
    part: int | None
    sentence: str


@dataclass(frozen=True)
class Reading:
    """What a form's content comes to.

    Attributes:
        answer: The answer, None while something is missing or cannot be read.
        missing: What is still to be typed; nothing can be saved before.
        asks: What to look at again; a second look and a note are enough.
        notes: How a field was read, where it could be read otherwise.
        looked_at: What a second look holds for: every question with what was typed that it is about.
    """

    answer: Answer | None
    missing: tuple[Ask, ...] = ()
    asks: tuple[Ask, ...] = ()
    notes: tuple[Ask, ...] = ()
    looked_at: tuple[str, ...] = ()


@dataclass
class _Found:
    missing: list[Ask] = field(default_factory=list)
    asks: list[Ask] = field(default_factory=list)
    notes: list[Ask] = field(default_factory=list)


def parts_expected(line: LinePart) -> int:
    """How many positions the line's form shows: one a lot that a SELL closes, one for a BUY."""
    return max(1, len(line.lots))


def read_line(line: LinePart, typed: Fields, evidence: Evidence) -> Reading:
    """Read one line's form.

    Args:
        line: The instruction.
        typed: What was typed.
        evidence: What it is held against.
    """
    status, note = str(typed.get("status") or ""), str(typed.get("note") or "").strip()[:NOTE_MAX]
    found = _Found()
    if not status:
        return Reading(None, (Ask("STATUS", "status", None, "Choose what became of this line."),))
    if status not in BEGUN:
        return _not_done(line, typed, status, note)
    pieces = [part for part in (typed.get("parts") or [{}]) if _begun(part)] or [{}]
    parts = [_part(line, piece, place, evidence, found) for place, piece in enumerate(pieces)]
    fee = _number(str(typed.get("fee") or ""), "fee", None, None, found) if typed.get("fee") else None
    if line.side == "BUY" and typed.get("plain_stock") is not True:
        ask = (
            'The tick is missing: did the screen say "Stocks", Leverage x1, without Stop Loss and Take Profit? '
            "If it did not, leave it without the tick and write in the note what it said."
        )
        found.asks.append(Ask("PLAIN_STOCK", "plain_stock", None, ask))
    whole = [part for part in parts if part is not None]
    if found.missing or len(whole) != len(parts):
        asks = _one_a_field(found.asks)
        return Reading(None, tuple(found.missing), asks, tuple(found.notes), _looked_at(asks, typed, pieces))
    answer = of_parts(line.line, status, whole, fee_gbp=fee, note=note)
    _look_again(line, answer, evidence, found)
    asks = _one_a_field(found.asks)
    kept = Answer(**{**_fields(answer), "typed": dict(typed), "asked": tuple(ask.sentence for ask in asks)})
    return Reading(kept, (), asks, tuple(found.notes), _looked_at(asks, typed, pieces))


def _one_a_field(asks: Sequence[Ask]) -> tuple[Ask, ...]:
    """The first question about each field, which names the likeliest cause; and what breaks an instruction, always."""
    kept: list[Ask] = []
    for ask in asks:
        about = (ask.field, ask.part)
        if ask.code in INSTRUCTIONS or about not in [(k.field, k.part) for k in kept if k.code not in INSTRUCTIONS]:
            kept.append(ask)
    return tuple(kept)


def _looked_at(asks: Sequence[Ask], typed: Fields, pieces: Sequence[Fields]) -> tuple[str, ...]:
    return tuple(f"{ask.sentence} [{_about(ask, typed, pieces)}]" for ask in asks)


def _about(ask: Ask, typed: Fields, pieces: Sequence[Fields]) -> str:
    """What was typed that a question is about: units, price and amount are held against each other."""
    if ask.field in ("fee", "plain_stock"):
        return str(typed.get(ask.field) or "")
    names = ("day", "time") if ask.field in ("day", "time") else ("units", "price", "value")
    asked = pieces if ask.part is None else pieces[ask.part : ask.part + 1]
    return "; ".join(f"{name} {str(piece.get(name) or '').strip()}" for piece in asked for name in names)


def _fields(answer: Answer) -> dict[str, Any]:
    return {name: getattr(answer, name) for name in answer.__dataclass_fields__}


def _not_done(line: LinePart, typed: Fields, status: str, note: str) -> Reading:
    reasons = SKIP_REASONS if status == "SKIPPED" else FAIL_REASONS
    reason = str(typed.get("reason") or "")
    if reason not in reasons:
        return Reading(None, (Ask("REASON", "reason", None, "Choose why."),))
    if reason == "OTHER" and not note:
        return Reading(None, (Ask("NOTE", "note", None, "Write in a few words what happened."),))
    return Reading(Answer(line.line, status, reason, note=note, typed=dict(typed)))


def _begun(piece: Fields) -> bool:
    return any(str(piece.get(name) or "").strip() for name in ("units", "price", "value", "time", "position_id"))


def _part(line: LinePart, piece: Fields, place: int, evidence: Evidence, found: _Found) -> FillPart | None:
    several = len(line.lots) > 1
    lot = line.lots[place] if place < len(line.lots) else None
    want_units = Decimal(lot.units) if lot and several else Decimal(line.units)
    want_value = None if several else Decimal(line.amount_gbp)
    units = _optional(piece, "units", want_units, place, found)
    price = _number(str(piece.get("price") or ""), "price", Decimal(line.reference_price_usd), place, found)
    value = _optional(piece, "value", want_value, place, found)
    at = _time(piece, place, evidence, found)
    if units is None and value is None and not _said(piece, "units") and not _said(piece, "value"):
        found.missing.append(Ask("AMOUNT", "value", place, "Type the units or the pounds, best both, as eToro shows."))
    if price is None or at is None or (units is None and value is None):
        return None
    position = str(piece.get("position_id") or "").strip() or (lot.position_id if lot else None)
    return FillPart(price, at, units, value, position, lot.lot_id if lot else None)


def _said(piece: Fields, name: str) -> bool:
    return bool(str(piece.get(name) or "").strip())


def _optional(piece: Fields, name: Kind, near: Decimal | None, place: int, found: _Found) -> Decimal | None:
    return _number(str(piece[name]), name, near, place, found) if _said(piece, name) else None


def _number(text: str, kind: Kind, near: Decimal | None, place: int | None, found: _Found) -> Decimal | None:
    read: Typed = typed_number(text, kind, near)
    if read.value is None:
        found.missing.append(Ask("UNREADABLE", kind, place, read.question))
        return None
    if read.question:
        found.asks.append(Ask("SECOND_LOOK", kind, place, read.question))
    if read.note:
        found.notes.append(Ask("READ_AS", kind, place, read.note))
    places = {"units": PLACES["units"], "price": PLACES["price_usd"]}.get(kind, PLACES["value_gbp"])
    # More digits than are kept: what was typed stays on record letter by letter.
    exponent = read.value.as_tuple().exponent
    return half_even(read.value, places) if isinstance(exponent, int) and -exponent > places else read.value


def _time(piece: Fields, place: int, evidence: Evidence, found: _Found) -> dt.datetime | None:
    day = evidence.window.session
    if _said(piece, "day"):
        try:
            day = dt.date.fromisoformat(str(piece["day"]))
        except ValueError:
            found.missing.append(Ask("UNREADABLE", "day", place, f"Choose the day again; it was {long_day(day)}?"))
            return None
    read = typed_time(str(piece.get("time") or ""), day)
    if read.value is None:
        found.missing.append(Ask("UNREADABLE", "time", place, read.question))
        return None
    if read.question:
        found.asks.append(Ask("SECOND_LOOK", "time", place, read.question))
    return read.value


def _look_again(line: LinePart, answer: Answer, evidence: Evidence, found: _Found) -> None:
    pieces = answer.pieces
    if len(pieces) == 1:
        one = pieces[0]
        entry = Entry(answer.status, one.units, one.price_usd, one.value_gbp, one.executed_at)
        found.asks += [Ask(q.code, q.field, 0, q.sentence) for q in questions(line, entry, evidence)]
        return
    whole = Entry(answer.status, answer.units, answer.price_usd, answer.value_gbp, answer.executed_at)
    found.asks += [
        Ask(q.code, q.field, None, q.sentence) for q in questions(line, whole, evidence) if q.field != "time"
    ]
    for place, part in enumerate(pieces):
        entry = Entry("PARTIAL", None, part.price_usd, None, part.executed_at)
        asked = [q for q in questions(line, entry, evidence) if q.field in ("price", "time")]
        found.asks += [Ask(q.code, q.field, place, q.sentence) for q in asked]
