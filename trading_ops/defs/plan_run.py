"""Which run of a plan a Dagster run stands for: the run group, so a retry rejoins what its first attempt began."""

import uuid
from typing import TypeAlias

import dagster as dg

from trading_ops.defs.resources import Desk
from trading_ops.planning import steps
from trading_ops.planning.steps import PlanRun
from trading_ops.store import plans

Context: TypeAlias = dg.AssetExecutionContext | dg.AssetCheckExecutionContext


def run_id_of(dagster_run: dg.DagsterRun) -> uuid.UUID:
    """The plan run of a Dagster run: named after the root of its group."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"run:dagster:{dagster_run.root_run_id or dagster_run.run_id}")


def join(context: Context, desk: Desk) -> PlanRun:
    """Begin the plan run of this Dagster run, or rejoin it.

    Raises:
        Refused: The plan is not registered, or has its ticket already.
    """
    return steps.start(
        desk.conn, desk.settings.snapshots_dir, context.partition_key, run_id_of(context.run), driver="dagster",
        dagster_run=context.run.run_id,
    )  # fmt: skip


def seen_data(of: PlanRun) -> dg.DataVersion:
    """The data snapshot that a run is bound to: what its materializations were computed from."""
    return dg.DataVersion(plans.run(of.conn, of.run.run_id).snapshot_id or "none")
