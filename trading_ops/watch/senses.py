"""Gathering what the watch judges, each part for itself: one that fails blinds only itself, and is told of.

Does not belong here: what an observation means (`domain.watching`).
"""

import datetime as dt
import logging
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import psycopg

from trading_ops.comms import setup
from trading_ops.domain import calendar
from trading_ops.domain.books import Book
from trading_ops.domain.clock_evidence import BELIEVED_FOR
from trading_ops.domain.desk import check_backup_unproven
from trading_ops.domain.errors import ConfigError
from trading_ops.domain.judgement import evidence_codes
from trading_ops.domain.observed import Observed, PlanSeen, Post, Restated, SourceSeen, SwitchSeen
from trading_ops.domain.results import CheckResult, Outcome
from trading_ops.intake import telling
from trading_ops.settings import Settings
from trading_ops.store import (
    answers,
    audit,
    backups,
    configuration,
    desk,
    evidence,
    fetches,
    outbox,
    plans,
    restatements,
    tickets,
)
from trading_ops.store.errors import SecretsTooOpen
from trading_ops.store.plans import Run

_log = logging.getLogger(__name__)

RESTATED_WITHIN = dt.timedelta(days=30)
SHOWN = 20


def wall_clock() -> dt.datetime:
    """Now, UTC."""
    return dt.datetime.now(dt.UTC)


def free_bytes(folder: Path) -> int:
    """Bytes free on a folder's disk."""
    return shutil.disk_usage(folder).free


@dataclass(frozen=True)
class Senses:
    """What the watch looks with. `now` is the desk's moment; the machine's clock and its disk can be replaced."""

    conn: psycopg.Connection[Any]
    settings: Settings
    now: dt.datetime
    machine: Callable[[], dt.datetime] = wall_clock
    free: Callable[[Path], int] = free_bytes


def gather(of: Senses) -> Observed:
    """Look at everything.

    Raises:
        psycopg.OperationalError: The database went away; nothing can be told then.
    """
    found: dict[str, Any] = {}
    blind: dict[str, str] = {}
    parts: dict[str, Callable[[Senses], dict[str, Any]]] = {
        "plans": _plans, "kill switch": _switch, "sources": _sources, "backups": _backups,
        "restatements": _restatements, "outbox": _post, "disk": _disk, "clocks": _clocks,
    }  # fmt: skip
    for sense, look in parts.items():
        try:
            found |= look(of)
        except psycopg.OperationalError:
            raise
        except Exception as exc:
            _log.exception("The watch cannot look at: %s", sense)
            blind[sense] = f"{type(exc).__name__}: {exc}"[:400]
    return Observed(**found, blind=blind)


def _plans(of: Senses) -> dict[str, Any]:
    row = of.conn.execute(
        "SELECT plan_id FROM ops.plans WHERE kind = 'weekly' AND opens_at <= %s ORDER BY asof DESC LIMIT 1", (of.now,)
    ).fetchone()
    return {"plan": (_plan(of.conn, row["plan_id"]),) if row else ()}


def _plan(conn: psycopg.Connection[Any], plan_id: str) -> PlanSeen:
    plan, ticket, run = plans.get(conn, plan_id), tickets.find(conn, plan_id), plans.newest_run(conn, plan_id)
    lines = answers.previous_lines(conn, plan_id, audit.head(conn).seq)
    stored = evidence.results(conn, run.run_id) if run else {}
    return PlanSeen(
        plan_id=plan_id,
        opens_at=plan.opens_at,
        decide_by=plan.decide_by,
        decided=ticket is not None,
        reasons=tuple(ticket.document["content"]["reasons"]) if ticket else (),
        run_at=run.created_at if run else None,
        complete=run is not None and _complete(conn, run, stored),
        results=tuple(stored.values()),
        unanswered=sum(line.status is None for line in lines),
    )


def _complete(conn: psycopg.Connection[Any], run: Run, stored: Mapping[str, CheckResult]) -> bool:
    """The run left all its evidence, and reached its decision unless a failed rule kept it from there."""
    whole = bool(stored) and all(code in stored for code in evidence_codes(stored))
    refused = any(result.outcome is not Outcome.PASS for result in stored.values())
    return whole and (refused or tickets.has_decision(conn, run.run_id))


def _switch(of: Senses) -> dict[str, Any]:
    session = calendar.last_closed(of.now)
    events = desk.kill_switch_events(of.conn, audit.head(of.conn).seq)
    changes = [e for e in events if e.until is None and e.session <= session]
    if not changes:
        return {"switch": SwitchSeen("ACTIVE", 0, "", "")}
    newest = changes[-1]
    return {"switch": SwitchSeen(newest.state, len(changes), newest.reason, newest.set_by)}


def _sources(of: Senses) -> dict[str, Any]:
    midnight = of.now.replace(hour=0, minute=0, second=0, microsecond=0)
    seen = []
    for state in fetches.source_states(of.conn, midnight):
        dead = telling.is_dead(state)
        seen.append(
            SourceSeen(
                state.source, dead, of.now - state.last_asked > telling.FORGOTTEN, state.last_ok, state.sentence,
                telling.remedy_of(state.outcome) if dead else "",
            )
        )  # fmt: skip
    return {"sources": tuple(seen)}


def _backups(of: Senses) -> dict[str, Any]:
    proof = backups.newest_proof(of.conn, audit.head(of.conn).seq)
    policy = configuration.policy_in_force(of.conn).policy
    book = cast("Book", desk.book(of.conn))
    checked = check_backup_unproven(proof.made_at if proof else None, of.now, policy, book)
    return {"backup": checked if book == "live" else None, "backup_id": proof.backup_id if proof else "none"}


def _restatements(of: Senses) -> dict[str, Any]:
    found = restatements.since(of.conn, of.now - RESTATED_WITHIN)
    return {
        "restated": tuple(
            Restated(load_id, len(bars), tuple(bar.sentence() for bar in bars[:SHOWN]))
            for load_id, bars in found.items()
        )
    }


def _post(of: Senses) -> dict[str, Any]:
    try:
        comms = setup.read(of.settings)
    except (ConfigError, SecretsTooOpen) as exc:
        return {"post": Post(off=False, trouble=str(exc))}
    wait = outbox.waiting(of.conn, of.now, [p.name for p in comms.push])
    wait = tuple(w for w in wait if (comms.smtp if w.recipient.channel == "mail" else comms.push))
    oldest = min(wait, key=lambda w: w.message.created_at, default=None)
    if comms.off or oldest is None:
        return {"post": Post(off=comms.off)}
    return {"post": Post(False, oldest.message.outbox_id, oldest.message.created_at, oldest.detail)}


def _disk(of: Senses) -> dict[str, Any]:
    return {"free_bytes": of.free(of.settings.home)}


def _clocks(of: Senses) -> dict[str, Any]:
    said = fetches.clock_readings(of.conn, of.now - BELIEVED_FOR, of.now)
    return {"clocks": replace(audit.clocks(of.conn, of.machine()), sources=said)}
