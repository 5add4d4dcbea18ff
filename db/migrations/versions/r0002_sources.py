"""Sources on the network."""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"

SQL = Path(__file__).resolve().parents[1] / "0002_sources.sql"


def upgrade() -> None:
    """Run the file as it stands; the driver sees no parameters in it."""
    op.get_bind().connection.driver_connection.execute(SQL.read_text().encode())


def downgrade() -> None:
    """Only ever used in tests: facts are never thrown away."""
    op.execute("DROP TABLE ops.qlib_exports, ops.quality_reports, ops.restatements, ops.price_fetches")
    op.execute("ALTER TABLE ops.snapshot_parts DROP COLUMN layout")
    op.execute("ALTER TABLE ops.snapshot_parts DROP CONSTRAINT snapshot_parts_kind_check")
    op.execute(
        "ALTER TABLE ops.snapshot_parts ADD CONSTRAINT snapshot_parts_kind_check "
        "CHECK (kind IN ('bars', 'actions', 'fixings'))"
    )
