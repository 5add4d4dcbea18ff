"""names: which names to look up on eToro this week, and what was found."""

import uuid
from typing import Annotated

import typer

from trading_ops.commands import show
from trading_ops.commands.handed_in import day_of, not_in_the_future
from trading_ops.commands.home import now, opened, person
from trading_ops.desk import names as desk_names
from trading_ops.domain.ticket_words import london_day
from trading_ops.store import name_checks

app = typer.Typer(help="Names looked up on eToro.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json")]


@app.command("list")
def list_names(json: Json = False) -> None:
    """This week's names that are not looked up yet."""
    with opened() as (conn, _):
        found = desk_names.due_now(conn, now())
    rows = [
        {
            "symbol": due.instrument.symbol, "search_for": due.instrument.etoro_search_name,
            "company": due.instrument.notes, "held": "yes" if due.held else "no",
            "last": due.last.day.isoformat() if due.last else "", "found_as": due.last.outcome if due.last else "",
        }
        for due in found
    ]  # fmt: skip
    show.rows(rows, "json" if json else "table", "Every name of this week is looked up.")


@app.command("record")
def record(
    symbol: str,
    outcome: Annotated[str, typer.Argument(help="found (as Stocks), cfd (only as a CFD) or missing")],
    lookalikes: Annotated[str, typer.Option(help="similar names that eToro showed")] = "",
    day: Annotated[str | None, typer.Option(help="2018-02-05; today if left out")] = None,
) -> None:
    """Enter what eToro showed; cfd and missing switch the name off and open an incident."""
    today = london_day(now())
    on = not_in_the_future(day_of(day, "--day"), today, "--day") if day else today
    with opened() as (conn, _), conn.transaction():
        newest = name_checks.newest(conn).get(symbol)
        if newest is not None and (newest.outcome, newest.lookalikes, newest.day) == (outcome, lookalikes, on):
            typer.echo(f"{symbol}: that was recorded already, by {newest.checked_by}.")
            return
        desk_names.record(conn, uuid.uuid4(), symbol, outcome, lookalikes, on, person())
    typer.echo(f"{symbol}: {desk_names.MEANS[outcome]}")
