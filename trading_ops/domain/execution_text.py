"""The intended-against-executed report as Markdown, for the mail, the page and the weekly report.

Belongs here: words and columns. Does not belong here: any figure (`execution`).
"""

import re
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol

from trading_ops.domain.answer import BEGUN
from trading_ops.domain.execution import ExecutionReport, LineExecution
from trading_ops.domain.ticket_words import count, pounds
from trading_ops.domain.values import exact, fixed, half_even, plain

COLUMNS = ("line", "asked", "done", "status", "price", "reference", "slippage", "filled", "remark")
_MARKUP = re.compile(r"[\\`*_\[\]<>~|&#$]")
"""What Markdown could take for markup or a cell's end inside a person's words."""
MINUS = "−"
NOT_ANSWERED, TAKEN_BACK = "not answered", "its fill was taken back"
_BECAME = {"PARTIAL": "partly done", "SKIPPED": "skipped", "FAILED": "failed", "OPEN": NOT_ANSWERED, "": "taken back"}


class Told(Protocol):
    """What `told` looks at in a line: of a report that is being made, or of one that was stored."""

    @property
    def status(self) -> str:
        """See `LineExecution`."""

    @property
    def as_told(self) -> bool:
        """See `LineExecution`."""

    @property
    def price_usd(self) -> object | None:
        """None when no fill is in force."""


def told(lines: Sequence[Told]) -> str:
    """How many lines were done and what became of the others, then whether an instruction was broken.

    The two are told apart: a line that was skipped breaks no instruction, and yet nothing was done.
    """
    became = Counter("" if line.status in BEGUN and line.price_usd is None else line.status for line in lines)
    others = [f"{became[status]} {words}" for status, words in _BECAME.items() if became[status]]
    broken = sum(not line.as_told and line.status != "OPEN" and line.price_usd is not None for line in lines)
    kept = f"an instruction broken on {broken}" if broken else "no instruction broken"
    return ", ".join([f"{became['DONE']} of {count(len(lines), 'line', 'lines')} done", *others, kept])


def to_markdown(report: ExecutionReport) -> str:
    """The report as a heading, two sentences and one table. The same report gives the same bytes."""
    head = f"## Intended against executed: ticket {report.ticket_id}"
    if not report.lines:
        return f"{head}\n\nThe ticket had no instruction.\n"
    bought = f"Bought {_pounds(report.executed_buys_gbp)} of {_pounds(report.intended_buys_gbp)}"
    sold = f"sold {_pounds(report.executed_sells_gbp)} of {_pounds(report.intended_sells_gbp)}"
    slip = report.slippage_gbp
    lost = f"slippage {_pounds(slip.copy_abs())} {'lost' if slip >= 0 else 'gained'}"
    table = [_row(COLUMNS), _row(["---"] * len(COLUMNS)), *(_row(_cells(line)) for line in report.lines)]
    sentence = f"{told(report.lines)}. {bought}, {sold}; {lost}."
    return "\n".join((head, "", sentence, "", *table, ""))


def _cells(line: LineExecution) -> list[str]:
    buy = line.side == "BUY"
    asked = _pounds(line.intended_gbp) if buy else f"{plain(line.intended_units)} units"
    done = "nothing"
    if line.price_usd is not None:
        done = f"{_pounds(line.executed_gbp)}, {plain(line.executed_units)} units"
    return [
        f"{line.line} {line.side} {line.symbol}",
        asked,
        done,
        line.status,
        "" if line.price_usd is None else f"${fixed(line.price_usd, 2)}",
        f"${plain(line.reference_usd)}",
        _percent(line.slippage, 2),
        _percent(line.fill_ratio),
        "; ".join([*_oddities(line), *(_MARKUP.sub(r"\\\g<0>", words) for words in _reason(line))]),
    ]


def remarks(line: LineExecution) -> list[str]:
    """What is odd about a line, and the person's reason as typed; markup in it is not escaped."""
    return [*_oddities(line), *_reason(line)]


def _reason(line: LineExecution) -> list[str]:
    return [" ".join(line.reason.split())] if line.reason else []


def _oddities(line: LineExecution) -> list[str]:
    said = []
    if line.in_window is False:
        said.append("outside the window")
    if line.beyond_limit:
        limit = plain(line.limit_usd)
        said.append(f"was to be skipped {'above' if line.side == 'BUY' else 'below'} ${limit}")
    if line.overfilled:
        said.append("more than asked")
    if line.estimated:
        said.append("units or value estimated")
    return said


def _row(cells: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _pounds(amount: Decimal) -> str:
    return pounds(fixed(amount, 2))


def _percent(share: Decimal | None, places: int = 0) -> str:
    if share is None:
        return ""
    with exact():
        number = half_even(share * 100, places)
    sign = MINUS if number < 0 else ""
    return f"{sign}{fixed(number.copy_abs(), places)} %"
