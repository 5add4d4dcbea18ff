"""How soon the pages answer, with ten years of history and both users at work: part of `make bench`.

Two people in two browsers at once: the executor goes through an open ticket line by line, the operator from page to
page. Measured is the time from the press to the page that has settled, as the person sees it; the page itself is asked
at every frame, because a locator that has looked after 0.27 s looks again only after 0.77 s.
"""

import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Locator, Page

from trading_ops.settings import Settings
from trading_ops.store.server import Server
from trading_ops_tests.integration.browser import CHROMIUM, DESK, PHONE, SETTLED, chromium, page_of, settled
from trading_ops_tests.integration.page_server import Served, add_person, serving, sign_in_cookie

LIMIT = 1.0
FIRST, LAST = "2008-01-01", "2017-12-29"
PRESSES = 100
OPERATORS_PAGES = {
    "ledger": "Ledger",
    "reconciliation": "Reconciliation",
    "cash": "Cash and events",
    "tickets": "All tickets",
    "policy": "Policy and universe",
    "messages": "Messages",
    "home": "Home",
}
Run = Callable[..., float]
SHOWN = (
    "([selector, words]) => [...document.querySelectorAll(selector)]"
    f".some(found => words.some(said => found.innerText.includes(said))) && ({SETTLED})()"
)


class Shows(NamedTuple):
    """What a press is waited for: an element of the selector that says one of the words."""

    selector: str
    words: tuple[str, ...]


def lived_ten_years(folder: Path, run: Run, market: Path) -> Path:
    """A sim book with ten years of weekly plans and two people who may sign in."""
    home = folder / "pages"
    run(home, "init", "--book", "sim", "--universe", str(market / "universe.csv"))
    run(home, "prices", "load", "--provider", "files", "--path", str(market))
    seconds = run(home, "simulate", "--from", FIRST, "--through", LAST, "--no-reports")
    print(f"  ten years lived in {seconds:.0f} s", flush=True)
    settings = Settings(home)
    with Server(settings).use():
        for name, role in (("anna", "executor"), ("omar", "operator")):
            add_person(settings, name, role)
    return home


class Watch:
    """Seconds of every press of one person."""

    def __init__(self, who: str) -> None:
        """Nothing measured yet."""
        self.who = who
        self.seconds: list[tuple[float, str]] = []

    def measure(self, page: Page, what: str, press: Locator, shows: Shows) -> None:
        """One press, until the page shows what it asked for and has settled."""
        press.wait_for()
        started = time.monotonic()
        press.click()
        page.wait_for_function(SHOWN, arg=[shows.selector, list(shows.words)])
        self.seconds.append((time.monotonic() - started, what))


def executor_at_work(home: Settings, served: Served, watch: Watch) -> None:
    """Corrects a line of the newest ticket in its form, again and again."""
    with chromium() as browser:
        page = page_of(browser, served, sign_in_cookie(home, "anna"), PHONE)
        page.goto(f"{served.url}/confirm")
        button, text = page.get_by_role, page.get_by_text
        correct, back = button("button", name="Correct line 1"), button("button", name="Back", exact=True)
        leave = button("button", name="Leave it as it was saved")
        correct.or_(leave).or_(back).first.wait_for()
        while not correct.count():  # a home that was measured before
            back.or_(leave).first.click()
            settled(page)
        all_of_it = "[data-testid=stMain]"
        glance = Shows("button", ("Correct line 1", "Leave it as it was saved"))
        while len(watch.seconds) < PRESSES:
            watch.measure(page, "open a line", correct, Shows(all_of_it, ("Line 1 of",)))
            watch.measure(page, "choose SKIPPED", text("SKIPPED: nothing was ordered"), Shows(all_of_it, ("Why?",)))
            price = Shows("input[aria-label='Price in $']", ("",))
            watch.measure(page, "choose DONE", text("DONE: all of it was filled"), price)
            watch.measure(page, "go back", back, glance)
            if leave.count():
                watch.measure(page, "leave it as it was saved", leave, Shows("button", ("Correct line 1",)))


def operator_at_work(home: Settings, served: Served, watch: Watch) -> None:
    """Goes from page to page."""
    with chromium() as browser:
        page = page_of(browser, served, sign_in_cookie(home, "omar"), DESK)
        page.goto(f"{served.url}/home")
        page.get_by_role("heading", level=1, name=OPERATORS_PAGES["home"]).wait_for()
        while len(watch.seconds) < PRESSES:
            for name, title in OPERATORS_PAGES.items():
                link = page.get_by_test_id("stSidebarNav").locator(f"a[href$='/{name}']")
                watch.measure(page, name, link, Shows("h1", (title,)))


def percentile(seconds: list[float], share: float) -> float:
    """The smallest of the seconds that so large a share does not exceed."""
    return sorted(seconds)[max(0, round(share * len(seconds)) - 1)]


def main(run: Run, market: Path) -> int:
    """Print the figures; 1 when the 95th percentile is beyond the limit."""
    if not CHROMIUM.exists():
        print(f"There is no Chromium at {CHROMIUM}: the pages were not measured.")
        return 1
    with tempfile.TemporaryDirectory(prefix="trading-ops-bench-pages-") as folder:
        kept = os.environ.get("TRADING_OPS_BENCH_PAGES_HOME")
        # A home that was made before can be measured again.
        home = Settings(Path(kept) if kept else lived_ten_years(Path(folder), run, market))
        return _measured(home)


def _measured(home: Settings) -> int:
    watches = [Watch("executor"), Watch("operator")]
    with Server(home).use(), serving(home) as served:
        work = (executor_at_work, operator_at_work)
        threads = [
            threading.Thread(target=act, args=(home, served, watch)) for act, watch in zip(work, watches, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    every = [pressed for watch in watches for pressed in watch.seconds]
    for watch in watches:
        _print(watch.who, [seconds for seconds, _ in watch.seconds])
        for what in sorted({what for _, what in watch.seconds}):
            _print(f"  {what}", [seconds for seconds, name in watch.seconds if name == what])
    return int(_print("both users, every press", [seconds for seconds, _ in every]) > LIMIT)


def _print(name: str, seconds: list[float]) -> float:
    if not seconds:
        sys.exit(f"{name}: nothing was measured")
    worst = percentile(seconds, 0.95)
    print(
        f"{name:<45} p50 {percentile(seconds, 0.5):5.2f} s  p95 {worst:5.2f} s  of {len(seconds)}"
        f"   (limit {LIMIT:.0f} s at p95)",
        flush=True,
    )
    return worst


if __name__ == "__main__":
    from trading_ops_tests import bench

    sys.exit(main(bench.run, bench.MARKET))
