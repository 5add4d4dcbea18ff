"""audit and desk: is history what it was, and may the desk trade."""

from typing import Annotated, Any

import psycopg
import typer

from trading_ops.commands import show
from trading_ops.commands.handed_in import day_of
from trading_ops.commands.home import now, opened, person
from trading_ops.desk import standing, switching
from trading_ops.domain import calendar
from trading_ops.domain.errors import BadInput
from trading_ops.settings import Settings
from trading_ops.store import announced, audit, ledger, snapshots, tickets
from trading_ops.store.snapshot_parts import SnapshotDamaged

app = typer.Typer(help="The audit chain.", no_args_is_help=True)
desk_app = typer.Typer(help="The kill switch.", no_args_is_help=True)


def faults(conn: psycopg.Connection[Any], settings: Settings) -> list[str]:
    """Everything that is not as it was announced, each as a sentence."""
    found = [f"audit row {seq}: {fault}" for seq, fault in audit.broken(conn)]
    found += ledger.tampered(conn) + announced.tampered(conn)
    issued = audit.announced(conn, "ticket.issued")
    stored = {t.plan_id: t for t in tickets.every(conn)}
    for plan_id in sorted(issued.keys() | stored.keys()):
        if plan_id not in stored:
            found.append(f"ticket of plan {plan_id}: announced, but no longer there")
        elif issued.get(plan_id, {}).get("content_sha256") != stored[plan_id].content_sha256:
            found.append(f"ticket of plan {plan_id}: differs from what was announced")
    for row in conn.execute("SELECT snapshot_id FROM ops.data_snapshots ORDER BY asof DESC LIMIT 1"):
        try:
            snapshots.check_files(
                settings.snapshots_dir, snapshots.rebuild(conn, settings.snapshots_dir, row["snapshot_id"])
            )
        except SnapshotDamaged as exc:
            found.append(str(exc))
    return found


@app.command("verify")
def verify(json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Check the chain, every fact and ticket against it, and the newest data snapshot against the database."""
    with opened() as (conn, settings):
        found = faults(conn, settings)
        head = audit.head(conn)
    if json:
        show.as_json({"head": head.seq, "hash": head.hash, "faults": found})
    else:
        for fault in found:
            typer.echo(fault)
        typer.echo(f"audit {'BROKEN' if found else 'holds'}: {head.seq} rows, head {head.hash[:16]}")
    if found:
        raise typer.Exit(1)


@desk_app.command("show")
def desk_show() -> None:
    """The state of the kill switch, and the pauses that stand."""
    with opened() as (conn, _):
        where = standing.standing(conn, now())
    state = where.kill_switch
    typer.echo(f"{where.book} book, {state.state}" + (f" since {state.since}: {state.reason}" if state.since else ""))
    for pause in where.pauses:
        typer.echo(f"paused from {pause.session} until {pause.until} by {pause.set_by}: {pause.reason}")


@desk_app.command("set")
def desk_set(
    state: Annotated[str, typer.Argument(help="ACTIVE, REDUCING, HALTED or PAUSED")],
    reason: Annotated[str, typer.Option()],
    since: Annotated[
        str | None, typer.Option("--from", help="session from which it holds; the last one if left out")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", help="last day of a pause")] = None,
) -> None:
    """Set the kill switch; re-arming to ACTIVE starts a new running maximum. No state ends a pause: see end-pause."""
    if state not in (*switching.STATES, "PAUSED"):
        raise BadInput(f"{state!r}: use ACTIVE, REDUCING, HALTED or PAUSED.")
    if (state == "PAUSED") != (until is not None):
        raise BadInput("--to belongs to PAUSED, and PAUSED needs it: the last day of the pause.")
    day = day_of(since, "--from") if since else calendar.last_closed(now())
    with opened() as (conn, _), conn.transaction():
        if until is None:
            said = switching.set_state(conn, state, day, reason, person())
        else:
            said = switching.pause_sessions(conn, day, day_of(until, "--to"), reason, person())
    typer.echo(said)


@desk_app.command("end-pause")
def desk_end_pause(
    first: Annotated[str, typer.Option("--from", help="first session of the pause, as desk show names it")],
    reason: Annotated[str, typer.Option()],
) -> None:
    """End a pause before its last day; nothing else does."""
    with opened() as (conn, _), conn.transaction():
        typer.echo(switching.end_pause(conn, day_of(first, "--from"), reason, person()))
