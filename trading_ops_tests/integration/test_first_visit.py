"""What takes long is done once, before the desk listens: neither the first person waits for it, nor every press."""

import subprocess
import sys
from pathlib import Path

from trading_ops.settings import Settings

MANY = 100_000
"""Objects of modules and calendar, at the least; the search for garbage after each press leaves them out."""
PROGRAM = """
import gc
import sys
from pathlib import Path
from streamlit_app import app
from streamlit_app.main import PLACES
from trading_ops.domain import calendar
from trading_ops.settings import Settings

def listens(listening):
    print(sorted(place.module for place in PLACES if f"streamlit_app.pages.{place.module}" not in sys.modules))
    print(calendar._table.cache_info().currsize, gc.get_freeze_count())
    raise SystemExit

app._listening_at = listens
app.run(Settings(Path(sys.argv[1])), app.Listening())
"""


def test_pages_and_calendar_are_there_before_anybody_can_come(fresh_home: Settings, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], env=fresh_home.to_env(), capture_output=True, text=True,
        check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    not_loaded, counts = done.stdout.splitlines()
    calendars, left_out = map(int, counts.split())
    assert (not_loaded, calendars) == ("[]", 1)
    assert left_out > MANY
