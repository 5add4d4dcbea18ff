"""The ticket as people read it: on paper, on a phone, over the phone."""

import datetime as dt
import re
import textwrap

import pytest

from trading_ops.domain.gates import required_codes
from trading_ops.domain.orders import Order
from trading_ops.domain.reasons import RULES
from trading_ops.domain.ticket import TicketContent, to_markdown, to_text
from trading_ops.domain.ticket_words import london_moment
from trading_ops_tests.unit.golden_files import assert_golden
from trading_ops_tests.unit.ticket_factory import (
    all_passed,
    deferred_costco,
    make_buy,
    make_content,
    make_envelope,
    make_lot,
    make_names,
    make_sell,
    rule_failed,
)

A4_COLUMNS, A4_ROWS = 100, 78  # 9 point Courier, margins of 10 mm


def read(content: TicketContent) -> str:
    return to_text(content, make_envelope(content))


def refused() -> TicketContent:
    behind = [code for code in required_codes("live") if RULES[code].gate in ("risk", "signals")]
    failed = [
        rule_failed(
            "CONFIRMATION_MISSING",
            "2 of 4 lines of 2018-W04 without an answer (2, 3)",
            "0 lines without an answer",
            "Ticket 2018-W04 has 2 lines without an answer.",
        ),
        rule_failed(
            "SNAPSHOT_STALE",
            "12 days (21 Jan 2018)",
            "at most 8 days",
            "The newest broker snapshot is 12 days older than the plan.",
        ),
    ]
    return make_content(orders=[], sized=False, evidence=all_passed(but=failed, without=behind))


GOLDENS = {
    "trade_live": lambda: make_content(deferred=[deferred_costco()]),
    "trade_paper": lambda: make_content(book="paper"),
    "trade_sim": lambda: make_content(book="sim"),
    "no_trade_live": refused,
    "nothing_to_do_sim": lambda: make_content(orders=[], deferred=[deferred_costco()], book="sim"),
}


@pytest.mark.parametrize("name", sorted(GOLDENS))
def test_golden_tickets(name: str) -> None:
    content = GOLDENS[name]()
    assert_golden(f"{name}.md", to_markdown(content, make_envelope(content)))


def test_plain_text_is_the_markdown_without_its_marks() -> None:
    content = make_content()
    marked = to_markdown(content, make_envelope(content))
    unmarked = re.sub(r"^#+ |\*\*", "", marked, flags=re.MULTILINE)
    assert read(content) == unmarked


def head_and_line_heads(text: str) -> list[str]:
    head = text.split("\n## ", maxsplit=1)[0].splitlines()
    line_heads = [row for row in text.splitlines() if re.match(r"## .*\d+ of \d+ · (SELL|BUY)", row)]
    return [row for row in [*head, *line_heads] if row]


@pytest.mark.parametrize(
    ("book", "banner"), [("paper", "PAPER - DO NOT EXECUTE"), ("sim", "SIMULATED - DO NOT EXECUTE")]
)
@pytest.mark.parametrize("orders", [None, ()], ids=["trade", "no-trade"])
def test_every_row_of_the_head_and_every_lines_head_says_do_not_execute(
    book: str, banner: str, orders: tuple[()] | None
) -> None:
    content = make_content(book=book, orders=orders)  # type: ignore[arg-type]
    rows = head_and_line_heads(to_markdown(content, make_envelope(content)))
    assert len(rows) == (4 + 4 if orders is None else 4)
    assert all(re.match(rf"(# |## |- |\*\*)?{banner} · ", row) for row in rows)
    assert "Do this on" not in read(content)


def test_paper_and_simulated_tickets_say_it_in_the_same_places() -> None:
    paper, sim = (read(make_content(book=book)) for book in ("paper", "sim"))
    assert paper.count("PAPER - DO NOT EXECUTE · ") == 8
    said_alike = paper.replace("PAPER - DO NOT", "SIMULATED - DO NOT").split("\nplan ")[0]
    assert said_alike == sim.split("\nplan ")[0]  # the trail below names the book


def test_a_live_ticket_never_says_do_not_execute() -> None:
    assert "DO NOT EXECUTE" not in read(make_content())


def test_simulated_data_in_a_live_home_is_never_executed() -> None:
    text = read(make_content(simulated=True))
    assert text.startswith("SIMULATED - DO NOT EXECUTE · TICKET")
    assert "simulated: yes" in text


def test_a_no_trade_names_each_failed_rule_with_seen_allowed_and_remedy() -> None:
    text = read(refused())
    assert "Do nothing this week." in text
    for code, seen in (("CONFIRMATION_MISSING", "2 of 4 lines"), ("SNAPSHOT_STALE", "12 days")):
        part = text.split(f"\n\n{code}\n")[1].split("\n\n")[0]
        assert f"- Seen: {seen}" in part
        assert "- Allowed: " in part
        assert f"- To clear it: {RULES[code].remedy}" in part
    assert "Next plan: Saturday 10 February 2018, 08:00 (London)." in text
    assert "- risk: MAX_POSITIONS, MAX_WEIGHT" in text


def test_a_no_trade_from_missing_evidence_says_where_to_look() -> None:
    text = read(make_content(evidence=all_passed(without=["KILL_SWITCH"]), orders=[]))
    assert "Why: 0 rules failed, 2 could not be evaluated." in text
    assert "looks at the plan's run" in text


def test_each_position_that_a_line_closes_is_written_down_by_itself() -> None:
    line = read(make_content()).split("2 of 4 · SELL MSFT")[1].split("3 of 4")[0]
    assert "Close (1 of 2) the whole position opened 6 Nov 2017: 2.5 units, Position ID 2201938475\n" in line
    assert "Close (2 of 2) only 1.208333 units of the position opened 11 Dec 2017; keep the rest\n" in line
    assert line.count("Write down") == 2


def test_the_last_line_does_not_send_her_on() -> None:
    text = read(make_content())
    assert text.count("go on with line") == 3
    assert "mark FAILED, this was the last line." in text.split("4 of 4")[1]


def test_a_plan_of_one_line_reads_as_one() -> None:
    text = read(make_content(orders=[make_buy(1, "NVDA", "310")]))
    assert "TRADE · 1 instruction\n" in text
    assert "A SELL closes" not in text


def test_a_half_day_is_said() -> None:
    orders = [make_buy(1, "NVDA", "310")]
    text = read(make_content(orders=orders, asof=dt.date(2018, 12, 21), next_plan=dt.date(2018, 12, 28)))
    assert "MONDAY 24 DECEMBER 2018 between 14:45 and 16:45" in text
    assert "US market: HALF DAY, opens 14:30, closes 18:00 (London)." in text


def test_times_are_londons_in_summer_too() -> None:
    summer = make_content(orders=[make_buy(1, "NVDA", "310")], asof=dt.date(2018, 6, 1), next_plan=dt.date(2018, 6, 8))
    text = read(summer)
    assert "MONDAY 4 JUNE 2018 between 14:45 and 16:45 (London)" in text
    assert "Confirm every line by 21:00 the same day" in text
    assert "opens 14:30, closes 21:00 (London). Clock note: none this week." in text
    assert "Next plan: Saturday 9 June 2018, 08:00 (London)." in text


def test_a_moment_in_full_is_londons_whatever_the_machine_speaks() -> None:
    assert london_moment(dt.datetime(2018, 7, 1, 23, 5, tzinfo=dt.UTC)) == "Mon 02 Jul 2018 00:05 London"


def test_a_week_of_different_clocks_is_said_in_the_head() -> None:
    text = read(make_content(orders=[make_buy(1, "NVDA", "310")], asof=dt.date(2018, 3, 9)))
    assert "MONDAY 12 MARCH 2018 between 13:45 and 15:45 (London)" in text
    assert "- Mind the clock. London is 4 hours ahead of New York this week" in text.split("Before you start")[0]


def test_notes_can_never_become_markup_or_another_row() -> None:
    evil = "<b>*x*</b>\n# TICKET\u202e [a](b)"
    content = make_content(orders=[make_buy(1, "T", "310")], universe=make_names(T=evil))
    row = next(r for r in to_markdown(content, make_envelope(content)).splitlines() if "BUY T" in r)
    assert row == r"## 1 of 1 · BUY T · \<b\>\*x\*\</b\> # TICKET \[a\](b) · type £310"


def test_codes_and_addresses_are_not_escaped() -> None:
    content = refused()
    marked = to_markdown(content, make_envelope(content))
    assert "## CONFIRMATION_MISSING" in marked
    assert "\\" not in marked


def printed_rows(content: TicketContent) -> int:
    return sum(max(1, len(textwrap.wrap(row, A4_COLUMNS))) for row in read(content).splitlines())


def fifteen_orders() -> list[Order]:
    sells = [
        make_sell(n, "ABBV", make_lot("ABBV", "3.104512", dt.date(2018, 1, 2), "2272508626"), exit=True)
        for n in range(1, 8)
    ]
    return [*sells, *(make_buy(n, "AMZN", "1240") for n in range(8, 16))]


def test_the_usual_ticket_prints_on_one_page_and_fifteen_lines_on_two() -> None:
    assert printed_rows(make_content(deferred=[deferred_costco()])) <= A4_ROWS
    assert printed_rows(refused()) <= A4_ROWS
    assert printed_rows(make_content(orders=fifteen_orders())) <= 2 * A4_ROWS


@pytest.mark.parametrize("name", sorted(GOLDENS))
def test_it_can_be_read_aloud(name: str) -> None:
    content = GOLDENS[name]()
    text = read(content)
    assert not re.search(r"[<>]", text)
    assert not re.search(r"[ \t]$", text, flags=re.MULTILINE)
    assert {character for character in text if not character.isascii()} <= set("£·…")
