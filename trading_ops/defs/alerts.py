"""Failed checks become messages in the outbox, once a plan and rule. Alerts never block and never open a plan again.

Rules of which an incident tells are left to the watch, which reads the same evidence: one thing is told once.
"""

import dagster as dg

from trading_ops.defs.resources import Desk
from trading_ops.domain.incidents import CLASS_OF_RULE
from trading_ops.store import desk as desk_store

BATCH = 500
TOLD_BY_INCIDENTS = frozenset(CLASS_OF_RULE) | {"INCIDENT_OPEN"}


def pass_on(desk: Desk, instance: dg.DagsterInstance, after: int) -> tuple[int, int]:
    """Look at check evaluations after a place in the event log.

    Messages only: what needs an incident is the watch's. Of a test plan, at which the watch does not look, every rule
    is told. A simulated book tells nobody.

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
        plan_id, rule = evaluation.partition, evaluation.check_name.upper()
        known = desk.conn.execute("SELECT kind FROM ops.plans WHERE plan_id = %s", (plan_id,)).fetchone()
        if rule in TOLD_BY_INCIDENTS and known and known["kind"] == "weekly":
            continue
        payload = {"rule": rule, "plan_id": plan_id, "sentence": evaluation.description or ""}
        with desk.conn.transaction():
            key = f"check:{plan_id}:{evaluation.check_name}"
            desk_store.enqueue(desk.conn, key, "check.failed", plan_id if known else None, payload)
    return (found[-1].storage_id if found else after), failed
