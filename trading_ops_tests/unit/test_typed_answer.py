"""What is asked at the form of a line: one question a field, and none that hides that an instruction was broken."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from trading_ops.desk.typed_answer import Reading, read_line
from trading_ops.domain.answer_evidence import Evidence
from trading_ops_tests.unit.market_factory import committed_policy
from trading_ops_tests.unit.ticket_factory import make_content

D = Decimal
TICKET = make_content()
SELL, BUY = TICKET.lines[0], TICKET.lines[2]
"""All 3.104512 ABBV, skipped below 105.96; £310 of NVDA, skipped above 238.19."""
BOUGHT = {"price": "233.50", "units": "1.8585", "value": "310", "time": "14:50"}
SOLD = {"price": "115.20", "units": "3.104512", "value": "255.46", "time": "14:50"}


def read(line: Any, typed: dict[str, str], bar: tuple[str, str] | None = None) -> Reading:
    low, high = (D(bar[0]), D(bar[1])) if bar else (None, None)
    now = dt.datetime(2018, 2, 5, 17, tzinfo=dt.UTC)
    evidence = Evidence(D("1.4"), TICKET.window, now, committed_policy(), low, high)
    return read_line(line, {"status": "DONE", "plain_stock": True, "parts": [typed]}, evidence)


@pytest.mark.parametrize(
    ("line", "typed", "bar", "limit"),
    [
        (BUY, BOUGHT | {"price": "245.60", "units": "1.767"}, ("231", "236"), "skipped above $238.19"),
        (BUY, BOUGHT | {"price": "254.54", "units": "1.705"}, None, "skipped above $238.19"),
        (SELL, SOLD | {"price": "105.90", "value": "234.84"}, ("108", "116"), "skipped below $105.96"),
    ],
)
def test_a_price_beyond_the_limit_is_asked_about_beside_the_days_range(
    line: Any, typed: dict[str, str], bar: tuple[str, str] | None, limit: str
) -> None:
    found = read(line, typed, bar)
    assert [(ask.field, ask.code) for ask in found.asks] == [("price", "PRICE_UNUSUAL"), ("price", "BEYOND_LIMIT")]
    assert limit in found.asks[1].sentence
    assert found.answer is not None
    assert found.answer.asked == tuple(ask.sentence for ask in found.asks), "both stay on record"
    assert len(found.looked_at) == 2, "and one second look holds for both"


def test_more_than_the_line_is_asked_about_beside_amounts_that_disagree() -> None:
    found = read(BUY, BOUGHT | {"value": "520"})
    assert [(ask.field, ask.code) for ask in found.asks] == [("value", "AMOUNTS_DISAGREE"), ("value", "OVERFILLED")]


def test_of_two_causes_that_break_nothing_only_the_first_is_asked() -> None:
    found = read(BUY, BOUGHT | {"price": "£166.80"})
    assert [(ask.field, ask.code) for ask in found.asks] == [("price", "SECOND_LOOK")], "its pounds were asked about"
    assert read(BUY, BOUGHT).asks == ()
