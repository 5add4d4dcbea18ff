"""`trading-ops export beancount` after half a year of sloppy people: bean-check accepts it, the books agree."""

import datetime as dt
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from beancount import loader
from beancount.core import data, realization

from trading_ops.domain.beancount_names import names_of
from trading_ops.domain.ledger import LedgerState
from trading_ops.domain.values import exact
from trading_ops.planning.books import book_at
from trading_ops.settings import Settings
from trading_ops.simulation.people import People
from trading_ops.simulation.weeks import Simulation
from trading_ops.store import configuration
from trading_ops.store.server import Server
from trading_ops_tests.integration import lived_factory as factory
from trading_ops_tests.integration.command_line import holdings_of, run
from trading_ops_tests.integration.home_factory import opened
from trading_ops_tests.integration.lived_factory import needs_real_prices

pytestmark = needs_real_prices

FIRST, MIDDLE, LAST = dt.date(2014, 1, 1), dt.date(2014, 3, 7), dt.date(2014, 6, 27)
BEAN_CHECK = Path(sys.executable).with_name("bean-check")
WHY = 'he said "buy", \\ and\nmeant it'


@pytest.fixture(scope="module")
def home(
    embedded_server: Server, administrator: psycopg.Connection[Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """Half a year of weekly tickets with partial fills, skipped lines, typos corrected, dividends and a split."""
    fresh = factory.fresh_book(embedded_server, administrator, "beancount_2014")
    with opened(fresh) as conn:
        factory.deliver(conn, factory.real_prices(dt.date(2013, 6, 3), LAST + dt.timedelta(days=7)))
    with factory.own_home(fresh, administrator, tmp_path_factory.mktemp("beancount") / "home") as home:
        with opened(home) as conn:
            policy = configuration.policy_in_force(conn).policy
            weeks = Simulation(
                conn, home.snapshots_dir, policy, People("sloppy", 1), lambda asof: factory.plan(conn, home, asof),
                FIRST, LAST, Decimal(20000),
            ).run()  # fmt: skip
            assert any(week.planted for week in list(weeks))
        record = ("ledger", "record", "cash", "--day", "2014-05-06", "--why", WHY)
        for kind, amount in (("withdrawal", "-1234.56"), ("deposit", "500"), ("fee", "-4.99"), ("interest", "0.37")):
            assert run(home, *record, "--kind", kind, "--amount", amount).code == 0
        yield home


def exported(home: Settings, folder: Path, *words: str) -> tuple[Path, data.Directives]:
    """The file that the command wrote, accepted by bean-check, and its entries."""
    file = folder / "ledger.beancount"
    done = run(home, "export", "beancount", "--out", str(file), *words)
    assert (done.code, done.err) == (0, "")
    assert f"is in {file}" in done.out
    checked = subprocess.run([BEAN_CHECK, file], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    entries, errors, _ = loader.load_file(str(file))
    assert not errors
    return file, entries


def ledger_of(home: Settings, asof: dt.date) -> LedgerState:
    with opened(home) as conn:
        return book_at(conn, home.snapshots_dir, asof).ledger


def assert_equal(entries: data.Directives, state: LedgerState) -> int:
    """Units of every lot exactly, cash to the penny, cost and realised profit to far less; returns how many lots."""
    real = realization.realize(entries)
    names = names_of(e.meta["symbol"] for e in entries if isinstance(e, data.Commodity) and "symbol" in e.meta)
    assert realization.get(real, "Assets:EToro:Cash").balance.get_currency_units("GBP").number == state.cash_gbp
    lots = 0
    for symbol, part in names.accounts.items():
        held = realization.get(real, f"Assets:EToro:Stocks:{part}").balance
        position = state.positions.get(symbol)
        wanted = {lot.lot_id: lot.units for lot in position.lots} if position else {}
        assert {p.cost.label: p.units.number for p in held} == wanted, symbol
        with exact():
            cost = sum((p.units.number * p.cost.number for p in held), Decimal(0))
            assert abs(cost - (position.cost_gbp if position else 0)) < Decimal("1e-9")
        lots += len(wanted)
    assert set(state.positions) <= set(names.accounts)
    profit = realization.compute_balance(realization.get(real, "Income:Realised")).get_currency_units("GBP").number
    with exact():
        assert abs(profit + sum((lot.profit_gbp for lot in state.realised), Decimal(0))) < Decimal("1e-9")
    return lots


def test_bean_check_accepts_the_ledger_and_the_books_agree(home: Settings, tmp_path: Path) -> None:
    file, entries = exported(home, tmp_path)
    state = ledger_of(home, LAST)
    assert assert_equal(entries, state) >= 10
    assert len(state.realised) >= 10
    kinds = [e.narration.split(" ")[0] for e in entries if isinstance(e, data.Transaction)]
    assert {"BUY", "SELL", "Dividend", "Split", "Deposit:", "Withdrawal:", "Fee:", "Interest:"} <= set(kinds)
    cash = [e.date for e in entries if isinstance(e, data.Balance) and e.account == "Assets:EToro:Cash"]
    assert [day for day in cash if day.day == 1] == [dt.date(2014, month, 1) for month in range(2, 7)]
    assert any('he said "buy", \\ and meant it' in e.narration for e in entries if isinstance(e, data.Transaction))
    print(f"{len(kinds)} transactions, {len(cash)} cash assertions, {file.stat().st_size} bytes")


def test_the_ledger_of_an_older_day(home: Settings, tmp_path: Path) -> None:
    _, entries = exported(home, tmp_path, "--asof", MIDDLE.isoformat())
    assert_equal(entries, ledger_of(home, MIDDLE))
    assert max(e.date for e in entries if isinstance(e, data.Transaction)) <= MIDDLE


def test_the_same_ledger_gives_the_same_bytes_and_nothing_is_written(home: Settings, tmp_path: Path) -> None:
    before = holdings_of(home)
    first, _ = exported(home, tmp_path)
    bytes_before = first.read_bytes()
    again, _ = exported(home, tmp_path)
    assert again.read_bytes() == bytes_before
    assert list(tmp_path.iterdir()) == [again]
    assert holdings_of(home) == before


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--out", "/proc/nowhere/ledger.beancount"), "--out /proc/nowhere/ledger.beancount: cannot be written"),
        (("--out", "x", "--asof", "soon"), "--asof: 'soon' is not a date"),
        (("--out", "x", "--asof", "2999-01-01"), "--asof: 2999-01-01 is in the future"),
    ],
)
def test_what_cannot_be_exported_is_one_sentence(home: Settings, words: tuple[str, ...], says: str) -> None:
    done = run(home, "export", "beancount", *words)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(says)
