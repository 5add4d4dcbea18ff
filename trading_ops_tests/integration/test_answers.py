"""Answers on a real PostgreSQL: two windows, the back button, a ticket that changed meanwhile."""

import datetime as dt
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from trading_ops.domain import calendar
from trading_ops.domain.answer import Answer
from trading_ops.domain.errors import BadInput, Refused
from trading_ops.settings import Settings
from trading_ops.store import answers, audit, ledger, tickets
from trading_ops.store.answers import AnsweredMeanwhile, Shown, TicketChanged
from trading_ops.store.connect import run_transaction
from trading_ops.store.tickets import Ticket
from trading_ops_tests.integration import desk_factory as desk
from trading_ops_tests.integration.home_factory import opened
from trading_ops_tests.integration.lived_factory import superuser
from trading_ops_tests.unit.ticket_factory import make_buy

D = Decimal
ASOF = dt.date(2018, 2, 2)
SKIPPED = Answer(1, "SKIPPED", "price above the limit")
FACTS = ("confirmations", "confirmation_parts", "ledger_trades_fills", "ledger_voids", "incidents", "audit_log")


@pytest.fixture
def conn(fresh_home: Settings) -> Iterator[psycopg.Connection[Any]]:
    """The executor's page's own connection."""
    desk.set_up_desk(fresh_home)
    with opened(fresh_home, "executor_ui") as conn:
        yield conn


@pytest.fixture
def writer(fresh_home: Settings, conn: psycopg.Connection[Any]) -> Iterator[psycopg.Connection[Any]]:
    """Whoever issues tickets."""
    with opened(fresh_home) as writer:
        yield writer


@pytest.fixture
def ticket(writer: psycopg.Connection[Any]) -> Ticket:
    """Buy NVDA for 310 pounds, and AMZN for 1240."""
    return desk.issue(writer, ASOF, [make_buy(1, "NVDA", "310", rank=4), make_buy(2, "AMZN", "1240", rank=7)])


# ---- two windows and the back button
def test_the_second_of_two_windows_is_refused_and_the_first_stands(
    conn: psycopg.Connection[Any], ticket: Ticket
) -> None:
    shown = desk.seen(conn, ticket)
    desk.answer(conn, ticket, [desk.done(ASOF)], shown)
    before = desk.counts(conn, *FACTS)
    with pytest.raises(AnsweredMeanwhile, match=r"line 1 of ticket 2018-W05 was answered DONE meanwhile by anna"):
        desk.answer(conn, ticket, [desk.done(ASOF, price="231.00")], shown)
    assert desk.counts(conn, *FACTS) == before
    assert answers.in_force(conn, ticket.plan_id)[1].answer == desk.done(ASOF)


def test_one_line_answered_meanwhile_keeps_the_whole_form_out(conn: psycopg.Connection[Any], ticket: Ticket) -> None:
    shown = desk.seen(conn, ticket)
    desk.answer(conn, ticket, [SKIPPED], shown)
    with pytest.raises(AnsweredMeanwhile):
        desk.answer(conn, ticket, [desk.done(ASOF, line=2, value="1240.00"), desk.done(ASOF)], shown)
    assert answers.in_force(conn, ticket.plan_id).keys() == {1}
    assert desk.counts(conn, "ledger_trades_fills") == (0,)


def test_the_same_content_again_is_no_error_and_changes_nothing(conn: psycopg.Connection[Any], ticket: Ticket) -> None:
    shown = desk.seen(conn, ticket)
    assert desk.answer(conn, ticket, [desk.done(ASOF)], shown) == (1, 0)
    before = desk.counts(conn, *FACTS)
    assert desk.answer(conn, ticket, [desk.done(ASOF)], shown) == (0, 1)
    assert desk.counts(conn, *FACTS) == before


def test_a_correction_of_what_was_shown_names_the_old_answer_and_voids_its_fill(
    conn: psycopg.Connection[Any], ticket: Ticket
) -> None:
    desk.answer(conn, ticket, [desk.done(ASOF)], desk.seen(conn, ticket))
    first = answers.in_force(conn, ticket.plan_id)[1]
    right = desk.done(ASOF, value="301.00", price="233.00", fee_gbp=D("1.25"))
    desk.answer(conn, ticket, [right], desk.seen(conn, ticket))
    now = answers.in_force(conn, ticket.plan_id)[1]
    assert (now.revision, now.answer) == (2, right)
    assert [row["corrects"] for row in desk.rows(conn, "confirmations")] == [None, first.confirmation_id]
    (void,) = desk.rows(conn, "ledger_voids")
    (old, new) = desk.rows(conn, "ledger_trades_fills")
    assert void["fill_id"] == old["fill_id"]
    (lot,) = desk.book(conn).lots["NVDA"]
    assert (lot.lot_id, lot.cost_gbp) == (str(new["fill_id"]), D("302.25"))
    assert desk.book(conn).cash_gbp == D("-302.25")


def test_a_correction_of_an_answer_that_was_itself_corrected_is_refused(
    conn: psycopg.Connection[Any], ticket: Ticket
) -> None:
    desk.answer(conn, ticket, [desk.done(ASOF)], desk.seen(conn, ticket))
    outdated = desk.seen(conn, ticket)
    desk.answer(conn, ticket, [SKIPPED], outdated)
    before = desk.counts(conn, *FACTS)
    with pytest.raises(AnsweredMeanwhile, match="answered SKIPPED meanwhile"):
        desk.answer(conn, ticket, [desk.done(ASOF, price="231.00")], outdated)
    assert desk.counts(conn, *FACTS) == before
    assert "NVDA" not in desk.book(conn).positions


def test_back_to_an_answer_that_was_corrected_is_a_new_revision_with_its_own_fill(
    conn: psycopg.Connection[Any], ticket: Ticket
) -> None:
    for given in (desk.done(ASOF), SKIPPED, desk.done(ASOF)):
        desk.answer(conn, ticket, [given], desk.seen(conn, ticket))
    assert answers.in_force(conn, ticket.plan_id)[1].revision == 3
    assert desk.counts(conn, "ledger_trades_fills", "ledger_voids") == (2, 1)
    assert desk.book(conn).cash_gbp == D(-310)


def test_what_was_typed_and_asked_is_kept_beside_the_answer(conn: psycopg.Connection[Any], ticket: Ticket) -> None:
    typed = {"price": "230,00", "note": "=1+1 <script>"}
    given = replace(desk.done(ASOF), typed=typed, asked=("Is 230,00 right?",), note="=1+1 <script>")
    desk.answer(conn, ticket, [given], desk.seen(conn, ticket))
    stored = answers.in_force(conn, ticket.plan_id)[1]
    assert stored.answer == given
    assert (stored.answer.typed, stored.answer.asked) == (typed, given.asked)
    assert stored.answered_by == desk.ANNA


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (replace(SKIPPED, line=3), "does not exist; it has lines 1 to 2"),
        (replace(SKIPPED, fee_gbp=D(1)), "fee_gbp stays empty"),
        (desk.done(ASOF, note="a\0"), "cannot be kept"),
        (desk.done(ASOF, value="1e13"), "too large to be true"),
        (replace(desk.done(ASOF), value_gbp=None, units=D("0.000001")), "0.000001 units for 0 GBP, which cannot be"),
        (desk.done(ASOF, value="900000000000", price="0.00000001"), "units for 900000000000 GBP, which cannot be"),
    ],
)
def test_what_cannot_be_stored_is_told_and_leaves_nothing(
    conn: psycopg.Connection[Any], ticket: Ticket, given: Answer, told: str
) -> None:
    before = desk.counts(conn, *FACTS)
    with pytest.raises(BadInput, match=f"the page: line {given.line} of ticket 2018-W05.*{told}"):
        desk.answer(conn, ticket, [desk.done(ASOF, line=2, value="1240.00"), given], desk.seen(conn, ticket))
    assert desk.counts(conn, *FACTS) == before


# ---- a ticket that changed meanwhile
def test_another_ticket_than_the_one_shown_is_refused(conn: psycopg.Connection[Any], ticket: Ticket) -> None:
    with pytest.raises(TicketChanged, match=r"2018-W05 is not the one that was shown\. Open it again"):
        desk.answer(conn, ticket, [SKIPPED], Shown("a" * 64, {}))
    assert desk.counts(conn, "confirmations") == (0,)


RAW = (
    "INSERT INTO ops.confirmations (confirmation_id, plan_id, line, revision, status, reason, overfilled, "
    "content_sha256, answered_by, audit_seq, ticket_sha256, corrects) "
    "VALUES (%s, %s, %s, %s, 'SKIPPED', '', false, 'x', 'x', %s, %s, %s)"
)


def raw(
    conn: psycopg.Connection[Any],
    ticket: Ticket,
    digest: str | None,
    line: int = 1,
    revision: int = 1,
    corrects: uuid.UUID | None = None,
) -> None:
    """An answer that goes around the code."""
    with conn.transaction():
        seq = audit.append(conn, "answers.confirmation", f"{ticket.plan_id}/{line}/{revision}", {})
        conn.execute(RAW, (uuid.uuid4(), ticket.plan_id, line, revision, seq, digest, corrects))


@pytest.mark.parametrize("digest", ["a" * 64, None])
def test_the_database_itself_refuses_an_answer_to_another_ticket(
    conn: psycopg.Connection[Any], ticket: Ticket, digest: str | None
) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="2018-W05 is not the one that was shown"):
        raw(conn, ticket, digest)


def test_the_database_itself_refuses_an_answer_behind_the_newest(conn: psycopg.Connection[Any], ticket: Ticket) -> None:
    raw(conn, ticket, ticket.content_sha256)
    with pytest.raises(psycopg.errors.UniqueViolation, match="line 1 of ticket 2018-W05 was answered meanwhile"):
        raw(conn, ticket, ticket.content_sha256)


def test_the_database_itself_refuses_an_answer_that_corrects_another_line(
    conn: psycopg.Connection[Any], ticket: Ticket
) -> None:
    desk.answer(conn, ticket, [desk.done(ASOF), replace(SKIPPED, line=2)], desk.seen(conn, ticket))
    other, own = (answers.in_force(conn, ticket.plan_id)[line].confirmation_id for line in (1, 2))
    before = desk.counts(conn, *FACTS)
    for line, revision, corrects in ((2, 2, other), (2, 3, own), (2, 2, uuid.uuid4())):
        with pytest.raises(psycopg.errors.CheckViolation, match="line 2 of ticket 2018-W05 corrects the newest"):
            raw(conn, ticket, ticket.content_sha256, line, revision, corrects)
    assert desk.counts(conn, *FACTS) == before
    raw(conn, ticket, ticket.content_sha256, 2, 2, own)


def test_the_database_itself_refuses_a_first_answer_that_is_no_first(
    conn: psycopg.Connection[Any], ticket: Ticket
) -> None:
    desk.answer(conn, ticket, [desk.done(ASOF)], desk.seen(conn, ticket))
    first = answers.in_force(conn, ticket.plan_id)[1].confirmation_id
    with pytest.raises(psycopg.errors.CheckViolation, match="line 2 of ticket 2018-W05 corrects the newest"):
        raw(conn, ticket, ticket.content_sha256, 2, 2, first)


def test_no_fill_goes_out_of_force_by_an_answer_to_another_line(
    fresh_home: Settings, conn: psycopg.Connection[Any], ticket: Ticket
) -> None:
    desk.answer(conn, ticket, [desk.done(ASOF)], desk.seen(conn, ticket))
    first = answers.in_force(conn, ticket.plan_id)[1].confirmation_id
    (fill,) = desk.rows(conn, "ledger_trades_fills")
    with superuser(fresh_home) as admin:  # what the guard of answers keeps out, from before there was one
        admin.row_factory = dict_row
        admin.execute("ALTER TABLE ops.confirmations DISABLE TRIGGER USER")
        raw(admin, ticket, ticket.content_sha256, 2, 2, first)
    with (
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="only by correcting its answer"),
        conn.transaction(),
    ):
        ledger.void(conn, fill_id=str(fill["fill_id"]), why="a test", recorded_by=desk.ANNA)


def withdraw(conn: psycopg.Connection[Any], ticket: Ticket) -> Ticket:
    return run_transaction(conn, lambda conn: tickets.withdraw(conn, ticket.plan_id, "prices were wrong", "operator"))


def test_a_withdrawn_ticket_takes_only_what_was_done(
    conn: psycopg.Connection[Any], writer: psycopg.Connection[Any], ticket: Ticket
) -> None:
    shown = desk.seen(conn, ticket)
    desk.answer(conn, ticket, [SKIPPED], shown)
    withdraw(writer, ticket)
    for status in ("SKIPPED", "FAILED"):
        with pytest.raises(TicketChanged, match=r"line 2 .* was withdrawn; only what was already done"):
            desk.answer(conn, ticket, [Answer(2, status, "no")], shown)
    with pytest.raises(psycopg.errors.CheckViolation, match="was withdrawn: only what was already done"):
        raw(conn, ticket, ticket.content_sha256, line=2)
    part = replace(desk.done(ASOF, line=2, value="600.00"), status="PARTIAL")
    assert desk.answer(conn, ticket, [part], shown) == (1, 0)
    assert desk.answer(conn, ticket, [SKIPPED, part], shown) == (0, 2), "what is there already is no error"
    with pytest.raises(Refused, match="withdrawn already"):
        withdraw(writer, ticket)


@pytest.mark.parametrize("given", [SKIPPED, desk.done(ASOF)], ids=["skipped", "done"])
def test_a_withdrawal_and_an_answer_at_the_same_moment_end_in_a_legal_state(
    fresh_home: Settings, writer: psycopg.Connection[Any], given: Answer
) -> None:
    for asof in calendar.weekly_asofs(ASOF, ASOF + dt.timedelta(weeks=9)):
        ticket = desk.issue(writer, asof, [make_buy(1, "NVDA", "310", rank=4)])
        with opened(fresh_home, "executor_ui") as anna, opened(fresh_home, "operator_ui") as operator:
            answered, withdrawn = desk.at_once(
                lambda anna=anna, ticket=ticket: desk.answer(anna, ticket, [given], desk.seen(anna, ticket)),
                lambda operator=operator, ticket=ticket: withdraw(operator, ticket),
            )  # fmt: skip
        assert isinstance(withdrawn, Ticket)
        (order,) = writer.execute(
            "SELECT w.audit_seq > c.audit_seq AS answered_first FROM ops.ticket_withdrawals w "
            "LEFT JOIN ops.confirmations c USING (plan_id) WHERE plan_id = %s", (ticket.plan_id,),
        ).fetchall()  # fmt: skip
        if order["answered_first"] is None:
            assert isinstance(answered, TicketChanged)
        else:
            assert answered == (1, 0)
            assert order["answered_first"] or given.status == "DONE"
    assert audit.broken(writer) == []


def test_an_answer_waits_for_a_withdrawal_that_is_under_way(
    fresh_home: Settings, conn: psycopg.Connection[Any], writer: psycopg.Connection[Any], ticket: Ticket
) -> None:
    shown = desk.seen(conn, ticket)
    with ThreadPoolExecutor(1) as pool, opened(fresh_home, "operator_ui") as operator:
        with operator.transaction():
            tickets.withdraw(operator, ticket.plan_id, "prices were wrong", "operator")
            answered = pool.submit(desk.answer, conn, ticket, [SKIPPED], shown)
            patience = time.monotonic() + 30
            waits = "SELECT 1 FROM pg_locks WHERE pid = %s AND NOT granted"
            while not writer.execute(waits, (conn.info.backend_pid,)).fetchone():
                assert time.monotonic() < patience, "the answer never waited for the withdrawal"
                assert not answered.done()
        with pytest.raises(TicketChanged):
            answered.result(30)
    assert desk.counts(conn, "confirmations") == (0,)
