"""A household's book with a broker beside it, and planted differences between the two.

The broker's side and the ledger's side are two lists of facts that begin equal; a plant changes one of them, or what a
person typed. Everything follows from a seed.
"""

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal

from trading_ops.domain.corrections import Proposal, RetakeSnapshot, apply_proposals
from trading_ops.domain.diagnosis import AnsweredLine, Diagnosis, DriftEvidence, StatementRow, diagnose
from trading_ops.domain.diagnosis_digits import decimals, swapped
from trading_ops.domain.drift import Comparison, compare
from trading_ops.domain.ledger import (
    CashMovement,
    CorporateEvent,
    ExpectedDividend,
    Fill,
    LedgerFacts,
    complete_fill,
    ledger_at,
)
from trading_ops.domain.prices import CorporateAction
from trading_ops.domain.reconciliation import BrokerSnapshot, SnapshotHolding
from trading_ops.domain.values import ZERO, Symbol, exact, half_even, plain
from trading_ops_tests.unit.ledger_factory import at, day
from trading_ops_tests.unit.market_factory import committed_policy

D = Decimal
OPENED, BEFORE, MONDAY, WEDNESDAY, FRIDAY = (
    day("2018-01-08"), day("2018-02-02"), day("2018-02-05"), day("2018-02-07"), day("2018-02-09"),
)  # fmt: skip
RATE = D("1.3925")
FX_FEE = D("0.0075")
NAMES = ("AAPL", "ABBV", "AXP", "BA", "CAT", "CVX", "DIS", "GE", "HD", "IBM", "INTC", "JNJ", "KO", "MCD", "MMM")
STRANGERS = ("ZTS", "YUM", "XYL", "WAB", "VZ")
TAKEN = at(FRIDAY, 22)
SELLS = 3


@dataclass
class World:
    """Both sides of one book, and what the desk would lay before a diagnosis."""

    rng: random.Random
    names: list[Symbol] = field(default_factory=list)
    prices: dict[Symbol, Decimal] = field(default_factory=dict)
    ledger: LedgerFacts = field(default_factory=LedgerFacts)
    broker: LedgerFacts = field(default_factory=LedgerFacts)
    lines: dict[int, AnsweredLine] = field(default_factory=dict)
    expected: list[ExpectedDividend] = field(default_factory=list)
    known_splits: list[CorporateAction] = field(default_factory=list)
    statement: list[StatementRow] = field(default_factory=list)
    typed: dict[Symbol, Decimal] = field(default_factory=dict)
    cash_swapped: bool = False
    untouched: list[Symbol] = field(default_factory=list)
    count: int = 0

    def take(self, *, traded: str | None = None) -> Symbol:
        """A name that no plant has touched: one that was bought or sold this week, or one that was not."""
        sides = {line.symbol: line.side for line in self.lines.values()}
        fits = [n for n in self.untouched if sides.get(n) == traded]
        chosen = self.rng.choice(fits)
        self.untouched.remove(chosen)
        return chosen

    def line_of(self, symbol: Symbol) -> AnsweredLine:
        return next(line for line in self.lines.values() if line.symbol == symbol)

    def fill_of(self, symbol: Symbol) -> Fill:
        """This week's fill of a name."""
        return next(f for f in self.broker.fills if f.symbol == symbol and f.session == MONDAY)

    def id(self, kind: str) -> str:
        self.count += 1
        return f"{kind}{self.count:04}"

    def truth(self, taken: str = "S2", facts: LedgerFacts | None = None, until: dt.datetime = TAKEN) -> BrokerSnapshot:
        """What the broker shows and a careful person types."""
        facts = facts or self.broker
        seen = LedgerFacts(
            tuple(f for f in facts.fills if f.filled_at <= until),
            tuple(m for m in facts.movements if m.at <= until),
            facts.splits,
            facts.events,
        )
        state = ledger_at(seen, until.date())
        holdings = {s: SnapshotHolding(units, 6) for s, units in state.units.items()}
        return BrokerSnapshot(taken, until, until.date(), state.cash_gbp, holdings)

    def snapshot(self) -> BrokerSnapshot:
        """What a person typed."""
        true = self.truth()
        wrong = {s: SnapshotHolding(units, decimals(units)) for s, units in self.typed.items()}
        cash = true.cash_gbp
        if self.cash_swapped:
            cash = random.Random(len(self.names)).choice([c for c in swapped(cash, 2) if abs(c - cash) > 60])
        return replace(true, holdings={**true.holdings, **wrong}, cash_gbp=cash)

    def comparison(self, snapshot: BrokerSnapshot, ledger: LedgerFacts) -> Comparison:
        booked = {(m.symbol, m.ex_date) for m in ledger.movements if m.kind == "dividend"}
        expected = tuple(replace(d, booked=(d.symbol, d.ex_date) in booked) for d in self.expected)
        return compare(snapshot, ledger, D(10000), expected, committed_policy().reconciliation)

    def evidence(self) -> DriftEvidence:
        snapshot = self.snapshot()
        return DriftEvidence(
            snapshot=snapshot,
            previous=self.truth("S1", until=at(BEFORE, 22)),
            facts=self.ledger,
            comparison=self.comparison(snapshot, self.ledger),
            policy=committed_policy(),
            expected=tuple(self.expected),
            lines=tuple(self.lines.values()),
            closes=dict(self.prices),
            usd_per_gbp=RATE,
            known_splits=tuple(self.known_splits),
            statement=tuple(self.statement),
        )

    def accepted(self, proposals: tuple[Proposal, ...]) -> Comparison:
        """The comparison after all is accepted; a snapshot that must be retaken is typed rightly."""
        again = any(isinstance(p, RetakeSnapshot) for p in proposals)
        return self.comparison(self.truth() if again else self.snapshot(), apply_proposals(self.ledger, proposals))


def make_world(seed: int) -> World:
    """A book of 10 to 15 names with a ticket of three sales and four purchases, all of it answered as it was."""
    rng = random.Random(seed)
    world = World(rng)
    world.names = sorted(rng.sample(NAMES, rng.randint(10, 15)))
    world.untouched = list(world.names)
    world.prices = {n: D(rng.randint(2000, 30000)) / 100 for n in (*NAMES, *STRANGERS)}
    fills = [_fill(world, n, "BUY", OPENED, pounds=D(rng.randint(500, 700))) for n in world.names]
    world.broker = LedgerFacts(tuple(fills), (CashMovement("M0001", "deposit", D(12000), OPENED, at(OPENED, 9)),))
    for number, name in enumerate(rng.sample(world.names, 7), start=1):
        _execute(world, number, name, "SELL" if number <= SELLS else "BUY")
    world.ledger = world.broker
    return world


def _execute(world: World, number: int, name: Symbol, side: str) -> None:
    """One line of Monday's ticket, done and answered."""
    held = sum((f.units for f in world.broker.fills if f.symbol == name), ZERO)
    amount = D(world.rng.randint(150, 400))
    reference = world.prices[name] * D(world.rng.randint(985, 1015)) / 1000
    reference = half_even(reference, 2)
    with exact():
        units = half_even(held * D(world.rng.choice([30, 45, 60])) / 100, 6)
    if side == "BUY":
        fill = _fill(world, name, "BUY", MONDAY, pounds=amount)
        with exact():
            units = half_even(amount * RATE / reference, 6)
    else:
        fill = _fill(world, name, "SELL", MONDAY, units=units)
        amount = half_even(units * reference / RATE, 2)
    world.broker = replace(world.broker, fills=(*world.broker.fills, fill))
    world.lines[number] = AnsweredLine(
        "2018-02-02", number, name, fill.side, amount, units, reference, "DONE", MONDAY,
        confirmed_units=fill.units, confirmed_price_usd=fill.price_usd, confirmed_value_gbp=fill.value_gbp,
        fill_ids=(fill.fill_id,),
    )  # fmt: skip


def _fill(
    world: World, name: Symbol, side: str, session: dt.date, *, pounds: Decimal = ZERO, units: Decimal = ZERO
) -> Fill:
    """An execution at about the close and the broker's rate."""
    with exact():
        price = half_even(world.prices[name] * D(world.rng.randint(985, 1015)) / 1000, 2)
        if side == "BUY":
            units = half_even(pounds * RATE * (1 - FX_FEE) / price, 6)
        else:
            pounds = half_even(units * price / RATE * (1 - FX_FEE), 2)
    moment = at(session, 15, world.rng.randint(0, 59))
    return Fill(world.id("F"), name, "BUY" if side == "BUY" else "SELL", units, price, pounds, ZERO, moment, session)


def without(facts: LedgerFacts, fill: Fill) -> LedgerFacts:
    return replace(facts, fills=tuple(f for f in facts.fills if f.fill_id != fill.fill_id))


def having(facts: LedgerFacts, *fills: Fill) -> LedgerFacts:
    return replace(facts, fills=(*facts.fills, *fills))


def moved(facts: LedgerFacts, *movements: CashMovement) -> LedgerFacts:
    return replace(facts, movements=(*facts.movements, *movements))


def movement(world: World, kind: str, amount: Decimal, **changes: object) -> CashMovement:
    return CashMovement(world.id("M"), kind, amount, WEDNESDAY, at(WEDNESDAY, 9), **changes)  # type: ignore[arg-type]


def due(world: World, name: Symbol) -> ExpectedDividend:
    """A dividend of Wednesday that the data announced."""
    units = world.truth().holdings[name].units
    with exact():
        amount = D(world.rng.randint(30, 250)) / 100
        net = half_even(units * amount * D("0.85") / RATE, 2)
    dividend = ExpectedDividend(name, WEDNESDAY, units, amount, net, booked=False)
    world.expected.append(dividend)
    return dividend


Plant = Callable[[World], tuple[str, Symbol]]
CASH = "CASH"


def unbooked_dividend(world: World) -> tuple[str, Symbol]:
    dividend = due(world, world.take())
    paid = movement(world, "dividend", dividend.net_gbp, symbol=dividend.symbol, ex_date=WEDNESDAY)
    world.broker = moved(world.broker, paid)
    return "UNBOOKED_DIVIDEND", CASH


def taxed_dividend(world: World) -> tuple[str, Symbol]:
    dividend = due(world, world.take())
    with exact():
        net = half_even(dividend.units * dividend.amount_usd * D("0.7") / RATE, 2)
    world.broker = moved(world.broker, movement(world, "dividend", net, symbol=dividend.symbol, ex_date=WEDNESDAY))
    return "UNBOOKED_DIVIDEND", CASH


def dividend_amount(world: World) -> tuple[str, Symbol]:
    dividend = due(world, world.take())
    world.expected[-1] = replace(dividend, booked=True)
    with exact():
        wrong = half_even(dividend.net_gbp / D("0.85") * D("0.7"), 2)
    booked = movement(world, "dividend", wrong, symbol=dividend.symbol, ex_date=WEDNESDAY)
    world.ledger = moved(world.ledger, booked)
    world.broker = moved(world.broker, replace(booked, amount_gbp=dividend.net_gbp))
    return "DIVIDEND_AMOUNT", CASH


def split_unbooked(world: World) -> tuple[str, Symbol]:
    name = world.take()
    split = CorporateAction(name, WEDNESDAY, "split", D(world.rng.choice([2, 3, 4, 7])), "yahoo")
    world.known_splits.append(split)
    world.broker = replace(world.broker, splits=(*world.broker.splits, split))
    return "SPLIT_UNBOOKED", name


def split_unheard_of(world: World) -> tuple[str, Symbol]:
    name = world.take()
    ratio = D(world.rng.choice([2, 3, 4, 5, 7, 10]))
    split = CorporateAction(name, WEDNESDAY, "split", ratio, "yahoo")
    world.broker = replace(world.broker, splits=(*world.broker.splits, split))
    with exact():
        world.prices[name] = half_even(world.prices[name] / ratio, 2)
    return "SPLIT_UNBOOKED", name


def split_doubled(world: World) -> tuple[str, Symbol]:
    name = world.take()
    split = CorporateAction(name, WEDNESDAY, "split", D(world.rng.choice([2, 3, 4, 10])), "files")
    world.ledger = replace(world.ledger, splits=(*world.ledger.splits, split))
    return "SPLIT_DOUBLED", name


def _mistyped(world: World, fill: Fill, units: Decimal) -> None:
    world.ledger = having(without(world.ledger, fill), replace(fill, units=units))


def digits_swapped_fill(world: World) -> tuple[str, Symbol]:
    name = world.take(traded="BUY")
    fill = world.fill_of(name)
    wrong = [u for u in swapped(fill.units, 6) if abs(u / fill.units - 1) > D("0.08") and u > 0]
    _mistyped(world, fill, world.rng.choice(wrong) if wrong else fill.units * 10)
    return ("DIGITS_SWAPPED_FILL" if wrong else "DECIMAL_SLIP"), name


def digits_swapped_pounds(world: World) -> tuple[str, Symbol]:
    name = world.take(traded="SELL")
    fill = world.fill_of(name)
    wrong = [v for v in swapped(fill.value_gbp, 2) if abs(v / fill.value_gbp - 1) > D("0.08") and v > 0]
    value = world.rng.choice(wrong) if wrong else fill.value_gbp * 10
    world.ledger = having(without(world.ledger, fill), replace(fill, value_gbp=value))
    return ("DIGITS_SWAPPED_FILL" if wrong else "DECIMAL_SLIP"), CASH


def digits_swapped_snapshot(world: World) -> tuple[str, Symbol]:
    name = world.take()
    units = world.truth().holdings[name].units
    world.typed[name] = world.rng.choice([u for u in swapped(units, 6) if abs(u / units - 1) > D("0.01")] or [units])
    return "DIGITS_SWAPPED_SNAPSHOT", name


def digits_swapped_snapshot_cash(world: World) -> tuple[str, Symbol]:
    world.cash_swapped = True
    return "DIGITS_SWAPPED_SNAPSHOT", CASH


def decimal_slip_fill(world: World) -> tuple[str, Symbol]:
    name = world.take(traded="BUY")
    fill = world.fill_of(name)
    _mistyped(world, fill, half_even(fill.units * world.rng.choice([10, 100]), 6))
    return "DECIMAL_SLIP", name


def pence_for_pounds(world: World) -> tuple[str, Symbol]:
    name = world.take(traded="SELL")
    fill = world.fill_of(name)
    wrong = replace(fill, value_gbp=half_even(fill.value_gbp * 100, 2))
    world.ledger = having(without(world.ledger, fill), wrong)
    return "DECIMAL_SLIP", CASH


def decimal_slip_snapshot(world: World) -> tuple[str, Symbol]:
    name = world.take()
    units = world.truth().holdings[name].units
    world.typed[name] = units.scaleb(world.rng.choice([1, 2, 3]))
    return "DECIMAL_SLIP", name


def _unanswered(world: World, name: Symbol) -> Fill:
    line, fill = world.line_of(name), world.fill_of(name)
    status = world.rng.choice(["SKIPPED", "FAILED", None])
    blank = replace(line, status=status, fill_ids=(), confirmed_units=None, confirmed_price_usd=None)  # type: ignore[arg-type]
    world.lines[line.line] = replace(blank, confirmed_value_gbp=None)
    world.ledger = without(world.ledger, fill)
    return fill


def missed_buy(world: World) -> tuple[str, Symbol]:
    name = world.take(traded="BUY")
    _unanswered(world, name)
    return "MISSED_FILL", name


def missed_sell(world: World) -> tuple[str, Symbol]:
    name = world.take(traded="SELL")
    _unanswered(world, name)
    return "MISSED_FILL", name


def missed_off_ticket(world: World) -> tuple[str, Symbol]:
    name = world.rng.choice(STRANGERS[:3])
    world.broker = having(world.broker, _fill(world, name, "BUY", FRIDAY, pounds=D(world.rng.randint(150, 400))))
    return "MISSED_FILL", name


def phantom_fill(world: World) -> tuple[str, Symbol]:
    name = world.take(traded="BUY")
    world.broker = without(world.broker, world.fill_of(name))
    return "PHANTOM_FILL", name


def phantom_sale(world: World) -> tuple[str, Symbol]:
    name = world.take(traded="SELL")
    world.broker = without(world.broker, world.fill_of(name))
    return "PHANTOM_FILL", name


def booked_twice(world: World) -> tuple[str, Symbol]:
    name = world.take(traded="BUY")
    world.ledger = having(world.ledger, replace(world.fill_of(name), fill_id=world.id("F")))
    return "FILLED_TWICE", name


def sent_twice(world: World) -> tuple[str, Symbol]:
    name = world.take(traded="BUY")
    fill = world.fill_of(name)
    again = half_even(fill.units * D("1.003"), 6)
    later = fill.filled_at + dt.timedelta(minutes=1)
    world.broker = having(world.broker, replace(fill, fill_id=world.id("F"), units=again, filled_at=later))
    return "FILLED_TWICE", name


def _part(fill: Fill, percent: int) -> Fill:
    with exact():
        units, value = half_even(fill.units * percent / 100, 6), half_even(fill.value_gbp * percent / 100, 2)
    return replace(fill, units=units, value_gbp=value)


def partial_fill(world: World) -> tuple[str, Symbol]:
    name = world.take(traded=world.rng.choice(["BUY", "SELL"]))
    fill = world.fill_of(name)
    world.broker = having(without(world.broker, fill), _part(fill, world.rng.randint(20, 80)))
    return "PARTIAL_FILL", name


def rest_came_later(world: World) -> tuple[str, Symbol]:
    name = world.take(traded="BUY")
    fill = world.fill_of(name)
    world.ledger = having(without(world.ledger, fill), _part(fill, world.rng.randint(20, 80)))
    world.lines[world.line_of(name).line] = replace(world.line_of(name), status="PARTIAL")
    return "PARTIAL_FILL", name


def wrong_name(world: World) -> tuple[str, Symbol]:
    name = world.take(traded="BUY")
    fill = world.fill_of(name)
    true = _fill(world, STRANGERS[3], "BUY", MONDAY, pounds=fill.value_gbp)
    world.broker = having(without(world.broker, fill), true)
    return "WRONG_NAME", min(name, STRANGERS[3])


def fee_by_statement(world: World) -> tuple[str, Symbol]:
    fee = movement(world, "fee", -D(world.rng.randint(300, 1200)) / 100)
    world.broker = moved(world.broker, fee)
    world.statement.append(StatementRow("fee", fee.at, None, None, fee.amount_gbp, None, "row fee"))
    return "FEE", CASH


def commission(world: World) -> tuple[str, Symbol]:
    count = sum(1 for f in world.ledger.fills if f.session == MONDAY)
    with exact():
        fee = half_even(D(2) / RATE, 2) * count
    world.broker = moved(world.broker, movement(world, "fee", -fee))
    return "FEE", CASH


def fx_cost(world: World) -> tuple[str, Symbol]:
    """The pounds of Monday's sales were not typed and are worked out at the fixing."""
    for fill in [f for f in world.ledger.fills if f.session == MONDAY and f.side == "SELL"]:
        _, value, _ = complete_fill(fill.units, None, fill.price_usd, RATE)
        world.ledger = having(without(world.ledger, fill), replace(fill, value_gbp=value, estimated=True))
    return "FX_COST", CASH


def fx_cost_in_units(world: World) -> tuple[str, Symbol]:
    """The units of a purchase were not typed and are worked out at the fixing."""
    name = world.take(traded="BUY")
    fill = world.fill_of(name)
    units, _, _ = complete_fill(None, fill.value_gbp, fill.price_usd, RATE + D("0.01"))
    world.ledger = having(without(world.ledger, fill), replace(fill, units=units, estimated=True))
    return "FX_COST", name


def deposit(world: World) -> tuple[str, Symbol]:
    world.broker = moved(world.broker, movement(world, "deposit", D(world.rng.choice([100, 250, 500, 1000]))))
    return "UNBOOKED_DEPOSIT", CASH


def withdrawal(world: World) -> tuple[str, Symbol]:
    world.broker = moved(world.broker, movement(world, "withdrawal", -D(world.rng.choice([100, 200, 500]))))
    return "UNBOOKED_WITHDRAWAL", CASH


def deposit_twice(world: World) -> tuple[str, Symbol]:
    paid = movement(world, "deposit", D(world.rng.choice([150, 300, 500])))
    world.broker = moved(world.broker, paid)
    world.ledger = moved(world.ledger, paid, replace(paid, movement_id=world.id("M")))
    return "MOVEMENT_TWICE", CASH


def interest(world: World) -> tuple[str, Symbol]:
    paid = movement(world, "interest", D(world.rng.randint(100, 900)) / 100)
    world.broker = moved(world.broker, paid)
    world.statement.append(StatementRow("interest", paid.at, None, None, paid.amount_gbp, None, "row interest"))
    return "INTEREST", CASH


def spin_off(world: World) -> tuple[str, Symbol]:
    parent, new = world.take(), STRANGERS[4]
    with exact():
        units = half_even(world.truth().holdings[parent].units / world.rng.choice([2, 3, 4, 5, 8]), 6)
    event = CorporateEvent(world.id("E"), "spin_off", parent, FRIDAY, new, units, D("0.1"))
    world.broker = replace(world.broker, events=(*world.broker.events, event))
    return "SPIN_OFF", new


def name_change(world: World) -> tuple[str, Symbol]:
    old = world.take()
    event = CorporateEvent(world.id("E"), "name_change", old, FRIDAY, f"{old}X")
    world.broker = replace(world.broker, events=(*world.broker.events, event))
    return "NAME_CHANGE", old


def not_typed(world: World) -> tuple[str, Symbol]:
    name = world.take()
    world.typed[name] = ZERO
    return "NOT_TYPED", name


def unknown_units(world: World) -> tuple[str, Symbol]:
    name = world.take()
    with exact():
        share = D(world.rng.randint(1100, 1450)) / 1000
        world.typed[name] = half_even(world.truth().holdings[name].units * share, 6) + D("0.000001")
    return "UNKNOWN", name


def unknown_cash(world: World) -> tuple[str, Symbol]:
    amount = D(world.rng.randint(6000, 30000)) / 100 + D("0.01")
    world.broker = moved(world.broker, movement(world, "adjustment", amount * world.rng.choice([1, -1])))
    return "UNKNOWN", CASH


def unknown_pennies(world: World) -> tuple[str, Symbol]:
    """Less than the tolerance: nothing has to be said of it."""
    amount = D(world.rng.randint(100, 4500)) / 100 + D("0.01")
    world.broker = moved(world.broker, movement(world, "adjustment", amount * world.rng.choice([1, -1])))
    return "-", CASH


PLANTS: dict[str, Plant] = {
    plant.__name__: plant
    for plant in (
        unbooked_dividend, taxed_dividend, dividend_amount, split_unbooked, split_unheard_of, split_doubled,
        digits_swapped_fill, digits_swapped_pounds, digits_swapped_snapshot, digits_swapped_snapshot_cash,
        decimal_slip_fill, pence_for_pounds, decimal_slip_snapshot, missed_buy, missed_sell, missed_off_ticket,
        phantom_fill, phantom_sale, booked_twice, sent_twice, partial_fill, rest_came_later, wrong_name,
        fee_by_statement, commission, fx_cost, fx_cost_in_units, deposit, withdrawal, deposit_twice, interest,
        spin_off, name_change, not_typed, unknown_units, unknown_cash, unknown_pennies,
    )
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """Plants in one book, what they should be called, and what they are called."""

    world: World
    planted: tuple[tuple[str, Symbol], ...]
    diagnosis: Diagnosis

    @property
    def found(self) -> tuple[tuple[str, Symbol], ...]:
        return tuple(sorted((f.code, f.symbol) for f in self.diagnosis.findings))

    @property
    def right(self) -> bool:
        return self.found == tuple(sorted({p for p in self.planted if p[0] != "-"}))


def plant(seed: int, *kinds: str) -> Case:
    """A book with these differences, diagnosed."""
    world = make_world(seed)
    planted = tuple(PLANTS[kind](world) for kind in kinds)
    return Case(world, planted, diagnose(world.evidence()))


def told(case: Case) -> str:
    """What was found, for a failing test."""
    lines = [f"planted {case.planted}"]
    for finding in case.diagnosis.findings:
        lines.append(f"{finding.symbol} {finding.code} {finding.confidence}: {finding.sentence}")
    return "\n".join([*lines, *(f"{d.symbol} {d.verdict} {plain(d.difference)}" for d in drifting(case))])


def drifting(case: Case) -> tuple[object, ...]:
    comparison = case.world.evidence().comparison
    return tuple(d for d in comparison.differences if d.verdict != "equal")
