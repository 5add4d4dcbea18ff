"""What is printed of a ticket that was issued: one line that programs rely on, and why nothing is traded."""

from pathlib import Path

import typer

from trading_ops.commands import show
from trading_ops.domain import ticket_layout
from trading_ops.domain.results import Outcome
from trading_ops.domain.ticket_model import TicketContent
from trading_ops.domain.ticket_record import failures
from trading_ops.store import artifacts
from trading_ops.store.tickets import Ticket


def tell(ticket: Ticket, folder: Path, *, json: bool) -> None:
    """Print `ticket <id> TRADE|NO-TRADE <path>`; below a NO-TRADE its reasons as the ticket words them.

    Args:
        ticket: The one that stands.
        folder: Where the files for people are.
        json: The same as data.
    """
    content, path = TicketContent.model_validate_json(ticket.content), artifacts.ticket_path(folder, ticket)
    if json:
        show.as_json(
            {"ticket": ticket.ticket_id, "plan": ticket.plan_id, "verdict": ticket.verdict, "path": str(path),
             "instructions": len(content.lines), "reasons": _reasons(content)}
        )  # fmt: skip
        return
    typer.echo(f"ticket {ticket.ticket_id} {ticket.verdict} {path}")
    if ticket.verdict != "TRADE":
        typer.echo(ticket_layout.text(failures(content)).rstrip())


def _reasons(content: TicketContent) -> list[dict[str, str]]:
    """Every rule that did not pass."""
    return [
        {"rule": gate.code, "gate": gate.gate, "outcome": gate.outcome.value, "sentence": gate.sentence,
         "seen": gate.seen, "allowed": gate.allowed, "remedy": gate.remedy}
        for gate in content.gates
        if gate.outcome in (Outcome.FAIL, Outcome.NOT_EVALUATED)
    ]  # fmt: skip
