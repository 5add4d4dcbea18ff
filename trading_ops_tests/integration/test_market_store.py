"""Market facts and data snapshots on a real PostgreSQL: revisions, all-or-nothing, rebuilding, sharing of parts."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from trading_ops.domain.errors import BadInput
from trading_ops.domain.prices import MarketView
from trading_ops.settings import Settings
from trading_ops.store import configuration, snapshot_view, snapshots
from trading_ops.store.snapshot_parts import SnapshotDamaged
from trading_ops.store.snapshots import Snapshot
from trading_ops_tests.integration import home_factory as factory

NAMES = frozenset({"AAA", "BBB", "SPY"})
JANUARY = [("AAA", "2018-01-30", "10"), ("AAA", "2018-01-31", "11"), ("BBB", "2018-01-31", "20")]


@pytest.fixture
def conn(fresh_home: Settings) -> Iterator[psycopg.Connection[Any]]:
    with factory.opened(fresh_home) as conn:
        factory.set_up(conn)
        yield conn


def build(conn: psycopg.Connection[Any], home: Settings, asof: dt.date) -> Snapshot:
    policy = configuration.policy_in_force(conn).policy
    with conn.transaction():
        return snapshots.build(
            conn, home.snapshots_dir, asof=asof, actions_through=asof + dt.timedelta(days=3), policy=policy
        )


def view(conn: psycopg.Connection[Any], home: Settings, snapshot: Snapshot) -> MarketView:
    policy = configuration.policy_in_force(conn).policy
    return snapshot_view.view(home.snapshots_dir, snapshot, policy, dt.date(2017, 1, 1), NAMES)


def revisions(conn: psycopg.Connection[Any]) -> list[tuple[int, Decimal]]:
    rows = conn.execute(
        "SELECT revision, close FROM ops.market_prices_eod WHERE symbol = 'AAA' AND session = '2018-01-31' ORDER BY 1"
    )
    return [(r["revision"], r["close"]) for r in rows]


def test_an_equal_bar_is_no_news(conn: psycopg.Connection[Any]) -> None:
    factory.load(conn, bars=factory.bars_table(JANUARY))
    assert factory.load(conn, bars=factory.bars_table(JANUARY)).bars == 0
    assert revisions(conn) == [(1, Decimal(11))]


def test_a_restated_bar_is_a_new_revision_and_the_old_one_stays(conn: psycopg.Connection[Any]) -> None:
    factory.load(conn, bars=factory.bars_table(JANUARY))
    assert factory.load(conn, bars=factory.bars_table([("AAA", "2018-01-31", "11.5")])).bars == 1
    assert revisions(conn) == [(1, Decimal(11)), (2, Decimal("11.5"))]


def test_a_duplicate_in_a_delivery_keeps_none_of_it(conn: psycopg.Connection[Any]) -> None:
    twice = factory.bars_table([*JANUARY, JANUARY[0]])
    with pytest.raises(BadInput, match=r"AAA.*Remove one; nothing was stored"):
        factory.load(conn, bars=twice)
    for table in ("market_prices_eod", "price_loads", "price_load_symbols"):
        assert conn.execute(f"SELECT count(*) AS n FROM ops.{table}").fetchone() == {"n": 0}
    assert conn.execute("SELECT count(*) AS n FROM ops.audit_log WHERE kind = 'market.load'").fetchone() == {"n": 0}


def test_the_same_data_gives_the_same_snapshot(conn: psycopg.Connection[Any], fresh_home: Settings) -> None:
    factory.load(conn, bars=factory.bars_table(JANUARY), fixings=factory.fixings_table([("2018-01-31", "1.4")]))
    first = build(conn, fresh_home, dt.date(2018, 1, 31))
    factory.load(conn, bars=factory.bars_table(JANUARY))
    assert build(conn, fresh_home, dt.date(2018, 1, 31)).snapshot_id == first.snapshot_id


def test_complete_months_are_shared_and_only_the_new_one_is_written(
    conn: psycopg.Connection[Any], fresh_home: Settings
) -> None:
    factory.load(conn, bars=factory.bars_table([*JANUARY, ("AAA", "2018-02-01", "12"), ("AAA", "2018-02-02", "13")]))
    earlier = {p.part_id for p in build(conn, fresh_home, dt.date(2018, 2, 1)).parts}
    later = {p.part_id for p in build(conn, fresh_home, dt.date(2018, 2, 2)).parts}
    assert earlier & later == {p for p in earlier if p.startswith("bars.2:2018-01:")}
    assert len(later - earlier) == 1


def test_a_restatement_changes_later_snapshots_and_no_earlier_one(
    conn: psycopg.Connection[Any], fresh_home: Settings
) -> None:
    factory.load(conn, bars=factory.bars_table(JANUARY))
    before = build(conn, fresh_home, dt.date(2018, 1, 31))
    factory.load(conn, bars=factory.bars_table([("AAA", "2018-01-31", "11.5")]))
    after = build(conn, fresh_home, dt.date(2018, 1, 31))
    assert after.snapshot_id != before.snapshot_id
    day = dt.date(2018, 1, 31)
    for snapshot, close in ((before, "11"), (after, "11.5")):
        bar = view(conn, fresh_home, snapshots.get(conn, snapshot.snapshot_id)).bar("AAA", day)
        assert bar is not None
        assert bar.close == Decimal(close)


def test_the_database_rebuilds_a_lost_part_to_the_same_hash(
    conn: psycopg.Connection[Any], fresh_home: Settings
) -> None:
    factory.load(conn, bars=factory.bars_table(JANUARY))
    snapshot = build(conn, fresh_home, dt.date(2018, 1, 31))
    path = snapshot.parts[0].path(fresh_home.snapshots_dir)
    body = path.read_bytes()
    path.unlink()
    with pytest.raises(SnapshotDamaged, match="missing"):
        snapshots.check_files(fresh_home.snapshots_dir, snapshot)
    snapshots.rebuild(conn, fresh_home.snapshots_dir, snapshot.snapshot_id)
    assert path.read_bytes() == body


def test_a_plan_sees_no_bar_after_its_session_but_announced_splits(
    conn: psycopg.Connection[Any], fresh_home: Settings
) -> None:
    factory.load(
        conn,
        bars=factory.bars_table([*JANUARY, ("AAA", "2018-02-01", "12")]),
        actions=factory.actions_table(
            [("AAA", "2018-02-01", "split", "7.000007"), ("AAA", "2018-02-09", "split", "2")]
        ),
    )
    market = view(conn, fresh_home, build(conn, fresh_home, dt.date(2018, 1, 31)))
    assert max(market.bars["AAA"]) == dt.date(2018, 1, 31)
    assert [(a.ex_date, a.value) for a in market.actions["AAA"]] == [(dt.date(2018, 2, 1), Decimal(7))]


def test_the_first_source_of_the_policy_wins(conn: psycopg.Connection[Any], fresh_home: Settings) -> None:
    factory.load(conn, bars=factory.bars_table([("AAA", "2018-01-31", "11")]))
    other = factory.bars_table([("AAA", "2018-01-31", "99"), ("BBB", "2018-01-31", "20")])
    column = other.schema.get_field_index("source")
    other = other.set_column(column, other.schema.field(column), [["simulated"] * 2])
    factory.load(conn, bars=other)
    market = view(conn, fresh_home, build(conn, fresh_home, dt.date(2018, 1, 31)))
    found = {s: market.bar(s, dt.date(2018, 1, 31)) for s in ("AAA", "BBB")}
    assert {s: (b.close, b.source) for s, b in found.items() if b} == {
        "AAA": (Decimal(11), "files"),
        "BBB": (Decimal(20), "simulated"),
    }
