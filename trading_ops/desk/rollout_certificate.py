"""The certificate of a dry run: written by a paper book, read by the live book that it leads on.

It is a file, because the two books live in two homes. Nothing proves who wrote it but the paper book's own audit chain,
in which its hash stands; it names what was rehearsed, so that another strategy cannot be led on by it.
Does not belong here: leading on (`rolling_out`).
"""

import datetime as dt
import json
from typing import Any

import psycopg

from trading_ops.desk import rollout_state
from trading_ops.desk.switching import require_reason
from trading_ops.domain.canonical import canonical_bytes, sha256_hex
from trading_ops.domain.errors import BadInput, Refused
from trading_ops.domain.policy import Policy
from trading_ops.domain.rollout import CERTIFICATE_DAYS, strategy_hash
from trading_ops.domain.rollout_judged import Single
from trading_ops.store import audit, configuration, provenance, rollout


def certify(conn: psycopg.Connection[Any], now: dt.datetime, reason: str, by: str) -> bytes:
    """The certificate of a paper book's dry run, for the live book; canonical JSON.

    Raises:
        BadInput: The reason is missing.
        Refused: This is no paper book in its dry run, or a criterion does not hold.
    """
    require_reason(reason)
    audit.one_writer(conn)
    found = rollout_state.require_state(conn, now)
    if found.book != "paper" or found.phase.name != "dry_run":
        raise Refused(
            f"Only the dry run of a paper book is certified; this is a {found.book} book, {found.phase.title}."
        )
    if found.missing:
        raise Refused(f"The dry run has not passed yet. {' '.join(found.missing)}")
    head, policy = audit.head(conn), configuration.policy_in_force(conn).policy
    document = canonical_bytes(
        {
            "certificate": "dry run", "schema_version": 1, "book": found.book, "strategy": strategy_hash(policy),
            "answers": rollout_state.answers_of(found), "audit_seq": head.seq, "audit_hash": head.hash,
            "code": provenance.code_state().commit, "written_utc": now.astimezone(dt.UTC).isoformat(),
        }
    )  # fmt: skip
    rollout.record(conn, "certified", "dry_run", policy.sizing.phase_share, reason.strip(), by, document)
    return document


def worth(certificate: bytes, policy: Policy, now: dt.datetime) -> Single:
    """What a certificate is worth to this book.

    Raises:
        BadInput: It is none, or was altered.
    """
    try:
        said: dict[str, Any] = json.loads(certificate)
        whole = (
            canonical_bytes(said) == certificate and said["certificate"] == "dry run" and said["schema_version"] == 1
        )
        written = dt.datetime.fromisoformat(said["written_utc"])
        passed = bool(said["answers"]) and all(answer["met"] is True for answer in said["answers"])
        book, strategy = said["book"], said["strategy"]
    except (ValueError, KeyError, TypeError) as exc:
        raise BadInput("The certificate is no file of `trading-ops rollout certificate`.") from exc
    if not whole:
        raise BadInput("The certificate was altered: it is not as `trading-ops rollout certificate` wrote it.")
    seen = f"dry run certified on {written.date()}, sha256 {sha256_hex(certificate)[:16]}"
    if book != "paper" or not passed:
        return Single(False, None, f"{seen}, of a {book} book or with criteria that did not hold")
    if strategy != strategy_hash(policy):
        return Single(False, None, f"{seen}, with other signals, sizing or risk than this book's policy")
    if not dt.timedelta(0) <= now - written <= dt.timedelta(days=CERTIFICATE_DAYS):
        return Single(False, None, f"{seen}, which is not within the last {CERTIFICATE_DAYS} days")
    return Single(True, f"certificate of {written.date()}", seen)
