"""The sensors: the reconciler that owes every plan its ticket, the messenger of failed checks, the watch, the inbox."""

from collections.abc import Iterator

import dagster as dg

from trading_ops.defs import reconciler
from trading_ops.defs.alerts import pass_on
from trading_ops.defs.jobs import plan_job, ticket_job
from trading_ops.defs.market.jobs import dropped_files
from trading_ops.defs.partitions import PLANS
from trading_ops.defs.resources import Desk
from trading_ops.watch import acting, heartbeat
from trading_ops.watch.senses import Senses

RUNNING = dg.DefaultSensorStatus.RUNNING


@dg.sensor(jobs=[plan_job, ticket_job], minimum_interval_seconds=30, default_status=RUNNING)
def ticket_reconciler(
    context: dg.SensorEvaluationContext, desk: dg.ResourceParam[Desk]
) -> dg.SensorResult | dg.SkipReason:
    """Runs a plan, or issues its ticket, when the records say that it is time. It remembers nothing."""
    wanted = list(reconciler.requests(desk, context.instance, desk.now()))
    if not wanted:
        return dg.SkipReason("Every plan has its ticket, or waits for its time or for people.")
    keys = [str(request.partition_key) for request in wanted]
    return dg.SensorResult(run_requests=wanted, dynamic_partitions_requests=[PLANS.build_add_request(keys)])


@dg.sensor(minimum_interval_seconds=60, default_status=RUNNING)
def failed_checks(context: dg.SensorEvaluationContext, desk: dg.ResourceParam[Desk]) -> Iterator[dg.SkipReason]:
    """Tells people of every failed check, once a plan and rule. It alerts only: nothing is blocked by an alert."""
    newest, told = pass_on(desk, context.instance, int(context.cursor or 0))
    context.update_cursor(str(newest))
    yield dg.SkipReason(f"{told} failed checks passed on.")


@dg.sensor(minimum_interval_seconds=180, default_status=RUNNING)
def watch(context: dg.SensorEvaluationContext, desk: dg.ResourceParam[Desk]) -> dg.SkipReason:
    """Looks at what no check can see; opens, tells of again and closes incidents. It remembers nothing."""
    del context
    looked = acting.look(Senses(desk.conn, desk.settings, desk.now()))
    if looked.blind:
        raise dg.Failure(looked.sentence)
    if not looked.simulated:
        heartbeat.beat(desk.settings)
    return dg.SkipReason(looked.sentence)


SENSORS = (ticket_reconciler, failed_checks, watch, dropped_files)
