"""`dev --every`: every schedule ticks each few minutes when it is asked for, at its own time when it is not."""

import json
import os
import subprocess
import sys

import pytest

from trading_ops.defs import clockwork
from trading_ops.domain.errors import BadInput
from trading_ops.settings import Settings
from trading_ops_tests.integration import home_factory
from trading_ops_tests.integration.command_line import run
from trading_ops_tests.orchestration.test_definitions import DEFS

SCHEDULES = (
    "import json; from trading_ops.definitions import defs; print(json.dumps({s.name: [s.cron_schedule, "
    "s.execution_timezone, s.job_name] for s in defs.get_repository_def().schedule_defs}))"
)
USUAL = {s.name: [s.cron_schedule, s.execution_timezone, s.job_name] for s in DEFS.get_repository_def().schedule_defs}


def of_a_process(minutes: str | None) -> dict[str, list[str]]:
    """Every schedule as Dagster's programs would load it: its cron line, time zone and job."""
    environ = {name: value for name, value in os.environ.items() if name != clockwork.EVERY_MINUTES}
    environ |= {} if minutes is None else {clockwork.EVERY_MINUTES: minutes}
    done = subprocess.run([sys.executable, "-c", SCHEDULES], capture_output=True, text=True, env=environ, check=True)
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def test_asked_for_every_schedule_ticks_each_few_minutes_and_is_otherwise_the_same() -> None:
    assert of_a_process("5") == {name: ["*/5 * * * *", *rest] for name, (_, *rest) in USUAL.items()}


@pytest.mark.parametrize("unset", [None, ""])
def test_not_asked_for_every_schedule_keeps_its_own_time(unset: str | None) -> None:
    assert of_a_process(unset) == USUAL
    assert not [name for name, (line, *_) in USUAL.items() if line.startswith("*/")]


@pytest.mark.parametrize("minutes", ["7", "0", "-5", "60", "2.5", "five", " 5"])
def test_minutes_that_do_not_divide_an_hour_are_refused_with_the_choice(minutes: str) -> None:
    with pytest.raises(BadInput, match=r"use one of 1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30 minutes"):
        clockwork.cron("0 18 * * *", {clockwork.EVERY_MINUTES: minutes})


def test_a_live_book_keeps_its_own_times(fresh_home: Settings) -> None:
    with home_factory.opened(fresh_home) as conn:
        home_factory.set_up(conn, book="live")
    done = run(fresh_home, "dev", "--every", "5")
    assert done.code == 1
    assert "holds a live book, whose schedules keep their own times" in done.err
    assert "leave --every out" in done.err
    assert not list(fresh_home.dagster_dir.iterdir()), "nothing of Dagster was prepared"


def test_the_command_refuses_minutes_before_it_starts_anything(fresh_home: Settings) -> None:
    done = run(fresh_home, "dev", "--every", "7")
    assert (done.code, done.out) == (1, "")
    assert "'7': use one of" in done.err
