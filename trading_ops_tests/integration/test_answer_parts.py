"""A line that closed several positions: a fill each, its own lot each, on a real PostgreSQL."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from trading_ops.domain.answer import Answer, of_parts
from trading_ops.domain.errors import BadInput, LedgerError
from trading_ops.domain.orders import LotClose
from trading_ops.settings import Settings
from trading_ops.store import answers, ledger
from trading_ops.store.tickets import Ticket
from trading_ops_tests.integration import desk_factory as desk
from trading_ops_tests.integration.home_factory import opened
from trading_ops_tests.unit.ticket_factory import make_buy, make_sell

D = Decimal
ASOF, EARLIER, EARLIEST = dt.date(2018, 2, 2), dt.date(2018, 1, 8), dt.date(2017, 11, 6)
SKIPPED = Answer(1, "SKIPPED", "price above the limit")
FACTS = ("confirmations", "confirmation_parts", "ledger_trades_fills", "ledger_voids", "incidents", "audit_log")


@pytest.fixture
def writer(fresh_home: Settings) -> Iterator[psycopg.Connection[Any]]:
    """Whoever issues tickets."""
    desk.set_up_desk(fresh_home)
    with opened(fresh_home) as writer:
        yield writer


@pytest.fixture
def conn(fresh_home: Settings, writer: psycopg.Connection[Any]) -> Iterator[psycopg.Connection[Any]]:
    """The executor's page's own connection."""
    with opened(fresh_home, "executor_ui") as conn:
        yield conn


@pytest.fixture
def lots(writer: psycopg.Connection[Any]) -> tuple[str, str, str]:
    """Three MSFT positions of 2.5, 1.5 and 1 units, oldest first."""
    return (
        desk.held(writer, "MSFT", "2.5", EARLIEST, "111"),
        desk.held(writer, "MSFT", "1.5", dt.date(2017, 12, 11), "222"),
        desk.held(writer, "MSFT", "1", EARLIER, "333"),
    )


@pytest.fixture
def sale(writer: psycopg.Connection[Any], lots: tuple[str, str, str]) -> Ticket:
    """Close the oldest and the youngest position, 3.5 units."""
    first = LotClose(lots[0], "MSFT", EARLIEST, D("2.5"), "111", True)
    second = LotClose(lots[2], "MSFT", EARLIER, D("1"), "333", True)
    return desk.issue(writer, ASOF, [make_sell(1, "MSFT", first, second, rank=9)])


def closed(lots: tuple[str, str, str], first: str = "2.5", second: str = "1", **changes: Any) -> Answer:
    """The sale, as the screen shows its two positions."""
    return of_parts(
        1,
        "DONE",
        [
            desk.part(ASOF, first, "91.00", "160.00", position_id="111", lot_id=lots[0]),
            desk.part(ASOF, second, "92.00", "65.00", position_id="333", lot_id=lots[2]),
        ],
        fee_gbp=D("0.80"),
        **changes,
    )


def test_each_part_is_a_fill_that_closes_its_own_lot(
    conn: psycopg.Connection[Any], sale: Ticket, lots: tuple[str, str, str]
) -> None:
    desk.answer(conn, sale, [closed(lots, note="both")], desk.seen(conn, sale))
    stored = answers.in_force(conn, sale.plan_id)[1]
    assert stored.answer == closed(lots, note="both")
    assert (stored.answer.units, stored.answer.value_gbp) == (D("3.5"), D("225.00"))
    fills = [row for row in desk.rows(conn, "ledger_trades_fills") if row["side"] == "SELL"]
    assert [(f["part"], f["units"], f["fee_gbp"]) for f in sorted(fills, key=lambda f: f["part"])] == [
        (1, D("2.5"), D("0.80")), (2, D(1), D(0)),
    ]  # fmt: skip
    book = desk.book(conn)
    assert [lot.lot_id for lot in book.lots["MSFT"]] == [lots[1]]
    assert {r.lot_id: r.proceeds_gbp for r in book.realised} == {lots[0]: D("159.20"), lots[2]: D("65.00")}
    assert not stored.overfilled
    assert ledger.tampered(conn) == []


def test_units_of_one_position_and_pounds_of_the_other_are_asked_for_again(
    conn: psycopg.Connection[Any], sale: Ticket
) -> None:
    units = desk.part(ASOF, "2.5", "91.00", None, position_id="111")
    pounds = desk.part(ASOF, None, "92.00", "65.00", position_id="333")
    with pytest.raises(BadInput, match="the units of every position, or the pounds of every position"):
        desk.answer(conn, sale, [of_parts(1, "DONE", [units, pounds])], desk.seen(conn, sale))


def test_a_part_closes_the_lot_it_names_when_no_position_is_known(
    conn: psycopg.Connection[Any], sale: Ticket, lots: tuple[str, str, str]
) -> None:
    only = of_parts(1, "PARTIAL", [desk.part(ASOF, "1", "92.00", "65.00", lot_id=lots[2])])
    desk.answer(conn, sale, [only], desk.seen(conn, sale))
    assert [lot.lot_id for lot in desk.book(conn).lots["MSFT"]] == [lots[0], lots[1]]


def test_a_correction_voids_every_part(conn: psycopg.Connection[Any], sale: Ticket, lots: tuple[str, str, str]) -> None:
    desk.answer(conn, sale, [closed(lots)], desk.seen(conn, sale))
    desk.answer(conn, sale, [SKIPPED], desk.seen(conn, sale))
    assert desk.counts(conn, "ledger_voids") == (2,)
    assert [lot.lot_id for lot in desk.book(conn).lots["MSFT"]] == list(lots)
    desk.answer(conn, sale, [closed(lots)], desk.seen(conn, sale))
    assert [lot.lot_id for lot in desk.book(conn).lots["MSFT"]] == [lots[1]]


def test_more_than_the_line_in_the_sum_of_its_parts_opens_an_incident(
    conn: psycopg.Connection[Any], sale: Ticket, lots: tuple[str, str, str]
) -> None:
    desk.answer(conn, sale, [closed(lots, first="3")], desk.seen(conn, sale))
    assert answers.in_force(conn, sale.plan_id)[1].overfilled
    (incident,) = desk.rows(conn, "incidents")
    assert (incident["class"], incident["blocking"]) == ("OVERFILLED", False)
    assert "MSFT was filled above its size" in incident["title"]


def test_more_than_is_held_is_refused_and_leaves_nothing(
    conn: psycopg.Connection[Any], sale: Ticket, lots: tuple[str, str, str]
) -> None:
    before = desk.counts(conn, *FACTS)
    with pytest.raises(LedgerError, match="units of MSFT, but only"):
        desk.answer(conn, sale, [closed(lots, first="4.5")], desk.seen(conn, sale))
    assert desk.counts(conn, *FACTS) == before


def test_a_purchase_that_was_sold_since_cannot_be_corrected_away(
    conn: psycopg.Connection[Any], writer: psycopg.Connection[Any]
) -> None:
    ticket = desk.issue(writer, ASOF, [make_buy(1, "NVDA", "310", rank=4)])
    desk.answer(conn, ticket, [desk.done(ASOF, value="310.00", units=D(2))], desk.seen(conn, ticket))
    (lot,) = desk.book(conn).lots["NVDA"]
    later = ASOF + dt.timedelta(days=7)
    sale = desk.issue(writer, later, [make_sell(1, "NVDA", LotClose(lot.lot_id, "NVDA", ASOF, D(2), None, True))])
    desk.answer(conn, sale, [desk.done(later, units=D(2))], desk.seen(conn, sale))
    with pytest.raises(LedgerError, match="sells 2 units of NVDA, but only 0 are held"):
        desk.answer(conn, ticket, [SKIPPED], desk.seen(conn, ticket))
    assert answers.in_force(conn, ticket.plan_id)[1].answer.status == "DONE"
