"""Making a backup: one moment of the database and the files it points at, there wholly or not at all."""

import datetime as dt
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from trading_ops.backup import files, fingerprint, keeping, manifest, tools
from trading_ops.backup.encryption import Encryption
from trading_ops.backup.fingerprint import Fingerprint
from trading_ops.backup.manifest import DATABASE, FILES, MANIFEST, ROLES, SEAL, Manifest
from trading_ops.domain.errors import Refused
from trading_ops.settings import Settings, shipped
from trading_ops.store import backups, desk, migrate, provenance, roles
from trading_ops.store.locks import FileLock
from trading_ops.store.schema_contract import schema_hash
from trading_ops.store.secret_files import sync_folder

UNFINISHED = ".unfinished-"
SPACE_FACTOR = 2
"""Free space that a new set needs, as a multiple of the newest one."""


@contextmanager
def one_at_a_time(settings: Settings) -> Iterator[None]:
    """Keep every other making, proving and clearing of this home's backups out.

    Raises:
        Refused: One is under way.
    """
    settings.backups_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with FileLock(settings.backups_dir / ".lock") as lock:
        if not lock.try_exclusive():
            raise Refused("Another backup command is at work in this home. Try again when it is through.")
        yield


def create(
    conn: psycopg.Connection[Any], settings: Settings, now: dt.datetime, encryption: Encryption | None = None
) -> Manifest:
    """Make a backup of a home; the caller holds `one_at_a_time`.

    Args:
        conn: A writer's connection in autocommit, for the note that it was made.
        settings: The home; its server runs.
        now: The moment, aware UTC.
        encryption: How its files are encrypted; plain when None.

    Returns:
        The manifest of the set, which lies in `backups/<its id>`. It counts only once it is proven.

    Raises:
        Refused: The home has no book, or too little space is left.
        ServerFailed: pg_dump failed; nothing is left of the attempt.
    """
    book = desk.book(conn)
    clear_unfinished(settings)
    _require_space(settings)
    folder = settings.backups_dir / f"{UNFINISHED}{os.getpid()}"
    folder.mkdir(mode=0o700)
    try:
        made = _write(settings, folder, book, now, encryption)
        target = settings.backups_dir / made.backup_id
        if target.exists():
            raise Refused(f"Backup {made.backup_id} was made this very second. Try again in a moment.")
        folder.rename(target)
        sync_folder(settings.backups_dir)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    with conn.transaction():
        backups.record_made(conn, made.backup_id, made.made_at, made.sha256, keeping.size_of(target))
    return made


def clear_unfinished(settings: Settings) -> None:
    """Remove what killed attempts left; nobody is at work on it while the lock is held."""
    for folder in settings.backups_dir.glob(f"{UNFINISHED}*"):
        shutil.rmtree(folder, ignore_errors=True)


def _write(settings: Settings, folder: Path, book: str, now: dt.datetime, encryption: Encryption | None) -> Manifest:
    seen, major = _dump(settings, folder / DATABASE)
    # After the database: whatever it points at is a file by then, and files are never changed.
    kept = files.pack(settings, folder / FILES)
    shutil.copyfile(shipped("db", "roles.sql"), folder / ROLES)
    made_at = now.astimezone(dt.UTC).replace(microsecond=0)
    backup_id = f"{made_at:%Y%m%dT%H%M%SZ}-{seen.audit_hash[:8]}"
    encrypted = encryption.encrypt(folder, (DATABASE, FILES, ROLES)) if encryption else None
    hashes = {path.name: manifest.file_sha256(path) for path in folder.iterdir()}
    made = Manifest(
        backup_id, made_at, book, migrate.current(settings) or "", schema_hash(settings), major,
        provenance.code_state().commit, seen, hashes, kept, encrypted,
    )  # fmt: skip
    folder.joinpath(MANIFEST).write_bytes(made.text())
    folder.joinpath(SEAL).write_text(f"{made.sha256}\n")
    for path in folder.iterdir():
        path.chmod(0o600)
        with path.open("rb") as handle:
            os.fsync(handle.fileno())
    sync_folder(folder)
    return made


def _dump(settings: Settings, target: Path) -> tuple[Fingerprint, int]:
    """Write the dump; returns what it holds, and the server's major version."""
    with fingerprint.one_moment(settings) as conn:
        row = conn.execute("SELECT pg_export_snapshot() AS name").fetchone()
        assert row is not None
        seen = fingerprint.take(conn)
        # pg_dump looks at the very moment that was hashed.
        tools.run(
            "pg_dump",
            roles.dsn_for(settings, "backup"),
            [
                "--format=custom",
                f"--snapshot={row['name']}",
                *(f"--schema={schema}" for schema in fingerprint.SCHEMAS),
                f"--file={target}",
            ],
        )
        return seen, conn.info.server_version // 10_000


def _require_space(settings: Settings) -> None:
    sets = keeping.every(settings.backups_dir)
    if not sets:
        return
    needed = SPACE_FACTOR * sets[-1].size
    free = shutil.disk_usage(settings.backups_dir).free
    if free < needed:
        raise Refused(
            f"{settings.backups_dir} has {free // 1_000_000} MB left, and a backup needs {needed // 1_000_000} MB. "
            "Make room on the disk, then run `trading-ops backup create` again."
        )
