"""The pictures of the reports, as SVG written by hand: the same facts give the same bytes, and a phone can read them.

No drawing library: its next version would draw the same numbers otherwise. Labels are text, so they are escaped.
Does not belong here: which picture a report shows (`layout`).
"""

import datetime as dt
import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

from trading_ops.domain.report_facts import Costs, Point
from trading_ops.domain.ticket_words import MONTHS

INK, QUIET, GRID = "#1f2328", "#5f6770", "#d8dce1"
BOOK, BESIDE, LOSS, GAIN, CASH = "#0b5394", "#b06f00", "#b3261e", "#137333", "#8a9099"
WIDTH, HEIGHT = 440, 230
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 26, 24
TICKS = 4
LEAST = 2


@dataclass(frozen=True)
class _Scale:
    """Where a value stands on the paper."""

    low: float
    high: float
    start: float
    end: float
    step: float = 1.0

    def at(self, value: float) -> float:
        span = self.high - self.low or 1.0
        return self.start + (value - self.low) / span * (self.end - self.start)


def growth(points: Sequence[Point], benchmark: str) -> str:
    """The book's index beside the benchmark's, as growth in percent since the first session shown."""
    mine = [float(p.index) for p in points]
    beside = [float(p.benchmark) if p.benchmark else None for p in points]
    first = next((b for b in beside if b is not None), None)
    own = [100 * (value / mine[0] - 1) for value in mine] if mine else []
    other = [None if b is None or not first else 100 * (b / first - 1) for b in beside]
    values = [*own, *(v for v in other if v is not None)]
    if len(points) < LEAST:
        return _empty("A curve needs two sessions.")
    scale = _vertical(min(values), max(values))
    parts = [_grid(scale, "%"), _days(points), _line(other, scale, BESIDE, dashed=True), _line(own, scale, BOOK)]
    legend = [(f"desk {_signed(own[-1])} %", BOOK)]
    if other[-1] is not None:
        legend.append((f"{benchmark} in pounds {_signed(other[-1])} %", BESIDE))
    return _picture([*parts, _legend(legend)], "Growth of the desk beside the benchmark")


def drawdown(points: Sequence[Point], allowed: str) -> str:
    """Share lost from the running maximum; the limit as a line where it is near."""
    if len(points) < LEAST:
        return _empty("A curve needs two sessions.")
    lost = [-100 * float(p.drawdown) for p in points]
    limit = -100 * float(allowed)
    low = min(lost)
    near = low < limit / 2
    scale = _vertical(min(low, limit) if near else low, 0.0)
    zero = scale.at(0.0)
    spots = [f"{_x(place, len(lost)):.1f},{scale.at(value):.1f}" for place, value in enumerate(lost)]
    edge = f"{_x(0, len(lost)):.1f},{zero:.1f}", f"{_x(len(lost) - 1, len(lost)):.1f},{zero:.1f}"
    area = f'<polygon points="{edge[0]} {" ".join(spots)} {edge[1]}" fill="{LOSS}" fill-opacity="0.25"/>'
    parts = [_grid(scale, "%"), _days(points), area, _line(lost, scale, LOSS)]
    legend = [(f"now {_number(lost[-1])} %, deepest {_number(low)} %", LOSS)]
    if near:
        parts.append(_level(scale.at(limit), INK))
        legend.append((f"limit {_number(limit)} %", INK))
    return _picture([*parts, _legend(legend)], "Drawdown")


def shares(rows: Sequence[tuple[str, str, str]], limit: str | None = None) -> str:
    """Horizontal bars of (name, share, colour), with the share in figures; a limit as a line."""
    if not rows:
        return _empty("Nothing is held.")
    step, left, right = 19, 74, 62
    height = TOP + step * len(rows) + 6
    widths = [100 * float(share) for _, share, _ in rows]
    top = max([*widths, 100 * float(limit) if limit else 0.0, 1.0])
    across = _Scale(0.0, top, left, WIDTH - right)
    parts = []
    for place, ((name, _, colour), width) in enumerate(zip(rows, widths, strict=True)):
        y = TOP + step * place
        end = across.at(max(width, 0.0))
        parts.append(_text(left - 6, y + 12, name, anchor="end"))
        parts.append(f'<rect x="{left}" y="{y + 2}" width="{max(end - left, 0.5):.1f}" height="{step - 6}" '
                     f'fill="{colour}"/>')  # fmt: skip
        parts.append(_text(end + 5, y + 12, f"{_number(width)} %", colour=QUIET))
    if limit:
        x = across.at(100 * float(limit))
        parts.append(f'<line x1="{x:.1f}" y1="{TOP - 2}" x2="{x:.1f}" y2="{height - 4}" stroke="{INK}" '
                     'stroke-dasharray="4 3"/>')  # fmt: skip
        parts.append(_text(x, TOP - 8, f"most {_number(100 * float(limit))} %", anchor="middle", colour=QUIET))
    return _picture(parts, "Shares of equity", height)


def cost_per_trade(trades: Sequence[Costs]) -> str:
    """One bar a trade, in hundredths of a percent of its value; a gain below the line."""
    if not trades:
        return _empty("There are no trades yet.")
    values = [float(t.bps) for t in trades]
    scale = _vertical(min(0.0, *values), max(0.0, *values))
    zero, wide = scale.at(0.0), (WIDTH - LEFT - RIGHT) / len(values)
    parts = [_grid(scale, "bps")]
    for place, value in enumerate(values):
        y, colour = scale.at(value), LOSS if value >= 0 else GAIN
        x = LEFT + wide * place + wide * 0.15
        parts.append(f'<rect x="{x:.1f}" y="{min(y, zero):.1f}" width="{wide * 0.7:.1f}" '
                     f'height="{max(abs(y - zero), 0.5):.1f}" fill="{colour}"/>')  # fmt: skip
    parts.append(_level(zero, INK, dashed=False))
    parts.append(_text(LEFT, HEIGHT - 8, trades[0].label, colour=QUIET))
    if len(trades) > 1:
        parts.append(_text(WIDTH - RIGHT, HEIGHT - 8, trades[-1].label, anchor="end", colour=QUIET))
    return _picture([*parts, _legend([("lost", LOSS), ("gained", GAIN)])], "Cost per trade")


def _vertical(low: float, high: float) -> _Scale:
    """A scale from bottom to top whose ends are round numbers."""
    step = _step(high - low)
    bottom, top = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
    if top - bottom < step / 2:
        top = bottom + step
    return _Scale(bottom, top, HEIGHT - BOTTOM, TOP, step)


def _step(span: float) -> float:
    raw = max(span, 1e-6) / TICKS
    if raw < 0.05:  # a curve as good as flat: no ticks of thousandths
        return 0.1
    size = 10.0 ** math.floor(math.log10(raw))
    return next((m * size for m in (1.0, 2.0, 5.0) if m * size >= raw), 10.0 * size)


def _grid(scale: _Scale, unit: str) -> str:
    step = scale.step
    parts = []
    for number in range(round((scale.high - scale.low) / step) + 1):
        value = scale.low + number * step
        y = scale.at(value)
        parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="{GRID}"/>')
        parts.append(_text(LEFT - 6, y + 4, _number(value), anchor="end", colour=QUIET))
    parts.append(_text(LEFT - 6, TOP - 12, unit, anchor="end", colour=QUIET))
    return "".join(parts)


def _days(points: Sequence[Point]) -> str:
    first, last = points[0].session, points[-1].session
    y = HEIGHT - 8
    return _text(LEFT, y, _day(first), colour=QUIET) + _text(WIDTH - RIGHT, y, _day(last), anchor="end", colour=QUIET)


def _day(day: dt.date) -> str:
    return f"{day.day} {MONTHS[day.month - 1][:3]} {day.year}"


def _x(place: int, count: int) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * place / max(count - 1, 1)


def _line(values: Sequence[float | None], scale: _Scale, colour: str, *, dashed: bool = False) -> str:
    spots = [f"{_x(place, len(values)):.1f},{scale.at(v):.1f}" for place, v in enumerate(values) if v is not None]
    dashes = ' stroke-dasharray="5 3"' if dashed else ""
    return f'<polyline points="{" ".join(spots)}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>'


def _level(y: float, colour: str, *, dashed: bool = True) -> str:
    dashes = ' stroke-dasharray="4 3"' if dashed else ""
    return f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="{colour}"{dashes}/>'


def _legend(entries: Sequence[tuple[str, str]]) -> str:
    parts, x = [], LEFT
    for words, colour in entries:
        parts.append(f'<rect x="{x}" y="5" width="12" height="4" fill="{colour}"/>')
        parts.append(_text(x + 17, 12, words))
        x += 34 + round(6.6 * len(words))
    return "".join(parts)


def _text(x: float, y: float, words: str, *, anchor: str = "start", colour: str = INK) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{html.escape(words)}</text>'


def _number(value: float) -> str:
    text = f"{value:.1f}"
    text = text.removesuffix(".0")
    return text.replace("-", "−") if text.strip("-0.") else "0"


def _signed(value: float) -> str:
    text = _number(value)
    return text if text.startswith("−") or text == "0" else f"+{text}"


def _picture(parts: Sequence[str], label: str, height: int = HEIGHT) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label="{html.escape(label)}" font-size="12" font-family="system-ui, sans-serif">'
        f"{''.join(parts)}</svg>"
    )


def _empty(words: str) -> str:
    return _picture([_text(LEFT, 24, words, colour=QUIET)], words, 40)
