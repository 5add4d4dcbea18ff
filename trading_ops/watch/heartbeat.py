"""The sign of life to an outside address: a machine that is dead cannot say so, but somebody can miss its voice.

Off unless `HEARTBEAT_URL` stands in `secrets/secrets.env`. One plain GET after a look that could see everything; how it
ends changes nothing, and no text ever holds the URL, which is a secret.
"""

import httpx2

from trading_ops.domain.errors import ConfigError
from trading_ops.providers.protocol import RefusedData
from trading_ops.providers.web import LOOPBACK, Limits, Web
from trading_ops.settings import Settings
from trading_ops.store import secrets_env

(NAME,) = secrets_env.WATCH
LIMITS = Limits(connect=3.0, read=3.0, whole=6.0, size=64 * 1024, redirects=0)


def address(settings: Settings) -> str | None:
    """Where the sign of life goes; None when it is off.

    Raises:
        ConfigError: The value is no https address; it is never shown.
        SecretsTooOpen: Others may read the file.
    """
    value = secrets_env.read(settings, secrets_env.WATCH).get(NAME)
    if value is None:
        return None
    try:
        url = httpx2.URL(value)
    except httpx2.InvalidURL:
        url = httpx2.URL("")
    if not url.host or not (url.scheme == "https" or (url.scheme == "http" and url.host in LOOPBACK)):
        raise ConfigError(
            f"{settings.secrets_dir / secrets_env.FILE}: {NAME} must begin with https:// and name a host."
        )
    return value


def beat(settings: Settings) -> str:
    """Send the sign of life; returns what became of it, as words without the address. Raises nothing."""
    try:
        where = address(settings)
        if where is None:
            return "off"
        Web.of(where, LIMITS).get(where)
    except RefusedData as refused:
        return f"not taken: {refused.refusal.kind.value}"
    except ConfigError as exc:
        return str(exc)
    except Exception as exc:  # whatever the network or the file does, the watch has done its work
        return f"not sent: {type(exc).__name__}"
    return "sent"
