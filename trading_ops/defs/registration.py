"""The coming weeks' plans, written down before they are due: a ticket that must exist does not depend on a tick."""

import datetime as dt

import dagster as dg

from trading_ops.defs.partitions import PLANS
from trading_ops.defs.resources import Desk
from trading_ops.domain import calendar
from trading_ops.store import configuration, plans
from trading_ops.store import desk as desk_store
from trading_ops.store.plans import Plan

WEEKS_AHEAD = 4


def register_coming(desk: Desk) -> tuple[Plan, ...]:
    """Register this week's plan and those of the coming weeks; plans that are there stay as they are.

    A sim book's weeks lie in the past and are registered as they are simulated.
    """
    if desk_store.book(desk.conn) == "sim":
        return ()
    today = desk.now().astimezone(calendar.NEW_YORK).date()
    asofs = [calendar.last_session_of_week(today + dt.timedelta(weeks=week)) for week in range(WEEKS_AHEAD + 1)]
    with desk.conn.transaction():
        policy = configuration.policy_in_force(desk.conn).policy
        # A week that was decided before the desk ever heard of it owes nothing.
        due = [asof for asof in asofs if calendar.plan_times(asof, policy).decide_by > desk.now()]
        return tuple(plans.register(desk.conn, asof, policy) for asof in due)


@dg.op(description="Register the plans of the coming four weeks; nothing happens to those that are there.")
def register_plans(context: dg.OpExecutionContext, desk: dg.ResourceParam[Desk]) -> None:
    """Write the schedule of record and its partitions."""
    found = register_coming(desk)
    context.instance.add_dynamic_partitions(str(PLANS.name), [plan.plan_id for plan in found])
    context.add_output_metadata(
        {"plans": ", ".join(f"{p.plan_id} (decided by {p.decide_by:%a %d %b %H:%M} UTC)" for p in found) or "none"}
    )
