"""Names that eToro does not have: off for the next plan at once, put right by a correction, a look-up or a universe."""

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from trading_ops.domain.answer import Answer
from trading_ops.domain.errors import BadInput, Refused, UnknownSymbol
from trading_ops.domain.universe import Instrument
from trading_ops.settings import Settings
from trading_ops.store import audit, configuration, name_checks
from trading_ops.store.name_checks import NameCheck
from trading_ops.store.tickets import Ticket
from trading_ops_tests.integration import desk_factory as desk
from trading_ops_tests.integration.home_factory import opened
from trading_ops_tests.unit import ticket_factory as factory

ASOF, NEXT = dt.date(2018, 2, 2), dt.date(2018, 2, 9)
TUESDAY = dt.date(2018, 2, 6)
CFD, MISSING = Answer(1, "FAILED", "CFD"), Answer(1, "FAILED", "MISSING")


@pytest.fixture
def conn(fresh_home: Settings) -> Iterator[psycopg.Connection[Any]]:
    """The executor's page's own connection."""
    desk.set_up_desk(fresh_home)
    with opened(fresh_home, "executor_ui") as conn:
        yield conn


@pytest.fixture
def ticket(fresh_home: Settings, conn: psycopg.Connection[Any]) -> Ticket:
    """Buy NVDA."""
    with opened(fresh_home) as writer:
        return desk.issue(writer, ASOF, [factory.make_buy(1, "NVDA", "310", rank=4)])


def say(conn: psycopg.Connection[Any], ticket: Ticket, given: Answer) -> None:
    desk.answer(conn, ticket, [given], desk.seen(conn, ticket))


def check(
    conn: psycopg.Connection[Any], outcome: str, *, day: dt.date = TUESDAY, check_id: uuid.UUID | None = None
) -> bool:
    with conn.transaction():
        audit.speaking_as(conn, desk.ANNA)
        return name_checks.record(conn, check_id or uuid.uuid4(), "NVDA", outcome, "NVD.DE", day, desk.ANNA)


def nvda(conn: psycopg.Connection[Any], *, asof: dt.date = NEXT, seq: int | None = None) -> Instrument:
    """NVDA as the plan of a session sees it, at a watermark or now."""
    stored = configuration.universe_of_day(conn, asof)
    facts_seq = audit.head(conn).seq if seq is None else seq
    return configuration.as_looked_up(conn, stored, asof, facts_seq).instruments["NVDA"]


def newer_universe(home: Settings) -> None:
    """The operator imports the universe again, as from the next plan."""
    text = desk.universe_text(*factory.NAMES).replace("NVDA Inc", "NVDA Incorporated")
    with opened(home) as writer, writer.transaction():
        configuration.import_universe(writer, text, "universe.csv", valid_from=NEXT)


# ---- a line that could not find its name
@pytest.mark.parametrize(("reason", "said"), [("MISSING", "was not found"), ("cfd", "is offered only as a CFD")])
def test_a_line_that_cannot_find_its_name_switches_it_off_for_the_next_plan(
    conn: psycopg.Connection[Any], ticket: Ticket, reason: str, said: str
) -> None:
    before = audit.head(conn).seq
    say(conn, ticket, Answer(1, "FAILED", reason))
    assert not nvda(conn).enabled
    assert nvda(conn, seq=before).enabled, "a plan judged before the answer must replay as it was"
    assert nvda(conn, asof=dt.date(2018, 1, 26)).enabled
    (incident,) = desk.rows(conn, "incidents")
    assert (incident["class"], incident["blocking"]) == ("UNTRADABLE_SYMBOL", False)
    assert incident["title"] == f"NVDA {said} on eToro"


def test_any_other_failure_leaves_the_name_on(conn: psycopg.Connection[Any], ticket: Ticket) -> None:
    say(conn, ticket, Answer(1, "FAILED", "eToro was down"))
    assert nvda(conn).enabled
    assert desk.counts(conn, "incidents", "universe_disablements") == (0, 0)


def test_the_same_answer_again_opens_no_second_incident(conn: psycopg.Connection[Any], ticket: Ticket) -> None:
    for _ in range(3):
        say(conn, ticket, CFD)
    assert desk.counts(conn, "incidents", "universe_disablements") == (1, 1)


def test_a_corrected_answer_puts_the_name_right_from_then_on(conn: psycopg.Connection[Any], ticket: Ticket) -> None:
    say(conn, ticket, MISSING)
    between = audit.head(conn).seq
    say(conn, ticket, desk.done(ASOF))
    assert nvda(conn).enabled
    assert not nvda(conn, seq=between).enabled
    assert desk.counts(conn, "incidents") == (1,)


def test_a_newer_universe_puts_the_name_right(
    conn: psycopg.Connection[Any], ticket: Ticket, fresh_home: Settings
) -> None:
    say(conn, ticket, CFD)
    newer_universe(fresh_home)
    assert nvda(conn).enabled


# ---- names that were searched
@pytest.mark.parametrize("outcome", ["cfd", "missing"])
def test_a_name_that_was_searched_in_vain_is_off_until_it_is_found(conn: psycopg.Connection[Any], outcome: str) -> None:
    before = audit.head(conn).seq
    assert check(conn, outcome)
    between = audit.head(conn).seq
    assert not nvda(conn).enabled
    assert nvda(conn).verified_on is None
    assert [row["class"] for row in desk.rows(conn, "incidents")] == ["UNTRADABLE_SYMBOL"]
    check(conn, "found")
    assert nvda(conn).enabled
    assert nvda(conn).verified_on == TUESDAY
    assert not nvda(conn, seq=between).enabled
    assert nvda(conn, seq=before) == configuration.universe_of_day(conn, NEXT).universe.instruments["NVDA"]
    assert desk.counts(conn, "incidents") == (1,)


def test_a_name_that_was_searched_in_vain_is_off_until_a_newer_universe(
    conn: psycopg.Connection[Any], fresh_home: Settings
) -> None:
    check(conn, "cfd")
    newer_universe(fresh_home)
    assert nvda(conn).enabled
    check(conn, "missing")
    assert not nvda(conn).enabled


def test_found_after_a_line_that_could_not_find_it_switches_it_on(
    conn: psycopg.Connection[Any], ticket: Ticket
) -> None:
    say(conn, ticket, CFD)
    check(conn, "found")
    assert nvda(conn).enabled
    assert nvda(conn).verified_on == TUESDAY


def test_found_before_a_line_that_could_not_find_it_does_not(conn: psycopg.Connection[Any], ticket: Ticket) -> None:
    check(conn, "found")
    say(conn, ticket, CFD)
    assert not nvda(conn).enabled
    assert nvda(conn).verified_on == TUESDAY


def test_found_stays_true_when_a_later_line_was_answered_by_mistake(
    conn: psycopg.Connection[Any], ticket: Ticket, fresh_home: Settings
) -> None:
    say(conn, ticket, CFD)
    check(conn, "found")
    with opened(fresh_home) as writer:
        later = desk.issue(writer, NEXT, [factory.make_buy(1, "NVDA", "310", rank=4)])
    say(conn, later, MISSING)
    say(conn, later, desk.done(NEXT))
    assert nvda(conn, asof=dt.date(2018, 2, 16)).enabled


def test_found_dates_the_verification_and_never_sets_it_back(
    conn: psycopg.Connection[Any], fresh_home: Settings
) -> None:
    check(conn, "found")
    newer_universe(fresh_home)
    assert nvda(conn).verified_on == TUESDAY
    check(conn, "found", day=dt.date(2018, 2, 8))
    assert nvda(conn).verified_on == dt.date(2018, 2, 8)


def test_found_does_not_switch_on_what_the_universe_switches_off(
    conn: psycopg.Connection[Any], fresh_home: Settings
) -> None:
    off = desk.universe_text(*factory.NAMES).replace("NVDA,USD,stock,true,true", "NVDA,USD,stock,true,false")
    with opened(fresh_home) as writer, writer.transaction():
        configuration.import_universe(writer, off, "universe.csv", valid_from=NEXT)
    check(conn, "found")
    assert not nvda(conn).enabled


# ---- storing a look-up
def test_the_same_look_up_twice_is_stored_once(conn: psycopg.Connection[Any]) -> None:
    check_id = uuid.uuid4()
    assert check(conn, "cfd", check_id=check_id)
    assert not check(conn, "cfd", check_id=check_id)
    assert desk.counts(conn, "name_checks", "incidents") == (1, 1)
    assert name_checks.newest(conn) == {"NVDA": NameCheck("NVDA", "cfd", "NVD.DE", TUESDAY, "anna")}
    with pytest.raises(Refused, match="stored already as NVDA cfd"):
        check(conn, "found", check_id=check_id)


def test_two_clicks_at_the_same_moment_store_one_look_up(fresh_home: Settings, conn: psycopg.Connection[Any]) -> None:
    with opened(fresh_home, "executor_ui") as other:
        for _ in range(20):
            check_id = uuid.uuid4()
            ended = desk.at_once(*(lambda c=c, i=check_id: check(c, "missing", check_id=i) for c in (conn, other)))
            assert sorted(ended, key=str) == [False, True]
    assert desk.counts(conn, "name_checks", "incidents") == (20, 20)


def test_a_look_up_that_cannot_be_is_told(conn: psycopg.Connection[Any]) -> None:
    with pytest.raises(BadInput, match="'perhaps' is not one of found, cfd, missing"):
        check(conn, "perhaps")
    with pytest.raises(BadInput, match="the look-alikes of NVDA are 401 characters; use 400"), conn.transaction():
        name_checks.record(conn, uuid.uuid4(), "NVDA", "found", "x" * 401, TUESDAY, "anna")
    with pytest.raises(UnknownSymbol, match="unknown symbol 'XXX'"), conn.transaction():
        name_checks.record(conn, uuid.uuid4(), "XXX", "found", "", TUESDAY, "anna")
    assert desk.counts(conn, "name_checks") == (0,)
