"""Small pictures for the UI, stored inside the materialization: PNG of a few kilobytes, drawn without a display."""

import base64
import io
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import dagster as dg

from trading_ops.domain.performance import IndexPoint
from trading_ops.domain.quality_report import QualityReport
from trading_ops.domain.report_facts import Point
from trading_ops.domain.valuation import EquityPoint

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, GOOD, BAD, QUIET = "#1f2937", "#0f766e", "#b91c1c", "#cbd5e1"
SHADES = ("#0f766e", "#38bdf8", "#a78bfa", "#fbbf24", "#94a3b8")
MOST_BARS = 40


def equity(points: Sequence[EquityPoint], index: Sequence[IndexPoint]) -> dg.MarkdownMetadataValue:
    """Equity in pounds above, the drawdown of the time-weighted index below."""
    figure = _figure(3.2)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[2, 1])
    days = [p.session for p in points]
    upper.plot(days, [float(p.equity_gbp) for p in points], color=GOOD, linewidth=1.4)
    upper.set_ylabel("equity, GBP")
    peak, lost = 0.0, []
    for point in index:
        peak = max(peak, float(point.index))
        lost.append(100 * (float(point.index) / peak - 1) if peak else 0.0)
    lower.fill_between([p.session for p in index], lost, color=BAD, alpha=0.35, linewidth=0)
    lower.set_ylabel("drawdown, %")
    lower.tick_params(axis="x", labelrotation=20)
    return _picture("equity and drawdown", figure)


def against(points: Sequence[Point], benchmark: str) -> dg.MarkdownMetadataValue:
    """The desk's index beside the benchmark's in pounds above, the drawdown below."""
    figure = _figure(3.2)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[2, 1])
    days = [p.session for p in points]
    upper.plot(days, [float(p.index) for p in points], color=GOOD, linewidth=1.4, label="desk")
    beside = [float(p.benchmark) if p.benchmark else float("nan") for p in points]
    upper.plot(days, beside, color=SHADES[3], linewidth=1.2, label=f"{benchmark} in pounds")
    upper.legend(frameon=False, fontsize=7)
    upper.set_ylabel("index, start 1")
    lower.fill_between(days, [-100 * float(p.drawdown) for p in points], color=BAD, alpha=0.35, linewidth=0)
    lower.set_ylabel("drawdown, %")
    lower.tick_params(axis="x", labelrotation=20)
    return _picture("equity against benchmark and drawdown", figure)


def bars(title: str, names: Sequence[str], values: Sequence[Decimal], unit: str) -> dg.MarkdownMetadataValue:
    """One bar a name, in the order given."""
    figure = _figure(2.4)
    axes = figure.subplots()
    shown = [float(value) for value in values[:MOST_BARS]]
    axes.bar(list(names[:MOST_BARS]), shown, color=[GOOD if value >= 0 else BAD for value in shown])
    axes.set_ylabel(unit)
    axes.tick_params(axis="x", labelrotation=90, labelsize=7)
    return _picture(title, figure)


def coverage(report: QualityReport) -> dg.MarkdownMetadataValue:
    """Names with a valid bar in the newest sessions, stacked by source; what is missing stands on top in red."""
    figure = _figure(2.6)
    axes = figure.subplots()
    days = [session for session, _ in report.coverage]
    sources = sorted({name for _, counts in report.coverage for name in counts if name})
    floor = [0] * len(days)
    for place, name in enumerate((*sources, "")):
        counts = [by_source.get(name, 0) for _, by_source in report.coverage]
        if any(counts):
            colour = SHADES[place % len(SHADES)] if name else BAD
            axes.bar(range(len(days)), counts, 0.85, bottom=floor, color=colour, label=name or "missing")
        floor = [below + count for below, count in zip(floor, counts, strict=True)]
    shown = range(0, len(days), 5)
    axes.set_xticks(list(shown), [f"{days[place]:%d %b}" for place in shown])
    axes.set_ylabel("names")
    axes.legend(frameon=False, fontsize=7, ncols=6, loc="lower left", bbox_to_anchor=(0, 1))
    return _picture("coverage by source", figure)


def held_and_wanted(
    names: Sequence[str], held: Sequence[Decimal], wanted: Sequence[Decimal]
) -> dg.MarkdownMetadataValue:
    """Two bars a name: what is held, what is wanted, in pounds."""
    figure = _figure(2.4)
    axes = figure.subplots()
    places = range(len(names))
    axes.bar([p - 0.2 for p in places], [float(v) for v in held], 0.4, color=QUIET, label="held")
    axes.bar([p + 0.2 for p in places], [float(v) for v in wanted], 0.4, color=GOOD, label="wanted")
    axes.set_xticks(list(places), list(names), rotation=90, fontsize=7)
    axes.set_ylabel("GBP")
    axes.legend(frameon=False, fontsize=7)
    return _picture("held and wanted", figure)


def _figure(height: float) -> "Figure":
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, height), dpi=80, layout="tight")
    FigureCanvasAgg(figure)
    return figure


def _picture(title: str, figure: "Figure") -> dg.MarkdownMetadataValue:
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(colors=INK, labelsize=7)
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return dg.MetadataValue.md(f"![{title}](data:image/png;base64,{base64.b64encode(out.getvalue()).decode()})")
