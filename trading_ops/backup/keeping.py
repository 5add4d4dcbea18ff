"""Which backups there are, and which may go."""

import datetime as dt
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from trading_ops.backup import manifest
from trading_ops.backup.errors import BackupDamaged
from trading_ops.backup.manifest import BACKUP_ID, Manifest
from trading_ops.domain.errors import Refused

KEEP = dt.timedelta(days=30)
"""How long a backup is kept."""


@dataclass(frozen=True)
class Kept:
    """A set on disk.

    Attributes:
        folder: Where it lies.
        manifest: None when it cannot be read; `fault` says why.
        size: Bytes of all its files.
        fault: Empty when the manifest can be read; the files were not looked at.
    """

    folder: Path
    manifest: Manifest | None
    size: int
    fault: str


def every(folder: Path) -> tuple[Kept, ...]:
    """Every set in a folder, oldest first."""
    if not folder.is_dir():
        return ()
    return tuple(_kept(path) for path in sorted(folder.iterdir()) if BACKUP_ID.fullmatch(path.name) and path.is_dir())


def find(folder: Path, name: str | None) -> Path:
    """The set of an id, the newest without one, or the set at a path.

    Raises:
        Refused: There is none.
    """
    if name is None:
        sets = every(folder)
        if not sets:
            raise Refused(f"There is no backup in {folder}. `trading-ops backup create` makes one.")
        return sets[-1].folder
    if BACKUP_ID.fullmatch(name) and (folder / name).is_dir():
        return folder / name
    if Path(name).is_dir():
        return Path(name).resolve()
    raise Refused(f"There is no backup {name} in {folder}. `trading-ops backup list` shows those there are.")


def outdated(sets: Collection[Kept], proven: Collection[str], now: dt.datetime) -> tuple[Kept, ...]:
    """Sets older than `KEEP`; never the newest that was proven, nor the newest of all.

    Args:
        sets: What is there, oldest first.
        proven: Ids of proven backups.
        now: The moment, aware UTC.
    """
    readable = [(s.manifest.made_at, s.folder.name) for s in sets if s.manifest is not None]
    kept = {name for _, name in sorted(readable)[-1:]}
    kept |= {name for _, name in [each for each in sorted(readable) if each[1] in proven][-1:]}
    return tuple(
        s for s in sets
        if s.manifest is not None and now - s.manifest.made_at > KEEP and s.folder.name not in kept
    )  # fmt: skip


def clear(folder: Path, proven: Collection[str], now: dt.datetime) -> tuple[Kept, ...]:
    """Remove the outdated sets of a folder, and return them.

    One that is half removed has no manifest any more, and is no backup.
    """
    gone = outdated(every(folder), proven, now)
    for each in gone:
        each.folder.joinpath(manifest.MANIFEST).unlink(missing_ok=True)
        shutil.rmtree(each.folder, ignore_errors=True)
    return gone


def size_of(folder: Path) -> int:
    """Bytes of all files of a set."""
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())


def _kept(folder: Path) -> Kept:
    size = size_of(folder)
    try:
        return Kept(folder, manifest.glance(folder), size, "")
    except BackupDamaged as exc:
        return Kept(folder, None, size, str(exc))
