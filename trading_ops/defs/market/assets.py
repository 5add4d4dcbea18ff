"""The market as one plan sees it: what is loaded, the frozen snapshot, and the data gate's answers."""

from dataclasses import astuple

import dagster as dg

from trading_ops.defs import plots
from trading_ops.defs.market.sources import source_prices
from trading_ops.defs.partitions import GROUP, PLANS
from trading_ops.defs.plan_run import join, seen_data
from trading_ops.defs.records import loaded_of, provenance_of
from trading_ops.defs.resources import Desk
from trading_ops.defs.show import OWNERS, columns, preview, table_of
from trading_ops.domain.quality_report import to_markdown
from trading_ops.planning import steps

LOADED = columns(source="text", bars="integer", names="integer", fetched_at="timestamp", load_id="integer")
STAMPS = columns(
    symbol="text", source="text", revision="integer", close="numeric", verdict="text", body_sha256="text",
    fetched_utc="text", flags="text",
)  # fmt: skip
MANY = 240
PARTS = columns(kind="text", month="date", through="date", rows="integer", content_sha256="text")
ODD = columns(
    symbol="text", session="date", code="text", sentence="text", likely="text", evidence="text", look_up="text",
    record="text",
)  # fmt: skip


@dg.asset(
    deps=[source_prices], partitions_def=PLANS, group_name=GROUP, owners=OWNERS, kinds={"postgres", "python"},
    metadata=table_of("ops.market_prices_eod", LOADED),
)  # fmt: skip
def eod_prices(context: dg.AssetExecutionContext, desk: dg.ResourceParam[Desk]) -> dg.MaterializeResult[None]:
    """The bars of the as-of session that are in the database, by source, each with where it came from.

    Prices come from `source_prices`, the inbox or `trading-ops prices load`; this looks at what is there.
    """
    of = join(context, desk)
    found = loaded_of(desk.conn, of.frame.plan.asof)
    stamps = provenance_of(desk.conn, of.frame.plan.asof)
    rows = [(r.source, r.bars, r.names, r.fetched_at, r.load_id) for r in found]
    return dg.MaterializeResult(
        metadata={
            "dagster/partition_row_count": sum(r.bars for r in found),
            "bars by source": preview(LOADED, rows),
            "where each bar came from": preview(
                STAMPS,
                [astuple(stamp) for stamp in stamps],
                MANY,
            ),
            "passport of one": "trading-ops prices passport SYMBOL " + of.frame.plan.asof.isoformat(),
            "run of the plan": str(of.run.run_id),
        },
        data_version=dg.DataVersion(f"load-{max((r.load_id for r in found), default=0)}"),
    )


@dg.asset(
    deps=[eod_prices], partitions_def=PLANS, group_name=GROUP, owners=OWNERS, kinds={"parquet", "python"},
    metadata=table_of("ops.data_snapshots", PARTS),
)  # fmt: skip
def data_snapshot(context: dg.AssetExecutionContext, desk: dg.ResourceParam[Desk]) -> dg.MaterializeResult[None]:
    """Everything the plan may see of the market, frozen: monthly files that the database can rebuild byte for byte."""
    snapshot = steps.take_snapshot(join(context, desk))
    newest = sorted(snapshot.parts, key=lambda part: (part.month, part.kind), reverse=True)
    rows = [(p.kind, p.month, p.through, p.rows, p.content_sha256[:12]) for p in newest]
    return dg.MaterializeResult(
        metadata={
            "dagster/partition_row_count": sum(p.rows for p in snapshot.parts),
            "newest parts": preview(PARTS, rows),
            "simulated": snapshot.simulated,
            "folder": dg.MetadataValue.path(str(desk.settings.snapshots_dir)),
        },
        data_version=dg.DataVersion(snapshot.snapshot_id),
    )


@dg.asset(
    deps=[data_snapshot], partitions_def=PLANS, group_name=GROUP, owners=OWNERS, kinds={"python"},
    metadata=table_of("ops.name_freezes", ODD),
)  # fmt: skip
def data_quality(context: dg.AssetExecutionContext, desk: dg.ResourceParam[Desk]) -> dg.MaterializeResult[None]:
    """Is the data of the as-of session complete, recent and believable? Suspicious names are frozen."""
    of = join(context, desk)
    steps.judge_data(of)
    quality, report = of.judgement.data, of.judgement.quality_report
    rows = [
        (o.symbol, o.session, o.code, o.sentence, o.likely, o.evidence, o.look_up, o.proposal) for o in report.outliers
    ]
    return dg.MaterializeResult(
        metadata={
            "dagster/partition_row_count": report.valid,
            "names expected": report.expected,
            "names confirmed by a second source": report.confirmed,
            "frozen names": len(quality.frozen),
            "suspicious sessions": preview(ODD, rows),
            "names without a bar": ", ".join(quality.missing) or "none",
            "warnings": "; ".join(quality.warnings) or "none",
            "coverage": plots.coverage(report),
            "report": dg.MetadataValue.md(to_markdown(report)),
        },
        data_version=seen_data(of),
    )
