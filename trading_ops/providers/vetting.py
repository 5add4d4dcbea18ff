"""What every answer from the network must survive before it counts, whatever its source.

Belongs here: what proves an answer impossible, of another question, of another name, or in another unit.
Does not belong here: a move that is merely suspicious. A genuine +80 % or a recorded 20:1 split passes, and the data
gate judges it. Neither does reading a body (the sources), or comparing sources (the cross-check).
"""

import datetime as dt
import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

import pyarrow as pa

from trading_ops.domain import calendar
from trading_ops.domain.values import ONE, ZERO, exact, plain
from trading_ops.providers.protocol import Ask, FileFact, RefusalKind, RefusedData

FAR = Decimal("1.4")
"""A close this many times its counterpart of the same session, either way, is not the same price."""
NEAR, ENOUGH = Decimal("1.02"), 3
"""On that many common sessions at least one close must agree within this ratio, or the rows are another name's."""
HUNDRED = Decimal(100)
_EXPLAINED = Decimal(10)
"""A jump of a hundred is a split's when what the recorded splits leave of it is less than this, either way."""
_NEIGHBOURS = dt.timedelta(days=31)
"""Closes further apart than this are no neighbours: in years, a price may well become a hundred times as high."""
_SPLIT_MAX = Decimal(1000)


class _Row(NamedTuple):
    session: dt.date
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


@dataclass(frozen=True, slots=True)
class _Case:
    ask: Ask
    where: str
    answer: FileFact | None
    rows: Sequence[_Row]
    actions: Sequence[Mapping[str, Any]]
    splits: Mapping[dt.date, Decimal]

    def refuse(self, kind: RefusalKind, day: dt.date, sentence: str) -> RefusedData:
        return RefusedData(kind, f"{self.where}, {day}", f"{sentence} Nothing was kept.", self.answer)

    def split_factor(self, after: dt.date, through: dt.date) -> Decimal:
        factor = ONE
        with exact():
            for day, ratio in self.splits.items():
                factor = factor * ratio if after < day <= through else factor
        return factor


def vet(
    bars: pa.Table,
    actions: pa.Table,
    ask: Ask,
    where: str,
    answer: FileFact | None = None,
    *,
    names_itself: bool = True,
) -> None:
    """Look at one name's answer as a whole.

    Args:
        bars: BARS as traded, in any order.
        actions: ACTIONS; their splits and those of `ask.splits` are what a jump may be explained by.
        ask: What was asked; its known closes tell another name or unit.
        where: The body's name, for messages.
        answer: The body.
        names_itself: The answer, or a check of its basis, says whose prices these are; else a close on record must.

    Raises:
        RefusedData: The first thing that cannot be true. An answer with days that were not asked for is one to
            another question, so it is refused and not trimmed.
    """
    rows = sorted(_Row(*row.values()) for row in bars.select(list(_Row._fields)).to_pylist())
    told = actions.to_pylist()
    splits = dict(ask.splits.splits) if ask.splits else {}
    splits |= {action["ex_date"]: action["value"] for action in told if action["kind"] == "split"}
    case = _Case(ask, where, answer, rows, told, {day: ratio for day, ratio in splits.items() if ratio > ZERO})
    _days(case, [row.session for row in rows])
    for row in rows:
        _shape(case, row)
    _actions(case)
    _scale(case)
    _name(case, names_itself=names_itself)


def _days(case: _Case, days: Sequence[dt.date]) -> None:
    """Sessions only, each once, within what was asked and over when it was asked."""
    over = calendar.last_closed(case.ask.at)
    for day, count in Counter(days).items():
        if count > 1:
            sentence = "the session is there twice, so its price would be a choice."
            raise case.refuse(RefusalKind.DUPLICATE_ROW, day, sentence)
        if day > over:
            sentence = f"the session is not over: the last one that is when we ask is {over}."
            raise case.refuse(RefusalKind.NOT_ASKED_FOR, day, sentence)
        if not calendar.is_session(day):
            sentence = "the New York exchange has no session on that day; the dates may be another time zone's."
            raise case.refuse(RefusalKind.OFF_CALENDAR, day, sentence)
        if not case.ask.first <= day <= case.ask.last:
            sentence = f"{case.ask.first} to {case.ask.last} was asked for, so this answers another question."
            raise case.refuse(RefusalKind.NOT_ASKED_FOR, day, sentence)


def _shape(case: _Case, row: _Row) -> None:
    """A bar that can have been traded."""
    body = (row.open, row.close)
    if min(row.low, *body) <= ZERO or row.volume < ZERO:
        problem = "a price is not above zero, or the volume is below it"
    elif row.high < max(row.low, *body):
        problem = "the high is below another price of the session"
    elif row.low > min(body):
        problem = "the low is above the open or the close"
    else:
        return
    prices = ", ".join(f"{name} {plain(value)}" for name, value in row._asdict().items() if name != "session")
    raise case.refuse(RefusalKind.IMPOSSIBLE_BAR, row.session, f"{problem} ({prices}); columns may be swapped.")


def _actions(case: _Case) -> None:
    """Ex-dates within what was asked, and values that can be a split or dividend."""
    over = calendar.last_closed(case.ask.at)
    seen: set[tuple[dt.date, str]] = set()
    for action in case.actions:
        day, kind, value = action["ex_date"], action["kind"], action["value"]
        if not case.ask.first <= day <= min(case.ask.last, over) or not calendar.is_session(day):
            sentence = f"a {kind} on a day that was not asked for, is yet to come, or is no session."
            raise case.refuse(RefusalKind.BAD_ACTION, day, sentence)
        if (day, kind) in seen:
            raise case.refuse(RefusalKind.BAD_ACTION, day, f"there are two {kind}s on one day.")
        seen.add((day, kind))
        if not _possible(case, kind, day, value):
            raise case.refuse(RefusalKind.BAD_ACTION, day, f"{plain(value)} is no {kind} of a share.")


def _possible(case: _Case, kind: str, day: dt.date, value: Decimal) -> bool:
    with exact():
        if kind == "split":
            return value != ONE and ONE <= value * _SPLIT_MAX <= _SPLIT_MAX * _SPLIT_MAX
        before = [row.close for row in case.rows if row.session < day][-1:]
        # On the day of a reverse split a source may give the dividend for each of the fewer new shares.
        old_shares = max(ONE, ONE / case.splits.get(day, ONE))
        return value > ZERO and all(value < close * old_shares for close in before)


def _scale(case: _Case) -> None:
    """Pence for pounds, cents for dollars: about a hundred times what the same name cost a moment before."""
    known = {day: close for day, close in case.ask.known.items() if close > ZERO}
    for row in case.rows:
        for name in ("open", "high", "low"):
            price = getattr(row, name)
            if _hundredfold(price, row.close):
                sentence = f"{name} {plain(price)} and close {plain(row.close)} are in two units."
                raise case.refuse(RefusalKind.WRONG_SCALE, row.session, sentence)
        if row.session in known and _hundredfold(row.close, known[row.session]):
            sentence = f"close {plain(row.close)}, on record is {plain(known[row.session])}: another unit."
            raise case.refuse(RefusalKind.WRONG_SCALE, row.session, sentence)
    answered = {row.session: row.close for row in case.rows}
    line = sorted((known | answered).items())
    for (day, close), (next_day, next_close) in itertools.pairwise(line):
        if next_day - day > _NEIGHBOURS or not (day in answered or next_day in answered):
            continue
        if _hundredfold(close, next_close):
            with exact():
                left = next_close * case.split_factor(day, next_day) / close
            if not ONE / _EXPLAINED < left < _EXPLAINED:
                sentence = f"close {plain(next_close)} after {plain(close)} on {day}: one of them is in another unit."
                raise case.refuse(RefusalKind.WRONG_SCALE, next_day, sentence)


def _name(case: _Case, *, names_itself: bool) -> None:
    """Far from the closes on record on most of the sessions that both have: another name's prices."""
    common = [(row, case.ask.known[row.session]) for row in case.rows if case.ask.known.get(row.session, ZERO) > ZERO]
    far = [(row, known) for row, known in common if _far(row.close, known)]
    if 2 * len(far) <= len(common):
        if not names_itself:
            _agrees_somewhere(case, common)
        return
    row, known = far[0]
    today = case.ask.at.date()
    with exact():
        put_back = [not _far(row.close * case.split_factor(row.session, today), known) for row, known in far]
    said = f"close {plain(row.close)}, on record is {plain(known)}, and so on {len(far)} of {len(common)} sessions"
    if all(put_back):
        sentence = f"{said}; with later splits put back they agree, so these prices are adjusted, not as traded."
        raise case.refuse(RefusalKind.ADJUSTED_BASIS, row.session, sentence)
    raise case.refuse(RefusalKind.WRONG_SYMBOL, row.session, f"{said}: these are another name's prices.")


def _agrees_somewhere(case: _Case, common: Sequence[tuple[_Row, Decimal]]) -> None:
    """Never within a few percent of the closes on record: a source that names no name may have sent another's rows."""
    if len(common) < ENOUGH or any(_near(row.close, known) for row, known in common):
        return
    row, known = common[0]
    sentence = (
        f"close {plain(row.close)}, on record is {plain(known)}, and none of {len(common)} sessions agrees: "
        "these are another name's prices, or the closes on record are wrong."
    )
    raise case.refuse(RefusalKind.WRONG_SYMBOL, row.session, sentence)


def _near(one: Decimal, other: Decimal) -> bool:
    with exact():
        return one <= other * NEAR and other <= one * NEAR


def _far(one: Decimal, other: Decimal) -> bool:
    with exact():
        return one > other * FAR or other > one * FAR


def _hundredfold(one: Decimal, other: Decimal) -> bool:
    with exact():
        high, low = max(one, other), min(one, other)
        return low * HUNDRED <= high * FAR and high <= low * HUNDRED * FAR
