"""Cash and events: what moved without a ticket, entered by hand, and every such entry with who and why."""

import streamlit as st

from streamlit_app.components import cash_forms, clock, paging, sending, words
from streamlit_app.components.sheet import Column, Line, begin, facts, links, table
from streamlit_app.database import reading
from streamlit_app.person import Person
from trading_ops.desk import books_now, entries
from trading_ops.desk.entries import CashEntry

FORMS = ("cash:", "dividend_by_hand:", "event:", "void:")


def show(person: Person) -> None:
    """Draw the page."""
    begin("Cash and events")
    with reading(person) as conn:
        now = clock.book_now(conn)
        today = cash_forms.today_of(now)
        balance = books_now.books(conn).at(today).cash_gbp
        names = entries.names(conn)
        listed, of_all = entries.cash(conn, paging.page_of("cash"))
        chosen = _chosen(person)
    if chosen is not None and chosen.voided is not None:
        cash_forms.fill_again(chosen)
        st.session_state.pop("cash:chosen", None)
    facts([("Cash in the ledger", f"{words.gbp(balance)}, {words.day(today)}")])
    for name in FORMS:
        sending.all_said(name.rstrip(":"))
    opened = st.session_state.get("cash:open", "")
    with st.expander("Book cash that moved", expanded=opened == cash_forms.MOVED):
        cash_forms.moved(person, today)
    with st.expander("Book a dividend", expanded=opened == cash_forms.PAID):
        links([("Dividends that are expected stand under Reconciliation", "/reconciliation")])
        cash_forms.paid(person, today, names)
    with st.expander("Record a corporate event", expanded=opened == cash_forms.EVENT):
        cash_forms.event(person, today, names)
    _entries(listed, of_all)
    _correct(person, listed)


def _chosen(person: Person) -> CashEntry | None:
    entry_id = st.session_state.get("cash:chosen")
    if not entry_id:
        return None
    with reading(person) as conn:
        return entries.one_cash(conn, str(entry_id))


def _entries(listed: tuple[CashEntry, ...], of_all: int) -> None:
    st.header("Entries")
    if not listed:
        st.markdown("There is none yet. A book begins with its first deposit.")
        return
    paging.turn("cash", of_all, entries.PAGE)
    columns = [
        Column("Day"), Column("What"), Column("Amount £", "num"), Column("Name"), Column("Entered, London"),
        Column("Who and why", "words"),
    ]  # fmt: skip
    table("Cash movements and corporate events, newest entry first", columns, [_line(e) for e in listed])


def _line(e: CashEntry) -> Line:
    named = e.symbol or ""
    if e.new_symbol:
        named += f" into {words.units(e.new_units)} {e.new_symbol}" if e.new_units else f" into {e.new_symbol}"
    if e.ex_date:
        named += f", ex {words.day(e.ex_date)}"
    said = f"{e.recorded_by}: {e.why}"
    if e.voided:
        said = f"void: {e.voided.why} ({e.voided.by}, {words.when(e.voided.at)}). It said: {said}"
    cells = [words.day(e.day), e.what.replace("_", " "), words.gbp(e.amount_gbp), named, words.when(e.stored_at), said]
    return Line(cells, struck=e.voided is not None)


def _correct(person: Person, listed: tuple[CashEntry, ...]) -> None:
    standing = {e.entry_id: e for e in listed if e.voided is None}
    if not standing:
        return
    st.header("Correct an entry")
    chosen = st.selectbox(
        "Which one", list(standing), index=None, placeholder="Choose an entry of this page", key="cash:which",
        format_func=lambda i: _named(standing[i]),
    )  # fmt: skip
    if chosen is not None:
        st.session_state["cash:chosen"] = chosen
        cash_forms.correct(person, standing[chosen])


def _named(e: CashEntry) -> str:
    of = f" of {e.symbol}" if e.symbol else ""
    return f"{words.day(e.day)}, {e.what.replace('_', ' ')}{of}, {words.gbp(e.amount_gbp)}, by {e.recorded_by}"
