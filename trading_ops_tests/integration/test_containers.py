"""What `make up` starts, read from its files: nothing is published that must not be, and nothing deletes data.

What it does when it runs is proven by docker/prove.sh.
"""

import importlib.util
import re
import stat
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg
import pytest
import yaml

from trading_ops.domain.errors import Refused
from trading_ops.settings import Settings, shipped
from trading_ops.store.connect import connect
from trading_ops.store.errors import SecretsTooOpen

ROOT = shipped("pyproject.toml").parent
DOCKER = ROOT / "docker"
ONCE = {"secrets", "migrations"}
LASTING = {"postgres", "code", "daemon", "webserver", "page"}
ADMINISTRATORS = {"secrets", "postgres", "migrations", "code"}
SECRET_WORD = re.compile(r"(?i)passw|secret|token|_key$")


def script(name: str) -> ModuleType:
    """One of docker's scripts as a module."""
    spec = importlib.util.spec_from_file_location(f"docker_{name}", DOCKER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def composed() -> dict[str, Any]:
    return dict(yaml.safe_load((DOCKER / "compose.yml").read_text()))


@pytest.fixture(scope="module")
def services(composed: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return dict(composed["services"])


def mounts(service: dict[str, Any]) -> dict[str, list[str]]:
    """By the name of the volume: where it is mounted, and how."""
    return {part[0]: part[1:] for part in (text.split(":") for text in service.get("volumes", []))}


def test_these_are_the_services(services: dict[str, dict[str, Any]]) -> None:
    assert set(services) == ONCE | LASTING


def test_page_and_webserver_are_published_on_this_machine_alone(services: dict[str, dict[str, Any]]) -> None:
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert set(published) == {"page", "webserver"}
    for ports in published.values():
        assert [port.split(":", 1)[0] for port in ports] == ["127.0.0.1"]
    assert not any(service.get("network_mode") == "host" for service in services.values())


def test_no_service_runs_as_root(services: dict[str, dict[str, Any]]) -> None:
    assert {service["user"] for service in services.values()} == {"999:999"}
    assert not any(service.get("privileged") or service.get("cap_add") for service in services.values())
    assert re.findall(r"(?m)^USER (.+)$", (DOCKER / "Dockerfile").read_text())[-1] == "desk"


def test_what_lasts_lies_in_named_volumes(composed: dict[str, Any], services: dict[str, dict[str, Any]]) -> None:
    used = {name for service in services.values() for name in mounts(service)}
    assert set(composed["volumes"]) == used == {"data", "postgres", "secrets"}  # so nothing of the host is mounted
    assert mounts(services["postgres"])["postgres"] == ["/var/lib/postgresql"]
    for name in ("migrations", "code", "daemon", "webserver", "page"):
        assert mounts(services[name])["data"] == ["/data"]
    assert not any(options and options.get("external") for options in composed["volumes"].values())


def test_the_administrator_s_password_reaches_only_those_that_need_it(services: dict[str, dict[str, Any]]) -> None:
    holders = {name: mounts(service)["secrets"] for name, service in services.items() if "secrets" in mounts(service)}
    assert set(holders) == ADMINISTRATORS
    assert all(how[1:] == ([] if name == "secrets" else ["ro"]) for name, how in holders.items())


def test_no_secret_stands_in_settings_commands_or_the_image(services: dict[str, dict[str, Any]]) -> None:
    for service in services.values():
        environment = service.get("environment", {})
        assert [n for n in environment if SECRET_WORD.search(n) and not n.endswith("_FILE")] == []
        assert [v for v in environment.values() if re.search(r"//[^/@]*:[^/@]*@", str(v))] == []
        assert not SECRET_WORD.search(" ".join(service.get("command", [])).replace("make_secrets.py", ""))
    written = re.findall(r"(?m)^(?:ARG|ENV) (\w+)", (DOCKER / "Dockerfile").read_text())
    assert [name for name in written if SECRET_WORD.search(name)] == []


def test_every_service_that_lasts_is_looked_at(services: dict[str, dict[str, Any]]) -> None:
    looked_at = {name: service["healthcheck"]["test"] for name, service in services.items() if "healthcheck" in service}
    assert set(looked_at) == LASTING
    for name in LASTING - {"postgres"}:
        assert looked_at[name] == ["CMD", "python", "docker/healthy.py", name]
    assert all(service["restart"] == ("no" if name in ONCE else "unless-stopped") for name, service in services.items())
    by_hand = (DOCKER / "health.sh").read_text()
    assert all(name in by_hand for name in LASTING | {"migrations"})


def test_migrations_come_once_and_before_the_others(services: dict[str, dict[str, Any]]) -> None:
    waits = {
        name: {other: how["condition"] for other, how in service.get("depends_on", {}).items()}
        for name, service in services.items()
    }
    assert waits == {
        "secrets": {},
        "postgres": {"secrets": "service_completed_successfully"},
        "migrations": {"postgres": "service_healthy"},
        "code": {"migrations": "service_completed_successfully"},
        "daemon": {"code": "service_healthy"},
        "webserver": {"code": "service_healthy"},
        "page": {"migrations": "service_completed_successfully"},
    }


def test_one_image_serves_all_and_is_built_from_the_lock(services: dict[str, dict[str, Any]]) -> None:
    assert {service["image"] for name, service in services.items() if name != "postgres"} == {"trading-ops:local"}
    assert [name for name, service in services.items() if "build" in service] == ["secrets"]
    built = (DOCKER / "Dockerfile").read_text().replace("\\\n", " ")
    installs = re.findall(r"pip install.*", built)
    assert len(installs) == 2
    assert "--require-hashes" in installs[0]
    assert "requirements.lock" in installs[0]
    assert "--no-index" in installs[1]


def test_no_address_of_a_registry_is_in_the_tree() -> None:
    texts = {path: path.read_text() for path in (*DOCKER.iterdir(), ROOT / ".dockerignore") if path.is_file()}
    for path, text in texts.items():
        assert re.search(r"index-url|pypi\.|find-links|trusted-host=", text.lower()) is None, path


def test_an_image_gets_no_home_no_checkout_and_no_secret() -> None:
    words = (ROOT / ".dockerignore").read_text().split("\n")
    assert "*" in words
    let_in = {word[1:] for word in words if word.startswith("!")}
    assert let_in.isdisjoint({".git", ".home", ".demo", ".venv", "trading_ops_tests"})
    assert "config/secrets.env" in words


def test_nothing_deletes_a_volume_but_the_proof_of_its_own() -> None:
    deletes = re.compile(r"--volumes|\bdown\b.*\s-v\b|\brm\b.*-v\b|volume (rm|prune)|system prune")
    make = re.search(r"(?s)\nup:  ##.*?\nlock:", (ROOT / "Makefile").read_text())
    assert make is not None
    assert deletes.search(make[0]) is None
    for script in ("health.sh", "make_secrets.py", "migrate.py", "start.py"):
        assert deletes.search((DOCKER / script).read_text()) is None, script


def test_make_says_what_up_down_health_and_logs_run() -> None:
    done = subprocess.run(
        ["make", "--no-print-directory", "-n", "up", "down", "health", "logs", "PROJECT=tried"],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert "--project-name tried --file docker/compose.yml up -d" in done.stdout
    assert done.stdout.count("docker/health.sh") == 2


def test_secrets_are_made_once_and_private(tmp_path: Path) -> None:
    make = script("make_secrets").make
    assert make(tmp_path) == "The database's password was made."
    first = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert set(first) == {"postgres_password", "pgpass"}
    assert first["pgpass"].strip() == f"postgres:5432:*:postgres:{first['postgres_password'].strip()}"
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
    assert make(tmp_path) == "The database's password was there already."
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == first
    (tmp_path / "postgres_password").chmod(0o644)
    with pytest.raises(SecretsTooOpen):
        make(tmp_path)


def test_a_first_start_makes_the_book_and_later_ones_leave_it(fresh_home: Settings) -> None:
    migrate = script("migrate").migrate
    assert migrate(fresh_home, "paper") == "paper"
    passfile = fresh_home.secrets_dir / "pgpass"
    assert ":desk_reader:" in passfile.read_text()
    assert stat.S_IMODE(passfile.stat().st_mode) == 0o600
    before = counted(fresh_home)
    assert migrate(fresh_home, "") == "paper"
    assert counted(fresh_home) == before
    with pytest.raises(Refused, match="already holds a paper book"):
        migrate(fresh_home, "sim")
    assert counted(fresh_home) == before


def counted(home: Settings) -> list[dict[str, Any]]:
    """How many policies and universes were imported; the audit's head."""
    with connect(home, "app_writer") as conn:
        return conn.execute(
            "SELECT (SELECT count(*) FROM ops.config_policy) AS policies, "
            "(SELECT count(*) FROM ops.config_universe_versions) AS universes, "
            "(SELECT max(seq) FROM ops.audit_log) AS head"
        ).fetchall()


@pytest.mark.parametrize("service", ["code", "webserver", "page"])
def test_a_service_that_does_not_answer_is_a_sentence(service: str, capsys: pytest.CaptureFixture[str]) -> None:
    healthy = script("healthy")
    healthy.CODE, healthy.WEBSERVER, healthy.PAGE = "127.0.0.1:9", "http://127.0.0.1:9/", "http://127.0.0.1:9/"
    assert healthy.main([service]) == 1
    assert "does not answer" in capsys.readouterr().err


def test_a_daemon_is_silent_until_it_gave_a_sign_of_life(
    fresh_home: Settings, dagster_database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in fresh_home.to_env().items():
        monkeypatch.setenv(name, value)
    healthy = script("healthy")
    assert healthy.main(["daemon"]) == 1
    assert "cannot be read" in capsys.readouterr().err
    with psycopg.connect(dagster_database, autocommit=True) as conn:
        conn.execute("CREATE TABLE daemon_heartbeats (daemon_type text, timestamp timestamp)")
        for name in healthy.DAEMONS:
            conn.execute("INSERT INTO daemon_heartbeats VALUES (%s, now() AT TIME ZONE 'UTC')", (name,))
        assert healthy.main(["daemon"]) == 0
        late = "timestamp = timestamp - interval '3 minutes' WHERE daemon_type = 'SENSOR'"
        conn.execute(f"UPDATE daemon_heartbeats SET {late}")  # type: ignore[arg-type]  # fixed words
    assert healthy.main(["daemon"]) == 1
    assert "SENSOR" in capsys.readouterr().err


@pytest.mark.parametrize("code", [0, 1])
def test_health_names_what_is_not_well(tmp_path: Path, code: int) -> None:
    compose = tmp_path / "compose"
    compose.write_text(f'#!/bin/sh\ncase "$*" in *" page "*) echo "The page sleeps."; exit {code};; esac\n')
    compose.chmod(0o755)
    done = subprocess.run(
        ["bash", str(DOCKER / "health.sh")], env={"COMPOSE": str(compose), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == code
    assert ("page is not well: The page sleeps." in done.stderr) is bool(code)
    assert "daemon is not well" not in done.stderr


def test_workspace_and_code_location_carry_the_name_that_runs_are_filed_under() -> None:
    workspace = yaml.safe_load((DOCKER / "workspace.yaml").read_text())["load_from"][0]["grpc_server"]
    at_home = yaml.safe_load((ROOT / "workspace.yaml").read_text())["load_from"][0]["python_module"]
    assert workspace["location_name"] == at_home["location_name"]
