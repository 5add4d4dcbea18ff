"""What holds for every book: sizing keeps its promises, risk agrees with it, and nothing but the facts decides."""

import decimal
import hashlib
import os
import random
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trading_ops.domain.policy import Policy
from trading_ops.domain.risk import KillSwitch, evaluate_risk
from trading_ops.domain.sizing import Sizing, SizingInput, size_orders, size_targets
from trading_ops.domain.values import ZERO, exact
from trading_ops_tests.unit.book_factory import book, committed_policy, lot, policy, risk_input, size

ROOT = Path(__file__).parents[2]
NAMES = [f"N{i:02}" for i in range(30)]

prices = st.decimals("0.05", "4000", places=4)
holdings = st.one_of(st.just(ZERO), st.decimals("0.000001", "60", places=6))


@st.composite
def books(draw: st.DrawFn) -> SizingInput:
    """Any book: some names held, some ranked, some disabled, frozen, unbuyable, splitting or unknown."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=18, unique=True))
    units = {s: draw(holdings) for s in names}
    ranked = draw(st.permutations(names))[: draw(st.integers(0, len(names)))]
    few = st.frozensets(st.sampled_from(names), max_size=3)
    return book(
        cash=draw(st.decimals("-200", "30000", places=2)),
        units=units,
        prices={s: draw(prices) for s in names},
        ranks={s: r for r, s in enumerate(ranked, start=1)},
        lots={s: _lots(s, u, draw(st.integers(1, 3))) for s, u in units.items()},
        rows={s: {"enabled": False} for s in draw(few)} | {s: {"tradable_underlying": False} for s in draw(few)},
        unknown=draw(few),
        frozen=draw(few),
        unbuyable=draw(few),
        split_pending=draw(few),
        usd_per_gbp=draw(st.decimals("1.05", "2.1", places=4)),
        reducing=draw(st.sampled_from([False, False, False, True])),
    )


def _lots(symbol: str, units: Decimal, pieces: int) -> tuple[Any, ...]:
    part = (units / pieces).quantize(Decimal("0.000001"), rounding=decimal.ROUND_DOWN)
    sizes = [part] * (pieces - 1) + [units - part * (pieces - 1)]
    return tuple(lot(symbol, size, number) for number, size in enumerate(sizes, start=1) if size > ZERO)


policies = st.builds(
    policy,
    seats=st.integers(1, 20),
    keep_rank=st.integers(1, 30),
    buffer=st.sampled_from(["0.03", "0", "0.5"]),
    max_weight=st.sampled_from(["0.10", "0.25", "1"]),
    turnover_cap=st.sampled_from(["0.30", "0.05", "1", "0"]),
    band=st.sampled_from(["0.15", "0", "0.5"]),
    phase_share=st.sampled_from(["1", "0.25", "0"]),
)


def buys_of(sizing: Sizing) -> list[Decimal]:
    return [o.amount_gbp for o in sizing.orders if o.side == "BUY"]


def sells_of(sizing: Sizing, *groups: str) -> list[Decimal]:
    return [o.amount_gbp for o in sizing.orders if o.side == "SELL" and (not groups or o.group in groups)]


@given(books(), policies)
def test_buys_are_covered_by_certain_cash_above_the_floor(inp: SizingInput, numbers: Policy) -> None:
    sizing = size(inp, numbers)
    s = numbers.sizing
    with exact():
        certain = inp.cash_gbp + s.sell_haircut * sum(sells_of(sizing), ZERO) - sum(buys_of(sizing), ZERO)
        if buys_of(sizing):
            assert certain >= s.cash_floor * sizing.equity_gbp >= ZERO


@given(books(), policies)
def test_no_buy_lifts_a_name_above_its_target(inp: SizingInput, numbers: Policy) -> None:
    sizing = size(inp, numbers)
    wanted = {t.symbol: t for t in sizing.targets}
    with exact():
        for order in sizing.orders:
            if order.side == "BUY":
                after = wanted[order.symbol].value_gbp + order.amount_gbp
                assert after <= wanted[order.symbol].target_gbp <= numbers.sizing.max_weight * sizing.equity_gbp


@given(books(), policies)
def test_every_buy_is_whole_pounds_and_worth_an_order(inp: SizingInput, numbers: Policy) -> None:
    sizing = size(inp, numbers)
    wanted = {t.symbol: t.target_gbp for t in sizing.targets}
    for order in sizing.orders:
        if order.side == "BUY":
            assert order.amount_gbp == order.amount_gbp.to_integral_value()
            assert order.amount_gbp >= max(numbers.sizing.minimum_order_gbp, numbers.sizing.band * wanted[order.symbol])


@given(books(), policies)
def test_a_sale_is_at_most_what_is_held_and_its_lots_add_up_to_it(inp: SizingInput, numbers: Policy) -> None:
    for order in size(inp, numbers).orders:
        if order.side == "SELL":
            assert ZERO < order.units <= inp.units[order.symbol]
            assert sum((c.units for c in order.lots), ZERO) == order.units
            assert all(c.whole for c in order.lots[:-1])
            oldest = inp.lots[order.symbol][: len(order.lots)]
            assert [c.lot_id for c in order.lots] == [held.lot_id for held in oldest]


@given(books(), policies)
def test_a_name_has_at_most_one_line_and_lines_are_numbered_sells_first(inp: SizingInput, numbers: Policy) -> None:
    orders = size(inp, numbers).orders
    assert len({o.symbol for o in orders}) == len(orders)
    assert [o.line for o in orders] == list(range(1, len(orders) + 1))
    assert [o.side for o in orders] == sorted((o.side for o in orders), reverse=True)
    ranks = [o.rank for o in orders if o.side == "BUY"]
    assert ranks == sorted(ranks, key=lambda r: r or 0)


@given(books(), policies)
def test_nothing_has_both_a_line_and_a_pending_split(inp: SizingInput, numbers: Policy) -> None:
    sizing = size(inp, numbers)
    names = {o.symbol for o in sizing.orders}
    assert not names & inp.split_pending
    assert not names & {d.symbol for d in sizing.deferred}


@given(books(), policies)
def test_turnover_stays_within_the_cap_but_for_what_must_be_sold(inp: SizingInput, numbers: Policy) -> None:
    sizing = size(inp, numbers)
    with exact():
        cap = numbers.sizing.turnover_cap * max(sizing.equity_gbp, ZERO)
        assert sum(buys_of(sizing), ZERO) <= cap
        if sells_of(sizing, "exit", "trim"):
            assert sum(sells_of(sizing), ZERO) <= cap


@given(books(), policies)
def test_what_must_be_sold_is_never_cut_or_deferred(inp: SizingInput, numbers: Policy) -> None:
    sizing = size(inp, numbers)
    sold = {o.symbol: o.units for o in sizing.orders if o.group == "must_sell"}
    for held in sizing.targets:
        row = inp.universe.instruments.get(held.symbol)
        gone = row is None or not row.tradable
        if gone and held.units > ZERO and held.symbol not in inp.split_pending:
            assert sold[held.symbol] == held.units


@given(books(), policies)
def test_at_most_so_many_seats_and_none_for_what_may_not_be_held(inp: SizingInput, numbers: Policy) -> None:
    seated = [t for t in size_targets(inp, numbers) if t.seat]
    assert len(seated) <= numbers.sizing.seats
    assert all(t.rank is not None and inp.universe.instruments[t.symbol].tradable for t in seated)
    assert not {t.symbol for t in seated if t.units == ZERO} & (inp.frozen | inp.unbuyable)


@given(books())
def test_reducing_has_no_buys(inp: SizingInput) -> None:
    assert buys_of(size(replace(inp, reducing=True))) == []


@given(books(), policies)
def test_risk_finds_nothing_wrong_with_what_sizing_did(inp: SizingInput, numbers: Policy) -> None:
    inp = replace(inp, universe=book(ranks=dict.fromkeys(inp.units, 1)).universe)
    orders = size(inp, numbers).orders
    switch = KillSwitch("REDUCING" if inp.reducing else "ACTIVE", None, "")
    failed = {a.code for a in evaluate_risk(risk_input(inp, orders, kill_switch=switch), numbers) if not a.passed}
    # How many names and how much a book holds already is not sizing's doing, nor is cash that is owed.
    allowed = {"MAX_POSITIONS", "PHASE_CAP"} | ({"NO_LEVERAGE", "TURNOVER_CAP"} if inp.cash_gbp < ZERO else set())
    assert failed <= allowed


@given(books(), policies, st.randoms(use_true_random=False))
def test_the_order_of_the_facts_changes_nothing(inp: SizingInput, numbers: Policy, chance: random.Random) -> None:
    def shuffled(facts: Mapping[str, Any]) -> dict[str, Any]:
        items = list(facts.items())
        chance.shuffle(items)
        return dict(items)

    other = replace(
        inp,
        prices_usd=shuffled(inp.prices_usd),
        units=shuffled(inp.units),
        lots=shuffled(inp.lots),
        ranks=shuffled(inp.ranks),
        universe=replace(inp.universe, instruments=shuffled(inp.universe.instruments)),
    )
    targets = list(size_targets(other, numbers))
    chance.shuffle(targets)
    sizing, again = size(inp, numbers), size_orders(other, tuple(targets), numbers)
    assert (again.orders, again.deferred, again.equity_gbp) == (sizing.orders, sizing.deferred, sizing.equity_gbp)


@given(books(), st.integers(1, 60), st.sampled_from([decimal.ROUND_UP, decimal.ROUND_DOWN, decimal.ROUND_HALF_UP]))
@example(book(cash="1000", units={"N00": "7"}, ranks={"N01": 1}, prices={"N00": "3.33"}), 1, decimal.ROUND_UP)
def test_the_threads_decimal_context_changes_nothing(inp: SizingInput, precision: int, rounding: str) -> None:
    sizing = size(inp)
    seen = evaluate_risk(risk_input(inp, sizing.orders), committed_policy())
    equity = risk_input(inp).equity_gbp
    with decimal.localcontext(decimal.Context(prec=precision, rounding=rounding)):
        assert repr(size(inp)) == repr(sizing)
        assert evaluate_risk(risk_input(inp, sizing.orders, equity_gbp=equity), committed_policy()) == seen


def sample_digest() -> str:
    """SHA-256 of the orders of many made-up books; a process of its own prints it."""
    chance = random.Random(7)
    text = []
    for _ in range(40):
        names = chance.sample(NAMES, 24)
        inp = book(
            cash=str(chance.randint(0, 20000)),
            units={s: f"{chance.random() * 20:.6f}" for s in names[:14]},
            prices={s: f"{10 + chance.random() * 300:.4f}" for s in names},
            ranks={s: r for r, s in enumerate(names[4:], start=1)},
            rows={names[5]: {"enabled": False}},
            split_pending=frozenset(names[6:9]),
            frozen=frozenset(names[9:12]),
            unbuyable=frozenset(names[12:18]),
            usd_per_gbp=Decimal("1.2345"),
        )
        sizing = size(inp)
        text.append(repr((sizing, evaluate_risk(risk_input(inp, sizing.orders), committed_policy()))))
    return hashlib.sha256("\n".join(text).encode()).hexdigest()


@pytest.mark.parametrize(
    ("seed", "zone", "language"),
    [("0", "UTC", "C"), ("1", "Pacific/Kiritimati", "de_DE.UTF-8"), ("2", "America/New_York", "tr_TR.UTF-8")],
)
def test_hash_seed_time_zone_and_language_change_nothing(seed: str, zone: str, language: str) -> None:
    code = "from test_sizing_properties import sample_digest; print(sample_digest())"
    environment = os.environ | {
        "PYTHONHASHSEED": seed,
        "TZ": zone,
        "LANG": language,
        "LC_ALL": language,
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), str(ROOT)]),
    }
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == sample_digest(), done.stderr
