"""Reports of days, weeks and months: all that are owed, written from the records; a missed morning is caught up."""

from decimal import Decimal

import dagster as dg

from trading_ops.defs import plots
from trading_ops.defs.resources import Desk
from trading_ops.defs.show import OWNERS, pounds
from trading_ops.desk.book_clock import now_of
from trading_ops.domain.report_facts import Kind, parse
from trading_ops.reports import writing
from trading_ops.store.reports import Report


@dg.asset(group_name="daily", owners=OWNERS, kinds={"python"})
def daily_report(desk: dg.ResourceParam[Desk]) -> dg.MaterializeResult[None]:
    """Every session's report that is due: equity, P&L, drawdown, exposures, costs, gates, incidents, backup."""
    return _written(desk, "daily")


@dg.asset(group_name="daily", owners=OWNERS, kinds={"python"})
def weekly_report(desk: dg.ResourceParam[Desk]) -> dg.MaterializeResult[None]:
    """Every week's report that is due, the morning after its window: asked against done, cost, returns."""
    return _written(desk, "weekly")


@dg.asset(group_name="daily", owners=OWNERS, kinds={"python"})
def monthly_report(desk: dg.ResourceParam[Desk]) -> dg.MaterializeResult[None]:
    """Every month's review pack that is due: tickets, faults, cost against the policy, what to decide."""
    return _written(desk, "monthly")


def _written(desk: Desk, kind: Kind) -> dg.MaterializeResult[None]:
    at = now_of(desk.conn, desk.now())
    made = writing.write_owed(desk.conn, at, desk.settings.reports_dir, (kind,))
    if not made:
        return dg.MaterializeResult(metadata={"written": "none was owed"})
    newest = made[-1]
    return dg.MaterializeResult(metadata={"written": ", ".join(r.name for r in made[-20:]), **_shown(desk, newest)})


def _shown(desk: Desk, report: Report) -> dict[str, dg.MetadataValue | str]:
    facts = parse(report.kind, report.facts)
    return {
        "headline": facts.head.headline,
        "equity": pounds(Decimal(facts.money.equity_gbp)),
        "equity against benchmark": plots.against(facts.points, facts.returns.benchmark),
        "report": dg.MetadataValue.md(report.markdown),
        "page": dg.MetadataValue.path(writing.write_files(desk.settings.reports_dir, report)),
        "sha256 of its facts": report.facts_sha256,
        "sha256 of its page": report.html_sha256,
    }
