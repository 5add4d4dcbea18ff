"""Handing a mail to the mail server. Every step has its limit: a server that says nothing is given up.

Until the server is ready for a mail, all that goes wrong is its own matter (`Unreachable`); after that a code of 5xx is
the mail's end, and anything else is tried again. No exception with the server's words leaves this file.
"""

import contextlib
import email.message
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from trading_ops.comms.outcomes import Never, NotNow, Result, Sent, Unreachable, repeatable
from trading_ops.comms.setup import Smtp


@dataclass(frozen=True)
class Limits:
    """Seconds: for connecting and for every answer, and for a mail as a whole."""

    step: float = 10.0
    whole: float = 25.0


USUAL = Limits()
_BROKEN = (OSError, smtplib.SMTPException)
"""OSError holds timeouts, refused connections and TLS failures."""


def send(server: Smtp, mail: email.message.EmailMessage, limits: Limits = USUAL) -> Result:
    """Send one mail to its one recipient."""
    session = _session(server, limits)
    with _given_up_after(session, limits.whole):
        try:
            _make_ready(session, server)
        except _BROKEN as exc:
            session.close()
            return Unreachable(f"{server.where} cannot be used: {_said(exc, server)}")
        try:
            session.send_message(mail)
        except _BROKEN as exc:
            session.close()
            return _judge(exc, server)
        _leave(session)  # the mail is taken; how the goodbye goes changes nothing
    return Sent(f"taken by {server.where}")


def knock(server: Smtp, limits: Limits = USUAL) -> str | None:
    """Say hello and leave; no letter is sent and no password is shown. What is wrong, None when the server answers."""
    session = _session(server, limits)
    with _given_up_after(session, limits.whole):
        try:
            _connect(session, server)
            session.noop()
        except _BROKEN as exc:
            session.close()
            return _said(exc, server)
        _leave(session)
    return None


def _session(server: Smtp, limits: Limits) -> smtplib.SMTP:
    """Not connected yet: the greeting, too, must come in time."""
    # Our name in the greeting is the sender's domain: asking the resolver for one may take a minute.
    name = server.sender.domain
    if server.security == "tls":
        return smtplib.SMTP_SSL(local_hostname=name, timeout=limits.step, context=ssl.create_default_context())
    return smtplib.SMTP(local_hostname=name, timeout=limits.step)


def _connect(session: smtplib.SMTP, server: Smtp) -> None:
    # What the certificate is compared with; smtplib takes it from a constructor that would connect at once.
    session._host = server.host  # type: ignore[attr-defined]
    session.connect(server.host, server.port)


def _leave(session: smtplib.SMTP) -> None:
    with contextlib.suppress(*_BROKEN):
        session.quit()
    session.close()


def _make_ready(session: smtplib.SMTP, server: Smtp) -> None:
    _connect(session, server)
    if server.security == "starttls":
        session.starttls(context=ssl.create_default_context())
    session.ehlo_or_helo_if_needed()
    if server.user is not None and server.password is not None:
        session.login(server.user, server.password)


@contextlib.contextmanager
def _given_up_after(session: smtplib.SMTP, seconds: float) -> Iterator[None]:
    """A server that sends a sign now and then never times out at a step; the whole has a limit too."""

    def hang_up() -> None:
        if session.sock is not None:
            with contextlib.suppress(OSError):
                session.sock.shutdown(socket.SHUT_RDWR)

    watchdog = threading.Timer(seconds, hang_up)
    watchdog.daemon = True
    watchdog.start()
    try:
        yield
    finally:
        watchdog.cancel()


def _judge(exc: Exception, server: Smtp) -> Result:
    words = _said(exc, server)
    code = _code(exc)
    if isinstance(exc, smtplib.SMTPNotSupportedError):
        return Never(words)
    return Never(words) if 500 <= code <= 599 else NotNow(words)


def _code(exc: Exception) -> int:
    if isinstance(exc, smtplib.SMTPRecipientsRefused):
        return min((code for code, _ in exc.recipients.values()), default=0)
    return int(exc.smtp_code) if isinstance(exc, smtplib.SMTPResponseException) else 0


def _said(exc: Exception, server: Smtp) -> str:
    """What happened, for people. The server's words may hold anything, also what it was sent."""
    secrets = (server.password, server.user, f"\0{server.user}\0{server.password}" if server.user else None)
    match exc:
        case smtplib.SMTPAuthenticationError():
            words = f"it refuses the login of SMTP_USER ({exc.smtp_code})"
        case smtplib.SMTPRecipientsRefused():
            answers = [f"{code} {repeatable(said, secrets)}" for code, said in exc.recipients.values()]
            words = "; ".join(answers) or "it refuses the recipient"
        case smtplib.SMTPResponseException():
            words = f"{exc.smtp_code} {repeatable(exc.smtp_error, secrets)}"
        case TimeoutError():
            words = "it does not answer in time"
        case smtplib.SMTPServerDisconnected():
            words = "it hung up"
        case ssl.SSLCertVerificationError():
            words = f"its certificate is not accepted: {exc.verify_message}"
        case OSError() if exc.strerror:
            words = repeatable(exc.strerror, secrets)
        case _:
            words = repeatable(str(exc), secrets)
    return words
