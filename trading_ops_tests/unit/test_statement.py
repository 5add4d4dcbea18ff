"""The broker's statement: every known English header version is read, value for value."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading_ops.broker.activity import ActivityType
from trading_ops.broker.statement import Statement, dividend_receipts, read_statement
from trading_ops_tests.unit import statement_factory as factory

D = Decimal


def read(**given: Any) -> Statement:
    return read_statement(factory.build(**given), "statement.xlsx")


@pytest.mark.parametrize("version", factory.ACTIVITY_HEADERS)
@pytest.mark.parametrize("amounts_in", [(), ("EUR",), ("GBP",)])
def test_account_activity_in_each_version(version: str, amounts_in: tuple[str, ...]) -> None:
    rows = [factory.sold(amount="4,581.91", pounds="3,400.10"), factory.opened()]
    statement = read(version=version, activity=rows, currency="USD", amounts_in=amounts_in)
    assert statement.versions["Account Activity"] == version
    sale, purchase = statement.activity
    assert (sale.type, purchase.type) == (ActivityType.POSITION_CLOSED, ActivityType.OPEN_POSITION)
    assert (sale.amount, sale.currency, sale.symbol, sale.position_id) == (D("4581.91"), "USD", "AAPL", "2270000001")
    assert (sale.amount_gbp, sale.row, sale.sheet) == (
        D("3400.10") if "GBP" in amounts_in else None, 2, "Account Activity",
    )  # fmt: skip
    assert sale.at == dt.datetime(2026, 7, 14, 16, 2, 44, tzinfo=dt.UTC)
    assert sale.when.text == "14/07/2026 16:02:44"
    assert purchase.units == (None if version == "2022" else D("2.631579"))
    assert purchase.is_cfd is (None if version == "2022" else False)
    assert statement.period
    assert statement.period[1].text == "31/07/2026 23:59:59"


@pytest.mark.parametrize("version", factory.CLOSED_HEADERS)
def test_closed_positions_in_each_version(version: str) -> None:
    rows = [factory.closed({"USD": "(71.05)", "GBP": "52.40"}), factory.closed({}, Leverage="5", position="3")]
    statement = read(closed=rows, currency="USD/GBP", closed_version=version)
    assert statement.versions["Closed Positions"] == version
    first, leveraged = statement.closed
    assert dict(first.profit)["USD"] == D("-71.05")
    assert dict(first.profit).get("GBP") == (None if version == "2022" else D("52.40"))
    assert (first.units, first.side, first.fees_and_dividends) == (D("2.631579"), "long", D("-6.97"))
    assert (first.is_cfd, leveraged.is_cfd) == (False, True)
    assert first.isin == ("" if version in ("2025.1", "2025.2") else "US0378331005")
    assert first.amount_currency == "USD"


@pytest.mark.parametrize("version", factory.DIVIDENDS_HEADERS)
def test_dividends_in_each_version(version: str) -> None:
    statement = read(dividends=[factory.paid({"USD": "1.60", "GBP": "1.20"})], currency="USD/GBP",
                     dividends_version=version)  # fmt: skip
    assert statement.versions["Dividends"] == version
    (row,) = statement.dividends
    assert (row.net_in("USD"), row.net_gbp, row.withholding_percent) == (D("1.60"), D("1.20"), D(15))
    assert (row.paid.at.date(), row.paid.has_time) == (dt.date(2026, 5, 15), False)
    assert row.native_net == (D("1.60") if version == "2025.11" else None)


def test_a_native_dividend_in_pounds_says_pounds() -> None:
    row = factory.paid({"USD": "1.60"}, **{"Net dividends": "1.19", "Currency": "GBP"})
    statement = read(dividends=[row], currency="USD", dividends_version="2025.11")
    assert (statement.dividends[0].net_gbp, statement.dividends[0].net_in("USD")) == (D("1.19"), D("1.60"))


def test_holdings_are_grouped_by_their_own_date() -> None:
    later = dt.datetime(2026, 7, 31)  # noqa: DTZ001
    rows = [factory.held(later, units="3.5"), factory.held(46203), factory.held(46203, asset="MSFT.RTH", position="2")]
    first, second = read(holdings=rows).holdings
    assert (first.day, second.day) == (dt.date(2026, 6, 30), dt.date(2026, 7, 31))
    assert [(row.asset, row.units) for row in first.rows] == [("Apple", D("2.631579")), ("MSFT.RTH", D("2.631579"))]
    assert second.rows[0].units == D("3.5")


def test_every_type_is_known() -> None:
    rows = [
        factory.activity(kind, "XLK/USD 2:1" if kind is ActivityType.SPLIT else "X", position="1")
        for kind in ActivityType
    ]
    assert [row.type for row in read(activity=rows).activity] == list(ActivityType)


@pytest.mark.parametrize(
    ("details", "symbol"),
    [("AAPL/USD", "AAPL"), ("MSFT.RTH/USD", "MSFT.RTH"), ("MSFT.24-7/USD", "MSFT.24-7"), ("MSFT.EUR/EUR", "MSFT.EUR"),
     ("BRK.B/USD", "BRK.B"), ("Apple", None), ("=1+1", None)],
)  # fmt: skip
def test_look_alikes_stay_what_they_are(details: str, symbol: str | None) -> None:
    data = factory.build(activity=[factory.opened("placeholder/USD")])
    data = factory.xlsx({
        "Account Summary": factory.summary_rows("GBP", "GBP", ("01/05/2026", "31/07/2026")),
        "Account Activity": [factory.ACTIVITY_HEADERS["2023"].split(","),
                             ["02/06/2026 14:50:00", "Open Position", details if details[0] != "=" else " =1+1",
                              "5.00", "1.0", "-", "-", "-", "1", "CFD", "-"]],
    })  # fmt: skip
    (row,) = read_statement(data, "s.xlsx").activity
    assert (row.details, row.symbol, row.is_cfd) == (details, symbol, True)


def test_a_split_is_reported_and_not_applied() -> None:
    statement = read(activity=[factory.activity("corp action: Split", "XLK/USD 3:2"), factory.opened("XLK/USD")])
    (split,) = statement.splits
    assert (split.symbol, split.first, split.second, split.factor) == ("XLK", D(3), D(2), D("1.5"))
    assert statement.activity[1].units == D("2.631579")


def test_a_position_id_is_reused_and_kept() -> None:
    rows = [factory.sold(units="1.0"), factory.sold(units="1.631579"), factory.activity("Overnight fee", position="7"),
            factory.dividend(), factory.opened()]  # fmt: skip
    found = [row.position_id for row in read(activity=rows).activity]
    assert found == ["2270000001", "2270000001", "7", "2270000001", "2270000001"]


def test_the_summary_gives_its_figures_with_their_currency() -> None:
    figures = {figure.label: figure for figure in read().summary.figures}
    assert figures["Ending Realized Equity"].amount == D("20071.05")
    assert figures["Ending Unrealized Equity"].currency == "GBP"
    assert "Withdrawals" not in figures


def test_the_price_is_implied_and_contains_fx() -> None:
    (row,) = read(activity=[factory.opened(amount="(500.00)", units="2.5")]).activity
    assert row.implied_price == D(200)


@pytest.mark.parametrize(
    ("cell", "value"),
    [("4,581.91", "4581.91"), ("(6.97)", "-6.97"), ("-6.97", "-6.97"), (" 12.30 ", "12.30"), ("1,234,567", "1234567"),
     ("4.581", "4.581"), ("(0.00)", "0"), (12.1, "12.1"), (7, "7"), (-0.000001, "-0.000001")],
)  # fmt: skip
def test_numbers_as_text_and_as_numbers(cell: Any, value: str) -> None:
    (row,) = read(activity=[factory.activity("Deposit", amount=cell)]).activity
    assert row.amount == D(value)
    assert not (row.amount.is_signed() and row.amount == 0)


@given(st.decimals(-(10**9), 10**9, places=2), st.decimals(0, 10**6, places=6), st.booleans())
@settings(max_examples=40, deadline=None)
def test_numbers_round_trip(amount: Decimal, units: Decimal, brackets: bool) -> None:
    text = f"({-amount:,.2f})" if brackets and amount < 0 else f"{amount:,.2f}"
    (row,) = read(activity=[factory.opened(amount=text, units=f"{units:,.6f}")]).activity
    assert (row.amount, row.units) == (amount, units)


@pytest.mark.parametrize(
    "cell",
    ["02/06/2026 14:50:00", dt.datetime(2026, 6, 2, 14, 50), 46175 + (14 * 60 + 50) / 1440],  # noqa: DTZ001
)
def test_a_time_is_text_or_an_excel_date_or_its_serial(cell: Any) -> None:
    (row,) = read(activity=[factory.opened(at=cell)]).activity
    assert (row.when.text, row.at) == ("02/06/2026 14:50:00", dt.datetime(2026, 6, 2, 14, 50, tzinfo=dt.UTC))


def receipts(**given: Any) -> Any:
    return dividend_receipts(read(currency="USD", amounts_in=("GBP",), profit_in=("USD", "GBP"), **given))


def test_a_dividend_of_two_sheets_is_counted_once() -> None:
    found = receipts(
        activity=[factory.dividend("1.60", pounds="1.20", at="15/05/2026 23:10:00"),
                  factory.dividend("1.60", pounds="1.21", at="14/02/2026 09:00:00")],
        dividends=[factory.paid({"USD": "1.60", "GBP": "1.20"}, at="16/05/2026"),
                   factory.paid({"USD": "0.40", "GBP": "0.30"}, position="9"),
                   factory.paid({"USD": "1.60", "GBP": "1.21"}, at="14/02/2026 09:59:00")],
    )  # fmt: skip
    assert [(r.when.text, r.net, r.currency, r.net_gbp, len(r.keys)) for r in found] == [
        ("14/02/2026 09:00:00", D("1.60"), "USD", D("1.21"), 2),
        ("15/05/2026", D("0.30"), "GBP", D("0.30"), 1),
        ("15/05/2026 23:10:00", D("1.60"), "USD", D("1.20"), 2),
    ]


@pytest.mark.parametrize(
    "row",
    [factory.paid({"USD": "1.60", "GBP": "1.20"}, position="9"), factory.paid({"USD": "1.70", "GBP": "1.20"}),
     factory.paid({"USD": "1.60", "GBP": "1.20"}, at="17/05/2026"),
     factory.paid({"USD": "1.60", "GBP": "1.20"}, at="15/05/2026 10:10:01")],
)  # fmt: skip
def test_another_position_amount_or_day_is_another_dividend(row: factory.Row) -> None:
    assert len(receipts(activity=[factory.dividend("1.60", pounds="1.20")], dividends=[row])) == 2
