"""Beside a ticket that is shown: that it is an older one, and which others still wait for answers."""

from streamlit_app.components import style
from trading_ops.desk.answer_words import open_lines
from trading_ops.desk.answering import TicketState
from trading_ops.desk.standing import Standing


def beside(desk: Standing, state: TicketState) -> None:
    """What has to be known before a ticket is read; nothing when it is the newest and no other waits."""
    newest = desk.newest
    older = newest is not None and newest.ticket.plan_id != state.ticket.plan_id
    others = desk.waiting_beside(state)
    if desk.overdue and desk.open_plan is not None:
        style.ask(f"There is no ticket for {desk.open_plan.week}: do not trade. Below is {state.ticket.ticket_id}.")
    if older and state.open_lines:
        style.ask(f"This ticket still waits for your answers: {open_lines(state)}.")
    if older and newest is not None and not state.open_lines and newest not in others:
        newest_id = newest.ticket.ticket_id
        style.ask(f"This is an older ticket. The newest is {newest_id}.")
        style.way(f"Open {newest_id}", f"/confirm/{newest_id}")
    if state.content.lines:  # a NO-TRADE asks for them below its reasons
        still_waiting(others)


def still_waiting(states: tuple[TicketState, ...]) -> None:
    """Tickets that wait for answers, each with the way to it."""
    for state in states:
        ticket_id = state.ticket.ticket_id
        style.ask(f"Ticket {ticket_id} still waits for your answers: {open_lines(state)}.")
        style.way(f"Answer {ticket_id}", f"/confirm/{ticket_id}")
