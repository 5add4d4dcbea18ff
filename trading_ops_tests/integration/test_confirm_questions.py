"""`trading-ops confirm` asks about odd answers before any of the file is kept, and keeps them with --yes."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from trading_ops.commands.handed_in import FILL_COLUMNS
from trading_ops.settings import Settings
from trading_ops.store.server import Server
from trading_ops_tests.integration.command_line import holdings_of, run
from trading_ops_tests.integration.lived_factory import Lived, live, needs_real_prices, own_home

pytestmark = needs_real_prices

TICKET = "2018-W04"


@pytest.fixture(scope="module")
def book(embedded_server: Server, administrator: psycopg.Connection[Any]) -> Lived:
    return live(embedded_server, administrator)


@pytest.fixture
def home(book: Lived, administrator: psycopg.Connection[Any], tmp_path: Path) -> Iterator[Settings]:
    with own_home(book.lived, administrator, tmp_path / "home") as home:
        yield home


def fills_file(book: Lived, folder: Path, **changes: str) -> str:
    """The honest answers, the first of a BUY changed."""
    side = {line.line: line.side for line in book.second.lines}
    path, left = folder / "fills.csv", dict(changes)
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, FILL_COLUMNS, restval="", extrasaction="raise")
        writer.writeheader()
        for a in book.executed:
            row = {
                "line": str(a.line), "status": a.status, "units": str(a.units or ""),
                "price_usd": str(a.price_usd or ""), "value_gbp": str(a.value_gbp or ""),
                "position_id": a.position_id or "", "executed_at": a.executed_at.isoformat() if a.executed_at else "",
            }  # fmt: skip
            if side[a.line] == "BUY" and a.status == "DONE" and left:
                row |= left
                left = {}
            writer.writerow(row)
    assert not left
    return str(path)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"executed_at": "2018-01-29 17:30"}, "The ticket's time was 14:45 to 16:45 (London), and this is 17:30"),
        ({"executed_at": "2018-01-29 13:00"}, "A market order placed while closed queues"),
        ({"value_gbp": "9999", "units": ""}, "is more than the"),
    ],
)
def test_an_odd_answer_is_asked_about_and_kept_when_it_is_right(
    home: Settings, book: Lived, tmp_path: Path, changes: dict[str, str], says: str
) -> None:
    file, before = fills_file(book, tmp_path, **changes), holdings_of(home)
    asked = run(home, "confirm", TICKET, "--file", file)
    assert (asked.code, asked.out) == (1, "")
    assert says in asked.err
    assert "Nothing was stored: correct it, or repeat with --yes" in asked.err
    assert holdings_of(home) == before
    kept = run(home, "confirm", TICKET, "--file", file, "--yes")
    assert (kept.code, kept.err) == (0, "")
    assert "every line is answered" in kept.out
