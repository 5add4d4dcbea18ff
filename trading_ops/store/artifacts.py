"""Files for people, written whole or not at all. The database is the truth; these can always be written again."""

import json
import os
from pathlib import Path

from trading_ops.store.tickets import Ticket


def write_text(path: Path, text: str) -> None:
    """Write a file so that nobody ever sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("w", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    temporary.replace(path)


def ticket_path(folder: Path, ticket: Ticket) -> Path:
    """Where a ticket's Markdown lies."""
    return folder / f"{ticket.ticket_id}.md"


def readable(ticket: Ticket) -> str:
    """The ticket as a person must read it now: a withdrawn one says so before anything else."""
    if ticket.withdrawn_because is None:
        return ticket.markdown
    return (
        f"# WITHDRAWN: {ticket.withdrawn_because}\n\n"
        "**Place no further order of this ticket. Confirm only what you already did.**\n\n"
        f"{ticket.markdown}"
    )


def write_ticket(folder: Path, ticket: Ticket) -> Path:
    """Write a ticket's Markdown and JSON where they are missing or differ; returns the Markdown's path."""
    document = json.dumps(ticket.document, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    for path, text in (
        (ticket_path(folder, ticket), readable(ticket)),
        (folder / f"{ticket.ticket_id}.json", document),
    ):
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            write_text(path, text)
    return ticket_path(folder, ticket)
