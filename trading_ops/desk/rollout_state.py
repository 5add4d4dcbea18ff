"""Where the roll-out stands: the phase, what holds since when, and what is missing. Nothing is changed here.

Does not belong here: leading it on or back (`rolling_out`).
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

import psycopg

from trading_ops.desk import policy_now
from trading_ops.domain.books import Book
from trading_ops.domain.desk import check_backup_unproven
from trading_ops.domain.errors import ConfigError, Refused
from trading_ops.domain.incidents import CLASSES
from trading_ops.domain.policy import Policy
from trading_ops.domain.rollout import NAMES_VERIFIED, PHASES, WEEKS_TO_DECIDE, Phase, strategy_hash
from trading_ops.domain.rollout_judged import (
    Answer,
    RolloutFacts,
    Single,
    counts_weeks,
    is_overdue,
    judge,
    missing,
)
from trading_ops.domain.values import ONE, plain
from trading_ops.settings import shipped
from trading_ops.store import audit, backups, configuration, desk, incidents, rollout

RUNBOOK = ("docs", "RUNBOOK.md")


@dataclass(frozen=True)
class RolloutState:
    """The roll-out at a moment.

    Attributes:
        share: Share of full size that the phase trades; of a book without real money what its policy says.
        since: The row of the audit chain with which the phase began; 0 for one that began with the book.
        answers: Every criterion of the phase.
    """

    book: Book
    phase: Phase
    share: Decimal
    since: int
    facts: RolloutFacts
    answers: tuple[Answer, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """What keeps the phase from being left, as sentences."""
        return missing(self.answers)

    @property
    def sentence(self) -> str:
        """The state in one line."""
        met, of = sum(a.met for a in self.answers), len(self.answers)
        said = f"{self.phase.title}, week {len(self.facts.weeks)}" if self.facts.weeks else self.phase.title
        if not of:
            return f"{said}: nothing more is asked."
        if is_overdue(self.facts):
            return f"{said}: {met} of {of} criteria hold; {WEEKS_TO_DECIDE} weeks are over, decide: on, or back."
        return f"{said}: {met} of {of} criteria hold."


def state(
    conn: psycopg.Connection[Any], now: dt.datetime, handed_in: Mapping[str, Single] | None = None
) -> RolloutState | None:
    """The roll-out of this book; None in a live book that was made before there was one.

    Args:
        conn: A connection.
        now: The moment by the book's clock, aware UTC.
        handed_in: Answers that come with an act, such as a certificate; they replace what the database says.
    """
    book, policy = cast("Book", desk.book(conn)), configuration.policy_in_force(conn).policy
    led = rollout.phase(conn)
    if led is None and book == "live":
        return None
    phase = PHASES[led.phase if led else "preflight"]
    since = led.audit_seq if led else 0
    facts = RolloutFacts(
        book=book,
        phase=phase.name,
        weeks=rollout.weeks(conn, since) if counts_weeks(phase.name, book) else (),
        since_last=rollout.incidents_since_ticket(conn, since),
        open_incidents=tuple(sorted({each.kind for each in incidents.open_ones(conn)})),
        strategy=strategy_hash(policy),
        began_with=_began_with(conn, since, policy),
        single=_singles(conn, now, policy) | dict(handed_in or {}) if phase.name == "preflight" else {},
    )
    share = led.share if led is not None and book == "live" else policy.sizing.phase_share
    return RolloutState(book, phase, share, since, facts, judge(facts))


def require_state(
    conn: psycopg.Connection[Any], now: dt.datetime, handed_in: Mapping[str, Single] | None = None
) -> RolloutState:
    """The roll-out of a book that has one.

    Raises:
        Refused: It has none.
    """
    found = state(conn, now, handed_in)
    if found is None:
        raise Refused("This live book has no roll-out yet. Run `trading-ops init --book live` once.")
    return found


def answers_of(of: RolloutState) -> list[dict[str, object]]:
    """The criteria as documents hold them."""
    return [
        {"code": a.criterion.code, "met": a.met, "since": a.since, "first": a.first, "seen": a.seen} for a in of.answers
    ]


def _began_with(conn: psycopg.Connection[Any], since: int, policy: Policy) -> str:
    """Hash of the strategy that was in force when the phase had begun."""
    row = conn.execute(
        "SELECT version FROM ops.config_policy WHERE audit_seq <= %s ORDER BY version DESC LIMIT 1", (since,)
    ).fetchone()
    return strategy_hash(configuration.policy_version(conn, row["version"]).policy if row else policy)


def _singles(conn: psycopg.Connection[Any], now: dt.datetime, policy: Policy) -> dict[str, Single]:
    confirmed, tested = rollout.account_confirmed(conn), rollout.test_answered(conn)
    day = policy.account.confirmed_on
    return {
        "ACCOUNT_CONFIRMED": Single(day is not None, _week(conn, confirmed), f"confirmed on {day}" if day else "never"),
        "NAMES_VERIFIED": _names(conn, now, policy),
        "RUNBOOK_THERE": _runbook(),
        "BACKUP_PROVEN": _backup(conn, now, policy),
        "DRY_RUN_CERTIFIED": Single(False, None, "no certificate was handed in"),
        "TEST_ANSWERED": Single(tested is not None, _week(conn, tested), "answered" if tested else "none answered yet"),
    }


def _week(conn: psycopg.Connection[Any], seq: int | None) -> str | None:
    return None if seq is None else rollout.week_of(conn, seq)


def _names(conn: psycopg.Connection[Any], now: dt.datetime, policy: Policy) -> Single:
    day = now.date()
    oldest = day - dt.timedelta(days=policy.risk.verified_max_age)
    _, names = policy_now.names(conn, day)
    verified = sum(
        n.instrument.tradable and n.instrument.verified_on is not None and n.instrument.verified_on >= oldest
        for n in names
    )
    ever = rollout.verifications(conn)
    first = ever[NAMES_VERIFIED - 1][0] if len(ever) >= NAMES_VERIFIED else None
    return Single(verified >= NAMES_VERIFIED, _week(conn, first), f"{verified} verified since {oldest}")


def _runbook() -> Single:
    try:
        text = shipped(*RUNBOOK).read_text(encoding="utf-8")
    except ConfigError:
        return Single(False, None, "docs/RUNBOOK.md is not installed")
    lacking = [code for code in CLASSES if f"### {code}\n" not in text]
    return Single(not lacking, "with this version", f"no entry for {', '.join(lacking)}" if lacking else "complete")


def _backup(conn: psycopg.Connection[Any], now: dt.datetime, policy: Policy) -> Single:
    proven = backups.holds_until(conn, audit.head(conn).seq)
    answer = check_backup_unproven(proven, now, policy, "live")  # of any book: that is what the roll-out asks
    return Single(answer.passed, _week(conn, rollout.first_proof(conn)), answer.seen)


def share_words(of: RolloutState) -> str:
    """What the phase trades, for people."""
    size = "full size" if of.share == ONE else f"{plain(of.share)} of full size" if of.share else "nothing"
    return size if of.book == "live" else f"no real money; on paper at {size}"
