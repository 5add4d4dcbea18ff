"""Weekly plans over history. Rules and storage are the real ones; only the people and the broker are made up."""

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg

from trading_ops.domain import calendar
from trading_ops.domain.answer import BEGUN, Answer
from trading_ops.domain.errors import Refused
from trading_ops.domain.ledger import CashMovement
from trading_ops.domain.policy import Policy
from trading_ops.domain.quality import evaluate_data_quality
from trading_ops.domain.reasons import rules_of
from trading_ops.domain.ticket_model import TicketContent
from trading_ops.domain.values import UNIT_PLACES
from trading_ops.planning.inputs import looked_back, names_seen
from trading_ops.simulation import executor, truth
from trading_ops.simulation.broker import SimulatedBroker
from trading_ops.simulation.people import People, Slip, swapped_cash, with_slip
from trading_ops.store import answers, audit, broker, configuration, desk, ledger, snapshot_view, snapshots
from trading_ops.store.tickets import Ticket

PERSON = "simulated executor"
OPERATOR = "simulated operator"
HUMAN_GATES = frozenset(rule.code for gate in ("confirmation", "reconciliation") for rule in rules_of(gate))
"""Gates that only what people do can close."""

Planner = Callable[[dt.date], Ticket]
"""Runs the plan of a session to its ticket: directly, or through the Dagster jobs."""


@dataclass(frozen=True)
class Week:
    """One simulated week: its ticket, what was planted before it, and what the gates that people close said."""

    asof: dt.date
    ticket: Ticket
    equity_gbp: Decimal
    planted: tuple[str, ...]
    reasons: tuple[str, ...]

    @property
    def refused_by(self) -> tuple[str, ...]:
        """Failed gates that only people can close."""
        return tuple(code for code in self.reasons if code in HUMAN_GATES)

    @property
    def as_planted(self) -> bool:
        """NO-TRADE by a human gate exactly when a mistake was outstanding."""
        return bool(self.planted) == bool(self.refused_by)


@dataclass
class Simulation:
    """A fresh sim book, lived through week by week."""

    conn: psycopg.Connection[Any]
    root: Path
    policy: Policy
    people: People
    plan: Planner
    first: dt.date
    through: dt.date
    cash_gbp: Decimal
    opening_snapshot: bool = True
    halted: int = 0
    slip: Slip | None = None
    left: int = 0
    repair: Answer | None = None
    repair_plan: str = ""
    filled: bool = False
    booked: int = 0
    account: SimulatedBroker = field(init=False)

    def __post_init__(self) -> None:
        require_fresh(self.conn)
        market = truth.read(self.conn, self.first, self.through + dt.timedelta(days=14), self.policy)
        withholding = self.policy.ledger.withholding
        before = calendar.previous_session(self.first)
        self.account = SimulatedBroker(market, withholding, self.cash_gbp, before)

    def run(self) -> Iterator[Week]:
        """Every week whose last session lies in the span, oldest first."""
        for number, asof in enumerate(calendar.weekly_asofs(self.first, self.through)):
            self.account.advance(asof)
            if number == 0:
                self._deposit(asof)
            if self.people.manner != "absent":
                self._operator(asof, opening=number == 0)
            planted = (self.slip.kind,) if self.slip else ()
            ticket = self.plan(asof)
            content = TicketContent.model_validate_json(ticket.content)
            yield Week(asof, ticket, Decimal(content.equity_gbp or 0), planted, content.reasons)
            self._after(content)

    # ---- before a plan
    def _deposit(self, asof: dt.date) -> None:
        movement = CashMovement(
            str(uuid.uuid5(uuid.NAMESPACE_URL, "simulation:deposit")), "deposit", self.cash_gbp, asof,
            calendar.open_utc(asof),
        )  # fmt: skip
        with self.conn.transaction():
            ledger.record_movement(self.conn, movement, recorded_by=OPERATOR, why="opening deposit")

    def _operator(self, asof: dt.date, *, opening: bool) -> None:
        """Repair what is due, book dividends, accept what froze a name, enter the week's snapshot."""
        if self.slip and self.left == 0:
            self._repair()
        with self.conn.transaction():
            self._book_dividends()
            self._accept(asof)
        if self.slip is None and not opening:
            self._forget_or_mistype()
        if opening and not self.opening_snapshot:
            return
        if self.slip is None or self.slip.kind != "snapshot forgotten":
            self._snapshot(asof)
        if self.slip:
            self.left -= 1

    def _repair(self) -> None:
        if self.repair is not None:
            with self.conn.transaction():
                answers.record_answers(
                    self.conn, self.repair_plan, [self.repair], answered_by=PERSON,
                    rate_of=self.account.truth.usd_per_gbp, where="the form", correct=True,
                )  # fmt: skip
        self.slip = self.repair = None

    def _book_dividends(self) -> None:
        for credit in self.account.credits[self.booked :]:
            name = f"simulation:dividend:{credit.symbol}:{credit.ex_date}"
            movement = CashMovement(
                str(uuid.uuid5(uuid.NAMESPACE_URL, name)), "dividend", credit.amount_gbp, credit.ex_date,
                calendar.open_utc(credit.ex_date), credit.symbol, credit.ex_date,
            )  # fmt: skip
            ledger.record_movement(self.conn, movement, recorded_by=OPERATOR, why="credited by the simulated broker")
        self.booked = len(self.account.credits)

    def _accept(self, asof: dt.date) -> None:
        window = calendar.next_session(asof)
        snapshot = snapshots.build(self.conn, self.root, asof=asof, actions_through=window, policy=self.policy)
        stored = configuration.universe_of_day(self.conn, asof)
        head = audit.head(self.conn).seq
        fills, movements = ledger.fills(self.conn, head), ledger.movements(self.conn, head)
        row = self.conn.execute("SELECT ops.newest_plan_before(%s, %s) AS asof", (asof.isoformat(), head)).fetchone()
        quality = evaluate_data_quality(
            snapshot_view.view(
                self.root,
                snapshot,
                self.policy,
                looked_back(asof, fills, movements),
                names_seen(stored.universe, fills),
            ),
            configuration.as_looked_up(self.conn, stored, asof, head),
            self.account.units(),
            row["asof"] if row else None,
            desk.accepted_bars(self.conn, head),
            frozenset(),
            self.policy,
            desk.suspects(self.conn, head),
        )
        for suspect in quality.suspects:
            desk.accept_bar(self.conn, suspect.symbol, suspect.session, f"looked up: {suspect.sentence}", OPERATOR)

    def _forget_or_mistype(self) -> None:
        slip = self.people.slip_in_snapshot(self.filled)
        if slip:
            self.slip, self.left = slip, slip.weeks

    def _snapshot(self, asof: dt.date) -> None:
        cash = self.account.cash_gbp
        if self.slip and self.slip.kind == "digits swapped in the snapshot":
            cash = swapped_cash(cash, self.cash_gbp, self.policy) or cash + self.cash_gbp
        with self.conn.transaction():
            broker.add_snapshot(
                self.conn,
                taken_at=calendar.close_utc(asof),
                session=asof,
                cash_gbp=cash,
                holdings={s: (units, UNIT_PLACES) for s, units in self.account.units().items()},
                origin="simulated broker",
                entered_by=PERSON,
            )

    # ---- after a plan
    def _after(self, ticket: TicketContent) -> None:
        self.filled = False
        if ticket.verdict == "TRADE" and self.people.manner != "absent":
            self._execute(ticket)
        self._rearm(ticket)

    def _execute(self, ticket: TicketContent) -> None:
        honest = executor.execute(ticket, self.account, self.people.fractions(len(ticket.lines)))
        self.filled = any(a.status in BEGUN for a in honest)
        slip = self.people.slip_in_answers(honest) if self.slip is None else None
        with self.conn.transaction():
            answers.record_answers(
                self.conn, ticket.plan_id, with_slip(honest, slip), answered_by=PERSON,
                rate_of=self.account.truth.usd_per_gbp, where="the form",
            )  # fmt: skip
        if slip:
            self.slip, self.left = slip, slip.weeks
            self.repair = next(a for a in honest if a.line == slip.line)
            self.repair_plan = ticket.plan_id

    def _rearm(self, ticket: TicketContent) -> None:
        """After so many halted plans in a row the simulated operator re-arms the desk."""
        halted = bool({"KILL_SWITCH", "DRAWDOWN"} & set(ticket.reasons))
        self.halted = self.halted + 1 if halted else 0
        if self.halted >= self.policy.desk.rearm_after:
            reason = f"{self.halted} halted plans in a row"
            with self.conn.transaction():
                desk.set_kill_switch(self.conn, "ACTIVE", ticket.asof, reason, OPERATOR)
            self.halted = 0


def require_fresh(conn: psycopg.Connection[Any]) -> None:
    """A simulation only ever runs in a sim book that nothing has happened in.

    Raises:
        Refused: The home holds something else.
    """
    held = desk.book(conn)
    if held != "sim":
        raise Refused(
            f"This home holds a {held} book; simulate runs in a fresh sim book only. Use another TRADING_OPS_HOME."
        )
    for table, what in (
        ("plans", "plans"),
        ("ledger_cash_movements", "cash movements"),
        ("ledger_trades_fills", "fills"),
    ):
        if conn.execute(f"SELECT 1 FROM ops.{table} LIMIT 1").fetchone():
            raise Refused(
                f"This sim book already has {what}; simulate runs in a fresh one. Use another TRADING_OPS_HOME, "
                "then `trading-ops init --book sim` and `trading-ops prices load`."
            )
