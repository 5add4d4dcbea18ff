"""The stable name of a row, so that the same row in two overlapping statements is one fact.

Belongs here: what makes two rows the same. Does not belong here: remembering which rows were imported (`store`).
"""

import datetime as dt
import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from trading_ops.domain.values import plain


@dataclass
class Keys:
    """The keys of one sheet's rows. Rows that are equal in every respect are told apart by their count."""

    kind: str
    _seen: Counter[str] = field(default_factory=Counter)

    def key(self, values: Sequence[str | Decimal | dt.datetime | None]) -> str:
        """The key of a row: sha256 of the sheet, the values that every header version has, and the count.

        Values count by meaning: `4,581.9`, `4581.90` and the Excel number 4581.9 are one. Equal rows share a second and
        a balance, so a statement has all of them or none, and their counts agree whichever statement they come from.

        Args:
            values: The row's own values; never anything that depends on the file or on its header version.
        """
        content = json.dumps([self.kind, *(_text(value) for value in values)])
        self._seen[content] += 1
        return hashlib.sha256(f"{content}#{self._seen[content]}".encode()).hexdigest()


def _text(value: str | Decimal | dt.datetime | None) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return plain(value)
    return value.isoformat() if isinstance(value, dt.datetime) else value
