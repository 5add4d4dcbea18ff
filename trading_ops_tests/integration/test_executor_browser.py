"""The whole way of a ticket at a phone: the mail, its link, signing in, four answers, the check, saved, the books."""

import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from trading_ops.desk import books_now
from trading_ops.domain.ledger import CashMovement, Fill
from trading_ops.domain.orders import LotClose
from trading_ops.settings import Settings
from trading_ops.store import answers, ledger, tickets
from trading_ops.store.tickets import Ticket
from trading_ops_tests.integration import home_factory
from trading_ops_tests.integration.browser import (
    choose,
    chromium,
    fill,
    grave_findings,
    keep_screen,
    needs_chromium,
    page_of,
    press,
    settled,
)
from trading_ops_tests.integration.home_factory import opened
from trading_ops_tests.integration.mail_factory import PostDesk, post_desk
from trading_ops_tests.integration.page_server import PASSWORD, Served, add_person, serving, sign_in_cookie
from trading_ops_tests.integration.smtp_server import MailServer
from trading_ops_tests.unit import ticket_factory as factory

pytestmark = needs_chromium

D = Decimal
WINDOW = dt.date(2018, 2, 5)
STOCKS = 'The screen said "Stocks", Leverage x1, no Stop Loss, no Take Profit'


@dataclass
class Kitchen:
    """A live book with an open ticket, its page served, a browser in front of it."""

    home: Settings
    conn: psycopg.Connection[Any]
    post: PostDesk
    ticket: Ticket
    served: Served
    browser: Browser

    def page(self, who: str = "anna") -> Page:
        """The ticket's page, in a window of its own."""
        page = page_of(self.browser, self.served, sign_in_cookie(self.home, who))
        page.goto(f"{self.served.url}/confirm/{self.ticket.ticket_id}")
        settled(page)
        return page

    def decided(self) -> dict[int, str]:
        """Status by line, as stored."""
        return {line: a.answer.status for line, a in answers.in_force(self.conn, self.ticket.plan_id).items()}


def _held(conn: psycopg.Connection[Any], symbol: str, units: str, day: dt.date, position: str | None) -> LotClose:
    """A lot that the book holds, and its place on a ticket."""
    at = dt.datetime.combine(day, dt.time(15), dt.UTC)
    fill_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{symbol}{day}"))
    fill_ = Fill(fill_id, symbol, "BUY", D(units), D(80), D(200), D(0), at, day, position)
    with conn.transaction():
        ledger.record_fill(conn, fill_, recorded_by="omar", why="opening position")
    return LotClose(fill_id, symbol, day, D(units), position, True)


def _ticket(post: PostDesk) -> Ticket:
    conn = post.conn
    deposit = CashMovement(
        str(uuid.uuid4()), "deposit", D(2000), dt.date(2017, 11, 6), dt.datetime(2017, 11, 6, 9, tzinfo=dt.UTC)
    )
    with conn.transaction():
        ledger.record_movement(conn, deposit, recorded_by="omar", why="opening deposit")
    abbv = _held(conn, "ABBV", "3.104512", dt.date(2018, 1, 2), "2272508626")
    first = _held(conn, "MSFT", "2.5", dt.date(2017, 11, 6), "2201938475")
    second = _held(conn, "MSFT", "1.208333", dt.date(2017, 12, 11), None)
    orders = (
        factory.make_sell(1, "ABBV", abbv, exit=True),
        factory.make_sell(2, "MSFT", first, second, exit=True, rank=40),
        factory.make_buy(3, "NVDA", "310", rank=4),
        factory.make_buy(4, "AMZN", "124", rank=7),
    )
    return post.issue(orders=orders)


@pytest.fixture
def kitchen(fresh_home: Settings) -> Iterator[Kitchen]:
    """Everything of the scene."""
    with opened(fresh_home) as conn:
        post = post_desk(fresh_home, conn, "live")
        rates = [(f"2017-11-{day:02}", "1.40") for day in (6,)] + [("2017-12-11", "1.40"), ("2018-02-02", "1.42")]
        bars = [(symbol, "2018-02-02", str(price)) for symbol, price in factory.PRICES.items()]
        home_factory.load(conn, bars=home_factory.bars_table(bars), fixings=home_factory.fixings_table(rates))
        add_person(fresh_home, "anna", "executor", name="Anna", email="anna@home.test")
        add_person(fresh_home, "omar", "operator", name="Omar", email="omar@home.test")
        ticket = _ticket(post)
        with serving(fresh_home) as served, chromium(_as_the_mail_says(served)) as browser:
            yield Kitchen(fresh_home, conn, post, ticket, served, browser)


def _as_the_mail_says(served: Served) -> str:
    return f"--host-resolver-rules=MAP desk.lan:8501 127.0.0.1:{served.port}"


def test_from_the_mail_to_the_books(kitchen: Kitchen) -> None:
    with MailServer() as server:
        kitchen.post.write(server.settings())
        kitchen.post.send()
        (mail,) = [got for got in server.received if got.to == "anna@home.test"]
    assert "4 things to do on eToro" in mail.subject
    (link,) = [found for found in mail.links if "/confirm/" in found]
    assert link == f"http://desk.lan:8501/confirm/{kitchen.ticket.ticket_id}"

    page = _signed_in(kitchen, link.replace("http://desk.lan:8501", kitchen.served.url))
    _all_four_answers(page)
    assert kitchen.decided() == {}
    press(page, "All correct: save")
    expect(page.get_by_text("Every line is answered. Thank you.")).to_be_visible()
    keep_screen(page, "6-saved")
    assert grave_findings(page) == []
    assert kitchen.decided() == {1: "DONE", 2: "PARTIAL", 3: "SKIPPED", 4: "FAILED"}
    _books_know(kitchen)


def _signed_in(kitchen: Kitchen, link: str) -> Page:
    page = page_of(kitchen.browser, kitchen.served)
    page.goto(link)
    keep_screen(page, "1-sign-in")
    assert grave_findings(page) == []
    page.get_by_label("Name").fill("anna")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("4 lines to answer")).to_be_visible(timeout=20_000)
    settled(page)
    keep_screen(page, "2-ticket")
    assert grave_findings(page) == []
    return page


def _all_four_answers(page: Page) -> None:
    press(page, "Start with line 1")
    expect(page.get_by_text("SELL ABBV · close the whole position")).to_be_visible()
    keep_screen(page, "3-line")
    choose(page, "DONE: all of it was filled")
    _digits_where_numbers_go(page)
    _filled(page, price="115,20", units="3.104512", value="251.80", time="14:50")
    expect(page.get_by_text("Read as 115.20.")).to_be_visible()
    assert grave_findings(page) == []
    press(page, "Next: line 2")

    choose(page, "PARTIAL: only part of it was filled")
    _filled(page, price="91.50", units="2.5", value="161.00", time="14:55")
    press(page, "Next: line 3")

    choose(page, "SKIPPED: nothing was ordered")
    choose(page, "The price was beyond the limit")
    press(page, "Next: line 4")
    choose(page, "FAILED: it did not work")
    choose(page, "It is offered only as a CFD")
    press(page, "Check your answers")
    expect(page.get_by_text("3.104512 units · £251.80 at $115.20")).to_be_visible()
    keep_screen(page, "5-check")
    assert grave_findings(page) == []


def _digits_where_numbers_go(page: Page) -> None:
    for label in ("Price in $", "Units", "Amount in £"):
        expect(page.get_by_label(label, exact=True)).to_have_attribute("inputmode", "decimal")
    for label in ("Time on your clock", "A note, if there is something to say"):
        assert page.get_by_label(label, exact=True).get_attribute("inputmode") is None, "a time has its colon"


def _books_know(kitchen: Kitchen) -> None:
    state = books_now.books(kitchen.conn).at(WINDOW)
    assert {s: p.units for s, p in state.positions.items()} == {"MSFT": D("1.208333")}
    assert state.cash_gbp == D(2000) - 3 * D(200) + D("251.80") + D("161.00")
    actors = {r["actor"] for r in kitchen.conn.execute("SELECT actor FROM ops.audit_log WHERE kind = 'ledger.fill'")}
    assert "executor_ui:anna" in actors
    (off,) = kitchen.conn.execute("SELECT symbol FROM ops.universe_disablements").fetchall()
    assert off["symbol"] == "AMZN"
    typed = kitchen.conn.execute("SELECT typed FROM ops.confirmations WHERE line = 1").fetchone()
    assert typed is not None
    assert typed["typed"]["parts"][0]["price"] == "115,20"


def _filled(page: Page, *, price: str, units: str, value: str, time: str, place: int = 0) -> None:
    fill(page, "Price in $", price, place)
    fill(page, "Units", units, place)
    fill(page, "Amount in £", value, place)
    fill(page, "Time on your clock", time, place)


def _buy_done(page: Page, price: str = "233.60", units: str = "1.885", value: str = "310") -> None:
    choose(page, "DONE: all of it was filled")
    _filled(page, price=price, units=units, value=value, time="15:01")
    choose(page, STOCKS)


def _go_to_line(page: Page, line: int) -> None:
    press(page, "Start with line 1")
    for number in range(1, line):
        choose(page, "SKIPPED: nothing was ordered")
        choose(page, "No time today")
        press(page, f"Next: line {number + 1}")


def test_an_unusual_fill_needs_a_second_look_and_a_note(kitchen: Kitchen) -> None:
    page = kitchen.page()
    _go_to_line(page, 3)
    choose(page, "DONE: all of it was filled")
    _filled(page, price="251.20", units="1.752", value="310", time="15:01")
    choose(page, STOCKS)
    question = page.get_by_text("Then keep it, with a short note.", exact=False).first
    expect(question).to_be_visible()
    question.scroll_into_view_if_needed()
    keep_screen(page, "4-question")
    assert grave_findings(page) == []
    assert page.get_by_role("button", name="Next: line 4").is_disabled()
    choose(page, "I looked again: it is as eToro shows it")
    assert page.get_by_role("button", name="Next: line 4").is_disabled(), "a note is needed too"
    fill(page, "A short note: how it was", "<script>alert(1)</script> it jumped")
    press(page, "Next: line 4")
    choose(page, "SKIPPED: nothing was ordered")
    choose(page, "No time today")
    press(page, "Check your answers")
    expect(page.get_by_text("Note: <script>alert(1)</script> it jumped")).to_be_visible()
    press(page, "All correct: save")
    expect(page.get_by_text("Every line is answered. Thank you.")).to_be_visible()
    stored = answers.in_force(kitchen.conn, kitchen.ticket.plan_id)[3]
    assert stored.answer.note == "<script>alert(1)</script> it jumped"
    price, limit = stored.answer.asked
    assert "above the reference" in price
    assert "skipped above $238.19" in limit


def test_a_closed_browser_loses_nothing(kitchen: Kitchen) -> None:
    page = kitchen.page()
    _go_to_line(page, 3)
    choose(page, "DONE: all of it was filled")
    fill(page, "Price in $", "233,6")
    page.context.close()
    again = kitchen.page()
    expect(again.get_by_text("Line 3 of 4")).to_be_visible()
    expect(again.get_by_label("Price in $")).to_have_value("233,6")


def test_three_clicks_and_two_tabs_save_once(kitchen: Kitchen) -> None:
    first, second = kitchen.page(), kitchen.page()
    for page, reason in ((first, "No time today"), (second, "The price was beyond the limit")):
        page.reload()
        start = page.get_by_role("button", name="Start with line 1")
        start.or_(page.get_by_text("Line 1 of 4")).first.wait_for()
        settled(page)
        for line in range(1, 5):
            if line == 1 and start.count():
                press(page, "Start with line 1")
            choose(page, "SKIPPED: nothing was ordered")
            choose(page, reason)
            press(page, f"Next: line {line + 1}" if line < 4 else "Check your answers")
        if page is first:
            kitchen.conn.execute(
                "INSERT INTO ops.page_drafts (username, page, subject, body) VALUES ('anna', 'ticket', %s, %s)",
                (kitchen.ticket.ticket_id, '{"step": "line:1", "lines": {}}'),
            )
    button = first.get_by_role("button", name="All correct: save")
    for _ in range(3):
        button.dispatch_event("click")
    expect(first.get_by_text("Every line is answered. Thank you.")).to_be_visible()
    second.get_by_role("button", name="All correct: save").click()
    expect(second.get_by_text("What you typed for lines 1, 2, 3 and 4 was not used.", exact=False)).to_be_visible()
    keep_screen(second, "7-two-windows")
    rows = kitchen.conn.execute("SELECT line, reason FROM ops.confirmations ORDER BY line").fetchall()
    assert [(r["line"], r["reason"]) for r in rows] == [(line, "NO_TIME") for line in range(1, 5)]


def test_a_withdrawn_ticket_says_so_in_red_and_takes_only_what_was_done(kitchen: Kitchen) -> None:
    open_window = kitchen.page()
    _go_to_line(open_window, 4)
    choose(open_window, "SKIPPED: nothing was ordered")
    choose(open_window, "No time today")
    press(open_window, "Check your answers")
    with kitchen.conn.transaction():
        tickets.withdraw(kitchen.conn, kitchen.ticket.ticket_id, "the data was wrong", "omar")
    press(open_window, "All correct: save")
    expect(open_window.get_by_text("Nothing was saved", exact=False).first).to_be_visible()
    expect(open_window.get_by_text("STOP. This ticket was withdrawn.")).to_be_visible()
    assert kitchen.decided() == {}
    keep_screen(open_window, "8-withdrawn")
    assert grave_findings(open_window) == []
    press(open_window, "Line 3 was already done: BUY NVDA")
    _buy_done(open_window)
    press(open_window, "Check your answers")
    press(open_window, "All correct: save")
    expect(open_window.get_by_text("Saved. Thank you.")).to_be_visible()
    assert kitchen.decided() == {3: "DONE"}


def test_a_correction_is_a_new_answer(kitchen: Kitchen) -> None:
    page = kitchen.page()
    _go_to_line(page, 4)
    choose(page, "SKIPPED: nothing was ordered")
    choose(page, "No time today")
    press(page, "Check your answers")
    press(page, "All correct: save")
    press(page, "Correct line 3")
    _buy_done(page)
    press(page, "Check your answers")
    press(page, "All correct: save")
    assert kitchen.decided() == {1: "SKIPPED", 2: "SKIPPED", 3: "DONE", 4: "SKIPPED"}
    rows = kitchen.conn.execute("SELECT revision FROM ops.confirmations WHERE line = 3 ORDER BY revision").fetchall()
    assert [r["revision"] for r in rows] == [1, 2]


def test_a_session_that_ended_saves_nothing_and_keeps_what_was_typed(kitchen: Kitchen) -> None:
    page = kitchen.page()
    _go_to_line(page, 4)
    choose(page, "SKIPPED: nothing was ordered")
    choose(page, "No time today")
    press(page, "Check your answers")
    with opened(kitchen.home, "sign_in") as conn, conn.transaction():
        conn.execute(
            "INSERT INTO ops.sign_outs (session_sha256, why) SELECT session_sha256, 'a test' FROM ops.sign_ins"
        )
    page.get_by_role("button", name="All correct: save").click()
    expect(page.get_by_text("You were signed out", exact=False)).to_be_visible()
    assert kitchen.decided() == {}
    again = kitchen.page()
    expect(again.get_by_text("Check your answers").first).to_be_visible()
    press(again, "All correct: save")
    assert len(kitchen.decided()) == 4


def test_at_a_phones_width_no_sentence_leaves_its_box_and_the_menu_is_shut(kitchen: Kitchen) -> None:
    page = page_of(kitchen.browser, kitchen.served, sign_in_cookie(kitchen.home, "omar"))
    page.goto(f"{kitchen.served.url}/home")
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=20_000)
    settled(page)
    cut = "[...document.querySelectorAll('p')].filter(p => p.scrollWidth > p.clientWidth).map(p => p.textContent)"
    assert page.evaluate(cut) == []
    expect(page.get_by_test_id("stSidebar").get_by_role("link", name="Reconciliation")).not_to_be_in_viewport()
