"""Data snapshots of several sources: whose bar is chosen, what the others say, whose corporate actions count."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pyarrow as pa
import pytest

from trading_ops.domain.policy import Policy, parse
from trading_ops.domain.prices import MarketView
from trading_ops.providers.protocol import ACTIONS, BARS, FIXINGS
from trading_ops.settings import Settings
from trading_ops.store import configuration, market, snapshot_view, snapshots
from trading_ops.store.snapshot_shapes import CURRENT
from trading_ops_tests.integration import home_factory as factory

THURSDAY, FRIDAY = dt.date(2018, 2, 1), dt.date(2018, 2, 2)
NEITHER = "NOT_ADJUSTED,ACTIONS_UNKNOWN"


@pytest.fixture
def conn(fresh_home: Settings) -> Iterator[psycopg.Connection[Any]]:
    with factory.opened(fresh_home) as opened:
        factory.set_up(opened)
        yield opened


def bars(source: str, rows: list[tuple[str, dt.date, str]], flags: str = "NOT_ADJUSTED") -> pa.Table:
    made = []
    for symbol, session, close in rows:
        prices = dict.fromkeys(("open", "high", "low", "close", "adj_close"), Decimal(close))
        made.append(
            {"symbol": symbol, "session": session, **prices, "volume": Decimal(9), "source": source, "flags": flags}
        )
    return pa.Table.from_pylist(made, schema=BARS)


def actions(source: str, *rows: tuple[str, dt.date, str, str]) -> pa.Table:
    made = [{"symbol": s, "ex_date": d, "kind": k, "value": Decimal(v), "source": source} for s, d, k, v in rows]
    return pa.Table.from_pylist(made, schema=ACTIONS)


def fixing(source: str, rate: str, day: dt.date = FRIDAY) -> pa.Table:
    return pa.Table.from_pylist([{"day": day, "usd_per_gbp": Decimal(rate), "source": source}], schema=FIXINGS)


def load(conn: psycopg.Connection[Any], source: str, **tables: pa.Table) -> None:
    with conn.transaction():
        market.write_load(
            conn, provider=source, origin="a test", simulated=False, tables=tables, fetched_at=factory.AT
        )  # fmt: skip


def snapshot(conn: psycopg.Connection[Any], home: Settings) -> snapshots.Snapshot:
    policy = configuration.policy_in_force(conn).policy
    with conn.transaction():
        return snapshots.build(conn, home.snapshots_dir, asof=FRIDAY, actions_through=FRIDAY, policy=policy)


def view(conn: psycopg.Connection[Any], home: Settings) -> MarketView:
    policy: Policy = configuration.policy_in_force(conn).policy
    return snapshot_view.view(
        home.snapshots_dir, snapshot(conn, home), policy, THURSDAY, frozenset({"AAA", "BBB", "SPY"})
    )


def test_the_first_source_of_the_policy_is_chosen_and_the_others_are_witnesses(
    conn: psycopg.Connection[Any], fresh_home: Settings
) -> None:
    load(conn, "yahoo", bars=bars("yahoo", [("AAA", FRIDAY, "10.01")]))
    load(conn, "tiingo", bars=bars("tiingo", [("AAA", FRIDAY, "10.02")]))
    load(conn, "stooq", bars=bars("stooq", [("AAA", FRIDAY, "10.00")], NEITHER))
    seen = view(conn, fresh_home)
    bar = seen.bar("AAA", FRIDAY)
    assert bar is not None
    assert (bar.source, bar.close, bar.adjusted, bar.tells_actions) == ("stooq", Decimal("10.00"), False, False)
    said = [(w.source, w.close, w.tells_actions) for w in seen.witnesses_of("AAA", FRIDAY)]
    assert said == [("tiingo", Decimal("10.02"), True), ("yahoo", Decimal("10.01"), True)]


def test_a_witness_speaks_with_its_newest_revision(conn: psycopg.Connection[Any], fresh_home: Settings) -> None:
    load(conn, "stooq", bars=bars("stooq", [("AAA", FRIDAY, "10.00")], NEITHER))
    for close in ("11.00", "10.01"):
        load(conn, "yahoo", bars=bars("yahoo", [("AAA", FRIDAY, close)]))
    assert [w.close for w in view(conn, fresh_home).witnesses_of("AAA", FRIDAY)] == [Decimal("10.01")]


def test_a_split_that_two_sources_put_on_two_days_counts_once(
    conn: psycopg.Connection[Any], fresh_home: Settings
) -> None:
    days = [("AAA", THURSDAY, "40"), ("AAA", FRIDAY, "10")]
    load(conn, "tiingo", bars=bars("tiingo", days), actions=actions("tiingo", ("AAA", FRIDAY, "split", "4")))
    load(conn, "yahoo", bars=bars("yahoo", days), actions=actions("yahoo", ("AAA", THURSDAY, "split", "4")))
    seen = view(conn, fresh_home)
    assert [(a.ex_date, a.value, a.source) for a in seen.actions["AAA"]] == [(FRIDAY, Decimal(4), "tiingo")]
    assert [(a.ex_date, a.source) for a in seen.witness_actions["AAA"]] == [(THURSDAY, "yahoo")]


def test_a_source_that_tells_of_no_actions_leaves_them_to_the_next(
    conn: psycopg.Connection[Any], fresh_home: Settings
) -> None:
    load(conn, "stooq", bars=bars("stooq", [("AAA", FRIDAY, "10")], NEITHER))
    load(
        conn, "yahoo", bars=bars("yahoo", [("AAA", FRIDAY, "10")]),
        actions=actions("yahoo", ("AAA", FRIDAY, "dividend", "0.5")),
    )  # fmt: skip
    assert [(a.kind, a.source) for a in view(conn, fresh_home).actions["AAA"]] == [("dividend", "yahoo")]


def test_what_a_person_put_there_by_hand_outranks_a_source_that_tells(
    conn: psycopg.Connection[Any], fresh_home: Settings
) -> None:
    load(
        conn, "yahoo", bars=bars("yahoo", [("AAA", FRIDAY, "10")]),
        actions=actions("yahoo", ("AAA", FRIDAY, "split", "3")),
    )  # fmt: skip
    load(conn, "files", actions=actions("files", ("AAA", FRIDAY, "split", "4")))
    assert [(a.value, a.source) for a in view(conn, fresh_home).actions["AAA"]] == [(Decimal(4), "files")]


def test_a_dividend_taken_back_by_its_source_is_gone(conn: psycopg.Connection[Any], fresh_home: Settings) -> None:
    load(conn, "yahoo", bars=bars("yahoo", [("AAA", FRIDAY, "10")]))
    for value in ("0.5", "0"):
        load(conn, "yahoo", actions=actions("yahoo", ("AAA", FRIDAY, "dividend", value)))
    assert "AAA" not in view(conn, fresh_home).actions


def test_bars_of_two_sources_are_adjusted_by_the_actions_on_record(
    conn: psycopg.Connection[Any], fresh_home: Settings
) -> None:
    load(conn, "files", bars=factory.bars_table([("AAA", "2018-02-01", "40")]))
    load(
        conn, "yahoo", bars=bars("yahoo", [("AAA", FRIDAY, "10")]),
        actions=actions("yahoo", ("AAA", FRIDAY, "split", "4")),
    )  # fmt: skip
    seen = view(conn, fresh_home)
    assert [bar.adj_close for bar in seen.bars["AAA"].values()] == [10, 10]
    assert [bar.close for bar in seen.bars["AAA"].values()] == [40, 10]


def test_adjusted_closes_of_one_source_are_left_alone(conn: psycopg.Connection[Any], fresh_home: Settings) -> None:
    (row,) = factory.bars_table([("AAA", "2018-02-01", "40")]).to_pylist()
    load(conn, "files", bars=pa.Table.from_pylist([{**row, "adj_close": Decimal("39.5")}], schema=BARS))
    assert [bar.adj_close for bar in view(conn, fresh_home).bars["AAA"].values()] == [Decimal("39.5")]


def test_disputed_fixings_are_not_used_and_said_so(conn: psycopg.Connection[Any], fresh_home: Settings) -> None:
    load(conn, "ecb", bars=bars("ecb", []), fixings=fixing("ecb", "1.41"))
    load(conn, "yahoo", bars=bars("yahoo", [("AAA", FRIDAY, "10")]), fixings=fixing("yahoo", "141"))
    load(conn, "files", fixings=fixing("files", "1.40", THURSDAY))
    seen = view(conn, fresh_home)
    assert [(f.day, f.source) for f in seen.fixings] == [(THURSDAY, "files")]
    assert len(seen.disputed) == 1


def test_a_load_of_another_source_makes_the_actions_part_anew(
    conn: psycopg.Connection[Any], fresh_home: Settings
) -> None:
    days = [("AAA", FRIDAY, "10")]
    load(conn, "yahoo", bars=bars("yahoo", days), actions=actions("yahoo", ("AAA", FRIDAY, "split", "4")))
    assert "AAA" in view(conn, fresh_home).actions
    load(conn, "tiingo", bars=bars("tiingo", days))  # it would have told of a split, and comes first
    assert "AAA" not in view(conn, fresh_home).actions


def test_every_part_can_be_written_again_by_the_database(conn: psycopg.Connection[Any], fresh_home: Settings) -> None:
    days = [("AAA", THURSDAY, "40"), ("AAA", FRIDAY, "10")]
    load(conn, "tiingo", bars=bars("tiingo", days), actions=actions("tiingo", ("AAA", FRIDAY, "split", "4")))
    load(conn, "yahoo", bars=bars("yahoo", days), actions=actions("yahoo", ("AAA", THURSDAY, "split", "4")))
    load(conn, "ecb", fixings=fixing("ecb", "1.41"))
    load(conn, "yahoo", fixings=fixing("yahoo", "1.42"))
    made = snapshot(conn, fresh_home)
    assert {part.kind for part in made.parts} == {
        "bars", "actions", "fixings", "witness_bars", "witness_actions", "witness_fixings",
    }  # fmt: skip
    load(conn, "yahoo", bars=bars("yahoo", [("AAA", FRIDAY, "12")]))  # later facts change nothing about it
    for part in made.parts:
        part.path(fresh_home.snapshots_dir).unlink()
    snapshots.rebuild(conn, fresh_home.snapshots_dir, made.snapshot_id)
    snapshots.check_files(fresh_home.snapshots_dir, made)


def test_parts_of_the_first_layout_are_still_read_and_written_again(
    conn: psycopg.Connection[Any], fresh_home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(
        conn, "files", bars=factory.bars_table([("AAA", "2018-02-02", "10")]),
        actions=actions("files", ("AAA", FRIDAY, "split", "4")),
    )  # fmt: skip
    for kind in ("bars", "actions"):
        monkeypatch.setitem(CURRENT, kind, 1)
    old = snapshot(conn, fresh_home)
    monkeypatch.undo()
    assert {part.layout for part in old.parts} == {1}
    load(conn, "yahoo", bars=bars("yahoo", [("AAA", FRIDAY, "10")]))
    new = snapshot(conn, fresh_home)
    assert {part.layout for part in new.parts if part.kind in ("bars", "actions")} == {2}
    for part in old.parts:
        part.path(fresh_home.snapshots_dir).unlink()
    snapshots.rebuild(conn, fresh_home.snapshots_dir, old.snapshot_id)
    policy = parse(factory.policy_text(), "policy.yml")
    seen = snapshot_view.view(fresh_home.snapshots_dir, old, policy, THURSDAY, frozenset({"AAA"}))
    bar = seen.bar("AAA", FRIDAY)
    assert bar is not None
    assert bar.adjusted
    assert seen.actions["AAA"][0].value == 4
