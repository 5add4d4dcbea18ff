"""Tickets that wait for answers: no newer ticket hides them on a page, and every page that asks leads to them."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from streamlit.testing.v1 import AppTest

from trading_ops.desk import standing
from trading_ops.domain.results import Outcome
from trading_ops.settings import Settings
from trading_ops.store import tickets
from trading_ops.store.tickets import Ticket
from trading_ops_tests.integration.home_factory import opened
from trading_ops_tests.integration.household_factory import page_alone, shown
from trading_ops_tests.integration.mail_factory import PostDesk, post_desk
from trading_ops_tests.integration.operator_factory import at_home, visit
from trading_ops_tests.integration.page_server import add_person
from trading_ops_tests.unit import ticket_factory as factory

NEXT_WEEK = factory.ASOF + dt.timedelta(days=7)
THANKS = "Every line is answered. Thank you."
ASKED = "2018-W05 still waits for your answers: line 1 (BUY NVDA) and line 2 (BUY AMZN)."
WINDOW = dt.datetime(2018, 2, 5, 15, tzinfo=dt.UTC)


@dataclass
class Desk:
    """A live book with the week's ticket of two purchases, not answered."""

    home: Settings
    conn: psycopg.Connection[Any]
    post: PostDesk
    week: Ticket

    def ticket_of_a_test(self, *, asof: dt.date = factory.ASOF, answered: bool = True) -> Ticket:
        """A test ticket of one purchase."""
        made = self.post.issue(asof=asof, orders=[factory.make_buy(1, "AMZN", "25")], test=True)
        if answered:
            self.post.answer(made.plan_id, 1)
        return made

    def no_trade(self, *codes: str, asof: dt.date = NEXT_WEEK) -> Ticket:
        """The next week's ticket: nothing is traded."""
        return self.post.issue(asof=asof, failed=[factory.make_result(code, Outcome.FAIL) for code in codes])


@pytest.fixture
def desk(fresh_home: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with opened(fresh_home) as conn:
        post = post_desk(fresh_home, conn, "live")
        add_person(fresh_home, "anna", "executor", name="Anna")
        add_person(fresh_home, "omar", "operator", name="Omar")
        week = post.issue(orders=(factory.make_buy(1, "NVDA", "310"), factory.make_buy(2, "AMZN", "124")))
        yield Desk(at_home(fresh_home, monkeypatch), conn, post, week)


def opens(desk: Desk, ticket: Ticket) -> AppTest:
    """A ticket's own page, as the mail's link opens it."""
    script = (
        "import streamlit as st\nfrom streamlit_app.pages import ticket\n"
        "st.query_params['ticket'] = st.session_state['asked']\nticket.show(st.session_state['person'])\n"
    )
    app = AppTest.from_string(script, default_timeout=120)
    app.session_state["asked"] = ticket.ticket_id
    app.session_state["person"] = page_alone(desk.home, "ticket").session_state["person"]
    app.run()
    assert not app.exception, app.exception
    return app


def everything(app: AppTest) -> str:
    return "\n".join([shown(app), *(w.value for w in app.warning)])


def test_an_answered_test_hides_no_unanswered_weekly_ticket(desk: Desk) -> None:
    test = desk.ticket_of_a_test()
    text = everything(page_alone(desk.home, "ticket"))
    assert THANKS not in text
    assert "BUY NVDA · type £310" in text
    where = standing.standing(desk.conn, WINDOW)
    assert [w.ticket.ticket_id for w in where.waiting] == ["2018-W05"]
    assert where.newest is not None
    assert where.newest.ticket.ticket_id == test.ticket_id
    due = standing.next_deadline(where, WINDOW)
    assert due is not None
    assert due[0] == "answers to 2018-W05"


def test_the_ticket_of_a_newer_answered_one_says_that_it_still_waits(desk: Desk) -> None:
    desk.ticket_of_a_test()
    text = everything(opens(desk, desk.week))
    assert "This is an older ticket" not in text
    assert "This ticket still waits for your answers: line 1 (BUY NVDA) and line 2 (BUY AMZN)." in text


def test_a_page_where_all_is_answered_leads_to_the_ticket_that_waits(desk: Desk) -> None:
    text = everything(opens(desk, desk.ticket_of_a_test()))
    assert THANKS in text
    assert f"Ticket {ASKED}" in text
    assert 'href="/confirm/2018-W05"' in text


def test_of_two_that_wait_the_newest_is_opened_and_the_other_is_named(desk: Desk) -> None:
    test = desk.ticket_of_a_test(answered=False)
    app = page_alone(desk.home, "ticket")
    text = everything(app)
    assert "BUY AMZN · type £25" in text
    assert f"Ticket {ASKED}" in text
    text = everything(opens(desk, desk.week))
    assert f"Ticket {test.ticket_id} still waits for your answers: line 1 (BUY AMZN)." in text


def test_a_withdrawn_ticket_waits_for_nothing_and_stays_first(desk: Desk) -> None:
    test = desk.ticket_of_a_test(answered=False)
    with desk.conn.transaction():
        tickets.withdraw(desk.conn, test.ticket_id, "prices were wrong", "omar")
    text = everything(page_alone(desk.home, "ticket"))
    assert "STOP. This ticket was withdrawn." in text
    assert f"Ticket {ASKED}" in text


def test_an_older_ticket_that_waits_for_nothing_names_the_newest(desk: Desk) -> None:
    desk.post.answer(desk.week.plan_id, 1, 2)
    newest = desk.no_trade("FX_STALE")
    text = everything(opens(desk, desk.week))
    assert f"This is an older ticket. The newest is {newest.ticket_id}." in text
    assert f'href="/confirm/{newest.ticket_id}"' in text


def test_after_its_window_a_ticket_asks_for_answers_and_not_for_trades(desk: Desk) -> None:
    text = everything(opens(desk, desk.week))
    assert "to do on eToro" not in text
    assert "2 lines to answer" in text
    assert "order nothing more" in text


def test_home_lists_all_that_wait_with_their_deadline_and_a_link(desk: Desk) -> None:
    test = desk.ticket_of_a_test(answered=False, asof=factory.ASOF + dt.timedelta(days=3))
    text = shown(visit(desk.home, "home"))
    assert "2018-W05: line 1 (BUY NVDA) and line 2 (BUY AMZN)" in text
    assert f"{test.ticket_id}: line 1 (BUY AMZN)" in text
    assert "was due" in text
    for ticket in (desk.week, test):
        assert f'href="/confirm/{ticket.ticket_id}"' in text
    where = standing.standing(desk.conn, WINDOW)
    due = standing.next_deadline(where, WINDOW)
    assert due == ("answers to 2018-W05", where.waiting[0].content.window.confirm_by_utc), "the earliest"


def test_no_trade_for_want_of_answers_names_the_lines_and_leads_to_every_ticket_that_waits(desk: Desk) -> None:
    test = desk.ticket_of_a_test(answered=False)
    desk.no_trade("CONFIRMATION_MISSING")
    text = everything(page_alone(desk.home, "ticket"))
    assert "Do nothing this week." in text
    assert "nothing to answer" not in text
    assert f"Ticket {ASKED}" in text
    assert f"Ticket {test.ticket_id} still waits for your answers: line 1 (BUY AMZN)." in text
    for ticket in (desk.week, test):
        assert text.count(f'href="/confirm/{ticket.ticket_id}"') == 1


def test_no_trade_for_want_of_answers_that_came_since_says_so(desk: Desk) -> None:
    desk.no_trade("CONFIRMATION_MISSING")
    desk.post.answer(desk.week.plan_id, 1, 2)
    text = everything(page_alone(desk.home, "ticket"))
    assert "By now all lines are answered. Thank you." in text
    assert "still waits" not in text


@pytest.mark.parametrize(
    ("code", "address"),
    [("SNAPSHOT_STALE", "/snapshot"), ("OPENING_SNAPSHOT_MISSING", "/snapshot"), ("UNVERIFIED_NAME", "/names")],
)
def test_no_trade_leads_to_the_page_where_she_can_help(desk: Desk, code: str, address: str) -> None:
    desk.post.answer(desk.week.plan_id, 1, 2)
    desk.no_trade(code)
    assert f'href="{address}"' in shown(page_alone(desk.home, "ticket"))


def test_no_trade_that_is_no_work_of_hers_leads_nowhere(desk: Desk) -> None:
    desk.post.answer(desk.week.plan_id, 1, 2)
    desk.no_trade("FX_STALE")
    text = shown(page_alone(desk.home, "ticket"))
    assert "href=" not in text
    assert "What you can do" not in text
