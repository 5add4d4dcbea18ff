"""Proposed correcting entries in plain words, as the operator reads them before accepting."""

from typing import assert_never

from trading_ops.domain.corrections import (
    BookFill,
    BookMovement,
    CorrectAnswer,
    Proposal,
    RecordEvent,
    RecordSplit,
    RetakeSnapshot,
    VoidFill,
    VoidMovement,
    VoidSplit,
    WithdrawAnswer,
)
from trading_ops.domain.ledger import LedgerFacts
from trading_ops.domain.ledger_facts import CorporateEvent
from trading_ops.domain.ticket_words import clock, london_day, pounds, short_day
from trading_ops.domain.values import fixed, plain


def in_words(proposal: Proposal, facts: LedgerFacts) -> str:
    """One entry as a sentence.

    Args:
        proposal: The entry.
        facts: The ledger's facts, to name what is taken out.
    """
    match proposal:
        case VoidFill():
            said = f"Take out of force: {_fill(proposal.fill_id, facts)}."
        case VoidMovement():
            said = f"Take out of force: {_movement(proposal.movement_id, facts)}."
        case CorrectAnswer():
            old = f" in place of {_fill(proposal.replaces, facts)}" if proposal.replaces else ""
            old += "; its other pieces stay" if _has_more(proposal, facts) else ""
            said = (
                f"Answer line {proposal.line} of plan {proposal.plan_id} anew, {proposal.status}: "
                f"{_execution(proposal)}{old}."
            )
        case WithdrawAnswer():
            said = (
                f"Answer line {proposal.line} of plan {proposal.plan_id} anew, {proposal.status}, "
                f"{'without' if proposal.status != 'SKIPPED' else 'in place of'} {_fill(proposal.replaces, facts)}."
            )
        case BookFill():
            said = f"Book a fill: {_execution(proposal)}."
        case BookMovement():
            of = f" of {proposal.symbol}" if proposal.symbol else ""
            ex = f", ex-date {short_day(proposal.ex_date)}" if proposal.ex_date else ""
            amount = pounds(fixed(proposal.amount_gbp, 2))
            said = f"Book a cash movement: {proposal.kind}{of}, {amount}, on {short_day(proposal.day)}{ex}."
        case RecordSplit():
            day = short_day(proposal.ex_date)
            said = f"Record a split of {proposal.symbol}: {plain(proposal.ratio)} new units for 1 old, from {day} on."
        case VoidSplit():
            said = f"Take the split of {proposal.symbol} on {short_day(proposal.ex_date)} out of force."
        case RecordEvent():
            said = _event(proposal.event)
        case RetakeSnapshot():
            expected = f"; {plain(proposal.expected)} is expected" if proposal.expected is not None else ""
            said = f"Nothing to book: repeat the account check and look at {proposal.field}{expected}."
        case _:
            assert_never(proposal)
    return said


def _has_more(entry: CorrectAnswer, facts: LedgerFacts) -> bool:
    line = f"{entry.plan_id}/{entry.line}"
    return any(fill.ticket_line == line and fill.fill_id != entry.replaces for fill in facts.fills)


def _execution(entry: BookFill | CorrectAnswer) -> str:
    worked_out = ", worked out" if entry.estimated else ""
    fee = f", fee {pounds(fixed(entry.fee_gbp, 2))}" if entry.fee_gbp else ""
    return (
        f"{entry.side} {plain(entry.units)} {entry.symbol} at ${plain(entry.price_usd)} for "
        f"{pounds(fixed(entry.value_gbp, 2))}{fee}{worked_out}, {short_day(london_day(entry.filled_at))} "
        f"{clock(entry.filled_at)} (London)"
    )


def _fill(fill_id: str, facts: LedgerFacts) -> str:
    for fill in facts.fills:
        if fill.fill_id == fill_id:
            return (
                f"the fill {fill.side} {plain(fill.units)} {fill.symbol} for {pounds(fixed(fill.value_gbp, 2))} of "
                f"{short_day(fill.session)}"
            )
    return f"the fill {fill_id}"


def _movement(movement_id: str, facts: LedgerFacts) -> str:
    for movement in facts.movements:
        if movement.movement_id == movement_id:
            of = f" of {movement.symbol}" if movement.symbol else ""
            amount = pounds(fixed(movement.amount_gbp, 2))
            return f"the {movement.kind}{of} of {amount} on {short_day(movement.day)}"
    return f"the cash movement {movement_id}"


def _event(event: CorporateEvent) -> str:
    new = ""
    if event.new_symbol:
        units = f"{plain(event.new_units)} units of " if event.new_units else ""
        new = f", into {units}{event.new_symbol}"
    cash = f", with {pounds(fixed(event.cash_gbp, 2))} in cash" if event.cash_gbp else ""
    kind = event.kind.replace("_", "-")
    return f"Record a {kind} of {event.symbol} on {short_day(event.day)}{new}{cash}."
