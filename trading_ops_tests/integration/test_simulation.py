"""Weeks lived through on real prices of 2014: perfect people trade, sloppy ones are caught, absent ones never trade."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from trading_ops.domain.calendar import weekly_asofs
from trading_ops.domain.values import exact
from trading_ops.planning.books import book_at
from trading_ops.settings import Settings
from trading_ops.simulation import kinds
from trading_ops.simulation.people import Manner, People
from trading_ops.simulation.weeks import HUMAN_GATES, QUIET_WEEKS, Simulation, Week
from trading_ops.store import configuration
from trading_ops.store.server import Server
from trading_ops_tests.integration import lived_factory as factory
from trading_ops_tests.integration.command_line import run
from trading_ops_tests.integration.home_factory import opened
from trading_ops_tests.integration.lived_factory import needs_real_prices

pytestmark = needs_real_prices

FIRST, MARCH, JUNE = dt.date(2014, 1, 1), dt.date(2014, 3, 31), dt.date(2014, 6, 30)
MA_SPLIT = dt.date(2014, 1, 22)
"""MasterCard, 10 new units for one."""
CASH = Decimal(20000)


@dataclass(frozen=True)
class Lived:
    """A home and the weeks that it lived through."""

    home: Settings
    weeks: tuple[Week, ...]


Live = Callable[..., Lived]


@pytest.fixture(scope="module")
def prices_loaded(embedded_server: Server, administrator: psycopg.Connection[Any]) -> Settings:
    """A fresh sim book with prices from the June before."""
    home = factory.fresh_book(embedded_server, administrator, "fresh_2014")
    with opened(home) as conn:
        factory.deliver(conn, factory.real_prices(dt.date(2013, 6, 3), JUNE + dt.timedelta(days=7)))
    return home


@pytest.fixture(scope="module")
def live(
    prices_loaded: Settings, administrator: psycopg.Connection[Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Live]:
    """Live through a span in a book of one's own; each way of living once."""
    lived: dict[tuple[object, ...], Lived] = {}

    def live(manner: Manner, through: dt.date, seed: int = 1) -> Lived:
        key = (manner, through, seed)
        if key not in lived:
            folder = tmp_path_factory.mktemp(manner)
            home = factory.copy_of(prices_loaded, administrator, folder / "home", f"{manner}_{seed}_{through:%m}")
            with opened(home) as conn:
                policy = configuration.policy_in_force(conn).policy
                simulation = Simulation(
                    conn, home.snapshots_dir, policy, People(manner, seed), lambda asof: factory.plan(conn, home, asof),
                    FIRST, through, CASH,
                )  # fmt: skip
                lived[key] = Lived(home, tuple(simulation.run()))
        return lived[key]

    yield live
    for one in lived.values():
        administrator.execute(f"DROP DATABASE {one.home.database} WITH (FORCE)")


# ---------------------------------------------------------------- perfect
def test_perfect_people_get_one_ticket_a_week_and_trade(live: Live) -> None:
    weeks = live("perfect", MARCH).weeks
    assert [week.asof for week in weeks] == list(weekly_asofs(FIRST, MARCH))
    assert [week.ticket.ticket_id for week in weeks] == [f"2014-W{n:02d}" for n in range(1, 14)]
    assert weeks[0].ticket.verdict == "TRADE"
    assert not any(week.planted or week.refused_by for week in weeks)
    assert {reason for week in weeks for reason in week.reasons} <= {"NOTHING_TO_DO"}


def test_every_trade_ticket_is_answered_line_by_line(live: Live) -> None:
    with opened(live("perfect", MARCH).home) as conn:
        open_lines = conn.execute(
            "SELECT count(*) AS n FROM ops.ticket_lines l LEFT JOIN ops.confirmations c USING (plan_id, line) "
            "WHERE c.line IS NULL AND l.plan_id < %s",
            (weekly_asofs(FIRST, MARCH)[-1].isoformat(),),
        ).fetchone()
    assert open_lines == {"n": 0}


def test_a_split_multiplies_units_and_not_equity(live: Live) -> None:
    home = live("perfect", MARCH).home
    with opened(home) as conn:
        before = book_at(conn, home.snapshots_dir, dt.date(2014, 1, 21))
        after = book_at(conn, home.snapshots_dir, MA_SPLIT)
    assert "MA" in before.ledger.positions, "the book no longer holds MasterCard then: choose another split"
    old, new = before.ledger.positions["MA"], after.ledger.positions["MA"]
    assert new.units == old.units * 10
    assert new.cost_gbp == old.cost_gbp
    with exact():
        assert abs(after.equity[-1].equity_gbp / before.equity[-1].equity_gbp - 1) < Decimal("0.02")
        assert abs(after.values_gbp["MA"] / before.values_gbp["MA"] - 1) < Decimal("0.05")
    assert after.equity[-1].complete


def test_no_cash_appears_or_vanishes(live: Live) -> None:
    """Cash is the deposit, less what was bought, plus what was sold, plus dividends: to the penny."""
    home = live("perfect", MARCH).home
    with opened(home) as conn:
        state = book_at(conn, home.snapshots_dir, MARCH).ledger
        traded = conn.execute(
            "SELECT coalesce(sum(CASE side WHEN 'BUY' THEN -value_gbp ELSE value_gbp END - fee_gbp), 0) AS gbp "
            "FROM ops.ledger_trades_fills"
        ).fetchone()
        moved = conn.execute(
            "SELECT sum(amount_gbp) AS gbp, count(*) FILTER (WHERE kind = 'dividend') AS dividends "
            "FROM ops.ledger_cash_movements"
        ).fetchone()
    assert traded is not None
    assert moved is not None
    assert moved["dividends"] > 0
    assert state.cash_gbp == traded["gbp"] + moved["gbp"]
    assert state.cash_gbp > 0


def test_the_audit_chain_holds_and_every_ticket_can_be_rebuilt(live: Live) -> None:
    home = live("perfect", MARCH).home
    verified = run(home, "audit", "verify")
    assert (verified.code, verified.out.startswith("audit holds: ")) == (0, True)
    replayed = run(home, "ticket", "replay", "all")
    assert (replayed.code, replayed.out.count(" identical sha256:")) == (0, 13)


# ---------------------------------------------------------------- sloppy
@pytest.mark.parametrize("seed", [1, 2014])
def test_sloppy_people_are_refused_in_exactly_the_weeks_of_mistakes_beyond_a_tolerance(live: Live, seed: int) -> None:
    weeks = live("sloppy", JUNE, seed).weeks
    assert len(weeks) == 26
    due = [week.asof for week in weeks if week.to_refuse]
    assert len(due) >= 4
    assert [week.asof for week in weeks if week.refused_by] == due
    assert all(week.planted for week in weeks if week.to_refuse)
    assert not any(week.ticket.verdict == "TRADE" for week in weeks if week.to_refuse)
    assert sum(week.ticket.verdict == "TRADE" for week in weeks) >= 8


def test_each_mistake_is_refused_by_a_gate_that_fits_it(live: Live) -> None:
    books = {"UNITS_DRIFT", "CASH_DRIFT", "UNKNOWN_POSITION"}
    special = {
        kinds.UNANSWERED: {"CONFIRMATION_MISSING"},
        kinds.FORGOTTEN: {"SNAPSHOT_STALE"},
        kinds.DEPOSIT: {"CASH_DRIFT"},
        kinds.WITHDRAWAL: {"CASH_DRIFT"},
        kinds.CASH_SWAPPED: {"CASH_DRIFT"},
        kinds.SPLIT_LACKING: {"UNITS_DRIFT"},
        kinds.SPLIT_PHANTOM: {"UNITS_DRIFT"},
        kinds.LEFT_OUT: {"UNKNOWN_POSITION"},
    }
    fitting = {kind.name: special.get(kind, books) if kind.refused else set() for kind in kinds.KINDS}
    seen = set()
    for seed in (1, 2014):
        for week in live("sloppy", JUNE, seed).weeks:
            for kind in week.planted:
                seen.add(kind)
                assert bool(fitting[kind] & set(week.refused_by)) == bool(fitting[kind]), (
                    week.asof,
                    kind,
                    week.reasons,
                )
    assert len(seen) >= 12


def test_the_same_seed_makes_the_same_weeks(live: Live, prices_loaded: Settings) -> None:
    """But for the last weeks of a span, in which nothing is planted."""
    again, longer = live("sloppy", MARCH, 1).weeks[:-QUIET_WEEKS], live("sloppy", JUNE, 1).weeks
    assert any(week.planted for week in again)
    assert [w.ticket.content_sha256 for w in again] == [w.ticket.content_sha256 for w in longer[: len(again)]]


# ---------------------------------------------------------------- absent
def test_absent_people_never_trade(live: Live) -> None:
    lived = live("absent", dt.date(2014, 2, 14))
    assert len(lived.weeks) == 7
    assert {week.ticket.verdict for week in lived.weeks} == {"NO-TRADE"}
    assert all("OPENING_SNAPSHOT_MISSING" in week.reasons for week in lived.weeks)
    assert all(set(week.reasons) <= HUMAN_GATES for week in lived.weeks)
    with opened(lived.home) as conn:
        for table in ("ledger_trades_fills", "confirmations", "ticket_lines", "broker_snapshots"):
            assert conn.execute(f"SELECT count(*) AS n FROM ops.{table}").fetchone() == {"n": 0}


# ---------------------------------------------------------------- the command
def test_the_command_tells_each_week_and_runs_in_a_fresh_book_only(
    prices_loaded: Settings, administrator: psycopg.Connection[Any], tmp_path: Path
) -> None:
    with factory.own_home(prices_loaded, administrator, tmp_path / "home") as home:
        words = ("simulate", "--from", "2014-01-01", "--through", "2014-01-17", "--cash", "20000")
        done = run(home, *words)
        assert (done.code, done.err) == (0, "")
        for text in ("2014-W01", "2014-W03", "3 weeks, 3 tickets: 3 TRADE, 0 NO-TRADE", "other than planted 0"):
            assert text in done.out
        again = run(home, *words)
        assert (again.code, again.out, "already has plans" in again.err) == (1, "", True)
