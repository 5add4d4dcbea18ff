"""report: what people are told of a day, week or month, written once and kept; looked at, corrected, checked."""

import datetime as dt
import json as plain_json
from typing import Annotated, Any

import psycopg
import typer

from trading_ops.commands import show
from trading_ops.commands.handed_in import day_of
from trading_ops.commands.home import now, opened
from trading_ops.desk.book_clock import now_of
from trading_ops.domain.report_facts import Kind
from trading_ops.reports import writing
from trading_ops.store import reports
from trading_ops.store.reports import Report

app = typer.Typer(help="Reports of every day, week and month, trade or no trade.",
                  no_args_is_help=True)  # fmt: skip
Day = Annotated[str | None, typer.Option("--date", help="a day, 2018-02-05; the newest if left out")]
Correct = Annotated[bool, typer.Option("--correct", help="write it again from what is known now, as a new revision")]
Json = Annotated[bool, typer.Option("--json")]
SHOWN = 30


@app.command("daily")
def report_daily(date: Day = None, correct: Correct = False, json: Json = False) -> None:
    """The report of a session; what is owed of earlier days is written first."""
    _report("daily", date, correct=correct, json=json)


@app.command("weekly")
def report_weekly(date: Day = None, correct: Correct = False, json: Json = False) -> None:
    """The report of the week that a day lies in; what is owed of earlier weeks is written first."""
    _report("weekly", date, correct=correct, json=json)


@app.command("monthly")
def report_monthly(date: Day = None, correct: Correct = False, json: Json = False) -> None:
    """The review pack of the month that a day lies in; what is owed of earlier months is written first."""
    _report("monthly", date, correct=correct, json=json)


@app.command("list")
def report_list(json: Json = False) -> None:
    """The newest reports, and what is still owed."""
    with opened() as (conn, _):
        rows, of_all = reports.listed(conn, None, 0, SHOWN)
        due = writing.owed(conn, now_of(conn, now()))
    found = [
        {"report": f"{r['kind']} {r['day']}", "revision": r["revision"], "headline": r["headline"],
         "facts_sha256": r["facts_sha256"]}
        for r in rows
    ]  # fmt: skip
    if json:
        owed = {kind: [str(day) for day in getattr(due, kind)] for kind in writing.KINDS}
        show.as_json({"reports": found, "in_all": of_all, "owed": owed})
        return
    show.as_table([{**r, "facts_sha256": r["facts_sha256"][:16]} for r in found], "There is no report yet.")
    typer.echo(f"{of_all} in all; owed: {len(due.daily)} daily, {len(due.weekly)} weekly, {len(due.monthly)} monthly.")


@app.command("verify")
def report_verify(json: Json = False) -> None:
    """Make every report again from its stored facts; exit 1 when one comes out otherwise."""
    with opened() as (conn, _):
        checked = [(r.name, writing.same_again(r)) for r in reports.every(conn)]
    wrong = [name for name, same in checked if not same]
    if json:
        show.as_json({"reports": len(checked), "differ": wrong})
    else:
        typer.echo(f"{len(checked)} reports, {len(checked) - len(wrong)} come out byte for byte.")
        for name in wrong:
            typer.echo(f"{name} comes out otherwise: its layout has changed since, or it was altered (audit verify).")
    if wrong:
        raise typer.Exit(1)


def _report(kind: Kind, date: str | None, *, correct: bool, json: bool) -> None:
    day = day_of(date, "--date") if date else None
    with opened() as (conn, settings):
        at = now_of(conn, now())
        writing.write_owed(conn, at, settings.reports_dir)
        found = _one(conn, kind, day or _newest(conn, kind, at), at, correct=correct)
        page = writing.write_files(settings.reports_dir, found)
    _tell(found, str(page), json=json)


def _newest(conn: psycopg.Connection[Any], kind: Kind, at: dt.datetime) -> dt.date:
    return max(reports.days(conn, kind), default=writing.last_due(at))


def _one(conn: psycopg.Connection[Any], kind: Kind, day: dt.date, at: dt.datetime, *, correct: bool) -> Report:
    return (writing.correct if correct else writing.write_one)(conn, kind, day, at)


def _tell(found: Report, page: str, *, json: bool) -> None:
    if json:
        show.as_json(
            {"kind": found.kind, "day": found.day.isoformat(), "revision": found.revision, "page": page,
             "facts_sha256": found.facts_sha256, "markdown_sha256": found.markdown_sha256,
             "html_sha256": found.html_sha256, "facts": plain_json.loads(found.facts)}
        )  # fmt: skip
        return
    typer.echo(found.markdown)
    typer.echo(f"{found.name} sha256 {found.facts_sha256[:16]}  {page}")
