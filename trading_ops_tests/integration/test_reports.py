"""Reports of a small book worked by hand, of a life that was simulated, and what becomes of them: store, mail, page."""

import datetime as dt
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psycopg
import pytest
from playwright.sync_api import expect

from trading_ops.backup import fingerprint
from trading_ops.domain import calendar
from trading_ops.domain.errors import Refused
from trading_ops.domain.ledger import CashMovement, Fill
from trading_ops.domain.report_facts import DailyFacts, WeeklyFacts, parse
from trading_ops.reports import forms, ground, writing
from trading_ops.reports.ground import morning_of
from trading_ops.settings import Settings
from trading_ops.store import announced, desk, ledger, reports
from trading_ops.store.reports import Report
from trading_ops.store.server import Server
from trading_ops_tests.integration import command_line, home_factory, lived_factory
from trading_ops_tests.integration.browser import (
    DESK,
    PATIENCE,
    PHONE,
    chromium,
    grave_findings,
    needs_chromium,
    page_of,
    settled,
)
from trading_ops_tests.integration.home_factory import bars_table, fixings_table, load, opened
from trading_ops_tests.integration.lived_factory import tamper
from trading_ops_tests.integration.mail_factory import EXECUTOR, OPERATOR, PostDesk, post_desk
from trading_ops_tests.integration.operator_factory import at_home
from trading_ops_tests.integration.page_server import add_person, serving, sign_in_cookie
from trading_ops_tests.integration.smtp_server import MailServer
from trading_ops_tests.unit.ticket_factory import rule_failed

D = Decimal
MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = (dt.date(2018, 1, 29) + dt.timedelta(days=n) for n in range(5))
WINDOW = dt.date(2018, 2, 5)
MINUTE = dt.timedelta(minutes=1)
OUTSIDE = re.compile(r"""(?:src|href|url)\s*[=(]\s*["']?\s*(?:https?:)?//|@import|<(?:script|link|iframe|object)""")


def fill(name: str, side: Any, session: dt.date, units: str, price: str, value: str, fee: str = "0") -> Fill:
    at = calendar.open_utc(session) + dt.timedelta(minutes=20)
    return Fill(name, "AAA", side, D(units), D(price), D(value), D(fee), at, session)


def deposit(name: str, day: dt.date, amount: str) -> CashMovement:
    at = dt.datetime(day.year, day.month, day.day, 9, tzinfo=dt.UTC)
    return CashMovement(name, "deposit", D(amount), day, at)


def live_the_week(conn: psycopg.Connection[Any]) -> None:
    """Monday £1000 in, Tuesday 10 AAA for £400 and £1, Thursday 4 of them sold for £192, Friday £500 and no prices."""
    with conn.transaction():
        for movement in (
            deposit("a8098c1a-f86e-4c11-9d1e-000000000001", MONDAY, "1000"),
            deposit("a8098c1a-f86e-4c11-9d1e-000000000002", FRIDAY, "500"),
        ):
            ledger.record_movement(conn, movement, recorded_by="a test", why="a deposit")
        bought = fill("a8098c1a-f86e-4c11-9d1e-000000000003", "BUY", TUESDAY, "10", "50", "400", "1")
        sold = fill("a8098c1a-f86e-4c11-9d1e-000000000004", "SELL", THURSDAY, "4", "60", "192")
        for each in (bought, sold):
            ledger.record_fill(conn, each, recorded_by="a test", why="off the ticket")
    days = [MONDAY, TUESDAY, WEDNESDAY, THURSDAY]
    closes = {"AAA": ("50", "50", "55", "60"), "SPY": ("100", "110", "99", "105")}
    rows = [(s, str(d), c) for s, prices in closes.items() for d, c in zip(days, prices, strict=True)]
    load(conn, bars=bars_table(rows), fixings=fixings_table([(str(MONDAY), "1.25")]))


@pytest.fixture
def conn(fresh_home: Settings) -> Iterator[psycopg.Connection[Any]]:
    """A paper book that lived through the week."""
    with opened(fresh_home) as conn:
        home_factory.set_up(conn, "paper")
        live_the_week(conn)
        yield conn


def daily(report: Report | None) -> DailyFacts:
    assert report is not None
    facts = parse("daily", report.facts)
    assert isinstance(facts, DailyFacts)
    return facts


def weekly(report: Report | None) -> WeeklyFacts:
    assert report is not None
    facts = parse("weekly", report.facts)
    assert isinstance(facts, WeeklyFacts)
    return facts


# ---------------------------------------------------------------- figures, by hand
def test_a_day_by_hand(conn: psycopg.Connection[Any]) -> None:
    writing.write_owed(conn, morning_of(THURSDAY))
    facts = daily(reports.newest(conn, "daily", THURSDAY))
    m, r = facts.money, facts.returns
    # 6 x $60 / 1.25 = £288 and 1000 - 401 + 192 = £791 of cash; the 4 sold cost 4/10 x 401 = £160.40.
    assert (m.equity_gbp, m.cash_gbp, m.holdings_gbp) == ("1079.00", "791.00", "288.00")
    assert (m.paid_in_gbp, m.realised_gbp, m.unrealised_gbp) == ("1000.00", "31.60", "47.40")
    assert (m.dividends_gbp, m.other_gbp, m.complete) == ("0.00", "0.00", True)
    # 999, 1039, 1079 after 1000: the index is 1.079; Wednesday to Thursday 40 / 1039.
    assert (r.twr, r.period, r.period_gbp) == ("0.079000", "0.038499", "40.00")
    # SPY 100, 110, 99, 105 at one rate.
    assert (r.benchmark_twr, r.period_benchmark, r.benchmark_value_gbp) == ("0.050000", "0.060606", "1050.00")
    assert (r.drawdown, r.deepest, r.deepest_on) == ("0.000000", "0.001000", TUESDAY)
    assert (facts.cash_share, facts.holdings[0].share) == ("0.733086", "0.266914")
    # Tuesday's fill at the fixing: nothing lost but the fee. Thursday's: 4 x 60 / 1.25 = 192.
    assert (facts.costs[2].fills, facts.costs[2].fees_gbp, facts.costs[2].total_gbp) == (2, "1.00", "1.00")
    assert (facts.quality.priced, facts.quality.expected, facts.quality.missing) == (1, 2, ("BBB",))
    window = facts.next
    assert (window.week, window.session) == ("2018-W05", WINDOW)
    assert f"{window.window_open_utc:%H:%M}" == "14:45"
    assert facts.head.morning_utc == dt.datetime(2018, 2, 2, 6, 30, tzinfo=dt.UTC)


def test_a_day_without_prices_stands_in_the_last_known_ones_and_says_so(conn: psycopg.Connection[Any]) -> None:
    writing.write_owed(conn, morning_of(FRIDAY))
    report = reports.newest(conn, "daily", FRIDAY)
    facts = daily(report)
    assert (facts.money.equity_gbp, facts.money.complete) == ("1579.00", False)
    assert facts.returns.period == "0.000000"
    assert (facts.quality.priced, facts.quality.held_without) == (0, ("AAA",))
    assert facts.holdings[0].priced_on == THURSDAY
    assert facts.head.tone != "green"
    # £1000 at 1 and £500 at 1.05, worth 1.05 each.
    assert facts.returns.benchmark_value_gbp == "1550.00"
    assert report is not None
    assert "prices missing" in report.markdown
    assert "the last known one stands in" in report.html


def test_prices_that_came_late_make_a_revision_that_names_the_report_before(conn: psycopg.Connection[Any]) -> None:
    writing.write_owed(conn, morning_of(FRIDAY))
    first = reports.newest(conn, "daily", FRIDAY)
    assert writing.write_owed(conn, morning_of(FRIDAY) + MINUTE) == ()
    load(conn, bars=bars_table([("AAA", str(FRIDAY), "66")]))
    (second,) = writing.write_owed(conn, morning_of(FRIDAY) + MINUTE)
    assert first is not None
    assert (second.revision, second.replaces) == (2, first.facts_sha256)
    assert daily(second).money.equity_gbp == "1607.80"  # 6 x 66 / 1.25 = 316.80
    assert reports.get(conn, "daily", FRIDAY, 1) == first
    assert f"replaces the report with facts {first.facts_sha256[:16]}" in second.html
    assert writing.write_owed(conn, morning_of(FRIDAY) + MINUTE) == ()


def test_a_revision_that_does_not_name_the_one_before_is_refused(conn: psycopg.Connection[Any]) -> None:
    writing.write_owed(conn, morning_of(THURSDAY))
    stands = daily(reports.newest(conn, "daily", THURSDAY))
    head = stands.head.model_copy(update={"revision": 2, "replaces": "0" * 64})
    false = stands.model_copy(update={"head": head})
    with pytest.raises(psycopg.errors.CheckViolation, match="does not name the one before"), conn.transaction():
        reports.record(conn, false, "", "")


def test_a_curve_that_is_gone_on_with_is_the_one_worked_out_anew(conn: psycopg.Connection[Any]) -> None:
    whole = ground.ground(conn, FRIDAY, morning_of(FRIDAY))
    assert whole is not None
    for through in (TUESDAY, THURSDAY, FRIDAY):
        ground._LAST.clear()
        ground.ground(conn, through, morning_of(FRIDAY))
        with conn.transaction(force_rollback=True):
            early = deposit("a8098c1a-f86e-4c11-9d1e-000000000009", dt.date(2018, 1, 31), "7")
            ledger.record_movement(conn, early, recorded_by="a test", why="entered late")
            gone_on = ground.ground(conn, FRIDAY, morning_of(FRIDAY))
            ground._LAST.clear()
            anew = ground.ground(conn, FRIDAY, morning_of(FRIDAY))
            assert gone_on is not None
            assert anew is not None
            assert [p.flow_gbp for p in gone_on.points] == [p.flow_gbp for p in anew.points]
            assert [p.equity_gbp for p in gone_on.points] == [p.equity_gbp for p in anew.points]
            assert gone_on.index == anew.index
        ground._LAST.clear()
        ground.ground(conn, through, morning_of(FRIDAY))
        again = ground.ground(conn, FRIDAY, morning_of(FRIDAY))
        assert again is not None
        assert again.index == whole.index


# ---------------------------------------------------------------- what is owed
def test_what_is_owed_is_every_session_and_week_since_the_first_fact(conn: psycopg.Connection[Any]) -> None:
    assert writing.owed(conn, morning_of(MONDAY) - MINUTE) == writing.Owed((), (), ())
    assert writing.owed(conn, morning_of(MONDAY)) == writing.Owed((MONDAY,), (), ())
    due = writing.owed(conn, morning_of(WINDOW))
    assert due.daily == (MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, WINDOW)
    assert due.weekly == (FRIDAY,)
    assert due.monthly == (WEDNESDAY,), "the last session of January"
    assert len(writing.write_owed(conn, morning_of(WINDOW))) == 8
    assert writing.owed(conn, morning_of(WINDOW)) == writing.Owed((), (), ())
    assert writing.write_owed(conn, morning_of(WINDOW)) == ()


def test_an_empty_book_owes_nothing(fresh_home: Settings) -> None:
    with opened(fresh_home) as conn:
        home_factory.set_up(conn, "paper")
        assert writing.write_owed(conn, morning_of(WINDOW)) == ()
        with pytest.raises(Refused, match="had no money yet"):
            writing.write_one(conn, "daily", FRIDAY, morning_of(WINDOW))


def test_a_report_that_is_not_due_yet_or_of_no_trading_day_is_refused(conn: psycopg.Connection[Any]) -> None:
    with pytest.raises(Refused, match=r"is due on 03 Feb 2018 06:30 \(London\)"):
        writing.write_one(conn, "daily", FRIDAY, morning_of(FRIDAY) - MINUTE)
    with pytest.raises(Refused, match=r"2018-02-03 is no trading day of New York.*Use 2018-02-02"):
        writing.write_one(conn, "daily", dt.date(2018, 2, 3), morning_of(FRIDAY))


def test_a_week_without_a_ticket_has_its_report(conn: psycopg.Connection[Any]) -> None:
    writing.write_owed(conn, morning_of(WINDOW))
    report = reports.newest(conn, "weekly", FRIDAY)
    facts = weekly(report)
    assert facts.ticket is None
    assert facts.head.headline.startswith("Week 2018-W05: no ticket")
    assert report is not None
    assert "No ticket was issued for week 2018-W05" in report.markdown


# ---------------------------------------------------------------- what is stored holds
def test_facts_alone_make_the_texts_again(conn: psycopg.Connection[Any]) -> None:
    made = writing.write_owed(conn, morning_of(WINDOW))
    assert {r.kind for r in made} == {"daily", "weekly", "monthly"}
    assert all(writing.same_again(report) for report in made)


def test_a_report_is_announced_and_nobody_changes_it(conn: psycopg.Connection[Any], fresh_home: Settings) -> None:
    writing.write_owed(conn, morning_of(THURSDAY))
    assert announced.tampered(conn, ("report.written",)) == []
    with pytest.raises(psycopg.Error, match="permission denied"):
        conn.execute("UPDATE ops.reports SET markdown = 'x'")
    tamper(
        fresh_home, "reports",
        "UPDATE ops.reports SET html = 'x', html_sha256 = encode(sha256('x'), 'hex') WHERE day = %s", (THURSDAY,),
    )  # fmt: skip
    (found,) = announced.tampered(conn, ("report.written",))
    assert found.startswith("report daily/2018-02-01/1: html_sha256 is ")


def test_a_backup_holds_the_last_reports_texts(conn: psycopg.Connection[Any], fresh_home: Settings) -> None:
    writing.write_owed(conn, morning_of(WINDOW))
    report = reports.newest(conn, "daily", WINDOW)
    with opened(fresh_home, "backup") as reader, reader.transaction():
        texts = fingerprint.take(reader).texts
    assert report is not None
    assert texts["html of the daily report of 2018-02-05"] == report.html_sha256
    assert texts["facts of the daily report of 2018-02-05"] == report.facts_sha256
    assert "markdown of the weekly report of 2018-02-02" in texts


# ---------------------------------------------------------------- what a reader gets
def test_a_script_in_a_note_is_shown_and_never_run(conn: psycopg.Connection[Any]) -> None:
    with conn.transaction():
        evil = "<script>alert(1)</script> | [x](javascript:1) </svg><img src=x onerror=alert(2)>"
        desk.open_incident(conn, "DRILL", evil, {}, blocking=True, key="1")
        desk.set_kill_switch(conn, "HALTED", MONDAY, "<b>stop</b>", "a test")
    writing.write_owed(conn, morning_of(THURSDAY))
    report = reports.newest(conn, "daily", THURSDAY)
    assert report is not None
    assert "<script" not in report.html
    assert "<img src=x" not in report.html
    assert "<b>stop" not in report.html
    assert "&lt;script&gt;alert(1)" in report.html
    assert r"\<script\>alert(1)" in report.markdown
    assert r"\| \[x\]" in report.markdown
    assert daily(report).head.tone == "red"


def test_the_page_needs_nothing_from_anywhere(conn: psycopg.Connection[Any]) -> None:
    for report in writing.write_owed(conn, morning_of(WINDOW)):
        assert not OUTSIDE.search(report.html)
        assert "http" not in re.sub(r'<meta http-equiv="Content-Security-Policy"', "", report.html)
        assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in report.html
        assert 'name="viewport"' in report.html
        assert report.html.count('src="data:image/svg+xml;base64,') == (
            3 if report.day == MONDAY else 4
        )  # nothing was traded on Monday yet


def test_a_report_is_mailed_to_the_operator_once_with_the_page(fresh_home: Settings) -> None:
    with opened(fresh_home) as conn:
        post = post_desk(fresh_home, conn)
        post.both()
        with conn.transaction():
            ledger.record_movement(conn, deposit("a8098c1a-f86e-4c11-9d1e-000000000001", MONDAY, "20000"),
                                   recorded_by="a test", why="opening deposit")  # fmt: skip
        no_trade(post)
        writing.write_owed(conn, morning_of(WINDOW))
        with MailServer() as server:
            post.write(server.settings())
            post.send(morning_of(WINDOW))
            post.send(morning_of(WINDOW) + MINUTE)
    mine = [mail for mail in server.to(OPERATOR) if mail.mail.get_content_type() == "multipart/mixed"]
    assert not [mail for mail in server.to(EXECUTOR) if mail.mail.get_content_type() == "multipart/mixed"]
    # Six days were owed, one week and one month: the newest of each is mailed, the rest is kept.
    month, day, week = sorted(mine, key=lambda mail: mail.subject.partition("· ")[2])
    assert month.subject.startswith(
        "PAPER - DO NOT EXECUTE · January 2018: £20,000.00 (0.00 % in the month); 0 tickets"
    )
    assert day.subject.startswith("PAPER - DO NOT EXECUTE · Mon 5 Feb 2018: £20,000.00")
    assert "Week 2018-W05: NO-TRADE" in week.subject
    (attached,) = day.mail.iter_attachments()
    assert attached.get_filename() == "daily-2018-02-05.html"
    with opened(fresh_home) as conn:
        stored = reports.newest(conn, "daily", WINDOW)
    assert stored is not None
    assert attached.get_content().replace("\r\n", "\n") == stored.html


def no_trade(post: PostDesk) -> None:
    post.issue(failed=[rule_failed("SNAPSHOT_STALE", "12 days", "8 days", "The newest account check is too old.")])


def test_a_no_trade_week_says_why(fresh_home: Settings) -> None:
    with opened(fresh_home) as conn:
        post = post_desk(fresh_home, conn)
        with conn.transaction():
            ledger.record_movement(conn, deposit("a8098c1a-f86e-4c11-9d1e-000000000001", MONDAY, "20000"),
                                   recorded_by="a test", why="opening deposit")  # fmt: skip
        no_trade(post)
        writing.write_owed(conn, morning_of(WINDOW))
        report = reports.newest(conn, "weekly", FRIDAY)
    facts = weekly(report)
    assert facts.ticket is not None
    assert (facts.ticket.verdict, facts.ticket.lines) == ("NO-TRADE", ())
    assert report is not None
    assert "SNAPSHOT_STALE: The newest account check is too old." in report.html
    assert facts.head.tone == "amber"


def test_a_simulated_book_tells_nobody(fresh_home: Settings) -> None:
    with opened(fresh_home) as conn:
        home_factory.set_up(conn, "sim")
        live_the_week(conn)
        assert writing.write_owed(conn, morning_of(WINDOW))
        assert conn.execute("SELECT 1 FROM ops.outbox").fetchone() is None


def test_the_operators_page_shows_and_keeps_a_report(
    fresh_home: Settings, conn: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from trading_ops_tests.integration.household_factory import page_alone

    writing.write_owed(conn, morning_of(WINDOW))
    add_person(fresh_home, "omar", "operator", name="Omar")
    app = page_alone(at_home(fresh_home, monkeypatch), "reports", "omar")
    shown = " ".join(str(element.proto) for element in app.get("html"))
    assert "Daily report, Mon 5 Feb 2018" in shown
    assert "8 reports, newest first" in shown
    app.selectbox[0].set_value("Week 2018-W05").run()
    assert not app.exception
    assert "Asked against done" in " ".join(str(element.proto) for element in app.get("html"))


@needs_chromium
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_browser_shows_a_report_with_its_pictures_at_any_width(
    fresh_home: Settings, conn: psycopg.Connection[Any], tmp_path: Path, size: tuple[int, int]
) -> None:
    writing.write_owed(conn, morning_of(WINDOW), tmp_path)
    add_person(fresh_home, "omar", "operator", name="Omar")
    drawn = "[...document.querySelectorAll('.report img')].map(i => i.complete && i.naturalWidth > 0)"
    too_wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    with serving(fresh_home) as served, chromium() as browser:
        page = page_of(browser, served, sign_in_cookie(fresh_home, "omar"), size)
        page.goto(f"{served.url}/reports")
        expect(page.get_by_role("heading", name="Daily report, Mon 5 Feb 2018")).to_be_visible(timeout=PATIENCE)
        settled(page)
        assert page.evaluate(drawn) == [True] * 4
        assert page.evaluate(too_wide) <= 0
        assert grave_findings(page) == []
        for kept in (tmp_path / "daily" / f"{WINDOW}.html", tmp_path / "weekly" / f"{FRIDAY}.html"):
            page.goto(kept.as_uri())
            assert page.evaluate(drawn) == [True] * 4
            assert page.evaluate(too_wide) <= 0
            assert grave_findings(page) == []


# ---------------------------------------------------------------- a simulated life
@pytest.fixture(scope="module")
def lived(
    embedded_server: Server, administrator: psycopg.Connection[Any], tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    """Six weeks of sloppy people on real prices, through the command."""
    home = lived_factory.fresh_book(embedded_server, administrator, "reported_2018")
    with opened(home) as conn:
        lived_factory.deliver(conn, lived_factory.real_prices(lived_factory.FIRST_BAR, dt.date(2018, 2, 16)))
    done = command_line.run(home, "simulate", "--from", "2018-01-01", "--through", "2018-02-09", "--executor", "sloppy")
    assert "6 weekly and 26 daily reports" in done.out, done.out + done.err
    return home


@lived_factory.needs_real_prices
def test_no_day_and_no_week_of_a_simulated_life_is_missing(lived: Settings) -> None:
    with opened(lived) as conn:
        days, weeks = reports.days(conn, "daily"), reports.days(conn, "weekly")
        assert all(writing.same_again(report) for report in reports.every(conn))
        assert announced.tampered(conn, ("report.written",)) == []
    assert sorted(days) == list(calendar.sessions(dt.date(2018, 1, 5), dt.date(2018, 2, 12)))
    assert sorted(weeks) == list(calendar.weekly_asofs(dt.date(2018, 1, 1), dt.date(2018, 2, 9)))


@lived_factory.needs_real_prices
def test_the_curves_of_a_simulated_life_are_what_pandas_makes_of_its_equity(lived: Settings) -> None:
    with opened(lived) as conn:
        facts = daily(reports.newest(conn, "daily", dt.date(2018, 2, 12)))
        flows = conn.execute(
            "SELECT day, sum(amount_gbp) AS gbp FROM ops.ledger_cash_movements m "
            "WHERE kind IN ('deposit', 'withdrawal') "
            "AND NOT EXISTS (SELECT 1 FROM ops.ledger_voids v WHERE v.movement_id = m.movement_id) GROUP BY day"
        ).fetchall()
    equity = pd.Series([float(p.equity_gbp) for p in facts.points], [p.session for p in facts.points])
    moved = pd.Series({r["day"]: float(r["gbp"]) for r in flows}).reindex(equity.index, fill_value=0.0)
    index = (equity / (equity.shift(fill_value=0.0) + moved)).cumprod()
    assert np.allclose([float(p.index) for p in facts.points], index, atol=2e-6)
    lost = 1 - index / index.cummax().clip(lower=1.0)
    assert np.allclose([float(p.drawdown) for p in facts.points], lost, atol=2e-6)
    money = facts.money
    parts = (money.paid_in_gbp, money.realised_gbp, money.unrealised_gbp, money.dividends_gbp, money.other_gbp)
    assert abs(sum(map(D, parts)) - D(money.equity_gbp)) <= D("0.03")
    assert abs(sum(D(h.share) for h in facts.holdings) + D(facts.cash_share) - 1) < D("0.0001")


@lived_factory.needs_real_prices
def test_the_commands_print_write_and_check(lived: Settings, tmp_path: Path) -> None:
    done = command_line.run(lived, "report", "weekly", "--date", "2018-01-31")
    assert done.code == 0, done.err
    assert "Weekly report, 2018-W05, through Mon 5 Feb 2018" in done.out
    page = Path(done.out.split()[-1])
    assert page.read_text().startswith("<!DOCTYPE html>")
    told = json.loads(command_line.run(lived, "report", "daily", "--date", "2018-02-05", "--json").out)
    assert told["facts"]["money"]["equity_gbp"]
    assert json.loads(command_line.run(lived, "report", "list", "--json").out)["owed"] == {
        "daily": [],
        "weekly": [],
        "monthly": [],
    }
    assert command_line.run(lived, "report", "verify").out == "33 reports, 33 come out byte for byte.\n"
    refused = command_line.run(lived, "report", "daily", "--date", "2018-02-04")
    assert (refused.code, refused.err.count("\n")) == (1, 1)
    assert forms.to_html(parse("daily", json.dumps(told["facts"]))).startswith("<!DOCTYPE html>")


@lived_factory.needs_real_prices
def test_between_a_trade_and_the_weeks_account_check_nothing_is_red(lived: Settings) -> None:
    with opened(lived) as conn:
        told = [daily(reports.newest(conn, "daily", day)) for day in sorted(reports.days(conn, "daily"))]
    waiting = [
        f for f in told if [o.code for g in f.gates for o in g.others if o.outcome == "FAIL"] == ["SNAPSHOT_STALE"]
    ]
    assert waiting
    assert {f.head.tone for f in waiting} <= {"grey", "amber"}
    assert all(f.head.headline.endswith("account check due") for f in waiting)
