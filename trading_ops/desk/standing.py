"""What a person wants to know within ten seconds: where the desk stands, and what is next.

Belongs here: one picture of the tickets that count, their answers, the kill switch, incidents and the next deadline.
Does not belong here: the books' light (`reconciling`), anything that changes something.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import psycopg

from trading_ops.desk import policy_now
from trading_ops.desk.answering import TicketState, ticket_state
from trading_ops.domain import calendar
from trading_ops.domain.books import Book
from trading_ops.domain.desk import check_backup_unproven
from trading_ops.domain.kill_switch import KillSwitch, KillSwitchEvent, standing_pauses, state_at
from trading_ops.domain.results import CheckResult
from trading_ops.store import audit, backups, configuration, desk, tickets
from trading_ops.store import incidents as stored

UNTRADABLE = "UNTRADABLE_SYMBOL"
NEWEST = (
    # A test that asked for nothing is no news beside the week's ticket.
    "SELECT t.ticket_id FROM ops.tickets t JOIN ops.plans p USING (plan_id) "
    "WHERE p.kind = 'weekly' OR t.verdict = 'TRADE' ORDER BY p.asof DESC, t.audit_seq DESC LIMIT 1"
)


@dataclass(frozen=True)
class Incident:
    """An incident that nobody has closed.

    Attributes:
        incident_id: Its number.
        kind: Its class.
        title: What happened.
        blocking: No plan trades while it is open.
        opened_at: When it was opened.
        now: How its subject stands now and what to do, where that is known; else empty.
        sentence: What was seen when it was opened; empty when nothing more than the title is known.
        acknowledged: Who took it on, when and with which note; empty while nobody has.
        told_again: How often it was told of again because nobody had.
    """

    incident_id: str
    kind: str
    title: str
    blocking: bool
    opened_at: dt.datetime
    now: str = ""
    sentence: str = ""
    acknowledged: str = ""
    told_again: int = 0


@dataclass(frozen=True)
class OpenPlan:
    """A plan without a ticket yet."""

    plan_id: str
    week: str
    opens_at: dt.datetime
    decide_by: dt.datetime


@dataclass(frozen=True)
class Standing:
    """Where the desk stands.

    Attributes:
        book: live, paper or sim.
        newest: The newest ticket with its answers, or None.
        waiting: Every ticket that stands and has lines without an answer, oldest first; it may be the newest too.
        kill_switch: The state at the session.
        pauses: Pauses that nobody ended and that are not over at the session, each from and to.
        incidents: Open ones, blocking first.
        open_plan: The oldest plan that is open and has no ticket; None when there is none.
        overdue: Its decide-by has passed: there is no ticket for it, and nothing is to be traded.
        backup_proven_at: The moment that the newest proven backup holds, as the gate reads it.
        backup: What the gate would say of it now.
    """

    book: str
    newest: TicketState | None
    waiting: tuple[TicketState, ...]
    kill_switch: KillSwitch
    pauses: tuple[KillSwitchEvent, ...]
    incidents: tuple[Incident, ...]
    open_plan: OpenPlan | None
    overdue: bool
    backup_proven_at: dt.datetime | None
    backup: CheckResult

    @property
    def first(self) -> TicketState | None:
        """The ticket to open where none is named: the newest, unless it is done with and another still waits.

        A newest one that is withdrawn, or asks for nothing, is the instruction that holds now: it stays in front.
        """
        newest = self.newest
        if newest is None or not self.waiting:
            return newest
        done_with = newest.content.lines and not newest.open_lines and newest.ticket.withdrawn_because is None
        return self.waiting[-1] if done_with else newest

    def waiting_beside(self, shown: TicketState) -> tuple[TicketState, ...]:
        """The tickets that wait, without the one that is shown."""
        return tuple(state for state in self.waiting if state.ticket.plan_id != shown.ticket.plan_id)


def standing(conn: psycopg.Connection[Any], now: dt.datetime) -> Standing:
    """The desk at a moment, straight from the database."""
    head = audit.head(conn).seq
    events = desk.kill_switch_events(conn, head)
    session = calendar.last_closed(now)
    pauses = tuple(pause for pause in standing_pauses(events) if pause.until is not None and pause.until >= session)
    plan = open_plan(conn, now)
    row = conn.execute(NEWEST).fetchone()
    waiting = {t.ticket_id: ticket_state(conn, t.ticket_id) for t in tickets.awaiting_answers(conn, dt.date.min)}
    book, proven_at = cast("Book", desk.book(conn)), backups.holds_until(conn, head)
    return Standing(
        book=book,
        newest=(waiting.get(row["ticket_id"]) or ticket_state(conn, row["ticket_id"])) if row else None,
        waiting=tuple(waiting.values()),
        kill_switch=state_at(events, session),
        pauses=pauses,
        incidents=incidents(conn, session),
        open_plan=plan,
        overdue=plan is not None and now > plan.decide_by,
        backup_proven_at=proven_at,
        backup=check_backup_unproven(proven_at, now, configuration.policy_in_force(conn).policy, book),
    )


def open_plan(conn: psycopg.Connection[Any], now: dt.datetime) -> OpenPlan | None:
    """The newest plan that has opened and has no ticket, or None."""
    row = conn.execute(
        "SELECT p.plan_id, p.week, p.opens_at, p.decide_by FROM ops.plans p LEFT JOIN ops.tickets t USING (plan_id) "
        "WHERE t.plan_id IS NULL AND p.kind = 'weekly' AND p.opens_at <= %s ORDER BY p.plan_id DESC LIMIT 1",
        (now,),
    ).fetchone()
    return OpenPlan(**row) if row else None


def incidents(conn: psycopg.Connection[Any], day: dt.date) -> tuple[Incident, ...]:
    """Open incidents, blocking ones first, then the newest; of a name, with how it stands on a day."""
    found = stored.open_ones(conn)
    untradable = any(each.kind == UNTRADABLE for each in found)
    known = {n.instrument.symbol: n for n in policy_now.names(conn, day)[1]} if untradable else {}
    return tuple(_open(each, known) for each in found)


def _open(of: stored.Incident, known: Mapping[str, policy_now.Name]) -> Incident:
    symbol = str(of.details.get("symbol"))
    at = of.acknowledged_at.astimezone(calendar.LONDON) if of.acknowledged_at else None
    return Incident(
        of.incident_id, of.kind, of.title, of.blocking, of.opened_at,
        now=_of_name(symbol, known.get(symbol)) if of.kind == UNTRADABLE else "",
        sentence=str(of.details.get("sentence", "")),
        acknowledged=f"{of.acknowledged_by} on {at:%d %b %Y %H:%M} London: {of.note}" if at else "",
        told_again=of.level,
    )  # fmt: skip


def _of_name(symbol: str, name: policy_now.Name | None) -> str:
    """How the name of an incident stands, and what a person does then."""
    if name is None:
        return f"{symbol} is in no universe of this week. Close this with a note."
    if name.why_off:
        return (
            f"{symbol} is switched off: {name.why_off}. If that is wrong, look it up again on the page Check names, or "
            "correct the answer of its line; else nothing is to be done. Close this with a note."
        )
    check = name.check
    why = f"{check.checked_by} found it as Stocks on {check.day:%d %b %Y}" if check and check.outcome == "found" else (
        "its answer was corrected, or a newer universe has it"
    )  # fmt: skip
    return f"{symbol} is in use again: {why}. Close this with a note."


def next_deadline(of: Standing, now: dt.datetime) -> tuple[str, dt.datetime] | None:
    """What is due next and when, in words: an answer or a decision; None when nothing is."""
    due = [
        (state.content.window.confirm_by_utc, f"answers to {state.ticket.ticket_id}")
        for state in of.waiting
        if state.content.window.confirm_by_utc >= now
    ]
    if of.open_plan is not None and not of.overdue:
        due.append((of.open_plan.decide_by, f"decision of plan {of.open_plan.week}"))
    return min(((what, at) for at, what in due), key=lambda pair: pair[1], default=None)


def next_opening(conn: psycopg.Connection[Any], now: dt.datetime) -> dt.datetime:
    """When the next plan opens, by the policy in force."""
    policy = configuration.policy_in_force(conn).policy
    asof = calendar.last_session_of_week(now.date())
    for _ in range(4):
        times = calendar.plan_times(asof, policy)
        if times.opens_at > now:
            return times.opens_at
        asof = calendar.last_session_of_week(asof + dt.timedelta(days=7))
    raise AssertionError("a plan opens every week")
