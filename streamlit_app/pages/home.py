"""Home: within ten seconds, are the books right, is anything to be done, and what is next."""

import datetime as dt
from typing import Any

import streamlit as st

from streamlit_app.components import clock, sending, switch_forms, words
from streamlit_app.components.light import show_light
from streamlit_app.components.sending import Form
from streamlit_app.components.sheet import Column, begin, facts, links, notice, table
from streamlit_app.database import reading
from streamlit_app.person import Person
from trading_ops.desk import books_now, costs_now, no_ticket, post, reconciling, rollout_state, standing, switching
from trading_ops.desk.answer_words import open_lines
from trading_ops.desk.answering import TicketState
from trading_ops.desk.rollout_state import RolloutState
from trading_ops.desk.standing import Incident, Standing
from trading_ops.domain.costs import MonthCosts
from trading_ops.domain.incidents import CLASSES
from trading_ops.domain.rollout import ROLLOUT
from trading_ops.settings import Settings

COST_MONTHS = 3
HANDBOOK = "docs/EXECUTION_WORKFLOW_1PAGER.md"


def show(person: Person) -> None:
    """Draw the page."""
    begin("Home")
    with reading(person) as conn:
        now = clock.book_now(conn)
        missing = no_ticket.missing_ticket(conn, now)
        found = reconciling.reconciled(conn, now)
        where = standing.standing(conn, now)
        opens = standing.next_opening(conn, now)
        of = books_now.books(conn)
        months = costs_now.costs(conn, of, _months_back(now)).months[-COST_MONTHS:]
        newest = where.newest
        cost = costs_now.costs_of_ticket(conn, of, newest.ticket.plan_id) if newest else None
        mail = post.post(conn, Settings.from_env(), clock.wall())
        changes = switching.history(conn, 5)
        led = rollout_state.state(conn, now)
    if missing is not None:
        _no_ticket(missing)
    show_light(found, with_help=True)
    if where.kill_switch.state != "ACTIVE":
        since = f" since {words.day(where.kill_switch.since)}" if where.kill_switch.since else ""
        notice("amber", f"{where.kill_switch.state}{since}.", where.kill_switch.reason)
    _at_a_glance(where, now, opens, cost, found, mail, led)
    links([("Tickets", "/tickets"), ("Ledger", "/ledger"), ("Reconciliation", "/reconciliation"),
           ("Cash and events", "/cash"), ("Messages", "/messages"), ("Roll-out", "/rollout")])  # fmt: skip
    _incidents(person, where)
    _costs(months)
    _switch(person, where, now, changes)


def _no_ticket(missing: no_ticket.Missing) -> None:
    times = missing.times
    why = "its window is today" if missing.window_today else "it is overdue"
    more = [
        f"Plan {missing.plan_id} ({times.week}): {why}; decided by {words.when(times.decide_by)} London, "
        f"window {words.when(times.window_open)} to {words.hour(times.window_close)} London.",
        f"What helps: trading-ops plan --asof {missing.plan_id}. Page of the handbook: {HANDBOOK}",
    ]
    notice("red", "STOP.", no_ticket.DO_NOT_TRADE, more)


def _at_a_glance(
    where: Standing, now: dt.datetime, opens: dt.datetime, cost: MonthCosts | None, found: reconciling.Reconciled,
    mail: post.Post, led: RolloutState | None,
) -> None:  # fmt: skip
    due = standing.next_deadline(where, now)
    checked = f"{words.when(found.snapshot.taken_at)} London" if found.snapshot else "never"
    blocking = sum(i.blocking for i in where.incidents)
    incidents = f"{len(where.incidents)} open, {blocking} of them blocking" if where.incidents else "none"
    pauses = [f"paused {words.day(p.session)} to {words.day(p.until)}" for p in where.pauses if p.until]
    switch = ", ".join([where.kill_switch.state, *pauses])
    pairs = [
        ("Last account check", checked),
        ("Newest ticket", _ticket_words(where)),
        *(("Waits for answers", _waiting_words(state, now)) for state in where.waiting),
        ("Its cost", _cost_words(cost)),
        ("Next deadline", f"{due[0]}: {words.when(due[1])} London" if due else "none before the next plan"),
        ("Next plan", f"{words.when(opens)} London"),
        ("Kill switch", switch),
        ("Open incidents", incidents),
        ("Last proven backup", _backup_words(where)),
        ("Mail", _mail_words(mail)),
        *([("Roll-out", led.sentence)] if led is not None and where.book != "sim" else []),
        ("Book", f"{where.book}, as of {words.when(now)} London"),
    ]
    facts(pairs)
    shown = dict.fromkeys(s.ticket.ticket_id for s in (*where.waiting, where.newest) if s is not None)
    if shown:
        links([(f"Open ticket {ticket_id}", f"/confirm/{ticket_id}") for ticket_id in shown])


def _waiting_words(state: TicketState, now: dt.datetime) -> str:
    by = state.content.window.confirm_by_utc
    due = "due" if by >= now else "was due"
    return f"{state.ticket.ticket_id}: {open_lines(state)}; {due} {words.when(by)} London"


def _ticket_words(where: Standing) -> str:
    if where.newest is None:
        return "there is none yet"
    state = where.newest
    named = f"{state.ticket.ticket_id} · {state.ticket.verdict}"
    if state.ticket.withdrawn_because is not None:
        return f"{named}, withdrawn: {state.ticket.withdrawn_because}"
    if not state.content.lines:
        return f"{named}, nothing to answer"
    return f"{named}, answered {len(state.answered)} of {len(state.content.lines)}"


def _backup_words(where: Standing) -> str:
    at = where.backup_proven_at
    said = f"{words.when(at)} London" if at else "none proven yet"
    return said if where.backup.passed else f"{said}; allowed: {where.backup.allowed}, so nothing is traded"


def _cost_words(cost: MonthCosts | None) -> str:
    if cost is None:
        return "no fills yet"
    said = f"{words.bps(cost.bps)} of {words.gbp(cost.notional_gbp)}, that is {words.gbp(cost.total_gbp)}"
    if not cost.measured:
        return f"{said}. It counts price against the ticket's and fees; the exchange rate's part was not measured."
    return f"{said}. It counts exchange rate, price against the ticket's, and fees."


def _mail_words(mail: post.Post) -> str:
    dead = len(mail.dead)
    said = f"{dead} given up, look at Messages. " if dead else ""
    return f"{said}{mail.sentence}"


def _months_back(now: dt.datetime) -> dt.date:
    """The first day of the month that is so many months back."""
    months = now.year * 12 + now.month - 1 - COST_MONTHS
    return dt.date(months // 12, months % 12 + 1, 1)


def _incidents(person: Person, where: Standing) -> None:
    sending.all_said("incident:")
    sending.all_said(switch_forms.ACK)
    if not where.incidents:
        return
    st.header("Open incidents")
    for incident in where.incidents:
        word = "BLOCKING." if incident.blocking else "OPEN."
        tone = "red" if incident.blocking else "amber"
        notice(tone, word, incident.title, _about(incident))  # type: ignore[arg-type]
        if not incident.acknowledged:
            with st.expander("Acknowledge it: I work on this"):
                switch_forms.acknowledge_incident(person, incident)
        with st.expander("Close it with a note"):
            switch_forms.close_incident(person, incident)


def _about(incident: Incident) -> list[str]:
    """What the runbook says of an incident, and who works on it."""
    said = [f"{incident.kind}, since {words.when(incident.opened_at)} London", incident.sentence, incident.now]
    known = CLASSES.get(incident.kind)
    if known is not None:
        said += [f"What it means: {known.means}", f"What to do: {known.do}", f"How it closes: {known.how}"]
        said.append(f"Page of the handbook: {known.page}")
    if incident.acknowledged:
        said.append(f"Acknowledged by {incident.acknowledged}")
    elif incident.told_again:
        said.append("It was told of again, and nobody has acknowledged it.")
    return [sentence for sentence in said if sentence]


def _costs(months: tuple[MonthCosts, ...]) -> None:
    if not months:
        return
    st.header("What trading cost")
    columns = [
        Column("Month"), Column("Fills", "num"), Column("Value", "num"), Column("Exchange", "num"),
        Column("Slippage", "num"), Column("Fees", "num"), Column("In all", "num"), Column("bps", "num"),
    ]  # fmt: skip
    table(
        "Cost of the last months in pounds: exchange rate, price against the ticket, fees; above 0 is money lost",
        columns,
        [
            [
                words.month(m.month), str(m.fills), words.gbp(m.notional_gbp),
                words.gbp(m.fx_gbp) if m.measured else "not measured",
                words.gbp(m.slippage_gbp), words.gbp(m.commission_gbp), words.gbp(m.total_gbp), words.bps(m.bps),
            ]
            for m in reversed(months)
        ],
    )  # fmt: skip


def _switch(person: Person, where: Standing, now: dt.datetime, changes: Any) -> None:
    st.header("Kill switch and holidays")
    with st.expander("Set ACTIVE, REDUCING or HALTED"):
        switch_forms.kill_switch(person, now)
    Form.open(switch_forms.KILL).said()
    with st.expander("Pause for a holiday"):
        switch_forms.holiday(person, now)
    Form.open(switch_forms.HOLIDAY).said()
    _pauses(person, where)
    if changes:
        columns = [
            Column("Set"),
            Column("State"),
            Column("From"),
            Column("Until"),
            Column("Who"),
            Column("Why", "words"),
        ]
        table(
            "Newest changes, times London",
            columns,
            [
                [words.when(c["created_at"]), *_entry_words(c), c["set_by"], c["reason"]]
                for c in changes
            ],
        )  # fmt: skip


def _entry_words(entry: dict[str, Any]) -> tuple[str, str, str]:
    """State, from and until of an entry of the kill switch; the end of a pause has no last day."""
    first, last = entry["session"], entry["until"]
    if last is not None and last < first:
        return "PAUSED ended", words.day(first), words.NONE
    return entry["state"], words.day(first), words.day(last) if last else words.NONE


def _pauses(person: Person, where: Standing) -> None:
    sending.all_said(switch_forms.END)
    # Pauses that begin at the same session end together: one form for them.
    longest = sorted(where.pauses, key=lambda p: p.until or p.session)
    for pause in {p.session: p for p in longest}.values():
        last = words.day(pause.until or pause.session)
        said = f"Sessions of {words.day(pause.session)} to {last}, set by {pause.set_by}."
        notice("amber", "PAUSED.", f"{said} {pause.reason}")
        if pause.set_by == ROLLOUT:
            continue  # only a promotion ends it
        with st.expander(f"End the pause of {words.day(pause.session)}"):
            switch_forms.end_pause(person, pause)
