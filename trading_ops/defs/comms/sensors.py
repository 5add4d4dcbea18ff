"""Two sensors that look at the records and remember nothing: one puts due reminders into the outbox, one empties it.

They work in the tick itself: a mail takes a second, a run of Dagster's ten, and reminders must not queue behind plans.
"""

import datetime as dt

import dagster as dg

from trading_ops.comms import setup
from trading_ops.comms.reminding import remind
from trading_ops.comms.sending import Sender, drain
from trading_ops.defs.resources import Desk

RUNNING = dg.DefaultSensorStatus.RUNNING
BUDGET = dt.timedelta(seconds=20)
"""With one more delivery begun just before its end, a tick stays below Dagster's limit of a minute."""


@dg.sensor(minimum_interval_seconds=60, default_status=RUNNING)
def reminders(context: dg.SensorEvaluationContext, desk: dg.ResourceParam[Desk]) -> dg.SkipReason:
    """Puts the reminders into the outbox that are due now: answers that are missing, an account check that is."""
    del context
    new = remind(desk.conn, desk.now())
    return dg.SkipReason(", ".join(f"{r.kind} of {r.plan_id}" for r in new) or "Nobody has to be reminded now.")


@dg.sensor(minimum_interval_seconds=30, default_status=RUNNING)
def outbox_sender(context: dg.SensorEvaluationContext, desk: dg.ResourceParam[Desk]) -> dg.SkipReason:
    """Sends what waits in the outbox and is due. An address that fails holds up no other."""
    del context
    return dg.SkipReason(drain(Sender(desk.conn, setup.read(desk.settings), desk.now), budget=BUDGET).sentence)


SENSORS = (reminders, outbox_sender)
