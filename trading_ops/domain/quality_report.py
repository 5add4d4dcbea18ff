"""What a run says of its data, for people: coverage, what is missing, stale, duplicate or odd, and by which source.

Belongs here: putting the findings of the data gate together, and their text. Judging is in `quality`.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal

from trading_ops.domain import calendar
from trading_ops.domain.move_measure import measure
from trading_ops.domain.moves import classify
from trading_ops.domain.policy import Data
from trading_ops.domain.prices import MarketView
from trading_ops.domain.quality import DataQuality
from trading_ops.domain.suspects import CROSS_CHECK, Suspect, valid_bar
from trading_ops.domain.universe import Universe
from trading_ops.domain.values import ZERO, Session, Symbol, exact, fixed

SESSIONS = 30
"""Newest sessions whose coverage by source is counted: six weeks, so a source that fades is seen."""


@dataclass(frozen=True)
class SourceCount:
    """One source at D.

    Attributes:
        source: Its name.
        chosen: Names whose bar of D is taken from it.
        witness: Names whose bar of D it has as well.
        disagrees: Names about which it is part of a disagreement since the previous plan.
    """

    source: str
    chosen: int
    witness: int
    disagrees: int


@dataclass(frozen=True)
class Outlier:
    """One finding that freezes a name, with what it probably is.

    Attributes:
        symbol: The name.
        session: The session.
        code: Why the name is frozen.
        sentence: What was seen.
        likely: The class of the move, empty when it is no move of the price.
        evidence: What decided for that class.
        look_up: What the operator looks up.
        proposal: What to record if that confirms it.
    """

    symbol: Symbol
    session: Session
    code: str
    sentence: str
    likely: str = ""
    evidence: str = ""
    look_up: str = ""
    proposal: str = ""


@dataclass(frozen=True)
class QualityReport:
    """The data of one plan.

    Attributes:
        asof: The as-of session D.
        expected: Names that must have a bar at D.
        valid: Those that have a valid one.
        confirmed: Those whose close of D a second source confirms.
        sources: By source, the one with most chosen bars first.
        missing: Names without a valid bar at D, with the session of their newest one.
        silent: Names without volume at D.
        duplicates: Bars that are stored twice.
        outliers: Findings that freeze a name.
        notes: What is odd and stops nothing.
        fixing: Day, rate and source of the GBPUSD fixing that counts, as text; empty without one.
        coverage: For the newest sessions the names with a valid bar, by source; `""` counts those without one.
    """

    asof: Session
    expected: int
    valid: int
    confirmed: int
    sources: tuple[SourceCount, ...]
    missing: tuple[tuple[Symbol, Session | None], ...]
    silent: tuple[Symbol, ...]
    duplicates: tuple[tuple[Symbol, Session], ...]
    outliers: tuple[Outlier, ...]
    notes: tuple[str, ...]
    fixing: str
    coverage: tuple[tuple[Session, dict[str, int]], ...]

    @property
    def share(self) -> Decimal:
        """Valid of expected, as a share of one; 0 when nothing is expected."""
        with exact():
            return Decimal(self.valid) / Decimal(self.expected) if self.expected else ZERO

    def as_dict(self) -> dict[str, object]:
        """The report as plain values, for storing."""
        return {
            "asof": self.asof.isoformat(),
            "expected": self.expected,
            "valid": self.valid,
            "coverage": fixed(self.share, 4),
            "confirmed": self.confirmed,
            "sources": [
                {"source": s.source, "chosen": s.chosen, "witness": s.witness, "disagrees": s.disagrees}
                for s in self.sources
            ],
            "missing": [{"symbol": s, "newest": d.isoformat() if d else None} for s, d in self.missing],
            "silent": list(self.silent),
            "duplicates": [[s, d.isoformat()] for s, d in self.duplicates],
            "outliers": [asdict(o) | {"session": o.session.isoformat()} for o in self.outliers],
            "notes": list(self.notes),
            "fixing": self.fixing,
            "sessions": [{"session": d.isoformat(), "by_source": dict(counts)} for d, counts in self.coverage],
        }


def quality_report(market: MarketView, universe: Universe, quality: DataQuality, data: Data) -> QualityReport:
    """Put the data gate's findings together.

    Args:
        market: The market as of D.
        universe: The names.
        quality: What the gate found.
        data: The policy's `data` section.
    """
    asof = market.asof
    expected = universe.expected(asof)
    valid = [symbol for symbol in expected if valid_bar(market, symbol, asof) is not None]
    fixing = market.fixing(asof)
    return QualityReport(
        asof=asof,
        expected=len(expected),
        valid=len(valid),
        confirmed=len(quality.confirmed & set(expected)),
        sources=_sources(market, expected, quality),
        missing=tuple((symbol, quality.stale[symbol]) for symbol in quality.missing),
        silent=tuple(symbol for symbol in valid if market.bars[symbol][asof].volume == ZERO),
        duplicates=market.duplicates,
        outliers=tuple(outlier(market, suspect, data) for suspect in quality.suspects),
        notes=quality.warnings,
        fixing=f"{fixing.usd_per_gbp.normalize():f} of {fixing.day} ({fixing.source})" if fixing else "",
        coverage=_coverage(market, universe),
    )


def outlier(market: MarketView, suspect: Suspect, data: Data) -> Outlier:
    """A finding with what the move probably was and what a person looks up; a disagreement of sources is no move."""
    seen = Outlier(suspect.symbol, suspect.session, suspect.code, suspect.sentence)
    move = measure(market, suspect.symbol, suspect.session, data.benchmark) if suspect.code != CROSS_CHECK else None
    if move is None:
        look_up = "Compare the sources' figures with a third one." if suspect.code == CROSS_CHECK else ""
        return replace(seen, look_up=look_up)
    judged = classify(move, data)
    return replace(
        seen, likely=judged.kind.value, evidence=judged.evidence[0], look_up=judged.look_up, proposal=judged.proposal
    )


def _sources(market: MarketView, expected: Sequence[Symbol], quality: DataQuality) -> tuple[SourceCount, ...]:
    chosen: Counter[str] = Counter()
    witness: Counter[str] = Counter()
    disagrees: Counter[str] = Counter()
    for symbol in expected:
        bar = market.bar(symbol, market.asof)
        if bar is not None:
            chosen[bar.source] += 1
        witness.update({w.source for w in market.witnesses_of(symbol, market.asof)})
    for suspect in quality.suspects:
        bar = market.bar(suspect.symbol, suspect.session)
        if suspect.code == CROSS_CHECK and bar is not None:
            others = {w.source for w in market.witnesses_of(suspect.symbol, suspect.session)}
            disagrees.update({bar.source, *others})
    names = sorted({*chosen, *witness, *disagrees}, key=lambda name: (-chosen[name], -witness[name], name))
    return tuple(SourceCount(name, chosen[name], witness[name], disagrees[name]) for name in names)


def _coverage(market: MarketView, universe: Universe) -> tuple[tuple[Session, dict[str, int]], ...]:
    rows = []
    for session in calendar.window_of_sessions(market.asof, SESSIONS):
        bars = (valid_bar(market, symbol, session) for symbol in universe.expected(session))
        counts = Counter(bar.source if bar is not None else "" for bar in bars)
        rows.append((session, dict(sorted(counts.items()))))
    return tuple(rows)


def to_markdown(report: QualityReport) -> str:
    """The report as a person reads it: the headline, sources, then what is not as it should be."""
    out = [
        f"## Data quality at {report.asof}",
        "",
        f"{report.valid} of {report.expected} expected names have a valid bar ({fixed(100 * report.share, 2)} %); "
        f"{report.confirmed or 'none'} confirmed by a second source. GBPUSD: {report.fixing or 'no fixing'}.",
        "",
        "| source | bars used | bars compared | names it disagrees about |",
        "|---|---|---|---|",
        *(f"| {s.source} | {s.chosen} | {s.witness} | {s.disagrees} |" for s in report.sources),
        "",
    ]
    found = [
        *_listed("Missing", (f"{s}: newest bar {d or 'none at all'}" for s, d in report.missing)),
        *_listed("No shares traded, cannot be bought", report.silent),
        *_listed("Stored twice", (f"{s} {d}" for s, d in report.duplicates)),
        *_listed("Frozen", (_frozen(o) for o in report.outliers)),
        *_listed("Notes", report.notes),
    ]
    out += found or ["Nothing is missing, stale, stored twice or suspicious."]
    return "\n".join(out).rstrip() + "\n"


def _frozen(of: Outlier) -> str:
    words = [f"{of.code}: {of.sentence}"]
    words += [f"Probably {of.likely}: {of.evidence}"] if of.likely else []
    words += [of.look_up] if of.look_up else []
    words += [f"If that confirms it, record: {of.proposal}."] if of.proposal else []
    return " ".join(words)


def _listed(title: str, lines: Iterable[str]) -> list[str]:
    found = [f"- {line}" for line in lines]
    return [f"**{title}** ({len(found)})", "", *found, ""] if found else []
