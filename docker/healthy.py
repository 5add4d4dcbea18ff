"""Is a service well? Exit code 0, or 1 and a sentence. Runs inside the service's own container, every half minute.

Imports no Dagster: that alone would take longer than the looking.
"""

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Callable

from trading_ops.domain.errors import TradingOpsError
from trading_ops.settings import Settings

SECONDS = 10
CODE = "127.0.0.1:4000"
WEBSERVER = "http://127.0.0.1:3000/graphql"
PAGE = "http://127.0.0.1:8501/_stcore/health"
DAEMONS = ("SENSOR", "SCHEDULER", "QUEUED_RUN_COORDINATOR", "MONITORING")
OLDEST_SECONDS = 120
"""A daemon gives a sign of life every half minute."""
QUESTION = """{
  workspaceOrError { __typename ... on Workspace { locationEntries { name locationOrLoadError { __typename } } } }
  runsOrError(limit: 1) { __typename }
}"""


class NotWell(Exception):
    """The text is a sentence."""


def code() -> None:
    """The code server answers."""
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    with grpc.insecure_channel(CODE) as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(service="DagsterApi"), timeout=SECONDS
            )
        except grpc.RpcError as exc:
            raise NotWell(f"The code server does not answer on port 4000 ({exc.code().name}).") from exc
    if answer.status != health_pb2.HealthCheckResponse.SERVING:
        raise NotWell("The code server answers, and says that it does not serve.")


def daemon() -> None:
    """Every daemon that plans depend on gave a sign of life lately."""
    import psycopg

    from trading_ops.store import roles

    try:
        with psycopg.connect(roles.dsn_for(Settings.from_env(), roles.DAGSTER), connect_timeout=SECONDS) as conn:
            seconds = "extract(epoch FROM now() AT TIME ZONE 'UTC' - max(timestamp))::float8"
            ages = dict(
                conn.execute(f"SELECT daemon_type, {seconds} FROM daemon_heartbeats GROUP BY daemon_type").fetchall()
            )
    except psycopg.Error as exc:
        raise NotWell("The daemon's signs of life cannot be read: the database does not answer.") from exc
    silent = [name for name in DAEMONS if ages.get(name, OLDEST_SECONDS + 1) > OLDEST_SECONDS]
    if silent:
        raise NotWell(f"No sign of life within {OLDEST_SECONDS} seconds from {', '.join(silent)}.")


def webserver() -> None:
    """The webserver answers, reaches Dagster's database, and has loaded the code location."""
    asked = urllib.request.Request(
        WEBSERVER, json.dumps({"query": QUESTION}).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(asked, timeout=SECONDS) as answer:
            data = json.load(answer).get("data") or {}
    except (OSError, ValueError) as exc:
        raise NotWell(f"The webserver does not answer on port 3000: {exc}.") from exc
    entries = (data.get("workspaceOrError") or {}).get("locationEntries") or []
    loaded = [e["name"] for e in entries if (e["locationOrLoadError"] or {}).get("__typename") == "RepositoryLocation"]
    if loaded != ["trading_ops"]:
        raise NotWell("The webserver answers, but the code location trading_ops is not loaded.")
    if (data.get("runsOrError") or {}).get("__typename") != "Runs":
        raise NotWell("The webserver answers, but cannot read the runs in Dagster's database.")


def page() -> None:
    """The page's server answers."""
    try:
        with urllib.request.urlopen(PAGE, timeout=SECONDS) as answer:
            said = answer.read(100)
    except OSError as exc:
        raise NotWell(f"The page does not answer on port 8501: {exc}.") from exc
    if said.strip() != b"ok":
        raise NotWell(f"The page answers on port 8501, but not that it is well: {said[:40]!r}.")


def migrations() -> None:
    """The schema is the one that this code knows."""
    from trading_ops.store import migrate

    reached, wanted = migrate.current(Settings.from_env()), migrate.head()
    if reached != wanted:
        raise NotWell(f"The database is at revision {reached or 'none'}, and this code needs {wanted}.")


SERVICES: dict[str, Callable[[], None]] = {
    "code": code, "daemon": daemon, "webserver": webserver, "page": page, "migrations": migrations,
}  # fmt: skip


def main(words: list[str]) -> int:
    """Look at the services that are named; returns the exit code."""
    for name in words:
        try:
            SERVICES[name]()
        except (NotWell, TradingOpsError) as exc:
            print(exc, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
