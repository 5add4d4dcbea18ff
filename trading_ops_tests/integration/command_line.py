"""The command line as a person meets it: words in, exit code and two texts out; and what a home holds."""

import contextlib
import hashlib
import io
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from trading_ops import cli
from trading_ops.settings import Settings
from trading_ops_tests.integration.lived_factory import superuser

COMMAND = Path(sys.executable).with_name("trading-ops")
MOVING = (".lock", ".keep", ".log", ".port")
"""Files that say who is at work, not what was stored."""


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str


def run(home: Settings, *words: str, **env: str) -> Done:
    """Run a command in this process; an exception that is not a foreseen error is the test's failure."""
    out, err = io.StringIO(), io.StringIO()
    code: object = 0
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patch.setattr(sys, "argv", ["trading-ops", *words])
        for name, value in (home.to_env() | env).items():
            patch.setenv(name, value)
        try:
            cli.main()
        except SystemExit as end:
            code = end.code
    return Done(code if isinstance(code, int) else int(code is not None), out.getvalue(), err.getvalue())


def run_apart(home: Settings, *words: str, **env: str) -> Done:
    """Run a command in a process of its own."""
    done = subprocess.run(
        [COMMAND, *words], env={**os.environ, **home.to_env(), **env}, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, check=False, timeout=120,
    )  # fmt: skip
    return Done(done.returncode, done.stdout, done.stderr)


def holdings_of(home: Settings) -> dict[str, object]:
    """Rows of every table and content of every file of a home."""
    with superuser(home) as conn:
        tables = [r[0] for r in conn.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'ops' ORDER BY 1")]
        counted = " UNION ALL ".join(f"SELECT '{table}', count(*) FROM ops.{table}" for table in tables)
        rows: dict[str, object] = dict(conn.execute(counted).fetchall())  # type: ignore[call-overload]
    return rows | files_of(home.home)


def files_of(folder: Path) -> dict[str, object]:
    """Content of every file below a folder, but for those that only say who is at work."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix not in MOVING
    }
