"""What a plan needs beside the market: the ledger, the broker's figures, last week's answers, the desk's own state."""

import dagster as dg

from trading_ops.defs import plots
from trading_ops.defs.market.assets import data_snapshot
from trading_ops.defs.partitions import GROUP, PLANS
from trading_ops.defs.plan_run import join
from trading_ops.defs.resources import Desk
from trading_ops.defs.show import OWNERS, columns, percent, pounds, preview, table_of
from trading_ops.domain.performance import twr_index
from trading_ops.planning import steps
from trading_ops.store import answers
from trading_ops.store import desk as desk_store

POSITIONS = columns(symbol="text", units="numeric", lots="integer", cost_gbp="numeric")
DRIFT = columns(symbol="text", kind="text", broker="numeric", ledger="numeric", difference="numeric", verdict="text")
ANSWERS = columns(plan_id="text", line="integer", side="text", symbol="text", status="text")
STATE = columns(rule="text", seen="text", allowed="text", outcome="text")


@dg.asset(
    deps=[data_snapshot], partitions_def=PLANS, group_name=GROUP, owners=OWNERS, kinds={"python"},
    metadata=table_of(None, POSITIONS),
)  # fmt: skip
def ledger_state(context: dg.AssetExecutionContext, desk: dg.ResourceParam[Desk]) -> dg.MaterializeResult[None]:
    """Positions, cash and equity at the close of the as-of session, worked out from every recorded fact."""
    judgement = join(context, desk).judgement
    held = sorted(judgement.ledger.positions.values(), key=lambda p: p.symbol)
    points = judgement.equity_points
    drawn = {"equity and drawdown": plots.equity(points, twr_index(points))} if len(points) > 1 else {}
    return dg.MaterializeResult(
        metadata={
            "cash": pounds(judgement.ledger.cash_gbp),
            **({"equity": pounds(points[-1].equity_gbp)} if points else {}),
            "drawdown": percent(judgement.drawdown),
            "positions": preview(POSITIONS, [(p.symbol, p.units, len(p.lots), p.cost_gbp) for p in held]),
            **drawn,
        },
    )


@dg.asset(
    deps=[data_snapshot], partitions_def=PLANS, group_name=GROUP, owners=OWNERS, kinds={"python"},
    metadata=table_of("ops.broker_snapshots", DRIFT),
)  # fmt: skip
def broker_reconciliation(
    context: dg.AssetExecutionContext, desk: dg.ResourceParam[Desk]
) -> dg.MaterializeResult[None]:
    """Does the broker show what the ledger says? Every name and the cash, with what may be in between."""
    of = join(context, desk)
    steps.judge_reconciliation(of)
    found = of.judgement.reconciliation
    rows = [(d.symbol, d.kind, d.snapshot, d.ledger, d.difference, d.verdict) for d in found.differences]
    shown = of.judgement.inputs.snapshot
    return dg.MaterializeResult(
        metadata={
            "broker snapshot": f"{shown.taken_at:%Y-%m-%d %H:%M} UTC" if shown else "none yet",
            "differences": preview(DRIFT, rows),
            "dividends to book": ", ".join(f"{p.symbol} {pounds(p.net_gbp)}" for p in found.proposals) or "none",
        },
    )


@dg.asset(
    partitions_def=PLANS, group_name=GROUP, owners=OWNERS, kinds={"postgres"},
    metadata=table_of("ops.confirmations", ANSWERS),
)  # fmt: skip
def previous_answers(context: dg.AssetExecutionContext, desk: dg.ResourceParam[Desk]) -> dg.MaterializeResult[None]:
    """What the executor answered to the newest TRADE ticket and the tests since, line by line."""
    of = join(context, desk)
    steps.judge_confirmation(of)
    lines = answers.previous_lines(desk.conn, of.frame.plan.plan_id, of.run.facts_seq)
    rows = [(a.plan_id, a.line, a.side, a.symbol, a.status or "open") for a in lines]
    return dg.MaterializeResult(
        metadata={
            "lines": preview(ANSWERS, rows),
            "open lines": sum(a.status is None for a in lines),
        },
    )


@dg.asset(
    partitions_def=PLANS, group_name=GROUP, owners=OWNERS, kinds={"postgres"},
    metadata=table_of("ops.incidents", STATE),
)  # fmt: skip
def desk_standing(context: dg.AssetExecutionContext, desk: dg.ResourceParam[Desk]) -> dg.MaterializeResult[None]:
    """May the desk trade at all? Incidents, the account, backups."""
    of = join(context, desk)
    found = steps.judge_desk(of)
    events = desk_store.kill_switch_events(desk.conn, of.run.facts_seq)
    return dg.MaterializeResult(
        metadata={
            "book": of.frame.book,
            "kill switch": f"{events[-1].state}: {events[-1].reason}" if events else "ACTIVE: never touched",
            "rules": preview(STATE, [(r.code, r.seen, r.allowed, r.outcome.value) for r in found]),
        },
    )
