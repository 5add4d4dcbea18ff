"""Differences planted in two years of real prices, each diagnosed, accepted and gone; then singly and in pairs."""

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from trading_ops.commands import planted_differences
from trading_ops.desk.reconciling import Reconciled
from trading_ops.domain.diagnosis_classes import CLASSES
from trading_ops.domain.results import Outcome
from trading_ops.settings import Settings
from trading_ops.simulation import examination, kinds
from trading_ops.simulation.examination import Examined
from trading_ops.simulation.operator import agrees
from trading_ops.simulation.people import People
from trading_ops.simulation.sloppy_life import Met
from trading_ops.simulation.weeks import Simulation, Week
from trading_ops.store import configuration
from trading_ops.store.server import Server
from trading_ops_tests.integration import lived_factory as factory
from trading_ops_tests.integration.command_line import run
from trading_ops_tests.integration.home_factory import opened
from trading_ops_tests.integration.lived_factory import needs_real_prices

pytestmark = needs_real_prices

FIRST, LAST = dt.date(2014, 1, 1), dt.date(2015, 12, 31)
SEED = 1
EVERY_NTH_PAIR = 12
LATER = dt.timedelta(minutes=45)
WORDS = ("simulate", "--from", "2014-01-01", "--through", "2014-03-14", "--executor", "sloppy", "--seed", "3", "--json")


@dataclass(frozen=True)
class Lived:
    """A home, its weeks, what was planted in them, what was examined at the end, and the facts before and after.

    `end` is how account and books stand after the last week.
    """

    home: Settings
    weeks: tuple[Week, ...]
    met: tuple[Met, ...]
    examined: tuple[Examined, ...]
    rows: tuple[int, int]
    end: Reconciled


@pytest.fixture(scope="module")
def fresh(embedded_server: Server, administrator: psycopg.Connection[Any]) -> Settings:
    """A fresh sim book with prices from the June before."""
    home = factory.fresh_book(embedded_server, administrator, "fresh_planted")
    with opened(home) as conn:
        factory.deliver(conn, factory.real_prices(dt.date(2013, 6, 3), LAST + dt.timedelta(days=14)))
    return home


@pytest.fixture(scope="module")
def lived(
    fresh: Settings, administrator: psycopg.Connection[Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lived]:
    """Two years of a sloppy household, and a part of the examination at their end."""
    home = factory.copy_of(fresh, administrator, tmp_path_factory.mktemp("planted") / "home", "planted")
    every = examination.cases()
    singles, pairs = [c for c in every if len(c) == 1], [c for c in every if len(c) == 2]
    examined: list[Examined] = []
    rows: list[int] = []

    def at_the_end(lived: Simulation, asof: dt.date) -> None:
        rows.append(_audit_rows(lived.conn))
        examined.extend(examination.examine(lived, asof, [*singles, *pairs[::EVERY_NTH_PAIR]]))
        rows.append(_audit_rows(lived.conn))

    with opened(home) as conn:
        policy = configuration.policy_in_force(conn).policy
        simulation = Simulation(
            conn, home.snapshots_dir, policy, People("sloppy", SEED), lambda asof: factory.plan(conn, home, asof),
            FIRST, LAST, Decimal(20000), at_the_end=at_the_end,
        )  # fmt: skip
        weeks = tuple(simulation.run())
        simulation.operator.check_account(weeks[-1].asof, after=LATER)  # after the very last corrections
        end = simulation.operator.look(weeks[-1].asof)
    yield Lived(home, weeks, tuple(simulation.life.met), tuple(examined), (rows[0], rows[1]), end)
    administrator.execute(f"DROP DATABASE {home.database} WITH (FORCE)")


def _audit_rows(conn: psycopg.Connection[Any]) -> int:
    row = conn.execute("SELECT count(*) AS n FROM ops.audit_log").fetchone()
    assert row is not None
    return int(row["n"])


def test_every_kind_expects_a_class_of_the_closed_list() -> None:
    assert {kind.expected for kind in kinds.KINDS if kind is not kinds.FORGOTTEN} <= set(CLASSES)
    assert len({kind.name for kind in kinds.KINDS}) == len(kinds.KINDS) >= 20


def test_every_planted_difference_gets_its_class_and_is_gone_once_accepted(lived: Lived) -> None:
    planted = {met.planted.kind for met in lived.met}
    assert len(planted) >= 24  # of 30; twelve are asked for
    assert {kinds.PIECE_SWAPPED, kinds.PIECE_MISSED, kinds.PIECE_PHANTOM, kinds.PIECE_TWICE} <= planted
    assert {kinds.NEARLY, kinds.NEARLY_TYPED, kinds.NEVER_CAME} <= planted
    wrong = planted_differences.wrong_rows(lived.met, [])
    assert not wrong, wrong
    assert all(week.as_planted for week in lived.weeks)


def test_after_each_acceptance_and_at_the_end_nothing_differs_and_the_gate_passes(lived: Lived) -> None:
    assert all(met.agrees for met in lived.met)
    assert agrees(lived.end), lived.end.sentence
    assert {result.outcome for result in lived.end.gate.results} == {Outcome.PASS}
    assert {d.difference for d in lived.end.gate.differences} == {Decimal(0)}


def test_where_numbers_alone_cannot_tell_the_true_cause_is_among_the_readings(lived: Lived) -> None:
    unclear = [met for met in lived.met if met.planted.kind.truth]
    assert unclear
    for met in unclear:
        assert met.found == met.found_last == ("AMBIGUOUS",)
        assert len(set(met.readings)) >= 2
        assert met.planted.kind.truth in met.readings


def test_what_was_accepted_is_on_record_with_the_class_it_was_given(lived: Lived) -> None:
    by_entries = {
        kinds.UNANSWERED, kinds.FORGOTTEN, kinds.CASH_SWAPPED, kinds.UNITS_SLIPPED, kinds.LEFT_OUT, kinds.NEARLY_TYPED,
    }  # fmt: skip
    expected = sorted(met.planted.kind.accepted for met in lived.met if met.planted.kind not in by_entries)
    with opened(lived.home) as conn:
        rows = conn.execute("SELECT class, accepted_by FROM ops.drift_resolutions").fetchall()
    assert sorted(row["class"] for row in rows) == expected
    assert {row["accepted_by"] for row in rows} == {"simulated operator"}


def test_differences_singly_and_in_pairs_get_their_classes_and_are_gone_once_accepted(lived: Lived) -> None:
    assert len(lived.examined) >= 20
    assert sum(len(case.kinds) == 2 for case in lived.examined) >= 10
    wrong = planted_differences.wrong_rows([], lived.examined)
    assert not wrong, wrong


def test_an_examination_leaves_no_trace(lived: Lived) -> None:
    assert lived.rows[0] == lived.rows[1]
    verified = run(lived.home, "audit", "verify")
    assert (verified.code, verified.out.startswith("audit holds: ")) == (0, True)


def test_tickets_of_a_book_with_corrections_can_be_rebuilt(lived: Lived) -> None:
    replayed = run(lived.home, "ticket", "replay", "all")
    assert (replayed.code, replayed.out.count(" identical sha256:")) == (0, len(lived.weeks))


def test_another_class_or_a_difference_that_stays_is_not_right(lived: Lived) -> None:
    met = next(m for m in lived.met if m.planted.kind is not kinds.FORGOTTEN)
    assert met.right
    for odd in (
        replace(met, found=("UNKNOWN",)),
        replace(met, found_last=()),
        replace(met, found=(*met.found, "FEE")),
        replace(met, agrees=False),
    ):
        assert not odd.right
        assert len(planted_differences.wrong_rows([odd], [])) == 1
        row = next(r for r in planted_differences.by_kind([odd], []) if r["kind"] == met.planted.kind.name)
        assert row["right"] == "NO"
    unclear = next(m for m in lived.met if m.planted.kind.truth)
    assert not replace(unclear, readings=("UNKNOWN",)).right


def test_the_command_tells_what_was_planted_and_ends_well(
    fresh: Settings, administrator: psycopg.Connection[Any], tmp_path: Any
) -> None:
    with factory.own_home(fresh, administrator, tmp_path / "home") as home:
        done = run(home, *WORDS)
    told = json.loads(done.out)
    assert (done.code, told["wrong"]) == (0, [])
    assert len(told["weeks"]) == 11
    assert sum(row["planted"] for row in told["differences"]) >= 2
    assert all(row["cleared"] == row["planted"] for row in told["differences"])
