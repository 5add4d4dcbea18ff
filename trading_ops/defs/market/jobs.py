"""Fetching by the clock, and picking up what people drop into the inbox."""

import dagster as dg

from trading_ops.defs.clockwork import cron
from trading_ops.defs.market.sources import source_prices, sources_alive, universe_state
from trading_ops.defs.resources import Desk
from trading_ops.domain.canonical import sha256_hex
from trading_ops.intake import pickup
from trading_ops.intake.of_home import something_to_ask
from trading_ops.store import configuration
from trading_ops.store import desk as desk_store

fetch_job = dg.define_asset_job(
    "fetch_job",
    selection=dg.AssetSelection.assets(source_prices, universe_state) | dg.AssetSelection.checks(sources_alive),
    # A round goes on where the last one ended; a retry of Dagster's own would only ask twice.
    tags={"dagster/max_retries": "0"},
    description="Ask the sources for what is due and missing, then look at every name's data.",
)


@dg.op(description="Load every settled entry of the inbox, and put it away.")
def pick_up_files(context: dg.OpExecutionContext, desk: dg.ResourceParam[Desk]) -> None:
    """One entry after the other; a refused one turns the run red and lies in `inbox/refused` with the reason."""
    universe = configuration.universe_of_day(desk.conn, desk.now().date()).universe
    found = list(pickup.pick_up(desk.conn, desk.settings, universe, desk.now()))
    context.add_output_metadata({p.name: f"{'loaded' if p.loaded else 'REFUSED'}, {p.sentence}" for p in found})
    refused = [p for p in found if not p.loaded]
    if refused:
        said = "; ".join(f"{p.name}: {p.sentence}" for p in refused)
        raise dg.Failure(f"{said} The files lie in {refused[0].put.parent}.", allow_retries=False)


@dg.job(description="Load what lies in the inbox.", tags={"dagster/max_retries": "0"})
def pickup_job() -> None:
    """One op."""
    pick_up_files()


def due_now(desk: Desk) -> dg.RunRequest | dg.SkipReason:
    """Whether a round is worth a run: a bar or a fixing is due and missing, and a source could still give it."""
    if desk_store.book(desk.conn) == "sim":
        return dg.SkipReason("A simulated book asks no source.")
    if something_to_ask(desk.conn, desk.settings, desk.now()):
        return dg.RunRequest()
    return dg.SkipReason("Nothing that is due is missing, or nobody can be asked for it now.")


@dg.schedule(
    job=fetch_job,
    # Hourly while something is missing. Never between 00:30 and 03:30, when clocks change.
    cron_schedule=cron("20 0,4-23 * * *"),
    execution_timezone="Europe/London",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
def fetch_hourly(context: dg.ScheduleEvaluationContext, desk: dg.ResourceParam[Desk]) -> dg.RunRequest | dg.SkipReason:
    """Every hour in which a bar or a fixing is due and missing, and a source could still give it."""
    del context
    return due_now(desk)


@dg.sensor(job=pickup_job, minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.RUNNING)
def dropped_files(context: dg.SensorEvaluationContext, desk: dg.ResourceParam[Desk]) -> dg.RunRequest | dg.SkipReason:
    """Looks into the inbox. What lies there is the state; nothing is remembered."""
    del context
    there = pickup.waiting(desk.settings, desk.now())
    if not there:
        return dg.SkipReason("The inbox is empty.")
    # The same files are asked for once: their names and times are the key.
    marks = "|".join(f"{path.name}:{path.stat().st_mtime_ns}" for path in there)
    return dg.RunRequest(run_key=f"inbox:{sha256_hex(marks.encode())[:20]}")
