"""PostgreSQL's own programs at work on a backup: pg_dump and pg_restore, passwords never on a command line."""

import subprocess
from collections.abc import Sequence

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from trading_ops.store.binaries import clean_env, password_env, program
from trading_ops.store.errors import ServerFailed

SECONDS = 3600


def run(name: str, url: str, arguments: Sequence[str]) -> None:
    """Run a program against a database.

    Args:
        name: `pg_dump` or `pg_restore`.
        url: The database; its password goes by the environment.
        arguments: Its own.

    Raises:
        ServerFailed: It failed; the text has its last words.
    """
    where = conninfo_to_dict(url)
    env = clean_env() | password_env(str(where.pop("password", "")))
    done = subprocess.run(
        [program(name), "--dbname", make_conninfo("", **where), "--no-password", *arguments],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=SECONDS, env=env,
    )  # fmt: skip
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.strip()] or ["it said nothing"]
        errors = [line for line in said if "error" in line.lower()]
        raise ServerFailed(f"{name} failed: {(errors or said)[0].strip()}")
