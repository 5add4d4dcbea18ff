"""What a finished dataset says of itself, and whether its files still are what it says.

Belongs here: the manifest's content and its check. Does not belong here: writing the files it names (`folder`).
"""

import hashlib
import json
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trading_ops.domain.canonical import canonical_bytes, sha256_hex
from trading_ops.domain.errors import Refused
from trading_ops.qlib_export.adjusting import FIELDS
from trading_ops.qlib_export.names import folder_name

FORMAT = 1
"""Another one whenever the same snapshot would give other bytes."""
NAME = "manifest.json"
SEAL = "manifest.sha256"
"""The manifest's own hash, as `sha256sum -c` reads it."""


class DatasetDamaged(Refused):
    """A dataset is not what its manifest says."""

    def __init__(self, folder: Path, problem: str) -> None:
        super().__init__(f"Qlib dataset {folder}: {problem} Remove this folder and export the snapshot again.")


@dataclass(frozen=True)
class Name:
    """One exported name.

    Attributes:
        first: Its first session, ISO.
        last: Its last session, ISO.
        rows: Its valid bars.
        bytes: The size of its files together.
        derived: Its adjusted closes were worked out from closes and actions, not taken from their source.
        files: The sha256 of each field's file.
        linked: Its files are those of an earlier dataset; the manifest does not say so.
    """

    first: str
    last: str
    rows: int
    bytes: int
    derived: bool
    files: Mapping[str, str]
    linked: bool = False

    def facts(self) -> dict[str, object]:
        """What the manifest says of it; `sha256` is over the hashes of its files, in the order of FIELDS."""
        digests = b"".join(bytes.fromhex(self.files[field]) for field in FIELDS)
        return {
            "first": self.first,
            "last": self.last,
            "rows": self.rows,
            "adjustment": "derived" if self.derived else "delivered",
            "files": dict(self.files),
            "sha256": sha256_hex(digests),
        }


def render(
    head: Mapping[str, object],
    calendar: tuple[str, ...],
    texts: Mapping[str, bytes],
    names: Mapping[str, Name],
    not_valid: int,
) -> bytes:
    """The manifest's bytes; their sha256 is the dataset's hash.

    Args:
        head: What was exported, and how: format, snapshot, as-of session, choices.
        calendar: The sessions, ISO.
        texts: The dataset's text files by path.
        names: The exported names.
        not_valid: Bars of these names that are not valid, and so are not in the dataset.
    """
    totals = {
        "symbols": len(names),
        "rows": sum(name.rows for name in names.values()),
        "bars_not_valid": not_valid,
        "bytes": sum(name.bytes for name in names.values()) + sum(map(len, texts.values())),
    }
    return canonical_bytes(
        {
            **head,
            "calendar": {"first": calendar[0], "last": calendar[-1], "sessions": len(calendar)},
            "fields": list(FIELDS),
            "files": {path: sha256_hex(text) for path, text in texts.items()},
            "symbols": {symbol: name.facts() for symbol, name in names.items()},
            "totals": totals,
        }
    )


def read(folder: Path) -> tuple[dict[str, Any], str]:
    """A dataset's manifest and its hash; only the manifest itself is checked.

    Raises:
        DatasetDamaged: It is missing, or not what was sealed.
    """
    try:
        text, seal = (folder / NAME).read_bytes(), (folder / SEAL).read_bytes()
    except FileNotFoundError as exc:
        raise DatasetDamaged(folder, f"{Path(exc.filename).name} is missing.") from exc
    digest = sha256_hex(text)
    if seal != seal_of(digest):
        raise DatasetDamaged(folder, f"{NAME} is not the one that was sealed (sha256 differs from {SEAL}).")
    facts: dict[str, Any] = json.loads(text)
    return facts, digest


def seal_of(digest: str) -> bytes:
    """The text of the manifest's hash."""
    return f"{digest}  {NAME}\n".encode()


def verify(folder: Path, dataset_sha256: str | None = None) -> str:
    """Every file of a dataset is there, unaltered, and there is no other.

    Args:
        folder: The dataset.
        dataset_sha256: The hash it is known by elsewhere; without it the manifest is taken at its own word.

    Returns:
        The dataset's hash.

    Raises:
        DatasetDamaged: Names the first file, by path, that is missing, altered or foreign.
    """
    facts, digest = read(folder)
    if dataset_sha256 not in (None, digest):
        raise DatasetDamaged(folder, f"{NAME} is of another dataset (sha256 {digest[:12]}, not {dataset_sha256[:12]}).")
    known = dict(facts["files"])
    for symbol, name in facts["symbols"].items():
        for field, expected in name["files"].items():
            known[file_name(symbol, field)] = expected
    there = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if not path.is_dir()}
    for path in sorted({*known, *there} - {NAME, SEAL}):
        if path not in there:
            raise DatasetDamaged(folder, f"{path} is missing.")
        if path not in known:
            raise DatasetDamaged(folder, f"{path} is no part of it.")
        if not stat.S_ISREG(there[path].lstat().st_mode) or _sha256(there[path]) != known[path]:
            raise DatasetDamaged(folder, f"{path} was altered (sha256 differs).")
    return digest


def file_name(symbol: str, field: str) -> str:
    """Where the numbers of a name's field lie in a dataset."""
    return f"features/{folder_name(symbol)}/{field}.day.bin"


def lines(rows: Iterable[str]) -> bytes:
    """Text of one line a row."""
    return "".join(f"{row}\n" for row in rows).encode()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
