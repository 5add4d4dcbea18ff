"""The last matrix on disk, so that the next export reads only the months that changed.

Disposable: one that is missing, damaged or of another version is as good as none, and nothing else depends on it.
"""

import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from trading_ops.qlib_export.matrix import Matrix
from trading_ops.qlib_export.months import RAW

VERSION = 1
"""Another one whenever the same parts would give another matrix, or the same matrix other bytes."""

_Array = npt.NDArray[Any]


def save(path: Path, matrix: Matrix) -> None:
    """Replace the kept matrix; the first line is the hash of the second, which holds the hashes of all that follows.

    Raises:
        OSError: The disk does not take it; the old one may still be there.
    """
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, matrix.actions.schema) as writer:
        writer.write_table(matrix.actions)
    actions = np.frombuffer(sink.getvalue(), np.uint8)
    arrays: dict[str, _Array] = {"days": matrix.days, "basis": matrix.basis, "actions": actions}
    arrays |= dict(zip(RAW, matrix.values, strict=True))
    header = {
        "version": VERSION, "symbols": matrix.symbols, "bases": matrix.bases, "months": matrix.months,
        "arrays": [[name, a.dtype.str, a.shape, hashlib.sha256(a.data).hexdigest()] for name, a in arrays.items()],
    }  # fmt: skip
    text = json.dumps(header).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{secrets.token_hex(6)}.tmp")
    try:
        with temporary.open("wb", buffering=0) as file:
            file.write(hashlib.sha256(text).hexdigest().encode() + b"\n" + text + b"\n")
            for array in arrays.values():
                file.write(array.data)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def load(path: Path, pool: Executor) -> Matrix | None:
    """The kept matrix, or None when there is none that can be trusted."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, pa.ArrowException), path.open("rb") as file:
        digest, text = file.readline().strip(), file.readline().removesuffix(b"\n")
        header = json.loads(text)
        if hashlib.sha256(text).hexdigest().encode() != digest or header["version"] != VERSION:
            return None
        arrays = _arrays(file.fileno(), file.tell(), header["arrays"], pool)
        return None if arrays is None else _matrix(header, arrays)
    return None


def _arrays(file: int, offset: int, wanted: list[Any], pool: Executor) -> dict[str, _Array] | None:
    """Read and check arrays that follow each other; numbers of one kind lie in one piece of memory."""
    values = np.empty((len(RAW), *next(shape for name, _, shape, _ in wanted if name == RAW[0])))
    arrays: dict[str, _Array] = {"values": values}
    reading = []
    for name, dtype, shape, digest in wanted:
        array = values[RAW.index(name)] if name in RAW else arrays.setdefault(name, np.empty(shape, dtype))
        reading.append(pool.submit(_read, file, offset, array, digest))
        offset += array.nbytes
    whole = [done.result() for done in reading]  # all of them, before the file is closed
    return arrays if all(whole) else None


def _read(file: int, offset: int, array: _Array, digest: str) -> bool:
    view = array.data.cast("B") if array.size else memoryview(b"")
    done = 0
    while done < len(view) and (count := os.preadv(file, [view[done:]], offset + done)):
        done += count
    # A file that ends early leaves what the memory held before, which may well be the very numbers that are missing.
    return done == len(view) and hashlib.sha256(view).hexdigest() == digest


def _matrix(header: Mapping[str, Any], arrays: Mapping[str, _Array]) -> Matrix:
    return Matrix(
        days=arrays["days"],
        symbols=tuple(header["symbols"]),
        bases=tuple((source, adjusted) for source, adjusted in header["bases"]),
        values=arrays["values"],
        basis=arrays["basis"],
        months={part_id: (first, end) for part_id, (first, end) in header["months"].items()},
        actions=pa.ipc.open_file(pa.py_buffer(arrays["actions"])).read_all(),
    )
