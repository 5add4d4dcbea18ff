"""The ledger in beancount's syntax, read back by beancount itself: no error, and the same books."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from beancount import loader
from beancount.core import data, realization
from beancount.core.inventory import Inventory
from hypothesis import given, settings
from hypothesis import strategies as st

from trading_ops.domain.beancount_names import names_of, pounds, quoted
from trading_ops.domain.beancount_text import beancount_text
from trading_ops.domain.ledger import CorporateEvent, LedgerFacts, ledger_at
from trading_ops.domain.values import exact, half_even
from trading_ops_tests.unit.ledger_factory import at, buy, cash, day, facts, sell
from trading_ops_tests.unit.market_factory import split

D = Decimal
END = day("2018-12-31")


def read(text: str) -> data.Directives:
    """Load a file's text; what beancount objects to is the test's failure."""
    entries, errors, _ = loader.load_string(text)
    assert not errors, "\n".join(f"{error.source.get('lineno')}: {error.message}" for error in errors)
    return entries


def balance(entries: data.Directives, account: str) -> Inventory:
    found = realization.get(realization.realize(entries), account)
    return Inventory() if found is None else realization.compute_balance(found)


def cost_of(held: Inventory) -> Decimal:
    """Pounds that the lots of an inventory cost."""
    with exact():
        return sum((p.units.number * p.cost.number for p in held if p.cost), D(0))


def assert_equal_books(given_facts: LedgerFacts, through: dt.date = END) -> data.Directives:
    """Beancount's books of the text are the ledger's own: units and lots exactly, pounds to the penny."""
    entries = read(beancount_text(given_facts, through))
    state = ledger_at(given_facts, through)
    names = names_of({f.symbol for f in given_facts.fills} | {e.new_symbol for e in given_facts.events if e.new_symbol})
    assert balance(entries, "Assets:EToro:Cash").get_currency_units("GBP").number == state.cash_gbp
    for symbol, commodity in names.commodities.items():
        held = balance(entries, f"Assets:EToro:Stocks:{names.accounts[symbol]}")
        position = state.positions.get(symbol)
        lots = {(p.cost.label, p.cost.date): p.units.number for p in held}
        assert lots == ({(lot.lot_id, lot.opened_on): lot.units for lot in position.lots} if position else {})
        assert held.get_currency_units(commodity).number == (position.units if position else 0)
        assert abs(cost_of(held) - (position.cost_gbp if position else D(0))) < D("1e-12")
    profit = -balance(entries, "Income:Realised").get_currency_units("GBP").number
    with exact():
        booked = sum((lot.profit_gbp for lot in state.realised), D(0))
    assert abs(profit - booked) < D("1e-12")
    return entries


RICH = facts(
    cash("deposit", day("2018-01-02"), "5000"),
    buy("AAA", day("2018-01-08"), "3.104512", "115.17", "253.07", fill_id="a1", position_id="77", fee_gbp=D("1.10")),
    buy("AAA", day("2018-02-05"), "7", "120", "600.01", fill_id="a2", position_id="78", ticket_line="2018-02-02/1"),
    buy("BRK.B", day("2018-02-05"), "1.333333", "208.70", "199.99", fill_id="k1"),
    sell("AAA", day("2018-03-05"), "2.5", "118", "210.50", fill_id="s1", position_id="78", fee_gbp=D("0.90")),
    split("AAA", day("2018-04-02"), "1.5"),
    sell("AAA", day("2018-04-02"), "5", "80", "290.33", fill_id="s2"),
    cash("dividend", day("2018-04-20"), "3.17", symbol="BRK.B", ex_date=day("2018-04-10")),
    cash("dividend", day("2018-04-21"), "0", symbol="AAA", ex_date=day("2018-04-11")),
    cash("withdrawal", day("2018-05-01"), "-750.50"),
    cash("fee", day("2018-05-02"), "-5"),
    cash("interest", day("2018-05-03"), "1.01"),
    cash("adjustment", day("2018-05-04"), "-0.02"),
    split("BRK.B", day("2018-06-01"), "0.333333"),
    buy("T", day("2018-06-05"), "10", "32", "240", fill_id="t1", estimated=True),
    sell("T", day("2018-06-06"), "10", "33", "250", fill_id="t2"),
    split("T", day("2018-07-02"), "2"),
)


def test_a_rich_ledger_is_the_same_in_beancount() -> None:
    entries = assert_equal_books(RICH)
    income = balance(entries, "Income:Dividends:BRK-B").get_currency_units("GBP").number
    assert income == D("-3.17")
    assert balance(entries, "Expenses:Fees").get_currency_units("GBP").number == D(5)
    flows = balance(entries, "Equity:Deposits"), balance(entries, "Equity:Withdrawals")
    assert [flow.get_currency_units("GBP").number for flow in flows] == [D(-5000), D("750.50")]


def test_a_sale_by_position_closes_that_lot_and_no_other() -> None:
    """The older lot stays whole; 2.5 of 7 units leave the newer one at 600.01 x 2.5 / 7 = 214.289286."""
    entries = read(beancount_text(RICH, day("2018-03-31")))
    held = balance(entries, "Assets:EToro:Stocks:AAA")
    assert {p.cost.label: p.units.number for p in held} == {"a1": D("3.104512"), "a2": D("4.5")}
    profit = -balance(entries, "Income:Realised:AAA").get_currency_units("GBP").number
    assert half_even(profit, 6) == D("-4.689286")  # 210.50 - 0.90 - 214.289286


def test_a_split_keeps_cost_and_day_of_purchase() -> None:
    entries = read(beancount_text(facts(*RICH.fills[:2], split("AAA", day("2018-04-02"), "1.5")), END))
    (first, second) = sorted(balance(entries, "Assets:EToro:Stocks:AAA"), key=lambda p: p.cost.date)
    assert (first.units.number, first.cost.date) == (D("4.656768"), day("2018-01-08"))
    assert abs(first.units.number * first.cost.number - D("254.17")) < D("1e-20")
    assert (second.units.number, second.cost.label) == (D("10.5"), "a2")


def test_corporate_events_are_the_same_in_beancount() -> None:
    assert_equal_books(
        facts(
            cash("deposit", day("2018-01-02"), "5000"),
            buy("AAA", day("2018-01-08"), "3", "100", "200", fill_id="a1"),
            buy("AAA", day("2018-01-09"), "4", "110", "310.07", fill_id="a2"),
            buy("BBB", day("2018-01-10"), "9", "50", "320", fill_id="b1"),
            buy("DDD", day("2018-01-10"), "2", "50", "71.40", fill_id="d1"),
            buy("FFF", day("2018-01-10"), "2.5", "50", "89", fill_id="f1"),
            CorporateEvent("e1", "spin_off", "AAA", day("2018-02-05"), "CCC", D("2.333333"), D("0.21"), D("0.37")),
            CorporateEvent("e2", "merger", "BBB", day("2018-03-05"), "CCC", D("4.5"), D("0.9"), D("31.10")),
            CorporateEvent("e3", "delisting", "DDD", day("2018-04-05")),
            CorporateEvent("e4", "name_change", "FFF", day("2018-05-04"), "GGG"),
            sell("CCC", day("2018-06-05"), "5", "60", "222.22", fill_id="c1"),
            sell("GGG", day("2018-06-05"), "1", "60", "44", fill_id="g1"),
        )
    )


def test_a_reverse_split_that_leaves_nothing_is_a_loss() -> None:
    assert_equal_books(
        facts(buy("AAA", day("2018-01-08"), "0.000004", "9", "0.03"), split("AAA", day("2018-02-05"), "0.1"))
    )


def test_what_happens_after_the_day_is_left_out() -> None:
    entries = assert_equal_books(RICH, day("2018-02-04"))
    assert max(entry.date for entry in entries) == day("2018-02-05")  # the assertion of the morning after


def test_cash_is_asserted_at_every_months_end_and_units_at_the_end() -> None:
    entries = read(beancount_text(RICH, day("2018-07-31")))
    asserted = [e for e in entries if isinstance(e, data.Balance)]
    assert [str(e.date) for e in asserted if e.account == "Assets:EToro:Cash"] == [
        f"2018-{m:02}-01" for m in range(2, 9)
    ]
    assert {e.account.rpartition(":")[2] for e in asserted if e.date == day("2018-08-01")} == {
        "Cash",
        "AAA",
        "BRK-B",
        "T",
    }
    assert {e.tolerance for e in asserted} == {D(0)}


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("{{254.17 GBP", "{{254.18 GBP"),
        ('-2.5 AAA {"a2"}', '-2.5 AAA {"a1"}'),
        ("Assets:EToro:Cash  209.60 GBP", "Assets:EToro:Cash  209.61 GBP"),
        ("1.01 GBP", "1.00 GBP"),
        ("1.5 new", "1.4 new"),
    ],
)
def test_a_changed_figure_is_seen_by_beancount(right: str, wrong: str) -> None:
    text = beancount_text(RICH, END)
    assert right in text
    _, errors, _ = loader.load_string(text.replace(right, wrong))
    assert bool(errors) == (" new" not in right)  # words carry no figure, so changing them proves nothing


def test_the_text_does_not_depend_on_the_order_of_the_facts() -> None:
    other = LedgerFacts(RICH.fills[::-1], RICH.movements[::-1], RICH.splits[::-1])
    assert beancount_text(other, END) == beancount_text(RICH, END)


def test_a_voided_fact_is_not_there() -> None:
    """Facts in force only: the ledger leaves voided ones out before anything looks at them."""
    without = LedgerFacts(tuple(f for f in RICH.fills if f.fill_id != "s2"), RICH.movements, RICH.splits)
    assert '"s2"' in beancount_text(RICH, END)
    assert '"s2"' not in beancount_text(without, END)
    assert_equal_books(without)


def test_an_empty_ledger_is_a_valid_file() -> None:
    assert read(beancount_text(LedgerFacts(), END)) == []


# ---------------------------------------------------------------- words and names
@given(st.text(max_size=60), st.text(max_size=20))
@settings(max_examples=50, deadline=None)
def test_no_word_breaks_the_file(why: str, position: str) -> None:
    made = facts(
        cash("deposit", day("2018-01-02"), "10", movement_id="m"), buy("AAA", day("2018-01-08"), "1", "9", "7")
    )
    fill = buy("AAA", day("2018-01-09"), "1", "9", "2", fill_id="f", position_id=position)
    entries = read(beancount_text(LedgerFacts((*made.fills, fill), made.movements), END, {"m": why, "f": why}))
    assert sum(isinstance(entry, data.Transaction) for entry in entries) == 3


@pytest.mark.parametrize(
    ("words", "written"),
    [
        ('say "hi"', '"say \\"hi\\""'), ("a\nb\r\tc", '"a b c"'), ("back\\slash", '"back\\\\slash"'), ("", '""'),
        ('" \n2018-01-01 open Assets:X', '"\\" 2018-01-01 open Assets:X"'), ("nul\x00", '"nul"'),
    ],
)  # fmt: skip
def test_words_stay_words(words: str, written: str) -> None:
    assert quoted(words) == written


def test_names_are_beancounts_and_no_two_are_one() -> None:
    symbols = ["BRK.B", "BRK-B", "T", "GBP", "TRUE", "3M", "0700.HK", "BF.B", "A'B", "VOW3.", "a"]
    names = names_of(symbols)
    assert names.commodities["BRK.B"] == "BRK.B"
    assert names.accounts["BRK.B"] != names.accounts["BRK-B"]
    assert len(set(names.commodities.values())) == len(set(names.accounts.values())) == len(symbols)
    assert_equal_books(facts(*(buy(symbol, day("2018-01-08"), "1.5", "10", "11.13") for symbol in symbols)))


@pytest.mark.parametrize(
    ("amount", "text"),
    [("1", "1.00"), ("-0.5", "-0.50"), ("12.345", "12.345"), ("0", "0.00"), ("1e3", "1000.00")],
)
def test_pounds_have_two_decimals_at_least(amount: str, text: str) -> None:
    assert pounds(D(amount)) == f"{text} GBP"


@st.composite
def books(draw: Any) -> LedgerFacts:
    """A random life of two names: purchases with fees, splits, sales by position or oldest first."""
    made: list[Any] = [cash("deposit", day("2018-01-02"), "100000")]
    held = {"AAA": D(0), "BBB": D(0)}
    for step in range(draw(st.integers(1, 12))):
        on, name = day("2018-01-03") + dt.timedelta(days=20 * step), draw(st.sampled_from(sorted(held)))
        what = draw(st.sampled_from(["buy", "buy", "sell", "split"]))
        value, fee = draw(st.decimals("1", "900", places=2)), draw(st.decimals("0", "3", places=2))
        if what == "split":
            ratio = draw(st.sampled_from(["2", "1.5", "0.333333", "7", "0.1"]))
            made.append(split(name, on, ratio))
        elif what == "buy" or held[name] <= D("0.000002"):
            units = draw(st.decimals("0.000001", "90", places=6))
            changes = {"fee_gbp": fee, "position_id": f"p{step % 3}"}
            made.append(buy(name, on, str(units), "10", str(value), **changes))
        else:
            share = draw(st.sampled_from([D("0.1"), D("0.5"), D(1)]))
            units = half_even(held[name] * share, 6) or held[name]
            changes = {"fee_gbp": D(0), "position_id": draw(st.sampled_from([None, "p0", "p1", "p2"]))}
            made.append(sell(name, on, str(units), "10", str(value), filled_at=at(on, 19), **changes))
        held = {n: ledger_at(facts(*made), on).units.get(n, D(0)) for n in held}
    return facts(*made)


@given(books())
@settings(max_examples=60, deadline=None)
def test_any_ledger_is_the_same_in_beancount(made: LedgerFacts) -> None:
    assert_equal_books(made)
