"""The weekly report's facts: the week's ticket, what became of it, and how the book did up to its window's close."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from trading_ops.desk import ticket_history
from trading_ops.desk.answering import TicketState, ticket_state
from trading_ops.domain import calendar
from trading_ops.domain.costs import FillCost
from trading_ops.domain.execution import ExecutionReport, LineExecution
from trading_ops.domain.execution_text import remarks, told
from trading_ops.domain.performance import turnover
from trading_ops.domain.report_facts import Head, Money, Returns, TicketLine, TicketPart, Tone, WeeklyFacts
from trading_ops.domain.results import Outcome
from trading_ops.domain.values import ZERO, Session, exact, fixed, plain
from trading_ops.reports import parts, words
from trading_ops.reports.daily import next_words
from trading_ops.reports.gates import NOT_A_FAULT
from trading_ops.reports.ground import Ground, morning_of
from trading_ops.reports.parts import Worth, gbp, known, share


def window_of(asof: Session) -> Session:
    """The session on which the ticket of a week is carried out; the week's report comes the morning after."""
    return calendar.next_session(asof)


def collect(
    g: Ground, asof: Session, written: dt.datetime, revision: int = 1, replaces: str | None = None
) -> WeeklyFacts:
    """What is to be said of a week.

    Args:
        g: What the pass stands on; it reaches to the window's session at least.
        asof: The last session of the week, as of which its plan was made.
        written: Now, by the book's clock.
        revision: 1, or more for a correction.
        replaces: Hash of the facts of the revision before.
    """
    session = window_of(asof)
    morning = morning_of(session)
    worth = Worth(g, session)
    money = parts.money(g, worth, session)
    before = calendar.last_session_of_week(asof - dt.timedelta(days=7))
    returns = parts.returns(g, session, window_of(before))
    ticket, coming = ticket_of(g, asof), parts.coming(g, morning)
    tone: Tone = "green" if money.complete and _as_wanted(ticket) else "amber"
    return WeeklyFacts(
        schema_version=2,
        kind="weekly",
        head=Head(
            book=g.book, day=asof, through=session, week=calendar.week_name(asof), morning_utc=morning,
            written_utc=written, audit_seq=g.head.seq, audit_hash=g.head.hash, revision=revision, replaces=replaces,
            headline=_headline(asof, money, returns, ticket), tone=tone,
            summary=(_ticket_words(asof, ticket), *result_words(money, returns, "in the week"), next_words(coming)),
        ),
        ticket=ticket,
        **parts.shared(g, worth, session, money, returns, coming),
    )  # fmt: skip


def ticket_of(g: Ground, asof: Session) -> TicketPart | None:
    """The weekly ticket of a session and what became of it; None when there is none."""
    row = g.conn.execute(
        "SELECT t.plan_id FROM ops.tickets t JOIN ops.plans p USING (plan_id) WHERE p.kind = 'weekly' AND p.asof = %s",
        (asof,),
    ).fetchone()
    if row is None:
        return None
    state = ticket_state(g.conn, row["plan_id"])
    content = state.content
    report = ticket_history.asked_against_done(g.conn, g.of, state)
    of_ticket = [(f, c) for f, c in g.costs if f.ticket_line and f.ticket_line.startswith(f"{content.plan_id}/")]
    by_line: dict[str, list[FillCost]] = {}
    for fill, cost in of_ticket:
        by_line.setdefault(str(fill.ticket_line), []).append(cost)
    done = [report.executed_buys_gbp, report.executed_sells_gbp] if report else [ZERO, ZERO]
    equity = Decimal(content.equity_gbp or 0)
    return TicketPart(
        ticket_id=content.ticket_id,
        verdict=content.verdict.value,
        withdrawn=state.ticket.withdrawn_because or "",
        why=_why(state) if content.verdict.value != "TRADE" else (),
        lines=_lines(content.plan_id, report, by_line),
        as_told=report.as_told if report else 0,
        compliance=share(report.compliance) if report else None,
        asked_buys_gbp=content.buys_gbp,
        asked_sells_gbp=content.sells_gbp,
        done_buys_gbp=gbp(done[0]),
        done_sells_gbp=gbp(done[1]),
        turnover_asked=known(turnover(Decimal(content.buys_gbp), Decimal(content.sells_gbp), equity)),
        turnover=known(turnover(done[0], done[1], equity)),
        costs=parts.costs(content.ticket_id, [cost for _, cost in of_ticket]),
    )


def _as_wanted(ticket: TicketPart | None) -> bool:
    """No line is open or broke an instruction; or nothing was asked for because nothing was to be done."""
    if ticket is None or ticket.withdrawn:
        return False
    return ticket.as_told == len(ticket.lines) and all(why.startswith(NOT_A_FAULT) for why in ticket.why)


def _why(state: TicketState) -> tuple[str, ...]:
    failed = [gate for gate in state.content.gates if gate.outcome is Outcome.FAIL]
    return tuple(f"{gate.code}: {gate.sentence}" for gate in failed)


def _lines(plan_id: str, report: ExecutionReport | None, costs: dict[str, list[FillCost]]) -> tuple[TicketLine, ...]:
    if report is None:
        return ()
    return tuple(_line(line, costs.get(f"{plan_id}/{line.line}", ())) for line in report.lines)


def _line(line: LineExecution, costs: Sequence[FillCost]) -> TicketLine:
    with exact():
        cost = sum((c.total_gbp for c in costs), ZERO) if costs else None
    return TicketLine(
        line=line.line,
        side=line.side,
        symbol=line.symbol,
        asked_gbp=gbp(line.intended_gbp),
        asked_units=plain(line.intended_units),
        done_gbp=gbp(line.executed_gbp),
        done_units=plain(line.executed_units),
        status=line.status,
        price_usd=None if line.price_usd is None else fixed(line.price_usd, 2),
        reference_usd=fixed(line.reference_usd, 2),
        slippage=share(line.slippage),
        cost_gbp=None if cost is None else gbp(cost),
        as_told=line.as_told,
        remark="; ".join(remarks(line)),
    )


def _headline(asof: Session, money: Money, returns: Returns, ticket: TicketPart | None) -> str:
    week = calendar.week_name(asof)
    moved = f" ({words.percent(returns.period, 2, sign=True)} in the week)" if returns.period is not None else ""
    return f"Week {week}: {_short(ticket)}; {words.pounds(money.equity_gbp)}{moved}"


def _short(ticket: TicketPart | None) -> str:
    if ticket is None:
        return "no ticket"
    if ticket.verdict != "TRADE":
        return "NO-TRADE"
    return f"TRADE, {told(ticket.lines)}"


def _ticket_words(asof: Session, ticket: TicketPart | None) -> str:
    if ticket is None:
        return f"No ticket was issued for week {calendar.week_name(asof)}: nothing was to be traded."
    if ticket.withdrawn:
        return f"Ticket {ticket.ticket_id} was withdrawn: {ticket.withdrawn}"
    if ticket.verdict != "TRADE":
        return f"Ticket {ticket.ticket_id} said NO-TRADE. {' '.join(ticket.why)}".strip()
    bought = f"bought {words.pounds(ticket.done_buys_gbp)} of {words.pounds(ticket.asked_buys_gbp)}"
    sold = f"sold {words.pounds(ticket.done_sells_gbp)} of {words.pounds(ticket.asked_sells_gbp)}"
    cost = f"cost {words.pounds(ticket.costs.total_gbp)} ({words.bps(ticket.costs.bps)})"
    return f"Ticket {ticket.ticket_id}: {told(ticket.lines)}; {bought}, {sold}; {cost}."


def result_words(money: Money, returns: Returns, when: str) -> tuple[str, ...]:
    """How the book did in the report's time and since the start, as two sentences."""
    first = (
        f"Equity {words.pounds(money.equity_gbp)}, {words.pounds(returns.period_gbp, sign=True)} {when}: "
        f"{words.percent(returns.period, 2, sign=True)}, {returns.benchmark} in pounds "
        f"{words.percent(returns.period_benchmark, 2, sign=True)}."
    )
    second = (
        f"Since the start {words.percent(returns.twr, 1, sign=True)}, {returns.benchmark} "
        f"{words.percent(returns.benchmark_twr, 1, sign=True)}; drawdown {words.percent(returns.drawdown)}."
    )
    return first, second
