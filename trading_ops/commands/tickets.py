"""plan, ticket, confirm: from a session to its ticket, and the answers to it."""

import datetime as dt
import json as jsonlib
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer

from trading_ops.commands import handed_in, issued, show
from trading_ops.commands.handed_in import day_of
from trading_ops.commands.home import now, opened, person
from trading_ops.desk import answering, executing
from trading_ops.domain.answer import Answer
from trading_ops.domain.calendar import last_closed
from trading_ops.domain.errors import BadInput
from trading_ops.domain.plausibility import Entry, Evidence, questions
from trading_ops.domain.ticket_model import TicketContent
from trading_ops.store import answers, artifacts, chosen, configuration, tickets

app = typer.Typer(help="Tickets.", no_args_is_help=True)


def plan(
    asof: Annotated[str, typer.Option(help="as-of session: the last New York session of a week, 2018-02-02")],
    direct: Annotated[bool, typer.Option(help="without Dagster: the same steps in this process")] = False,
    json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Run one plan to its ticket; of a NO-TRADE the reasons are told. The exit code is 0 for TRADE and NO-TRADE."""
    day = day_of(asof, "--asof")
    with opened() as (conn, settings):
        stands = tickets.find(conn, day.isoformat())
        if stands:
            typer.echo(
                f"{stands.ticket_id} was issued on {stands.issued_at:%d %b %Y %H:%M} UTC and stands: a week gets one "
                "ticket. What changed since counts from the next plan.",
                err=True,
            )
        if direct:
            from trading_ops.planning.direct import plan_now

            ticket = plan_now(conn, settings.tickets_dir, settings.snapshots_dir, day, at=now())
        else:
            from trading_ops.defs.in_process import plan_through_jobs

            ticket = plan_through_jobs(conn, settings, day, at=now())
        issued.tell(ticket, settings.tickets_dir, json=json)


@app.command("list")
def ticket_list(json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """All tickets, oldest first."""
    with opened() as (conn, _):
        rows = [
            {
                "ticket": t.ticket_id,
                "plan": t.plan_id,
                "verdict": t.verdict,
                "lines": len(jsonlib.loads(t.content)["lines"]),
                "reasons": ", ".join(jsonlib.loads(t.content)["reasons"]),
                "withdrawn": t.withdrawn_because or "",
            }
            for t in tickets.every(conn)
        ]
    show.rows(rows, "json" if json else "table", "There is no ticket yet.")


@app.command("show")
def ticket_show(ticket_id: str, form: Annotated[str, typer.Option("--format", help="md or json")] = "md") -> None:
    """One ticket, as the executor reads it or as data."""
    if form not in ("md", "json"):
        raise BadInput(f"--format {form!r}: use md or json.")
    with opened() as (conn, _):
        ticket = tickets.get(conn, ticket_id)
    if form == "json":
        show.as_json(ticket.document | {"withdrawn_because": ticket.withdrawn_because})
    else:
        typer.echo(artifacts.readable(ticket))


@app.command("replay")
def ticket_replay(
    ticket_id: Annotated[str, typer.Argument(help="a ticket, or all")],
    json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Rebuild a ticket from what was stored; exit 1 and the differing input when it is not identical."""
    from trading_ops.planning.replay import replay

    with opened("replayer") as (blind, settings), opened() as (conn, _):
        wanted = tickets.every(conn) if ticket_id == "all" else (tickets.get(conn, ticket_id),)
        reports = [replay(blind, conn, settings.snapshots_dir, ticket) for ticket in wanted]
    if json:
        show.as_json([r.as_dict() for r in reports])
    else:
        for report in reports:
            typer.echo(report.sentence)
    if not all(r.identical for r in reports):
        raise typer.Exit(1)


@app.command("test")
def ticket_test(
    asof: Annotated[str | None, typer.Option(help="session of the prices; the last that is over if left out")] = None,
    json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Issue a test ticket: one smallest real order through the whole path, judged by every rule."""
    from trading_ops.planning.direct import test_now

    with opened() as (conn, settings):
        day = day_of(asof, "--asof") if asof else last_closed(now())
        ticket = test_now(conn, settings.tickets_dir, settings.snapshots_dir, day, at=now())
        issued.tell(ticket, settings.tickets_dir, json=json)


@app.command("withdraw")
def ticket_withdraw(ticket_id: str, reason: Annotated[str, typer.Option()]) -> None:
    """Call a TRADE ticket back; what was already done can still be confirmed."""
    with opened() as (conn, settings):
        with conn.transaction():
            ticket = tickets.withdraw(conn, ticket_id, handed_in.said(reason, "--reason"), person())
        artifacts.write_ticket(settings.tickets_dir, ticket)
    typer.echo(f"Ticket {ticket.ticket_id} is withdrawn: {reason}. Tell the executor now.")


def confirm(
    ticket_id: str,
    file: Annotated[Path, typer.Option(help=f"CSV with {', '.join(handed_in.FILL_COLUMNS)}")],
    correct: Annotated[bool, typer.Option(help="replace answers that are there; the old ones stay on record")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="the numbers are right, however odd they look")] = False,
) -> None:
    """Enter the answers to a ticket's lines; all of the file is kept, or nothing."""
    given = handed_in.answers(file)
    with opened() as (conn, settings):
        with conn.transaction():
            ticket = tickets.get(conn, ticket_id)
            content = TicketContent.model_validate_json(ticket.content)
            if not yes:
                ask_again(conn, content, given, str(file))
            stored, repeated = answers.record_answers(
                conn, ticket.plan_id, given, answered_by=person(),
                rate_of=lambda day: fixing_of(conn, day), where=str(file), correct=correct,
            )  # fmt: skip
        left = [a.line for a in answers.answers_of(conn, ticket.plan_id) if a.status is None]
        report = executing.write_report(conn, settings.reports_dir, answering.ticket_state(conn, ticket.ticket_id))
    open_lines = f"lines still open: {', '.join(map(str, left))}" if left else "every line is answered"
    typer.echo(f"Ticket {ticket.ticket_id}: {stored} answers stored, {repeated} were there already; {open_lines}.")
    typer.echo(f"Intended against executed: {report}")


def ask_again(conn: psycopg.Connection[Any], content: TicketContent, given: list[Answer], where: str) -> None:
    """Refuse answers that look mistyped until the person says they are right.

    Raises:
        BadInput: Names the first line with a question, and asks it.
    """
    lines = {line.line: line for line in content.lines}
    policy = configuration.policy_in_force(conn).policy
    evidence = Evidence(fixing_of(conn, content.window.session), content.window, now(), policy)
    for answer in given:
        if answer.line not in lines:
            continue
        entry = Entry(answer.status, answer.units, answer.price_usd, answer.value_gbp, answer.executed_at)
        for question in questions(lines[answer.line], entry, evidence):
            raise BadInput(
                f"{where}: line {answer.line} ({lines[answer.line].symbol}): {question.sentence} Nothing was stored: "
                "correct it, or repeat with --yes if it is what the broker shows."
            )


def fixing_of(conn: psycopg.Connection[Any], day: dt.date) -> Decimal:
    """Dollars for one pound on a day, for fills of which a number is missing."""
    return chosen.usd_per_gbp(conn, configuration.policy_in_force(conn).policy.data, day)
