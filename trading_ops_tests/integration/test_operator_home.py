"""The operator's home: the light in words, the kill switch, holidays, incidents, and a ticket that is not there."""

import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from streamlit_app.components import words
from streamlit_app.pages import home
from trading_ops.desk import no_ticket, standing, switching
from trading_ops.domain import calendar
from trading_ops.domain.calendar import LONDON
from trading_ops.domain.desk import check_backup_unproven
from trading_ops.domain.errors import BadInput, Refused
from trading_ops.domain.incidents import CLASSES
from trading_ops.domain.kill_switch import state_at
from trading_ops.domain.policy import parse
from trading_ops.domain.ticket_words import long_day
from trading_ops.settings import Settings
from trading_ops.store import audit, backups, configuration, desk, incidents, name_checks, plans
from trading_ops_tests.integration import household_factory
from trading_ops_tests.integration.command_line import run
from trading_ops_tests.integration.home_factory import opened, policy_text
from trading_ops_tests.integration.household_factory import (
    SESSION,
    press,
    shown,
)
from trading_ops_tests.integration.operator_factory import at_home, check_account, errors, only, put, visit

MONDAY = dt.date(2027, 7, 5)


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


def test_home_says_grey_in_words_and_what_helps_when_nobody_looked_at_the_account(household: Settings) -> None:
    text = shown(visit(household, "home"))
    assert "GREY." in text
    assert "Nobody has entered what the account shows yet." in text
    assert 'href="/snapshot"' in text
    assert "none proven yet" in text
    assert "Mail is off" in text


def test_the_page_says_of_backups_what_the_gate_reads(household: Settings, conn: psycopg.Connection[Any]) -> None:
    now = dt.datetime.now(dt.UTC)
    where = standing.standing(conn, now)
    assert where.backup_proven_at == backups.holds_until(conn, audit.head(conn).seq)
    text = shown(visit(household, "home"))
    assert "none proven yet; allowed: at most 48 hours old, so nothing is traded" in text
    policy = configuration.policy_in_force(conn).policy
    for age, trades in ((47, True), (49, False)):
        at = now - dt.timedelta(hours=age)
        then = replace(where, backup_proven_at=at, backup=check_backup_unproven(at, now, policy, "live"))
        assert words.when(at) in home._backup_words(then)
        assert ("nothing is traded" not in home._backup_words(then)) is trades


def test_home_is_green_when_account_and_ledger_agree(household: Settings, conn: psycopg.Connection[Any]) -> None:
    check_account(conn)
    text = shown(visit(household, "home"))
    assert "GREEN." in text
    assert "checked today" in text


def test_home_in_red_names_rule_seen_allowed_button_and_document(
    household: Settings, conn: psycopg.Connection[Any]
) -> None:
    check_account(conn, cash="700.00")
    text = shown(visit(household, "home"))
    for part in ("RED.", "CASH_DRIFT", "-298.50", "docs/RECONCILIATION_SOP.md", 'href="/reconciliation"'):
        assert part in text, part


def test_do_not_trade_comes_from_calendar_and_database_alone(
    household: Settings, conn: psycopg.Connection[Any]
) -> None:
    policy = configuration.policy_in_force(conn).policy
    assert no_ticket.missing_ticket(conn, dt.datetime.now(dt.UTC)) is None, "a desk without plans misses none"
    asof = calendar.weekly_asofs(SESSION - dt.timedelta(days=40), SESSION - dt.timedelta(days=14))[0]
    with conn.transaction():
        plans.register(conn, asof, policy)
    times = calendar.plan_times(asof, policy)
    early = no_ticket.missing_ticket(conn, times.opens_at + dt.timedelta(minutes=1))
    assert early is None, "open, not overdue, and its window is another day"
    late = no_ticket.missing_ticket(conn, times.decide_by + dt.timedelta(minutes=1))
    assert late is not None
    assert late.plan_id == asof.isoformat()
    morning = dt.datetime.combine(times.window_session, dt.time(7), LONDON).astimezone(dt.UTC)
    today = no_ticket.missing_ticket(conn, morning)
    assert today is not None
    assert today.window_today
    # Nothing registers plans any more; the calendar says that newer ones are overdue.
    text = shown(visit(household, "home"))
    assert (no_ticket.DO_NOT_TRADE in text) == (no_ticket.missing_ticket(conn, dt.datetime.now(dt.UTC)) is not None)


def test_kill_switch_needs_state_and_reason_asks_once_more_and_is_audited(
    household: Settings, conn: psycopg.Connection[Any]
) -> None:
    app = visit(household, "home")
    press(app, "Set the kill switch")
    assert "Choose ACTIVE, REDUCING or HALTED" in errors(app)
    app.radio[0].set_value("HALTED")
    press(app, "Set the kill switch")
    assert "The reason is missing" in errors(app)
    put(app, "Why", "broker is down")
    press(app, "Set the kill switch")
    press(app, "Check again")
    assert not desk.kill_switch_events(conn, audit.head(conn).seq), "nothing happens before the second look"
    press(app, "Yes, it is right")
    event = only(list(desk.kill_switch_events(conn, audit.head(conn).seq)))
    assert (event.state, event.reason, event.set_by) == ("HALTED", "broker is down", "omar")
    row = conn.execute("SELECT actor FROM ops.audit_log WHERE kind = 'desk.kill_switch'").fetchone()
    assert row is not None
    assert row["actor"] == "operator_ui:omar"
    assert "HALTED" in app.success[0].value
    assert "broker is down" in shown(app)


def test_a_change_after_the_second_look_is_asked_again(household: Settings, conn: psycopg.Connection[Any]) -> None:
    app = visit(household, "home")
    app.radio[0].set_value("REDUCING")
    put(app, "Why", "careful", 0)
    press(app, "Set the kill switch")
    app.radio[0].set_value("HALTED")
    press(app, "Yes, it is right")
    assert not desk.kill_switch_events(conn, audit.head(conn).seq)
    assert "HALTED" in app.warning[0].value


def test_a_holiday_pauses_the_plans_whose_windows_lie_in_it() -> None:
    policy = parse(policy_text(), "policy.yml")
    now = dt.datetime(2027, 6, 20, 9, tzinfo=dt.UTC)
    with pytest.raises(BadInput, match="before the first"):
        switching.pause_of(MONDAY, MONDAY - dt.timedelta(days=1), policy, now)
    with pytest.raises(Refused, match="nothing to pause"):
        switching.pause_of(MONDAY + dt.timedelta(days=2), MONDAY + dt.timedelta(days=4), policy, now)
    window = calendar.next_session(calendar.last_session_of_week(MONDAY - dt.timedelta(days=7)))
    made = switching.pause_of(window, window + dt.timedelta(days=8), policy, now)
    assert made.first < window, "the plan of the first day away was made the week before"
    assert [plan.window_session >= window for plan in made.covered] == [True, True]
    assert made.following.window_session > window + dt.timedelta(days=8)


def test_a_pause_of_the_page_holds_at_the_as_of_session_of_its_first_window(
    household: Settings, conn: psycopg.Connection[Any]
) -> None:
    app = visit(household, "home")
    today = dt.datetime.now(dt.UTC).astimezone(LONDON).date()
    put(app, "Why", "walking in Wales", 1)
    (last,) = [d for d in app.date_input if d.label == "Last day away"]
    last.set_value(today + dt.timedelta(days=14))
    press(app, "Pause the desk")
    assert "no trade on" in app.warning[0].value
    press(app, "Yes, it is right")
    events = desk.kill_switch_events(conn, audit.head(conn).seq)
    pause = only(list(events))
    assert state_at(events, pause.session).state == "PAUSED"
    assert pause.until is not None
    assert state_at(events, calendar.next_session(pause.until)).state == "ACTIVE"


def test_a_state_set_within_a_holiday_leaves_the_pause_to_gate_home_and_command_line_alike(
    household: Settings, conn: psycopg.Connection[Any]
) -> None:
    last = calendar.last_closed(dt.datetime.now(dt.UTC))
    with conn.transaction():
        switching.pause_sessions(conn, last, last + dt.timedelta(days=14), "walking in Wales", "omar")
    app = visit(household, "home")
    app.radio[0].set_value("ACTIVE")
    put(app, "Why", "all is well", 0)
    press(app, "Set the kill switch")
    assert "It ends no pause" in app.warning[0].value
    press(app, "Yes, it is right")
    assert "It ends no pause" in app.success[0].value
    assert f" to {long_day(last + dt.timedelta(days=14))} trades, unless somebody ends" in app.success[0].value
    assert state_at(desk.kill_switch_events(conn, audit.head(conn).seq), last).state == "PAUSED"
    text = shown(visit(household, "home"))
    assert "PAUSED." in text
    assert "walking in Wales" in text
    said = run(household, "desk", "show").out
    assert "PAUSED" in said
    assert f"paused from {last} until" in said


def test_a_pause_is_ended_from_the_page_and_stands_no_more(household: Settings, conn: psycopg.Connection[Any]) -> None:
    last = calendar.last_closed(dt.datetime.now(dt.UTC))
    with conn.transaction():
        switching.pause_sessions(conn, last, last + dt.timedelta(days=14), "walking in Wales", "omar")
    app = visit(household, "home")
    press(app, "End this pause")
    assert "The reason is missing" in errors(app)
    put(app, "Why does it end", "rain")
    press(app, "End this pause")
    press(app, "Yes, it is right")
    assert "the pause of" in app.success[0].value
    events = desk.kill_switch_events(conn, audit.head(conn).seq)
    assert state_at(events, last).state == "ACTIVE"
    assert [(e.state, e.session, e.set_by, e.reason) for e in events[1:]] == [("PAUSED", last, "omar", "rain")]
    text = shown(visit(household, "home"))
    assert "PAUSED." not in text
    assert "ended" in text, "the table of changes says what the entry is"
    assert "paused" not in run(household, "desk", "show").out
    with pytest.raises(Refused, match="ended already"), conn.transaction():
        switching.end_pause(conn, last, "again", "omar")


def test_a_pause_is_set_and_ended_from_the_command_line(household: Settings) -> None:
    first = calendar.last_closed(dt.datetime.now(dt.UTC)) + dt.timedelta(days=70)
    days = ("--from", str(first), "--to", str(first + dt.timedelta(days=14)))
    assert "PAUSED from" in run(household, "desk", "set", "PAUSED", *days, "--reason", "Wales").out
    assert f"paused from {days[1]} until {days[3]}" in run(household, "desk", "show").out
    assert "It ends no pause" in run(household, "desk", "set", "ACTIVE", "--from", days[1], "--reason", "well").out
    upgraded = run(household, "init", "--book", "live").out
    assert f"stands, although a state was set after it: only `trading-ops desk end-pause --from {days[1]}" in upgraded
    assert "Ended" in run(household, "desk", "end-pause", "--from", days[1], "--reason", "rain").out
    assert "paused" not in run(household, "desk", "show").out
    assert "stands" not in run(household, "init", "--book", "live").out


def looked_up(conn: psycopg.Connection[Any], outcome: str) -> None:
    with conn.transaction():
        name_checks.record(conn, uuid.uuid4(), "AAPL", outcome, "", SESSION, "anna")


def test_the_incident_of_a_name_says_whether_the_name_is_in_use_again_and_a_person_closes_it(
    household: Settings, conn: psycopg.Connection[Any]
) -> None:
    looked_up(conn, "missing")
    text = shown(visit(household, "home"))
    assert "AAPL is switched off: not found on eToro" in text
    assert "look it up again on the page Check names" in text
    looked_up(conn, "found")
    text = shown(visit(household, "home"))
    assert "AAPL was not found on eToro" in text, "it stays open until a person closes it"
    assert "AAPL is in use again: anna found it as Stocks on" in text
    assert "Close this with a note" in text
    looked_up(conn, "cfd")
    text = shown(visit(household, "home"))
    assert text.count("AAPL is switched off: only as a CFD on eToro") == 2, "both incidents say what holds now"


def test_an_incident_is_closed_with_a_note_once(household: Settings, conn: psycopg.Connection[Any]) -> None:
    with conn.transaction():
        made = desk.open_incident(conn, "ODD_THING", "Something odd", {}, blocking=True, key="1")
    app = visit(household, "home")
    assert "BLOCKING." in shown(app)
    press(app, "Close the incident")
    assert "Write what was done" in errors(app)
    put(app, "What was done about it", "looked, and it is fine")
    press(app, "Close the incident")
    press(app, "Yes, it is right")
    assert not desk.open_blocking_incidents(conn, audit.head(conn).seq)
    assert "Something odd" in app.success[0].value
    with pytest.raises(Refused, match="closed already by omar"), conn.transaction():
        switching.close_incident(conn, str(made), "again", "anna")


def test_an_incident_shows_the_runbook_and_is_taken_on_by_who_sits_there(
    household: Settings, conn: psycopg.Connection[Any]
) -> None:
    looked_up(conn, "missing")
    app = visit(household, "home")
    known = CLASSES["UNTRADABLE_SYMBOL"]
    for words_ in (known.means, known.do, known.how, known.page):
        assert words_ in shown(app), words_
    press(app, "Acknowledge the incident")
    assert "going to do" in errors(app)
    put(app, "What I am going to do", "ask eToro on Monday")
    press(app, "Acknowledge the incident")
    if any(button.label == "Yes, it is right" for button in app.button):
        press(app, "Yes, it is right")
    (found,) = incidents.open_ones(conn)
    assert (found.acknowledged_by, found.note) == ("omar", "ask eToro on Monday")
    text = shown(visit(household, "home"))
    assert "Acknowledged by omar" in text
    assert "ask eToro on Monday" in text
    assert not [b for b in visit(household, "home").button if b.label == "Acknowledge the incident"]
