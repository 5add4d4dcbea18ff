"""The door in a real Chromium at a phone's size: readable, checked by axe, nothing asked of anybody else."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from streamlit_app.person import SIGNED_OUT
from trading_ops.settings import Settings
from trading_ops.store.server import Server
from trading_ops_tests.integration.browser import DESK, chromium, grave_findings, needs_chromium, page_of, settled
from trading_ops_tests.integration.command_line import run
from trading_ops_tests.integration.home_factory import opened, set_up
from trading_ops_tests.integration.page_server import (
    PASSWORD,
    Served,
    add_person,
    own_home,
    serving,
    sign_in_cookie,
)

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def home(
    embedded_server: Server, administrator: psycopg.Connection[Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    with own_home(embedded_server, administrator, tmp_path_factory.mktemp("door")) as made:
        with opened(made) as conn:
            set_up(conn)
        for username, role in (("anna", "executor"), ("otto", "operator")):
            add_person(made, username, role)
        yield made


@pytest.fixture(scope="module")
def served(home: Settings) -> Iterator[Served]:
    with serving(home) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as made:
        yield made


def asked_elsewhere(page: Page, served: Served) -> list[str]:
    """Addresses, filled while the page is used, that are not this server's."""
    found: list[str] = []
    own = (served.url, served.url.replace("http", "ws", 1), "data:", "blob:")
    page.on("request", lambda request: found.append(request.url) if not request.url.startswith(own) else None)
    return found


def test_the_link_of_a_mail_leads_through_the_door_to_its_ticket(browser: Browser, served: Served) -> None:
    """Also the first visit after the server's start, when the framework does not know its pages yet."""
    page = page_of(browser, served)
    elsewhere = asked_elsewhere(page, served)
    page.goto(f"{served.url}/confirm/2018-W05")
    expect(page).to_have_title("Sign in - Trading desk")
    assert grave_findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for field in (page.get_by_label("Name"), page.get_by_label("Password"), page.get_by_role("button")):
        box = field.bounding_box()
        assert box is not None
        assert box["height"] >= 48
    page.get_by_label("Name").fill("Anna")
    page.get_by_label("Password").fill("not this one")
    page.get_by_label("Password").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("4 tries are left")
    expect(page.get_by_label("Name")).to_have_value("Anna")
    assert grave_findings(page) == []
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    settled(page)
    assert page.url == f"{served.url}/confirm?ticket=2018-W05"
    expect(page.get_by_text("Page not found")).to_have_count(0)
    assert elsewhere == []


def test_the_bare_address_opens_what_the_role_needs_first(browser: Browser, served: Served, home: Settings) -> None:
    for username, path in (("anna", "/confirm"), ("otto", "/home")):
        page = page_of(browser, served, sign_in_cookie(home, username))
        elsewhere = asked_elsewhere(page, served)
        page.goto(served.url)
        page.wait_for_url(f"{served.url}{path}")
        settled(page)
        assert elsewhere == []


def test_the_executor_has_no_page_of_the_operator(browser: Browser, served: Served, home: Settings) -> None:
    page = page_of(browser, served, sign_in_cookie(home, "anna"), DESK)
    page.goto(f"{served.url}/ledger")
    settled(page)
    expect(page.get_by_text("Page not found")).to_have_count(1)
    expect(page.get_by_role("link", name="Ledger")).to_have_count(0)


def test_an_open_page_says_that_its_session_ended_and_leads_back(
    browser: Browser, served: Served, home: Settings
) -> None:
    page = page_of(browser, served, sign_in_cookie(home, "anna"), DESK)
    page.goto(f"{served.url}/confirm/2018-W05")
    settled(page)
    assert run(home, "user", "sign-out", "anna").code == 0
    page.get_by_test_id("stSidebarNav").get_by_role("link").first.click()
    expect(page.get_by_text(SIGNED_OUT)).to_be_visible()
    expect(page.get_by_text("Anna, executor")).to_have_count(0)
    page.get_by_role("link", name="Sign in").click()
    expect(page).to_have_title("Sign in - Trading desk")


def test_signing_out_asks_first(browser: Browser, served: Served, home: Settings) -> None:
    page = page_of(browser, served, sign_in_cookie(home, "otto"), DESK)
    page.goto(served.url)
    page.get_by_role("link", name="Sign out").click()
    expect(page).to_have_title("Sign out - Trading desk")
    assert grave_findings(page) == []
    page.get_by_role("button", name="Sign out on all my devices").click()
    expect(page.get_by_role("status")).to_have_text("You are signed out.")
    page.goto(served.url)
    expect(page).to_have_title("Sign in - Trading desk")


def test_too_many_tries_are_explained(browser: Browser, served: Served, home: Settings) -> None:
    add_person(home, "lotte")
    page = page_of(browser, served)
    page.goto(f"{served.url}/sign-in")
    for n in range(5):
        page.get_by_label("Name").fill("lotte")
        page.get_by_label("Password").fill(f"wrong {n}")
        page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("opens again by itself at")
    assert grave_findings(page) == []
