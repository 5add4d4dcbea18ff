"""PostgreSQL's own programs at work on a database: pg_dump and pg_restore, passwords never on a command line."""

import subprocess
from collections.abc import Sequence

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from trading_ops.store.binaries import clean_env, password_env, program


def run(name: str, url: str, arguments: Sequence[str], seconds: float) -> subprocess.CompletedProcess[str]:
    """Run a program against a database to its end; the caller judges its exit code.

    Args:
        name: `pg_dump` or `pg_restore`.
        url: The database; its password goes by the environment.
        arguments: Its own.
        seconds: How long it may take.

    Raises:
        subprocess.TimeoutExpired: It took longer.
    """
    where = conninfo_to_dict(url)
    env = clean_env() | password_env(str(where.pop("password", "")))
    return subprocess.run(
        [program(name), "--dbname", make_conninfo("", **where), "--no-password", *arguments],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=seconds, env=env,
    )  # fmt: skip
