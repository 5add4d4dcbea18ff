"""The forms of the cash page: cash that moved, a dividend, a corporate event, and taking an entry out of force."""

import datetime as dt
from collections.abc import Mapping

import streamlit as st

from streamlit_app.components import clock
from streamlit_app.components.sending import Draft, Form
from streamlit_app.components.void_form import take_out
from streamlit_app.database import reading
from streamlit_app.person import Person
from trading_ops.desk import books_now, recording
from trading_ops.desk.entries import CashEntry
from trading_ops.domain.calendar import LONDON
from trading_ops.domain.errors import BadInput
from trading_ops.domain.values import ZERO, fixed, plain

MOVED, PAID, EVENT = "cash", "dividend_by_hand", "event"
KIND_WORDS = {
    "deposit": "deposit: money came into the account",
    "withdrawal": "withdrawal: money was taken out",
    "fee": "fee: the broker took one",
    "interest": "interest: credited, or charged",
    "adjustment": "adjustment: anything else, by the broker's statement",
}
EVENT_WORDS = {
    "spin_off": "spin-off: the old units stay, units of a new name came",
    "merger": "merger: the old name ended, for another name or cash",
    "delisting": "delisting: the name ended, for cash or nothing",
    "name_change": "name change: the same units under another name",
}
Names = Mapping[str, str]
"""What may be chosen as a name: symbol and how it is shown."""


def moved(person: Person, today: dt.date) -> None:
    """Cash that moved without a trade."""
    form = Form.open(MOVED)
    form.fill(day=today)
    with st.form(form.key("form"), enter_to_submit=False):
        st.radio(
            "What happened", recording.KINDS, index=None, key=form.key("kind"), format_func=lambda k: KIND_WORDS[k]
        )
        st.text_input("Amount in £, without sign", key=form.key("amount"))
        st.checkbox("It left the account (for interest or an adjustment)", key=form.key("out"))
        st.date_input("Day, London", key=form.key("day"), format="DD/MM/YYYY")
        st.text_input("Where this comes from", key=form.key("why"), max_chars=recording.LONGEST_WHY)
        form.buttons("Book it", person, lambda f: _moved(f, person))


def _moved(form: Form, person: Person) -> Draft:
    kind, amount, why = form.value("kind", None), str(form.value("amount")), str(form.value("why"))
    if kind is None:
        raise BadInput("Choose what happened.")
    day, out = _day(form), bool(form.value("out", False))
    with reading(person) as conn:
        now = clock.book_now(conn)
        of = books_now.books(conn)
        equity = books_now.values(conn, of, books_now.newest_session(conn, now)).equity_gbp
    read = recording.read_movement(form.form_id, str(kind), amount, day, goes_out=out, now=now, equity=equity)
    recording.require_why(why)
    content: dict[str, object] = {"kind": kind, "amount": amount, "out": out, "day": day.isoformat(), "why": why}
    return Draft(str(kind), content, lambda conn: recording.book(conn, read.fact, why, person.username), read.asks)


def paid(person: Person, today: dt.date, names: Names) -> None:
    """A dividend that no expectation stands for, or one typed again."""
    form = Form.open(PAID)
    form.fill(day=today)
    with st.form(form.key("form"), enter_to_submit=False):
        st.selectbox("Name", list(names), index=None, key=form.key("symbol"), format_func=lambda s: names.get(s, s))
        st.date_input("Ex-date", value=None, key=form.key("ex"), format="DD/MM/YYYY")
        st.text_input("Amount in £ after tax; 0 says that it will not come", key=form.key("amount"))
        st.date_input("Day on which the cash came, London", key=form.key("day"), format="DD/MM/YYYY")
        st.text_input("Where this comes from", key=form.key("why"), max_chars=recording.LONGEST_WHY)
        form.buttons("Book the dividend", person, lambda f: _paid(f, person))


def _paid(form: Form, person: Person) -> Draft:
    symbol, amount, why = str(form.value("symbol", None) or ""), str(form.value("amount")), str(form.value("why"))
    ex_date, day = form.value("ex", None), _day(form)
    if not isinstance(ex_date, dt.date):
        raise BadInput("Ex-date: choose the day.")
    with reading(person) as conn:
        now = clock.book_now(conn)
        expected = books_now.books(conn).dividends(books_now.newest_session(conn, now))
    read = recording.read_dividend(form.form_id, symbol, ex_date, amount, day, now, expected)
    recording.require_why(why)
    content: dict[str, object] = {
        "symbol": symbol, "ex_date": ex_date.isoformat(), "amount": amount, "day": day.isoformat(), "why": why,
    }  # fmt: skip
    return Draft(symbol, content, lambda conn: recording.book(conn, read.fact, why, person.username), read.asks)


def event(person: Person, today: dt.date, names: Names) -> None:
    """A corporate event that no source of prices tells of."""
    form = Form.open(EVENT)
    form.fill(day=today)
    with st.form(form.key("form"), enter_to_submit=False):
        st.radio(
            "What happened", recording.EVENTS, index=None, key=form.key("kind"), format_func=lambda k: EVENT_WORDS[k]
        )
        st.selectbox(
            "Name it happened to", list(names), index=None, key=form.key("symbol"),
            format_func=lambda s: names.get(s, s),
        )  # fmt: skip
        st.date_input("Session at whose open it took effect", key=form.key("day"), format="DD/MM/YYYY")
        st.selectbox(
            "New name, if any", list(names), index=None, key=form.key("new"), format_func=lambda s: names.get(s, s)
        )
        st.text_input("Units of the new name, in all, as eToro shows", key=form.key("units"))
        st.text_input("Share of the old cost that goes to the new name, in %", key=form.key("share"))
        st.text_input("Cash received in £", key=form.key("cash"))
        st.text_input("Where this comes from", key=form.key("why"), max_chars=recording.LONGEST_WHY)
        form.buttons("Record the event", person, lambda f: _event(f, person), risky=True)


def _event(form: Form, person: Person) -> Draft:
    kind, why = form.value("kind", None), str(form.value("why"))
    symbol, new = str(form.value("symbol", None) or ""), str(form.value("new", None) or "")
    if kind is None or not symbol:
        raise BadInput("Choose what happened, and the name it happened to.")
    day = _day(form)
    typed = {what: str(form.value(what)) for what in ("units", "share", "cash")}
    with reading(person) as conn:
        now = clock.book_now(conn)
        held = books_now.books(conn).at(day - dt.timedelta(days=1)).units.get(symbol, ZERO)
    read = recording.read_event(
        form.form_id, str(kind), symbol, day, new, typed["units"], typed["share"], typed["cash"], now, held
    )
    recording.require_why(why)
    content: dict[str, object] = {
        "kind": kind, "symbol": symbol, "new": new, "day": day.isoformat(), "why": why, **typed,
    }  # fmt: skip
    return Draft(symbol, content, lambda conn: recording.book(conn, read.fact, why, person.username), read.asks)


def correct(person: Person, entry: CashEntry) -> None:
    """Take an entry out of force; the form for the right one is filled with what the wrong one says."""
    explained = (
        "A wrong entry is not changed: a reversing entry takes it out of force, and both stay on record. "
        "Its form above is then filled in with what it said; change what is wrong and book it."
    )
    take_out(person, "void", entry.table, entry.entry_id, explained)


def fill_again(entry: CashEntry) -> None:
    """Put what a voided entry said into the form of its kind, once."""
    told = f"filled_again:{entry.entry_id}"
    if st.session_state.get(told):
        return
    st.session_state[told] = True
    why = f"instead of the entry of {entry.day.isoformat()}"
    if entry.table == "event":
        _put(
            EVENT, kind=entry.what, symbol=entry.symbol, day=entry.day, new=entry.new_symbol,
            units=plain(entry.new_units) if entry.new_units else "",
            share=plain(entry.cost_share * 100) if entry.cost_share else "",
            cash=fixed(entry.amount_gbp, 2) if entry.amount_gbp else "", why=why,
        )  # fmt: skip
    elif entry.what == "dividend":
        amount = fixed(entry.amount_gbp, 2)
        _put(PAID, symbol=entry.symbol, ex=entry.ex_date, amount=amount, day=entry.day, why=why)
    else:
        amount, out = fixed(abs(entry.amount_gbp), 2), entry.amount_gbp < ZERO
        _put(MOVED, kind=entry.what, amount=amount, out=out, day=entry.day, why=why)


def _put(name: str, **values: object) -> None:
    form = Form.open(name)
    for what, value in values.items():
        st.session_state[form.key(what)] = value
    st.session_state["cash:open"] = name


def _day(form: Form) -> dt.date:
    day = form.value("day", None)
    if not isinstance(day, dt.date):
        raise BadInput("Day: choose one.")
    return day


def today_of(now: dt.datetime) -> dt.date:
    """The day in London."""
    return now.astimezone(LONDON).date()
