"""What can be wrong with the database, each a sentence that names the place and the way out."""

from trading_ops.domain.errors import TradingOpsError


class NotInitialised(TradingOpsError):
    """The home has no database, roles or schema yet."""


class DatabaseDown(TradingOpsError):
    """Nothing answers where the database should be, or it does not let us in."""


class WrongDatabaseVersion(TradingOpsError):
    """The server, or the data folder, is of a PostgreSQL version that cannot be used."""


class ServerFailed(TradingOpsError):
    """The embedded server could not be made, started or stopped."""


class SecretsTooOpen(TradingOpsError):
    """A file with passwords can be read by others, or cannot be read at all."""


class MigrationFailed(TradingOpsError):
    """A migration's SQL was refused; the schema is as it was before it."""
