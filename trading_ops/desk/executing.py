"""A ticket's files, written in the act that changes what they say: intended against executed, and a withdrawal.

Does not belong here: the comparison (`domain.execution`).
"""

import logging
from pathlib import Path
from typing import Any

import psycopg

from trading_ops.desk.answering import TicketState, ticket_state
from trading_ops.domain.errors import TradingOpsError
from trading_ops.domain.execution import ExecutionReport, execution_report
from trading_ops.domain.execution_text import to_markdown
from trading_ops.settings import Settings
from trading_ops.store import artifacts, audit, chosen, configuration, ledger, tickets

FOLDER = "execution"
_log = logging.getLogger(__name__)
_CHANGED = (
    "SELECT plan_id FROM ops.confirmations WHERE audit_seq > %(since)s UNION "
    "SELECT plan_id FROM ops.ledger_trades_fills WHERE audit_seq > %(since)s AND plan_id IS NOT NULL UNION "
    "SELECT f.plan_id FROM ops.ledger_voids v JOIN ops.ledger_trades_fills f USING (fill_id) "
    "WHERE v.audit_seq > %(since)s AND f.plan_id IS NOT NULL ORDER BY plan_id"
)


def report_of(conn: psycopg.Connection[Any], state: TicketState) -> ExecutionReport:
    """What became of a ticket so far.

    Raises:
        BadInput: There is no fixing on or before the window's session.
    """
    data = configuration.policy_in_force(conn).policy.data
    rate = chosen.usd_per_gbp(conn, data, state.content.window.session)
    fills = ledger.fills(conn, audit.head(conn).seq)
    answers = [stored.answer for stored in state.answered.values()]
    return execution_report(state.content, answers, fills, rate)


def write_report(conn: psycopg.Connection[Any], reports: Path, state: TicketState) -> Path:
    """Write a ticket's report as Markdown; an older one of the same ticket is replaced.

    Args:
        conn: A connection.
        reports: The home's folder of reports.
        state: The ticket with the answers in force.
    """
    path = reports / FOLDER / f"{state.ticket.ticket_id}.md"
    artifacts.write_text(path, to_markdown(report_of(conn, state)))
    return path


def follow(conn: psycopg.Connection[Any], settings: Settings, since: int) -> tuple[Path, ...]:
    """Write again the files of every ticket that was answered, corrected or withdrawn; returns what was written.

    Call it after the act, outside of its transaction: what was stored stands, whatever becomes of a file.

    Args:
        conn: A connection; reading is enough.
        settings: Where the files lie.
        since: Where the audit chain stood before the act.
    """
    written = []
    for row in conn.execute(_CHANGED, {"since": since}).fetchall():
        try:
            written.append(write_report(conn, settings.reports_dir, ticket_state(conn, row["plan_id"])))
        except (TradingOpsError, OSError) as exc:
            _log.warning("the report of plan %s was not written: %s", row["plan_id"], exc)
    withdrawn = "SELECT plan_id FROM ops.ticket_withdrawals WHERE audit_seq > %s ORDER BY plan_id"
    for row in conn.execute(withdrawn, (since,)).fetchall():
        try:
            written.append(artifacts.write_ticket(settings.tickets_dir, tickets.get(conn, row["plan_id"])))
        except OSError as exc:
            _log.warning("the file of plan %s was not written: %s", row["plan_id"], exc)
    return tuple(written)
