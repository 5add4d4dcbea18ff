"""The Qlib dataset of a plan's data snapshot: only what passed the data gate, without frozen names."""

import dagster as dg

from trading_ops.defs.market.assets import data_quality
from trading_ops.defs.partitions import GROUP, PLANS
from trading_ops.defs.plan_run import join, seen_data
from trading_ops.defs.resources import Desk
from trading_ops.defs.show import OWNERS, columns, table_of
from trading_ops.planning import steps
from trading_ops.qlib_export.dataset import export
from trading_ops.store import evidence

FIELDS = columns(open="float32", high="float32", low="float32", close="float32", volume="float32", factor="float32")


@dg.asset(
    deps=[data_quality], partitions_def=PLANS, group_name=GROUP, owners=OWNERS, kinds={"numpy", "python"},
    metadata=table_of(None, FIELDS),
)  # fmt: skip
def qlib_export(context: dg.AssetExecutionContext, desk: dg.ResourceParam[Desk]) -> dg.MaterializeResult[None]:
    """The frozen market as research reads it: clean, adjusted, immutable, the same bytes for the same snapshot."""
    of = join(context, desk)
    snapshot = steps.take_snapshot(of)
    universe, policy = of.frame.universe.universe, of.frame.policy.policy
    frozen = sorted(of.judgement.data.frozen)
    done = export(snapshot, desk.settings.snapshots_dir, desk.settings.qlib_dir, universe, policy, leave_out=frozen)
    with desk.conn.transaction():
        evidence.save_qlib_export(
            desk.conn, snapshot.snapshot_id, dataset_sha256=done.dataset_sha256, symbols=done.symbols, rows=done.rows
        )
    return dg.MaterializeResult(
        metadata={
            "dagster/partition_row_count": done.rows,
            "names": done.symbols,
            "names written": done.written,
            "names shared with an earlier dataset": done.linked,
            "left out because frozen": ", ".join(frozen) or "none",
            "dataset sha256": done.dataset_sha256,
            "folder": dg.MetadataValue.path(str(done.folder)),
            "seconds": round(done.seconds, 3),
        },
        data_version=seen_data(of),
    )
