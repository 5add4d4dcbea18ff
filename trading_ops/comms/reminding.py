"""Gathering what reminders are decided from, and putting those that are due into the outbox, each once."""

import datetime as dt
from typing import Any

import psycopg

from trading_ops.domain import calendar
from trading_ops.domain.messages import ACCOUNT_CHECK
from trading_ops.domain.policy import Policy
from trading_ops.domain.reconciliation import check_opening_snapshot_missing, check_snapshot_stale
from trading_ops.domain.reminders import AccountCheckFacts, Reminder, TicketFacts, due_reminders
from trading_ops.domain.ticket_model import TicketContent
from trading_ops.store import answers, broker, configuration, desk, outbox, plans, tickets

LOOK_BACK = dt.timedelta(days=21)
"""Tickets older than this are no longer reminded of; the next plans ask for their answers themselves."""


def remind(conn: psycopg.Connection[Any], now: dt.datetime) -> tuple[Reminder, ...]:
    """Put due reminders into the outbox; returns those that were not there yet. A simulated book reminds nobody.

    Args:
        conn: A writer's connection in autocommit.
        now: The moment, aware.
    """
    if desk.book(conn) == "sim":
        return ()
    policy = configuration.policy_in_force(conn).policy
    checks = account_checks(conn, policy, now)
    lacking = {check.plan_id: check for check in checks}
    new = []
    for reminder in due_reminders(ticket_facts(conn, now), checks, now):
        if outbox.number_of(conn, reminder.dedupe_key) is not None:
            continue
        payload: dict[str, object] = {"until_utc": reminder.until.isoformat()}
        if reminder.kind == ACCOUNT_CHECK:
            check = lacking[reminder.plan_id]
            page = f"{policy.ticket.page_url}/snapshot"
            payload |= {"lacking": check.lacking, "decide_by_utc": check.decide_by.isoformat(), "page_url": page}
        with conn.transaction():
            desk.enqueue(conn, reminder.dedupe_key, reminder.kind, reminder.plan_id, payload)
        new.append(reminder)
    return tuple(new)


def ticket_facts(conn: psycopg.Connection[Any], now: dt.datetime) -> tuple[TicketFacts, ...]:
    """The tickets of the last weeks that can still be reminded of, with their answers."""
    found = []
    for ticket in tickets.awaiting_answers(conn, (now - LOOK_BACK).date()):
        content = TicketContent.model_validate_json(ticket.content)
        window = content.window
        found.append(
            TicketFacts(
                ticket.plan_id,
                ticket.ticket_id,
                window.open_utc,
                window.close_utc,
                window.confirm_by_utc,
                content.next_plan_opens_utc,
                ticket.withdrawn_because is not None,
                answers.answers_of(conn, ticket.plan_id),
            )
        )
    return tuple(found)


def account_checks(conn: psycopg.Connection[Any], policy: Policy, now: dt.datetime) -> tuple[AccountCheckFacts, ...]:
    """What the plans lack that are to be decided next, judged as their gate will judge it."""
    found = []
    for plan in plans.without_ticket(conn):
        closes = calendar.close_utc(plan.asof)
        if closes <= now < plan.decide_by:
            lacking = _lacking(conn, plan.asof, policy)
            found.append(AccountCheckFacts(plan.plan_id, closes, plan.decide_by, lacking))
    return tuple(found)


def _lacking(conn: psycopg.Connection[Any], asof: dt.date, policy: Policy) -> str:
    head = plans.facts_head(conn)
    snapshot = broker.newest(conn, asof, head)
    if snapshot is None:
        return check_opening_snapshot_missing(None).sentence
    row = conn.execute(
        "SELECT max(f.filled_at) AS newest FROM ops.ledger_trades_fills f LEFT JOIN ops.ledger_voids v USING (fill_id) "
        "WHERE v.void_id IS NULL AND f.session <= %s",
        (asof,),
    ).fetchone()
    result = check_snapshot_stale(snapshot, asof, row["newest"] if row else None, policy)
    return "" if result.passed else result.sentence
