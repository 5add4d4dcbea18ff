"""Dividends that ought to come: which ones, and the two forms that resolve one."""

import datetime as dt
from collections.abc import Sequence

import streamlit as st

from streamlit_app.components import clock, words
from streamlit_app.components.sending import Draft, Form
from streamlit_app.components.sheet import Column, table
from streamlit_app.database import reading
from streamlit_app.person import Person
from trading_ops.desk import books_now, recording
from trading_ops.domain.calendar import LONDON
from trading_ops.domain.dividends import ExpectedDividend
from trading_ops.domain.errors import BadInput
from trading_ops.domain.ledger import CashMovement
from trading_ops.domain.values import fixed

SHOWN = 15
TAKEN = "dividend:"


def dividends(
    person: Person, expected: Sequence[ExpectedDividend], explained: Sequence[ExpectedDividend], now: dt.datetime
) -> None:
    """The dividends with what became of them, and the forms for one that is open.

    Args:
        person: Who books.
        expected: All of them, by ex-date.
        explained: Those that the broker's cash explains.
        now: The moment of the book.
    """
    waiting = [d for d in expected if not d.booked]
    booked = [d for d in expected if d.booked]
    newest = [*waiting, *booked[::-1][:SHOWN]]
    if not newest:
        st.markdown("No dividend was earned yet.")
        return
    in_cash = {(d.symbol, d.ex_date) for d in explained}
    columns = [
        Column("Name"), Column("Ex-date"), Column("Units", "num"), Column("$ a unit", "num"),
        Column("Expected £, after tax", "num"), Column("State", "words"),
    ]  # fmt: skip
    table(
        f"Dividends: {len(waiting)} not booked, and the newest booked",
        columns,
        [
            [
                d.symbol, words.day(d.ex_date), words.units(d.units), words.usd(d.amount_usd, 4), words.gbp(d.net_gbp),
                "booked" if d.booked
                else "in the account's cash: book it" if (d.symbol, d.ex_date) in in_cash else "not booked yet",
            ]
            for d in sorted(newest, key=lambda d: (not d.booked, d.ex_date), reverse=True)
        ],
    )  # fmt: skip
    if not waiting:
        return
    chosen = st.selectbox(
        "Resolve one", waiting, index=None, placeholder="Choose a dividend", key="dividend_chosen",
        format_func=lambda d: f"{d.symbol}, ex-date {words.day(d.ex_date)}, {words.gbp(d.net_gbp)} expected",
    )  # fmt: skip
    if chosen is not None:
        _came(person, chosen, now)
        _will_not_come(person, chosen)


def _came(person: Person, due: ExpectedDividend, now: dt.datetime) -> None:
    form = Form.open(f"{TAKEN}{due.symbol}:{due.ex_date}")
    today = now.astimezone(LONDON).date()
    form.fill(amount=fixed(due.net_gbp, 2), day=today, why="as eToro shows it")
    with st.form(form.key("form"), enter_to_submit=False):
        st.markdown(f"**It came.** Type the pounds that eToro credited for {due.symbol}, after tax.")
        st.text_input("Amount in £", key=form.key("amount"))
        st.date_input("Day on which the cash came", key=form.key("day"), format="DD/MM/YYYY")
        st.text_input("Where this comes from", key=form.key("why"), max_chars=recording.LONGEST_WHY)
        form.buttons("Book at this amount", person, lambda f: _draft(f, person, due, str(f.value("amount"))))


def _will_not_come(person: Person, due: ExpectedDividend) -> None:
    form = Form.open(f"{TAKEN}none:{due.symbol}:{due.ex_date}")
    with st.form(form.key("form"), enter_to_submit=False):
        st.markdown("**It will not come.** The desk stops waiting for it; the reason stays on record.")
        st.text_input("Why", key=form.key("why"), max_chars=recording.LONGEST_WHY)
        form.buttons("It will not come", person, lambda f: _draft(f, person, due, "0"), risky=True)


def _draft(form: Form, person: Person, due: ExpectedDividend, amount: str) -> Draft:
    why = str(form.value("why"))
    recording.require_why(why)
    with reading(person) as conn:
        now = clock.book_now(conn)
        of = books_now.books(conn)
        expected = of.dividends(books_now.newest_session(conn, now))
    day = form.value("day", now.astimezone(LONDON).date())
    if not isinstance(day, dt.date):
        raise BadInput("Day: choose the day on which the cash came.")
    read = recording.read_dividend(form.form_id, due.symbol, due.ex_date, amount, day, now, expected)
    fact = read.fact
    assert isinstance(fact, CashMovement)
    content: dict[str, object] = {
        "symbol": due.symbol, "ex_date": due.ex_date.isoformat(), "amount": amount, "day": day.isoformat(), "why": why,
    }  # fmt: skip
    return Draft(due.symbol, content, lambda conn: recording.book(conn, fact, why, person.username), read.asks)
