"""Bring the home up to date before anything else starts: roles, schema, Dagster's tables; the book at the first start.

Policy and universe are imported with the book and never again: what the operator put in force stays in force.
"""

import os
import subprocess
import sys

from trading_ops.commands.setup import prepare
from trading_ops.defs import dagster_home
from trading_ops.domain.errors import Refused, TradingOpsError
from trading_ops.settings import Settings
from trading_ops.store import endpoint, roles
from trading_ops.store.connect import connect
from trading_ops.store.initialise import initialise
from trading_ops.store.secret_files import write_secret

DEFAULT_BOOK = "sim"
READER = "desk_reader"


def migrate(settings: Settings, wanted: str) -> str:
    """Make or update the home; returns the book it holds.

    Args:
        settings: The home, with the administrator's DSN.
        wanted: `live`, `paper` or `sim`; empty for the book that is there, or a sim book in a new home.

    Raises:
        Refused: The home holds another book.
        TradingOpsError: The database does not answer, or cannot be brought up to date.
    """
    for notice in initialise(settings):
        print(notice)
    held = _book(settings)
    if held and wanted and held != wanted:
        raise Refused(
            f"This home already holds a {held} book; a home holds one book for ever. Leave TRADING_OPS_BOOK out, or "
            "use another project for another book: make up PROJECT=desk-2 TRADING_OPS_BOOK=" + wanted
        )
    prepare(settings, held or wanted or DEFAULT_BOOK, None, None)
    where = endpoint.of(settings)
    secret = roles.passwords(settings)[READER]
    write_secret(settings.secrets_dir / "pgpass", f"{where.host}:{where.port}:*:{READER}:{secret}\n")
    return held or wanted or DEFAULT_BOOK


def _book(settings: Settings) -> str | None:
    with connect(settings, "app_writer") as conn:
        row = conn.execute("SELECT book FROM ops.books").fetchone()
    return str(row["book"]) if row else None


def main() -> None:
    """Do it for the environment's home; what was foreseen is one sentence and exit code 1."""
    settings = Settings.from_env()
    try:
        book = migrate(settings, os.environ.get("TRADING_OPS_BOOK", ""))
    except TradingOpsError as exc:
        sys.exit(str(exc))
    dagster_home.prepare(settings)
    # Once and here: programs that start side by side would make the same tables at the same time.
    subprocess.run(["dagster", "instance", "migrate"], env=dagster_home.environment(settings), check=True)
    print(f"Ready: {book} book in {settings.home}")


if __name__ == "__main__":
    main()
