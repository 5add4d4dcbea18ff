"""The administrator's password may lie in a passfile instead of the DSN, as it does in containers."""

from dataclasses import replace

import pytest
from psycopg.conninfo import conninfo_to_dict

from trading_ops.backup import tools
from trading_ops.settings import Settings
from trading_ops.store import endpoint, schema_contract
from trading_ops.store.errors import ServerFailed
from trading_ops.store.secret_files import write_secret


@pytest.fixture
def without_password(fresh_home: Settings) -> Settings:
    admin = conninfo_to_dict(str(fresh_home.database_url))
    where = f"{admin['host']}:{admin['port']}"
    write_secret(fresh_home.home / "pgpass", f"{where}:*:{admin['user']}:{admin['password']}\n")
    return replace(fresh_home, database_url=f"postgresql://{admin['user']}@{where}/{admin['dbname']}")


def test_the_schema_is_read_with_it(
    fresh_home: Settings, without_password: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = schema_contract.schema_hash(fresh_home)
    with pytest.raises(ServerFailed, match="password"):
        schema_contract.schema_hash(without_password)
    monkeypatch.setenv("PGPASSFILE", str(without_password.home / "pgpass"))
    assert schema_contract.schema_hash(without_password) == wanted


def test_a_backup_s_programs_use_it(without_password: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    url, target = endpoint.admin_url(without_password, without_password.database), without_password.home / "dump.sql"
    monkeypatch.setenv("PGPASSFILE", str(without_password.home / "pgpass"))
    tools.run("pg_dump", url, ["--schema-only", "--file", str(target)])
    assert target.stat().st_size > 0
