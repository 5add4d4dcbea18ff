"""Account check, other trade and check names: alone for what they say, and in a real Chromium at a phone's size."""

import datetime as dt
import uuid
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from streamlit_app.auth import cookies
from streamlit_app.pages import names as names_page
from trading_ops.desk.answering import OffTicket, record_off_ticket
from trading_ops.domain.calendar import LONDON
from trading_ops.domain.errors import BadInput
from trading_ops.settings import Settings
from trading_ops.store import broker, name_checks, sign_ins
from trading_ops_tests.integration import browser as at
from trading_ops_tests.integration import desk_factory as desk
from trading_ops_tests.integration import household_factory as house
from trading_ops_tests.integration.browser import needs_chromium, page_of, settled
from trading_ops_tests.integration.command_line import run
from trading_ops_tests.integration.home_factory import opened
from trading_ops_tests.integration.household_factory import BOUGHT, CASH, HELD, press, shown, tick, type_into
from trading_ops_tests.integration.page_server import Served, serving, sign_in_cookie
from trading_ops_tests.unit import statement_factory

D = Decimal
SCRIPT = "<script>alert(1)</script>"
SEEN = "I looked again: eToro shows it so"


@pytest.fixture
def home(fresh_home: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The household, which this process's own pages find too."""
    house.set_up_household(fresh_home)
    for name, value in fresh_home.to_env().items():
        monkeypatch.setenv(name, value)
    return fresh_home


@pytest.fixture
def conn(home: Settings) -> Iterator[psycopg.Connection[Any]]:
    with opened(home) as conn:
        yield conn


def choose_name(app: Any, label: str, name: str) -> None:
    (box,) = [b for b in app.selectbox if b.label == label]
    box.set_value(name).run()
    assert not app.exception, app.exception


def type_new_name(app: Any, body: dict[str, Any], name: str) -> None:
    """A name that is not on the list, as the field leaves it in the draft (the field itself is tried in Chromium)."""
    body["name"] = name
    app.run()
    assert not app.exception, app.exception


# ---- other trade, alone
def bought(app: Any, name: str = "ADI · Analog Devices", **changes: str) -> None:
    """Fill in a purchase made an hour after an opening."""
    app.radio[0].set_value("BUY").run()
    choose_name(app, "Which name?", name)
    fields = {"Price in $": "100", "Units": "2", "Amount in £": "160", "Time on your clock": "15:30",
              "How did it come about?": "tapped the wrong one"} | changes  # fmt: skip
    app.date_input[0].set_value(BOUGHT).run()
    for label, text in fields.items():
        type_into(app, label, text)


def test_a_purchase_by_mistake_is_booked_once(home: Settings, conn: psycopg.Connection[Any]) -> None:
    app = house.page_alone(home, "trade")
    bought(app)
    press(app, "Check your answers")
    assert "BOUGHT ADI" in shown(app)
    (save,) = [b for b in app.button if b.label == "All correct: save"]
    for _ in range(3):
        save.click()
        app.run()
    assert "Saved. Thank you." in shown(app)
    (fill,) = [r for r in desk.rows(conn, "ledger_trades_fills") if r["symbol"] == "ADI"]
    assert (fill["units"], fill["value_gbp"], fill["why"]) == (D(2), D(160), "tapped the wrong one")
    assert fill["filled_at"] == dt.datetime.combine(BOUGHT, dt.time(15, 30), LONDON)
    (row,) = conn.execute("SELECT actor FROM ops.audit_log WHERE actor LIKE 'executor_ui%%'").fetchall()
    assert row["actor"] == "executor_ui:anna"


@pytest.mark.parametrize(
    ("name", "cfd"), [("ZZZZ", False), (SCRIPT, False), ("ADI", True)],
)  # fmt: skip
def test_what_is_no_stock_of_the_desk_goes_to_the_operator(
    home: Settings, conn: psycopg.Connection[Any], name: str, cfd: bool
) -> None:
    app = house.page_alone(home, "trade")
    bought(app)
    type_new_name(app, app.session_state["draft:trade:other"], name)
    if cfd:
        tick(app, "eToro marks it as a CFD, or it has leverage")
    assert "the operator gets it as a note" in shown(app)
    press(app, "Check your answers")
    assert "<script>" not in shown(app)
    press(app, "All correct: save")
    assert "The operator is told" in shown(app)
    (incident,) = desk.rows(conn, "incidents")
    assert (incident["class"], incident["blocking"]) == ("UNBOOKED_TRADE", True)
    assert (incident["details"]["units"], incident["details"]["cfd"]) == ("2", cfd)
    assert len(desk.rows(conn, "ledger_trades_fills")) == len(HELD)


def test_more_sold_than_held_is_looked_at_again_and_told(home: Settings, conn: psycopg.Connection[Any]) -> None:
    app = house.page_alone(home, "trade")
    bought(app, "AAPL · Apple", **{"Units": "3", "Amount in £": "240"})
    app.radio[0].set_value("SELL").run()
    assert "More is sold than is held: the desk has 2.631579 units of AAPL" in shown(app)
    press(app, "Check your answers")
    assert not [b for b in app.button if b.label == "All correct: save"], "only after a second look"
    tick(app, SEEN)
    press(app, "All correct: save")
    assert len(desk.rows(conn, "incidents")) == 1
    assert len(desk.rows(conn, "ledger_trades_fills")) == len(HELD)


def test_the_second_look_at_a_sale_ends_when_its_units_change(home: Settings) -> None:
    app = house.page_alone(home, "trade")
    bought(app, "AAPL · Apple", **{"Units": "3", "Amount in £": ""})
    app.radio[0].set_value("SELL").run()
    press(app, "Check your answers")
    tick(app, SEEN)
    press(app, "Back, I want to change something")
    type_into(app, "Units", "900")
    press(app, "Check your answers")
    assert not [b for b in app.button if b.label == "All correct: save"], "other units need another look"


@pytest.mark.parametrize(
    ("label", "typed", "said"),
    [
        ("Price in $", "80", "looks like a price in pounds"), ("Price in $", "8000", "looks like a price in pence"),
        ("Price in $", "1000", "is the point right?"), ("Price in $", "150", "far from the newest close, $100"),
        ("Amount in £", "200", "Compare units, price and amount"), ("Time on your clock", "23:15", "was closed"),
        ("Units", "2.000000000001", "at most 6 decimals"), ("Units", "1,5", "Read as 1.5."),
    ],
)  # fmt: skip
def test_an_odd_trade_is_asked_about(home: Settings, label: str, typed: str, said: str) -> None:
    app = house.page_alone(home, "trade")
    bought(app, "AAPL · Apple", **{label: typed})
    assert said in shown(app).replace("&#x27;", "'")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"units": D("1e15")}, "units 1000000000000000 is too large to be true. Type what the screen shows."),
        ({"price_usd": D("1e12")}, "price_usd 1000000000000 is too large to be true"),
        ({"units": D("1.123456789012")}, "units 1.123456789012 has more than 6 decimals"),
        ({"price_usd": D("1.123456789012")}, "has more than 8 decimals"),
        ({"value_gbp": D("1e14")}, "value_gbp 100000000000000 is too large to be true"),
        ({"value_gbp": D("NaN")}, "value_gbp NaN must be a number above 0"),
        ({"units": D("Infinity")}, "units Infinity must be a number above 0"),
        ({"price_usd": D("sNaN")}, "price_usd sNaN must be a number above 0"),
        ({"units": D("-1")}, "units -1 must be a number above 0"),
        ({"fee_gbp": D("1e12")}, "fee_gbp .* must be 0 or more, and below 1000000000000"),
        ({"fee_gbp": D("0.001")}, "fee_gbp 0.001 has more than 2 decimals"),
        ({"value_gbp": None, "units": D("1e11"), "price_usd": D("1e11")}, "which cannot be. Type units and value"),
        ({"value_gbp": None, "units": D("0.000001"), "price_usd": D("1")}, "0.000001 units for 0 GBP, which cannot be"),
        ({"why": "a\0"}, "why .* holds a character that cannot be kept"),
    ],
)  # fmt: skip
def test_another_trade_has_the_limits_of_a_tickets_fill(
    home: Settings, conn: psycopg.Connection[Any], changes: dict[str, Any], says: str
) -> None:
    at = dt.datetime.combine(BOUGHT, dt.time(15, 30), LONDON)
    usual: dict[str, Any] = {"price_usd": D(100), "units": D(2), "value_gbp": D(160), "fee_gbp": None, "why": "a slip"}
    trade = OffTicket("AAPL", "BUY", executed_at=at, position_id=None, **usual | changes)
    with opened(home, "executor_ui") as anna, pytest.raises(BadInput, match=says), anna.transaction():
        record_off_ticket(anna, uuid.uuid4(), trade, "anna", dt.datetime.now(dt.UTC))
    assert len(desk.rows(conn, "ledger_trades_fills")) == len(HELD)
    assert desk.counts(conn, "submissions") == (0,)


def test_a_trade_needs_its_why_and_a_time_that_has_come(home: Settings, conn: psycopg.Connection[Any]) -> None:
    app = house.page_alone(home, "trade")
    bought(app, **{"How did it come about?": "  ", "Time on your clock": "half past"})
    press(app, "Check your answers")
    assert "Still to type or to look at: the time, how it came about." in shown(app)
    assert len(desk.rows(conn, "ledger_trades_fills")) == len(HELD)


def test_a_note_is_cut_at_400_letters_and_says_so(home: Settings) -> None:
    app = house.page_alone(home, "trade")
    type_into(app, "How did it come about?", "x" * 450)
    assert app.text_area[0].value == "x" * 400
    assert "what came after was cut off" in shown(app)


def test_what_was_typed_is_there_again(home: Settings) -> None:
    bought(house.page_alone(home, "trade"))
    later = house.page_alone(home, "trade")
    assert [f.value for f in later.text_input if f.label == "Price in $"] == ["100"]
    assert later.text_area[0].value == "tapped the wrong one"


# ---- names, alone
@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names_page, "TOO_QUICK", dt.timedelta(0))


def test_a_name_that_is_found_dates_its_look_up(home: Settings, conn: psycopg.Connection[Any]) -> None:
    app = house.page_alone(home, "names")
    assert "Search eToro for exactly AAPL" in shown(app)
    assert "Name 1 of 8" in shown(app)
    type_into(app, "Similar names that eToro shows beside it, if any", f"AAPL.RTH, {SCRIPT}")
    press(app, "Found as Stocks")
    assert "Name 2 of 8" in shown(app)
    check = name_checks.newest(conn)["AAPL"]
    assert (check.outcome, check.checked_by, check.lookalikes) == ("found", "anna", f"AAPL.RTH, {SCRIPT}")


@pytest.mark.parametrize(
    ("words", "sure"), [("Only as CFD", "Yes, only as CFD"), ("Not found", "Yes, it is not there")]
)
def test_a_name_is_switched_off_only_after_a_second_look(
    home: Settings, conn: psycopg.Connection[Any], unhurried: None, words: str, sure: str
) -> None:
    app = house.page_alone(home, "names")
    press(app, words)
    assert desk.rows(conn, "name_checks") == []
    press(app, "No, go back")
    press(app, words)
    press(app, sure)
    (incident,) = desk.rows(conn, "incidents")
    assert incident["class"] == "UNTRADABLE_SYMBOL"
    press(app, "That was wrong: answer AAPL again")
    press(app, "Found as Stocks")
    assert name_checks.newest(conn)["AAPL"].outcome == "found"
    assert len(desk.rows(conn, "name_checks")) == 2, "a second answer is a new entry"


def test_a_press_too_quick_for_the_next_name_counts_for_none(home: Settings, conn: psycopg.Connection[Any]) -> None:
    app = house.page_alone(home, "names")
    press(app, "Found as Stocks", times=3)
    assert [r["symbol"] for r in desk.rows(conn, "name_checks")] == ["AAPL"]


def test_the_week_ends(home: Settings, unhurried: None) -> None:
    app = house.page_alone(home, "names")
    press(app, "Found as Stocks", times=8)
    assert "All done for this week." in shown(app)


def test_the_commands_list_and_record_names(home: Settings, conn: psycopg.Connection[Any]) -> None:
    assert "AAPL" in run(home, "names", "list").out
    done = run(home, "names", "record", "AAPL", "cfd", "--lookalikes", "AAPL.RTH")
    again = run(home, "names", "record", "AAPL", "cfd", "--lookalikes", "AAPL.RTH")
    assert "switched off" in done.out
    assert "recorded already" in again.out
    assert len(desk.rows(conn, "incidents")) == 1
    assert run(home, "names", "record", "AAPL", "perhaps").code == 1
    assert run(home, "names", "record", "ZZZZ", "found").code == 1
    assert "AAPL" not in run(home, "names", "list").out.split()


# ---- account check, alone
def test_a_script_as_a_name_stays_text(home: Settings, conn: psycopg.Connection[Any]) -> None:
    app = house.page_alone(home, "snapshot")
    _fill_alone(app)
    press(app, "There is one more")
    type_new_name(app, app.session_state["draft:snapshot:check"]["more"][0], SCRIPT)
    type_into(app, "One more, number 1: units", "1,5")
    assert "The desk does not know &lt;script&gt;" in shown(app)
    press(app, "Check your answers")
    assert "<script>" not in shown(app)
    press(app, "All correct: save")
    assert "The operator was told of the name that is new to the desk." in shown(app)
    assert len(desk.rows(conn, "broker_snapshots")) == 1


def _fill_alone(app: Any, **changes: str) -> None:
    type_into(app, "Cash in £: Available", CASH)
    for symbol, units in (HELD | changes).items():
        (field,) = [f for f in app.text_input if f.label.startswith(f"{symbol} ")]
        field.input(units).run()


def test_last_month_s_check_is_kept_for_its_day(home: Settings, conn: psycopg.Connection[Any]) -> None:
    app = house.page_alone(home, "snapshot")
    app.radio[1].set_value("earlier").run()
    app.date_input[0].set_value(dt.date.today() - dt.timedelta(days=12)).run()  # noqa: DTZ011
    type_into(app, "The time on your clock", "16:30")
    assert "cannot clear this week" in shown(app)
    _fill_alone(app)
    press(app, "Check your answers")
    press(app, "All correct: save")
    assert "It is kept for its day." in shown(app)
    (row,) = desk.rows(conn, "broker_snapshots")
    assert row["taken_at"].astimezone(LONDON).time() == dt.time(16, 30)


def test_what_is_missing_is_said_and_nothing_is_saved(home: Settings, conn: psycopg.Connection[Any]) -> None:
    app = house.page_alone(home, "snapshot")
    type_into(app, "Cash in £: Available", CASH)
    press(app, "Check your answers")
    assert "Still to type or to look at: AAPL, ABBV" in shown(app)
    assert desk.rows(conn, "broker_snapshots") == []


def test_the_operator_may_do_it_too(home: Settings, conn: psycopg.Connection[Any]) -> None:
    app = house.page_alone(home, "snapshot", "omar")
    _fill_alone(app)
    press(app, "Check your answers")
    press(app, "All correct: save")
    assert "It agrees with the desk" in shown(app)
    assert desk.rows(conn, "broker_snapshots")[0]["entered_by"] == "omar"


# ---- in a real browser
@pytest.fixture
def served(home: Settings) -> Iterator[Served]:
    with serving(home) as served:
        yield served


@pytest.fixture
def chromium() -> Iterator[Browser]:
    with at.chromium() as browser:
        yield browser


def opened_page(browser: Browser, served: Served, home: Settings, where: str, heading: str) -> Page:
    page = page_of(browser, served, sign_in_cookie(home, "anna"))
    page.goto(f"{served.url}/{where}")
    expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    settled(page)
    return page


def fill_check(page: Page, skip: int = 0, **changes: str) -> None:
    """Type the numbers of the account, all or from a holding on."""
    if not skip:
        at.fill(page, "Cash in £: Available", CASH)
    for symbol, units in list((HELD | changes).items())[skip:]:
        field = page.get_by_label(f"{symbol} · ").and_(page.get_by_role("textbox"))
        field.fill(units)
        field.press("Tab")
        settled(page)


THUMB = "button, input, textarea, [data-testid=stCheckbox] label, [role=radiogroup] label"
ROOT = (
    "[data-testid=stTextInputRootElement], [data-testid=stTextAreaRootElement], [data-baseweb=select], "
    "[data-baseweb=input]"
)
SMALL = """([thumb, root]) => [...document.querySelectorAll(thumb)]
  .filter(e => e.offsetParent)
  .filter(e => !e.closest('header, [data-testid=stSidebar], [data-testid=stHeader], [aria-hidden=true]'))
  .filter(e => !['checkbox', 'radio', 'file'].includes(e.type) && !e.closest('[data-testid=stFileUploader]'))
  .map(e => [e.tagName, e.innerText || e.getAttribute('aria-label'),
             (e.closest(root) || e).getBoundingClientRect().height, parseFloat(getComputedStyle(e).fontSize)])
  .filter(([tag, name, height, font]) => height < 44 || (['INPUT', 'TEXTAREA'].includes(tag) && font < 16))"""


def assert_fit_for_a_thumb(page: Page) -> None:
    """Touch targets are 44 pixels high, and no field is so small that a phone zooms into it."""
    assert page.evaluate(SMALL, [THUMB, ROOT]) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert at.grave_findings(page) == []


@needs_chromium
def test_the_whole_account_check(
    home: Settings, conn: psycopg.Connection[Any], served: Served, chromium: Browser
) -> None:
    page = opened_page(chromium, served, home, "snapshot", "Account check")
    expect(page.get_by_text("2 minutes: cash and 15 holdings")).to_be_visible()
    assert not any(units in page.content() for units in HELD.values() if len(units) > 5), "she reads, she does not copy"
    digits = page.locator("input[type=text][inputmode=decimal]")
    expect(digits).to_have_count(1 + len(HELD))  # cash and every holding
    assert_fit_for_a_thumb(page)
    at.keep_screen(page, "account-check-1-form")
    at.fill(page, "Cash in £: Available", CASH)
    at.fill(page, "AAPL · Apple: units", "2,631579")
    expect(page.get_by_text("Read as 2.631579.")).to_be_visible()
    at.fill(page, "ABBV · AbbVie: units", "3.140512")
    expect(page.get_by_text("Are two digits swapped in 3.140512?")).to_be_visible()
    at.keep_screen(page, "account-check-2-question")
    page.context.close()  # the browser is closed in the middle

    page = opened_page(chromium, served, home, "snapshot", "Account check")
    expect(page.get_by_label("ABBV · AbbVie: units")).to_have_value("3.140512")
    expect(page.get_by_label("AAPL · Apple: units")).to_have_value("2,631579")
    fill_check(page, skip=2)
    at.press(page, "Check your answers")
    expect(page.get_by_role("button", name="All correct: save")).to_have_count(0)
    at.choose(page, SEEN)
    assert_fit_for_a_thumb(page)
    at.keep_screen(page, "account-check-3-answers")
    assert desk.rows(conn, "broker_snapshots") == []
    page.get_by_role("button", name="All correct: save").click(click_count=3, delay=20)
    expect(page.get_by_text("Saved. Thank you.")).to_be_visible()
    settled(page)
    expect(page.get_by_text("Something differs from the desk's books.")).to_be_visible()
    assert_fit_for_a_thumb(page)
    at.keep_screen(page, "account-check-4-saved")
    page.goto(f"{served.url}/names")
    page.go_back()
    expect(page.get_by_text("Saved. Thank you.")).to_be_visible()
    (row,) = desk.rows(conn, "broker_snapshots")
    stored = broker.newest_of_all(conn, dt.datetime.now(dt.UTC))
    assert stored is not None
    assert (row["entered_by"], stored.holdings["ABBV"].units, stored.cash_gbp) == ("anna", D("3.140512"), D(CASH))
    assert len(stored.holdings) == 15


@needs_chromium
def test_two_tabs_and_an_ended_session(
    home: Settings, conn: psycopg.Connection[Any], served: Served, chromium: Browser
) -> None:
    first = opened_page(chromium, served, home, "snapshot", "Account check")
    fill_check(first)
    at.press(first, "Check your answers")
    expect(first.get_by_role("button", name="All correct: save")).to_be_visible()
    second = opened_page(chromium, served, home, "snapshot", "Account check")
    at.press(second, "Back, I want to change something")
    at.fill(second, "HD · Home Depot: units", "1.76")
    at.press(second, "Check your answers")
    at.choose(second, SEEN)
    at.press(first, "All correct: save")
    expect(first.get_by_text("It agrees with the desk's books.")).to_be_visible()
    second.get_by_role("button", name="All correct: save").click(click_count=3, delay=20)
    expect(second.get_by_text("anna entered an account check at")).to_be_visible()
    assert len(desk.rows(conn, "broker_snapshots")) == 1
    settled(second)  # all three presses are through: one of them must not be the first to meet the ended session
    token = next(c["value"] for c in second.context.cookies() if c["name"] == cookies.PLAIN)
    with opened(home, "sign_in") as door, door.transaction():
        found = sign_ins.holder(door, cookies.digest(token), dt.datetime.now(dt.UTC))
        assert found is not None
        sign_ins.end(door, found, "signed out elsewhere")
    second.get_by_role("button", name="All correct: save").click()
    expect(second.get_by_text("You were signed out.").first).to_be_visible()
    assert len(desk.rows(conn, "broker_snapshots")) == 1
    again = opened_page(chromium, served, home, "snapshot", "Account check")
    expect(again.get_by_text("1.76 units")).to_be_visible()
    expect(again.get_by_text("anna entered an account check at")).to_be_visible()
    again.get_by_role("button", name="All correct: save").click(click_count=3, delay=20)
    expect(again.get_by_text("Something differs from the desk's books.")).to_be_visible()
    assert len(desk.rows(conn, "broker_snapshots")) == 2


@needs_chromium
def test_a_statement_file_is_chosen(
    home: Settings, conn: psycopg.Connection[Any], served: Served, chromium: Browser, tmp_path: Path
) -> None:
    page = opened_page(chromium, served, home, "snapshot", "Account check")
    at.choose(page, "I have the statement file")

    def hand_in(data: bytes, name: str) -> None:
        file = tmp_path / name
        file.write_bytes(data)
        page.locator("input[type=file]").set_input_files(file)
        expect(page.get_by_role("button", name="Read this file")).to_be_visible()
        settled(page)
        at.press(page, "Read this file")

    hand_in(statement_factory.build(language="Polish"), "wyciąg.xlsx")
    expect(page.get_by_text("which looks Polish")).to_be_visible()
    assert desk.counts(conn, "broker_statements", "broker_statement_rows") == (0, 0)
    at.keep_screen(page, "account-check-5-polish")
    good = statement_factory.build(holdings=[statement_factory.held(asset="Apple")])
    hand_in(good, "statement.xlsx")
    expect(page.get_by_text("Read. Thank you. 2 rows are new")).to_be_visible()
    assert at.grave_findings(page) == []
    hand_in(good, "statement.xlsx")
    expect(page.get_by_text("This file was read before. Nothing was added.")).to_be_visible()
    assert desk.counts(conn, "broker_statements", "broker_statement_rows") == (1, 2)


@needs_chromium
def test_other_trade_and_names_at_a_phone(
    home: Settings, conn: psycopg.Connection[Any], served: Served, chromium: Browser
) -> None:
    page = opened_page(chromium, served, home, "trade", "Other trade")
    at.choose(page, "I bought something")
    page.get_by_label("Which name?").fill("ZZZZ")
    page.keyboard.press("Enter")
    expect(page.get_by_text("the operator gets it as a note")).to_be_visible()
    page.get_by_label("Which name?").fill("Analog")
    page.get_by_role("option", name="ADI · Analog Devices").click()
    settled(page)
    assert_fit_for_a_thumb(page)
    for label, text in (("Price in $", "100"), ("Units", "2"), ("Time on your clock", "00:01")):
        at.fill(page, label, text)
    at.fill(page, "How did it come about?", SCRIPT)
    at.keep_screen(page, "other-trade")
    at.press(page, "Check your answers")
    at.choose(page, SEEN)
    expect(page.get_by_text(f"How it came about: {SCRIPT}")).to_be_visible()
    assert_fit_for_a_thumb(page)
    page.get_by_role("button", name="All correct: save").click(click_count=3, delay=20)
    expect(page.get_by_text("Saved. Thank you.")).to_be_visible()
    settled(page)
    (fill,) = [r for r in desk.rows(conn, "ledger_trades_fills") if r["symbol"] == "ADI"]
    assert fill["why"] == SCRIPT

    page.goto(f"{served.url}/names")
    expect(page.get_by_text("Search eToro for exactly")).to_be_visible()
    settled(page)
    assert_fit_for_a_thumb(page)
    at.keep_screen(page, "check-names")
    page.get_by_role("button", name="Found as Stocks").click(click_count=3, delay=20)
    expect(page.get_by_text("Name 2 of 8 this week")).to_be_visible()
    settled(page)
    assert len(desk.rows(conn, "name_checks")) == 1
    at.press(page, "Only as CFD")
    assert_fit_for_a_thumb(page)
    at.keep_screen(page, "check-names-second-look")
    assert len(desk.rows(conn, "name_checks")) == 1
