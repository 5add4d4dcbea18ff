"""One plan, judged: every gate in its order from one set of inputs. The same inputs give the same judgement.

Belongs here: which rule looks at what, and what is not looked at behind a failed gate.
Does not belong here: the rules themselves, reading inputs, storing answers.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from trading_ops.domain import calendar
from trading_ops.domain.books import Book
from trading_ops.domain.confirmation import LineAnswer, check_confirmation_missing
from trading_ops.domain.desk import check_standing
from trading_ops.domain.kill_switch import KillSwitchEvent, armed_since, newest_entry_at, state_at
from trading_ops.domain.ledger import (
    CashMovement,
    CorporateEvent,
    EquityPoint,
    ExpectedDividend,
    Fill,
    LedgerFacts,
    LedgerState,
    equity_series,
    expected_dividends,
    ledger_at,
)
from trading_ops.domain.orders import SizingInput
from trading_ops.domain.performance import drawdown, twr_index
from trading_ops.domain.policy import Policy
from trading_ops.domain.prices import Fixing, MarketView
from trading_ops.domain.quality import DataQuality, evaluate_data_quality
from trading_ops.domain.quality_report import QualityReport, quality_report
from trading_ops.domain.reasons import rules_of
from trading_ops.domain.reconciliation import BrokerSnapshot, Reconciliation, reconcile
from trading_ops.domain.results import CheckResult
from trading_ops.domain.risk import KillSwitch, RiskInput, evaluate_risk
from trading_ops.domain.signals import Ranker, SignalSet, StubRanker, check_signals_stale, signal_set
from trading_ops.domain.sizing import Sizing, size_orders
from trading_ops.domain.suspects import Suspect
from trading_ops.domain.targets import size_targets
from trading_ops.domain.test_order import size_test
from trading_ops.domain.universe import Universe
from trading_ops.domain.values import ZERO, Session, Symbol


@dataclass(frozen=True)
class PlanInputs:
    """Everything a plan may see, as pinned by its run.

    Attributes:
        plan_id: The plan; its as-of session is `times.asof`.
        book: The home's book.
        times: The plan's times.
        policy: The policy fixed when the plan opened.
        universe: The universe of the as-of session, names that could not be found switched off.
        market: The data snapshot.
        fills: Fills in force.
        movements: Cash movements in force.
        previous_asof: As-of session of the newest earlier plan with a ticket.
        previous_lines: Lines of the newest weekly TRADE ticket and of the tests since, with their answers.
        snapshot: The newest broker snapshot not after the as-of session.
        lookups: What was found of names on eToro, oldest first: what, name, day. The universe has it already; here for
            its hash, and empty to replay a ticket that does not state one.
        kill_switch: Entries of the kill switch, oldest first.
        pauses_lie_over: A pause holds whatever state is set; False only to replay a ticket of before that rule.
        switch_stated: The ticket states the kill switch; False only to replay one of before that.
        incidents: Titles of open blocking incidents.
        accepted: Suspicious bars that people vouched for.
        carried: Suspicious bars of earlier plans.
        resolved: Held names whose corporate event a person recorded.
        backup_proven_at: The moment that the newest proven backup holds.
        events: Corporate events in force.
        is_test: One small order tries the whole path; every gate and risk rule judges it like any other.
    """

    plan_id: str
    book: Book
    times: calendar.PlanTimes
    policy: Policy
    universe: Universe
    market: MarketView
    fills: tuple[Fill, ...]
    movements: tuple[CashMovement, ...]
    previous_asof: Session | None
    previous_lines: tuple[LineAnswer, ...]
    snapshot: BrokerSnapshot | None
    lookups: tuple[tuple[str, Symbol, str], ...] = ()
    kill_switch: tuple[KillSwitchEvent, ...] = ()
    pauses_lie_over: bool = True
    switch_stated: bool = True
    incidents: tuple[str, ...] = ()
    accepted: frozenset[tuple[Symbol, Session]] = frozenset()
    carried: tuple[Suspect, ...] = ()
    resolved: frozenset[Symbol] = frozenset()
    backup_proven_at: dt.datetime | None = None
    events: tuple[CorporateEvent, ...] = ()
    is_test: bool = False


def ranker_of(policy: Policy) -> Ranker:
    """The ranker that the policy names; there is one so far."""
    return {"stub": StubRanker()}[policy.signals.source]


class Judgement:
    """What the rules say of one plan. Each part is worked out when first asked for, and only once."""

    def __init__(self, inputs: PlanInputs) -> None:
        self.inputs = inputs

    @property
    def asof(self) -> Session:
        """The as-of session D."""
        return self.inputs.times.asof

    # ---- the ledger
    @cached_property
    def facts(self) -> LedgerFacts:
        """Ledger facts with the splits of the data snapshot, through D."""
        splits = tuple(
            action
            for actions in self.inputs.market.actions.values()
            for action in actions
            if action.kind == "split" and action.ex_date <= self.asof
        )
        return LedgerFacts(self.inputs.fills, self.inputs.movements, splits, self.inputs.events)

    @cached_property
    def ledger(self) -> LedgerState:
        """Cash, positions and lots at the close of D."""
        return ledger_at(self.facts, self.asof)

    @cached_property
    def units(self) -> Mapping[Symbol, Decimal]:
        """Units held at the close of D by name."""
        return {
            symbol: position.units
            for symbol, position in sorted(self.ledger.positions.items())
            if position.units > ZERO
        }

    @cached_property
    def equity_points(self) -> tuple[EquityPoint, ...]:
        """Equity at every session since the book's first fact; empty while there is nothing, or no fixing, to value."""
        days = [m.day for m in self.inputs.movements] + [f.session for f in self.inputs.fills]
        first = min((day for day in days if day <= self.asof), default=None)
        if first is None or self.inputs.market.fixing(first) is None:
            return ()  # nothing to value, or no rate to value it at: FX_STALE has failed then
        return equity_series(self.facts, self.inputs.market, calendar.sessions(first, self.asof))

    @cached_property
    def switch(self) -> KillSwitch:
        """The kill switch at D."""
        held = state_at if self.inputs.pauses_lie_over else newest_entry_at
        return held(self.inputs.kill_switch, self.asof)

    @cached_property
    def drawdown(self) -> Decimal:
        """Share lost since the running maximum, measured from the last re-arming."""
        return drawdown(twr_index(self.equity_points), armed_since(self.inputs.kill_switch, self.asof))

    @cached_property
    def expected_dividends(self) -> tuple[ExpectedDividend, ...]:
        """Dividends that the units earned through D."""
        market = self.inputs.market
        withholding = self.inputs.policy.ledger.withholding
        return expected_dividends(self.facts, market.actions, self.asof, withholding, market.fixing)

    # ---- the independent gates
    @cached_property
    def data(self) -> DataQuality:
        """The data gate."""
        i = self.inputs
        return evaluate_data_quality(
            i.market, i.universe, self.units, i.previous_asof, i.accepted, i.resolved, i.policy, i.carried
        )

    @cached_property
    def quality_report(self) -> QualityReport:
        """What the data gate found, put together for people."""
        return quality_report(self.inputs.market, self.inputs.universe, self.data, self.inputs.policy.data)

    @cached_property
    def confirmation(self) -> CheckResult:
        """The confirmation gate."""
        return check_confirmation_missing(self.inputs.previous_lines)

    @cached_property
    def reconciliation(self) -> Reconciliation:
        """The reconciliation gate, with E at D; a missing close is stood in for by the last known one."""
        i = self.inputs
        equity = self.equity_points[-1].equity_gbp if self.equity_points else ZERO
        newest = max((f.filled_at for f in i.fills if f.session <= self.asof), default=None)
        return reconcile(i.snapshot, self.facts, equity, self.asof, self.expected_dividends, newest, i.policy)

    @cached_property
    def desk(self) -> tuple[CheckResult, ...]:
        """Incidents, account and backups."""
        i = self.inputs
        return check_standing(i.incidents, i.backup_proven_at, i.times, i.policy, i.book)

    @property
    def cross_checked(self) -> bool:
        """A second source confirms the close of D of the benchmark, every held name and every name to be traded."""
        orders = self.sizing.orders if self.sized else ()
        concerned = {self.inputs.policy.data.benchmark, *self.units, *(order.symbol for order in orders)}
        return concerned <= self.data.confirmed

    # ---- signals, sizing, risk: each only behind what it stands on
    @property
    def data_passed(self) -> bool:
        """Every data rule passed."""
        return all(result.passed for result in self.data.results)

    @cached_property
    def signals(self) -> SignalSet:
        """The ranking."""
        i = self.inputs
        return signal_set(ranker_of(i.policy), i.market, i.universe, i.policy)

    @cached_property
    def signals_result(self) -> CheckResult:
        """The signal gate."""
        expected = self.inputs.universe.expected(self.asof)
        return check_signals_stale(self.signals, expected, self.asof, self.inputs.policy)

    @property
    def sized(self) -> bool:
        """Data and signals passed, so there is something to size with."""
        return self.data_passed and self.signals_result.passed

    @property
    def fixing(self) -> Fixing:
        """The GBPUSD fixing that counts at D; only asked for once the data gate passed."""
        fixing = self.inputs.market.fixing(self.asof)
        assert fixing is not None
        return fixing

    @cached_property
    def sizing_input(self) -> SizingInput:
        """What sizing reads."""
        i = self.inputs
        closes = {s: bar.close for s in i.market.bars if (bar := i.market.bar(s, self.asof)) is not None}
        return SizingInput(
            asof=self.asof,
            prices_usd=closes,
            usd_per_gbp=self.fixing.usd_per_gbp,
            cash_gbp=self.ledger.cash_gbp,
            units=self.units,
            lots={symbol: self.ledger.positions[symbol].lots for symbol in self.units},
            ranks={signal.symbol: signal.rank for signal in self.signals.ranked},
            universe=i.universe,
            frozen=frozenset(self.data.frozen),
            unbuyable=self.data.unbuyable,
            split_pending=self.split_pending,
            book=i.book,
            reducing=self.switch.state == "REDUCING",
            verified_since=self.verified_since,
        )

    @cached_property
    def split_pending(self) -> frozenset[Symbol]:
        """Names with a known split after D up to and including the window's day."""
        market, window = self.inputs.market, self.inputs.times.window_session
        return frozenset(s for s in market.actions if market.splits(s, self.asof, window))

    @property
    def verified_since(self) -> dt.date:
        """The oldest day on which a bought name may have been verified on eToro."""
        return self.asof - dt.timedelta(days=self.inputs.policy.risk.verified_max_age)

    @cached_property
    def sizing(self) -> Sizing:
        """Targets and orders; of a test, one smallest order."""
        if self.inputs.is_test:
            return size_test(self.sizing_input, self.inputs.policy)
        targets = size_targets(self.sizing_input, self.inputs.policy)
        return size_orders(self.sizing_input, targets, self.inputs.policy)

    @cached_property
    def risk(self) -> tuple[CheckResult, ...]:
        """The risk engine's last word on the orders."""
        i = self.inputs
        return evaluate_risk(
            RiskInput(
                asof=self.asof,
                orders=self.sizing.orders,
                units=self.units,
                prices_usd=self.sizing_input.prices_usd,
                price_sessions=dict.fromkeys(self.sizing_input.prices_usd, self.asof),
                usd_per_gbp=self.sizing_input.usd_per_gbp,
                cash_gbp=self.ledger.cash_gbp,
                equity_gbp=self.sizing.equity_gbp,
                universe=i.universe,
                book=i.book,
                kill_switch=self.switch,
                drawdown=self.drawdown,
                split_pending=self.split_pending,
                verified_since=self.verified_since,
            ),
            i.policy,
        )

    def results(self) -> tuple[CheckResult, ...]:
        """Every rule that could be looked at; rules behind a failed gate are absent."""
        found = [*self.data.results, self.confirmation, *self.reconciliation.results, *self.desk]
        if self.data_passed:
            found.append(self.signals_result)
            if self.sized:
                found += self.risk
        return tuple(found)


def evidence_codes(results: Mapping[str, CheckResult]) -> tuple[str, ...]:
    """The rules of which a run must have left evidence, given what it did leave: none behind a failed gate."""
    gates = ["data", "confirmation", "reconciliation"]
    desk = ("BACKUP_UNPROVEN", "INCIDENT_OPEN", "ACCOUNT_UNCONFIRMED")
    data = [rule.code for rule in rules_of("data")]
    if all(code in results and results[code].passed for code in data):
        gates.append("signals")
        signals = [rule.code for rule in rules_of("signals")]
        if all(code in results and results[code].passed for code in signals):
            gates.append("risk")
    return tuple(rule.code for gate in gates for rule in rules_of(gate)) + desk  # type: ignore[arg-type]
