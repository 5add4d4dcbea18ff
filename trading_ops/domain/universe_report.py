"""Is the universe fit for use? Each name's data, its last look-up at the broker, and names easily taken for it.

Belongs here: judging names by what is on record. Validating the file's cells is in `universe_text`.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from trading_ops.domain.books import Book
from trading_ops.domain.policy import Policy
from trading_ops.domain.ticket_lines import LOOK_ALIKES
from trading_ops.domain.universe import Instrument, Universe
from trading_ops.domain.values import Session, Symbol

SESSIONS = 60
"""Newest sessions by which a name's coverage is measured: a quarter of a year."""
STALE_AFTER = 3
"""Sessions without a bar after which an enabled name is called stale: a week-end and a lost day are no news."""


@dataclass(frozen=True)
class NameReport:
    """One name.

    Attributes:
        symbol: The name.
        enabled: It may be ranked.
        tradable: It may be bought.
        sessions: Sessions of the measured ones on which it was listed.
        covered: Those with a bar.
        newest: Session of its newest bar, None without any.
        behind: Sessions between that and the last one due.
        sources: Sources with a bar of the last session due.
        verified_on: When it was last looked up on eToro.
        look_alikes: What a person could take for it.
        problems: What is wrong, each a sentence with the way out.
        remarks: What is worth knowing and wrong with nothing.
    """

    symbol: Symbol
    enabled: bool
    tradable: bool
    sessions: int
    covered: int
    newest: Session | None
    behind: int
    sources: tuple[str, ...]
    verified_on: dt.date | None
    look_alikes: tuple[str, ...]
    problems: tuple[str, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class UniverseReport:
    """All names at one session."""

    last: Session
    names: tuple[NameReport, ...]

    @property
    def problems(self) -> tuple[tuple[Symbol, str], ...]:
        """Every problem with its name."""
        return tuple((name.symbol, problem) for name in self.names for problem in name.problems)


def universe_report(
    universe: Universe,
    bars: Mapping[Symbol, Mapping[Session, Sequence[str]]],
    measured: Sequence[Session],
    policy: Policy,
    book: Book,
) -> UniverseReport:
    """Look at every name.

    Args:
        universe: The names.
        bars: Sources that have a bar, by name and session.
        measured: The sessions to measure by, ascending; the last is the last one due.
        policy: `risk.verified_max_age`.
        book: An unverified name is a problem in the live book only.
    """
    alike = look_alikes(universe)
    last = measured[-1]
    return UniverseReport(
        last,
        tuple(
            _name(universe.instruments[symbol], bars.get(symbol, {}), measured, alike.get(symbol, ()), policy, book)
            for symbol in sorted(universe.instruments)
        ),
    )


def _name(
    of: Instrument,
    bars: Mapping[Session, Sequence[str]],
    measured: Sequence[Session],
    alike: tuple[str, ...],
    policy: Policy,
    book: Book,
) -> NameReport:
    listed = [session for session in measured if of.listed_from is None or of.listed_from <= session]
    covered = [session for session in listed if bars.get(session)]
    newest = max((session for session, sources in bars.items() if sources), default=None)
    behind = sum(1 for session in listed if newest is None or session > newest)
    problems, remarks = [], []
    if of.enabled and newest is None:
        problems.append("no bar at all. Fetch it with `trading-ops prices fetch`, or disable it.")
    elif of.enabled and behind > STALE_AFTER:
        problems.append(
            f"the newest bar is of {newest}, {behind} sessions ago. Look up whether it still trades; if not, disable "
            "it and record its corporate event."
        )
    holes = len(listed) - len(covered) - behind
    if of.enabled and holes > 0:
        remarks.append(f"{holes} of the last {len(listed)} sessions have no bar.")
    if of.enabled and not (of.stooq_symbol or of.yahoo_symbol):
        problems.append("no source knows it: stooq_symbol and yahoo_symbol are empty. Fill in one.")
    remarks += _unverified(of, measured[-1], policy) if of.tradable and book != "live" else []
    problems += _unverified(of, measured[-1], policy) if of.tradable and book == "live" else []
    return NameReport(
        of.symbol, of.enabled, of.tradable, len(listed), len(covered), newest, behind,
        tuple(bars.get(measured[-1], ())), of.verified_on, alike, tuple(problems), tuple(remarks),
    )  # fmt: skip


def _unverified(of: Instrument, last: Session, policy: Policy) -> list[str]:
    if of.verified_on is None:
        return ["never looked up on eToro. Search for its exact name there and write the date into verified_on."]
    age = (last - of.verified_on).days
    if age > policy.risk.verified_max_age:
        return [f"last looked up on eToro {age} days ago. Look again and write the date into verified_on."]
    return []


def look_alikes(universe: Universe) -> dict[Symbol, tuple[str, ...]]:
    """Names of the universe that a person could take for another: the same company, or one letter apart.

    What the broker itself lists beside every name (its extended-hours and euro versions) is on every ticket anyway.
    """
    found: dict[Symbol, list[str]] = {}
    names = [universe.instruments[symbol] for symbol in sorted(universe.instruments)]
    for place, one in enumerate(names):
        for other in names[place + 1 :]:
            if _alike(one, other):
                found.setdefault(one.symbol, []).append(other.symbol)
                found.setdefault(other.symbol, []).append(one.symbol)
    return {symbol: tuple(others) for symbol, others in found.items()}


def _alike(one: Instrument, other: Instrument) -> bool:
    a, b = one.etoro_search_name.upper(), other.etoro_search_name.upper()
    if a == b or (one.notes and _company(one) == _company(other)):
        return True
    short, long_ = sorted((a, b), key=len)
    # A share class behind the same letters: GOOG and GOOGL, FOX and FOXA.
    if len(short) >= 3 and long_.startswith(short) and len(long_) - len(short) == 1:
        return True
    return len(a) == len(b) >= 4 and sum(x != y for x, y in zip(a, b, strict=True)) == 1


def _company(of: Instrument) -> str:
    words = [word.strip(".,()").casefold() for word in of.notes.split()]
    return " ".join(word for word in words if word not in ("class", "a", "b", "c", "inc", "corp", "co"))


def to_markdown(report: UniverseReport) -> str:
    """The report as a person reads it: what is wrong first, then every name."""
    enabled = [name for name in report.names if name.enabled]
    fresh = sum(1 for name in enabled if name.newest == report.last)
    verified = sum(1 for name in enabled if name.tradable and name.verified_on)
    out = [
        f"## Universe at {report.last}",
        "",
        f"{len(report.names)} names, {len(enabled)} enabled; {fresh} of them have a bar of {report.last}; "
        f"{verified} were looked up on eToro at some time.",
        f"The broker also lists every name with {', '.join(LOOK_ALIKES)} behind it; tickets say to reject those.",
        "",
        *_problems(report),
        "| name | enabled | bars | newest | sources | verified | easily taken for | remarks |",
        "|---|---|---|---|---|---|---|---|",
    ]
    out += [
        f"| {n.symbol} | {'yes' if n.enabled else 'no'} | {n.covered} of {n.sessions} | {n.newest or 'none'} | "
        f"{', '.join(n.sources) or 'none'} | {n.verified_on or 'never'} | {', '.join(n.look_alikes) or ''} | "
        f"{' '.join((*n.problems, *n.remarks))} |"
        for n in report.names
    ]
    return "\n".join(out) + "\n"


def _problems(report: UniverseReport) -> Iterable[str]:
    if not report.problems:
        return ["No name has a problem.", ""]
    return [
        f"**Problems ({len(report.problems)})**", "", *(f"- {symbol}: {text}" for symbol, text in report.problems), ""
    ]  # fmt: skip
