"""The simulated operator: deposits, dividends, frozen names, account checks, and the reconciliation of what differs.

Everything is done through the same acts that real people use.
Does not belong here: what goes wrong, and when (`planting`, `sloppy_life`).
"""

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg

from trading_ops.desk import reconciling
from trading_ops.desk.reconciling import Light, Reconciled
from trading_ops.domain import calendar
from trading_ops.domain.corrections import RetakeSnapshot
from trading_ops.domain.diagnosis import Finding
from trading_ops.domain.ledger import CashMovement
from trading_ops.domain.made_up_account import Credit, MadeUpAccount
from trading_ops.domain.policy import Policy
from trading_ops.domain.quality import evaluate_data_quality
from trading_ops.domain.results import Outcome
from trading_ops.domain.values import UNIT_PLACES, ZERO
from trading_ops.planning.inputs import looked_back, names_seen
from trading_ops.simulation.people import OPERATOR, PERSON
from trading_ops.store import audit, broker, configuration, corrections, desk, ledger, snapshot_view, snapshots

LOOKS = dt.timedelta(hours=1)
"""After the close, when the operator looks at account and books."""
MOST_FINDINGS = 12
LOOKS_AGAIN = dt.timedelta(minutes=30)
"""After the close, when a snapshot that was mistyped is typed again."""


@dataclass
class Operator:
    """Who keeps the books of one account."""

    conn: psycopg.Connection[Any]
    root: Path
    policy: Policy
    account: MadeUpAccount
    booked: int = field(default=0)

    def deposit(self, amount_gbp: Decimal, asof: dt.date) -> None:
        """Enter the opening deposit."""
        movement = CashMovement(
            str(uuid.uuid5(uuid.NAMESPACE_URL, "simulation:deposit")), "deposit", amount_gbp, asof,
            calendar.open_utc(asof),
        )  # fmt: skip
        with self.conn.transaction():
            ledger.record_movement(self.conn, movement, recorded_by=OPERATOR, why="opening deposit")

    def new_credits(self) -> list[Credit]:
        """Dividends that came since the operator last looked."""
        fresh = self.account.credits[self.booked :]
        self.booked = len(self.account.credits)
        return fresh

    def book_dividends(self, credits: Iterable[Credit]) -> None:
        """Book dividends as credited."""
        for credit in credits:
            name = f"simulation:dividend:{credit.symbol}:{credit.ex_date}"
            movement = CashMovement(
                str(uuid.uuid5(uuid.NAMESPACE_URL, name)), "dividend", credit.amount_gbp, credit.ex_date,
                calendar.open_utc(credit.ex_date), credit.symbol, credit.ex_date,
            )  # fmt: skip
            ledger.record_movement(self.conn, movement, recorded_by=OPERATOR, why="credited by the simulated broker")

    def accept_frozen(self, asof: dt.date) -> None:
        """Look up what froze a name, and accept it."""
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

    def check_account(
        self,
        asof: dt.date,
        *,
        cash_gbp: Decimal | None = None,
        mistyped: Mapping[str, Decimal] | None = None,
        after: dt.timedelta = dt.timedelta(0),
    ) -> None:
        """Enter what the account shows, so long after the close; numbers given are typed instead of what is shown."""
        shown = {**self.account.units(), **(mistyped or {})}
        with self.conn.transaction():
            broker.add_snapshot(
                self.conn,
                taken_at=calendar.close_utc(asof) + after,
                session=asof,
                cash_gbp=self.account.cash_gbp if cash_gbp is None else cash_gbp,
                holdings={s: (units, UNIT_PLACES) for s, units in shown.items() if units > ZERO},
                origin="simulated broker",
                entered_by=PERSON,
            )

    def look(self, asof: dt.date) -> Reconciled:
        """Account and books, as the operator sees them after the close."""
        return reconciling.reconciled(self.conn, calendar.close_utc(asof) + LOOKS)

    def settle(self, asof: dt.date, expected: Collection[str] = ()) -> None:
        """Accept one finding after the other, each looked for again; type the snapshot again where one says so.

        Args:
            asof: The session of the snapshot.
            expected: Classes that eToro's own pages speak for, where a finding has several readings.
        """
        now = calendar.close_utc(asof) + LOOKS
        for _ in range(MOST_FINDINGS):
            found = self.look(asof)
            assert found.snapshot is not None
            assert found.diagnosis is not None
            findings = [_read(f, expected) for f in found.diagnosis.findings]
            finding = next((f for f in findings if corrections.bookable(f.proposals)), None)
            if finding is None:
                break
            with self.conn.transaction():
                audit.speaking_as(self.conn, OPERATOR)
                reconciling.accept(self.conn, finding, found.snapshot.snapshot_id, OPERATOR, "looked up", now)
        if any(isinstance(p, RetakeSnapshot) for f in findings for p in f.proposals):
            self.check_account(asof, after=LOOKS_AGAIN)


def _read(finding: Finding, expected: Collection[str]) -> Finding:
    """The finding, or of several readings the one that is expected."""
    if finding.proposals:
        return finding
    return next((f for f in finding.alternatives if f.code in expected), finding)


def agrees(found: Reconciled) -> bool:
    """The light is green, every rule of the gate passes, and nothing differs, to the last unit and penny."""
    passes = all(r.outcome is Outcome.PASS for r in found.gate.results)
    return found.light is Light.GREEN and passes and all(d.verdict == "equal" for d in found.gate.differences)


def readings(found: Reconciled) -> tuple[str, ...]:
    """The classes among which a person has to choose, sorted."""
    findings = found.diagnosis.findings if found.diagnosis else ()
    return tuple(sorted(f.code for one in findings if one.code == "AMBIGUOUS" for f in one.alternatives))


def classes(found: Reconciled) -> tuple[str, ...]:
    """The classes found, sorted."""
    return tuple(sorted(f.code for f in found.diagnosis.findings)) if found.diagnosis else ()
