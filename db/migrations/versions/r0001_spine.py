"""The spine."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None

SQL = Path(__file__).resolve().parents[1] / "0001_spine.sql"


def upgrade() -> None:
    """Run the file as it stands; the driver sees no parameters in it."""
    op.get_bind().connection.driver_connection.execute(SQL.read_text().encode())


def downgrade() -> None:
    """Only ever used in tests: facts are never thrown away."""
    op.execute("DROP SCHEMA ops CASCADE")
    op.execute("CREATE SCHEMA ops AUTHORIZATION ops_owner")
