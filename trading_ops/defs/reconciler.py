"""What to do about a plan now: run it, issue its ticket, or wait. Level-triggered: decided anew from records.

Belongs here: the decision table, and gathering what it looks at from `ops.*` and Dagster's run records.
Does not belong here: a memory. Nothing is remembered between two looks, so nothing can be missed between them.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import dagster as dg
from dagster._core.storage.tags import PARTITION_NAME_TAG, WILL_RETRY_TAG

from trading_ops.defs import records
from trading_ops.defs.records import PlanRecord
from trading_ops.defs.resources import Desk
from trading_ops.domain.judgement import evidence_codes
from trading_ops.store import desk as desk_store
from trading_ops.store import evidence, plans, tickets
from trading_ops.store.plans import Run

Step: TypeAlias = Literal["plan_job", "ticket_job"]

SIM_GRACE = dt.timedelta(hours=1)
"""A simulation decides its plans itself, in their own past; one that it left behind is taken up after this."""
FIRST_WAIT, LONGEST_WAIT = dt.timedelta(seconds=30), dt.timedelta(minutes=15)
TRIES_PER_FACTS = 3
"""How often a plan is evaluated on the same facts when its runs break off; facts that change start anew."""
MIRRORED = 20
"""How many of the newest tickets are looked up in Dagster's own records."""

ENDS = frozenset({dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED})
"""Every other state, also one that a later Dagster invents, is waited for until the plan is due."""


@dataclass(frozen=True)
class JobState:
    """What Dagster knows of one job of one plan.

    Attributes:
        runs: How many runs there are, retries included.
        under_way: The newest is queued or at work, or is going to be retried by itself.
        ended_at: When the newest ended, None without one.
    """

    runs: int = 0
    under_way: bool = False
    ended_at: dt.datetime | None = None

    def rested(self, now: dt.datetime) -> bool:
        """Long enough since the newest run; the wait doubles with each run."""
        if self.ended_at is None:
            return True
        wait = min(FIRST_WAIT * 2 ** min(self.runs - 1, 10), LONGEST_WAIT)
        return now >= self.ended_at + wait

    def since(self, moment: dt.datetime) -> "JobState":
        """The same, as if nothing had ended before a moment."""
        return self if self.ended_at is None or self.ended_at >= moment else replace(self, ended_at=None)


@dataclass(frozen=True)
class Seen:
    """Everything the decision about one plan looks at.

    Attributes:
        open: The plan's opening time has come.
        due: It has to be decided now, whatever fails.
        has_ticket: Its ticket exists.
        in_dagster: Dagster has a materialization of that ticket.
        evaluated: There is a run of the plan.
        current: The newest run has seen every fact there is.
        proven: The newest run ended in TRADE.
        broken_off: The newest run lacks evidence that no failed gate explains.
        tries: Runs on the facts of the newest run.
        plan: State of plan_job.
        ticket: State of ticket_job.
    """

    open: bool
    due: bool
    has_ticket: bool = False
    in_dagster: bool = False
    evaluated: bool = False
    current: bool = False
    proven: bool = False
    broken_off: bool = False
    tries: int = 0
    plan: JobState = JobState()
    ticket: JobState = JobState()


def next_step(seen: Seen, now: dt.datetime) -> Step | None:
    """The decision table; None is to wait.

    Returns:
        `ticket_job` for a plan that is proven or due, and for a ticket that Dagster has no record of; `plan_job` for an
        open plan whose newest run is missing, behind the facts, or broke off.
    """
    if seen.ticket.under_way or not seen.ticket.rested(now):
        return None
    if seen.has_ticket:
        return None if seen.in_dagster else "ticket_job"
    if seen.due:
        return "ticket_job"
    if not seen.open or seen.plan.under_way:
        return None
    if seen.evaluated and seen.current and seen.proven:
        return "ticket_job"
    return "plan_job" if _worth_another_run(seen) and seen.plan.rested(now) else None


def _worth_another_run(seen: Seen) -> bool:
    behind_the_facts = not seen.evaluated or not seen.current
    return behind_the_facts or (seen.broken_off and seen.tries < TRIES_PER_FACTS)


def look(desk: Desk, instance: dg.DagsterInstance, record: PlanRecord, now: dt.datetime) -> Seen:
    """Gather what the decision about a plan looks at."""
    ticket = job_state(instance, "ticket_job", record.plan_id)
    if record.ticket_id is not None:
        in_dagster = _materialized(instance, record.plan_id)
        return Seen(open=True, due=True, has_ticket=True, in_dagster=in_dagster, ticket=ticket)
    if desk_store.book(desk.conn) == "sim":
        is_open = due = now >= record.created_at + SIM_GRACE
    else:
        is_open, due = now >= record.opens_at, now >= record.decide_by
    if due:
        ticket = ticket.since(record.decide_by)  # however often it was put off before, it is decided at its hour
    seen = Seen(open=is_open, due=due, plan=job_state(instance, "plan_job", record.plan_id), ticket=ticket)
    run = plans.newest_run(desk.conn, record.plan_id)
    return seen if run is None else _with_run(desk, seen, run)


def _with_run(desk: Desk, seen: Seen, run: Run) -> Seen:
    stored = evidence.results(desk.conn, run.run_id)
    proven = tickets.has_trade_decision(desk.conn, run.run_id)
    complete = all(code in stored for code in evidence_codes(stored))
    refused = any(not result.passed for result in stored.values())
    concluded = tickets.has_decision(desk.conn, run.run_id)
    return replace(
        seen,
        evaluated=True,
        current=plans.is_current(desk.conn, run),
        proven=proven,
        broken_off=not complete or (not refused and not concluded),
        tries=records.runs_with_facts(desk.conn, run.plan_id, run.facts_seq),
    )


def job_state(instance: dg.DagsterInstance, job: str, plan_id: str) -> JobState:
    """What Dagster's records say of a job of a plan."""
    wanted = dg.RunsFilter(job_name=job, tags={PARTITION_NAME_TAG: plan_id})
    newest = instance.get_run_records(wanted, limit=1)
    if not newest:
        return JobState()
    run, ended = newest[0].dagster_run, newest[0].end_time
    under_way = run.status not in ENDS or (
        run.status is dg.DagsterRunStatus.FAILURE and run.tags.get(WILL_RETRY_TAG) == "true"
    )
    ended_at = dt.datetime.fromtimestamp(ended, dt.UTC) if ended else None
    return JobState(instance.get_runs_count(wanted), under_way, ended_at)


def _materialized(instance: dg.DagsterInstance, plan_id: str) -> bool:
    wanted = dg.AssetRecordsFilter(asset_key=dg.AssetKey("ticket"), asset_partitions=[plan_id])
    return bool(instance.fetch_materializations(wanted, limit=1).records)


def requests(desk: Desk, instance: dg.DagsterInstance, now: dt.datetime) -> Iterator[dg.RunRequest]:
    """A run request for every plan about which something is to be done now."""
    for record in (*records.owing_a_ticket(desk.conn), *records.issued_through_dagster(desk.conn, MIRRORED)):
        seen = look(desk, instance, record, now)
        step = next_step(seen, now)
        if step is not None:
            runs = (seen.plan if step == "plan_job" else seen.ticket).runs
            # Two daemons that look at once ask for the same key, and with luck launch it once; the ticket's
            # primary key is what makes it one ticket.
            yield dg.RunRequest(run_key=f"{record.plan_id}:{step}:{runs}", job_name=step, partition_key=record.plan_id)
