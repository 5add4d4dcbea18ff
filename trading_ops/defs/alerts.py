"""Failed checks become messages in the outbox, once a plan and rule. Alerts never block and never open a plan again."""

import dagster as dg

from trading_ops.defs.resources import Desk
from trading_ops.store import desk as desk_store

BATCH = 500


def pass_on(desk: Desk, instance: dg.DagsterInstance, after: int) -> tuple[int, int]:
    """Look at check evaluations after a place in the event log.

    Messages only, no incident: an incident is a fact that plans see, and a fact makes the run that just failed stale.
    A simulated book tells nobody.

    Returns:
        The place reached, and how many failed checks were found. A place that is lost costs a second look: the outbox
        keeps one message a plan and rule.
    """
    wanted = dg.EventRecordsFilter(event_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION, after_cursor=after or None)
    found = instance.event_log_storage.get_event_records(wanted, limit=BATCH, ascending=True)
    failed = 0
    silent = desk_store.book(desk.conn) == "sim"
    for record in found:
        evaluation = record.event_log_entry.get_dagster_event().asset_check_evaluation_data
        # A check that belongs to no plan is about the sources, and the intake has told people itself.
        if evaluation.passed or silent or evaluation.partition is None:
            continue
        failed += 1
        plan_id = evaluation.partition
        key = f"check:{plan_id}:{evaluation.check_name}"
        payload = {"rule": evaluation.check_name.upper(), "plan_id": plan_id, "sentence": evaluation.description or ""}
        with desk.conn.transaction():
            known = desk.conn.execute("SELECT 1 FROM ops.plans WHERE plan_id = %s", (plan_id,)).fetchone()
            desk_store.enqueue(desk.conn, key, "check.failed", plan_id if known else None, payload)
    return (found[-1].storage_id if found else after), failed
