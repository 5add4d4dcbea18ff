"""Daily and weekly reports."""

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"

FOLDER = Path(__file__).resolve().parents[1]

DOWN = "DROP TABLE reports; DROP FUNCTION guard_report();"


def upgrade() -> None:
    """Run the file as it stands; the driver sees no parameters in it."""
    _run((FOLDER / "0006_reports.sql").read_text())


def downgrade() -> None:
    """Only ever used in tests: facts are never thrown away."""
    _run(DOWN)


def _run(statements: str) -> None:
    op.get_bind().connection.driver_connection.execute(statements.encode())
