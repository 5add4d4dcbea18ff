"""Restoring a backup into a home that has nothing: built beside it, compared, then put in place."""

import shutil
from pathlib import Path

from trading_ops.backup import encryption, manifest, proving
from trading_ops.backup.encryption import Keys
from trading_ops.backup.files import FOLDERS
from trading_ops.backup.manifest import Manifest
from trading_ops.domain.errors import Refused
from trading_ops.settings import Settings
from trading_ops.store import migrate
from trading_ops.store.secret_files import sync_folder
from trading_ops.store.server import Server

BESIDE = ".restoring"
COMPLETE = "complete"
"""Marks what was compared and has only to be moved: a restore that was killed then goes on from there."""


def restore(folder: Path, settings: Settings, keys: Keys | None = None) -> Manifest:
    """Restore a set into an empty home, and bring its schema up to this version.

    Args:
        folder: The set.
        settings: A home without database, snapshots and artifacts; it may hold `backups` and secrets of its own.
        keys: Keys that open an encrypted set.

    Raises:
        Refused: The home holds something already, its database is on another server, or the keys do not open the set.
        BackupDamaged: The set is not whole, or something came out otherwise; the home is as it was.
    """
    if settings.database_url is not None:
        raise Refused(
            "TRADING_OPS_DATABASE_URL names a server of its own, and a backup is restored into the embedded one. "
            "Unset it, restore, and move the database with pg_dump if you want it elsewhere."
        )
    found = manifest.read(folder)
    encryption.require_keys(found, keys)
    beside = settings.home / BESIDE
    if not beside.joinpath(COMPLETE).exists():
        _require_empty(settings)
        shutil.rmtree(beside, ignore_errors=True)
        settings.make_folders()
        scratch = Settings(beside, database=settings.database)
        scratch.make_folders()
        try:
            with Server(scratch).use(create=True):
                proving.fill(scratch, folder, found, keys)
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise
        beside.joinpath(COMPLETE).write_text(found.backup_id + "\n")
        sync_folder(beside)
    elif beside.joinpath(COMPLETE).read_text().strip() != found.backup_id:
        raise Refused(
            f"A restore of {beside.joinpath(COMPLETE).read_text().strip()} was cut off when it was nearly through. "
            f"Restore that one to finish it, or remove {beside} first."
        )
    _move(beside, settings)
    with Server(settings).use():
        migrate.upgrade(settings)
    return found


def _require_empty(settings: Settings) -> None:
    taken = [settings.postgres_dir] if settings.postgres_dir.exists() else []
    taken += [settings.home / name for name in FOLDERS if any(_files(settings.home / name))]
    if taken:
        raise Refused(
            f"{taken[0]} holds something already, and a restore never writes over a home. Move it away, or name an "
            "empty home with TRADING_OPS_HOME."
        )


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []


def _move(beside: Path, settings: Settings) -> None:
    """Put everything in place, the database last: without it the home is none, and the restore goes on."""
    for path in sorted(beside.rglob("*")):
        inside = path.relative_to(beside)
        if path.is_file() and inside.parts[0] in (*FOLDERS, "secrets"):
            target = settings.home / inside
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
    if (beside / "postgres").exists():
        (beside / "postgres").rename(settings.postgres_dir)
    sync_folder(settings.home)
    shutil.rmtree(beside)
