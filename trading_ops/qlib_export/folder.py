"""A dataset's folder: written apart, brought to the disk at once, put in place whole, never changed after.

Belongs here: files, links and syncing. Does not belong here: what is in them.
"""

import contextlib
import ctypes
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from trading_ops.qlib_export.adjusting import FIELDS
from trading_ops.qlib_export.manifest import NAME, file_name
from trading_ops.qlib_export.names import folder_name

Numbers = npt.NDArray[np.float32]
READ_ONLY = 0o444
_UNFINISHED = ".unfinished-"
_LEFT_BEHIND = 3600
"""Seconds after which an unfinished folder belongs to an export that was killed."""


@contextmanager
def new_folder(root: Path) -> Iterator[Path]:
    """A folder beside the finished ones for one that is being made; gone afterwards unless it was put in place."""
    root.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=root))
    folder.chmod(0o755)
    now = folder.stat().st_mtime
    for other in root.glob(f"{_UNFINISHED}*"):
        with contextlib.suppress(FileNotFoundError):
            if other.stat().st_mtime < now - _LEFT_BEHIND:
                shutil.rmtree(other, ignore_errors=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def finished(root: Path) -> list[Path]:
    """The finished datasets, the last one made first."""
    folders = [path.parent for path in root.glob(f"[!.]*/{NAME}")]
    return sorted(folders, key=lambda folder: folder.stat().st_mtime_ns, reverse=True)


def write(path: Path | str, content: Any) -> None:
    """Write a file that nobody changes any more."""
    file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, READ_ONLY)
    try:
        view = memoryview(content).cast("B")
        while view:
            view = view[os.write(file, view) :]
    finally:
        os.close(file)


def write_texts(folder: Path, texts: Mapping[str, bytes]) -> None:
    """Write text files by their paths below the folder."""
    for path, text in texts.items():
        (folder / path).parent.mkdir(exist_ok=True)
        write(folder / path, text)


def write_name(
    folder: Path, symbol: str, numbers: Numbers, previous: Path | None, known: Mapping[str, str]
) -> tuple[dict[str, str], bool]:
    """Write a name's files, or link those of an earlier dataset when they are the same.

    Args:
        folder: The dataset, with a folder `features`.
        symbol: The name.
        numbers: A row for each of FIELDS.
        previous: An earlier dataset.
        known: The hashes of the name's files in the earlier dataset.

    Returns:
        Hashes of its files by field, and whether all were linked.
    """
    files = {field: hashlib.sha256(row).hexdigest() for field, row in zip(FIELDS, numbers, strict=True)}
    os.mkdir(f"{folder}/features/{folder_name(symbol)}")
    linked = previous is not None and files == known
    for field, row in zip(FIELDS, numbers, strict=True):
        path = file_name(symbol, field)
        if not (linked and _link(f"{previous}/{path}", f"{folder}/{path}", row)):
            linked = False
            write(f"{folder}/{path}", row)
    return files, linked


def _link(old: str, new: str, row: Numbers) -> bool:
    """Link a file that still holds what its manifest says; anything in the way means it is written."""
    with contextlib.suppress(OSError):
        with open(old, "rb") as file:
            if file.read() != row.tobytes():
                return False
        os.link(old, new)
        return True
    return False


def put_in_place(folder: Path, final: Path) -> bool:
    """Bring a folder to the disk and give it its name; False when somebody else's is there already."""
    file = os.open(folder, os.O_RDONLY)
    try:
        _sync_file_system(file)
        try:
            folder.rename(final)
        except OSError:
            if final.is_dir():
                return False
            raise
    finally:
        os.close(file)
    parent = os.open(final.parent, os.O_RDONLY)
    try:
        os.fsync(parent)
    finally:
        os.close(parent)
    return True


def _sync_file_system(file: int) -> None:
    """One wait for a thousand files instead of one each."""
    syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if syncfs is None:
        os.sync()
    elif syncfs(file):
        raise OSError(ctypes.get_errno(), "the dataset could not be brought to the disk")
