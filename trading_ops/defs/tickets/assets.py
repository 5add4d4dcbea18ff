"""The end of the sentence: a run's own decision, and the one ticket of the plan."""

import json

import dagster as dg

from trading_ops.defs.desk.assets import broker_reconciliation, desk_standing, ledger_state, previous_answers
from trading_ops.defs.partitions import GROUP, PLANS
from trading_ops.defs.plan_run import join, seen_data
from trading_ops.defs.portfolio.assets import intended_trades
from trading_ops.defs.resources import Desk
from trading_ops.defs.show import OWNERS, columns, preview, table_of
from trading_ops.planning import direct, issue, steps
from trading_ops.planning.issue import Pending
from trading_ops.store import artifacts, plans, tickets

RULES_SEEN = columns(rule="text", outcome="text", seen="text", allowed="text")
LINES = columns(
    line="integer", side="text", symbol="text", amount_gbp="numeric", units="numeric", limit_price_usd="numeric"
)


@dg.asset(
    deps=[intended_trades, ledger_state, broker_reconciliation, previous_answers, desk_standing],
    partitions_def=PLANS, group_name=GROUP, owners=OWNERS, kinds={"python"},
    metadata=table_of("ops.decisions", RULES_SEEN),
)  # fmt: skip
def decision(context: dg.AssetExecutionContext, desk: dg.ResourceParam[Desk]) -> dg.MaterializeResult[None]:
    """This run's own verdict from its stored evidence. It is reached only when every gate before it passed."""
    of = join(context, desk)
    found = steps.conclude(of)
    rows = [(r.code, r.outcome.value, r.seen, r.allowed) for r in found.results]
    return dg.MaterializeResult(
        metadata={
            "verdict": found.verdict.value,
            "reasons": ", ".join(found.reasons) or "none",
            "rules": preview(RULES_SEEN, rows),
        },
        data_version=seen_data(of),
    )


class TicketConfig(dg.Config):
    """How a ticket is asked for.

    Attributes:
        decide_now: Decide whatever fails, without waiting for decide-by: a person at the command line asked.
    """

    decide_now: bool = False


@dg.asset(
    deps=[decision], partitions_def=PLANS, group_name=GROUP, owners=OWNERS, kinds={"postgres", "markdown"},
    metadata=table_of("ops.tickets", LINES),
)  # fmt: skip
def ticket(
    context: dg.AssetExecutionContext, config: TicketConfig, desk: dg.ResourceParam[Desk]
) -> dg.MaterializeResult[None]:
    """The plan's one ticket: TRADE if everything is proven, NO-TRADE with every reason once it must be decided."""
    plan = plans.get(desk.conn, context.partition_key)
    now = desk.now()
    issued = issue.decide_plan(
        desk.conn, desk.settings.tickets_dir, desk.settings.snapshots_dir, plan.plan_id, at=now,
        final=config.decide_now or now >= plan.decide_by, clock=direct.clock_of(desk.conn, plan, now),
    )  # fmt: skip
    if isinstance(issued, Pending):
        raise dg.Failure(
            f"Plan {plan.plan_id} stays open until {issued.decide_by:%a %d %b %H:%M} UTC: "
            f"{', '.join(issued.decision.reasons) or 'not everything is proven yet'}.",
            allow_retries=False,
        )
    return _described(desk, tickets.get(desk.conn, issued.plan_id))


def _described(desk: Desk, issued: tickets.Ticket) -> dg.MaterializeResult[None]:
    content = json.loads(issued.content)
    rows = [[line[name.name] for name in LINES.columns] for line in content["lines"]]
    return dg.MaterializeResult(
        metadata={
            "verdict": issued.verdict,
            "ticket": dg.MetadataValue.md(issued.markdown),
            "lines": preview(LINES, rows),
            "file": dg.MetadataValue.path(str(artifacts.ticket_path(desk.settings.tickets_dir, issued))),
            "reasons": ", ".join(content["reasons"]) or "none",
        },
        data_version=dg.DataVersion(issued.content_sha256),
    )
