"""The executor's ticket page without a browser: the second look, two windows, and what is saved already."""

import datetime as dt
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from streamlit.testing.v1 import AppTest

from trading_ops.domain import calendar
from trading_ops.domain.answer import Answer
from trading_ops.domain.her_words import in_her_words
from trading_ops.domain.reasons import RULES
from trading_ops.domain.results import Outcome
from trading_ops.settings import Settings
from trading_ops.store import answers, submissions
from trading_ops.store.tickets import Ticket
from trading_ops_tests.integration import desk_factory as desk
from trading_ops_tests.integration import home_factory
from trading_ops_tests.integration.home_factory import opened
from trading_ops_tests.integration.household_factory import page_alone, press, shown, tick, type_into
from trading_ops_tests.integration.mail_factory import PostDesk, post_desk
from trading_ops_tests.integration.operator_factory import at_home
from trading_ops_tests.integration.page_server import add_person
from trading_ops_tests.unit import ticket_factory as factory

D = Decimal
LOOKED = "I looked again: it is as eToro shows it"
STOCKS = 'The screen said "Stocks", Leverage x1, no Stop Loss, no Take Profit'
NEXT = "Next: line 2"


@dataclass
class Table:
    """A live book with a ticket of two purchases, and Anna in front of its page."""

    home: Settings
    conn: psycopg.Connection[Any]
    post: PostDesk
    ticket: Ticket

    def page(self) -> AppTest:
        """The ticket's page in a window of its own."""
        return page_alone(self.home, "ticket")

    def stored(self) -> dict[int, str]:
        """Status by line."""
        return {line: a.answer.status for line, a in answers.in_force(self.conn, self.ticket.plan_id).items()}


@pytest.fixture
def table(fresh_home: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    with opened(fresh_home) as conn:
        post = post_desk(fresh_home, conn, "live")
        bars = [(symbol, "2018-02-02", str(price)) for symbol, price in factory.PRICES.items()]
        rates = [("2018-02-02", "1.42")]
        home_factory.load(conn, bars=home_factory.bars_table(bars), fixings=home_factory.fixings_table(rates))
        add_person(fresh_home, "anna", "executor", name="Anna")
        ticket = post.issue(orders=(factory.make_buy(1, "NVDA", "310"), factory.make_buy(2, "AMZN", "124")))
        yield Table(at_home(fresh_home, monkeypatch), conn, post, ticket)


def test_no_trade_is_said_in_the_words_of_the_mail(table: Table) -> None:
    codes = ("CONFIRMATION_MISSING", "UNITS_DRIFT", "FX_STALE")
    failed = [factory.make_result(code, Outcome.FAIL, remedy=f"the executor clears {code}") for code in codes]
    table.post.issue(asof=factory.ASOF + dt.timedelta(days=7), failed=failed)
    text = shown(table.page())
    assert "Do nothing this week." in text
    for sentence in in_her_words(codes):
        assert sentence in text
    assert not [code for code in RULES if code in text]


@pytest.mark.parametrize(
    ("book", "said"), [("paper", "PAPER - DO NOT EXECUTE · "), ("sim", "SIMULATED - DO NOT EXECUTE · ")]
)
@pytest.mark.parametrize("when", ["before", "after"])
def test_no_heading_and_no_order_of_a_ticket_that_is_not_real_stands_without_saying_so(
    fresh_home: Settings, monkeypatch: pytest.MonkeyPatch, book: str, said: str, when: str
) -> None:
    now = dt.datetime.now(dt.UTC)
    asof = factory.ASOF if when == "after" else calendar.last_session_of_week(now.date() + dt.timedelta(days=7))
    with opened(fresh_home) as conn:
        post = post_desk(fresh_home, conn, book)
        bars = [(symbol, "2018-02-02", str(price)) for symbol, price in factory.PRICES.items()]
        rates = [(day, "1.42") for day in ("2018-02-02", str(calendar.last_closed(now)))]
        home_factory.load(conn, bars=home_factory.bars_table(bars), fixings=home_factory.fixings_table(rates))
        for who, role in (("anna", "executor"), ("omar", "operator")):
            add_person(fresh_home, who, role)
        post.issue(orders=(factory.make_buy(1, "NVDA", "310"), factory.make_buy(2, "AMZN", "124")), asof=asof)
    app = page_alone(at_home(fresh_home, monkeypatch), "ticket")
    headings, rows = _head(app)
    assert len(headings) == 1
    assert [text for text in (*headings, *rows) if not text.startswith(said)] == []
    assert "to do on eToro" not in headings[0]
    press(app, "Start with line 1")
    assert _head(app)[0] == [f"{said}BUY NVDA · type £310"]
    listed = page_alone(fresh_home, "tickets", "omar")
    listed.selectbox(key="tickets:chosen").select_index(0).run()
    assert next(h.value for h in listed.header if "Ticket " in h.value).startswith(said)


def _head(app: AppTest) -> tuple[list[str], list[str]]:
    """Headings, and the rows of the lists before what is told once for every line."""
    text = html.unescape(shown(app)).partition("<li>Work from line 1")[0]
    return re.findall(r"<h2[^>]*>(.*?)</h2>", text), re.findall(r"<li>(.*?)</li>", text)


def open_to(app: AppTest, words: str) -> bool:
    """A button can be pressed."""
    (button,) = [b for b in app.button if b.label == words]
    return not button.disabled


def say(app: AppTest, **texts: str) -> None:
    """Type into the fields of a line."""
    labels = {
        "price": "Price in $", "units": "Units", "value": "Amount in £", "time": "Time on your clock",
        "note": "A short note: how it was",
    }  # fmt: skip
    for name, text in texts.items():
        type_into(app, labels[name], text)


def unusual(app: AppTest, value: str = "900") -> None:
    """Line 1 was bought for more than the ticket said, and she looked again."""
    press(app, "Start with line 1")
    app.radio[0].set_value("DONE").run()
    say(app, price="233.60", value=value, time="15:01")
    tick(app, STOCKS)
    say(app, note="it was more")
    tick(app, LOOKED)


@pytest.mark.parametrize("typed", ["90000", "901"])
def test_the_second_look_ends_when_the_number_it_is_about_changes(table: Table, typed: str) -> None:
    app = table.page()
    unusual(app)
    assert open_to(app, NEXT)
    say(app, value=typed)
    assert not open_to(app, NEXT), "another number needs another look"
    assert not [box for box in app.checkbox if box.label == LOOKED and box.value]
    tick(app, LOOKED)
    assert open_to(app, NEXT)


def test_the_second_look_outlives_a_change_that_it_is_not_about(table: Table) -> None:
    app = table.page()
    unusual(app)
    say(app, note="it was more than the line")
    assert open_to(app, NEXT)


def test_a_stored_drafts_second_look_holds_for_its_numbers_only(table: Table) -> None:
    app = table.page()
    unusual(app)
    kept = submissions.draft(table.conn, "anna", "ticket", table.ticket.ticket_id)
    assert kept is not None
    assert open_to(table.page(), NEXT), "as it was left"
    kept["lines"]["1"]["parts"][0]["value"] = "90000"  # type: ignore[index]
    with table.conn.transaction():
        submissions.save_draft(table.conn, "anna", "ticket", table.ticket.ticket_id, kept)
    assert not open_to(table.page(), NEXT)


def skip(app: AppTest) -> None:
    """Nothing was ordered of the line that is open: its price was beyond the limit."""
    app.radio[0].set_value("SKIPPED").run()
    app.radio[1].set_value("PRICE").run()
    assert not app.exception, app.exception


def both_skipped(table: Table) -> AppTest:
    """A window in which both lines are ready to be saved."""
    app = table.page()
    press(app, "Start with line 1")
    skip(app)
    press(app, NEXT)
    skip(app)
    press(app, "Check your answers")
    return app


def test_only_the_line_that_was_answered_elsewhere_is_dropped(table: Table) -> None:
    app = both_skipped(table)
    given = Answer(1, "DONE", price_usd=D("233.60"), value_gbp=D(310), executed_at=desk.executed_at(factory.ASOF))
    desk.answer(table.conn, table.ticket, [given], None)
    press(app, "All correct: save")
    assert table.stored() == {1: "DONE"}
    (said,) = [warning.value.replace("\\", "") for warning in app.warning]
    assert "Line 1 was answered meanwhile: DONE, £310.00 at $233.60, 14:50 on 5 Feb (anna)." in said
    assert "What you typed for line 1 was not used." in said
    assert "What you typed for line 2 is kept and not saved yet" in said
    assert set(app.session_state[f"draft:ticket:{table.ticket.ticket_id}"]["lines"]) == {"2"}
    press(app, "All correct: save")
    assert table.stored() == {1: "DONE", 2: "SKIPPED"}


def test_when_every_line_was_answered_elsewhere_what_is_saved_is_shown(table: Table) -> None:
    app = both_skipped(table)
    desk.answer(table.conn, table.ticket, [Answer(line, "SKIPPED", "NO_TIME") for line in (1, 2)], None)
    press(app, "All correct: save")
    (said,) = [warning.value.replace("\\", "") for warning in app.warning]
    assert "Line 2 was answered meanwhile: SKIPPED, No time today (anna)." in said
    assert "is kept" not in said
    assert "Every line is answered. Thank you." in shown(app)


def test_a_line_that_was_answered_elsewhere_and_not_typed_here_is_not_said_to_be_dropped(table: Table) -> None:
    app = table.page()
    press(app, "Start with line 1")
    skip(app)
    press(app, NEXT)
    press(app, "Back")
    press(app, "Back")
    press(app, "Check your answers")
    desk.answer(table.conn, table.ticket, [Answer(line, "SKIPPED", "NO_TIME") for line in (1, 2)], None)
    press(app, "Save these 1 answer")
    (said,) = [warning.value.replace("\\", "") for warning in app.warning]
    assert "Line 2 was answered meanwhile" in said
    assert "What you typed for line 1 was not used." in said
    assert "lines 1 and 2" not in said


def _saved_and_then_doubted(table: Table) -> None:
    """Line 1 is saved; then the day's prices come, and its price was beyond them."""
    given = Answer(1, "DONE", price_usd=D("233.60"), value_gbp=D(310), executed_at=desk.executed_at(factory.ASOF))
    desk.answer(table.conn, table.ticket, [given, Answer(2, "SKIPPED", "PRICE")], None)
    bars = home_factory.bars_table([("NVDA", "2018-02-05", "220.00")])
    home_factory.load(table.conn, bars=bars, fixings=home_factory.fixings_table([("2018-02-05", "1.42")]))


def test_a_saved_line_about_which_something_is_asked_now_is_said_to_be_saved(table: Table) -> None:
    _saved_and_then_doubted(table)
    app = table.page()
    press(app, "Correct line 1")
    press(app, "Back")
    press(app, "Correct line 2")
    app.radio[1].set_value("NO_TIME").run()
    press(app, "Check your answers")
    text = shown(app).replace("&#x27;", "'")
    assert "not answered yet" not in text
    assert "Line 1, BUY NVDA · type £310: saved already as DONE, £310.00 at $233.60, 14:50 on 5 Feb." in text
    assert "If eToro shows it so, nothing is to be done." in text
    assert "220" in text, "what is asked now is told"
    press(app, "All correct: save")
    assert table.stored() == {1: "DONE", 2: "SKIPPED"}
    assert answers.in_force(table.conn, table.ticket.plan_id)[2].answer.reason == "NO_TIME"
