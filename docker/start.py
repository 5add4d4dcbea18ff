"""Become one of Dagster's programs, with this home's history: `start.py dagster-daemon run …`.

Its database's password comes from the home's secrets now, and so stands in no file of the image and of the compose.
"""

import os
import sys

from trading_ops.defs import dagster_home
from trading_ops.domain.errors import TradingOpsError
from trading_ops.settings import Settings

if __name__ == "__main__":
    settings = Settings.from_env()
    try:
        dagster_home.prepare(settings)
        environment = dagster_home.environment(settings)
    except TradingOpsError as exc:
        sys.exit(str(exc))
    os.execvpe(sys.argv[1], sys.argv[1:], environment)
