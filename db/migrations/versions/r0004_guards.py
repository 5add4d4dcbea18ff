"""Guards: whose answers a plan waits for, the order of answers and voids, what a fact names, what pages may tell."""

import re
from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"

FOLDER = Path(__file__).resolve().parents[1]
DOWN = """
GRANT INSERT ON outbox TO executor_ui;
DROP FUNCTION guard_announcement() CASCADE;
DROP FUNCTION guard_incident() CASCADE;
DROP FUNCTION guard_message() CASCADE;
DROP FUNCTION guard_delivery() CASCADE;
ALTER TABLE price_loads DROP CONSTRAINT price_loads_known_by_its_announcement;
DROP FUNCTION names_announcement() CASCADE;
DROP FUNCTION comes_with_its_fact() CASCADE;
DROP FUNCTION of_this_transaction(xid);
COMMENT ON FUNCTION lines_before(text, bigint) IS
    'The lines of the newest TRADE ticket before a plan: all that replay may see of tickets.';
"""
SINCE = "DROP TABLE tests_waited_for_since;"
"""Last: the function that reads it is put back first."""
REPLACED = (
    ("CREATE OR REPLACE FUNCTION lines_before", r"\$\$;"),
    ("CREATE FUNCTION guard_confirmation", r"END \$\$;"),
    ("CREATE FUNCTION guard_void", r"END \$\$;"),
)
"""Functions of the revision before that this one replaces, by how each begins and ends there."""


def upgrade() -> None:
    """Run the file as it stands; the driver sees no parameters in it."""
    _run((FOLDER / "0004_guards.sql").read_text())


def downgrade() -> None:
    """Only ever used in tests: facts are never thrown away."""
    _run(DOWN)
    before = (FOLDER / "0003_desk.sql").read_text()
    for begins, end in REPLACED:
        found = re.search(rf"{begins}\(.*?\n{end}", before, re.DOTALL)
        assert found is not None
        _run(re.sub(r"^CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", found.group(0)))
    _run(SINCE)


def _run(statements: str) -> None:
    op.get_bind().connection.driver_connection.execute(statements.encode())
