"""The ledger as of any day: what is held and what it cost, cash, fills, what was realised, and how the book did."""

import datetime as dt

import streamlit as st

from streamlit_app.components import clock, equity_chart, ledger_parts, paging, sending, void_form, words
from streamlit_app.components.sheet import begin, facts, notice
from streamlit_app.database import reading
from streamlit_app.person import Person
from trading_ops.desk import books_now, entries, returns_now
from trading_ops.desk.books_now import Books, Values
from trading_ops.desk.returns_now import Returns
from trading_ops.domain.calendar import LONDON
from trading_ops.domain.values import plain

CHART_POINTS = 400
FILLS_IN_CSV = 5000
LOTS = 30
TWR = (
    "Time-weighted return: the product of equity at each close / (equity at the close before + money put in or taken "
    "out since), less 1. It does not depend on when money was put in. The year's rate is (1 + r)^(365.25 / days) - 1."
)
MWR = (
    "Money-weighted return a year: the rate at which every deposit and withdrawal, left to grow since its day, comes "
    "to today's equity (actual days / 365). It is what the household's own money earned."
)


def show(person: Person) -> None:
    """Draw the page."""
    begin("Ledger")
    sending.all_said(void_form.FILL_SAID)
    with reading(person) as conn:
        of = books_now.books(conn)
        now = clock.book_now(conn)
        newest = books_now.newest_session(conn, now)
    first = of.first_day
    if first is None:
        st.markdown("The book is empty: nothing was deposited or bought yet. Cash and events is where it begins.")
        return
    today = now.astimezone(LONDON).date()
    asof = st.date_input(
        "As of the close of", value=max(newest, first), min_value=first, max_value=max(today, newest),
        format="DD/MM/YYYY", key="ledger:asof",
    )  # fmt: skip
    with reading(person) as conn:
        held = books_now.values(conn, of, asof)
        did = returns_now.returns(conn, of, asof)
    _summary(of, held, did)
    st.header("Positions")
    ledger_parts.positions(held)
    st.header("Lots")
    with st.expander(f"Open lots ({sum(len(p.lots) for p in held.ledger.positions.values())})"):
        ledger_parts.lots(held)
    _realised(held)
    _fills(person, first, today)
    st.header("Equity over time")
    if st.toggle("Show the chart", key="ledger:chart"):
        with reading(person) as conn:
            points = returns_now.returns(conn, of, asof, CHART_POINTS).points
        equity_chart.equity_chart(points)


def _summary(of: Books, held: Values, did: Returns) -> None:
    if not held.complete:
        lacking = sorted(set(held.ledger.positions) - set(held.values_gbp))
        words_ = f"No close for {', '.join(lacking)}." if lacking else "Some closes are of an earlier session."
        notice("grey", "NOTE.", f"{words_} Values of {words.day(held.asof)} rest on the newest that is known.")
    rate = f"${plain(held.usd_per_gbp)} for £1" if held.usd_per_gbp else "no fixing"
    pairs = [
        ("Equity", words.gbp(held.equity_gbp)),
        ("Cash", words.gbp(held.ledger.cash_gbp)),
        ("Paid in, less taken out", words.gbp(did.paid_in_gbp)),
        ("Rate", rate),
        ("Entries since", words.day(of.first_day) if of.first_day else words.NONE),
    ]
    facts(pairs)
    all_time, a_year, money = st.columns(3)
    all_time.metric("TWR since the first money", words.percent(did.twr, 2), help=TWR)
    a_year.metric("TWR a year", words.percent(did.twr_a_year, 2), help=f"{TWR} None below one year.")
    money.metric("MWR a year", words.percent(did.mwr, 2), help=MWR)


def _realised(held: Values) -> None:
    closed = held.ledger.realised
    st.header("Realised")
    if not closed:
        st.markdown("Nothing was sold yet.")
        return
    ledger_parts.realised_by_year(closed)
    with st.expander(f"Closed lots ({len(closed)})"):
        paging.turn("realised", len(closed), LOTS)
        ledger_parts.realised_lots(closed, paging.page_of("realised"), LOTS)
        rows = ledger_parts.realised_rows(closed)
        ledger_parts.download(f"realised-{held.asof}", "Closed lots as CSV", ledger_parts.REALISED, rows)


def _fills(person: Person, first: dt.date, last: dt.date) -> None:
    st.header("Fills")
    left, right = st.columns(2)
    since = left.date_input(
        "From the session of", value=first, min_value=first, max_value=last, format="DD/MM/YYYY",
        key="ledger:fills_from", on_change=paging.first, args=("fills",),
    )  # fmt: skip
    until = right.date_input(
        "To the session of", value=last, min_value=first, max_value=last, format="DD/MM/YYYY", key="ledger:fills_to",
        on_change=paging.first, args=("fills",),
    )  # fmt: skip
    if until < since:
        st.error(f"The last day, {words.day(until)}, is before the first, {words.day(since)}. Choose them again.")
        return
    with reading(person) as conn:
        listed, of_all = entries.fills(conn, since, until, paging.page_of("fills"))
    if not listed:
        st.markdown("No fill in these days.")
        return
    st.markdown(f"{of_all} fills; those taken out of force are crossed out.")
    paging.turn("fills", of_all, entries.PAGE)
    ledger_parts.fills(listed)
    void_form.wrong_fill(person, listed)
    if st.button("Prepare these fills as CSV", key="ledger:fills_csv"):
        with reading(person) as conn:
            every, _ = entries.fills(conn, since, until, 0, FILLS_IN_CSV)
        rows = ledger_parts.fill_rows(every)
        ledger_parts.download(f"fills-{since}-{until}", "Fills as CSV", ledger_parts.FILLS, rows)
