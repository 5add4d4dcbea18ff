"""Messages: what waits, what went out, what was given up and why; and the audit chain."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from streamlit_app.components import clock, paging, sending, words
from streamlit_app.components.sending import Draft, Form
from streamlit_app.components.sheet import Column, begin, facts, notice, table
from streamlit_app.database import reading
from streamlit_app.person import Person
from trading_ops.desk import post
from trading_ops.desk.post import Post
from trading_ops.settings import Settings
from trading_ops.store import audit
from trading_ops.store.outbox_rows import Given, Waiting

SHOWN = 15
OUTCOMES = {"sent": "sent", "deferred": "failed for now", "dead": "GIVEN UP", "requeued": "sent again by hand"}


def show(person: Person) -> None:
    """Draw the page."""
    begin("Messages")
    sending.all_said("again:")
    with reading(person) as conn:
        found = post.post(conn, Settings.from_env(), clock.wall())
        tried, of_tries = post.tries(conn, paging.page_of("tries"))
        rows, of_rows = post.audit_rows(conn, paging.page_of("audit"))
    _state(found)
    _dead(person, found.dead)
    _waiting(() if found.silent else found.waiting)
    _tried(tried, of_tries)
    _audit(person, rows, of_rows)


def _state(found: Post) -> None:
    if not found.on:
        notice("amber", "NO MAIL.", found.sentence)
    else:
        st.markdown(found.sentence)
    for role, number in found.status.without_address.items():
        notice("amber", "NO ADDRESS.", f"No active {role} has an address; {number} messages reached nobody of them.")
    waiting = f"{found.status.waiting}, of them tried and failed so far: {found.status.deferred}"
    last = f"{words.when(found.status.last_sent)} London" if found.status.last_sent else "never"
    facts([
        ("Kept, sent to nobody" if found.silent else "Waiting", waiting),
        ("Given up", str(found.status.dead)),
        ("No longer true, not sent", str(found.status.superseded)),
        ("Sent", f"{found.status.sent}; the last {last}"),
    ])  # fmt: skip


def _dead(person: Person, dead: Sequence[Given]) -> None:
    if not dead:
        return
    st.header("Given up")
    columns = [
        Column("No.", "num"), Column("What"), Column("To"), Column("Tries", "num"), Column("Last, London"),
        Column("What the server said", "words"),
    ]  # fmt: skip
    table(
        "Messages that could not be delivered",
        columns,
        [
            [
                str(g.outbox_id), _kind(g.kind, g.plan_id), f"{g.address} ({g.channel})", str(g.attempt),
                words.when(g.at), g.detail,
            ]
            for g in dead
        ],
    )  # fmt: skip
    numbers = sorted({g.outbox_id for g in dead})
    chosen = st.selectbox("Send one again", numbers, index=0, key="again:which", format_func=lambda n: f"No. {n}")
    if chosen is None:
        return
    tries = max(g.attempt for g in dead if g.outbox_id == chosen)
    form = Form.open(f"again:{chosen}:{tries}")
    with st.form(form.key("form"), enter_to_submit=False):
        st.markdown(f"Message {chosen} goes back into the queue, for everybody whom it did not reach.")
        form.buttons("Send again", person, lambda f: _again(person, int(chosen), tries))


def _again(person: Person, number: int, tries: int) -> Draft:
    return Draft(
        str(number),
        {"outbox_id": number, "tries": tries},
        lambda conn: post.send_again(conn, number, person.username, clock.wall()),
    )


def _waiting(waiting: Sequence[Waiting]) -> None:
    st.header("Waiting")
    if not waiting:
        st.markdown("Nothing waits.")
        return
    columns = [
        Column("No.", "num"), Column("What"), Column("To"), Column("Written, London"), Column("Next try, London"),
        Column("Last try said", "words"),
    ]  # fmt: skip
    more = f"; the oldest {SHOWN} of {len(waiting)}" if len(waiting) > SHOWN else ""
    table(
        f"What still has to reach somebody{more}",
        columns,
        [
            [
                str(w.message.outbox_id), _kind(w.message.kind, w.message.plan_id), w.recipient.address,
                words.when(w.message.created_at), words.when(w.next_at) if w.next_at else "now", w.detail,
            ]
            for w in waiting[:SHOWN]
        ],
    )  # fmt: skip


def _tried(tried: Sequence[dict[str, Any]], of_all: int) -> None:
    st.header("Sent and tried")
    if not tried:
        st.markdown("Nothing was sent yet.")
        return
    paging.turn("tries", of_all, post.PAGE)
    columns = [
        Column("No.", "num"), Column("What"), Column("To"), Column("Try", "num"), Column("At, London"),
        Column("Outcome"), Column("Said", "words"),
    ]  # fmt: skip
    table(
        "Newest first",
        columns,
        [
            [
                str(t["outbox_id"]), _kind(t["kind"], t["plan_id"]), t["address"], str(t["attempt"]),
                words.when(t["at"]), OUTCOMES[t["outcome"]], t["detail"],
            ]
            for t in tried
        ],
    )  # fmt: skip


def _audit(person: Person, rows: Sequence[dict[str, Any]], of_all: int) -> None:
    st.header("Audit log")
    if st.button("Does the chain hold?", key="audit:check"):
        with reading(person) as conn:
            broken = audit.broken(conn)
            head = audit.head(conn)
        if broken:
            notice("red", "BROKEN.", f"{len(broken)} rows do not follow from the row before.",
                   [f"Row {seq}: {fault}" for seq, fault in broken[:10]])  # fmt: skip
        else:
            notice("green", "IT HOLDS.", f"{head.seq} rows, the newest with hash {head.hash[:16]}.")
    paging.turn("audit", of_all, post.PAGE)
    columns = [
        Column("Row", "num"), Column("At, London"), Column("Actor"), Column("Kind"), Column("What", "words"),
    ]  # fmt: skip
    table(
        "Rows of the audit chain, newest first",
        columns,
        [
            [
                str(r["seq"]), words.when(r["created_at"]), r["actor"], r["kind"],
                f"{r['subject']} {r['payload']}" + ("…" if len(r["payload"]) == post.CUT else ""),
            ]
            for r in rows
        ],
    )  # fmt: skip


def _kind(kind: str, plan_id: str | None) -> str:
    said = kind.replace(".", ": ").replace("_", " ")
    return f"{said}, plan {plan_id}" if plan_id else said
