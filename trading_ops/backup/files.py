"""The home's files in a backup: what the database points at and what people read, in one archive.

Secrets, logs, the database's own folder and what can be made again at once (Qlib's dataset) are not among them.
"""

import os
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

from trading_ops.backup.errors import BackupDamaged
from trading_ops.settings import Settings

FOLDERS = ("snapshots", "artifacts")


def pack(settings: Settings, target: Path) -> int:
    """Write the archive; returns how many files it holds. A file that is being written at this moment is left out."""
    count = 0
    with tarfile.open(target, "w") as archive:
        for path in _files(settings.home):
            archive.add(path, arcname=path.relative_to(settings.home).as_posix(), recursive=False, filter=_anonymous)
            count += 1
    return count


def unpack(source: Path, home: Path) -> int:
    """Write every file of an archive below a home; returns how many.

    Raises:
        BackupDamaged: The archive cannot be read, or would write outside of the home's folders.
    """
    count = 0
    try:
        with tarfile.open(source, "r:") as archive:
            for member in archive:
                target = _target(home, member)
                if target is None:
                    raise BackupDamaged(f"{source}: {member.name!r} does not belong into a backup. Use another backup.")
                _write(archive, member, target)
                count += 1
    except tarfile.TarError as exc:
        raise BackupDamaged(f"{source} cannot be unpacked: {exc}. Use another backup.") from exc
    return count


def _target(home: Path, member: tarfile.TarInfo) -> Path | None:
    """Where a member goes; None when that is no file below the home's folders, also by a link that lies there."""
    parts = member.name.split("/")
    if not member.isreg() or parts[0] not in FOLDERS or len(parts) < 2 or not {"", ".", ".."}.isdisjoint(parts):
        return None
    target = home.joinpath(*parts)
    return target if target.resolve().is_relative_to((home / parts[0]).resolve()) else None


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    # By hand: the filter of `extract` that refuses what is dangerous is missing from Debian's Python 3.11.
    body = archive.extractfile(member)
    assert body is not None
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as out:
        shutil.copyfileobj(body, out)
    target.chmod(member.mode & 0o755 | 0o600)
    os.utime(target, (member.mtime, member.mtime))


def _files(home: Path) -> Iterator[Path]:
    for folder in FOLDERS:
        for path in sorted((home / folder).rglob("*")):
            # Whoever writes a file here gives it a name with a dot before it until it is whole.
            if path.is_file() and not path.is_symlink() and not path.name.startswith("."):
                yield path


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member
