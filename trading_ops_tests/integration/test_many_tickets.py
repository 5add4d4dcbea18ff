"""Three clicks and two more windows for every ticket, all at once: one decision each, and nothing of the others."""

import datetime as dt
import queue
import random
import threading
import uuid
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal

import psycopg

from trading_ops.domain import calendar
from trading_ops.domain.answer import Answer
from trading_ops.domain.canonical import canonical_bytes, sha256_hex
from trading_ops.settings import Settings
from trading_ops.store import answers, audit, ledger, submissions
from trading_ops.store.answers import AnsweredMeanwhile, Shown
from trading_ops.store.connect import Connection, run_transaction
from trading_ops.store.tickets import Ticket
from trading_ops_tests.integration import desk_factory as desk
from trading_ops_tests.integration.home_factory import opened
from trading_ops_tests.unit.ticket_factory import make_buy

TICKETS, THREADS, CLICKS, TABS = 300, 16, 3, 2
PATIENCE = 60.0


@dataclass(frozen=True)
class Press:
    """A button pressed once: which ticket, which form, what is in it."""

    ticket: Ticket
    form: uuid.UUID
    answer: Answer


@dataclass(frozen=True)
class Ending:
    """How a press ended."""

    press: Press
    outcome: str


def test_300_tickets_pressed_five_times_each_from_16_threads_give_300_decisions(fresh_home: Settings) -> None:
    desk.set_up_desk(fresh_home)
    with opened(fresh_home) as conn, conn.transaction():
        asofs = list(calendar.weekly_asofs(dt.date(2013, 1, 4), dt.date(2019, 12, 31)))[:TICKETS]
        issued = [desk.issue(conn, asof, [make_buy(1, "NVDA", "310", rank=4)]) for asof in asofs]
    assert len(issued) == TICKETS
    presses = [press for number, ticket in enumerate(issued) for press in _presses(number, ticket)]
    endings = _press_all(fresh_home, presses)
    with opened(fresh_home) as conn:
        _each_ticket_has_one_decision(conn, issued, endings)
        _the_losers_left_nothing(conn, endings)
        assert audit.broken(conn) == []
        assert ledger.tampered(conn) == []
        row = conn.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()").fetchone()
        assert row == {"deadlocks": 0}


def _presses(number: int, ticket: Ticket) -> list[Press]:
    """The three clicks on one form, and the two other windows, in any order; every form's price is its own."""
    asof = dt.date.fromisoformat(ticket.plan_id)
    forms = [
        (uuid.uuid4(), desk.done(asof, price=f"{230 + number}.0{form}", note=f"window {form} of {number}"))
        for form in range(1 + TABS)
    ]
    made = [Press(ticket, *forms[0])] * CLICKS + [Press(ticket, *form) for form in forms[1:]]
    random.Random(number).shuffle(made)
    return made


def _press_all(home: Settings, presses: Sequence[Press]) -> list[Ending]:
    waiting: queue.SimpleQueue[Press] = queue.SimpleQueue()
    for press in presses:
        waiting.put(press)
    ready = threading.Barrier(THREADS)

    def person(_: int) -> list[Ending]:
        endings = []
        with opened(home, "executor_ui") as conn:
            ready.wait(PATIENCE)
            while not waiting.empty():
                try:
                    press = waiting.get_nowait()
                except queue.Empty:
                    break
                endings.append(Ending(press, _outcome(conn, press)))
        return endings

    with ThreadPoolExecutor(THREADS) as pool:
        return [ending for endings in pool.map(person, range(THREADS)) for ending in endings]


def _outcome(conn: Connection, press: Press) -> str:
    shown = Shown(press.ticket.content_sha256, {})

    def record(conn: Connection) -> dict[str, int]:
        stored, repeated = answers.record_answers(
            conn, press.ticket.plan_id, [press.answer], answered_by=desk.ANNA, rate_of=lambda _: desk.RATE,
            where="the page", shown=shown,
        )  # fmt: skip
        return {"stored": stored, "repeated": repeated}

    def send(conn: Connection) -> submissions.Sent:
        audit.speaking_as(conn, desk.ANNA)
        return submissions.once(
            conn, press.form, "answers", press.ticket.ticket_id, press.answer.payload(), desk.ANNA,
            lambda: record(conn),
        )  # fmt: skip

    try:
        sent = run_transaction(conn, send)
    except AnsweredMeanwhile:
        return "refused"
    assert sent.result == {"stored": 1, "repeated": 0}
    return "first" if sent.first else "again"


def _each_ticket_has_one_decision(
    conn: psycopg.Connection[desk.Row], issued: Sequence[Ticket], endings: Sequence[Ending]
) -> None:
    assert desk.counts(conn, "confirmations", "ledger_trades_fills", "submissions", "ledger_voids") == (
        300,
        300,
        300,
        0,
    )
    assert len(endings) == TICKETS * (CLICKS + TABS)
    assert Counter(ending.outcome for ending in endings)["first"] == TICKETS
    fills = {f["plan_id"]: f for f in desk.rows(conn, "ledger_trades_fills")}
    decided = {row["plan_id"]: row for row in desk.rows(conn, "confirmations")}
    for ticket in issued:
        mine = [ending for ending in endings if ending.press.ticket == ticket]
        (won,) = [ending.press for ending in mine if ending.outcome == "first"]
        again = CLICKS - 1 if sum(ending.press.form == won.form for ending in mine) == CLICKS else 0
        assert Counter(e.outcome for e in mine if e.press.form == won.form) == Counter({"first": 1, "again": again})
        assert {e.outcome for e in mine if e.press.form != won.form} == {"refused"}
        assert decided[ticket.plan_id]["content_sha256"] == sha256_hex(canonical_bytes(won.answer.payload()))
        assert decided[ticket.plan_id]["revision"] == 1
        assert fills[ticket.plan_id]["price_usd"] == won.answer.price_usd
    assert len(desk.book(conn).lots["NVDA"]) == TICKETS
    assert desk.book(conn).cash_gbp == -TICKETS * Decimal(310)


def _the_losers_left_nothing(conn: psycopg.Connection[desk.Row], endings: Sequence[Ending]) -> None:
    lost = {ending.press.form: ending.press.answer for ending in endings if ending.outcome == "refused"}
    assert len(lost) == TICKETS * TABS
    everything = " ".join(str(row) for table in ("audit_log", "incidents", "outbox") for row in desk.rows(conn, table))
    stored = {row["note"] for row in desk.rows(conn, "confirmations")}
    assert not lost.keys() & {row["submission_id"] for row in desk.rows(conn, "submissions")}
    assert not stored & {answer.note for answer in lost.values()}
    assert not [answer.note for answer in lost.values() if f'"{answer.note}"' in everything]
