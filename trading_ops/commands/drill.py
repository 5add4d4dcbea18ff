"""drill: every way a source can fail, served by a local server to the real clients, and what the desk makes of it."""

import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from trading_ops.commands import show
from trading_ops.commands.home import opened_in
from trading_ops.domain.errors import BadInput
from trading_ops.drill import stage, workers
from trading_ops.drill.faults import SCENARIOS
from trading_ops.drill.run import Seen
from trading_ops.drill.scenario import Scenario
from trading_ops.drill.verdict import Played
from trading_ops.settings import Settings
from trading_ops.store.initialise import initialise
from trading_ops.store.server import Server

MENTIONED = 3
"""Names whose sources are listed one by one where not all have the same."""


def drill(
    only: Annotated[str | None, typer.Option(help="scenarios whose name or words hold this text")] = None,
    json: Annotated[bool, typer.Option("--json")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="keep the folder with every scenario's ticket")] = False,
) -> None:
    """Fail in every way a source can, in a home of its own, and show what the desk makes of it; exit code 1: not right.

    Nothing outside this machine is asked, and your home is not touched.
    """
    chosen = [s for s in SCENARIOS if only is None or only.lower() in f"{s.name} {s.served}".lower()]
    if not chosen:
        raise BadInput(f"--only {only!r}: no scenario's name or words hold that. Leave it out to see them all.")
    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="trading-ops-drill-"))
    try:
        rows = _played(folder, chosen, quiet=json)
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    seconds = time.monotonic() - started
    right = sum(not played.differences for _, played in rows)
    if json:
        facts = {"as_expected": right, "of": len(rows), "seconds": round(seconds, 1)}
        show.as_json(facts | ({"kept": str(folder)} if keep else {}) | {"scenarios": [_facts(*row) for row in rows]})
    else:
        show.as_table([_row(*row) for row in rows], "")
        for scenario, played in rows:
            for sentence in played.differences:
                typer.echo(f"NOT AS EXPECTED, {scenario.name}: {sentence}")
        if keep:
            typer.echo(f"Kept: {folder}, each scenario's ticket below its artifacts/tickets.")
        typer.echo(f"{right} of {len(rows)} as expected in {seconds:.0f} s")
    if right < len(rows):
        raise typer.Exit(1)


def _played(folder: Path, scenarios: Sequence[Scenario], *, quiet: bool) -> list[tuple[Scenario, Played]]:
    home = Settings(folder)
    server = Server(home)
    with server.use(create=True):
        initialise(home)
        with opened_in(home) as conn:
            stage.set_up(conn, home)
        results = workers.play(replace(home, database_url=server.admin_dsn()), folder / "scenarios", scenarios)
        watched: Iterable[Played] = results
        if not quiet and sys.stderr.isatty():
            watched = track(results, description="scenarios", total=len(scenarios))
        return list(zip(scenarios, watched, strict=True))


def _row(scenario: Scenario, played: Played) -> dict[str, object]:
    seen = played.seen
    return {
        "scenario": scenario.name,
        "served": scenario.served,
        "journal says": _journal(seen) if seen else "",
        "fell back to": _sources(seen) if seen else "",
        "ticket": _ticket(seen) if seen else "",
        "as expected": "NO" if played.differences else "yes",
    }


def _journal(seen: Seen) -> str:
    said = [
        f"{source} {', '.join(kinds)}{', given up' if source in seen.given_up else ''}"
        for source, kinds in seen.journal.items()
    ]
    return "; ".join(said) or "good answers"


def _sources(seen: Seen) -> str:
    by_sources: dict[tuple[str, ...], list[str]] = {}
    for name, sources in seen.sources.items():
        by_sources.setdefault(sources, []).append(name)
    if len(by_sources) == 1:
        return " + ".join(*by_sources) or "nobody"
    return "; ".join(
        f"{', '.join(names[:MENTIONED])}{', …' if names[MENTIONED:] else ''}: {' + '.join(sources) or 'nobody'}"
        for sources, names in by_sources.items()
    )


def _ticket(seen: Seen) -> str:
    if seen.reasons:
        return f"{seen.verdict}: {', '.join(seen.reasons)}"
    frozen = f", without {', '.join(seen.frozen)}" if seen.frozen else ""
    return f"{seen.verdict}{', cross-checked' if seen.cross_checked else ', not cross-checked'}{frozen}"


def _facts(scenario: Scenario, played: Played) -> dict[str, object]:
    seen = asdict(played.seen) if played.seen else {}
    seconds = round(seen.pop("seconds", 0.0), 2)
    return {
        "scenario": scenario.name,
        "served": scenario.served,
        "as_expected": not played.differences,
        "differences": list(played.differences),
        "seconds": seconds,
        "seen": seen,
    }
