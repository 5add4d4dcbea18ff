"""Files that hold passwords: made 0600, refused when others can read them."""

import os
import secrets
import stat
from pathlib import Path

from trading_ops.store.errors import SecretsTooOpen


def new_password() -> str:
    """A random password that needs no quoting in a URL or a connection string."""
    return secrets.token_urlsafe(24)


def read_secret(path: Path) -> str:
    """The text of a secrets file.

    Raises:
        FileNotFoundError: There is none.
        SecretsTooOpen: Somebody other than its owner may read or write it, or we may not.
    """
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise SecretsTooOpen(f"{path} is open to others (mode {mode:04o}). Run `chmod 600 {path}`.")
    try:
        return path.read_text(encoding="utf-8")
    except PermissionError as exc:
        raise SecretsTooOpen(f"{path} belongs to another account. Run as the account that made this home.") from exc


def write_secret(path: Path, text: str) -> None:
    """Write a secrets file so that it is there wholly or not at all, and never readable by others."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.unlink(missing_ok=True)
    fd = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    unfinished.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename in a folder survive a power cut."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
