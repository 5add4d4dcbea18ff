"""Dagster's own home inside ours: its settings file, and the environment that points it at its database.

Imports no Dagster: the command line starts Dagster's programs with this.
"""

import os

from trading_ops.settings import Settings, shipped
from trading_ops.store import endpoint, roles
from trading_ops.store.artifacts import write_text


def prepare(settings: Settings) -> None:
    """Put the shipped `dagster.yaml` into the home's Dagster folder, where it is missing or another."""
    wanted = shipped("dagster.yaml").read_text(encoding="utf-8")
    path = settings.dagster_dir / "dagster.yaml"
    if not path.exists() or path.read_text(encoding="utf-8") != wanted:
        write_text(path, wanted)


def environment(settings: Settings) -> dict[str, str]:
    """The variables that Dagster's programs need for this home; one holds a password, so never print them."""
    return {
        **os.environ,
        **settings.to_env(),
        "DAGSTER_HOME": str(settings.dagster_dir),
        # Spelled out: SQLAlchemy 2.1 would otherwise take psycopg 3, which Dagster cannot use.
        "DAGSTER_PG_URL": endpoint.driver_url(roles.dsn_for(settings, roles.DAGSTER), "psycopg2"),
        # Dagster's own: `dagster dev` points at its successor, another package; each load tells of a parameter of its
        # sensors that nobody here sets.
        "PYTHONWARNINGS": "ignore:Function `dev_command`,ignore:Parameter `owners` of initializer `SensorDefinition",
    }
