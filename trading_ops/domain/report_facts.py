"""Reports as data: what a daily, a weekly and a monthly report say, before anybody words or draws it.

Amounts are in pounds with two places (`_gbp`), prices in US dollars (`_usd`), shares and returns fractions with six
places, instants in UTC (`_utc`). The same facts give the same bytes of Markdown and HTML.
Does not belong here: how a figure is found (`report_figures`), what people read (`reports`).
"""

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from trading_ops.domain.books import Book
from trading_ops.domain.canonical import canonical_bytes
from trading_ops.domain.ticket_model import Gbp, Text, Utc

Share: TypeAlias = Annotated[str, Field(pattern=r"^-?\d+\.\d{6}$", description="a fraction, six places")]
Kind: TypeAlias = Literal["daily", "weekly", "monthly"]
Tone: TypeAlias = Literal["green", "amber", "red", "grey"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Head(_Part):
    """What every report begins with.

    Attributes:
        day: The session that it is about; of a weekly report the as-of session of the week's plan.
        through: The session at whose close its figures stand.
        morning_utc: The London morning on which it was due.
        written_utc: When it was written.
        audit_seq: Facts up to this row of the audit chain were known to it.
        replaces: SHA-256 of the facts of the report that it corrects, or None.
        headline: The whole report in one line.
        tone: What that line means.
        summary: The few sentences that a mail shows.
    """

    book: Book
    day: dt.date
    through: dt.date
    week: Text
    morning_utc: Utc
    written_utc: Utc
    audit_seq: int
    audit_hash: Text
    revision: Annotated[int, Field(ge=1)]
    replaces: Text | None
    headline: Text
    tone: Tone
    summary: tuple[Text, ...]


class Money(_Part):
    """Where the pounds are and where they came from: equity = paid in + realised + unrealised + dividends + other.

    Attributes:
        other_gbp: Interest, fees of the account and adjustments, cash of corporate events.
        complete: Every held name had its own close of the day, and there was a fixing.
    """

    equity_gbp: Gbp
    cash_gbp: Gbp
    holdings_gbp: Gbp
    paid_in_gbp: Gbp
    realised_gbp: Gbp
    unrealised_gbp: Gbp
    dividends_gbp: Gbp
    other_gbp: Gbp
    complete: bool


class Returns(_Part):
    """How the book did, beside the benchmark in pounds over the same days; None where there is no such figure.

    Attributes:
        since: First session of the index.
        period: Return of the day, or of the week, the report is about.
        drawdown: Share lost from the running maximum since the last re-arming, as the DRAWDOWN rule counts it.
        mwr: Money-weighted return since the first deposit, not annualised; `mwr_a_year` only from one year on.
        benchmark_mwr: The same of the same deposits put into the benchmark.
        benchmark_value_gbp: What those would be worth.
    """

    since: dt.date | None
    period: Share | None
    period_gbp: Gbp | None
    period_benchmark: Share | None
    twr: Share | None
    twr_a_year: Share | None
    benchmark: Text
    benchmark_twr: Share | None
    drawdown: Share | None
    drawdown_allowed: Share
    deepest: Share | None
    deepest_on: dt.date | None
    mwr: Share | None
    mwr_a_year: Share | None
    benchmark_mwr: Share | None
    benchmark_mwr_a_year: Share | None
    benchmark_value_gbp: Gbp | None


class Point(_Part):
    """One session of the curves; the indices start at 1."""

    session: dt.date
    equity_gbp: Gbp
    index: Share
    benchmark: Share | None
    drawdown: Share


class Holding(_Part):
    """A held name.

    Attributes:
        share: Of equity.
        priced_on: The session of the close it is valued at; None when only its purchase price is known.
    """

    symbol: Text
    units: Annotated[str, Field(pattern=r"^\d+\.\d{6}$")]
    value_gbp: Gbp
    share: Share
    unrealised_gbp: Gbp
    priced_on: dt.date | None


class Costs(_Part):
    """What trading cost: exchange, slippage and fees in pounds; below 0 is gained."""

    label: Text
    fills: int
    value_gbp: Gbp
    fx_gbp: Gbp
    slippage_gbp: Gbp
    fees_gbp: Gbp
    total_gbp: Gbp
    bps: Annotated[str, Field(pattern=r"^-?\d+\.\d$")]


class RuleState(_Part):
    """A rule that did not pass, and why."""

    code: Text
    outcome: Literal["FAIL", "NOT_EVALUATED"]
    sentence: Text
    remedy: Text


class GateState(_Part):
    """One gate: how many of its rules passed, and the others with their reasons."""

    gate: Text
    asked: Text
    passed: int
    of: int
    others: tuple[RuleState, ...]


class OpenIncident(_Part):
    """An incident that nobody has closed."""

    kind: Text
    title: Text
    blocking: bool


class Quality(_Part):
    """The prices of the day: how many expected names have one, who lacks one, who is frozen."""

    expected: int
    priced: int
    missing: tuple[Text, ...]
    held_without: tuple[Text, ...]
    frozen: tuple[Text, ...]
    fixing_day: dt.date | None
    usd_per_gbp: Text | None


class Next(_Part):
    """The next rebalance."""

    week: Text
    opens_utc: Utc
    decide_by_utc: Utc
    session: dt.date
    window_open_utc: Utc
    window_close_utc: Utc
    confirm_by_utc: Utc
    clock_note: Text


class Safety(_Part):
    """What stands behind the desk: kill switch, backup, account check."""

    kill_switch: Text
    kill_switch_why: Text
    backup_proven_utc: Utc | None
    backup_ok: bool
    backup_allowed: Text
    checked_utc: Utc | None


class TicketLine(_Part):
    """One line of the week's ticket, asked and done."""

    line: int
    side: Literal["BUY", "SELL"]
    symbol: Text
    asked_gbp: Gbp
    asked_units: Text
    done_gbp: Gbp
    done_units: Text
    status: Text
    price_usd: Text | None
    reference_usd: Text
    slippage: Share | None
    cost_gbp: Gbp | None
    as_told: bool
    remark: Text


class TicketPart(_Part):
    """The week's ticket: what it said and what became of it.

    Attributes:
        why: Of a NO-TRADE, each reason as a sentence; else empty.
        compliance: Lines as told / lines.
        turnover: max(buys, sells) / equity, as executed; `turnover_asked` as the ticket asked.
    """

    ticket_id: Text
    verdict: Text
    withdrawn: Text
    why: tuple[Text, ...]
    lines: tuple[TicketLine, ...]
    as_told: int
    compliance: Share | None
    asked_buys_gbp: Gbp
    asked_sells_gbp: Gbp
    done_buys_gbp: Gbp
    done_sells_gbp: Gbp
    turnover_asked: Share
    turnover: Share
    costs: Costs


class RolloutPart(_Part):
    """Where the roll-out stands: one sentence, and what is missing for the next phase."""

    sentence: Text
    missing: tuple[Text, ...]


class SharedFacts(_Part):
    """What every kind of report says of the book.

    Attributes:
        rollout: Left out of a book without a roll-out, and of reports of before there was one.
    """

    head: Head
    money: Money
    returns: Returns
    holdings: tuple[Holding, ...]
    cash_share: Share
    cash_floor: Share
    max_weight: Share
    costs: tuple[Costs, ...]
    trades: tuple[Costs, ...]
    next: Next
    points: tuple[Point, ...]
    rollout: Annotated[RolloutPart | None, Field(exclude_if=lambda value: value is None)] = None


class DailyFacts(SharedFacts):
    """A daily report."""

    schema_version: Literal[1]
    kind: Literal["daily"]
    ticket: Text
    gates: tuple[GateState, ...]
    quality: Quality
    incidents: tuple[OpenIncident, ...]
    safety: Safety


class WeeklyFacts(SharedFacts):
    """A weekly report; `ticket` is None for a week without one.

    Attributes:
        schema_version: 1 says of the lines how many were "as told"; 2 says what became of them instead.
    """

    schema_version: Literal[1, 2]
    kind: Literal["weekly"]
    ticket: TicketPart | None


class MonthTicket(_Part):
    """One ticket of a month.

    Attributes:
        reasons: Codes of a NO-TRADE.
        became: What became of its lines, as a sentence's part; empty without lines.
    """

    ticket_id: Text
    verdict: Text
    reasons: tuple[Text, ...]
    became: Text
    turnover: Share
    costs: Costs


class Counted(_Part):
    """So many times."""

    what: Text
    count: int


class Measured(_Part):
    """A number of the policy beside what the fills say of it."""

    key: Text
    in_force: Text
    measured: Share | None
    fills: int


class MonthlyFacts(SharedFacts):
    """The review pack of a month.

    Attributes:
        failed: Reason codes of its tickets.
        incidents: Incidents opened, by class; `still_open` are those that nobody has closed.
        corrections: Answers corrected and entries taken back.
        policies: Versions of the policy put in force.
    """

    schema_version: Literal[1]
    kind: Literal["monthly"]
    month: Text
    tickets: tuple[MonthTicket, ...]
    failed: tuple[Counted, ...]
    incidents: tuple[Counted, ...]
    still_open: tuple[OpenIncident, ...]
    corrections: int
    account_checks: int
    proven_backups: int
    policies: int
    measured: tuple[Measured, ...]


Facts: TypeAlias = DailyFacts | WeeklyFacts | MonthlyFacts
_OF: Mapping[Kind, type[DailyFacts] | type[WeeklyFacts] | type[MonthlyFacts]] = {
    "daily": DailyFacts, "weekly": WeeklyFacts, "monthly": MonthlyFacts,
}  # fmt: skip


def facts_bytes(facts: Facts) -> bytes:
    """The canonical bytes of a report's facts: what is hashed and stored."""
    return canonical_bytes(facts.model_dump(mode="json"))


def parse(kind: Kind, text: str) -> Facts:
    """Stored facts as they were."""
    return _OF[kind].model_validate_json(text)
