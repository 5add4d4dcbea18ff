"""Which backups were made, and which were proven by a restore."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

import psycopg

from trading_ops.store import audit


@dataclass(frozen=True)
class Proof:
    """A restore in which everything came out equal.

    Attributes:
        backup_id: The backup that was restored.
        made_at: The moment of the database that it holds, aware UTC.
        proven_at: When the restore was found equal, aware UTC.
    """

    backup_id: str
    made_at: dt.datetime
    proven_at: dt.datetime


def record_made(
    conn: psycopg.Connection[Any], backup_id: str, made_at: dt.datetime, manifest_sha256: str, size: int
) -> None:
    """Note that a backup was made.

    Args:
        conn: A connection inside a transaction.
        backup_id: Its id.
        made_at: The moment that it holds.
        manifest_sha256: Hash of its manifest, which names the hash of every file.
        size: Bytes on disk.
    """
    payload: dict[str, object] = {
        "made_at": made_at.astimezone(dt.UTC).isoformat(), "manifest_sha256": manifest_sha256, "bytes": size,
    }  # fmt: skip
    seq = audit.append(conn, "backup.made", backup_id, payload)
    conn.execute(
        "INSERT INTO ops.backups (backup_id, made_at, manifest_sha256, bytes, audit_seq) VALUES (%s, %s, %s, %s, %s)",
        (backup_id, made_at, manifest_sha256, size, seq),
    )


def record_proof(
    conn: psycopg.Connection[Any], backup_id: str, manifest_sha256: str, proven_at: dt.datetime, opened_with: str = ""
) -> bool:
    """Note that a backup came out equal in a restore; False when this database did not make it.

    Args:
        conn: A connection inside a transaction.
        backup_id: Its id.
        manifest_sha256: Hash of the manifest that was restored.
        proven_at: When it was found equal.
        opened_with: Public key that an encrypted backup is meant for, when its private key opened it.
    """
    made = conn.execute(
        "SELECT 1 FROM ops.backups WHERE backup_id = %s AND manifest_sha256 = %s", (backup_id, manifest_sha256)
    ).fetchone()
    if made is None:
        return False
    payload: dict[str, object] = {
        "proven_at": proven_at.astimezone(dt.UTC).isoformat(), "manifest_sha256": manifest_sha256,
        **({"opened_with": opened_with} if opened_with else {}),
    }  # fmt: skip
    seq = audit.append(conn, "backup.proven", backup_id, payload)
    conn.execute(
        "INSERT INTO ops.backup_proofs (proof_id, backup_id, proven_at, audit_seq) VALUES (%s, %s, %s, %s)",
        (uuid.uuid4(), backup_id, proven_at, seq),
    )
    return True


def newest_proof(conn: psycopg.Connection[Any], facts_seq: int) -> Proof | None:
    """The proof of the newest backup that was proven, as known at a watermark; None without one."""
    row = conn.execute(
        "SELECT b.backup_id, b.made_at, max(p.proven_at) AS proven_at FROM ops.backup_proofs p "
        "JOIN ops.backups b USING (backup_id) WHERE p.audit_seq <= %s "
        "GROUP BY b.backup_id, b.made_at ORDER BY b.made_at DESC LIMIT 1",
        (facts_seq,),
    ).fetchone()
    return Proof(**row) if row else None


def holds_until(conn: psycopg.Connection[Any], facts_seq: int) -> dt.datetime | None:
    """The moment that the newest proven backup holds, as known at a watermark: gate and page ask here alone."""
    proof = newest_proof(conn, facts_seq)
    return proof.made_at if proof else None


def proven(conn: psycopg.Connection[Any]) -> dict[str, dt.datetime]:
    """When each proven backup was last proven, by id."""
    rows = conn.execute("SELECT backup_id, max(proven_at) AS at FROM ops.backup_proofs GROUP BY backup_id")
    return {r["backup_id"]: r["at"] for r in rows}


def last_opened(conn: psycopg.Connection[Any], recipient: str) -> dt.datetime | None:
    """When the private key of a public key last opened a backup of this home in a restore; None if it never did."""
    row = conn.execute(
        "SELECT max(created_at) AS at FROM ops.audit_log WHERE kind = 'backup.proven' "
        "AND payload::jsonb ->> 'opened_with' = %s", (recipient,),
    ).fetchone()  # fmt: skip
    return row["at"] if row else None
