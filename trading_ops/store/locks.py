"""File locks between processes. The operating system drops them with the process, however it ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType


class FileLock:
    """One holder of a lock file; two of them exclude each other even inside one process."""

    def __init__(self, path: Path) -> None:
        """Open, and create when missing, the lock file; nothing is locked yet."""
        self.path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def exclusive(self) -> None:
        """Wait until nobody else holds it."""
        fcntl.flock(self._fd, fcntl.LOCK_EX)

    def shared(self) -> None:
        """Wait until nobody holds it exclusively."""
        fcntl.flock(self._fd, fcntl.LOCK_SH)

    def try_exclusive(self) -> bool:
        """Take it if nobody holds it; a shared lock of our own is given up either way."""
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        """Release and forget it."""
        # Said aloud rather than left to close(): a forked child may still have the same open file.
        fcntl.flock(self._fd, fcntl.LOCK_UN)
        os.close(self._fd)

    def __enter__(self) -> "FileLock":
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold a lock file exclusively, waiting for it as long as another process needs."""
    with FileLock(path) as lock:
        lock.exclusive()
        yield
