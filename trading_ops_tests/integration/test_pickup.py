"""The inbox: what is dropped there is loaded and put away, or refused with the reason beside it."""

import datetime as dt
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from trading_ops.domain.universe import Universe
from trading_ops.intake import pickup
from trading_ops.settings import Settings
from trading_ops.store import configuration
from trading_ops_tests.integration import home_factory as factory
from trading_ops_tests.integration.command_line import run

NOW = dt.datetime(2099, 1, 2, 9, tzinfo=dt.UTC)
"""Long after any file of a test was written."""
STOOQ = "Date,Open,High,Low,Close,Volume\n2018-02-01,10,11,9,10,100\n2018-02-02,11,12,10,11,100\n"


@pytest.fixture
def conn(fresh_home: Settings) -> Iterator[psycopg.Connection[Any]]:
    with factory.opened(fresh_home) as opened:
        factory.set_up(opened)
        yield opened


def universe(conn: psycopg.Connection[Any]) -> Universe:
    return configuration.universe_of_day(conn, dt.date(2026, 1, 1)).universe


def drop(home: Settings, name: str, text: str = STOOQ) -> Path:
    path = home.inbox_dir / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def bars(conn: psycopg.Connection[Any]) -> int:
    row = conn.execute("SELECT count(*) AS n FROM ops.market_prices_eod").fetchone()
    assert row is not None
    return int(row["n"])


def test_a_file_whose_place_says_as_traded_is_loaded_and_put_away(
    conn: psycopg.Connection[Any], fresh_home: Settings
) -> None:
    path = drop(fresh_home, "as-traded/aaa_us.csv")
    (found,) = pickup.pick_up(conn, fresh_home, universe(conn), NOW)
    assert found.loaded
    assert "2 new or restated bars" in found.sentence
    assert not path.exists()
    assert found.put == fresh_home.inbox_dir / "done" / f"{NOW:%Y-%m-%d}" / "aaa_us.csv"
    assert found.put.read_text() == STOOQ
    journal = conn.execute("SELECT kind, body_name, outcome, load_id FROM ops.price_fetches").fetchall()
    assert [(r["kind"], r["body_name"], r["outcome"]) for r in journal] == [("file", "aaa_us.csv", "OK")]
    assert journal[0]["load_id"]


def test_a_file_of_unknown_basis_is_refused_with_the_reason_beside_it(
    conn: psycopg.Connection[Any], fresh_home: Settings
) -> None:
    drop(fresh_home, "aaa_us.csv")
    (found,) = pickup.pick_up(conn, fresh_home, universe(conn), NOW)
    assert not found.loaded
    assert found.put.parent.parent.name == "refused"
    assert "as-traded" in found.put.with_name("aaa_us.csv.why.txt").read_text()
    assert bars(conn) == 0
    row = conn.execute("SELECT outcome FROM ops.price_fetches").fetchone()
    assert row is not None
    assert row["outcome"] == "UNCONFIRMED_BASIS"


def test_one_bad_entry_does_not_hold_up_the_next(conn: psycopg.Connection[Any], fresh_home: Settings) -> None:
    drop(fresh_home, "as-traded/aaa_us.csv", "<html>not found</html>\n")
    drop(fresh_home, "as-traded/bbb_us.csv")
    found = list(pickup.pick_up(conn, fresh_home, universe(conn), NOW))
    assert [p.loaded for p in found] == [False, True]


def test_a_folder_is_one_entry_loaded_whole_or_not_at_all(conn: psycopg.Connection[Any], fresh_home: Settings) -> None:
    drop(fresh_home, "as-traded/week/aaa_us.csv")
    drop(fresh_home, "as-traded/week/bbb_us.csv", STOOQ.replace("11,12,10,11,100", "11,12,10,eleven,100"))
    (found,) = pickup.pick_up(conn, fresh_home, universe(conn), NOW)
    assert not found.loaded
    assert "eleven" in found.sentence
    assert bars(conn) == 0
    assert (found.put / "aaa_us.csv").exists()


def test_a_file_still_on_its_way_is_left_alone(conn: psycopg.Connection[Any], fresh_home: Settings) -> None:
    path = drop(fresh_home, "as-traded/aaa_us.csv")
    moment = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)
    early, later = moment + dt.timedelta(seconds=9), moment + dt.timedelta(seconds=10)
    assert pickup.waiting(fresh_home, early) == ()
    assert list(pickup.pick_up(conn, fresh_home, universe(conn), early)) == []
    assert pickup.waiting(fresh_home, later) == (path,)


def test_the_same_file_twice_adds_nothing_and_hides_nothing(
    conn: psycopg.Connection[Any], fresh_home: Settings
) -> None:
    puts = []
    for _ in range(2):
        drop(fresh_home, "as-traded/aaa_us.csv")
        (found,) = pickup.pick_up(conn, fresh_home, universe(conn), NOW)
        puts.append(found.put.name)
    assert puts == ["aaa_us.csv", "2-aaa_us.csv"]
    assert bars(conn) == 2


def test_what_was_put_away_and_hidden_files_are_not_looked_at(
    conn: psycopg.Connection[Any], fresh_home: Settings
) -> None:
    for name in ("done/aaa_us.csv", "refused/bbb_us.csv", ".aaa_us.csv.swp"):
        drop(fresh_home, name)
    assert list(pickup.pick_up(conn, fresh_home, universe(conn), NOW)) == []


def test_the_command_says_what_became_of_each_and_fails_for_a_refusal(
    conn: psycopg.Connection[Any], fresh_home: Settings
) -> None:
    assert "nothing to pick up" in run(fresh_home, "prices", "pickup").out
    for name in ("as-traded/aaa_us.csv", "bbb_us.csv"):
        path = drop(fresh_home, name)
        os.utime(path, (path.stat().st_mtime - 60,) * 2)
    done = run(fresh_home, "prices", "pickup")
    assert done.code == 1
    assert "aaa_us.csv: loaded" in done.out
    assert "bbb_us.csv: REFUSED" in done.out
