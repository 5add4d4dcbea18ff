"""A real mail server on 127.0.0.1 that behaves as a test tells it: taking, putting off, refusing, hanging up.

with MailServer() as server:
    write_secret(home.secrets_dir / "secrets.env", server.settings())
    ...
    server.received[0].text
"""

import asyncio
import datetime as dt
import email.message
import email.policy
import ipaddress
import re
import socket
import socketserver
import ssl
import threading
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

TAKEN = "250 Message accepted for delivery"
LATER = "451 4.7.1 Greylisting in action, please come back later"
REFUSED = "550 5.1.1 No such user here"
HANG_UP = "hang up"
"""For `then`: the connection is cut after the whole mail arrived and before the answer."""
SENDER = "Trading desk <desk@home.test>"


@dataclass(frozen=True)
class Received:
    """A mail that the server took."""

    to: str
    mail: email.message.EmailMessage
    user: str | None
    encrypted: bool

    @property
    def subject(self) -> str:
        """The subject, decoded."""
        return str(self.mail["Subject"])

    @property
    def identity(self) -> str:
        """The Message-ID."""
        return str(self.mail["Message-ID"])

    @property
    def text(self) -> str:
        """The plain part."""
        return self._part("plain")

    @property
    def html(self) -> str:
        """The HTML part."""
        return self._part("html")

    @property
    def links(self) -> list[str]:
        """Every address in the plain part, each once."""
        return list(dict.fromkeys(re.findall(r"https?://[^\s<>\"]+", self.text)))

    def _part(self, kind: str) -> str:
        part = self.mail.get_body((kind,))
        assert part is not None, f"no {kind} part"
        words: str = part.get_content()
        return words.replace("\r\n", "\n")


@dataclass(frozen=True)
class Certificate:
    """A certificate for 127.0.0.1 and localhost that signs itself, and its key, in one file."""

    path: Path

    def context(self) -> ssl.SSLContext:
        """What the server shows."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.path)
        return context

    @property
    def trusting(self) -> dict[str, str]:
        """The environment of a client that trusts it."""
        return {"SSL_CERT_FILE": str(self.path)}


def make_certificate(folder: Path) -> Certificate:
    """A new certificate in a folder."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    today = dt.datetime.now(dt.UTC)
    names: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - dt.timedelta(days=1))
        .not_valid_after(today + dt.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "mail-server.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return Certificate(path)


class _Controller(Controller):
    """On a port that the machine chooses."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


class MailServer:
    """A mail server in this process.

    Args:
        then: Answers to the coming mails, in order (`TAKEN`, `LATER`, `REFUSED`, `HANG_UP`, or any SMTP answer);
            afterwards every mail is taken.
        refuse: Answers to recipients, by address.
        security: none, starttls (then nothing goes without) or tls.
        certificate: Needed for starttls and tls.
        login: User and password that are demanded; None demands nothing.

    Attributes:
        received: Mails that were taken, oldest first.
        cut: Mails that arrived wholly before the connection was cut.
        offered: How often a mail arrived wholly, whatever the answer was.
    """

    def __init__(
        self,
        then: tuple[str, ...] = (),
        *,
        refuse: dict[str, str] | None = None,
        security: str = "none",
        certificate: Certificate | None = None,
        login: tuple[str, str] | None = None,
    ) -> None:
        self.then = deque(then)
        self.refuse = refuse or {}
        self.login = login
        self.security = security
        self.received: list[Received] = []
        self.cut: list[Received] = []
        self.offered = 0
        context = certificate.context() if certificate else None
        words: dict[str, Any] = {"decode_data": False, "enable_SMTPUTF8": True}
        if security == "starttls":
            words |= {"tls_context": context, "require_starttls": True}
        if login:
            words |= {"auth_required": True, "auth_require_tls": security == "starttls", "authenticator": self._judge}
        self._controller = _Controller(
            self, hostname="127.0.0.1", port=0, ssl_context=context if security == "tls" else None, **words
        )

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._controller.port)

    def settings(self, **changes: str) -> str:
        """Text of a `secrets.env` that leads here."""
        values = {
            "SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(self.port), "SMTP_SECURITY": self.security, "MAIL_FROM": SENDER,
        }  # fmt: skip
        if self.login:
            values |= {"SMTP_USER": self.login[0], "SMTP_PASSWORD": self.login[1]}
        return "".join(f"{name}={value}\n" for name, value in (values | changes).items())

    def to(self, address: str) -> list[Received]:
        """What one address got."""
        return [mail for mail in self.received if mail.to == address]

    def __enter__(self) -> "MailServer":
        self._controller.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._controller.stop()

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """A recipient is taken, or refused as told."""
        del server, session, options
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """A whole mail has arrived."""
        self.offered += 1
        content = envelope.content
        assert isinstance(content, bytes)
        mail = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(mail, email.message.EmailMessage)
        user = session.auth_data.login.decode() if isinstance(session.auth_data, LoginPassword) else None
        made = Received(envelope.rcpt_tos[0], mail, user, self.security == "tls" or session.ssl is not None)
        answer = self.then.popleft() if self.then else TAKEN
        if answer == HANG_UP:
            self.cut.append(made)
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        elif answer.startswith("2"):
            self.received.append(made)
        return answer if answer != HANG_UP else TAKEN

    def _judge(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
        del server, session, envelope, mechanism
        assert isinstance(data, LoginPassword)
        right = self.login is not None and (data.login.decode(), data.password.decode()) == self.login
        # Left unhandled, aiosmtpd answers 535 at once; handled and wrong, it says nothing.
        return AuthResult(success=right, handled=right, auth_data=data)


class MuteServer:
    """Takes connections on 127.0.0.1 and never says a word, or one sign now and then.

    Args:
        drip: Seconds between two signs of a greeting that never ends; None for silence.
    """

    def __init__(self, drip: float | None = None) -> None:
        self._over = threading.Event()
        over = self._over

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                while not over.wait(drip or 30):
                    try:
                        self.request.sendall(b"2" if drip else b"")
                    except OSError:
                        return

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def __enter__(self) -> "MuteServer":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def closed_port() -> int:
    """A port on 127.0.0.1 at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
