"""A letter as a mail: headers that hold together over repeats and replies, a plain part and an HTML part."""

import datetime as dt
import email.headerregistry
import email.message
import email.policy
import email.utils
import hashlib
from collections.abc import Sequence

from trading_ops.comms.letter import Letter, html_body, plain_body
from trading_ops.store.outbox_rows import Recipient

DOMAIN = "trading-ops.home.arpa"
"""Right-hand side of a Message-ID; home.arpa is kept for homes (RFC 8375)."""


def message_id(home: str, outbox_ids: Sequence[int], to: Recipient) -> str:
    """The same for the same home, messages and address, so that a repeat is recognised as one."""
    said = "|".join([home, *map(str, outbox_ids), to.channel, to.address])
    digest = hashlib.sha256(said.encode()).hexdigest()
    return f"<outbox-{outbox_ids[0]}.{digest[:20]}@{DOMAIN}>"


def build(
    letter: Letter,
    sender: email.headerregistry.Address,
    to: email.headerregistry.Address,
    identity: str,
    at: dt.datetime,
    in_reply_to: str | None = None,
) -> email.message.EmailMessage:
    """The mail, ready to send.

    Args:
        letter: What it says.
        sender: From.
        to: The one recipient.
        identity: Its Message-ID.
        at: The moment of sending, aware.
        in_reply_to: Message-ID of the mail that it belongs to.
    """
    mail = email.message.EmailMessage(policy=email.policy.SMTP)
    mail["From"] = sender
    mail["To"] = to
    mail["Subject"] = letter.subject_line
    mail["Date"] = email.utils.format_datetime(at.astimezone(dt.UTC))
    mail["Message-ID"] = identity
    mail["Auto-Submitted"] = "auto-generated"
    if in_reply_to is not None:
        mail["In-Reply-To"] = in_reply_to
        mail["References"] = in_reply_to
    mail.set_content(plain_body(letter), cte="quoted-printable")
    mail.add_alternative(html_body(letter), subtype="html", cte="quoted-printable")
    if letter.attached is not None:
        page = letter.attached
        mail.add_attachment(page.html, subtype="html", cte="base64", filename=page.name)
    return mail
