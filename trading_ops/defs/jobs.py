"""The jobs: evaluate a plan, issue its ticket, register the plans to come, value the book."""

import dagster as dg

from trading_ops.defs.desk.reports import daily_report, monthly_report, weekly_report
from trading_ops.defs.desk.valuation import daily_valuation
from trading_ops.defs.loop import PLAN_ASSETS
from trading_ops.defs.market.jobs import fetch_job, pickup_job
from trading_ops.defs.operations.backups import backup_job
from trading_ops.defs.operations.rollout import rollout
from trading_ops.defs.registration import register_plans
from trading_ops.defs.tickets.assets import ticket

plan_job = dg.define_asset_job(
    "plan_job",
    selection=dg.AssetSelection.assets(*PLAN_ASSETS),
    description="Evaluate one plan: from prices to its decision, every gate as a check. A failed gate makes it red.",
)

ticket_job = dg.define_asset_job(
    "ticket_job",
    selection=dg.AssetSelection.assets(ticket),
    # The reconciler tries again by itself, from the records; a retry of Dagster's own would race it.
    tags={"dagster/max_retries": "0"},
    description="Issue the one ticket of a plan from stored evidence: TRADE if proven, else NO-TRADE with its reasons.",
)

daily_job = dg.define_asset_job(
    "daily_job",
    selection=dg.AssetSelection.assets(daily_valuation, daily_report, weekly_report, monthly_report, rollout),
    description="The morning's look at the book: what it is worth, the reports that are due, and the roll-out.",
)


@dg.job(description="Write the plans of the coming weeks into the schedule of record.")
def register_plans_job() -> None:
    """One op."""
    register_plans()


JOBS = (plan_job, ticket_job, daily_job, register_plans_job, fetch_job, pickup_job, backup_job)
