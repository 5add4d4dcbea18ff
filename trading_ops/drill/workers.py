"""Scenarios in several processes: yfinance serves one session a process, and one process uses one core."""

import contextlib
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from trading_ops.drill.faults import SCENARIOS
from trading_ops.drill.run import Drill, drilling
from trading_ops.drill.scenario import Scenario
from trading_ops.drill.verdict import Played, judged
from trading_ops.settings import Settings

MOST = 4
"""More processes than this only wait for the one database server."""
WORTH_IT = 8
"""Scenarios below which starting another process takes longer than it saves."""

_entered = contextlib.ExitStack()
_drill: list[Drill] = []


def play(prepared: Settings, folder: Path, scenarios: Sequence[Scenario]) -> Iterator[Played]:
    """Play scenarios of `faults.SCENARIOS`, as many at once as there are cores; results come in their order.

    Args:
        prepared: The home of `stage.set_up`, with its server's address in `database_url`.
        folder: Where the files of each scenario go.
        scenarios: Which.
    """
    workers = min(os.cpu_count() or 1, MOST, len(scenarios) // WORTH_IT)
    if workers < 2:
        with drilling(prepared, folder) as drill:
            for scenario in scenarios:
                yield judged(drill, scenario)
        return
    apart = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, apart, _enter, (prepared, folder)) as pool:
        try:
            yield from pool.map(_play, [scenario.name for scenario in scenarios])
        finally:
            pool.shutdown(cancel_futures=True)


def _enter(prepared: Settings, folder: Path) -> None:
    _drill.append(_entered.enter_context(drilling(prepared, folder)))


def _play(name: str) -> Played:
    (scenario,) = (s for s in SCENARIOS if s.name == name)  # its changes are functions, which do not travel
    return judged(_drill[0], scenario)
