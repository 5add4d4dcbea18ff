"""A ticket's answers, sent by a person: stored, booked and reported in one transaction, once.

Does not belong here: what is odd about an answer (`domain.plausibility`), how it is typed (`domain.typed`).
"""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg

from trading_ops.domain import calendar
from trading_ops.domain.answer import Answer
from trading_ops.domain.answer_evidence import Evidence
from trading_ops.domain.errors import BadInput
from trading_ops.domain.fill_limits import check_fee, check_texts, whole_fill
from trading_ops.domain.ledger import Fill
from trading_ops.domain.ticket_model import TicketContent
from trading_ops.domain.values import ZERO
from trading_ops.store import answers, chosen, configuration, ledger, submissions, tickets
from trading_ops.store.answers import Shown, StoredAnswer
from trading_ops.store.submissions import Sent
from trading_ops.store.tickets import Ticket


@dataclass(frozen=True)
class TicketState:
    """A ticket as a person finds it: what it says, what was answered, whether it still stands."""

    ticket: Ticket
    content: TicketContent
    answered: Mapping[int, StoredAnswer]

    @property
    def shown(self) -> Shown:
        """What a page that shows this state has shown."""
        revisions = {line: stored.revision for line, stored in self.answered.items()}
        return Shown(self.ticket.content_sha256, revisions)

    @property
    def open_lines(self) -> tuple[int, ...]:
        """Lines without an answer; none of a withdrawn ticket, which asks for nothing more."""
        if self.ticket.withdrawn_because is not None:
            return ()
        return tuple(line.line for line in self.content.lines if line.line not in self.answered)


def ticket_state(conn: psycopg.Connection[Any], name: str) -> TicketState:
    """A ticket by its id or plan.

    Raises:
        Refused: There is none.
    """
    ticket = tickets.get(conn, name)
    content = TicketContent.model_validate_json(ticket.content)
    return TicketState(ticket, content, answers.in_force(conn, ticket.plan_id))


def evidence_for(conn: psycopg.Connection[Any], content: TicketContent, symbol: str, now: dt.datetime) -> Evidence:
    """What a line's answer is held against: the day's rate, the window, the session's range once it is known."""
    policy = configuration.policy_in_force(conn).policy
    session = content.window.session
    row = conn.execute(
        "SELECT low, high FROM ops.market_prices_eod WHERE session = %(day)s AND symbol = %(symbol)s "
        "AND source = ANY(%(order)s) ORDER BY array_position(%(order)s::text[], source), revision DESC LIMIT 1",
        {"day": session, "symbol": symbol, "order": list(policy.data.source_order)},
    ).fetchone()
    rate = chosen.usd_per_gbp(conn, policy.data, session)
    return Evidence(rate, content.window, now, policy, row["low"] if row else None, row["high"] if row else None)


def submit(
    conn: psycopg.Connection[Any],
    submission_id: uuid.UUID,
    ticket: Ticket,
    given: Sequence[Answer],
    shown: Shown,
    username: str,
) -> Sent:
    """Store the answers that a person sent, all or none; pressing twice changes nothing.

    Args:
        conn: A connection inside a transaction, the person named (`audit.speaking_as`).
        submission_id: Made by the page before the button was shown.
        ticket: The ticket as shown.
        given: At most one answer a line.
        shown: What the person saw.
        username: The person.

    Raises:
        BadInput, AnsweredMeanwhile, TicketChanged, LedgerError: See `record_answers`; nothing was stored.
    """
    policy = configuration.policy_in_force(conn).policy

    def work() -> dict[str, object]:
        stored, repeated = answers.record_answers(
            conn, ticket.plan_id, given, answered_by=username, where="the page", shown=shown,
            rate_of=lambda day: chosen.usd_per_gbp(conn, policy.data, day),
        )  # fmt: skip
        return {"stored": stored, "repeated": repeated}

    content = {
        "ticket_sha256": shown.ticket_sha256,
        "revisions": {str(line): revision for line, revision in sorted(shown.revisions.items())},
        "answers": [answer.payload() for answer in given],
    }
    return submissions.once(conn, submission_id, "answers", ticket.ticket_id, content, username, work)


@dataclass(frozen=True)
class OffTicket:
    """A trade that no ticket asked for, as the screen shows it. Price in USD, value and fee in pounds, time in UTC."""

    symbol: str
    side: str
    price_usd: Decimal
    executed_at: dt.datetime
    units: Decimal | None
    value_gbp: Decimal | None
    fee_gbp: Decimal | None
    position_id: str | None
    why: str


def record_off_ticket(
    conn: psycopg.Connection[Any], submission_id: uuid.UUID, trade: OffTicket, username: str, now: dt.datetime
) -> Sent:
    """Book a trade made off the ticket or by mistake, once.

    Raises:
        BadInput: A field is missing or impossible, or the time has not come.
        UnknownSymbol: The desk does not know the name.
        LedgerError: More would be sold than is held.
    """
    where = "other trade"
    if not trade.why.strip():
        raise BadInput(f"{where}: write in a few words how it came about.")
    if trade.executed_at > now + dt.timedelta(minutes=5):
        raise BadInput(f"{where}: the time {trade.executed_at:%d %b %Y %H:%M} UTC has not come yet.")
    if trade.side not in ("BUY", "SELL"):
        raise BadInput(f"{where}: {trade.side!r} is neither BUY nor SELL.")
    check_fee(trade.fee_gbp, where)
    check_texts({"why": trade.why, "position_id": trade.position_id}, where)
    policy = configuration.policy_in_force(conn).policy
    session = trade.executed_at.astimezone(calendar.NEW_YORK).date()

    def work() -> dict[str, object]:
        rate = chosen.usd_per_gbp(conn, policy.data, session)
        units, value, estimated = whole_fill(trade.units, trade.value_gbp, trade.price_usd, rate, where)
        fill = Fill(
            str(uuid.uuid5(uuid.NAMESPACE_URL, f"off-ticket:{submission_id}")), trade.symbol,
            trade.side, units, trade.price_usd, value, trade.fee_gbp or ZERO, trade.executed_at,  # type: ignore[arg-type]
            session, trade.position_id, (), None, estimated,
        )  # fmt: skip
        ledger.require_known(conn, trade.symbol, where)
        ledger.record_fill(conn, fill, recorded_by=username, why=trade.why.strip())
        ledger.require_possible(conn)
        return {"fill_id": fill.fill_id}

    content = {
        "symbol": trade.symbol, "side": trade.side, "price_usd": str(trade.price_usd),
        "executed_at": trade.executed_at.isoformat(), "units": str(trade.units), "value_gbp": str(trade.value_gbp),
        "fee_gbp": str(trade.fee_gbp), "position_id": trade.position_id, "why": trade.why,
    }  # fmt: skip
    return submissions.once(conn, submission_id, "off_ticket", trade.symbol, content, username, work)
