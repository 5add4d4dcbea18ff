"""The ledger's page, and cash and events: as of any day, booked once, corrected by reversing entries."""

import datetime as dt
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from streamlit.testing.v1 import AppTest

from trading_ops.desk import books_now, recording, returns_now, voiding
from trading_ops.desk.answering import OffTicket, record_off_ticket
from trading_ops.desk.csv_text import as_csv, safe_cell
from trading_ops.domain import calendar
from trading_ops.domain.calendar import LONDON
from trading_ops.domain.errors import Refused
from trading_ops.domain.performance import twr_index
from trading_ops.planning.books import book_at
from trading_ops.settings import Settings
from trading_ops.store import audit, ledger
from trading_ops.store.server import Server
from trading_ops_tests.integration import desk_factory as desk
from trading_ops_tests.integration import household_factory, lived_factory
from trading_ops_tests.integration.home_factory import opened
from trading_ops_tests.integration.household_factory import (
    BOUGHT,
    CASH,
    SESSION,
    press,
    shown,
)
from trading_ops_tests.integration.operator_factory import D, at_home, errors, movements, only, put, visit
from trading_ops_tests.unit import ticket_factory


@pytest.fixture
def household(fresh_home: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Fifteen holdings, Omar signed in."""
    household_factory.set_up_household(fresh_home)
    return at_home(fresh_home, monkeypatch)


@pytest.fixture
def conn(household: Settings) -> Iterator[psycopg.Connection[Any]]:
    """A look into the household's database."""
    with opened(household) as made:
        yield made


def test_ledger_shows_positions_profit_and_weight_as_of_any_day(household: Settings) -> None:
    app = visit(household, "ledger")
    text = shown(app)
    # 6.543217 units at 100 USD and 1.25 USD a pound; bought at the same price, so no profit but rounding.
    for part in ("NVDA", "6.543217", "£523.46", "$654.32", "All names"):
        assert part in text, part
    assert f"£{D(CASH):,.2f}" in text
    (asof,) = [d for d in app.date_input if d.label == "As of the close of"]
    asof.set_value(BOUGHT - dt.timedelta(days=1)).run()
    assert not app.exception
    assert "Nothing was held." in " ".join(m.value for m in app.markdown)


def test_a_voided_fill_is_crossed_out_with_who_and_why(household: Settings, conn: psycopg.Connection[Any]) -> None:
    row = conn.execute("SELECT fill_id::text AS id FROM ops.ledger_trades_fills WHERE symbol = 'KO'").fetchone()
    assert row is not None
    with conn.transaction():
        ledger.void(conn, fill_id=row["id"], why="never happened", recorded_by="omar")
    text = shown(visit(household, "ledger"))
    assert "<s>KO</s>" in text
    assert "void: never happened (omar," in text


def _mistake(conn: psycopg.Connection[Any]) -> str:
    """Anna bought something by mistake and entered it in the small form."""
    at = dt.datetime.combine(BOUGHT, dt.time(15, 30), LONDON)
    trade = OffTicket("ADI", "BUY", D(100), at, D(2), D("160.00"), None, None, "tapped the wrong one")
    with conn.transaction():
        audit.speaking_as(conn, "anna")
        sent = record_off_ticket(conn, uuid.uuid4(), trade, "anna", dt.datetime.now(dt.UTC))
    return str(sent.result["fill_id"])


def test_a_fill_made_by_mistake_is_taken_out_with_a_reason_and_once(
    household: Settings, conn: psycopg.Connection[Any]
) -> None:
    fill_id = _mistake(conn)
    app = visit(household, "ledger")
    next(s for s in app.selectbox if s.label == "A fill off the ticket").set_value(fill_id).run()
    press(app, "Take it out of force")
    assert "reason is missing" in errors(app)
    put(app, "What is wrong with it", "it was never bought")
    press(app, "Take it out of force")
    (asked,) = app.warning
    assert "BUY 2 ADI at $100.0000" in asked.value.replace("\\", "")
    assert desk.rows(conn, "ledger_voids") == [], "one press only asks"
    (sure,) = [b for b in app.button if b.label == "Yes, it is right"]
    for _ in range(3):
        sure.click()
        app.run()
    assert not app.exception, app.exception
    void = only(desk.rows(conn, "ledger_voids"))
    assert (str(void["fill_id"]), void["recorded_by"], void["why"]) == (fill_id, "omar", "it was never bought")
    (said,) = conn.execute("SELECT actor FROM ops.audit_log WHERE kind = 'ledger.void'").fetchall()
    assert said["actor"] == "operator_ui:omar"
    assert "ADI" not in books_now.books(conn).at(SESSION).units
    assert app.success[0].value.startswith("Taken out of force")
    assert "void: it was never bought (omar," in shown(app)


def test_a_fill_that_was_sold_since_is_not_taken_out(household: Settings, conn: psycopg.Connection[Any]) -> None:
    fill_id = _mistake(conn)
    at = dt.datetime.combine(BOUGHT, dt.time(16, 30), LONDON)
    sold = OffTicket("ADI", "SELL", D(100), at, D(2), D("160.00"), None, None, "and sold again")
    with conn.transaction():
        record_off_ticket(conn, uuid.uuid4(), sold, "anna", dt.datetime.now(dt.UTC))
    app = visit(household, "ledger")
    next(s for s in app.selectbox if s.label == "A fill off the ticket").set_value(fill_id).run()
    put(app, "What is wrong with it", "it was never bought")
    press(app, "Take it out of force")
    press(app, "Yes, it is right")
    assert "ADI" in errors(app)
    assert desk.rows(conn, "ledger_voids") == []


def test_a_tickets_fill_goes_out_of_force_with_its_answer_only(fresh_home: Settings) -> None:
    asof = dt.date(2018, 2, 2)
    desk.set_up_desk(fresh_home)
    with opened(fresh_home) as conn:
        ticket = desk.issue(conn, asof, [ticket_factory.make_buy(1, "NVDA", "310")])
        desk.answer(conn, ticket, [desk.done(asof)], None)
        fill = only(desk.rows(conn, "ledger_trades_fills"))
        with pytest.raises(Refused, match="line 1 of ticket 2018-W05"), conn.transaction():
            voiding.void(conn, "fill", str(fill["fill_id"]), "a test", "omar")
        assert desk.rows(conn, "ledger_voids") == []


def test_returns_from_few_valuations_equal_the_daily_ones(
    embedded_server: Server, administrator: psycopg.Connection[Any]
) -> None:
    if not lived_factory.MARKET.exists():
        pytest.skip("the real prices are not beside the project")
    lived = lived_factory.live(embedded_server, administrator).lived
    asof = lived_factory.SECOND_WINDOW
    with opened(lived) as conn, conn.transaction(force_rollback=True):
        day = calendar.sessions_back(asof, 3)
        for number, amount in enumerate(("500", "-120.50")):
            movement = recording.read_movement(
                uuid.uuid4(), "deposit" if number == 0 else "withdrawal", amount.lstrip("-"), day, goes_out=False,
                now=dt.datetime(2019, 1, 1, tzinfo=dt.UTC), equity=D(0),
            )  # fmt: skip
            recording.book(conn, movement.fact, "in the middle", "omar")
            day = calendar.next_session(day)
        books_now._LAST.clear()
        found = returns_now.returns(conn, books_now.books(conn), asof)
        daily = book_at(conn, lived.snapshots_dir, asof).equity
        books_now._LAST.clear()
    assert len(found.points) < len(daily), "it valued fewer sessions"
    assert found.points[-1].equity_gbp == daily[-1].equity_gbp
    assert abs(found.index[-1].index - twr_index(daily)[-1].index) < D("1e-40")


def test_no_exported_cell_is_run_by_a_spreadsheet_and_numbers_stay_numbers() -> None:
    for evil in ("=1+1", "+1", "-2+3", "@SUM(A1)", "\t=1", "  =1", "-cmd"):
        assert safe_cell(evil).startswith("'"), evil
    for harmless in ("-12.50", "12", "ABBV", "", "bought by mistake"):
        assert safe_cell(harmless) == harmless
    assert as_csv(["a"], [["=x"], ["-1.5"]]).decode("utf-8-sig") == "a\r\n'=x\r\n-1.5\r\n"


def cash_form(app: AppTest, kind: str, amount: str, why: str = "seen on eToro") -> None:
    """Fill in the form of cash that moved."""
    app.radio[0].set_value(kind)
    put(app, "Amount in £, without sign", amount)
    put(app, "Where this comes from", why, 0)


@pytest.mark.parametrize(
    ("kind", "typed", "booked"),
    [
        ("withdrawal", "25", D("-25.00")),
        ("fee", "£3.20", D("-3.20")),
        ("interest", "0.55", D("0.55")),
        ("interest", "-0.55", D("-0.55")),
        ("deposit", "100.00", D("100.00")),
    ],
)
def test_cash_is_booked_with_the_sign_of_its_kind(
    household: Settings, conn: psycopg.Connection[Any], kind: str, typed: str, booked: Decimal
) -> None:
    app = visit(household, "cash")
    cash_form(app, kind, typed)
    press(app, "Book it")
    assert movements(conn) == [(kind, booked)]
    assert app.success[0].value.startswith(f"Booked\\: {kind}")


def test_decimal_comma_and_large_amounts_are_looked_at_twice(
    household: Settings, conn: psycopg.Connection[Any]
) -> None:
    app = visit(household, "cash")
    cash_form(app, "deposit", "1.234,50")
    press(app, "Book it")
    press(app, "Check again")
    assert movements(conn) == [], "pressing the first button again books nothing"
    said = app.warning[0].value
    assert "Read as 1234.50" in said
    assert "% of all that the book is worth" in said
    press(app, "Yes, it is right")
    assert movements(conn) == [("deposit", D("1234.50"))]


@pytest.mark.parametrize(
    ("amount", "why", "sentence"),
    [
        ("12O", "x", "letter"),
        ("", "x", "Nothing is typed"),
        ("0", "x", "moves no cash"),
        ("5", " ", "reason is missing"),
    ],
)
def test_a_wrong_cash_form_says_why_and_keeps_what_was_typed(
    household: Settings, conn: psycopg.Connection[Any], amount: str, why: str, sentence: str
) -> None:
    app = visit(household, "cash")
    cash_form(app, "fee", amount, why)
    press(app, "Book it")
    assert sentence in errors(app)
    assert movements(conn) == []
    kept = [f.value for f in app.text_input if f.label == "Amount in £, without sign"]
    assert kept == [amount]


def test_a_correction_is_a_reversing_entry_and_the_form_filled_again(
    household: Settings, conn: psycopg.Connection[Any]
) -> None:
    app = visit(household, "cash")
    cash_form(app, "fee", "3.20")
    press(app, "Book it")
    row = conn.execute("SELECT movement_id::text AS id FROM ops.ledger_cash_movements WHERE kind = 'fee'").fetchone()
    assert row is not None
    (which,) = [s for s in app.selectbox if s.label == "Which one"]
    which.set_value(row["id"]).run()
    put(app, "What is wrong with it", "it was £2.30")
    press(app, "Take it out of force")
    press(app, "Yes, it is right")
    assert movements(conn) == []
    assert "void: it was £2.30 (omar," in shown(app)
    (amount,) = [f for f in app.text_input if f.label == "Amount in £, without sign"]
    assert amount.value == "3.20"
    amount.input("2.30")
    press(app, "Book it")
    assert movements(conn) == [("fee", D("-2.30"))]
    stored = conn.execute("SELECT count(*) AS n FROM ops.ledger_cash_movements WHERE kind = 'fee'").fetchone()
    assert stored is not None
    assert stored["n"] == 2, "the wrong entry stays on record"


def test_a_corporate_event_is_recorded_after_a_second_look(household: Settings, conn: psycopg.Connection[Any]) -> None:
    app = visit(household, "cash")
    app.radio[1].set_value("spin_off")
    names = {s.label: s for s in app.selectbox}
    names["Name it happened to"].set_value("ABBV")
    {s.label: s for s in app.selectbox}["New name, if any"].set_value("PFE")
    {d.label: d for d in app.date_input}["Session at whose open it took effect"].set_value(SESSION)
    put(app, "Units of the new name, in all, as eToro shows", "1.5")
    put(app, "Share of the old cost that goes to the new name, in %", "12.5")
    put(app, "Where this comes from", "letter of the broker", 2)
    press(app, "Record the event")
    assert not ledger.events(conn, audit.head(conn).seq)
    press(app, "Yes, it is right")
    event = only(list(ledger.events(conn, audit.head(conn).seq)))
    assert (event.symbol, event.new_symbol, event.new_units, event.cost_share) == ("ABBV", "PFE", D("1.5"), D("0.125"))
    assert books_now.books(conn).at(SESSION).units["PFE"] == D("1.5")
