"""simulate and demo: weekly plans over history in a fresh sim book."""

import datetime as dt
import gc
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer
from rich.progress import track

from trading_ops.backup import making, proving
from trading_ops.commands import planted_differences, show
from trading_ops.commands import rollout as rollouts
from trading_ops.commands.handed_in import day_of, number
from trading_ops.commands.home import now, opened, opened_in
from trading_ops.commands.market import fetch, store_outcome
from trading_ops.commands.setup import prepare
from trading_ops.desk import rollout_state
from trading_ops.desk.book_clock import now_of
from trading_ops.domain import calendar
from trading_ops.domain.values import PENCE_PLACES, fixed
from trading_ops.reports import writing
from trading_ops.settings import Settings
from trading_ops.simulation import examination
from trading_ops.simulation.examination import Examined
from trading_ops.simulation.people import People, manner
from trading_ops.simulation.rollout_walk import RolloutWalk
from trading_ops.simulation.weeks import Planner, Simulation, Week
from trading_ops.store import artifacts, configuration
from trading_ops.store import rollout as rollout_store
from trading_ops.store.reports import Report
from trading_ops.store.tickets import Ticket

DEMO_WEEKS = 4
DEMO_KEEP = 3
DEMO_CASH = Decimal(20000)
DEMO_SIMULATED = (dt.date(2024, 6, 3), dt.date(2025, 3, 7), dt.date(2025, 2, 3))
"""First bar, last bar and first plan of the simulated market."""
DEMO_REAL = (dt.date(2017, 6, 1), dt.date(2018, 2, 16), dt.date(2018, 1, 8))
"""The same on real prices: early 2018."""


def planner_of(conn: psycopg.Connection[Any], settings: Settings, *, jobs: bool) -> Planner:
    """What runs a plan: the steps in this process, or the Dagster jobs."""
    if jobs:
        from trading_ops.defs.in_process import plan_through_jobs

        return lambda asof: plan_through_jobs(conn, settings, asof, at=now())
    from trading_ops.planning.direct import plan_now

    return lambda asof: plan_now(conn, settings.tickets_dir, settings.snapshots_dir, asof, at=now())


def hurry(conn: psycopg.Connection[Any]) -> None:
    """Spare a simulation what only real books need: it starts in a fresh book, and after a crash starts again."""
    conn.execute("SET synchronous_commit = off")
    gc.set_threshold(100_000, 50, 100)  # the market's bars stay for good; looking through them often is lost time


def week_rows(weeks: Sequence[Week]) -> list[dict[str, object]]:
    """Weeks as rows of a table: what was planted against what was seen."""
    return [
        {
            "ticket": w.ticket.ticket_id,
            "asof": w.asof.isoformat(),
            "verdict": w.ticket.verdict,
            "equity_gbp": fixed(w.equity_gbp, PENCE_PLACES),
            "planted": "; ".join(w.planted),
            "seen": ", ".join(w.reasons),
            "as_planted": "yes" if w.as_planted else "NO",
        }
        for w in weeks
    ]


def summary(weeks: Sequence[Week]) -> str:
    """One sentence about the weeks."""
    trades = sum(w.ticket.verdict == "TRADE" for w in weeks)
    planted = sum(bool(w.planted) for w in weeks)
    wrong = sum(not w.as_planted for w in weeks)
    return (
        f"{len(weeks)} weeks, {len(weeks)} tickets: {trades} TRADE, {len(weeks) - trades} NO-TRADE; "
        f"weeks with a mistake outstanding {planted}, refused for it {sum(bool(w.refused_by) for w in weeks)}, "
        f"other than planted {wrong}; equity {fixed(weeks[-1].equity_gbp, PENCE_PLACES)} GBP"
    )


def simulate(
    first: Annotated[str, typer.Option("--from", help="first day, 2014-01-01")],
    through: Annotated[str, typer.Option("--through", help="last day, 2015-12-31")],
    cash: Annotated[str, typer.Option(help="pounds deposited on the first as-of session")] = "20000",
    executor: Annotated[str, typer.Option(help="perfect, sloppy or absent")] = "perfect",
    seed: Annotated[int, typer.Option(help="of the people's mistakes")] = 1,
    jobs: Annotated[
        bool, typer.Option("--jobs", help="drive the Dagster jobs instead of the same steps directly")
    ] = False,
    examine: Annotated[
        bool, typer.Option("--examine", help="sloppy: plant differences in pairs too, at the end, and take them back")
    ] = False,
    rollout: Annotated[
        bool, typer.Option("--rollout", help="walk the roll-out as well: make everything ready, ask to be promoted")
    ] = False,
    report: Annotated[bool, typer.Option("--reports/--no-reports", help="write every day's and week's report")] = True,
    json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Weekly plans over loaded history, answered by a simulated executor, broker and operator.

    A sloppy executor's mistakes are cleared through reconciliation; the exit code is 1 when one got another class than
    planted, or did not clear.
    """
    span = (day_of(first, "--from"), day_of(through, "--through"))
    pounds, people = number(cash, "simulate", "--cash"), People(manner(executor), seed)
    with opened() as (conn, settings):
        policy = configuration.policy_in_force(conn).policy
        hurry(conn)
        examined: list[Examined] = []
        written: list[Report] = []
        walk = _walk(conn, settings) if rollout else None
        run = Simulation(
            conn, settings.snapshots_dir, policy, people, planner_of(conn, settings, jobs=jobs), *span, pounds,
            at_the_end=(lambda lived, asof: examined.extend(examination.examine(lived, asof))) if examine else None,
            written=(lambda at: written.extend(writing.write_owed(conn, at, settings.reports_dir))) if report else None,
            before_week=walk.before if walk else None, after_week=walk.after if walk else None,
        )  # fmt: skip
        started = time.monotonic()
        weeks = list(_watched(run.run(), len(calendar.weekly_asofs(*span)), quiet=json))
        seconds = time.monotonic() - started
        led = rollout_state.state(conn, now_of(conn, now())) if walk else None
        acts = rollout_store.acts(conn) if walk else ()
    wrong = [w for w in weeks if not w.as_planted and people.manner != "absent"]
    missed = [m for m in (*run.life.met, *examined) if not m.right]
    if json and people.manner != "sloppy":
        show.as_json(week_rows(weeks))
    elif json:
        found = planted_differences.as_data(run.life.met, examined)
        show.as_json({"weeks": week_rows(weeks), **found})
    else:
        show.as_table(week_rows(weeks), "No week ends in that span.")
        if weeks:
            typer.echo(f"{summary(weeks)} ({seconds:.1f} s)")
            typer.echo(_reports_words(written))
        if people.manner == "sloppy":
            planted_differences.tell(run.life.met, examined)
        if walk is not None and led is not None:
            typer.echo(f"Asked in the first week: {walk.asked_too_early}")
            rollouts.tell(led, acts)
    if (wrong or missed) and not (json and people.manner != "sloppy"):
        raise typer.Exit(1)


def _walk(conn: psycopg.Connection[Any], settings: Settings) -> RolloutWalk:
    def back_up() -> None:
        with making.one_at_a_time(settings):
            made = making.create(conn, settings, now())
            proving.prove(conn, settings.backups_dir / made.backup_id, now)

    def test(session: dt.date) -> Ticket:
        from trading_ops.planning.direct import test_now

        return test_now(conn, settings.tickets_dir, settings.snapshots_dir, session, at=now())

    return RolloutWalk(conn, test, back_up)


def _reports_words(written: Sequence[Report]) -> str:
    counts = {kind: sum(r.kind == kind and r.revision == 1 for r in written) for kind in writing.KINDS}
    return (
        f"{counts['weekly']} weekly and {counts['daily']} daily reports, {counts['monthly']} monthly: "
        "trading-ops report weekly | daily | monthly --date DAY"
    )


def _watched(weeks: Iterator[Week], total: int, *, quiet: bool) -> Iterator[Week]:
    """With a progress bar when a person watches."""
    if quiet or not sys.stderr.isatty():
        return weeks
    return iter(track(weeks, description="weeks", total=total))


def demo(
    data: Annotated[
        Path | None, typer.Option(help="folder of real prices with its universe.csv; simulated if left out")
    ] = None,
    home: Annotated[Path, typer.Option(help="where the demo's homes go")] = Path(".demo"),
) -> None:
    """Set up a fresh sim book, load a market, live through four weeks, and print the last ticket's path."""
    settings = Settings.from_env(fresh_home(home))
    first_bar, last_bar, first_plan = DEMO_REAL if data else DEMO_SIMULATED
    typer.echo(f"Setting up a sim book in {settings.home}")
    prepare(settings, "sim", data / "universe.csv" if data else None, None)
    with opened_in(settings) as conn:
        provider = "files" if data else "simulated"
        origin, outcome = fetch(conn, provider, data, (first_bar, last_bar))
        loaded = store_outcome(conn, origin, outcome, now())
        typer.echo(
            f"Loaded {loaded.bars} bars, {loaded.actions} corporate actions, {loaded.fixings} fixings ({provider})"
        )
        policy = configuration.policy_in_force(conn).policy
        asofs = calendar.weekly_asofs(first_plan, last_bar)[:DEMO_WEEKS]
        run = Simulation(
            conn, settings.snapshots_dir, policy, People("perfect", 1), planner_of(conn, settings, jobs=True),
            asofs[0], asofs[-1], DEMO_CASH, opening_snapshot=False,
        )  # fmt: skip
        week = None
        for week in run.run():
            why = f"  ({', '.join(week.reasons)})" if week.reasons else ""
            typer.echo(f"{week.ticket.ticket_id}  {week.ticket.verdict}{why}")
    assert week is not None
    typer.echo(str(artifacts.ticket_path(settings.tickets_dir, week.ticket)))


def fresh_home(folder: Path) -> Path:
    """The next free numbered folder; of older demo homes the newest few are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = sorted(int(p.name) for p in folder.iterdir() if p.name.isdigit())
    for old in numbers[: max(0, len(numbers) - DEMO_KEEP + 1)]:
        shutil.rmtree(folder / str(old), ignore_errors=True)
    return folder / str((numbers[-1] if numbers else 0) + 1)
