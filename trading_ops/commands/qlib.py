"""qlib: the dataset that research reads, exported from a session's data snapshot."""

import datetime as dt
from typing import Annotated

import typer

from trading_ops.commands import show
from trading_ops.commands.handed_in import day_of
from trading_ops.commands.home import opened
from trading_ops.domain import calendar
from trading_ops.domain.errors import BadInput
from trading_ops.domain.values import Session
from trading_ops.qlib_export.dataset import export
from trading_ops.store import configuration, market, snapshots

app = typer.Typer(help="The Qlib dataset.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """The Qlib dataset."""


@app.command("export")
def export_dataset(
    asof: Annotated[str | None, typer.Option(help="session, 2018-02-02; the newest with prices without it")] = None,
    json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Export the data snapshot of a session; one that was exported before is found and not touched."""
    with opened() as (conn, settings):
        span = market.first_and_last_session(conn)
        if span is None:
            raise BadInput("There are no prices to export. Load some with `trading-ops prices load`.")
        session = _session(asof) if asof else _newest(span[1])
        policy = configuration.policy_in_force(conn).policy
        universe = configuration.universe_of_day(conn, session).universe
        with conn.transaction():
            snapshot = snapshots.build(
                conn, settings.snapshots_dir, asof=session, actions_through=calendar.next_session(session),
                policy=policy,
            )  # fmt: skip
    done = export(snapshot, settings.snapshots_dir, settings.qlib_dir, universe, policy)
    if json:
        show.as_json(
            {
                "asof": session.isoformat(),
                "snapshot_id": snapshot.snapshot_id,
                "folder": str(done.folder),
                "dataset_sha256": done.dataset_sha256,
                "symbols": done.symbols,
                "rows": done.rows,
                "written": done.written,
                "linked": done.linked,
                "found": done.found,
                "seconds": round(done.seconds, 3),
            }
        )
        return
    how = "it was there" if done.found else f"{done.written} written, {done.linked} linked"
    typer.echo(
        f"Qlib dataset of {session}: {done.folder} · {done.symbols} names ({how}) · {done.rows} bars · "
        f"sha256 {done.dataset_sha256} · {done.seconds:.2f} s"
    )


def _session(text: str) -> Session:
    day = day_of(text, "--asof")
    if not calendar.is_session(day):
        raise BadInput(f"--asof {day} is no session of the New York exchange. Use {calendar.previous_session(day)}.")
    return day


def _newest(day: dt.date) -> Session:
    """The session of the newest bar, or the one before it when that bar is off the calendar."""
    return day if calendar.is_session(day) else calendar.previous_session(day)
