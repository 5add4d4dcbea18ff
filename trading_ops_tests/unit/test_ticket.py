"""The ticket as data: its numbers, its hash, its published JSON."""

import copy
import datetime as dt
import decimal
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_ops.domain.errors import BadInput, UnknownSymbol
from trading_ops.domain.gates import decide
from trading_ops.domain.results import Outcome, Verdict
from trading_ops.domain.ticket import (
    TicketContent,
    TicketError,
    TicketInputs,
    content_bytes,
    content_sha256,
    from_json,
    json_schema,
    to_json,
    to_markdown,
    to_text,
)
from trading_ops.domain.ticket_lines import buy_limit_usd, min_available_gbp, price_text, sell_limit_usd
from trading_ops.domain.universe import Universe
from trading_ops_tests.unit.golden_files import assert_golden
from trading_ops_tests.unit.market_factory import ROOT, committed_policy
from trading_ops_tests.unit.ticket_factory import (
    all_passed,
    deferred_costco,
    make_buy,
    make_content,
    make_envelope,
    make_names,
    make_result,
)

D = Decimal
prices = st.decimals("0.01", "9999.9999", places=4)


def as_json(content: TicketContent) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(to_json(content, make_envelope(content)))
    return document


def test_a_buy_is_skipped_above_its_price_plus_two_percent_down_to_cents() -> None:
    assert buy_limit_usd(D("233.52"), committed_policy()) == D("238.19")  # 238.1904
    assert buy_limit_usd(D("50"), committed_policy()) == D("51.00")


def test_a_sell_is_skipped_below_its_price_less_eight_percent_up_to_cents() -> None:
    assert sell_limit_usd(D("115.17"), committed_policy()) == D("105.96")  # 105.9564
    assert sell_limit_usd(D("50"), committed_policy()) == D("46.00")


@given(prices)
def test_limits_round_towards_the_reference_by_less_than_a_cent(price: Decimal) -> None:
    policy = committed_policy()
    assert 0 <= price * D("1.02") - buy_limit_usd(price, policy) < D("0.01")
    assert 0 <= sell_limit_usd(price, policy) - price * D("0.92") < D("0.01")


def test_what_must_be_available_is_the_amount_and_half_the_floor_up_to_whole_pounds() -> None:
    assert min_available_gbp(D(310), D("20412.3349"), committed_policy()) == D(515)  # 310 + 204.123349
    assert min_available_gbp(D(310), D(20000), committed_policy()) == D(510)


@pytest.mark.parametrize(
    ("price", "says"), [("115.17", "115.17"), ("38.6", "38.60"), ("0.01250", "0.0125"), ("7", "7.00")]
)
def test_a_price_keeps_its_decimals_and_has_two_at_least(price: str, says: str) -> None:
    assert price_text(D(price)) == says


def test_a_buy_line_says_everything_that_has_to_be_typed_or_compared() -> None:
    line = make_content(orders=[make_buy(1, "BRK.B", "310")]).lines[0]
    assert (line.side, line.amount_gbp, line.units, line.close_whole) == ("BUY", "310.00", "2.109099", False)
    assert (line.etoro_search, line.reject) == ("BRK.B", ("BRK.B.RTH", "BRK.B.24-7", "BRK.B.EUR"))
    assert (line.reference_price_usd, line.limit_price_usd, line.min_available_gbp) == ("208.70", "212.87", "515.00")
    assert (line.order_type, line.leverage, line.lots) == ("market order by amount", 1, ())


def test_a_sell_line_names_the_lots_it_closes() -> None:
    whole, partly = make_content().lines[:2]
    assert (whole.close_whole, whole.amount_gbp, whole.min_available_gbp) == (True, "251.81", None)
    assert [(lot.position_id, lot.units, lot.whole) for lot in whole.lots] == [("2272508626", "3.104512", True)]
    assert [(lot.position_id, lot.units, lot.whole) for lot in partly.lots] == [
        ("2201938475", "2.500000", True),
        (None, "1.208333", False),
    ]
    assert (partly.close_whole, partly.units) == (False, "3.708333")


def test_a_name_without_notes_is_called_by_its_search_name_and_a_long_one_is_cut() -> None:
    assert make_content(orders=[make_buy(1, "T", "310")]).lines[0].name == "T"
    universe = make_names(T="Very " * 20)
    assert make_content(orders=[make_buy(1, "T", "310")], universe=universe).lines[0].name == ("Very " * 20)[:39] + "…"


def test_a_no_trade_has_no_lines_even_when_the_orders_are_known() -> None:
    content = make_content(
        evidence=all_passed(but=[make_result("INCIDENT_OPEN", Outcome.FAIL)]), deferred=[deferred_costco()]
    )
    assert content.verdict is Verdict.NO_TRADE
    assert content.reasons == ("INCIDENT_OPEN",)
    assert content.lines == content.deferred == ()
    assert (content.buys_gbp, content.sells_gbp) == ("0.00", "0.00")


def test_nothing_to_do_lists_what_was_deferred() -> None:
    content = make_content(orders=[], deferred=[deferred_costco()])
    assert content.reasons == ("NOTHING_TO_DO",)
    assert [(d.symbol, d.amount_gbp, d.code) for d in content.deferred] == [("COST", "310.00", "TURNOVER_CAP")]


def test_a_trade_without_orders_is_refused() -> None:
    with pytest.raises(TicketError, match="TRADE without a line"):
        make_content(orders=[], decision=decide(all_passed(), True, "live"))


def test_a_line_outside_the_universe_is_refused() -> None:
    with pytest.raises(UnknownSymbol, match="line 1 of the ticket: unknown symbol 'ABBV'"):
        make_content(universe=Universe({}))


def test_a_plan_that_never_ran_still_has_a_ticket() -> None:
    content = make_content(
        evidence=[make_result("PLAN_MISSED", Outcome.FAIL)], orders=[], sized=False, inputs=TicketInputs()
    )
    assert content.verdict is Verdict.NO_TRADE
    assert (content.equity_gbp, content.cash_gbp, content.inputs.snapshot_id) == (None, None, None)
    assert "At the close" not in to_text(content, make_envelope(content))


def test_the_next_plan_opens_on_its_own_saturday() -> None:
    content = make_content(next_plan=dt.date(2018, 3, 29))  # Good Friday follows: D is a Thursday
    assert content.next_plan_opens_utc == dt.datetime(2018, 3, 31, 7, tzinfo=dt.UTC)


def test_content_has_no_clock_run_or_machine_in_it() -> None:
    content = make_content()
    other = make_envelope(content, run_id="another", issued_at=dt.datetime(2030, 1, 1, tzinfo=dt.UTC), git_dirty=True)
    assert other.content_sha256 == make_envelope(content).content_sha256 == content_sha256(make_content())


def test_another_decimal_context_gives_the_same_bytes_and_words() -> None:
    content = make_content()
    with decimal.localcontext(prec=3, rounding=decimal.ROUND_UP):
        again = make_content()
        assert content_bytes(again) == content_bytes(content)
        words = to_text(again, make_envelope(again))
    assert words == to_text(content, make_envelope(content))


def test_a_change_of_any_input_changes_the_hash() -> None:
    usual = content_sha256(make_content())
    assert usual != content_sha256(make_content(inputs=TicketInputs(snapshot_id="other")))
    assert usual != content_sha256(make_content(plan_id="2018-02-09"))
    assert usual != content_sha256(make_content(orders=[make_buy(1, "NVDA", "310")]))


def test_hashed_content_holds_text_in_nfc() -> None:
    composed, decomposed = (make_content(plan_id=text) for text in ("caf\u00e9", "cafe\u0301"))
    assert composed.plan_id == decomposed.plan_id == "caf\u00e9"
    assert content_bytes(composed) == content_bytes(decomposed)


def test_json_and_bytes_of_a_trade() -> None:
    content = make_content(deferred=[deferred_costco()])
    assert_golden("trade_live.json", to_json(content, make_envelope(content)))


def test_json_reads_back_as_the_same_ticket() -> None:
    content = make_content()
    envelope = make_envelope(content)
    assert from_json(to_json(content, envelope)) == (content, envelope)


def test_a_changed_content_no_longer_fits_its_envelope() -> None:
    document = as_json(make_content())
    document["content"]["lines"][2]["amount_gbp"] = "3100.00"
    with pytest.raises(TicketError, match="Do not execute it"):
        from_json(json.dumps(document))


@pytest.mark.parametrize("write", [to_json, to_markdown, to_text])
def test_nothing_is_written_with_the_envelope_of_another_ticket(write: Callable[..., str]) -> None:
    with pytest.raises(TicketError, match="2018-W05"):
        write(make_content(), make_envelope(make_content(orders=[])))


def test_a_file_that_is_no_ticket_is_refused_with_its_place() -> None:
    document = as_json(make_content())
    del document["content"]["window"]["close_utc"]
    with pytest.raises(BadInput, match=r"ticket, content\.window\.close_utc: Field required"):
        from_json(json.dumps(document))


def test_the_published_schema_is_the_one_of_the_code() -> None:
    text = json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
    assert_golden("ticket.schema.json", text, folder=ROOT / "docs")
    jsonschema.Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("orders", [None, ()], ids=["trade", "no-trade"])
def test_published_tickets_validate(orders: tuple[()] | None) -> None:
    jsonschema.validate(as_json(make_content(orders=orders)), json_schema())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("content", "lines", 0, "amount_gbp"), 251.81),
        (("content", "lines", 0, "units"), "3.1"),
        (("content", "lines", 0, "leverage"), 2),
        (("content", "lines", 0, "order_type"), "limit"),
        (("content", "verdict"), "MAYBE"),
        (("content", "surprise"), "x"),
        (("envelope", "content_sha256"), "abc"),
    ],
)
def test_the_schema_refuses_what_a_ticket_never_holds(path: tuple[str | int, ...], value: object) -> None:
    document = copy.deepcopy(as_json(make_content()))
    place: Any = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, json_schema())
