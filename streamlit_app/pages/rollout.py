"""Roll-out: the phase, what holds since which week, what is missing, and who led it on. It is led on by command."""

import json

import streamlit as st

from streamlit_app.components import clock, words
from streamlit_app.components.sheet import Column, begin, facts, notice, table
from streamlit_app.database import reading
from streamlit_app.person import Person
from trading_ops.desk import rollout_state
from trading_ops.domain.rollout import PHASES
from trading_ops.domain.values import plain
from trading_ops.store import rollout
from trading_ops.store.rollout import Act

PROMOTE = "trading-ops rollout promote --reason …"


def show(person: Person) -> None:
    """Draw the page."""
    begin("Roll-out")
    with reading(person) as conn:
        found = rollout_state.state(conn, clock.book_now(conn))
        acts = rollout.acts(conn)
    if found is None:
        st.markdown("This live book has no roll-out yet. `trading-ops init --book live` begins it.")
        return
    facts([("Phase", found.phase.title), ("What it means", found.phase.means),
           ("It trades", rollout_state.share_words(found)), ("Where it stands", found.sentence)])  # fmt: skip
    if found.answers:
        columns = [Column("Criterion"), Column("Holds"), Column("Since"), Column("First met"), Column("Seen", "words")]
        table(
            "What must hold before the phase is left",
            columns,
            [
                [a.criterion.code, "yes" if a.met else "NO", a.since or words.NONE, a.first or words.NONE, a.seen]
                for a in found.answers
            ],
        )
    if found.missing:
        notice("amber", "MISSING.", f"{found.phase.title} cannot be left yet.", found.missing)
    elif found.phase.next.get(found.book):
        notice("green", "READY.", f"{PHASES[found.phase.next[found.book]].title} may follow: {PROMOTE}")
    if acts:
        columns = [Column("When, London"), Column("Act"), Column("Phase"), Column("Share", "num"), Column("Who"),
                   Column("Why", "words"), Column("Judged then", "words")]  # fmt: skip
        table("What was done, newest first", columns, [_act(act) for act in reversed(acts)])


def _act(act: Act) -> list[str]:
    judged = "; ".join(f"{a['code']} {a['since'] or words.NONE}" for a in json.loads(act.document).get("answers", []))
    return [
        words.when(act.created_at), act.act, PHASES[act.phase].title, plain(act.share), act.set_by, act.reason, judged
    ]  # fmt: skip
