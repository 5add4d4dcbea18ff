"""A backup set on disk: its folder, its manifest, and whether the files are the ones that were written.

A set is a folder `<id>` with `database.dump`, `files.tar`, `roles.sql`, `manifest.json` and the manifest's sha256. In
an encrypted one the first three end in `.age`, and the manifest has the hashes of both, plain and cipher.
"""

import datetime as dt
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from trading_ops.backup import fingerprint
from trading_ops.backup.errors import BackupDamaged
from trading_ops.backup.fingerprint import Fingerprint
from trading_ops.domain.canonical import canonical_bytes, sha256_hex

LAYOUT, ENCRYPTED_LAYOUT = 1, 2
DATABASE, FILES, ROLES = "database.dump", "files.tar", "roles.sql"
MANIFEST, SEAL = "manifest.json", "manifest.json.sha256"
SUFFIX = ".age"
BACKUP_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}")
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Encrypted:
    """How a set was encrypted.

    Attributes:
        recipient: Public key of age that was asked for; its private key opens the set.
        moment: Public key of the moment, whose private key proved the set and was never written anywhere.
        plain: sha256 of every file before it was encrypted, by its name without `.age`.
    """

    recipient: str
    moment: str
    plain: Mapping[str, str]


@dataclass(frozen=True)
class Manifest:
    """What a set holds.

    Attributes:
        backup_id: `20180205T053000Z-` and the beginning of the audit head's hash.
        made_at: The moment of the database that it holds, aware UTC.
        book: The home's book.
        revision: The schema's revision.
        schema_sha256: Hash of the normalised schema.
        postgres: Major version of the server it came from.
        commit: The code that made it.
        database: What the database holds.
        files: sha256 of every file of the set but manifest and seal, by name.
        kept: How many files `files.tar` holds.
        encrypted: How the files were encrypted; None in a plain set.
    """

    backup_id: str
    made_at: dt.datetime
    book: str
    revision: str
    schema_sha256: str
    postgres: int
    commit: str
    database: Fingerprint
    files: Mapping[str, str]
    kept: int
    encrypted: Encrypted | None = None

    def text(self) -> bytes:
        """The manifest as it is written: canonical JSON."""
        return canonical_bytes(
            {
                "layout": LAYOUT if self.encrypted is None else ENCRYPTED_LAYOUT,
                "backup_id": self.backup_id,
                "made_at": self.made_at.isoformat(),
                "book": self.book,
                "revision": self.revision,
                "schema_sha256": self.schema_sha256,
                "postgres": self.postgres,
                "commit": self.commit,
                "database": self.database.facts(),
                "files": dict(self.files),
                "kept": self.kept,
                **({} if self.encrypted is None else {"encrypted": asdict(self.encrypted)}),
            }
        )

    @property
    def sha256(self) -> str:
        """Stands for the whole set: it names the hash of every file."""
        return sha256_hex(self.text())


def file_sha256(path: Path) -> str:
    """sha256 of a file's content."""
    digest = hashlib.sha256()
    with path.open("rb") as source:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def read(folder: Path) -> Manifest:
    """The manifest of a set whose every file is whole.

    Raises:
        BackupDamaged: A file is missing, altered, or not part of this set; nothing of it may be restored.
    """
    name = folder.name
    try:
        text = folder.joinpath(MANIFEST).read_bytes()
        seal = folder.joinpath(SEAL).read_bytes()
    except OSError as exc:
        raise BackupDamaged(f"{folder} is no whole backup: {exc.filename or exc} cannot be read. Use another.") from exc
    if seal != f"{sha256_hex(text)}\n".encode():
        raise BackupDamaged(f"Backup {name}: {MANIFEST} is not what was written. Use another backup.")
    found = _parsed(text, name)
    if found.backup_id != name:
        raise BackupDamaged(f"Backup {name}: its manifest is that of {found.backup_id}. Use another backup.")
    there = {path.name for path in folder.iterdir()} - {MANIFEST, SEAL}
    for file in sorted(there | found.files.keys()):
        if file not in there:
            raise BackupDamaged(f"Backup {name}: {file} is missing. Use another backup.")
        if file not in found.files:
            raise BackupDamaged(f"Backup {name}: {file} does not belong to it. Take it out, or use another backup.")
        if file_sha256(folder / file) != found.files[file]:
            raise BackupDamaged(f"Backup {name}: {file} is not what was written. Use another backup.")
    return found


def glance(folder: Path) -> Manifest:
    """The manifest alone, its files not looked at: for lists.

    Raises:
        BackupDamaged: It cannot be read.
    """
    try:
        return _parsed(folder.joinpath(MANIFEST).read_bytes(), folder.name)
    except OSError as exc:
        raise BackupDamaged(f"{folder} has no manifest that can be read. Use another backup.") from exc


def _parsed(text: bytes, name: str) -> Manifest:
    try:
        said: dict[str, Any] = json.loads(text)
        if said["layout"] not in (LAYOUT, ENCRYPTED_LAYOUT):
            raise BackupDamaged(
                f"Backup {name} has layout {said['layout']}, and this version reads {LAYOUT} and {ENCRYPTED_LAYOUT}. "
                "Restore it with the version that made it."
            )
        encrypted = Encrypted(**said["encrypted"]) if said["layout"] == ENCRYPTED_LAYOUT else None
        return Manifest(
            said["backup_id"], dt.datetime.fromisoformat(said["made_at"]), said["book"], said["revision"],
            said["schema_sha256"], said["postgres"], said["commit"], fingerprint.of_facts(said["database"]),
            said["files"], said["kept"], encrypted,
        )  # fmt: skip
    except (ValueError, KeyError, TypeError) as exc:
        raise BackupDamaged(f"Backup {name}: {MANIFEST} cannot be read ({exc!r}). Use another backup.") from exc
