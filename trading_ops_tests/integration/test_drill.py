"""The outage drill: every scenario ends as it should, and the command says so, or says what did not."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from trading_ops.commands import drill as command
from trading_ops.drill.damage import page
from trading_ops.drill.faults import SCENARIOS
from trading_ops.drill.played import PlayedMarket
from trading_ops.drill.run import Drill, drilling
from trading_ops.drill.scenario import EVERY_NAME, Expected, Fault, Scenario
from trading_ops.drill.stage import set_up
from trading_ops.drill.verdict import differences, judged
from trading_ops.settings import Settings
from trading_ops.store import roles
from trading_ops.store.server import Server
from trading_ops_tests.integration.command_line import run
from trading_ops_tests.integration.home_factory import opened

PREPARED = "drill_prepared"


@pytest.fixture(scope="module")
def stage(
    embedded_server: Server, administrator: psycopg.Connection[Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Drill]:
    """One prepared desk for the module; every scenario plays in a copy of it."""
    folder = tmp_path_factory.mktemp("drill")
    home = Settings(folder / "home", database_url=embedded_server.admin_dsn(), database=PREPARED)
    home.make_folders()
    for secret in embedded_server.settings.secrets_dir.iterdir():
        (home.secrets_dir / secret.name).write_bytes(secret.read_bytes())
        (home.secrets_dir / secret.name).chmod(0o600)
    clone = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER ops_owner")
    administrator.execute(clone.format(sql.Identifier(PREPARED), sql.Identifier(embedded_server.settings.database)))
    roles.open_database(home)
    with opened(home) as conn:
        set_up(conn, home)
    with drilling(home, folder) as prepared:
        yield prepared
    administrator.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(PREPARED)))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)
def test_the_scenario_ends_as_it_should(stage: Drill, scenario: Scenario) -> None:
    assert differences(scenario, stage.play(scenario)) == []


def test_every_source_and_every_ending_is_drilled() -> None:
    assert len({s.name for s in SCENARIOS}) == len(SCENARIOS) >= 60
    assert {fault.source for s in SCENARIOS for fault in s.faults} == {"stooq", "tiingo", "yahoo", "ecb"}
    assert {s.expected.verdict for s in SCENARIOS} == {"TRADE", "NO-TRADE"}


def test_what_is_frozen_would_have_been_bought(stage: Drill) -> None:
    """Else a scenario that freezes a name would show nothing: nobody buys it anyway."""
    bought = set(stage.play(scenario_of("nothing wrong")).bought)
    for scenario in SCENARIOS:
        if scenario.expected.verdict == "TRADE":
            assert set(scenario.expected.frozen) <= bought, scenario.name


def test_a_fault_that_is_never_served_is_no_scenario(stage: Drill) -> None:
    """Yahoo is not asked for prices where two sources before it have them."""
    idle = replace(scenario_of("nothing wrong"), faults=(Fault("yahoo", page(), EVERY_NAME),))
    assert judged(stage, idle).differences == (
        "broke down with AssertionError: a fault of the scenario was never served",
    )


def test_a_scenario_that_breaks_down_is_a_finding(stage: Drill) -> None:
    def broken(_: PlayedMarket) -> PlayedMarket:
        raise ValueError("no market today")

    played = judged(stage, replace(scenario_of("nothing wrong"), market=broken))
    assert (played.seen, played.differences) == (None, ("broke down with ValueError: no market today",))


def scenario_of(name: str) -> Scenario:
    """A scenario by its name."""
    return next(s for s in SCENARIOS if s.name == name)


def test_what_is_not_as_expected_is_named(stage: Drill) -> None:
    calm = scenario_of("nothing wrong")
    wrong = replace(calm, expected=Expected("NO-TRADE", ("FX_STALE",), given_up=("ecb",)))
    found = differences(wrong, stage.play(calm))
    assert any("ticket: TRADE instead of NO-TRADE" in sentence for sentence in found)
    assert any("given up: nothing instead of ecb" in sentence for sentence in found)


def test_the_command_drills_in_a_home_of_its_own_and_leaves_nothing(tmp_path: Path) -> None:
    nowhere = Settings(tmp_path / "never made")
    done = run(nowhere, "drill", "--only", "everything dead", "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert (told["as_expected"], told["of"]) == (1, 1)
    assert "DATA_COVERAGE" in done.out
    assert not nowhere.home.exists()


def test_the_command_fails_and_says_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calm = scenario_of("nothing wrong")
    monkeypatch.setattr(command, "SCENARIOS", (replace(calm, expected=Expected("NO-TRADE")),))
    done = run(Settings(tmp_path / "home"), "drill")
    assert done.code == 1
    assert "NOT AS EXPECTED, nothing wrong: ticket: TRADE instead of NO-TRADE" in done.out
    assert "0 of 1 as expected" in done.out


def test_a_scenario_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    done = run(Settings(tmp_path / "home"), "drill", "--only", "zombies")
    assert done.code == 1
    assert "'zombies'" in done.err
