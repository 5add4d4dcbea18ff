"""What holds trading up on a report's morning: every gate, the day's prices, incidents, what stands behind the desk.

The newest plan's own answers, but for what can be asked again without a plan: the account check, answers that are due,
incidents, the backup.
"""

import datetime as dt
from collections.abc import Mapping

from trading_ops.desk.answering import TicketState, ticket_state
from trading_ops.domain.confirmation import LineAnswer, check_confirmation_missing
from trading_ops.domain.desk import check_account_unconfirmed, check_backup_unproven, check_incident_open
from trading_ops.domain.kill_switch import state_at
from trading_ops.domain.reasons import RULES
from trading_ops.domain.reconciliation import reconcile
from trading_ops.domain.report_facts import GateState, OpenIncident, Quality, RuleState, Safety
from trading_ops.domain.results import CheckResult, Outcome
from trading_ops.domain.ticket_model import GatePart
from trading_ops.domain.values import Session
from trading_ops.reports.ground import Ground
from trading_ops.reports.parts import Worth, rate_words
from trading_ops.store import answers, backups, broker, configuration, desk
from trading_ops.store.incidents import open_ones

NOT_A_FAULT = "NOTHING_TO_DO"
"""Nobody has to do anything about it: the names are where they should be."""


def newest_ticket(g: Ground, morning: dt.datetime, *, trade_due: bool = False) -> TicketState | None:
    """The newest weekly ticket that was decided by a morning; `trade_due`: the newest TRADE to be answered by it."""
    rows = g.conn.execute(
        "SELECT t.plan_id FROM ops.tickets t JOIN ops.plans p USING (plan_id) WHERE p.kind = 'weekly' "
        "AND t.decided_as_of <= %s AND (NOT %s OR t.verdict = 'TRADE') ORDER BY p.asof DESC LIMIT 2",
        (morning, trade_due),
    ).fetchall()
    states = (ticket_state(g.conn, row["plan_id"]) for row in rows)
    return next((s for s in states if not trade_due or s.content.window.confirm_by_utc <= morning), None)


def gates(
    g: Ground, worth: Worth, session: Session, morning: dt.datetime, newest: TicketState | None
) -> tuple[GateState, ...]:
    """Every gate with the rules that do not pass; `newest` is the morning's newest ticket."""
    planned = {part.code: part for part in newest.content.gates} if newest else {}
    now = {r.code: r for r in _asked_now(g, worth, session, morning)}
    found = []
    for gate in dict.fromkeys(rule.gate for rule in RULES.values()):
        codes = [r.code for r in RULES.values() if r.gate == gate and g.book in r.books and r.code != NOT_A_FAULT]
        states = [_state(code, now, planned) for code in codes]
        asked = "this morning" if any(code in now for code in codes) else (
            f"plan {newest.ticket.ticket_id}" if newest else "no plan yet"
        )  # fmt: skip
        others = tuple(state for state in states if state is not None)
        found.append(GateState(gate=gate, asked=asked, passed=len(states) - len(others), of=len(states), others=others))
    return tuple(found)


def _state(code: str, now: Mapping[str, CheckResult], planned: Mapping[str, GatePart]) -> RuleState | None:
    """None when the rule passes."""
    answer = now.get(code) or planned.get(code)
    if answer is None:
        return RuleState(code=code, outcome="NOT_EVALUATED", sentence="No plan has asked it yet.", remedy="")
    if answer.outcome is Outcome.PASS:
        return None
    outcome = "FAIL" if answer.outcome is Outcome.FAIL else "NOT_EVALUATED"
    return RuleState(code=code, outcome=outcome, sentence=answer.sentence, remedy=answer.remedy)  # type: ignore[arg-type]


def _asked_now(g: Ground, worth: Worth, session: Session, morning: dt.datetime) -> tuple[CheckResult, ...]:
    snapshot = broker.newest_of_all(g.conn, morning)
    filled = max((f.filled_at for f in g.of.facts.fills if f.filled_at <= morning), default=None)
    account = reconcile(
        snapshot, g.of.facts, g.point(session).equity_gbp, session, g.of.dividends(session), filled, g.of.policy
    )
    proven = backups.holds_until(g.conn, g.head.seq)
    return (
        *account.results,
        check_confirmation_missing(_due_lines(g, morning)),
        check_backup_unproven(proven, morning, g.of.policy, g.book),
        check_incident_open(desk.open_blocking_incidents(g.conn, g.head.seq)),
        check_account_unconfirmed(g.of.policy, g.book),
    )


def _due_lines(g: Ground, morning: dt.datetime) -> tuple[LineAnswer, ...]:
    """The lines of the TRADE that had to be answered by a morning; none of a withdrawn one."""
    due = newest_ticket(g, morning, trade_due=True)
    if due is None or due.ticket.withdrawn_because is not None:
        return ()
    return answers.answers_of(g.conn, due.ticket.plan_id)


def quality(g: Ground, worth: Worth, session: Session) -> Quality:
    """The prices of a session."""
    stored = configuration.universe_of_day(g.conn, session)
    expected = configuration.as_looked_up(g.conn, stored, session, g.head.seq).expected(session)
    rows = g.conn.execute(
        "SELECT DISTINCT symbol FROM ops.market_prices_eod WHERE session = %s AND source = ANY(%s) AND close > 0",
        (session, list(g.of.policy.data.source_order)),
    )
    priced = {r["symbol"] for r in rows}
    accepted = desk.accepted_bars(g.conn, g.head.seq)
    frozen = {
        s.symbol: s.sentence for s in desk.suspects(g.conn, g.head.seq)
        if s.session <= session and (s.symbol, s.session) not in accepted
    }  # fmt: skip
    fixing = g.of.fixing(session)
    return Quality(
        expected=len(expected),
        priced=sum(symbol in priced for symbol in expected),
        missing=tuple(symbol for symbol in expected if symbol not in priced),
        held_without=tuple(symbol for symbol in worth.state.positions if symbol not in priced),
        frozen=tuple(f"{symbol}: {sentence}" for symbol, sentence in sorted(frozen.items())),
        fixing_day=fixing.day if fixing else None,
        usd_per_gbp=rate_words(fixing.usd_per_gbp if fixing else None),
    )


def incidents(g: Ground) -> tuple[OpenIncident, ...]:
    """Incidents that nobody has closed, blocking ones first."""
    return tuple(OpenIncident(kind=i.kind, title=i.title, blocking=i.blocking) for i in open_ones(g.conn))


def safety(g: Ground, session: Session, morning: dt.datetime) -> Safety:
    """Kill switch, backup and account check."""
    switch = state_at(g.switch, session)
    proven = backups.holds_until(g.conn, g.head.seq)
    answer = check_backup_unproven(proven, morning, g.of.policy, g.book)
    snapshot = broker.newest_of_all(g.conn, morning)
    return Safety(
        kill_switch=switch.state,
        kill_switch_why=switch.reason,
        backup_proven_utc=proven,
        backup_ok=answer.passed,
        backup_allowed=answer.allowed,
        checked_utc=snapshot.taken_at if snapshot else None,
    )
