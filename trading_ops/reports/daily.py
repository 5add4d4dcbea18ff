"""The daily report's facts, collected for one session."""

import datetime as dt

from trading_ops.domain import calendar
from trading_ops.domain.calendar import week_name
from trading_ops.domain.report_facts import (
    DailyFacts,
    GateState,
    Head,
    Money,
    Next,
    OpenIncident,
    Returns,
    Safety,
    Tone,
)
from trading_ops.domain.values import Session
from trading_ops.reports import gates, parts, words
from trading_ops.reports.ground import Ground, morning_of
from trading_ops.reports.parts import Worth


def collect(
    g: Ground, session: Session, written: dt.datetime, revision: int = 1, replaces: str | None = None
) -> DailyFacts:
    """What is to be said of a session.

    Args:
        g: What the pass stands on.
        session: The session; its close is over.
        written: Now, by the book's clock.
        revision: 1, or more for a correction.
        replaces: Hash of the facts of the revision before.
    """
    morning = morning_of(session)
    worth = Worth(g, session)
    money = parts.money(g, worth, session)
    returns = parts.returns(g, session, calendar.previous_session(session))
    newest = gates.newest_ticket(g, morning)
    states = gates.gates(g, worth, session, morning, newest)
    found, safe, coming = gates.incidents(g), gates.safety(g, session, morning), parts.coming(g, morning)
    why = f" ({', '.join(newest.content.reasons)})" if newest and newest.content.reasons else ""
    ticket = f"{newest.ticket.ticket_id} {newest.ticket.verdict}{why}" if newest else "none yet"
    tone = _tone(money, states, found, safe)
    return DailyFacts(
        schema_version=1,
        kind="daily",
        head=Head(
            book=g.book, day=session, through=session, week=week_name(session), morning_utc=morning,
            written_utc=written, audit_seq=g.head.seq, audit_hash=g.head.hash, revision=revision, replaces=replaces,
            headline=_headline(session, money, returns, states, found), tone=tone,
            summary=_summary(session, money, returns, states, found, safe, coming, morning),
        ),
        ticket=ticket,
        gates=states,
        quality=gates.quality(g, worth, session),
        incidents=found,
        safety=safe,
        **parts.shared(g, worth, session, money, returns, coming),
    )  # fmt: skip


def failing(states: tuple[GateState, ...]) -> list[str]:
    """Codes of rules that fail."""
    return [other.code for state in states for other in state.others if other.outcome == "FAIL"]


AWAITED = "SNAPSHOT_STALE"
"""Fails between a trade and the week's account check, as it should: nothing is wrong, a check is due."""


def _tone(money: Money, states: tuple[GateState, ...], found: tuple[OpenIncident, ...], safe: Safety) -> Tone:
    failed = failing(states)
    if set(failed) - {AWAITED} or any(i.blocking for i in found) or safe.kill_switch == "HALTED":
        return "red"
    if not money.complete or found or safe.kill_switch != "ACTIVE":
        return "amber"
    return "grey" if failed else "green"


def _state_words(states: tuple[GateState, ...], found: tuple[OpenIncident, ...]) -> str:
    failed = failing(states)
    if failed == [AWAITED]:
        return "account check due"
    if failed:
        return f"{words.counted(len(failed), 'rule fails', 'rules fail')}: {', '.join(failed)}"
    if all(state.passed == 0 for state in states if state.gate == "data"):
        return "no plan yet"
    return words.counted(len(found), "open incident", "open incidents") if found else "all gates pass"


def _headline(
    session: Session, money: Money, returns: Returns, states: tuple[GateState, ...], found: tuple[OpenIncident, ...]
) -> str:
    moved = f" ({words.percent(returns.period, 2, sign=True)})" if returns.period is not None else ""
    lacking = "" if money.complete else ", prices missing"
    return f"{words.day(session)}: {words.pounds(money.equity_gbp)}{moved}{lacking}; {_state_words(states, found)}"


def _summary(
    session: Session, money: Money, returns: Returns, states: tuple[GateState, ...], found: tuple[OpenIncident, ...],
    safe: Safety, coming: Next, morning: dt.datetime,
) -> tuple[str, ...]:  # fmt: skip
    allowed = words.percent(returns.drawdown_allowed, 0)
    equity = f"Equity {words.pounds(money.equity_gbp)} at the close of {words.day(session)}"
    said = [
        f"{equity}, {words.pounds(returns.period_gbp, sign=True)} on the day; drawdown "
        f"{words.percent(returns.drawdown)} of at most {allowed}."
    ]
    if not money.complete:
        said.append("Not every held name has a price of that day: the last known one stands in.")
    said += [f"{o.code}: {o.sentence}" for state in states for o in state.others if o.outcome == "FAIL"]
    said += [f"Open incident{' that blocks trading' if i.blocking else ''}: {i.title}" for i in found]
    if safe.kill_switch != "ACTIVE":
        said.append(f"The kill switch is {safe.kill_switch}: {safe.kill_switch_why}")
    said.append(next_words(coming))
    proven = safe.backup_proven_utc
    said.append(f"Last proven backup: {words.age(proven, morning)} old." if proven else "No backup is proven yet.")
    return tuple(said)


def next_words(coming: Next) -> str:
    """When the next rebalance is."""
    hours = f"{words.when(coming.window_open_utc)} to {words.hour(coming.window_close_utc)}"
    return f"Next rebalance: {coming.week}, plan opens {words.when(coming.opens_utc)}, window {hours} (London)."
