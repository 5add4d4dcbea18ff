"""Every page of the operator draws, for an empty book too, and nothing that a person typed becomes markup."""

import datetime as dt
import re
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Page, expect

from trading_ops.desk import recording
from trading_ops.settings import Settings
from trading_ops.store import audit, desk
from trading_ops_tests.integration import home_factory, household_factory
from trading_ops_tests.integration.browser import (
    DESK,
    PATIENCE,
    PHONE,
    chromium,
    grave_findings,
    needs_chromium,
    page_of,
    settled,
)
from trading_ops_tests.integration.command_line import run
from trading_ops_tests.integration.home_factory import opened
from trading_ops_tests.integration.household_factory import (
    BOUGHT,
    SESSION,
    shown,
)
from trading_ops_tests.integration.operator_factory import (
    PAGES,
    D,
    at_home,
    check_account,
    errors,
    movements,
    only,
    visit,
)
from trading_ops_tests.integration.page_server import Served, add_person, serving, sign_in_cookie


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


def test_a_test_ticket_is_a_command_with_its_values_until_it_is_there(household: Settings) -> None:
    app = visit(household, "tickets")
    (command,) = [code.value for code in app.code]
    assert "BUY for £25.00" in " ".join(m.value for m in app.markdown)
    assert command == f"trading-ops ticket test --asof {SESSION}"
    with opened(household, "operator_ui") as omar, pytest.raises(psycopg.errors.InsufficientPrivilege):
        omar.execute("INSERT INTO ops.plans DEFAULT VALUES")
    issued = run(household, *command.removeprefix("trading-ops ").split())
    assert issued.code == 0, issued.err
    app = visit(household, "tickets")
    assert not list(app.code), "a session has one"
    assert f"/confirm/test-{SESSION}" in shown(app)


@pytest.mark.parametrize("module", PAGES)
def test_a_page_of_an_empty_book_says_so_and_does_not_fail(
    fresh_home: Settings, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    at_home(fresh_home, monkeypatch)
    with opened(fresh_home) as conn:
        home_factory.set_up(conn, "live")
    add_person(fresh_home, "omar", "operator")
    app = visit(fresh_home, module)
    assert app.title[0].value
    assert not errors(app)


@pytest.mark.parametrize("module", PAGES)
def test_no_text_of_a_person_becomes_markup(household: Settings, conn: psycopg.Connection[Any], module: str) -> None:
    with conn.transaction():
        fee = recording.read_movement(
            uuid.uuid4(), "fee", "1.00", BOUGHT, goes_out=True, now=dt.datetime.now(dt.UTC), equity=D(0)
        )
        recording.book(conn, fee.fact, "<script>alert(1)</script><img src=x>", "omar")
        desk.open_incident(conn, "ODD", "<script>alert(2)</script>", {}, blocking=False, key="odd")
        desk.set_kill_switch(conn, "REDUCING", SESSION, "<script>alert(3)</script>", "omar")
    text = shown(visit(household, module))
    assert "<script>" not in text
    assert "<img" not in text


@pytest.fixture
def served(household: Settings, conn: psycopg.Connection[Any]) -> Iterator[Served]:
    """The household's pages over the wire, with differences, an open incident and a dead letter to look at."""
    check_account(conn, ABBV="3.140512")
    with conn.transaction():
        desk.open_incident(conn, "ODD_THING", "Something odd", {}, blocking=True, key="1")
    with serving(household) as made:
        yield made


def three_clicks(page: Page, words: str) -> None:
    """Press a button three times, faster than any page can answer."""
    page.get_by_role("button", name=words, exact=True).evaluate("b => { b.click(); b.click(); b.click(); }")
    settled(page)


@needs_chromium
def test_three_clicks_book_once_on_every_kind_of_form(
    household: Settings, served: Served, conn: psycopg.Connection[Any]
) -> None:
    with chromium() as browser:
        page = page_of(browser, served, sign_in_cookie(household, "omar"), DESK)
        page.goto(f"{served.url}/cash")
        page.get_by_text("Book cash that moved").click()
        page.get_by_text("fee: the broker took one").click()
        page.get_by_label("Amount in £, without sign").fill("1,5")
        page.get_by_label("Where this comes from").first.fill("seen on eToro")
        three_clicks(page, "Book it")
        assert movements(conn) == [], "1,5 is looked at again first"
        three_clicks(page, "Yes, it is right")
        expect(page.get_by_text("Booked: fee, -£1.50")).to_be_visible(timeout=PATIENCE)
        assert movements(conn) == [("fee", D("-1.50"))]

        page.goto(f"{served.url}/reconciliation")
        settled(page)
        three_clicks(page, page.get_by_role("button", name=re.compile("Accept.*ABBV")).first.inner_text())
        three_clicks(page, "Yes, it is right")
        expect(page.get_by_text("Accepted corrections")).to_be_visible(timeout=PATIENCE)
        only(conn.execute("SELECT * FROM ops.drift_resolutions").fetchall())

        page.goto(f"{served.url}/home")
        page.get_by_text("Close it with a note").click()
        page.get_by_label("What was done about it").fill("looked at it")
        three_clicks(page, "Close the incident")
        three_clicks(page, "Yes, it is right")
        expect(page.get_by_text("Closed: Something odd")).to_be_visible(timeout=PATIENCE)
        only(conn.execute("SELECT * FROM ops.incident_closures").fetchall())
        page.goto(f"{served.url}/home")
        settled(page)
        page.get_by_text("Set ACTIVE, REDUCING or HALTED").click()
        page.get_by_text("REDUCING: plans may sell only").click()
        page.get_by_label("Why").first.fill("careful")
        three_clicks(page, "Set the kill switch")
        three_clicks(page, "Yes, it is right")
        expect(page.get_by_text("REDUCING since")).to_be_visible(timeout=PATIENCE)
        only(list(desk.kill_switch_events(conn, audit.head(conn).seq)))


@needs_chromium
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing_serious_on_any_page(household: Settings, served: Served, size: tuple[int, int]) -> None:
    with chromium() as browser:
        page = page_of(browser, served, sign_in_cookie(household, "omar"), size)
        for name in PAGES:
            page.goto(f"{served.url}/{name}")
            expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=PATIENCE)
            settled(page)
            for summary in page.locator("[data-testid=stExpander] summary").all():
                summary.click()
            settled(page)
            assert grave_findings(page) == [], name
            wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wider <= 0, f"{name} scrolls sideways by {wider} px"


@needs_chromium
def test_the_executor_gets_none_of_these_pages(household: Settings, served: Served) -> None:
    with chromium() as browser:
        page = page_of(browser, served, sign_in_cookie(household, "anna"), DESK)
        for name in PAGES:
            page.goto(f"{served.url}/{name}")
            settled(page)
            expect(page.get_by_role("link", name="Reconciliation")).to_have_count(0)
            expect(page.get_by_text("Kill switch and holidays")).to_have_count(0)
