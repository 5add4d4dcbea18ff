"""The ticket: content, its envelope, and the three forms in which people and programs read the two together.

This is the room's front door: what others need of `ticket_build` and `ticket_model` can be imported from here.
Does not belong here: how content is found (`ticket_build`), the wording (`ticket_text`).
"""

import datetime as dt
import json

from pydantic import ValidationError

from trading_ops.domain.errors import BadInput
from trading_ops.domain.ticket_build import TicketError, TicketInputs, build_content
from trading_ops.domain.ticket_layout import markdown, text
from trading_ops.domain.ticket_model import (
    Envelope,
    TicketContent,
    TicketDocument,
    content_bytes,
    content_sha256,
    json_schema,
)
from trading_ops.domain.ticket_text import rows_of

__all__ = [
    "Envelope",
    "TicketContent",
    "TicketError",
    "TicketInputs",
    "build_content",
    "content_bytes",
    "content_sha256",
    "from_json",
    "json_schema",
    "seal",
    "to_json",
    "to_markdown",
    "to_text",
]


def seal(
    content: TicketContent,
    *,
    run_id: str,
    git_commit: str,
    git_dirty: bool,
    issued_at: dt.datetime,
    audit_seq: int | None,
    audit_hash: str | None,
) -> Envelope:
    """The envelope of a content: its hash, and who issued it (`issued_at` is an aware instant)."""
    return Envelope(
        run_id=run_id,
        git_commit=git_commit,
        git_dirty=git_dirty,
        issued_at_utc=issued_at,
        audit_seq=audit_seq,
        audit_hash=audit_hash,
        content_sha256=content_sha256(content),
    )


def to_json(content: TicketContent, envelope: Envelope) -> str:
    """`{"content": …, "envelope": …}` as in `docs/ticket.schema.json`, indented.

    Raises:
        TicketError: The envelope belongs to another content.
    """
    _check_seal(content, envelope)
    document = TicketDocument(content=content, envelope=envelope)
    return json.dumps(document.model_dump(mode="json"), ensure_ascii=False, indent=2) + "\n"


def from_json(document: str | bytes) -> tuple[TicketContent, Envelope]:
    """Content and envelope of a published ticket.

    Raises:
        BadInput: It is not a ticket.
        TicketError: The content is not the one that was sealed.
    """
    try:
        ticket = TicketDocument.model_validate_json(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise BadInput(f"ticket, {place}: {first['msg']}. Export the ticket again.") from error
    _check_seal(ticket.content, ticket.envelope)
    return ticket.content, ticket.envelope


def to_markdown(content: TicketContent, envelope: Envelope) -> str:
    """The ticket for people, as Markdown that also reads well unrendered.

    Raises:
        TicketError: The envelope belongs to another content.
    """
    _check_seal(content, envelope)
    return markdown(rows_of(content, envelope))


def to_text(content: TicketContent, envelope: Envelope) -> str:
    """The same words without any markup, for the plain part of a mail.

    Raises:
        TicketError: The envelope belongs to another content.
    """
    _check_seal(content, envelope)
    return text(rows_of(content, envelope))


def _check_seal(content: TicketContent, envelope: Envelope) -> None:
    found = content_sha256(content)
    if found != envelope.content_sha256:
        raise TicketError(
            f"ticket {content.ticket_id}: its content has sha256 {found}, the envelope says {envelope.content_sha256}. "
            "Do not execute it; show the stored ticket again."
        )
