"""Rebuild a ticket from what was stored, blind to the ticket itself, and name what differs.

The recomputing connection has a role that cannot read decisions, tickets or lines.
"""

import hashlib
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq

from trading_ops.domain.errors import TradingOpsError
from trading_ops.domain.judgement import Judgement
from trading_ops.domain.policy import canonical as policy_canonical
from trading_ops.domain.policy import describe_difference
from trading_ops.domain.ticket import content_bytes, from_json, to_markdown
from trading_ops.domain.universe import universe_hash
from trading_ops.planning import inputs
from trading_ops.planning.issue import compose
from trading_ops.store import announced, audit, configuration, ledger, plans, provenance, snapshots
from trading_ops.store.snapshot_parts import Part, SnapshotDamaged
from trading_ops.store.tickets import Ticket

SHOWN = 8
"""Differences named in full; one altered number shows in many places of a ticket."""


@dataclass(frozen=True)
class Replay:
    """What replaying a ticket gave.

    Attributes:
        ticket_id: The ticket.
        identical: The recomputed content has the stored content's bytes.
        content_sha256: Hash of the stored content.
        differences: What differs, each as a sentence.
        notes: What does not make a difference but should be known (other code than recorded).
    """

    ticket_id: str
    identical: bool
    content_sha256: str
    differences: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The result as printed."""
        tail = "".join(f"\n  note: {note}" for note in self.notes)
        if self.identical:
            return f"{self.ticket_id} identical sha256:{self.content_sha256}{tail}"
        return f"{self.ticket_id} DIFFERS" + "".join(f"\n  {d}" for d in self.differences) + tail

    def as_dict(self) -> dict[str, object]:
        """The same, for JSON."""
        return asdict(self)


def replay(blind: psycopg.Connection[Any], conn: psycopg.Connection[Any], root: Path, ticket: Ticket) -> Replay:
    """Rebuild a ticket's content and compare it byte by byte.

    Args:
        blind: A connection of the replayer's role: inputs only.
        conn: A connection that may read everything; used to name what differs, never to compute.
        root: The snapshots folder.
        ticket: The stored ticket.
    """
    differences = [*_stored_whole(ticket), *_altered_inputs(blind, root, ticket)]
    if not differences:
        try:
            rebuilt = _rebuild(blind, root, ticket)
        except TradingOpsError as exc:
            differences.append(f"it cannot be recomputed: {exc}")
        else:
            differences += _compare(json.loads(ticket.content), json.loads(rebuilt), "content")
            if not differences:
                differences += _what_people_read(conn, ticket)
            if not differences and rebuilt.decode() != ticket.content:
                differences.append("the bytes differ")
    if differences:
        # What was altered comes first; what follows from it is only shown in part.
        more = len(differences) - SHOWN
        tail = [f"and {more} more differences"] if more > 0 else []
        # Some of it was found while looking at the inputs already, and is named once.
        differences = list(dict.fromkeys([*_tampered(conn), *differences[:SHOWN], *tail]))
    return Replay(ticket.ticket_id, not differences, ticket.content_sha256, tuple(differences), _notes(ticket))


def _what_people_read(conn: psycopg.Connection[Any], ticket: Ticket) -> Iterator[str]:
    """The stored text and lines say what the content says."""
    try:
        content, envelope = from_json(json.dumps(ticket.document))
    except TradingOpsError as exc:
        yield f"the ticket's envelope is not that of its content: {exc}"
        return
    if to_markdown(content, envelope) != ticket.markdown:
        yield "the ticket's text is not the text of its content"
    stored = conn.execute(
        "SELECT line, symbol, side, amount_gbp, units FROM ops.ticket_lines WHERE plan_id = %s ORDER BY line",
        (ticket.plan_id,),
    ).fetchall()
    for line, row in itertools.zip_longest(content.lines, stored):
        says = (line.line, line.symbol, line.side, Decimal(line.amount_gbp), Decimal(line.units)) if line else None
        if says != (tuple(row.values()) if row else None):
            yield f"ticket_lines {line.line if line else row['line']}: not what the content says"


def _rebuild(blind: psycopg.Connection[Any], root: Path, ticket: Ticket) -> bytes:
    around = inputs.frame(blind, plans.get(blind, ticket.plan_id))
    run = plans.run(blind, ticket.run_id) if ticket.run_id else None
    told = bool(run and run.snapshot_id and ticket.evidence)
    # Of the ticket only this is looked at: which hashes it states. What they should be is worked out.
    unstated = inputs.STATED_SINCE - json.loads(ticket.content)["inputs"].keys()
    judgement = Judgement(inputs.load(blind, root, around, run, unstated)) if run and told else None
    content, _ = compose(around, run, judgement, ticket.evidence, ticket.decided_as_of)
    return content_bytes(content)


def _stored_whole(ticket: Ticket) -> list[str]:
    if hashlib.sha256(ticket.content.encode()).hexdigest() != ticket.content_sha256:
        return ["the stored content differs from its own hash"]
    return []


def _altered_inputs(blind: psycopg.Connection[Any], root: Path, ticket: Ticket) -> Iterator[str]:
    """Inputs that are no longer what they were when they were stored."""
    yield from _altered_policy(blind, ticket)
    yield from _altered_universe(blind, ticket)
    if ticket.run_id is None:
        return
    run = plans.run(blind, ticket.run_id)
    # A ticket that states no hash of these must not hide one that was smuggled in.
    yield from announced.tampered(blind, announced.RARE, run.facts_seq)
    if run.snapshot_id is None:
        return
    snapshot = snapshots.get(blind, run.snapshot_id)
    for part in snapshot.parts:
        try:
            snapshots.check_part(root, part)
        except SnapshotDamaged as exc:
            yield str(exc)
            yield from _altered_rows(blind, root, part, run.snapshot_id)


def _altered_policy(blind: psycopg.Connection[Any], ticket: Ticket) -> Iterator[str]:
    opening = plans.opening(blind, ticket.plan_id)
    if opening is None:
        yield f"plan {ticket.plan_id}: its opening is no longer there"
        return
    row = blind.execute("SELECT * FROM ops.config_policy WHERE version = %s", (opening.policy_version,)).fetchone()
    if row is None:
        yield f"policy version {opening.policy_version} is no longer there"
        return
    said = audit.announced(blind, "config.policy").get(str(opening.policy_version), {})
    try:
        stored = configuration.policy_version(blind, opening.policy_version)
    except TradingOpsError as exc:
        yield f"policy version {opening.policy_version}: {exc}"
        return
    for change in describe_difference(json.loads(row["canonical"]), policy_canonical(stored.policy)):
        yield f"policy version {stored.version}: {change}"
    if hashlib.sha256(row["canonical"].encode()).hexdigest() != said.get("policy_hash"):
        yield f"policy version {stored.version}: its numbers differ from those announced when it was imported"


def _altered_universe(blind: psycopg.Connection[Any], ticket: Ticket) -> Iterator[str]:
    opening = plans.opening(blind, ticket.plan_id)
    if opening is None:
        return
    try:
        stored = configuration.universe_version(blind, opening.universe_version)
    except TradingOpsError as exc:
        yield f"universe version {opening.universe_version}: {exc}"
        return
    said = audit.announced(blind, "config.universe").get(str(stored.version), {})
    if not universe_hash(stored.universe) == stored.universe_hash == said.get("universe_hash"):
        yield f"universe version {stored.version}: its names differ from those announced when it was imported"


def _altered_rows(blind: psycopg.Connection[Any], root: Path, part: Part, snapshot_id: str) -> Iterator[str]:
    """The rows of a damaged part that differ from what the database says they were."""
    try:
        table = pq.read_table(part.path(root), use_threads=False)
    except (OSError, ValueError):
        yield f"{part.path(root).name}: cannot be read as Parquet at all"
        return
    truth = snapshots.part_from_database(blind, part, snapshot_id)
    keys = ("symbol", "session", "ex_date", "day", "kind")
    for now, was in zip(table.to_pylist(), truth.to_pylist(), strict=False):
        for column, value in was.items():
            if now.get(column) != value:
                name = " ".join(str(was[k]) for k in keys if k in was)
                yield f"{name}: {column} is {now.get(column)} in the snapshot's file, {value} in the database"
    if table.num_rows != truth.num_rows:
        yield f"{part.path(root).name}: {table.num_rows} rows, {truth.num_rows} in the database"


def _compare(stored: Any, rebuilt: Any, place: str) -> Iterator[str]:
    if isinstance(stored, dict) and isinstance(rebuilt, dict):
        for key in sorted(stored.keys() | rebuilt.keys()):
            yield from _compare(stored.get(key), rebuilt.get(key), f"{place}.{key}")
    elif isinstance(stored, list) and isinstance(rebuilt, list) and len(stored) == len(rebuilt):
        for index, (a, b) in enumerate(zip(stored, rebuilt, strict=True)):
            yield from _compare(a, b, f"{place}[{index}]")
    elif stored != rebuilt:
        yield f"{place}: the ticket says {_short(stored)}, recomputed {_short(rebuilt)}"


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:77] + "..."


def _tampered(conn: psycopg.Connection[Any]) -> Sequence[str]:
    broken = [f"audit row {seq}: {fault}" for seq, fault in audit.broken(conn)[:5]]
    return [*ledger.tampered(conn)[:20], *announced.tampered(conn)[:20], *broken]


def _notes(ticket: Ticket) -> tuple[str, ...]:
    recorded = json.loads(ticket.envelope)["git_commit"]
    running = provenance.code_state()
    if recorded != running.commit:
        return (f"recomputed with code {running.commit[:12]}, the ticket was made with {recorded[:12]}",)
    return ("the working tree differs from the commit",) if running.dirty else ()
