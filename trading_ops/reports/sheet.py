"""What a report shows, block by block, before it becomes Markdown or HTML: the same words and numbers in both.

Every text is meant as it stands; each form escapes for itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from trading_ops.domain.report_facts import Tone


@dataclass(frozen=True)
class Lead:
    """The report in one line; its colour is never all that says it."""

    tone: Tone
    words: str


@dataclass(frozen=True)
class Section:
    """A heading."""

    words: str


@dataclass(frozen=True)
class Say:
    """A paragraph."""

    words: str


@dataclass(frozen=True)
class Points:
    """A list of sentences."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Pairs:
    """Names and what they are."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Table:
    """A table; columns whose number is in `numbers` stand to the right."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Chart:
    """A picture, and what it shows in a sentence; Markdown has the sentence alone.

    Attributes:
        svg: Finished markup.
    """

    title: str
    words: str
    svg: str


@dataclass(frozen=True)
class Side:
    """Charts that stand beside each other where there is room."""

    charts: tuple[Chart, ...]


Block: TypeAlias = Lead | Section | Say | Points | Pairs | Table | Chart | Side


@dataclass(frozen=True)
class Sheet:
    """A whole report."""

    title: str
    blocks: Sequence[Block]
    foot: tuple[str, ...]
