"""Making a home's database: server, roles, databases, schema. Safe to run again after any interruption."""

from trading_ops.settings import Settings
from trading_ops.store import migrate, roles
from trading_ops.store.server import Server


def initialise(settings: Settings) -> None:
    """Make what is missing.

    Raises:
        ServerFailed: The embedded server cannot be made or started.
        DatabaseDown: With a DSN: nothing answers there.
    """
    settings.make_folders()
    with Server(settings).use(create=True):
        roles.create(settings)
        migrate.upgrade(settings)
