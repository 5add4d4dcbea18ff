"""Intended against executed: what a ticket asked for, what became of each line, and how far they are apart.

Belongs here: the comparison of one ticket's lines with its answers and fills. Does not belong here: what the fills cost
(`costs`), how the report reads (`execution_text`), what is odd about an answer (`plausibility`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from trading_ops.domain.answer import BEGUN, Answer, is_overfilled
from trading_ops.domain.ledger_facts import Fill, FillSide
from trading_ops.domain.performance import slippage
from trading_ops.domain.ticket_model import LinePart, TicketContent
from trading_ops.domain.values import ONE, ZERO, Symbol, exact

_NOTHING_DONE = ("SKIPPED", "FAILED")


@dataclass(frozen=True, slots=True)
class LineExecution:
    """One line, asked and done. Pounds, units and dollars are 0 or None where nothing was done.

    Attributes:
        status: DONE, PARTIAL, SKIPPED, FAILED; OPEN without an answer.
        executed_gbp: Pounds of its fills, before fees.
        price_usd: Mean price of its fills, weighted by units; None without fills.
        difference_gbp: Executed less intended pounds.
        fill_ratio: Executed / intended; by pounds on a BUY, by units on a SELL.
        slippage: (price / reference - 1) x side; None without fills.
        in_window: Every fill was within the ticket's window; None without fills.
        beyond_limit: The price was beyond the line's limit, so it was to be skipped.
        overfilled: More was done than the line asked for.
        as_told: No instruction was broken: DONE or PARTIAL in the window, within the limit, not more than asked; or
            SKIPPED or FAILED, which the ticket allows at any time. Without an answer it is not.
    """

    line: int
    side: FillSide
    symbol: Symbol
    intended_gbp: Decimal
    intended_units: Decimal
    reference_usd: Decimal
    limit_usd: Decimal
    status: str
    executed_gbp: Decimal
    executed_units: Decimal
    price_usd: Decimal | None
    difference_gbp: Decimal
    fill_ratio: Decimal
    slippage: Decimal | None
    in_window: bool | None
    beyond_limit: bool
    overfilled: bool
    estimated: bool
    as_told: bool
    reason: str


@dataclass(frozen=True)
class ExecutionReport:
    """A ticket's lines with their totals in pounds.

    Attributes:
        usd_per_gbp: The fixing of the window's session that estimates rest on.
        compliance: Lines done as told / lines; None for a ticket without lines.
        slippage_gbp: Sum over fills of units x (price - reference) x side / G; above 0 is money lost.
    """

    ticket_id: str
    plan_id: str
    usd_per_gbp: Decimal
    lines: tuple[LineExecution, ...]
    intended_buys_gbp: Decimal
    intended_sells_gbp: Decimal
    executed_buys_gbp: Decimal
    executed_sells_gbp: Decimal
    slippage_gbp: Decimal
    as_told: int
    compliance: Decimal | None


def execution_report(
    content: TicketContent, answers: Sequence[Answer], fills: Sequence[Fill], fixing: Decimal
) -> ExecutionReport:
    """Compare a ticket with what became of it.

    Args:
        content: The ticket; a NO-TRADE one has no lines and gives an empty report.
        answers: Answers in force, at most one a line.
        fills: Fills in force; those of other tickets, and off-ticket ones, are not looked at.
        fixing: Dollars for one pound on the window's session.
    """
    answered = {answer.line: answer for answer in answers}
    by_line: dict[str, list[Fill]] = {}
    for fill in fills:
        if fill.ticket_line is not None:
            by_line.setdefault(fill.ticket_line, []).append(fill)
    with exact():
        lines = tuple(_line(content, line, answered.get(line.line), by_line, fixing) for line in content.lines)
        as_told = sum(line.as_told for line in lines)
        return ExecutionReport(
            ticket_id=content.ticket_id,
            plan_id=content.plan_id,
            usd_per_gbp=fixing,
            lines=lines,
            intended_buys_gbp=_sum(lines, "BUY", "intended_gbp"),
            intended_sells_gbp=_sum(lines, "SELL", "intended_gbp"),
            executed_buys_gbp=_sum(lines, "BUY", "executed_gbp"),
            executed_sells_gbp=_sum(lines, "SELL", "executed_gbp"),
            slippage_gbp=sum((_slippage_gbp(line, fixing) for line in lines), ZERO),
            as_told=as_told,
            compliance=Decimal(as_told) / len(lines) if lines else None,
        )


def _line(
    content: TicketContent,
    line: LinePart,
    answer: Answer | None,
    by_line: Mapping[str, Sequence[Fill]],
    fixing: Decimal,
) -> LineExecution:
    fills = by_line.get(f"{content.plan_id}/{line.line}", ())
    units = sum((fill.units for fill in fills), ZERO)
    pounds = sum((fill.value_gbp for fill in fills), ZERO)
    price = sum((fill.units * fill.price_usd for fill in fills), ZERO) / units if units else None
    buy = line.side == "BUY"
    wanted_gbp, wanted_units, limit = Decimal(line.amount_gbp), Decimal(line.units), Decimal(line.limit_price_usd)
    reference = Decimal(line.reference_price_usd)
    done, wanted = (pounds, wanted_gbp) if buy else (units, wanted_units)
    window = content.window
    status = answer.status if answer else "OPEN"
    in_window = all(window.open_utc <= f.filled_at <= window.close_utc for f in fills) if fills else None
    beyond = price is not None and (price > limit if buy else price < limit)
    over = _overfilled(line, answer, done, wanted, fixing)
    return LineExecution(
        line=line.line,
        side=line.side,
        symbol=line.symbol,
        intended_gbp=wanted_gbp,
        intended_units=wanted_units,
        reference_usd=reference,
        limit_usd=limit,
        status=status,
        executed_gbp=pounds,
        executed_units=units,
        price_usd=price,
        difference_gbp=pounds - wanted_gbp,
        fill_ratio=done / wanted if wanted else ZERO,
        slippage=slippage(price, reference, line.side) if price is not None else None,
        in_window=in_window,
        beyond_limit=beyond,
        overfilled=over,
        estimated=any(fill.estimated for fill in fills),
        as_told=status in _NOTHING_DONE
        if not fills
        else bool(in_window) and answer is not None and not (beyond or over),
        reason=answer.reason if answer else "",
    )


def _overfilled(line: LinePart, answer: Answer | None, done: Decimal, wanted: Decimal, fixing: Decimal) -> bool:
    if answer is not None and answer.status in BEGUN and answer.price_usd is not None:
        rates = [fixing] * len(answer.pieces)
        return is_overfilled(answer, line.side, Decimal(line.units), Decimal(line.amount_gbp), rates)
    return done > wanted


def _sum(lines: Sequence[LineExecution], side: FillSide, field: str) -> Decimal:
    return sum((getattr(line, field) for line in lines if line.side == side), ZERO)


def _slippage_gbp(line: LineExecution, fixing: Decimal) -> Decimal:
    if line.price_usd is None:
        return ZERO
    side = ONE if line.side == "BUY" else -ONE
    return line.executed_units * (line.price_usd - line.reference_usd) * side / fixing
