"""The same row of two statements has the same key, and a damaged file never gives other rows."""

import random
from typing import Any

from trading_ops.broker.statement import Statement, read_statement
from trading_ops.domain.errors import BadInput
from trading_ops_tests.unit import statement_factory as factory

DIVIDENDS = [factory.paid({"GBP": "1.20"}), factory.paid({"GBP": "1.30"}, position="8")]
ROWS = [
    factory.sold(at="20/07/2026 15:00:00", Balance="5,100.00"),
    factory.activity("Overnight fee", "AAPL/USD", "(0.10)", position="7"),
    factory.activity("Overnight fee", "AAPL/USD", "(0.10)", position="7"),
    factory.dividend("1.20"),
    factory.opened(),
]
CLOSED = [factory.closed({"GBP": "71.05"}), factory.closed({"GBP": "3.00"}, Units="1.0")]


def read(rows: list[Any], **given: Any) -> Statement:
    sheets = {"closed": CLOSED, "dividends": DIVIDENDS, "holdings": [factory.held()], **given}
    return read_statement(factory.build(activity=rows, **sheets), "s.xlsx")


def keys(statement: Statement) -> list[str]:
    rows = (*statement.activity, *statement.closed, *statement.dividends)
    return [row.key for row in rows] + [row.key for day in statement.holdings for row in day.rows]


def test_the_same_statement_twice_adds_nothing() -> None:
    assert keys(read(ROWS)) == keys(read(ROWS))
    assert len(set(keys(read(ROWS)))) == len(ROWS) + 2 + 2 + 1


def test_overlapping_statements_share_the_keys_of_common_rows() -> None:
    older, newer = read(ROWS[1:]), read(ROWS[:-1])
    common = [row.key for row in older.activity][:-1]
    assert common == [row.key for row in newer.activity][1:]
    assert newer.activity[0].key not in [row.key for row in older.activity]


def test_a_key_does_not_depend_on_the_header_version() -> None:
    activity = [{row.key for row in read(ROWS, version=version).activity} for version in factory.ACTIVITY_HEADERS]
    assert activity[0] == activity[1] == activity[2]
    closed = [[row.key for row in read(ROWS, closed_version=v).closed] for v in factory.CLOSED_HEADERS if v != "2022"]
    assert all(found == closed[0] for found in closed)


def test_a_key_does_not_depend_on_how_a_number_is_written() -> None:
    assert (
        read([factory.opened(amount="500.10")]).activity[0].key == read([factory.opened(amount=500.1)]).activity[0].key
    )


def test_any_other_value_is_another_row() -> None:
    changes: list[dict[str, Any]] = [
        {"at": "02/06/2026 14:50:01"}, {"details": "MSFT.RTH/USD"}, {"amount": "500.01"}, {"position": "5"},
        {"Balance": "4,581.92"},
    ]  # fmt: skip
    found = {read([factory.opened(**change)]).activity[0].key for change in [{}, *changes]}
    assert len(found) == len(changes) + 1


def facts(statement: Statement) -> tuple[Any, ...]:
    return (statement.activity, statement.closed, statement.dividends, statement.holdings, statement.summary)


def test_a_damaged_byte_is_refused_or_changes_nothing() -> None:
    whole = factory.build(activity=ROWS, closed=CLOSED, dividends=DIVIDENDS, holdings=[factory.held()])
    expected = facts(read_statement(whole, "s.xlsx"))
    chance = random.Random(20261120)
    refused = 0
    for _ in range(200):
        place = chance.randrange(len(whole))
        damaged = bytearray(whole)
        damaged[place] ^= chance.randrange(1, 256)
        try:
            found = facts(read_statement(bytes(damaged), "s.xlsx"))
        except BadInput:
            refused += 1
        else:
            assert found == expected, place
    assert refused > 100
