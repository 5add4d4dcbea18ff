"""Corporate events that a person records: stored, voided, in the books and in a plan, and in the tickets' hashes."""

import datetime as dt
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from trading_ops.domain.errors import LedgerError, Refused
from trading_ops.domain.ledger import CorporateEvent, Fill
from trading_ops.planning.books import BookState, book_at
from trading_ops.planning.inputs import _ledger_facts
from trading_ops.settings import Settings
from trading_ops.store import audit, ledger
from trading_ops.store.server import Server
from trading_ops_tests.integration import fault_factory, home_factory, lived_factory
from trading_ops_tests.integration.fault_factory import Week
from trading_ops_tests.unit.ledger_factory import buy, cash, sell

D = Decimal
MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = (dt.date(2018, 1, day) for day in range(8, 13))


@pytest.fixture
def conn(fresh_home: Settings) -> Iterator[psycopg.Connection[Any]]:
    """A home that holds 10 AAA for 500 pounds since Monday."""
    with home_factory.opened(fresh_home) as conn:
        home_factory.set_up(conn)
        closes = [
            (s, str(day), "100") for s in ("AAA", "BBB") for day in (MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY)
        ]
        home_factory.load(
            conn, bars=home_factory.bars_table(closes), fixings=home_factory.fixings_table([(str(MONDAY), "1.40")])
        )
        with conn.transaction():
            deposit = cash("deposit", MONDAY, "1000", movement_id=str(uuid.uuid4()))
            ledger.record_movement(conn, deposit, recorded_by="operator", why="opening")
        book_fill(conn, buy("AAA", MONDAY, "10", "70", "500", fill_id=str(uuid.uuid4())))
        yield conn


def book_fill(conn: psycopg.Connection[Any], fill: Fill) -> None:
    with conn.transaction():
        ledger.record_fill(conn, fill, recorded_by="operator", why="by hand")
        ledger.require_possible(conn)


def event(kind: Any, day: dt.date = WEDNESDAY, symbol: str = "AAA", **changes: Any) -> CorporateEvent:
    return CorporateEvent(str(uuid.uuid4()), kind, symbol, day, **changes)


def record(conn: psycopg.Connection[Any], made: CorporateEvent) -> CorporateEvent:
    with conn.transaction():
        ledger.record_event(conn, made, recorded_by="operator", why="the broker's notice")
        ledger.require_possible(conn)
    return made


def void(conn: psycopg.Connection[Any], made: CorporateEvent) -> None:
    with conn.transaction():
        ledger.void(conn, event_id=made.event_id, why="the wrong name", recorded_by="operator")
        ledger.require_possible(conn)


def book(conn: psycopg.Connection[Any], home: Settings, asof: dt.date = FRIDAY) -> BookState:
    return book_at(conn, home.snapshots_dir, asof)


def test_an_event_comes_back_as_it_was_recorded(conn: psycopg.Connection[Any]) -> None:
    made = record(
        conn, event("spin_off", new_symbol="BBB", new_units=D("2.5"), cost_share=D("0.123456789"), cash_gbp=D("1.25"))
    )
    head = audit.head(conn).seq
    assert ledger.events(conn, head) == (made,)
    assert ledger.events(conn, head - 1) == ()


def test_a_delisting_pays_out_and_ends_the_position(conn: psycopg.Connection[Any], fresh_home: Settings) -> None:
    record(conn, event("delisting", cash_gbp=D("650.00")))
    before, after = book(conn, fresh_home, TUESDAY), book(conn, fresh_home)
    assert before.ledger.units == {"AAA": D(10)}
    assert (after.ledger.units, after.ledger.cash_gbp) == ({}, D(1150))
    assert [(r.closed_on, r.profit_gbp) for r in after.ledger.realised] == [(WEDNESDAY, D(150))]
    assert after.equity[-1].equity_gbp == D(1150)


def test_a_spin_off_adds_a_name_that_was_never_traded_and_it_is_valued(
    conn: psycopg.Connection[Any], fresh_home: Settings
) -> None:
    record(conn, event("spin_off", new_symbol="BBB", new_units=D(4), cost_share=D("0.25")))
    state = book(conn, fresh_home)
    assert state.ledger.units == {"AAA": D(10), "BBB": D(4)}
    assert {s: p.cost_gbp for s, p in state.ledger.positions.items()} == {"AAA": D(375), "BBB": D(125)}
    assert round(state.values_gbp["BBB"], 2) == D("285.71")


def test_a_name_change_moves_the_lots_and_they_can_be_sold(conn: psycopg.Connection[Any], fresh_home: Settings) -> None:
    record(conn, event("name_change", new_symbol="BBB"))
    book_fill(conn, sell("BBB", THURSDAY, "10", "100", "710", fill_id=str(uuid.uuid4())))
    state = book(conn, fresh_home)
    assert (state.ledger.units, state.ledger.cash_gbp) == ({}, D(1210))


def test_a_voided_event_never_happened_from_then_on(conn: psycopg.Connection[Any], fresh_home: Settings) -> None:
    made = record(conn, event("delisting", cash_gbp=D("650.00")))
    between = audit.head(conn).seq
    void(conn, made)
    assert book(conn, fresh_home).ledger.units == {"AAA": D(10)}
    assert ledger.events(conn, between) == (made,), "a plan judged before the void must replay as it was"
    assert ledger.events(conn, audit.head(conn).seq) == ()
    with pytest.raises(Refused, match="is void already, by operator: the wrong name"):
        void(conn, made)


def test_an_event_on_which_a_sale_rests_cannot_be_voided(conn: psycopg.Connection[Any]) -> None:
    made = record(conn, event("name_change", new_symbol="BBB"))
    book_fill(conn, sell("BBB", THURSDAY, "10", "100", "710", fill_id=str(uuid.uuid4())))
    with pytest.raises(LedgerError, match="sells 10 units of BBB, but only 0 are held"):
        void(conn, made)
    assert ledger.events(conn, audit.head(conn).seq) == (made,)


def test_an_event_of_a_name_that_is_not_held_is_refused(conn: psycopg.Connection[Any]) -> None:
    with pytest.raises(LedgerError, match="the name is not held then"):
        record(conn, event("delisting", symbol="BBB"))
    assert conn.execute("SELECT * FROM ops.ledger_events").fetchall() == []


def test_a_split_of_a_name_that_came_by_an_event_counts_when_it_is_sold(conn: psycopg.Connection[Any]) -> None:
    record(conn, event("spin_off", TUESDAY, new_symbol="BBB", new_units=D(4), cost_share=D("0.25")))
    home_factory.load(conn, actions=home_factory.actions_table([("BBB", str(WEDNESDAY), "split", "2")]))
    book_fill(conn, sell("BBB", THURSDAY, "8", "50", "285", fill_id=str(uuid.uuid4())))


def test_an_event_before_any_fill_is_refused_too(fresh_home: Settings) -> None:
    with home_factory.opened(fresh_home) as conn:
        home_factory.set_up(conn)
        with pytest.raises(LedgerError, match="the name is not held then"):
            record(conn, event("delisting"))


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("cash_gbp", D("651.00"), "(AAA): cash_gbp is 651, announced was 650"),
        ("day", THURSDAY, "(AAA): day is 2018-01-11, announced was 2018-01-10"),
        ("why", "nothing", "(AAA): why is nothing, announced was the broker's notice"),
    ],
)
def test_an_altered_event_is_noticed(
    conn: psycopg.Connection[Any], fresh_home: Settings, column: str, value: object, told: str
) -> None:
    made = record(conn, event("delisting", cash_gbp=D("650.00")))
    assert ledger.tampered(conn) == []
    lived_factory.tamper(fresh_home, "ledger_events", f"UPDATE ops.ledger_events SET {column} = %s", (value,))
    assert ledger.tampered(conn) == [f"ledger_events {made.event_id} {told}"]


def test_an_event_that_vanished_or_appeared_is_noticed(conn: psycopg.Connection[Any], fresh_home: Settings) -> None:
    made = record(conn, event("delisting"))
    lived_factory.tamper(fresh_home, "ledger_events", "UPDATE ops.ledger_events SET event_id = %s", (uuid.UUID(int=1),))
    assert ledger.tampered(conn) == sorted(
        [
            f"ledger_events {made.event_id}: announced, but no longer there",
            f"ledger_events {uuid.UUID(int=1)}: never announced",
        ]
    )


# ---- in the hash of the books
def test_the_hash_of_books_without_events_is_what_it_was(conn: psycopg.Connection[Any]) -> None:
    head = audit.head(conn).seq
    fills, movements = ledger.fills(conn, head), ledger.movements(conn, head)
    assert _ledger_facts(fills, movements, ()).keys() == {"fills", "movements"}
    made = record(conn, event("delisting", cash_gbp=D("650.00")))
    said = _ledger_facts(fills, movements, ledger.events(conn, audit.head(conn).seq))
    assert said.pop("events") == [[made.event_id, "delisting", "AAA", "2018-01-10", None, "0", "0", "650"]]
    assert said == _ledger_facts(fills, movements, ())


# ---- in a plan
def ended(week: Week) -> None:
    """The first held name has no bar any more, and the broker shows neither it nor any money for it."""
    symbol = week.held[0]
    week.leave_out(symbol)
    week.holdings.pop(symbol)


def delisted(week: Week) -> None:
    """The same, and the operator recorded what became of it."""
    made = event("delisting", lived_factory.ASOF, week.held[0])
    ended(week)
    week.facts.append(lambda conn: ledger.record_event(conn, made, recorded_by="operator", why="the broker's notice"))


@lived_factory.needs_real_prices
def test_a_plan_of_a_held_name_that_ended_goes_on_once_the_event_is_recorded(
    embedded_server: Server, administrator: psycopg.Connection[Any]
) -> None:
    lived = lived_factory.live(embedded_server, administrator)
    without = fault_factory.play(lived, (ended,)).ticket
    assert "VALUATION_INCOMPLETE" in without.reasons
    recorded = fault_factory.play(lived, (delisted,)).ticket
    assert (recorded.verdict, recorded.reasons) == ("TRADE", ())
    assert recorded.inputs.ledger_hash != without.inputs.ledger_hash


def delisted_from_the_next_session(week: Week) -> None:
    """It has no bar, and ends only after the as-of session: there it is still held."""
    symbol = week.held[0]
    week.leave_out(symbol)
    made = event("delisting", dt.date(2018, 2, 5), symbol)
    week.facts.append(lambda conn: ledger.record_event(conn, made, recorded_by="operator", why="the broker's notice"))


@lived_factory.needs_real_prices
def test_a_name_that_ends_after_the_asof_session_still_needs_its_bar(
    embedded_server: Server, administrator: psycopg.Connection[Any]
) -> None:
    lived = lived_factory.live(embedded_server, administrator)
    assert fault_factory.play(lived, (delisted_from_the_next_session,)).ticket.reasons == ("VALUATION_INCOMPLETE",)
