"""For prove.sh: ask Dagster's webserver on this machine for runs and schedules, or to run a job of one plan.

    ask_webserver.py PORT runs | schedules | run JOB PLAN

The standard library is enough, so that the machine needs no environment of ours.
"""

import json
import sys
import time
import urllib.request
from typing import Any

WHERE = {"repositoryName": "__repository__", "repositoryLocationName": "trading_ops"}
PATIENCE_SECONDS = 240
ENDS = ("SUCCESS", "FAILURE", "CANCELED")
RUNS = "{runsOrError{... on Runs{results{runId jobName status}}}}"
STATUS = "query($id:ID!){runOrError(runId:$id){... on Run{status}}}"
LAUNCH = """mutation($asked:ExecutionParams!){launchRun(executionParams:$asked){
  __typename ... on LaunchRunSuccess{run{runId}} ... on PythonError{message}}}"""
SCHEDULES = """query($where:RepositorySelector!){schedulesOrError(repositorySelector:$where){
  ... on Schedules{results{name scheduleState{status}}}}}"""
PARTITION = """mutation($where:RepositorySelector!,$plan:String!){
  addDynamicPartition(repositorySelector:$where,partitionsDefName:"plan",partitionKey:$plan){__typename}}"""


def ask(port: str, query: str, **variables: Any) -> Any:
    """The answer's data."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/graphql", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=60) as answer:
        said = json.load(answer)
    if said.get("errors"):
        sys.exit(f"The webserver refuses: {said['errors'][0]['message']}")
    return said["data"]


def run(port: str, job: str, plan: str) -> str:
    """Launch a job of a plan and wait for its end; returns its state."""
    ask(port, PARTITION, where=WHERE, plan=plan)
    decide = {"ops": {"ticket": {"config": {"decide_now": True}}}} if job == "ticket_job" else {}
    tags = [{"key": "dagster/partition", "value": plan}]
    asked = {"selector": {**WHERE, "jobName": job}, "runConfigData": decide, "executionMetadata": {"tags": tags}}
    started = ask(port, LAUNCH, asked=asked)["launchRun"]
    if "run" not in started:
        sys.exit(f"{job} was not launched: {started}")
    run_id, end = started["run"]["runId"], time.monotonic() + PATIENCE_SECONDS
    while (status := ask(port, STATUS, id=run_id)["runOrError"]["status"]) not in ENDS:
        if time.monotonic() > end:
            sys.exit(f"{job} of {plan} is still {status} after {PATIENCE_SECONDS} seconds.")
        time.sleep(2)
    return f"{job} of {plan}: {status} (run {run_id[:8]})"


def main(port: str, what: str, *words: str) -> None:
    """Print what was asked for, sorted."""
    if what == "run":
        print(run(port, *words))
    elif what == "runs":
        for found in sorted(ask(port, RUNS)["runsOrError"]["results"], key=lambda r: (r["jobName"], r["runId"])):
            print(found["runId"], found["jobName"], found["status"])
    else:
        for found in ask(port, SCHEDULES, where=WHERE)["schedulesOrError"]["results"]:
            print(found["name"], found["scheduleState"]["status"])


if __name__ == "__main__":
    main(*sys.argv[1:])
