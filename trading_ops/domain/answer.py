"""What a person says became of one line of a ticket, complete and possible by itself.

Belongs here: the answer as data, what makes one incomplete, how the pieces of a fill add up.
Does not belong here: what looks odd but may be true (`plausibility`), storing and booking (`store.answers`).
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from trading_ops.domain.errors import BadInput
from trading_ops.domain.fill_limits import PLACES, check_fee, check_numbers, check_texts, is_possible
from trading_ops.domain.ledger import complete_fill
from trading_ops.domain.values import ONE, ZERO, exact, half_even, plain

BEGUN = ("DONE", "PARTIAL")
STATUSES = (*BEGUN, "SKIPPED", "FAILED")
NAMES_OFF = ("MISSING", "CFD")
"""Reasons of FAILED after which the name is switched off at once."""
ESTIMATE_SLACK = Decimal("1.05")
"""Pounds worked out from units and a reference rate may differ so much from those that were typed in."""


@dataclass(frozen=True)
class FillPart:
    """One position that a line closed or opened: a line may close several, or be filled in several pieces.

    Attributes:
        price_usd: Dollars per unit.
        executed_at: Moment of the fill, aware UTC.
        units: Units, or None when not read off.
        value_gbp: Pounds, or None when not read off.
        position_id: The broker's Position ID, when known.
        lot_id: The lot that the ticket named for this part.
        estimated: Units or pounds were worked out, not read off; kept with the fill, never hashed.
    """

    price_usd: Decimal
    executed_at: dt.datetime
    units: Decimal | None = None
    value_gbp: Decimal | None = None
    position_id: str | None = None
    lot_id: str | None = None
    estimated: bool = field(default=False, compare=False)

    def payload(self) -> dict[str, object]:
        """The part as it is hashed and announced."""
        return {
            "units": _text(self.units),
            "price_usd": plain(self.price_usd),
            "value_gbp": _text(self.value_gbp),
            "executed_at": self.executed_at.astimezone(dt.UTC).isoformat(),
            "position_id": self.position_id,
            "lot_id": self.lot_id,
        }


@dataclass(frozen=True)
class Answer:
    """What a person says became of one line.

    Attributes:
        line: The ticket's line.
        status: DONE, PARTIAL, SKIPPED or FAILED.
        reason: Why not, for SKIPPED and FAILED; `MISSING` and `CFD` switch the name off.
        units: Units in all.
        price_usd: Dollars per unit; the mean by units when there are parts.
        value_gbp: Pounds in all.
        fee_gbp: Fee in pounds that the screen showed beside the value.
        executed_at: Moment of the (last) fill, aware UTC.
        position_id: The broker's Position ID.
        parts: The pieces, when there is more than one, or when the only one names its lot.
        note: The person's own words.
        typed: Letter by letter what was typed, by field; kept, never hashed.
        asked: What the form asked again and the person said is right; kept, never hashed.
        estimated: Of an answer without parts: units or pounds were worked out, not read off.
    """

    line: int
    status: str
    reason: str = ""
    units: Decimal | None = None
    price_usd: Decimal | None = None
    value_gbp: Decimal | None = None
    fee_gbp: Decimal | None = None
    executed_at: dt.datetime | None = None
    position_id: str | None = None
    parts: tuple[FillPart, ...] = ()
    note: str = ""
    typed: Mapping[str, object] | None = field(default=None, compare=False)
    asked: tuple[str, ...] = field(default=(), compare=False)
    estimated: bool = field(default=False, compare=False)

    def payload(self) -> dict[str, object]:
        """The answer as it is hashed and announced; what an older answer had no place for is left out when empty."""
        said: dict[str, object] = {
            "line": self.line,
            "status": self.status,
            "reason": self.reason,
            **{k: _text(getattr(self, k)) for k in ("units", "price_usd", "value_gbp", "fee_gbp")},
            "executed_at": self.executed_at.astimezone(dt.UTC).isoformat() if self.executed_at else None,
            "position_id": self.position_id,
        }
        if self.note:
            said["note"] = self.note
        if self.parts:
            said["parts"] = [part.payload() for part in self.parts]
        return said

    @property
    def pieces(self) -> tuple[FillPart, ...]:
        """What is booked: the parts, or the answer itself as one; nothing when nothing was traded."""
        if self.status not in BEGUN or self.parts:
            return self.parts
        assert self.price_usd is not None
        assert self.executed_at is not None
        return (
            FillPart(
                self.price_usd, self.executed_at, self.units, self.value_gbp, self.position_id,
                estimated=self.estimated,
            ),
        )  # fmt: skip


def _text(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def of_parts(
    line: int, status: str, parts: Sequence[FillPart], *, fee_gbp: Decimal | None = None, note: str = ""
) -> Answer:
    """An answer whose totals are those of its parts; a single part that names no lot is the answer itself.

    Args:
        line: The ticket's line.
        status: DONE or PARTIAL.
        parts: At least one. Units, and pounds, are totals only when every part has them.
        fee_gbp: Fee of the line.
        note: The person's words.
    """
    only = parts[0] if len(parts) == 1 else None
    if only is not None and only.lot_id is None:
        return Answer(
            line, status, "", only.units, only.price_usd, only.value_gbp, fee_gbp, only.executed_at, only.position_id,
            note=note, estimated=only.estimated,
        )  # fmt: skip
    units, value = _total([part.units for part in parts]), _total([part.value_gbp for part in parts])
    last = max(part.executed_at for part in parts)
    position_id = only.position_id if only else None
    return Answer(
        line, status, "", units, _mean_price(parts), value, fee_gbp, last, position_id, tuple(parts), note
    )  # fmt: skip


def _total(values: Sequence[Decimal | None]) -> Decimal | None:
    known = [value for value in values if value is not None]
    impossible = [value for value in known if not is_possible(value)]
    if impossible:
        return impossible[0]  # for `check_answer` to name
    with exact():
        return sum(known, ZERO) if len(known) == len(values) else None


def _mean_price(parts: Sequence[FillPart]) -> Decimal:
    """The mean by units. Of pounds alone it is by pounds / price: the units that they bought, at one rate."""
    impossible = [part.price_usd for part in parts if not is_possible(part.price_usd)]
    if impossible:
        return impossible[0]
    with exact():
        if all(is_possible(part.units) for part in parts):
            weights = [part.units or ZERO for part in parts]
        elif all(is_possible(part.value_gbp) for part in parts):
            weights = [(part.value_gbp or ZERO) / part.price_usd for part in parts]
        else:
            weights = [ONE] * len(parts)
        weighted = sum((part.price_usd * weight for part, weight in zip(parts, weights, strict=True)), ZERO)
        return half_even(weighted / sum(weights, ZERO), PLACES["price_usd"])


def check_answer(answer: Answer, where: str) -> None:
    """An answer is complete for its status.

    Raises:
        BadInput: A field is missing or impossible; the text names it.
    """
    if answer.status not in STATUSES:
        raise BadInput(f"{where}: status {answer.status!r} is not one of DONE, PARTIAL, SKIPPED, FAILED.")
    _check_words(answer, where)
    numbers = {k: getattr(answer, k) for k in ("units", "price_usd", "value_gbp")}
    check_numbers(numbers, where)
    check_fee(answer.fee_gbp, where)
    if answer.status in BEGUN:
        _check_begun(answer, where)
    elif any(v is not None for v in numbers.values()) or answer.executed_at is not None or answer.parts:
        raise BadInput(f"{where}: {answer.status} says nothing was traded, so units, price, value and time stay empty.")
    elif answer.fee_gbp is not None:
        raise BadInput(f"{where}: {answer.status} says nothing was traded, so fee_gbp stays empty.")


def _check_begun(answer: Answer, where: str) -> None:
    if answer.price_usd is None or answer.executed_at is None:
        raise BadInput(f"{where}: {answer.status} needs price_usd and executed_at, as the screen shows them.")
    for number, part in enumerate(answer.pieces, start=1):
        place = f"{where}, position {number}" if answer.parts else where
        check_numbers({"units": part.units, "price_usd": part.price_usd, "value_gbp": part.value_gbp}, place)
        if part.units is None and part.value_gbp is None:
            raise BadInput(f"{place}: {answer.status} needs units or value_gbp, as the screen shows them.")
        if part.executed_at.tzinfo is None:
            raise BadInput(f"{place}: executed_at {part.executed_at} has no time zone. Write 2018-02-05T14:50+00:00.")
    if answer.parts:
        _check_totals(answer, where)


def _check_totals(answer: Answer, where: str) -> None:
    if answer.units is None and answer.value_gbp is None:
        raise BadInput(f"{where}: give the units of every position, or the pounds of every position.")
    whole = of_parts(answer.line, answer.status, answer.parts)
    for name in ("units", "price_usd", "value_gbp", "executed_at"):
        said, is_so = getattr(answer, name), getattr(whole, name)
        if said != is_so:
            raise BadInput(f"{where}: {name} is {said}, but its positions make {is_so}. Correct one of them.")


def _check_words(answer: Answer, where: str) -> None:
    texts = {
        "reason": answer.reason, "note": answer.note, "position_id": answer.position_id,
        "positions": [[part.position_id, part.lot_id] for part in answer.parts],
        "typed": answer.typed, "questions": list(answer.asked),
    }  # fmt: skip
    check_texts(texts, where)


def is_overfilled(answer: Answer, side: str, line_units: Decimal, line_gbp: Decimal, rates: Sequence[Decimal]) -> bool:
    """A BUY of more pounds, or a SELL of more units, than the line said; what was not typed is worked out.

    Args:
        answer: The answer.
        side: BUY or SELL.
        line_units: Units of the line.
        line_gbp: Pounds of the line.
        rates: Dollars for one pound on the day of each piece.
    """
    units = value = ZERO
    with exact():
        for part, rate in zip(answer.pieces, rates, strict=True):
            its_units, its_value, _ = complete_fill(part.units, part.value_gbp, part.price_usd, rate)
            units, value = units + its_units, value + its_value
        if side == "SELL":
            return units > line_units
        worked_out = any(part.value_gbp is None or part.estimated for part in answer.pieces)
        slack = ESTIMATE_SLACK if worked_out else Decimal(1)
        return value > line_gbp * slack
