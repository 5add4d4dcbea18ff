"""What may explain that account and ledger differ, gathered from the database.

Does not belong here: what follows from it (`domain.diagnosis`).
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import psycopg

from trading_ops.desk import books_now
from trading_ops.desk.books_now import Books, Values
from trading_ops.domain.broker_snapshot import BrokerSnapshot, compared_session
from trading_ops.domain.diagnosis_evidence import AnsweredLine, DriftEvidence, StatementRow
from trading_ops.domain.drift import Comparison, compare
from trading_ops.domain.errors import LedgerError
from trading_ops.domain.policy import Policy
from trading_ops.domain.prices import CorporateAction, clean_ratio
from trading_ops.domain.values import Session
from trading_ops.store import broker, statements

TICKETS_LOOKED_AT = 6
"""Newest TRADE tickets whose lines may explain a difference."""
CHECKS_LOOKED_BACK = 6
"""Account checks that are looked at for one that agreed."""
SPLITS_NEAR = dt.timedelta(days=21)


def gathered(
    conn: psycopg.Connection[Any], of: Books, held: Values, snapshot: BrokerSnapshot, now: dt.datetime
) -> DriftEvidence:
    """The evidence for a snapshot against the books as they are valued now.

    Args:
        conn: A connection.
        of: The books.
        held: What is held, at the session at which the gate is asked.
        snapshot: The snapshot that is explained.
        now: The moment, aware UTC.
    """
    session = compared_session(snapshot, of.facts)
    expected = of.dividends(session)
    names = sorted({*snapshot.holdings, *held.closes, *(f.symbol for f in of.facts.fills)})
    bars = books_now.newest_closes(conn, of.policy, names, session)
    fixing = of.fixing(session)
    comparison = compare(snapshot, of.facts, held.equity_gbp, expected, of.policy.reconciliation)
    return DriftEvidence(
        snapshot=snapshot,
        previous=_agreed_before(conn, of, held, snapshot, comparison),
        facts=of.facts,
        comparison=comparison,
        policy=of.policy,
        expected=expected,
        lines=recent_lines(conn, now),
        closes={symbol: close for symbol, (_, close) in bars.items()},
        usd_per_gbp=fixing.usd_per_gbp if fixing else None,
        known_splits=_told_splits(conn, of.policy, names, session),
        statement=statement_rows(conn, snapshot.taken_at - dt.timedelta(days=60)),
    )


def _agreed_before(
    conn: psycopg.Connection[Any], of: Books, held: Values, snapshot: BrokerSnapshot, comparison: Comparison
) -> BrokerSnapshot | None:
    """The snapshot before; where that disagreed on the same names already, the newest that did not.

    What is older than an agreeing snapshot needs no suspicion, however many checks showed the same difference since.
    """
    before = broker.newest_before(conn, snapshot.taken_at)
    odd, at = _disagreeing(comparison), before
    if before is None or before.session == snapshot.session or not odd:
        return before
    for _ in range(CHECKS_LOOKED_BACK):
        if at is None:
            break
        expected = of.dividends(compared_session(at, of.facts))
        try:
            earlier = compare(at, of.facts, held.equity_gbp, expected, of.policy.reconciliation)
        except LedgerError:
            break
        if not odd & _disagreeing(earlier):
            return at
        at = broker.newest_before(conn, at.taken_at)
    return before


def _disagreeing(comparison: Comparison) -> set[str]:
    return {d.symbol for d in comparison.differences if d.verdict not in ("equal", "within", "dividends")}


def _told_splits(
    conn: psycopg.Connection[Any], policy: Policy, names: Sequence[str], session: Session
) -> tuple[CorporateAction, ...]:
    """Splits near a session that any source ever told, also those taken back since: somebody may have been wrong."""
    data = policy.data
    rows = conn.execute(
        "SELECT DISTINCT symbol, ex_date, value, source FROM ops.corporate_actions "
        "WHERE kind = 'split' AND value > 0 AND ex_date BETWEEN %s AND %s AND symbol = ANY(%s) AND source = ANY(%s) "
        "ORDER BY ex_date, symbol, source, value",
        (session - SPLITS_NEAR, session + SPLITS_NEAR, list(names), list(data.source_order)),
    )
    return tuple(
        CorporateAction(
            r["symbol"], r["ex_date"], "split", clean_ratio(r["value"], data.split_max_denominator, data.split_noise),
            r["source"],
        )
        for r in rows
    )  # fmt: skip


def recent_lines(conn: psycopg.Connection[Any], now: dt.datetime) -> tuple[AnsweredLine, ...]:
    """Lines of the newest TRADE tickets with the answers in force."""
    rows = conn.execute(
        "WITH newest AS (SELECT t.plan_id, t.content, w.plan_id IS NOT NULL AS withdrawn FROM ops.tickets t "
        "JOIN ops.plans p USING (plan_id) LEFT JOIN ops.ticket_withdrawals w USING (plan_id) "
        "WHERE t.verdict = 'TRADE' ORDER BY p.asof DESC, t.audit_seq DESC LIMIT %s), "
        "answered AS (SELECT DISTINCT ON (c.plan_id, c.line) c.* FROM ops.confirmations c JOIN newest USING (plan_id) "
        "ORDER BY c.plan_id, c.line, c.revision DESC) "
        "SELECT l.*, n.withdrawn, (n.content::jsonb -> 'window' ->> 'session')::date AS window_session, "
        "a.status, a.units AS said_units, a.price_usd AS said_price, a.value_gbp AS said_value, "
        "ARRAY(SELECT f.fill_id::text FROM ops.ledger_trades_fills f WHERE f.confirmation_id = a.confirmation_id "
        " AND NOT EXISTS (SELECT 1 FROM ops.ledger_voids v WHERE v.fill_id = f.fill_id) ORDER BY f.part) AS fill_ids "
        "FROM newest n JOIN ops.ticket_lines l USING (plan_id) "
        "LEFT JOIN answered a ON a.plan_id = l.plan_id AND a.line = l.line ORDER BY l.plan_id, l.line",
        (TICKETS_LOOKED_AT,),
    )
    return tuple(
        AnsweredLine(
            r["plan_id"], r["line"], r["symbol"], r["side"], r["amount_gbp"], r["units"], r["reference_price_usd"],
            r["status"], r["window_session"], r["withdrawn"], r["said_units"], r["said_price"], r["said_value"],
            tuple(r["fill_ids"]),
        )
        for r in rows
        if r["window_session"] <= now.date()
    )  # fmt: skip


def statement_rows(conn: psycopg.Connection[Any], since: dt.datetime) -> tuple[StatementRow, ...]:
    """Rows of imported statements from a moment on, oldest first."""
    return tuple(
        StatementRow(
            r["kind"], r["at"], r["symbol"], r["units"], r["amount_gbp"], r["position_id"], r["row_key"]
        )
        for r in statements.rows_since(conn, since)
    )  # fmt: skip
