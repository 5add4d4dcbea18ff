"""`<home>/secrets/secrets.env`: lines `NAME=value`, mode 0600. What a value means is its reader's business."""

import re
from collections.abc import Collection, Mapping

from trading_ops.domain.errors import ConfigError
from trading_ops.settings import Settings
from trading_ops.store.secret_files import read_secret

FILE = "secrets.env"
SOURCES = ("STOOQ_APIKEY", "TIINGO_TOKEN")
MAIL = (
    "SMTP_HOST", "SMTP_PORT", "SMTP_USER", "SMTP_PASSWORD", "SMTP_SECURITY", "MAIL_FROM", "APPRISE_URLS",
    "MAIL_SIMULATED",
)  # fmt: skip
WATCH = ("HEARTBEAT_URL",)
BACKUP = ("BACKUP_AGE_RECIPIENT",)
KNOWN = (*SOURCES, *MAIL, *WATCH, *BACKUP)
_LINE = re.compile(r"([A-Z][A-Z0-9_]*)=(.*)")
_PLACEHOLDER = re.compile(r"(?i)^(<.*>|x{3,}|\.{3,}|change[-_]?me|your[-_].*|todo|key|token|secret|example.*)$")


def read(settings: Settings, wanted: Collection[str]) -> Mapping[str, str]:
    """The wanted values by name; a missing file and an empty value are no value.

    Every line is judged, also those of other readers: a file that is half right is wrong.

    Raises:
        ConfigError: A line cannot be read, or a value is the example's placeholder; the value is never shown.
        SecretsTooOpen: Others may read the file.
    """
    path = settings.secrets_dir / FILE
    if not path.exists():
        return {}
    values: dict[str, str] = {}
    for number, raw in enumerate(read_secret(path).splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        where = f"{path}, line {number}"
        match = _LINE.fullmatch(line)
        if match is None or (match[1] in SOURCES and any(sign.isspace() for sign in match[2])):
            raise ConfigError(f"{where}: not NAME=value. Write for example TIINGO_TOKEN=, the token right behind it.")
        name, value = match[1], match[2].strip()
        if name not in KNOWN:
            raise ConfigError(f"{where}: {name} is unknown. Known are {', '.join(KNOWN)}.")
        if name in values:
            raise ConfigError(f"{where}: {name} is there twice. Keep one.")
        if _PLACEHOLDER.match(value):
            raise ConfigError(f"{where}: {name} still holds the example's placeholder. Put the real one, or nothing.")
        values[name] = value
    return {name: values[name] for name in wanted if values.get(name)}
