"""The currency of a statement: each line of the decision table, and every other combination refused by name."""

from decimal import Decimal
from typing import Any

import pytest

from trading_ops.broker.statement import Statement, read_statement
from trading_ops.domain.errors import BadInput
from trading_ops_tests.unit import statement_factory as factory


def read(**given: Any) -> Statement:
    rows = given.pop("activity", [factory.opened(amount="500.00", pounds="371.20")])
    return read_statement(factory.build(activity=rows, **given), "s.xlsx")


@pytest.mark.parametrize(
    ("cell", "amounts_in", "heading", "ledger", "pounds"),
    [
        ("USD", (), None, "USD", None),
        ("USD", (), "USD", "USD", None),
        ("USD", ("GBP",), "USD", "USD", "371.20"),
        ("USD", ("EUR",), "USD", "USD", None),
        ("USD/EUR", ("EUR",), "USD", "USD", None),
        ("USD/GBP", ("GBP",), "USD", "USD", "371.20"),
        ("USD / GBP", (), None, "USD", None),
        ("GBP", ("GBP",), None, "USD", "371.20"),
        ("GBP", ("GBP",), "USD", "USD", "371.20"),
        ("GBP", (), "GBP", "GBP", "500.00"),
        ("GBP", (), None, "GBP", "500.00"),
    ],
)
def test_each_line_of_the_table(
    cell: str, amounts_in: tuple[str, ...], heading: str | None, ledger: str, pounds: str | None
) -> None:
    statement = read(currency=cell, amounts_in=amounts_in, heading=heading)
    (row,) = statement.activity
    assert (statement.currency, row.currency, row.amount) == (ledger, ledger, Decimal("500.00"))
    assert row.amount_gbp == (None if pounds is None else Decimal(pounds))
    assert statement.says_pounds is (pounds is not None)


@pytest.mark.parametrize(
    ("cell", "amounts_in", "heading"),
    [("EUR", (), "EUR"), ("", (), None), ("GBX", (), None), ("pounds", (), None), ("GBP", (), "USD"),
     ("USD", (), "GBP"), ("USD", ("GBP",), "GBP"), ("GBP/EUR", (), None), ("GBP", ("GBP",), "EUR")],
)  # fmt: skip
def test_another_combination_is_refused_by_name(cell: str, amounts_in: tuple[str, ...], heading: str | None) -> None:
    with pytest.raises(BadInput, match=r"sheet Account Summary, row 4, column Currency: the Currency cell says"):
        read(currency=cell, amounts_in=amounts_in, heading=heading)


def dividend_of(amount: str, net: dict[str, str], **given: Any) -> Statement:
    return read(activity=[factory.dividend(amount)], dividends=[factory.paid(net)], profit_in=("USD", "GBP"), **given)


def test_dividends_prove_a_native_pound_account() -> None:
    statement = dividend_of("1.20", {"USD": "1.60", "GBP": "1.20"}, currency="GBP", heading=None)
    assert (statement.currency, statement.activity[0].amount_gbp) == ("GBP", Decimal("1.20"))


@pytest.mark.parametrize(
    ("amount", "cell", "heading"), [("1.60", "GBP", None), ("1.60", "GBP", "GBP"), ("1.20", "USD", "USD"),
                                    ("7.00", "GBP", None)],
)  # fmt: skip
def test_dividends_that_prove_another_currency_or_none_refuse(amount: str, cell: str, heading: str | None) -> None:
    with pytest.raises(BadInput, match="not known for this combination"):
        dividend_of(amount, {"USD": "1.60", "GBP": "1.20"}, currency=cell, heading=heading)


def test_two_columns_of_pounds_must_agree() -> None:
    with pytest.raises(BadInput, match="row 2: Amount and Amount in GBP differ"):
        read(currency="GBP", amounts_in=("GBP",), heading="GBP")


def test_the_closed_amount_has_no_currency_where_the_headers_name_others() -> None:
    statement = read(currency="GBP", heading="GBP", closed=[factory.closed({"USD": "1"})], profit_in=("USD",))
    assert statement.closed[0].amount_currency is None
