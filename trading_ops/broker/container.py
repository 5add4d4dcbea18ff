"""The file around the sheets: is it a workbook at all, whole, and of a size that is safe to read?

Belongs here: what is decided from the bytes, before any cell is looked at.
Does not belong here: sheets and rows (`workbook`).
"""

import io
import itertools
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import NoReturn

from trading_ops.broker.places import DOWNLOAD_AGAIN
from trading_ops.domain.errors import BadInput

MAX_FILE_BYTES = 20 * 1024 * 1024
MAX_UNPACKED_BYTES = 50 * 1024 * 1024
MAX_PARTS = 500

_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_PASSWORD = "EncryptedPackage".encode("utf-16-le")
_WORKBOOK = ("[Content_Types].xml", "xl/workbook.xml")
_DECLARATION = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_ROW_NUMBER = re.compile(rb"<(?:\w+:)?row\b[^>]*?\sr=[\"'](\d{1,9})[\"']")
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError, NotImplementedError)


def check_container(data: bytes, name: str) -> None:
    """Accept only a whole, unencrypted XLSX of a sane size.

    Every part is unpacked once, so a damaged byte is found by its checksum and not by a wrong number.

    Args:
        data: The file.
        name: Its name, for the refusal.

    Raises:
        BadInput: Anything else, by what it looks like, with the way out.
    """
    if not data:
        _fail(name, f"the file is empty. {DOWNLOAD_AGAIN}")
    if len(data) > MAX_FILE_BYTES:
        _fail(name, f"{len(data)} bytes are more than {MAX_FILE_BYTES}. Download a statement of a shorter period.")
    if not data.startswith(b"PK\x03\x04"):
        _fail(name, _what_it_is(data))
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_size(archive, name)
            for part, content in _unpacked(archive):
                _check_part(part, content, name)
    except _UNREADABLE as fault:
        raise BadInput(f"{name}: the file is damaged ({fault}). {DOWNLOAD_AGAIN}") from fault


def _what_it_is(data: bytes) -> str:
    if data.startswith(_OLE):
        if _PASSWORD in data:
            return "the workbook is locked with a password. Save it without one, or download the statement again."
        return f"this is the old Excel format (.xls), whatever its name says. {DOWNLOAD_AGAIN}"
    if data.startswith(b"%PDF"):
        return f"this is the PDF statement. {DOWNLOAD_AGAIN}"
    head = data[:2000].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if head.startswith((b"<!doctype", b"<html", b"<?xml")):
        return f"this is a web page, not a workbook. {DOWNLOAD_AGAIN}"
    if b"\x00" not in head and (b"," in head or b";" in head or b"\t" in head):
        return f"this is text, such as a CSV file, not a workbook. {DOWNLOAD_AGAIN}"
    return f"this is no XLSX workbook: it does not begin as one. {DOWNLOAD_AGAIN}"


def _check_size(archive: zipfile.ZipFile, name: str) -> None:
    parts = archive.infolist()
    unpacked = sum(part.file_size for part in parts)
    if len(parts) > MAX_PARTS or unpacked > MAX_UNPACKED_BYTES:
        _fail(
            name,
            f"unpacked it would be {unpacked} bytes in {len(parts)} parts, over {MAX_UNPACKED_BYTES} bytes or "
            f"{MAX_PARTS} parts. Download a statement of a shorter period.",
        )
    if any(part.flag_bits & 0x1 for part in parts):
        _fail(name, "the workbook is locked with a password. Save it without one, or download the statement again.")
    names = [part.filename for part in parts]
    if len(set(names)) != len(names):
        _fail(name, f"a part is in the file twice. {DOWNLOAD_AGAIN}")
    if missing := [part for part in _WORKBOOK if part not in names]:
        _fail(name, f"this is a ZIP file but no XLSX workbook, {missing[0]} is not in it. {DOWNLOAD_AGAIN}")


def _unpacked(archive: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    # zipfile stops at the size that _check_size added up, so a part that lies about it cannot grow beyond.
    for part in archive.infolist():
        yield part.filename, archive.read(part)


def _check_part(part: str, content: bytes, name: str) -> None:
    if not part.endswith((".xml", ".rels")):
        return
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in content[:4] or _DECLARATION.search(content):
        _fail(name, f"{part} declares entities or an encoding that no statement has. {DOWNLOAD_AGAIN}")
    if part.startswith("xl/worksheets/"):
        numbers = [int(found) for found in _ROW_NUMBER.findall(content)]
        if any(after <= before for before, after in itertools.pairwise(numbers)):
            _fail(name, f"{part} has a row twice or out of order. {DOWNLOAD_AGAIN}")


def _fail(name: str, sentence: str) -> NoReturn:
    raise BadInput(f"{name}: {sentence}")
