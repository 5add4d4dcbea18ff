"""Weekly plans over history. Rules and storage are the real ones; only the people and the broker are made up."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg

from trading_ops.domain import calendar
from trading_ops.domain.answer import BEGUN
from trading_ops.domain.made_up_account import Credit, MadeUpAccount
from trading_ops.domain.policy import Policy
from trading_ops.domain.reasons import rules_of
from trading_ops.domain.ticket_model import TicketContent
from trading_ops.simulation import executor, planting_answers, planting_week, truth
from trading_ops.simulation.doings import CASH, Doings
from trading_ops.simulation.entering import enter
from trading_ops.simulation.fresh import require_fresh
from trading_ops.simulation.kinds import FORGOTTEN, UNANSWERED, Kind
from trading_ops.simulation.operator import Operator
from trading_ops.simulation.people import OPERATOR, People
from trading_ops.simulation.planting_answers import Execution
from trading_ops.simulation.sloppy_life import SloppyLife
from trading_ops.store import configuration, desk
from trading_ops.store.tickets import Ticket

HUMAN_GATES = frozenset(rule.code for gate in ("confirmation", "reconciliation") for rule in rules_of(gate))
"""Gates that only what people do can close."""
QUIET_WEEKS = 4
"""In the last weeks nothing is planted: what was is cleared before the end."""
REPORTS_AT = dt.time(7)
"""London, after a session: the morning's reports are due by then."""
ENOUGH_FILLS = 3
"""Of a ticket after which an examination has something to plant in."""

Planner = Callable[[dt.date], Ticket]
"""Runs the plan of a session to its ticket: directly, or through the Dagster jobs."""


@dataclass(frozen=True)
class Week:
    """One simulated week: its ticket, what was planted before it, and what the gates that people close said.

    Attributes:
        planted: Kinds of differences that are outstanding.
        reasons: Codes of the ticket.
        to_refuse: One of them is outside the tolerance of a gate.
    """

    asof: dt.date
    ticket: Ticket
    equity_gbp: Decimal
    planted: tuple[str, ...]
    reasons: tuple[str, ...]
    to_refuse: bool

    @property
    def refused_by(self) -> tuple[str, ...]:
        """Failed gates that only people can close."""
        return tuple(code for code in self.reasons if code in HUMAN_GATES)

    @property
    def as_planted(self) -> bool:
        """NO-TRADE by a human gate exactly when a difference outside of the tolerance was outstanding."""
        return self.to_refuse == bool(self.refused_by)


@dataclass
class Simulation:
    """A fresh sim book, lived through week by week.

    Attributes:
        at_the_end: What is done once after a ticket of the last weeks was carried out, or after the last week.
        before_week: What is done at the beginning of a week's last days, before its plan, with its as-of session.
        after_week: What is done after a week's ticket was issued.
        written: What is done when reports are due: once a week before its plan, and after the last, with the moment.
        names: Names that may be bought.
        executed: The newest ticket that was carried out, with what is entered of it; None after a week without one.
        life: Mistakes and what became of them; only sloppy people make any.
    """

    conn: psycopg.Connection[Any]
    root: Path
    policy: Policy
    people: People
    plan: Planner
    first: dt.date
    through: dt.date
    cash_gbp: Decimal
    opening_snapshot: bool = True
    at_the_end: Callable[["Simulation", dt.date], None] | None = None
    written: Callable[[dt.datetime], object] | None = None
    before_week: Callable[["Simulation", dt.date], None] | None = None
    after_week: Callable[[dt.date], None] | None = None
    halted: int = 0
    executed: Execution | None = None
    names: tuple[str, ...] = field(init=False)
    account: MadeUpAccount = field(init=False)
    operator: Operator = field(init=False)
    life: SloppyLife = field(init=False)

    def __post_init__(self) -> None:
        require_fresh(self.conn)
        market = truth.read(self.conn, self.first, self.through + dt.timedelta(days=14), self.policy)
        before = calendar.previous_session(self.first)
        self.account = MadeUpAccount(market, self.policy.ledger.withholding, self.cash_gbp, before)
        self.operator = Operator(self.conn, self.root, self.policy, self.account)
        asofs = calendar.weekly_asofs(self.first, self.through)
        self.names = configuration.universe_of_day(self.conn, self.through).universe.expected(self.through)
        quiet_from, last = (asofs[-QUIET_WEEKS:][0], asofs[-1]) if asofs else (self.first, self.first)
        self.life = SloppyLife(self.operator, self.people.seed, quiet_from, last)

    @property
    def booked(self) -> int:
        """How many of the broker's dividends the operator has looked at."""
        return self.operator.booked

    def run(self) -> Iterator[Week]:
        """Every week whose last session lies in the span, oldest first."""
        for number, asof in enumerate(calendar.weekly_asofs(self.first, self.through)):
            if self.before_week is not None and number:
                self.before_week(self, asof)
            self.account.advance(asof)
            if number == 0:
                self.operator.deposit(self.cash_gbp, asof)
            if self.people.manner != "absent":
                self._prepare(asof, opening=number == 0)
            outstanding = self.life.outstanding
            self._reports_until(asof)
            ticket = self.plan(asof)
            content = TicketContent.model_validate_json(ticket.content)
            if self.after_week is not None:
                self.after_week(asof)
            yield Week(
                asof, ticket, Decimal(content.equity_gbp or 0), (outstanding.kind.name,) if outstanding else (),
                content.reasons, outstanding is not None and outstanding.kind.refused,
            )  # fmt: skip
            self.life.seen(asof)
            self._after(content)
            if self.at_the_end is not None and self._is_time(asof):
                self.at_the_end(self, asof)
                self.at_the_end = None
        last = calendar.weekly_asofs(self.first, self.through)[-1:]
        for asof in last:  # the last ticket was carried out on the session after it
            self._reports_until(calendar.next_session(asof))

    def _reports_until(self, session: dt.date) -> None:
        """Write what is due on the morning after a session, as everything was known then."""
        if self.written is not None:
            day = session + dt.timedelta(days=1)
            self.written(dt.datetime.combine(day, REPORTS_AT, tzinfo=calendar.LONDON).astimezone(dt.UTC))

    def _is_time(self, asof: dt.date) -> bool:
        if asof < self.life.quiet_from or self.life.outstanding:
            return False
        filled = [a for a in self.executed.honest if a.status in BEGUN] if self.executed else []
        return len(filled) >= ENOUGH_FILLS or asof == self.life.last

    # ---- before a plan
    def _prepare(self, asof: dt.date, *, opening: bool) -> None:
        """Book dividends, accept what froze a name, enter the week's snapshot; and what goes wrong with all that."""
        week = doings(self, asof, self.account, self.operator.new_credits())
        if self.people.manner == "sloppy" and not opening:
            self.life.deal("week", asof, lambda kind: self._plant(kind, week))
        self.life.left -= 1
        with self.conn.transaction():
            self.operator.book_dividends(week.credits)
            self.operator.accept_frozen(asof)
        forgotten = self.life.outstanding is not None and self.life.outstanding.kind is FORGOTTEN
        if not forgotten and not (opening and not self.opening_snapshot):
            self.operator.check_account(asof, cash_gbp=week.typed_cash, mistyped=week.typed_units)

    def _plant(self, kind: Kind, week: Doings) -> str | None:
        if kind is FORGOTTEN:  # it matters only after fills
            filled = self.executed is not None and any(a.status in BEGUN for a in self.executed.honest)
            return CASH if filled else None
        return planting_week.plant(kind, week, self.life.dice)

    # ---- after a plan
    def _after(self, ticket: TicketContent) -> None:
        self.executed = None
        if ticket.verdict == "TRADE" and self.people.manner != "absent":
            self._execute(ticket)
        if self.people.manner == "sloppy":
            self.life.look_ahead(ticket.asof)
        self._rearm(ticket)

    def _execute(self, ticket: TicketContent) -> None:
        lines = len(ticket.lines)
        honest = executor.execute(ticket, self.account, self.people.fractions(lines), self.people.pieces(lines))
        done = Execution(ticket, self.account, honest, self.policy, self.names)
        line = None
        if self.people.manner == "sloppy":
            dice = self.life.dice
            line = self.life.deal("answers", ticket.asof, lambda kind: planting_answers.plant(kind, done, dice))
        enter(self.conn, done, done.entered)
        planted = self.life.outstanding
        if line is not None and planted is not None and planted.kind is UNANSWERED:
            left_open = next(a for a in honest if a.line == line)
            self.life.mend = lambda: enter(self.conn, done, {left_open.line: left_open})
        self.executed = done

    def _rearm(self, ticket: TicketContent) -> None:
        """After so many halted plans in a row the simulated operator re-arms the desk."""
        halted = bool({"KILL_SWITCH", "DRAWDOWN"} & set(ticket.reasons))
        self.halted = self.halted + 1 if halted else 0
        if self.halted >= self.policy.desk.rearm_after:
            reason = f"{self.halted} halted plans in a row"
            with self.conn.transaction():
                desk.set_kill_switch(self.conn, "ACTIVE", ticket.asof, reason, OPERATOR)
            self.halted = 0


def doings(of: Simulation, asof: dt.date, account: MadeUpAccount, credits: list[Credit]) -> Doings:
    """The week up to a snapshot, as it is before anything goes wrong."""
    traded = {line.symbol for line in of.executed.ticket.lines} if of.executed else set()
    held = account.units()
    quiet = [s for s in held if s not in traded]
    honest = of.executed.honest if of.executed else ()
    filled = {of.executed.line(a.line).symbol: a.units for a in honest if of.executed and len(a.pieces) == 1}
    first = [s for s, units in held.items() if filled.get(s) == units]
    return Doings(of.conn, account, of.policy, asof, credits, of.cash_gbp, of.names, quiet, first)
