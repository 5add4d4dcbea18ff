"""The week to Friday 2 February 2018 on real prices: as it should be, and with one thing gone wrong.

Belongs here: what data and people do in that week, and playing it to a verdict.
Does not belong here: the book's weeks before (`lived_factory`), which faults there are (`test_planted_faults`).
"""

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal

import psycopg
import pyarrow as pa
import pytest

from trading_ops.domain import calendar, judgement
from trading_ops.domain.answer import Answer
from trading_ops.domain.judgement import Judgement, PlanInputs
from trading_ops.domain.kill_switch import state_at
from trading_ops.domain.ledger import CashMovement, Fill
from trading_ops.domain.ticket_model import TicketContent
from trading_ops.planning import direct, issue, steps
from trading_ops.providers.protocol import ACTIONS, BARS, FIXINGS
from trading_ops.settings import Settings
from trading_ops.store import answers, audit, broker, configuration, desk, ledger, market, plans
from trading_ops.store.tickets import Ticket
from trading_ops_tests.integration import lived_factory as lived
from trading_ops_tests.integration.home_factory import opened, policy_text
from trading_ops_tests.integration.lived_factory import ASOF, AT, FIRST_PLAN, SECOND_PLAN, SECOND_WINDOW, Lived
from trading_ops_tests.integration.wrong_sizings import WrongSizing

SECOND = "tiingo"
Row = dict[str, Any]
Fact = Callable[[psycopg.Connection[Any]], object]
USD_PER_GBP = Decimal("1.41")
"""Only for answers that leave a number out; these leave none out."""


@dataclass
class Week:
    """What arrives and what people do between the second plan and the third; a fault changes one thing of it.

    Attributes:
        home: The home in which it happens.
        bars: The week's delivery, one row a bar; likewise actions and fixings.
        answers: The answers to the second ticket.
        dividends: Dividends that the operator books.
        cash_gbp: What the broker shows at the close of the as-of session; likewise holdings.
        snapshot: The operator types that in.
        policy: Lines of the policy that differ from the shipped one.
        facts: Whatever else happens, in order.
        sizing: Stands in for the sizing's orders: correct sizing never gives what the risk engine looks for.
        inputs: Changes what the plan sees, for a book that cannot trade here (live).
        course: How far the plan gets.
        clock: When it is decided; its own decide-by when None.
        without_key: A table that has lost its primary key.
        second: What a second source delivers: bars, and its corporate actions.
    """

    home: Settings
    bars: list[Row]
    actions: list[Row]
    fixings: list[Row]
    answers: list[Answer]
    dividends: list[CashMovement]
    cash_gbp: Decimal
    holdings: dict[str, Decimal]
    snapshot: bool = True
    policy: dict[str, str] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    sizing: WrongSizing | None = None
    inputs: Callable[[PlanInputs], PlanInputs] | None = None
    course: Literal["whole", "stopped", "never ran"] = "whole"
    clock: dt.datetime | None = None
    without_key: str | None = None
    second: list[Row] = field(default_factory=list)
    second_actions: list[Row] = field(default_factory=list)

    # ---- the vocabulary of the table
    def bar(self, symbol: str, session: dt.date = ASOF) -> Row:
        """A bar of the delivery."""
        return next(row for row in self.bars if (row["symbol"], row["session"]) == (symbol, session))

    def leave_out(self, *symbols: str, session: dt.date = ASOF) -> None:
        """The delivery lacks these bars."""
        for symbol in symbols:
            self.bars.remove(self.bar(symbol, session))

    def move(self, symbol: str, factor: str, session: dt.date = ASOF) -> None:
        """All prices of a bar are multiplied."""
        row = self.bar(symbol, session)
        for column in ("open", "high", "low", "close", "adj_close"):
            row[column] = round(row[column] * Decimal(factor), 8)

    def announce(self, symbol: str, ex_date: dt.date, kind: str, value: Decimal) -> None:
        """The delivery has a corporate action more."""
        self.actions.append(
            {"symbol": symbol, "ex_date": ex_date, "kind": kind, "value": value, "source": "files"}
        )  # fmt: skip

    def second_source(self) -> None:
        """A second source delivers the same, and the policy wants two."""
        self.policy["sources_min"] = "2"
        as_traded = {"source": SECOND, "flags": "NOT_ADJUSTED"}
        self.second = [{**row, **as_traded, "adj_close": row["close"]} for row in self.bars]
        self.second_actions = [{**row, "source": SECOND} for row in self.actions]

    def second_bar(self, symbol: str, session: dt.date = ASOF) -> Row:
        """A bar of the second source."""
        return next(row for row in self.second if (row["symbol"], row["session"]) == (symbol, session))

    @property
    def held(self) -> list[str]:
        """Names at the broker, sorted; one with a dividend in the week is last: the least simple case."""
        paying = {movement.symbol for movement in self.dividends}
        return sorted(self.holdings, key=lambda symbol: (symbol in paying, symbol))

    @property
    def not_held(self) -> list[str]:
        """Names that the plan expects and nobody holds, sorted."""
        with opened(self.home) as conn:
            universe = configuration.universe_of_day(conn, ASOF).universe
        return [symbol for symbol in universe.expected(ASOF) if symbol not in self.holdings]

    def not_done(self, status: str, reason: str) -> Answer:
        """The second ticket's last line was not carried out, and the answer says so; returns that answer."""
        old = self.answers.pop()
        assert old.units is not None
        assert old.value_gbp is not None
        self.cash_gbp += old.value_gbp
        self.holdings = {s: u for s, u in self.holdings.items() if u != old.units}
        self.answers.append(Answer(old.line, status, reason))
        return self.answers[-1]


def week(book: Lived, home: Settings) -> Week:
    """The week as it should be."""
    tables = lived.days(lived.real_prices(lived.FIRST_BAR, ASOF), SECOND_WINDOW, ASOF)
    after = {kind: table.to_pylist() for kind, table in tables.items()}
    return Week(
        home=home,
        bars=[row for row in after["bars"] if row["session"] > SECOND_WINDOW],
        actions=[row for row in after["actions"] if row["ex_date"] > SECOND_WINDOW],
        fixings=after["fixings"],
        answers=list(book.executed),
        dividends=[
            CashMovement(
                str(uuid.uuid5(uuid.NAMESPACE_URL, f"test:dividend:{c.symbol}")), "dividend", c.amount_gbp, c.ex_date,
                calendar.open_utc(c.ex_date), c.symbol, c.ex_date,
            )
            for c in book.credits
        ],
        cash_gbp=book.cash_gbp,
        holdings=dict(book.holdings),
    )  # fmt: skip


Plant = Callable[[Week], None]


@dataclass(frozen=True)
class Played:
    """How the week ended: the ticket, why names are frozen, and the kill switch afterwards."""

    ticket: TicketContent
    frozen: dict[str, str]
    switch: str


def nothing(_: Week) -> None:
    """No circumstances, or no fault."""


def play(book: Lived, plants: tuple[Plant, ...]) -> Played:
    """Let the week happen in the book, plan it, and take it back."""
    with lived.rolled_back(book.weeks) as conn, pytest.MonkeyPatch.context() as patch:
        story = week(book, book.weeks)
        for plant in plants:
            plant(story)
        happen(conn, story)
        if story.sizing is not None:
            patch.setattr(judgement, "size_orders", story.sizing)
        ticket = _decide(conn, story)
        report = conn.execute("SELECT body FROM ops.quality_reports WHERE asof = %s", (ASOF,)).fetchone()
        frozen = {found["symbol"]: found["code"] for found in report["body"]["outliers"]} if report else {}
        events = desk.kill_switch_events(conn, audit.head(conn).seq)
        return Played(ticket, frozen, state_at(events, ASOF).state)


def play_first_week(book: Lived, *, snapshot: bool) -> TicketContent:
    """The first plan of a fresh book that was given money, with and without its opening snapshot."""
    with lived.rolled_back(book.fresh) as conn:
        _deposit(conn, lived.CASH, FIRST_PLAN)
        if snapshot:
            _snapshot(conn, FIRST_PLAN, lived.CASH, {})
        return _content(lived.plan(conn, book.fresh, FIRST_PLAN))


def happen(conn: psycopg.Connection[Any], story: Week) -> None:
    """Everything of the week up to its plan."""
    if story.without_key is not None:
        conn.execute("RESET ROLE")
        conn.execute(f"ALTER TABLE ops.{story.without_key} DROP CONSTRAINT {story.without_key}_pkey")
        conn.execute("SET LOCAL ROLE app_writer")
    lived.deliver(
        conn,
        {
            "bars": pa.Table.from_pylist(story.bars, schema=BARS),
            "actions": pa.Table.from_pylist(story.actions, schema=ACTIONS),
            "fixings": pa.Table.from_pylist(story.fixings, schema=FIXINGS),
        },
    )
    if story.second:
        tables = {
            "bars": pa.Table.from_pylist(story.second, schema=BARS),
            "actions": pa.Table.from_pylist(story.second_actions, schema=ACTIONS),
        }
        with conn.transaction():
            market.write_load(
                conn, provider=SECOND, origin="a test", simulated=False, tables=tables, fetched_at=AT
            )  # fmt: skip
    with conn.transaction():
        if story.answers:
            answers.record_answers(
                conn, SECOND_PLAN.isoformat(), story.answers, answered_by="executor", rate_of=lambda _: USD_PER_GBP,
                where="the form",
            )  # fmt: skip
        for movement in story.dividends:
            ledger.record_movement(conn, movement, recorded_by="operator", why="credited by the broker")
        if story.policy:
            configuration.import_policy(conn, policy_text(**story.policy), "policy.yml")
    for fact in story.facts:
        with conn.transaction():
            fact(conn)
    if story.snapshot:
        _snapshot(conn, ASOF, story.cash_gbp, story.holdings)


def _decide(conn: psycopg.Connection[Any], story: Week) -> TicketContent:
    home = story.home
    plan = direct.register(conn, ASOF, AT)
    if story.course == "whole":
        run = direct.run_plan(conn, home.snapshots_dir, plan.plan_id)
    elif story.course == "stopped":
        run = steps.start(conn, home.snapshots_dir, plan.plan_id, uuid.uuid4(), driver="direct")
        steps.judge_confirmation(run)
        steps.take_snapshot(run)
        steps.judge_data(run)
    if story.inputs is not None:
        seen = Judgement(story.inputs(run.judgement.inputs))
        recorded = [result.code for result in seen.results()]
        around = replace(run.frame, book=seen.inputs.book)
        bound = plans.run(conn, run.run.run_id)
        return issue.compose(around, bound, seen, recorded, plan.decide_by)[0]
    ticket = issue.decide_plan(
        conn, home.tickets_dir, home.snapshots_dir, plan.plan_id, at=AT, final=True, clock=story.clock or plan.decide_by
    )
    assert isinstance(ticket, Ticket)
    return _content(ticket)


def _content(ticket: Ticket) -> TicketContent:
    return TicketContent.model_validate_json(ticket.content)


def _snapshot(conn: psycopg.Connection[Any], asof: dt.date, cash_gbp: Decimal, holdings: dict[str, Decimal]) -> None:
    with conn.transaction():
        broker.add_snapshot(
            conn, taken_at=calendar.close_utc(asof), session=asof, cash_gbp=cash_gbp,
            holdings={symbol: (units, 6) for symbol, units in holdings.items()}, origin="the form",
            entered_by="executor",
        )  # fmt: skip


def _deposit(conn: psycopg.Connection[Any], amount_gbp: Decimal, day: dt.date) -> None:
    with conn.transaction():
        move_cash(conn, "deposit", amount_gbp, day)


def move_cash(conn: psycopg.Connection[Any], kind: str, amount_gbp: Decimal, day: dt.date) -> None:
    """Record a deposit or a withdrawal."""
    movement = CashMovement(str(uuid.uuid4()), kind, amount_gbp, day, calendar.open_utc(day))  # type: ignore[arg-type]
    ledger.record_movement(conn, movement, recorded_by="operator", why="moved by the operator")


def opening_position(conn: psycopg.Connection[Any], fill: Fill) -> None:
    """Record a purchase outside any ticket, and the money it was paid with."""
    move_cash(conn, "deposit", fill.value_gbp, fill.session)
    ledger.record_fill(conn, fill, recorded_by="operator", why="held before the desk began")
