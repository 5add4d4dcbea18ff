"""The market from outside: one round of asking the sources, and the universe as its data shows it."""

import dagster as dg

from trading_ops.defs.resources import Desk
from trading_ops.defs.show import OWNERS, columns, preview, table_of
from trading_ops.domain import universe_report as universes
from trading_ops.intake import telling
from trading_ops.intake.of_home import fetch_round
from trading_ops.intake.work import Round, SourceTally
from trading_ops.planning.universe_state import report_of
from trading_ops.store import desk as desk_store

GROUP = "market"
TALLIES = columns(
    source="text", state="text", asked="integer", answered="integer", refused="integer", requests="integer",
    reason="text",
)  # fmt: skip
REFUSED = columns(source="text", name="text", kind="text", sentence="text")
NAMES = columns(
    name="text", enabled="boolean", bars="text", newest="date", sources="text", verified_on="date", look_alikes="text",
    problems="text",
)  # fmt: skip
MANY = 120


@dg.asset(
    group_name=GROUP, owners=OWNERS, kinds={"python", "postgres"}, metadata=table_of("ops.price_fetches", TALLIES)
)
def source_prices(desk: dg.ResourceParam[Desk]) -> dg.MaterializeResult[None]:
    """Ask every source for the bars and fixings that are due and missing. A simulated book asks nobody."""
    if desk_store.book(desk.conn) == "sim":
        return dg.MaterializeResult(metadata={"round": "none: a simulated book asks no source"})
    done = fetch_round(desk.conn, desk.settings, clock=desk.clock, addresses=desk.addresses)
    refused = [
        (tally.source, name, refusal.kind.value, refusal.sentence)
        for tally in done.tallies.values()
        for name, refusal in tally.refused.items()
    ]
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": done.bars,
            "session": done.last.isoformat(),
            "sources": preview(TALLIES, [_row(tally) for tally in done.tallies.values()]),
            "given up": _given_up(done) or "none",
            "without a bar of the session": ", ".join(done.lacking) or "none",
            "from too few sources": ", ".join(done.unconfirmed) or "none",
            "refused answers": preview(REFUSED, refused),
            "restated bars that tickets used": "; ".join(r.sentence() for r in done.restated) or "none",
            "new or restated": f"{done.bars} bars, {done.actions} corporate actions, {done.fixings} fixings",
        }
    )


def _row(tally: SourceTally) -> tuple[object, ...]:
    state = "given up" if tally.down else ("waits" if tally.waits else "answers" if tally.answered else "not needed")
    reason = str(tally.down) if tally.down else tally.waits
    return (tally.source, state, tally.asked, tally.answered, len(tally.refused), tally.requests, reason)


def _given_up(done: Round) -> str:
    return "; ".join(f"{t.source}: {t.down}" for t in done.down)


@dg.asset_check(asset=source_prices, description="Every source that the policy names and that has its key answers.")
def sources_alive(desk: dg.ResourceParam[Desk]) -> dg.AssetCheckResult:
    """What the journal says of each source's newest answer. It warns; what that means for a plan, the gates say."""
    dead = telling.dead_sources(desk.conn, desk.now())
    return dg.AssetCheckResult(
        passed=not dead,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(f"{d.source} was given up: {d.sentence}" for d in dead) or "Every source answers.",
        metadata={d.source: telling.remedy_of(d.outcome) for d in dead},
    )


@dg.asset(group_name=GROUP, owners=OWNERS, kinds={"python"}, metadata=table_of("ops.config_universe", NAMES))
def universe_state(desk: dg.ResourceParam[Desk]) -> dg.MaterializeResult[None]:
    """Is every name fit for use? Its bars, its last look-up at the broker, and what is easily taken for it."""
    report = report_of(desk.conn, desk.now())
    rows = [
        (
            n.symbol, n.enabled, f"{n.covered} of {n.sessions}", n.newest, ", ".join(n.sources), n.verified_on,
            ", ".join(n.look_alikes), " ".join((*n.problems, *n.remarks)),
        )
        for n in sorted(report.names, key=lambda n: (not n.problems, n.symbol))
    ]  # fmt: skip
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(report.names),
            "problems": len(report.problems),
            "names": preview(NAMES, rows, MANY),
            "report": dg.MetadataValue.md(universes.to_markdown(report)),
        }
    )
