"""PostgreSQL's own programs at work on a backup; one that fails is told of in its own last words."""

from collections.abc import Sequence

from trading_ops.store import programs
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
    done = programs.run(name, url, arguments, SECONDS)
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.strip()] or ["it said nothing"]
        errors = [line for line in said if "error" in line.lower()]
        raise ServerFailed(f"{name} failed: {(errors or said)[0].strip()}")
