"""Intended against executed, line by line."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from trading_ops.domain.answer import Answer, FillPart, of_parts
from trading_ops.domain.execution import ExecutionReport, LineExecution, execution_report
from trading_ops.domain.execution_text import to_markdown, told
from trading_ops.domain.ledger import Fill
from trading_ops.domain.values import half_even
from trading_ops_tests.unit.ledger_factory import at, buy, day, sell
from trading_ops_tests.unit.ticket_factory import make_content, rule_failed

D = Decimal
G = D("1.40")
MONDAY = day("2018-02-05")
TEN_TO_THREE = at(MONDAY, 14, 50)
TICKET = make_content()
"""1 SELL 3.104512 ABBV (115.17), 2 SELL 3.708333 MSFT (91.78), 3 BUY £310 NVDA (233.52), 4 BUY £1240 AMZN (1429.95)."""


def answer(
    line: int, status: str = "DONE", price: str = "0", units: str = "0", value: str = "0", **fields: Any
) -> Answer:
    if status in ("SKIPPED", "FAILED"):
        return Answer(line, status, **fields)
    return Answer(line, status, "", D(units), D(price), D(value), None, TEN_TO_THREE, **fields)


def fill(line: int, units: str, price: str, value: str, when: dt.datetime = TEN_TO_THREE, **changes: Any) -> Fill:
    asked = TICKET.lines[line - 1]
    make = buy if asked.side == "BUY" else sell
    given = {"filled_at": when, "ticket_line": f"{TICKET.plan_id}/{line}", **changes}
    return make(asked.symbol, MONDAY, units, price, value, **given)


def report(*facts: Answer | Fill) -> ExecutionReport:
    answers = [f for f in facts if isinstance(f, Answer)]
    return execution_report(TICKET, answers, [f for f in facts if isinstance(f, Fill)], G)


def of(line: int, found: ExecutionReport) -> LineExecution:
    return found.lines[line - 1]


SOLD = (answer(1, price="115.17", units="3.104512", value="255.39"), fill(1, "3.104512", "115.17", "255.39"))
BOUGHT = (answer(3, price="235.86", units="1.84", value="310"), fill(3, "1.84", "235.86", "310"))
"""1 % above the reference."""


def test_everything_as_told() -> None:
    two = (answer(2, price="91.78", units="3.708333", value="243.11"), fill(2, "3.708333", "91.78", "243.11"))
    four = (answer(4, price="1429.95", units="1.21", value="1240"), fill(4, "1.21", "1429.95", "1240"))
    found = report(*SOLD, *two, *BOUGHT, *four)
    assert (found.as_told, found.compliance) == (4, D(1))
    assert (found.intended_buys_gbp, found.executed_buys_gbp) == (D(1550), D(1550))
    assert found.executed_sells_gbp == D("498.50")
    line = of(3, found)
    assert (line.status, line.fill_ratio, line.difference_gbp, line.in_window) == ("DONE", D(1), D(0), True)
    assert line.slippage is not None
    assert half_even(line.slippage, 6) == D("0.010021")
    assert half_even(found.slippage_gbp, 4) == half_even(D("1.84") * D("2.34") / G, 4)  # 3.0754


def test_a_part_counts_by_pounds_on_a_buy_and_by_units_on_a_sell() -> None:
    found = report(
        answer(1, "PARTIAL", "115", "1.552256", "127.50"), fill(1, "1.552256", "115", "127.50"),
        answer(3, "PARTIAL", "233.52", "0.9", "155"), fill(3, "0.9", "233.52", "155"),
    )  # fmt: skip
    assert (of(1, found).fill_ratio, of(3, found).fill_ratio) == (D("0.5"), D("0.5"))
    assert (of(3, found).difference_gbp, of(3, found).as_told) == (D(-155), True)


def test_what_was_not_done_is_as_told_and_what_is_open_is_not() -> None:
    found = report(answer(1, "SKIPPED", reason="no time"), answer(3, "FAILED", reason="CFD"))
    assert [line.status for line in found.lines] == ["SKIPPED", "OPEN", "FAILED", "OPEN"]
    assert [line.as_told for line in found.lines] == [True, False, True, False]
    assert (found.compliance, of(1, found).price_usd, of(1, found).slippage, of(1, found).in_window) == (
        D("0.5"), None, None, None,
    )  # fmt: skip
    assert of(1, found).difference_gbp == -of(1, found).intended_gbp


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"when": at(MONDAY, 14, 44)}, "in_window"),
        ({"when": at(MONDAY, 16, 46)}, "in_window"),
        ({"price": "238.20"}, "beyond_limit"),
        ({"value": "310.01"}, "overfilled"),
    ],
)
def test_what_breaks_an_instruction(changes: dict[str, Any], field: str) -> None:
    numbers = {"units": "1.84", "price": "235.86", "value": "310"} | {k: v for k, v in changes.items() if k != "when"}
    done = fill(3, **numbers, when=changes.get("when", TEN_TO_THREE))
    line = of(3, report(answer(3, **numbers), done))
    assert getattr(line, field) is (field != "in_window")
    assert not line.as_told


def test_a_sale_below_its_limit_and_of_too_much() -> None:
    numbers = {"units": "3.2", "price": "105.95", "value": "242.17"}
    line = of(1, report(answer(1, **numbers), fill(1, **numbers)))
    assert (line.beyond_limit, line.overfilled) == (True, True)


def test_a_line_that_closed_two_positions_has_their_mean_price() -> None:
    parts = [
        FillPart(D("91"), TEN_TO_THREE, D("2.5"), D("162.50")),
        FillPart(D("92"), TEN_TO_THREE, D("1.208333"), D("79.40")),
    ]  # fmt: skip
    late = at(MONDAY, 17)
    found = report(
        of_parts(2, "DONE", parts), fill(2, "2.5", "91", "162.50"), fill(2, "1.208333", "92", "79.40", when=late)
    )
    line = of(2, found)
    assert (line.executed_units, line.executed_gbp, line.fill_ratio) == (D("3.708333"), D("241.90"), D(1))
    assert line.price_usd is not None
    assert half_even(line.price_usd, 4) == D("91.3258")
    assert (line.in_window, line.overfilled) == (False, False)


def test_fills_of_another_ticket_and_off_ticket_are_not_looked_at() -> None:
    other = replace(BOUGHT[1], fill_id="o", ticket_line="2018-01-26/3")
    loose = replace(BOUGHT[1], fill_id="l", ticket_line=None)
    found = report(*BOUGHT, other, loose)
    assert found.executed_buys_gbp == D(310)


def test_an_answer_whose_fill_was_voided_is_not_as_told() -> None:
    assert not of(3, report(BOUGHT[0])).as_told


def test_a_fill_that_nobody_answered_for_is_not_as_told() -> None:
    line = of(3, report(BOUGHT[1]))
    assert (line.status, line.executed_gbp, line.in_window, line.as_told) == ("OPEN", D(310), True, False)
    assert of(3, report(replace(BOUGHT[1], value_gbp=D("310.01")))).overfilled


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ((), "0 of 4 lines done, 4 not answered, no instruction broken"),
        ([answer(n, "SKIPPED") for n in (1, 2)] + [answer(n, "FAILED") for n in (3, 4)],
         "0 of 4 lines done, 2 skipped, 2 failed, no instruction broken"),
        ((*SOLD, answer(3, "PARTIAL", "233.52", "0.9", "155"), fill(3, "0.9", "233.52", "155")),
         "1 of 4 lines done, 1 partly done, 2 not answered, no instruction broken"),
        ((*SOLD, answer(3, value="310.01", price="235.86"), fill(3, "1.84", "235.86", "310.01")),
         "2 of 4 lines done, 2 not answered, an instruction broken on 1"),
        ((*SOLD, BOUGHT[0]), "1 of 4 lines done, 2 not answered, 1 taken back, no instruction broken"),
    ],
)  # fmt: skip
def test_that_no_instruction_was_broken_is_not_taken_for_done(facts: Any, says: str) -> None:
    assert told(report(*facts).lines) == says


def test_a_no_trade_ticket_has_nothing_to_compare() -> None:
    content = make_content(orders=(), evidence=[rule_failed("FX_STALE", "5 days", "4 days", "The rate is old.")])
    found = execution_report(content, (), (), G)
    assert (found.lines, found.compliance, found.slippage_gbp) == ((), None, D(0))
    assert "no instruction" in to_markdown(found)


def test_the_report_as_markdown() -> None:
    done = replace(BOUGHT[1], estimated=True, filled_at=at(MONDAY, 17))
    found = report(*SOLD, answer(2, "SKIPPED", reason="no | time <b>\nat all"), BOUGHT[0], done)
    assert to_markdown(found) == (
        "## Intended against executed: ticket 2018-W05\n"
        "\n"
        "2 of 4 lines done, 1 skipped, 1 not answered, an instruction broken on 1. "
        "Bought £310 of £1,550, sold £255.39 of £491.51; slippage £3.08 lost.\n"
        "\n"
        "| line | asked | done | status | price | reference | slippage | filled | remark |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
        "| 1 SELL ABBV | 3.104512 units | £255.39, 3.104512 units | DONE | $115.17 | $115.17 | 0.00 % | 100 % |  |\n"
        "| 2 SELL MSFT | 3.708333 units | nothing | SKIPPED |  | $91.78 |  | 0 % | no \\| time \\<b\\> at all |\n"
        "| 3 BUY NVDA | £310 | £310, 1.84 units | DONE | $235.86 | $233.52 | 1.00 % | 100 % | outside the window; "
        "units or value estimated |\n"
        "| 4 BUY AMZN | £1,240 | nothing | OPEN |  | $1429.95 |  | 0 % |  |\n"
    )
