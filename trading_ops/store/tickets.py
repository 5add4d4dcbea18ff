"""Tickets: issued once a plan, with their lines, decision, message and audit row in one transaction."""

import datetime as dt
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg

from trading_ops.domain.canonical import canonical_bytes, sha256_hex
from trading_ops.domain.errors import Refused
from trading_ops.domain.gates import Decision
from trading_ops.domain.orders import Order
from trading_ops.domain.ticket import TicketContent, content_bytes, seal, to_markdown
from trading_ops.domain.values import plain
from trading_ops.store import audit, desk
from trading_ops.store.provenance import CodeState


@dataclass(frozen=True)
class Ticket:
    """A stored ticket."""

    plan_id: str
    ticket_id: str
    run_id: uuid.UUID | None
    verdict: str
    book: str
    simulated: bool
    content: str
    content_sha256: str
    envelope: str
    markdown: str
    issued_at: dt.datetime
    decided_as_of: dt.datetime
    evidence: tuple[str, ...]
    withdrawn_because: str | None

    @property
    def document(self) -> dict[str, Any]:
        """Content and envelope as published."""
        return {"content": json.loads(self.content), "envelope": json.loads(self.envelope)}


_TICKET = (
    "SELECT t.plan_id, t.ticket_id, t.run_id, t.verdict, t.book, t.simulated, t.content, t.content_sha256, t.envelope, "
    "t.markdown, t.issued_at, t.decided_as_of, t.evidence, w.reason AS withdrawn_because "
    "FROM ops.tickets t LEFT JOIN ops.ticket_withdrawals w USING (plan_id)"
)


def _ticket(row: dict[str, Any]) -> Ticket:
    return Ticket(**{**row, "evidence": tuple(row["evidence"])})


def find(conn: psycopg.Connection[Any], name: str) -> Ticket | None:
    """A ticket by its id (`2018-W05`) or its plan (`2018-02-02`), or None."""
    row = conn.execute(f"{_TICKET} WHERE t.ticket_id = %(name)s OR t.plan_id = %(name)s", {"name": name}).fetchone()
    return _ticket(row) if row else None


def get(conn: psycopg.Connection[Any], name: str) -> Ticket:
    """A ticket by its id or its plan.

    Raises:
        Refused: There is none.
    """
    ticket = find(conn, name)
    if ticket is None:
        raise Refused(f"There is no ticket {name}. `trading-ops ticket list` shows those there are.")
    return ticket


def every(conn: psycopg.Connection[Any]) -> tuple[Ticket, ...]:
    """All tickets, oldest as-of session first; of one session in the order they were issued."""
    rows = conn.execute(f"{_TICKET} JOIN ops.plans p USING (plan_id) ORDER BY p.asof, t.audit_seq")
    return tuple(_ticket(row) for row in rows)


def awaiting_answers(conn: psycopg.Connection[Any], first: dt.date) -> tuple[Ticket, ...]:
    """TRADE tickets of an as-of session and later that stand and have a line without an answer, oldest first."""
    rows = conn.execute(
        f"{_TICKET} JOIN ops.plans p USING (plan_id) WHERE t.verdict = 'TRADE' AND p.asof >= %s "
        "AND w.plan_id IS NULL AND EXISTS (SELECT 1 FROM ops.ticket_lines l WHERE l.plan_id = t.plan_id AND NOT EXISTS "
        "(SELECT 1 FROM ops.confirmations c WHERE c.plan_id = l.plan_id AND c.line = l.line)) "
        "ORDER BY p.asof, t.audit_seq",
        (first,),
    )
    return tuple(_ticket(row) for row in rows)


def record_decision(
    conn: psycopg.Connection[Any],
    plan_id: str,
    run_id: uuid.UUID | None,
    decision: Decision,
    orders: Sequence[Order],
) -> uuid.UUID:
    """Store a verdict on a plan with what it rests on; the same one again returns the row that is there."""
    content = {
        "plan_id": plan_id,
        "run_id": str(run_id) if run_id else None,
        "verdict": decision.verdict.value,
        "checks": [[r.code, r.outcome.value, r.seen, r.allowed] for r in decision.results],
        "orders": [[o.line, o.side, o.symbol, plain(o.units), plain(o.amount_gbp)] for o in orders],
    }
    text = canonical_bytes(content)
    digest = sha256_hex(text)
    decision_id = uuid.uuid5(uuid.NAMESPACE_URL, f"decision:{digest}")
    if not conn.execute("SELECT 1 FROM ops.decisions WHERE decision_id = %s", (decision_id,)).fetchone():
        payload: dict[str, object] = {"verdict": decision.verdict.value, "content_sha256": digest}
        seq = audit.append(conn, "plan.decision", plan_id, payload)
        conn.execute(
            "INSERT INTO ops.decisions (decision_id, plan_id, run_id, verdict, reasons, content, content_sha256, "
            "audit_seq) VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            (
                decision_id, plan_id, run_id, decision.verdict.value, json.dumps(list(decision.reasons)),
                text.decode(), digest, seq,
            ),
        )  # fmt: skip
    return decision_id


def has_decision(conn: psycopg.Connection[Any], run_id: uuid.UUID) -> bool:
    """True when the run reached its end, whatever it found."""
    found = conn.execute("SELECT 1 FROM ops.decisions WHERE run_id = %s LIMIT 1", (run_id,)).fetchone()
    return found is not None


def has_trade_decision(conn: psycopg.Connection[Any], run_id: uuid.UUID) -> bool:
    """True when the run reached the end and found that the plan may trade."""
    found = conn.execute("SELECT 1 FROM ops.decisions WHERE run_id = %s AND verdict = 'TRADE'", (run_id,)).fetchone()
    return found is not None


def issue(
    conn: psycopg.Connection[Any],
    content: TicketContent,
    *,
    run_id: uuid.UUID | None,
    decision_id: uuid.UUID,
    code: CodeState,
    issued_at: dt.datetime,
    decided_as_of: dt.datetime,
    evidence: Sequence[str],
) -> Ticket:
    """Store the ticket of a plan in the caller's transaction. If the plan has one already, that one is returned."""
    found = find(conn, content.plan_id)
    if found:
        return found
    body = content_bytes(content)
    digest = sha256_hex(body)
    payload: dict[str, object] = {
        "ticket_id": content.ticket_id,
        "verdict": content.verdict.value,
        "content_sha256": digest,
    }
    before = audit.head(conn)
    seq = audit.append(conn, "ticket.issued", content.plan_id, payload)
    document = seal(
        content,
        run_id=str(run_id) if run_id else "none",
        git_commit=code.commit,
        git_dirty=code.dirty,
        issued_at=issued_at,
        audit_seq=before.seq,
        audit_hash=before.hash,
    )
    markdown = to_markdown(content, document)
    conn.execute(
        "INSERT INTO ops.tickets (plan_id, ticket_id, decision_id, run_id, verdict, book, simulated, content, "
        "content_sha256, envelope, markdown, issued_at, decided_as_of, evidence, audit_seq) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            content.plan_id, content.ticket_id, decision_id, run_id, content.verdict.value, content.book,
            content.simulated, body.decode(), digest, json.dumps(document.model_dump(mode="json")), markdown,
            issued_at, decided_as_of, json.dumps(list(evidence)), seq,
        ),
    )  # fmt: skip
    with conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO ops.ticket_lines (plan_id, line, symbol, side, amount_gbp, units, reference_price_usd, "
            "limit_price_usd, min_available_gbp, whole, lots) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    content.plan_id, line.line, line.symbol, line.side, Decimal(line.amount_gbp), Decimal(line.units),
                    Decimal(line.reference_price_usd), Decimal(line.limit_price_usd),
                    None if line.min_available_gbp is None else Decimal(line.min_available_gbp), line.close_whole,
                    json.dumps([lot.model_dump(mode="json") for lot in line.lots]),
                )
                for line in content.lines
            ],
        )  # fmt: skip
    desk.enqueue(
        conn,
        f"ticket:{content.plan_id}",
        "ticket.issued",
        content.plan_id,
        {"ticket_id": content.ticket_id, "verdict": content.verdict.value, "lines": len(content.lines)},
    )
    return get(conn, content.plan_id)


def hold(conn: psycopg.Connection[Any], plan_id: str) -> None:
    """Keep everybody else from answering or withdrawing a ticket until commit; taken before any fact is announced."""
    conn.execute("SELECT FROM ops.lock_ticket(%s)", (plan_id,))


def withdraw(conn: psycopg.Connection[Any], name: str, reason: str, withdrawn_by: str) -> Ticket:
    """Call a TRADE ticket back; what was already done can still be answered.

    Raises:
        Refused: It is withdrawn already, or asks for nothing.
    """
    hold(conn, get(conn, name).plan_id)
    ticket = get(conn, name)  # again, behind the lock: an answer or a withdrawal may have been under way
    if ticket.withdrawn_because is not None:
        raise Refused(f"Ticket {ticket.ticket_id} was withdrawn already: {ticket.withdrawn_because}")
    if ticket.verdict != "TRADE":
        raise Refused(f"Ticket {ticket.ticket_id} is NO-TRADE; there is nothing to withdraw.")
    payload: dict[str, object] = {"reason": reason, "withdrawn_by": withdrawn_by}
    seq = audit.append(conn, "ticket.withdrawn", ticket.plan_id, payload)
    conn.execute(
        "INSERT INTO ops.ticket_withdrawals (plan_id, reason, withdrawn_by, audit_seq) VALUES (%s, %s, %s, %s)",
        (ticket.plan_id, reason, withdrawn_by, seq),
    )
    desk.enqueue(
        conn, f"withdrawn:{ticket.plan_id}", "ticket.withdrawn", ticket.plan_id,
        {"ticket_id": ticket.ticket_id, "reason": reason},
    )  # fmt: skip
    return get(conn, ticket.plan_id)
