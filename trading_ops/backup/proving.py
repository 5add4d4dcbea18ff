"""Proving a backup: it is restored into a server of its own, and everything in it must come out equal."""

import datetime as dt
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from trading_ops.backup import encryption, files, fingerprint, manifest, tools
from trading_ops.backup.encryption import Keys
from trading_ops.backup.errors import BackupDamaged
from trading_ops.backup.manifest import DATABASE, FILES, Manifest
from trading_ops.settings import Settings
from trading_ops.store import audit, backups, endpoint, roles, snapshots
from trading_ops.store.binaries import binary_major
from trading_ops.store.connect import connect
from trading_ops.store.errors import ServerFailed
from trading_ops.store.schema_contract import schema_hash
from trading_ops.store.server import Server
from trading_ops.store.snapshot_parts import SnapshotDamaged

SCRATCH = "trading-ops-restore-"
DECRYPTED = "decrypted"
"""What an encrypted set holds, below the scratch home for as long as it is restored."""


def verify(folder: Path, scratch_root: Path | None = None, keys: Keys | None = None) -> Manifest:
    """Restore a set into a scratch server and compare; the scratch is gone afterwards.

    Args:
        folder: The set.
        scratch_root: Where the scratch home is made; the machine's temporary folder if left out.
        keys: Keys that open an encrypted set. What is proven are its encrypted files: they are what is decrypted.

    Raises:
        Refused: The set is encrypted, and the keys do not open it.
        BackupDamaged: A file is not what was written, it cannot be restored, or something came out otherwise.
    """
    found = manifest.read(folder)
    encryption.require_keys(found, keys)
    with _scratch(scratch_root) as settings, Server(settings).use(create=True):
        fill(settings, folder, found, keys)
    return found


def prove(
    conn: psycopg.Connection[Any], folder: Path, clock: Callable[[], dt.datetime], keys: Keys | None = None
) -> None:
    """Restore a set of this home, compare, and note the proof in the home's own books.

    Args:
        conn: A writer's connection in autocommit.
        folder: The set.
        clock: Now, aware UTC; read when everything came out equal.
        keys: What opens an encrypted set.

    Raises:
        BackupDamaged: See `verify`; nothing is noted then.
    """
    found = verify(folder, keys=keys)
    record(conn, found, clock())


def fill(settings: Settings, folder: Path, found: Manifest, keys: Keys | None = None) -> None:
    """Restore a set into a home that holds nothing yet, and compare everything; its server runs.

    Raises:
        Refused: The set is encrypted, and the keys do not open it.
        BackupDamaged: It cannot be restored, or something came out otherwise.
    """
    if found.postgres > binary_major() and settings.database_url is None:
        raise BackupDamaged(
            f"Backup {found.backup_id} was made by PostgreSQL {found.postgres}, and this installation brings "
            f"{binary_major()}. Restore it with the version that made it."
        )
    settings.make_folders()
    roles.create(settings)
    with encryption.readable(folder, found, keys, settings.home / DECRYPTED) as plain:
        _restore(settings, plain, found)
        unpacked = files.unpack(plain / FILES, settings.home)
    wrong = list(_wrong(settings, found, unpacked))
    if wrong:
        raise BackupDamaged(
            f"Backup {found.backup_id} came out otherwise: {'; '.join(wrong)}. Use another backup, and find out why."
        )


def _restore(settings: Settings, plain: Path, found: Manifest) -> None:
    try:
        tools.run(
            "pg_restore",
            endpoint.admin_url(settings, settings.database),
            ["--exit-on-error", "--single-transaction", "--clean", "--if-exists", str(plain / DATABASE)],
        )
    except ServerFailed as exc:
        raise BackupDamaged(f"Backup {found.backup_id} cannot be restored: {exc}. Use another backup.") from exc
    roles.open_database(settings)


def record(conn: psycopg.Connection[Any], found: Manifest, proven_at: dt.datetime, keys: Keys | None = None) -> bool:
    """Note the proof in the home's own books; False when this home did not make the backup.

    Args:
        conn: A writer's connection in autocommit.
        found: The set that came out equal.
        proven_at: When, aware UTC.
        keys: A person's keys that opened it, when it was encrypted; that they did is noted too.
    """
    opened_with = found.encrypted.recipient if found.encrypted and keys else ""
    with conn.transaction():
        return backups.record_proof(conn, found.backup_id, found.sha256, proven_at, opened_with)


def _wrong(settings: Settings, found: Manifest, unpacked: int) -> Iterator[str]:
    with fingerprint.one_moment(settings) as conn:
        yield from fingerprint.differences(found.database, fingerprint.take(conn))
    if found.postgres == binary_major() and schema_hash(settings) != found.schema_sha256:
        yield "the schema differs"
    if unpacked != found.kept:
        yield f"{unpacked} files came out, {found.kept} went in"
    with connect(settings, "app_writer") as conn:
        yield from (f"audit row {seq}: {fault}" for seq, fault in audit.broken(conn))
        newest = conn.execute("SELECT snapshot_id FROM ops.data_snapshots ORDER BY asof DESC LIMIT 1").fetchone()
        if newest:
            try:
                snapshots.check_files(settings.snapshots_dir, snapshots.get(conn, newest["snapshot_id"]))
            except SnapshotDamaged as exc:
                yield str(exc)


@contextmanager
def _scratch(root: Path | None) -> Iterator[Settings]:
    home = Path(tempfile.mkdtemp(prefix=SCRATCH, dir=root))
    home.chmod(0o711)  # the database server may run under another account
    try:
        yield Settings(home)
    finally:
        shutil.rmtree(home, ignore_errors=True)
