"""A statement handed in: every row once, dividends once, holdings as checks of their own date, or refused by name."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from trading_ops.desk import statement_import
from trading_ops.desk.drift_evidence import statement_rows
from trading_ops.desk.statement_import import Imported
from trading_ops.domain.errors import BadInput, Refused
from trading_ops.settings import Settings
from trading_ops.store import audit, broker
from trading_ops_tests.integration import desk_factory as desk
from trading_ops_tests.integration.command_line import run
from trading_ops_tests.integration.home_factory import opened, set_up
from trading_ops_tests.unit import statement_factory as factory

D = Decimal
NOW = dt.datetime(2026, 8, 1, 12, tzinfo=dt.UTC)
LONG_AGO = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
UNIVERSE = desk.universe_text("AAPL", "MSFT").replace("AAPL Inc", "Apple").replace("MSFT Inc", "Microsoft")
JUNE_30 = dt.date(2026, 6, 30)
TABLES = ("broker_statements", "broker_statement_rows", "broker_snapshots", "incidents")


@pytest.fixture
def home(fresh_home: Settings) -> Settings:
    """A book with two names."""
    with opened(fresh_home) as conn:
        set_up(conn, universe=UNIVERSE)
    return fresh_home


@pytest.fixture(params=["executor_ui", "operator_ui"])
def conn(home: Settings, request: pytest.FixtureRequest) -> Iterator[psycopg.Connection[Any]]:
    """Either person's own connection."""
    with opened(home, request.param) as conn:
        yield conn


def add(conn: psycopg.Connection[Any], data: bytes, name: str = "statement.xlsx") -> Imported:
    parsed = statement_import.read(data, name)
    with conn.transaction():
        audit.speaking_as(conn, "anna")
        return statement_import.add(conn, parsed, "anna", NOW)


def kinds(conn: psycopg.Connection[Any]) -> list[tuple[str, str | None, Decimal | None, Decimal | None]]:
    return [(r.kind, r.symbol, r.units, r.amount_gbp) for r in statement_rows(conn, LONG_AGO)]


# ---- rows
@pytest.mark.parametrize("version", sorted(factory.ACTIVITY_HEADERS))
def test_trades_of_every_header_version_are_kept_with_the_desk_s_names(
    conn: psycopg.Connection[Any], version: str
) -> None:
    done = add(conn, factory.build(version, closed=[factory.closed({"GBP": "71.05"})]))
    opened_units = None if version == "2022" else D("2.631579")
    assert kinds(conn) == [
        ("open", "AAPL", opened_units, D("500.00")),
        ("close", "AAPL", D("2.631579"), D("571.05")),  # in 2022 only Closed Positions tells the units
    ]
    assert (done.new, done.known, done.unknown) == (2, 0, ())


def test_money_is_signed_as_it_moves(conn: psycopg.Connection[Any]) -> None:
    rows = [
        factory.activity("Deposit", amount="1,000.00", at="02/06/2026 09:00:00"),
        factory.activity("Withdraw Request", amount="250.00", at="03/06/2026 09:00:00"),
        factory.activity("Withdraw Fee", amount="(5.00)", at="04/06/2026 09:00:00"),
        factory.activity("Overnight fee", amount="0.40", at="05/06/2026 09:00:00"),
        factory.activity("Overnight refund", amount="0.10", at="06/06/2026 09:00:00"),
        factory.activity("Interest Payment", amount="1.11", at="07/06/2026 09:00:00"),
        factory.activity("Adjustment", amount="(2.00)", at="08/06/2026 09:00:00"),
        factory.activity("Transfer", amount="(30.00)", at="09/06/2026 09:00:00"),
        factory.activity("corp action: Split", "AAPL/USD 4:1", "0.00", at="10/06/2026 09:00:00", position="2270000001"),
    ]
    done = add(conn, factory.build(activity=rows[::-1]))
    assert [(kind, amount) for kind, _, _, amount in kinds(conn)] == [
        ("deposit", D(1000)), ("withdrawal", D(-250)), ("fee", D(-5)), ("fee", D("-0.40")), ("fee", D("0.10")),
        ("interest", D("1.11")), ("adjustment", D(-2)), ("withdrawal", D(-30)), ("split", None),
    ]  # fmt: skip
    assert "It reports a split, AAPL 4:1. It is not applied by itself." in done.sentences


def test_rows_that_an_older_version_did_not_read_are_not_added_to_a_statement_on_record(
    conn: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = factory.build(
        activity=[
            factory.activity("Interest Payment", amount="1.11", at="07/06/2026 09:00:00"),
            factory.activity("Deposit", amount="1,000.00", at="02/06/2026 09:00:00"),
        ]
    )
    read_now = statement_import.rows_of

    def read_then(*given: Any) -> Any:
        return tuple(row for row in read_now(*given) if row.kind != "interest")

    with monkeypatch.context() as older:
        older.setattr(statement_import, "rows_of", read_then)
        assert add(conn, data).new == 1
    before = desk.counts(conn, *TABLES, "audit_log")
    with pytest.raises(Refused, match=r"statement.xlsx was read on .*, and 1 of the rows .* interest of 07 Jun 2026"):
        add(conn, data)
    assert desk.counts(conn, *TABLES, "audit_log") == before
    again = factory.build(
        activity=[
            factory.activity("Deposit", amount="25.00", at="08/06/2026 09:00:00"),
            factory.activity("Interest Payment", amount="1.11", at="07/06/2026 09:00:00"),
            factory.activity("Deposit", amount="1,000.00", at="02/06/2026 09:00:00"),
        ]
    )
    done = add(conn, again, "newer.xlsx")
    assert (done.new, done.known) == (2, 1), "another file brings them"


def test_a_dividend_in_two_sheets_is_one_row(conn: psycopg.Connection[Any]) -> None:
    both = factory.build(activity=[factory.dividend("1.20")], dividends=[factory.paid({"GBP": "1.20"})])
    add(conn, both)
    assert kinds(conn) == [("dividend", "AAPL", None, D("1.20"))]


@pytest.mark.parametrize("first", ["both", "activity", "dividends"])
def test_a_dividend_is_known_by_either_of_its_rows(conn: psycopg.Connection[Any], first: str) -> None:
    rows: dict[str, dict[str, Any]] = {
        "both": {"activity": [factory.dividend("1.20")], "dividends": [factory.paid({"GBP": "1.20"})]},
        "activity": {"activity": [factory.dividend("1.20")]},
        "dividends": {"activity": [], "dividends": [factory.paid({"GBP": "1.20"})]},
    }
    then = "dividends" if first == "both" else "both"
    add(conn, factory.build(**rows[first]))
    done = add(conn, factory.build(**rows[then]))
    assert len(kinds(conn)) == 1
    assert (done.new, done.known) == (0, 1)


def test_a_dollar_statement_says_no_pounds_and_none_are_made_up(conn: psycopg.Connection[Any]) -> None:
    add(conn, factory.build(currency="USD", activity=[factory.opened(amount="650.00")]))
    assert kinds(conn) == [("open", "AAPL", D("2.631579"), None)]
    (row,) = desk.rows(conn, "broker_statement_rows")
    assert (row["body"]["amount"], row["body"]["currency"]) == ("650", "USD")


# ---- twice, and in parts
def test_the_same_file_twice_adds_nothing_and_says_so(conn: psycopg.Connection[Any]) -> None:
    data = factory.build(holdings=[factory.held()], dividends=[factory.paid({"GBP": "1.20"})])
    add(conn, data)
    before = desk.counts(conn, *TABLES)
    done = add(conn, data, "again.xlsx")
    assert desk.counts(conn, *TABLES) == before
    assert done.headline == "This file was read before. Nothing was added."


def test_an_overlapping_statement_adds_only_what_is_new(conn: psycopg.Connection[Any]) -> None:
    add(conn, factory.build(activity=[factory.opened()]))
    done = add(conn, factory.build(activity=[factory.sold(), factory.opened()]))
    assert (done.new, done.known, done.repeated) == (1, 1, False)
    assert [kind for kind, *_ in kinds(conn)] == ["open", "close"]


def test_eight_hands_at_once_store_one_file_once(home: Settings) -> None:
    data = factory.build(holdings=[factory.held()], dividends=[factory.paid({"GBP": "1.20"})])

    def hand_in() -> object:
        with opened(home, "executor_ui") as conn:
            return add(conn, data).new

    found = desk.at_once(*[hand_in] * 8)
    assert sorted(found, key=str) == [0] * 7 + [3]
    with opened(home) as conn:
        assert desk.counts(conn, "broker_statements", "broker_statement_rows") == (1, 3)


# ---- names
def test_a_look_alike_a_stranger_and_a_cfd_are_no_names_of_the_desk(conn: psycopg.Connection[Any]) -> None:
    rows = [
        factory.opened("AAPL.RTH/USD", position="1"),
        factory.opened("ZZZZ/USD", position="2", at="02/06/2026 14:51:00"),
        factory.opened("MSFT/USD", position="3", at="02/06/2026 14:52:00", asset_type="CFD"),
    ]
    done = add(conn, factory.build(activity=rows[::-1]))
    assert [symbol for _, symbol, _, _ in kinds(conn)] == [None, None, None]
    assert (done.unknown, done.cfds) == (("AAPL.RTH", "ZZZZ"), ("MSFT",))
    titles = {r["title"]: r["blocking"] for r in desk.rows(conn, "incidents")}
    assert titles == {
        "AAPL.RTH: seen in an account statement, unknown to the desk": False,
        "ZZZZ: seen in an account statement, unknown to the desk": False,
        "MSFT: seen as a CFD in an account statement, unknown to the desk": False,
    }
    stored = {r["position_id"]: r["body"]["details"] for r in desk.rows(conn, "broker_statement_rows")}
    assert stored["1"] == "AAPL.RTH/USD", "what it was called is kept as text"


def test_a_name_is_known_by_its_position(home: Settings, conn: psycopg.Connection[Any]) -> None:
    with opened(home) as writer:
        desk.held(writer, "MSFT", "1.5", dt.date(2026, 5, 4), "77")
    holdings = [factory.held(asset="Something else Corp", position="77", units="1.500000")]
    add(conn, factory.build(activity=[factory.opened()], holdings=holdings))
    snapshot = broker.newest_of_all(conn, NOW)
    assert snapshot is not None
    assert snapshot.holdings["MSFT"].units == D("1.5")


# ---- holdings at a date
def test_holdings_with_known_cash_are_a_check_of_their_own_date(conn: psycopg.Connection[Any]) -> None:
    holdings = [factory.held(units=2.631579), factory.held(position="2270000002", units="1.25")]
    done = add(conn, factory.build(holdings=holdings))
    snapshot = broker.newest_of_all(conn, NOW)
    assert snapshot is not None
    assert snapshot.taken_at == dt.datetime(2026, 6, 30, 23, 59, 59, tzinfo=dt.UTC)
    assert (snapshot.session, snapshot.cash_gbp) == (JUNE_30, D("4581.91"))
    held = snapshot.holdings["AAPL"]
    assert (held.units, held.places) == (D("3.881579"), 6)
    assert done.checks == (JUNE_30,)
    assert any("30 June 2026 came of it" in sentence.replace("JUNE", "June") for sentence in done.sentences)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"currency": "USD"}, "balances are in USD"),
        ({"currency": "GBP", "amounts_in": ["GBP"], "heading": "USD"}, "balances are in USD"),
        ({"activity": [factory.activity("Deposit", amount="5", at="30/06/2026 08:00:00")]}, "that very day"),
        ({"activity": [factory.sold()]}, "no balance before that day"),
        ({"period": ("01/05/2026 00:00:00", "15/06/2026 23:59:59")}, "does not reach to"),
        ({"activity": [factory.opened(Balance="-")]}, "no balance before that day"),
        ({"activity": [factory.opened(), factory.sold(), factory.opened(position="9")]}, "no order of time"),
        ({"holdings": [factory.held(asset="ZZZZ", position="9")]}, "ZZZZ, which the desk does not hold as a stock"),
        ({"holdings": [{**factory.held(), "Type": "CFD"}]}, "Apple, which the desk does not hold as a stock"),
        ({"holdings": [factory.held(46300)], "period": ("01/05/2026 00:00:00", "31/12/2026 00:00:00")}, "not over yet"),
    ],
)  # fmt: skip
def test_holdings_without_known_cash_are_evidence_only(
    conn: psycopg.Connection[Any], given: dict[str, Any], why: str
) -> None:
    given = {"holdings": [factory.held()], **given}
    if given.get("amounts_in"):
        given["activity"] = [factory.sold(pounds="450.00"), factory.opened(pounds="400.00")]
    done = add(conn, factory.build(**given))
    assert broker.newest_of_all(conn, NOW + dt.timedelta(days=999)) is None
    ((_, said),) = done.evidence_only
    assert why in said
    assert any("as evidence only, no account check came of them" in s and why in s for s in done.sentences)


def test_a_statement_without_holdings_says_that_no_check_came_of_it(conn: psycopg.Connection[Any]) -> None:
    assert "no account check came of it" in " ".join(add(conn, factory.build()).sentences)


# ---- refused
@pytest.mark.parametrize(
    ("data", "parts"),
    [
        (factory.build(language="Polish"), ("looks Polish", "language of the eToro site to English")),
        (factory.build(activity=[factory.activity("Gift card", amount="5")]), ("row 2", "'Gift card' is not known")),
        (b"", ("the file is empty",)),
        (b"%PDF-1.7 ...", ("PDF statement",)),
        (b"symbol,units\nAAPL,1\n", ("such as a CSV file",)),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_by_name_and_nothing_is_kept(
    conn: psycopg.Connection[Any], data: bytes, parts: tuple[str, ...]
) -> None:
    with pytest.raises(BadInput) as caught:
        add(conn, data, "konto.xlsx")
    assert str(caught.value).startswith("konto.xlsx")
    assert all(part in str(caught.value) for part in parts), str(caught.value)
    assert desk.counts(conn, *TABLES) == (0, 0, 0, 0)


def test_a_statement_from_the_future_is_refused(conn: psycopg.Connection[Any]) -> None:
    with pytest.raises(BadInput, match="has not passed yet"):
        add(conn, factory.build(activity=[factory.activity("Deposit", amount="5", at="04/08/2026 09:00:00")]))
    assert desk.counts(conn, *TABLES) == (0, 0, 0, 0)


# ---- the command
def test_the_command_reads_a_workbook_and_still_a_csv(home: Settings, tmp_path: Path) -> None:
    file = tmp_path / "statement.xlsx"
    file.write_bytes(factory.build(holdings=[factory.held()]))
    first, second = run(home, "snapshot", "add", "--file", str(file)), run(home, "snapshot", "add", "--file", str(file))
    assert (first.code, second.code) == (0, 0), first.err + second.err
    assert "2 rows are new" in first.out
    assert "An account check of" in first.out
    assert "This file was read before. Nothing was added." in second.out
    refused = run(home, "snapshot", "add", "--file", str(file), "--at", "2026-07-01 10:00")
    assert (refused.code, "Leave --at out" in refused.err) == (1, True)
    file.write_bytes(factory.build(language="Polish"))
    polish = run(home, "snapshot", "add", "--file", str(file))
    assert (polish.code, "looks Polish" in polish.err) == (1, True)
    typed = tmp_path / "snapshot.csv"
    typed.write_text("symbol,units\nCASH,10.00\nAAPL,1.5\n")
    assert run(home, "snapshot", "add", "--file", str(typed)).code == 0
