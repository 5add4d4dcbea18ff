"""Acknowledgements and escalations of incidents."""

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"

FOLDER = Path(__file__).resolve().parents[1]
GUARD = "CREATE FUNCTION guard_announcement()"
DOWN = """
DROP TABLE incident_escalations, incident_acknowledgements;
DROP TRIGGER guard_incident_person ON incident_closures;
DROP FUNCTION guard_incident_person();
"""


def upgrade() -> None:
    """Run the file as it stands; the driver sees no parameters in it."""
    _run((FOLDER / "0007_incidents.sql").read_text())


def downgrade() -> None:
    """Only ever used in tests: facts are never thrown away."""
    before = (FOLDER / "0004_guards.sql").read_text()
    guard = before[before.index(GUARD) :].partition("END $$;")[0] + "END $$;"
    _run(DOWN + guard.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1))


def _run(statements: str) -> None:
    op.get_bind().connection.driver_connection.execute(statements.encode())
