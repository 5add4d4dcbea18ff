"""Which reminders are due, from facts and a moment. Level-triggered: each look decides anew, a key makes each once.

A reminder is due from one instant until another. A desk that was switched off in between does not send yesterday's
"one hour left"; it sends what is true now. Instants are aware UTC; the wall is London's.
Does not belong here: where the facts come from (`comms.reminding`), the wording (`comms.ticket_letters`).
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from trading_ops.domain.calendar import LONDON
from trading_ops.domain.confirmation import LineAnswer
from trading_ops.domain.messages import ACCOUNT_CHECK, DEADLINE, ESCALATION, REMINDER, WINDOW_OPEN

BEFORE_DEADLINE = dt.timedelta(minutes=60)
ESCALATE_AFTER = dt.timedelta(minutes=30)
MORNING = dt.time(8)
"""London; the hour at which a missing answer is escalated again."""
SNAPSHOT_AFTER_CLOSE = dt.timedelta(minutes=15)
SATURDAY_MORNING = dt.time(10)
AT_LEAST = dt.timedelta(hours=12)
"""How long the morning's escalation is due, however early the next plan opens."""


@dataclass(frozen=True, slots=True)
class TicketFacts:
    """A TRADE ticket as far as reminding of it goes.

    Attributes:
        plan_id: Its plan.
        ticket_id: Its name for people.
        window_open: First instant of the execution window.
        window_close: Last instant of the execution window.
        confirm_by: Answers are due.
        next_plan_opens: From here the next plan looks at the answers itself.
        withdrawn: The operator called it back.
        lines: Every line with its answer.
    """

    plan_id: str
    ticket_id: str
    window_open: dt.datetime
    window_close: dt.datetime
    confirm_by: dt.datetime
    next_plan_opens: dt.datetime
    withdrawn: bool
    lines: tuple[LineAnswer, ...]

    @property
    def open_lines(self) -> tuple[LineAnswer, ...]:
        """Lines that need an answer and have none; of a withdrawn ticket none does, as nothing was begun there."""
        return () if self.withdrawn else tuple(line for line in self.lines if line.status is None)


@dataclass(frozen=True, slots=True)
class AccountCheckFacts:
    """What the next plan needs of a broker snapshot.

    Attributes:
        plan_id: The plan that is not decided yet.
        closes_at: Close of its as-of session: from then on the account can be looked up.
        decide_by: The plan is decided.
        lacking: Why the newest snapshot will not do, as a sentence; empty when it will.
    """

    plan_id: str
    closes_at: dt.datetime
    decide_by: dt.datetime
    lacking: str


@dataclass(frozen=True, slots=True)
class Reminder:
    """A message that is due from now until `until`; `dedupe_key` is the same whenever it is found."""

    kind: str
    dedupe_key: str
    plan_id: str
    until: dt.datetime
    step: int = 1


def due_reminders(
    tickets: Sequence[TicketFacts], checks: Sequence[AccountCheckFacts], now: dt.datetime
) -> tuple[Reminder, ...]:
    """Every reminder that is due now, those included that were sent already."""
    found = [r for ticket in tickets if ticket.open_lines for r in _of_ticket(ticket)]
    found += [r for check in checks if check.lacking for r in _of_account(check)]
    return tuple(reminder for start, reminder in found if start <= now < reminder.until)


def next_morning(instant: dt.datetime) -> dt.datetime:
    """08:00 London of the day after an instant, in UTC."""
    return _london(instant.astimezone(LONDON).date() + dt.timedelta(days=1), MORNING)


def _of_ticket(ticket: TicketFacts) -> list[tuple[dt.datetime, Reminder]]:
    due, plan = ticket.confirm_by, ticket.plan_id
    morning = next_morning(due)
    last = max(ticket.next_plan_opens, morning + AT_LEAST)
    said = f"{plan}:{due.astimezone(dt.UTC):%Y%m%dT%H%MZ}"
    return [
        (ticket.window_open, Reminder(WINDOW_OPEN, f"window:{plan}", plan, min(ticket.window_close, due))),
        (due - BEFORE_DEADLINE, Reminder(REMINDER, f"reminder:{said}", plan, due)),
        (due, Reminder(DEADLINE, f"deadline:{said}", plan, morning)),
        (due + ESCALATE_AFTER, Reminder(ESCALATION, f"escalation:{said}:1", plan, morning)),
        (morning, Reminder(ESCALATION, f"escalation:{said}:2", plan, last, 2)),
    ]


def _of_account(check: AccountCheckFacts) -> list[tuple[dt.datetime, Reminder]]:
    plan, until = check.plan_id, check.decide_by
    evening = check.closes_at + SNAPSHOT_AFTER_CLOSE
    day = evening.astimezone(LONDON).date()
    saturday = _london(day + dt.timedelta(days=(5 - day.weekday()) % 7), SATURDAY_MORNING)
    return [
        (evening, Reminder(ACCOUNT_CHECK, f"snapshot:{plan}:1", plan, min(saturday, until))),
        (saturday, Reminder(ACCOUNT_CHECK, f"snapshot:{plan}:2", plan, until, 2)),
    ]


def _london(day: dt.date, clock: dt.time) -> dt.datetime:
    return dt.datetime.combine(day, clock, tzinfo=LONDON).astimezone(dt.UTC)
