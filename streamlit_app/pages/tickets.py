"""All tickets, newest first; one of them whole: as issued, its answers, asked against done, and calling it back."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from streamlit_app.components import clock, paging, sending, words
from streamlit_app.components.sheet import Column, Line, begin, facts, links, notice, table, verbatim
from streamlit_app.components.ticket_of_a_test import how_to_test
from streamlit_app.components.withdraw_form import withdraw
from streamlit_app.database import reading
from streamlit_app.person import Person
from trading_ops.desk import answering, books_now, no_ticket, ticket_history
from trading_ops.desk.answering import TicketState
from trading_ops.domain.errors import Refused
from trading_ops.domain.execution import ExecutionReport, LineExecution
from trading_ops.domain.execution_text import told
from trading_ops.domain.ticket_record import banner_of
from trading_ops.domain.values import ZERO


def show(person: Person) -> None:
    """Draw the page."""
    begin("All tickets")
    sending.all_said("withdraw:")
    with reading(person) as conn:
        missing = no_ticket.missing_ticket(conn, clock.book_now(conn))
        open_plans = ticket_history.without_ticket(conn)
        listed, of_all = ticket_history.listed(conn, paging.page_of("tickets"))
    if missing is not None:
        when = words.when(missing.times.decide_by)
        said = f"Plan {missing.plan_id}, decided by {when} London: {no_ticket.DO_NOT_TRADE}"
        notice("red", "STOP.", said)
    _open_plans(open_plans)
    with st.expander("Test the whole path with a test ticket"), reading(person) as conn:
        how_to_test(conn, clock.book_now(conn))
    if not listed:
        st.markdown("No ticket was issued yet.")
        return
    _list(listed, of_all)
    asked = st.query_params.get("ticket")
    ids = [t["ticket_id"] for t in listed]
    names = ids if asked in ids or not asked else [asked, *ids]
    chosen = st.selectbox(
        "Open a ticket", names, index=names.index(asked) if asked in names else None, key="tickets:chosen",
        placeholder="Choose one of this page",
    )  # fmt: skip
    if chosen is not None:
        _one(person, str(chosen))


def _open_plans(plans: Sequence[dict[str, Any]]) -> None:
    if not plans:
        return
    titles = ("Plan", "Week", "Opens, London", "Decided by, London")
    columns = [*map(Column, titles), Column("Means", "words")]
    table(
        "Plans without a ticket",
        columns,
        [
            [p["plan_id"], p["week"], words.when(p["opens_at"]), words.when(p["decide_by"]), no_ticket.DO_NOT_TRADE]
            for p in plans
        ],
    )  # fmt: skip


def _list(listed: Sequence[dict[str, Any]], of_all: int) -> None:
    paging.turn("tickets", of_all, ticket_history.PAGE)
    titles = ("Ticket", "Verdict", "Answered", "Issued, London")
    columns = [*map(Column, titles), Column("Withdrawn", "words")]
    table(
        f"{of_all} tickets, newest first",
        columns,
        [
            [
                t["ticket_id"], t["verdict"], f"{t['answered']} of {t['lines']}" if t["lines"] else words.NONE,
                words.when(t["issued_at"]), t["withdrawn_because"] or "",
            ]
            for t in listed
        ],
    )  # fmt: skip


def _one(person: Person, ticket_id: str) -> None:
    try:
        with reading(person) as conn:
            state = answering.ticket_state(conn, ticket_id)
            given = ticket_history.revisions(conn, state.ticket.plan_id)
            report = ticket_history.asked_against_done(conn, books_now.books(conn), state)
    except Refused as exc:
        st.error(str(exc))
        return
    ticket = state.ticket
    st.header(f"{banner_of(state.content)}Ticket {ticket.ticket_id}")
    if ticket.withdrawn_because is not None:
        notice("red", "WITHDRAWN.", ticket.withdrawn_because)
    window, lines = state.content.window, len(state.content.lines)
    hours = f"{words.when(window.open_utc)} to {words.hour(window.close_utc)} London"
    pairs = [
        ("Verdict", ticket.verdict),
        ("Plan", ticket.plan_id),
        ("Window", hours),
        ("Answers due", f"{words.when(window.confirm_by_utc)} London"),
        ("Answered", f"{len(state.answered)} of {lines}" if lines else "nothing to answer"),
        ("Issued", f"{words.when(ticket.issued_at)} London"),
        ("SHA-256 of its content", ticket.content_sha256),
    ]
    facts(pairs)
    links([("Its page for answers", f"/confirm/{ticket.ticket_id}")])
    _asked_against_done(report)
    _answers(given)
    with st.expander("The ticket exactly as it was issued"):
        verbatim(ticket.markdown, f"Ticket {ticket.ticket_id}")
    _calling_back(person, state)


def _calling_back(person: Person, state: TicketState) -> None:
    if state.ticket.verdict == "TRADE" and state.ticket.withdrawn_because is None:
        with st.expander("Withdraw it"):
            withdraw(person, state)


def _asked_against_done(report: ExecutionReport | None) -> None:
    if report is None:
        return
    slip = words.gbp(abs(report.slippage_gbp))
    lost = "lost" if report.slippage_gbp >= ZERO else "gained"
    st.header("Asked against done")
    st.markdown(
        f"{told(report.lines)}. "
        f"Bought {words.gbp(report.executed_buys_gbp)} of {words.gbp(report.intended_buys_gbp)}, "
        f"sold {words.gbp(report.executed_sells_gbp)} of {words.gbp(report.intended_sells_gbp)}; "
        f"{slip} {lost} against the ticket's prices. It counts the price alone; Home's cost of a ticket also counts "
        "exchange rate and fees."
    )
    columns = [
        Column("Line"), Column("Asked", "num"), Column("Done", "num"), Column("Status"), Column("Price $", "num"),
        Column("Reference $", "num"), Column("Slippage", "num"), Column("Filled", "num"), Column("Remark", "words"),
    ]  # fmt: skip
    table("Each line", columns, [_line(line) for line in report.lines])


def _line(line: LineExecution) -> list[str]:
    buy = line.side == "BUY"
    remarks = [
        ("outside the window", line.in_window is False),
        (f"beyond the limit of {words.usd(line.limit_usd)}", line.beyond_limit),
        ("more than asked", line.overfilled),
        ("units or value worked out", line.estimated),
        (line.reason, bool(line.reason)),
    ]
    done = words.gbp(line.executed_gbp) if buy else f"{words.units(line.executed_units)} units"
    return [
        f"{line.line} {line.side} {line.symbol}",
        words.gbp(line.intended_gbp) if buy else f"{words.units(line.intended_units)} units",
        done if line.price_usd is not None else "nothing",
        line.status,
        words.usd(line.price_usd),
        words.usd(line.reference_usd),
        words.percent(line.slippage, 2),
        words.percent(line.fill_ratio, 0),
        "; ".join(said for said, holds in remarks if holds),
    ]


def _answers(given: Sequence[dict[str, Any]]) -> None:
    if not given:
        return
    st.header("Answers")
    columns = [
        Column("Line"), Column("Rev.", "num"), Column("Status"), Column("Units", "num"), Column("Price $", "num"),
        Column("Value £", "num"), Column("Filled, London"), Column("Answered, London"), Column("Who and what", "words"),
    ]  # fmt: skip
    newest = {row["line"]: row["revision"] for row in reversed(given)}
    table(
        "Newest revision first within a line; earlier ones are no longer in force",
        columns,
        [_answer(row, in_force=row["revision"] == newest[row["line"]]) for row in given],
    )


def _answer(row: dict[str, Any], *, in_force: bool) -> Line:
    said = [row["answered_by"], *(text for text in (row["reason"], row["note"]) if text)]
    said += [f"asked again: {question}" for question in row["questions"]]
    return Line(
        [
            f"{row['line']} {row['side']} {row['symbol']}", str(row["revision"]), row["status"],
            words.units(row["units"]), words.usd(row["price_usd"], 4), words.gbp(row["value_gbp"]),
            words.when(row["executed_at"]) if row["executed_at"] else words.NONE, words.when(row["created_at"]),
            "; ".join(said),
        ],
        struck=not in_force,
    )  # fmt: skip
