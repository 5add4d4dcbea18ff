"""From frozen data to intended trades: the ranking, the targets in pounds, the orders."""

import dagster as dg

from trading_ops.defs import plots
from trading_ops.defs.market.assets import data_quality
from trading_ops.defs.partitions import GROUP, PLANS
from trading_ops.defs.plan_run import join, seen_data
from trading_ops.defs.resources import Desk
from trading_ops.defs.show import OWNERS, columns, pounds, preview, table_of
from trading_ops.planning import steps

RANKED = columns(rank="integer", symbol="text", score="numeric", session="date")
TARGETS = columns(
    symbol="text", rank="integer", seat="boolean", weight="numeric", target_gbp="numeric", value_gbp="numeric",
    difference_gbp="numeric", note="text",
)  # fmt: skip
ORDERS = columns(
    line="integer", side="text", symbol="text", group="text", amount_gbp="numeric", units="numeric", price_usd="numeric"
)


@dg.asset(
    deps=[data_quality], partitions_def=PLANS, group_name=GROUP, owners=OWNERS, kinds={"python"},
    metadata=table_of("ops.signals_ranked", RANKED),
)  # fmt: skip
def signals_ranked(context: dg.AssetExecutionContext, desk: dg.ResourceParam[Desk]) -> dg.MaterializeResult[None]:
    """Every name that can be scored, best first."""
    of = join(context, desk)
    steps.rank(of)
    ranked = of.judgement.signals.ranked
    return dg.MaterializeResult(
        metadata={
            "dagster/partition_row_count": len(ranked),
            "ranking": preview(RANKED, [(s.rank, s.symbol, s.score, s.session) for s in ranked]),
            "scores": plots.bars("scores", [s.symbol for s in ranked], [s.score for s in ranked], "score"),
            "model": f"{of.run.signal_source} {of.run.model_version}",
        },
        data_version=seen_data(of),
    )


@dg.asset(
    deps=[signals_ranked], partitions_def=PLANS, group_name=GROUP, owners=OWNERS, kinds={"python"},
    metadata=table_of("ops.portfolio_targets", TARGETS),
)  # fmt: skip
def portfolio_targets(context: dg.AssetExecutionContext, desk: dg.ResourceParam[Desk]) -> dg.MaterializeResult[None]:
    """What the book should hold: one seat a name, in pounds of today's equity."""
    of = join(context, desk)
    steps.size(of)
    wanted = of.judgement.sizing.targets
    names = [t.symbol for t in wanted]
    rows = [(t.symbol, t.rank, t.seat, t.weight, t.target_gbp, t.value_gbp, t.difference_gbp, t.note) for t in wanted]
    return dg.MaterializeResult(
        metadata={
            "dagster/partition_row_count": len(wanted),
            "equity": pounds(of.judgement.sizing.equity_gbp),
            "targets": preview(TARGETS, rows),
            "held and wanted": plots.held_and_wanted(
                names, [t.value_gbp for t in wanted], [t.target_gbp for t in wanted]
            ),
        },
        data_version=seen_data(of),
    )


@dg.asset(
    deps=[portfolio_targets], partitions_def=PLANS, group_name=GROUP, owners=OWNERS, kinds={"python"},
    metadata=table_of("ops.ledger_trades_intended", ORDERS),
)  # fmt: skip
def intended_trades(context: dg.AssetExecutionContext, desk: dg.ResourceParam[Desk]) -> dg.MaterializeResult[None]:
    """The orders of this plan in the order of their lines, and what waits for a later week."""
    of = join(context, desk)
    steps.intend(of)
    sizing = of.judgement.sizing
    rows = [(o.line, o.side, o.symbol, o.group, o.amount_gbp, o.units, o.price_usd) for o in sizing.orders]
    return dg.MaterializeResult(
        metadata={
            "dagster/partition_row_count": len(rows),
            "orders": preview(ORDERS, rows),
            "left for later": "; ".join(d.sentence for d in sizing.deferred) or "nothing",
        },
        data_version=seen_data(of),
    )
