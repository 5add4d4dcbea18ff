"""Rows of words, as Markdown or as plain text.

Rows hold text as it is meant; Markdown gets its escapes here, so a name or a note can never become markup.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["title", "section", "strong", "text", "item"]

_MARKUP = re.compile(r"[\\`*\[\]<>~]|&(?=[#\w])|(?<!\w)_|_(?!\w)")
"""What CommonMark or Streamlit's Markdown could take for markup inside a row."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the ticket. `strong` is a paragraph in bold, `item` one bullet of a list."""

    kind: Kind
    words: str

    @property
    def clean(self) -> str:
        """The words on one line, without control characters."""
        return "".join(c for c in " ".join(self.words.split()) if c.isprintable())


def markdown(rows: Sequence[Row]) -> str:
    """Rows as CommonMark that reads well unrendered too."""
    marks = {"title": "# {}", "section": "## {}", "strong": "**{}**", "text": "{}", "item": "- {}"}
    return _join(rows, [marks[row.kind].format(_MARKUP.sub(r"\\\g<0>", row.clean)) for row in rows])


def text(rows: Sequence[Row]) -> str:
    """Rows as plain text for a mail; lines are not wrapped, a phone does that better."""
    marks = {"title": "{}", "section": "{}", "strong": "{}", "text": "{}", "item": "- {}"}
    return _join(rows, [marks[row.kind].format(row.clean) for row in rows])


def _join(rows: Sequence[Row], lines: Sequence[str]) -> str:
    """Lines with an empty one before each block; a list sits directly under its heading."""
    written: list[str] = []
    above: Kind | None = None
    for row, line in zip(rows, lines, strict=True):
        if above is not None and not (row.kind == "item" and above in ("section", "item")):
            written.append("")
        written.append(line)
        above = row.kind
    return "\n".join(written) + "\n"
