"""A real Chromium, at a phone's size or a desk's, in front of the real pages.

    with chromium() as browser:
        page = page_of(browser, served, sign_in_cookie(home, "anna"))
        page.goto(f"{served.url}/confirm/2018-W05")
        settled(page)

Screens are kept in docs/screens when `TRADING_OPS_WRITE_SCREENS=1`.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from trading_ops.settings import shipped
from trading_ops_tests.integration.page_server import Served, SessionCookie

CHROMIUM = Path(os.environ.get("TRADING_OPS_CHROMIUM", "/usr/bin/chromium"))
needs_chromium = pytest.mark.skipif(
    not CHROMIUM.exists(), reason=f"there is no Chromium at {CHROMIUM}: apt-get install chromium"
)
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
PHONE, DESK = (390, 844), (1280, 900)
PATIENCE = 20_000
SERIOUS = ("serious", "critical")
SETTLED = (
    "() => {const app = document.querySelector('[data-testid=stApp]'); return app && "
    "app.dataset.testScriptState === 'notRunning' && !document.querySelector('[data-stale=true]')}"
)
STAYS_SETTLED = (
    "async () => {for (let calm = 0; calm < 4;) {await new Promise(done => setTimeout(done, 60)); "
    f"calm = ({SETTLED})() ? calm + 1 : 0}} return true}}"
)
"""A press takes a moment to reach the server, so one look that finds nothing running proves nothing."""


@contextmanager
def chromium(*more: str) -> Iterator[Browser]:
    """A browser of its own; nothing of it is left."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=[*ARGUMENTS, *more])
        try:
            yield browser
        finally:
            browser.close()


def page_of(
    browser: Browser, served: Served, cookie: SessionCookie | None = None, size: tuple[int, int] = PHONE
) -> Page:
    """A fresh window, signed in when a cookie is given."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, locale="en-GB", timezone_id="Europe/London"
    )
    if cookie is not None:
        context.add_cookies([cookie.for_browser(served.url)])  # type: ignore[list-item]
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    return page


def settled(page: Page) -> None:
    """Wait until the page has drawn what the last press asked for."""
    page.wait_for_function(STAYS_SETTLED)


def press(page: Page, name: str) -> None:
    """Press a button by its words and wait for what it does."""
    page.get_by_role("button", name=name, exact=True).click()
    settled(page)


def choose(page: Page, words: str) -> None:
    """Choose an option, or tick a box, by its words."""
    page.get_by_text(words, exact=True).first.click()
    settled(page)


def fill(page: Page, label: str, text: str, place: int = 0) -> None:
    """Type into the field of a label, and leave it."""
    field = page.get_by_label(label, exact=True).nth(place)
    field.fill(text)
    field.press("Tab")
    settled(page)


def grave_findings(page: Page) -> list[str]:
    """What axe finds that is serious or critical, as sentences."""
    found: dict[str, Any] = Axe().run(page).response
    return [
        f"{violation['id']}: {violation['help']}: {[node['target'] for node in violation['nodes']][:3]}"
        for violation in found["violations"]
        if violation["impact"] in SERIOUS
    ]


def keep_screen(page: Page, name: str) -> None:
    """Keep a picture of the page for the documents, when asked to."""
    if os.environ.get("TRADING_OPS_WRITE_SCREENS") == "1":
        folder = shipped("pyproject.toml").parent / "docs" / "screens"
        folder.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=folder / f"{name}.png")
