"""Keys of the sources on the network, from `<home>/secrets/secrets.env`."""

from collections.abc import Mapping

from trading_ops.settings import Settings
from trading_ops.store import secrets_env

FILE = secrets_env.FILE
NAMES = secrets_env.SOURCES


def read(settings: Settings) -> Mapping[str, str]:
    """The keys by name; a missing file or an empty value is a source without its key.

    Raises:
        ConfigError: A line cannot be read, or a value is the example's placeholder; the value is never shown.
        SecretsTooOpen: Others may read the file.
    """
    return secrets_env.read(settings, NAMES)
