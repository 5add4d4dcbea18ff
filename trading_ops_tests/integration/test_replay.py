"""A ticket can be rebuilt from what was stored, anywhere and at any time; what was altered since is named."""

import datetime as dt
import hashlib
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from psycopg import sql

from trading_ops.planning import issue
from trading_ops.planning.direct import register
from trading_ops.settings import Settings
from trading_ops.store.server import Server
from trading_ops_tests.integration import fault_factory as factory
from trading_ops_tests.integration.command_line import run, run_apart
from trading_ops_tests.integration.home_factory import opened
from trading_ops_tests.integration.lived_factory import (
    ASOF,
    AT,
    copy_of,
    live,
    needs_real_prices,
    own_home,
    plan,
    superuser,
    tamper,
)

pytestmark = needs_real_prices

TICKETS = ("2018-W03", "2018-W04", "2018-W05", "2018-W06", "2018-W07")
"""Three TRADE, one that data refused, one that never ran."""
SMUGGLED = "00000000-0000-4000-8000-000000000001"
SHUFFLED = (
    "broker_snapshot_holdings", "config_universe", "confirmations", "corporate_actions", "data_snapshot_parts",
    "fx_rates_eod", "ledger_cash_movements", "ledger_trades_fills", "market_prices_eod", "risk_checks",
    "snapshot_parts", "ticket_lines",
)  # fmt: skip


@pytest.fixture(scope="module")
def five_weeks(embedded_server: Server, administrator: psycopg.Connection[Any]) -> Settings:
    """The lived book with its third week, and two more that end otherwise."""
    book = live(embedded_server, administrator)
    home = copy_of(book.lived, administrator, embedded_server.settings.home / "five", "five_weeks")
    with opened(home) as conn:
        factory.happen(conn, factory.week(book, home))
        plan(conn, home, ASOF)
        plan(conn, home, dt.date(2018, 2, 9))
        missed = register(conn, dt.date(2018, 2, 16), AT)
        issue.decide_plan(conn, home.tickets_dir, home.snapshots_dir, missed.plan_id, at=AT, final=True)
    return home


@pytest.fixture
def home(five_weeks: Settings, administrator: psycopg.Connection[Any], tmp_path: Path) -> Iterator[Settings]:
    with own_home(five_weeks, administrator, tmp_path / "home") as home:
        yield home


def differing(home: Settings, ticket: str = "2018-W05") -> list[str]:
    """What replay says of a ticket that it cannot rebuild, line by line."""
    done = run(home, "ticket", "replay", ticket)
    assert done.code == 1, done
    first, *rest = done.out.splitlines()
    assert first == f"{ticket} DIFFERS"
    return [line.strip() for line in rest]


def identical(out: str) -> list[str]:
    return [line.split()[0] for line in hashes(out)]


def hashes(out: str) -> list[str]:
    return [line for line in out.splitlines() if " identical sha256:" in line]


def test_every_ticket_is_rebuilt_byte_by_byte(five_weeks: Settings) -> None:
    done = run(five_weeks, "ticket", "replay", "all")
    assert (done.code, identical(done.out)) == (0, list(TICKETS))
    listed = run(five_weeks, "ticket", "list", "--json").out
    assert [listed.count(word) for word in ('"TRADE"', '"NO-TRADE"', "PLAN_MISSED", "DATA_COVERAGE")] == [3, 2, 1, 1]
    assert run(five_weeks, "audit", "verify").code == 0


@pytest.mark.parametrize(
    "machine",
    [
        {"PYTHONHASHSEED": "1", "TZ": "Asia/Kathmandu", "LANG": "C", "LC_ALL": "C"},
        {"PYTHONHASHSEED": "31337", "TZ": "America/New_York", "LANG": "tr_TR.UTF-8", "LC_ALL": "tr_TR.UTF-8"},
    ],
    ids=lambda machine: machine["TZ"],
)
def test_another_machine_rebuilds_the_same(five_weeks: Settings, machine: dict[str, str]) -> None:
    here = run(five_weeks, "ticket", "replay", "all")
    there = run_apart(five_weeks, "ticket", "replay", "all", **machine)
    assert (there.code, there.err) == (0, "")
    assert identical(there.out) == list(TICKETS)
    assert hashes(there.out) == hashes(here.out)


def test_a_late_ticket_of_an_older_week_changes_no_other(home: Settings) -> None:
    with opened(home) as conn:
        plan(conn, home, dt.date(2018, 1, 12))
    done = run(home, "ticket", "replay", "all")
    assert (done.code, identical(done.out)) == (0, ["2018-W02", *TICKETS])


def test_the_order_of_rows_on_disk_does_not_matter(home: Settings) -> None:
    with superuser(home) as conn, conn.transaction():
        conn.execute("SET LOCAL session_replication_role = replica")
        for table in SHUFFLED:
            name = sql.Identifier("ops", table)
            for step in (
                "ALTER TABLE {} DISABLE TRIGGER USER",
                "CREATE TEMPORARY TABLE shuffled ON COMMIT DROP AS SELECT * FROM {} t ORDER BY md5(t::text)",
                "DELETE FROM {}",
                "INSERT INTO {} SELECT * FROM shuffled",
                "DROP TABLE shuffled",
            ):
                conn.execute(sql.SQL(step).format(name))  # type: ignore[arg-type]
    for part in home.snapshots_dir.rglob("*.parquet"):
        part.unlink()
    with opened(home) as conn:
        rows = conn.execute("SELECT snapshot_id FROM ops.data_snapshots").fetchall()
    for row in rows:
        assert run(home, "data", "rebuild", row["snapshot_id"]).code == 0
    assert identical(run(home, "ticket", "replay", "all").out) == list(TICKETS)


def test_an_altered_bar_of_the_snapshot_is_named(home: Settings) -> None:
    (path,) = {p for p in home.snapshots_dir.glob("bars/2018-02-*.parquet") if pq.read_metadata(p).num_rows}
    table = pq.read_table(path)
    one = pc.and_(pc.equal(table["symbol"], "PYPL"), pc.equal(table["session"], dt.date(2018, 2, 1)))
    cent = pa.scalar(Decimal("0.01"), table["close"].type)
    close = pc.if_else(one, pc.add(table["close"], cent).cast(table["close"].type), table["close"])
    pq.write_table(table.set_column(table.column_names.index("close"), "close", close), path, compression="zstd")
    said = differing(home)
    (named,) = (line for line in said if line.startswith("PYPL 2018-02-01: close is "))
    assert "in the snapshot's file" in named
    assert any(str(path) in line and "altered" in line for line in said)
    assert identical(run(home, "ticket", "replay", "all").out) == ["2018-W03", "2018-W04", "2018-W07"]


def test_a_missing_part_of_the_snapshot_is_named_and_can_be_written_again(home: Settings) -> None:
    (path,) = home.snapshots_dir.glob("bars/2017-11-*.parquet")
    path.unlink()
    assert any(str(path) in line and "data rebuild" in line for line in differing(home))
    with opened(home) as conn:
        row = conn.execute("SELECT snapshot_id FROM ops.data_snapshots WHERE asof = %s", (ASOF,)).fetchone()
    assert row is not None
    assert run(home, "data", "rebuild", row["snapshot_id"]).code == 0
    assert identical(run(home, "ticket", "replay", "all").out) == list(TICKETS)


def test_an_altered_fill_is_named(home: Settings) -> None:
    with superuser(home) as conn:
        fill = conn.execute("SELECT fill_id FROM ops.ledger_trades_fills WHERE symbol = 'MU'").fetchone()
    assert fill is not None
    tamper(home, "ledger_trades_fills", "UPDATE ops.ledger_trades_fills SET units = units + 1 WHERE fill_id = %s", fill)
    said = differing(home)
    assert f"ledger_trades_fills {fill[0]} (MU): units is " in said[0]
    # The first ticket came before the first fill.
    assert identical(run(home, "ticket", "replay", "all").out) == ["2018-W03", "2018-W07"]
    assert str(fill[0]) in run(home, "audit", "verify").out


def test_a_fill_nobody_announced_is_named(home: Settings) -> None:
    with superuser(home) as conn:
        columns = [
            r[0]
            for r in conn.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_name = 'ledger_trades_fills' "
                "AND column_name NOT IN ('fill_id', 'plan_id', 'line', 'confirmation_id')"
            )
        ]
        names = sql.SQL(", ").join(map(sql.Identifier, columns))
        again = (
            "INSERT INTO ops.ledger_trades_fills (fill_id, {names}) "
            "SELECT %s, {names} FROM ops.ledger_trades_fills WHERE symbol = 'MU'"
        )
        conn.execute("ALTER TABLE ops.ledger_trades_fills DISABLE TRIGGER names_announcement")
        conn.execute(sql.SQL(again).format(names=names), (SMUGGLED,))
    assert f"{SMUGGLED}: never announced" in differing(home)[0]


def test_an_altered_number_of_the_policy_is_named_by_its_key(home: Settings) -> None:
    tamper(home, "config_policy", "UPDATE ops.config_policy SET body = replace(body, 'seats: 15', 'seats: 14')")
    said = differing(home)
    assert any("sizing.seats" in line and "15" in line and "14" in line for line in said)
    assert identical(run(home, "ticket", "replay", "all").out) == []


def test_an_altered_line_of_the_ticket_itself_is_named(home: Settings) -> None:
    ticket = json.loads(run(home, "ticket", "show", "2018-W05", "--format", "json").out)
    amount = ticket["content"]["lines"][0]["amount_gbp"]
    wrong = f"{Decimal(amount) + 1}"
    with superuser(home) as conn:
        row = conn.execute("SELECT content FROM ops.tickets WHERE ticket_id = '2018-W05'").fetchone()
    assert row is not None
    content = row[0].replace(f'"amount_gbp":"{amount}"', f'"amount_gbp":"{wrong}"', 1)
    assert content != row[0]
    # Its own hash is made to fit, so only recomputing can tell.
    changed = "UPDATE ops.tickets SET content = %s, content_sha256 = %s WHERE ticket_id = '2018-W05'"
    tamper(home, "tickets", changed, (content, hashlib.sha256(content.encode()).hexdigest()))
    assert f'content.lines[0].amount_gbp: the ticket says "{wrong}", recomputed "{amount}"' in differing(home)
    assert "ticket of plan 2018-02-02" in run(home, "audit", "verify").out
