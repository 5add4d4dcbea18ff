"""Tickets that wait for answers, in a small home, and people who answer them.

Belongs here: issuing TRADE tickets without planning them, positions held before, answers and what was stored of them.
Does not belong here: what a ticket's content looks like (`unit.ticket_factory`), planned books (`lived_factory`).
"""

import datetime as dt
import threading
import uuid
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from typing import Any

import psycopg

from trading_ops.domain import calendar
from trading_ops.domain.answer import Answer, FillPart
from trading_ops.domain.gates import decide
from trading_ops.domain.ledger import Fill, LedgerFacts, LedgerState, ledger_at
from trading_ops.domain.orders import Order
from trading_ops.settings import Settings
from trading_ops.store import answers, audit, configuration, ledger, plans, tickets
from trading_ops.store.answers import Shown
from trading_ops.store.connect import run_transaction
from trading_ops.store.plans import Run
from trading_ops.store.provenance import CodeState
from trading_ops.store.tickets import Ticket
from trading_ops_tests.integration.home_factory import opened, set_up
from trading_ops_tests.unit import ticket_factory as factory

CODE = CodeState("0" * 40, False)
ANNA = "anna"
RATE = Decimal("1.40")
Row = dict[str, Any]


def universe_text(*names: str) -> str:
    """A universe of the tickets' names, and the benchmark."""
    header = (
        "internal_symbol,stooq_symbol,yahoo_symbol,etoro_search_name,currency,instrument_type,tradable_underlying,"
        "enabled,listed_from,verified_on,notes"
    )
    rows = [f"{s},{s.lower()}.us,{s.replace('.', '-')},{s},USD,stock,true,true,,,{s} Inc" for s in names]
    return "\n".join([header, *rows, "SPY,spy.us,SPY,SPY,USD,etf,false,true,,,benchmark only"]) + "\n"


def set_up_desk(home: Settings) -> None:
    """Book, policy and universe."""
    with opened(home) as conn:
        set_up(conn, universe=universe_text(*factory.NAMES))


def begin(conn: psycopg.Connection[Any], asof: dt.date, *, test: bool = False) -> Run:
    """A plan that has begun, with its run."""
    with conn.transaction():
        make = plans.register_test if test else plans.register
        plan = make(conn, asof, configuration.policy_in_force(conn).policy)
        return plans.start_run(
            conn, plan, uuid.uuid5(uuid.NAMESPACE_URL, f"test:run:{plan.plan_id}"), code=CODE, signal_source="stub",
            model_version="1", driver="direct",
        )  # fmt: skip


def issue(conn: psycopg.Connection[Any], asof: dt.date, orders: Sequence[Order], *, test: bool = False) -> Ticket:
    """A TRADE ticket of these orders: its plan, opening, run and decision stored by the product's own functions."""
    following = calendar.last_session_of_week(asof + dt.timedelta(days=7))
    with conn.transaction():
        run = begin(conn, asof, test=test)
        plan = plans.get(conn, run.plan_id)
        times = replace(calendar.plan_times(asof, factory.committed_policy()), week=plan.week)
        content = factory.make_content(
            orders=orders, book="sim", asof=asof, next_plan=following, times=times, plan_id=plan.plan_id
        )
        verdict = decide(factory.all_passed("sim"), True, "sim")
        decision_id = tickets.record_decision(conn, plan.plan_id, run.run_id, verdict, orders)
        return tickets.issue(
            conn, content, run_id=run.run_id, decision_id=decision_id, code=CODE, issued_at=plan.opens_at,
            decided_as_of=plan.decide_by, evidence=("NAMES_FROZEN",),
        )  # fmt: skip


def executed_at(asof: dt.date, minute: int = 50) -> dt.datetime:
    """A moment of the window after an as-of session, in UTC."""
    session = calendar.next_session(asof)
    return dt.datetime(session.year, session.month, session.day, 14, minute, tzinfo=dt.UTC)


def done(asof: dt.date, line: int = 1, value: str = "310.00", price: str = "230.00", **changes: Any) -> Answer:
    """A line that was carried out: pounds and price as the screen shows them."""
    fields: Row = {
        "price_usd": Decimal(price),
        "value_gbp": Decimal(value),
        "executed_at": executed_at(asof),
        **changes,
    }
    return Answer(line, "DONE", **fields)


def part(asof: dt.date, units: str | None, price: str, value: str | None, **changes: Any) -> FillPart:
    """One position that a line closed."""
    read = [None if text is None else Decimal(text) for text in (units, value)]
    return FillPart(Decimal(price), executed_at(asof), *read, **changes)


def held(conn: psycopg.Connection[Any], symbol: str, units: str, session: dt.date, position_id: str | None) -> str:
    """A position bought before the ticket; returns its lot's id."""
    fill = Fill(
        str(uuid.uuid5(uuid.NAMESPACE_URL, f"test:held:{symbol}:{session}")), symbol, "BUY", Decimal(units),
        Decimal("80.00"), Decimal("200.00"), Decimal(0), executed_at(session), session, position_id,
    )  # fmt: skip
    with conn.transaction():
        ledger.record_fill(conn, fill, recorded_by="operator", why="held before")
    return fill.fill_id


def seen(conn: psycopg.Connection[Any], ticket: Ticket) -> Shown:
    """What a page that is opened now shows."""
    return Shown(
        ticket.content_sha256, {n: s.revision for n, s in answers.in_force(conn, ticket.plan_id).items()}
    )  # fmt: skip


def answer(
    conn: psycopg.Connection[Any],
    ticket: Ticket,
    given: Iterable[Answer],
    shown: Shown | None,
    *,
    correct: bool = False,
) -> tuple[int, int]:
    """Answer lines as Anna does, in a transaction of its own."""

    def work(conn: psycopg.Connection[Any]) -> tuple[int, int]:
        audit.speaking_as(conn, ANNA)
        return answers.record_answers(
            conn, ticket.plan_id, list(given), answered_by=ANNA, rate_of=lambda _: RATE, where="the page",
            correct=correct, shown=shown,
        )  # fmt: skip

    return run_transaction(conn, work)


def book(conn: psycopg.Connection[Any]) -> LedgerState:
    """The ledger as it stands, no splits."""
    head = audit.head(conn).seq
    facts = LedgerFacts(ledger.fills(conn, head), ledger.movements(conn, head), (), ledger.events(conn, head))
    return ledger_at(facts, dt.date(2099, 1, 1))


def rows(conn: psycopg.Connection[Any], table: str) -> list[Row]:
    """Everything in a table, in the order it was stored where it has one."""
    return conn.execute(f"SELECT * FROM ops.{table} ORDER BY created_at").fetchall()


def counts(conn: psycopg.Connection[Any], *tables: str) -> tuple[int, ...]:
    """How many rows each of these tables has."""
    return tuple(len(rows(conn, table)) for table in tables)


def at_once(*work: Callable[[], object]) -> list[object]:
    """Do all of it at the same moment, each in its own thread; a refusal is its result."""
    ready = threading.Barrier(len(work))

    def run(one: Callable[[], object]) -> object:
        ready.wait(30)
        return one()

    with ThreadPoolExecutor(len(work)) as pool:
        futures = [pool.submit(run, one) for one in work]
    return [future.exception() or future.result() for future in futures]
