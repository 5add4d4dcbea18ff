"""The first person after a start finds the desk as quick as the next: what takes long is done before it listens."""

import subprocess
import sys
from pathlib import Path

from trading_ops.settings import Settings

PROGRAM = """
import sys
from pathlib import Path
from streamlit_app import app
from streamlit_app.main import PLACES
from trading_ops.domain import calendar
from trading_ops.settings import Settings

def listens(listening):
    print(sorted(place.module for place in PLACES if f"streamlit_app.pages.{place.module}" not in sys.modules))
    print(calendar._table.cache_info().currsize)
    raise SystemExit

app._listening_at = listens
app.run(Settings(Path(sys.argv[1])), app.Listening())
"""


def test_pages_and_calendar_are_there_before_anybody_can_come(fresh_home: Settings, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], env=fresh_home.to_env(), capture_output=True, text=True,
        check=False, timeout=120,
    )  # fmt: skip
    assert done.stdout.splitlines() == ["[]", "1"], done.stderr
