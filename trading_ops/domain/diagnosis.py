"""Why the broker's snapshot and the ledger differ, and what a person may book so that they agree. The one door.

Belongs here: from evidence to findings. The causes are in `diagnosis_units`, `diagnosis_fills`, `diagnosis_missed`,
`diagnosis_names`, `diagnosis_cash` and `diagnosis_open`, their combination is in `diagnosis_search`, the entries are in
`corrections`.
Does not belong here: the comparison itself (`drift`), storing what a person accepts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from trading_ops.domain.corrections import Proposal, apply_proposals
from trading_ops.domain.diagnosis_case import Case
from trading_ops.domain.diagnosis_cause import FITS, FREE, STATEMENT, Cause, pounds
from trading_ops.domain.diagnosis_classes import CLASSES
from trading_ops.domain.diagnosis_evidence import AnsweredLine, DriftEvidence, StatementRow
from trading_ops.domain.diagnosis_fills import of_fills
from trading_ops.domain.diagnosis_missed import of_missing
from trading_ops.domain.diagnosis_names import under_other_name
from trading_ops.domain.diagnosis_search import Solution, solve
from trading_ops.domain.diagnosis_units import of_units
from trading_ops.domain.drift import CASH
from trading_ops.domain.errors import LedgerError
from trading_ops.domain.values import ZERO, Symbol, exact, plain

__all__ = [
    "CLASSES",
    "AnsweredLine",
    "Diagnosis",
    "DriftEvidence",
    "Finding",
    "StatementRow",
    "apply_proposals",
    "diagnose",
]

QUIET = 2 * FITS
Confidence: TypeAlias = Literal["certain", "likely", "none"]


@dataclass(frozen=True)
class Finding:
    """One difference, or several with one cause, explained.

    Attributes:
        symbol: The name, or `CASH`.
        lines: All lines of the comparison that it explains, the cash too where it moves cash.
        code: Its class, of `CLASSES`.
        sentence: What is seen and what explains it, for the operator.
        confidence: `certain` when a statement row or exact numbers say so, else `likely`; `none` for UNKNOWN and
            AMBIGUOUS.
        proposals: The entries that make it agree; none for UNKNOWN and AMBIGUOUS.
        alternatives: What it may also be; the two or more readings of AMBIGUOUS, each with its own entries.
    """

    symbol: Symbol
    lines: tuple[Symbol, ...]
    code: str
    sentence: str
    confidence: Confidence
    proposals: tuple[Proposal, ...] = ()
    alternatives: tuple["Finding", ...] = ()


@dataclass(frozen=True)
class Diagnosis:
    """All findings, names sorted and cash last; empty when nothing drifts."""

    findings: tuple[Finding, ...]

    @property
    def proposals(self) -> tuple[Proposal, ...]:
        """Every entry of every finding, each once."""
        return tuple({p.proposal_id: p for f in self.findings for p in f.proposals}.values())


def diagnose(evidence: DriftEvidence) -> Diagnosis:
    """Explain every drifting name and the cash.

    Args:
        evidence: The comparison and what may explain it. Whatever is missing there is said in a finding.

    Returns:
        One finding a cause. Cash within its tolerance is explained only where the explanation is exact. The same
        evidence in another order gives the same findings.
    """
    case = Case(evidence)
    if not case.drifting and not evidence.comparison.cash.difference:
        return Diagnosis(())
    with exact():
        try:
            solutions = solve(case, _causes(case))
        except LedgerError as error:
            return Diagnosis((Finding(CASH, (CASH,), "UNKNOWN", f"The ledger cannot be replayed: {error}", "none"),))
        return Diagnosis(tuple(_findings(case, solutions)))


def _causes(case: Case) -> list[Cause]:
    causes: list[Cause] = list(under_other_name(case))
    for line in case.drifting:
        causes += [*of_units(case, line.symbol), *of_fills(case, line.symbol), *of_missing(case, line.symbol)]
    # Where units are explained exactly, no trade has to be invented.
    exact_units = {c.lines[0] for c in causes if c.cost <= FITS and len(c.lines) == 1}
    return [c for c in causes if c.cost < FREE or not exact_units & set(c.lines)]


def _findings(case: Case, solutions: tuple[Solution, ...]) -> list[Finding]:
    best, rivals = solutions[0], solutions[1:]
    of_names = [_of_cause(cause, cash, closed=best.exact) for cause, cash in best.causes if cause.lines]
    found = [_judged(finding, rivals) for finding in of_names]
    found += [_unknown(case, name) for name in best.unknown]
    found.sort(key=lambda f: f.lines)
    return [*_merged(found), *_of_cash(case, best, rivals)]


def _of_cause(cause: Cause, cash: Decimal, *, closed: bool = True) -> Finding:
    """The finding of a cause; one that moves cash is only certain when all cash is explained, or a row says so."""
    sentence, proposals = cause.conclude(cash)
    lines = (*cause.lines, CASH) if cash or not cause.lines else cause.lines
    agrees = closed or cause.cost <= STATEMENT or (not cash and cause.code != "WRONG_NAME")
    return Finding(
        lines[0], lines, cause.code, sentence, "certain" if cause.certain and agrees else "likely", proposals
    )


def _judged(finding: Finding, rivals: Iterable[Solution]) -> Finding:
    """The finding, or AMBIGUOUS where a rival gives one of its names another class."""
    others: dict[str, Finding] = {}
    for rival in rivals:
        for cause, cash in rival.causes:
            if set(cause.lines) & set(finding.lines):
                other = _of_cause(cause, cash)
                if other.sentence != finding.sentence:
                    others.setdefault(other.sentence, other)
    return _weighed(finding, tuple(others[key] for key in sorted(others)))


def _weighed(finding: Finding, others: tuple[Finding, ...]) -> Finding:
    if not others:
        return finding
    if all(o.code == finding.code for o in others):
        return Finding(
            finding.symbol, finding.lines, finding.code, finding.sentence, "likely", finding.proposals, others
        )
    readings = (finding, *others)
    sentence = "It may be either: " + " Or: ".join(r.sentence for r in readings)
    return Finding(finding.symbol, finding.lines, "AMBIGUOUS", sentence, "none", (), readings)


def _merged(findings: list[Finding]) -> list[Finding]:
    """AMBIGUOUS findings of which one already covers the other's names are told once."""
    kept: list[Finding] = []
    for finding in findings:
        if not (finding.code == "AMBIGUOUS" and any(set(_names(finding)) <= set(_names(k)) for k in kept)):
            kept.append(finding)
    return kept


def _names(finding: Finding) -> tuple[Symbol, ...]:
    return tuple(n for n in finding.lines if n != CASH)


def _of_cash(case: Case, best: Solution, rivals: tuple[Solution, ...]) -> list[Finding]:
    line = case.evidence.comparison.cash
    causes = [(c, cash) for c, cash in best.causes if not c.lines]
    quiet = not case.drifting and line.verdict in ("equal", "within")
    if quiet and (best.left_gbp or (sum(c.cost for c, _ in causes) > QUIET and any(c.cost > FITS for c, _ in causes))):
        return []
    found = [_of_cause(c, cash, closed=best.exact) for c, cash in causes]
    others = _other_readings(found, rivals)
    if others and found and any(_codes(o) != _codes(found) for o in others):
        readings = tuple(f for o in (found, *others) for f in o)
        sentence = "The cash may be either: " + " Or: ".join(
            " And: ".join(f.sentence for f in o) for o in (found, *others)
        )
        return [Finding(CASH, (CASH,), "AMBIGUOUS", sentence, "none", (), readings)]
    if others and found:
        also = tuple(f for o in others for f in o)
        found = [Finding(f.symbol, f.lines, f.code, f.sentence, "likely", f.proposals, also) for f in found]
    if abs(best.left_gbp) > case.cash_tolerance or (best.left_gbp and line.verdict == "dividends" and not found):
        found += _left_over(case, best)
    return found


def _other_readings(found: list[Finding], rivals: tuple[Solution, ...]) -> list[list[Finding]]:
    """The cash of rivals, where it is read otherwise."""
    seen = {tuple(sorted(f.sentence for f in found))}
    others: list[list[Finding]] = []
    for rival in rivals:
        reading = [_of_cause(c, cash) for c, cash in rival.causes if not c.lines]
        key = tuple(sorted(f.sentence for f in reading))
        if key not in seen and reading:
            seen.add(key)
            others.append(reading)
    return others


def _codes(findings: list[Finding]) -> list[str]:
    return sorted(f.code for f in findings)


def _left_over(case: Case, best: Solution) -> list[Finding]:
    amount = best.left_gbp
    side = "more" if amount > ZERO else "less"
    lacking = "" if case.evidence.usd_per_gbp else " There is no GBPUSD fixing, so fees and rates could not be tried."
    sentence = (
        f"The broker shows {pounds(amount)} {side} than the ledger, and nothing the desk knows comes to that.{lacking} "
        "Look in eToro's history since the last snapshot for a deposit, withdrawal, fee, dividend or interest, or "
        "import the statement."
    )
    return [Finding(CASH, (CASH,), "UNKNOWN", sentence, "none")]


def _unknown(case: Case, symbol: Symbol) -> Finding:
    line, evidence = case.line(symbol), case.evidence
    shown = "does not list it" if line.snapshot is None else f"shows {plain(line.snapshot)}"
    held = "does not hold it" if line.ledger is None else f"has {plain(line.ledger)}"
    missing = [] if symbol in evidence.closes else [f"a close of {symbol}"]
    missing += [] if evidence.usd_per_gbp else ["a GBPUSD fixing"]
    lacking = f" Missing for a better answer: {' and '.join(missing)}." if missing else ""
    sentence = (
        f"{symbol}: the broker {shown}, the ledger {held}, and nothing the desk knows explains it.{lacking} Look on "
        f"eToro at the open positions and the history of {symbol}."
    )
    return Finding(symbol, (symbol,), "UNKNOWN", sentence, "none")
