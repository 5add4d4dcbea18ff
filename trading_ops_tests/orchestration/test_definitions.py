"""The code location loads, with exactly these parts; the graph is a reviewed file; every rule has one check."""

import json
import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from trading_ops.build import build_defs
from trading_ops.defs import dagster_home
from trading_ops.defs.checks import AT_ISSUE, check_name
from trading_ops.domain.reasons import RULES
from trading_ops.settings import Settings

GRAPH = Path(__file__).with_name("graph.json")
DEFS = build_defs()


def graph() -> dict[str, object]:
    """Assets with what they stand on, and the checks behind them."""
    nodes = DEFS.resolve_asset_graph()
    return {
        key.to_user_string(): {
            "group": nodes.get(key).group_name,
            "stands on": sorted(k.to_user_string() for k in nodes.get(key).parent_keys),
            "partitioned": nodes.get(key).partitions_def is not None,
            "checks": {
                k.name: "blocking" if nodes.get_check_spec(k).blocking else "shown"
                for k in sorted(nodes.get(key).check_keys, key=lambda k: k.name)
            },
        }
        for key in sorted(nodes.get_all_asset_keys(), key=lambda k: k.to_user_string())
    }


def test_everything_loads() -> None:
    dg.Definitions.validate_loadable(DEFS)


def test_exactly_these_jobs_schedules_and_sensors() -> None:
    repository = DEFS.get_repository_def()
    assert {job.name for job in repository.get_all_jobs()} == {
        "__ASSET_JOB", "plan_job", "ticket_job", "daily_job", "register_plans_job", "fetch_job", "pickup_job",
        "backup_job",
    }  # fmt: skip
    assert {s.name: (s.cron_schedule, s.execution_timezone, s.job_name) for s in repository.schedule_defs} == {
        "register_plans": ("0 18 * * *", "America/New_York", "register_plans_job"),
        "morning": ("30 6 * * 2-6", "Europe/London", "daily_job"),
        "open_weekly_plan": ("1 8 * * 6", "Europe/London", "plan_job"),
        "fetch_hourly": ("20 0,4-23 * * *", "Europe/London", "fetch_job"),
        "nightly_backup": ("30 5 * * *", "Europe/London", "backup_job"),
    }
    assert {s.name for s in repository.sensor_defs} == {
        "ticket_reconciler", "failed_checks", "watch", "dropped_files", "reminders", "outbox_sender",
    }  # fmt: skip


def test_everything_is_running_once_the_daemon_is() -> None:
    repository = DEFS.get_repository_def()
    assert {s.default_status for s in repository.schedule_defs} == {dg.DefaultScheduleStatus.RUNNING}
    assert {s.default_status for s in repository.sensor_defs} == {dg.DefaultSensorStatus.RUNNING}


def test_no_sensor_listens_to_run_states() -> None:
    # They were seen to fire while the run still worked, and to lose events.
    assert not [s for s in DEFS.get_repository_def().sensor_defs if isinstance(s, dg.RunStatusSensorDefinition)]


def test_graph_is_as_reviewed() -> None:
    found = json.dumps(graph(), indent=1, sort_keys=False) + "\n"
    if os.environ.get("TRADING_OPS_REWRITE_GOLDEN"):
        GRAPH.write_text(found)
    assert found == GRAPH.read_text()


def test_every_rule_has_exactly_one_check_and_every_check_its_rule() -> None:
    names = [key.name for key in DEFS.resolve_asset_graph().asset_check_keys]
    # Whether sources answer and backups hold is no rule of a plan: what that means for one, its gates say.
    assert sorted(names) == sorted([*(check_name(rule) for rule in RULES.values()), "sources_alive", "backup_proven"])


@pytest.mark.parametrize("code", sorted(RULES))
def test_a_check_carries_its_rules_sentence_and_blocks(code: str) -> None:
    nodes = DEFS.resolve_asset_graph()
    (key,) = [key for key in nodes.asset_check_keys if key.name == code.lower()]
    spec = nodes.get_check_spec(key)
    assert spec.description == RULES[code].sentence
    assert spec.blocking == (code not in AT_ISSUE)
    assert spec.partitions_def == nodes.get(key.asset_key).partitions_def is not None


def test_no_gate_can_be_run_in_part() -> None:
    # With can_subset a missing answer of a blocking check counts as passed.
    assert not any(checks.can_subset for checks in DEFS.asset_checks or ())  # type: ignore[union-attr]


def test_dagster_never_retries_a_ticket_itself() -> None:
    assert DEFS.resolve_job_def("ticket_job").tags["dagster/max_retries"] == "0"


def test_every_asset_says_what_it_is() -> None:
    nodes = DEFS.resolve_asset_graph()
    for key in nodes.get_all_asset_keys():
        node = nodes.get(key)
        assert node.description, key
        assert node.owners == ["team:operations"], key
        assert node.kinds, key


def test_parts_can_be_replaced() -> None:
    bare = build_defs(sensors=[], schedules=[]).get_repository_def()
    assert not bare.sensor_defs
    assert not bare.schedule_defs
    assert bare.get_job("plan_job")


def test_loading_says_nothing_in_the_environment_of_dagster_s_programs(fresh_home: Settings) -> None:
    code = "import trading_ops.definitions as d; d.defs.get_repository_def().load_all_definitions()"
    environment = dagster_home.environment(fresh_home)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_loading_touches_no_home_and_nothing_heavy() -> None:
    code = (
        "import sys, trading_ops.definitions as d; d.defs.get_repository_def(); "
        "print([m for m in ('matplotlib', 'qlib', 'mlflow', 'pandas.plotting._core.plt') if m in sys.modules])"
    )
    elsewhere = os.environ | {"TRADING_OPS_HOME": "/nowhere/at/all"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=elsewhere, check=False)
    assert done.stdout == "[]\n", done.stderr
