"""Where the roll-out stands, each morning: the phase, its criteria, and what is missing for the next."""

import dagster as dg

from trading_ops.defs.resources import Desk
from trading_ops.defs.show import OWNERS, columns, preview
from trading_ops.desk import rollout_state
from trading_ops.desk.book_clock import now_of

CRITERIA = columns(criterion="text", holds="boolean", since_week="text", first_met="text", seen="text")


@dg.asset(group_name="operations", owners=OWNERS, kinds={"python"})
def rollout(desk: dg.ResourceParam[Desk]) -> dg.MaterializeResult[None]:
    """The phase of the roll-out, every criterion with the week since which it holds, and what is missing."""
    found = rollout_state.state(desk.conn, now_of(desk.conn, desk.now()))
    if found is None:
        return dg.MaterializeResult(metadata={"roll-out": "none yet: run `trading-ops init --book live` once"})
    rows = [(a.criterion.code, a.met, a.since or "", a.first or "", a.seen) for a in found.answers]
    return dg.MaterializeResult(
        metadata={
            "roll-out": found.sentence,
            "trades": rollout_state.share_words(found),
            "criteria": preview(CRITERIA, rows),
            "missing": dg.MetadataValue.md("\n".join(f"- {s}" for s in found.missing) or "nothing"),
        }
    )
