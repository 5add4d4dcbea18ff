"""prices history: every quality rule over a whole history, with every large move classified and its evidence named."""

from pathlib import Path
from typing import Annotated, TypeAlias

import pyarrow as pa
import typer

from trading_ops.commands import show
from trading_ops.commands.home import now, opened
from trading_ops.domain.errors import BadInput
from trading_ops.domain.policy import Policy, parse
from trading_ops.domain.universe import Universe, parse_universe
from trading_ops.settings import shipped

Known: TypeAlias = tuple[pa.Table, pa.Table, Universe, Policy]
"""Bars, corporate actions, the universe that says what is a fund, and the policy to judge by."""


def history(
    path: Annotated[
        Path | None, typer.Option(help="folder or file of prices; everything on record in this home if left out")
    ] = None,
    against: Annotated[
        Path | None, typer.Option(help="list made by hand (symbol, session, class, fact); exit code 1 if one differs")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="rows for programs")] = False,
) -> None:
    """Run every quality rule over a whole history; large moves are classified, with what to look up."""
    from trading_ops.history.by_hand import compare, read_by_hand
    from trading_ops.history.examine import examine
    from trading_ops.history.report import markdown, rows

    listed = read_by_hand(against) if against is not None else None
    bars, actions, universe, policy = _of_files(path) if path is not None else _on_record()
    funds = {i.symbol for i in universe.instruments.values() if i.instrument_type == "etf"}
    data = policy.data
    found = examine(bars, actions, data.benchmark, data, funds=funds, with_margin=True)
    comparison = compare(found.moves, listed) if listed is not None else None
    if as_json:
        show.as_json(rows(found, comparison))
    else:
        typer.echo(markdown(found, comparison), nl=False)
    if comparison is not None:
        typer.echo(comparison.sentence(), err=True)
        if comparison.wrong:
            raise typer.Exit(1)


def _of_files(path: Path) -> Known:
    """The tables of a folder, its universe (the shipped one if it has none) and the shipped policy.

    Raises:
        BadInput: The files were refused; the text says what and where.
    """
    from trading_ops.providers.files import FilesProvider
    from trading_ops.providers.protocol import Refusal, Request

    universe = _universe_of(path)
    outcome = FilesProvider(path).fetch(Request(universe, skip_unknown=True))
    if isinstance(outcome, Refusal):
        raise BadInput(str(outcome))
    return outcome.bars, outcome.actions, universe, _shipped_policy()


def _universe_of(path: Path) -> Universe:
    folder = path if path.is_dir() else path.parent
    file = folder / "universe.csv"
    if not file.is_file():
        file = shipped("config", "universe.csv")
    return parse_universe(file.read_text("utf-8"), str(file))


def _shipped_policy() -> Policy:
    file = shipped("config", "policy.yml")
    return parse(file.read_text("utf-8"), str(file))


def _on_record() -> Known:
    """The newest revision of everything in the home's database, with its universe and policy of today."""
    from trading_ops.store import configuration, price_history

    today = now().date()
    with opened() as (conn, _):
        universe = configuration.universe_of_day(conn, today).universe
        policy = configuration.policy_in_force(conn).policy
        bars, actions = price_history.read(conn)
    return bars, actions, universe, policy
