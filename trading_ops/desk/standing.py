"""What a person wants to know within ten seconds: where the desk stands, and what is next.

Belongs here: one picture of the newest ticket, its answers, the kill switch, incidents and the next deadline.
Does not belong here: the books' light (`reconciling`), anything that changes something.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from trading_ops.desk.answering import TicketState, ticket_state
from trading_ops.domain import calendar
from trading_ops.domain.kill_switch import KillSwitch, KillSwitchEvent, standing_pauses, state_at
from trading_ops.store import audit, configuration, desk

NEWEST = (
    # A test that asked for nothing is no news beside the week's ticket.
    "SELECT t.ticket_id FROM ops.tickets t JOIN ops.plans p USING (plan_id) "
    "WHERE p.kind = 'weekly' OR t.verdict = 'TRADE' ORDER BY p.asof DESC, t.audit_seq DESC LIMIT 1"
)


@dataclass(frozen=True)
class Incident:
    """An incident that nobody has closed."""

    incident_id: str
    kind: str
    title: str
    blocking: bool
    opened_at: dt.datetime


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
        kill_switch: The state at the session.
        pauses: Pauses that nobody ended and that are not over at the session, each from and to.
        incidents: Open ones, blocking first.
        open_plan: The oldest plan that is open and has no ticket; None when there is none.
        overdue: Its decide-by has passed: there is no ticket for it, and nothing is to be traded.
    """

    book: str
    newest: TicketState | None
    kill_switch: KillSwitch
    pauses: tuple[KillSwitchEvent, ...]
    incidents: tuple[Incident, ...]
    open_plan: OpenPlan | None
    overdue: bool


def standing(conn: psycopg.Connection[Any], now: dt.datetime) -> Standing:
    """The desk at a moment, straight from the database."""
    events = desk.kill_switch_events(conn, audit.head(conn).seq)
    session = calendar.last_closed(now)
    pauses = tuple(pause for pause in standing_pauses(events) if pause.until is not None and pause.until >= session)
    plan = open_plan(conn, now)
    row = conn.execute(NEWEST).fetchone()
    return Standing(
        book=desk.book(conn),
        newest=ticket_state(conn, row["ticket_id"]) if row else None,
        kill_switch=state_at(events, session),
        pauses=pauses,
        incidents=incidents(conn),
        open_plan=plan,
        overdue=plan is not None and now > plan.decide_by,
    )


def open_plan(conn: psycopg.Connection[Any], now: dt.datetime) -> OpenPlan | None:
    """The newest plan that has opened and has no ticket, or None."""
    row = conn.execute(
        "SELECT p.plan_id, p.week, p.opens_at, p.decide_by FROM ops.plans p LEFT JOIN ops.tickets t USING (plan_id) "
        "WHERE t.plan_id IS NULL AND p.kind = 'weekly' AND p.opens_at <= %s ORDER BY p.plan_id DESC LIMIT 1",
        (now,),
    ).fetchone()
    return OpenPlan(**row) if row else None


def incidents(conn: psycopg.Connection[Any]) -> tuple[Incident, ...]:
    """Open incidents, blocking ones first, then the newest."""
    rows = conn.execute(
        "SELECT i.incident_id::text AS incident_id, i.class AS kind, i.title, i.blocking, i.created_at AS opened_at "
        "FROM ops.incidents i LEFT JOIN ops.incident_closures c USING (incident_id) WHERE c.incident_id IS NULL "
        "ORDER BY NOT i.blocking, i.created_at DESC"
    )
    return tuple(Incident(**r) for r in rows)


def next_deadline(of: Standing, now: dt.datetime, policy_opens: dt.datetime | None) -> tuple[str, dt.datetime] | None:
    """What is due next and when, in words: an answer, a decision, or the next plan."""
    due: list[tuple[dt.datetime, str]] = []
    if of.newest is not None and of.newest.open_lines and of.newest.content.window.confirm_by_utc >= now:
        due.append((of.newest.content.window.confirm_by_utc, f"answers to {of.newest.ticket.ticket_id}"))
    if of.open_plan is not None and not of.overdue:
        due.append((of.open_plan.decide_by, f"decision of plan {of.open_plan.week}"))
    if policy_opens is not None and policy_opens >= now:
        due.append((policy_opens, "the next plan opens"))
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


def recent_tickets(conn: psycopg.Connection[Any], count: int) -> Sequence[dict[str, Any]]:
    """The newest tickets, newest first, each with how many of its lines are answered."""
    return conn.execute(
        "SELECT t.plan_id, t.ticket_id, t.verdict, t.issued_at, w.reason AS withdrawn_because, "
        "(SELECT count(*) FROM ops.ticket_lines l WHERE l.plan_id = t.plan_id) AS lines, "
        "(SELECT count(DISTINCT c.line) FROM ops.confirmations c WHERE c.plan_id = t.plan_id) AS answered "
        "FROM ops.tickets t JOIN ops.plans p USING (plan_id) LEFT JOIN ops.ticket_withdrawals w USING (plan_id) "
        "ORDER BY p.asof DESC, t.audit_seq DESC LIMIT %s",
        (count,),
    ).fetchall()
