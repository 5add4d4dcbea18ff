"""export: the books as files for other programs. What is in them is made in `domain`."""

import datetime as dt
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer

from trading_ops.commands.handed_in import day_of, not_in_the_future
from trading_ops.commands.home import now, opened
from trading_ops.desk.books_now import books
from trading_ops.domain.beancount_text import beancount_text
from trading_ops.domain.calendar import LONDON
from trading_ops.domain.errors import BadInput
from trading_ops.domain.ledger import LedgerFacts
from trading_ops.store import artifacts

app = typer.Typer(help="The books as files for other programs.", no_args_is_help=True)


@app.callback()
def export() -> None:
    """The books as files for other programs."""


@app.command("beancount")
def export_beancount(
    out: Annotated[Path, typer.Option(help="the file to write; one that is there is replaced")],
    asof: Annotated[str | None, typer.Option(help="last day, 2018-02-02; that of the newest fact if left out")] = None,
) -> None:
    """The whole ledger in beancount syntax (version 3): check it with bean-check."""
    today = now().astimezone(LONDON).date()
    asked = not_in_the_future(day_of(asof, "--asof"), today, "--asof") if asof else None
    with opened() as (conn, _):
        facts = books(conn).facts
        said = words_of(conn)
    through = asked or newest_day(facts, today)
    text = beancount_text(facts, through, said)
    try:
        artifacts.write_text(out, text)
    except OSError as exc:
        raise BadInput(f"--out {out}: cannot be written ({exc.strerror}). Name a file in a folder of yours.") from exc
    typer.echo(f"The ledger through {through} is in {out}. Check it: bean-check {out}")


def newest_day(facts: LedgerFacts, today: dt.date) -> dt.date:
    """The day of the newest fact that has happened; today in an empty book."""
    days = [fill.session for fill in facts.fills] + [movement.day for movement in facts.movements]
    days += [split.ex_date for split in facts.splits] + [event.day for event in facts.events]
    return max((day for day in days if day <= today), default=today)


def words_of(conn: psycopg.Connection[Any]) -> dict[str, str]:
    """Who recorded each fact, and why, by its id."""
    tables = {"ledger_trades_fills": "fill_id", "ledger_cash_movements": "movement_id", "ledger_events": "event_id"}
    rows = conn.execute(
        " UNION ALL ".join(
            f"SELECT {key}::text AS id, recorded_by, why FROM ops.{table}" for table, key in tables.items()
        )
    )
    return {row["id"]: f"{row['why'] or 'recorded'} ({row['recorded_by']})" for row in rows}
