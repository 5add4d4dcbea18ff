"""A test ticket: one smallest real order through the whole path, judged by every rule, replayed like any other."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from trading_ops.desk import books_now
from trading_ops.domain import calendar
from trading_ops.domain.answer import Answer
from trading_ops.domain.errors import Refused
from trading_ops.domain.ticket_model import TicketContent
from trading_ops.planning.direct import plan_now, test_now
from trading_ops.planning.replay import replay
from trading_ops.settings import Settings
from trading_ops.store import answers, broker, plans
from trading_ops.store.server import Server
from trading_ops_tests.integration import lived_factory as lived
from trading_ops_tests.integration.home_factory import opened

pytestmark = lived.needs_real_prices
test_now.__test__ = False  # type: ignore[attr-defined]

MIDWEEK = dt.date(2018, 1, 30)
WHILE_OPEN = dt.datetime(2018, 1, 30, 15, tzinfo=dt.UTC)


@pytest.fixture
def home(embedded_server: Server, administrator: psycopg.Connection[Any], tmp_path: Path) -> Iterator[Settings]:
    """A book that lived two weeks, the second ticket answered, prices up to a Tuesday."""
    book = lived.live(embedded_server, administrator)
    with lived.own_home(book.lived, administrator, tmp_path / "home") as own:
        with opened(own) as conn:
            lived.deliver(
                conn, lived.days(lived.real_prices(lived.FIRST_BAR, lived.ASOF), lived.SECOND_WINDOW, MIDWEEK)
            )
            with conn.transaction():
                answers.record_answers(
                    conn, book.second.plan_id, book.executed, answered_by="anna", where="a test",
                    rate_of=lambda _: Decimal("1.41"),
                )  # fmt: skip
        yield own


def _deliver(conn: psycopg.Connection[Any], first: dt.date, last: dt.date) -> None:
    lived.deliver(conn, lived.days(lived.real_prices(lived.FIRST_BAR, lived.ASOF), first, last))


def _issue(home: Settings, conn: psycopg.Connection[Any], asof: dt.date = MIDWEEK) -> TicketContent:
    ticket = test_now(conn, home.tickets_dir, home.snapshots_dir, asof, at=lived.AT)
    return TicketContent.model_validate_json(ticket.content)


def _check_in(conn: psycopg.Connection[Any], home: Settings) -> None:
    """The account as the ledger has it on that day, so that the books agree."""
    state = books_now.books(conn).at(MIDWEEK)
    holdings = {s: (p.units, 6) for s, p in state.positions.items()}
    with conn.transaction():
        broker.add_snapshot(
            conn, taken_at=calendar.close_utc(MIDWEEK), session=MIDWEEK, cash_gbp=state.cash_gbp, holdings=holdings,
            origin="a test", entered_by="anna",
        )  # fmt: skip


def test_it_is_one_smallest_order_judged_by_every_rule(home: Settings) -> None:
    with opened(home) as conn:
        _check_in(conn, home)
        content = _issue(home, conn)
        assert content.ticket_id == f"test-{MIDWEEK}"
        assert content.verdict.value == "TRADE", content.reasons
        (line,) = content.lines
        assert (line.side, line.amount_gbp) == ("BUY", "25.00")
        assert content.window.session == dt.date(2018, 1, 31)
        assert content.next_plan == lived.ASOF
        assert {gate.code for gate in content.gates} >= {"CASH_DRIFT", "CONFIRMATION_MISSING", "NO_CFD", "KILL_SWITCH"}


def test_it_replays_byte_for_byte_and_is_issued_once(home: Settings) -> None:
    with opened(home) as conn, opened(home, "replayer") as blind:
        _check_in(conn, home)
        first = test_now(conn, home.tickets_dir, home.snapshots_dir, MIDWEEK, at=lived.AT)
        again = test_now(conn, home.tickets_dir, home.snapshots_dir, MIDWEEK, at=lived.AT)
        assert again.content_sha256 == first.content_sha256
        assert replay(blind, conn, home.snapshots_dir, first).identical


def test_without_a_check_of_the_account_it_is_no_trade(home: Settings) -> None:
    with opened(home) as conn:
        content = _issue(home, conn)
    assert content.verdict.value == "NO-TRADE"
    assert "SNAPSHOT_STALE" in content.reasons


def test_the_schedule_of_record_does_not_know_it(home: Settings) -> None:
    with opened(home) as conn:
        _issue(home, conn)
        assert plans.without_ticket(conn) == ()
        with pytest.raises(Refused, match="not over yet"):
            test_now(
                conn, home.tickets_dir, home.snapshots_dir, MIDWEEK, at=dt.datetime(2018, 1, 30, 15, tzinfo=dt.UTC)
            )


def test_its_answer_is_asked_for_by_the_next_plan(home: Settings) -> None:
    with opened(home) as conn:
        _check_in(conn, home)
        _issue(home, conn)
        lived.deliver(
            conn, lived.days(lived.real_prices(lived.FIRST_BAR, lived.ASOF), dt.date(2018, 1, 31), lived.ASOF)
        )
        ticket = plan_now(conn, home.tickets_dir, home.snapshots_dir, lived.ASOF, at=lived.AT)
        assert "CONFIRMATION_MISSING" in TicketContent.model_validate_json(ticket.content).reasons


def test_a_name_that_its_executor_cannot_find_is_switched_off(home: Settings) -> None:
    with opened(home) as conn:
        _check_in(conn, home)
        content = _issue(home, conn)
        with conn.transaction():
            answers.record_answers(
                conn, content.plan_id, [Answer(1, "FAILED", "CFD")], answered_by="anna", where="a test",
                rate_of=lambda _: Decimal("1.41"),
            )  # fmt: skip
        (row,) = conn.execute("SELECT symbol, from_day FROM ops.universe_disablements").fetchall()
        assert (row["symbol"], row["from_day"]) == (content.lines[0].symbol, MIDWEEK)
