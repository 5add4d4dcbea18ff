"""Backups and their proofs."""

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"

FOLDER = Path(__file__).resolve().parents[1]

DOWN = r"""
DROP TABLE backup_proofs, backups;
ALTER TABLE people DROP CONSTRAINT people_display_name_check;
ALTER TABLE people ADD CONSTRAINT people_display_name_check
    CHECK (length(display_name) BETWEEN 1 AND 60 AND display_name !~ '[\n\r]');
"""


def upgrade() -> None:
    """Run the file as it stands; the driver sees no parameters in it."""
    _run((FOLDER / "0005_backups.sql").read_text())


def downgrade() -> None:
    """Only ever used in tests: facts are never thrown away."""
    _run(DOWN)


def _run(statements: str) -> None:
    op.get_bind().connection.driver_connection.execute(statements.encode())
