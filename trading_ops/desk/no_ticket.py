"""A ticket that ought to be there and is not: told by calendar and database alone, whatever runs or does not run.

Does not belong here: issuing one.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import psycopg

from trading_ops.domain import calendar
from trading_ops.domain.calendar import LONDON, PlanTimes
from trading_ops.store import configuration

DO_NOT_TRADE = "There is no ticket for this plan: do not trade."


@dataclass(frozen=True)
class Missing:
    """A plan without a ticket that is overdue, or whose window is today."""

    times: PlanTimes
    window_today: bool

    @property
    def plan_id(self) -> str:
        """The plan's id, `2018-02-02`."""
        return self.times.asof.isoformat()


def missing_ticket(conn: psycopg.Connection[Any], now: dt.datetime) -> Missing | None:
    """The newest plan that has opened by the calendar, if its ticket is overdue or its window is today.

    A desk that never had a plan misses none.
    """
    policy = configuration.policy_in_force(conn).policy
    today = now.astimezone(LONDON).date()
    asofs = calendar.weekly_asofs(today - dt.timedelta(days=15), today)
    opened = [times for asof in asofs if (times := calendar.plan_times(asof, policy)).opens_at <= now]
    if not opened:
        return None
    newest = opened[-1]
    row = conn.execute(
        "SELECT EXISTS (SELECT 1 FROM ops.tickets WHERE plan_id = %(plan)s) AS there, "
        "EXISTS (SELECT 1 FROM ops.plans WHERE kind = 'weekly' AND plan_id <= %(plan)s) AS begun",
        {"plan": newest.asof.isoformat()},
    ).fetchone()
    assert row is not None
    window_today = newest.window_session == today
    if row["there"] or not row["begun"] or not (now > newest.decide_by or window_today):
        return None
    return Missing(newest, window_today)
