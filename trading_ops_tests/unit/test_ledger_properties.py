"""What holds for every history of the ledger, whatever people and markets did."""

import datetime as dt
import decimal
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from trading_ops.domain.ledger import CashMovement, Fill, LedgerFacts, LedgerState, equity_series, ledger_at
from trading_ops.domain.lots import share_out, split_lot, take_from_lots
from trading_ops.domain.prices import CorporateAction, Fixing
from trading_ops.domain.values import UNIT_PLACES, ZERO, Symbol, down, exact, half_even
from trading_ops_tests.unit.ledger_factory import at
from trading_ops_tests.unit.market_factory import make_bar, make_market, split

NAMES = ("AAA", "BBB", "CCC")
FIRST = dt.date(2018, 1, 2)
NEGLIGIBLE = Decimal("1e-30")

amounts = st.decimals("0.01", "5000", places=2)
unit_counts = st.decimals("0.000001", "500", places=6)
prices = st.decimals("0.01", "3000", places=2)
fees = st.decimals("0", "3", places=2)
ratios = st.sampled_from([Decimal(n) for n in (2, 3, 4, 7, 10)])
steps = st.one_of(
    st.tuples(st.just("cash"), st.sampled_from(["deposit", "withdrawal", "dividend", "fee"]), amounts),
    st.tuples(st.just("buy"), st.sampled_from(NAMES), unit_counts, prices, amounts, fees),
    st.tuples(st.just("sell"), st.sampled_from(NAMES), st.decimals("0.01", "1", places=2), prices, amounts, fees),
    st.tuples(st.just("split"), st.sampled_from(NAMES), ratios),
)


@dataclass(frozen=True)
class History:
    """Facts, one a day, and what a plain tally without lots says they come to."""

    facts: LedgerFacts
    last: dt.date
    cash_gbp: Decimal
    units: dict[Symbol, Decimal]


@st.composite
def histories(draw: st.DrawFn) -> History:
    fills: list[Fill] = []
    movements: list[CashMovement] = []
    splits: list[CorporateAction] = []
    units: dict[Symbol, Decimal] = {}
    cash = ZERO
    with exact():
        for count, step in enumerate(draw(st.lists(steps, max_size=25))):
            today = FIRST + dt.timedelta(days=count)
            match step:
                case ("cash", kind, amount):
                    signed = -amount if kind in ("withdrawal", "fee") else amount
                    movements.append(CashMovement(f"M{count:03}", kind, signed, today, at(today)))
                    cash += signed
                case ("buy", name, number, price, value, fee):
                    fills.append(Fill(f"F{count:03}", name, "BUY", number, price, value, fee, at(today), today))
                    units[name] = units.get(name, ZERO) + number
                    cash -= value + fee
                case ("sell", name, share, price, value, fee):
                    number = down(units.get(name, ZERO) * share, UNIT_PLACES)
                    if number:
                        fills.append(Fill(f"F{count:03}", name, "SELL", number, price, value, fee, at(today), today))
                        units[name] -= number
                        cash += value - fee
                case ("split", name, ratio):
                    splits.append(split(name, today, str(ratio)))
                    units[name] = units.get(name, ZERO) * ratio
    last = FIRST + dt.timedelta(days=30)
    held = {name: number for name, number in units.items() if number}
    return History(LedgerFacts(tuple(fills), tuple(movements), tuple(splits)), last, cash, held)


def state_of(history: History) -> LedgerState:
    return ledger_at(history.facts, history.last)


@given(histories())
def test_cash_is_conserved(history: History) -> None:
    assert state_of(history).cash_gbp == history.cash_gbp


@given(histories())
def test_units_are_conserved(history: History) -> None:
    assert state_of(history).units == history.units


@given(histories())
def test_lots_sum_to_units_and_are_oldest_first(history: History) -> None:
    for symbol, position in state_of(history).positions.items():
        with exact():
            assert sum((lot.units for lot in position.lots), ZERO) == history.units[symbol]
        assert all(lot.units > ZERO for lot in position.lots)
        opened = [lot.opened_on for lot in position.lots]
        assert opened == sorted(opened)


@given(histories())
def test_cost_is_conserved_between_open_and_closed_lots(history: History) -> None:
    state = state_of(history)
    with exact():
        paid = sum((f.value_gbp + f.fee_gbp for f in history.facts.fills if f.side == "BUY"), ZERO)
        is_open = sum((p.cost_gbp for p in state.positions.values()), ZERO)
        closed = sum((lot.cost_gbp for lot in state.realised), ZERO)
        assert abs(paid - is_open - closed) < NEGLIGIBLE


@given(histories())
def test_cash_and_open_cost_are_what_came_in_and_what_was_realised(history: History) -> None:
    state = state_of(history)
    with exact():
        came_in = sum((m.amount_gbp for m in history.facts.movements), ZERO)
        profit = sum((lot.profit_gbp for lot in state.realised), ZERO)
        is_open = sum((p.cost_gbp for p in state.positions.values()), ZERO)
        assert abs(state.cash_gbp + is_open - came_in - profit) < NEGLIGIBLE


@given(histories())
def test_fifo_closes_every_older_lot_before_a_newer_one(history: History) -> None:
    for position in state_of(history).positions.values():
        oldest = position.lots[0]
        whole_before = {f.fill_id for f in history.facts.fills if f.symbol == position.symbol and f.side == "BUY"}
        older = {i for i in whole_before if i < oldest.lot_id}
        assert not older & {lot.lot_id for lot in position.lots}
        closed = [lot.lot_id for lot in state_of(history).realised if lot.symbol == position.symbol]
        assert closed == sorted(closed)


@given(histories(), st.randoms(use_true_random=False))
def test_replay_is_equal_under_shuffled_input(history: History, random: object) -> None:
    shuffle: Callable[[list[object]], None] = random.shuffle  # type: ignore[attr-defined]

    def shuffled(given_facts: tuple[object, ...]) -> tuple[object, ...]:
        cards = list(given_facts)
        shuffle(cards)
        return tuple(cards)

    f = history.facts
    again = LedgerFacts(shuffled(f.fills), shuffled(f.movements), shuffled(f.splits))  # type: ignore[arg-type]
    assert ledger_at(again, history.last) == state_of(history)


@given(histories())
def test_the_decimal_context_of_the_caller_changes_nothing(history: History) -> None:
    with decimal.localcontext() as context:
        context.prec = 4
        context.rounding = decimal.ROUND_UP
        cramped = state_of(history)
    assert cramped == state_of(history)


@given(histories(), st.integers(0, 25))
def test_the_past_does_not_depend_on_later_facts(history: History, days: int) -> None:
    asof = FIRST + dt.timedelta(days=days)
    f = history.facts
    known = LedgerFacts(
        tuple(fill for fill in f.fills if fill.session <= asof),
        tuple(m for m in f.movements if m.day <= asof),
        tuple(s for s in f.splits if s.ex_date <= asof),
    )
    assert ledger_at(f, asof) == ledger_at(known, asof)


@given(histories(), ratios)
def test_a_split_multiplies_units_and_leaves_cost_and_worth(history: History, ratio: Decimal) -> None:
    before = state_of(history)
    next_day = history.last + dt.timedelta(days=1)
    f = history.facts
    splits = (*f.splits, *(split(name, next_day, str(ratio)) for name in NAMES))
    after = ledger_at(LedgerFacts(f.fills, f.movements, splits), next_day)
    assert after.cash_gbp == before.cash_gbp
    assert after.lost_fractions == ()
    with exact():
        for symbol, position in before.positions.items():
            assert after.units[symbol] == position.units * ratio
            assert after.positions[symbol].cost_gbp == position.cost_gbp
            for old, new in zip(position.lots, after.positions[symbol].lots, strict=True):
                assert abs(new.price_usd * new.units - old.price_usd * old.units) < NEGLIGIBLE


@given(histories(), st.decimals("0.01", "50", places=8))
def test_what_any_split_loses_is_recorded(history: History, ratio: Decimal) -> None:
    for position in state_of(history).positions.values():
        for lot in position.lots:
            after, lost = split_lot(lot, ratio)
            with exact():
                assert after.units + lost == lot.units * ratio
            assert after.units == half_even(after.units, UNIT_PLACES)
            assert abs(lost) <= Decimal("0.0000005")
            assert after.cost_gbp == lot.cost_gbp


@given(histories(), st.decimals("0.01", "1", places=2))
def test_lots_left_and_parts_taken_make_up_the_lots(history: History, share: Decimal) -> None:
    for position in state_of(history).positions.values():
        wanted = down(position.units * share, UNIT_PLACES)
        kept, parts = take_from_lots(position.lots, wanted, None, ())
        with exact():
            assert sum((p.units for p in parts), ZERO) == wanted
            assert sum((lot.units for lot in kept), ZERO) == position.units - wanted
        assert all(lot.units > ZERO for lot in kept)


@given(st.decimals("0", "10000", places=6), st.lists(unit_counts, min_size=1, max_size=8))
def test_shares_add_up_and_none_is_negative(amount: Decimal, weights: list[Decimal]) -> None:
    shares = share_out(amount, weights, UNIT_PLACES)
    with exact():
        assert sum(shares, ZERO) == amount
    assert all(s >= ZERO and s == half_even(s, UNIT_PLACES) for s in shares)


@given(histories(), st.sets(st.tuples(st.sampled_from(NAMES), st.integers(0, 30)), max_size=10))
def test_the_series_agrees_with_the_ledger_of_each_day(history: History, missing: set[tuple[Symbol, int]]) -> None:
    days = [FIRST + dt.timedelta(days=n) for n in range(31)]
    bars = {
        name: {d: make_bar(name, d, str(10 + n)) for n, d in enumerate(days) if (name, n) not in missing}
        for name in NAMES
    }
    market = make_market(days[-1], bars, fixings=[Fixing(FIRST - dt.timedelta(days=3), Decimal("1.3"), "test")])
    flows = ZERO
    for n, point in enumerate(equity_series(history.facts, market, days)):
        state = ledger_at(history.facts, days[n])
        flows += point.flow_gbp
        absent = {symbol for symbol in state.units if (symbol, n) in missing}
        assert point.cash_gbp == state.cash_gbp
        assert point.complete == (not absent)
        with exact():
            assert point.equity_gbp == point.cash_gbp + point.holdings_gbp
            if not absent:
                worth = sum((u * bars[s][days[n]].close / Decimal("1.3") for s, u in state.units.items()), ZERO)
                assert abs(point.holdings_gbp - worth) < NEGLIGIBLE
    with exact():
        assert flows == sum((m.amount_gbp for m in history.facts.movements if m.is_flow), ZERO)


@given(st.lists(st.tuples(unit_counts, prices, st.booleans()), min_size=1, max_size=8), st.data())
def test_fills_of_one_day_replay_equal_whatever_their_order(given_fills: list[object], data: st.DataObject) -> None:
    held = Fill("F000", "AAA", "BUY", Decimal(9999), Decimal(1), Decimal(1), ZERO, at(FIRST), FIRST)
    today = FIRST + dt.timedelta(days=1)
    busy = [
        Fill(f"F{n + 1:03}", "AAA", "BUY" if buys else "SELL", units, price, Decimal(1), ZERO, at(today, 15), today)
        for n, (units, price, buys) in enumerate(given_fills)  # type: ignore[misc]
    ]
    expected = ledger_at(LedgerFacts((held, *busy), (), (split("AAA", today, "2"),)), today)
    shuffled = data.draw(st.permutations([held, *busy]))
    assert ledger_at(LedgerFacts(tuple(shuffled), (), (split("AAA", today, "2"),)), today) == expected
    with exact():
        net = sum((f.units if f.side == "BUY" else -f.units for f in busy), ZERO)
        assert expected.units == {"AAA": 19998 + net}
