"""prices: load market data, and vouch for a bar that looked wrong."""

import datetime as dt
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer

from trading_ops.commands.handed_in import day_of, said
from trading_ops.commands.home import now, opened, person
from trading_ops.domain import calendar
from trading_ops.domain.errors import BadInput, UnknownSymbol
from trading_ops.domain.values import half_even
from trading_ops.intake import pickup
from trading_ops.providers.protocol import Fetched, Outcome, Refusal, Request
from trading_ops.store import configuration, desk, market, snapshots
from trading_ops.store.market import LoadResult

app = typer.Typer(help="Market data.", no_args_is_help=True)
data_app = typer.Typer(help="Data snapshots.", no_args_is_help=True)

PROVIDERS = ("files", "simulated")


def store_outcome(conn: psycopg.Connection[Any], origin: str, outcome: Outcome, at: dt.datetime) -> LoadResult:
    """Store what a provider answered, whole or not at all.

    Raises:
        BadInput: The provider refused; the text says what and where.
    """
    if isinstance(outcome, Refusal):
        raise BadInput(str(outcome))
    assert isinstance(outcome, Fetched)
    return pickup.store(conn, outcome, origin, at)


def fetch(
    conn: psycopg.Connection[Any], provider: str, path: Path | None, span: tuple[dt.date | None, dt.date | None],
    *, seed: int = 1, basis: str | None = None,
) -> tuple[str, Outcome]:  # fmt: skip
    """Ask a provider; returns where the answer came from, for people, and the answer.

    Raises:
        BadInput: There is no such provider, or an argument it needs is missing.
    """
    universe = configuration.universe_of_day(conn, span[1] or now().date()).universe
    request = Request(universe, span[0], span[1], basis=basis, skip_unknown=True)  # type: ignore[arg-type]
    if provider == "files":
        from trading_ops.providers.files import FilesProvider

        if path is None:
            raise BadInput("prices load --provider files needs --path, a folder or a file.")
        return str(path), FilesProvider(path).fetch(request)
    if provider == "simulated":
        from trading_ops.providers.simulated import SimulatedProvider

        if span[0] is None or span[1] is None:
            raise BadInput("prices load --provider simulated needs --from and --through.")
        return f"seed {seed}", SimulatedProvider(seed).fetch(request)
    raise BadInput(f"--provider {provider!r}: use one of {', '.join(PROVIDERS)}.")


@app.command("load")
def load(
    provider: Annotated[str, typer.Option(help="files or simulated")],
    path: Annotated[Path | None, typer.Option(help="folder or file, for files")] = None,
    first: Annotated[str | None, typer.Option("--from", help="first day, 2018-01-02")] = None,
    last: Annotated[str | None, typer.Option("--through", help="last day, 2018-02-02")] = None,
    seed: Annotated[int, typer.Option(help="for simulated")] = 1,
    basis: Annotated[
        str | None, typer.Option(help="as-traded or adjusted: what you know of files that do not say")
    ] = None,
) -> None:
    """Load prices, corporate actions and fixings; what is there is not touched, what differs is a new revision."""
    span = (day_of(first, "--from") if first else None, day_of(last, "--through") if last else None)
    if basis not in (None, "as-traded", "adjusted"):
        raise BadInput(f"--basis {basis!r}: use as-traded or adjusted.")
    with opened() as (conn, _):
        held = desk.book(conn)
        if provider == "simulated" and held != "sim":
            raise BadInput(f"This home holds a {held} book; simulated prices belong into a sim book only.")
        origin, outcome = fetch(conn, provider, path, span, seed=seed, basis=basis)
        result = store_outcome(conn, origin, outcome, now())
    typer.echo(
        f"Loaded from {origin}: {result.bars} new or restated bars, {result.actions} corporate actions, "
        f"{result.fixings} fixings (load {result.load_id})."
    )


@app.command("accept")
def accept(
    symbol: str,
    session: str,
    why: Annotated[str, typer.Option(help="what you looked up, and where")],
) -> None:
    """Vouch for a bar that froze its name; the name is free again from the next run of a plan."""
    day = day_of(session, "SESSION")
    with opened() as (conn, _), conn.transaction():
        if not conn.execute("SELECT 1 FROM ops.instruments WHERE symbol = %s", (symbol,)).fetchone():
            raise UnknownSymbol(symbol, "prices accept")
        desk.accept_bar(conn, symbol, day, why, person())
    typer.echo(f"Accepted: {symbol} on {day}.")


@app.command("record")
def record(
    symbol: str,
    ex_date: Annotated[str, typer.Argument(help="2020-08-31")],
    kind: Annotated[str, typer.Argument(help="split or dividend")],
    value: Annotated[str, typer.Argument(help="4:1 or 4 (new units per old one); USD a share; none takes it back")],
    why: Annotated[str, typer.Option(help="what you looked up, and where")],
) -> None:
    """Put a corporate action on record by hand, or that there is none: it counts before what any source says."""
    day = day_of(ex_date, "EX_DATE")
    calendar.sessions_back(day, 0)  # says so when it is no session
    amount = action_value(kind, value)
    reason = said(why, "--why")
    with opened() as (conn, _), conn.transaction():
        if not conn.execute("SELECT 1 FROM ops.instruments WHERE symbol = %s", (symbol,)).fetchone():
            raise UnknownSymbol(symbol, "prices record")
        result = market.record_action(
            conn, symbol=symbol, ex_date=day, kind=kind, value=amount, origin=f"{person()}: {reason}", at=now()
        )
    if not result.actions:
        typer.echo(f"{symbol} {day}: that is on record already.")
        return
    typer.echo(f"Recorded: {symbol} {day}, {kind} {value} (load {result.load_id}); plans that are open are run again.")


def action_value(kind: str, text: str) -> Decimal:
    """A ratio or an amount as typed; 0 takes an action back.

    Raises:
        BadInput: No such kind, or no such value.
    """
    if kind not in ("split", "dividend"):
        raise BadInput(f"prices record: {kind!r} is no corporate action. Use split or dividend.")
    if text == "none":
        return Decimal(0)
    new, colon, old = text.partition(":")
    try:
        amount = Decimal(new) / Decimal(old) if kind == "split" and colon else Decimal(text)
    except (InvalidOperation, ZeroDivisionError):
        amount = Decimal("NaN")
    limits = (Decimal("0.001"), Decimal(1000)) if kind == "split" else (Decimal("0.000001"), Decimal(100_000))
    if not (amount.is_finite() and limits[0] <= amount <= limits[1]) or (kind == "split" and amount == 1):
        way = "new:old, such as 4:1" if kind == "split" else "USD a share, such as 0.82"
        raise BadInput(f"prices record: {text!r} is no {kind}. Write {way}, or none to take it back.")
    return half_even(amount, 10)


@data_app.command("rebuild")
def rebuild(snapshot_id: str) -> None:
    """Write missing parts of a data snapshot again from the database, and check that they hash equal."""
    with opened() as (conn, settings):
        row = conn.execute(
            "SELECT snapshot_id FROM ops.data_snapshots WHERE snapshot_id LIKE %s || '%%'", (snapshot_id,)
        ).fetchall()
        if len(row) != 1:
            raise BadInput(f"{snapshot_id}: {len(row)} data snapshots begin so. Give more of the id.")
        snapshot = snapshots.rebuild(conn, settings.snapshots_dir, row[0]["snapshot_id"])
        snapshots.check_files(settings.snapshots_dir, snapshot)
    typer.echo(f"Data snapshot {snapshot.snapshot_id[:12]}: {len(snapshot.parts)} parts, all equal.")
