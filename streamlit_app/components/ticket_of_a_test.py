"""How a test ticket is issued: the command to type, with its values, and what it does.

A page cannot issue it itself: planning writes plans and runs, and the pages may only read those.
"""

import datetime as dt
from typing import Any

import psycopg
import streamlit as st

from streamlit_app.components import words
from streamlit_app.components.sheet import links
from trading_ops.domain import calendar
from trading_ops.store import configuration, tickets


def how_to_test(conn: psycopg.Connection[Any], now: dt.datetime) -> None:
    """Draw it.

    Args:
        conn: A connection that reads.
        now: The book's moment, aware UTC: the newest session that is over is the one to test.
    """
    smallest = configuration.policy_in_force(conn).policy.sizing.minimum_order_gbp
    session = calendar.last_closed(now)
    st.markdown(
        f"A test ticket tries the whole path with one order: BUY for {words.gbp(smallest)}, rounded up to whole "
        "pounds, in the best-ranked name that may be bought and is not held. Every gate and rule judges it; when one "
        "fails, it is NO-TRADE. The executor gets it like any ticket, and in a live book it is real money. "
        "Do an account check first."
    )
    name = f"test-{session.isoformat()}"
    if tickets.find(conn, name) is None:
        st.markdown("This page may not issue tickets. On the desk's computer, in the desk's folder, type:")
        st.code(f"trading-ops ticket test --asof {session.isoformat()}", language=None, wrap_lines=True)
        st.markdown(
            f"It takes the prices at the close of {words.day(session)}, and the ticket {name} is then listed here."
        )
    else:
        st.markdown(f"The session of {words.day(session)} has its test ticket; a session has one.")
        links([(f"Open {name}", f"/confirm/{name}")])
