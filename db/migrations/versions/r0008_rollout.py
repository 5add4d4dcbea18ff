"""The roll-out's acts, and reports of months."""

from pathlib import Path

from alembic import op

revision = "0008"
down_revision = "0007"

FOLDER = Path(__file__).resolve().parents[1]
DOWN = """
DROP TABLE rollout_acts;
ALTER TABLE reports DROP CONSTRAINT reports_kind_check;
ALTER TABLE reports ADD CONSTRAINT reports_kind_check CHECK (kind IN ('daily', 'weekly'));
COMMENT ON COLUMN reports.day IS 'Daily: the session. Weekly: the as-of session of the week''s plan.';
"""


def upgrade() -> None:
    """Run the file as it stands; the driver sees no parameters in it."""
    _run((FOLDER / "0008_rollout.sql").read_text())


def downgrade() -> None:
    """Only ever used in tests: facts are never thrown away."""
    _run(DOWN)


def _run(statements: str) -> None:
    op.get_bind().connection.driver_connection.execute(statements.encode())
