"""Keys of the sources on the network: `<home>/secrets/secrets.env`, lines `NAME=value`, mode 0600."""

import re
from collections.abc import Mapping

from trading_ops.domain.errors import ConfigError
from trading_ops.settings import Settings
from trading_ops.store.secret_files import read_secret

FILE = "secrets.env"
NAMES = ("STOOQ_APIKEY", "TIINGO_TOKEN")
_LINE = re.compile(r"([A-Z][A-Z0-9_]*)=(\S*)")
_PLACEHOLDER = re.compile(r"(?i)^(<.*>|x{3,}|\.{3,}|change[-_]?me|your[-_].*|todo|key|token|secret|example.*)$")


def read(settings: Settings) -> Mapping[str, str]:
    """The keys by name; a missing file or an empty value is a source without its key.

    Raises:
        ConfigError: A line cannot be read, or a value is the example's placeholder; the value is never shown.
        SecretsTooOpen: Others may read the file.
    """
    path = settings.secrets_dir / FILE
    if not path.exists():
        return {}
    keys: dict[str, str] = {}
    for number, raw in enumerate(read_secret(path).splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        where = f"{path}, line {number}"
        match = _LINE.fullmatch(line)
        if match is None:
            raise ConfigError(f"{where}: not NAME=value. Write for example TIINGO_TOKEN=, the token right behind it.")
        name, value = match.groups()
        if name not in NAMES:
            raise ConfigError(f"{where}: {name} is unknown. Known are {', '.join(NAMES)}.")
        if name in keys:
            raise ConfigError(f"{where}: {name} is there twice. Keep one.")
        if _PLACEHOLDER.match(value):
            raise ConfigError(f"{where}: {name} still holds the example's placeholder. Put the real one, or nothing.")
        keys[name] = value
    return {name: value for name, value in keys.items() if value}
