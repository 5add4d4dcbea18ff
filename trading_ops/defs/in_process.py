"""Run a plan to its ticket through Dagster's jobs in this process: the command line's way, with history in the UI."""

import datetime as dt
import functools
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import dagster as dg
import psycopg

from trading_ops.defs import dagster_home
from trading_ops.defs.jobs import plan_job, ticket_job
from trading_ops.defs.loop import ASSETS, CHECKS
from trading_ops.defs.partitions import PLANS
from trading_ops.defs.resources import Desk
from trading_ops.planning import direct, issue
from trading_ops.settings import Settings
from trading_ops.store import plans, tickets
from trading_ops.store.plans import Plan
from trading_ops.store.tickets import Ticket

LOCATION_TAG = {".dagster/repository": "__repository__@trading_ops"}
"""Files a run of the command line under the code location that the UI shows."""

STATEMENT_TIMEOUT_MS = 60_000
POOL_SECONDS = 3600

_log = logging.getLogger(__name__)
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@functools.cache
def loop_defs() -> dg.Definitions:
    """The weekly loop alone; loaded once a process."""
    return dg.Definitions(
        assets=ASSETS, asset_checks=CHECKS, jobs=[plan_job, ticket_job], executor=dg.in_process_executor,
        resources={"desk": dg.ResourceDefinition.none_resource()},
    )  # fmt: skip


@functools.cache
def instance_of(settings: Settings) -> dg.DagsterInstance:
    """The home's Dagster instance, the one that `trading-ops dev` shows; opened once a process.

    Raises:
        NotInitialised: The home has no database yet.
    """
    dagster_home.prepare(settings)
    for noisy in ("alembic", "dagster"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    with _environment(dagster_home.environment(settings)):  # dagster.yaml takes its secret from there
        instance = dg.DagsterInstance.from_config(str(settings.dagster_dir))
    # A run writes some two hundred events; with a connection for each it takes three times as long.
    instance.optimize_for_webserver(statement_timeout=STATEMENT_TIMEOUT_MS, pool_recycle=POOL_SECONDS, max_overflow=4)
    return instance


@contextmanager
def _environment(wanted: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def plan_through_jobs(
    conn: psycopg.Connection[Any],
    settings: Settings,
    asof: dt.date,
    *,
    at: dt.datetime,
    instance: dg.DagsterInstance | None = None,
    defs: dg.Definitions | None = None,
) -> Ticket:
    """Register, evaluate and decide the plan of a session now; a plan that has its ticket returns it.

    Args:
        conn: A writer's connection in autocommit, its server kept alive by the caller.
        settings: The home.
        asof: The last session of a week.
        at: Now, for the envelope; also the clock of the rules unless the book is a sim book.
        instance: Dagster's instance; the home's own when None.
        defs: A variant of the loop, for tests.

    Raises:
        Refused: The session is not the last of its week, or not over yet.
    """
    plan = direct.register(conn, asof, at)
    instance = instance or instance_of(settings)
    instance.add_dynamic_partitions(str(PLANS.name), [plan.plan_id])
    desk, variant = Desk(conn, settings, lambda: at), defs or loop_defs()
    if not plans.decided(conn, plan.plan_id):
        _run(variant, "plan_job", plan.plan_id, instance, desk)
    _run(variant, "ticket_job", plan.plan_id, instance, desk, {"ticket": {"config": {"decide_now": True}}})
    found = tickets.find(conn, plan.plan_id)
    # Dagster itself may be what broke. The ticket never depends on it.
    return found or _without_dagster(desk, plan)


def _without_dagster(desk: Desk, plan: Plan) -> Ticket:
    issued = issue.decide_plan(
        desk.conn, desk.settings.tickets_dir, desk.settings.snapshots_dir, plan.plan_id, at=desk.now(), final=True,
        clock=direct.clock_of(desk.conn, plan, desk.now()),
    )  # fmt: skip
    assert isinstance(issued, Ticket)
    return issued


def _run(
    defs: dg.Definitions,
    job: str,
    plan_id: str,
    instance: dg.DagsterInstance,
    desk: Desk,
    ops: Mapping[str, Any] | None = None,
) -> None:
    """Run a job; a run that ends red is an outcome, told by the ticket and the UI."""
    try:
        result = defs.resolve_job_def(job).execute_in_process(
            run_config={**_QUIET, "ops": dict(ops or {})}, instance=instance, partition_key=plan_id,
            raise_on_error=False, resources={"desk": desk}, tags=LOCATION_TAG,
        )  # fmt: skip
    except Exception as exc:  # Dagster's own trouble: the ticket is issued all the same
        _log.error("Dagster could not run %s of plan %s: %s", job, plan_id, exc)
        return
    for event in result.all_events:
        failure = event.step_failure_data if event.is_step_failure else None
        if failure and failure.error and failure.error.cls_name != "DagsterAssetCheckFailedError":
            cause = failure.error.cause or failure.error
            _log.error("%s of plan %s broke in %s: %s", job, plan_id, event.step_key, cause.message.strip())
