"""Intended against executed, made the moment answers are saved, and written where people find it.

Does not belong here: the comparison (`domain.execution`).
"""

from pathlib import Path
from typing import Any

import psycopg

from trading_ops.desk.answering import TicketState
from trading_ops.domain.execution import ExecutionReport, execution_report
from trading_ops.domain.execution_text import to_markdown
from trading_ops.store import artifacts, audit, chosen, configuration, ledger

FOLDER = "execution"


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
