"""Correcting entries for one drift: how a fill is taken out, given other numbers, or booked for the first time.

Where a fill answers a ticket line, alone or as one piece of several, the entry is a new answer of that line in which
the other pieces stay; else it is a void and a booking.
"""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

from trading_ops.domain.answer_pieces import LineSize
from trading_ops.domain.corrections import BookFill, CorrectAnswer, Proposal, VoidFill, WithdrawAnswer
from trading_ops.domain.diagnosis_case import Case
from trading_ops.domain.diagnosis_evidence import AnsweredLine
from trading_ops.domain.ledger_facts import Fill, FillSide
from trading_ops.domain.values import ZERO, Session, Symbol, exact


def removal(case: Case, fill: Fill, why: str) -> Proposal:
    """The entry that takes a fill out: a new answer where it answered a line, else a void."""
    snapshot_id, line = case.evidence.snapshot.snapshot_id, case.answered(fill)
    if line is None:
        return VoidFill(snapshot_id=snapshot_id, why=why, fill_id=fill.fill_id)
    left = [f for f in case.pieces(line) if f.fill_id != fill.fill_id]
    return WithdrawAnswer(
        snapshot_id=snapshot_id, why=why, plan_id=line.plan_id, line=line.line, replaces=fill.fill_id,
        status=filled(line, left) if left else "SKIPPED",
    )  # fmt: skip


def filled(
    line: AnsweredLine, pieces: Sequence[Fill], *, units: Decimal = ZERO, value_gbp: Decimal = ZERO
) -> Literal["DONE", "PARTIAL"]:
    """What these pieces, and one more of so many units and pounds, make of a line."""
    with exact():
        units += sum((f.units for f in pieces), ZERO)
        value_gbp += sum((f.value_gbp for f in pieces), ZERO)
    return LineSize(line.side, line.units, line.amount_gbp).status(units, value_gbp)


def rewriting(
    case: Case,
    fill: Fill,
    why: str,
    *,
    units: Decimal | None = None,
    value_gbp: Decimal | None = None,
    price_usd: Decimal | None = None,
    status: str | None = None,
    estimated: bool | None = None,
) -> tuple[Proposal, ...]:
    """The entries that give a fill other numbers; its line keeps its status unless another is given."""
    snapshot_id, line = case.evidence.snapshot.snapshot_id, case.answered(fill)
    numbers = {
        "symbol": fill.symbol,
        "side": fill.side,
        "units": fill.units if units is None else units,
        "price_usd": fill.price_usd if price_usd is None else price_usd,
        "value_gbp": fill.value_gbp if value_gbp is None else value_gbp,
        "fee_gbp": fill.fee_gbp,
        "filled_at": fill.filled_at,
        "session": fill.session,
        "position_id": fill.position_id,
        "lot_ids": fill.lot_ids,
        "estimated": fill.estimated if estimated is None else estimated,
    }
    if line is not None:
        answer = CorrectAnswer(
            snapshot_id=snapshot_id,
            why=why,
            plan_id=line.plan_id,
            line=line.line,
            status="PARTIAL" if (status or line.status) == "PARTIAL" else "DONE",
            replaces=fill.fill_id,
            **numbers,  # type: ignore[arg-type]
        )
        return (answer,)
    void = VoidFill(snapshot_id=snapshot_id, why=why, fill_id=fill.fill_id)
    book = BookFill(snapshot_id=snapshot_id, why=why, key=f"for {fill.fill_id}", **numbers)  # type: ignore[arg-type]
    return (void, book)


def booking(
    case: Case,
    symbol: Symbol,
    side: FillSide,
    units: Decimal,
    price_usd: Decimal,
    value_gbp: Decimal,
    why: str,
    *,
    when: tuple[dt.datetime, Session],
    line: AnsweredLine | None = None,
    position_id: str | None = None,
    key: str = "",
    estimated: bool = True,
    status: str = "DONE",
) -> Proposal:
    """The entry that books an execution the ledger lacks; for a line it is its answer, or a piece more of it."""
    numbers = {
        "symbol": symbol,
        "side": side,
        "units": units,
        "price_usd": price_usd,
        "value_gbp": value_gbp,
        "fee_gbp": ZERO,
        "filled_at": when[0],
        "session": when[1],
        "position_id": position_id,
        "estimated": estimated,
    }
    snapshot_id = case.evidence.snapshot.snapshot_id
    if line is None:
        return BookFill(snapshot_id=snapshot_id, why=why, key=key, **numbers)  # type: ignore[arg-type]
    return CorrectAnswer(
        snapshot_id=snapshot_id,
        why=why,
        plan_id=line.plan_id,
        line=line.line,
        status="PARTIAL" if status == "PARTIAL" else "DONE",
        **numbers,  # type: ignore[arg-type]
    )
