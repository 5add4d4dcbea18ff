"""An answer back in a person's words: why nothing was done, what it says in short, and its form to correct it.

Does not belong here: reading what was typed (`typed_answer`).
"""

from collections.abc import Sequence
from typing import Any

from trading_ops.desk.answering import TicketState
from trading_ops.domain.answer import BEGUN, Answer
from trading_ops.domain.calendar import LONDON
from trading_ops.domain.values import money, plain

SKIP_REASONS = {
    "PRICE": "The price was beyond the limit",
    "AVAILABLE": "Not enough available cash",
    "NO_TIME": "No time today",
    "OTHER": "Something else",
}
FAIL_REASONS = {
    "MISSING": "eToro does not find it",
    "CFD": "It is offered only as a CFD",
    "NOT_FILLED": "Ordered, but never filled; cancelled",
    "REJECTED": "eToro rejected the order",
    "OTHER": "Something else",
}


def open_lines(state: TicketState) -> str:
    """The lines of a ticket that have no answer: `line 1 (BUY NVDA) and line 2 (SELL ABBV)`."""
    open_ones = [line for line in state.content.lines if line.line in state.open_lines]
    return listed([f"line {line.line} ({line.side} {line.symbol})" for line in open_ones])


def listed(words: Sequence[str]) -> str:
    """`1`, `1 and 2`, `1, 2 and 3`."""
    *before, last = words
    return f"{', '.join(before)} and {last}" if before else last


def summary(answer: Answer) -> Sequence[str]:
    """An answer in a person's words, one line a fact, for the check step."""
    if answer.status not in BEGUN:
        reasons = SKIP_REASONS if answer.status == "SKIPPED" else FAIL_REASONS
        why = reasons.get(answer.reason, answer.reason)
        return [why] if why else []
    said = []
    for part in answer.pieces:
        amounts = [f"{plain(part.units)} units"] if part.units is not None else []
        amounts += [f"£{money(part.value_gbp)}"] if part.value_gbp is not None else []
        at = part.executed_at.astimezone(LONDON)
        said.append(f"{' · '.join(amounts)} at ${money(part.price_usd)}, {at:%H:%M} on {at:%-d} {at:%b}")
    return said


def as_fields(answer: Answer) -> dict[str, Any]:
    """The form of an answer that was given, to correct it: as it was typed, or as it was read."""
    if answer.typed is not None:
        return dict(answer.typed)
    parts = [
        {
            "units": plain(part.units) if part.units is not None else "",
            "price": plain(part.price_usd),
            "value": plain(part.value_gbp) if part.value_gbp is not None else "",
            "time": f"{part.executed_at.astimezone(LONDON):%H:%M}",
            "day": part.executed_at.astimezone(LONDON).date().isoformat(),
            "position_id": part.position_id or "",
        }
        for part in answer.pieces
    ]
    return {
        "status": answer.status, "reason": answer.reason, "note": answer.note,
        "fee": plain(answer.fee_gbp) if answer.fee_gbp is not None else "", "plain_stock": True, "parts": parts or [{}],
    }  # fmt: skip
