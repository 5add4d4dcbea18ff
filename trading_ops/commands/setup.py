"""init, policy, universe, server, doctor: what a home is made of."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from trading_ops.commands import show
from trading_ops.commands.handed_in import day_of
from trading_ops.commands.home import now, opened, opened_in
from trading_ops.desk import rolling_out, switching
from trading_ops.domain import policy as policies
from trading_ops.domain import universe as universes
from trading_ops.domain.books import BOOKS
from trading_ops.domain.errors import BadInput, Refused
from trading_ops.domain.universe_report import to_markdown
from trading_ops.planning.universe_state import report_of
from trading_ops.settings import Settings, shipped
from trading_ops.store import configuration, desk
from trading_ops.store.initialise import initialise
from trading_ops.store.server import Server

policy_app = typer.Typer(help="The rules' numbers.", no_args_is_help=True)
universe_app = typer.Typer(help="The names the desk knows.", no_args_is_help=True)
server_app = typer.Typer(help="The embedded PostgreSQL server.", no_args_is_help=True)


def read_text(path: Path) -> str:
    """A configuration file's text.

    Raises:
        BadInput: It is missing or not text.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as exc:
        raise BadInput(f"{path}: there is no such file.") from exc
    except (UnicodeDecodeError, IsADirectoryError) as exc:
        raise BadInput(f"{path}: is not a UTF-8 text file.") from exc


def prepare(settings: Settings, book: str, universe: Path | None, policy: Path | None) -> None:
    """Server, databases, roles, migrations, book, policy and universe; repeating it changes only what is new.

    Policy and universe are imported with the book, and later only where a file is named.

    Raises:
        BadInput: The book is none of live, paper, sim.
        ConfigError: Policy or universe are wrong; nothing was imported.
        Refused: The home holds another book.
    """
    if book not in BOOKS:
        raise BadInput(f"--book {book!r}: use one of {', '.join(BOOKS)}.")
    policy_file = policy or shipped("config", "policy.yml")
    universe_file = universe or shipped("config", "universe.csv")
    policy_text, universe_text = read_text(policy_file), read_text(universe_file)
    policies.parse(policy_text, str(policy_file))
    universes.parse_universe(universe_text, str(universe_file))
    for notice in initialise(settings):
        typer.echo(notice)
    with opened_in(settings) as conn, conn.transaction():
        held = conn.execute("SELECT book FROM ops.books").fetchone()
        if held is None:
            desk.create_book(conn, book)
        elif held["book"] != book:
            raise Refused(
                f"This home already holds a {held['book']} book; a home holds one book for ever. "
                "Use another TRADING_OPS_HOME for another book."
            )
        notices: tuple[str, ...] = ()
        if policy is not None or held is None:  # what the operator put in force stays in force
            _, notices = rolling_out.import_policy(conn, policy_text, str(policy_file))
        if universe is not None or held is None:
            configuration.import_universe(conn, universe_text, str(universe_file))
        for notice in (*notices, rolling_out.begin(conn, now())):
            if notice:
                typer.echo(notice)


def init(
    book: Annotated[str, typer.Option(help="live, paper or sim; fixed for ever")] = "sim",
    universe: Annotated[Path | None, typer.Option(help="universe.csv of the prices that will be loaded")] = None,
    policy: Annotated[Path | None, typer.Option(help="policy.yml")] = None,
) -> None:
    """Make a home: server, databases, roles, tables, book, policy and universe."""
    settings = Settings.from_env()
    prepare(settings, book, universe, policy)
    with opened_in(settings) as conn:
        for notice in switching.pauses_to_look_at(conn, now()):
            typer.echo(notice)
    typer.echo(f"Ready: {book} book in {settings.home}")


@policy_app.command("validate")
def policy_validate(file: Path) -> None:
    """Check a policy file; the exit code says whether it is right."""
    policy = policies.parse(read_text(file), str(file))
    typer.echo(f"{file}: right, hash {policies.policy_hash(policy)[:12]}")


@policy_app.command("import")
def policy_import(file: Path) -> None:
    """Put a policy in force for the next plan that opens."""
    text = read_text(file)
    with opened() as (conn, _), conn.transaction():
        stored, notices = rolling_out.import_policy(conn, text, str(file))
    for notice in notices:
        typer.echo(notice)
    typer.echo(f"Policy version {stored.version}, hash {stored.policy_hash[:12]}, from the next plan that opens.")


@universe_app.command("validate")
def universe_validate(
    file: Annotated[Path | None, typer.Argument(help="a universe file; the universe in force if left out")] = None,
    form: Annotated[str, typer.Option("--format", help="md or json, of the universe in force")] = "md",
) -> None:
    """Check a universe file, or report on the universe in force and its data; exit code 1: something is wrong."""
    if file is not None:
        universe = universes.parse_universe(read_text(file), str(file))
        tradable = sum(i.tradable for i in universe.instruments.values())
        typer.echo(f"{file}: right, {len(universe.instruments)} names, {tradable} of them tradable.")
        return
    if form not in ("md", "json"):
        raise BadInput(f"--format {form!r}: use md or json.")
    with opened() as (conn, _):
        report = report_of(conn, now())
    if form == "json":
        show.as_json({"last": report.last, "names": [asdict(name) for name in report.names]})
    else:
        typer.echo(to_markdown(report), nl=False)
    if report.problems:
        raise typer.Exit(1)


@universe_app.command("import")
def universe_import(
    file: Path,
    valid_from: Annotated[str | None, typer.Option(help="first day it holds, 2026-01-31; today if left out")] = None,
) -> None:
    """Put a universe in force from a day on; plans of the past keep the universe of their day."""
    text = read_text(file)
    day = day_of(valid_from, "--valid-from") if valid_from else None
    with opened() as (conn, _), conn.transaction():
        stored = configuration.import_universe(conn, text, str(file), day)
    typer.echo(f"Universe version {stored.version}, hash {stored.universe_hash[:12]}.")


@server_app.command("start")
def server_start() -> None:
    """Start the server and leave it running; refused when it runs already."""
    typer.echo(Server(Settings.from_env()).start_explicit())


@server_app.command("stop")
def server_stop() -> None:
    """Stop the server."""
    typer.echo(Server(Settings.from_env()).stop_explicit())


@server_app.command("status")
def server_status() -> None:
    """Where the server is and whether it runs."""
    status = Server(Settings.from_env()).status()
    state = "runs" if status.running else "does not run"
    typer.echo(
        f"The database server {state}: {status.host}:{status.port or 'no port yet'}, pid {status.pid or 'none'}."
    )
