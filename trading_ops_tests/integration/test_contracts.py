"""The schema and the privileges are what was reviewed. TRADING_OPS_REWRITE_CONTRACTS=1 accepts what is there now."""

import difflib
import os

import psycopg
import pytest

from trading_ops.settings import Settings, shipped
from trading_ops.store import schema_contract
from trading_ops.store.binaries import binary_major

REWRITE = "TRADING_OPS_REWRITE_CONTRACTS"
DRIFTS = {
    "a trigger less": "DROP TRIGGER append_only ON ops.audit_log",
    "a trigger that a superuser can skip": "ALTER TABLE ops.audit_log ENABLE TRIGGER append_only",
    "a check less": "ALTER TABLE ops.ledger_cash_movements DROP CONSTRAINT ledger_cash_movements_day_check",
    "a wider number": "ALTER TABLE ops.ledger_cash_movements ALTER amount_gbp TYPE numeric",
    "an index less": "DROP INDEX ops.fx_rates_eod_load",
    "another function body": "CREATE OR REPLACE FUNCTION ops.refuse_change() RETURNS trigger LANGUAGE plpgsql "
    "SET search_path = pg_catalog AS $$ BEGIN RETURN NULL; END $$",
    "a comment": "COMMENT ON TABLE ops.audit_log IS 'something else'",
    "a new table": "CREATE TABLE ops.extra (n integer)",
}
GRANTS = {
    "a table to the writer": "GRANT UPDATE ON ops.tickets TO app_writer",
    "a column to a reader": "GRANT SELECT (payload) ON ops.audit_log TO mcp_reader",
    "a function to everyone": "GRANT EXECUTE ON FUNCTION ops.audit_broken() TO PUBLIC",
    "a schema": "GRANT CREATE ON SCHEMA ops TO app_writer",
    "a sequence": "GRANT UPDATE ON SEQUENCE ops.outbox_outbox_id_seq TO app_writer",
    "a membership": "GRANT pg_read_all_data TO mcp_reader",
    "the database": "DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO app_writer', current_database()); "
    "END $$",
}
TAKEN_BACK = {"a membership": "REVOKE pg_read_all_data FROM mcp_reader"}
"""What is the server's and not the clone's has to be undone."""


def agree(name: str, seen: str) -> None:
    """Compare with the committed file, or rewrite it when asked to."""
    file = shipped("db") / name
    if os.environ.get(REWRITE) == "1":
        file.write_text(seen)
    wanted = file.read_text() if file.exists() else ""
    if seen != wanted:
        shown = "\n".join(difflib.unified_diff(wanted.splitlines(), seen.splitlines(), "reviewed", "here", lineterm=""))
        pytest.fail(f"db/{name} differs from the database. If that is meant, run with {REWRITE}=1.\n{shown}")


def test_schema_is_the_reviewed_one(fresh_home: Settings) -> None:
    agree("schema.sha256", f"{schema_contract.schema_hash(fresh_home)}  PostgreSQL {binary_major()}\n")


def test_privileges_are_the_reviewed_ones(fresh_home: Settings) -> None:
    agree("privileges.txt", schema_contract.privileges_text(fresh_home))


def test_schema_hash_is_the_same_every_time(fresh_home: Settings) -> None:
    assert schema_contract.schema_hash(fresh_home) == schema_contract.schema_hash(fresh_home)


@pytest.mark.parametrize("change", DRIFTS.values(), ids=DRIFTS.keys())
def test_schema_hash_sees(fresh_home: Settings, change: str) -> None:
    before = schema_contract.schema_hash(fresh_home)
    as_administrator(fresh_home, change)
    assert schema_contract.schema_hash(fresh_home) != before


@pytest.mark.parametrize("which", GRANTS)
def test_privilege_matrix_sees(fresh_home: Settings, which: str) -> None:
    before = schema_contract.privileges_text(fresh_home)
    try:
        as_administrator(fresh_home, GRANTS[which])
        assert schema_contract.privileges_text(fresh_home) != before
    finally:
        if which in TAKEN_BACK:
            as_administrator(fresh_home, TAKEN_BACK[which])


def as_administrator(settings: Settings, statement: str) -> None:
    with psycopg.connect(str(settings.database_url), dbname=settings.database) as conn:
        conn.execute(statement)
