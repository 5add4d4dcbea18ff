"""What the database lets the roles of the pages announce, tell and open: what their people may say."""

import datetime as dt
import json
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from streamlit_app.database import ROLE_OF
from streamlit_app.main import PLACES
from trading_ops.desk import operator_note
from trading_ops.settings import Settings
from trading_ops.store import audit, outbox, tickets
from trading_ops.store import desk as desk_store
from trading_ops.store.outbox_rows import Delivery, Recipient
from trading_ops.store.tickets import Ticket
from trading_ops_tests.integration import desk_factory as desk
from trading_ops_tests.integration.announced_kinds import every_kind, kinds_of
from trading_ops_tests.integration.home_factory import opened
from trading_ops_tests.unit.ticket_factory import make_buy

ASOF = dt.date(2018, 2, 2)
NOW = dt.datetime(2018, 2, 5, 20, tzinfo=dt.UTC)
PAGES = ("executor_ui", "operator_ui")
NOT_USED = {
    "executor_ui": {"market.snapshot"},
    "operator_ui": {"market.snapshot", "quality.accepted"},
    "sign_in": set(),
}
"""What the database lets a role announce although no page of its person does."""
TO = Recipient("mail", "mum@home.test", "executor", "Mum")


@pytest.fixture
def home(fresh_home: Settings) -> Settings:
    """A home with a universe."""
    desk.set_up_desk(fresh_home)
    return fresh_home


@pytest.fixture
def writer(home: Settings) -> Iterator[psycopg.Connection[Any]]:
    """Whoever issues tickets and sends mail."""
    with opened(home) as writer:
        yield writer


@pytest.fixture
def ticket(writer: psycopg.Connection[Any]) -> Ticket:
    """One that waits for its answer."""
    return desk.issue(writer, ASOF, [make_buy(1, "NVDA", "310", rank=4)])


def said_by(role: str) -> set[str]:
    """What the acts of a role's person announce: those of their pages, or those of the door."""
    if role == "sign_in":
        door = ("streamlit_app.auth.", "trading_ops.commands.people.")
        return kinds_of(lambda name: name.startswith(door))
    person = next(who for who, of in ROLE_OF.items() if of == role)
    theirs = tuple(f"streamlit_app.pages.{place.module}." for place in PLACES if person in place.roles)
    return kinds_of(lambda name: name.startswith(theirs), lambda name: name.startswith("streamlit_app.auth."))


@pytest.mark.parametrize("role", NOT_USED)
def test_a_role_announces_what_its_person_may_say_and_nothing_else(home: Settings, role: str) -> None:
    said = said_by(role)
    assert said, "the acts were found"
    assert not said & NOT_USED[role]
    assert {"ticket.issued", "plan.opened", "config.policy", "book.created"} < every_kind() - said
    with opened(home, role) as conn:
        for kind in sorted(every_kind() | {"a.test"}):
            insert = "INSERT INTO ops.audit_log (kind, subject, payload) VALUES (%s, 'x', '{}')"
            if kind in said | NOT_USED[role]:
                conn.execute(insert, (kind,))
                continue
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match=f"{role} does not announce {kind}"):
                conn.execute(insert, (kind,))


def test_what_the_pages_announce_is_read_from_their_code() -> None:
    assert {"answers.confirmation", "broker.snapshot", "universe.checked"} <= said_by("executor_ui")
    assert {"desk.kill_switch", "ticket.withdrawn"} <= said_by("operator_ui") - said_by("executor_ui")


FORGED = {
    "a withdrawal that did not happen": ("withdrawn:2018-02-02", "ticket.withdrawn"),
    "another message under the key of a withdrawal": ("withdrawn:2018-02-02", "source.down"),
    "a reminder that was not sent": ("window:2018-02-02", "ticket.window"),
    "an incident": ("incident:00000000", "incident.opened"),
}


@pytest.mark.parametrize("role", PAGES)
@pytest.mark.parametrize(("key", "kind"), FORGED.values(), ids=FORGED.keys())
def test_a_page_tells_nobody_what_did_not_happen(
    home: Settings, ticket: Ticket, role: str, key: str, kind: str
) -> None:
    payload = {"ticket_id": ticket.ticket_id, "reason": "a test"}
    with opened(home, role) as conn:
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match=r"tells nobody|permission denied"):
            desk_store.enqueue(conn, key, kind, ticket.plan_id, payload)
        assert outbox.number_of(conn, key) is None


def test_the_operators_page_withdraws_and_people_are_told(
    home: Settings, writer: psycopg.Connection[Any], ticket: Ticket
) -> None:
    with opened(home, "operator_ui") as conn:
        with conn.transaction():
            tickets.withdraw(conn, ticket.plan_id, "prices were wrong", "omar")
        for key, said in (
            (f"withdrawn:{ticket.plan_id}:2", "prices were wrong"),
            (f"withdrawn:{ticket.plan_id}", "no"),
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="operator_ui tells nobody"):
                desk_store.enqueue(
                    conn, key, "ticket.withdrawn", ticket.plan_id, {"ticket_id": ticket.ticket_id, "reason": said}
                )
    (told,) = writer.execute("SELECT * FROM ops.outbox WHERE kind = 'ticket.withdrawn'").fetchall()
    assert told["payload"] == {"ticket_id": ticket.ticket_id, "reason": "prices were wrong"}


def given_up(conn: psycopg.Connection[Any], ticket: Ticket) -> int:
    """The mail of a ticket that could not be delivered."""
    number = outbox.number_of(conn, f"ticket:{ticket.plan_id}")
    assert number is not None
    outbox.record(conn, number, TO, Delivery(1, "dead", "<x>", "refused", None, NOW))
    return number


def test_a_page_puts_back_what_was_given_up_and_says_of_nothing_that_it_was_sent(
    home: Settings, writer: psycopg.Connection[Any], ticket: Ticket
) -> None:
    number = given_up(writer, ticket)
    with opened(home, "operator_ui") as conn:
        for forged in (
            Delivery(2, "sent", "<x>", "", None, NOW),
            Delivery(2, "dead", "<x>", "", None, NOW),
            Delivery(2, "deferred", "<x>", "", NOW + dt.timedelta(days=999), NOW),
            Delivery(7, "requeued", "<x>", "", NOW, NOW),
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="only puts back in the queue"):
                outbox.record(conn, number, TO, forged)
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="only puts back in the queue"):
            outbox.record(conn, number, Recipient("mail", "op@home.test"), Delivery(1, "sent", "<x>", "", None, NOW))
        with conn.transaction():
            assert len(outbox.requeue(conn, number, "omar", NOW)) == 1
    assert [d.outcome for d in outbox.deliveries(writer, number)] == ["dead", "requeued"]


@pytest.mark.parametrize("role", PAGES)
def test_a_page_opens_the_incidents_that_its_forms_open(home: Settings, role: str) -> None:
    with opened(home, role) as conn, conn.transaction():
        operator_note.booked_by_hand(conn, "XYZ", {}, key="1")
        operator_note.unknown_name(conn, "XYZ", "in a test", {}, key="2", blocking=True)
        operator_note.unknown_name(conn, "XYZ", "in a test", {}, key="3")
        desk_store.untradable(conn, "NVDA", "CFD", "a test", key="4")
        desk_store.open_incident(conn, "OVERFILLED", "a test", {}, blocking=False, key="5")
        assert desk.counts(conn, "incidents") == (5,)


@pytest.mark.parametrize("role", PAGES)
@pytest.mark.parametrize(
    ("kind", "blocking"),
    [("BACKUP_FAILED", True), ("OVERFILLED", True), ("UNTRADABLE_SYMBOL", True), ("UNBOOKED_TRADE", False)],
)
def test_a_page_opens_no_other_incident(home: Settings, role: str, kind: str, blocking: bool) -> None:
    with opened(home, role) as conn:
        before = desk.counts(conn, "incidents", "audit_log")
        refused = pytest.raises(psycopg.errors.InsufficientPrivilege, match=f"{role} opens no incident {kind}")
        with refused, conn.transaction():
            desk_store.open_incident(conn, kind, "a test", {}, blocking=blocking, key="1")
        assert desk.counts(conn, "incidents", "audit_log") == before


def test_who_plans_and_sends_is_not_held_back(writer: psycopg.Connection[Any], ticket: Ticket) -> None:
    assert ticket.verdict == "TRADE"
    with writer.transaction():
        audit.append(writer, "a.test", "x", {})
        desk_store.open_incident(
            writer, "BACKUP_FAILED", "a test", json.loads("{}"), blocking=True, key=str(uuid.uuid4())
        )
        desk_store.enqueue(writer, "window:1", "ticket.window", ticket.plan_id, {})
    given_up(writer, ticket)
