"""A list of large moves that a person classified from public facts, and how many of them the rules get right."""

import csv
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from trading_ops.domain.errors import BadInput
from trading_ops.domain.move_classes import MoveClass
from trading_ops.domain.values import Symbol
from trading_ops.history.findings import FUNDS, STOCKS, LargeMove

COLUMNS = ("symbol", "session", "class", "fact")
ByHand = Mapping[tuple[Symbol, dt.date], MoveClass]


@dataclass(frozen=True, slots=True)
class ClassCount:
    """How many of one class the list has of stocks or of funds, and how many of those are right."""

    group: str
    kind: str
    right: int
    total: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """The rules against the list.

    Attributes:
        counts: For each group and class of the list.
        wrong: A sentence for each move that is classified otherwise, was not found, or is not on the list.
    """

    counts: tuple[ClassCount, ...]
    wrong: tuple[str, ...]

    def sums(self, group: str) -> tuple[int, int]:
        """How many of a group are right, and how many the list has."""
        mine = [row for row in self.counts if row.group == group]
        return sum(row.right for row in mine), sum(row.total for row in mine)

    def sentence(self) -> str:
        """What came of it, in one line."""
        stocks, funds = (f"{right} of {total}" for right, total in map(self.sums, (STOCKS, FUNDS)))
        return f"{stocks} large moves of stocks are as the list made by hand says, and {funds} of funds."


def read_by_hand(path: Path) -> dict[tuple[Symbol, dt.date], MoveClass]:
    """Read `symbol,session,class,fact`.

    Raises:
        BadInput: Names the line and column that are wrong.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        raise BadInput(f"{path}: cannot be read as UTF-8 text. Name a file with {', '.join(COLUMNS)}.") from exc
    reader = csv.DictReader(text.splitlines())
    absent = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if absent:
        raise BadInput(f"{path}, line 1: column {absent[0]!r} is missing. Use {', '.join(COLUMNS)}.")
    found: dict[tuple[Symbol, dt.date], MoveClass] = {}
    for row in reader:
        where = f"{path}, line {reader.line_num}"
        try:
            session = dt.date.fromisoformat(row["session"] or "")
        except ValueError as exc:
            raise BadInput(f"{where}, column session: {row['session']!r} is not a date. Write 2018-02-02.") from exc
        if row["class"] not in set(MoveClass):
            known = ", ".join(MoveClass)
            raise BadInput(f"{where}, column class: {row['class']!r} is not a class. Use one of {known}.")
        key = (row["symbol"] or "", session)
        if key in found:
            raise BadInput(f"{where}: {key[0]} {session} stands twice. Keep one of them.")
        found[key] = MoveClass(row["class"])
    return found


def compare(moves: Sequence[LargeMove], by_hand: ByHand) -> Comparison:
    """Count what is right, class by class, and name what is not."""
    judged = {(m.move.symbol, m.move.session): m.verdict.kind for m in moves}
    wrong = []
    for key in sorted({*judged, *by_hand}):
        name = f"{key[0]} {key[1]}"
        if key not in judged:
            wrong.append(f"{name}: {by_hand[key]} by hand, and the history has no such move.")
        elif key not in by_hand:
            wrong.append(f"{name}: {judged[key]}, and it is not on the list.")
        elif judged[key] is not by_hand[key]:
            wrong.append(f"{name}: {judged[key]}, and {by_hand[key]} by hand.")
    of_funds = {(m.move.symbol, m.move.session) for m in moves if m.fund}
    counts = [
        ClassCount(group, str(kind), sum(1 for key in keys if judged.get(key) is kind), len(keys))
        for group in (STOCKS, FUNDS)
        for kind in MoveClass
        if (keys := [k for k, hand in by_hand.items() if hand is kind and (k in of_funds) == (group == FUNDS)])
    ]
    return Comparison(tuple(counts), tuple(wrong))
