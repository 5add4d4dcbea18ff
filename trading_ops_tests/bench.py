"""Speed figures on real prices, process start included: `make bench`.

Needs ../shared/market beside the project (or TRADING_OPS_SHARED). Prints each figure beside its limit for 2 cores, and
exits 1 when one is beyond it.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from trading_ops_tests import bench_pages, bench_qlib

ROOT = Path(__file__).resolve().parents[1]
MARKET = Path(os.environ.get("TRADING_OPS_SHARED", ROOT.parent / "shared")) / "market"
COMMAND = Path(sys.executable).with_name("trading-ops")


def run(home: Path, *words: str) -> float:
    """Run a command of the command line in a home; returns its seconds."""
    started = time.monotonic()
    done = subprocess.run(
        [COMMAND, *words],
        env={**os.environ, "TRADING_OPS_HOME": str(home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"trading-ops {' '.join(words)}: {done.stderr or done.stdout}")
    return time.monotonic() - started


def new_home(folder: Path, name: str) -> Path:
    """A sim book with the universe of the real prices."""
    home = folder / name
    run(home, "init", "--book", "sim", "--universe", str(MARKET / "universe.csv"))
    return home


def bars_loaded(folder: Path) -> float:
    """The equities file alone: 585,572 bars."""
    home = new_home(folder, "load")
    return run(home, "prices", "load", "--provider", "files", "--path", str(MARKET / "equities_2005_2021.parquet"))


def plan_on_ten_years(folder: Path) -> float:
    """One plan through the Dagster jobs on bars of 2005 to 2015: its first data snapshot is written too."""
    home = new_home(folder, "plan")
    run(home, "prices", "load", "--provider", "files", "--path", str(MARKET), "--through", "2015-01-30")
    return run(home, "plan", "--asof", "2015-01-30")


def two_years_simulated(folder: Path) -> float:
    """105 weekly plans on 99 names, 2014 and 2015, with 16 years of bars in the database."""
    home = new_home(folder, "simulate")
    run(home, "prices", "load", "--provider", "files", "--path", str(MARKET))
    return run(home, "simulate", "--from", "2014-01-01", "--through", "2015-12-31", "--no-reports")


def a_year_with_its_reports(folder: Path) -> float:
    """52 weekly plans, answered carelessly, with 249 daily and 52 weekly reports."""
    home = new_home(folder, "reports")
    run(home, "prices", "load", "--provider", "files", "--path", str(MARKET), "--through", "2015-01-30")
    return run(home, "simulate", "--from", "2014-01-01", "--through", "2014-12-31", "--executor", "sloppy")


FIGURES = (
    ("585,572 bars loaded", bars_loaded, 25),
    ("trading-ops plan on ten years of history", plan_on_ten_years, 15),
    ("two years of weekly plans through simulate", two_years_simulated, 40),
    ("a simulated year with its 301 reports", a_year_with_its_reports, 60),
)


def main() -> int:
    """Print every figure; 1 when one is beyond its limit."""
    if not MARKET.exists():
        print(f"{MARKET} is not there: no benchmark without the real prices.")
        return 1
    beyond = 0
    print("The Qlib dataset", flush=True)
    beyond += bench_qlib.main()
    print("The command line, process start included", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="trading-ops-bench-"))
    try:
        for name, measure, limit in FIGURES:
            seconds = measure(folder)
            beyond += seconds > limit
            print(f"{name:<45} {seconds:6.1f} s   (limit {limit} s)", flush=True)
        print("The pages, ten years of history, both users at work", flush=True)
        beyond += bench_pages.main(run, MARKET)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if beyond else 0


if __name__ == "__main__":
    sys.exit(main())
