"""Making a home's database: server, roles, databases, schema. Safe to run again after any interruption."""

from trading_ops.settings import Settings
from trading_ops.store import migrate, roles
from trading_ops.store.server import Server


def initialise(settings: Settings) -> tuple[str, ...]:
    """Make what is missing.

    Returns:
        Sentences a person should read, usually none.

    Raises:
        ServerFailed: The embedded server cannot be made or started.
        DatabaseDown: With a DSN: nothing answers there.
        MigrationFailed: The schema cannot be brought up to date.
    """
    settings.make_folders()
    with Server(settings).use(create=True):
        notices = roles.create(settings)
        migrate.upgrade(settings)
    return notices
