"""One place that assembles what Dagster shows and runs; every part can be replaced, so tests get a variant of it.

Belongs here: which parts there are. Does not belong here: the parts themselves (`defs`).
"""

from collections.abc import Iterable, Mapping
from typing import Any

import dagster as dg

from trading_ops.defs.comms import sensors as comms_sensors
from trading_ops.defs.jobs import JOBS
from trading_ops.defs.loop import ASSETS, CHECKS
from trading_ops.defs.resources import desk_of_home
from trading_ops.defs.schedules import SCHEDULES
from trading_ops.defs.sensors import SENSORS


def build_defs(
    *,
    resources: Mapping[str, Any] | None = None,
    assets: Iterable[Any] | None = None,
    asset_checks: Iterable[Any] | None = None,
    jobs: Iterable[Any] | None = None,
    schedules: Iterable[Any] | None = None,
    sensors: Iterable[Any] | None = None,
) -> dg.Definitions:
    """Definitions of the desk; a part that is given replaces the usual one as a whole.

    Runs execute their steps in one process: the steps are short, and a process for each would cost more than all of
    them together.
    """
    return dg.Definitions(
        assets=ASSETS if assets is None else assets,
        asset_checks=CHECKS if asset_checks is None else asset_checks,
        jobs=JOBS if jobs is None else jobs,
        schedules=SCHEDULES if schedules is None else schedules,
        sensors=(*SENSORS, *comms_sensors.SENSORS) if sensors is None else sensors,
        resources={"desk": desk_of_home, **(resources or {})},
        executor=dg.in_process_executor,
    )
