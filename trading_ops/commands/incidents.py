"""incident and watch: what is wrong, who works on it, and looking once by hand."""

from typing import Annotated, Any

import typer

from trading_ops.commands import show
from trading_ops.commands.home import now, opened, person
from trading_ops.desk import incidents as acts
from trading_ops.desk import switching
from trading_ops.domain.incidents import CLASSES, PERSON
from trading_ops.domain.ticket_words import london_moment
from trading_ops.store import incidents
from trading_ops.store.incidents import Incident
from trading_ops.watch import acting, heartbeat
from trading_ops.watch.senses import Senses

app = typer.Typer(help="Incidents: what is open, who works on it, what was done.", no_args_is_help=True)
Number = Annotated[str, typer.Argument(help="number of the incident, or its beginning")]
Note = Annotated[str, typer.Option(help="in a few words")]
AsJson = Annotated[bool, typer.Option("--json")]


@app.command("list")
def incident_list(
    closed: Annotated[bool, typer.Option("--all", help="closed ones too")] = False, json: AsJson = False
) -> None:
    """Open incidents, blocking ones first; with --all every one, newest first."""
    with opened() as (conn, _):
        found = incidents.every(conn) if closed else incidents.open_ones(conn)
    if json:
        show.as_json([facts(each) for each in found])
    else:
        show.as_table([_row(each) for each in found], "No incident is open.")


@app.command("show")
def incident_show(number: Number, json: AsJson = False) -> None:
    """One incident: what happened, what it means, what to do, and how it is closed."""
    with opened() as (conn, _):
        found = acts.find(conn, number)
    if json:
        show.as_json(facts(found))
        return
    for name, value in facts(found).items():
        if value not in (None, "", {}):
            typer.echo(f"{name.replace('_', ' ')}: {value if not isinstance(value, dict) else _lines(value)}")


@app.command("ack")
def incident_ack(number: Number, note: Note) -> None:
    """Take an incident on: it stays open, and nobody is told of it again."""
    with opened() as (conn, _), conn.transaction():
        typer.echo(acts.acknowledge(conn, acts.find(conn, number).incident_id, note, person()))


@app.command("close")
def incident_close(number: Number, note: Note) -> None:
    """Close an incident with what was done about it."""
    with opened() as (conn, _), conn.transaction():
        typer.echo(switching.close_incident(conn, acts.find(conn, number).incident_id, note, person()))


def watch(json: AsJson = False) -> None:
    """Look once: open what is wrong, tell again of what nobody took on, close what is right again."""
    with opened() as (conn, settings):
        looked = acting.look(Senses(conn, settings, now()))
        beat = heartbeat.beat(settings) if not looked.blind and not looked.simulated else "not due"
    if json:
        show.as_json({**{k.rstrip(":"): v for k, v in looked.facts().items()}, "open": looked.still_open,
                      "simulated": looked.simulated, "heartbeat": beat})  # fmt: skip
    else:
        typer.echo(looked.sentence)
        typer.echo(f"Sign of life: {beat}.")
    if looked.blind:
        raise typer.Exit(1)


def facts(of: Incident) -> dict[str, Any]:
    """Everything that is known of an incident."""
    known = CLASSES.get(of.kind)
    told = {
        "incident": of.incident_id,
        "class": of.kind,
        "title": of.title,
        "state": _state(of),
        "blocks": of.blocking,
        "opened": london_moment(of.opened_at),
        "told_again": of.level,
        "acknowledged": _said(of.acknowledged_at, of.acknowledged_by, of.note),
        "closed": _said(of.closed_at, of.closed_by, of.resolution),
        "details": dict(of.details),
    }  # fmt: skip
    if known is None:
        return told
    return {
        **told, "what_it_means": known.means, "what_to_do": known.do, "how_it_closes": known.how,
        "for_the_note": known.note, "handbook": known.page
    }  # fmt: skip


def _row(of: Incident) -> dict[str, object]:
    known = CLASSES.get(of.kind)
    return {
        "number": of.incident_id[:8],
        "class": of.kind,
        "what": of.title,
        "state": _state(of),
        "blocks": "every plan" if of.blocking else "",
        "opened": london_moment(of.opened_at),
        "acknowledged": of.acknowledged_by or "",
        "closes": "by a person" if known is None or known.closes == PERSON else "by itself",
    }


def _said(at: Any, by: str | None, note: str | None) -> str | None:
    return f"{london_moment(at)} by {by}: {note}" if by else None


def _state(of: Incident) -> str:
    if of.closed_by:
        return "closed"
    return "acknowledged" if of.acknowledged_by else "open"


def _lines(details: dict[str, object]) -> str:
    return "; ".join(f"{name}: {value}" for name, value in details.items())
