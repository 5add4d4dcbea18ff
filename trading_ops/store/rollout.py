"""The roll-out as it is kept: acts that lead from phase to phase, and the facts by which a phase is judged.

Does not belong here: what the phases are (`domain.rollout`), whether a criterion holds (`domain.rollout_judged`).
"""

import datetime as dt
import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, TypeAlias

import psycopg

from trading_ops.domain import calendar
from trading_ops.domain.canonical import sha256_hex
from trading_ops.domain.rollout import GATES_WATCHED, PhaseName, strategy_hash
from trading_ops.domain.rollout_judged import Week
from trading_ops.domain.values import plain
from trading_ops.store import audit, configuration

ActName: TypeAlias = Literal["begun", "promoted", "returned", "certified"]
AFTER = "after the newest ticket"


@dataclass(frozen=True)
class Act:
    """One act of the roll-out.

    Attributes:
        share: Share of full size that the phase trades.
        document: Canonical JSON of what was judged; of a certificate, the certificate.
        audit_seq: Its row of the audit chain; what came later belongs to its phase.
    """

    act_id: uuid.UUID
    act: ActName
    phase: PhaseName
    share: Decimal
    reason: str
    set_by: str
    document: str
    document_sha256: str
    audit_seq: int
    created_at: dt.datetime


_COLUMNS = "act_id, act, phase, share, reason, set_by, document, document_sha256, audit_seq, created_at"


def acts(conn: psycopg.Connection[Any]) -> tuple[Act, ...]:
    """Every act, oldest first."""
    return tuple(Act(**row) for row in conn.execute(f"SELECT {_COLUMNS} FROM ops.rollout_acts ORDER BY audit_seq"))


def phase(conn: psycopg.Connection[Any]) -> Act | None:
    """The act that led into the phase that holds; None in a book that has none."""
    row = conn.execute(
        f"SELECT {_COLUMNS} FROM ops.rollout_acts WHERE act <> 'certified' ORDER BY audit_seq DESC LIMIT 1"
    ).fetchone()
    return Act(**row) if row else None


def record(
    conn: psycopg.Connection[Any],
    act: ActName,
    phase: PhaseName,
    share: Decimal,
    reason: str,
    set_by: str,
    document: bytes,
) -> Act:
    """Store an act.

    Args:
        conn: A connection inside a transaction.
        act: What was done.
        phase: The phase that holds from now on; of a certificate the one it certifies.
        share: Share of full size that the phase trades.
        reason: Why.
        set_by: Who.
        document: Canonical JSON of what was judged.
    """
    act_id, digest = uuid.uuid4(), sha256_hex(document)
    said = _announced(act, phase, share, reason, set_by, digest)
    seq = audit.append(conn, "rollout.act", str(act_id), said)
    row = conn.execute(
        "INSERT INTO ops.rollout_acts (act_id, act, phase, share, reason, set_by, document, document_sha256, audit_seq)"
        f" VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING {_COLUMNS}",
        (act_id, act, phase, share, reason, set_by, document.decode(), digest, seq),
    ).fetchone()
    assert row is not None
    return Act(**row)


def announcement(row: dict[str, Any]) -> dict[str, object]:
    """What was announced of a stored act."""
    return _announced(
        row["act"], row["phase"], row["share"], row["reason"], row["set_by"], row["document_sha256"]
    )  # fmt: skip


def _announced(
    act: str, phase: str, share: Decimal, reason: str, set_by: str, digest: str
) -> dict[str, object]:  # fmt: skip
    return {
        "act": act, "phase": phase, "share": plain(share), "reason": reason, "set_by": set_by,
        "document_sha256": digest,
    }  # fmt: skip


def weeks(conn: psycopg.Connection[Any], after: int) -> tuple[Week, ...]:
    """The weeks whose tickets were issued after a row of the audit chain, oldest first.

    A week's incidents are those opened since the ticket before, its reports those of the days since that one's session.
    """
    rows = conn.execute(
        "SELECT p.asof, p.week, t.audit_seq, o.policy_version, "
        "t.issued_at < (t.content::json->'window'->>'open_utc')::timestamptz AS on_time, "
        "ARRAY(SELECT g->>'code' FROM json_array_elements(t.content::json->'gates') g "
        "WHERE g->>'code' = ANY(%(watched)s) AND g->>'outcome' <> 'PASS') AS failed, "
        "lag(t.audit_seq) OVER (ORDER BY p.asof) AS seq_before, lag(p.asof) OVER (ORDER BY p.asof) AS asof_before "
        "FROM ops.tickets t JOIN ops.plans p USING (plan_id) LEFT JOIN ops.plan_openings o USING (plan_id) "
        "WHERE p.kind = 'weekly' AND t.audit_seq > %(after)s ORDER BY p.asof",
        {"watched": list(GATES_WATCHED), "after": after},
    ).fetchall()
    opened = conn.execute("SELECT class, audit_seq FROM ops.incidents WHERE audit_seq > %s", (after,)).fetchall()
    written = {(r["kind"], r["day"]) for r in conn.execute("SELECT DISTINCT kind, day FROM ops.reports")}
    strategies = _strategies(conn, {r["policy_version"] for r in rows} - {None})
    return tuple(
        Week(
            week=r["week"],
            failed=tuple(r["failed"]),
            incidents=tuple(
                i["class"] for i in opened if (r["seq_before"] or after) < i["audit_seq"] <= r["audit_seq"]
            ),
            reports_missing=sum(due not in written for due in _due(r["asof"], r["asof_before"])),
            on_time=r["on_time"],
            strategy=strategies.get(r["policy_version"]),
        )
        for r in rows
    )


def _due(asof: dt.date, before: dt.date | None) -> list[tuple[str, dt.date]]:
    """Reports that are due by the ticket of a session: its week's days, and the week before it."""
    if before is None:
        return [("daily", asof)]
    days = calendar.sessions(before + dt.timedelta(days=1), asof)
    return [*(("daily", day) for day in days), ("weekly", before)]


def _strategies(conn: psycopg.Connection[Any], versions: set[int]) -> dict[int, str]:
    return {version: strategy_hash(configuration.policy_version(conn, version).policy) for version in versions}


def incidents_since_ticket(conn: psycopg.Connection[Any], after: int) -> tuple[str, ...]:
    """Classes of the incidents opened since the newest weekly ticket, and after a row of the chain."""
    rows = conn.execute(
        "SELECT DISTINCT class FROM ops.incidents WHERE audit_seq > greatest(%s, coalesce((SELECT max(t.audit_seq) "
        "FROM ops.tickets t JOIN ops.plans p USING (plan_id) WHERE p.kind = 'weekly'), 0)) ORDER BY class",
        (after,),
    )
    return tuple(r["class"] for r in rows)


def week_of(conn: psycopg.Connection[Any], seq: int) -> str:
    """The week that a fact belongs to: that of the first weekly ticket after it."""
    row = conn.execute(
        "SELECT p.week FROM ops.tickets t JOIN ops.plans p USING (plan_id) WHERE p.kind = 'weekly' "
        "AND t.audit_seq > %s ORDER BY t.audit_seq LIMIT 1",
        (seq,),
    ).fetchone()
    return str(row["week"]) if row else AFTER


def account_confirmed(conn: psycopg.Connection[Any]) -> int | None:
    """The row of the chain of the first policy that says when the account was confirmed; None without one."""
    row = conn.execute(
        "SELECT min(audit_seq) AS seq FROM ops.config_policy "
        "WHERE canonical::json->'account'->>'confirmed_on' IS NOT NULL"
    ).fetchone()
    return row["seq"] if row else None


def first_proof(conn: psycopg.Connection[Any]) -> int | None:
    """The row of the chain of the first proof of a backup; None without one."""
    row = conn.execute("SELECT min(audit_seq) AS seq FROM ops.backup_proofs").fetchone()
    return row["seq"] if row else None


def verifications(conn: psycopg.Connection[Any]) -> list[tuple[int, str]]:
    """When each name was first found on eToro, as rows of the chain: by a look-up, or by the universe file's date."""
    rows = conn.execute(
        "SELECT min(seq) AS seq, symbol FROM ("
        "SELECT audit_seq AS seq, symbol FROM ops.name_checks WHERE outcome = 'found' UNION ALL "
        "SELECT v.audit_seq, u.internal_symbol FROM ops.config_universe u JOIN ops.config_universe_versions v "
        "USING (version) WHERE u.verified_on IS NOT NULL) found GROUP BY symbol ORDER BY seq, symbol"
    )
    return [(r["seq"], r["symbol"]) for r in rows]


def test_answered(conn: psycopg.Connection[Any]) -> int | None:
    """The row of the chain with which the first test ticket was carried out and answered whole; None while none was."""
    row = conn.execute(
        "SELECT min(done) AS seq FROM (SELECT t.plan_id, max(c.first) AS done FROM ops.tickets t "
        "JOIN ops.plans p USING (plan_id) JOIN ops.ticket_lines l USING (plan_id) LEFT JOIN ("
        "SELECT plan_id, line, min(audit_seq) AS first FROM ops.confirmations "
        "WHERE status IN ('DONE', 'PARTIAL') GROUP BY plan_id, line) c "
        "ON c.plan_id = l.plan_id AND c.line = l.line WHERE p.kind = 'test' AND t.verdict = 'TRADE' "
        "GROUP BY t.plan_id HAVING count(*) = count(c.first)) answered"
    ).fetchone()
    return row["seq"] if row else None
