"""The equity chart, drawn only when asked for, with its numbers as a table beside it."""

from collections.abc import Sequence

import altair as alt
import streamlit as st

from streamlit_app.components import words
from streamlit_app.components.sheet import Column, table
from trading_ops.domain.valuation import EquityPoint

IN_TABLE = 24


def equity_chart(points: Sequence[EquityPoint]) -> None:
    """Equity and cash in pounds over time."""
    data = [
        {"day": p.session.isoformat(), "pounds": float(amount), "what": what}
        for p in points
        for what, amount in (("equity", p.equity_gbp), ("cash", p.cash_gbp))
    ]
    chart = (
        alt.Chart(alt.Data(values=data), height=300)
        .mark_line()
        .encode(
            x=alt.X("day:T", title=None),
            y=alt.Y("pounds:Q", title="pounds", scale=alt.Scale(zero=False)),
            color=alt.Color(
                "what:N", title=None, scale=alt.Scale(domain=["equity", "cash"], range=["#0b5394", "#b06f00"]),
                legend=alt.Legend(orient="top"),
            ),
            strokeDash=alt.StrokeDash("what:N", title=None, legend=None),
        )
    )  # fmt: skip
    st.altair_chart(chart, width="stretch")
    step = max(1, -(-len(points) // IN_TABLE))
    shown = list(reversed(points[::-1][::step]))
    columns = [Column("Close of"), Column("Cash £", "num"), Column("Holdings £", "num"), Column("Equity £", "num")]
    table(
        "The same as numbers, evenly spread",
        columns,
        [[words.day(p.session), words.gbp(p.cash_gbp), words.gbp(p.holdings_gbp), words.gbp(p.equity_gbp)]
         for p in shown],
    )  # fmt: skip
