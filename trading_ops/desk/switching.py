"""Stopping the desk, starting it again, holidays, and closing incidents: what a person may set, and when it holds.

Does not belong here: what a state means for a plan (`domain.risk`), how it is stored (`store.desk`).
"""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from trading_ops.domain import calendar
from trading_ops.domain.calendar import PlanTimes
from trading_ops.domain.errors import BadInput, Refused
from trading_ops.domain.kill_switch import KillSwitchEvent, end_of_pause, followed_by_a_state, standing_pauses
from trading_ops.domain.policy import Policy
from trading_ops.domain.rollout import ROLLOUT
from trading_ops.domain.ticket_words import long_day
from trading_ops.domain.values import Session
from trading_ops.store import audit, configuration, desk

STATES = ("ACTIVE", "REDUCING", "HALTED")
MEANING = {
    "ACTIVE": "plans may buy and sell; coming from another state, the drawdown is measured anew from that session",
    "REDUCING": "plans may sell only",
    "HALTED": "every plan is NO-TRADE",
}
LONGEST_PAUSE = dt.timedelta(days=120)
LONGEST_REASON = 400


@dataclass(frozen=True)
class Pause:
    """A holiday as the plans see it.

    Attributes:
        first: The first as-of session that it covers.
        last: The last one.
        covered: The plans it covers, oldest first.
        following: The first plan after it.
    """

    first: Session
    last: Session
    covered: tuple[PlanTimes, ...]
    following: PlanTimes


def set_state(conn: psycopg.Connection[Any], state: str, session: dt.date, reason: str, username: str) -> str:
    """Set the kill switch from a session on; returns what was set, as a sentence.

    Raises:
        BadInput: There is no such state, the reason is missing, or the day is none of the calendar.
    """
    check_state(state, session, reason)
    desk.set_kill_switch(conn, state, session, reason.strip(), username)
    said = [f"{state} from {long_day(session)} on: {MEANING[state]}.", *pauses_over(conn, session)]
    return " ".join(said)


def pauses_over(conn: psycopg.Connection[Any], session: dt.date) -> list[str]:
    """What has to be known of each pause that a state set from a session on does not end, as sentences."""
    events = desk.kill_switch_events(conn, audit.head(conn).seq)
    return [
        f"It ends no pause: no plan of {long_day(pause.session)} to {long_day(pause.until)} trades, unless somebody "
        "ends that pause earlier."
        for pause in standing_pauses(events)
        if pause.until is not None and pause.until >= session
    ]


def check_state(state: str, session: dt.date, reason: str) -> None:
    """The same checks, before anything is asked of the person.

    Raises:
        BadInput: See `set_state`.
    """
    if state not in STATES:
        raise BadInput(f"{state!r} is none of {', '.join(STATES)}.")
    require_reason(reason)
    _require_on_calendar(session)


def _require_on_calendar(session: dt.date) -> None:
    if not calendar.FIRST_DAY <= session <= calendar.LAST_DAY:
        raise BadInput(f"{session} is outside the calendar.")


def require_reason(reason: str) -> None:
    """A person says why.

    Raises:
        BadInput: They did not, or at too great length.
    """
    require_words(reason, "reason", "The reason is missing. Write in a few words why.")


def require_words(said: str, name: str, missing: str) -> None:
    """A person wrote something, not too long; `name` is what it is, `missing` what is said when it is not there.

    Raises:
        BadInput: They did not, or at too great length.
    """
    if not said.strip():
        raise BadInput(missing)
    if len(said) > LONGEST_REASON:
        raise BadInput(f"The {name} has {len(said)} characters; use {LONGEST_REASON} at most.")


def pause_of(away_from: dt.date, until: dt.date, policy: Policy, now: dt.datetime) -> Pause:
    """Which plans nobody can execute while people are away, both days included.

    A plan's as-of session is the week before its window, so a pause begins before the first day away.

    Raises:
        BadInput: The last day is before the first, or over already, or the pause is very long.
        Refused: No execution window lies within the days.
    """
    if until < away_from:
        raise BadInput(f"The last day away, {long_day(until)}, is before the first, {long_day(away_from)}.")
    if until < now.astimezone(calendar.LONDON).date():
        raise BadInput(f"{long_day(until)} is over already. Choose days to come.")
    if until - away_from > LONGEST_PAUSE:
        raise BadInput(f"A pause has at most {LONGEST_PAUSE.days} days. Set HALTED to stop for longer.")
    asofs = calendar.weekly_asofs(away_from - dt.timedelta(days=14), until + dt.timedelta(days=14))
    plans = [calendar.plan_times(asof, policy) for asof in asofs]
    covered = tuple(plan for plan in plans if away_from <= plan.window_session <= until)
    if not covered:
        days = f"{long_day(away_from)} to {long_day(until)}"
        raise Refused(f"No ticket would be executed from {days}, so there is nothing to pause.")
    following = next(plan for plan in plans if plan.window_session > until)
    return Pause(covered[0].asof, covered[-1].asof, covered, following)


def pause(
    conn: psycopg.Connection[Any], away_from: dt.date, until: dt.date, reason: str, username: str, now: dt.datetime
) -> str:
    """Pause the desk for a holiday; returns what was set, as a sentence.

    Raises:
        BadInput, Refused: See `pause_of`; or the reason is missing.
    """
    require_reason(reason)
    made = pause_of(away_from, until, configuration.policy_in_force(conn).policy, now)
    desk.set_kill_switch(conn, "PAUSED", made.first, reason.strip(), username, until=made.last)
    return f"Paused: {pause_words(made)}"


def pause_sessions(conn: psycopg.Connection[Any], first: dt.date, last: dt.date, reason: str, username: str) -> str:
    """Pause the as-of sessions from one to another, both included; returns what was set, as a sentence.

    Raises:
        BadInput: The reason is missing, a day is none of the calendar, or the last lies before the first.
    """
    require_reason(reason)
    _require_on_calendar(first)
    _require_on_calendar(last)
    if last < first:
        raise BadInput(f"The last session of the pause, {last}, is before its first, {first}. Give --from and --to.")
    desk.set_kill_switch(conn, "PAUSED", first, reason.strip(), username, until=last)
    return f"PAUSED from {long_day(first)} until {long_day(last)}: no plan of these sessions trades."


def end_pause(conn: psycopg.Connection[Any], first: dt.date, reason: str, username: str) -> str:
    """End the pause that begins at a session, whether it has begun or not; returns a sentence.

    Plans that were decided within it stay as they are.

    Raises:
        BadInput: The reason is missing.
        Refused: No pause begins there, or somebody ended it meanwhile.
    """
    require_reason(reason)
    audit.one_writer(conn)  # nobody ends it twice at once
    ended = [p for p in standing_pauses(desk.kill_switch_events(conn, audit.head(conn).seq)) if p.session == first]
    if not ended:
        raise Refused(f"No pause begins at {long_day(first)}, or it was ended already. Nothing was changed.")
    if any(pause.set_by == ROLLOUT for pause in ended):
        raise Refused(
            "This pause is the roll-out's: a live book trades once `trading-ops rollout promote` leads it on."
        )
    desk.set_kill_switch(conn, "PAUSED", first, reason.strip(), username, until=end_of_pause(first))
    return f"Ended: {' and '.join(sessions_words(pause) for pause in ended)}. The next plan is judged without it."


def pauses_to_look_at(conn: psycopg.Connection[Any], now: dt.datetime) -> tuple[str, ...]:
    """Sentences about pauses that somebody may believe ended, because a state was set after them."""
    events = desk.kill_switch_events(conn, audit.head(conn).seq)
    return tuple(
        f"Look: {sessions_words(pause)} stands, although a state was set after it: only `trading-ops desk "
        f"end-pause --from {pause.session} --reason …` ends a pause before its last session."
        for pause in followed_by_a_state(events, calendar.last_closed(now))
    )


def sessions_words(pause: KillSwitchEvent) -> str:
    """A pause by its as-of sessions, as a person reads it."""
    return f"the pause of {long_day(pause.session)} to {long_day(pause.until or pause.session)}"


def pause_words(made: Pause) -> str:
    """A pause as a person reads it."""
    windows = ", ".join(long_day(plan.window_session) for plan in made.covered)
    return f"no trade on {windows}. The next ticket that may trade is for {long_day(made.following.window_session)}."


def close_incident(conn: psycopg.Connection[Any], incident_id: str, note: str, username: str) -> str:
    """Close an incident with what was done about it; returns a sentence.

    Raises:
        BadInput: The note is missing.
        Refused: There is no such incident, or somebody closed it meanwhile.
    """
    if not note.strip():
        raise BadInput("Write what was done about it, in a few words.")
    conn.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 7303))", (incident_id,))
    row = conn.execute(
        "SELECT i.title, c.closed_by FROM ops.incidents i LEFT JOIN ops.incident_closures c USING (incident_id) "
        "WHERE i.incident_id = %s",
        (incident_id,),
    ).fetchone()
    if row is None:
        raise Refused("There is no such incident.")
    if row["closed_by"]:
        raise Refused(f"“{row['title']}” was closed already by {row['closed_by']}. Nothing was changed.")
    desk.close_incident(conn, uuid.UUID(incident_id), note.strip()[:LONGEST_REASON], username)
    return f"Closed: {row['title']}."


def history(conn: psycopg.Connection[Any], count: int) -> Sequence[dict[str, Any]]:
    """The newest changes of the kill switch, newest first."""
    return conn.execute(
        "SELECT state, session, until, reason, set_by, created_at FROM ops.kill_switch_events "
        "WHERE audit_seq <= %s ORDER BY audit_seq DESC LIMIT %s",
        (audit.head(conn).seq, count),
    ).fetchall()
