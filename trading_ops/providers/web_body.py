"""A body as it comes in: unpacked piece by piece, never larger than allowed, whole or named as what it is not."""

import zlib
from collections.abc import Mapping

from trading_ops.providers.protocol import RefusalKind

_GZIP = 16 + zlib.MAX_WBITS


class BodyTrouble(Exception):
    """A body that cannot be kept, with the kind and the sentence of its refusal."""

    def __init__(self, kind: RefusalKind, sentence: str) -> None:
        self.kind, self.sentence = kind, sentence
        super().__init__(sentence)


class Body:
    """Collects a body.

    Args:
        limit: Bytes, packed and unpacked: a small packed body can be a huge one.
        headers: The answer's, by small name.

    Raises:
        BodyTrouble: It says that it is too large, or is packed in a way that nobody asked for.
    """

    def __init__(self, limit: int, headers: Mapping[str, str]) -> None:
        self._limit = limit
        self._pieces: list[bytes] = []
        self._packed = self._size = 0
        packing = headers.get("content-encoding", "").strip().lower()
        if packing not in ("", "identity", "gzip", "x-gzip"):
            sentence = "the answer is packed in a way that was not asked for. Nothing was kept."
            raise BodyTrouble(RefusalKind.DAMAGED_FILE, sentence)
        self._unpacker = zlib.decompressobj(_GZIP) if "gzip" in packing else None
        said = headers.get("content-length", "")
        if said.isascii() and said.isdigit() and int(said) > limit:
            raise self._too_large()

    def add(self, piece: bytes) -> None:
        """The next bytes from the line.

        Raises:
            BodyTrouble: Too much, or not what it was said to be packed with.
        """
        self._packed += len(piece)
        if self._packed > self._limit:
            raise self._too_large()
        if self._unpacker is not None:
            try:
                piece = self._unpacker.decompress(piece, self._limit + 1 - self._size)
            except zlib.error:
                sentence = "the answer says that it is packed with gzip and is not, or is damaged. Nothing was kept."
                raise BodyTrouble(RefusalKind.DAMAGED_FILE, sentence) from None
        self._size += len(piece)
        if self._size > self._limit:
            raise self._too_large()
        self._pieces.append(piece)

    def whole(self) -> bytes:
        """All of it, after the last piece.

        Raises:
            BodyTrouble: The packed body has no end, or something after it.
        """
        if self._unpacker is not None and self._packed:
            if not self._unpacker.eof:
                raise BodyTrouble(RefusalKind.CUT_OFF, "the packed answer ends too early. Nothing was kept.")
            if self._unpacker.unused_data:
                raise BodyTrouble(RefusalKind.DAMAGED_FILE, "something follows the packed answer. Nothing was kept.")
        return b"".join(self._pieces)

    def _too_large(self) -> BodyTrouble:
        sentence = f"the answer is larger than {self._limit:,} bytes, so it is no answer to the question. Not read on."
        return BodyTrouble(RefusalKind.TOO_LARGE, sentence)
