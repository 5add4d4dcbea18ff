"""How soon the pages answer, with ten years of history and both users at work: part of `make bench`.

Two people in two browsers at once: the executor goes through an open ticket line by line, the operator from page to
page. Measured is the time from the press to the page that has settled, as the person sees it.
"""

import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page

from trading_ops.settings import Settings
from trading_ops.store.server import Server
from trading_ops_tests.integration.browser import CHROMIUM, DESK, PHONE, chromium, page_of, settled
from trading_ops_tests.integration.page_server import Served, add_person, serving, sign_in_cookie

LIMIT = 1.0
FIRST, LAST = "2008-01-01", "2017-12-29"
PRESSES = 100
OPERATORS_PAGES = ("home", "ledger", "reconciliation", "cash", "tickets", "policy", "messages")
Run = Callable[..., float]


def lived_ten_years(folder: Path, run: Run, market: Path) -> Path:
    """A sim book with ten years of weekly plans, the last ticket waiting for its answers."""
    home = folder / "pages"
    run(home, "init", "--book", "sim", "--universe", str(market / "universe.csv"))
    run(home, "prices", "load", "--provider", "files", "--path", str(market))
    seconds = run(home, "simulate", "--from", FIRST, "--through", LAST)
    print(f"  ten years lived in {seconds:.0f} s", flush=True)
    return home


class Watch:
    """Seconds of every press of one person."""

    def __init__(self, who: str) -> None:
        """Nothing measured yet."""
        self.who = who
        self.seconds: list[tuple[float, str]] = []

    def measure(self, page: Page, what: str, act: Callable[[], object]) -> None:
        """One press, until the page has settled."""
        started = time.monotonic()
        act()
        settled(page)
        self.seconds.append((time.monotonic() - started, what))


def executor_at_work(home: Settings, served: Served, watch: Watch) -> None:
    """Opens the newest tickets and corrects lines in the form, back and forth."""
    with chromium() as browser:
        page = page_of(browser, served, sign_in_cookie(home, "anna"), PHONE)
        page.goto(f"{served.url}/confirm")
        settled(page)
        page.get_by_role("button", name="Correct line").first.wait_for()
        while len(watch.seconds) < PRESSES:
            button = page.get_by_role("button", name="Correct line").first
            watch.measure(page, "open a line", button.click)
            note = page.get_by_role("textbox").last
            watch.measure(page, "type", lambda note=note: (note.fill(f"seen {time.monotonic()}"), note.press("Tab")))
            for _ in range(8):
                if page.get_by_role("button", name="Correct line").count():
                    break
                back = page.get_by_role("button", name="Back", exact=True).first
                watch.measure(page, "back", back.click)


def operator_at_work(home: Settings, served: Served, watch: Watch) -> None:
    """Goes from page to page."""
    with chromium() as browser:
        page = page_of(browser, served, sign_in_cookie(home, "omar"), DESK)
        page.goto(f"{served.url}/home")
        settled(page)
        while len(watch.seconds) < PRESSES:
            for name in OPERATORS_PAGES:
                link = page.locator(f"a[href$='/{name}']").first
                watch.measure(page, name, link.click)


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
        home = Settings(Path(kept) if kept else lived_ten_years(Path(folder), run, market))
        return _measured(home)


def _measured(home: Settings) -> int:
    watches = [Watch("executor"), Watch("operator")]
    with Server(home).use():
        for name, role in (("anna", "executor"), ("omar", "operator")):
            add_person(home, name, role)
        with serving(home) as served:
            work = (executor_at_work, operator_at_work)
            threads = [
                threading.Thread(target=act, args=(home, served, watch))
                for act, watch in zip(work, watches, strict=True)
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
