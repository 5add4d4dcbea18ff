"""user: who may sign in to the pages."""

import sys
from getpass import getpass
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer

from trading_ops.commands import show
from trading_ops.commands.home import now, opened, person
from trading_ops.domain.errors import BadInput
from trading_ops.store import passwords, people, sign_ins
from trading_ops.store.secret_files import read_secret

app = typer.Typer(help="People who may sign in to the pages.", no_args_is_help=True)
PasswordFile = Annotated[Path | None, typer.Option(help="file (0600) whose first line is the password")]
Json = Annotated[bool, typer.Option("--json")]


@app.command("add")
def add(
    username: str,
    role: Annotated[str, typer.Option(help="executor or operator")],
    name: Annotated[str, typer.Option(help="what the pages call them")],
    email: Annotated[str, typer.Option(help="where their mail goes")] = "",
    password_file: PasswordFile = None,
) -> None:
    """Let somebody in; the password is asked for, or is the first line of a file or of the standard input."""
    with opened("sign_in") as (conn, _):
        kept = _new_password(username, password_file)
        with conn.transaction():
            _sign(conn)
            made = people.add(conn, username, role, name, email, kept)
    typer.echo(f"{made.display_name} can sign in as {made.username!r}, {made.role}.")


@app.command("password")
def password(username: str, password_file: PasswordFile = None) -> None:
    """Set a new password; every session of the person ends."""
    with opened("sign_in") as (conn, _):
        people.existing(conn, username)
        _change(conn, username, password_hash=_new_password(username, password_file))
    typer.echo(f"{username} has a new password, and must sign in with it on every device.")


@app.command("email")
def email(username: str, address: Annotated[str, typer.Argument(help="'' for none")]) -> None:
    """Set where the person's mail goes; every session of the person ends."""
    with opened("sign_in") as (conn, _):
        _change(conn, username, email=address)
    typer.echo(f"Mail for {username} goes to {address or 'nobody'}.")


@app.command("disable")
def disable(username: str) -> None:
    """Let a person in no more; every session of the person ends at once."""
    with opened("sign_in") as (conn, _):
        _change(conn, username, active=False)
    typer.echo(f"{username} cannot sign in any more. `trading-ops user enable {username}` undoes it.")


@app.command("enable")
def enable(username: str) -> None:
    """Let a person in again, with the password they had."""
    with opened("sign_in") as (conn, _):
        _change(conn, username, active=True)
    typer.echo(f"{username} can sign in.")


@app.command("sign-out")
def sign_out(
    username: Annotated[str | None, typer.Argument()] = None,
    everyone: Annotated[bool, typer.Option("--all", help="everybody")] = False,
) -> None:
    """End every session of a person, or of everybody, on every device."""
    if (username is None) == (not everyone):
        raise BadInput("Say whom: a username, or --all.")
    with opened("sign_in") as (conn, _), conn.transaction():
        _sign(conn)
        names = [a.username for a in people.everyone(conn)] if everyone else [str(username)]
        if username is not None:
            people.existing(conn, username)
        ended = sum(sign_ins.end_all(conn, name, now(), f"ended by {person()}") for name in names)
    typer.echo(f"{ended} {'session' if ended == 1 else 'sessions'} ended.")


@app.command("list")
def list_people(json: Json = False) -> None:
    """Who there is."""
    with opened("sign_in") as (conn, _):
        found = people.everyone(conn)
    rows = [
        {"username": a.username, "role": a.role, "name": a.display_name, "email": a.email,
         "may sign in": "yes" if a.active else "no"}
        for a in found
    ]  # fmt: skip
    show.rows(rows, "json" if json else "table", "nobody yet")


def _change(conn: psycopg.Connection[Any], username: str, **values: Any) -> None:
    with conn.transaction():
        _sign(conn)
        people.change(conn, username, **values)


def _sign(conn: psycopg.Connection[Any]) -> None:
    conn.execute("SELECT set_config('ops.person', %s, true)", (person(),))


def _new_password(username: str, file: Path | None) -> str:
    if file is not None:
        try:
            typed = _first_line(read_secret(file))
        except FileNotFoundError as exc:
            raise BadInput(f"{file}: there is no such file.") from exc
    elif sys.stdin.isatty():
        typed = getpass(f"New password for {username}: ")
        if getpass("The same again: ") != typed:
            raise BadInput("The two passwords differ; nothing was changed.")
    else:
        typed = _first_line(sys.stdin.read(4096))
    passwords.check_new(typed, username)
    return passwords.hashed(typed)


def _first_line(text: str) -> str:
    return text.splitlines()[0] if text else ""
