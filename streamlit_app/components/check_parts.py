"""The pieces of the account check: its fields, the answers to look over, and when the account was looked at.

Does not belong here: saving it (`check_saving`), how the fields are read (`trading_ops.desk.check_form`).
"""

import datetime as dt
import html
import uuid

import streamlit as st

from streamlit_app.components import fields, style
from streamlit_app.components.fields import Body, Keep
from streamlit_app.components.numbers import number_field
from streamlit_app.components.second_look import second_look
from trading_ops.desk.account_check import Against
from trading_ops.desk.check_form import CheckReading, Item
from trading_ops.domain.calendar import LONDON
from trading_ops.domain.ticket_words import clock, london_day, long_day
from trading_ops.domain.values import fixed

KEY = "snapshot"
OLD = dt.timedelta(hours=2)
"""What was begun longer ago than this was not read off just now."""
WHEN = {"now": "Just now", "earlier": "Earlier today, or on another day"}


def moment(body: Body, now: dt.datetime) -> dt.datetime:
    """The moment that `just now` means: when the answers were put together, else this one."""
    fixed_at = (body.get("sending") or {}).get("at")
    return dt.datetime.fromisoformat(fixed_at) if body.get("step") == "check" and fixed_at else now


def fix_moment(body: Body, known: Against) -> None:
    """Go on to the answers: their moment, and the key under which they are stored once, are fixed before Save shows."""
    at = dt.datetime.now(dt.UTC).replace(microsecond=0)
    body.pop("told", None)
    body.update(step="check", sending={"id": str(uuid.uuid4()), "at": at.isoformat(), "seen": known.newest})


def began(body: Body, now: dt.datetime) -> None:
    """Remember when the first field was filled in."""
    body.setdefault("began", now.replace(microsecond=0).isoformat())


def begin_again(body: Body, now: dt.datetime) -> None:
    """What was saved on another day is over: the page opens empty."""
    if body.get("step") == "saved" and london_day(dt.datetime.fromisoformat(body["at"])) != london_day(now):
        body.clear()
        body["step"] = "form"


def resumed(body: Body, now: dt.datetime, keep: Keep) -> None:
    """What was begun a while ago is kept with the time it was begun; or it is thrown away."""
    start = body.get("began")
    if not start or (at := dt.datetime.fromisoformat(start)) > now - OLD:
        return
    if not body.get("resumed"):
        body.update(resumed=True, when="earlier", day=london_day(at).isoformat(), time=clock(at))
    style.note(f"You began this on {long_day(london_day(at))} at {clock(at)}, and it is kept. Go on, or start afresh.")

    def afresh() -> None:
        for widget in [k for k in st.session_state if str(k).startswith(f"{KEY}:")]:
            del st.session_state[widget]
        body.clear()
        body.update(step="form", how="type")
        keep()

    fields.button("Start afresh", afresh, key=f"{KEY}:afresh")


def typed_form(body: Body, found: CheckReading, known: Against, today: dt.date, keep: Keep) -> None:
    """Every field of the form, each with its question below."""
    number_field(
        "Cash in £: Available", body, "cash", key=KEY, keep=keep, hint="for example 1234.56", **_below(found.cash)
    )
    for item in found.holdings:
        _holding(body, item, keep)
    rows = body.setdefault("more", [])
    for place, item in enumerate(found.more):
        _more(rows, place, item, known, keep)

    def one_more() -> None:
        rows.append({})
        keep()

    fields.button("There is one more", one_more, key=f"{KEY}:one-more")
    if fields.choice("When did you look?", WHEN, body, "when", key=KEY, keep=keep, first="now") == "earlier":
        fields.day_field("The day", body, "day", key=KEY, keep=keep, last=today)
        fields.text_field("The time on your clock", body, "time", key=KEY, keep=keep, hint="for example 14:50")
        if str(body.get("time") or "").strip() and (found.when.mend or found.when.ask):
            style.ask(found.when.mend or found.when.ask)
        if found.late:
            style.ask(found.late)


def _below(item: Item) -> dict[str, str]:
    return {"ask": item.mend or item.ask, "note": item.note}


def _holding(body: Body, item: Item, keep: Keep) -> None:
    units, gone = body.setdefault("units", {}), body.setdefault("gone", {})
    symbol = str(item.symbol)
    with st.container(border=True):
        if not item.gone:
            label = f"{symbol} · {item.label}: units"
            number_field(label, units, symbol, key=f"{KEY}:units", keep=keep, hint="as eToro shows", **_below(item))
        if (
            fields.tick(f"{symbol} · {item.label} is not there", gone, symbol, key=f"{KEY}:gone", keep=keep)
            and item.ask
        ):
            style.ask(item.ask)


def _more(rows: list[Body], place: int, item: Item, known: Against, keep: Keep) -> None:
    with st.container(border=True):
        key = f"{KEY}:more:{place}:{len(rows)}"
        names = sorted(known.names.items())
        fields.name_field(f"One more, number {place + 1}: its name", names, rows[place], "name", key=key, keep=keep)
        label = f"One more, number {place + 1}: units"
        number_field(label, rows[place], "units", key=key, keep=keep, hint="as eToro shows", **_below(item))
        if item.note and not item.raw.strip():
            style.note(item.note)

        def away() -> None:
            del rows[place]
            keep()

        fields.button(f"Take number {place + 1} away", away, key=f"{key}:away")


def still_to_type(found: CheckReading) -> None:
    """What stands between the form and its answers."""
    left = [_short(item) for item in found.items if item.mend]
    if left:
        style.ask("Still to type or to look at: " + ", ".join(left) + ".")


def _short(item: Item) -> str:
    return {"cash": "cash", "when": "the time"}.get(item.key) or item.symbol or item.label or "the one more"


def summary(found: CheckReading, known: Against) -> None:
    """The answers, as they will be saved."""
    cash = fixed(found.cash.value, 2) if found.cash.value is not None else ""
    rows = [("Cash: Available", f"£{cash}", found.cash.ask)]
    for item in (*found.holdings, *found.more):
        units = "not there" if item.gone else f"{item.value:f} units" if item.value is not None else item.raw
        company = known.names.get(item.label, "") if item.key.startswith("more") else item.label
        name = f"{item.symbol} · {company}" if item.symbol else f"{item.label} (new to the desk)"
        rows.append((name, units, item.ask))
    cells = "".join(
        f"<tr><th scope='row'>{html.escape(name)}</th><td>{html.escape(value)}{'  *' if ask else ''}</td></tr>"
        for name, value, ask in rows
    )
    st.html(f"<table class='check'>{cells}</table>{_TABLE}")
    if found.taken_at is not None:
        at = found.taken_at.astimezone(LONDON)
        style.note(f"Looked at on {long_day(at.date())} at {at:%H:%M} (London).")
    if found.late:
        style.ask(found.late)


_TABLE = (
    "<style>table.check {width: 100%; border-collapse: collapse;} table.check th {text-align: left; font-weight: 400;}"
    "table.check td {text-align: right; font-weight: 700; white-space: nowrap;}"
    "table.check th, table.check td {padding: .45rem .2rem; border-bottom: 1px solid #c8ccd1;}</style>"
)


def looked_through(body: Body, found: CheckReading, keep: Keep) -> bool:
    """Whether everything odd was looked at again; the tick holds for exactly what is typed now."""
    if not found.asked:
        return True
    for item in found.items:
        if item.ask:
            style.ask(f"{_short(item)}: {item.ask}")
    return second_look("I looked again: eToro shows it so", body, found.asked, key=KEY, keep=keep)
