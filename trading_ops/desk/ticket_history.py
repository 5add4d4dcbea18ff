"""Tickets looked back at: the list, the answers with their revisions, asked against done, plans without a ticket."""

from collections.abc import Sequence
from typing import Any

import psycopg

from trading_ops.desk.answering import TicketState
from trading_ops.desk.books_now import Books
from trading_ops.desk.switching import require_words
from trading_ops.domain.errors import BadInput
from trading_ops.domain.execution import ExecutionReport, execution_report
from trading_ops.store import chosen, tickets

PAGE = 20


def listed(conn: psycopg.Connection[Any], page: int, size: int = PAGE) -> tuple[Sequence[dict[str, Any]], int]:
    """Tickets, newest first, with how many of their lines are answered; and how many tickets there are."""
    rows = conn.execute(
        "SELECT t.plan_id, t.ticket_id, t.verdict, t.issued_at, w.reason AS withdrawn_because, "
        "count(*) OVER () AS of_all, "
        "(SELECT count(*) FROM ops.ticket_lines l WHERE l.plan_id = t.plan_id) AS lines, "
        "(SELECT count(DISTINCT c.line) FROM ops.confirmations c WHERE c.plan_id = t.plan_id) AS answered "
        "FROM ops.tickets t JOIN ops.plans p USING (plan_id) LEFT JOIN ops.ticket_withdrawals w USING (plan_id) "
        "ORDER BY p.asof DESC, t.audit_seq DESC LIMIT %s OFFSET %s",
        (size, page * size),
    ).fetchall()
    return rows, rows[0]["of_all"] if rows else 0


def without_ticket(conn: psycopg.Connection[Any], count: int = 10) -> Sequence[dict[str, Any]]:
    """Plans that have no ticket, newest first."""
    return conn.execute(
        "SELECT p.plan_id, p.week, p.opens_at, p.decide_by FROM ops.plans p LEFT JOIN ops.tickets t USING (plan_id) "
        "WHERE t.plan_id IS NULL AND p.kind = 'weekly' ORDER BY p.plan_id DESC LIMIT %s",
        (count,),
    ).fetchall()


def revisions(conn: psycopg.Connection[Any], plan_id: str) -> Sequence[dict[str, Any]]:
    """Every answer that was ever given to a ticket's lines, by line, newest revision first."""
    return conn.execute(
        "SELECT c.line, l.side, l.symbol, c.revision, c.status, c.reason, c.note, c.units, c.price_usd, c.value_gbp, "
        "c.fee_gbp, c.executed_at, c.overfilled, c.answered_by, c.created_at, c.questions "
        "FROM ops.confirmations c JOIN ops.ticket_lines l USING (plan_id, line) WHERE c.plan_id = %s "
        "ORDER BY c.line, c.revision DESC",
        (plan_id,),
    ).fetchall()


def asked_against_done(conn: psycopg.Connection[Any], of: Books, state: TicketState) -> ExecutionReport | None:
    """What a ticket asked for and what became of it; None for one without lines, or without a fixing."""
    if not state.content.lines:
        return None
    try:
        rate = chosen.usd_per_gbp(conn, of.policy.data, state.content.window.session)
    except BadInput:
        return None
    given = [stored.answer for stored in state.answered.values()]
    return execution_report(state.content, given, of.facts.fills, rate)


def withdraw(conn: psycopg.Connection[Any], ticket_id: str, reason: str, username: str) -> str:
    """Call a ticket back; returns a sentence. The message to people goes out with it.

    Raises:
        BadInput: The reason is missing or too long.
        Refused: It is withdrawn already, or asks for nothing.
    """
    require_words(reason, "reason", "The reason is missing. Write why; the executor reads it.")
    tickets.withdraw(conn, ticket_id, reason.strip(), username)
    return f"Ticket {ticket_id} is withdrawn: a message goes out, and the form takes only what was already done."
