"""The monthly review pack's facts: the month's tickets, what failed, incidents, cost against the policy's numbers.

A ticket belongs to the month of its window. What was entered between the last ticket of the month before and the last
one of the month itself belongs to the month.
"""

import datetime as dt
from collections import Counter
from collections.abc import Sequence

from trading_ops.domain import calendar
from trading_ops.domain.costs import proposed_policy_numbers
from trading_ops.domain.execution_text import told
from trading_ops.domain.report_facts import Counted, Head, Measured, Money, MonthlyFacts, MonthTicket, Returns, Tone
from trading_ops.domain.ticket_words import MONTHS
from trading_ops.domain.values import Session, plain
from trading_ops.reports import gates, parts, weekly, words
from trading_ops.reports.ground import Ground, morning_of
from trading_ops.reports.parts import Worth
from trading_ops.store import months


def last_session_of_month(day: dt.date) -> Session:
    """The last session of a day's month."""
    following = (day.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
    return calendar.previous_session(following)


def collect(
    g: Ground, session: Session, written: dt.datetime, revision: int = 1, replaces: str | None = None
) -> MonthlyFacts:
    """What is to be said of a month.

    Args:
        g: What the pass stands on.
        session: The last session of the month; its close is over.
        written: Now, by the book's clock.
        revision: 1, or more for a correction.
        replaces: Hash of the facts of the revision before.
    """
    first = session.replace(day=1)
    morning = morning_of(session)
    worth = Worth(g, session)
    money = parts.money(g, worth, session)
    returns = parts.returns(g, session, calendar.previous_session(first))
    asofs = [d for d in calendar.weekly_asofs(first - dt.timedelta(days=10), session)
             if first <= weekly.window_of(d) <= session]  # fmt: skip
    tickets = tuple(ticket for asof in asofs if (ticket := _ticket(g, asof)) is not None)
    failed = Counter(code for ticket in tickets for code in ticket.reasons)
    seen = months.happened(g.conn, asofs)
    still_open = gates.incidents(g)
    name = f"{MONTHS[session.month - 1]} {session.year}"
    calm = money.complete and not still_open and not seen.incidents and set(failed) <= {gates.NOT_A_FAULT}
    tone: Tone = "green" if calm else "amber"
    return MonthlyFacts(
        schema_version=1,
        kind="monthly",
        head=Head(
            book=g.book, day=session, through=session, week=calendar.week_name(session), morning_utc=morning,
            written_utc=written, audit_seq=g.head.seq, audit_hash=g.head.hash, revision=revision, replaces=replaces,
            headline=_headline(name, money, returns, tickets), tone=tone,
            summary=(*_summary(money, returns, tickets, failed), weekly.next_words(parts.coming(g, morning))),
        ),
        month=name,
        tickets=tickets,
        failed=_counted(failed),
        incidents=_counted(seen.incidents),
        still_open=still_open,
        corrections=seen.corrections,
        account_checks=seen.account_checks,
        proven_backups=seen.proven_backups,
        policies=seen.policies,
        measured=_measured(g, session),
        **parts.shared(g, worth, session, money, returns, parts.coming(g, morning)),
    )  # fmt: skip


def _ticket(g: Ground, asof: Session) -> MonthTicket | None:
    found = weekly.ticket_of(g, asof)
    if found is None:
        return None
    return MonthTicket(
        ticket_id=found.ticket_id,
        verdict="withdrawn" if found.withdrawn else found.verdict,
        reasons=tuple(why.partition(":")[0] for why in found.why),
        became=told(found.lines) if found.lines else "",
        turnover=found.turnover,
        costs=found.costs,
    )


def _counted(of: Counter[str]) -> tuple[Counted, ...]:
    return tuple(Counted(what=what, count=count) for what, count in sorted(of.items()))


def _measured(g: Ground, session: Session) -> tuple[Measured, ...]:
    numbers = proposed_policy_numbers([cost for _, cost in g.costs if cost.day <= session], g.of.policy)
    return tuple(
        Measured(
            key=n.key, in_force=plain(n.in_force), measured=None if n.measured is None else parts.known(n.measured),
            fills=n.fills,
        )
        for n in numbers
    )  # fmt: skip


def _headline(name: str, money: Money, returns: Returns, tickets: Sequence[MonthTicket]) -> str:
    moved = f" ({words.percent(returns.period, 2, sign=True)} in the month)" if returns.period is not None else ""
    trades = sum(t.verdict == "TRADE" for t in tickets)
    said = f"{words.counted(len(tickets), 'ticket', 'tickets')}, {trades} of them TRADE"
    return f"{name}: {words.pounds(money.equity_gbp)}{moved}; {said}"


def _summary(
    money: Money, returns: Returns, tickets: Sequence[MonthTicket], failed: Counter[str]
) -> tuple[str, ...]:  # fmt: skip
    said = list(weekly.result_words(money, returns, "in the month"))
    faults = {code: times for code, times in failed.items() if code != gates.NOT_A_FAULT}
    if faults:
        named = ", ".join(f"{code} {times} x" for code, times in sorted(faults.items()))
        said.append(f"Rules that refused a week: {named}.")
    if not tickets:
        said.append("No ticket was carried out in this month.")
    return tuple(said)
