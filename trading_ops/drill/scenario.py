"""What a scenario of the drill is: what is served instead of good answers, and what the desk must make of it.

Belongs here: the words. Does not belong here: the scenarios themselves (`faults`), or playing them (`run`).
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from trading_ops.domain.results import Verdict
from trading_ops.drill.damage import Change
from trading_ops.drill.played import PlayedMarket
from trading_ops.drill.server import Asked
from trading_ops.drill.stage import ASOF, SOURCES
from trading_ops.providers.protocol import RefusalKind

EVERYTHING, EVERY_NAME, FIXINGS = "everything", "every name", "GBPUSD"


@dataclass(frozen=True)
class Fault:
    """What one source answers instead.

    Attributes:
        source: Its name.
        change: From the good answer to the one that is served.
        of: EVERYTHING, EVERY_NAME, FIXINGS, or one symbol.
        after: How many such questions are answered well before.
        count: How many are then answered so; None for all of them.
    """

    source: str
    change: Change
    of: str = EVERYTHING
    after: int = 0
    count: int | None = None

    def concerns(self, source: str, subject: str) -> bool:
        """Whether a question is one of those that it spoils."""
        if source != self.source:
            return False
        if self.of == EVERY_NAME:
            return subject != FIXINGS
        return self.of in (EVERYTHING, subject)


@dataclass(frozen=True)
class Expected:
    """What the desk must make of it.

    Attributes:
        verdict: Of the ticket.
        reasons: Reason codes of a NO-TRADE, in the order of the rules.
        journal: For each source whose answers were refused: the kinds that the journal names, sorted.
        given_up: Sources that were not asked any more, sorted; people are told of each.
        sources: Who has the session's bar of the names in question, sorted.
        cross_checked: A TRADE says that two sources agree about all it touches.
        frozen: Names that the plan leaves alone because of what was seen, sorted.
        fx_day: Day of the fixing that the ticket uses.
    """

    verdict: Verdict = "TRADE"
    reasons: tuple[str, ...] = ()
    journal: Mapping[str, tuple[RefusalKind, ...]] = field(default_factory=lambda: MappingProxyType({}))
    given_up: tuple[str, ...] = ()
    sources: tuple[str, ...] = ("stooq", "tiingo")
    cross_checked: bool = True
    frozen: tuple[str, ...] = ()
    fx_day: dt.date | None = ASOF


@dataclass(frozen=True)
class Scenario:
    """One failure and what it must end in.

    Attributes:
        name: For people and for `--only`.
        served: What is served, in words.
        faults: The same as changes of good answers; the first that concerns a question counts.
        expected: What the desk must make of it.
        order: The policy's order of sources.
        about: Names whose bars are looked at; all that lack the week when empty.
        session: The session whose bars are looked at.
        market: Changes the market itself, so that all sources say it.
        nobody: Sources at whose address nobody listens.
        patience: Seconds after which a source is given up, where waiting longer shows nothing more.
    """

    name: str
    served: str
    faults: tuple[Fault, ...] = ()
    expected: Expected = Expected()
    order: tuple[str, ...] = SOURCES
    about: tuple[str, ...] = ()
    session: dt.date = ASOF
    market: Callable[[PlayedMarket], PlayedMarket] | None = None
    nobody: tuple[str, ...] = ()
    patience: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))


def asked_of(asked: Asked) -> tuple[str, str]:
    """Source and subject (a symbol, or GBPUSD) of a question; empty texts when it is about neither."""
    parts = asked.path.strip("/").split("/")
    if asked.path == "/q/d/l/":
        ticker = asked.query.get("s", "")
        return "stooq", FIXINGS if ticker == "gbpusd" else _symbol(ticker.removesuffix(".us"))
    if parts[:2] == ["tiingo", "daily"]:
        return "tiingo", _symbol(parts[2])
    if parts[0] == "v8":
        return "yahoo", FIXINGS if parts[-1] == "GBPUSD=X" else _symbol(parts[-1])
    return ("ecb", FIXINGS) if parts[0] == "service" else ("", "")


def _symbol(spelling: str) -> str:
    return spelling.upper().replace("-", ".")
