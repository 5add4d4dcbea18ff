"""How mail leaves this home: the lines of `secrets/secrets.env` that say so, judged before anything is sent."""

import email.errors
import email.headerregistry
import email.utils
import hashlib
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, cast

from trading_ops.domain.errors import ConfigError
from trading_ops.settings import Settings
from trading_ops.store import secrets_env

Security: TypeAlias = Literal["starttls", "tls", "none"]
PORTS: Mapping[str, int] = {"starttls": 587, "tls": 465, "none": 25}
OFF = "Mail is off: SMTP_HOST is not set in secrets/secrets.env."


@dataclass(frozen=True)
class Smtp:
    """A server that takes our mail. What must not be shown is left out of its text."""

    host: str
    port: int
    security: Security
    sender: email.headerregistry.Address
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def where(self) -> str:
        """The server, for people."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Push:
    """One address of the push service; the URL may hold a token, so people and tables get `name`."""

    name: str
    url: str = field(repr=False)


@dataclass(frozen=True)
class Comms:
    """Everything that decides how messages leave this home.

    Attributes:
        smtp: The mail server, None when mail is off.
        push: Addresses of the second channel.
        even_simulated: Messages of a simulated book are sent too.
    """

    smtp: Smtp | None = None
    push: tuple[Push, ...] = ()
    even_simulated: bool = False

    @property
    def off(self) -> bool:
        """True when nothing can leave."""
        return self.smtp is None and not self.push


def read(settings: Settings) -> Comms:
    """The comms of a home.

    Raises:
        ConfigError: A value is missing or cannot be used; secrets are never shown.
        SecretsTooOpen: Others may read the file.
    """
    values = secrets_env.read(settings, secrets_env.MAIL)
    where = str(settings.secrets_dir / secrets_env.FILE)
    simulated = values.get("MAIL_SIMULATED", "no")
    if simulated not in ("yes", "no"):
        raise ConfigError(f"{where}: MAIL_SIMULATED is {simulated!r}. Use yes or no.")
    return Comms(_smtp(values, where), _push(values), simulated == "yes")


def _smtp(values: Mapping[str, str], where: str) -> Smtp | None:
    host = values.get("SMTP_HOST")
    if host is None:
        return None
    security = values.get("SMTP_SECURITY", "starttls")
    if security not in PORTS:
        raise ConfigError(f"{where}: SMTP_SECURITY is {security!r}. Use starttls, tls or none.")
    if security == "none" and not _is_loopback(host):
        raise ConfigError(f"{where}: SMTP_SECURITY=none is for this machine only, not for {host}. Use starttls or tls.")
    port = values.get("SMTP_PORT", str(PORTS[security]))
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ConfigError(f"{where}: SMTP_PORT is {port!r}. Use a number such as {PORTS[security]}.")
    user, password = values.get("SMTP_USER"), values.get("SMTP_PASSWORD")
    if (user is None) != (password is None):
        raise ConfigError(f"{where}: SMTP_USER and SMTP_PASSWORD belong together. Set both, or neither.")
    return Smtp(host, int(port), cast("Security", security), _sender(values, where), user, password)


def _sender(values: Mapping[str, str], where: str) -> email.headerregistry.Address:
    given = values.get("MAIL_FROM")
    if given is None:
        raise ConfigError(f"{where}: MAIL_FROM is missing. Write for example MAIL_FROM=Desk <desk@your.domain>.")
    name, address = email.utils.parseaddr(given)
    try:
        return mailbox(name, address)
    except ConfigError as exc:
        raise ConfigError(f"{where}: MAIL_FROM: {exc}") from None


def mailbox(name: str, address: str) -> email.headerregistry.Address:
    """A person's mailbox for a header; signs that are no text are dropped from the name.

    Raises:
        ConfigError: The address is none.
    """
    words = "".join(sign for sign in " ".join(name.split()) if sign.isprintable())
    try:
        made = email.headerregistry.Address(words, addr_spec=address)
    except (ValueError, IndexError, email.errors.MessageError):
        made = email.headerregistry.Address()
    if not made.username or not made.domain or any(s.isspace() or not s.isprintable() for s in address):
        raise ConfigError(f"{address[:80]!r} is no mail address. Write it as name@domain.")
    return made


def _push(values: Mapping[str, str]) -> tuple[Push, ...]:
    urls = dict.fromkeys(values.get("APPRISE_URLS", "").split())
    return tuple(Push(f"{_scheme(url)}-{hashlib.sha256(url.encode()).hexdigest()[:8]}", url) for url in urls)


def _scheme(url: str) -> str:
    scheme = url.partition("://")[0]
    return scheme if "://" in url and scheme.isalnum() and len(scheme) <= 20 else "push"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
