"""Encryption of a backup's files with age, when a home names a public key for it.

The machine holds no private key, and a proof must concern the bytes that are kept. So a set is encrypted to two keys:
the one that was asked for, and one of the moment, which lives in the memory of the making process only. With it the
kept files are decrypted and restored as the proof, and then it is gone.

Belongs here: keys, and files from plain to cipher and back. Does not belong here: what a set must hold (`manifest`) and
what makes it proven (`proving`).
"""

import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyrage
from pyrage import x25519

from trading_ops.backup import manifest
from trading_ops.backup.errors import BackupDamaged
from trading_ops.backup.manifest import SUFFIX, Encrypted, Manifest
from trading_ops.domain.errors import BadInput, ConfigError, Refused
from trading_ops.settings import Settings
from trading_ops.store import secrets_env

RECIPIENT = "BACKUP_AGE_RECIPIENT"
_PRIVATE = "AGE-SECRET-KEY-"
_LOCKED = "age-encryption.org/"


@dataclass(frozen=True)
class Keys:
    """Private keys that may open a set; where they come from is for people, they themselves are never shown."""

    where: str
    identities: tuple[x25519.Identity, ...] = field(repr=False)

    @property
    def public(self) -> frozenset[str]:
        """The public keys that belong to them, `age1…`."""
        return frozenset(str(identity.to_public()) for identity in self.identities)


@dataclass(frozen=True)
class Encryption:
    """How one set is encrypted.

    Attributes:
        recipient: The public key that was asked for, `age1…`.
        moment: The key of this moment, for the proof only.
    """

    recipient: str
    moment: Keys

    def encrypt(self, folder: Path, names: Collection[str]) -> Encrypted:
        """Replace files of a folder by their ciphers, whose names end in `.age`; returns what was encrypted.

        Raises:
            Refused: A cipher cannot be written, for example for want of room.
        """
        (own,) = self.moment.identities
        to = [x25519.Recipient.from_str(self.recipient), own.to_public()]
        plain = {name: manifest.file_sha256(folder / name) for name in names}
        for name in names:
            try:
                pyrage.encrypt_file(str(folder / name), str(folder / f"{name}{SUFFIX}"), to)
            except (pyrage.EncryptError, OSError) as exc:
                raise Refused(f"{name} cannot be encrypted: {exc}. Mend that, then make the backup again.") from exc
            folder.joinpath(name).unlink()
        return Encrypted(self.recipient, str(own.to_public()), plain)


def wanted(settings: Settings) -> Encryption | None:
    """What the home asks for; None where backups stay plain.

    Raises:
        ConfigError: The value is no public key of age; it is not shown.
    """
    recipient = secrets_env.read(settings, secrets_env.BACKUP).get(RECIPIENT)
    if recipient is None:
        return None
    where = f"{settings.secrets_dir / secrets_env.FILE}: {RECIPIENT}"
    if recipient.upper().startswith(_PRIVATE):
        raise ConfigError(
            f"{where} holds a private key. Put the public one there (age1…), and keep the private one off this machine."
        )
    try:
        x25519.Recipient.from_str(recipient)
    except pyrage.RecipientError as exc:
        raise ConfigError(
            f"{where} is no public key of age ({exc}). Copy the line age1… that age-keygen shows."
        ) from exc
    return Encryption(recipient, Keys("the key of the moment", (x25519.Identity.generate(),)))


def read_keys(path: Path) -> Keys:
    """The private keys of an identity file, as age-keygen writes it.

    Raises:
        BadInput: It cannot be read, or holds no key; nothing of it is shown.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        raise BadInput(f"--identity {path} cannot be read ({exc}). Name the file that age-keygen wrote.") from exc
    if lines and (lines[0].startswith((_LOCKED, "-----BEGIN AGE"))):
        raise BadInput(f"--identity {path} is encrypted itself. Decrypt it first: age --decrypt -o FILE {path}")
    found = []
    for number, line in enumerate(lines, start=1):
        if line.strip() and not line.startswith("#"):
            try:
                found.append(x25519.Identity.from_str(line.strip()))
            except pyrage.IdentityError as exc:
                raise BadInput(
                    f"--identity {path}, line {number}: is no private key of age ({exc}). "
                    "Name the file that age-keygen wrote, with a line AGE-SECRET-KEY-…"
                ) from exc
    if not found:
        raise BadInput(f"--identity {path} holds no key. Name the file that age-keygen wrote.")
    return Keys(str(path), tuple(found))


def require_keys(found: Manifest, keys: Keys | None) -> None:
    """Stop before anything is done with a set that these keys do not open.

    Raises:
        Refused: The set is encrypted, and no key or another one was given.
    """
    if found.encrypted is None:
        return
    sentence = f"Backup {found.backup_id} is encrypted to {found.encrypted.recipient}"
    if keys is None:
        raise Refused(f"{sentence}. Name the file that holds its private key: --identity FILE.")
    if not keys.public & {found.encrypted.recipient, found.encrypted.moment}:
        raise Refused(
            f"{sentence}, and {keys.where} holds the key of {', '.join(sorted(keys.public))}. Name the right file."
        )


@contextmanager
def readable(folder: Path, found: Manifest, keys: Keys | None, room: Path) -> Iterator[Path]:
    """A folder with the set's files as they were before encryption; the set's own folder when it is plain.

    Args:
        folder: The set; its files are the ones that the manifest names.
        found: Its manifest.
        keys: Keys that may open it.
        room: A folder to be made for what is decrypted; it is gone afterwards.

    Raises:
        Refused: The set is encrypted, and no key or another one was given; or there is no room.
        BackupDamaged: A file cannot be decrypted, or is not what was encrypted.
    """
    require_keys(found, keys)
    if keys is None or found.encrypted is None:
        yield folder
        return
    room.mkdir(mode=0o700)
    try:
        for name, digest in found.encrypted.plain.items():
            _decrypt(folder / f"{name}{SUFFIX}", room / name, keys, f"Backup {found.backup_id}: {name}{SUFFIX}")
            if manifest.file_sha256(room / name) != digest:
                raise BackupDamaged(f"Backup {found.backup_id}: {name} is not what was encrypted. Use another backup.")
        yield room
    finally:
        shutil.rmtree(room, ignore_errors=True)


def _decrypt(source: Path, target: Path, keys: Keys, what: str) -> None:
    try:
        pyrage.decrypt_file(str(source), str(target), list(keys.identities))
    except (pyrage.DecryptError, OSError) as exc:
        if "(os error" in str(exc):  # the machine's own trouble: a full disk, a file that went away
            raise Refused(f"{what} cannot be decrypted: {exc}. Mend that, then try again.") from exc
        raise BackupDamaged(f"{what} cannot be decrypted: {exc}. Use another backup.") from exc
