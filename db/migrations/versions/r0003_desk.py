"""The desk: people, answers in parts, name checks, corporate events, statements, delivery of messages."""

import re
from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"

FOLDER = Path(__file__).resolve().parents[1]
DOWN = """
DROP FUNCTION outbox_lock(bigint);
DROP TABLE outbox_deliveries, drift_resolutions, broker_statement_rows, broker_statements, name_checks;
ALTER TABLE ledger_voids DROP COLUMN event_id;
ALTER TABLE ledger_voids ADD CONSTRAINT ledger_voids_check CHECK (num_nonnulls(fill_id, movement_id) = 1);
DROP TABLE ledger_events;
DROP TRIGGER guard_void ON ledger_voids;
DROP FUNCTION guard_void();
DROP TRIGGER guard_confirmation ON confirmations;
DROP FUNCTION guard_confirmation();
DROP FUNCTION lock_ticket(text);
ALTER TABLE ledger_trades_fills DROP COLUMN part;
ALTER TABLE ledger_trades_fills ADD CONSTRAINT ledger_trades_fills_confirmation_id_key UNIQUE (confirmation_id);
DROP TABLE confirmation_parts;
ALTER TABLE confirmations DROP COLUMN ticket_sha256, DROP COLUMN note, DROP COLUMN typed, DROP COLUMN questions;
DROP VIEW desk_people;
DROP TABLE submissions, page_drafts, sign_in_attempts, sign_outs, sign_ins, people;
DROP INDEX plans_one_a_session;
ALTER TABLE plans DROP CONSTRAINT plans_names_fit;
ALTER TABLE plans DROP COLUMN kind;
ALTER TABLE plans ADD CONSTRAINT plans_plan_id_check CHECK (plan_id ~ '^\\d{4}-\\d{2}-\\d{2}$');
ALTER TABLE plans ADD CONSTRAINT plans_week_check CHECK (week ~ '^\\d{4}-W\\d{2}$');
ALTER TABLE plans ADD CONSTRAINT plans_check1 CHECK (plan_id = to_char(asof, 'YYYY-MM-DD'));
ALTER TABLE plans ADD CONSTRAINT plans_asof_key UNIQUE (asof);
REVOKE ALL ON ALL TABLES IN SCHEMA ops FROM sign_in;
REVOKE ALL ON SCHEMA ops FROM sign_in;
"""


def upgrade() -> None:
    """Run the file as it stands; the driver sees no parameters in it."""
    _run((FOLDER / "0003_desk.sql").read_text())


def downgrade() -> None:
    """Only ever used in tests: facts are never thrown away. The grants on older tables stay."""
    spine = (FOLDER / "0001_spine.sql").read_text()
    for name, end in (("audit_append", r"END \$\$;"), ("lines_before", r"\$\$;"), ("newest_plan_before", r"\$\$;")):
        found = re.search(rf"CREATE FUNCTION {name}\(.*?\n{end}", spine, re.DOTALL)
        assert found is not None
        _run(found.group(0).replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))
    _run(DOWN)


def _run(statements: str) -> None:
    op.get_bind().connection.driver_connection.execute(statements.encode())
