"""The nightly backup: made, restored as a test, compared; old ones go."""

import dagster as dg

from trading_ops.backup import encryption, keeping, making, proving
from trading_ops.backup.errors import BackupDamaged
from trading_ops.defs.resources import Desk
from trading_ops.defs.show import OWNERS
from trading_ops.store import backups

PROVEN = "backup_proven"


@dg.asset(
    group_name="operations",
    owners=OWNERS,
    kinds={"postgres"},
    check_specs=[
        dg.AssetCheckSpec(PROVEN, asset="backup", description="It was restored, and everything came out equal.")
    ],
)
def backup(desk: dg.ResourceParam[Desk]) -> dg.MaterializeResult:  # with check specs Dagster takes no parameter here
    """One moment of the database and the files it points at. It counts once a restore came out equal."""
    folder = desk.settings.backups_dir
    encrypted = encryption.wanted(desk.settings)
    with making.one_at_a_time(desk.settings):
        made = making.create(desk.conn, desk.settings, desk.now(), encrypted)
        try:
            proving.prove(desk.conn, folder / made.backup_id, desk.now, encrypted.moment if encrypted else None)
        except BackupDamaged as exc:
            passed, words = False, str(exc)
        else:
            passed, words = True, f"Backup {made.backup_id} was restored, and everything came out equal."
        gone = keeping.clear(folder, backups.proven(desk.conn), desk.now())
    facts = made.database
    return dg.MaterializeResult(
        metadata={
            "backup": made.backup_id,
            "folder": dg.MetadataValue.path(folder / made.backup_id),
            "tables": len(facts.tables),
            "rows": sum(table.rows for table in facts.tables.values()),
            "files": made.kept,
            "encrypted to": made.encrypted.recipient if made.encrypted else "nobody",
            "audit head": f"{facts.audit_seq} {facts.audit_hash[:16]}",
            "removed": ", ".join(each.folder.name for each in gone) or "none",
        },
        check_results=[dg.AssetCheckResult(check_name=PROVEN, passed=passed, description=words)],
    )


backup_job = dg.define_asset_job(
    "backup_job",
    selection=dg.AssetSelection.assets(backup),
    description="Make a backup, restore it into a scratch server, compare everything; remove those over 30 days old.",
)
