"""Plans (the schedule of record), the moment each began, and the runs that evaluated it."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

import psycopg

from trading_ops.domain.calendar import close_utc, is_last_of_week, plan_times
from trading_ops.domain.errors import Refused
from trading_ops.domain.policy import Policy
from trading_ops.store import audit, configuration
from trading_ops.store.provenance import CodeState
from trading_ops.store.snapshots import Snapshot

FACT_KINDS = (
    "answers.confirmation", "backup.proven", "broker.snapshot", "desk.kill_switch", "ledger.event", "ledger.fill",
    "ledger.movement", "ledger.void", "quality.accepted", "ticket.withdrawn", "universe.checked", "universe.disabled",
)  # fmt: skip
"""Announcements that can change what a plan decides, beside blocking incidents. A run that saw fewer is not current."""


@dataclass(frozen=True)
class Plan:
    """One weekly decision that must end in one ticket."""

    plan_id: str
    asof: dt.date
    week: str
    opens_at: dt.datetime
    decide_by: dt.datetime
    kind: str = "weekly"

    @property
    def is_test(self) -> bool:
        """One small order that tries the whole path; the schedule of record knows nothing of it."""
        return self.kind == "test"


@dataclass(frozen=True)
class Opening:
    """What was fixed when a plan began."""

    plan_id: str
    policy_version: int
    universe_version: int
    config_hash: str
    audit_seq: int


@dataclass(frozen=True)
class Run:
    """One evaluation of a plan, pinned to the facts it may see."""

    run_id: uuid.UUID
    plan_id: str
    config_hash: str
    git_commit: str
    git_dirty: bool
    signal_source: str
    model_version: str
    facts_seq: int
    driver: str
    dagster_run: str | None
    created_at: dt.datetime
    snapshot_id: str | None


_PLAN = "plan_id, asof, week, opens_at, decide_by, kind"


def register(conn: psycopg.Connection[Any], asof: dt.date, policy: Policy) -> Plan:
    """Write a plan into the schedule of record; one that is there stays as it is.

    Raises:
        Refused: The date is not the last session of its week.
    """
    found = conn.execute(f"SELECT {_PLAN} FROM ops.plans WHERE asof = %s AND kind = 'weekly'", (asof,)).fetchone()
    if found:
        return Plan(**found)
    if not is_last_of_week(asof):
        raise Refused(
            f"{asof} is not the last New York session of its week, so it cannot be an as-of session. "
            "Use the last trading day of a week."
        )
    times = plan_times(asof, policy)
    plan = Plan(asof.isoformat(), asof, times.week, times.opens_at, times.decide_by)
    seq = audit.append(
        conn, "plan.registered", plan.plan_id, {"week": plan.week, "decide_by": plan.decide_by.isoformat()}
    )
    conn.execute(
        f"INSERT INTO ops.plans ({_PLAN}, audit_seq) VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (plan.plan_id, plan.asof, plan.week, plan.opens_at, plan.decide_by, plan.kind, seq),
    )
    return plan


def register_test(conn: psycopg.Connection[Any], asof: dt.date, policy: Policy) -> Plan:
    """Write a test plan of a session, any session; one that is there stays as it is.

    Raises:
        CalendarError: The date is no session.
    """
    plan_id = f"test-{asof.isoformat()}"
    found = conn.execute(f"SELECT {_PLAN} FROM ops.plans WHERE plan_id = %s", (plan_id,)).fetchone()
    if found:
        return Plan(**found)
    times = plan_times(asof, policy)
    decide_by = times.no_trade_after - dt.timedelta(minutes=1)
    plan = Plan(plan_id, asof, plan_id, close_utc(asof), decide_by, "test")
    said = {"week": plan.week, "decide_by": plan.decide_by.isoformat()}
    seq = audit.append(conn, "plan.registered", plan.plan_id, said)
    conn.execute(
        f"INSERT INTO ops.plans ({_PLAN}, audit_seq) VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (plan.plan_id, plan.asof, plan.week, plan.opens_at, plan.decide_by, plan.kind, seq),
    )
    return plan


def get(conn: psycopg.Connection[Any], plan_id: str) -> Plan:
    """A registered plan.

    Raises:
        Refused: There is none of that id.
    """
    row = conn.execute(f"SELECT {_PLAN} FROM ops.plans WHERE plan_id = %s", (plan_id,)).fetchone()
    if row is None:
        raise Refused(f"There is no plan {plan_id}. `trading-ops plan --asof {plan_id}` makes one.")
    return Plan(**row)


def without_ticket(conn: psycopg.Connection[Any]) -> tuple[Plan, ...]:
    """Plans that still owe a ticket, oldest first."""
    rows = conn.execute(
        f"SELECT {_PLAN} FROM ops.plans p WHERE kind = 'weekly' "
        "AND NOT EXISTS (SELECT 1 FROM ops.tickets t WHERE t.plan_id = p.plan_id) "
        "ORDER BY asof"
    )
    return tuple(Plan(**row) for row in rows)


def begin(conn: psycopg.Connection[Any], plan: Plan) -> Opening:
    """Open a plan: from here its policy and universe are fixed. Opening twice returns the first opening."""
    found = opening(conn, plan.plan_id)
    if found:
        return found
    policy = configuration.policy_in_force(conn)
    universe = configuration.universe_of_day(conn, plan.asof)
    digest = configuration.config_hash(policy.policy_hash, universe.universe_hash)
    seq = audit.append(
        conn,
        "plan.opened",
        plan.plan_id,
        {"policy_version": policy.version, "universe_version": universe.version, "config_hash": digest},
    )
    conn.execute(
        "INSERT INTO ops.plan_openings (plan_id, policy_version, universe_version, config_hash, audit_seq) "
        "VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (plan.plan_id, policy.version, universe.version, digest, seq),
    )
    made = opening(conn, plan.plan_id)
    assert made is not None
    return made


def opening(conn: psycopg.Connection[Any], plan_id: str) -> Opening | None:
    """How a plan began, or None while it has not."""
    row = conn.execute(
        "SELECT plan_id, policy_version, universe_version, config_hash, audit_seq FROM ops.plan_openings "
        "WHERE plan_id = %s",
        (plan_id,),
    ).fetchone()
    return Opening(**row) if row else None


def facts_head(conn: psycopg.Connection[Any]) -> int:
    """The number of the newest announcement that can change a decision; 1 when there is none.

    An incident that blocks nothing changes none: a plan that failed can be told of without being run again for that.
    """
    row = conn.execute(
        "SELECT greatest((SELECT max(seq) FROM ops.audit_log WHERE kind = ANY(%s)), "
        "(SELECT max(audit_seq) FROM ops.incidents WHERE blocking), "
        "(SELECT max(c.audit_seq) FROM ops.incident_closures c JOIN ops.incidents i USING (incident_id) "
        "WHERE i.blocking)) AS seq",
        (list(FACT_KINDS),),
    ).fetchone()
    return int(row["seq"] or 1) if row else 1


def start_run(
    conn: psycopg.Connection[Any],
    plan: Plan,
    run_id: uuid.UUID,
    *,
    code: CodeState,
    signal_source: str,
    model_version: str,
    driver: str,
    dagster_run: str | None = None,
) -> Run:
    """Register an evaluation of a plan; the same id returns the run that is there.

    It is pinned to the audit head of now: it sees the facts, answers and tickets announced up to here and no others.

    Raises:
        Refused: The plan has its ticket already: a decided plan is never decided again.
    """
    if decided(conn, plan.plan_id):
        raise Refused(f"Plan {plan.plan_id} has its ticket already; a decided plan is never decided again.")
    config = begin(conn, plan).config_hash
    conn.execute(
        "INSERT INTO ops.runs (run_id, plan_id, config_hash, git_commit, git_dirty, signal_source, model_version, "
        "facts_seq, driver, dagster_run) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (
            run_id, plan.plan_id, config, code.commit, code.dirty, signal_source, model_version,
            audit.head(conn).seq, driver, dagster_run,
        ),
    )  # fmt: skip
    return run(conn, run_id)


def decided(conn: psycopg.Connection[Any], plan_id: str) -> bool:
    """True when the plan's ticket exists."""
    return conn.execute("SELECT 1 FROM ops.tickets WHERE plan_id = %s", (plan_id,)).fetchone() is not None


_RUN = (
    "run_id, plan_id, config_hash, git_commit, git_dirty, signal_source, model_version, facts_seq, driver, "
    "dagster_run, created_at, snapshot_id"
)


def run(conn: psycopg.Connection[Any], run_id: uuid.UUID) -> Run:
    """A registered run with its data snapshot, once it has one."""
    row = conn.execute(f"SELECT {_RUN} FROM ops.run_manifests WHERE run_id = %s", (run_id,)).fetchone()
    if row is None:
        raise Refused(f"There is no run {run_id}.")
    return Run(**row)


def is_current(conn: psycopg.Connection[Any], run: Run) -> bool:
    """True while a run has seen every fact there is: what people said, and every load of market data."""
    row = conn.execute(
        "SELECT NOT EXISTS (SELECT 1 FROM ops.run_snapshots s JOIN ops.price_loads l ON l.load_id > s.load_watermark "
        "WHERE s.run_id = %s) AS current",
        (run.run_id,),
    ).fetchone()
    return bool(row and row["current"]) and facts_head(conn) <= run.facts_seq


def newest_run(conn: psycopg.Connection[Any], plan_id: str) -> Run | None:
    """The newest run of a plan, or None."""
    row = conn.execute(
        f"SELECT {_RUN} FROM ops.run_manifests WHERE plan_id = %s ORDER BY created_at DESC, run_id DESC LIMIT 1",
        (plan_id,),
    ).fetchone()
    return Run(**row) if row else None


def bind_snapshot(conn: psycopg.Connection[Any], run_id: uuid.UUID, snapshot: Snapshot) -> None:
    """Bind a run to its data snapshot, once.

    Raises:
        Refused: The run is bound to another snapshot.
    """
    conn.execute(
        "INSERT INTO ops.run_snapshots (run_id, snapshot_id, load_watermark) VALUES (%s, %s, %s) "
        "ON CONFLICT DO NOTHING",
        (run_id, snapshot.snapshot_id, snapshot.load_watermark),
    )
    bound = conn.execute("SELECT snapshot_id FROM ops.run_snapshots WHERE run_id = %s", (run_id,)).fetchone()
    if bound is None or bound["snapshot_id"] != snapshot.snapshot_id:
        raise Refused(f"Run {run_id} is bound to another data snapshot. Start a new run of the plan.")
