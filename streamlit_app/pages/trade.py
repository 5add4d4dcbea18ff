"""Other trade: bought or sold by mistake, or off the ticket. Either user may enter it."""

import datetime as dt
import html
import uuid

import streamlit as st

from streamlit_app.components import draft, fields, style
from streamlit_app.components.fields import Body, Keep
from streamlit_app.components.numbers import number_field
from streamlit_app.components.second_look import second_look
from streamlit_app.components.trade_saving import save_trade
from streamlit_app.database import reading
from streamlit_app.person import Person
from trading_ops.desk.off_ticket import OVERSOLD, Around, TradeReading, around, read_trade
from trading_ops.domain.calendar import LONDON
from trading_ops.domain.ticket_words import clock, london_day, long_day

PAGE, SUBJECT = "trade", "other"
SIDES = {"BUY": "I bought something", "SELL": "I sold something"}
CFD = "eToro marks it as a CFD, or it has leverage"
SHORT = {
    "side": "what happened", "name": "which name", "price": "the price", "units": "the units", "value": "the amount",
    "fee": "the fee", "time": "the time", "why": "how it came about",
}  # fmt: skip


def show(person: Person) -> None:
    """Draw the page."""
    style.style()
    st.title("Other trade")
    now = dt.datetime.now(dt.UTC)
    body = draft.opened(person, PAGE, SUBJECT, {"step": "form"})
    said = body.pop("said", None)
    if said:
        style.block(*said)

    def keep() -> None:
        draft.save(person, PAGE, SUBJECT)

    if body.get("step") == "saved":
        _saved(body, keep)
        return
    with reading(person) as conn:
        books = around(conn, str(body.get("name") or ""), now)
    found = read_trade(body, books, now)
    if body.get("step") == "check" and found.complete:
        _check(person, body, found, books, keep)
    else:
        _form(body, found, books, now, keep)


def _form(body: Body, found: TradeReading, books: Around, now: dt.datetime, keep: Keep) -> None:
    style.big("A trade made by mistake, or off the ticket")
    fields.choice("What happened?", SIDES, body, "side", key=PAGE, keep=keep)
    fields.name_field("Which name?", sorted(books.names.items()), body, "name", key=PAGE, keep=keep)
    fields.tick(CFD, body, "cfd", key=PAGE, keep=keep)
    if found.note_only and OVERSOLD not in found.asks:
        style.ask("This cannot be booked as a stock of the desk. Type what you know: the operator gets it as a note.")
    _number("price", "Price in $", "for example 78.10", body, found, keep)
    _number("units", "Units", "for example 23.492", body, found, keep)
    _number("value", "Amount in £", "for example 1265.00", body, found, keep)
    _number("fee", "Fee in £, if eToro shows one", "for example 1.00", body, found, keep)
    if OVERSOLD in found.asks:
        style.ask(found.asks[OVERSOLD])
    fields.day_field("The day", body, "day", key=PAGE, keep=keep, last=now.astimezone(LONDON).date())
    _number("time", "Time on your clock", "for example 14:50", body, found, keep)
    fields.text_field("Position ID, if the screen shows one", body, "position_id", key=PAGE, keep=keep)
    fields.note_field("How did it come about?", body, "why", key=PAGE, keep=keep, hint="in a few words")
    if body.get("step") == "check":
        style.ask("Still to type or to look at: " + ", ".join(SHORT.get(key, key) for key in found.mend) + ".")

    def on() -> None:
        body.update(step="check", id=str(uuid.uuid4()))
        keep()

    fields.button("Check your answers", on, key="trade:check", main=True)


def _number(name: str, label: str, hint: str, body: Body, found: TradeReading, keep: Keep) -> None:
    ask = found.mend.get(name) or found.asks.get(name, "")
    number_field(label, body, name, key=PAGE, keep=keep, hint=hint, ask=ask, note=found.notes.get(name, ""))


def _check(person: Person, body: Body, found: TradeReading, books: Around, keep: Keep) -> None:
    style.big("Check your answers")
    with st.container(border=True):
        st.html(f"<b>{html.escape(_title(body, books))}</b>")
        style.listed(_lines(body, found))
    if found.note_only:
        style.note("This goes to the operator as a note; the ledger is not changed by it.")
    looked = _second_look(body, found, keep)

    def back() -> None:
        body["step"] = "form"
        keep()

    if looked:
        sending = (person, PAGE, SUBJECT, body, found)
        fields.button("All correct: save", save_trade, *sending, key="trade:save", main=True)
    else:
        style.note("Tick the box above when you have looked again.")
    fields.button("Back, I want to change something", back, key="trade:back")


def _title(body: Body, books: Around) -> str:
    name = str(body.get("name") or "")
    company = f" · {books.names[name]}" if name in books.names else " (new to the desk)"
    return f"{'BOUGHT' if body.get('side') == 'BUY' else 'SOLD'} {name}{company}{', a CFD' if body.get('cfd') else ''}"


def _lines(body: Body, found: TradeReading) -> list[str]:
    typed = {key: str(body.get(key) or "").strip() for key in ("price", "units", "value", "fee", "position_id", "why")}
    words = {
        "price": "Price ${}", "units": "{} units", "value": "Amount £{}", "fee": "Fee £{}",
        "position_id": "Position ID {}", "why": "How it came about: {}",
    }  # fmt: skip
    lines = [pattern.replace("{}", typed[key].lstrip("£$")) for key, pattern in words.items() if typed[key]]
    if found.trade is not None:
        at = found.trade.executed_at
        lines.insert(-1, f"{long_day(london_day(at))} at {clock(at)} (London)")
    else:
        lines.insert(-1, f"{body.get('day') or 'today'} at {body.get('time')}")
    return lines


def _second_look(body: Body, found: TradeReading, keep: Keep) -> bool:
    """Whether everything odd was looked at again."""
    for sentence in found.asks.values():
        style.ask(sentence)
    return second_look("I looked again: eToro shows it so", body, found.looked_at, key=PAGE, keep=keep)


def _saved(body: Body, keep: Keep) -> None:
    style.block("calm", "Saved. Thank you.", str(body.get("means") or ""))

    def again() -> None:
        body.clear()
        body["step"] = "form"
        keep()

    fields.button("Enter another trade", again, key="trade:again")
