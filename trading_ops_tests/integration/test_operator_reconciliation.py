"""Reconciliation, tickets, messages: a proposal is accepted once, a ticket called back, a dead letter sent again."""

import dataclasses
import datetime as dt
import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from streamlit.testing.v1 import AppTest

from streamlit_app.components import words
from streamlit_app.components.sending import Draft
from trading_ops.desk import accepting, answering, books_now, costs_now, executing, reconciling
from trading_ops.domain import calendar
from trading_ops.domain.corrections import WithdrawAnswer
from trading_ops.domain.ledger import Fill
from trading_ops.settings import Settings
from trading_ops.store import announced, artifacts, audit, configuration, corrections, desk, ledger, outbox, tickets
from trading_ops.store.outbox_rows import Delivery, Recipient
from trading_ops_tests.integration import desk_factory, home_factory, household_factory, lived_factory
from trading_ops_tests.integration.home_factory import opened, policy_text
from trading_ops_tests.integration.household_factory import (
    BOUGHT,
    SESSION,
    press,
    shown,
)
from trading_ops_tests.integration.operator_factory import (
    D,
    at_home,
    check_account,
    errors,
    movements,
    only,
    put,
    visit,
)
from trading_ops_tests.integration.page_server import add_person
from trading_ops_tests.unit import ticket_factory


@pytest.fixture
def household(fresh_home: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Fifteen holdings, Omar signed in."""
    household_factory.set_up_household(fresh_home)
    return at_home(fresh_home, monkeypatch)


@pytest.fixture
def conn(household: Settings) -> Iterator[psycopg.Connection[Any]]:
    """A look into the household's database."""
    with opened(household) as made:
        yield made


def accepting_button(app: AppTest) -> str:
    """The words on the first button that books what explains ABBV."""
    return next(b.label for b in app.button if re.fullmatch("Accept.*: ABBV", b.label))


def test_a_proposal_in_plain_words_is_accepted_once_and_the_light_turns(
    household: Settings, conn: psycopg.Connection[Any]
) -> None:
    check_account(conn, ABBV="3.140512")
    app = visit(household, "reconciliation")
    text = shown(app)
    for part in ("RED.", "ABBV", "DIFFERS", "3.140512", "DIGITS_SWAPPED", "Book a fill"):
        assert part in text, part
    press(app, accepting_button(app))
    if not app.success:
        press(app, "Yes, it is right")
    assert app.success
    resolution = only(conn.execute("SELECT * FROM ops.drift_resolutions").fetchall())
    assert (resolution["subject"], resolution["accepted_by"]) == ("ABBV", "omar")
    assert books_now.books(conn).at(SESSION).units["ABBV"] == D("3.140512")
    for column in ("sentence", "note"):
        lived_factory.tamper(household, "drift_resolutions", f"UPDATE ops.drift_resolutions SET {column} = 'other'")
        (fault,) = announced.tampered(conn)
        assert f"{column} is other" in fault
        lived_factory.tamper(
            household, "drift_resolutions", f"UPDATE ops.drift_resolutions SET {column} = %s", (resolution[column],)
        )
    text = shown(app)
    assert "DIFFERS" not in text
    assert "Accepted corrections" in " ".join(h.value for h in app.header)


def test_a_finding_that_is_no_longer_proposed_is_refused_kindly(
    household: Settings, conn: psycopg.Connection[Any]
) -> None:
    snapshot = check_account(conn, ABBV="3.140512")
    now = dt.datetime.now(dt.UTC)
    found = reconciling.reconciled(conn, now)
    assert found.diagnosis is not None
    shown_entries = next(e for f in accepting.readings(found.diagnosis.findings) if (e := accepting.entries_of(f)))
    check_account(conn, cash="998.49")  # somebody looked again meanwhile, and all agrees
    before = audit.head(conn).seq
    with conn.transaction():
        said = accepting.accept_shown(conn, snapshot, shown_entries, "omar", "", dt.datetime.now(dt.UTC))
    assert said == accepting.NO_LONGER
    assert audit.head(conn).seq == before


def test_accepting_twice_says_so_and_books_once(household: Settings, conn: psycopg.Connection[Any]) -> None:
    snapshot = check_account(conn, ABBV="3.140512")
    now = dt.datetime.now(dt.UTC)
    found = reconciling.reconciled(conn, now)
    assert found.diagnosis is not None
    finding = next(f for f in accepting.readings(found.diagnosis.findings) if accepting.entries_of(f))
    for _ in range(2):
        with conn.transaction():
            reconciling.accept(conn, finding, snapshot, "omar", "", now)
    only(conn.execute("SELECT * FROM ops.drift_resolutions").fetchall())


def a_dividend(conn: psycopg.Connection[Any]) -> None:
    """AAPL goes ex-dividend the session after it was bought."""
    ex_date = calendar.next_session(BOUGHT).isoformat()
    bars = home_factory.bars_table([("AAPL", ex_date, "100")])
    home_factory.load(conn, bars=bars, actions=home_factory.actions_table([("AAPL", ex_date, "dividend", "2.00")]))


def choose_dividend(app: AppTest) -> None:
    (which,) = [s for s in app.selectbox if s.label == "Resolve one"]
    which.select_index(0).run()
    assert not app.exception, app.exception


def test_an_expected_dividend_is_booked_at_the_amount_that_came(
    household: Settings, conn: psycopg.Connection[Any]
) -> None:
    a_dividend(conn)
    app = visit(household, "reconciliation")
    assert "£3.58" in shown(app)  # 2.631579 x 2.00 x 0.85 / 1.25
    choose_dividend(app)
    put(app, "Amount in £", "3,57")
    press(app, "Book at this amount")
    press(app, "Yes, it is right")  # a comma is read, and looked at again
    assert movements(conn) == [("dividend", D("3.57"))]
    assert all(d.booked for d in books_now.books(conn).dividends(SESSION))


def test_cash_that_a_finding_explains_is_not_shown_as_a_dividend_as_well(
    household: Settings, conn: psycopg.Connection[Any]
) -> None:
    a_dividend(conn)
    at = calendar.open_utc(SESSION) + dt.timedelta(minutes=30)
    never = Fill(str(uuid.uuid4()), "KO", "BUY", D("0.0448"), D("100"), D("3.58"), D(0), at, SESSION)
    with conn.transaction():
        ledger.record_fill(conn, never, recorded_by="omar", why="typed by mistake")
    check_account(conn)  # the account never had it: its cash is 3.58 above the ledger's, as a dividend would make it
    found = reconciling.reconciled(conn, dt.datetime.now(dt.UTC))
    assert found.diagnosis is not None
    assert {f.code for f in found.diagnosis.findings} == {"PHANTOM_FILL"}
    text = shown(visit(household, "reconciliation"))
    assert "in the account's cash" not in text
    assert "not booked yet" in text


def test_a_dividend_that_will_not_come_is_not_waited_for(household: Settings, conn: psycopg.Connection[Any]) -> None:
    a_dividend(conn)
    app = visit(household, "reconciliation")
    choose_dividend(app)
    put(app, "Why", "sold before, says eToro")
    press(app, "It will not come")
    press(app, "Yes, it is right")
    assert movements(conn) == [("dividend", D("0.00"))]
    assert all(d.booked for d in books_now.books(conn).dividends(SESSION))


@pytest.fixture
def ticketed(fresh_home: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A sim book with one TRADE ticket."""
    at_home(fresh_home, monkeypatch)
    desk_factory.set_up_desk(fresh_home)
    with opened(fresh_home) as conn:
        desk_factory.issue(conn, ticket_factory.ASOF, ticket_factory.usual_orders())
        home_factory.load(conn, fixings=home_factory.fixings_table([("2018-02-02", "1.40")]))
    add_person(fresh_home, "omar", "operator")
    return fresh_home


def test_each_cost_figure_of_a_ticket_says_what_it_counts(ticketed: Settings) -> None:
    with opened(ticketed) as conn:
        bought = desk_factory.done(ticket_factory.ASOF, 3, "310", "234.52", units=D("1.85"), fee_gbp=D("1.50"))
        desk_factory.answer(conn, tickets.get(conn, "2018-W05"), [bought], None)
        cost = only(list(costs_now.costs(conn, books_now.books(conn)).fills))
        assert cost.slippage_gbp is not None
        assert cost.total_gbp > cost.slippage_gbp > 0, "the page's two figures are two"
    app = visit(ticketed, "tickets")
    (which,) = [s for s in app.selectbox if s.label == "Open a ticket"]
    which.select_index(0).run()
    (said,) = [m.value for m in app.markdown if "against the ticket's prices" in m.value]
    assert f"{words.gbp(cost.slippage_gbp)} lost against the ticket's prices. It counts the price alone;" in said
    home = shown(visit(ticketed, "home")).replace("&#x27;", "'")
    assert (
        f"that is {words.gbp(cost.total_gbp)}. It counts exchange rate, price against the ticket's, and fees." in home
    )


def test_a_ticket_is_shown_as_issued_and_withdrawn_with_a_reason(ticketed: Settings) -> None:
    app = visit(ticketed, "tickets")
    (which,) = [s for s in app.selectbox if s.label == "Open a ticket"]
    which.select_index(0).run()
    text = shown(app)
    assert "Asked against done" in " ".join(h.value for h in app.header)
    assert "OPEN" in text
    press(app, "Withdraw the ticket")
    assert "The reason is missing" in errors(app)
    put(app, "Why (the executor reads it)", "prices moved too far")
    press(app, "Withdraw the ticket")
    press(app, "Yes, it is right")
    assert "WITHDRAWN." in shown(app)
    with opened(ticketed) as conn:
        row = only(conn.execute("SELECT * FROM ops.ticket_withdrawals").fetchall())
        assert (row["reason"], row["withdrawn_by"]) == ("prices moved too far", "omar")
        assert outbox.number_of(conn, f"withdrawn:{row['plan_id']}") is not None
        path = artifacts.ticket_path(ticketed.tickets_dir, tickets.get(conn, row["plan_id"]))
    assert path.read_text().startswith("# WITHDRAWN: prices moved too far")


def test_a_correction_that_was_accepted_is_in_the_execution_report_at_once(ticketed: Settings) -> None:
    asof = ticket_factory.ASOF
    with opened(ticketed) as conn:
        ticket = tickets.get(conn, asof.isoformat())
        line = next(n for n in answering.ticket_state(conn, ticket.ticket_id).content.lines if n.side == "BUY")
        given = desk_factory.done(asof, line.line, line.amount_gbp, line.reference_price_usd)
        desk_factory.answer(conn, ticket, [given], None)
        path = executing.write_report(conn, ticketed.reports_dir, answering.ticket_state(conn, ticket.ticket_id))
        report, before = path.read_text(), audit.head(conn).seq
        fill = only(list(ledger.fills(conn, before)))
        entry = WithdrawAnswer(
            snapshot_id="a look", why="not at the broker", plan_id=ticket.plan_id, line=line.line, replaces=fill.fill_id
        )  # fmt: skip
        with conn.transaction():
            corrections.book_all(conn, [entry], username="omar", why="not filled", now=dt.datetime.now(dt.UTC))
        assert executing.follow(conn, ticketed, before) == (path,)
        assert path.read_text() != report
        assert executing.follow(conn, ticketed, audit.head(conn).seq) == ()


def test_a_dead_letter_shows_the_servers_words_and_is_sent_again_once(
    household: Settings, conn: psycopg.Connection[Any]
) -> None:
    now = dt.datetime.now(dt.UTC)
    with conn.transaction():
        desk.enqueue(conn, "alert:1", "desk.alert", None, {})
        number = outbox.number_of(conn, "alert:1")
        assert number is not None
        to = Recipient("mail", "omar@example.org", "operator")
        outbox.record(conn, number, to, Delivery(1, "dead", "<1@desk>", "550 no such <b>mailbox</b>", None, now))
    app = visit(household, "messages")
    assert "550 no such &lt;b&gt;mailbox&lt;/b&gt;" in shown(app)
    press(app, "Send again")
    assert not outbox.dead(conn)
    rows = conn.execute("SELECT outcome, detail FROM ops.outbox_deliveries ORDER BY attempt").fetchall()
    assert [(r["outcome"], r["detail"]) for r in rows][1:] == [("requeued", "by omar")]
    told = only(conn.execute("SELECT * FROM ops.audit_log WHERE kind = 'outbox.requeued'").fetchall())
    assert (told["actor"], told["subject"]) == ("operator_ui:omar", str(number))
    assert json.loads(told["payload"]) == {"addresses": ["mail omar@example.org"], "by": "omar"}


def test_the_chain_is_checked_on_request(household: Settings) -> None:
    app = visit(household, "messages")
    press(app, "Does the chain hold?")
    assert "IT HOLDS." in shown(app)


def test_policy_shows_versions_and_what_changed_between_two(household: Settings, conn: psycopg.Connection[Any]) -> None:
    with conn.transaction():
        configuration.import_policy(conn, policy_text(seats="12"), "policy.yml")
    text = shown(visit(household, "policy"))
    assert "version 2" in text
    assert "+  seats: 12" in text
    assert "account.fx_fee" in text


def test_a_draft_asked_about_other_content_has_another_digest() -> None:
    draft = Draft("x", {"amount": "5"}, lambda _: "", ("sure?",))
    assert draft.digest == Draft("y", {"amount": "5"}, lambda _: "", ("sure?",)).digest
    assert draft.digest != dataclasses.replace(draft, content={"amount": "50"}).digest
    assert draft.digest != dataclasses.replace(draft, asks=("really?",)).digest
