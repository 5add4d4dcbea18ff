"""What is wrong with the desk, judged from what was observed: causes of incidents, and what is known to be right.

Pure: the same observations give the same causes. A part that could not be observed is neither wrong nor right.
Does not belong here: observing (`watch.senses`), the values (`observed`), the words of a class (`incidents`).
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from trading_ops.domain import clock_evidence
from trading_ops.domain.incidents import CLASSES
from trading_ops.domain.observed import SENSES, Observed, PlanSeen

RUN_GRACE = dt.timedelta(hours=2)
"""So long after a plan has opened a run must have come, and after it was due its ticket."""
STUCK_AFTER = dt.timedelta(minutes=30)
"""A run takes a minute; one that is not done after this is stuck or has broken off."""
DRAIN_WITHIN = dt.timedelta(hours=2)
DISK_LEAST = 3 * 1024**3
"""Bytes that must be free: a month of backups of a household's desk, and the database's own needs."""
BOOK = "the desk"
Key: TypeAlias = tuple[str, str]
"""Class and subject: of both together at most one incident is open."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why an incident is to be open.

    Attributes:
        kind: Its class.
        subject: What it is about; of a class and subject at most one is open.
        occasion: Which time it is; of an occasion an incident is opened once, however it was closed.
        title: Its title.
        sentence: What was seen.
        details: What else is known.
    """

    kind: str
    subject: str
    occasion: str
    title: str
    sentence: str
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Judged:
    """What is wrong, and what is known to be right again, with the sentence that says why."""

    causes: tuple[Cause, ...]
    right: Mapping[Key, str]


def judge(seen: Observed, now: dt.datetime) -> Judged:
    """Judge what was observed.

    Args:
        seen: The observations.
        now: The moment, aware UTC.
    """
    found: list[Cause] = []
    right: dict[Key, str] = {}
    parts = (_plan, _switch, _sources, _backup, _restated, _post, _disk, _clock, _blind)
    for part in parts:
        for each in part(seen, now):
            if isinstance(each, Cause):
                found.append(each)
            else:
                right[each[0]] = each[1]
    wrong = {(cause.kind, cause.subject) for cause in found}
    return Judged(tuple(found), {key: why for key, why in right.items() if key not in wrong})


Found: TypeAlias = Iterator[Cause | tuple[Key, str]]


def _cause(
    kind: str, subject: str, occasion: str, sentence: str, details: Mapping[str, str] | None = None, **fields: object
) -> Cause:
    title = CLASSES[kind].title.format_map({k: str(v) for k, v in fields.items()})
    return Cause(kind, subject, occasion, title, sentence, details or {})


def _plan(seen: Observed, now: dt.datetime) -> Found:
    for plan in (seen.plan or ())[:1]:
        yield from _gates(plan)
        yield from _run(plan, now)


def _gates(plan: PlanSeen) -> Found:
    words = {
        "DATA_STALE": "every data and signal rule passed",
        "RECONCILIATION_DRIFT": "every reconciliation rule passed",
        "CONFIRMATION_MISSING": "every line is answered",
    }
    for kind, passed in words.items():
        failed = plan.failed(kind)
        answered = kind == "CONFIRMATION_MISSING" and plan.unanswered == 0
        if failed and not answered:
            details = {r.code: f"{r.seen}; allowed: {r.allowed}" for r in failed}
            sentence = " ".join(r.sentence for r in failed)
            yield _cause(kind, BOOK, plan.plan_id, sentence, details, plan=plan.plan_id)
        elif plan.complete or (failed and answered):
            yield (kind, BOOK), f"Plan {plan.plan_id}: {passed}."


def _run(plan: PlanSeen, now: dt.datetime) -> Found:
    late = now > plan.decide_by + RUN_GRACE and not plan.decided
    never = plan.run_at is None and now > plan.opens_at + RUN_GRACE
    if "PLAN_MISSED" in plan.reasons or late or (never and not plan.decided):
        what = "it has no ticket although it was due" if late else "no run came"
        yield _cause("PLAN_MISSED", BOOK, plan.plan_id, f"Plan {plan.plan_id}: {what}.", plan=plan.plan_id)
    elif plan.run_at is not None:
        yield ("PLAN_MISSED", BOOK), f"Plan {plan.plan_id} was run."
    broke = plan.run_at is not None and not plan.complete and not plan.decided and now > plan.run_at + STUCK_AFTER
    if "RUN_FAILED" in plan.reasons or broke:
        said = f"The newest run of plan {plan.plan_id} left no complete evidence: it broke off, or it is stuck."
        yield _cause("RUN_FAILED", BOOK, plan.plan_id, said, plan=plan.plan_id)
    elif plan.complete:
        yield ("RUN_FAILED", BOOK), f"A run of plan {plan.plan_id} completed."


def _switch(seen: Observed, now: dt.datetime) -> Found:
    del now
    if seen.switch is None:
        return
    switch, plan = seen.switch, next(iter(seen.plan or ()), None)
    undecided = plan if plan is not None and not plan.decided else None
    lost = next((r for r in undecided.failed("KILL_SWITCH") if r.code == "DRAWDOWN"), None) if undecided else None
    if switch.state != "ACTIVE":
        said = f"{switch.state}, set by {switch.set_by}: {switch.reason}"
        yield _cause("KILL_SWITCH", BOOK, str(switch.entries), said, state=switch.state)
    elif lost is not None and undecided is not None:
        occasion = f"{switch.entries} before {undecided.plan_id}"
        yield _cause("KILL_SWITCH", BOOK, occasion, lost.sentence, state="about to become HALTED")
    else:
        by = f", set by {switch.set_by}: {switch.reason}" if switch.entries else ""
        yield ("KILL_SWITCH", BOOK), f"The kill switch is ACTIVE{by}."


def _sources(seen: Observed, now: dt.datetime) -> Found:
    del now
    for each in seen.sources or ():
        if each.dead and not each.forgotten:
            last = f"{each.last_ok:%Y-%m-%d %H:%M} UTC" if each.last_ok else "never"
            details = {"last good answer": last, "what to do about it": each.remedy}
            yield _cause("SOURCE_DEAD", each.source, last, each.sentence, details, source=each.source)
        else:
            why = "has not been asked for two days" if each.dead else "answers again"
            yield ("SOURCE_DEAD", each.source), f"{each.source} {why}."


def _backup(seen: Observed, now: dt.datetime) -> Found:
    del now
    if seen.backup is None:
        return
    if seen.backup.passed:
        yield ("BACKUP_UNPROVEN", BOOK), f"Backup {seen.backup_id} was proven and is recent enough."
        return
    said = f"{seen.backup.sentence} Newest: {seen.backup.seen}; allowed: {seen.backup.allowed}."
    yield _cause("BACKUP_UNPROVEN", BOOK, seen.backup_id, said)


def _restated(seen: Observed, now: dt.datetime) -> Found:
    del now
    for each in seen.restated or ():
        yield _cause("RESTATEMENT", f"load {each.load_id}", "", " ".join(each.sentences), count=each.count)


def _post(seen: Observed, now: dt.datetime) -> Found:
    post = seen.post
    if post is None:
        return
    if post.trouble:
        yield _cause("OUTBOX_STUCK", BOOK, f"settings {now:%Y-%m-%d}", post.trouble)
    elif not post.off and post.oldest_at is not None and now - post.oldest_at > DRAIN_WITHIN:
        last = f" Last try: {post.last}." if post.last else " It was not tried yet."
        said = f"Message {post.oldest_id} waits since {post.oldest_at:%Y-%m-%d %H:%M} UTC.{last}"
        yield _cause("OUTBOX_STUCK", BOOK, str(post.oldest_id), said)
    else:
        why = "Mail is off, so nothing waits to leave." if post.off else "Nothing waits longer than two hours."
        yield ("OUTBOX_STUCK", BOOK), why


def _disk(seen: Observed, now: dt.datetime) -> Found:
    if seen.free_bytes is None:
        return
    free = f"{seen.free_bytes / 1024**3:.1f} GiB are free, at least {DISK_LEAST / 1024**3:.0f} are wanted."
    if seen.free_bytes < DISK_LEAST:
        yield _cause("DISK_FILLING", BOOK, f"{now:%Y-%m-%d}", free)
    else:
        yield ("DISK_FILLING", BOOK), free


def _clock(seen: Observed, now: dt.datetime) -> Found:
    clocks = seen.clocks
    if clocks is None:
        return
    if not clocks.agree or clocks.is_behind:
        newest = f"{clocks.newest_fact:%Y-%m-%d %H:%M:%S}" if clocks.newest_fact else "none"
        said = (
            f"This machine says {clocks.machine:%Y-%m-%d %H:%M:%S} UTC, the database "
            f"{clocks.database:%Y-%m-%d %H:%M:%S} UTC, the newest entry of the audit chain {newest} UTC."
        )
        yield _cause("CLOCK_WRONG", BOOK, f"{now:%Y-%m-%d}", said)
    elif witnesses := clock_evidence.against(clocks.sources):
        # Closed by a person, it stays closed until a source's clock says so once more.
        seen_at = max(reading.machine for reading in witnesses.values())
        said = f"{clock_evidence.sentence(witnesses)}."
        yield _cause("CLOCK_WRONG", BOOK, f"sources {seen_at:%Y-%m-%dT%H:%M:%S}", said)
    else:
        yield ("CLOCK_WRONG", BOOK), f"The clocks are {clocks.apart.total_seconds():.0f} seconds apart."


def _blind(seen: Observed, now: dt.datetime) -> Found:
    for sense, error in seen.blind.items():
        yield _cause("WATCH_BLIND", sense, f"{now:%Y-%m-%d}", error, sense=sense)
    for sense in SENSES:
        yield ("WATCH_BLIND", sense), f"The watch could look at {sense} again."
