"""What can be wrong with a backup."""

from trading_ops.domain.errors import Refused


class BackupDamaged(Refused):
    """A backup set is not what was written; the text names the file, or what came out otherwise."""
