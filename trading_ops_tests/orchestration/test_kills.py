"""SIGKILL at every boundary of the two jobs: one ticket each, and TRADE only if everything was proven."""

import json
import os
import signal
import subprocess
import sys

import dagster as dg
import pytest

from trading_ops.defs import reconciler
from trading_ops.store import tickets
from trading_ops_tests.orchestration.loop_home import ASOF, AT, PLAN_ID, Loop
from trading_ops_tests.orchestration.test_reconciler import execute

STEPS = "trading_ops.planning.steps"
SLOW = pytest.mark.faults
IN_THE_PLAN = [
    (f"{STEPS}.{step}", when)
    for step in (
        "start", "judge_confirmation", "judge_desk", "take_snapshot", "judge_data", "judge_reconciliation", "rank",
        "size", "intend", "conclude",
    )
    for when in ("before", "after")
]  # fmt: skip
IN_THE_TICKET = [
    ("trading_ops.planning.issue.decide_plan", "before"),
    ("trading_ops.store.tickets.issue", "before"),
    ("trading_ops.store.tickets.issue", "after"),  # everything written, nothing committed
    ("trading_ops.store.artifacts.write_ticket", "before"),  # committed, no file yet
    ("trading_ops.planning.issue.decide_plan", "after"),
]
ALWAYS = {
    (f"{STEPS}.size", "after"),
    ("trading_ops.store.tickets.issue", "after"),
    ("trading_ops.planning.issue.decide_plan", "after"),
}
"""Looked at in every test run; the others in `make faults`."""


def points(places: list[tuple[str, str]]) -> list[object]:
    """Parameters, the slow ones marked."""
    return [pytest.param(*p, marks=() if p in ALWAYS else SLOW, id=f"{p[0].rpartition('.')[2]}-{p[1]}") for p in places]


def kill(loop: Loop, place: str, when: str) -> None:
    """Run the plan in another process that dies there."""
    words = [sys.executable, "-m", "trading_ops_tests.orchestration.killed", str(ASOF), place, when]
    done = subprocess.run(
        words, env=os.environ | loop.home.to_env(), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


def reconcile(loop: Loop) -> list[str]:
    """What the daemon does later, when the simulation is surely dead; Dagster has noticed that the runs are gone."""
    at_work = [status for status in dg.DagsterRunStatus if status not in reconciler.ENDS]
    for run in loop.instance.get_runs(dg.RunsFilter(statuses=at_work)):
        loop.instance.report_run_failed(run)
    done = []
    for _ in range(3):
        row = loop.conn.execute("SELECT now() + interval '1 day' AS at").fetchone()
        assert row is not None
        for request in list(reconciler.requests(loop.desk(row["at"]), loop.instance, row["at"])):
            execute(loop, request, row["at"])
            done.append(str(request.job_name))
    return done


@pytest.mark.parametrize(("place", "when"), points(IN_THE_PLAN))
def test_a_killed_plan_run_proves_nothing(sim: Loop, place: str, when: str) -> None:
    kill(sim, place, when)
    assert sim.count("tickets") == 0
    assert reconcile(sim) == ["ticket_job"]
    ticket = tickets.get(sim.conn, PLAN_ID)
    proven = (place, when) == (f"{STEPS}.conclude", "after")
    assert ticket.verdict == ("TRADE" if proven else "NO-TRADE")
    if not proven:
        assert {"RUN_FAILED", "PLAN_MISSED"} & set(json.loads(ticket.content)["reasons"])
    assert sim.count("tickets") == 1


@pytest.mark.parametrize(("place", "when"), points(IN_THE_PLAN))
def test_a_killed_plan_run_is_as_if_it_never_was(sim: Loop, other_sim: Loop, place: str, when: str) -> None:
    kill(sim, place, when)
    ticket = sim.plan()
    assert ticket.verdict == "TRADE"
    assert ticket.content == other_sim.directly().content
    assert sim.count("tickets") == 1


@pytest.mark.parametrize(("place", "when"), points(IN_THE_TICKET))
def test_a_killed_ticket_run_leaves_one_ticket(sim: Loop, other_sim: Loop, place: str, when: str) -> None:
    kill(sim, place, when)
    committed = "write_ticket" in place or (place.endswith("decide_plan") and when == "after")
    assert sim.count("tickets") == int(committed)
    assert reconcile(sim) == ["ticket_job"]
    ticket = tickets.get(sim.conn, PLAN_ID)
    assert (ticket.verdict, sim.count("tickets")) == ("TRADE", 1)
    assert ticket.content == other_sim.directly().content
    assert sim.instance.get_materialized_partitions(dg.AssetKey("ticket")) == {PLAN_ID}
    assert sorted(path.suffix for path in sim.home.tickets_dir.iterdir()) == [".json", ".md"]
    assert sim.count("ticket_lines") == len(json.loads(ticket.content)["lines"])
    assert sim.plan(at=AT) == ticket
