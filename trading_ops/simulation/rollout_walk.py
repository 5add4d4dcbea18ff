"""The simulated people walk the roll-out: they make everything ready, one thing a week, and are promoted when they may.

Everything is done through the acts that real people use.
Does not belong here: the weeks themselves (`weeks`), whether a criterion holds (`desk.rollout_state`).
"""

import datetime as dt
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg

from trading_ops.desk import rolling_out, rollout_state
from trading_ops.domain import calendar
from trading_ops.domain.errors import Refused
from trading_ops.domain.ticket_model import TicketContent
from trading_ops.domain.values import ONE
from trading_ops.simulation import executor
from trading_ops.simulation.entering import enter
from trading_ops.simulation.people import OPERATOR, PERSON
from trading_ops.simulation.planting_answers import Execution
from trading_ops.simulation.weeks import Simulation
from trading_ops.store import configuration, name_checks
from trading_ops.store.tickets import Ticket

CONFIRMS, LOOKS_UP, BACKS_UP, TESTS = 1, 2, 4, 5
"""The week, counted from 0, from which each thing is done."""
NAMES_A_WEEK = 20
SESSIONS_BEFORE = 3
"""Of a week's last session, when its test ticket is made: its window is over before the week is."""
WHY = "every criterion holds"


@dataclass
class RolloutWalk:
    """The roll-out of a sim book.

    Attributes:
        test: Issues the test ticket of a session.
        back_up: Makes a backup and proves it.
        asked_too_early: What the desk answered when somebody asked to be promoted in the first week.
    """

    conn: psycopg.Connection[Any]
    test: Callable[[dt.date], Ticket]
    back_up: Callable[[], object]
    week: int = 0
    asked_too_early: str = ""

    def before(self, of: Simulation, asof: dt.date) -> None:
        """What is made ready in a week, before its plan."""
        if self.week == CONFIRMS:
            self._confirm_account(asof)
        if self.week >= LOOKS_UP:
            self._look_up(of, asof)
        if self.week == BACKS_UP:
            self.back_up()
        if self.week >= TESTS and self._lacks("TEST_ANSWERED", asof):
            self._test(of, calendar.sessions_back(asof, SESSIONS_BEFORE))

    def after(self, asof: dt.date) -> None:
        """After the week's ticket somebody asks to be led on."""
        try:
            with self.conn.transaction():
                rolling_out.promote(self.conn, calendar.close_utc(asof), WHY, OPERATOR)
        except Refused as exc:
            self.asked_too_early = self.asked_too_early or str(exc)
        self.week += 1

    def _lacks(self, code: str, asof: dt.date) -> bool:
        found = rollout_state.require_state(self.conn, calendar.close_utc(asof))
        return any(a.criterion.code == code and not a.met for a in found.answers)

    def _confirm_account(self, asof: dt.date) -> None:
        stored = configuration.policy_in_force(self.conn)
        text = re.sub(r"confirmed_on:\s*null", f"confirmed_on: {asof}", stored.body)
        with self.conn.transaction():
            rolling_out.import_policy(self.conn, text, "account confirmed")

    def _look_up(self, of: Simulation, asof: dt.date) -> None:
        first = NAMES_A_WEEK * (self.week - LOOKS_UP)
        with self.conn.transaction():
            for symbol in of.names[first : first + NAMES_A_WEEK]:
                key = uuid.uuid5(uuid.NAMESPACE_URL, f"simulation:looked-up:{symbol}")
                name_checks.record(self.conn, key, symbol, "found", "", asof, PERSON)

    def _test(self, of: Simulation, session: dt.date) -> None:
        """A test ticket, carried out on the session after it and answered."""
        if session <= of.account.now:
            return
        of.account.advance(session)
        of.operator.check_account(session)
        ticket = TicketContent.model_validate_json(self.test(session).content)
        if ticket.verdict == "TRADE":
            honest = executor.execute(ticket, of.account, [ONE] * len(ticket.lines))
            done = Execution(ticket, of.account, honest, of.policy, of.names)
            enter(self.conn, done, done.entered)
