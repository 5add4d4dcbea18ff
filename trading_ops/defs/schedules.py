"""The clockwork, in the time zone of what each waits for. A missed tick loses nothing: the records say what is owed."""

from collections.abc import Iterator

import dagster as dg

from trading_ops.defs import reconciler
from trading_ops.defs.clockwork import cron
from trading_ops.defs.jobs import daily_job, plan_job, register_plans_job
from trading_ops.defs.market.jobs import fetch_hourly
from trading_ops.defs.operations.backups import backup_job
from trading_ops.defs.partitions import PLANS
from trading_ops.defs.resources import Desk

NEW_YORK, LONDON = "America/New_York", "Europe/London"
RUNNING = dg.DefaultScheduleStatus.RUNNING

register_plans_daily = dg.ScheduleDefinition(
    name="register_plans",
    job=register_plans_job,
    cron_schedule=cron("0 18 * * *"),
    execution_timezone=NEW_YORK,
    default_status=RUNNING,
    description="Every evening after the New York close: the plans of the coming four weeks are written down.",
)

morning = dg.ScheduleDefinition(
    name="morning",
    job=daily_job,
    cron_schedule=cron("30 6 * * 2-6"),
    execution_timezone=LONDON,
    default_status=RUNNING,
    description="Tuesday to Saturday at 06:30 London, after each New York session: what the book is worth.",
)

nightly_backup = dg.ScheduleDefinition(
    name="nightly_backup",
    job=backup_job,
    cron_schedule=cron("30 5 * * *"),
    execution_timezone=LONDON,
    default_status=RUNNING,
    description="Every day at 05:30 London, before the morning's look: a backup is made and proven by a restore.",
)


@dg.schedule(job=plan_job, cron_schedule=cron("1 8 * * 6"), execution_timezone=LONDON, default_status=RUNNING)
def open_weekly_plan(
    context: dg.ScheduleEvaluationContext, desk: dg.ResourceParam[Desk]
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Saturday 08:01 London: the week's plan is evaluated at once, without waiting for the reconciler."""
    wanted = [r for r in reconciler.requests(desk, context.instance, desk.now()) if r.job_name == plan_job.name]
    if not wanted:
        yield dg.SkipReason("No plan opens now.")
    context.instance.add_dynamic_partitions(str(PLANS.name), [str(request.partition_key) for request in wanted])
    yield from wanted


SCHEDULES = (register_plans_daily, morning, open_weekly_plan, fetch_hourly, nightly_backup)
